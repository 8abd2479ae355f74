/* tutela pack receipt: the operator signs that the findings of tests in a pack were received. */
#include <string.h>

#include "base/fs.h"
#include "cmd/pack_view.h"
#include "cmd/signer.h"
#include "pack/receipt_give.h"
#include "pack/trust.h"

static const tut_option options[] = {
    {"--trust", TUT_OPTION_LIST, "KEY|POLICY", "the developer's log, as pack verify takes it"},
    {"--timestamp-ca", TUT_OPTION_VALUE, "ROOTS.pem", "whose time-stamps are believed"},
    {"--by", TUT_OPTION_VALUE, "PERSON", "who received it, as enrolled in the developer's log"},
    {"--signing-key", TUT_OPTION_VALUE, "KEY",
     "the person's key: FILE, ssh-agent:[KEY] or pkcs11:URI; default: the key made here for --by"},
    {"--passphrase-file", TUT_OPTION_VALUE, "FILE", "its first line opens the key"},
    {"--output", TUT_OPTION_VALUE, "RECEIPT.json", "where to write it; default FILE.receipt.json"},
    {NULL, TUT_OPTION_FLAG, NULL, NULL},
};

static tut_status print_json(const tut_receipt_given *g, const char *key_id, const char *path,
                             tut_buf *out, tut_error *err)
{
    const tut_receipt *r = &g->says;
    TUT_AUTO(tut_json) j = NULL;
    TUT_TRY(tut_json_new(out, &j));
    tut_json_head(j, TUT_RECEIPT_SCHEMA, tut_time_generated());
    tut_json_key(j, "summary");
    tut_json_object(j);
    tut_json_put_z(j, "receipt", path);
    tut_pack_view_receipt(r, key_id, j);
    tut_json_put_str(j, "system", tut_json_get_text(g->pack.summary, "system"));
    tut_json_put_str(j, "trust", tut_json_get_text(g->pack.summary, "trust"));
    tut_json_end_object(j);
    tut_pack_findings_json(r->findings, r->finding_count, j);
    tut_json_end_object(j);
    TUT_TRY(tut_json_finish(j, err));
    tut_buf_add_z(out, "\n");
    return tut_buf_check(out, err);
}

static tut_status print_text(const tut_receipt_given *g, const char *key_id, const char *path,
                             tut_buf *out, tut_error *err)
{
    const tut_receipt *r = &g->says;
    char at[TUT_TIME_TEXT];
    tut_time_people(r->evaluated_at, at);
    tut_buf_add_escaped(out, tut_json_get_text(g->pack.summary, "system"), 100);
    tut_buf_printf(out, ", the verdict at %s: ", at);
    if (r->finding_count == 0)
        tut_buf_add_z(out, "the pack holds no findings of tests.\n");
    else
        tut_buf_printf(out, "the pack holds %zu finding%s of tests.\n", r->finding_count,
                       r->finding_count == 1 ? "" : "s");
    for (size_t i = 0; i < r->finding_count; i++) {
        const tut_pack_finding *f = &r->findings[i];
        tut_buf_printf(out, "  #%-6llu ", (unsigned long long)f->entry);
        tut_buf_add_escaped(out, f->check, 60);
        tut_buf_add_z(out, "  ");
        tut_buf_add_escaped(out, f->subject, 100);
        tut_buf_printf(out, "  %s\n", tut_result_name(f->result));
    }
    tut_buf_add_z(out, "Receipt  ");
    tut_buf_add_escaped(out, tut_str_of(path), 400);
    tut_buf_add_z(out, ", by ");
    tut_buf_add_escaped(out, r->by, 100);
    tut_buf_printf(out, ", key %.12s.\n", key_id);
    if (r->finding_count)
        tut_buf_add_z(out, "Next     give it to the developer: tutela pack handed RECEIPT.json\n");
    return tut_buf_check(out, err);
}

static tut_status give(const tut_args *args, tut_receipt_given *given, tut_buf *out, tut_error *err)
{
    TUT_CLEAN(tut_pack_trusting) trusting = {.keys = NULL};
    TUT_AUTO_FREE char *dir = NULL;
    TUT_AUTO_FREE char *state = NULL;
    TUT_AUTO_FREE char *usual = tut_asprintf("%s.receipt.json", args->positional[0]);
    TUT_AUTO(tut_key) key = NULL;
    const char *path = tut_args_get(args, "--output");
    tut_receipt_order order = {
        .path = args->positional[0], .by = tut_args_get(args, "--by"), .at = tut_time_now()};
    if (!order.by || !order.by[0])
        return tut_fail(err, TUT_USAGE, "pack receipt needs --by: who received the pack");
    if (!usual)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    TUT_TRY(tut_pack_view_trust(args, &trusting, err));
    TUT_TRY(tut_cmd_locate(args, NULL, &dir, &state, err));
    TUT_TRY(tut_signer_open_at(args, state, order.by, &key, err));
    tut_pack_trust trust = tut_pack_trust_of(&trusting);
    order.trust = &trust;
    order.key = key;
    TUT_TRY(tut_receipt_give(&order, given, err));
    path = path ? path : usual;
    TUT_TRY(tut_fs_write(path, tut_buf_span(&given->file), 0644, err));
    const char *id = tut_pubkey_id(tut_key_public(key));
    return strcmp(args->format, "json") == 0 ? print_json(given, id, path, out, err)
                                             : print_text(given, id, path, out, err);
}

static int run(const tut_args *args)
{
    TUT_CLEAN(tut_receipt_given) given = {.file = TUT_BUF_INIT};
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    tut_error err = {0};
    tut_status status = give(args, &given, &out, &err);
    if (!tut_is_ok(status)) {
        (void)tut_cmd_fail(&err);
        return status.code == TUT_DENIED ? TUT_EXIT_FOUND : TUT_EXIT_FAILED;
    }
    return tut_cmd_output(&out, given.says.finding_count ? TUT_EXIT_OK : TUT_EXIT_DOUBT);
}

const tut_command tut_cmd_pack_receipt = {
    .name = "pack receipt",
    .arguments = "FILE",
    .summary = "Sign for the findings of tests that a pack holds, as the operator who got it",
    .help =
        "Verifies the pack by the developer's key that you got from elsewhere, and writes a "
        "receipt: a DSSE envelope about its pack.json, with every finding of a test (tutela probe) "
        "that it holds, signed with your key. It takes no described system here. The developer, in "
        "whose log you are enrolled as operator, takes it with tutela pack handed; so 5.2.5-3 is "
        "met there.\n\n"
        "Exit status: 0 the receipt is written; 1 the pack is refused; 2 could not answer; 3 the "
        "receipt is written, and the pack holds no findings.",
    .formats = "table json",
    .options = options,
    .least = 1,
    .most = 1,
    .run = run,
};
