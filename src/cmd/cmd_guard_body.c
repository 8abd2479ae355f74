/* tutela guard body: what was asked and answered in one exchange, where it is kept. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "assess/tool.h"
#include "base/cage.h"
#include "cmd/guard_find.h"
#include "cmd/guard_here.h"
#include "cmd/people_act.h"
#include "cmd/signer.h"
#include "crypto/base64.h"
#include "crypto/openssl.h"
#include "guard/bodies.h"
#include "guard/exchange.h"
#include "ledger/bodies.h"

static const tut_option options[] = {
    {"--reason", TUT_OPTION_VALUE, "TEXT", "what it is read for; it is part of the log"},
    {"--part", TUT_OPTION_VALUE, "request|answer", "its bytes alone, as they are"},
    TUT_SIGNER_OPTIONS,
    {NULL, TUT_OPTION_FLAG, NULL, NULL},
};

typedef struct reading {
    const tut_args *args;
    tut_ledger_view view;
    tut_shown_entry shown;
    char id[TUT_EXCHANGE_ID], dir[1024];
    tut_bodies_place place;
    tut_bodies_pair pair;
    tut_buf request, answer;
    uint64_t index; /* of the entry that says that it was read */
} reading;

static void reading_done(reading *r)
{
    tut_wipe(r->request.data, r->request.cap);
    tut_wipe(r->answer.data, r->answer.cap);
    tut_buf_done(&r->request);
    tut_buf_done(&r->answer);
    tut_shown_entry_done(&r->shown);
    tut_ledger_view_done(&r->view);
}

/* --- where it is, by the log --- */
static tut_status take_event(reading *r, const tut_json_value *e, tut_error *err)
{
    const tut_json_value *bodies = tut_json_get(e, "bodies");
    tut_str lost = tut_json_get_text(e, "bodies_lost"), prompt = tut_json_get_text(e, "prompt");
    if (lost.len)
        return tut_fail(err, TUT_STORE, "of this exchange nothing is kept: %.*s", (int)lost.len,
                        lost.data);
    if (!bodies)
        return tut_fail(err, TUT_USAGE,
                        "of this exchange nothing is kept: audit_bodies of its policy was none, or "
                        "it was refused before it was read");
    tut_str_copy(r->id, sizeof(r->id), tut_json_get_text(e, "id"));
    tut_str_copy(r->place.day, sizeof(r->place.day), tut_json_get_text(bodies, "day"));
    TUT_TRY(tut_sha256_parse(tut_json_get_text(bodies, "sha256"), &r->place.digest));
    r->pair.id = r->id;
    return prompt.len ? tut_sha256_parse(prompt, &r->pair.prompt) : TUT_SUCCESS;
}

static tut_status find(reading *r, tut_error *err)
{
    uint64_t index = 0;
    TUT_TRY(tut_guard_find_exchange(r->args, r->args->positional[0], &r->view, &index, err));
    TUT_TRY(tut_shown_entry_read(r->view.log, index, NULL, &r->shown, err));
    TUT_TRY(take_event(r, tut_json_get(tut_json_root(r->shown.entry.outer), "event"), err));
    if (!r->view.place.keys)
        return tut_fail(err, TUT_DENIED, "the keys of this log are not here");
    (void)snprintf(r->dir, sizeof(r->dir), "%s/guard", r->view.state);
    return tut_bodies_get(r->dir, r->view.place.keys, &r->place, &r->pair, &r->request, &r->answer,
                          err);
}

/* --- that it is read --- */
static tut_status say(reading *r, tut_error *err)
{
    char name[64];
    const char *by = tut_args_get(r->args, "--by");
    tut_tool_digests tool;
    TUT_AUTO(tut_records) records = NULL;
    TUT_AUTO(tut_key) key = NULL;
    __attribute__((cleanup(tut_ledger_close_auto))) tut_ledger *ledger = NULL;
    if (by)
        TUT_TRY(tut_signer_find(r->args, r->view.state, &by, &records, &key, err));
    TUT_TRY(tut_tool_get_digests(&tool, err));
    (void)snprintf(name, sizeof(name), "exchange/%s", r->id);
    tut_subject subject = {.name = name, .digest = r->place.digest};
    tut_record record = {.type = TUT_RECORD_EVENT,
                         .at = tut_time_now(),
                         .check = TUT_BODY_READ_EVENT,
                         .subjects = &subject,
                         .subject_count = 1,
                         .actor = by ? by : "tool",
                         .statement = tut_args_get(r->args, "--reason"),
                         .tool_binary = tool.binary,
                         .tool_catalogue = tool.catalogue,
                         .tool_rules = tool.rules};
    const tut_key *keys[] = {key};
    TUT_TRY(tut_ledger_open(r->view.state, true, &ledger, err));
    TUT_TRY(key ? tut_ledger_append_signed(ledger, &record, keys, 1, err)
                : tut_ledger_append(ledger, &record, 1, err));
    r->index = record.index;
    return TUT_SUCCESS;
}

/* --- what is shown --- */
static void add_text(tut_buf *out, const char *name, const tut_buf *text, bool is_cut)
{
    tut_buf_printf(out, "%s, %zu bytes%s\n", name, text->len, is_cut ? ", cut" : "");
    tut_str rest = tut_buf_str(text);
    while (rest.len) { /* line by line: a line's end is the only control that counts */
        const char *end = memchr(rest.data, '\n', rest.len);
        size_t len = end ? (size_t)(end - rest.data) : rest.len;
        tut_buf_add_z(out, "  ");
        tut_buf_add_escaped(out, (tut_str){rest.data, len}, SIZE_MAX);
        tut_buf_add_z(out, "\n");
        len += end ? 1 : 0;
        rest = (tut_str){rest.data + len, rest.len - len};
    }
    tut_buf_add_z(out, "\n");
}

/* Bytes that are no UTF-8 are no JSON text. */
static void put_text(tut_json *j, const char *name, const tut_buf *text, bool is_cut)
{
    tut_json_key(j, name);
    tut_json_object(j);
    tut_json_put_u64(j, "bytes", text->len);
    tut_json_put_bool(j, "cut", is_cut);
    if (tut_utf8_valid(tut_buf_str(text))) {
        tut_json_put_str(j, "text", tut_buf_str(text));
    } else {
        TUT_CLEAN(tut_buf) base64 = TUT_BUF_INIT;
        tut_base64_add(&base64, tut_buf_span(text));
        tut_json_put_str(j, "base64", tut_buf_str(&base64));
    }
    tut_json_end_object(j);
}

static tut_status compose(const reading *r, tut_buf *out, tut_error *err)
{
    const char *part = tut_args_get(r->args, "--part");
    if (part) {
        const tut_buf *one = strcmp(part, "request") == 0 ? &r->request : &r->answer;
        tut_buf_add(out, one->data, one->len);
        return tut_buf_check(out, err);
    }
    if (strcmp(r->args->format, "json") != 0) {
        tut_buf_printf(out, "Exchange %s; that it was read is entry %llu of the ledger.\n\n", r->id,
                       (unsigned long long)r->index);
        add_text(out, "Request", &r->request, r->pair.is_request_cut);
        add_text(out, "Answer", &r->answer, r->pair.is_answer_cut);
        return tut_buf_check(out, err);
    }
    TUT_AUTO(tut_json) j = NULL;
    TUT_TRY(tut_json_new(out, &j));
    tut_json_head(j, "tutela.guard-body/1", tut_time_generated());
    tut_json_key(j, "summary");
    tut_json_object(j);
    tut_json_put_z(j, "id", r->id);
    tut_json_put_z(j, "day", r->place.day);
    tut_json_put_u64(j, "read_entry", r->index);
    tut_json_end_object(j);
    put_text(j, "request", &r->request, r->pair.is_request_cut);
    put_text(j, "answer", &r->answer, r->pair.is_answer_cut);
    tut_json_end_object(j);
    TUT_TRY(tut_json_finish(j, err));
    tut_buf_add_z(out, "\n");
    return tut_buf_check(out, err);
}

static tut_status read_body(reading *r, tut_buf *out, tut_error *err)
{
    const char *part = tut_args_get(r->args, "--part");
    const char *reason = tut_args_get(r->args, "--reason");
    if (part && strcmp(part, "request") != 0 && strcmp(part, "answer") != 0)
        return tut_fail(err, TUT_USAGE, "--part is request or answer");
    if (!reason || !reason[0])
        return tut_fail(err, TUT_USAGE, "--reason says what it is read for; it is part of the log");
    TUT_TRY(find(r, err));
    TUT_TRY(say(r, err)); /* before anything of it is shown */
    return compose(r, out, err);
}

static int run(const tut_args *args)
{
    __attribute__((cleanup(reading_done))) reading r = {.args = args};
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    tut_error err = {0};
    tut_interrupt_install();
    if (!tut_is_ok(read_body(&r, &out, &err)))
        return tut_cmd_fail(&err);
    int status = tut_cmd_output(&out, TUT_EXIT_OK);
    tut_wipe(out.data, out.cap);
    return status;
}

const tut_command tut_cmd_guard_body = {
    .name = "guard body",
    .arguments = "ID",
    .summary = "What was asked and answered in one exchange, where the policy keeps it",
    .help =
        "Where audit_bodies of the policy is sealed, requests and answers are kept encrypted for "
        "retention_days, then their key is deleted. ID is the X-Tutela-Id of the answer, or its "
        "first eight digits. That it was read, by whom and what for, is in the log before anything "
        "is shown. Needs the keys of the log.\n\n"
        "tutela guard body 3f2a0c11 --by Ada --reason \"complaint of 28 November\"",
    .formats = "table json",
    .options = options,
    .least = 1,
    .most = 1,
    .run = run,
};
