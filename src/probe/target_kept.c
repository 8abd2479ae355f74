/* Asking with a journal: what an earlier run was answered is not asked again. */
#include <string.h>

#include "base/json_write.h"
#include "probe/target_internal.h"

/* --- what is kept: {"p":[...]} of rows, {"b":"answer","s":status} of texts; {"r":1}: refused ---
 */
tut_status tut_target_settled(const tut_target *t, const tut_predictions *p, size_t i,
                              tut_error *err)
{
    TUT_CLEAN(tut_buf) b = TUT_BUF_INIT;
    TUT_AUTO(tut_json) j = NULL;
    bool is_answer = p->answered[i] == TUT_ANSWERED;
    if (!t->keys || (!is_answer && p->answered[i] != TUT_REFUSED) || (is_answer && !p->values))
        return TUT_SUCCESS; /* labels wait until it is known how many there are */
    TUT_TRY(tut_json_new(&b, &j));
    tut_json_object(j);
    if (is_answer) {
        tut_json_key(j, "p");
        tut_json_array(j);
        for (size_t k = 0; k < p->classes; k++)
            tut_json_real(j, p->values[i * p->classes + k]);
        tut_json_end_array(j);
    } else {
        tut_json_put_int(j, "r", 1);
    }
    tut_json_end_object(j);
    TUT_TRY(tut_json_finish(j, err));
    return tut_journal_add(t->journal, &t->keys[i], tut_buf_str(&b), err);
}

tut_status tut_target_heard(const tut_target *t, const tut_said *said, size_t i, tut_error *err)
{
    TUT_CLEAN(tut_buf) b = TUT_BUF_INIT;
    TUT_AUTO(tut_json) j = NULL;
    bool is_kept = said->answered == TUT_ANSWERED || said->answered == TUT_REFUSED;
    if (!t->keys || !is_kept || !tut_utf8_valid(tut_buf_str(&said->body)))
        return TUT_SUCCESS;
    TUT_TRY(tut_json_new(&b, &j));
    tut_json_object(j);
    tut_json_put_str(j, "b", tut_buf_str(&said->body));
    tut_json_put_int(j, "s", said->status);
    tut_json_put_u64(j, "ms", said->ms);
    tut_json_end_object(j);
    TUT_TRY(tut_json_finish(j, err));
    return tut_journal_add(t->journal, &t->keys[i], tut_buf_str(&b), err);
}

static tut_status take(const tut_target *t, const tut_sha256 *key, tut_json_doc **ret_doc,
                       tut_error *err)
{
    TUT_CLEAN(tut_buf) b = TUT_BUF_INIT;
    bool is_found = false;
    TUT_TRY(tut_journal_take(t->journal, key, &b, &is_found, err));
    if (!is_found)
        return TUT_SUCCESS;
    return tut_json_parse(tut_buf_span(&b), NULL, ret_doc, err);
}

/* --- rows --- */
static tut_status row_key(const float *row, size_t width, tut_sha256 *ret, tut_error *err)
{
    return tut_sha256_of(tut_span_of(row, width * sizeof(*row)), ret, err);
}

static tut_status answer_row(tut_target *t, tut_predictions *p, size_t i, const tut_json_doc *doc,
                             tut_error *err)
{
    const tut_json_value *values = tut_json_get(tut_json_root(doc), "p");
    uint32_t classes = tut_json_count(values);
    tut_allowance_spend_many(t->allowance, 1);
    t->allowance->from_journal++;
    if (!values) {
        p->answered[i] = TUT_REFUSED;
        t->allowance->refused++;
        return TUT_SUCCESS;
    }
    if (classes == 0 || !tut_target_fix_classes(t, p, classes))
        return tut_fail(err, TUT_STORE, "the journal does not fit the target: %s", p->problem);
    for (uint32_t k = 0; k < classes; k++)
        p->values[i * classes + k] = tut_json_real_of(tut_json_item(values, k));
    p->answered[i] = TUT_ANSWERED;
    return TUT_SUCCESS;
}

typedef struct open_rows { /* those that the journal does not answer */
    size_t *at;
    float *rows;
    tut_sha256 *keys;
    size_t count;
} open_rows;

static void open_rows_done(open_rows *o)
{
    tut_free(o->at);
    tut_free(o->rows);
    tut_free(o->keys);
}

static tut_status from_journal(tut_target *t, const float *rows, size_t count, size_t width,
                               tut_predictions *ret, open_rows *o, tut_error *err)
{
    o->at = tut_alloc_array(count + 1, sizeof(*o->at));
    o->keys = tut_alloc_array(count + 1, sizeof(*o->keys));
    o->rows = tut_alloc_array(count * width + 1, sizeof(*o->rows));
    if (!o->at || !o->keys || !o->rows)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (size_t i = 0; i < count; i++) {
        TUT_AUTO(tut_json_doc) doc = NULL;
        tut_sha256 *key = &o->keys[o->count];
        TUT_TRY(row_key(rows + i * width, width, key, err));
        TUT_TRY(take(t, key, &doc, err));
        if (doc) {
            TUT_TRY(answer_row(t, ret, i, doc, err));
            continue;
        }
        memcpy(o->rows + o->count * width, rows + i * width, width * sizeof(*rows));
        o->at[o->count++] = i;
    }
    return TUT_SUCCESS;
}

static tut_status scatter(tut_target *t, const open_rows *o, const tut_predictions *part,
                          tut_predictions *ret, tut_error *err)
{
    tut_target_note(ret, "%s", part->problem);
    if (part->values && !tut_target_fix_classes(t, ret, part->classes))
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (size_t i = 0; i < o->count; i++) {
        ret->answered[o->at[i]] = part->answered[i];
        if (part->answered[i] == TUT_ANSWERED && ret->values && part->values)
            memcpy(ret->values + o->at[i] * ret->classes, part->values + i * ret->classes,
                   ret->classes * sizeof(*ret->values));
    }
    return TUT_SUCCESS;
}

static tut_status predict_open(tut_target *t, const open_rows *o, size_t width, uint64_t first,
                               tut_predictions *ret, tut_error *err)
{
    TUT_CLEAN(tut_predictions) part = {.count = o->count};
    part.answered = tut_alloc_array(o->count + 1, sizeof(*part.answered));
    if (!part.answered)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    memset(part.answered, TUT_UNASKED, o->count);
    if (t->facts.classes && !tut_target_fix_classes(t, &part, t->facts.classes))
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    t->keys = o->keys;
    tut_status s = t->driver->predict(t, o->rows, o->count, width, first, &part, err);
    t->keys = NULL;
    tut_status scattered = scatter(t, o, &part, ret, tut_is_ok(s) ? err : NULL);
    return tut_is_ok(s) ? scattered : s;
}

tut_status tut_target_predict_kept(tut_target *t, const float *rows, size_t count, size_t width,
                                   uint64_t first, tut_predictions *ret, tut_error *err)
{
    open_rows o = {.count = 0};
    tut_status s = from_journal(t, rows, count, width, ret, &o, err);
    if (tut_is_ok(s) && o.count > 0)
        s = predict_open(t, &o, width, first, ret, err);
    open_rows_done(&o);
    return s;
}

/* --- texts --- */
static tut_status text_key(const tut_asked *a, tut_sha256 *ret, tut_error *err)
{
    TUT_CLEAN(tut_buf) b = TUT_BUF_INIT;
    tut_buf_add_sized(&b, a->messages);
    tut_buf_add_sized(&b, a->tools);
    tut_buf_add_u32le(&b, a->max_tokens);
    tut_buf_add_byte(&b, (uint8_t)((a->wants_logprobs ? 1 : 0) | (a->wants_echo ? 2 : 0)));
    tut_buf_add_u64le(&b, a->seed);
    TUT_TRY(tut_buf_check(&b, err));
    return tut_sha256_of(tut_buf_span(&b), ret, err);
}

static tut_status answer_text(tut_target *t, const tut_asked *asked, const tut_json_doc *doc,
                              tut_said *ret, tut_error *err)
{
    const tut_json_value *v = tut_json_root(doc);
    tut_str body = tut_json_get_text(v, "b");
    ret->status = (int)tut_json_get_int(v, "s", 0);
    TUT_TRY(t->driver->hear(t, asked, tut_span_of(body.data, body.len), ret, err));
    ret->ms = (uint32_t)tut_json_get_int(v, "ms", 0);
    tut_allowance_spend(t->allowance, ret->tokens_in, ret->tokens_out);
    t->allowance->from_journal++;
    t->allowance->refused += ret->answered == TUT_REFUSED;
    return TUT_SUCCESS;
}

typedef struct open_texts {
    size_t *at, count;
    tut_asked *asked;
    tut_said *said;
    tut_sha256 *keys;
} open_texts;

static void open_texts_done(open_texts *o)
{
    for (size_t i = 0; o->said && i < o->count; i++)
        tut_said_done(&o->said[i]);
    tut_free(o->at);
    tut_free(o->asked);
    tut_free(o->said);
    tut_free(o->keys);
}

static tut_status texts_from_journal(tut_target *t, const tut_asked *asked, size_t count,
                                     tut_said *ret, open_texts *o, tut_error *err)
{
    o->at = tut_alloc_array(count + 1, sizeof(*o->at));
    o->asked = tut_alloc_array(count + 1, sizeof(*o->asked));
    o->said = tut_alloc_array(count + 1, sizeof(*o->said));
    o->keys = tut_alloc_array(count + 1, sizeof(*o->keys));
    if (!o->at || !o->asked || !o->said || !o->keys)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (size_t i = 0; i < count; i++) {
        TUT_AUTO(tut_json_doc) doc = NULL;
        TUT_TRY(text_key(&asked[i], &o->keys[o->count], err));
        TUT_TRY(take(t, &o->keys[o->count], &doc, err));
        if (doc) {
            TUT_TRY(answer_text(t, &asked[i], doc, &ret[i], err));
            continue;
        }
        o->asked[o->count] = asked[i];
        o->said[o->count].answered = TUT_UNASKED;
        o->at[o->count++] = i;
    }
    return TUT_SUCCESS;
}

tut_status tut_target_ask_kept(tut_target *t, const tut_asked *asked, size_t count,
                               tut_said *ret_said, tut_error *err)
{
    open_texts o = {.count = 0};
    tut_status s = texts_from_journal(t, asked, count, ret_said, &o, err);
    if (tut_is_ok(s) && o.count > 0) {
        t->keys = o.keys;
        s = t->driver->ask(t, o.asked, o.count, o.said, err);
        t->keys = NULL;
        for (size_t i = 0; i < o.count; i++) {
            ret_said[o.at[i]] = o.said[i];
            o.said[i] = (tut_said){.status = 0};
        }
    }
    open_texts_done(&o);
    return s;
}
