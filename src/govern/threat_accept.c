/* Acceptances: signed events about one risk at one digest, until a day. */
#include <string.h>

#include "base/json.h"
#include "govern/threat_internal.h"
#include "govern/threat_judge.h"
#include "ledger/people.h"

enum { REASON_MAX = 2000, ACCEPTED_DAYS_MAX = 731 };

#define SCHEMA "tutela.risk-acceptance/1"

typedef struct known {
    const tut_record *record;
    const char *by, *reason;
    tut_time expires;
    int level;
    const char *why; /* it never counts */
} known;

struct tut_acceptances {
    known *items;
    size_t count, capacity;
    tut_map by_risk; /* the newest of each */
};

void tut_acceptances_free(tut_acceptances *a)
{
    if (!a)
        return;
    tut_map_done(&a->by_risk);
    tut_free(a->items);
    tut_free(a);
}

static const tut_record_signer *signer_of(const tut_record *r)
{
    for (size_t i = 0; i < r->signer_count; i++)
        if (r->signers[i].counts && !r->signers[i].is_tool &&
            (r->signers[i].roles & TUT_PERSON_OPERATOR))
            return &r->signers[i];
    return NULL;
}

typedef struct reading {
    const tut_records *records;
    const tut_ledger *ledger;
    const tut_training *training;
    tut_arena *arena;
} reading;

/* By another way than threats accept, which refuses it. */
static bool was_untrained(const reading *from, const tut_record *r, const tut_record_signer *s)
{
    const tut_person *person = tut_people_find(from->records->people, tut_str_of(s->name));
    return person && tut_training_lapsed_at(from->training, person, r->recorded_at);
}

static int level_of(tut_str word)
{
    for (int i = 0; i < TUT_RISK_LEVEL_COUNT; i++)
        if (tut_str_eq_z(word, tut_risk_level_names[i]))
            return i;
    return -1;
}

static tut_status read_body(const tut_ledger *ledger, tut_arena *arena, known *k, tut_error *err)
{
    TUT_CLEAN(tut_buf) body = TUT_BUF_INIT;
    TUT_AUTO(tut_json_doc) doc = NULL;
    k->why = "what was accepted is missing or altered";
    if (!k->record->has_body)
        return TUT_SUCCESS;
    tut_status status = tut_ledger_get_body(ledger, &k->record->body, &body, NULL);
    if (status.code == TUT_STORE || status.code == TUT_DENIED)
        return TUT_SUCCESS;
    if (!tut_is_ok(status))
        return tut_fail(err, status.code, "the body of an acceptance cannot be read");
    if (!tut_is_ok(tut_json_parse(tut_buf_span(&body), NULL, &doc, NULL)))
        return TUT_SUCCESS;
    const tut_json_value *root = tut_json_root(doc);
    k->level = level_of(tut_json_get_text(root, "residual"));
    k->reason = tut_arena_copy(arena, tut_json_get_text(root, "reason"));
    if (!k->reason)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    bool is_dated = tut_is_ok(tut_time_parse(tut_json_get_text(root, "expires"), &k->expires));
    bool is_about = tut_str_eq_z(tut_json_get_text(root, "risk"), k->record->subjects[0].name);
    bool is_short = k->expires - k->record->recorded_at <=
                    (tut_time)(ACCEPTED_DAYS_MAX + 1) * TUT_DAY_SECONDS;
    k->why = !is_dated || !is_about || k->level < 0 ? "it does not say what was accepted"
             : is_short                             ? NULL
                                                    : "it was accepted for longer than two years";
    return TUT_SUCCESS;
}

static tut_status take(tut_acceptances *a, const reading *from, const tut_record *r, tut_error *err)
{
    TUT_TRY(tut_grow(&a->items, a->count, &a->capacity, sizeof(*a->items)));
    known *k = &a->items[a->count];
    const tut_record_signer *s = signer_of(r);
    *k = (known){.record = r, .by = s ? s->name : r->actor, .reason = ""};
    TUT_TRY(read_body(from->ledger, from->arena, k, err));
    if (!s && !k->why)
        k->why = "no signature of a system operator that counts stands behind the acceptance";
    if (r->doubt && !k->why)
        k->why = r->doubt;
    if (!k->why && was_untrained(from, r, s))
        k->why = "training that the role asks for had lapsed when it was signed";
    return tut_map_put(&a->by_risk, tut_str_of(r->subjects[0].name), a->count++, NULL, err);
}

static bool is_signed(const reading *from, const tut_record *r)
{
    const tut_record_signer *s = signer_of(r);
    return s && !was_untrained(from, r, s);
}

static bool is_acceptance(const tut_record *r)
{
    return r->type == TUT_RECORD_EVENT && r->subject_count == 1 &&
           strcmp(r->check, TUT_EVENT_RISK_ACCEPTED) == 0;
}

/* Signed ones first: what nobody who may has signed hides no acceptance. */
tut_status tut_acceptances_read(const tut_records *records, const tut_ledger *ledger,
                                const tut_training *training, tut_arena *arena,
                                tut_acceptances **ret, tut_error *err)
{
    const reading from = {
        .records = records, .ledger = ledger, .training = training, .arena = arena};
    TUT_AUTO(tut_acceptances) a = tut_alloc_array(1, sizeof(*a));
    if (!a)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (int wants_signed = 1; wants_signed >= 0; wants_signed--)
        for (size_t i = records->count; i > 0; i--) {
            const tut_record *r = &records->items[i - 1];
            if (is_acceptance(r) && is_signed(&from, r) == (wants_signed != 0) &&
                tut_map_get(&a->by_risk, tut_str_of(r->subjects[0].name)) == SIZE_MAX)
                TUT_TRY(take(a, &from, r, err));
        }
    *ret = tut_move(&a);
    return TUT_SUCCESS;
}

tut_acceptance tut_acceptance_of(const tut_acceptances *a, const tut_risk *r, tut_time at)
{
    size_t place = tut_map_get(&a->by_risk, tut_str_of(r->id));
    if (place == SIZE_MAX)
        return (tut_acceptance){.record = NULL};
    const known *k = &a->items[place];
    tut_acceptance out = {
        .record = k->record, .by = k->by, .reason = k->reason, .expires = k->expires};
    if (k->why)
        out.why = k->why;
    else if (at >= k->expires)
        out.why = "the acceptance ran out";
    else if (!tut_sha256_eq(&k->record->subjects[0].digest, &r->digest))
        out.why = "the acceptance lapsed: the element or the rule changed since";
    else if (k->level < (int)r->residual.level)
        out.why = "the acceptance lapsed: the risk has grown since";
    out.counts = out.why == NULL;
    return out;
}

/* --- accepting --- */

static tut_status write_body(const tut_accepting *a, tut_buf *out, tut_error *err)
{
    const tut_risk *r = a->risk;
    TUT_AUTO(tut_json) j = NULL;
    TUT_TRY(tut_json_new(out, &j));
    tut_json_object(j);
    tut_json_put_z(j, "schema", SCHEMA);
    tut_json_put_z(j, "risk", r->id);
    tut_json_put_u64(j, "rule_version", r->rule->version);
    tut_json_key(j, "digest");
    tut_json_sha256(j, r->digest.bytes);
    tut_json_put_z(j, "inherent", tut_risk_level_names[r->inherent.level]);
    tut_json_put_z(j, "residual", tut_risk_level_names[r->residual.level]);
    tut_json_put_z(j, "by", a->by);
    tut_json_put_z(j, "reason", a->reason);
    tut_json_put_time(j, "expires", a->expires);
    tut_json_end_object(j);
    return tut_json_finish(j, err);
}

static tut_status check(const tut_accepting *a, tut_time now, tut_error *err)
{
    size_t len = strlen(a->reason);
    if (len == 0 || len > REASON_MAX || !tut_utf8_valid(tut_str_of(a->reason)))
        return tut_fail(err, TUT_USAGE, "a reason has 1 to %d bytes of text", REASON_MAX);
    if (a->expires <= now)
        return tut_fail(err, TUT_USAGE, "the acceptance would end before it begins");
    if (a->expires > now + (tut_time)ACCEPTED_DAYS_MAX * TUT_DAY_SECONDS)
        return tut_fail(err, TUT_USAGE,
                        "a risk is accepted for two years at most; then somebody "
                        "looks at it again");
    return TUT_SUCCESS;
}

tut_status tut_threat_accept(tut_ledger *ledger, const tut_accepting *a, uint64_t *ret_index,
                             tut_error *err)
{
    TUT_CLEAN(tut_buf) body = TUT_BUF_INIT;
    tut_time now = tut_time_now();
    char day[TUT_TIME_TEXT];
    TUT_TRY(check(a, now, err));
    TUT_TRY(write_body(a, &body, err));
    tut_time_date(a->expires, day);
    TUT_AUTO_FREE char *statement = tut_asprintf("Accepted at %s until %s: %s",
                                                 tut_risk_level_names[a->risk->residual.level], day,
                                                 a->reason);
    if (!statement)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    tut_subject subject = {.name = a->risk->id, .digest = a->risk->digest};
    tut_record r = {.type = TUT_RECORD_EVENT,
                    .at = now,
                    .check = TUT_EVENT_RISK_ACCEPTED,
                    .subjects = &subject,
                    .subject_count = 1,
                    .from = now,
                    .to = now,
                    .actor = a->by,
                    .statement = statement};
    TUT_TRY(tut_tool_append(ledger, &r, tut_buf_span(&body), a->signer, err));
    *ret_index = r.index;
    return TUT_SUCCESS;
}
