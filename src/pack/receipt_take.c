#include "pack/receipt_take.h"

#include "assess/attest.h"
#include "assess/covered.h"
#include "pack/archive.h"
#include "pack/image.h"
#include "state/records.h"

/* Clocks of two machines may differ by so much. */
enum { CLOCK_SECONDS = 300 };

typedef struct taking {
    const tut_receipt_taking *how;
    tut_receipt_taken *ret;
    const tut_receipt *says;
    const tut_want *want;
    tut_ledger *ledger;
    tut_system *system;
    tut_records *records; /* that decide now */
    const tut_person *person;
    const tut_record *built;
    tut_error *err;
} taking;

void tut_receipt_taken_done(tut_receipt_taken *t)
{
    tut_receipt_file_done(&t->receipt);
    tut_free(t->words);
    *t = (tut_receipt_taken){.words = NULL};
}

const char *tut_taken_state_name(tut_taken_state s)
{
    static const char *const names[] = {"recorded", "before", "empty", "passed"};
    return names[s];
}

static void taking_done(taking *t)
{
    tut_records_free(t->records);
    tut_ledger_close(t->ledger);
    tut_system_free(t->system);
}

/* --- whose it is --- */

/* The signature first: what nobody registered has signed is not looked at. */
static tut_status check_signer(taking *t)
{
    const tut_receipt_file *f = &t->ret->receipt;
    const tut_people *people = t->records->people;
    const tut_act act = {.roles = TUT_PERSON_OPERATOR, .index = t->records->log_size};
    const tut_person_key *key = NULL;
    const char *why = NULL;
    const char *id = tut_arena_copy(&t->ret->receipt.arena, f->key_id);
    if (!id)
        return tut_fail(t->err, TUT_NOMEM, "memory ran out");
    t->person = tut_people_by_key(people, id, &key);
    if (!t->person)
        return tut_fail(t->err, TUT_DENIED, "is signed with a key of nobody who is enrolled here");
    tut_status status = tut_receipt_verify(f, key->key, t->err);
    if (status.code == TUT_CRYPTO)
        return tut_fail(t->err, TUT_DENIED,
                        "does not carry the signature of %s: it was altered, or is not theirs",
                        t->person->name);
    TUT_TRY(status);
    if (!tut_people_may_sign(people, id, &act, NULL, &why))
        return tut_fail(t->err, TUT_DENIED, "%s cannot give it as system operator: %s",
                        t->person->name, why);
    if (!tut_str_ieq(tut_str_of(t->person->name), t->says->by))
        return tut_fail(t->err, TUT_DENIED, "says to be by somebody else than %s, whose key it is",
                        t->person->name);
    return TUT_SUCCESS;
}

/* --- for which pack --- */

static bool is_built(const tut_record *r, const tut_sha256 *manifest)
{
    return r->type == TUT_RECORD_EVENT && !r->doubt && r->subject_count == 1 &&
           strcmp(r->check, TUT_PACK_BUILT_EVENT) == 0 &&
           strcmp(r->subjects[0].name, TUT_PACK_MANIFEST) == 0 &&
           tut_sha256_eq(&r->subjects[0].digest, manifest);
}

static tut_status check_pack(taking *t)
{
    const tut_records *records = t->records;
    bool is_ours = tut_str_eq_z(t->says->origin, tut_ledger_log_origin(t->ledger));
    for (size_t i = 0; is_ours && i < records->count && !t->built; i++)
        if (is_built(&records->items[i], &t->says->manifest))
            t->built = &records->items[i];
    if (!t->built || t->says->log_size <= t->built->index || t->says->log_size > records->log_size)
        return tut_fail(t->err, TUT_DENIED, "is for a pack that this log did not build");
    if (tut_str_ieq(tut_str_of(t->built->actor), tut_str_of(t->person->name)))
        return tut_fail(t->err, TUT_DENIED,
                        "is by %s, who built the pack: nobody hands findings over to themselves",
                        t->person->name);
    t->ret->built = t->built->index;
    return TUT_SUCCESS;
}

static tut_status check_times(const taking *t)
{
    if (t->says->received_at > t->how->at + CLOCK_SECONDS)
        return tut_fail(t->err, TUT_DENIED,
                        "was given at a time that lies in the future: the clock of whoever gave it "
                        "is wrong, or the one here");
    if (t->says->received_at < t->built->at - CLOCK_SECONDS)
        return tut_fail(t->err, TUT_DENIED, "says to be older than the pack that it is for");
    return TUT_SUCCESS;
}

/* --- which findings --- */

static bool is_just_so(const tut_pack_finding *f, const tut_record *r)
{
    bool is_same = r && r->type == TUT_RECORD_EVIDENCE && tut_str_eq_z(f->check, r->check) &&
                   f->result == r->result && f->expires == r->expires;
    for (size_t i = 0; is_same && i < r->subject_count; i++)
        if (tut_str_eq_z(f->subject, r->subjects[i].name) &&
            tut_sha256_eq(&f->digest, &r->subjects[i].digest))
            return true;
    return false;
}

static tut_status check_findings(const taking *t)
{
    const tut_receipt *says = t->says;
    TUT_AUTO(tut_records) records = NULL;
    TUT_AUTO_FREE uint64_t *places = tut_alloc_array(says->finding_count + 1, sizeof(*places));
    size_t count = 0;
    if (!places)
        return tut_fail(t->err, TUT_NOMEM, "memory ran out");
    for (size_t i = 0; i < says->finding_count; i++)
        if (says->findings[i].entry < says->log_size &&
            (count == 0 || places[count - 1] != says->findings[i].entry))
            places[count++] = says->findings[i].entry;
    TUT_TRY(tut_state_read_at(t->ledger, places, count, &records, t->err));
    for (size_t i = 0; i < says->finding_count; i++) {
        const tut_pack_finding *f = &says->findings[i];
        if (!is_just_so(f, tut_records_at(records, f->entry)))
            return tut_fail(t->err, TUT_DENIED, "lists entry %llu as something that it is not here",
                            (unsigned long long)f->entry);
    }
    return TUT_SUCCESS;
}

static bool lists(const tut_receipt *says, const tut_record *r)
{
    size_t low = 0;
    size_t high = says->finding_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (says->findings[middle].entry < r->index)
            low = middle + 1;
        else
            high = middle;
    }
    return low < says->finding_count && says->findings[low].entry == r->index;
}

static tut_status leave(const taking *t, tut_taken_state state, char *words)
{
    t->ret->state = state;
    t->ret->words = words;
    return words ? TUT_SUCCESS : tut_fail(t->err, TUT_NOMEM, "memory ran out");
}

/* *ret_ends: nothing is recorded, and *t->ret says why. */
static tut_status look_for_newer(const taking *t, bool *ret_ends)
{
    TUT_CLEAN(tut_covered_list) now = {.items = NULL};
    TUT_TRY(tut_covered_in_force(t->want, t->records, t->system, t->how->at, &now, t->err));
    *ret_ends = true;
    for (size_t i = 0; i < now.count; i++) {
        const tut_record *r = now.items[i];
        if (!lists(t->says, r))
            return leave(
                t, TUT_TAKEN_PASSED,
                tut_asprintf("entry %llu (%s about %s) is not among the findings that were "
                             "handed over: build a pack and hand it over anew",
                             (unsigned long long)r->index, r->check, r->subjects[0].name));
    }
    if (now.count == 0)
        return leave(
            t, TUT_TAKEN_PASSED,
            tut_asprintf("none of the findings that were handed over is in force about the "
                         "system as it is described now: test it, and hand over anew"));
    *ret_ends = false;
    return TUT_SUCCESS;
}

/* --- recording --- */

static bool is_this(const taking *t, const tut_record *r, const tut_sha256 *body)
{
    const tut_record *newest = tut_covered_newest(t->want, t->records);
    return r && r->type == TUT_RECORD_EVIDENCE && !r->doubt && r->result == TUT_RESULT_PASS &&
           r->has_body && tut_sha256_eq(&r->body, body) && r->subject_count == 1 &&
           tut_sha256_eq(&r->subjects[0].digest, &t->system->digest) &&
           !(newest && newest->index > r->index);
}

static tut_status look_before(const taking *t, bool *ret_ends)
{
    static const tut_index_query query = {
        .kind = TUT_CHECK_SHARED "*", .from = INT64_MIN, .to = INT64_MAX};
    TUT_CLEAN(tut_places) places = {0};
    TUT_AUTO(tut_records) records = NULL;
    tut_sha256 body;
    TUT_TRY(tut_sha256_of(t->how->text, &body, t->err));
    TUT_TRY(tut_state_search(t->ledger, &query, &places, NULL, t->err));
    TUT_TRY(tut_state_read_at(t->ledger, places.items, places.count, &records, t->err));
    for (size_t i = 0; i < places.count && !*ret_ends; i++) {
        *ret_ends = is_this(t, tut_records_at(records, places.items[i]), &body);
        t->ret->entry = places.items[i];
    }
    return *ret_ends ? leave(t, TUT_TAKEN_BEFORE,
                             tut_asprintf("this receipt was taken before, as entry %llu",
                                          (unsigned long long)t->ret->entry))
                     : TUT_SUCCESS;
}

static tut_status record(const taking *t)
{
    const tut_receipt *says = t->says;
    tut_time at = says->received_at < t->how->at ? says->received_at : t->how->at;
    char *words = tut_asprintf("%s received %zu finding%s of tests with the pack of entry %llu and "
                               "gave a receipt",
                               t->person->name, says->finding_count,
                               says->finding_count == 1 ? "" : "s",
                               (unsigned long long)t->built->index);
    TUT_TRY(leave(t, TUT_TAKEN_RECORDED, words));
    TUT_AUTO_FREE char *statement = tut_asprintf("%s.", words);
    TUT_AUTO_FREE char *key = tut_strndup(t->ret->receipt.key_id.data, t->ret->receipt.key_id.len);
    if (!statement || !key)
        return tut_fail(t->err, TUT_NOMEM, "memory ran out");
    const tut_attestation a = {.check = TUT_CHECK_SHARED,
                               .result = TUT_RESULT_PASS,
                               .statement = statement,
                               .body = t->how->text,
                               .from = at,
                               .to = at,
                               .key_id = key};
    return tut_attest(t->how->dir_or_file, t->how->state_dir, &a, &t->ret->entry, t->err);
}

/* --- all of it --- */

static tut_status take(taking *t)
{
    bool ends = false;
    TUT_TRY(tut_receipt_parse(t->how->text, &t->ret->receipt, t->err));
    t->says = &t->ret->receipt.says;
    t->want = tut_catalogue_find_want(TUT_LIT(TUT_CHECK_SHARED));
    if (!t->want)
        return tut_fail(t->err, TUT_BUG, "the catalogue lacks " TUT_CHECK_SHARED);
    TUT_TRY(tut_system_load(t->how->dir_or_file, &t->system, NULL, t->err));
    TUT_TRY(tut_ledger_open(t->how->state_dir, false, &t->ledger, t->err));
    TUT_TRY(tut_state_read(t->ledger, t->how->at, &t->records, t->err));
    TUT_TRY(check_signer(t));
    TUT_TRY(check_pack(t));
    TUT_TRY(check_times(t));
    if (t->says->finding_count == 0)
        return leave(t, TUT_TAKEN_EMPTY,
                     tut_asprintf("the pack held no findings of tests, so none were handed over: "
                                  "tutela probe makes them"));
    TUT_TRY(check_findings(t));
    TUT_TRY(look_for_newer(t, &ends));
    if (!ends)
        TUT_TRY(look_before(t, &ends));
    if (ends)
        return TUT_SUCCESS;
    tut_ledger_close(tut_move(&t->ledger)); /* it is opened for writing */
    return record(t);
}

tut_status tut_receipt_take(const tut_receipt_taking *how, tut_receipt_taken *ret, tut_error *err)
{
    tut_error unread = {0};
    __attribute__((cleanup(taking_done)))
    taking t = {.how = how, .ret = ret, .err = err ? err : &unread};
    return take(&t);
}
