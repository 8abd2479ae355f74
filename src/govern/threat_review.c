#include "govern/threat_review.h"

#include <string.h>

#include "assess/attest.h"
#include "assess/catalogue.h"
#include "assess/tool.h"
#include "base/json.h"
#include "govern/threat_internal.h"
#include "ledger/people.h"
#include "state/records.h"

enum { YEAR_DAYS = 365 };

#define SUBJECT "tutela.yaml" /* of evidence about the description (catalogue: scope system) */

void tut_threat_reviews_done(tut_threat_reviews *r)
{
    for (size_t i = 0; i < r->change_count; i++)
        tut_free(r->changes[i].id);
    tut_free(r->changes);
    tut_free(r->times);
    tut_free(r->by);
    *r = (tut_threat_reviews){0};
}

static const char *reviewer_of(const tut_record *r)
{
    const uint32_t roles = TUT_PERSON_DEVELOPER | TUT_PERSON_OPERATOR;
    bool is_one = r->type == TUT_RECORD_EVIDENCE && r->method == TUT_METHOD_EXAMINE &&
                  r->result == TUT_RESULT_PASS && !r->doubt;
    for (size_t i = 0; is_one && i < r->signer_count; i++)
        if (r->signers[i].counts && !r->signers[i].is_tool && (r->signers[i].roles & roles))
            return r->signers[i].name;
    return NULL;
}

/* --- what changed since --- */

static tut_status add_change(tut_threat_reviews *r, tut_str id, const char *what, size_t *count,
                             tut_error *err)
{
    TUT_TRY(tut_grow(&r->changes, r->change_count, &r->change_capacity, sizeof(*r->changes)));
    char *copy = tut_strndup(id.data, id.len);
    if (!copy)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    r->changes[r->change_count++] = (tut_review_change){copy, what};
    ++*count;
    return TUT_SUCCESS;
}

static tut_status map_risks(const tut_json_value *risks, tut_map *map, tut_error *err)
{
    for (uint32_t i = 0; i < tut_json_count(risks); i++)
        TUT_TRY(tut_map_put(map, tut_json_get_text(tut_json_item(risks, i), "id"), i, NULL, err));
    return TUT_SUCCESS;
}

static int level_of(const tut_json_value *risk)
{
    tut_str word = tut_json_get_text(tut_json_get(risk, "residual"), "level");
    for (int i = 0; i < TUT_RISK_LEVEL_COUNT; i++)
        if (tut_str_eq_z(word, tut_risk_level_names[i]))
            return i;
    return TUT_RISK_LEVEL_COUNT;
}

static tut_status compare(tut_threat_reviews *r, const tut_threats *t, const tut_json_value *root,
                          tut_map *then, tut_error *err)
{
    const tut_json_value *risks = tut_json_get(root, "risks");
    TUT_TRY(map_risks(risks, then, err));
    TUT_AUTO_FREE bool *seen = tut_alloc_array(tut_json_count(risks) + 1u, sizeof(*seen));
    if (!seen)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (size_t i = 0; i < t->count; i++) {
        const tut_risk *now = &t->risks[i];
        size_t at = tut_map_get(then, tut_str_of(now->id));
        if (at == SIZE_MAX) {
            TUT_TRY(add_change(r, tut_str_of(now->id), "new", &r->new_count, err));
            continue;
        }
        seen[at] = true;
        if ((int)now->residual.level > level_of(tut_json_item(risks, (uint32_t)at)))
            TUT_TRY(add_change(r, tut_str_of(now->id), "higher", &r->higher_count, err));
    }
    for (uint32_t i = 0; i < tut_json_count(risks); i++)
        if (!seen[i])
            TUT_TRY(add_change(r, tut_json_get_text(tut_json_item(risks, i), "id"), "gone",
                               &r->gone_count, err));
    return TUT_SUCCESS;
}

/* A review whose document is gone says nothing of what was reviewed. */
static tut_status read_newest(tut_threat_reviews *r, const tut_ledger *ledger,
                              const tut_record *record, const char *by, const tut_threats *t,
                              tut_error *err)
{
    TUT_CLEAN(tut_buf) body = TUT_BUF_INIT;
    TUT_AUTO(tut_json_doc) doc = NULL;
    TUT_CLEAN(tut_map) then = TUT_MAP_INIT;
    if (!record->has_body || !tut_is_ok(tut_ledger_get_body(ledger, &record->body, &body, NULL)) ||
        !tut_is_ok(tut_json_parse(tut_buf_span(&body), NULL, &doc, NULL)))
        return TUT_SUCCESS;
    const tut_json_value *root = tut_json_root(doc);
    const tut_json_value *model = tut_json_get(tut_json_get(root, "summary"), "model");
    if (!tut_is_ok(tut_sha256_parse(tut_json_get_text(model, "sha256"), &r->model)))
        return TUT_SUCCESS;
    r->has_newest = true;
    r->at = record->recorded_at;
    r->expires = record->expires;
    r->by = tut_strdup(by);
    if (!r->by)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    return compare(r, t, root, &then, err);
}

static bool is_review(const tut_record *r)
{
    return strncmp(r->check, TUT_CHECK_REVIEW "/", sizeof(TUT_CHECK_REVIEW)) == 0;
}

static tut_status take_all(tut_threat_reviews *r, const tut_ledger *ledger,
                           const tut_records *records, const tut_threats *t, tut_time at,
                           tut_error *err)
{
    for (size_t i = 0; i < records->count; i++) {
        const tut_record *record = &records->items[i];
        const char *by = reviewer_of(record);
        if (!by || record->recorded_at > at || !is_review(record))
            continue;
        TUT_TRY(tut_grow(&r->times, r->count, &r->capacity, sizeof(*r->times)));
        r->times[r->count++] = record->recorded_at; /* what a signer says of the time is his word */
    }
    for (size_t i = records->count; i > 0 && r->count; i--) {
        const tut_record *record = &records->items[i - 1];
        const char *by = reviewer_of(record);
        bool is_in_force = record->recorded_at <= at && at < record->expires &&
                           at - record->recorded_at < (tut_time)YEAR_DAYS * TUT_DAY_SECONDS;
        if (by && is_in_force && is_review(record))
            return read_newest(r, ledger, record, by, t, err);
    }
    return TUT_SUCCESS;
}

tut_status tut_threat_reviews_read(tut_ledger *ledger, const tut_threats *t, tut_time at,
                                   tut_threat_reviews *ret, tut_error *err)
{
    TUT_CLEAN(tut_places) places = {0};
    TUT_CLEAN(tut_threat_reviews) r = {0};
    TUT_AUTO(tut_records) records = NULL;
    const tut_index_query query = {.kind = TUT_CHECK_REVIEW "*", .from = 0, .to = at};
    TUT_TRY(tut_state_search(ledger, &query, &places, NULL, err));
    if (places.count) {
        TUT_TRY(tut_state_read_at(ledger, places.items, places.count, &records, err));
        TUT_TRY(take_all(&r, ledger, records, t, at, err));
    }
    *ret = r;
    r = (tut_threat_reviews){0};
    return TUT_SUCCESS;
}

tut_time tut_threat_reviews_gap(const tut_threat_reviews *r, tut_time at)
{
    tut_time longest = 0;
    tut_time since = at - (tut_time)YEAR_DAYS * TUT_DAY_SECONDS;
    for (size_t i = 0; i < r->count; i++) {
        tut_time next = i + 1 < r->count ? r->times[i + 1] : at;
        tut_time from = r->times[i] > since ? r->times[i] : since;
        if (next > since && next - from > longest)
            longest = next - from;
    }
    return longest;
}

/* --- signing --- */

static tut_status append(tut_ledger *ledger, const tut_system *system, const tut_examining *x,
                         tut_arena *arena, uint64_t *ret_index, tut_error *err)
{
    const char *ids[TUT_CLAUSE_COUNT];
    size_t count = 0;
    uint32_t days = 0;
    tut_time now = tut_time_now();
    const tut_subject subject = {.name = SUBJECT, .digest = system->digest};
    TUT_AUTO_FREE char *check = tut_asprintf("%s/1", x->check);
    if (!check)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    TUT_TRY(tut_attest_wants(x->check, ids, &count, &days, arena, err));
    tut_record r = {.type = TUT_RECORD_EVIDENCE,
                    .at = now,
                    .from = now,
                    .to = now,
                    .expires = now + (tut_time)days * TUT_DAY_SECONDS,
                    .check = check,
                    .method = TUT_METHOD_EXAMINE,
                    .result = TUT_RESULT_PASS,
                    .clauses = ids,
                    .clause_count = count,
                    .subjects = &subject,
                    .subject_count = 1,
                    .actor = x->by,
                    .statement = x->statement};
    TUT_TRY(tut_tool_append(ledger, &r, x->body, x->signer, err));
    *ret_index = r.index;
    return TUT_SUCCESS;
}

tut_status tut_threat_examine(tut_ledger *ledger, const tut_system *system, const tut_examining *x,
                              uint64_t *ret_index, tut_error *err)
{
    tut_arena arena;
    tut_arena_init(&arena, 0);
    tut_status status = append(ledger, system, x, &arena, ret_index, err);
    tut_arena_done(&arena);
    return status;
}
