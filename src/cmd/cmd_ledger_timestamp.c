/* tutela ledger timestamp: RFC 3161 time-stamps of the evidence log's checkpoint. */
#include <string.h>

#include "base/fs.h"
#include "base/json_write.h"
#include "base/limits.h"
#include "cmd/ledger_evidence.h"
#include "cmd/vouching.h"
#include "ledger/post.h"
#include "ledger/timestamp.h"

static const tut_option options[] = {
    {"--url", TUT_OPTION_VALUE, "URL", "ask this time-stamp authority over HTTP"},
    {"--request", TUT_OPTION_VALUE, "FILE", "write the request to FILE, to be sent by other means"},
    {"--response", TUT_OPTION_VALUE, "FILE", "take the authority's answer to such a request"},
    {"--ca", TUT_OPTION_VALUE, "ROOT.pem",
     "roots of the authorities that are believed, instead of those of tutela.yaml; without any, "
     "times are kept, not verified"},
    {NULL, TUT_OPTION_FLAG, NULL, NULL},
};

typedef struct stamping {
    const tut_args *args;
    tut_ledger_evidence evidence;
    tut_vouchers vouchers;
    tut_buf *out;
    tut_json *j; /* NULL: text */
    size_t count;
    bool has_bad, has_unverified;
} stamping;

static void stamping_done(stamping *s)
{
    tut_ledger_evidence_done(&s->evidence);
    tut_vouchers_done(&s->vouchers);
    tut_json_free(s->j);
}

/* ---- what is kept ---- */

static void show_json(stamping *s, uint64_t size, const tut_tsp_token *token, const char *why)
{
    tut_json_object(s->j);
    tut_json_put_u64(s->j, "size", size);
    tut_json_put_bool(s->j, "ok", why == NULL);
    tut_json_put_bool(s->j, "trusted", token->is_trusted);
    if (token->at)
        tut_json_put_time(s->j, "at", token->at);
    else
        tut_json_put_or_null(s->j, "at", TUT_LIT(""));
    tut_json_put_or_null(s->j, "authority", tut_str_of(token->authority));
    tut_json_put_or_null(s->j, "serial", tut_str_of(token->serial));
    tut_json_put_or_null(s->j, "why", tut_str_of(why));
    tut_json_end_object(s->j);
}

static void show_text(stamping *s, uint64_t size, const tut_tsp_token *token, const char *why)
{
    char at[TUT_TIME_TEXT];
    tut_buf_printf(s->out, "%llu entries: ", (unsigned long long)size);
    if (why) {
        tut_buf_add_escaped(s->out, tut_str_of(why), TUT_ERROR_TEXT_MAX);
    } else {
        tut_time_people(token->at, at);
        tut_buf_printf(s->out, "%s", at);
        if (token->is_trusted) {
            tut_buf_add_z(s->out, ", by ");
            tut_buf_add_escaped(s->out, tut_str_of(token->authority), 200);
        } else {
            tut_buf_add_z(s->out, ", not verified (--ca ROOT.pem)");
        }
    }
    tut_buf_add_z(s->out, "\n");
}

static void found(void *ctx, const tut_timestamp_kept *kept, bool *ret_enough)
{
    stamping *s = ctx;
    (void)ret_enough;
    s->count++;
    s->has_bad = s->has_bad || kept->why;
    s->has_unverified = s->has_unverified || !kept->token.is_trusted;
    if (s->j)
        show_json(s, kept->size, &kept->token, kept->why);
    else
        show_text(s, kept->size, &kept->token, kept->why);
}

/* ---- asking ---- */

static tut_status take(stamping *s, tut_span response, tut_error *err)
{
    tut_tsp_token token;
    uint64_t size;
    return tut_timestamp_take(s->evidence.dir, response, s->vouchers.trust, &token, &size, err);
}

static tut_status ask(stamping *s, const char *url, tut_error *err)
{
    TUT_CLEAN(tut_buf) request = TUT_BUF_INIT;
    TUT_CLEAN(tut_posted) posted = {0};
    uint64_t size;
    TUT_TRY(tut_timestamp_request(s->evidence.dir, tut_log_checkpoint(s->evidence.log), &size,
                                  &request, err));
    tut_post post = {
        .url = url, .content_type = "application/timestamp-query", .body = tut_buf_span(&request)};
    TUT_TRY(tut_post_send(&post, &posted, err));
    if (posted.status != 200 ||
        !tut_str_starts(tut_str_of(posted.content_type), TUT_LIT("application/timestamp-reply")))
        return tut_fail(
            err, TUT_IO, "%s is no time-stamp authority: it answered with HTTP status %d and %s",
            url, posted.status, posted.content_type[0] ? posted.content_type : "no type");
    return take(s, tut_buf_span(&posted.body), err);
}

static tut_status write_request(stamping *s, const char *path, tut_error *err)
{
    TUT_CLEAN(tut_buf) request = TUT_BUF_INIT;
    uint64_t size;
    TUT_TRY(tut_timestamp_request(s->evidence.dir, tut_log_checkpoint(s->evidence.log), &size,
                                  &request, err));
    return tut_fs_write(path, tut_buf_span(&request), 0644, err);
}

static tut_status read_response(stamping *s, const char *path, tut_error *err)
{
    TUT_CLEAN(tut_buf) response = TUT_BUF_INIT;
    TUT_TRY(tut_ledger_read_file(path, TUT_LIMIT_TSP_BYTES, &response, err));
    return take(s, tut_buf_span(&response), err);
}

static tut_status show_kept(stamping *s, tut_error *err)
{
    bool is_json = strcmp(s->args->format, "json") == 0;
    if (is_json) {
        TUT_TRY(tut_json_new(s->out, &s->j));
        tut_json_head(s->j, "tutela.timestamp/1", tut_time_generated());
        tut_json_key(s->j, "timestamps");
        tut_json_array(s->j);
    }
    tut_beside beside = tut_beside_dir(s->evidence.dir);
    TUT_TRY(tut_timestamp_each(&beside, s->evidence.log, s->vouchers.trust, found, s, err));
    if (!is_json) {
        if (s->count == 0)
            tut_buf_add_z(s->out, "No time-stamps are kept; --url URL asks for one.\n");
        return TUT_SUCCESS;
    }
    tut_json_end_array(s->j);
    tut_json_key(s->j, "summary");
    tut_json_object(s->j);
    tut_json_put_z(s->j, "origin", tut_ledger_log_origin(s->evidence.ledger));
    tut_json_put_u64(s->j, "size", tut_log_size(s->evidence.log));
    tut_json_put_u64(s->j, "count", s->count);
    tut_json_end_object(s->j);
    tut_json_end_object(s->j);
    TUT_TRY(tut_json_finish(s->j, err));
    tut_buf_add_z(s->out, "\n");
    return TUT_SUCCESS;
}

static tut_status work(stamping *s, tut_error *err)
{
    const char *url = tut_args_get(s->args, "--url");
    const char *request = tut_args_get(s->args, "--request");
    const char *response = tut_args_get(s->args, "--response");
    if (!!url + !!request + !!response > 1)
        return tut_fail(err, TUT_USAGE, "--url, --request and --response exclude each other");
    TUT_TRY(tut_vouching_one(s->args, TUT_VOUCHER_AUTHORITIES, &s->vouchers, err));
    TUT_TRY(tut_ledger_evidence_open(s->args, &s->evidence, err));
    if (url)
        TUT_TRY(ask(s, url, err));
    if (request) {
        TUT_TRY(write_request(s, request, err));
        return strcmp(s->args->format, "json") == 0 ? show_kept(s, err) : TUT_SUCCESS;
    }
    if (response)
        TUT_TRY(read_response(s, response, err));
    return show_kept(s, err);
}

static int run(const tut_args *args)
{
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    TUT_CLEAN(stamping) s = {.args = args, .out = &out};
    tut_error err = {0};
    if (!tut_is_ok(work(&s, &err)))
        return tut_cmd_fail(&err);
    if (tut_args_has(args, "--request")) /* asks, and judges nothing */
        return tut_cmd_output(&out, TUT_EXIT_OK);
    bool is_doubt = s.count == 0 || s.has_unverified;
    return tut_cmd_output(&out, s.has_bad  ? TUT_EXIT_FOUND
                                : is_doubt ? TUT_EXIT_DOUBT
                                           : TUT_EXIT_OK);
}

const tut_command tut_cmd_ledger_timestamp = {
    .name = "ledger timestamp",
    .arguments = "",
    .summary = "RFC 3161 time-stamps of the evidence log: ask for them, keep and verify them",
    .help =
        "A time-stamp authority signs that the log's checkpoint existed at a time, which shows it "
        "to those who trust the authority and not the log. Tokens are kept in "
        ".tutela/ledger/evidence/timestamps. Without --url, --request or --response those that "
        "are kept are verified: the token, its authority (--ca), and that the log still contains "
        "what was stamped. Exit status 1: one does not verify; 3: none is kept, or no --ca.\n"
        "Example: tutela ledger timestamp --url http://timestamp.example/tsr --ca root.pem",
    .formats = "table json",
    .options = options,
    .run = run,
};
