/* tutela ledger search: found through the index, read from the log and proved there. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cmd/ledger_view.h"
#include "state/records.h"

enum { DEFAULT_LIMIT = 50 };

static const tut_option options[] = {
    {"--asset", TUT_OPTION_VALUE, "ID", "entries about this asset"},
    {"--actor", TUT_OPTION_VALUE, "NAME", "entries by this person, or by \"tool\""},
    {"--clause", TUT_OPTION_VALUE, "CLAUSE", "entries that name this provision"},
    {"--kind", TUT_OPTION_VALUE, "KIND", "entries of this kind; people.* for all that begin so"},
    {"--text", TUT_OPTION_VALUE, "WORDS", "entries whose statement holds these words"},
    {"--from", TUT_OPTION_VALUE, "TIME", "not before this time or day"},
    {"--to", TUT_OPTION_VALUE, "TIME", "not after this time, or the end of this day"},
    {"--limit", TUT_OPTION_VALUE, "N", "at most N, the newest; default 50, 0 for all"},
    {NULL, TUT_OPTION_FLAG, NULL, NULL},
};

typedef struct searching {
    const tut_args *args;
    tut_ledger_view view;
    tut_index_query query;
    uint64_t limit;
    tut_str text;
    tut_places places; /* ascending */
    tut_records *records;
} searching;

static void searching_done(searching *s)
{
    tut_records_free(s->records);
    tut_places_done(&s->places);
    tut_ledger_view_done(&s->view);
}

static tut_status time_of(const searching *s, const char *option, bool is_end, tut_time *ret,
                          tut_error *err)
{
    const char *text = tut_args_get(s->args, option);
    if (!text)
        return TUT_SUCCESS;
    if (!tut_is_ok(tut_time_parse(tut_str_of(text), ret)))
        return tut_fail(err, TUT_USAGE, "%s takes a time such as 2026-11-23T09:41:07Z or a day",
                        option);
    if (is_end && !strchr(text, 'T') && !strchr(text, 't'))
        *ret += TUT_DAY_SECONDS - 1;
    return TUT_SUCCESS;
}

static tut_status read_query(searching *s, tut_error *err)
{
    const tut_args *args = s->args;
    const char *limit = tut_args_get(args, "--limit");
    s->query = (tut_index_query){.asset = tut_args_get(args, "--asset"),
                                 .actor = tut_args_get(args, "--actor"),
                                 .clause = tut_args_get(args, "--clause"),
                                 .kind = tut_args_get(args, "--kind"),
                                 .from = INT64_MIN,
                                 .to = INT64_MAX};
    s->text = tut_str_of(tut_args_get(args, "--text"));
    s->limit = DEFAULT_LIMIT;
    if (limit && !tut_str_u64(tut_str_of(limit), &s->limit))
        return tut_fail(err, TUT_USAGE, "--limit takes a number, not \"%s\"", limit);
    TUT_TRY(time_of(s, "--from", false, &s->query.from, err));
    return time_of(s, "--to", true, &s->query.to, err);
}

static bool has_text(const searching *s, uint64_t place)
{
    const tut_record *r = tut_records_at(s->records, place);
    size_t at;
    return s->text.len == 0 || (r && tut_str_find(tut_str_of(r->statement), s->text, &at));
}

/* Without --text only what is shown is read. */
static tut_status find(searching *s, tut_error *err)
{
    char note[TUT_INDEX_WHY_MAX] = "";
    tut_places *p = &s->places;
    TUT_TRY(read_query(s, err));
    TUT_TRY(tut_ledger_view_open(s->args, &s->view, err));
    TUT_TRY(tut_state_search(s->view.ledger, &s->query, p, note, err));
    if (note[0])
        fprintf(stderr, "The index was made anew from the log: %s.\n", note);
    size_t skip = s->text.len == 0 && s->limit && p->count > s->limit ? p->count - s->limit : 0;
    if (skip)
        memmove(p->items, p->items + skip, (p->count - skip) * sizeof(*p->items));
    p->count -= skip;
    TUT_TRY(tut_state_read_at(s->view.ledger, p->items, p->count, &s->records, err));
    size_t kept = 0;
    for (size_t i = 0; i < p->count; i++)
        if (has_text(s, p->items[i]))
            p->items[kept++] = p->items[i];
    p->count = kept;
    skip = s->limit && kept > s->limit ? kept - s->limit : 0;
    if (skip)
        memmove(p->items, p->items + skip, (kept - skip) * sizeof(*p->items));
    p->count -= skip;
    return TUT_SUCCESS;
}

static tut_status compose_json(const searching *s, tut_buf *out, tut_error *err)
{
    TUT_AUTO(tut_json) j = NULL;
    tut_sha256 root;
    TUT_TRY(tut_json_new(out, &j));
    tut_log_root(s->view.log, &root);
    tut_ledger_head(j, tut_ledger_log_origin(s->view.ledger), tut_log_size(s->view.log), &root);
    tut_json_put_u64(j, "found", s->places.count);
    tut_json_end_object(j);
    tut_json_key(j, "entries");
    tut_json_array(j);
    for (size_t i = s->places.count; i > 0; i--) {
        tut_shown_entry e;
        TUT_TRY(tut_shown_entry_read(s->view.log, s->places.items[i - 1], s->records, &e, err));
        tut_shown_entry_json(&e, j);
        tut_shown_entry_done(&e);
    }
    tut_json_end_array(j);
    tut_json_end_object(j);
    TUT_TRY(tut_json_finish(j, err));
    tut_buf_add_z(out, "\n");
    return TUT_SUCCESS;
}

/* What another producer wrote is no record: kind and time are the sequencer's words. */
static tut_status add_other(tut_table *t, tut_log *log, uint64_t place, tut_error *err)
{
    char when[TUT_TIME_TEXT];
    tut_shown_entry e;
    TUT_TRY(tut_shown_entry_read(log, place, NULL, &e, err));
    tut_time_rfc3339(e.entry.head.at, when);
    tut_table_cell_z(t, TUT_STYLE_PLAIN, when);
    tut_table_cell(t, TUT_STYLE_PLAIN, e.entry.head.kind);
    tut_table_cell_z(t, TUT_STYLE_PLAIN, "");
    tut_table_cell(t, TUT_STYLE_PLAIN, e.entry.head.producer);
    tut_table_cell(t, TUT_STYLE_DIM, e.entry.statement);
    tut_shown_entry_done(&e);
    return TUT_SUCCESS;
}

static tut_status add_row(const searching *s, tut_table *t, uint64_t place, tut_error *err)
{
    const tut_record *r = tut_records_at(s->records, place);
    char when[TUT_TIME_TEXT];
    tut_table_cellf(t, TUT_STYLE_BOLD, "%llu", (unsigned long long)place);
    if (!r)
        return add_other(t, s->view.log, place, err);
    bool is_evidence = r->type == TUT_RECORD_EVIDENCE;
    tut_time_rfc3339(r->at, when);
    tut_table_cell_z(t, TUT_STYLE_PLAIN, when);
    tut_table_cell_z(t, TUT_STYLE_PLAIN, r->check);
    tut_table_cell_z(t, TUT_STYLE_PLAIN, is_evidence ? tut_result_name(r->result) : "");
    tut_table_cell_z(t, TUT_STYLE_PLAIN, r->actor);
    tut_table_cell_z(t, r->doubt ? TUT_STYLE_BAD : TUT_STYLE_PLAIN,
                     r->doubt ? r->doubt : r->statement);
    return TUT_SUCCESS;
}

static tut_status compose_table(const searching *s, tut_buf *out, tut_error *err)
{
    static const char *const headers[] = {"#", "AT", "KIND", "RESULT", "ACTOR", "SAYS"};
    enum { COLUMNS = sizeof(headers) / sizeof(headers[0]) };
    TUT_AUTO(tut_table) t = NULL;
    tut_term term;
    tut_term_detect(STDOUT_FILENO, s->args->color, &term);
    if (s->places.count == 0) {
        tut_buf_add_z(out, "No entry is like that.\n");
        return tut_buf_check(out, err);
    }
    TUT_TRY(tut_table_new(COLUMNS, &t));
    for (size_t i = 0; i < COLUMNS; i++)
        tut_table_column(t, i, headers[i], i == 0 ? TUT_RIGHT : TUT_LEFT, i == COLUMNS - 1);
    for (size_t i = s->places.count; i > 0; i--)
        TUT_TRY(add_row(s, t, s->places.items[i - 1], err));
    return tut_table_print(t, &term, 0, out);
}

static int run(const tut_args *args)
{
    __attribute__((cleanup(searching_done))) searching s = {.args = args};
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    tut_error err = {0};
    bool is_json = strcmp(args->format, "json") == 0;
    if (!tut_is_ok(find(&s, &err)) ||
        !tut_is_ok(is_json ? compose_json(&s, &out, &err) : compose_table(&s, &out, &err)))
        return tut_cmd_fail(&err);
    return tut_cmd_output(&out, TUT_EXIT_OK);
}

const tut_command tut_cmd_ledger_search = {
    .name = "ledger search",
    .summary = "Find entries by asset, person, provision, kind, time or words",
    .help = "The index finds the places; the entries are then read from the log and proved. An "
            "index that does not agree with what the log's key signed is made anew first. The "
            "newest come first.",
    .formats = "table json",
    .options = options,
    .run = run,
};
