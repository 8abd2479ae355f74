#include "cmd/signer.h"

#include <unistd.h>

#include "state/records.h"

/* Keys made here are NAME, then NAME.2, NAME.3 and so on, for the old one is kept until the new one
 * is in the log. *ret_name is the n-th. */
tut_status tut_signer_made_name(const char *person, unsigned n, char **ret_name, tut_error *err)
{
    char *name = n == 1 ? tut_asprintf("people/%s", person)
                        : tut_asprintf("people/%s.%u", person, n);
    if (!name)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    *ret_name = name;
    return TUT_SUCCESS;
}

/* Of the keys made here, the one with which the person signs now. */
static tut_status find_made_key(const tut_people *people, const tut_keystore *keys,
                                const char *person, char **ret_name, tut_error *err)
{
    for (unsigned n = 1; n <= TUT_SIGNER_MADE_MAX; n++) {
        TUT_AUTO_FREE char *name = NULL;
        TUT_AUTO(tut_pubkey) known = NULL;
        const tut_person_key *k = NULL;
        TUT_TRY(tut_signer_made_name(person, n, &name, err));
        if (!tut_is_ok(tut_keystore_public(keys, name, &known, NULL)))
            break;
        if (!tut_people_by_key(people, tut_pubkey_id(known), &k) || k->until != UINT64_MAX)
            continue;
        *ret_name = tut_move(&name);
        return TUT_SUCCESS;
    }
    return tut_fail(err, TUT_USAGE,
                    "no key of %s that counts was made here; --signing-key KEY says where it is",
                    person);
}

bool tut_signer_has_made(const tut_people *people, const tut_keystore *keys, const char *person)
{
    TUT_AUTO_FREE char *name = NULL;
    return keys && tut_is_ok(find_made_key(people, keys, person, &name, NULL));
}

tut_status tut_signer_open(const tut_args *args, const tut_people *people, const tut_keystore *keys,
                           const char *by, tut_key **ret_key, tut_error *err)
{
    const char *spec = tut_args_get(args, "--signing-key"); /* where the command has it */
    tut_secret_source source = {.file = tut_args_get(args, "--passphrase-file"),
                                .may_ask = isatty(STDIN_FILENO) == 1};
    if (spec)
        return tut_key_open(spec, &source, ret_key, err);
    if (!by || !keys)
        return tut_fail(err, TUT_USAGE, "%s is to be signed: --signing-key KEY says with what",
                        args->command->name);
    TUT_AUTO_FREE char *name = NULL;
    TUT_TRY(find_made_key(people, keys, by, &name, err));
    return tut_keystore_key(keys, name, &source, ret_key, err);
}

tut_status tut_signer_open_at(const tut_args *args, const char *state, const char *by,
                              tut_key **ret_key, tut_error *err)
{
    __attribute__((cleanup(tut_ledger_close_auto))) tut_ledger *ledger = NULL;
    TUT_AUTO(tut_records) records = NULL;
    TUT_AUTO(tut_keystore) keys = NULL;
    if (!state || tut_args_get(args, "--signing-key"))
        return tut_signer_open(args, NULL, NULL, by, ret_key, err);
    TUT_TRY(tut_ledger_open(state, false, &ledger, err));
    TUT_TRY(tut_state_people(ledger, &records, err));
    if (tut_ledger_origin(ledger)[0])
        TUT_TRY(tut_keystore_open(tut_ledger_origin(ledger), false, &keys, err));
    return tut_signer_open(args, records->people, keys, by, ret_key, err);
}

tut_status tut_signer_rights(const tut_args *args, tut_training_rights **ret_rights, tut_error *err)
{
    TUT_AUTO_FREE char *dir = NULL;
    TUT_AUTO_FREE char *state = NULL;
    TUT_TRY(tut_cmd_locate(args, NULL, &dir, &state, err));
    if (!state)
        return tut_fail(err, TUT_USAGE, "no tutela.yaml is here; tutela init writes one");
    return tut_training_rights_new(args->system ? args->system : dir, state, ret_rights, err);
}

tut_status tut_signer_check_trained(const tut_args *args, const char *by, tut_error *err)
{
    TUT_AUTO(tut_training_rights) rights = NULL;
    if (!by)
        return TUT_SUCCESS;
    TUT_TRY(tut_signer_rights(args, &rights, err));
    return tut_training_rights_check(rights, tut_str_of(by), err);
}

tut_status tut_signer_find_trained(const tut_args *args, const char *state, const char **by,
                                   tut_records **ret_records, tut_key **ret_key, tut_error *err)
{
    TUT_AUTO(tut_records) records = NULL;
    TUT_AUTO(tut_key) key = NULL;
    TUT_TRY(tut_signer_find(args, state, by, &records, &key, err));
    TUT_TRY(tut_signer_check_trained(args, *by, err));
    *ret_records = tut_move(&records);
    *ret_key = tut_move(&key);
    return TUT_SUCCESS;
}

/* The name is not enough where the person has a key: then it signs, and is that person's. */
tut_status tut_signer_find(const tut_args *args, const char *state, const char **by,
                           tut_records **ret_records, tut_key **ret_key, tut_error *err)
{
    __attribute__((cleanup(tut_ledger_close_auto))) tut_ledger *ledger = NULL;
    TUT_AUTO(tut_records) records = NULL;
    TUT_AUTO(tut_keystore) keys = NULL;
    TUT_AUTO(tut_key) key = NULL;
    TUT_TRY(tut_ledger_open(state, false, &ledger, err));
    TUT_TRY(tut_state_people(ledger, &records, err));
    if (tut_ledger_origin(ledger)[0])
        TUT_TRY(tut_keystore_open(tut_ledger_origin(ledger), false, &keys, err));
    if (!tut_args_has(args, "--signing-key") && !tut_signer_has_made(records->people, keys, *by))
        return TUT_SUCCESS;
    TUT_TRY(tut_signer_open(args, records->people, keys, *by, &key, err));
    const tut_act act = {.index = records->log_size};
    const tut_person *person = NULL;
    const char *why = NULL;
    const char *id = tut_pubkey_id(tut_key_public(key));
    if (!tut_people_may_sign(records->people, id, &act, &person, &why))
        return tut_fail(err, TUT_DENIED, "the signing key %.12s does not count: %s", id, why);
    if (!tut_str_ieq(tut_str_of(person->name), tut_str_of(*by)))
        return tut_fail(err, TUT_DENIED, "the signing key is that of %s, not of %s", person->name,
                        *by);
    *by = person->name;
    *ret_records = tut_move(&records);
    *ret_key = tut_move(&key);
    return TUT_SUCCESS;
}
