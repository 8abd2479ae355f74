#include "ledger/read_signers.h"

#include "base/cage.h"
#include "base/parallel.h"
#include "crypto/ed25519.h"
#include "ledger/people_event.h"

enum {
    CLOCK_SKEW_SECONDS = 300, /* between the clocks of a client and of the sequencer */
    WORTH = 64,               /* signatures that are worth another thread: about 10 ms */
    REMEMBERED = 4,           /* signatures an entry; nearly all have one */
};

/* --- what was verified before --- */

typedef enum standing { UNKNOWN, GOOD, BAD } standing;

struct tut_checked {
    uint64_t size;
    uint8_t *entries; /* two bits for each of the first signatures */
};

tut_status tut_checked_new(uint64_t log_size, tut_checked **ret_checked, tut_error *err)
{
    TUT_AUTO(tut_checked) c = tut_alloc_array(1, sizeof(*c));
    if (!c)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    c->size = log_size;
    c->entries = tut_alloc_array((size_t)log_size + 1, 1);
    if (!c->entries)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    *ret_checked = tut_move(&c);
    return TUT_SUCCESS;
}

void tut_checked_free(tut_checked *c)
{
    if (!c)
        return;
    tut_free(c->entries);
    tut_free(c);
}

static standing recall(const tut_checked *c, uint64_t index, size_t i)
{
    if (!c || index >= c->size || i >= REMEMBERED)
        return UNKNOWN;
    return (standing)(c->entries[index] >> 2 * i & 3);
}

static void remember(tut_checked *c, uint64_t index, size_t i, bool is_good)
{
    if (c && index < c->size && i < REMEMBERED)
        c->entries[index] |= (uint8_t)((unsigned)(is_good ? GOOD : BAD) << 2 * i);
}

/* --- signatures --- */

typedef struct job { /* one signature by a key that the log knows */
    const tut_dsse *envelope;
    size_t i; /* of the signature */
    const tut_pubkey *key;
    tut_record_signer *signer;
    uint64_t index;
    tut_code failure; /* of ours, not of the signature */
} job;

typedef struct jobs {
    job *items;
    size_t count, capacity;
} jobs;

static void verify(job *j)
{
    tut_status status = tut_dsse_verify(j->envelope, j->i, j->key, NULL);
    if (status.code == TUT_NOMEM)
        j->failure = status.code;
    j->signer->is_bad = !tut_is_ok(status);
}

static void verify_nth(void *ctx, size_t i)
{
    jobs *all = ctx;
    verify(&all->items[i]);
}

static tut_status verify_all(jobs *all, tut_error *err)
{
    if (all->count >= WORTH)
        tut_ed25519_prepare();
    tut_parallel(all->count, WORTH, verify_nth, all);
    if (tut_interrupted())
        return tut_fail(err, TUT_CANCELLED, "interrupted");
    for (size_t i = 0; i < all->count; i++)
        if (all->items[i].failure != TUT_OK)
            return tut_fail(err, TUT_NOMEM, "memory ran out");
    return TUT_SUCCESS;
}

/* Whose key it is said to be; the signature itself is another job. */
static const tut_person_key *whose(const tut_people *people, tut_record_signer *signer)
{
    const tut_person_key *key = NULL;
    const tut_person *person = tut_people_by_key(people, signer->key_id, &key);
    for (size_t k = 0; !person && !key && k < people->tool.key_count; k++)
        if (strcmp(tut_pubkey_id(people->tool.keys[k].key), signer->key_id) == 0)
            key = &people->tool.keys[k];
    if (!key)
        return NULL;
    signer->is_tool = person == NULL;
    signer->name = person ? person->name : "tool";
    signer->roles = person ? key->roles : 0;
    return key;
}

/* By what the whole log says of the key. */
static void conclude(const tut_people *people, uint64_t index, tut_record_signer *signer)
{
    const tut_person_key *key = whose(people, signer);
    if (!key)
        signer->why = "signed with a key that the log does not know";
    else if (signer->is_bad)
        signer->why = "the signature does not verify";
    else if (index < key->from)
        signer->why = "signed before the log knew the key";
    else if (index >= key->until)
        signer->why = "the key that signed it was revoked";
    else
        signer->counts = true;
}

/* --- what they come to --- */

static tut_tier tier_of(const tut_record *r)
{
    uint32_t roles = 0;
    bool has_person = false;
    bool has_tool = false;
    for (size_t i = 0; i < r->signer_count; i++) {
        if (!r->signers[i].counts)
            continue;
        has_tool = has_tool || r->signers[i].is_tool;
        has_person = has_person || !r->signers[i].is_tool;
        roles |= r->signers[i].roles;
    }
    if (has_person)
        return roles & TUT_PERSON_AUDITOR  ? TUT_TIER_THIRD
               : roles & TUT_PERSON_TESTER ? TUT_TIER_INTERNAL
                                           : TUT_TIER_FIRST;
    return has_tool && strcmp(r->actor, "tool") == 0 ? TUT_TIER_FIRST : TUT_TIER_SELF;
}

const char tut_doubt_log_key[] = "the key that signed the log then was in other hands";

/* The log's key vouches for events: no key of it counts where a rotation said so, from an earlier
 * entry on. */
static bool is_by_lost_log_key(const tut_people *people, uint64_t index)
{
    bool counts = people->log.key_count == 0;
    for (size_t i = 0; i < people->log.key_count && !counts; i++)
        counts = people->log.keys[i].from <= index && index < people->log.keys[i].until;
    return !counts;
}

static const char *doubt_of(const tut_signing *s, const tut_record *r)
{
    if (!s->log_origin || strcmp(r->origin, s->log_origin) != 0)
        return "it was carried over from another log";
    if (r->at > r->recorded_at + CLOCK_SKEW_SECONDS)
        return "its time lies after the time at which it was recorded";
    /* Whether an event about people counts is the roster's to say (a rotation ends the very key
     * that signs it). */
    if (r->type == TUT_RECORD_EVENT && tut_people_kind_of(tut_str_of(r->check)) != TUT_PEOPLE_OTHER)
        return NULL;
    if (r->type == TUT_RECORD_EVENT && r->signer_count == 0)
        /* authenticated by the writing process and the checkpoint alone */
        return is_by_lost_log_key(s->records->people, r->index) ? tut_doubt_log_key : NULL;
    for (size_t i = 0; i < r->signer_count; i++)
        if (r->signers[i].counts)
            return NULL;
    return r->signer_count ? r->signers[0].why : "it is not signed";
}

/* Evidence that rests on a person's key falls when that key does: revoked, or replaced. */
static const char *doubt_of_key(const tut_signing *s, const char *key_id)
{
    const tut_act act = {.index = s->records->log_size};
    bool counts = !key_id || tut_people_may_sign(s->records->people, key_id, &act, NULL, NULL);
    return counts ? NULL : "the key that it rests on no longer counts";
}

/* --- entry by entry --- */

tut_status tut_signers_keep(tut_signing *s, size_t at, tut_entry *entry, tut_error *err)
{
    const tut_json_value *rests_on = tut_json_get(entry->predicate, TUT_RECORD_RESTS_ON);
    tut_unsettled *u = &s->entries[at];
    *u = (tut_unsettled){.is_open = true};
    if (rests_on) {
        u->rests_on = tut_arena_copy(s->arena, tut_json_get_text(rests_on, "key"));
        if (!u->rests_on)
            return tut_fail(err, TUT_NOMEM, "memory ran out");
    }
    u->entry = *entry;
    *entry = (tut_entry){0};
    return TUT_SUCCESS;
}

static tut_status list_signers(const tut_signing *s, size_t at, tut_error *err)
{
    tut_record *r = &s->records->items[at];
    const tut_entry *e = &s->entries[at].entry;
    size_t count = e->head.is_dsse ? e->envelope.signature_count : 0;
    tut_record_signer *signers = tut_arena_take(s->arena, count + 1, sizeof(*signers));
    if (!signers)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    r->signers = s->entries[at].signers = signers;
    r->signer_count = count;
    for (size_t i = 0; i < count; i++) {
        signers[i].key_id = tut_arena_copy(s->arena, e->envelope.signatures[i].keyid);
        if (!signers[i].key_id)
            return tut_fail(err, TUT_NOMEM, "memory ran out");
    }
    return TUT_SUCCESS;
}

/* Jobs for signatures that nobody looked at yet and whose keys are known; is_open tells whether any
 * is left without. */
static tut_status plan(const tut_signing *s, size_t at, jobs *all, tut_error *err)
{
    const tut_record *r = &s->records->items[at];
    tut_unsettled *u = &s->entries[at];
    u->is_open = false;
    for (size_t i = 0; i < r->signer_count; i++) {
        tut_record_signer *signer = &u->signers[i];
        if (signer->name)
            continue;
        const tut_person_key *key = whose(s->records->people, signer);
        standing before = key ? recall(s->checked, r->index, i) : UNKNOWN;
        signer->is_bad = before == BAD;
        u->is_open = u->is_open || !key;
        if (!key || before != UNKNOWN)
            continue;
        if (!tut_is_ok(tut_grow(&all->items, all->count, &all->capacity, sizeof(*all->items))))
            return tut_fail(err, TUT_NOMEM, "memory ran out");
        all->items[all->count++] = (job){.envelope = &u->entry.envelope,
                                         .i = i,
                                         .key = key->key,
                                         .signer = signer,
                                         .index = r->index};
    }
    return TUT_SUCCESS;
}

static tut_status check(tut_signing *s, size_t from, jobs *all, tut_error *err)
{
    size_t count = s->records->count;
    for (size_t i = from; i < count; i++)
        if (s->entries[i].is_open)
            TUT_TRY(plan(s, i, all, err));
    TUT_TRY(verify_all(all, err));
    for (size_t i = 0; i < all->count; i++)
        remember(s->checked, all->items[i].index, all->items[i].i, !all->items[i].signer->is_bad);
    for (size_t i = from; i < count; i++)
        if (!s->entries[i].is_open)
            tut_entry_done(&s->entries[i].entry);
    return TUT_SUCCESS;
}

static tut_status check_from(tut_signing *s, size_t from, tut_error *err)
{
    jobs all = {.items = NULL};
    tut_status status = check(s, from, &all, err);
    tut_free(all.items);
    return status;
}

tut_status tut_signers_take(tut_signing *s, tut_error *err)
{
    size_t from = s->taken;
    for (; s->taken < s->records->count; s->taken++)
        TUT_TRY(list_signers(s, s->taken, err));
    return check_from(s, from, err);
}

static void judge(const tut_signing *s, size_t at)
{
    tut_record *r = &s->records->items[at];
    for (size_t i = 0; i < r->signer_count; i++)
        conclude(s->records->people, r->index, &s->entries[at].signers[i]);
    r->tier = tier_of(r);
    r->doubt = doubt_of(s, r);
    if (!r->doubt && r->result == TUT_RESULT_PASS) {
        r->doubt = doubt_of_key(s, s->entries[at].rests_on);
        r->is_outlived = r->doubt != NULL;
    }
}

tut_status tut_signers_find(tut_signing *s, tut_error *err)
{
    TUT_TRY(tut_signers_take(s, err));
    TUT_TRY(check_from(s, 0, err)); /* by keys that came later in the log */
    for (size_t i = 0; i < s->records->count; i++)
        judge(s, i);
    return TUT_SUCCESS;
}
