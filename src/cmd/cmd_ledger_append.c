/* tutela ledger append: JSON lines from a file or a pipe, one event each. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/json_write.h"
#include "base/limits.h"
#include "cmd/ledger_place.h"

enum { READ_BYTES = 64 << 10, LINES_MAX = 4096 };

static const tut_option options[] = {
    {"--log", TUT_OPTION_VALUE, "evidence|traffic", "which log (default: evidence)"},
    {"--kind", TUT_OPTION_VALUE, "KIND", "kind of the events, of a-z 0-9 . _ - (default: note)"},
    TUT_OPTION_PASSPHRASE_FILE,
    {NULL, TUT_OPTION_FLAG, NULL, NULL},
};

typedef struct appending {
    tut_sequencer *client;
    tut_log_name log;
    const char *kind, *producer;
    bool is_json;
    tut_buf text;   /* read and not yet appended */
    uint64_t lines; /* passed so far, for messages */
    uint64_t seq;   /* of the next entry */
    tut_buf *out;
    tut_json *j;
    tut_submission items[LINES_MAX];
    uint64_t item_lines[LINES_MAX];
    uint64_t indexes[LINES_MAX];
    size_t count;
    int exit_status;
} appending;

static void tell(appending *a, uint64_t line, uint64_t index)
{
    if (!a->is_json) {
        tut_buf_printf(a->out, "%llu\n", (unsigned long long)index);
        return;
    }
    tut_json_object(a->j);
    tut_json_put_u64(a->j, "line", line);
    tut_json_put_u64(a->j, "index", index);
    tut_json_end_object(a->j);
}

static tut_status append_some(appending *a, size_t first, size_t count, tut_error *err)
{
    TUT_TRY(tut_sequencer_append(a->client, a->items + first, count, a->indexes + first, err));
    for (size_t i = first; i < first + count; i++)
        tell(a, a->item_lines[i], a->indexes[i]);
    if (!a->is_json) { /* whoever feeds us line by line hears as it goes */
        a->exit_status = tut_cmd_output(a->out, a->exit_status);
        tut_buf_clear(a->out);
    }
    return TUT_SUCCESS;
}

/* Together; or, when that is refused, one after the other, so that the line at fault is named and
 * those before it are kept. */
static tut_status append_items(appending *a, tut_error *err)
{
    size_t count = a->count;
    tut_error why = {0};
    a->count = 0;
    if (count == 0)
        return TUT_SUCCESS;
    tut_status status = append_some(a, 0, count, &why);
    bool is_refused = status.code == TUT_MALFORMED || status.code == TUT_LIMIT;
    for (size_t i = 0; i < count && is_refused; i++) {
        status = append_some(a, i, 1, &why);
        if (!tut_is_ok(status))
            return tut_fail(err, status.code, "line %llu: %s", (unsigned long long)a->item_lines[i],
                            why.text);
    }
    return tut_is_ok(status) ? status : tut_fail(err, status.code, "%s", why.text);
}

static tut_status take_line(appending *a, tut_str line, tut_error *err)
{
    line = tut_str_trim(line);
    a->lines++;
    if (line.len == 0)
        return TUT_SUCCESS;
    a->item_lines[a->count] = a->lines;
    a->items[a->count++] = (tut_submission){.log = a->log,
                                            .kind = a->kind,
                                            .producer = a->producer,
                                            .seq = a->seq++,
                                            .payload = tut_span_of(line.data, line.len)};
    return a->count == LINES_MAX ? append_items(a, err) : TUT_SUCCESS;
}

/* Every whole line that is here; the rest of the text too when is_end. */
static tut_status take_lines(appending *a, bool is_end, tut_error *err)
{
    tut_str rest = tut_buf_str(&a->text);
    const char *end;
    while ((end = rest.len ? memchr(rest.data, '\n', rest.len) : NULL)) {
        size_t len = (size_t)(end - rest.data);
        TUT_TRY(take_line(a, (tut_str){rest.data, len}, err));
        rest = (tut_str){end + 1, rest.len - len - 1};
    }
    if (is_end && rest.len > 0) {
        TUT_TRY(take_line(a, rest, err));
        rest.len = 0;
    }
    TUT_TRY(append_items(a, err));
    if (rest.len > TUT_LOG_ENTRY_MAX)
        return tut_fail(err, TUT_LIMIT, "line %llu is longer than an entry may be (%d bytes)",
                        (unsigned long long)a->lines + 1, TUT_LOG_ENTRY_MAX);
    if (rest.len > 0)
        memmove(a->text.data, rest.data, rest.len);
    a->text.len = rest.len;
    return TUT_SUCCESS;
}

/* What arrives together is appended together: a slow pipe's lines are durable as they come. */
static tut_status append_all(appending *a, int fd, tut_error *err)
{
    for (;;) {
        size_t before = a->text.len;
        uint8_t *to = tut_buf_extend(&a->text, READ_BYTES);
        if (!to)
            return tut_fail(err, TUT_NOMEM, "memory ran out");
        ssize_t got = read(fd, to, READ_BYTES);
        a->text.len = before + (got > 0 ? (size_t)got : 0);
        if (got < 0 && errno == EINTR && !tut_interrupted())
            continue;
        if (got < 0 && errno != EINTR)
            return tut_fail_errno(err, errno, "cannot be read");
        TUT_TRY(take_lines(a, got <= 0, err));
        if (got <= 0 || tut_interrupted())
            return TUT_SUCCESS;
    }
}

static tut_status open_input(const tut_args *args, int *ret_fd, tut_error *err)
{
    const char *path = args->positional_count ? args->positional[0] : "-";
    if (strcmp(path, "-") == 0) {
        *ret_fd = STDIN_FILENO;
        return TUT_SUCCESS;
    }
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        tut_error_set_path(err, path);
        return tut_fail_errno(err, errno, "cannot be opened");
    }
    *ret_fd = fd;
    return TUT_SUCCESS;
}

static void begin_json(appending *a, const char *origin)
{
    tut_json_head(a->j, "tutela.ledger/1", tut_time_generated());
    tut_json_key(a->j, "summary");
    tut_json_object(a->j);
    tut_json_put_z(a->j, "origin", origin);
    tut_json_put_z(a->j, "log", tut_log_names[a->log]);
    tut_json_put_z(a->j, "kind", a->kind);
    tut_json_end_object(a->j);
    tut_json_key(a->j, "items");
    tut_json_array(a->j);
}

static tut_status end_json(appending *a, tut_error *err)
{
    tut_json_end_array(a->j);
    tut_json_end_object(a->j);
    TUT_TRY(tut_json_finish(a->j, err));
    tut_buf_add_z(a->out, "\n");
    return tut_buf_check(a->out, err);
}

static tut_status append(appending *a, const tut_ledger_place *place, int fd, tut_error *err)
{
    tut_sequencer_options o = tut_ledger_place_options(place);
    a->producer = place->producer;
    TUT_TRY(tut_sequencer_connect(&o, &a->client, err));
    tut_status status = append_all(a, fd, err);
    tut_status closed = tut_sequencer_close(&a->client, tut_is_ok(status) ? err : NULL);
    return tut_is_ok(status) ? closed : status;
}

/* What was appended is told also when something after it failed. */
static tut_status run_with(const tut_args *args, appending *a, tut_error *err)
{
    TUT_CLEAN(tut_ledger_place) place = {0};
    int fd = -1;
    TUT_TRY(open_input(args, &fd, err));
    tut_status status = tut_ledger_place_find(args, &place, err);
    if (tut_is_ok(status) && a->is_json)
        begin_json(a, place.origin);
    if (tut_is_ok(status)) {
        status = append(a, &place, fd, err);
        if (a->is_json) {
            tut_status ended = end_json(a, tut_is_ok(status) ? err : NULL);
            status = tut_is_ok(status) ? ended : status;
        }
    }
    if (fd != STDIN_FILENO)
        (void)close(fd);
    return status;
}

static int run(const tut_args *args)
{
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    TUT_AUTO(tut_json) j = NULL;
    TUT_AUTO_FREE appending *a = tut_alloc_array(1, sizeof(*a));
    tut_error err = {0};
    const char *log = tut_args_get(args, "--log");
    const char *kind = tut_args_get(args, "--kind");
    if (!a || !tut_is_ok(tut_json_new(&out, &j))) {
        TUT_IGNORE(tut_fail(&err, TUT_NOMEM, "memory ran out"));
        return tut_cmd_fail(&err);
    }
    a->log = log && strcmp(log, "traffic") == 0 ? TUT_LOG_TRAFFIC : TUT_LOG_EVIDENCE;
    a->kind = kind ? kind : "note";
    a->is_json = strcmp(args->format, "json") == 0;
    a->out = &out;
    a->j = j;
    tut_status status = run_with(args, a, &err);
    tut_buf_done(&a->text);
    int exit_status = tut_is_ok(status) ? a->exit_status : tut_cmd_fail(&err);
    return tut_cmd_output(&out, exit_status);
}

const tut_command tut_cmd_ledger_append = {
    .name = "ledger append",
    .arguments = "[FILE | -]",
    .summary = "Append events, one JSON object a line, and print the index of each",
    .help =
        "Each line becomes one entry of the log, with the time, the kind and who you are; it is "
        "on the disk and under a signed checkpoint when its index is printed. Lines that arrive "
        "together are written together. A line that is no JSON object, or too long, ends the "
        "command; those before it stay.",
    .formats = "table json",
    .options = options,
    .most = 1,
    .run = run,
};
