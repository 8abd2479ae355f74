/*
 * The log key as the child finds it. It may have changed between the moment the child was forked
 * and the moment it got the ledger's lock, and a change may have been cut short:
 *
 *   the key "log.next" waits in the store, and the last entry is not the change to it: nothing
 *       happened yet; whoever makes it goes on or gives it up
 *   ... is the change, signed by both keys: it is durable, so that is the log's key. The journal is
 *       renewed, so that no checkpoint of the old key alone stays on the disk; the rotation is
 *       kept for those who hold the old key; then the store's keys change places.
 *
 * While it is rotated, the child signs with both keys, takes that one entry, and ends.
 */
#include "base/fs.h"
#include "ledger/rotation.h"
#include "ledger/sequencer_server.h"

void tut_seq_keys_done(tut_seq_keys *keys)
{
    tut_key_free(keys->log);
    tut_key_free(keys->next);
    *keys = (tut_seq_keys){.log = NULL};
}

bool tut_seq_keys_need_token(const tut_sequencer_options *options)
{
    const char *dir = tut_keystore_dir(options->keys);
    TUT_AUTO_FREE char *uri = tut_fs_join(dir, "log.uri");
    TUT_AUTO_FREE char *next = tut_fs_join(dir, "log.next.uri");
    return !uri || !next || tut_fs_exists(uri) || tut_fs_exists(next);
}

static tut_status open_waiting(const tut_sequencer_options *options, tut_key **ret_key,
                               tut_error *err)
{
    const tut_secret_source *secret = options->next_secret ? options->next_secret : options->secret;
    return tut_keystore_key(options->keys, "log.next", secret, ret_key, err);
}

static tut_status open_keys(const tut_sequencer_options *options, tut_seq_keys *keys,
                            tut_error *err)
{
    TUT_TRY(tut_keystore_key(options->keys, "log", options->secret, &keys->log, err));
    if (!options->is_rotating)
        return TUT_SUCCESS;
    return open_waiting(options, &keys->next, err);
}

tut_status tut_seq_keys_open(const tut_sequencer_options *options, tut_seq_keys *ret,
                             tut_error *err)
{
    tut_seq_keys keys = {.log = NULL};
    tut_status status = open_keys(options, &keys, err);
    if (!tut_is_ok(status)) {
        tut_seq_keys_done(&keys);
        return status;
    }
    *ret = keys;
    return TUT_SUCCESS;
}

/* Whether the store calls this key by that name. A store without the public half cannot tell. */
static bool is_named(const tut_sequencer_options *options, const char *name, const tut_key *key)
{
    TUT_AUTO(tut_pubkey) known = NULL;
    return tut_is_ok(tut_keystore_public(options->keys, name, &known, NULL)) &&
           tut_pubkey_eq(known, tut_key_public(key));
}

static bool has_next(const tut_sequencer_options *options)
{
    return tut_keystore_has_next(options->keys, "log");
}

/* Somebody else has rotated it while we waited for the lock. */
static tut_status look_again(const tut_sequencer_options *options, tut_seq_keys *keys,
                             tut_error *err)
{
    TUT_AUTO(tut_pubkey) known = NULL;
    if (!tut_is_ok(tut_keystore_public(options->keys, "log", &known, NULL)) ||
        tut_pubkey_eq(known, tut_key_public(keys->log)) ||
        (has_next(options) && is_named(options, "log.next", keys->log)))
        return TUT_SUCCESS;
    tut_key_free(keys->log);
    keys->log = NULL;
    return tut_keystore_key(options->keys, "log", options->secret, &keys->log, err);
}

/* --- a rotation that was cut short --- */

static tut_status is_in_force(const tut_sequencer_options *options, tut_seq_logs *logs,
                              bool *ret_is, tut_error *err)
{
    const tut_seq_log *l = &logs->logs[TUT_LOG_EVIDENCE];
    TUT_AUTO(tut_pubkey) next = NULL;
    TUT_TRY(tut_keystore_public(options->keys, "log.next", &next, err));
    return tut_rotation_is_last(l->log, l->origin, next, ret_is, err);
}

/* The key that is in force from now on, which may have taken its place in the store already. */
static tut_status open_next(const tut_sequencer_options *options, tut_seq_keys *keys,
                            tut_error *err)
{
    if (is_named(options, "log.next", keys->log))
        return TUT_SUCCESS;
    return open_waiting(options, &keys->next, err);
}

static tut_status finish(const tut_sequencer_options *options, tut_seq_keys *keys,
                         tut_seq_logs *logs, tut_error *err)
{
    tut_seq_log *l = &logs->logs[TUT_LOG_EVIDENCE];
    TUT_TRY(open_next(options, keys, err));
    TUT_TRY(tut_log_renew(l->log, err));
    TUT_TRY(tut_rotation_keep(l->log, l->dir, err));
    TUT_TRY(tut_keystore_switch(options->keys, "log", err));
    tut_seq_logs_done(logs);
    if (keys->next) {
        tut_key_free(keys->log);
        keys->log = tut_move(&keys->next);
    }
    return tut_seq_logs_open(logs, options, keys->log, NULL, err);
}

tut_status tut_seq_keys_open_logs(const tut_sequencer_options *options, tut_seq_keys *keys,
                                  tut_seq_logs *logs, tut_error *err)
{
    bool is_in_force_now = false;
    if (!options->is_rotating)
        TUT_TRY(look_again(options, keys, err));
    TUT_TRY(tut_seq_logs_open(logs, options, keys->log, keys->next, err));
    if (has_next(options))
        TUT_TRY(is_in_force(options, logs, &is_in_force_now, err));
    if (options->is_rotating && is_in_force_now)
        return tut_fail(err, TUT_STORE, "the log key was changed already; try again");
    if (options->is_rotating)
        return tut_seq_logs_resign_traffic(logs, err);
    return is_in_force_now ? finish(options, keys, logs, err) : TUT_SUCCESS;
}
