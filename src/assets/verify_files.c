/* What is there against what was signed. Names first, then bytes: a file that is missing is known
 * before anything is hashed. */
#include <stdarg.h>
#include <stdlib.h>

#include "assets/sign_internal.h"

enum { MISMATCHES_TOLD = 10 }; /* in reasons; all that are kept stand in the list */

typedef struct group { /* the resources of one file: one, or its shards in order */
    tut_str name;
    size_t first, count; /* in order[] */
    tut_manifest_file *file;
} group;

typedef struct comparison {
    const tut_oms_statement *s;
    const tut_verify_options *options;
    tut_verify_result *result;
    tut_manifest *m;
    const tut_oms_resource **order; /* by name and place */
    group *groups;                  /* one a file, by name */
    size_t group_count;
    bool *only_met; /* names of --only that the signature covers */
    tut_error *err;
} comparison;

static tut_status nomem(tut_error *err)
{
    return tut_fail(err, TUT_NOMEM, "memory ran out");
}

/* --- results --- */

TUT_PRINTF(6, 0)
static tut_status add_text(tut_verify_result *r, const char ***list, size_t *count,
                           size_t *capacity, tut_error *err, const char *fmt, va_list ap)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    tut_buf_vprintf(&text, fmt, ap);
    TUT_TRY(tut_buf_check(&text, err));
    char *copy = tut_arena_copy(&r->arena, tut_buf_str(&text));
    if (!copy)
        return nomem(err);
    TUT_TRY(tut_grow(list, *count, capacity, sizeof(**list)));
    (*list)[(*count)++] = copy;
    return TUT_SUCCESS;
}

tut_status tut_verify_reason(tut_verify_result *r, tut_error *err, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    tut_status status = add_text(r, &r->reasons, &r->reason_count, &r->reason_capacity, err, fmt,
                                 ap);
    va_end(ap);
    return status;
}

tut_status tut_verify_remark(tut_verify_result *r, tut_error *err, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    tut_status status = add_text(r, &r->remarks, &r->remark_count, &r->remark_capacity, err, fmt,
                                 ap);
    va_end(ap);
    return status;
}

static tut_status mismatch(comparison *c, tut_mismatch_kind kind, tut_str name,
                           const char *expected, const char *found)
{
    tut_verify_result *r = c->result;
    r->mismatch_total++;
    if (r->mismatch_count == TUT_MISMATCHES_MAX)
        return TUT_SUCCESS;
    tut_mismatch item = {.kind = kind};
    item.name = tut_arena_copy(&r->arena, name);
    item.expected = expected ? tut_arena_copy(&r->arena, tut_str_of(expected)) : NULL;
    item.found = found ? tut_arena_copy(&r->arena, tut_str_of(found)) : NULL;
    if (!item.name || (expected && !item.expected) || (found && !item.found))
        return nomem(c->err);
    TUT_TRY(
        tut_grow(&r->mismatches, r->mismatch_count, &r->mismatch_capacity, sizeof(*r->mismatches)));
    r->mismatches[r->mismatch_count++] = item;
    return TUT_SUCCESS;
}

static tut_status tell(comparison *c)
{
    tut_verify_result *r = c->result;
    for (size_t i = 0; i < r->mismatch_count && i < MISMATCHES_TOLD; i++) {
        const tut_mismatch *m = &r->mismatches[i];
        switch (m->kind) {
        case TUT_MISMATCH_MISSING:
            TUT_TRY(tut_verify_reason(r, c->err, "%s is missing%s%s", m->name,
                                      m->found ? ": it " : "", m->found ? m->found : ""));
            break;
        case TUT_MISMATCH_EXTRA:
            TUT_TRY(tut_verify_reason(r, c->err, "%s is extra: it %s", m->name,
                                      m->found ? m->found : "is not among the signed files"));
            break;
        case TUT_MISMATCH_CHANGED:
            TUT_TRY(tut_verify_reason(r, c->err, "%s is changed: expected %s, found %s", m->name,
                                      m->expected, m->found));
            break;
        }
    }
    if (r->mismatch_total > MISMATCHES_TOLD)
        TUT_TRY(tut_verify_reason(r, c->err, "%zu files differ in all", r->mismatch_total));
    return TUT_SUCCESS;
}

/* --- what is to be compared --- */

/* Whether a name is asked for; every name of --only that covers it is marked when it is signed. */
static bool is_asked(const comparison *c, tut_str name, bool is_signed)
{
    bool is_covered = c->options->only_count == 0;
    for (size_t i = 0; i < c->options->only_count; i++) {
        if (!tut_manifest_covers(tut_str_of(c->options->only[i]), name))
            continue;
        is_covered = true;
        c->only_met[i] = c->only_met[i] || is_signed;
    }
    return is_covered;
}

static int by_place(const void *a, const void *b)
{
    const tut_oms_resource *x = *(const tut_oms_resource *const *)a;
    const tut_oms_resource *y = *(const tut_oms_resource *const *)b;
    int order = tut_str_cmp(x->name, y->name);
    return order ? order : x->start < y->start ? -1 : x->start > y->start;
}

static tut_status group_resources(comparison *c)
{
    const tut_oms_statement *s = c->s;
    c->order = tut_alloc_array(s->count, sizeof(*c->order));
    c->groups = tut_alloc_array(s->count, sizeof(*c->groups));
    c->only_met = tut_alloc_array(c->options->only_count + 1, sizeof(*c->only_met));
    if (!c->order || !c->groups || !c->only_met)
        return nomem(c->err);
    for (size_t i = 0; i < s->count; i++)
        c->order[i] = &s->resources[i];
    qsort(c->order, s->count, sizeof(*c->order), by_place);
    for (size_t i = 0; i < s->count; i++) {
        group *last = c->group_count > 0 ? &c->groups[c->group_count - 1] : NULL;
        if (last && tut_str_eq(last->name, c->order[i]->name)) {
            last->count++;
            continue;
        }
        c->groups[c->group_count++] = (group){.name = c->order[i]->name, .first = i, .count = 1};
    }
    return TUT_SUCCESS;
}

static int name_to_group(const void *name, const void *g)
{
    return tut_str_cmp(*(const tut_str *)name, ((const group *)g)->name);
}

static bool lists_below(const comparison *c, const char *path)
{
    for (size_t i = 0; i < c->group_count; i++)
        if (tut_manifest_covers(tut_str_of(path), c->groups[i].name))
            return true;
    return false;
}

static tut_status list_there(comparison *c, const char *path, const char *signature)
{
    const tut_oms_statement *s = c->s;
    TUT_CLEAN(tut_arena) arena = {0};
    size_t most = s->ignore_count + TUT_SIGN_EXCLUDED + 1;
    TUT_AUTO_FREE const char **ignore = tut_alloc_array(most, sizeof(*ignore));
    TUT_AUTO_FREE char *below = signature ? tut_name_below(path, signature) : NULL;
    size_t count = 0;
    if (!ignore)
        return nomem(c->err);
    for (size_t i = 0; i < s->ignore_count; i++) {
        ignore[count] = tut_arena_copy(&arena, s->ignore[i]);
        if (!ignore[count++])
            return nomem(c->err);
    }
    /* A signer may have left nothing out, and then what OMS leaves out was signed. */
    for (size_t i = 0; i < TUT_SIGN_EXCLUDED; i++)
        if (!lists_below(c, tut_sign_excluded[i]))
            ignore[count++] = tut_sign_excluded[i];
    if (below)
        ignore[count++] = below;
    tut_manifest_options options = {
        .allow_symlinks = s->allow_symlinks, .ignore = ignore, .ignore_count = count};
    return tut_manifest_list(path, &options, &c->m, c->err);
}

/* --- names --- */

static const char *odd_text(const tut_manifest *m, tut_str name)
{
    for (size_t i = 0; i < m->odd_count; i++)
        if (tut_str_eq(m->odd[i].name, name))
            return tut_odd_text(m->odd[i].kind);
    return NULL;
}

static tut_status match_groups(comparison *c)
{
    for (size_t i = 0; i < c->m->count; i++)
        c->m->files[i].is_wanted = false;
    for (size_t i = 0; i < c->group_count; i++) {
        group *g = &c->groups[i];
        /* The reference calls the only file of a model "."; from a single file nothing is seen of
         * the others that a signature of its directory lists. */
        bool is_dot = c->m->is_single && tut_str_eq_z(g->name, ".");
        tut_str name = is_dot ? c->m->files[0].name : g->name;
        if (!is_asked(c, name, true))
            continue;
        g->file = tut_manifest_find(c->m, name);
        if (g->file)
            g->file->is_wanted = true;
        else if (!c->m->is_single || c->group_count == 1)
            TUT_TRY(mismatch(c, TUT_MISMATCH_MISSING, g->name, NULL, odd_text(c->m, g->name)));
    }
    return TUT_SUCCESS;
}

static tut_status find_extra(comparison *c)
{
    for (size_t i = 0; i < c->m->count; i++) {
        const tut_manifest_file *f = &c->m->files[i];
        bool is_fault = c->m->is_single || !c->options->ignore_unsigned;
        bool is_empty = c->s->method == TUT_OMS_SHARDS && f->stamp.size == 0; /* never listed */
        if (is_fault && !f->is_wanted && !is_empty && is_asked(c, f->name, false))
            TUT_TRY(mismatch(c, TUT_MISMATCH_EXTRA, f->name, NULL, NULL));
    }
    for (size_t i = 0; i < c->m->odd_count; i++) {
        tut_str name = c->m->odd[i].name;
        bool is_signed = bsearch(&name, c->groups, c->group_count, sizeof(*c->groups),
                                 name_to_group);
        if (!c->options->ignore_unsigned && !is_signed && is_asked(c, name, false))
            TUT_TRY(mismatch(c, TUT_MISMATCH_EXTRA, name, NULL, tut_odd_text(c->m->odd[i].kind)));
    }
    for (size_t i = 0; i < c->options->only_count; i++)
        if (!c->only_met[i])
            TUT_TRY(mismatch(c, TUT_MISMATCH_MISSING, tut_str_of(c->options->only[i]), NULL,
                             "is not among the signed files"));
    return TUT_SUCCESS;
}

/* --- bytes --- */

static tut_status compare_digest(comparison *c, const tut_oms_resource *r, const tut_hash *found,
                                 bool is_shard)
{
    char expected_hex[TUT_HASH_HEX_MAX];
    char found_hex[TUT_HASH_HEX_MAX];
    if (tut_hash_eq(c->s->hash, &r->digest, found))
        return TUT_SUCCESS;
    tut_hash_hex(c->s->hash, &r->digest, expected_hex);
    tut_hash_hex(c->s->hash, found, found_hex);
    if (!is_shard)
        return mismatch(c, TUT_MISMATCH_CHANGED, r->name, expected_hex, found_hex);
    TUT_CLEAN(tut_buf) name = TUT_BUF_INIT;
    tut_buf_printf(&name, "%.*s:%llu:%llu", (int)r->name.len, r->name.data,
                   (unsigned long long)r->start, (unsigned long long)r->end);
    TUT_TRY(tut_buf_check(&name, c->err));
    return mismatch(c, TUT_MISMATCH_CHANGED, tut_buf_str(&name), expected_hex, found_hex);
}

static tut_status compare_files(comparison *c, const char *path, const tut_hash_options *options)
{
    tut_hash_kind kind = c->s->hash;
    TUT_AUTO_FREE char *cache = c->options->use_cache ? tut_cache_file(path, kind) : NULL;
    tut_cache_apply(cache, kind, c->m);
    tut_clock_ns started = tut_clock_now();
    TUT_TRY(tut_manifest_hash(c->m, options, c->err));
    if (c->options->only_count == 0 && !c->m->is_single)
        tut_cache_keep(cache, kind, c->m, started);
    for (size_t i = 0; i < c->group_count; i++) {
        const group *g = &c->groups[i];
        if (!g->file)
            continue;
        c->result->checked++;
        c->result->bytes += g->file->stamp.size;
        TUT_TRY(compare_digest(c, c->order[g->first], &g->file->digest, false));
    }
    return TUT_SUCCESS;
}

static tut_status compare_size(comparison *c, const group *g, bool *ret_fits)
{
    uint64_t end = c->order[g->first + g->count - 1]->end;
    *ret_fits = g->file->stamp.size == end;
    if (*ret_fits)
        return TUT_SUCCESS;
    char expected[64];
    char found[64];
    tut_buf b = TUT_BUF_INIT;
    tut_buf_printf(&b, "%llu bytes", (unsigned long long)end);
    tut_str_copy(expected, sizeof(expected), tut_buf_str(&b));
    tut_buf_clear(&b);
    tut_buf_printf(&b, "%llu bytes", (unsigned long long)g->file->stamp.size);
    tut_str_copy(found, sizeof(found), tut_buf_str(&b));
    tut_buf_done(&b);
    return mismatch(c, TUT_MISMATCH_CHANGED, g->name, expected, found);
}

static tut_status compare_shards(comparison *c, const tut_hash_options *options)
{
    TUT_AUTO_FREE tut_hash_range *ranges = tut_alloc_array(c->s->count, sizeof(*ranges));
    TUT_AUTO_FREE size_t *at = tut_alloc_array(c->s->count, sizeof(*at)); /* in order[] */
    size_t count = 0;
    if (!ranges || !at)
        return nomem(c->err);
    for (size_t i = 0; i < c->group_count; i++) {
        const group *g = &c->groups[i];
        bool fits = false;
        if (g->file)
            TUT_TRY(compare_size(c, g, &fits));
        for (size_t k = g->first; fits && k < g->first + g->count; k++) {
            ranges[count] = (tut_hash_range){.file = (size_t)(g->file - c->m->files),
                                             .start = c->order[k]->start,
                                             .end = c->order[k]->end};
            at[count++] = k;
        }
        c->result->checked += g->file != NULL;
        c->result->bytes += fits ? g->file->stamp.size : 0;
    }
    TUT_TRY(tut_manifest_hash_ranges(c->m, ranges, count, options, c->err));
    for (size_t i = 0; i < count; i++)
        TUT_TRY(compare_digest(c, c->order[at[i]], &ranges[i].digest, true));
    return TUT_SUCCESS;
}

/* --- what the caller has read before --- */

static bool is_left_out(const tut_oms_statement *s, tut_str name)
{
    for (size_t i = 0; i < s->ignore_count; i++)
        if (tut_manifest_covers(s->ignore[i], name))
            return true;
    return false;
}

static tut_status check_expected(comparison *c, const tut_hash_options *compared)
{
    const tut_verify_options *o = c->options;
    tut_hash_options again = *compared;
    again.kind = TUT_HASH_SHA256;
    /* The stamps are those of the first reading, so both readings are of the same bytes. */
    bool is_again = c->s->hash != TUT_HASH_SHA256 || c->s->method == TUT_OMS_SHARDS;
    for (size_t i = 0; i < c->m->count && is_again; i++)
        c->m->files[i].is_hashed = false;
    if (o->expected_count > 0 && is_again)
        TUT_TRY(tut_manifest_hash(c->m, &again, c->err));
    for (size_t i = 0; i < o->expected_count; i++) {
        tut_str name = o->expected[i].name;
        const tut_manifest_file *f = c->m->is_single ? &c->m->files[0]
                                                     : tut_manifest_find(c->m, name);
        if (f ? !f->is_wanted : is_left_out(c->s, name))
            continue; /* nothing is said of it, or that it is extra */
        if (f && memcmp(f->digest.bytes, o->expected[i].digest.bytes, TUT_SHA256_BYTES) == 0)
            continue;
        char text[TUT_ERROR_PATH_MAX];
        tut_str_copy(text, sizeof(text), f ? f->name : name);
        tut_error_set_path(c->err, text);
        return tut_fail(c->err, TUT_IO, "changed since it was read a moment ago; try again");
    }
    return TUT_SUCCESS;
}

static tut_status compare(comparison *c, const char *path, const char *signature)
{
    const tut_hash_options options = {.kind = c->s->hash,
                                      .progress = c->options->progress,
                                      .progress_ctx = c->options->progress_ctx};
    TUT_TRY(group_resources(c));
    TUT_TRY(list_there(c, path, signature));
    TUT_TRY(match_groups(c));
    TUT_TRY(find_extra(c));
    if (c->s->method == TUT_OMS_SHARDS)
        TUT_TRY(compare_shards(c, &options));
    else
        TUT_TRY(compare_files(c, path, &options));
    TUT_TRY(check_expected(c, &options));
    c->result->files = c->group_count;
    if (c->result->checked < c->group_count)
        TUT_TRY(tut_verify_remark(c->result, c->err, "%zu of %zu signed files were checked",
                                  c->result->checked, c->group_count));
    return tell(c);
}

tut_status tut_verify_files(const char *path, const tut_oms_statement *s, const char *signature,
                            const tut_verify_options *options, tut_verify_result *result,
                            tut_error *err)
{
    comparison c = {.s = s, .options = options, .result = result, .err = err};
    tut_status status = compare(&c, path, signature);
    tut_manifest_free(c.m);
    tut_free(c.order);
    tut_free(c.groups);
    tut_free(c.only_met);
    return status;
}
