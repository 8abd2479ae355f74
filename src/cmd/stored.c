#include "cmd/stored.h"

#include <stdio.h>

#include "base/fs.h"

void tut_stored_done(tut_stored *s)
{
    tut_system_free(s->system);
    tut_free(s->dir);
    tut_free(s->state);
    *s = (tut_stored){0};
}

void tut_stored_progress(void *ctx, uint64_t bytes)
{
    tut_stored *s = ctx;
    s->done_bytes += bytes;
    tut_progress_step(&s->progress, s->label, s->done_bytes, 0);
}

static tut_status find_state(const tut_args *args, tut_stored *s, tut_error *err)
{
    s->state = args->state ? tut_strdup(args->state) : tut_fs_join(s->dir, ".tutela");
    if (!s->state)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    if (tut_fs_is_dir(s->state))
        return TUT_SUCCESS;
    tut_error_set_path(err, s->dir);
    return tut_fail(err, TUT_USAGE, "neither tutela.yaml nor .tutela is here");
}

static tut_status load(const tut_args *args, tut_stored *s, tut_error *err)
{
    TUT_CLEAN(tut_buf) shown = TUT_BUF_INIT;
    tut_status status = tut_system_load(args->system ? args->system : s->dir, &s->system, &shown,
                                        err);
    if (!tut_is_ok(status) && shown.len && err) {
        fwrite(shown.data, 1, shown.len, stderr);
        err->is_told = true;
    }
    return status;
}

tut_status tut_stored_open(const tut_args *args, bool needs_system, tut_stored *ret, tut_error *err)
{
    TUT_CLEAN(tut_stored) s = {0};
    tut_tool_digests tool;
    TUT_TRY(tut_cmd_locate(args, NULL, &s.dir, &s.state, err));
    if (s.state) {
        TUT_TRY(load(args, &s, err));
    } else if (needs_system) {
        tut_error_set_path(err, s.dir);
        return tut_fail(err, TUT_USAGE,
                        "no tutela.yaml is here, and outside a described system there is no store; "
                        "tutela init writes one, tutela restore tutela.yaml brings back the one "
                        "that was recorded last");
    } else {
        TUT_TRY(find_state(args, &s, err));
    }
    TUT_TRY(tut_tool_get_digests(&tool, err));
    s.who = (tut_record){.type = TUT_RECORD_EVENT,
                         .at = tut_time_now(),
                         .actor = "tool",
                         .statement = "",
                         .tool_binary = tool.binary,
                         .tool_catalogue = tool.catalogue,
                         .tool_rules = tool.rules};
    *ret = s;
    s = (tut_stored){0};
    return TUT_SUCCESS;
}

static bool is_path(const tut_asset *a, tut_str word)
{
    tut_str path = a->path;
    while (path.len > 1 && path.data[path.len - 1] == '/')
        path.len--;
    while (word.len > 1 && word.data[word.len - 1] == '/')
        word.len--;
    return path.len > 0 && tut_str_eq(path, word);
}

tut_status tut_stored_asset(const tut_stored *s, const char *word, const tut_asset **ret_asset,
                            tut_error *err)
{
    const char *ids[256];
    size_t count = 0;
    for (size_t i = 0; i < s->system->asset_count; i++) {
        const tut_asset *a = &s->system->assets[i];
        if (strcmp(a->id, word) == 0 || is_path(a, tut_str_of(word))) {
            *ret_asset = a;
            return TUT_SUCCESS;
        }
        if (count < 256)
            ids[count++] = a->id;
    }
    const char *near = tut_str_nearest(tut_str_of(word), ids, count);
    return tut_fail(err, TUT_USAGE, "no asset \"%s\" is declared%s%s%s", word,
                    near ? "; did you mean " : "; tutela inventory lists them", near ? near : "",
                    near ? "?" : "");
}
