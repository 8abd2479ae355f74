/* tutela threats import: a Threagile model as sections of tutela.yaml. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/limits.h"
#include "cmd/threats_act.h"
#include "govern/threagile.h"

static const tut_option options[] = {
    {"--out", TUT_OPTION_VALUE, "FILE", "write the YAML there, not to standard output"},
    {"--merge", TUT_OPTION_FLAG, NULL,
     "put it into tutela.yaml, which has no components, flows and boundaries yet"},
    {NULL, TUT_OPTION_FLAG, NULL, NULL},
};

typedef struct import_work {
    const tut_args *args;
    const char *from; /* the file as people named it */
    tut_threagile *model;
    tut_buf shown, yaml;
    char *dir, *state, *into; /* into: the tutela.yaml that was changed */
} import_work;

static void import_work_done(import_work *w)
{
    tut_threagile_free(w->model);
    tut_buf_done(&w->shown);
    tut_buf_done(&w->yaml);
    tut_free(w->dir);
    tut_free(w->state);
    tut_free(w->into);
}

static tut_status read_model(import_work *w, tut_error *err)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    tut_status status = tut_fs_read(w->from, TUT_LIMIT_YAML_BYTES, &text, err);
    if (tut_is_ok(status))
        status = tut_threagile_read(w->from, tut_buf_str(&text), true, &w->model, &w->shown, err);
    if (!tut_is_ok(status) && w->shown.len) {
        fwrite(w->shown.data, 1, w->shown.len, stderr);
        err->is_told = true;
    }
    return status;
}

static tut_status merge(import_work *w, tut_error *err)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) whole = TUT_BUF_INIT;
    TUT_TRY(tut_cmd_locate(w->args, NULL, &w->dir, &w->state, err));
    if (!w->state)
        return tut_fail(err, TUT_USAGE,
                        "no tutela.yaml is here to put it into; tutela init "
                        "writes one");
    char *file = w->args->system ? tut_strdup(w->args->system) : tut_fs_join(w->dir, "tutela.yaml");
    w->into = file;
    if (!file)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    TUT_TRY(tut_fs_read(file, TUT_LIMIT_YAML_BYTES, &text, err));
    TUT_TRY(tut_threagile_merge(w->model, w->dir, file, tut_buf_str(&text), &whole, err));
    return tut_fs_write(file, tut_buf_span(&whole), 0644, err);
}

/* --- what is said --- */

static void add_notes(const import_work *w, const tut_term *term, tut_buf *out)
{
    const tut_threagile *t = w->model;
    if (t->note_count)
        tut_buf_add_z(out, "Not carried over:\n");
    for (size_t i = 0; i < t->note_count; i++) {
        const tut_threagile_note *n = &t->notes[i];
        TUT_CLEAN(tut_buf) line = TUT_BUF_INIT;
        tut_buf_printf(&line, "%s%s%s", n->place, *n->place ? "." : "", n->field);
        if (*n->first && *n->place)
            tut_buf_printf(&line, " (%s%s", n->first, n->count > 1 ? "" : ")");
        if (*n->place && n->count > 1)
            tut_buf_printf(&line, " and %zu more)", n->count - 1);
        tut_buf_printf(&line, ": %s", n->why);
        tut_buf_add_z(out, "  - ");
        tut_term_wrap(term, out, 4, tut_buf_str(&line));
    }
}

static void add_summary(const import_work *w, tut_buf *out)
{
    const tut_threagile *t = w->model;
    tut_buf_printf(
        out, "%zu components, %zu flows, %zu boundaries, %zu data assets, %zu treatments\n",
        t->component_count, t->flow_count, t->boundary_count, t->asset_count, t->treatment_count);
}

static void put_notes(const tut_threagile *t, tut_json *j)
{
    tut_json_key(j, "notes");
    tut_json_array(j);
    for (size_t i = 0; i < t->note_count; i++) {
        tut_json_object(j);
        tut_json_put_z(j, "place", t->notes[i].place);
        tut_json_put_z(j, "field", t->notes[i].field);
        tut_json_put_z(j, "first", t->notes[i].first);
        tut_json_put_u64(j, "count", t->notes[i].count);
        tut_json_put_z(j, "why", t->notes[i].why);
        tut_json_end_object(j);
    }
    tut_json_end_array(j);
}

static tut_status write_json(const import_work *w, tut_buf *out, tut_error *err)
{
    TUT_AUTO(tut_json) j = NULL;
    const tut_threagile *t = w->model;
    TUT_TRY(tut_json_new(out, &j));
    tut_json_head(j, "tutela.threats-import/1", tut_time_generated());
    tut_json_key(j, "summary");
    tut_json_object(j);
    tut_json_put_z(j, "title", t->title);
    tut_json_put_u64(j, "components", t->component_count);
    tut_json_put_u64(j, "flows", t->flow_count);
    tut_json_put_u64(j, "boundaries", t->boundary_count);
    tut_json_put_u64(j, "assets", t->asset_count);
    tut_json_put_u64(j, "treatments", t->treatment_count);
    tut_json_end_object(j);
    put_notes(t, j);
    tut_json_put_str(j, "yaml", tut_buf_str(&w->yaml));
    tut_json_end_object(j);
    TUT_TRY(tut_json_finish(j, err));
    tut_buf_add_z(out, "\n");
    return tut_buf_check(out, err);
}

/* The YAML goes where it can be redirected to; what people are told goes beside it. */
static int tell(const import_work *w, const char *file)
{
    TUT_CLEAN(tut_buf) words = TUT_BUF_INIT;
    bool is_yaml_out = !file && !w->into;
    tut_term term;
    tut_term_detect(is_yaml_out ? STDERR_FILENO : STDOUT_FILENO, w->args->color, &term);
    add_notes(w, &term, &words);
    add_summary(w, &words);
    if (!is_yaml_out) {
        tut_buf_printf(&words, "Written to %s\nNext     tutela threats\n", file ? file : w->into);
        return tut_cmd_output(&words, TUT_EXIT_OK);
    }
    if (!w->args->quiet)
        fwrite(words.data, 1, words.len, stderr);
    return tut_cmd_output(&w->yaml, TUT_EXIT_OK);
}

static tut_status work(import_work *w, const char *file, tut_error *err)
{
    TUT_TRY(read_model(w, err));
    TUT_TRY(tut_threagile_yaml(w->model, w->from, &w->yaml, err));
    if (tut_args_has(w->args, "--merge"))
        return merge(w, err);
    return file ? tut_fs_write(file, tut_buf_span(&w->yaml), 0644, err) : TUT_SUCCESS;
}

static int run(const tut_args *args)
{
    TUT_CLEAN(import_work) w = {.args = args, .from = args->positional[0]};
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    const char *file = tut_args_get(args, "--out");
    tut_error err = {0};
    if (file && tut_args_has(args, "--merge"))
        return tut_cmd_usage(args, "either --out or --merge");
    tut_status status = work(&w, file, &err);
    if (tut_is_ok(status) && strcmp(args->format, "json") != 0)
        return tell(&w, file);
    if (tut_is_ok(status))
        status = write_json(&w, &out, &err);
    if (!tut_is_ok(status))
        return tut_cmd_fail(&err);
    return tut_cmd_output(&out, TUT_EXIT_OK);
}

const tut_command tut_cmd_threats_import = {
    .name = "threats import",
    .arguments = "FILE",
    .summary = "A Threagile model as sections of tutela.yaml",
    .help = "Reads a model of Threagile (YAML) and prints its components, flows, boundaries, data "
            "and risk tracking as tutela.yaml has them; what has no counterpart is listed, and "
            "what only a person knows is left TODO. With --merge they are put into tutela.yaml.\n\n"
            "  tutela threats import threagile.yaml --merge",
    .formats = "table json",
    .options = options,
    .least = 1,
    .most = 1,
    .run = run,
};
