#include "state/rotate.h"

#include <unistd.h>

#include "ledger/people.h"
#include "state/records.h"

typedef struct rotating {
    const tut_rotate *how;
    const char *name; /* "log" or "tool" */
    tut_ledger *ledger;
    tut_keystore *keys;
    tut_key *fresh;
    tut_arena arena;
    int lock;
    bool is_waiting;  /* a new key of ours is in the store */
    bool is_sent;     /* the entry may stand */
    bool is_recorded; /* it does */
    uint64_t index;
    tut_error *err;
} rotating;

/* Whether an entry that was sent and not acknowledged stands is found out by whoever writes next;
 * until then its key waits. */
static void rotating_done(rotating *w)
{
    if (w->is_waiting && !w->is_sent)
        TUT_IGNORE(tut_keystore_drop_next(w->keys, w->name, NULL));
    tut_ledger_close(w->ledger);
    tut_key_free(w->fresh);
    if (w->lock >= 0)
        (void)close(w->lock);
    tut_keystore_free(w->keys);
    tut_arena_done(&w->arena);
}

static tut_status open_ledger(rotating *w, bool rotates_log)
{
    tut_ledger_options options = {.for_writing = true,
                                  .secret = w->how->secret,
                                  .rotates_log = rotates_log,
                                  .next_secret = w->how->new_secret};
    return tut_ledger_open_with(w->how->state_dir, &options, &w->ledger, w->err);
}

static void close_ledger(rotating *w)
{
    tut_ledger_close(w->ledger);
    w->ledger = NULL;
}

/* Opening for writing finishes what an earlier rotation left undone; a key that waits then waits
 * for nothing. */
static tut_status begin(rotating *w)
{
    TUT_TRY(open_ledger(w, false));
    TUT_TRY(tut_keystore_open(tut_ledger_origin(w->ledger), false, &w->keys, w->err));
    if (!w->keys)
        return tut_fail(w->err, TUT_STORE, "the keys of this log are not here");
    close_ledger(w);
    TUT_TRY(tut_keystore_lock(w->keys, &w->lock, w->err));
    return tut_keystore_drop_next(w->keys, w->name, w->err);
}

static tut_status make_key(rotating *w)
{
    const tut_rotate *how = w->how;
    w->is_waiting = true;
    if (how->new_key)
        return tut_keystore_adopt_next(w->keys, w->name, how->new_key, how->new_secret, &w->fresh,
                                       w->err);
    return tut_keystore_generate(w->keys, how->is_log ? "log.next" : "tool.next", TUT_KEY_ED25519,
                                 how->new_passphrase, &w->fresh, w->err);
}

/* Asks the roster, which is thrown away afterwards, so that nothing is written that changes
 * nothing. */
static tut_status check_counts(rotating *w, tut_records *records, const tut_people_change *change)
{
    const char *problem = NULL;
    TUT_TRY(tut_people_admit(records->people, records->log_size, w->how->who.at, change,
                             tut_pubkey_id(tut_key_public(w->how->signer)), &problem, w->err));
    if (problem)
        return tut_fail(w->err, TUT_DENIED, "nothing was changed, for it would not count: %s",
                        problem);
    return TUT_SUCCESS;
}

static tut_status append(rotating *w)
{
    const tut_rotate *how = w->how;
    TUT_AUTO(tut_records) records = NULL;
    TUT_TRY(tut_state_read(w->ledger, INT64_MAX, &records, w->err));
    const tut_person *machine = how->is_log ? &records->people->log : &records->people->tool;
    tut_people_change change = {.kind = how->is_log ? TUT_PEOPLE_LOG_ROTATED
                                                    : TUT_PEOPLE_TOOL_ROTATED,
                                .keys = {tut_key_public(w->fresh)},
                                .key_count = 1,
                                .has_after = true,
                                .after = machine->after,
                                .has_from = how->has_from,
                                .from = how->from,
                                .reason = how->reason};
    tut_record r = how->who;
    TUT_TRY(tut_people_record(&change, &w->arena, &r, w->err));
    TUT_TRY(check_counts(w, records, &change));
    w->is_sent = true;
    tut_status status = tut_ledger_append_signed(w->ledger, &r, &how->signer, 1, w->err);
    w->is_recorded = tut_is_ok(status);
    w->index = r.index;
    if (status.code == TUT_DENIED || status.code == TUT_MALFORMED || status.code == TUT_LIMIT)
        w->is_sent = false; /* refused: it is nowhere */
    return status;
}

/* The next child that starts finds the entry and both signatures: ours. */
static tut_status switch_log(rotating *w)
{
    TUT_AUTO(tut_pubkey) now = NULL;
    close_ledger(w);
    TUT_TRY(open_ledger(w, false));
    TUT_TRY(tut_keystore_public(w->keys, "log", &now, w->err));
    if (!tut_pubkey_eq(now, tut_key_public(w->fresh)))
        return tut_fail(w->err, TUT_BUG, "the new key has not taken the place of the old one");
    return TUT_SUCCESS;
}

static tut_status rotate(rotating *w)
{
    TUT_TRY(begin(w));
    TUT_TRY(make_key(w));
    TUT_TRY(open_ledger(w, w->how->is_log));
    TUT_TRY(append(w));
    return w->how->is_log ? switch_log(w) : tut_keystore_switch(w->keys, w->name, w->err);
}

tut_status tut_rotate_machine(const tut_rotate *how, uint64_t *ret_index, tut_pubkey **ret_key,
                              bool *ret_is_recorded, tut_error *err)
{
    __attribute__((cleanup(rotating_done)))
    rotating w = {.how = how, .name = how->is_log ? "log" : "tool", .lock = -1, .err = err};
    tut_status status = rotate(&w);
    if (ret_is_recorded)
        *ret_is_recorded = w.is_recorded;
    if (w.is_recorded)
        *ret_index = w.index;
    TUT_TRY(status);
    return tut_pubkey_copy(tut_key_public(w.fresh), ret_key, err);
}
