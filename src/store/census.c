#include "store/census.h"

#include <stdlib.h>

#include "assets/match.h"
#include "base/fs.h"

/* Larger files are neither sources nor prompts; an index or a signature may be larger. */
enum { SMALL_BYTES = 1 << 20 };

void tut_census_done(tut_census *c)
{
    tut_free(c->owner);
    tut_found_free(c->found);
    tut_scan_free(c->scan);
    tut_arena_done(&c->arena);
    *c = (tut_census){0};
}

bool tut_census_counts(const tut_census *c, size_t file)
{
    return !tut_match_is_detached(&c->found->files[file]);
}

/* --- which files there are --- */

typedef struct seen {
    const char *rel; /* in the census's arena */
    uint64_t size;
    char *path; /* to be read; NULL: not */
} seen;

typedef struct walk {
    const tut_system *system;
    tut_census *c;
    seen *files;
    size_t count, capacity, to_read;
} walk;

static void walk_done(walk *w)
{
    for (size_t i = 0; i < w->count; i++)
        tut_free(w->files[i].path);
    tut_free(w->files);
}

static bool is_worth_reading(const char *rel, uint64_t size)
{
    static const char *const endings[] = {".json", ".sig", ".sha256"};
    for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++)
        if (tut_str_ends(tut_str_of(rel), tut_str_of(endings[i])))
            return true;
    return size <= SMALL_BYTES;
}

static tut_status see(void *ctx, const tut_walk_entry *entry, tut_error *err)
{
    walk *w = ctx;
    if (entry->kind == TUT_WALK_LIMIT)
        return tut_fail(err, TUT_LIMIT, "%s", entry->problem ? entry->problem : "too many files");
    if (entry->kind != TUT_WALK_FILE)
        return TUT_SUCCESS;
    TUT_TRY(tut_grow(&w->files, w->count, &w->capacity, sizeof(*w->files)));
    seen *f = &w->files[w->count++];
    *f = (seen){.rel = tut_arena_copy(&w->c->arena, tut_str_of(entry->rel)), .size = entry->size};
    bool is_read = is_worth_reading(entry->rel, entry->size);
    if (is_read)
        f->path = tut_fs_join(w->system->dir, entry->rel);
    w->to_read += is_read;
    return f->rel && (!is_read || f->path) ? TUT_SUCCESS
                                           : tut_fail(err, TUT_NOMEM, "memory ran out");
}

/* --- what they are --- */

static tut_status scan(walk *w, const tut_census_options *options, tut_error *err)
{
    size_t count = 0;
    size_t prefix = 0;
    TUT_AUTO_FREE const char **paths = tut_alloc_array(w->to_read + 1, sizeof(*paths));
    tut_scan_options o = {.facts_only = true,
                          .all_kinds = true,
                          .every_file = true,
                          .sandbox = options->sandbox,
                          .progress = options->progress,
                          .progress_ctx = options->progress_ctx};
    if (!paths)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (size_t i = 0; i < w->count; i++) {
        if (!w->files[i].path)
            continue;
        prefix = strlen(w->files[i].path) - strlen(w->files[i].rel);
        paths[count++] = w->files[i].path;
    }
    TUT_TRY(tut_scan_run(paths, count, &o, &w->c->scan, err));
    for (size_t i = 0; i < w->c->scan->count; i++) {
        tut_file_report *r = &w->c->scan->files[i];
        char *rel = tut_strdup(r->path + prefix); /* below the system, not the file's name alone */
        if (!rel)
            return tut_fail(err, TUT_NOMEM, "memory ran out");
        tut_free(r->rel);
        r->rel = rel;
    }
    return TUT_SUCCESS;
}

static int by_rel(const void *a, const void *b)
{
    return strcmp(((const tut_found_file *)a)->rel, ((const tut_found_file *)b)->rel);
}

static tut_status join(walk *w, tut_error *err)
{
    tut_found *found;
    TUT_TRY(tut_scan_found(w->c->scan, &found, err));
    w->c->found = found;
    tut_found_file *all = tut_realloc_array(found->files, w->count + found->count + 1,
                                            sizeof(*found->files));
    if (!all)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    found->files = all;
    for (size_t i = 0; i < w->count; i++)
        if (!w->files[i].path)
            all[found->count++] = (tut_found_file){.rel = w->files[i].rel,
                                                   .size = w->files[i].size};
    if (found->count > 1)
        qsort(all, found->count, sizeof(*all), by_rel);
    return TUT_SUCCESS;
}

/* --- whose they are --- */

static tut_status assign(const tut_system *system, tut_census *c, tut_error *err)
{
    size_t count = c->found->count;
    const tut_found_file *files = c->found->files;
    TUT_AUTO_FREE size_t *code_dirs = tut_alloc_array(count + 1, sizeof(*code_dirs));
    TUT_AUTO_FREE size_t *leader = tut_alloc_array(count + 1, sizeof(*leader));
    c->owner = tut_alloc_array(count + 1, sizeof(*c->owner));
    if (!code_dirs || !leader || !c->owner)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    tut_match_code_dirs(files, count, code_dirs);
    tut_match_groups(files, count, code_dirs, leader);
    for (size_t i = 0; i < count; i++) {
        c->owner[i] = tut_match_declared(system, files[i].rel);
        if (!c->owner[i] && tut_census_counts(c, i))
            c->owner[i] = tut_match_declared(system, files[leader[i]].rel);
    }
    return TUT_SUCCESS;
}

tut_status tut_census_take(const tut_system *system, const tut_census_options *options,
                           tut_census *ret_census, tut_error *err)
{
    TUT_CLEAN(tut_census) c = {0};
    TUT_CLEAN(walk) w = {.system = system, .c = &c};
    tut_arena_init(&c.arena, 0);
    TUT_TRY(tut_walk(system->dir, see, &w, err));
    TUT_TRY(scan(&w, options, err));
    TUT_TRY(join(&w, err));
    TUT_TRY(assign(system, &c, err));
    *ret_census = c;
    c = (tut_census){0};
    return TUT_SUCCESS;
}
