#include "detect/detect_internal.h"

static const char *const role_names[TUT_DETECT_COUNT] = {"user", "system", "tool", "document",
                                                         "assistant"};
static const char *const action_names[TUT_ACTION_COUNT] = {"allow", "flag", "redact", "hold",
                                                           "block"};

const char *tut_detect_role_name(tut_detect_role role)
{
    return role_names[role];
}

const char *tut_detect_action_name(tut_detect_action action)
{
    return action_names[action];
}

bool tut_detect_role_of(tut_str name, tut_detect_role *ret_role)
{
    static const struct other {
        const char *name;
        tut_detect_role role;
    } others[] = {{"developer", TUT_DETECT_SYSTEM}, {"function", TUT_DETECT_TOOL}};
    for (size_t i = 0; i < TUT_DETECT_COUNT; i++)
        if (tut_str_eq_z(name, role_names[i])) {
            *ret_role = (tut_detect_role)i;
            return true;
        }
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        if (tut_str_eq_z(name, others[i].name)) {
            *ret_role = others[i].role;
            return true;
        }
    return false;
}

void tut_detector_free(tut_detector *d)
{
    if (!d)
        return;
    for (int h = 0; h < TUT_HEAD_COUNT; h++)
        tut_bag_done(&d->bags[h]);
    tut_plain_done(&d->plain);
    tut_tokens_done(&d->tokens);
    tut_segments_done(&d->segments);
    tut_hidden_done(&d->hidden);
    tut_free(d);
}

tut_status tut_detector_new(const tut_model *model, tut_detector **ret_detector, tut_error *err)
{
    TUT_AUTO(tut_detector) d = tut_alloc_array(1, sizeof(*d));
    if (!d)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    d->model = model;
    for (int h = 0; h < TUT_HEAD_COUNT; h++)
        TUT_TRY(tut_bag_init(&d->bags[h], &tut_head_shapes[h], model->heads[h].table, err));
    *ret_detector = tut_move(&d);
    return TUT_SUCCESS;
}

void tut_detector_use(tut_detector *d, tut_detect_cache *cache)
{
    d->cache = cache;
}

/* --- a text, step by step --- */
/* What is looked at next: the text itself, then what was decoded from it. */
static tut_status look_at(tut_detector *d, tut_str text, tut_error *err)
{
    d->looked = text;
    d->phase = TUT_PHASE_PLAIN;
    return tut_plain_begin(&d->plain, text, err);
}

tut_status tut_detect_begin(tut_detector *d, tut_detect_role role, tut_str text, tut_error *err)
{
    d->role = role;
    d->from = role == TUT_DETECT_USER ? TUT_FROM_USER : TUT_FROM_DATA;
    d->piece = d->length = 0;
    d->best = (tut_best){0};
    d->verdict = (tut_detect_verdict){0};
    d->verdict.is_scored = role != TUT_DETECT_SYSTEM && role != TUT_DETECT_ASSISTANT;
    tut_hidden_begin(&d->hidden);
    d->text = text;
    d->is_known = d->cache && tut_detect_cache_find(d->cache, role, text, &d->tag, &d->verdict);
    if (!d->is_known)
        return look_at(d, text, err);
    d->phase = TUT_PHASE_DONE;
    return TUT_SUCCESS;
}

static tut_status end_plain(tut_detector *d, tut_error *err)
{
    (void)err;
    if (d->verdict.is_scored) {
        tut_tokens_begin(&d->tokens, &d->model->lexicon, tut_buf_str(&d->plain.text));
        d->phase = TUT_PHASE_TOKENS;
        return TUT_SUCCESS;
    }
    tut_verdict_say(&d->verdict, "not-scored", 0, "%s text is not scored",
                    tut_detect_role_name(d->role));
    tut_verdict_mention(&d->verdict, &d->plain);
    d->phase = TUT_PHASE_DONE;
    return TUT_SUCCESS;
}

static void end_scores(tut_detector *d)
{
    const tut_hidden_piece *p = d->piece ? &d->hidden.items[d->piece - 1] : NULL;
    tut_verdict_take(d);
    if (!p) {
        tut_verdict_mention(&d->verdict, &d->plain);
        d->best.is_invisible = d->from == TUT_FROM_DATA && d->best.is_any &&
                               tut_hidden_is_invisible(d->text, d->best.at);
    }
    tut_hidden_seek(&d->hidden, &d->plain, d->looked, &d->tokens, &d->model->lexicon,
                    p ? p->depth : 0, p ? p->at : 0);
    d->phase = TUT_PHASE_HIDDEN;
}

static tut_status next_piece(tut_detector *d, tut_error *err)
{
    if (d->piece < d->hidden.count) /* which looking adds to */
        return look_at(d, tut_buf_str(&d->hidden.items[d->piece++].text), err);
    tut_verdict_end(d);
    d->phase = TUT_PHASE_DONE;
    return TUT_SUCCESS;
}

static tut_status check_bags(const tut_detector *d, tut_error *err)
{
    for (int h = 0; h < TUT_HEAD_COUNT; h++)
        if (d->bags[h].is_out_of_memory)
            return tut_fail(err, TUT_NOMEM, "memory ran out");
    return TUT_SUCCESS;
}

tut_status tut_detect_step(tut_detector *d, size_t max_bytes, bool *ret_is_done, tut_error *err)
{
    bool is_done = false;
    switch (d->phase) {
    case TUT_PHASE_PLAIN:
        TUT_TRY(tut_plain_step(&d->plain, max_bytes, &is_done, err));
        if (is_done)
            TUT_TRY(end_plain(d, err));
        break;
    case TUT_PHASE_TOKENS:
        TUT_TRY(tut_tokens_step(&d->tokens, max_bytes, &is_done, err));
        if (is_done) {
            tut_margin_begin(d);
            d->phase = d->from == TUT_FROM_USER ? TUT_PHASE_SCORES : TUT_PHASE_SEGMENTS;
        }
        break;
    case TUT_PHASE_SEGMENTS:
        TUT_TRY(tut_segments_step(&d->segments, &d->tokens, max_bytes / 4 + 1, &is_done, err));
        d->phase = is_done ? TUT_PHASE_SCORES : TUT_PHASE_SEGMENTS;
        break;
    case TUT_PHASE_SCORES:
        is_done = d->from == TUT_FROM_USER ? tut_margin_step_user(d, max_bytes)
                                           : tut_margin_step_data(d, max_bytes);
        TUT_TRY(check_bags(d, err));
        if (is_done)
            end_scores(d);
        break;
    case TUT_PHASE_HIDDEN:
        TUT_TRY(tut_hidden_step(&d->hidden, max_bytes, &is_done, err));
        if (is_done)
            TUT_TRY(next_piece(d, err));
        break;
    case TUT_PHASE_DONE:
        break;
    }
    *ret_is_done = d->phase == TUT_PHASE_DONE;
    return TUT_SUCCESS;
}

tut_status tut_detect_end(tut_detector *d, tut_detect_verdict *ret_verdict, tut_error *err)
{
    if (d->phase != TUT_PHASE_DONE)
        return tut_fail(err, TUT_BUG, "a text's verdict was asked for before it was looked at");
    if (d->cache && !d->is_known)
        tut_detect_cache_put(d->cache, &d->tag, &d->verdict);
    *ret_verdict = d->verdict;
    return TUT_SUCCESS;
}

tut_status tut_detect(tut_detector *d, tut_detect_role role, tut_str text,
                      tut_detect_verdict *ret_verdict, tut_error *err)
{
    bool is_done = false;
    TUT_TRY(tut_detect_begin(d, role, text, err));
    while (!is_done)
        TUT_TRY(tut_detect_step(d, SIZE_MAX, &is_done, err));
    return tut_detect_end(d, ret_verdict, err);
}
