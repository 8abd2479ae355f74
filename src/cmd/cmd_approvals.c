/* tutela approvals: what the guard holds for a person; list and show. */
#include <string.h>
#include <unistd.h>

#include "cmd/approvals_act.h"

/* --- list --- */

static const tut_option list_options[] = {
    {"--all", TUT_OPTION_FLAG, NULL, "also what was decided or is over, while it is still kept"},
    {NULL, TUT_OPTION_FLAG, NULL, NULL},
};

static bool is_listed(const tut_approvals_act *a, const tut_waiting *w)
{
    return w->look.state == TUT_HOLD_WAITING || tut_args_has(a->args, "--all");
}

static size_t count_waiting(const tut_approvals_act *a)
{
    size_t n = 0;
    for (size_t i = 0; i < a->list.count; i++)
        n += a->list.items[i].look.state == TUT_HOLD_WAITING;
    return n;
}

static tut_status compose_json(const tut_approvals_act *a, const tut_waiting *only, tut_buf *out,
                               tut_error *err)
{
    TUT_AUTO(tut_json) j = NULL;
    TUT_TRY(tut_json_new(out, &j));
    tut_json_head(j, "tutela.approvals/1", tut_time_generated());
    tut_json_key(j, "summary");
    tut_json_object(j);
    tut_json_put_u64(j, "waiting", count_waiting(a));
    tut_json_put_u64(j, "approvers", a->who->count);
    tut_json_put_u64(j, "people", a->policy.approvals.people);
    tut_json_put_u64(j, "unreadable", a->list.unreadable);
    tut_json_end_object(j);
    tut_json_key(j, "items");
    tut_json_array(j);
    for (size_t i = 0; i < a->list.count; i++) {
        const tut_waiting *w = &a->list.items[i];
        if (only ? w == only : is_listed(a, w))
            tut_waiting_json(w, j);
    }
    tut_json_end_array(j);
    tut_json_end_object(j);
    TUT_TRY(tut_json_finish(j, err));
    tut_buf_add_z(out, "\n");
    return tut_buf_check(out, err);
}

static void add_row(const tut_approvals_act *a, tut_table *t, const tut_waiting *w)
{
    const tut_hold *h = &w->hold;
    char age[32], left[32];
    bool waits = w->look.state == TUT_HOLD_WAITING;
    tut_approvals_span(a->now_ms - h->at_ms, age);
    tut_approvals_span(h->expires_ms - a->now_ms, left);
    tut_table_cellf(t, TUT_STYLE_BOLD, "%.8s", h->id);
    tut_table_cell_z(t, TUT_STYLE_PLAIN, age);
    if (waits)
        tut_table_cell_z(t, h->expires_ms - a->now_ms < 60000 ? TUT_STYLE_BAD : TUT_STYLE_PLAIN,
                         left);
    else
        tut_table_cell_z(t, TUT_STYLE_DIM, tut_hold_state_name(w->look.state));
    tut_table_cell(t, TUT_STYLE_PLAIN, h->route);
    tut_table_cell(t, TUT_STYLE_WARN, tut_approvals_word(h));
    tut_table_cell(t, TUT_STYLE_PLAIN,
                   h->reason_count ? h->reasons[0].detail : TUT_LIT("no reason is given"));
    tut_table_cell(t, TUT_STYLE_DIM, h->what);
}

static void tell_approvers(const tut_approvals_act *a, tut_buf *out)
{
    const tut_guard_approvals *p = &a->policy.approvals;
    if (a->who->count >= p->people)
        return;
    tut_buf_printf(out,
                   "%u %s to approve, and %zu can: tutela people enrol NAME --role %s makes one "
                   "more.\n",
                   p->people, p->people == 1 ? "person has" : "people have", a->who->count,
                   p->role_words.count ? "ROLE" : "approver");
}

static tut_status compose_table(const tut_approvals_act *a, tut_buf *out, tut_error *err)
{
    static const char *const headers[] = {"Id", "Age", "Left", "Route", "What", "Why", "Text"};
    enum { COLUMNS = sizeof(headers) / sizeof(headers[0]) };
    tut_term term;
    TUT_AUTO(tut_table) table = NULL;
    size_t rows = 0, waiting = count_waiting(a);
    tut_term_detect(STDOUT_FILENO, a->args->color, &term);
    TUT_TRY(tut_table_new(COLUMNS, &table));
    for (size_t i = 0; i < COLUMNS; i++)
        tut_table_column(table, i, headers[i], TUT_LEFT, i >= 5);
    for (size_t i = 0; i < a->list.count; i++) {
        if (!is_listed(a, &a->list.items[i]))
            continue;
        add_row(a, table, &a->list.items[i]);
        rows++;
    }
    if (rows)
        TUT_TRY(tut_table_print(table, &term, 0, out));
    if (waiting)
        tut_buf_printf(out, "\n%zu %s for a person. tutela approvals show ID tells all about it.\n",
                       waiting, waiting == 1 ? "waits" : "wait");
    else
        tut_buf_add_z(out, "Nothing waits for a person.\n");
    if (a->list.unreadable)
        tut_buf_printf(out, "%zu could not be read: %s.\n", a->list.unreadable, a->list.why);
    tell_approvers(a, out);
    return tut_buf_check(out, err);
}

static int list(const tut_args *args)
{
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    TUT_CLEAN(tut_approvals_act) a = {0};
    tut_error err = {0};
    tut_status status = tut_approvals_open(&a, args, false, &err);
    if (tut_is_ok(status))
        status = strcmp(args->format, "json") == 0 ? compose_json(&a, NULL, &out, &err)
                                                   : compose_table(&a, &out, &err);
    if (!tut_is_ok(status))
        return tut_cmd_fail(&err);
    return tut_cmd_output(&out, a.list.unreadable ? TUT_EXIT_DOUBT : TUT_EXIT_OK);
}

const tut_command tut_cmd_approvals_list = {
    .name = "approvals list",
    .summary = "What the guard holds until a person decides",
    .help = "The oldest first, with the time that is left. Nothing of what is shown is trusted: "
            "control characters and characters that reorder text are written out.",
    .formats = "table json",
    .options = list_options,
    .run = list,
};

/* --- show --- */

typedef struct showing {
    const tut_term *term;
    tut_buf *out;
    size_t count;
} showing;

enum { TEXT_CHARS = 400 };

static void title(const showing *s, const char *text)
{
    tut_buf_add_z(s->out, "\n");
    tut_term_printf(s->term, s->out, TUT_STYLE_BOLD, "%s", text);
    tut_buf_add_z(s->out, "\n");
}

static void line(const showing *s, const char *label, tut_str text)
{
    if (!text.len)
        return;
    tut_buf_printf(s->out, "  %-9s ", label);
    tut_term_wrap(s->term, s->out, 12, text);
}

static void show_head(const tut_approvals_act *a, const tut_waiting *w, const showing *s)
{
    const tut_hold *h = &w->hold;
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    char age[32], left[32], when[TUT_TIME_TEXT];
    tut_hold_sentence(h, &text);
    tut_term_wrap(s->term, s->out, 0, tut_buf_str(&text));
    tut_buf_add_z(s->out, "\n");
    line(s, "id", tut_str_of(h->id));
    tut_approvals_span(a->now_ms - h->at_ms, age);
    tut_approvals_span(h->expires_ms - a->now_ms, left);
    tut_time_people(h->at_ms / 1000, when);
    tut_buf_clear(&text);
    if (w->look.state == TUT_HOLD_WAITING)
        tut_buf_printf(&text, "since %s (%s); without a decision it is refused in %s", when, age,
                       left);
    else
        tut_buf_printf(&text, "since %s (%s); %s%s%s", when, age,
                       tut_hold_state_name(w->look.state), w->look.by_count ? " by " : "",
                       w->look.by_count ? w->look.by[0] : "");
    line(s, "waits", tut_buf_str(&text));
    line(s, "route", h->route);
    line(s, "client", h->client);
    line(s, "of", h->person);
    line(s, "model", h->model);
    tut_buf_clear(&text);
    if (h->people > 1)
        tut_buf_printf(&text, "%u people have to approve; %zu did%s%s", h->people, w->look.by_count,
                       w->look.by_count ? ": " : "", w->look.by_count ? w->look.by[0] : "");
    line(s, "people", tut_buf_str(&text));
    if (w->look.ignored)
        line(s, "ignored", tut_str_of(w->look.why));
}

static void show_reasons(const tut_hold *h, const showing *s)
{
    title(s, "Why it is held");
    if (!h->reason_count)
        tut_buf_add_z(s->out, "  No reason is given.\n");
    for (size_t i = 0; i < h->reason_count; i++) {
        TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
        tut_buf_add_str(&text, h->reasons[i].check);
        tut_buf_add_z(&text, ", ");
        tut_buf_add_str(&text, h->reasons[i].where);
        tut_buf_add_z(&text, ": ");
        tut_buf_add_str(&text, h->reasons[i].detail);
        tut_buf_add_z(s->out, "  ");
        tut_term_wrap(s->term, s->out, 2, tut_buf_str(&text));
    }
}

static void show_what(const tut_hold *h, const showing *s)
{
    static const char *const titles[] = {"The request", "The arguments", "The answer"};
    char bytes[16];
    title(s, titles[h->kind]);
    tut_buf_add_z(s->out, "  ");
    tut_term_wrap(s->term, s->out, 2, h->what);
    tut_human_bytes(h->what_bytes, bytes);
    if (h->is_cut)
        tut_term_printf(s->term, s->out, TUT_STYLE_BAD,
                        "  That is not all: it has %s, and its end is not shown.\n", bytes);
}

static void show_value(void *ctx, const tut_hold_value *v)
{
    showing *s = ctx;
    if (s->count++ == 0)
        title(s, "Where its texts come from");
    tut_buf_add_z(s->out, "  ");
    tut_buf_add_escaped(s->out, tut_str_of(v->at), 60);
    tut_buf_add_z(s->out, " \"");
    tut_buf_add_escaped(s->out, v->text, 60);
    tut_buf_add_z(s->out, "\": ");
    if (!v->source) {
        tut_buf_add_z(s->out, "in none of the texts below\n");
        return;
    }
    tut_term_text(s->term, s->out, v->is_untrusted ? TUT_STYLE_BAD : TUT_STYLE_PLAIN,
                  v->source->role);
    tut_buf_add_z(s->out, ", ");
    tut_buf_add_escaped(s->out, v->source->where, 60);
    tut_buf_add_z(s->out, v->is_untrusted ? ", and nothing that the user wrote\n" : "\n");
}

static void show_sources(const tut_hold *h, const showing *s)
{
    title(s, "What it rests on");
    if (!h->source_count)
        tut_buf_add_z(s->out, "  Nothing is kept of it.\n");
    for (size_t i = 0; i < h->source_count; i++) {
        const tut_hold_source *from = &h->sources[i];
        tut_buf_add_z(s->out, "  ");
        tut_term_text(s->term, s->out, TUT_STYLE_WARN, from->role);
        tut_buf_add_z(s->out, ", ");
        tut_buf_add_escaped(s->out, from->where, 80);
        tut_buf_add_z(s->out, from->is_cut ? " (a part)\n    " : "\n    ");
        tut_term_wrap(s->term, s->out, 4, from->text);
    }
}

static tut_status compose_show(const tut_approvals_act *a, const tut_waiting *w, tut_buf *out,
                               tut_error *err)
{
    tut_term term;
    showing s = {.term = &term, .out = out};
    tut_term_detect(STDOUT_FILENO, a->args->color, &term);
    show_head(a, w, &s);
    show_reasons(&w->hold, &s);
    show_what(&w->hold, &s);
    TUT_TRY(tut_hold_values(&w->hold, show_value, &s, err));
    show_sources(&w->hold, &s);
    if (w->look.state == TUT_HOLD_WAITING)
        tut_buf_printf(out,
                       "\ntutela approvals approve %.8s --by NAME, or deny %.8s --by NAME --reason "
                       "TEXT\n",
                       w->hold.id, w->hold.id);
    return tut_buf_check(out, err);
}

static tut_status show_one(tut_approvals_act *a, const tut_args *args, tut_buf *out, tut_error *err)
{
    const tut_waiting *w;
    TUT_TRY(tut_approvals_open(a, args, false, err));
    TUT_TRY(tut_waiting_find(&a->list, tut_str_of(args->positional[0]), &w, err));
    TUT_TRY(tut_hold_is_shown(&w->hold, err));
    TUT_TRY(strcmp(args->format, "json") == 0 ? compose_json(a, w, out, err)
                                              : compose_show(a, w, out, err));
    return tut_waiting_seen(a->dir, w, a->now_ms, err);
}

static int show(const tut_args *args)
{
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    TUT_CLEAN(tut_approvals_act) a = {0};
    tut_error err = {0};
    if (!tut_is_ok(show_one(&a, args, &out, &err)))
        return tut_cmd_fail(&err);
    return tut_cmd_output(&out, TUT_EXIT_OK);
}

const tut_command tut_cmd_approvals_show = {
    .name = "approvals show",
    .arguments = "ID",
    .summary = "All that is needed to judge one of them",
    .help = "What is asked for, why it is held, and where it comes from. ID may be cut to its "
            "first digits. When it was first looked at is kept: how long whoever decides took to "
            "read is a part of the record.",
    .formats = "table json",
    .least = 1,
    .most = 1,
    .run = show,
};

static const tut_command *const members[] = {
    &tut_cmd_approvals_list,
    &tut_cmd_approvals_show,
    &tut_cmd_approvals_approve,
    &tut_cmd_approvals_deny,
    &tut_cmd_approvals_review,
    &tut_cmd_approvals_serve,
    NULL,
};

const tut_command tut_cmd_approvals = {
    .name = "approvals",
    .arguments = "COMMAND",
    .summary = "What the guard holds for a person, and decisions about it",
    .help = "Where the policy says hold, a request, a tool call or an answer waits until somebody "
            "who may (guard.approvals) has decided, with a signature over exactly that; "
            "docs/guard.md.",
    .subcommands = members,
};
