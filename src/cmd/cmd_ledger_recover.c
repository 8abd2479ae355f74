/* tutela ledger recover: the deliberate way back after a rollback or damage. */
#include <string.h>

#include "assess/tool.h"
#include "cmd/ledger_view.h"
#include "ledger/sequencer.h"
#include "state/records.h"
#include "state/recover.h"

static const tut_option options[] = {
    {"--from", TUT_OPTION_VALUE, "MIRROR",
     "a copy of the log: its directory, or checkpoint and tiles as a web server publishes them"},
    {"--log", TUT_OPTION_VALUE, "evidence|traffic", "which log; default evidence"},
    {"--accept-divergence", TUT_OPTION_FLAG, NULL,
     "take a copy that is older than, or differs from, what was last signed here"},
    {NULL, TUT_OPTION_FLAG, NULL, NULL},
};

static tut_status sentence(const tut_recovery *r, const char *mirror, tut_buf *out, tut_error *err)
{
    tut_buf_printf(out, "The log %s was brought back from a copy with %llu entries (", r->log,
                   (unsigned long long)r->size);
    tut_buf_add_escaped(out, tut_str_of(mirror), 400);
    tut_buf_add_z(out, ").");
    if (r->kept) {
        tut_buf_add_z(out, " What was there is kept in ");
        tut_buf_add_escaped(out, tut_str_of(r->kept), 400);
        tut_buf_add_z(out, ".");
    }
    if (r->lost)
        tut_buf_printf(out, " %llu entries that had been signed here are not in it.",
                       (unsigned long long)r->lost);
    else if (r->anchor)
        tut_buf_add_z(out, " It is another history than the one that had been signed here.");
    return tut_buf_check(out, err);
}

/* The log that was brought back begins with saying so. */
static tut_status record(const char *state, const tut_recovery *r, const char *text, tut_error *err)
{
    __attribute__((cleanup(tut_ledger_close_auto))) tut_ledger *ledger = NULL;
    tut_tool_digests tool;
    tut_subject subject = {.name = r->origin, .digest = r->root};
    TUT_TRY(tut_tool_get_digests(&tool, err));
    tut_record event = {.type = TUT_RECORD_EVENT,
                        .at = tut_time_now(),
                        .check = "ledger.recovered",
                        .subjects = &subject,
                        .subject_count = 1,
                        .actor = "tool",
                        .statement = text,
                        .tool_binary = tool.binary,
                        .tool_catalogue = tool.catalogue,
                        .tool_rules = tool.rules};
    TUT_TRY(tut_ledger_open(state, true, &ledger, err));
    TUT_TRY(tut_ledger_append(ledger, &event, 1, err));
    tut_places none = {0};
    return tut_state_search(ledger, NULL, &none, NULL, err); /* the index follows */
}

static tut_status print(const tut_args *args, const tut_recovery *r, const char *text, tut_buf *out,
                        tut_error *err)
{
    if (strcmp(args->format, "json") != 0) {
        tut_buf_printf(out, "%s\n", text);
        return tut_buf_check(out, err);
    }
    TUT_AUTO(tut_json) j = NULL;
    TUT_TRY(tut_json_new(out, &j));
    tut_ledger_head(j, r->origin, r->size, &r->root);
    tut_json_put_z(j, "kept", r->kept);
    tut_json_put_z(j, "anchor", r->anchor);
    tut_json_put_u64(j, "lost", r->lost);
    tut_json_end_object(j);
    tut_json_end_object(j);
    TUT_TRY(tut_json_finish(j, err));
    tut_buf_add_z(out, "\n");
    return TUT_SUCCESS;
}

static tut_status recover(const tut_args *args, tut_buf *out, tut_error *err)
{
    TUT_AUTO_FREE char *state = NULL;
    TUT_CLEAN(tut_recovery) r = {.log = NULL};
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    const char *mirror = tut_args_get(args, "--from");
    const char *log = tut_args_get(args, "--log");
    if (!mirror)
        return tut_fail(err, TUT_USAGE, "recover needs --from, a copy of the log");
    TUT_TRY(tut_ledger_view_find(args, &state, err));
    TUT_TRY(tut_recover(state, log ? log : tut_log_names[TUT_LOG_EVIDENCE], mirror,
                        tut_args_has(args, "--accept-divergence"), tut_time_now(), &r, err));
    TUT_TRY(sentence(&r, mirror, &text, err));
    const char *said = tut_buf_z(&text);
    if (!said)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    TUT_TRY(record(state, &r, said, err));
    return print(args, &r, said, out, err);
}

static int run(const tut_args *args)
{
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    tut_error err = {0};
    if (!tut_is_ok(recover(args, &out, &err)))
        return tut_cmd_fail(&err);
    return tut_cmd_output(&out, TUT_EXIT_OK);
}

const tut_command tut_cmd_ledger_recover = {
    .name = "ledger recover",
    .summary = "Bring the log back from a copy after damage or a rollback",
    .help =
        "The copy must be signed by the log's own key and continue what was last signed here; one "
        "that is older or differs is refused unless --accept-divergence says otherwise. The "
        "damaged log is set aside beside the new one, never deleted, and the new one records "
        "that it was brought back.",
    .formats = "table json",
    .options = options,
    .run = run,
};
