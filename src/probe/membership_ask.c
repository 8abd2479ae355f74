/* What attacks on membership work with: the rows in one list, answers, references. */
#include <math.h>
#include <string.h>

#include "nets/trees.h"
#include "probe/membership_internal.h"
#include "probe/target_internal.h"
#include "stats/seeded.h"

enum { BLIND_ROWS_MOST = 20000 };

static tut_status no_memory(tut_error *err)
{
    return tut_fail(err, TUT_NOMEM, "memory ran out");
}

/* --- the rows --- */

static tut_status make_kept(tut_probe *p, size_t count, tut_mia_kept **ret, tut_error *err)
{
    tut_arena *a = &p->arena;
    tut_mia_kept *k = tut_arena_take(a, 1, sizeof(*k));
    if (!k)
        return no_memory(err);
    k->width = p->members->width;
    k->rows = tut_arena_take(a, count, k->width * sizeof(*k->rows));
    k->labels = tut_arena_take(a, count, sizeof(*k->labels));
    k->numbers = tut_arena_take(a, count, sizeof(*k->numbers));
    k->places = tut_arena_take(a, count, sizeof(*k->places));
    k->is_member = tut_arena_take(a, count, 1);
    k->blind_tpr = NAN;
    k->blind_auc = NAN;
    k->agreement = NAN;
    if (!k->rows || !k->labels || !k->numbers || !k->places || !k->is_member)
        return no_memory(err);
    *ret = k;
    return TUT_SUCCESS;
}

static void add_row(tut_mia_kept *k, const tut_sample *s, size_t i, uint64_t place, bool is_member)
{
    memcpy(k->rows + k->count * k->width, s->rows + i * s->width, s->width * sizeof(*s->rows));
    k->labels[k->count] = s->labels[i];
    k->numbers[k->count] = s->numbers ? s->numbers[i] : i;
    k->places[k->count] = place;
    k->is_member[k->count++] = is_member;
    k->members += is_member;
}

/* `most` of them, in their order, drawn with the seed (selection sampling, Knuth 3.4.2 S). */
static void add_rows(tut_mia_kept *k, const tut_probe *p, bool is_member, size_t most)
{
    const tut_sample *s = is_member ? p->members : p->others;
    tut_seeded random = tut_seeded_of(p->seed ^ (is_member ? 1 : 2));
    size_t left = most < s->count ? most : s->count;
    for (size_t i = 0; i < s->count && left > 0; i++) {
        if (tut_seeded_below(&random, s->count - i) >= left)
            continue;
        add_row(k, s, i,
                is_member ? tut_probe_place_of_member(p, i) : tut_probe_place_of_other(p, i),
                is_member);
        left--;
    }
}

static size_t classes_wanted(const tut_probe *p)
{
    size_t classes = p->members->classes;
    return classes > p->others->classes ? classes : p->others->classes;
}

static const char *unfit(tut_probe *p)
{
    const tut_sample *m = p->members, *o = p->others;
    if (!m || !o || m->count == 0 || o->count == 0)
        return "it needs rows that the model was trained on and rows that it was not";
    if (!m->labels || !o->labels)
        return "the rows have no labels";
    if (m->width != o->width)
        return "members and others have different columns";
    return NULL;
}

static tut_status fill_kept(tut_probe *p, tut_mia_kept *k, size_t most, const char **ret_reason,
                            tut_error *err)
{
    const tut_sample *m = p->members, *o = p->others;
    size_t all = m->count + o->count;
    size_t half = (size_t)((double)most * (double)m->count / (double)all);
    size_t members = most >= all ? m->count : half;
    add_rows(k, p, true, members);
    add_rows(k, p, false, most >= all ? o->count : most - members);
    k->left_out = all - k->count;
    if (k->classes < classes_wanted(p) || k->classes < 2)
        *ret_reason = "the labels name more classes than the model answers with";
    k->answers = tut_arena_take(&p->arena, k->count + 1, k->classes * sizeof(*k->answers));
    k->logits = tut_arena_take(&p->arena, k->count + 1, sizeof(*k->logits));
    return k->answers && k->logits ? TUT_SUCCESS : no_memory(err);
}

static tut_status ask_kept(tut_probe *p, tut_mia_kept *k, tut_error *err)
{
    tut_question q = {k->rows, k->places, k->count, k->width, k->classes, "the model's answers"};
    k->problem = NULL;
    k->target = p->target;
    tut_status s = tut_probe_answers(p, &q, k->answers, &k->problem, err);
    k->was_cut = s.code == TUT_CANCELLED || s.code == TUT_IO;
    for (size_t i = 0; i < k->count; i++)
        k->logits[i] = (float)tut_mia_logit(k->answers + i * k->classes, k->classes, k->labels[i]);
    return k->was_cut ? TUT_SUCCESS : s;
}

tut_status tut_mia_gather(tut_probe *p, tut_mia_kept **ret, const char **ret_reason, tut_error *err)
{
    tut_mia_kept *k = NULL;
    *ret = p->kept;
    *ret_reason = p->kept ? NULL : unfit(p);
    if (p->kept || *ret_reason)
        return TUT_SUCCESS;
    size_t all = p->members->count + p->others->count, most = all;
    size_t classes = 0;
    TUT_TRY(tut_probe_classes(p, p->members->rows, p->members->width,
                              tut_probe_place_of_member(p, 0), &classes, err));
    if (p->target->allowance)
        most = (size_t)tut_allowance_left(p->target->allowance, all);
    TUT_TRY(make_kept(p, most + 1, &k, err));
    k->classes = classes;
    TUT_TRY(fill_kept(p, k, most, ret_reason, err));
    if (!*ret_reason)
        *ret = p->kept = k;
    return TUT_SUCCESS;
}

tut_status tut_mia_ask(tut_probe *p, tut_mia_kept *k, tut_error *err)
{
    return k->target == p->target ? TUT_SUCCESS : ask_kept(p, k, err);
}

/* --- references --- */

static tut_status keep_references(tut_probe *p, tut_mia_kept *k, const tut_reference_set *s,
                                  tut_error *err)
{
    size_t cells = s->r.models * s->r.rows;
    float *logits = tut_arena_take(&p->arena, cells + 1, sizeof(*logits));
    uint8_t *inside = tut_arena_take(&p->arena, cells + 1, 1);
    if (!logits || !inside)
        return no_memory(err);
    memcpy(logits, s->logits, cells * sizeof(*logits));
    memcpy(inside, s->inside, cells);
    k->references = (tut_mia_references){s->r.models, s->r.rows, logits, inside};
    k->agreement = s->agreement;
    k->references_about = s->recipe ? s->recipe->about : "recorded";
    k->has_references = true;
    return TUT_SUCCESS;
}

tut_status tut_mia_refer(tut_probe *p, tut_mia_kept *k, const char **ret_reason, tut_error *err)
{
    TUT_CLEAN(tut_reference_set) s = {.recipe = NULL};
    tut_reference_rows rows = {k->rows,   k->count,     k->width,  k->classes,
                               k->labels, k->is_member, k->answers};
    if (k->has_references)
        return TUT_SUCCESS;
    if (p->references) {
        tut_error why = {.code = TUT_OK};
        tut_status got = tut_references_take(p->references, &rows, k->places, &s, &why);
        if (got.code == TUT_USAGE) {
            *ret_reason = tut_arena_copy(&p->arena, tut_str_of(why.text));
            return TUT_SUCCESS;
        }
        if (!tut_is_ok(got))
            return tut_fail(err, got.code, "%s", why.text);
        return keep_references(p, k, &s, err);
    }
    tut_reference_wish wish = {.models = p->models, .seed = p->seed};
    TUT_TRY(tut_references_train(p, &rows, &wish, &s, err));
    return keep_references(p, k, &s, err);
}

/* --- without the model --- */

/* The row and its label, so that what the label gives away is counted as well. */
static void blind_rows(const tut_mia_kept *k, float *rows, uint32_t *half)
{
    for (size_t i = 0; i < k->count; i++) {
        memcpy(rows + i * (k->width + 1), k->rows + i * k->width, k->width * sizeof(*rows));
        rows[i * (k->width + 1) + k->width] = (float)k->labels[i];
        half[i] = k->is_member[i];
    }
}

static tut_status blind_half(const tut_mia_kept *k, const float *rows, const uint32_t *labels,
                             const uint8_t *side, unsigned h, uint64_t seed, double *scores,
                             tut_error *err)
{
    TUT_AUTO(tut_trees) t = NULL;
    TUT_AUTO_FREE uint32_t *pick = tut_alloc_array(k->count + 1, sizeof(*pick));
    if (!pick)
        return no_memory(err);
    tut_trees_rows x = {rows, k->width + 1, 2, labels, NULL, pick, 0};
    tut_trees_wish wish = {.rounds = 30, .depth = 3, .seed = seed};
    for (size_t i = 0; i < k->count && x.picked < BLIND_ROWS_MOST; i++)
        if (side[i] == h)
            pick[x.picked++] = (uint32_t)i;
    if (x.picked == 0)
        return TUT_SUCCESS;
    TUT_TRY(tut_trees_fit(&x, &wish, &t, err));
    for (size_t i = 0; i < k->count; i++) {
        float p[2];
        if (side[i] == h)
            continue;
        tut_trees_predict(t, rows + i * (k->width + 1), 1, p);
        scores[i] = (double)p[1];
    }
    return TUT_SUCCESS;
}

tut_status tut_mia_blind(tut_probe *p, tut_mia_kept *k, tut_error *err)
{
    if (!isnan(k->blind_auc))
        return TUT_SUCCESS;
    TUT_AUTO_FREE float *rows = tut_alloc_array(k->count, (k->width + 1) * sizeof(*rows));
    TUT_AUTO_FREE uint32_t *labels = tut_alloc_array(k->count + 1, sizeof(*labels));
    TUT_AUTO_FREE uint8_t *side = tut_alloc_array(k->count + 1, 1);
    TUT_AUTO_FREE double *scores = tut_alloc_array(k->count + 1, sizeof(*scores));
    if (!rows || !labels || !side || !scores)
        return no_memory(err);
    tut_seeded random = tut_seeded_of(p->seed ^ 3);
    for (size_t i = 0; i < k->count; i++) {
        side[i] = (uint8_t)(tut_seeded_next(&random) >> 63);
        scores[i] = NAN;
    }
    blind_rows(k, rows, labels);
    tut_probe_step(p, "what tells members apart without the model", 0, 2);
    for (unsigned h = 0; h < 2; h++)
        TUT_TRY(blind_half(k, rows, labels, side, h, p->seed + h, scores, err));
    tut_roc roc;
    tut_error none = {.code = TUT_OK};
    tut_status s = tut_mia_roc(scores, k->is_member, k->count, &roc, &none);
    if (s.code == TUT_USAGE) /* too few rows for two halves */
        return TUT_SUCCESS;
    k->blind_auc = roc.auc;
    k->blind_tpr = roc.at[0].tpr;
    return tut_is_ok(s) ? s : tut_fail(err, s.code, "%s", none.text);
}
