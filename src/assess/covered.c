#include "assess/covered.h"

#include <stdlib.h>

#include "assess/evaluate_internal.h"

void tut_covered_list_done(tut_covered_list *l)
{
    tut_free(l->items);
    *l = (tut_covered_list){.items = NULL};
}

static bool is_described(const tut_system *system, const tut_subject *s)
{
    if (strcmp(s->name, TUT_SUBJECT_SYSTEM) == 0)
        return tut_sha256_eq(&s->digest, &system->digest);
    const tut_asset *a = tut_system_asset(system, tut_str_of(s->name));
    return a && a->has_digest && tut_sha256_eq(&s->digest, &a->digest);
}

static int by_subject(const void *a, const void *b)
{
    const tut_record *x = *(const tut_record *const *)a;
    const tut_record *y = *(const tut_record *const *)b;
    int order = strcmp(x->subjects[0].name, y->subjects[0].name);
    if (order == 0)
        order = strcmp(x->check, y->check);
    return order ? order : (x->index < y->index) - (x->index > y->index);
}

static int by_index(const void *a, const void *b)
{
    const tut_record *x = *(const tut_record *const *)a;
    const tut_record *y = *(const tut_record *const *)b;
    return (x->index > y->index) - (x->index < y->index);
}

static bool is_of_one(const tut_record *a, const tut_record *b)
{
    return strcmp(a->subjects[0].name, b->subjects[0].name) == 0 && strcmp(a->check, b->check) == 0;
}

static void keep_newest(tut_covered_list *l)
{
    size_t kept = 0;
    if (l->count == 0)
        return;
    qsort(l->items, l->count, sizeof(const tut_record *), by_subject);
    for (size_t i = 0; i < l->count; i++)
        if (kept == 0 || !is_of_one(l->items[i], l->items[kept - 1]))
            l->items[kept++] = l->items[i];
    l->count = kept;
    qsort(l->items, l->count, sizeof(const tut_record *), by_index);
}

tut_status tut_covered_in_force(const tut_want *want, const tut_records *records,
                                const tut_system *system, tut_time at, tut_covered_list *ret,
                                tut_error *err)
{
    for (size_t i = 0; i < records->count; i++) {
        const tut_record *r = &records->items[i];
        /* Such evidence is about one thing each. */
        if (!tut_want_covers(want, r) || r->subject_count != 1 || at >= r->expires ||
            !is_described(system, &r->subjects[0]))
            continue;
        if (!tut_is_ok(tut_grow(&ret->items, ret->count, &ret->capacity, sizeof(*ret->items))))
            return tut_fail(err, TUT_NOMEM, "memory ran out");
        ret->items[ret->count++] = r;
    }
    keep_newest(ret);
    return TUT_SUCCESS;
}

const tut_record *tut_covered_newest(const tut_want *want, const tut_records *records)
{
    for (size_t i = records->count; i > 0; i--)
        if (tut_want_covers(want, &records->items[i - 1]))
            return &records->items[i - 1];
    return NULL;
}
