/*
 * Numbers of an answer: tokens that it took, and how exactly a model may be read. Whoever gets all
 * probabilities to the last digit can rebuild training data and tell its members (model inversion,
 * membership inference); rounded, and without the small ones, they say much less.
 */
#include <math.h>
#include <stdlib.h>

#include "guard/answer_internal.h"

/* --- tokens --- */
static void note(const tut_json_value *usage, const char *key, uint64_t *most)
{
    int64_t n = tut_json_get_int(usage, key, 0);
    if (n > 0 && (uint64_t)n > *most)
        *most = (uint64_t)n;
}

void tut_answer_note_usage(tut_guard_answer *a, const tut_json_value *event)
{
    const tut_json_value *places[] = {tut_json_get(event, "usage"),
                                      tut_json_get(tut_json_get(event, "response"), "usage"),
                                      tut_json_get(tut_json_get(event, "message"), "usage")};
    for (size_t i = 0; i < TUT_COUNT(places); i++) {
        note(places[i], "prompt_tokens", &a->tokens_in);
        note(places[i], "input_tokens", &a->tokens_in);
        note(places[i], "completion_tokens", &a->tokens_out);
        note(places[i], "output_tokens", &a->tokens_out);
    }
}

/* --- rounding --- */
static double rounded(double v, uint32_t round_to)
{
    double scale = pow(10, round_to ? round_to - 1 : 0);
    double r = round_to && isfinite(v) ? round(v * scale) / scale : v;
    return isfinite(r) ? r : v;
}

static bool number_of(const tut_json_value *v, double *ret)
{
    if (v->type == TUT_JSON_REAL)
        *ret = v->as.real;
    else if (v->type == TUT_JSON_INT)
        *ret = (double)v->as.integer;
    else if (v->type == TUT_JSON_UINT)
        *ret = (double)v->as.uinteger;
    else
        return false;
    return true;
}

/* All numbers of data, flat or nested; false: it holds something else. */
static bool flatten(const tut_json_value *data, double **items, size_t *count, tut_status *status)
{
    const tut_json_value *stack[TUT_GUARD_WALK_DEPTH] = {data};
    uint32_t at[TUT_GUARD_WALK_DEPTH] = {0};
    size_t depth = 1, capacity = 0;
    while (depth > 0) {
        const tut_json_value *v = tut_json_item(stack[depth - 1], at[depth - 1]++);
        double n;
        if (!v) {
            depth--;
        } else if (v->type == TUT_JSON_ARRAY && depth < TUT_GUARD_WALK_DEPTH) {
            stack[depth] = v;
            at[depth++] = 0;
        } else if (!number_of(v, &n)) {
            return false;
        } else {
            *status = tut_grow(items, *count, &capacity, sizeof(**items));
            if (!tut_is_ok(*status))
                return false;
            (*items)[(*count)++] = n;
        }
    }
    return true;
}

static int greatest_first(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x < y) - (x > y);
}

/* All but the k greatest become 0. */
static tut_status keep_greatest(double *row, size_t width, uint32_t k)
{
    if (k == 0 || width <= k)
        return TUT_SUCCESS;
    double *sorted = tut_alloc_array(width, sizeof(*sorted));
    if (!sorted)
        return tut_fail(NULL, TUT_NOMEM, "memory ran out");
    memcpy(sorted, row, width * sizeof(*sorted));
    qsort(sorted, width, sizeof(*sorted), greatest_first);
    double least = sorted[k - 1];
    size_t kept = 0, above = 0;
    for (size_t i = 0; i < width; i++)
        above += row[i] > least;
    for (size_t i = 0; i < width; i++) {
        bool is_kept = row[i] > least || (row[i] == least && kept < k - above);
        kept += row[i] == least && is_kept;
        row[i] = is_kept ? row[i] : 0;
    }
    tut_free(sorted);
    return TUT_SUCCESS;
}

static tut_status write_rows(const tut_guard_outputs *o, double *items, size_t count, size_t width,
                             tut_buf *out, tut_error *err)
{
    TUT_AUTO(tut_json) j = NULL;
    TUT_TRY(tut_json_new(out, &j));
    for (size_t at = 0; width && at + width <= count; at += width)
        TUT_TRY(keep_greatest(items + at, width, o->top_k));
    tut_json_array(j);
    for (size_t i = 0; i < count; i++)
        tut_json_real(j, rounded(items[i], o->round));
    tut_json_end_array(j);
    return tut_json_finish(j, err);
}

tut_status tut_answer_tensor(tut_guard_answer *a, const tut_json_value *tensor,
                             const tut_json_value *data, bool *ret_is_changed, tut_error *err)
{
    const tut_guard_outputs *o = &a->request->outputs;
    tut_str type = tut_json_get_text(tensor, "datatype");
    const tut_json_value *shape = tut_json_get(tensor, "shape");
    const tut_json_value *last = tut_json_item(shape, tut_json_count(shape) - 1);
    double *items = NULL;
    size_t count = 0;
    tut_status status = TUT_SUCCESS;
    *ret_is_changed = false;
    if ((!o->round && !o->top_k) ||
        !(tut_str_starts(type, TUT_LIT("FP")) || tut_str_starts(type, TUT_LIT("BF"))))
        return TUT_SUCCESS;
    if (flatten(data, &items, &count, &status)) {
        size_t width = last && last->type == TUT_JSON_INT && last->as.integer > 0
                           ? (size_t)last->as.integer
                           : count;
        tut_buf_clear(&a->piece);
        status = write_rows(o, items, count, width, &a->piece, err);
        *ret_is_changed = tut_is_ok(status);
    } else if (tut_is_ok(status)) {
        tut_guard_refuse(&a->decision, 502, "outputs", TUT_LIT("outputs"),
                         "a tensor of numbers holds something else");
    }
    tut_free(items);
    return status;
}

/* --- probabilities of tokens --- */
typedef struct rounding {
    const tut_guard_outputs *outputs;
    tut_buf text;
} rounding;

static tut_status round_numbers(void *ctx, const tut_guard_way *way, tut_str text,
                                tut_guard_fate *ret_fate, tut_str *ret_text, tut_error *err);

/* The first of a list. */
static tut_status first_of(rounding *r, const tut_json_value *list, tut_str *ret_text,
                           tut_error *err)
{
    rounding inner = {.outputs = r->outputs};
    TUT_AUTO(tut_json) j = NULL;
    tut_buf_clear(&r->text);
    TUT_TRY(tut_json_new(&r->text, &j));
    tut_json_array(j);
    tut_status status = TUT_SUCCESS;
    for (uint32_t i = 0; i < r->outputs->top_k && i < list->count && tut_is_ok(status); i++)
        status = tut_guard_walk_numbers(&list->as.items[i], round_numbers, &inner, j, err);
    tut_buf_done(&inner.text);
    TUT_TRY(status);
    tut_json_end_array(j);
    TUT_TRY(tut_json_finish(j, err));
    *ret_text = tut_buf_str(&r->text);
    return TUT_SUCCESS;
}

static tut_status round_numbers(void *ctx, const tut_guard_way *way, tut_str text,
                                tut_guard_fate *ret_fate, tut_str *ret_text, tut_error *err)
{
    rounding *r = ctx;
    double n;
    (void)text;
    if (way->is_key)
        return TUT_SUCCESS;
    if (number_of(way->value, &n) && r->outputs->round) {
        tut_buf_clear(&r->text);
        TUT_AUTO(tut_json) j = NULL;
        TUT_TRY(tut_json_new(&r->text, &j));
        tut_json_real(j, rounded(n, r->outputs->round));
        TUT_TRY(tut_json_finish(j, err));
        *ret_fate = TUT_GUARD_RAW;
        *ret_text = tut_buf_str(&r->text);
        return TUT_SUCCESS;
    }
    tut_str key = tut_guard_way_key(way, way->depth ? way->depth - 1 : 0);
    if (r->outputs->top_k && tut_str_eq_z(key, "top_logprobs") &&
        tut_json_count(way->value) > r->outputs->top_k && way->value->type == TUT_JSON_ARRAY) {
        *ret_fate = TUT_GUARD_RAW;
        return first_of(r, way->value, ret_text, err);
    }
    return TUT_SUCCESS;
}

tut_status tut_answer_logprobs(tut_guard_answer *a, const tut_json_value *value,
                               bool *ret_is_changed, tut_error *err)
{
    rounding r = {.outputs = &a->request->outputs};
    *ret_is_changed = false;
    if (!r.outputs->round && !r.outputs->top_k)
        return TUT_SUCCESS;
    TUT_AUTO(tut_json) j = NULL;
    tut_buf_clear(&a->piece);
    TUT_TRY(tut_json_new(&a->piece, &j));
    tut_status status = tut_guard_walk_numbers(value, round_numbers, &r, j, err);
    tut_buf_done(&r.text);
    TUT_TRY(status);
    TUT_TRY(tut_json_finish(j, err));
    *ret_is_changed = true;
    return TUT_SUCCESS;
}
