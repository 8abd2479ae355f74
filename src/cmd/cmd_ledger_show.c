/* tutela ledger show: one entry, proved to be in the tree that was signed. */
#include <string.h>
#include <unistd.h>

#include "assess/tool.h"
#include "cmd/ledger_view.h"
#include "ledger/bodies.h"
#include "ledger/sequencer.h"
#include "state/place.h"
#include "state/records.h"

static const tut_option options[] = {
    TUT_LEDGER_LOG_OPTION,
    {"--body", TUT_OPTION_VALUE, "FILE",
     "write what the record's body digest names to FILE, or - for standard output"},
    {NULL, TUT_OPTION_FLAG, NULL, NULL},
};

typedef struct showing {
    const tut_args *args;
    tut_ledger_view view;
    tut_records *records;
    tut_shown_entry shown;
} showing;

static void showing_done(showing *s)
{
    tut_shown_entry_done(&s->shown);
    tut_records_free(s->records);
    tut_ledger_view_done(&s->view);
}

static tut_status find(showing *s, tut_error *err)
{
    const char *word = s->args->positional_count ? s->args->positional[0] : "last";
    uint64_t index;
    TUT_TRY(tut_ledger_view_open_named(s->args, &s->view, err));
    TUT_TRY(tut_ledger_view_place(word, tut_log_size(s->view.log), &index, err));
    if (s->view.ledger)
        TUT_TRY(tut_state_read_at(s->view.ledger, &index, 1, &s->records, err));
    return tut_shown_entry_read(s->view.log, index, s->records, &s->shown, err);
}

/* Reading what may hold personal data is itself an event. */
static tut_status read_body(showing *s, tut_buf *out, tut_error *err)
{
    const tut_record *r = s->shown.record;
    tut_tool_digests tool;
    bool is_personal;
    if (!r || !r->has_body)
        return tut_fail(err, TUT_USAGE, "entry %llu names no body",
                        (unsigned long long)s->shown.index);
    TUT_TRY(tut_ledger_body_is_personal(s->view.ledger, &r->body, &is_personal, err));
    if (!is_personal)
        return tut_ledger_get_body(s->view.ledger, &r->body, out, err);
    __attribute__((cleanup(tut_ledger_close_auto))) tut_ledger *writing = NULL;
    TUT_TRY(tut_tool_get_digests(&tool, err));
    tut_record who = {.at = tut_time_now(),
                      .actor = "tool",
                      .statement = "Shown by tutela ledger show.",
                      .tool_binary = tool.binary,
                      .tool_catalogue = tool.catalogue,
                      .tool_rules = tool.rules};
    TUT_TRY(tut_ledger_open(s->view.state, true, &writing, err));
    return tut_ledger_read_body(writing, &who, &r->body, out, err);
}

static tut_status compose(const showing *s, tut_buf *out, tut_error *err)
{
    if (strcmp(s->args->format, "raw") == 0) {
        tut_buf_add(out, s->shown.bytes.data, s->shown.bytes.len);
        return tut_buf_check(out, err);
    }
    if (strcmp(s->args->format, "json") != 0) {
        tut_term term;
        tut_term_detect(STDOUT_FILENO, s->args->color, &term);
        tut_shown_entry_text(&s->shown, &term, out);
        return tut_buf_check(out, err);
    }
    return tut_ledger_view_entry_json(&s->view, &s->shown, out, err);
}

static int run(const tut_args *args)
{
    __attribute__((cleanup(showing_done))) showing s = {.args = args};
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    tut_error err = {0};
    const char *body = tut_args_get(args, "--body");
    tut_arena_init(&s.shown.arena, 0);
    if (!tut_is_ok(find(&s, &err)) ||
        !tut_is_ok(body ? read_body(&s, &out, &err) : compose(&s, &out, &err)))
        return tut_cmd_fail(&err);
    return tut_ledger_view_write(body, &out, TUT_EXIT_OK);
}

const tut_command tut_cmd_ledger_show = {
    .name = "ledger show",
    .arguments = "[INDEX | last]",
    .summary = "Show one entry and who signed it",
    .help = "The entry is read from the log and proved to be in the tree that the log's key "
            "signed. --format raw gives its very bytes, for ledger verify --proof. Reading a body "
            "that may hold personal data is itself recorded.",
    .formats = "table json raw",
    .options = options,
    .most = 1,
    .run = run,
};
