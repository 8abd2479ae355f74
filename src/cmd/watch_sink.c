#include "cmd/watch_sink.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "assess/attest.h"
#include "assess/tool.h"
#include "scan/rule.h"
#include "watch/stream_html.h"

enum { SHOWN = 40, SPARK = 40 };

tut_status tut_watch_sink_open(const tut_args *args, tut_watch_sink *s, tut_error *err)
{
    const char *on = tut_args_get(args, "--fail-on");
    int fail_on = TUT_SEVERITY_MEDIUM;
    s->args = args;
    s->is_json = strcmp(args->format, "table") != 0;
    s->tell.command = tut_args_get(args, "--exec");
    s->tell.url = tut_args_get(args, "--webhook");
    s->tell.to_syslog = tut_args_has(args, "--syslog");
    tut_term_detect(STDOUT_FILENO, args->color, &s->term);
    if (on)
        TUT_TRY(tut_cmd_fail_on(on, false, &fail_on, err));
    s->fail_on_alarms = fail_on <= TUT_SEVERITY_MEDIUM;
    if (!tut_args_has(args, "--record"))
        return TUT_SUCCESS;
    TUT_TRY(tut_cmd_locate(args, NULL, &s->dir, &s->state, err));
    if (!s->state)
        return tut_fail(err, TUT_USAGE, "--record needs a described system");
    return TUT_SUCCESS;
}

void tut_watch_sink_done(tut_watch_sink *s)
{
    tut_buf_done(&s->out);
    tut_free(s->dir);
    tut_free(s->state);
}

/* Alarms are rare: the ledger is opened for each, and free for others in between. */
static tut_status append(tut_watch_sink *s, const tut_alarm *a, tut_str json, tut_error *err)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    __attribute__((cleanup(tut_ledger_close_auto))) tut_ledger *ledger = NULL;
    tut_tool_digests tool;
    tut_system *system = NULL;
    tut_subject subject = {.name = "system", .digest = {{0}}};
    TUT_CLEAN(tut_buf) shown = TUT_BUF_INIT;
    TUT_TRY(tut_system_load(s->args->system ? s->args->system : s->dir, &system, &shown, err));
    subject.digest = system->digest;
    tut_system_free(system);
    tut_alarm_text(a, &text);
    TUT_TRY(tut_buf_check(&text, err));
    TUT_TRY(tut_tool_get_digests(&tool, err));
    tut_record record = {.type = TUT_RECORD_EVENT,
                         .at = tut_time_now(),
                         .check = "watch.alarm",
                         .subjects = &subject,
                         .subject_count = 1,
                         .actor = "tool",
                         .statement = tut_buf_z(&text),
                         .data_key = "watch",
                         .data = json,
                         .tool_binary = tool.binary,
                         .tool_catalogue = tool.catalogue,
                         .tool_rules = tool.rules};
    TUT_TRY(tut_ledger_open(s->state, true, &ledger, err));
    return tut_ledger_append(ledger, &record, 1, err);
}

static void print(tut_watch_sink *s, const tut_alarm *a, tut_str json)
{
    TUT_CLEAN(tut_buf) line = TUT_BUF_INIT;
    bool is_end = tut_alarm_ends(a);
    if (s->is_json) {
        tut_buf_add_str(&line, json);
    } else {
        tut_term_printf(&s->term, &line, is_end ? TUT_STYLE_GOOD : TUT_STYLE_BAD, "%s ",
                        tut_term_glyph(&s->term, is_end ? TUT_GLYPH_TICK : TUT_GLYPH_CROSS));
        tut_alarm_text(a, &line);
    }
    tut_buf_add_z(&line, "\n");
    (void)fwrite(line.data, 1, line.len, stdout);
    (void)fflush(stdout);
}

tut_status tut_watch_sink_tell(void *ctx, const tut_alarm *a, tut_error *err)
{
    tut_watch_sink *s = ctx;
    TUT_CLEAN(tut_buf) json = TUT_BUF_INIT;
    bool is_end = tut_alarm_ends(a);
    s->alarms += !is_end;
    s->cleared += is_end;
    TUT_TRY(tut_alarm_json(a, &json, err));
    print(s, a, tut_buf_str(&json));
    tut_tell_alarm(&s->tell, a, tut_buf_str(&json));
    return s->state ? append(s, a, tut_buf_str(&json), err) : TUT_SUCCESS;
}

static tut_status add_table(tut_watch_sink *s, const tut_monitor *m, tut_error *err)
{
    static const char *const heads[] = {"Stream", "Kind", "Events", "Missing", "Alarms", ""};
    TUT_AUTO(tut_table) t = NULL;
    size_t count = tut_monitor_count(m);
    TUT_TRY(tut_table_new(sizeof(heads) / sizeof(heads[0]), &t));
    for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++)
        tut_table_column(t, i, heads[i], i >= 2 && i <= 4 ? TUT_RIGHT : TUT_LEFT, i == 0);
    for (size_t i = 0; i < count && i < SHOWN; i++) {
        const tut_series *one = tut_monitor_at(m, i);
        TUT_CLEAN(tut_buf) spark = TUT_BUF_INIT;
        tut_sparkline(one, SPARK, s->term.unicode, &spark);
        tut_table_cell_z(t, TUT_STYLE_PLAIN, one->name);
        tut_table_cell_z(t, TUT_STYLE_DIM,
                         one->is_learnt ? tut_bank_kind_name(one->bank.kind) : "learning");
        tut_table_cellf(t, TUT_STYLE_PLAIN, "%llu", (unsigned long long)one->seen);
        tut_table_cellf(t, TUT_STYLE_PLAIN, "%llu", (unsigned long long)one->missing);
        tut_table_cellf(t, one->alarms ? TUT_STYLE_BAD : TUT_STYLE_PLAIN, "%llu",
                        (unsigned long long)one->alarms);
        tut_table_cell(t, TUT_STYLE_PLAIN, tut_buf_str(&spark));
    }
    if (s->alarms + s->cleared)
        tut_buf_add_z(&s->out, "\n");
    TUT_TRY(tut_table_print(t, &s->term, 0, &s->out));
    tut_monitor_sums sums = tut_monitor_sum(m);
    tut_buf_printf(&s->out, "\n%zu streams, %llu events, %llu alarms, %llu over.", count,
                   (unsigned long long)sums.events, (unsigned long long)s->alarms,
                   (unsigned long long)s->cleared);
    if (sums.late)
        tut_buf_printf(&s->out, " %llu events came too late and were left out.",
                       (unsigned long long)sums.late);
    if (sums.learning)
        tut_buf_printf(&s->out, " %zu streams are still learning.", sums.learning);
    tut_buf_add_z(&s->out, "\n");
    return tut_buf_check(&s->out, err);
}

static void put_streams(const tut_monitor *m, tut_json *j)
{
    tut_json_key(j, "streams");
    tut_json_array(j);
    for (size_t i = 0; i < tut_monitor_count(m) && i < 1000; i++) {
        const tut_series *one = tut_monitor_at(m, i);
        tut_json_object(j);
        tut_json_put_z(j, "name", one->name);
        tut_json_put_z(j, "kind", one->is_learnt ? tut_bank_kind_name(one->bank.kind) : "learning");
        tut_json_put_u64(j, "events", one->seen);
        tut_json_put_u64(j, "missing", one->missing);
        tut_json_put_u64(j, "alarms", one->alarms);
        tut_json_put_u64(j, "learnt", one->bank.learnt);
        tut_json_key(j, "mean");
        tut_json_real(j, one->bank.mean);
        tut_json_end_object(j);
    }
    tut_json_end_array(j);
}

static tut_status write_body(const tut_watch_sink *s, const tut_monitor *m, tut_buf *body,
                             tut_error *err)
{
    TUT_AUTO(tut_json) j = NULL;
    tut_monitor_sums sums = tut_monitor_sum(m);
    TUT_TRY(tut_json_new(body, &j));
    tut_json_object(j);
    tut_json_put_z(j, "schema", "tutela.watch-observed/1");
    tut_json_put_u64(j, "events", sums.events);
    tut_json_put_u64(j, "missing", sums.missing);
    tut_json_put_u64(j, "late", sums.late);
    tut_json_put_u64(j, "alarms", s->alarms);
    tut_json_put_u64(j, "cleared", s->cleared);
    tut_json_put_u64(j, "learning", sums.learning);
    put_streams(m, j);
    tut_json_end_object(j);
    return tut_json_finish(j, err);
}

/* That the watching went on is what the evidence says: an alarm that was told is no failure of it.
 * Nothing is recorded where no stream was learnt. */
static tut_status record(tut_watch_sink *s, const tut_monitor *m, int64_t from_ms, bool at_end,
                         tut_error *err)
{
    TUT_CLEAN(tut_buf) body = TUT_BUF_INIT;
    const char *as = tut_args_get(s->args, "--as");
    char check[48], statement[400];
    uint64_t index = 0;
    tut_monitor_sums sums = tut_monitor_sum(m);
    size_t learnt = tut_monitor_count(m) - sums.learning;
    if (learnt == 0) {
        if (at_end)
            fputs("tutela: nothing was recorded: no stream has been learnt yet\n", stderr);
        return TUT_SUCCESS;
    }
    TUT_TRY(write_body(s, m, &body, err));
    (void)snprintf(check, sizeof(check), "watch.%s", as ? as : "analysis");
    (void)snprintf(statement, sizeof(statement),
                   "%zu streams were watched over %llu events; %llu alarms were raised, %llu are "
                   "over; %llu values were missing.",
                   learnt, (unsigned long long)sums.events, (unsigned long long)s->alarms,
                   (unsigned long long)s->cleared, (unsigned long long)sums.missing);
    bool is_untold = s->tell.failed > 0;
    const tut_attestation a = {.check = check,
                               .result = is_untold ? TUT_RESULT_FAIL : TUT_RESULT_PASS,
                               .statement = statement,
                               .body = tut_buf_span(&body),
                               .from = from_ms / 1000,
                               .to = tut_time_now()};
    const char *system = s->args->system ? s->args->system : s->dir;
    bool is_new = true;
    if (!at_end)
        return tut_attest_daily(system, s->state, &a, &index, &is_new, err);
    TUT_TRY(tut_attest(system, s->state, &a, &index, err));
    if (!s->is_json)
        tut_buf_printf(&s->out, "Recorded as entry %llu: %s, %s.\n", (unsigned long long)index,
                       check, tut_result_name(a.result));
    return TUT_SUCCESS;
}

tut_status tut_watch_sink_note(tut_watch_sink *s, const tut_monitor *m, int64_t from_ms,
                               tut_error *err)
{
    return s->state ? record(s, m, from_ms, false, err) : TUT_SUCCESS;
}

tut_status tut_watch_sink_close(tut_watch_sink *s, const tut_monitor *m, int64_t from_ms,
                                tut_error *err)
{
    if (!s->is_json && !s->args->quiet)
        TUT_TRY(add_table(s, m, err));
    return s->state ? record(s, m, from_ms, true, err) : TUT_SUCCESS;
}
