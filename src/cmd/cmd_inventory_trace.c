/* tutela inventory trace: what a digest, an address or an entry of the log has to do with what. */
#include <stdio.h>
#include <unistd.h>

#include "assess/trace.h"
#include "cmd/command.h"
#include "cmd/survey.h"

static const tut_option options[] = {
    {"--upstream", TUT_OPTION_FLAG, NULL, "what it was made from, not what it went into"},
    {NULL, TUT_OPTION_FLAG, NULL, NULL},
};

static void add_when(const tut_lineage_node *n, tut_buf *out)
{
    char day[TUT_TIME_TEXT];
    tut_buf_add_z(out, n->is_now ? "now" : "past");
    if (!n->since.is_there)
        return;
    tut_time_date(n->since.at, day);
    tut_buf_printf(out, ", since #%llu, %s", (unsigned long long)n->since.index, day);
    if (n->is_now)
        return;
    tut_time_date(n->until.at, day);
    tut_buf_printf(out, ", until #%llu, %s", (unsigned long long)n->until.index, day);
}

static void add_version(const tut_lineage_node *n, tut_buf *out)
{
    tut_buf_add_escaped(out, tut_str_of(n->name), 120);
    if (n->kind && n->has_digest) {
        char hex[TUT_SHA256_HEX];
        tut_sha256_hex(&n->digest, hex);
        tut_buf_printf(out, "@%.8s", hex);
    }
}

/* The way to it without its own end, or why it is where the way begins. */
static tut_status add_way(const tut_trace *t, uint32_t node, const tut_term *term, tut_buf *out,
                          tut_error *err)
{
    TUT_AUTO_FREE uint32_t *path = NULL;
    size_t count;
    if (t->lineage.nodes[node].how && t->walk.distance[node] == 0) {
        tut_buf_add_z(out, t->lineage.nodes[node].how);
        return TUT_SUCCESS;
    }
    TUT_TRY(tut_trace_path(t, node, &path, &count, err));
    for (size_t i = 0; i + 1 < count; i++) {
        tut_buf_printf(out, "%s%s%s", i ? " " : "", i ? tut_term_glyph(term, TUT_GLYPH_ARROW) : "",
                       i ? " " : "");
        add_version(&t->lineage.nodes[path[i]], out);
    }
    return TUT_SUCCESS;
}

static tut_status add_row(const tut_trace *t, uint32_t node, const tut_term *term, tut_table *table,
                          tut_error *err)
{
    const tut_lineage_node *n = &t->lineage.nodes[node];
    TUT_CLEAN(tut_buf) name = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) when = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) way = TUT_BUF_INIT;
    add_version(n, &name);
    add_when(n, &when);
    TUT_TRY(add_way(t, node, term, &way, err));
    tut_style style = n->is_now ? TUT_STYLE_PLAIN : TUT_STYLE_DIM;
    tut_table_cell(table, n->is_now && n->kind ? TUT_STYLE_BOLD : style, tut_buf_str(&name));
    tut_table_cell(table, style, tut_buf_str(&when));
    tut_table_cell(table, TUT_STYLE_DIM, tut_buf_str(&way));
    return TUT_SUCCESS;
}

static void add_counts(const tut_trace *t, tut_buf *out)
{
    size_t assets = 0, now = 0, models = 0;
    for (size_t i = 0; i < t->walk.count; i++) {
        const tut_lineage_node *n = &t->lineage.nodes[t->walk.nodes[i]];
        assets += n->kind != NULL;
        now += n->kind && n->is_now;
        models += n->kind && strcmp(n->kind, "model") == 0;
    }
    tut_buf_printf(out,
                   "\n%zu version%s of assets, %zu of them there now; %zu of models. Looked at "
                   "%zu recorded inventor%s",
                   assets, assets == 1 ? "" : "s", now, models, t->inventories,
                   t->inventories == 1 ? "y" : "ies");
    tut_buf_add_z(out, t->question.kind == TUT_ASK_ENTRY ? ".\n" : " and the tree as it is.\n");
    if (t->left_out)
        tut_buf_printf(out, "%zu older ones were not looked at.\n", t->left_out);
    if (t->unread)
        tut_buf_printf(out, "%zu could not be read: what they knew is not known here.\n",
                       t->unread);
}

static tut_status compose_table(const tut_args *args, const tut_trace *t, tut_buf *out,
                                tut_error *err)
{
    tut_term term;
    tut_term_detect(STDOUT_FILENO, args->color, &term);
    TUT_AUTO(tut_table) table = NULL;
    TUT_TRY(tut_table_new(3, &table));
    bool is_down = t->way == TUT_WALK_USERS;
    tut_table_column(table, 0, is_down ? "Affected" : "Made from", TUT_LEFT, false);
    tut_table_column(table, 1, "When", TUT_LEFT, false);
    tut_table_column(table, 2, is_down ? "Because of" : "By way of", TUT_LEFT, true);
    if (t->entry)
        tut_buf_printf(out, "Entry %llu: %s\n\n", (unsigned long long)t->question.entry, t->entry);
    for (size_t i = 0; i < t->walk.count; i++)
        TUT_TRY(add_row(t, t->walk.nodes[i], &term, table, err));
    TUT_TRY(tut_table_print(table, &term, 0, out));
    add_counts(t, out);
    return tut_buf_check(out, err);
}

static tut_status compose(const tut_args *args, const tut_trace *t, tut_buf *out, tut_error *err)
{
    if (strcmp(args->format, "json") == 0)
        return tut_trace_json(t, out, err);
    if (strcmp(args->format, "dot") == 0)
        return tut_trace_dot(t, out, err);
    return t->walk.count ? compose_table(args, t, out, err) : TUT_SUCCESS;
}

static tut_status trace(const tut_args *args, tut_trace **ret_trace, tut_error *err)
{
    tut_question question;
    TUT_AUTO(tut_survey) s = NULL;
    TUT_TRY(tut_question_parse(args->positional[0], &question, err));
    tut_args place_args = *args; /* what is asked is no directory */
    place_args.positional++;
    place_args.positional_count--;
    TUT_TRY(tut_survey_run(&place_args, &s, err));
    const tut_trace_place place = {.system = s->system, .now = s->inventory, .state_dir = s->state};
    return tut_trace_new(&question, tut_args_has(args, "--upstream"), &place, ret_trace, err);
}

static int run(const tut_args *args)
{
    TUT_AUTO(tut_trace) t = NULL;
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    tut_error err = {0};
    if (!tut_is_ok(trace(args, &t, &err)) || !tut_is_ok(compose(args, t, &out, &err)))
        return tut_cmd_fail(&err);
    if (t->walk.count > 0)
        return tut_cmd_output(&out, TUT_EXIT_OK);
    TUT_CLEAN(tut_buf) asked = TUT_BUF_INIT;
    tut_buf_add_escaped(&asked, tut_str_of(t->question.text), 120);
    const char *text = tut_buf_z(&asked);
    fprintf(stderr,
            "%s: nothing in the tree or in the recorded inventories (%zu) has to do with it, as "
            "far as they know; that is doubt, not a clearance.\n",
            text ? text : "", t->inventories);
    return tut_cmd_output(&out, TUT_EXIT_DOUBT);
}

extern const tut_command tut_cmd_inventory_trace;
const tut_command tut_cmd_inventory_trace = {
    .name = "inventory trace",
    .arguments = "DIGEST|URL|ASSET|PACKAGE|ENTRY [DIR]",
    .summary = "Follow a digest or an address to all it went into, an entry to all it came from",
    .help =
        "From a digest (of an asset, a file in one, a package, or what lay at a source), an "
        "address (its beginning, or a host alone), an asset or a package (pkg:TYPE/NAME) to "
        "every version of every asset that uses it, now and in the past as far as inventories "
        "were recorded. From an entry of the log (a number, or traffic:N) to the prompt, model, "
        "data and sources that it names, as they were then. --upstream turns the first kind "
        "round. Exit 0 when something was found, 3 when nothing was.",
    .formats = "table json dot",
    .options = options,
    .least = 1,
    .most = 2,
    .run = run,
};
