/*
 * tutela guard test: recorded requests and answers through the policy, without a network. Each line
 * is read and decided in the cage; what comes back is JSON, which is read as anybody's.
 */
#include <stdio.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/limits.h"
#include "cmd/command.h"
#include "cmd/guard_record.h"
#include "guard/access.h"
#include "guard/replay.h"

typedef struct testing {
    tut_guard guard;
    tut_guard_policy policy;
    tut_system *system;
    tut_access *access;
    tut_json_doc **items; /* replies */
    size_t count, capacity, chunk_bytes;
    size_t differing, stopped, unscanned;
    size_t actions[TUT_GUARD_ACTION_COUNT];
} testing;

static const testing *at_hand; /* what the workers fork with: policy, rules, detector */

static void testing_done(testing *t)
{
    for (size_t i = 0; i < t->count; i++)
        tut_json_doc_free(t->items[i]);
    tut_free(t->items);
    tut_guard_done_with(&t->guard);
    tut_access_free(t->access);
    tut_system_free(t->system);
}

/* --- in the cage --- */
static tut_status replay_job(tut_cage_task *task, const tut_source *bytes, tut_span argument,
                             tut_buf *out, tut_error *err)
{
    tut_guard_replay r = {0};
    TUT_AUTO(tut_json) j = NULL;
    size_t number = 0, at = 0;
    (void)task;
    (void)bytes;
    while (at < argument.len && argument.data[at] != ' ') /* "12 {...}" */
        number = number * 10 + (size_t)(argument.data[at++] - '0');
    at += at < argument.len;
    TUT_TRY(tut_guard_replay_line(&at_hand->guard,
                                  tut_str_from(tut_span_of(argument.data + at, argument.len - at)),
                                  number, at_hand->chunk_bytes, &r, err));
    tut_status status = tut_json_new(out, &j);
    if (tut_is_ok(status)) {
        tut_guard_replay_json(&r, j);
        status = tut_json_finish(j, err);
    }
    tut_guard_replay_done(&r);
    return status;
}

/* --- what comes back --- */
static const char *why_not(tut_cage_outcome outcome)
{
    switch (outcome) {
    case TUT_CAGE_CRASHED:
        return "could not be decided: the worker died";
    case TUT_CAGE_TIMEOUT:
        return "took too long to decide";
    case TUT_CAGE_DONE:
    case TUT_CAGE_FAILED:
        break;
    }
    return "could not be decided";
}

static tut_guard_action action_of(const tut_json_value *item, const char *key, bool *ret_is_there)
{
    tut_guard_action action = TUT_GUARD_BLOCK;
    *ret_is_there = tut_guard_action_parse(tut_json_get_text(item, key), &action);
    return action;
}

static void count(testing *t, const tut_json_value *item)
{
    bool has_action, has_expect;
    tut_guard_action action = action_of(item, "action", &has_action);
    tut_guard_action expected = action_of(item, "expected", &has_expect);
    static const char *const sides[] = {"request", "answer"};
    size_t unscanned = 0;
    for (size_t i = 0; i < TUT_COUNT(sides); i++)
        unscanned += tut_json_count(tut_json_get(tut_json_get(item, sides[i]), "not_scanned"));
    t->actions[action]++;
    t->differing += has_expect && action != expected;
    t->stopped += !has_expect && action >= TUT_GUARD_HOLD;
    t->unscanned += unscanned > 0;
}

static tut_status on_reply(void *ctx, void *tag, tut_cage_outcome outcome, tut_span reply,
                           const tut_error *error, tut_error *err)
{
    testing *t = ctx;
    size_t number = (size_t)(uintptr_t)tag;
    tut_error bad = {0};
    if (outcome != TUT_CAGE_DONE)
        return tut_fail(err, outcome == TUT_CAGE_FAILED ? error->code : TUT_BUG, "line %zu: %s",
                        number, outcome == TUT_CAGE_FAILED ? error->text : why_not(outcome));
    TUT_TRY(tut_grow(&t->items, t->count, &t->capacity, sizeof(*t->items)));
    if (!tut_is_ok(tut_json_parse(reply, NULL, &t->items[t->count], &bad)))
        return tut_fail(err, TUT_BUG, "line %zu: %s", number, bad.text);
    count(t, tut_json_root(t->items[t->count++]));
    return TUT_SUCCESS;
}

static tut_status submit(testing *t, tut_cage *cage, tut_str line, size_t number, tut_error *err)
{
    TUT_CLEAN(tut_buf) argument = TUT_BUF_INIT;
    tut_buf_printf(&argument, "%zu ", number);
    tut_buf_add_str(&argument, line);
    TUT_TRY(tut_buf_check(&argument, err));
    tut_cage_request request = {.fd = -1,
                                .sibling_dirfd = -1,
                                .size = line.len,
                                .argument = tut_buf_span(&argument),
                                .tag = (void *)(uintptr_t)number};
    return tut_cage_submit(cage, &request, on_reply, t, err);
}

static tut_status read_lines(testing *t, tut_str text, tut_cage_mode mode, tut_error *err)
{
    TUT_AUTO(tut_cage) cage = NULL;
    tut_cage_options options = {.mode = mode};
    size_t number = 0;
    at_hand = t;
    TUT_TRY(tut_cage_open(replay_job, &options, &cage, err));
    while (text.len > 0) {
        const char *end = memchr(text.data, '\n', text.len);
        size_t len = end ? (size_t)(end - text.data) : text.len;
        number++;
        tut_str line = tut_str_trim((tut_str){text.data, len});
        if (line.len)
            TUT_TRY(submit(t, cage, line, number, err));
        len += end != NULL;
        text = (tut_str){text.data + len, text.len - len};
    }
    return tut_cage_drain(cage, on_reply, t, err);
}

/* --- for people --- */
static tut_style style_of(tut_guard_action a)
{
    switch (a) {
    case TUT_GUARD_BLOCK:
        return TUT_STYLE_BAD;
    case TUT_GUARD_HOLD:
    case TUT_GUARD_REDACT:
    case TUT_GUARD_FLAG:
        return TUT_STYLE_WARN;
    case TUT_GUARD_ALLOW:
    case TUT_GUARD_ACTION_COUNT:
        break;
    }
    return TUT_STYLE_PLAIN;
}

static void add_head(tut_table *t, const tut_json_value *item, bool is_first)
{
    bool has_action, has_expect;
    tut_guard_action action = action_of(item, "action", &has_action);
    tut_guard_action expected = action_of(item, "expected", &has_expect);
    tut_table_cell(t, TUT_STYLE_PLAIN, is_first ? tut_json_get_text(item, "id") : TUT_LIT(""));
    tut_table_cell(t, TUT_STYLE_DIM, is_first ? tut_json_get_text(item, "route") : TUT_LIT(""));
    if (is_first && has_expect && action != expected)
        tut_table_cellf(t, TUT_STYLE_BAD, "%s, not %s", tut_guard_action_name(action),
                        tut_guard_action_name(expected));
    else
        tut_table_cell_z(t, style_of(action), is_first ? tut_guard_action_name(action) : "");
}

static void add_reason(tut_table *t, const char *side, const tut_json_value *reason, tut_str word)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    static const char *const keys[] = {"where", "check", "detail"};
    tut_buf_add_z(&text, side);
    for (size_t i = 0; i < TUT_COUNT(keys); i++) {
        tut_buf_add_z(&text, i ? ": " : " ");
        tut_buf_add_str(&text, tut_json_get_text(reason, keys[i]));
    }
    tut_buf_printf(&text, " (%.*s)", (int)word.len, word.data);
    tut_table_cell(t, TUT_STYLE_PLAIN, tut_buf_str(&text));
}

static size_t add_reasons(tut_table *t, const tut_json_value *item, size_t rows, const char *side)
{
    const tut_json_value *d = tut_json_get(item, side);
    const tut_json_value *reasons = tut_json_get(d, "reasons");
    const tut_json_value *unscanned = tut_json_get(d, "not_scanned");
    bool is_told_only = !tut_str_eq(tut_json_get_text(d, "action"), tut_json_get_text(d, "would"));
    for (uint32_t i = 0; i < tut_json_count(reasons); i++, rows++) {
        const tut_json_value *reason = tut_json_item(reasons, i);
        tut_str word = tut_json_get_text(reason, "action");
        add_head(t, item, rows == 0);
        add_reason(t, side, reason,
                   is_told_only && !tut_str_eq_z(word, "flag") ? TUT_LIT("monitored") : word);
    }
    for (uint32_t i = 0; i < tut_json_count(unscanned); i++, rows++) {
        add_head(t, item, rows == 0);
        add_reason(t, side, tut_json_item(unscanned, i), TUT_LIT("not scanned"));
    }
    return rows;
}

static bool calls(const tut_json_value *item, tut_str name)
{
    const tut_json_value *called = tut_json_get(item, "called");
    for (uint32_t i = 0; i < tut_json_count(called); i++)
        if (tut_str_eq(tut_json_text(tut_json_item(called, i)), name))
            return true;
    return false;
}

static size_t callers(const testing *t, tut_str name)
{
    size_t n = 0;
    for (size_t k = 0; k < t->count; k++)
        n += calls(tut_json_root(t->items[k]), name);
    return n;
}

static void add_summary(const testing *t, tut_buf *out)
{
    char hex[TUT_SHA256_HEX];
    tut_sha256_hex(&t->policy.version, hex);
    tut_buf_printf(out, "\n%zu exchanges under policy %.12s: ", t->count, hex);
    for (unsigned a = 0; a < TUT_GUARD_ACTION_COUNT; a++)
        tut_buf_printf(out, "%s%zu %s", a ? ", " : "", t->actions[a],
                       tut_guard_action_name((tut_guard_action)a));
    tut_buf_printf(out, ".\n");
    if (t->differing)
        tut_buf_printf(out, "%zu are not as expected.\n", t->differing);
    if (t->unscanned)
        tut_buf_printf(out, "%zu hold parts that were not scanned.\n", t->unscanned);
    for (size_t i = 0; i < t->policy.tool_count; i++) {
        const tut_guard_tool *tool = &t->policy.tools[i];
        if (callers(t, tool->name) == 0)
            tut_buf_printf(out, "Tool %.*s (%s) is declared and was not called.\n",
                           (int)tool->name.len, tool->name.data, tut_tool_class_name(tool->type));
    }
}

static tut_status compose_table(const testing *t, const tut_args *args, tut_buf *out,
                                tut_error *err)
{
    tut_term term;
    TUT_AUTO(tut_table) table = NULL;
    tut_term_detect(STDOUT_FILENO, args->color, &term);
    TUT_TRY(tut_table_new(4, &table));
    tut_table_column(table, 0, "Exchange", TUT_LEFT, false);
    tut_table_column(table, 1, "Route", TUT_LEFT, false);
    tut_table_column(table, 2, "Done", TUT_LEFT, false);
    tut_table_column(table, 3, "Why", TUT_LEFT, true);
    for (size_t i = 0; i < t->count; i++) {
        const tut_json_value *item = tut_json_root(t->items[i]);
        size_t rows = add_reasons(table, item, 0, "request");
        rows = add_reasons(table, item, rows, "answer");
        if (rows == 0) {
            add_head(table, item, true);
            tut_table_cell_z(table, TUT_STYLE_PLAIN, "");
        }
    }
    TUT_TRY(tut_table_print(table, &term, 0, out));
    add_summary(t, out);
    return tut_buf_check(out, err);
}

/* --- for machines --- */
static void tools_json(const testing *t, tut_json *j)
{
    tut_json_key(j, "tools");
    tut_json_array(j);
    for (size_t i = 0; i < t->policy.tool_count; i++) {
        const tut_guard_tool *tool = &t->policy.tools[i];
        tut_json_object(j);
        tut_json_put_str(j, "name", tool->name);
        tut_json_put_z(j, "class", tut_tool_class_name(tool->type));
        tut_json_put_u64(j, "exchanges", callers(t, tool->name));
        tut_json_end_object(j);
    }
    tut_json_end_array(j);
}

static tut_status compose_json(const testing *t, tut_buf *out, tut_error *err)
{
    TUT_AUTO(tut_json) j = NULL;
    TUT_TRY(tut_json_new(out, &j));
    tut_json_head(j, "tutela.guard-test/1", tut_time_generated());
    tut_json_key(j, "summary");
    tut_json_object(j);
    tut_json_put_u64(j, "exchanges", t->count);
    tut_json_put_u64(j, "differing", t->differing);
    tut_json_put_u64(j, "stopped", t->stopped);
    tut_json_put_u64(j, "not_scanned", t->unscanned);
    tut_json_key(j, "policy");
    tut_json_sha256(j, t->policy.version.bytes);
    tools_json(t, j);
    tut_json_end_object(j);
    tut_json_key(j, "exchanges");
    tut_json_array(j);
    for (size_t i = 0; i < t->count; i++)
        TUT_TRY(tut_guard_copy(tut_json_root(t->items[i]), j, err));
    tut_json_end_array(j);
    tut_json_end_object(j);
    TUT_TRY(tut_json_finish(j, err));
    tut_buf_add_z(out, "\n");
    return tut_buf_check(out, err);
}

/* Where the description is bad the place is shown, as other commands do. */
static tut_status load_policy(const tut_args *args, testing *t, tut_error *err)
{
    TUT_CLEAN(tut_buf) shown = TUT_BUF_INIT;
    tut_status status = tut_system_load(args->system ? args->system : ".", &t->system, &shown, err);
    if (tut_is_ok(status))
        status = tut_guard_policy_read(t->system, &t->policy, &shown, err);
    if (!tut_is_ok(status) && shown.len) {
        fwrite(shown.data, 1, shown.len, stderr);
        err->is_told = true;
    }
    TUT_TRY(status);
    TUT_TRY(tut_guard_open(&t->policy, &t->guard, err));
    TUT_TRY(tut_access_new(&t->policy, t->system->dir, &t->access, err));
    t->guard.access = t->access;
    return TUT_SUCCESS;
}

static tut_status test(const tut_args *args, testing *t, tut_buf *out, tut_error *err)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    const char *chunk = tut_args_get(args, "--chunk");
    uint64_t bytes = 0;
    if (chunk && (!tut_str_u64(tut_str_of(chunk), &bytes) || bytes == 0))
        return tut_fail(err, TUT_USAGE, "--chunk takes a number of bytes");
    t->chunk_bytes = (size_t)bytes;
    TUT_TRY(load_policy(args, t, err));
    TUT_TRY(tut_fs_read(args->positional[0], TUT_LIMIT_JSON_BYTES, &text, err));
    TUT_TRY(read_lines(t, tut_buf_str(&text), args->sandbox, err));
    TUT_CLEAN(tut_buf) told = TUT_BUF_INIT;
    if (tut_args_has(args, "--record"))
        TUT_TRY(tut_guard_record(args, &t->policy, t->items, t->count, &told, err));
    if (strcmp(args->format, "json") == 0)
        return compose_json(t, out, err);
    TUT_TRY(compose_table(t, args, out, err));
    tut_buf_add_str(out, tut_buf_str(&told));
    return tut_buf_check(out, err);
}

static int run(const tut_args *args)
{
    testing t = {0};
    tut_error err = {0};
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    tut_status status = test(args, &t, &out, &err);
    int exit_status = t.differing || t.stopped      ? TUT_EXIT_FOUND
                      : t.count == 0 || t.unscanned ? TUT_EXIT_DOUBT
                                                    : TUT_EXIT_OK;
    testing_done(&t);
    if (!tut_is_ok(status))
        return tut_cmd_fail(&err);
    return tut_cmd_output(&out, exit_status);
}

static const tut_option options[] = {
    {"--record", TUT_OPTION_FLAG, NULL,
     "record as evidence that what the policy does not declare was asked for and refused"},
    {"--chunk", TUT_OPTION_VALUE, "BYTES", "hand answers over in pieces of so many bytes"},
    {0},
};

const tut_command tut_cmd_guard_test = {
    .name = "guard test",
    .arguments = "FILE",
    .summary = "Replay recorded requests and answers through the policy, without a network",
    .help =
        "FILE holds one exchange a line: {\"id\", \"client\", \"request\": {\"path\", "
        "\"body\"}, \"answer\": {\"body\"} or {\"events\": [...]}, \"expect\"}. Each is decided "
        "as the guard: section of tutela.yaml says, and the reasons are told. Exit 1 when one "
        "is not as its line expects, or is held or blocked where its line expects nothing; 3 "
        "when parts were not scanned; docs/guard.md.",
    .formats = "table json",
    .options = options,
    .least = 1,
    .most = 1,
    .run = run,
};
