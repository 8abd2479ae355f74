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
    const tut_person_key *key;
    tut_record_signer *signer;
    uint64_t index;
    bool is_known;    /* from before */
    tut_code failure; /* of ours, not of the signature */
} job;

typedef struct jobs {
    job *items;
    size_t count, capacity;
} jobs;

static void verify(job *j)
{
    if (j->is_known)
        return;
    tut_status status = tut_dsse_verify(j->envelope, j->i, j->key->key, NULL);
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

static void conclude(const job *j)
{
    tut_record_signer *signer = j->signer;
    if (signer->is_bad)
        signer->why = "the signature does not verify";
    else if (j->index < j->key->from)
        signer->why = "signed before the log knew the key";
    else if (j->index >= j->key->until)
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
static const char *doubt_of_key(const tut_signing *s, const tut_entry *e)
{
    const tut_json_value *rests_on = tut_json_get(e->predicate, TUT_RECORD_RESTS_ON);
    tut_str key = tut_json_get_text(rests_on, "key");
    if (!rests_on)
        return NULL;
    char id[TUT_SHA256_HEX];
    tut_str_copy(id, sizeof(id), key);
    const tut_act act = {.index = s->records->log_size};
    bool counts = key.len == sizeof(id) - 1 &&
                  tut_people_may_sign(s->records->people, id, &act, NULL, NULL);
    return counts ? NULL : "the key that it rests on no longer counts";
}

/* --- all of them --- */

static tut_status list_signers(const tut_signing *s, size_t at, jobs *all, tut_error *err)
{
    tut_record *r = &s->records->items[at];
    const tut_entry *e = &s->entries[at];
    size_t count = e->head.is_dsse ? e->envelope.signature_count : 0;
    tut_record_signer *signers = tut_arena_take(s->arena, count + 1, sizeof(*signers));
    if (!signers)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    r->signers = signers;
    r->signer_count = count;
    for (size_t i = 0; i < count; i++) {
        signers[i].key_id = tut_arena_copy(s->arena, e->envelope.signatures[i].keyid);
        if (!signers[i].key_id ||
            !tut_is_ok(tut_grow(&all->items, all->count, &all->capacity, sizeof(*all->items))))
            return tut_fail(err, TUT_NOMEM, "memory ran out");
        const tut_person_key *key = whose(s->records->people, &signers[i]);
        if (!key) {
            signers[i].why = "signed with a key that the log does not know";
            continue;
        }
        standing before = recall(s->checked, r->index, i);
        signers[i].is_bad = before == BAD;
        all->items[all->count++] = (job){.envelope = &e->envelope,
                                         .i = i,
                                         .key = key,
                                         .signer = &signers[i],
                                         .index = r->index,
                                         .is_known = before != UNKNOWN};
    }
    return TUT_SUCCESS;
}

static void judge(const tut_signing *s, size_t at)
{
    tut_record *r = &s->records->items[at];
    r->tier = tier_of(r);
    r->doubt = doubt_of(s, r);
    if (!r->doubt && r->result == TUT_RESULT_PASS) {
        r->doubt = doubt_of_key(s, &s->entries[at]);
        r->is_outlived = r->doubt != NULL;
    }
}

static tut_status find_all(const tut_signing *s, jobs *all, tut_error *err)
{
    size_t count = s->records->count;
    for (size_t i = 0; i < count; i++)
        TUT_TRY(list_signers(s, i, all, err));
    TUT_TRY(verify_all(all, err));
    for (size_t i = 0; i < all->count; i++) {
        remember(s->checked, all->items[i].index, all->items[i].i, !all->items[i].signer->is_bad);
        conclude(&all->items[i]);
    }
    for (size_t i = 0; i < count; i++)
        judge(s, i);
    return TUT_SUCCESS;
}

tut_status tut_signers_find(const tut_signing *s, tut_error *err)
{
    jobs all = {.items = NULL};
    tut_status status = find_all(s, &all, err);
    tut_free(all.items);
    return status;
}
