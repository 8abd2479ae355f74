#include "store/census.h"

#include "assets/match.h"

void tut_census_done(tut_census *c)
{
    tut_free(c->owner);
    tut_found_free(c->found);
    tut_scan_free(c->scan);
    *c = (tut_census){0};
}

bool tut_census_counts(const tut_census *c, size_t file)
{
    return !tut_match_is_detached(&c->found->files[file]);
}

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
    const char *root = system->dir;
    tut_scan_options scan = {.facts_only = true,
                             .all_kinds = true,
                             .every_file = true,
                             .sandbox = options->sandbox,
                             .progress = options->progress,
                             .progress_ctx = options->progress_ctx};
    TUT_TRY(tut_scan_run(&root, 1, &scan, &c.scan, err));
    TUT_TRY(tut_scan_found(c.scan, &c.found, err));
    TUT_TRY(assign(system, &c, err));
    *ret_census = c;
    c = (tut_census){0};
    return TUT_SUCCESS;
}
