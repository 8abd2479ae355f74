/* tutela ledger verify: the whole ledger looked at, or one proof checked without any ledger. */
#include <string.h>
#include <unistd.h>

#include "assess/attest.h"
#include "cmd/ledger_view.h"
#include "cmd/vouching.h"
#include "ledger/proof.h"
#include "state/audit.h"

enum { VKEY_BYTES_MAX = 4096 };

static const tut_option options[] = {
    {"--checkpoint", TUT_OPTION_VALUE, "SAVED",
     "a checkpoint kept elsewhere: the log must continue it"},
    {"--key", TUT_OPTION_VALUE, "VKEY",
     "the log's verifier key, or a file that holds it, from elsewhere"},
    {"--policy", TUT_OPTION_VALUE, "FILE",
     "whose witnesses must have cosigned the log, instead of tutela.yaml's policy.witnesses"},
    {"--ca", TUT_OPTION_VALUE, "ROOT.pem",
     "whose time-stamps are believed, instead of tutela.yaml's policy.timestamp_ca"},
    {"--proof", TUT_OPTION_VALUE, "FILE", "check this proof (of ledger prove) and nothing else"},
    {"--entry", TUT_OPTION_VALUE, "FILE", "the entry that the proof is of"},
    {"--record", TUT_OPTION_FLAG, NULL, "record that it verified, as evidence; at most once a day"},
    {NULL, TUT_OPTION_FLAG, NULL, NULL},
};

/* A vkey as it is, or the first line of a file. */
static tut_status read_key(const char *text, tut_verifier *ret, tut_error *err)
{
    TUT_CLEAN(tut_buf) bytes = TUT_BUF_INIT;
    if (tut_is_ok(tut_verifier_parse(tut_str_of(text), ret, NULL)))
        return TUT_SUCCESS;
    if (strchr(text, '+') && access(text, F_OK) != 0)
        return tut_verifier_parse(tut_str_of(text), ret, err);
    TUT_TRY(tut_ledger_view_file(text, VKEY_BYTES_MAX, &bytes, err));
    tut_str line = tut_buf_str(&bytes);
    const char *end = memchr(line.data, '\n', line.len);
    if (end)
        line.len = (size_t)(end - line.data);
    tut_error_set_path(err, text);
    return tut_verifier_parse(tut_str_trim(line), ret, err);
}

/* --- one proof --- */

static tut_status check_proof(const tut_args *args, const tut_verifier *key, tut_buf *out,
                              bool *ret_holds, tut_error *err)
{
    TUT_CLEAN(tut_buf) bytes = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) entry = TUT_BUF_INIT;
    const char *entry_file = tut_args_get(args, "--entry");
    tut_proof proof;
    tut_checkpoint text = {.size = 0};
    tut_error why = {0};
    if (!key || !entry_file)
        return tut_fail(err, TUT_USAGE, "--proof needs --key and --entry");
    TUT_TRY(tut_ledger_view_file(tut_args_get(args, "--proof"), TUT_PROOF_BYTES_MAX, &bytes, err));
    TUT_TRY(tut_ledger_view_file(entry_file, TUT_LOG_ENTRY_MAX, &entry, err));
    tut_status status = tut_proof_parse(tut_buf_str(&bytes), &proof, &why);
    if (tut_is_ok(status))
        status = tut_proof_check(&proof, tut_buf_span(&entry), key, 1, &text, &why);
    *ret_holds = tut_is_ok(status);
    if (strcmp(args->format, "json") == 0) {
        TUT_AUTO(tut_json) j = NULL;
        TUT_CLEAN(tut_buf) origin = TUT_BUF_INIT;
        TUT_TRY(tut_json_new(out, &j));
        tut_buf_add_str(&origin, text.origin);
        tut_ledger_head(j, tut_buf_z(&origin), text.size, &text.root);
        tut_json_end_object(j);
        tut_json_key(j, "checks");
        tut_json_array(j);
        tut_json_object(j);
        tut_json_put_z(j, "name", "proof");
        tut_json_put_bool(j, "ok", *ret_holds);
        tut_json_put_z(j, "detail", *ret_holds ? "the entry is in the signed tree" : why.text);
        tut_json_end_object(j);
        tut_json_end_array(j);
        tut_json_end_object(j);
        TUT_TRY(tut_json_finish(j, err));
        tut_buf_add_z(out, "\n");
        return TUT_SUCCESS;
    }
    if (*ret_holds)
        tut_buf_printf(out, "The entry is number %llu of %llu in %.*s.\n",
                       (unsigned long long)proof.number, (unsigned long long)text.size,
                       (int)text.origin.len, text.origin.data);
    else
        tut_buf_printf(out, "The proof does not hold: %s.\n", why.text);
    return tut_buf_check(out, err);
}

/* --- the ledger --- */

/* That the ledger of a described system verified is evidence, once a day. */
typedef struct recorded {
    bool is_there, is_new;
    uint64_t index;
    tut_error why; /* it could not be recorded */
} recorded;

static void put_checks(const tut_audit *audit, tut_json *j)
{
    tut_json_key(j, "checks");
    tut_json_array(j);
    for (size_t i = 0; i < audit->count; i++) {
        tut_json_object(j);
        tut_json_put_z(j, "name", audit->checks[i].name);
        tut_json_put_bool(j, "ok", audit->checks[i].holds);
        tut_json_put_z(j, "detail", audit->checks[i].detail);
        tut_json_end_object(j);
    }
    tut_json_end_array(j);
}

static tut_status write_body(const tut_audit *audit, tut_buf *out, tut_error *err)
{
    TUT_AUTO(tut_json) j = NULL;
    TUT_TRY(tut_json_new(out, &j));
    tut_json_object(j);
    tut_json_put_z(j, "schema", "tutela.ledger-verify/1");
    tut_json_put_z(j, "origin", audit->origin);
    tut_json_put_u64(j, "size", audit->size);
    tut_json_key(j, "root");
    tut_json_sha256(j, audit->root.bytes);
    tut_json_put_z(j, "rests_on", audit->rests_on);
    put_checks(audit, j);
    tut_json_end_object(j);
    return tut_json_finish(j, err);
}

static tut_status attest(const tut_args *args, const tut_audit *audit, recorded *ret,
                         tut_error *err)
{
    TUT_AUTO_FREE char *dir = NULL;
    TUT_AUTO_FREE char *state = NULL;
    TUT_CLEAN(tut_buf) body = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    TUT_TRY(tut_cmd_locate(args, NULL, &dir, &state, err));
    if (!state)
        return TUT_SUCCESS;
    tut_buf_printf(&text, "All %zu checks of the ledger held, over %llu entries; %s.", audit->count,
                   (unsigned long long)audit->size, audit->rests_on);
    TUT_TRY(write_body(audit, &body, err));
    const tut_attestation a = {.check = "ledger.verify",
                               .result = TUT_RESULT_PASS,
                               .statement = tut_buf_z(&text),
                               .body = tut_buf_span(&body)};
    if (!a.statement)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    TUT_TRY(tut_attest_daily(args->system ? args->system : dir, state, &a, &ret->index,
                             &ret->is_new, err));
    ret->is_there = true;
    return TUT_SUCCESS;
}

/* The answer is about the ledger; that nothing could be recorded is told, and changes it not. */
static void record(const tut_args *args, const tut_audit *audit, recorded *ret)
{
    if (audit->holds && !audit->is_unvouched && audit->size > 0 && tut_args_has(args, "--record"))
        TUT_IGNORE(attest(args, audit, ret, &ret->why));
}

static tut_status print_json(const tut_audit *audit, const recorded *r, tut_buf *out,
                             tut_error *err)
{
    TUT_AUTO(tut_json) j = NULL;
    TUT_TRY(tut_json_new(out, &j));
    tut_ledger_head(j, audit->origin, audit->size, &audit->root);
    tut_json_put_bool(j, "ok", audit->holds);
    tut_json_put_bool(j, "anchored", audit->trust != TUT_TRUST_OWN_KEY);
    tut_json_put_z(j, "trust", tut_trust_name(audit->trust));
    tut_json_put_z(j, "rests_on", audit->rests_on);
    if (audit->proven.is_there) {
        tut_json_put_time(j, "proven_time", audit->proven.at);
        tut_json_put_u64(j, "proven_size", audit->proven.size);
    } else {
        tut_json_put_or_null(j, "proven_time", TUT_LIT(""));
        tut_json_put_or_null(j, "proven_size", TUT_LIT(""));
    }
    tut_json_key(j, "recorded");
    if (r->is_there)
        tut_json_u64(j, r->index);
    else
        tut_json_null(j);
    tut_json_end_object(j);
    put_checks(audit, j);
    tut_json_end_object(j);
    TUT_TRY(tut_json_finish(j, err));
    tut_buf_add_z(out, "\n");
    return TUT_SUCCESS;
}

static void print_text(const tut_args *args, const tut_audit *audit, const recorded *r,
                       tut_buf *out)
{
    tut_term term;
    size_t failed = 0;
    tut_term_detect(STDOUT_FILENO, args->color, &term);
    tut_buf_printf(out, "%s, %llu %s\n", audit->origin, (unsigned long long)audit->size,
                   audit->size == 1 ? "entry" : "entries");
    for (size_t i = 0; i < audit->count; i++) {
        const tut_audit_check *c = &audit->checks[i];
        failed += !c->holds;
        tut_buf_add_z(out, "  ");
        tut_term_text(
            &term, out, c->holds ? TUT_STYLE_GOOD : TUT_STYLE_BAD,
            tut_str_of(tut_term_glyph(&term, c->holds ? TUT_GLYPH_TICK : TUT_GLYPH_CROSS)));
        tut_buf_printf(out, " %-10s  ", c->name);
        tut_term_wrap(&term, out, 16, tut_str_of(c->detail));
    }
    if (failed)
        tut_term_printf(&term, out, TUT_STYLE_BAD, "%zu of %zu checks failed", failed,
                        audit->count);
    else
        tut_term_printf(&term, out, TUT_STYLE_GOOD, "All %zu checks hold", audit->count);
    tut_buf_printf(out, "; %s.\n", audit->rests_on);
    if (r->is_there)
        tut_buf_printf(out, "%s as entry %llu.\n",
                       r->is_new ? "Recorded" : "That is recorded, less than a day ago,",
                       (unsigned long long)r->index);
    else if (r->why.text[0])
        tut_buf_printf(out, "That could not be recorded: %s.\n", r->why.text);
}

/* A description that cannot be read is no reason not to look at the ledger. */
static tut_status read_vouchers(const tut_args *args, tut_vouchers *v, tut_buf *unread,
                                tut_error *err)
{
    tut_error why = {0};
    TUT_TRY(tut_vouching_given(args, v, err));
    tut_status status = tut_vouching_described(args, v, &why);
    if (status.code == TUT_NOMEM)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    if (!tut_is_ok(status))
        tut_buf_printf(unread, "%s%s%s", why.path, why.path[0] ? ": " : "", why.text);
    return tut_buf_check(unread, err);
}

static tut_status look(const tut_args *args, const tut_verifier *key, tut_buf *out, bool *ret_holds,
                       bool *ret_doubt, tut_error *err)
{
    TUT_AUTO_FREE char *state = NULL;
    TUT_AUTO(tut_audit) audit = NULL;
    TUT_CLEAN(tut_buf) saved = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) unread = TUT_BUF_INIT;
    TUT_CLEAN(tut_vouchers) vouchers = {0};
    const char *checkpoint = tut_args_get(args, "--checkpoint");
    if (tut_args_has(args, "--entry"))
        return tut_fail(err, TUT_USAGE, "--entry goes with --proof");
    TUT_TRY(tut_ledger_view_find(args, &state, err));
    TUT_TRY(read_vouchers(args, &vouchers, &unread, err));
    if (checkpoint)
        TUT_TRY(tut_ledger_view_file(checkpoint, TUT_NOTE_BYTES_MAX, &saved, err));
    tut_audit_options how = {.state_dir = state,
                             .key = key,
                             .saved = checkpoint ? (saved.len ? (const char *)saved.data : "")
                                                 : NULL,
                             .saved_len = saved.len,
                             .policy = vouchers.policy,
                             .authorities = vouchers.trust,
                             .unread = unread.len ? tut_buf_z(&unread) : NULL};
    TUT_TRY(tut_audit_run(&how, &audit, err));
    *ret_holds = audit->holds;
    *ret_doubt = audit->is_unvouched;
    recorded r = {0};
    record(args, audit, &r);
    if (strcmp(args->format, "json") == 0)
        return print_json(audit, &r, out, err);
    print_text(args, audit, &r, out);
    return tut_buf_check(out, err);
}

static int run(const tut_args *args)
{
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    TUT_CLEAN(tut_verifier) key = {.id = 0};
    const char *given = tut_args_get(args, "--key");
    tut_error err = {0};
    bool holds = false;
    bool is_doubtful = false;
    tut_status status = given ? read_key(given, &key, &err) : TUT_SUCCESS;
    if (tut_is_ok(status))
        status = tut_args_has(args, "--proof")
                     ? check_proof(args, given ? &key : NULL, &out, &holds, &err)
                     : look(args, given ? &key : NULL, &out, &holds, &is_doubtful, &err);
    if (!tut_is_ok(status))
        return tut_cmd_fail(&err);
    return tut_cmd_output(&out, !holds        ? TUT_EXIT_FOUND
                                : is_doubtful ? TUT_EXIT_DOUBT
                                              : TUT_EXIT_OK);
}

const tut_command tut_cmd_ledger_verify = {
    .name = "ledger verify",
    .summary = "Look at the whole ledger: every byte, signature, body and number",
    .help = "Finds and names bytes that were altered, entries that are gone, a log that was "
            "sealed again, rolled back or split, signatures by keys that do not count, missing "
            "bodies and gaps in producers' numbers. With only this machine's own key a ledger "
            "shows to be of one piece; a --key or --checkpoint kept elsewhere, witnesses and "
            "time-stamps show more (docs/witnesses.md). Nothing is written, but by --record: "
            "that it verified is evidence of 5.4.2-1.\n\n"
            "Exit status: 0 all holds; 1 something is wrong; 2 could not answer; 3 all holds, but "
            "only the log itself says so (its key is not here, and no --key or witness was given).",
    .formats = "table json",
    .options = options,
    .run = run,
};
