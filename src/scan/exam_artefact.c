/*
 * One artefact: recognise it by content, let its format read it, and do the same for what lies
 * inside it, as deep as the budget allows. Members are examined while their container is, so frames
 * nest as deep as TUT_LIMIT_DEPTH.
 */
#include <string.h>

#include "formats/payload.h"
#include "formats/pickle_stream.h"
#include "scan/exam_keep.h"
#include "scan/exam_text.h"

enum { TAIL_BYTES = 512, MEMBER_NAME_MAX = 256 };

typedef struct edges {
    uint8_t head[TUT_FRAME_HEAD_BYTES], tail[TAIL_BYTES];
    tut_sniff sniff; /* over both */
} edges;

static tut_status read_edges(tut_artefact *a, uint8_t *head, uint8_t *tail, tut_sniff *s,
                             tut_error *err)
{
    if (a->source) {
        size_t got = 0;
        TUT_TRY(tut_source_read_some(a->source, 0, head, TUT_FRAME_HEAD_BYTES, &got, err));
        s->head = tut_span_of(head, got);
        uint64_t at = a->source->size > TAIL_BYTES ? a->source->size - TAIL_BYTES : 0;
        TUT_TRY(tut_source_read_some(a->source, at, tail, TAIL_BYTES, &got, err));
        s->tail = tut_span_of(tail, got);
        s->size = a->source->size;
        return TUT_SUCCESS;
    }
    TUT_TRY(tut_stream_peek_some(a->stream, TUT_FRAME_HEAD_BYTES, &s->head));
    s->size = a->size;
    return TUT_SUCCESS;
}

static void check_name(tut_frame *f)
{
    bool is_severe;
    if (tut_name_fits(f->name, f->format, &is_severe))
        return;
    TUT_CLEAN(tut_buf) raw = TUT_BUF_INIT;
    tut_buf_add_z(&raw, "the content is ");
    tut_buf_add_z(&raw, f->format->label);
    tut_buf_add_z(&raw, is_severe ? ", which can run code when it is loaded; the name is "
                                  : "; the name is ");
    tut_buf_add_str(&raw, f->name);
    int severity = is_severe ? (int)TUT_SEVERITY_HIGH : -1;
    if (tut_name_overstates(f->name, f->format))
        severity = TUT_SEVERITY_LOW;
    tut_frame_line(f, "file.extension-mismatch", severity, tut_buf_str(&raw));
}

typedef tut_status (*examine_fn)(tut_exam *x, tut_error *err);

static tut_status call_examiner(tut_frame *f, const tut_artefact *a, examine_fn examiner,
                                tut_error *err)
{
    TUT_AUTO(tut_stream) opened = NULL;
    if (a->source)
        TUT_TRY(tut_stream_open_source(a->source, &opened));
    f->source = a->source;
    tut_exam x = {
        .stream = a->source ? opened : a->stream,
        .source = a->source,
        .size = a->source ? a->source->size : a->size,
        .name = f->name,
        .budget = &f->run->budget,
        .content = f->run->request->content,
        .is_member = f->outer != NULL,
        .ops = &tut_frame_ops,
        .ctx = f,
    };
    tut_status status = examiner(&x, err);
    f->source = NULL;
    return status;
}

static tut_status examine_format(tut_frame *f, const tut_artefact *a, tut_error *err)
{
    if (!f->format->examine)
        return TUT_SUCCESS;
    if (!a->source && f->format->needs_source)
        return tut_fail(err, TUT_LIMIT, "too large to be unpacked into memory or $TMPDIR");
    return call_examiner(f, a, f->format->examine, err);
}

static tut_status hand_up(tut_status status, const tut_error *why, tut_error *err)
{
    if (!tut_is_ok(status) && err)
        *err = *why;
    return status;
}

/* A program beside a model in one archive has no business there; alone it is none of ours. */
static void note_program(tut_frame *f, tut_span head)
{
    const char *kind = f->outer ? tut_payload_program(head) : NULL;
    if (!kind || f->run->program_kind)
        return;
    f->run->program_kind = kind;
    tut_str_copy(f->run->program, sizeof(f->run->program), f->location);
}

void tut_frame_tell_program(tut_exam_run *run, tut_frame *f)
{
    if (!run->program_kind || !run->report->has_model)
        return;
    tut_frame member = {.run = run, .location = tut_str_of(run->program), .name = f->name};
    TUT_CLEAN(tut_buf) line = TUT_BUF_INIT;
    tut_buf_printf(&line, "%s lies beside the model", run->program_kind);
    tut_frame_line(&member, "data.hidden-payload", -1, tut_buf_str(&line));
}

/* Of no known format. What is named like a model is loaded as one all the same, so it is searched
 * for what a loader would run; inside an archive it is said that it could not be read. */
static tut_status search_unknown(tut_frame *f, tut_artefact *a, tut_error *err)
{
    if ((!tut_name_is_model(f->name) && !tut_name_is_opaque(f->name)) || a->size == 0)
        return TUT_SUCCESS;
    TUT_TRY(call_examiner(f, a, tut_pstream_search, err));
    if (f->outer && !tut_name_is_common(f->name)) {
        tut_frame_spoil(f, TUT_SCAN_INCOMPLETE, "not recognised");
        tut_frame_line(f, "file.not-recognised", -1,
                       TUT_LIT("the content is of no format that is read here"));
    }
    return TUT_SUCCESS;
}

static tut_status examine_unknown(tut_frame *f, tut_artefact *a, const tut_sniff *sniff,
                                  tut_error *why)
{
    note_program(f, sniff->head);
    return tut_frame_conclude(f, search_unknown(f, a, why), why);
}

static tut_status examine_known(tut_frame *f, tut_artefact *a, const tut_sniff *sniff,
                                tut_error *why)
{
    if (f->format->kind == TUT_KIND_MODEL)
        f->run->report->has_model = true;
    check_name(f);
    *why = (tut_error){0};
    TUT_TRY(tut_frame_conclude(f, examine_format(f, a, why), why));
    *why = (tut_error){0};
    return tut_frame_look_twice(f, a, sniff->head, why);
}

/* Recognises it by its first bytes; where it has a source, by its last ones as well. */
static tut_status recognise(tut_frame *f, tut_artefact *a, edges *e, tut_error *err)
{
    e->sniff = (tut_sniff){.name = f->name, .path = f->location};
    TUT_TRY(read_edges(a, e->head, e->tail, &e->sniff, err));
    f->format = tut_format_detect(&e->sniff, NULL);
    return TUT_SUCCESS;
}

static tut_status examine_bytes(tut_frame *f, tut_artefact *a, tut_error *err)
{
    edges e;
    tut_error why = {0};
    tut_frame_show(f, a);
    tut_status status = tut_frame_conclude(f, recognise(f, a, &e, &why), &why);
    tut_frame_text text = {0};
    if (tut_is_ok(status))
        status = tut_frame_conclude(f, tut_frame_text_begin(&text, f, &e.sniff, a, &why), &why);
    if (tut_is_ok(status))
        status = f->format ? examine_known(f, a, &e.sniff, &why)
                           : examine_unknown(f, a, &e.sniff, &why);
    tut_error text_why = {0};
    tut_status ended = tut_frame_text_end(&text, &text_why);
    if (tut_is_ok(status) && !tut_is_ok(ended)) {
        why = text_why;
        status = tut_frame_conclude(f, ended, &why);
    }
    return hand_up(status, &why, err);
}

/* --- bytes of their own --- */

bool tut_frame_lies_in(const tut_source *slice, const tut_source *bytes)
{
    return slice && bytes && slice->fd == bytes->fd && slice->data == bytes->data;
}

void tut_frame_weights_init(tut_exam_run *run, tut_weights *w)
{
    tut_weights_init(w);
    w->say = tut_frame_said_of_weights;
    w->fact = tut_frame_fact_of_weights;
    w->ctx = run;
}

tut_status tut_frame_hits(tut_exam_run *run, tut_weights *w, const tut_source *bytes,
                          tut_error *err)
{
    for (size_t i = 0; i < w->hit_count; i++) {
        const tut_weights_hit *hit = &w->hits[i];
        tut_frame outer = {.run = run,
                           .location = tut_str_of(hit->location),
                           .bytes = bytes,
                           .weights = w,
                           .worst_seen = -1};
        tut_source range;
        if (tut_is_ok(tut_source_slice(bytes, hit->begin, hit->end - hit->begin, &range)))
            TUT_TRY(tut_frame_member(&outer, TUT_LIT("[tensor]"), &range, NULL, range.size, err));
    }
    return TUT_SUCCESS;
}

/* What was unpacked: its tensors are read while it is there. */
static tut_status examine_own(tut_frame *f, tut_artefact *a, tut_error *err)
{
    tut_weights own;
    tut_frame inner = *f;
    tut_frame_weights_init(f->run, &own);
    inner.bytes = a->source;
    inner.weights = &own;
    if (f->storage.len > 0) {
        own.types = f->outer->weights;
        tut_frame_note(f->run,
                       tut_weights_add_member(&own, f->outer->location, f->storage, 0, a->size));
    }
    tut_status status = examine_bytes(&inner, a, err);
    tut_error why = {0};
    if (own.count > 0 && tut_is_ok(status))
        status = tut_frame_conclude(f, tut_weights_pass(&own, a->source, NULL, &why), &why);
    if (own.hit_count > 0 && tut_is_ok(status))
        status = tut_frame_hits(f->run, &own, a->source, &why);
    f->format = inner.format;
    tut_weights_done(&own);
    return hand_up(status, &why, err);
}

/* Whether somebody wants to jump about in what a decoder hands out. */
static bool is_worth_keeping(tut_frame *f, tut_artefact *a)
{
    edges e;
    if (a->is_kept)
        return false;
    if (tut_frame_has_rules(f) || f->storage.len > 0)
        return true;
    if (!tut_is_ok(recognise(f, a, &e, NULL)) || !f->format)
        return false;
    const tut_exam_request *request = f->run->request;
    return f->format->needs_source ||
           (f->format->tensors != TUT_TENSORS_NONE && request->content && !request->facts_only);
}

static tut_status examine_kept(tut_frame *f, tut_artefact *a, tut_error *err)
{
    tut_kept kept;
    TUT_AUTO(tut_stream) again = NULL;
    tut_artefact shown = {.size = a->size, .is_kept = true};
    tut_status status = tut_kept_fill(&kept, a->stream, f->run->task, &f->run->budget, NULL);
    if (tut_is_ok(status)) {
        shown.source = &kept.source;
        shown.size = kept.size;
    } else {
        status = tut_kept_replay(&kept, a->stream, &again, err);
        shown.stream = again;
    }
    if (tut_is_ok(status))
        status = tut_frame_examine(f, &shown, err);
    tut_kept_done(&kept);
    if (shown.stream && f->format && f->format->tensors != TUT_TENSORS_NONE &&
        f->run->request->content && !f->run->request->facts_only) {
        static const char why[] =
            "too large to be unpacked into memory or $TMPDIR: its numbers were not tested";
        tut_frame_spoil(f, TUT_SCAN_INCOMPLETE, why);
        tut_frame_line(f, "file.limit", -1, tut_str_of(why));
    }
    return status;
}

tut_status tut_frame_examine(tut_frame *f, tut_artefact *a, tut_error *err)
{
    if (a->stream && is_worth_keeping(f, a))
        return examine_kept(f, a, err);
    if (a->source && !tut_frame_lies_in(a->source, f->bytes))
        return examine_own(f, a, err);
    return examine_bytes(f, a, err);
}

tut_str tut_frame_last_component(tut_str path)
{
    const char *slash = path.len ? memrchr(path.data, '/', path.len) : NULL;
    if (!slash)
        return path;
    return (tut_str){slash + 1, path.len - (size_t)(slash + 1 - path.data)};
}

static bool is_torch(const tut_frame *f)
{
    const tut_exam_request *request = f->run->request;
    return request->content && !request->facts_only && f->weights && f->format &&
           strcmp(f->format->name, "torch-zip") == 0;
}

/* In PyTorch's archives the bytes of tensors are members of their own. */
static tut_status note_storage(tut_frame *outer, tut_str name, const tut_source *source)
{
    if (!is_torch(outer) || !tut_frame_lies_in(source, outer->bytes))
        return TUT_SUCCESS;
    uint64_t begin = source->start - outer->bytes->start;
    return tut_weights_add_member(outer->weights, outer->location, name, begin,
                                  begin + source->size);
}

tut_status tut_frame_member(void *ctx, tut_str name, const tut_source *source, tut_stream *stream,
                            uint64_t size_or_max, tut_error *err)
{
    tut_frame *outer = ctx;
    tut_exam_run *run = outer->run;
    size_t at;
    TUT_CLEAN(tut_buf) location = TUT_BUF_INIT;
    tut_buf_add_str(&location, outer->location);
    tut_buf_add_z(&location, "!/");
    tut_buf_add_escaped(&location, name, MEMBER_NAME_MAX);
    TUT_TRY(tut_buf_check(&location, err));
    tut_frame f = {.run = run,
                   .outer = outer,
                   .location = tut_buf_str(&location),
                   .name = tut_frame_last_component(name),
                   .bytes = outer->bytes,
                   .weights = outer->weights,
                   .worst_seen = -1};
    TUT_TRY(note_storage(outer, name, source));
    if (stream && is_torch(outer) && tut_str_find(name, TUT_LIT("/data/"), &at))
        f.storage = name;
    if (run->budget.depth_left == 0) {
        tut_frame_spoil(&f, TUT_SCAN_INCOMPLETE, "nested too deeply to be examined");
        tut_frame_line(&f, "file.limit", -1, TUT_LIT("nested too deeply to be examined"));
        return TUT_SUCCESS;
    }
    run->budget.depth_left--;
    tut_artefact a = {.source = source, .stream = stream, .size = size_or_max};
    tut_status status = tut_frame_examine(&f, &a, err);
    run->budget.depth_left++;
    return status;
}
