/* Entries read back as records. The log gives out no entry that it has not proved to be in the tree
 * that was signed; what is left is to find out who signed each. */
#include "base/cage.h"
#include "ledger/ledger_internal.h"
#include "ledger/people_event.h"

enum { CLOCK_SKEW_SECONDS = 300 }; /* between the clocks of a client and of the sequencer */

typedef struct reading {
    tut_ledger *ledger;
    tut_log *log;
    tut_records *records;
    tut_arena *arena;
    tut_entry *entries; /* of records->items, until their signers are known */
    size_t capacity, entry_capacity;
    tut_time until;
    bool only_events; /* evidence is passed over, and its signatures with it */
    tut_error *err;
} reading;

static tut_status nomem(const reading *rd)
{
    return tut_fail(rd->err, TUT_NOMEM, "memory ran out");
}

void tut_records_free(tut_records *r)
{
    if (!r)
        return;
    tut_people_free(r->people);
    if (r->owner_) {
        tut_arena_done(r->owner_);
        tut_free(r->owner_);
    }
    tut_free(r->items);
    tut_free(r);
}

static tut_status damaged(const reading *rd, uint64_t index, const tut_error *why)
{
    if (why->code == TUT_NOMEM)
        return nomem(rd);
    tut_error_set_path(rd->err, rd->ledger->evidence);
    return tut_fail(rd->err, TUT_STORE, "entry %llu: %s", (unsigned long long)index, why->text);
}

static tut_status keep(reading *rd, uint64_t index, tut_entry *entry)
{
    tut_records *records = rd->records;
    TUT_TRY(tut_grow(&records->items, records->count, &rd->capacity, sizeof(*records->items)));
    TUT_TRY(tut_grow(&rd->entries, records->count, &rd->entry_capacity, sizeof(*rd->entries)));
    tut_record *r = &records->items[records->count];
    *r = entry->record;
    r->index = index;
    r->recorded_at = entry->head.at;
    r->uid = entry->head.uid;
    rd->entries[records->count++] = *entry;
    *entry = (tut_entry){0};
    return TUT_SUCCESS;
}

static tut_status take(reading *rd, uint64_t index)
{
    tut_error why = {0};
    TUT_CLEAN(tut_buf) bytes = TUT_BUF_INIT;
    tut_status status = tut_log_entry(rd->log, index, &bytes, &why);
    if (!tut_is_ok(status))
        return damaged(rd, index, &why);
    /* The entry's views must outlive the buffer: they point into the arena's copy. */
    char *copy = tut_arena_copy(rd->arena, tut_buf_str(&bytes));
    if (!copy)
        return nomem(rd);
    tut_entry entry = {0};
    status = tut_entry_parse(tut_span_of(copy, bytes.len), rd->arena, &entry, &why);
    if (!tut_is_ok(status))
        return damaged(rd, index, &why);
    if (entry.head.at <= rd->until) {
        status = tut_people_apply(rd->records->people, index, &entry, NULL, rd->err);
        bool is_wanted = entry.has_record && entry.record.at <= rd->until &&
                         !(rd->only_events && entry.record.type == TUT_RECORD_EVIDENCE);
        if (tut_is_ok(status) && is_wanted)
            status = keep(rd, index, &entry);
    }
    tut_entry_done(&entry);
    return status;
}

/* --- signers --- */

static void resolve(const tut_people *people, const tut_dsse *envelope, size_t i, uint64_t index,
                    tut_record_signer *signer)
{
    const tut_person_key *key = NULL;
    const tut_person *person = tut_people_by_key(people, signer->key_id, &key);
    for (size_t k = 0; !person && !key && k < people->tool.key_count; k++)
        if (strcmp(tut_pubkey_id(people->tool.keys[k].key), signer->key_id) == 0)
            key = &people->tool.keys[k];
    if (!key) {
        signer->why = "signed with a key that the log does not know";
        return;
    }
    signer->is_tool = person == NULL;
    signer->name = person ? person->name : "tool";
    signer->roles = person ? key->roles : 0;
    signer->is_bad = !tut_is_ok(tut_dsse_verify(envelope, i, key->key, NULL));
    if (signer->is_bad)
        signer->why = "the signature does not verify";
    else if (index < key->from)
        signer->why = "signed before the log knew the key";
    else if (index >= key->until)
        signer->why = "the key that signed it was revoked";
    else
        signer->counts = true;
}

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

static const char *doubt_of(const reading *rd, const tut_record *r)
{
    if (!rd->ledger->log_origin || strcmp(r->origin, rd->ledger->log_origin) != 0)
        return "it was carried over from another log";
    if (r->at > r->recorded_at + CLOCK_SKEW_SECONDS)
        return "its time lies after the time at which it was recorded";
    /* Whether an event about people counts is the roster's to say (a rotation ends the very key
     * that signs it). */
    if (r->type == TUT_RECORD_EVENT && tut_people_kind_of(tut_str_of(r->check)) != TUT_PEOPLE_OTHER)
        return NULL;
    if (r->type == TUT_RECORD_EVENT && r->signer_count == 0)
        /* authenticated by the writing process and the checkpoint alone */
        return is_by_lost_log_key(rd->records->people, r->index) ? tut_doubt_log_key : NULL;
    for (size_t i = 0; i < r->signer_count; i++)
        if (r->signers[i].counts)
            return NULL;
    return r->signer_count ? r->signers[0].why : "it is not signed";
}

/* Evidence that rests on a person's key falls when that key does: revoked, or replaced. */
static const char *doubt_of_key(const reading *rd, const tut_entry *e)
{
    const tut_json_value *rests_on = tut_json_get(e->predicate, TUT_RECORD_RESTS_ON);
    tut_str key = tut_json_get_text(rests_on, "key");
    if (!rests_on)
        return NULL;
    char id[TUT_SHA256_HEX];
    tut_str_copy(id, sizeof(id), key);
    const tut_act act = {.index = rd->records->log_size};
    bool counts = key.len == sizeof(id) - 1 &&
                  tut_people_may_sign(rd->records->people, id, &act, NULL, NULL);
    return counts ? NULL : "the key that it rests on no longer counts";
}

static tut_status find_signers(reading *rd, size_t at)
{
    tut_record *r = &rd->records->items[at];
    const tut_entry *e = &rd->entries[at];
    size_t count = e->head.is_dsse ? e->envelope.signature_count : 0;
    tut_record_signer *signers = tut_arena_take(rd->arena, count + 1, sizeof(*signers));
    if (!signers)
        return nomem(rd);
    for (size_t i = 0; i < count; i++) {
        signers[i].key_id = tut_arena_copy(rd->arena, e->envelope.signatures[i].keyid);
        if (!signers[i].key_id)
            return nomem(rd);
        resolve(rd->records->people, &e->envelope, i, r->index, &signers[i]);
    }
    r->signers = signers;
    r->signer_count = count;
    r->tier = tier_of(r);
    r->doubt = doubt_of(rd, r);
    if (!r->doubt && r->result == TUT_RESULT_PASS) {
        r->doubt = doubt_of_key(rd, e);
        r->is_outlived = r->doubt != NULL;
    }
    return TUT_SUCCESS;
}

/* --- reading --- */

static tut_status begin(reading *rd)
{
    tut_records *records = tut_alloc_array(1, sizeof(*records));
    rd->arena = tut_alloc_array(1, sizeof(*rd->arena));
    rd->records = records;
    if (!records || !rd->arena)
        return nomem(rd);
    tut_arena_init(rd->arena, 0);
    records->owner_ = rd->arena;
    TUT_TRY(tut_people_new(&records->people, rd->err));
    TUT_TRY(tut_ledger_log(rd->ledger, &rd->log, rd->err));
    if (!rd->log)
        return TUT_SUCCESS;
    records->log_size = tut_log_size(rd->log);
    tut_log_root(rd->log, &records->log_root);
    return TUT_SUCCESS;
}

static tut_status read_all(reading *rd, const uint64_t *indexes, size_t count)
{
    TUT_TRY(begin(rd));
    for (size_t i = 0; rd->log && i < count; i++) {
        if (tut_interrupted())
            return tut_fail(rd->err, TUT_CANCELLED, "interrupted");
        TUT_TRY(take(rd, indexes ? indexes[i] : i));
    }
    for (size_t i = 0; i < rd->records->count; i++) {
        if (tut_interrupted())
            return tut_fail(rd->err, TUT_CANCELLED, "interrupted");
        TUT_TRY(find_signers(rd, i));
    }
    return TUT_SUCCESS;
}

static tut_status read(tut_ledger *l, const uint64_t *indexes, size_t count, tut_time until,
                       bool only_events, tut_records **ret_records, tut_error *err)
{
    reading rd = {.ledger = l, .until = until, .only_events = only_events, .err = err};
    tut_status status = read_all(&rd, indexes, count);
    for (size_t i = 0; rd.records && i < rd.records->count; i++)
        tut_entry_done(&rd.entries[i]);
    tut_free(rd.entries);
    if (!tut_is_ok(status)) {
        if (rd.records && !rd.records->owner_)
            tut_free(rd.arena);
        tut_records_free(rd.records);
        return status;
    }
    *ret_records = rd.records;
    return TUT_SUCCESS;
}

tut_status tut_ledger_read_some(tut_ledger *l, const uint64_t *indexes, size_t count,
                                tut_time until, tut_records **ret_records, tut_error *err)
{
    return read(l, indexes, count, until, false, ret_records, err);
}

tut_status tut_ledger_read_events(tut_ledger *l, const uint64_t *indexes, size_t count,
                                  tut_time until, tut_records **ret_records, tut_error *err)
{
    return read(l, indexes, count, until, true, ret_records, err);
}

tut_status tut_ledger_read(tut_ledger *l, tut_time until, tut_records **ret_records, tut_error *err)
{
    tut_log *log;
    TUT_TRY(tut_ledger_log(l, &log, err));
    return read(l, NULL, log ? (size_t)tut_log_size(log) : 0, until, false, ret_records, err);
}
