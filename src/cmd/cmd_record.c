/* tutela record: a document that people stand behind, kept by its digest until its end date. */
#include <string.h>

#include "assess/diligence.h"
#include "base/json_write.h"
#include "cmd/command.h"
#include "cmd/signer.h"
#include "cmd/survey.h"
#include "state/records.h"

static const tut_option options[] = {
    {"--asset", TUT_OPTION_VALUE, "ASSET",
     "the document is about this asset, as it is now: due diligence (5.1.2-4, 5.1.2-7)"},
    {"--template", TUT_OPTION_FLAG, NULL,
     "with --asset: print the form that is to be filled in, and record nothing"},
    {"--statement", TUT_OPTION_VALUE, "TEXT", "what the document shows, in one sentence"},
    {"--by", TUT_OPTION_VALUE, "PERSON", "who says so"},
    {"--evidence", TUT_OPTION_VALUE, "FILE", "the document; its bytes are kept"},
    {"--expires", TUT_OPTION_VALUE, "DATE", "when it ends (with --asset: at the latest)"},
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

static tut_status find_clause(const tut_args *args, const tut_clause **ret_clause, tut_error *err)
{
    const char *clause = args->positional[0];
    const tut_clause *clauses;
    TUT_TRY(tut_catalogue_load(&clauses, err));
    *ret_clause = tut_catalogue_find(tut_str_of(clause));
    if (!*ret_clause)
        return tut_fail(err, TUT_USAGE, "no provision is called \"%s\"; they look like 5.2.4-1.2",
                        clause);
    return TUT_SUCCESS;
}

static tut_status parse_expires(const char *expires, tut_time *ret_time, tut_error *err)
{
    if (tut_is_ok(tut_time_parse(tut_str_of(expires), ret_time)))
        return TUT_SUCCESS;
    return tut_fail(err, TUT_USAGE, "--expires takes a date such as 2027-06-30, not \"%s\"",
                    expires);
}

static tut_status describe(const tut_args *args, tut_declaration *d, tut_error *err)
{
    const char *expires = tut_args_get(args, "--expires");
    TUT_TRY(find_clause(args, &d->clause, err));
    d->statement = tut_args_get(args, "--statement");
    d->by = tut_args_get(args, "--by");
    d->file = tut_args_get(args, "--evidence");
    if (!d->statement || !d->by || !d->file || !expires)
        return tut_fail(err, TUT_USAGE, "record needs --statement, --by, --evidence and --expires");
    if (!d->statement[0] || !d->by[0])
        return tut_fail(err, TUT_USAGE, "--statement and --by must say something");
    d->at = tut_time_now();
    return parse_expires(expires, &d->expires, err);
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

/* --- about one asset --- */

static const tut_inventory_item *find_item(const tut_inventory *inv, const char *id)
{
    for (size_t i = 0; i < inv->count; i++)
        if (strcmp(inv->items[i].id, id) == 0)
            return &inv->items[i];
    return NULL;
}

/* The asset as it is now, and that the provision asks for it. */
static tut_status choose(const tut_args *args, const tut_survey *s, tut_diligence *d,
                         tut_error *err)
{
    const char *id = tut_args_get(args, "--asset");
    tut_str clause = d->clause->id;
    d->want = tut_clause_asset_want(d->clause);
    if (!d->want)
        return tut_fail(err, TUT_USAGE,
                        "%.*s is not decided by documents about single assets; leave out --asset",
                        (int)clause.len, clause.data);
    d->item = find_item(s->inventory, id);
    if (!d->item || !d->item->declared)
        return tut_fail(err, TUT_USAGE, "no asset \"%s\" is declared; tutela inventory lists them",
                        id);
    const tut_asset *a = d->item->declared;
    if (!d->item->has_digest || d->item->state == TUT_ASSET_MISSING)
        return tut_fail(err, TUT_USAGE, "%s is not there, so nothing can be said of its bytes", id);
    if (!tut_want_asks(d->want, a->kind, a->origin, a->sensitivity, a->is_shared))
        return tut_fail(err, TUT_USAGE,
                        "%.*s does not ask for %s (origin: %.*s, sensitivity: %.*s)",
                        (int)clause.len, clause.data, id, (int)a->origin.len, a->origin.data,
                        (int)a->sensitivity.len, a->sensitivity.data);
    return TUT_SUCCESS;
}

static tut_status describe_asset(const tut_args *args, tut_diligence *d, tut_error *err)
{
    const char *expires = tut_args_get(args, "--expires");
    bool is_template = tut_args_has(args, "--template");
    TUT_TRY(find_clause(args, &d->clause, err));
    d->statement = tut_args_get(args, "--statement");
    d->by = tut_args_get(args, "--by");
    d->file = tut_args_get(args, "--evidence");
    d->at = tut_time_now();
    if (is_template && d->file)
        return tut_fail(err, TUT_USAGE, "--template prints a form, --evidence takes one");
    if (!is_template && (!d->by || !d->by[0] || !d->file))
        return tut_fail(err, TUT_USAGE, "record --asset needs --by and --evidence, or --template");
    return expires ? parse_expires(expires, &d->expires, err) : TUT_SUCCESS;
}

static tut_status print_asset(const tut_args *args, const tut_diligence *d, uint64_t index,
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
        tut_json_put_z(j, "asset", d->item->id);
        tut_json_key(j, "digest");
        tut_json_sha256(j, d->item->digest.bytes);
        tut_json_put_z(j, "actor", d->by);
        tut_json_put_time(j, "expires", d->expires);
        tut_json_put_bool(j, "counts", d->signer != NULL);
        tut_json_put_z(j, "key", d->signer ? tut_pubkey_id(tut_key_public(d->signer)) : NULL);
        tut_json_end_object(j);
        tut_json_end_object(j);
        TUT_TRY(tut_json_finish(j, err));
        tut_buf_add_z(out, "\n");
        return tut_buf_check(out, err);
    }
    char day[TUT_TIME_TEXT];
    tut_time_date(d->expires, day);
    tut_buf_printf(out, "Recorded #%llu for %.*s: due diligence on %s as it is now, by ",
                   (unsigned long long)index, (int)d->clause->id.len, d->clause->id.data,
                   d->item->id);
    tut_buf_add_escaped(out, tut_str_of(d->by), 200);
    tut_buf_printf(out, ", until %s.\n", day);
    if (!d->signer)
        tut_buf_add_z(out, "Self-declared: it is kept, and counts once a registered person signs "
                           "(tutela people enrol).\n");
    else if (d->want->signers > 1)
        tut_buf_printf(out, "Signed. The provision wants %u registered people.\n",
                       d->want->signers);
    else
        tut_buf_add_z(out, "Signed.\n");
    return tut_buf_check(out, err);
}

static tut_status act_on_asset(const tut_args *args, tut_buf *out, tut_error *err)
{
    tut_diligence d = {0};
    TUT_TRY(describe_asset(args, &d, err));
    tut_args here = *args;
    here.positional_count = 0; /* the provision is no directory */
    TUT_AUTO(tut_survey) s = NULL;
    TUT_AUTO(tut_records) records = NULL;
    TUT_AUTO(tut_key) key = NULL;
    uint64_t index;
    TUT_TRY(tut_survey_run(&here, &s, err));
    if (!s->system)
        return tut_fail(err, TUT_USAGE, "no tutela.yaml is here; tutela init writes one");
    TUT_TRY(choose(args, s, &d, err));
    if (tut_args_has(args, "--template"))
        return tut_diligence_template(&d, s->inventory, s->state, out, err);
    TUT_TRY(tut_signer_find(args, s->state, &d.by, &records, &key, err));
    d.signer = key;
    TUT_TRY(tut_diligence_record(s->state, &d, &index, err));
    return print_asset(args, &d, index, out, err);
}

static int run_asset(const tut_args *args)
{
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    tut_error err = {0};
    if (!tut_is_ok(act_on_asset(args, &out, &err)))
        return tut_cmd_fail(&err);
    return tut_cmd_output(&out, TUT_EXIT_OK);
}

static int run(const tut_args *args)
{
    if (tut_args_has(args, "--asset"))
        return run_asset(args);
    if (tut_args_has(args, "--template"))
        return tut_cmd_usage(args, "--template needs --asset: which one the form is about");
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
        "without, it counts as self-declared. No record made by hand satisfies what wants a test. "
        "With "
        "--asset the document is due diligence on one asset from outside: it is examined for what "
        "it "
        "has to say, bound to the digest that the asset has now, and ends on the day until which "
        "it "
        "says the asset is accepted.",
    .formats = "table json",
    .options = options,
    .least = 1,
    .most = 1,
    .run = run,
};
