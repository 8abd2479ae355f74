/*
 * The log's keys: those that its own entries name, each from the entry on that names it, and what
 * the files of rotations make of the key that is trusted. They must come to the same.
 */
#include <inttypes.h>

#include "ledger/people.h"
#include "state/audit_internal.h"

const tut_person_key *tut_audit_key_at(const tut_auditing *a, uint64_t size)
{
    const tut_person_key *found = NULL;
    for (size_t i = 0; a->people && i < a->people->log.key_count; i++) {
        const tut_person_key *k = &a->people->log.keys[i];
        if (k->from < size && k->until > k->from) /* one that never counted signs nothing */
            found = k;
    }
    return found;
}

static bool is_signed_by(const tut_auditing *a, const tut_note *note, const tut_pubkey *key)
{
    TUT_CLEAN(tut_verifier) v = {.id = 0};
    return tut_is_ok(tut_verifier_of(a->audit->origin, TUT_NOTE_ED25519, key, &v, NULL)) &&
           tut_is_ok(tut_note_verify(note, &v, 1, 1, NULL, NULL, NULL));
}

static void judge_present(const tut_auditing *a, tut_finding *f)
{
    TUT_CLEAN(tut_note) note = {0};
    const tut_person_key *k = tut_audit_key_at(a, a->audit->size);
    if (!tut_is_ok(tut_note_parse(tut_log_checkpoint(a->log), &note, NULL)))
        return; /* said by the checkpoint's own check */
    if (!k)
        tut_finding_add(f, "the entries name no key of the log");
    else if (!is_signed_by(a, &note, k->key))
        tut_finding_add(f,
                        "the checkpoint is not signed by the key that the entries name (%.12s): "
                        "it was sealed again, or altered",
                        tut_pubkey_id(k->key));
}

/* Whoever holds an earlier key follows the files: a change that has none leaves him behind. */
static tut_status judge_files(const tut_auditing *a, tut_finding *f)
{
    const tut_person *log = &a->people->log;
    TUT_CLEAN(tut_verifier) first = {.id = 0};
    TUT_CLEAN(tut_log_keys) keys = {.items = NULL};
    if (log->key_count < 2)
        return TUT_SUCCESS;
    TUT_TRY(tut_verifier_of(a->audit->origin, TUT_NOTE_ED25519, log->keys[0].key, &first, a->err));
    TUT_TRY(tut_log_keys_follow(&a->beside, &first, &keys, a->err));
    for (size_t i = 1; i < keys.count; i++) {
        tut_sha256 root;
        tut_status status = tut_log_root_at(a->log, keys.items[i].from, &root, NULL);
        if (status.code == TUT_NOMEM)
            return tut_fail(a->err, TUT_NOMEM, "memory ran out");
        bool is_ours = tut_is_ok(status);
        for (size_t k = 0; is_ours && k < log->key_count; k++)
            if (log->keys[k].from + 1 == keys.items[i].from)
                is_ours = tut_pubkey_eq(log->keys[k].key, keys.items[i].verifier.key);
        if (!is_ours)
            tut_finding_add(f, "rotations/%" PRIu64 " is of another history", keys.items[i].from);
    }
    const tut_person_key *now = tut_audit_key_at(a, a->audit->size);
    /* The present checkpoint is that one itself: who changes the key has not finished. */
    if (now && now->from + 1 < a->audit->size &&
        !tut_pubkey_eq(now->key, tut_log_keys_last(&keys)->key))
        tut_finding_add(f,
                        "rotations/%" PRIu64 " is missing or altered: who holds an earlier key "
                        "cannot follow to the one in force",
                        now->from + 1);
    return TUT_SUCCESS;
}

/* What was signed while the key was in other hands. */
static void say_lost(const tut_auditing *a, tut_buf *out)
{
    const tut_person *log = &a->people->log;
    for (size_t i = 0; i + 1 < log->key_count; i++) {
        const tut_person_key *k = &log->keys[i];
        uint64_t next = log->keys[i + 1].from;
        if (k->until < next)
            tut_buf_printf(out,
                           "; key %.12s was in other hands from entry %" PRIu64
                           " on, as entry %" PRIu64 " says: that the entries between are what was "
                           "appended then, only a checkpoint kept elsewhere or witnesses can show",
                           tut_pubkey_id(k->key), k->until, next);
    }
}

static void say_followed(const tut_auditing *a, tut_buf *out)
{
    const tut_log_keys *keys = &a->evidence.trusted;
    size_t count = a->people->log.key_count;
    tut_buf_printf(out, count == 1 ? "the one that the genesis names" : "%zu, one after another",
                   count);
    for (size_t i = 1; i < keys->count; i++)
        tut_buf_printf(out, "%s%s+%08x to %08x by the checkpoint of %" PRIu64 " entries",
                       i == 1 ? "; followed " : ", ", keys->items[i - 1].verifier.name,
                       keys->items[i - 1].verifier.id, keys->items[i].verifier.id,
                       keys->items[i].from);
}

tut_status tut_audit_keys(tut_auditing *a)
{
    TUT_CLEAN(tut_finding) f = {0};
    TUT_CLEAN(tut_buf) said = TUT_BUF_INIT;
    if (!a->log || !a->people) {
        tut_finding_add(&f, "not looked at, as the log cannot be opened");
        return tut_audit_conclude(a, "keys", &f, "%s", "");
    }
    judge_present(a, &f);
    TUT_TRY(judge_files(a, &f));
    say_followed(a, &said);
    say_lost(a, &said);
    const char *text = tut_buf_z(&said);
    if (!text)
        return tut_fail(a->err, TUT_NOMEM, "memory ran out");
    return tut_audit_conclude(a, "keys", &f, "%s", text);
}
