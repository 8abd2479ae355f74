/*
 * Where everything lies in the file. Members take turns without gaps in what writers make; bytes
 * that two members share, and bytes that no member owns, are looked at.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "formats/zip_internal.h"

typedef struct extent {
    uint64_t start, end;
    size_t member;
} extent;

static int by_start(const void *a, const void *b)
{
    const extent *ea = a, *eb = b;
    if (ea->start != eb->start)
        return ea->start < eb->start ? -1 : 1;
    return ea->end < eb->end ? -1 : ea->end > eb->end;
}

static void report_overlap(tut_zip *z, size_t first, size_t second)
{
    tut_zip_member *a = &z->members[first], *b = &z->members[second];
    a->is_shared = b->is_shared = true;
    tut_exam_observe(z->x, "zip.overlap", b->start, "'%.*s' and '%.*s' share bytes of the file",
                     TUT_ZIP_NAME(tut_zip_reading(a)->name),
                     TUT_ZIP_NAME(tut_zip_reading(b)->name));
}

/* --- gaps --- */

typedef struct gap {
    uint64_t from, to;
    const char *rule, *label;
} gap;

static bool is_all_zero(tut_zip *z, uint64_t from, uint64_t to)
{
    while (from < to) {
        size_t want = to - from < TUT_ZIP_SCRATCH ? (size_t)(to - from) : TUT_ZIP_SCRATCH, got = 0;
        if (!tut_is_ok(tut_source_read_some(z->src, from, z->scratch, want, &got, NULL)) || !got)
            return false;
        for (size_t i = 0; i < got; i++) {
            if (z->scratch[i])
                return false;
        }
        from += got;
    }
    return true;
}

static tut_status hand_over(tut_zip *z, uint64_t from, uint64_t to, const char *label,
                            tut_error *err)
{
    tut_source part;
    char name[64];
    if (from >= to)
        return TUT_SUCCESS;
    TUT_TRY(tut_source_slice(z->src, from, to - from, &part));
    int len = snprintf(name, sizeof(name), "[%s at %llu]", label, (unsigned long long)from);
    return z->x->ops->member(z->x->ctx, (tut_str){name, (size_t)len}, &part, NULL, part.size, err);
}

static void report_local_only(tut_zip *z, size_t first)
{
    for (size_t i = first; i < z->count; i++)
        tut_exam_observe(z->x, "zip.local-only-member", z->members[i].start,
                         "'%.*s' is not in the directory, but stream readers see it",
                         TUT_ZIP_NAME(z->members[i].local.name));
}

static tut_status examine_gap(tut_zip *z, const gap *g, tut_error *err)
{
    uint64_t header = 0, end = 0;
    size_t found = 0;
    bool is_middle = strcmp(g->rule, "zip.gap-data") == 0;
    if (!tut_zip_find(z, g->from, g->to, TUT_ZIP_SIG_LOCAL, &header)) {
        if (is_middle && is_all_zero(z, g->from, g->to))
            return TUT_SUCCESS; /* what aligning tools leave */
        tut_exam_observe(z->x, g->rule, g->from, "%llu bytes that belong to no member",
                         (unsigned long long)(g->to - g->from));
        return hand_over(z, g->from, g->to, g->label, err);
    }
    if (header > g->from)
        tut_exam_observe(z->x, g->rule, g->from, "%llu bytes that the directory does not speak of",
                         (unsigned long long)(g->to - g->from));
    TUT_TRY(hand_over(z, g->from, header, g->label, err));
    if (tut_zip_find(z, header, g->to, TUT_ZIP_SIG_END, &end)) {
        tut_exam_observe(z->x, "zip.hidden-archive", header,
                         "another whole archive lies here; some readers open that one");
        return hand_over(z, header, g->to, "archive", err);
    }
    size_t first = z->count;
    TUT_TRY(tut_zip_walk_locals(z, header, g->to, &found, err));
    report_local_only(z, first);
    return TUT_SUCCESS;
}

/* The bytes from `from` to `to`, which lie between two things that have owners. */
static tut_status gap_between(tut_zip *z, uint64_t from, uint64_t to, const char *rule,
                              const char *label, tut_error *err)
{
    if (from >= to)
        return TUT_SUCCESS;
    gap g = {from, to, rule, label};
    return examine_gap(z, &g, err);
}

/* A member that is longer by the directory than by its local header can cover headers that stream
 * readers come across. */
static tut_status find_covered(tut_zip *z, tut_error *err)
{
    size_t listed = z->count;
    for (size_t i = 0; i < listed; i++) {
        const tut_zip_member *m = &z->members[i];
        size_t first = z->count, found = 0;
        if (!m->central.is_present || !m->local.is_present || m->local.is_deferred ||
            m->local.packed >= m->central.packed)
            continue;
        if (!tut_zip_may_scan(z, m->end - m->local.data_at)) {
            tut_zip_problem(z, TUT_LIMIT, "too many members reach over others");
            break;
        }
        TUT_TRY(tut_zip_walk_locals(z, m->local.data_at + m->local.packed, m->end, &found, err));
        report_local_only(z, first);
    }
    return TUT_SUCCESS;
}

/* --- in order --- */

typedef struct layout {
    extent *extents;
    size_t count;
} layout;

static tut_status sort_extents(tut_zip *z, layout *l, tut_error *err)
{
    tut_free(l->extents);
    *l = (layout){0};
    /* Given back at once: what is short-lived only has to fit beside the rest. */
    uint64_t bytes = (uint64_t)z->count * sizeof(extent);
    TUT_TRY(tut_budget_heap(z->x->budget, bytes, err));
    tut_budget_heap_return(z->x->budget, bytes);
    l->extents = tut_alloc_array(z->count ? z->count : 1, sizeof(extent));
    if (!l->extents)
        return tut_fail(err, TUT_NOMEM, "no memory to sort the members");
    for (size_t i = 0; i < z->count; i++) {
        if (z->members[i].local.is_present)
            l->extents[l->count++] = (extent){z->members[i].start, z->members[i].end, i};
    }
    qsort(l->extents, l->count, sizeof(extent), by_start);
    return TUT_SUCCESS;
}

static tut_status walk_extents(tut_zip *z, const layout *l, uint64_t *ret_end, tut_error *err)
{
    uint64_t end = 0;
    size_t last = SIZE_MAX;
    for (size_t i = 0; i < l->count; i++) {
        const extent *e = &l->extents[i];
        if (last != SIZE_MAX && e->start < end)
            report_overlap(z, last, e->member);
        else if (end > 0 || !z->is_program)
            TUT_TRY(gap_between(z, end, e->start, end ? "zip.gap-data" : "zip.prefix-data",
                                end ? "gap" : "prefix", err));
        if (e->end > end || last == SIZE_MAX) {
            end = e->end;
            last = e->member;
        }
    }
    *ret_end = end;
    return TUT_SUCCESS;
}

/* --- other end records --- */

static bool is_inside_member(const layout *l, uint64_t at)
{
    for (size_t i = 0; i < l->count; i++) {
        if (at >= l->extents[i].start && at < l->extents[i].end)
            return true;
    }
    return false;
}

/* The same header and name is already known from the directory that loaders take. */
static bool is_known(const tut_zip *z, const layout *l, const tut_zip_member *m)
{
    size_t low = 0, high = l->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (l->extents[middle].start < m->start)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < l->count && l->extents[low].start == m->start; low++) {
        const tut_zip_member *other = &z->members[l->extents[low].member];
        if (tut_str_eq(other->central.name, m->central.name) &&
            other->central.packed == m->central.packed)
            return true;
    }
    return false;
}

static tut_status read_other(tut_zip *z, tut_zip_end *o, const layout *l, tut_error *err)
{
    size_t first = z->count, kept = first;
    TUT_TRY(tut_zip_read_directory(z, o, false, err));
    TUT_TRY(tut_zip_read_locals(z, first, err));
    for (size_t i = first; i < z->count; i++) {
        if (!is_known(z, l, &z->members[i]))
            z->members[kept++] = z->members[i];
    }
    z->count = kept;
    return TUT_SUCCESS;
}

/* A nested archive's end record lies inside a member and is its own; others compete with ours. */
static tut_status read_others(tut_zip *z, const layout *l, tut_error *err)
{
    const tut_zip_end *e = &z->end;
    for (size_t i = 0; i < z->other_count; i++) {
        tut_zip_end *o = &z->others[i];
        if (!o->has_directory || is_inside_member(l, o->at))
            continue;
        if (o->at < e->at && o->at < e->shift)
            continue; /* an archive before this one, found as prefix */
        tut_exam_observe(z->x, "zip.several-directories", o->at,
                         "the end record at %llu leads to a directory at %llu, the one at %llu to "
                         "%llu",
                         (unsigned long long)o->at, (unsigned long long)o->directory_at,
                         (unsigned long long)e->at, (unsigned long long)e->directory_at);
        if (o->directory_at != e->directory_at || o->shift != e->shift)
            TUT_TRY(read_other(z, o, l, err));
    }
    return TUT_SUCCESS;
}

/* --- around the directory --- */

static tut_status check_ends(tut_zip *z, uint64_t end, tut_error *err)
{
    const tut_zip_end *e = &z->end;
    if (end > e->directory_at)
        tut_exam_observe(z->x, "zip.overlap", e->directory_at,
                         "members reach into the directory at %llu",
                         (unsigned long long)e->directory_at);
    TUT_TRY(gap_between(z, end, e->directory_at, end ? "zip.gap-data" : "zip.prefix-data",
                        end ? "gap" : "prefix", err));
    uint64_t after = e->directory_end > end ? e->directory_end : end;
    TUT_TRY(gap_between(z, after, e->tail_at, "zip.gap-data", "gap", err));
    uint64_t over = e->at + TUT_ZIP_END_BYTES + e->comment_len;
    if (over > z->src->size) {
        tut_exam_observe(z->x, "zip.end-record", e->at, "the archive comment is cut off");
        tut_zip_problem(z, TUT_TRUNCATED, "the archive comment is cut off");
    }
    return gap_between(z, over, z->src->size, "zip.trailing-data", "trailing", err);
}

static tut_status check_all(tut_zip *z, layout *l, tut_error *err)
{
    uint64_t end = 0;
    TUT_TRY(find_covered(z, err));
    TUT_TRY(sort_extents(z, l, err));
    if (z->other_count > 0) {
        size_t before = z->count;
        TUT_TRY(read_others(z, l, err));
        if (z->count != before)
            TUT_TRY(sort_extents(z, l, err));
    }
    TUT_TRY(walk_extents(z, l, &end, err));
    return check_ends(z, end, err);
}

tut_status tut_zip_check_layout(tut_zip *z, tut_error *err)
{
    layout l = {0};
    tut_status s = check_all(z, &l, err);
    tut_free(l.extents);
    return s;
}
