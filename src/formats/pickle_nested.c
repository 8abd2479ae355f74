#include "formats/pickle_nested.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/buf.h"
#include "formats/encoded.h"

/* --- recognising --- */

static tut_encoded_form recognise(tut_pmachine *m, tut_str head, uint64_t size)
{
    tut_encoded e;
    tut_encoded_recognise(head, size, &e);
    if (e.is_code)
        tut_pm_observe(m, "pickle.code-object", "%" PRIu64 " bytes are a marshalled code object",
                       size);
    if (e.program)
        tut_pm_observe(
            m, "data.hidden-payload", "%s lies in a %svalue of %" PRIu64 " bytes", e.program,
            e.program_form == TUT_ENCODED_RAW ? "" : tut_encoded_name(e.program_form), size);
    return e.form;
}

/* --- handing on --- */

static tut_status hand_on(tut_pmachine *m, const tut_source *source, tut_encoded_form is,
                          const char *what)
{
    char name[80];
    int len = snprintf(name, sizeof name, "%s%s@%" PRIu64, tut_encoded_name(is), what, m->op_at);
    tut_error err = {0};
    return m->x->ops->member(m->x->ctx, (tut_str){name, (size_t)len}, source, NULL, source->size,
                             &err);
}

static tut_status hand_on_text(tut_pmachine *m, tut_str text, tut_encoded_form is, const char *what)
{
    if (is == TUT_ENCODED_RAW) {
        tut_source source = tut_source_memory(tut_span_of(text.data, text.len));
        return hand_on(m, &source, is, what);
    }
    tut_budget *budget = m->x->budget;
    if (!tut_is_ok(tut_budget_heap(budget, text.len, NULL)))
        return TUT_SUCCESS; /* what calls it is reported in any case */
    TUT_AUTO_FREE uint8_t *decoded = tut_realloc_array(NULL, text.len + 1, 1);
    size_t len = 0;
    tut_status status = decoded ? TUT_SUCCESS : (tut_status){TUT_NOMEM};
    if (decoded && tut_encoded_decode(is, text, decoded, text.len, &len)) {
        tut_source source = tut_source_memory(tut_span_of(decoded, len));
        status = hand_on(m, &source, is, what);
    }
    tut_budget_heap_return(budget, text.len);
    return status;
}

static bool is_wanted(const tut_pmachine *m, uint64_t len)
{
    return m->x && m->x->ops->member && !m->is_candidate && len >= TUT_ENCODED_LEAST;
}

tut_status tut_pnested_look_memory(tut_pmachine *m, tut_str content, const char *what)
{
    if (!is_wanted(m, content.len))
        return TUT_SUCCESS;
    tut_encoded_form is = recognise(m, content, content.len);
    if (is == TUT_ENCODED_NONE)
        return TUT_SUCCESS;
    /* The nested examination may take long: the content must not lie in our own buffers. */
    TUT_AUTO_FREE char *copy = tut_strndup(content.data, content.len);
    if (!copy)
        return (tut_status){TUT_NOMEM};
    return hand_on_text(m, (tut_str){copy, content.len}, is, what);
}

/* All `len` bytes into `out`: from the source when there is one, else by consuming the stream. */
static tut_status read_whole(tut_pmachine *m, uint64_t len, tut_buf *out, bool *ret_is_consumed)
{
    const tut_source *source = m->in->stream ? tut_stream_source(m->in->stream) : NULL;
    if (source) {
        uint8_t *to = tut_buf_extend(out, (size_t)len);
        return to ? tut_source_read(source, tut_pm_pos(m), to, (size_t)len, NULL)
                  : (tut_status){TUT_NOMEM};
    }
    *ret_is_consumed = true;
    while (len > 0) {
        tut_span some = tut_pinput_peek_some(
            m->in, len < TUT_LIMIT_WINDOW_BYTES ? (size_t)len : TUT_LIMIT_WINDOW_BYTES);
        if (some.len == 0)
            return tut_pm_break(m, TUT_TRUNCATED, "the data ends inside %s",
                                tut_popcodes[m->op].name);
        tut_buf_add(out, some.data, some.len);
        len -= some.len;
        if (!tut_pinput_skip(m->in, some.len))
            return tut_pm_break(m, TUT_TRUNCATED, "the data ends inside %s",
                                tut_popcodes[m->op].name);
    }
    return tut_buf_check(out, NULL);
}

static tut_status look_whole(tut_pmachine *m, uint64_t len, tut_encoded_form is, const char *what,
                             bool *ret_is_consumed)
{
    if (len > TUT_LIMIT_MEMBER_BYTES || !tut_is_ok(tut_budget_heap(m->x->budget, len, NULL))) {
        tut_pm_observe(m, "pickle.nested-too-large",
                       "%s hold another artefact of %" PRIu64 " bytes, which was not read", what,
                       len);
        return TUT_SUCCESS;
    }
    TUT_CLEAN(tut_buf) whole;
    tut_buf_init(&whole, TUT_LIMIT_MEMBER_BYTES);
    tut_status status = read_whole(m, len, &whole, ret_is_consumed);
    if (tut_is_ok(status))
        status = hand_on_text(m, tut_buf_str(&whole), is, what);
    tut_budget_heap_return(m->x->budget, len);
    return status;
}

tut_status tut_pnested_look(tut_pmachine *m, tut_pval_type type, uint64_t len,
                            bool *ret_is_consumed)
{
    if (!is_wanted(m, len))
        return TUT_SUCCESS;
    const char *what = type == TUT_PVAL_BYTES ? "bytes" : "string";
    tut_span head = tut_pinput_peek_some(m->in,
                                         len < TUT_ENCODED_HEAD ? (size_t)len : TUT_ENCODED_HEAD);
    tut_encoded_form is = recognise(m, tut_str_from(head), len);
    if (is == TUT_ENCODED_NONE)
        return TUT_SUCCESS;
    const tut_source *source = m->in->stream ? tut_stream_source(m->in->stream) : NULL;
    tut_source slice;
    if (is == TUT_ENCODED_RAW && source &&
        tut_is_ok(tut_source_slice(source, tut_pm_pos(m), len, &slice)))
        return hand_on(m, &slice, is, what);
    return look_whole(m, len, is, what, ret_is_consumed);
}
