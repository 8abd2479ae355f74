/* Runs: how many levels, which of them are values, and where those are. */
#include "formats/parquet_internal.h"

static const char *const broken_levels = "the levels of a page are broken";

/* How many of the next `most` levels belong to at most `rows` more rows. The place in the levels
 * stays where it is. False: they are broken. */
static bool count_levels(tut_parquet *p, parquet_column *c, size_t rows, size_t most,
                         size_t *ret_levels)
{
    parquet_hybrid ahead = c->reps;
    if (!parquet_hybrid_levels(&ahead, p->reps, most))
        return false;
    size_t i = 0, begun = 0;
    for (; i < most; i++) {
        if (p->reps[i] > c->leaf->max_rep)
            return false;
        begun += p->reps[i] == 0;
        if (begun > rows)
            break;
    }
    *ret_levels = i;
    return parquet_hybrid_levels(&c->reps, p->reps, i);
}

/* Definition levels of n levels, and how many are values. */
static bool take_defs(tut_parquet *p, parquet_column *c, size_t n, tut_parquet_run *run,
                      size_t *ret_values)
{
    const uint8_t max = c->leaf->max_def;
    *ret_values = n;
    if (max == 0 || n == 0 || parquet_hybrid_all(&c->defs, max, n))
        return true;
    if (!parquet_hybrid_levels(&c->defs, p->defs, n))
        return false;
    size_t values = 0;
    uint8_t top = 0;
    for (size_t i = 0; i < n; i++) {
        values += p->defs[i] == max;
        top = p->defs[i] > top ? p->defs[i] : top;
    }
    run->defs = p->defs;
    *ret_values = values;
    return top <= max;
}

static void lose(parquet_column *c, const char *why, tut_parquet_run *run)
{
    c->is_lost = true;
    run->is_lost = true;
    run->trouble = why;
    run->defs = run->reps = NULL;
    run->values = run->items = 0;
}

static tut_status fill(tut_parquet *p, parquet_column *c, size_t rows, tut_parquet_run *run)
{
    const size_t most = c->levels_left < TUT_PARQUET_RUN ? (size_t)c->levels_left : TUT_PARQUET_RUN;
    size_t values = 0;
    const char *trouble = NULL;
    run->levels = rows < most ? rows : most;
    if (c->leaf->max_rep > 0) {
        if (!c->is_lost && !count_levels(p, c, rows, most, &run->levels))
            c->trouble = broken_levels;
        run->reps = p->reps;
        if (c->is_lost || c->trouble) { /* nobody knows how many rows that was */
            c->is_over = true;
            run->levels = (size_t)most;
        }
    }
    if (!c->trouble && !c->is_lost && !take_defs(p, c, run->levels, run, &values))
        c->trouble = broken_levels;
    if (c->trouble || c->is_lost) {
        lose(c, c->trouble, run);
    } else {
        TUT_TRY(parquet_values_take(p, c, values, run, &trouble));
        if (trouble)
            lose(c, trouble, run);
        if (trouble && c->leaf->max_rep > 0)
            c->is_over = true;
    }
    c->trouble = NULL;
    c->levels_left -= run->levels;
    return TUT_SUCCESS;
}

static tut_status failed(tut_status s, tut_error *err)
{
    if (!tut_is_ok(s) && err && err->code != s.code)
        return tut_fail(err, s.code, "reading a Parquet page: %s", tut_code_sentence(s.code));
    return s;
}

tut_status tut_parquet_read(tut_parquet *p, size_t leaf, size_t rows, tut_parquet_run *ret_run,
                            tut_error *err)
{
    parquet_column *c = &p->columns[leaf];
    tut_parquet_run run = {.offset = c->page_at};
    if (c->levels_left == 0 && !c->is_over && !c->trouble)
        TUT_TRY(failed(parquet_page_next(p, c, err), err));
    run.offset = c->page_at;
    if (c->levels_left > 0 && !(c->leaf->max_rep > 0 && c->is_over)) {
        TUT_TRY(failed(fill(p, c, rows, &run), err));
    } else {
        run.trouble = c->trouble;
        c->trouble = NULL;
    }
    *ret_run = run;
    return TUT_SUCCESS;
}

tut_status tut_parquet_weight(tut_parquet *p, size_t leaf, uint64_t *ret_bytes, tut_error *err)
{
    parquet_column *c = &p->columns[leaf];
    if (c->levels_left == 0 && !c->is_over && !c->trouble)
        TUT_TRY(failed(parquet_page_next(p, c, err), err));
    bool has_page = c->page && c->levels > 0;
    *ret_bytes = has_page ? (c->page->len + c->levels - 1) / c->levels : 0;
    return TUT_SUCCESS;
}
