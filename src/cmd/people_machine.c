/* tutela people rotate tool|log: new keys for the machines. */
#include <string.h>
#include <unistd.h>

#include "assess/tool.h"
#include "cmd/people_act.h"
#include "state/rotate.h"

bool tut_people_names_machine(const char *name)
{
    return strcmp(name, "tool") == 0 || strcmp(name, "log") == 0;
}

typedef struct machine_act {
    tut_people_act act; /* the signer, and what is shown in the end */
    tut_rotate how;
    tut_secret_source secret, new_secret;
    tut_buf passphrase;
    char *state;
    char *actor;
} machine_act;

static void machine_act_done(machine_act *m)
{
    tut_people_act_done(&m->act);
    tut_secret_wipe(&m->passphrase);
    tut_free(m->state);
    tut_free(m->actor);
}

static tut_status check_options(const tut_args *args, tut_error *err)
{
    const char *name = args->positional[0];
    if (tut_args_nth(args, "--key", 0) || tut_args_has(args, "--generate"))
        return tut_fail(err, TUT_USAGE,
                        "the new key of %s is made by default, or that of --new-key; --key and "
                        "--generate are of persons",
                        name);
    if (tut_args_get(args, "--new-key") && tut_args_has(args, "--no-passphrase"))
        return tut_fail(err, TUT_USAGE, "--no-passphrase is of a key that is made here");
    if (!tut_args_get(args, "--by"))
        return tut_fail(err, TUT_USAGE, "a root signs for the new key of %s: --by NAME", name);
    return TUT_SUCCESS;
}

/* The ledger is let go of again: whoever rotates opens it as it has to be. */
static tut_status find_signer(machine_act *m, const tut_args *args, tut_error *err)
{
    tut_people_act *a = &m->act;
    TUT_TRY(tut_people_act_open(a, args, false, err));
    TUT_TRY(tut_people_act_from(a, err));
    TUT_TRY(tut_people_act_signer(a, err));
    const tut_person *signer = tut_people_by_key(a->records->people,
                                                 tut_pubkey_id(tut_key_public(a->signer)), NULL);
    m->actor = tut_strdup(signer ? signer->name : "");
    m->state = tut_strdup(tut_ledger_state_dir(a->ledger));
    if (!m->actor || !m->state)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    tut_records_free(a->records);
    tut_ledger_close(a->ledger);
    a->records = NULL;
    a->ledger = NULL;
    return TUT_SUCCESS;
}

/* Machines have nobody to type a passphrase, so a key is under one only where that is asked for. */
static tut_status read_passphrase(machine_act *m, const tut_args *args, tut_error *err)
{
    m->new_secret.file = tut_args_get(args, "--new-passphrase-file");
    m->new_secret.may_ask = isatty(STDIN_FILENO) == 1;
    m->secret.file = tut_args_get(args, "--old-passphrase-file");
    m->secret.may_ask = m->new_secret.may_ask;
    if (!m->new_secret.file || m->how.new_key)
        return TUT_SUCCESS;
    return tut_people_new_passphrase(args, &m->passphrase, err);
}

static tut_status rotate(machine_act *m, const tut_args *args, tut_error *err)
{
    tut_people_act *a = &m->act;
    tut_tool_digests tool;
    tut_pubkey *key = NULL;
    bool is_recorded = false;
    TUT_TRY(check_options(args, err));
    TUT_TRY(find_signer(m, args, err));
    m->how.new_key = tut_args_get(args, "--new-key");
    TUT_TRY(read_passphrase(m, args, err));
    TUT_TRY(tut_tool_get_digests(&tool, err));
    m->how.state_dir = m->state;
    m->how.is_log = strcmp(args->positional[0], "log") == 0;
    m->how.signer = a->signer;
    m->how.secret = &m->secret;
    m->how.new_secret = &m->new_secret;
    m->how.new_passphrase = tut_buf_str(&m->passphrase);
    m->how.reason = tut_str_of(tut_args_get(args, "--reason"));
    m->how.has_from = a->change.has_from;
    m->how.from = a->change.from;
    m->how.who = (tut_record){.at = tut_time_now(),
                              .actor = m->actor,
                              .tool_binary = tool.binary,
                              .tool_catalogue = tool.catalogue,
                              .tool_rules = tool.rules};
    tut_error why = {0};
    tut_status status = tut_rotate_machine(&m->how, &a->index, &key, &is_recorded, &why);
    if (!tut_is_ok(status) && is_recorded)
        return tut_fail(err, status.code,
                        "entry %llu names the new key, but it has not taken its place: %s; the "
                        "next command that writes tries again",
                        (unsigned long long)a->index, why.text);
    if (!tut_is_ok(status)) {
        tut_error_set_path(err, why.path);
        return tut_fail(err, status.code, "%s", why.text);
    }
    return tut_people_act_name(a, key, err);
}

int tut_people_rotate_machine(const tut_args *args)
{
    __attribute__((cleanup(machine_act_done))) machine_act m = {.act = {.args = args}};
    tut_error err = {0};
    if (!tut_is_ok(rotate(&m, args, &err)))
        return tut_cmd_fail(&err);
    m.act.change.kind = m.how.is_log ? TUT_PEOPLE_LOG_ROTATED : TUT_PEOPLE_TOOL_ROTATED;
    m.act.change.name = tut_str_of(args->positional[0]);
    return tut_people_act_tell(&m.act, "New key for");
}
