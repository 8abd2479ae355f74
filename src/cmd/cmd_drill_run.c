/* tutela drill run, tutela drill list. */
#include <string.h>
#include <unistd.h>

#include "assess/drill.h"
#include "cmd/command.h"

typedef struct running {
    tut_progress progress;
    uint64_t bytes;
} running;

static void step(void *ctx, uint64_t bytes)
{
    running *r = ctx;
    r->bytes += bytes;
    tut_progress_step(&r->progress, "drill: bytes", r->bytes, 0);
}

static tut_status find(const char *name, const tut_drill **ret_drill, tut_error *err)
{
    const char *names[16];
    size_t count = 0;
    *ret_drill = tut_drill_find(name);
    if (*ret_drill)
        return TUT_SUCCESS;
    for (size_t i = 0; tut_drills[i] && count < 16; i++)
        names[count++] = tut_drills[i]->name;
    const char *near = tut_str_nearest(tut_str_of(name), names, count);
    return tut_fail(err, TUT_USAGE, "no drill is called \"%.80s\"%s%s%s", name,
                    near ? "; did you mean " : "; tutela drill list names them", near ? near : "",
                    near ? "?" : "");
}

static tut_status carry_out(const tut_args *args, const tut_drill *drill, tut_drill_result *r,
                            tut_error *err)
{
    TUT_AUTO_FREE char *dir = NULL;
    TUT_AUTO_FREE char *state = NULL;
    running w = {0};
    TUT_TRY(tut_cmd_locate(args, NULL, &dir, &state, err));
    if (!state) {
        tut_error_set_path(err, dir);
        return tut_fail(err, TUT_USAGE,
                        "no tutela.yaml is here, so there is no system to drill; tutela init "
                        "writes one");
    }
    tut_progress_start(&w.progress, args->quiet, args->color);
    tut_status status = tut_drill_run(drill, args->system ? args->system : dir, state, step, &w, r,
                                      err);
    tut_progress_end(&w.progress);
    return status;
}

static tut_status write_json(const tut_drill *drill, const tut_drill_result *r, tut_buf *out,
                             tut_error *err)
{
    TUT_AUTO(tut_json) j = NULL;
    TUT_TRY(tut_json_new(out, &j));
    tut_json_head(j, "tutela.drill/1", tut_time_generated());
    tut_json_key(j, "summary");
    tut_json_object(j);
    tut_json_put_z(j, "drill", drill->name);
    tut_json_put_z(j, "result", tut_result_name(r->result));
    tut_json_put_u64(j, "took_ms", r->took_ms);
    tut_json_put_u64(j, "bytes", r->bytes);
    tut_json_put_u64(j, "index", r->index);
    tut_json_end_object(j);
    tut_json_key(j, "items");
    tut_drill_items_json(drill, r, j);
    tut_json_end_object(j);
    TUT_TRY(tut_json_finish(j, err));
    tut_buf_add_z(out, "\n");
    return tut_buf_check(out, err);
}

static tut_status write_text(const tut_args *args, const tut_drill_result *r, tut_buf *out,
                             tut_error *err)
{
    static const tut_style styles[] = {TUT_STYLE_GOOD, TUT_STYLE_BAD, TUT_STYLE_WARN};
    static const char *const words[] = {"passed", "failed", "left out"};
    tut_term term;
    char bytes[16];
    tut_term_detect(STDOUT_FILENO, args->color, &term);
    for (size_t i = 0; i < r->count; i++) {
        const tut_drill_item *item = &r->items[i];
        tut_human_bytes(item->bytes, bytes);
        tut_term_printf(&term, out, styles[item->state], "  %-8s", words[item->state]);
        tut_buf_add_byte(out, ' ');
        tut_buf_add_escaped(out, tut_str_of(item->tag ? item->tag : item->id), 200);
        if (item->state == TUT_DRILL_PASSED) {
            tut_buf_printf(out, ": %s in %.2f s, signed by ", bytes, (double)item->took_ms / 1000);
            tut_buf_add_escaped(out, tut_str_of(item->person), 200);
            tut_buf_add_byte(out, '\n');
        } else {
            tut_buf_add_z(out, "\n           ");
            tut_term_wrap(&term, out, 11, tut_str_of(item->reason));
        }
    }
    tut_human_bytes(r->bytes, bytes);
    tut_buf_printf(out, "%s in %.2f s; recorded as entry %llu: %s.\n", bytes,
                   (double)r->took_ms / 1000, (unsigned long long)r->index,
                   tut_result_name(r->result));
    return tut_buf_check(out, err);
}

static int run(const tut_args *args)
{
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    TUT_CLEAN(tut_drill_result) r = {0};
    const tut_drill *drill;
    tut_error err = {0};
    if (!tut_is_ok(find(args->positional[0], &drill, &err)) ||
        !tut_is_ok(carry_out(args, drill, &r, &err)) ||
        !tut_is_ok(strcmp(args->format, "json") == 0 ? write_json(drill, &r, &out, &err)
                                                     : write_text(args, &r, &out, &err)))
        return tut_cmd_fail(&err);
    return tut_cmd_output(&out, r.result == TUT_RESULT_PASS   ? TUT_EXIT_OK
                                : r.result == TUT_RESULT_FAIL ? TUT_EXIT_FOUND
                                                              : TUT_EXIT_DOUBT);
}

const tut_command tut_cmd_drill_run = {
    .name = "drill run",
    .arguments = "NAME",
    .summary = "Carry out a drill and record how it went",
    .help = "restore: every model, dataset, prompt and configuration comes back from the version "
            "store into a scratch place, at the digest that tutela.yaml pins, signed by whom the "
            "policy wants; the time is measured, the scratch is removed. The evidence is about "
            "this tutela.yaml and holds for 180 days.\n\n"
            "tutela drill run restore\n\n"
            "Exit status: 0 all passed; 1 something failed; 3 something was left out.",
    .formats = "table json",
    .least = 1,
    .most = 1,
    .run = run,
};

static int list(const tut_args *args)
{
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    (void)args;
    for (size_t i = 0; tut_drills[i]; i++)
        tut_buf_printf(&out, "  %-10s %s\n", tut_drills[i]->name, tut_drills[i]->title);
    return tut_cmd_output(&out, TUT_EXIT_OK);
}

const tut_command tut_cmd_drill_list = {
    .name = "drill list",
    .summary = "The drills that this version knows",
    .formats = "table",
    .run = list,
};
