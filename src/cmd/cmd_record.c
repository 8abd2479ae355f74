/* tutela record: a document that people stand behind, kept by its digest until its end date. */
#include <string.h>

#include "assess/assessment.h"
#include "base/json_write.h"
#include "cmd/command.h"
#include "cmd/signer.h"
#include "state/records.h"

static const tut_option options[] = {
    {"--statement", TUT_OPTION_VALUE, "TEXT", "what the document shows, in one sentence"},
    {"--by", TUT_OPTION_VALUE, "PERSON", "who says so"},
    {"--evidence", TUT_OPTION_VALUE, "FILE", "the document; its bytes are kept"},
    {"--expires", TUT_OPTION_VALUE, "DATE", "when it ends; evidence without an end is no evidence"},
    {"--signing-key", TUT_OPTION_VALUE, "KEY",
     "the person's key: FILE, ssh-agent:[KEY] or pkcs11:URI; default: the key made here for --by"},
    {"--passphrase-file", TUT_OPTION_VALUE, "FILE", "its first line opens the key"},
    {NULL, TUT_OPTION_FLAG, NULL, NULL},
};

static const char *effect_of(const tut_declaration *d)
{
    if (!d->signer)
        return tut_clause_takes_documents(d->clause) ? "Self-declared: it shows what people can "
                                                       "show, and does not stand in for tests "
                                                       "or signatures."
                                                     : "Self-declared: it is kept and shown, but "
                                                       "this provision is decided by tests or "
                                                       "signatures, so its verdict does not move.";
    return tut_clause_takes_documents(d->clause)
               ? "Signed: it shows what people can show, and does not stand in for tests."
               : "Signed: it is kept and shown, but this provision is decided by something else, "
                 "so "
                 "its verdict does not move.";
}

static tut_status describe(const tut_args *args, tut_declaration *d, tut_error *err)
{
    const char *clause = args->positional[0];
    const char *expires = tut_args_get(args, "--expires");
    const tut_clause *clauses;
    TUT_TRY(tut_catalogue_load(&clauses, err));
    d->clause = tut_catalogue_find(tut_str_of(clause));
    if (!d->clause)
        return tut_fail(err, TUT_USAGE, "no provision is called \"%s\"; they look like 5.2.4-1.2",
                        clause);
    d->statement = tut_args_get(args, "--statement");
    d->by = tut_args_get(args, "--by");
    d->file = tut_args_get(args, "--evidence");
    if (!d->statement || !d->by || !d->file || !expires)
        return tut_fail(err, TUT_USAGE, "record needs --statement, --by, --evidence and --expires");
    if (!d->statement[0] || !d->by[0])
        return tut_fail(err, TUT_USAGE, "--statement and --by must say something");
    if (!tut_is_ok(tut_time_parse(tut_str_of(expires), &d->expires)))
        return tut_fail(err, TUT_USAGE, "--expires takes a date such as 2027-06-30, not \"%s\"",
                        expires);
    d->at = tut_time_now();
    return TUT_SUCCESS;
}

static tut_status print(const tut_args *args, const tut_declaration *d, uint64_t index,
                        tut_buf *out, tut_error *err)
{
    if (strcmp(args->format, "json") == 0) {
        TUT_AUTO(tut_json) j = NULL;
        TUT_TRY(tut_json_new(out, &j));
        tut_json_head(j, "tutela.record/1", tut_time_generated());
        tut_json_key(j, "summary");
        tut_json_object(j);
        tut_json_put_u64(j, "index", index);
        tut_json_put_str(j, "clause", d->clause->id);
        tut_json_put_z(j, "actor", d->by);
        tut_json_put_time(j, "expires", d->expires);
        tut_json_put_bool(j, "counts", tut_clause_takes_documents(d->clause));
        tut_json_put_z(j, "key", d->signer ? tut_pubkey_id(tut_key_public(d->signer)) : NULL);
        tut_json_end_object(j);
        tut_json_end_object(j);
        TUT_TRY(tut_json_finish(j, err));
        tut_buf_add_z(out, "\n");
        return TUT_SUCCESS;
    }
    char day[TUT_TIME_TEXT];
    tut_time_date(d->expires, day);
    tut_buf_printf(out, "Recorded #%llu for %.*s, by ", (unsigned long long)index,
                   (int)d->clause->id.len, d->clause->id.data);
    tut_buf_add_escaped(out, tut_str_of(d->by), 200);
    tut_buf_printf(out, ", until %s.\n%s\n", day, effect_of(d));
    return TUT_SUCCESS;
}

static tut_status declare(const char *state, tut_declaration *d, const tut_key *key,
                          uint64_t *ret_index, tut_error *err)
{
    d->signer = key;
    return tut_assess_declare(state, d, ret_index, err);
}

static int run(const tut_args *args)
{
    TUT_AUTO_FREE char *dir = NULL;
    TUT_AUTO_FREE char *state = NULL;
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    tut_error err = {0};
    tut_declaration d = {0};
    TUT_AUTO(tut_records) records = NULL;
    TUT_AUTO(tut_key) key = NULL;
    uint64_t index;
    if (!tut_is_ok(describe(args, &d, &err)) ||
        !tut_is_ok(tut_cmd_locate(args, NULL, &dir, &state, &err)))
        return tut_cmd_fail(&err);
    if (!state) {
        tut_error_set_path(&err, dir);
        TUT_IGNORE(tut_fail(&err, TUT_USAGE,
                            "no tutela.yaml is here, and outside a described system "
                            "nothing is recorded; tutela init writes one"));
        return tut_cmd_fail(&err);
    }
    if (!tut_is_ok(tut_signer_find(args, state, &d.by, &records, &key, &err)) ||
        !tut_is_ok(declare(state, &d, key, &index, &err)) ||
        !tut_is_ok(print(args, &d, index, &out, &err)))
        return tut_cmd_fail(&err);
    return tut_cmd_output(&out, TUT_EXIT_OK);
}

const tut_command tut_cmd_record = {
    .name = "record",
    .arguments = "CLAUSE",
    .summary = "Keep a document as evidence for a provision that people have to answer for",
    .help =
        "Stores the bytes of --evidence by their digest and records what it is said to show, by "
        "whom, and until when. Where the person has a key (tutela people), it signs the record; "
        "without, it counts as self-declared. No record made by hand satisfies what wants a test.",
    .formats = "table json",
    .options = options,
    .least = 1,
    .most = 1,
    .run = run,
};
