/* tutela pack assure: an outside owner's pack, as assurance for the risks that he owns. */
#include <string.h>

#include "cmd/pack_view.h"
#include "cmd/people_act.h"
#include "cmd/signer.h"
#include "govern/assurance.h"
#include "ledger/people.h"

static const tut_option options[] = {
    {"--trust", TUT_OPTION_LIST, "KEY|POLICY", "the owner's log, as pack verify takes it"},
    {"--timestamp-ca", TUT_OPTION_VALUE, "ROOTS.pem", "whose time-stamps are believed"},
    {"--for", TUT_OPTION_VALUE, "OWNER", "who owns the risk, as tutela.yaml names him"},
    {"--risk", TUT_OPTION_LIST, "RISK",
     "that it covers; default: all that tutela.yaml transfers to this owner"},
    {"--expires", TUT_OPTION_VALUE, "DATE", "until when it is relied on; at most a year"},
    {"--accept", TUT_OPTION_VALUE, "REASON",
     "why a pack is enough that shows too little for a grade"},
    TUT_SIGNER_OPTIONS,
    {NULL, TUT_OPTION_FLAG, NULL, NULL},
};

enum { RISKS_MAX = 1024 };

typedef struct assure {
    char *dir, *state;
    tut_system *system;
    tut_outside_owners owners;
    tut_pack_trusting trusting;
    tut_pack_trust trust;
    tut_records *records;
    tut_key *key;
    char *risks[RISKS_MAX];
    tut_assuring how;
    tut_assured found;
} assure;

static void assure_done(assure *a)
{
    for (size_t i = 0; i < a->how.risk_count; i++)
        tut_free(a->risks[i]);
    tut_assured_done(&a->found);
    tut_key_free(a->key);
    tut_records_free(a->records);
    tut_pack_trusting_done(&a->trusting);
    tut_outside_owners_done(&a->owners);
    tut_system_free(a->system);
    tut_free(a->dir);
    tut_free(a->state);
}

static tut_status load(assure *a, const tut_args *args, tut_error *err)
{
    tut_threat_policy policy;
    TUT_TRY(tut_cmd_locate(args, NULL, &a->dir, &a->state, err));
    if (!a->state)
        return tut_fail(err, TUT_USAGE, "no tutela.yaml is here; tutela init writes one");
    TUT_TRY(tut_system_load(args->system ? args->system : a->dir, &a->system, NULL, err));
    TUT_TRY(tut_threat_policy_read(a->system, &policy, NULL, err));
    return tut_outside_owners_find(a->system, &policy, &a->owners, err);
}

static bool owns(const assure *a, const char *risk)
{
    for (size_t i = 0; i < a->owners.count; i++)
        if (tut_str_eq_z(a->owners.items[i].name, a->how.owner) &&
            (!risk || tut_str_eq_z(a->owners.items[i].risk, risk)))
            return true;
    return false;
}

static tut_status add_risk(assure *a, tut_str risk, tut_error *err)
{
    if (a->how.risk_count == RISKS_MAX)
        return tut_fail(err, TUT_LIMIT, "at most %d risks at a time", RISKS_MAX);
    char *copy = tut_strndup(risk.data, risk.len);
    if (!copy)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    a->risks[a->how.risk_count++] = copy;
    return TUT_SUCCESS;
}

static tut_status find_risks(assure *a, const tut_args *args, tut_error *err)
{
    const char *word;
    for (size_t i = 0; (word = tut_args_nth(args, "--risk", i)) != NULL; i++) {
        if (!owns(a, word))
            return tut_fail(err, TUT_USAGE,
                            "tutela.yaml does not transfer %s to %s (threats.treatments)", word,
                            a->how.owner);
        TUT_TRY(add_risk(a, tut_str_of(word), err));
    }
    for (size_t i = 0; i < a->owners.count && !tut_args_has(args, "--risk"); i++) {
        const tut_outside_owner *o = &a->owners.items[i];
        if (o->risk.len && tut_str_eq_z(o->name, a->how.owner))
            TUT_TRY(add_risk(a, o->risk, err));
    }
    return TUT_SUCCESS;
}

static tut_status find_owner(assure *a, const tut_args *args, tut_error *err)
{
    a->how.owner = tut_args_get(args, "--for");
    a->how.accepted = tut_args_get(args, "--accept");
    const char *expires = tut_args_get(args, "--expires");
    if (!a->how.owner || !a->how.owner[0] || (a->how.accepted && !a->how.accepted[0]))
        return tut_fail(err, TUT_USAGE,
                        "assure needs --for OWNER, and --accept must say something");
    if (!owns(a, NULL))
        return tut_fail(err, TUT_USAGE,
                        "\"%s\" owns no risk here: tutela.yaml names owners in threats.treatments "
                        "(transfer), and as suppliers of services",
                        a->how.owner);
    if (expires && (!tut_is_ok(tut_time_parse(tut_str_of(expires), &a->how.expires)) ||
                    a->how.expires <= a->how.at))
        return tut_fail(err, TUT_USAGE, "--expires is a day to come, such as 2027-06-30");
    return find_risks(a, args, err);
}

static tut_status find_signer(assure *a, const tut_args *args, tut_error *err)
{
    const char *why = NULL;
    a->how.by = tut_args_get(args, "--by");
    if (!a->how.by || !a->how.by[0])
        return tut_fail(err, TUT_USAGE, "assure needs --by: the system operator who relies on it");
    TUT_TRY(tut_signer_find(args, a->state, &a->how.by, &a->records, &a->key, err));
    if (!a->key)
        return tut_fail(err, TUT_DENIED, "%s has no key here that counts", a->how.by);
    const tut_act act = {.roles = TUT_PERSON_OPERATOR, .index = a->records->log_size};
    if (!tut_people_may_sign(a->records->people, tut_pubkey_id(tut_key_public(a->key)), &act, NULL,
                             &why))
        return tut_fail(err, TUT_DENIED, "a system operator signs what he relies on: %s", why);
    a->how.signer = a->key;
    return TUT_SUCCESS;
}

static tut_status run_it(assure *a, const tut_args *args, tut_error *err)
{
    a->how = (tut_assuring){.path = args->positional[0], .at = tut_time_now()};
    tut_args here = *args;
    here.positional_count = 0; /* the pack is no directory */
    TUT_TRY(tut_pack_view_trust(args, &a->trusting, err));
    TUT_TRY(load(a, &here, err));
    TUT_TRY(find_owner(a, args, err));
    TUT_TRY(find_signer(a, args, err));
    a->trust = tut_pack_trust_of(&a->trusting);
    a->how.trust = &a->trust;
    a->how.state_dir = a->state;
    a->how.risks = (const char *const *)a->risks;
    return tut_assurance_record(&a->how, &a->found, err);
}

static tut_status print(const assure *a, const tut_args *args, tut_buf *out, tut_error *err)
{
    char day[TUT_TIME_TEXT];
    if (strcmp(args->format, "json") == 0) {
        TUT_AUTO(tut_json) j = NULL;
        TUT_TRY(tut_json_new(out, &j));
        tut_json_head(j, "tutela.pack-assured/1", tut_time_generated());
        tut_json_key(j, "summary");
        tut_json_object(j);
        tut_json_put_z(j, "owner", a->how.owner);
        tut_json_put_z(j, "result", tut_result_name(a->found.result));
        tut_json_put_u64(j, "index", a->found.index);
        tut_json_put_time(j, "expires", a->found.expires);
        tut_json_put_z(j, "actor", a->how.by);
        tut_json_put_z(j, "statement", a->found.words);
        tut_json_key(j, "risks");
        tut_json_array(j);
        for (size_t i = 0; i < a->how.risk_count; i++)
            tut_json_z(j, a->risks[i]);
        tut_json_end_array(j);
        tut_json_end_object(j);
        tut_json_end_object(j);
        TUT_TRY(tut_json_finish(j, err));
        tut_buf_add_z(out, "\n");
        return tut_buf_check(out, err);
    }
    tut_time_date(a->found.expires, day);
    tut_buf_printf(out, "%s\n", a->found.words);
    for (size_t i = 0; i < a->how.risk_count; i++) {
        tut_buf_add_z(out, "  ");
        tut_buf_add_escaped(out, tut_str_of(a->risks[i]), 200);
        tut_buf_add_byte(out, '\n');
    }
    tut_buf_printf(out, "Recorded #%llu for 5.1.3-3 (%s), signed by ",
                   (unsigned long long)a->found.index, tut_result_name(a->found.result));
    tut_buf_add_escaped(out, tut_str_of(a->how.by), TUT_PERSON_NAME_MAX);
    tut_buf_printf(out, ", until %s.\n", day);
    return tut_buf_check(out, err);
}

static int run(const tut_args *args)
{
    TUT_CLEAN(assure) a = {.dir = NULL};
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    tut_error err = {0};
    tut_status status = run_it(&a, args, &err);
    if (tut_is_ok(status))
        status = print(&a, args, &out, &err);
    if (!tut_is_ok(status)) {
        (void)tut_cmd_fail(&err);
        return status.code == TUT_DENIED ? TUT_EXIT_FOUND : TUT_EXIT_FAILED;
    }
    return tut_cmd_output(&out, a.found.result == TUT_RESULT_PASS ? TUT_EXIT_OK : TUT_EXIT_FOUND);
}

const tut_command tut_cmd_pack_assure = {
    .name = "pack assure",
    .arguments = "FILE",
    .summary = "Rely on an outside owner's pack for the risks that he owns, until a day",
    .help =
        "Somebody outside owns a risk where tutela.yaml transfers it to him (threats.treatments), "
        "or supplies a service. The owner's pack is verified by the key that you got from "
        "elsewhere, and a system operator signs which risks it covers and until when: evidence "
        "pack.assurance of 5.1.3-3. It fails where a duty is not met there or the grade is E or F; "
        "one that shows too little for a grade wants --accept. It holds until the first of the "
        "pack's evidence runs out, and for a year at most. tutela assess then tells which owners "
        "gave none (threats.assured).\n\n"
        "Exit status: 0 recorded as passed; 1 recorded as failed, or refused; 2 could not answer.",
    .formats = "table json",
    .options = options,
    .least = 1,
    .most = 1,
    .run = run,
};
