/* Changing the people of a log: open it, find the signer, ask whether the change counts, append. */
#include "cmd/people_act.h"

#include <string.h>
#include <unistd.h>

#include "assess/tool.h"
#include "base/json_write.h"
#include "cmd/signer.h"
#include "state/records.h"

tut_status tut_people_act_open(tut_people_act *a, const tut_args *args, bool for_writing,
                               tut_error *err)
{
    TUT_AUTO_FREE char *dir = NULL;
    TUT_AUTO_FREE char *state = NULL;
    a->args = args;
    TUT_TRY(tut_cmd_locate(args, NULL, &dir, &state, err));
    if (!state) {
        tut_error_set_path(err, dir);
        return tut_fail(err, TUT_USAGE,
                        "no tutela.yaml is here, and people are enrolled in the log of a described "
                        "system; tutela init writes one");
    }
    TUT_TRY(tut_ledger_open(state, for_writing, &a->ledger, err));
    TUT_TRY(tut_state_people(a->ledger, &a->records, err));
    if (!tut_ledger_origin(a->ledger)[0])
        return TUT_SUCCESS;
    return tut_keystore_open(tut_ledger_origin(a->ledger), false, &a->keys, err);
}

void tut_people_act_done(tut_people_act *a)
{
    for (size_t i = 0; i < a->public_count; i++)
        tut_pubkey_free(a->public[i]);
    tut_free(a->public);
    tut_key_free(a->signer);
    tut_keystore_free(a->keys);
    tut_records_free(a->records);
    tut_ledger_close(a->ledger);
    tut_arena_done(&a->arena);
}

/* --- keys that the change names --- */

tut_status tut_people_act_name(tut_people_act *a, tut_pubkey *key, tut_error *err)
{
    tut_status status = tut_grow(&a->public, a->public_count, &a->public_capacity,
                                 sizeof(tut_pubkey *));
    if (!tut_is_ok(status)) {
        tut_pubkey_free(key);
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    }
    a->public[a->public_count++] = key;
    if (a->change.key_count >= TUT_PERSON_KEYS_MAX)
        return tut_fail(err, TUT_USAGE, "at most %d keys can be named at once",
                        TUT_PERSON_KEYS_MAX);
    a->change.keys[a->change.key_count++] = key;
    return TUT_SUCCESS;
}

/* A key that lies about in clear has to be asked for. */
tut_status tut_people_new_passphrase(const tut_args *args, tut_buf *ret_passphrase, tut_error *err)
{
    const char *file = tut_args_get(args, "--new-passphrase-file");
    bool is_plain = tut_args_has(args, "--no-passphrase");
    if (is_plain && file)
        return tut_fail(err, TUT_USAGE,
                        "--no-passphrase and --new-passphrase-file exclude each other");
    if (is_plain)
        return TUT_SUCCESS;
    if (!file && !isatty(STDIN_FILENO))
        return tut_fail(err, TUT_USAGE,
                        "--generate asks for a passphrase on the terminal; without one, give "
                        "--new-passphrase-file FILE or --no-passphrase");
    tut_secret_source source = {.file = file, .may_ask = true};
    return tut_secret_read(&source, "Passphrase for the new key", true, ret_passphrase, err);
}

static tut_status find_free_name(const tut_people_act *a, const char *person, char **ret_name,
                                 tut_error *err)
{
    for (unsigned n = 1; n <= TUT_SIGNER_MADE_MAX; n++) {
        TUT_AUTO_FREE char *name = NULL;
        TUT_AUTO(tut_pubkey) known = NULL;
        TUT_TRY(tut_signer_made_name(person, n, &name, err));
        if (tut_is_ok(tut_keystore_public(a->keys, name, &known, NULL)))
            continue;
        *ret_name = tut_move(&name);
        return TUT_SUCCESS;
    }
    return tut_fail(err, TUT_LIMIT, "%d keys were made for %s; delete the old ones in %s",
                    TUT_SIGNER_MADE_MAX, person, tut_keystore_dir(a->keys));
}

static tut_status generate(tut_people_act *a, tut_error *err)
{
    if (!a->keys)
        return tut_fail(err, TUT_STORE, "there is no place for keys of this log yet");
    TUT_AUTO_FREE char *name = NULL;
    TUT_TRY(find_free_name(a, a->args->positional[0], &name, err));
    tut_buf passphrase = TUT_BUF_INIT;
    tut_status status = tut_people_new_passphrase(a->args, &passphrase, err);
    TUT_AUTO(tut_key) key = NULL;
    if (tut_is_ok(status))
        status = tut_keystore_generate(a->keys, name, TUT_KEY_P256, tut_buf_str(&passphrase), &key,
                                       err);
    tut_secret_wipe(&passphrase);
    TUT_TRY(status);
    tut_pubkey *public = NULL;
    TUT_TRY(tut_pubkey_copy(tut_key_public(key), &public, err));
    TUT_TRY(tut_people_act_name(a, public, err));
    /* The first root signs for itself: it shows that it holds the key. */
    if (a->change.kind == TUT_PEOPLE_ROOT && !tut_args_get(a->args, "--signing-key"))
        a->signer = tut_move(&key);
    return TUT_SUCCESS;
}

tut_status tut_people_act_keys(tut_people_act *a, tut_error *err)
{
    const char *path;
    for (size_t i = 0; (path = tut_args_nth(a->args, "--key", i)); i++) {
        tut_pubkey *key = NULL;
        TUT_TRY(tut_pubkey_from_file(path, &key, err));
        TUT_TRY(tut_people_act_name(a, key, err));
    }
    if (tut_args_has(a->args, "--generate"))
        TUT_TRY(generate(a, err));
    if (a->change.key_count == 0)
        return tut_fail(err, TUT_USAGE,
                        "%s needs the person's public key: --key FILE, or --generate to make one",
                        a->args->command->name);
    return TUT_SUCCESS;
}

/* --- who signs --- */

tut_status tut_people_act_signer(tut_people_act *a, tut_error *err)
{
    const char *by = tut_args_get(a->args, "--by");
    TUT_TRY(tut_signer_open(a->args, a->records->people, a->keys, by, &a->signer, err));
    const char *id = tut_pubkey_id(tut_key_public(a->signer));
    const tut_person *owner = tut_people_by_key(a->records->people, id, NULL);
    if (!owner)
        return tut_fail(err, TUT_DENIED, "the signing key %.12s belongs to nobody who is enrolled",
                        id);
    if (by && !tut_str_ieq(tut_str_of(by), tut_str_of(owner->name)))
        return tut_fail(err, TUT_DENIED, "the signing key is that of %s, not of %s", owner->name,
                        by);
    return TUT_SUCCESS;
}

/* --- the change --- */

tut_status tut_people_act_from(tut_people_act *a, tut_error *err)
{
    const char *text = tut_args_get(a->args, "--from-index");
    if (!text)
        return TUT_SUCCESS;
    if (!tut_str_u64(tut_str_of(text), &a->change.from) || a->change.from > INT64_MAX)
        return tut_fail(err, TUT_USAGE, "--from-index takes the number of an entry, not \"%s\"",
                        text);
    a->change.has_from = true;
    return TUT_SUCCESS;
}

tut_status tut_people_act_person(tut_people_act *a, const tut_person **ret_person, tut_error *err)
{
    const char *name = a->args->positional[0];
    const tut_person *person = tut_people_find(a->records->people, tut_str_of(name));
    if (!person)
        return tut_fail(err, TUT_USAGE, "nobody called \"%s\" is enrolled; tutela people list",
                        name);
    a->change.name = tut_str_of(person->name);
    a->change.has_after = true;
    a->change.after = person->after;
    *ret_person = person;
    return TUT_SUCCESS;
}

/* Asks the roster, which is thrown away afterwards. */
static tut_status check_counts(tut_people_act *a, tut_time at, tut_error *err)
{
    const char *problem = NULL;
    const char *id = a->signer ? tut_pubkey_id(tut_key_public(a->signer)) : NULL;
    tut_people_change change = a->change;
    TUT_TRY(
        tut_people_admit(a->records->people, a->records->log_size, at, &change, id, &problem, err));
    if (problem)
        return tut_fail(err, TUT_DENIED, "nothing was written, for it would not count: %s",
                        problem);
    return TUT_SUCCESS;
}

static const char *actor_of(const tut_people_act *a)
{
    const tut_person *signer =
        a->signer
            ? tut_people_by_key(a->records->people, tut_pubkey_id(tut_key_public(a->signer)), NULL)
            : NULL;
    return signer ? signer->name : a->args->positional[0];
}

tut_status tut_people_act_append(tut_people_act *a, tut_error *err)
{
    tut_tool_digests tool;
    TUT_TRY(tut_tool_get_digests(&tool, err));
    tut_record r = {.at = tut_time_now(),
                    .actor = actor_of(a),
                    .tool_binary = tool.binary,
                    .tool_catalogue = tool.catalogue,
                    .tool_rules = tool.rules};
    TUT_TRY(tut_people_record(&a->change, &a->arena, &r, err));
    TUT_TRY(check_counts(a, r.at, err));
    const tut_key *signers[] = {a->signer};
    TUT_TRY(a->signer ? tut_ledger_append_signed(a->ledger, &r, signers, 1, err)
                      : tut_ledger_append(a->ledger, &r, 1, err));
    a->index = r.index;
    a->at = r.at;
    return TUT_SUCCESS;
}

/* --- what was done --- */

/* The one item that changed, as scripts know items. */
static void put_item(const tut_people_act *a, tut_json *j)
{
    bool is_ended = a->change.kind == TUT_PEOPLE_REVOKED;
    tut_json_key(j, "items");
    tut_json_array(j);
    tut_json_object(j);
    tut_json_put_str(j, "id", a->change.name);
    tut_json_put_z(j, "state", is_ended ? "revoked" : "active");
    tut_json_put_time(j, "since", a->at);
    tut_json_key(j, "due");
    tut_json_null(j);
    tut_json_key(j, "actors");
    tut_json_array(j);
    tut_json_z(j, actor_of(a));
    tut_json_end_array(j);
    tut_json_key(j, "evidence");
    tut_json_array(j);
    tut_json_u64(j, a->index);
    tut_json_end_array(j);
    tut_json_end_object(j);
    tut_json_end_array(j);
}

static tut_status tell_json(const tut_people_act *a, tut_buf *out, tut_error *err)
{
    TUT_AUTO(tut_json) j = NULL;
    TUT_TRY(tut_json_new(out, &j));
    tut_json_head(j, "tutela.people/1", tut_time_generated());
    tut_json_key(j, "summary");
    tut_json_object(j);
    tut_json_put_u64(j, "index", a->index);
    tut_json_put_z(j, "event", tut_people_kind_name(a->change.kind));
    tut_json_put_str(j, "id", a->change.name);
    tut_json_key(j, "keys");
    tut_json_array(j);
    for (size_t i = 0; i < a->change.key_count; i++)
        tut_json_z(j, tut_pubkey_id(a->change.keys[i]));
    tut_json_end_array(j);
    tut_json_end_object(j);
    put_item(a, j);
    tut_json_end_object(j);
    TUT_TRY(tut_json_finish(j, err));
    tut_buf_add_z(out, "\n");
    return TUT_SUCCESS;
}

static void tell_text(const tut_people_act *a, const char *what, tut_buf *out)
{
    tut_buf_printf(out, "%s ", what);
    tut_buf_add_escaped(out, a->change.name, TUT_PERSON_NAME_MAX);
    for (size_t i = 0; i < a->change.key_count; i++)
        tut_buf_printf(out, "%s %.12s", i == 0 ? ", key" : ",", tut_pubkey_id(a->change.keys[i]));
    tut_buf_printf(out, ": entry %llu.\n", (unsigned long long)a->index);
}

int tut_people_act_tell(const tut_people_act *a, const char *what)
{
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    tut_error err = {0};
    if (strcmp(a->args->format, "json") == 0) {
        if (!tut_is_ok(tell_json(a, &out, &err)))
            return tut_cmd_fail(&err);
    } else {
        tell_text(a, what, &out);
    }
    return tut_cmd_output(&out, TUT_EXIT_OK);
}
