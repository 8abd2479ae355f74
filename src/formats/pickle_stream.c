#include "formats/pickle_stream.h"

#include <inttypes.h>
#include <stdio.h>

#include "formats/payload.h"
#include "formats/pickle_search.h"
#include "formats/pickle_sniff.h"
#include "formats/torch_legacy.h"

typedef struct examination {
    tut_exam *x;
    tut_pinput in;
    tut_plegacy legacy;
    tut_pmodules modules;
    uint64_t streams, ops, imports;
    uint8_t protocol;
    bool uses_joblib;
    bool is_forgetful; /* some values had to be lost */
    tut_code broken;   /* the first stream that could not be read */
    char why[TUT_PWHY_MAX + 40];
    uint64_t broken_at;
} examination;

/* --- one stream --- */

static void tell_broken(examination *e, const tut_pmachine *m)
{
    const char *opcode = tut_popcodes[m->op].name;
    const char *rule = m->broken == TUT_TRUNCATED ? "pickle.truncated" : "pickle.broken";
    tut_exam_observe(e->x, rule, m->op_at, "%s%s%s", opcode ? opcode : "", opcode ? ": " : "",
                     m->why);
    if (e->broken != TUT_OK)
        return;
    e->broken = m->broken;
    e->broken_at = m->op_at;
    snprintf(e->why, sizeof e->why, "pickle stops being readable: %s", m->why);
}

static void tell_mixture(const examination *e, const tut_pmachine *m)
{
    if (m->needs_protocol > m->protocol && m->needs_protocol >= 2 && !m->is_candidate)
        tut_exam_observe(e->x, "pickle.mixed-protocol", m->start,
                         "declared as protocol %u, with opcodes of protocol %u", m->protocol,
                         m->needs_protocol);
}

tut_status tut_pstream_second_reading(tut_exam *x, const tut_source *source, uint64_t at,
                                      uint64_t end, int first_op, uint64_t *ret_imports,
                                      tut_error *err)
{
    TUT_AUTO(tut_stream) stream = NULL;
    tut_source bounded;
    *ret_imports = 0;
    if (!tut_is_ok(tut_source_slice(source, 0, end, &bounded)))
        return TUT_SUCCESS;
    TUT_TRY(tut_stream_open_source(&bounded, &stream));
    if (!tut_is_ok(tut_stream_seek(stream, at)))
        return TUT_SUCCESS;
    tut_pinput in = tut_pinput_of(stream, bounded.size);
    tut_pmachine m;
    tut_status status = tut_pmachine_init(&m, x, &in, x->budget);
    m.is_candidate = m.is_lenient = m.is_plain = true;
    if (tut_is_ok(status))
        status = tut_pmachine_run(&m, first_op, err);
    *ret_imports = m.imports;
    tut_pmachine_done(&m);
    return status;
}

/* The readings that loaders would take at frame ends inside arguments. */
static tut_status read_splits(examination *e, const tut_pmachine *m, tut_error *err)
{
    const tut_source *source = tut_stream_source(e->x->stream);
    for (size_t i = 0; source && i < m->split_count; i++) {
        uint64_t imports;
        TUT_TRY(tut_pstream_second_reading(e->x, source, m->splits[i].at, source->size,
                                           m->splits[i].first_op, &imports, err));
    }
    return TUT_SUCCESS;
}

/* Runs one stream at the input's position. m is the caller's to end, whatever comes back. */
static tut_status run_stream(examination *e, tut_pmachine *m, tut_plegacy *legacy,
                             bool is_candidate, tut_error *err)
{
    TUT_TRY(tut_pmachine_init(m, e->x, &e->in, e->x->budget));
    m->legacy = legacy;
    m->modules = &e->modules;
    m->is_candidate = is_candidate;
    tut_status status = tut_pmachine_run(m, -1, err);
    e->ops += m->ops;
    e->imports += m->imports;
    e->is_forgetful = e->is_forgetful || m->heap.is_lossy || m->memo.is_lossy;
    e->uses_joblib = e->uses_joblib || m->uses_joblib;
    if (m->protocol > e->protocol)
        e->protocol = m->protocol;
    if (!is_candidate || m->imports || m->is_done)
        e->streams++;
    if (!is_candidate && m->broken != TUT_OK)
        tell_broken(e, m);
    tell_mixture(e, m);
    TUT_TRY(status);
    return read_splits(e, m, err);
}

static tut_status run_and_end(examination *e, bool is_candidate, tut_error *err)
{
    tut_pmachine m = {0};
    tut_status status = run_stream(e, &m, NULL, is_candidate, err);
    tut_pmachine_done(&m);
    return status;
}

/* --- what follows --- */

static bool at_end(examination *e)
{
    return tut_pinput_peek_some(&e->in, 1).len == 0;
}

/* A zip archive behind a pickle: loaders that look for archives first read that one. */
static tut_status examine_zip(examination *e, uint64_t at, tut_error *err)
{
    const tut_source *source = tut_stream_source(e->x->stream);
    tut_source rest;
    if (!source || !e->x->ops->member ||
        !tut_is_ok(tut_source_slice(source, at, source->size - at, &rest)))
        return TUT_SUCCESS;
    char name[32];
    int len = snprintf(name, sizeof name, "zip@%" PRIu64, at);
    return e->x->ops->member(e->x->ctx, (tut_str){name, (size_t)len}, &rest, NULL, rest.size, err);
}

/* Searches garbage for pickles, to the end. */
static tut_status search(examination *e, tut_error *err)
{
    tut_psearch found;
    bool was_zip = false;
    for (;;) {
        TUT_TRY(tut_psearch_next(&e->in, e->x->budget, &found, err));
        if (found.what == TUT_PSEARCH_NOTHING)
            return TUT_SUCCESS;
        if (found.what == TUT_PSEARCH_ZIP) {
            if (!was_zip)
                TUT_TRY(examine_zip(e, tut_pinput_pos(&e->in), err));
            was_zip = true;
            if (!tut_pinput_skip(&e->in, 4))
                return TUT_SUCCESS;
            continue;
        }
        tut_exam_observe(e->x, "pickle.hidden-stream", tut_pinput_pos(&e->in),
                         "another pickle lies among other bytes");
        TUT_TRY(run_and_end(e, true, err));
    }
}

/* After STOP: further pickles, padding, garbage. */
static tut_status read_rest(examination *e, tut_error *err)
{
    for (;;) {
        tut_psearch_skip_zeros(&e->in);
        if (at_end(e))
            return TUT_SUCCESS;
        tut_span head = tut_pinput_peek_some(&e->in, 4096);
        if (!tut_psniff_follows(head, tut_pinput_left(&e->in)))
            break;
        TUT_TRY(run_and_end(e, false, err));
        if (e->broken != TUT_OK)
            return search(e, err);
    }
    const char *program = tut_payload_program(tut_pinput_peek_some(&e->in, 4096));
    if (program)
        tut_exam_observe(e->x, "data.hidden-payload", tut_pinput_pos(&e->in),
                         "%s follows the end of the pickle", program);
    uint64_t left = tut_pinput_left(&e->in);
    if (left == UINT64_MAX)
        tut_exam_observe(e->x, "pickle.data-after-stop", tut_pinput_pos(&e->in),
                         "bytes follow that are no pickle");
    else
        tut_exam_observe(e->x, "pickle.data-after-stop", tut_pinput_pos(&e->in),
                         "%" PRIu64 " bytes follow that are no pickle", left);
    return search(e, err);
}

/* --- legacy torch --- */

/* `done` of the five pickles have been read. */
static tut_status read_legacy(examination *e, unsigned done, tut_error *err)
{
    for (unsigned i = done; i < 5 && e->broken == TUT_OK; i++) {
        tut_pmachine m = {0};
        bool is_sound = true;
        tut_status status = run_stream(e, &m, i == 3 ? &e->legacy : NULL, false, err);
        if (tut_is_ok(status) && i == 4 && m.is_done) {
            tut_exam_factf(e->x, "torch.storages", "%zu", e->legacy.count);
            status = tut_plegacy_skip(&e->legacy, &m, m.result, &is_sound);
        }
        tut_pmachine_done(&m);
        if (status.code == TUT_TRUNCATED)
            return tut_fail(err, TUT_TRUNCATED, "the data ends before its storages do");
        TUT_TRY(status);
    }
    return TUT_SUCCESS;
}

static tut_status read_first(examination *e, tut_error *err)
{
    tut_pmachine m = {0};
    int64_t version = 0;
    tut_status status = run_stream(e, &m, NULL, false, err);
    bool is_magic = m.is_done && tut_plegacy_is_magic(&m, m.result);
    bool is_computed = m.is_done && tut_pv_type(&m.heap, m.result) == TUT_PVAL_OBJECT;
    uint64_t start = m.start;
    tut_pmachine_done(&m);
    TUT_TRY(status);
    if (is_magic)
        return read_legacy(e, 1, err);
    if (!is_computed || e->broken != TUT_OK || at_end(e))
        return TUT_SUCCESS;
    if (!tut_psniff_follows(tut_pinput_peek_some(&e->in, 4096), tut_pinput_left(&e->in)))
        return TUT_SUCCESS;
    /* A call may yield the magic number as well as a constant. */
    m = (tut_pmachine){0};
    status = run_stream(e, &m, NULL, false, err);
    bool is_version = m.is_done && tut_pv_get_int(&m.heap, m.result, &version) &&
                      version == TUT_PLEGACY_PROTOCOL;
    tut_pmachine_done(&m);
    TUT_TRY(status);
    if (!is_version)
        return TUT_SUCCESS;
    tut_exam_observe(e->x, "pickle.computed-magic", start,
                     "the magic number of legacy PyTorch is the result of a call");
    return read_legacy(e, 2, err);
}

/* --- the whole --- */

static void tell_facts(examination *e)
{
    tut_exam_factf(e->x, "pickle.protocol", "%u", e->protocol);
    tut_exam_factf(e->x, "pickle.streams", "%" PRIu64, e->streams);
    tut_exam_factf(e->x, "pickle.opcodes", "%" PRIu64, e->ops);
    tut_exam_factf(e->x, "pickle.globals", "%" PRIu64, e->imports);
    for (size_t i = 0; i < e->modules.count; i++)
        tut_exam_fact(e->x, "pickle.module", tut_str_of(e->modules.names[i]));
    if (e->uses_joblib)
        tut_exam_fact(e->x, "pickle.arrays", TUT_LIT("joblib"));
}

static tut_status read_all(examination *e, tut_error *err)
{
    TUT_TRY(read_first(e, err));
    if (e->broken != TUT_OK)
        return search(e, err);
    return read_rest(e, err);
}

static tut_status search_from_start(examination *e, tut_error *err)
{
    const tut_source *source = tut_stream_source(e->x->stream);
    if (source) { /* else the bytes come only once */
        TUT_TRY(run_and_end(e, true, err));
        TUT_TRY(tut_stream_seek(e->x->stream, 0));
        e->in = tut_pinput_of(e->x->stream, e->x->size);
    }
    tut_psearch found;
    for (;;) {
        TUT_TRY(tut_psearch_next(&e->in, e->x->budget, &found, err));
        if (found.what == TUT_PSEARCH_NOTHING)
            return TUT_SUCCESS;
        if (found.what == TUT_PSEARCH_ZIP) { /* a format of its own would have been recognised */
            if (!tut_pinput_skip(&e->in, 4))
                return TUT_SUCCESS;
            continue;
        }
        tut_exam_observe(e->x, "pickle.hidden-stream", tut_pinput_pos(&e->in),
                         "a pickle lies among bytes of no known format");
        TUT_TRY(run_and_end(e, true, err));
    }
}

tut_status tut_pstream_search(tut_exam *x, tut_error *err)
{
    examination *e = tut_alloc_array(1, sizeof *e);
    if (!e)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    e->x = x;
    e->in = tut_pinput_of(x->stream, x->size);
    tut_status status = search_from_start(e, err);
    tut_free(e);
    return status;
}

tut_status tut_pstream_examine(tut_exam *x, tut_error *err)
{
    examination *e = tut_alloc_array(1, sizeof *e);
    if (!e)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    e->x = x;
    e->in = tut_pinput_of(x->stream, x->size);
    tut_status status = read_all(e, err);
    if (tut_is_ok(status)) {
        const char *why = NULL;
        tut_code failure = tut_stream_failure(x->stream, &why);
        if (failure != TUT_OK)
            status = tut_fail(err, failure, "%s", why ? why : tut_code_sentence(failure));
    }
    tell_facts(e);
    if (tut_is_ok(status) && e->broken != TUT_OK)
        status = tut_fail_at(err, e->broken, e->broken_at, "%s", e->why);
    if (tut_is_ok(status) && e->is_forgetful)
        status = tut_fail(err, TUT_LIMIT,
                          "more values at once than are kept: some calls may be "
                          "reported without what they were given");
    tut_plegacy_done(&e->legacy);
    tut_free(e);
    return status;
}
