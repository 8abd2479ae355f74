#include "cmd/survey.h"

#include <stdio.h>

#include "assess/assessment.h"
#include "base/alloc.h"
#include "base/fs.h"

void tut_survey_free(tut_survey *s)
{
    if (!s)
        return;
    tut_inventory_free(s->inventory);
    tut_found_free(s->found);
    tut_scan_free(s->scan);
    tut_system_free(s->system);
    tut_free(s->place);
    tut_free(s->shown);
    tut_free(s->shown_dir);
    tut_free(s->dir);
    tut_free(s->state);
    tut_free(s->file);
    tut_free(s);
}

static void step(void *ctx, size_t done, size_t total, uint64_t bytes)
{
    (void)bytes;
    tut_progress_step(ctx, "reading", done, total);
}

static tut_status load_system(tut_survey *s, tut_error *err)
{
    TUT_CLEAN(tut_buf) shown = TUT_BUF_INIT;
    tut_status status = tut_system_load(s->file, &s->system, &shown, err);
    if (!tut_is_ok(status) && shown.len && err) {
        /* The excerpt says all that the line would. */
        fwrite(shown.data, 1, shown.len, stderr);
        err->is_told = true;
    }
    return status;
}

static char *escape(const char *path)
{
    TUT_CLEAN(tut_buf) shown = TUT_BUF_INIT;
    tut_buf_add_escaped(&shown, tut_str_of(path ? path : ""), (size_t)-1);
    return tut_buf_steal(&shown);
}

/* As it is printed: quoted for the shell, and nothing raw for the terminal. */
static char *name_place(const tut_args *args, const char *dir)
{
    TUT_CLEAN(tut_buf) words = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) shown = TUT_BUF_INIT;
    if (args->system)
        tut_buf_add_z(&words, "--system ");
    tut_command_word(&words, args->system ? args->system : dir);
    if (args->state) {
        tut_buf_add_z(&words, " --state ");
        tut_command_word(&words, args->state);
    }
    tut_buf_add_escaped(&shown, tut_buf_str(&words), (size_t)-1);
    return tut_buf_steal(&shown);
}

tut_status tut_survey_run(const tut_args *args, tut_survey **ret_survey, tut_error *err)
{
    TUT_AUTO(tut_survey) s = tut_alloc_array(1, sizeof(*s));
    if (!s)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    const char *dir = args->positional_count ? args->positional[0] : NULL;
    TUT_TRY(tut_cmd_locate(args, dir, &s->dir, &s->state, err));
    s->file = args->system ? tut_strdup(args->system) : tut_fs_join(s->dir, "tutela.yaml");
    s->place = name_place(args, s->dir);
    s->shown = escape(s->file);
    s->shown_dir = escape(s->dir);
    if (!s->file || !s->place || !s->shown || !s->shown_dir)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    if (s->state && !args->describes_anew)
        TUT_TRY(load_system(s, err));
    tut_progress progress;
    tut_progress_start(&progress, args->quiet, args->color);
    tut_scan_options options = {.content = true,
                                .facts_only = true,
                                .all_kinds = true,
                                .every_file = true,
                                .sandbox = args->sandbox,
                                .progress = step,
                                .progress_ctx = &progress};
    const char *paths[] = {s->dir};
    tut_status status = tut_scan_run(paths, 1, &options, &s->scan, err);
    tut_progress_end(&progress);
    TUT_TRY(status);
    TUT_TRY(tut_scan_found(s->scan, &s->found, err));
    TUT_TRY(tut_inventory_build(s->system, s->found->files, s->found->count, &s->inventory, err));
    *ret_survey = tut_move(&s);
    return TUT_SUCCESS;
}
