/* tutela people: who may sign in this log, and changes to that. */
#include <string.h>

#include "cmd/people_act.h"

#define KEY_OPTIONS                                                                                \
    {"--key", TUT_OPTION_LIST, "FILE", "public key: PEM, or a line of OpenSSH; may be repeated"},  \
        {"--generate", TUT_OPTION_FLAG, NULL,                                                      \
         "make a key (ECDSA P-256), kept with the keys of this log"},                              \
        {"--new-passphrase-file", TUT_OPTION_VALUE, "FILE", "passphrase of the key that is made"}, \
    {                                                                                              \
        "--no-passphrase", TUT_OPTION_FLAG, NULL, "keep the key that is made in clear"             \
    }

/* --- enrol --- */

static const tut_option enrol_options[] = {
    KEY_OPTIONS,
    {"--role", TUT_OPTION_LIST, "developer|operator|custodian|approver|trainer|tester|auditor",
     "may be repeated"},
    {"--root", TUT_OPTION_FLAG, NULL, "may enrol, rotate and revoke others"},
    TUT_SIGNER_OPTIONS,
    {NULL, TUT_OPTION_FLAG, NULL, NULL},
};

static tut_status describe_enrolment(tut_people_act *a, tut_error *err)
{
    const char *name = a->args->positional[0];
    tut_people_change *c = &a->change;
    const tut_people *people = a->records->people;
    const char *word;
    TUT_TRY(tut_person_check_name(tut_str_of(name), err));
    const tut_person *known = tut_people_find(people, tut_str_of(name));
    if (known && known->is_active)
        return tut_fail(err, TUT_USAGE, "%s is enrolled already; tutela people rotate or revoke",
                        known->name);
    bool is_root = tut_args_has(a->args, "--root");
    if (!people->has_root && !is_root)
        return tut_fail(err, TUT_USAGE,
                        "the log has no root yet: the first to be enrolled is one, "
                        "with --root");
    c->kind = people->has_root ? TUT_PEOPLE_ENROLLED : TUT_PEOPLE_ROOT;
    c->name = tut_str_of(known ? known->name : name);
    c->has_after = known != NULL;
    c->after = known ? known->after : 0;
    c->roles = is_root ? TUT_PERSON_ROOT : 0;
    for (size_t i = 0; (word = tut_args_nth(a->args, "--role", i)); i++)
        c->roles |= tut_person_role(tut_str_of(word));
    return TUT_SUCCESS;
}

static tut_status enrol(tut_people_act *a, const tut_args *args, tut_error *err)
{
    TUT_TRY(tut_people_act_open(a, args, true, err));
    TUT_TRY(describe_enrolment(a, err));
    bool is_first = a->change.kind == TUT_PEOPLE_ROOT;
    /* The signer first: where it fails, no key was made for nothing. */
    if (!is_first)
        TUT_TRY(tut_people_act_signer(a, err));
    TUT_TRY(tut_people_act_keys(a, err));
    return tut_people_act_append(a, err);
}

static int finish(tut_people_act *a, tut_status status, const tut_error *err, const char *what)
{
    int exit_status = tut_is_ok(status) ? tut_people_act_tell(a, what) : tut_cmd_fail(err);
    tut_people_act_done(a);
    return exit_status;
}

static int run_enrol(const tut_args *args)
{
    tut_people_act a = {0};
    tut_error err = {0};
    tut_status status = enrol(&a, args, &err);
    return finish(&a, status, &err,
                  a.change.kind == TUT_PEOPLE_ROOT ? "First root of trust:" : "Enrolled");
}

const tut_command tut_cmd_people_enrol = {
    .name = "people enrol",
    .arguments = "NAME",
    .summary = "Enrol a person with a public key and roles, signed by a root",
    .help =
        "The first person is a root of trust (--root) and is believed because it is the first; "
        "whoever checks the log compares that key with one from elsewhere. Everybody after that "
        "is enrolled by a root, whose signature is part of the log. A key belongs to one "
        "person, and is named once.",
    .formats = "table json",
    .options = enrol_options,
    .least = 1,
    .most = 1,
    .run = run_enrol,
};

/* --- rotate --- */

static const tut_option rotate_options[] = {
    KEY_OPTIONS,
    {"--new-key", TUT_OPTION_VALUE, "FILE",
     "of tool or log: a private key, which is copied, or a pkcs11: URI; default: one is made"},
    {"--old-passphrase-file", TUT_OPTION_VALUE, "FILE",
     "of tool or log: passphrase or PIN of the machine keys as they are"},
    TUT_SIGNER_OPTIONS,
    {"--reason", TUT_OPTION_VALUE, "TEXT", "why"},
    {"--from-index", TUT_OPTION_VALUE, "N",
     "the old keys count no more from this entry on (a root's word)"},
    {NULL, TUT_OPTION_FLAG, NULL, NULL},
};

static tut_status take_reason(tut_people_act *a, bool is_wanted, tut_error *err)
{
    const char *reason = tut_args_get(a->args, "--reason");
    if (is_wanted && (!reason || !reason[0]))
        return tut_fail(err, TUT_USAGE, "%s needs --reason TEXT", a->args->command->name);
    if (reason)
        a->change.reason = tut_str_of(reason);
    return TUT_SUCCESS;
}

static tut_status rotate(tut_people_act *a, const tut_args *args, tut_error *err)
{
    const tut_person *person;
    if (tut_args_get(args, "--new-key") || tut_args_get(args, "--old-passphrase-file"))
        return tut_fail(err, TUT_USAGE,
                        "--new-key and --old-passphrase-file are of tool and log; "
                        "of a person, --key FILE or --generate");
    a->change.kind = TUT_PEOPLE_ROTATED;
    TUT_TRY(tut_people_act_open(a, args, true, err));
    TUT_TRY(tut_people_act_person(a, &person, err));
    TUT_TRY(take_reason(a, false, err));
    TUT_TRY(tut_people_act_from(a, err));
    TUT_TRY(tut_people_act_signer(a, err));
    TUT_TRY(tut_people_act_keys(a, err));
    return tut_people_act_append(a, err);
}

static int run_rotate(const tut_args *args)
{
    tut_people_act a = {0};
    tut_error err = {0};
    if (tut_people_names_machine(args->positional[0]))
        return tut_people_rotate_machine(args);
    tut_status status = rotate(&a, args, &err);
    return finish(&a, status, &err, "New keys for");
}

const tut_command tut_cmd_people_rotate = {
    .name = "people rotate",
    .arguments = "NAME|tool|log",
    .summary =
        "Replace keys: a person's, signed by the old key or a root; or a machine's, by a root",
    .help =
        "The new keys count from the entry on; what the old ones signed before still does. After "
        "a compromise a root says with --from-index from which entry on the old ones do not.\n\n"
        "`tool` signs evidence, `log` both logs. Their new key is made here, in clear (or under "
        "--new-passphrase-file), or is that of --new-key; the old one is kept as tool.key.1 and so "
        "on. A checkpoint signed by both keys of the log leads who holds the old one to the new "
        "one (docs/ledger.md). `tutela ledger serve` has to be stopped before the log's key "
        "changes. What a crash cuts short is finished by the next command that writes.\n"
        "Example: tutela people rotate log --by Ada --signing-key ada.key",
    .formats = "table json",
    .options = rotate_options,
    .least = 1,
    .most = 1,
    .run = run_rotate,
};

/* --- revoke --- */

static const tut_option revoke_options[] = {
    {"--reason", TUT_OPTION_VALUE, "TEXT", "why; it is part of the log"},
    {"--from-index", TUT_OPTION_VALUE, "N",
     "the keys count no more from this entry on; default: the revocation's own"},
    TUT_SIGNER_OPTIONS,
    {NULL, TUT_OPTION_FLAG, NULL, NULL},
};

/* The keys that end are the subjects of the event. */
static tut_status name_ended_keys(tut_people_act *a, const tut_person *person, tut_error *err)
{
    for (size_t i = person->key_count; i-- > 0 && a->change.key_count < TUT_PERSON_KEYS_MAX;)
        if (person->keys[i].until == UINT64_MAX)
            a->change.keys[a->change.key_count++] = person->keys[i].key;
    return a->change.key_count > 0
               ? TUT_SUCCESS
               : tut_fail(err, TUT_USAGE, "%s is revoked already", person->name);
}

static tut_status revoke(tut_people_act *a, const tut_args *args, tut_error *err)
{
    const tut_person *person;
    a->change.kind = TUT_PEOPLE_REVOKED;
    TUT_TRY(tut_people_act_open(a, args, true, err));
    TUT_TRY(tut_people_act_person(a, &person, err));
    TUT_TRY(name_ended_keys(a, person, err));
    TUT_TRY(take_reason(a, true, err));
    TUT_TRY(tut_people_act_from(a, err));
    TUT_TRY(tut_people_act_signer(a, err));
    return tut_people_act_append(a, err);
}

static int run_revoke(const tut_args *args)
{
    tut_people_act a = {0};
    tut_error err = {0};
    tut_status status = revoke(&a, args, &err);
    return finish(&a, status, &err, "Revoked");
}

const tut_command tut_cmd_people_revoke = {
    .name = "people revoke",
    .arguments = "NAME",
    .summary = "End a person's keys, signed by a root; after a compromise from an earlier entry on",
    .help = "What the keys signed before stays valid. With --from-index N, what they signed from "
            "entry N on counts no more: evidence turns red, people whom they enrolled fall, people "
            "whom they revoked stand again. The last root cannot be revoked.",
    .formats = "table json",
    .options = revoke_options,
    .least = 1,
    .most = 1,
    .run = run_revoke,
};

static const tut_command *const members[] = {&tut_cmd_people_list, &tut_cmd_people_enrol,
                                             &tut_cmd_people_rotate, &tut_cmd_people_revoke, NULL};

const tut_command tut_cmd_people = {
    .name = "people",
    .arguments = "COMMAND",
    .summary = "Say who may sign, with which keys and roles",
    .help = "People are enrolled, rotated and revoked by signed entries of the log; who may sign "
            "what is found out from these alone.",
    .formats = "table json",
    .subcommands = members,
};
