/* The evidence log as the ledger's face reads it: whose key must have signed it, and what it says
 * of keys that wait. */
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "ledger/ledger_internal.h"
#include "ledger/people.h"
#include "ledger/rotation.h"

tut_status tut_ledger_look(const char *path, bool *ret_exists, tut_error *err)
{
    struct stat st;
    if (lstat(path, &st) == 0) {
        *ret_exists = true;
        return TUT_SUCCESS;
    }
    if (errno != ENOENT) {
        tut_error_set_path(err, path);
        return tut_fail_errno(err, errno, "the records cannot be read");
    }
    *ret_exists = false;
    return TUT_SUCCESS;
}

/* --- people, by reading entries --- */

static tut_status take_person(void *ctx, uint64_t index, tut_span bytes, tut_error *err)
{
    TUT_CLEAN(tut_arena) arena = {0};
    TUT_CLEAN(tut_entry) entry = {.has_record = false};
    tut_people *people = ctx;
    TUT_TRY(tut_entry_parse(bytes, &arena, &entry, err));
    return tut_people_apply(people, index, &entry, NULL, err);
}

static tut_status read_people(tut_log *log, uint64_t end, tut_people **ret_people, tut_error *err)
{
    TUT_AUTO(tut_people) people = NULL;
    TUT_TRY(tut_people_new(&people, err));
    TUT_TRY(tut_log_each(log, 0, end, take_person, people, err));
    *ret_people = tut_move(&people);
    return TUT_SUCCESS;
}

/* --- opening --- */

/* Without the keys (another user, another machine) the log's own first entry says who signs it:
 * that shows it to be of one piece, not whose it is. */
static tut_status key_of_genesis(const tut_ledger *l, tut_log *log, tut_verifier *ret,
                                 tut_error *err)
{
    TUT_AUTO(tut_people) people = NULL;
    TUT_TRY(read_people(log, 1, &people, err));
    if (people->log.key_count == 0)
        return tut_fail(err, TUT_STORE,
                        "the log's first entry does not name the key that signs it");
    return tut_verifier_of(l->log_origin, TUT_NOTE_ED25519, people->log.keys[0].key, ret, err);
}

static tut_status verify_by_genesis(tut_ledger *l, tut_log *log, tut_error *err)
{
    tut_beside beside = tut_beside_dir(l->evidence);
    TUT_CLEAN(tut_verifier) first = {.id = 0};
    TUT_CLEAN(tut_log_keys) keys = {.items = NULL};
    TUT_CLEAN(tut_note) note = {.signature_count = 0};
    TUT_TRY(key_of_genesis(l, log, &first, err));
    TUT_TRY(tut_log_keys_follow(&beside, &first, &keys, err));
    TUT_TRY(tut_note_parse(tut_log_checkpoint(log), &note, err));
    return tut_note_verify(&note, tut_log_keys_at(&keys, tut_log_size(log)), 1, 1, NULL, NULL, err);
}

/* The key beside us may be one step behind: a rotation that nobody finished yet, or that was
 * finished since we looked. */
static tut_status open_by(tut_ledger *l, const tut_pubkey *key, tut_log **ret_log, tut_error *err)
{
    tut_beside beside = tut_beside_dir(l->evidence);
    TUT_CLEAN(tut_verifier) own = {.id = 0};
    TUT_CLEAN(tut_log_keys) keys = {.items = NULL};
    TUT_TRY(tut_verifier_of(l->log_origin, TUT_NOTE_ED25519, key, &own, err));
    TUT_TRY(tut_log_keys_follow(&beside, &own, &keys, err));
    tut_log_options options = {.dir = l->evidence,
                               .origin = l->log_origin,
                               .anchor = l->anchor,
                               .verifiers = tut_log_keys_last(&keys),
                               .verifier_count = 1};
    return tut_log_open(&options, false, ret_log, err);
}

static tut_status open_with_keys(tut_ledger *l, tut_log **ret_log, tut_error *err)
{
    TUT_AUTO(tut_pubkey) key = NULL;
    TUT_AUTO(tut_pubkey) again = NULL;
    TUT_TRY(tut_keystore_public(l->keys, "log", &key, err));
    tut_status status = open_by(l, key, ret_log, err);
    if (status.code != TUT_STORE || !tut_is_ok(tut_keystore_public(l->keys, "log", &again, NULL)) ||
        tut_pubkey_eq(key, again))
        return status;
    if (err)
        *err = (tut_error){0};
    return open_by(l, again, ret_log, err);
}

static tut_status open_log(tut_ledger *l, tut_log **ret_log, tut_error *err)
{
    TUT_AUTO(tut_log) log = NULL;
    tut_log_options options = {.dir = l->evidence, .origin = l->log_origin, .anchor = l->anchor};
    if (l->keys)
        return open_with_keys(l, ret_log, err);
    TUT_TRY(tut_log_open(&options, false, &log, err));
    if (tut_log_size(log) > 0)
        TUT_TRY(verify_by_genesis(l, log, err));
    *ret_log = tut_move(&log);
    return TUT_SUCCESS;
}

/* Whether anything of the log is there: its directory comes a moment before its journal. */
static tut_status look_for_log(const tut_ledger *l, bool *ret_exists, tut_error *err)
{
    static const char *const parts[] = {"journal", "checkpoint", "tile"};
    bool exists = false;
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]) && !exists; i++) {
        TUT_AUTO_FREE char *path = tut_fs_join(l->evidence, parts[i]);
        if (!path)
            return tut_fail(err, TUT_NOMEM, "memory ran out");
        TUT_TRY(tut_ledger_look(path, &exists, err));
    }
    *ret_exists = exists;
    return TUT_SUCCESS;
}

tut_status tut_ledger_log(tut_ledger *l, tut_log **ret_log, tut_error *err)
{
    bool has_log = false;
    bool has_anchor = false;
    if (l->source) {
        *ret_log = l->source->log;
        return TUT_SUCCESS;
    }
    if (l->log && l->is_log_old) {
        tut_log_free(l->log);
        l->log = NULL;
    }
    if (!l->log && l->origin) {
        if (l->anchor) /* first: a log that is just begun has its journal before it */
            TUT_TRY(tut_ledger_look(l->anchor, &has_anchor, err));
        TUT_TRY(look_for_log(l, &has_log, err));
        if (!has_log &&
            has_anchor) { /* a log that was signed here and is gone is a loss, not none */
            tut_error_set_path(err, l->evidence);
            return tut_fail(err, TUT_STORE,
                            "is gone, though entries were signed here; restore it from a backup, "
                            "or see tutela ledger recover");
        }
        if (has_log)
            TUT_TRY(open_log(l, &l->log, err));
        l->is_log_old = false;
    }
    *ret_log = l->log;
    return TUT_SUCCESS;
}

/* --- a new key of the tool --- */

static tut_status take_place(tut_ledger *l, tut_error *err)
{
    TUT_AUTO(tut_pubkey) next = NULL;
    TUT_AUTO(tut_people) people = NULL;
    tut_log *log = NULL;
    if (!tut_keystore_has_next(l->keys, "tool")) /* somebody else was faster */
        return TUT_SUCCESS;
    TUT_TRY(tut_keystore_public(l->keys, "tool.next", &next, err));
    TUT_TRY(tut_ledger_log(l, &log, err));
    if (!log)
        return TUT_SUCCESS;
    l->is_log_old = true; /* others may have written meanwhile */
    TUT_TRY(read_people(log, tut_log_size(log), &people, err));
    bool is_named = tut_people_is_tool(people, tut_pubkey_id(next), tut_log_size(log));
    return is_named ? tut_keystore_switch(l->keys, "tool", err) : TUT_SUCCESS;
}

/* While a rotation goes on, it is the one to switch: nothing is to be done here then. */
tut_status tut_ledger_finish_tool(tut_ledger *l, tut_error *err)
{
    int lock = -1;
    tut_error why = {0};
    tut_status status = tut_keystore_lock(l->keys, &lock, &why);
    if (status.code == TUT_STORE)
        return TUT_SUCCESS;
    if (!tut_is_ok(status))
        return tut_fail(err, status.code, "%s", why.text);
    status = take_place(l, err);
    (void)close(lock);
    return status;
}
