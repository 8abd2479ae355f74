/* tutela inventory: declared against found, and what depends on what. */
#include <stdio.h>
#include <unistd.h>

#include "assess/assessment.h"
#include "base/fs.h"
#include "cmd/command.h"
#include "cmd/survey.h"

static tut_style state_style(tut_asset_state s)
{
    switch (s) {
    case TUT_ASSET_DECLARED:
        return TUT_STYLE_PLAIN;
    case TUT_ASSET_UNDECLARED:
        return TUT_STYLE_WARN;
    case TUT_ASSET_MISSING:
    case TUT_ASSET_CHANGED:
        break;
    }
    return TUT_STYLE_BAD;
}

static bool is_sound(const tut_inventory *inv)
{
    return inv->undeclared + inv->missing + inv->changed == 0;
}

static tut_status compose_table(const tut_survey *s, const tut_term *term, tut_buf *out,
                                tut_error *err)
{
    const tut_inventory *inv = s->inventory;
    TUT_AUTO(tut_table) t = NULL;
    TUT_TRY(tut_table_new(4, &t));
    tut_table_column(t, 0, "Asset", TUT_LEFT, false);
    tut_table_column(t, 1, "State", TUT_LEFT, false);
    tut_table_column(t, 2, "Path", TUT_LEFT, true);
    tut_table_column(t, 3, "What it is", TUT_LEFT, false);
    for (size_t i = 0; i < inv->count; i++) {
        const tut_inventory_item *item = &inv->items[i];
        tut_table_cell_z(t, TUT_STYLE_PLAIN, item->id);
        tut_table_cell_z(t, state_style(item->state), tut_asset_state_name(item->state));
        tut_table_cell_z(t, TUT_STYLE_PLAIN, item->path);
        tut_table_cell_z(t, TUT_STYLE_DIM, item->detail ? item->detail : "");
    }
    TUT_TRY(tut_table_print(t, term, 0, out));
    bool has_edges = false;
    for (size_t i = 0; i < inv->count; i++)
        for (size_t k = 0; k < inv->items[i].depends_count; k++) {
            tut_buf_add_z(out, has_edges ? "" : "\nDepends on\n");
            has_edges = true;
            tut_buf_printf(out, "  %s %s %s%s\n", inv->items[i].id,
                           tut_term_glyph(term, TUT_GLYPH_ARROW), inv->items[i].depends_on[k],
                           inv->items[i].is_inferred[k] ? "  (the file says so)" : "");
        }
    return tut_buf_check(out, err);
}

static void add_scan(const tut_survey *s, const tut_inventory_item *item, const char *label,
                     tut_buf *out)
{
    TUT_CLEAN(tut_buf) word = TUT_BUF_INIT;
    TUT_AUTO_FREE char *path = tut_fs_join(s->dir, item->path);
    if (!path)
        return;
    tut_command_word(&word, path);
    tut_buf_printf(out, "%stutela scan ", label);
    tut_buf_add_escaped(out, tut_buf_str(&word), (size_t)-1);
    tut_buf_add_z(out, "\n");
}

/* What to do, at most one line for each kind of difference. A changed model is looked at before it
 * is accepted. */
static void add_next(const tut_survey *s, tut_buf *out)
{
    const tut_inventory *inv = s->inventory;
    const char *label = "\nNext     ";
    if (!s->system) {
        tut_buf_printf(out, "%stutela init %s\n", label, s->place);
        return;
    }
    if (inv->undeclared) {
        tut_buf_printf(out, "%stutela init %s --update\n", label, s->place);
        label = "         ";
    }
    for (size_t i = 0; i < inv->count; i++) {
        const tut_inventory_item *item = &inv->items[i];
        if (item->state != TUT_ASSET_CHANGED || item->is_unread)
            continue;
        if (item->kind == TUT_KIND_MODEL)
            add_scan(s, item, label, out);
        tut_buf_printf(out, "%stutela init %s --accept %s   (once you know why it changed)\n",
                       item->kind == TUT_KIND_MODEL ? "         " : label, s->place, item->id);
        return;
    }
}

static void compose_summary(const tut_survey *s, tut_buf *out)
{
    const tut_inventory *inv = s->inventory;
    tut_buf_printf(out, "\n%zu assets: %zu declared, %zu undeclared, %zu missing, %zu changed.\n",
                   inv->count, inv->declared, inv->undeclared, inv->missing, inv->changed);
    for (size_t i = 0; i < inv->count; i++)
        if (inv->items[i].state == TUT_ASSET_CHANGED || inv->items[i].state == TUT_ASSET_MISSING)
            tut_buf_printf(out, "%s: %s\n", inv->items[i].id, inv->items[i].problem);
    add_next(s, out);
}

static tut_status compose_json(const tut_survey *s, tut_buf *out, tut_error *err)
{
    const tut_inventory *inv = s->inventory;
    TUT_AUTO(tut_json) j = NULL;
    TUT_TRY(tut_json_new(out, &j));
    tut_json_head(j, "tutela.inventory/1", tut_time_generated());
    tut_json_key(j, "summary");
    tut_json_object(j);
    tut_json_put_u64(j, "assets", inv->count);
    tut_json_put_u64(j, "declared", inv->declared);
    tut_json_put_u64(j, "undeclared", inv->undeclared);
    tut_json_put_u64(j, "missing", inv->missing);
    tut_json_put_u64(j, "changed", inv->changed);
    tut_json_end_object(j);
    tut_json_key(j, "assets");
    tut_inventory_json(inv, s->system, j);
    tut_json_end_object(j);
    TUT_TRY(tut_json_finish(j, err));
    tut_buf_add_z(out, "\n");
    return tut_buf_check(out, err);
}

static tut_status compose(const tut_args *args, const tut_survey *s, tut_buf *out, tut_error *err)
{
    if (strcmp(args->format, "json") == 0)
        return compose_json(s, out, err);
    if (strcmp(args->format, "dot") == 0) {
        char title[128];
        tut_str_copy(title, sizeof(title),
                     s->system && s->system->name.len ? s->system->name : TUT_LIT("assets"));
        tut_inventory_dot(s->inventory, title, out);
        return tut_buf_check(out, err);
    }
    tut_term term;
    tut_term_detect(STDOUT_FILENO, args->color, &term);
    TUT_TRY(compose_table(s, &term, out, err));
    compose_summary(s, out);
    return tut_buf_check(out, err);
}

static int run(const tut_args *args)
{
    TUT_AUTO(tut_survey) s = NULL;
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    tut_error err = {0};
    if (!tut_is_ok(tut_survey_run(args, &s, &err)) || !tut_is_ok(compose(args, s, &out, &err)))
        return tut_cmd_fail(&err);
    if (s->inventory->count == 0) {
        if (strcmp(args->format, "table") == 0)
            fprintf(stderr, "%s: no asset was recognised.\n", s->shown_dir);
        return strcmp(args->format, "table") == 0 ? TUT_EXIT_DOUBT
                                                  : tut_cmd_output(&out, TUT_EXIT_DOUBT);
    }
    return tut_cmd_output(&out, is_sound(s->inventory) ? TUT_EXIT_OK : TUT_EXIT_FOUND);
}

extern const tut_command tut_cmd_inventory_trace;

static const tut_command *const members[] = {&tut_cmd_inventory_trace, NULL};

const tut_command tut_cmd_inventory = {
    .name = "inventory",
    .arguments = "[DIR]",
    .summary = "Compare what tutela.yaml declares with what is there",
    .help = "Walks DIR (default: here), recognises models, datasets, prompts, configuration and "
            "code by their "
            "content, and says for each whether it is declared, undeclared, missing or changed "
            "since its digest was "
            "last accepted. Dependencies that a file itself names (an index its shards, a card its "
            "datasets) are "
            "inferred. --format dot draws the graph: tutela inventory --format dot | dot -Tsvg. "
            "Exit 1 when "
            "anything is undeclared, missing or changed.",
    .formats = "table json dot",
    .most = 1,
    .run = run,
    .subcommands = members,
};
