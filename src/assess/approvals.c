#include "assess/approvals.h"

#include <stdio.h>
#include <stdlib.h>

#include "assess/attest.h"
#include "base/json.h"
#include "crypto/dsse.h"
#include "guard/approve.h"
#include "state/records.h"

int64_t tut_review_floor_ms(uint64_t bytes)
{
    enum { START_MS = 2000, MS_PER_BYTE = 20, MOST_MS = 60000 };
    return bytes > (MOST_MS - START_MS) / MS_PER_BYTE ? MOST_MS
                                                      : START_MS + (int64_t)bytes * MS_PER_BYTE;
}

typedef enum outcome { DECIDED, EXPIRED, WITHDRAWN } outcome;

typedef struct told { /* a hold of which the log tells */
    char id[TUT_HOLD_ID];
    outcome outcome;
    size_t class_at;
    bool is_current, is_whole, is_approved, is_denied;
} told;

typedef struct timing {
    int64_t read_ms, floor_ms, latency_ms;
    size_t class_at;
} timing;

typedef struct reviewing {
    const tut_review_order *order;
    tut_records *records;
    tut_places places;
    told *holds;
    size_t hold_count, hold_capacity;
    timing *timings;
    size_t timing_count, timing_capacity;
    const char **people; /* of the records */
    size_t people_count, people_capacity;
    size_t class_capacity, hasty_count, hasty_capacity;
    tut_review review;
    tut_error *err;
} reviewing;

void tut_review_done(tut_review *v)
{
    tut_free(v->classes);
    tut_free(v->hasty_items);
    tut_arena_done(&v->arena);
    *v = (tut_review){.from = 0};
}

static void reviewing_done(reviewing *r)
{
    tut_free(r->holds);
    tut_free(r->timings);
    tut_free(r->people);
    tut_places_done(&r->places);
    tut_records_free(r->records);
    tut_review_done(&r->review);
}

/* --- one entry --- */

/* Whether the envelope in the body is the word of a person who might decide at this place. */
static bool is_signed(const reviewing *r, const tut_record *record, const tut_json_value *body,
                      const tut_person **ret_person)
{
    TUT_CLEAN(tut_dsse) e = {.signature_count = 0};
    TUT_AUTO(tut_json_doc) doc = NULL;
    const tut_person_key *key = NULL;
    const tut_act act = {.roles = r->order->policy->approvals.roles, .index = record->index};
    if (!tut_is_ok(tut_dsse_read(tut_json_get(body, "envelope"), &e, NULL)) ||
        e.signature_count != 1)
        return false;
    TUT_AUTO_FREE char *id = tut_strndup(e.signatures[0].keyid.data, e.signatures[0].keyid.len);
    if (!id || !tut_people_may_sign(r->records->people, id, &act, ret_person, NULL) ||
        !tut_people_by_key(r->records->people, id, &key) ||
        (r->order->had_lapsed &&
         r->order->had_lapsed(r->order->training, *ret_person, record->recorded_at)) ||
        !tut_is_ok(tut_dsse_verify(&e, 0, key->key, NULL)) ||
        !tut_is_ok(tut_json_parse(tut_buf_span(&e.payload), NULL, &doc, NULL)))
        return false;
    const tut_json_value *p = tut_json_get(tut_json_root(doc), "predicate");
    return tut_str_eq(tut_json_get_text(p, "hold"), tut_json_get_text(body, "hold")) &&
           tut_str_eq(tut_json_get_text(p, "decision"), tut_json_get_text(body, "decision")) &&
           tut_str_eq(tut_json_get_text(tut_json_get(p, "policy"), "sha256"),
                      tut_json_get_text(tut_json_get(body, "policy"), "sha256"));
}

static tut_status hold_of(reviewing *r, tut_str id, told **ret_hold)
{
    for (size_t i = 0; i < r->hold_count; i++) {
        if (tut_str_eq_z(id, r->holds[i].id)) {
            *ret_hold = &r->holds[i];
            return TUT_SUCCESS;
        }
    }
    if (!tut_is_ok(tut_grow(&r->holds, r->hold_count, &r->hold_capacity, sizeof(*r->holds))))
        return tut_fail(r->err, TUT_NOMEM, "memory ran out");
    *ret_hold = &r->holds[r->hold_count++];
    **ret_hold = (told){.outcome = WITHDRAWN};
    tut_str_copy((*ret_hold)->id, TUT_HOLD_ID, id);
    return TUT_SUCCESS;
}

static tut_str class_name_of(const tut_json_value *body)
{
    tut_str class_name = tut_json_get_text(body, "tool_class");
    tut_str kind = tut_json_get_text(body, "kind");
    if (class_name.len)
        return class_name;
    return tut_str_eq_z(kind, tut_hold_kind_name(TUT_HOLD_CALL)) ? TUT_LIT("undeclared") : kind;
}

static tut_status class_of(reviewing *r, const tut_json_value *body, size_t *ret_at)
{
    tut_review *v = &r->review;
    tut_str name = class_name_of(body);
    for (size_t i = 0; i < v->class_count; i++) {
        if (tut_str_eq_z(name, v->classes[i].name)) {
            *ret_at = i;
            return TUT_SUCCESS;
        }
    }
    const char *kept = tut_arena_copy(&v->arena, name);
    if (!kept ||
        !tut_is_ok(tut_grow(&v->classes, v->class_count, &r->class_capacity, sizeof(*v->classes))))
        return tut_fail(r->err, TUT_NOMEM, "memory ran out");
    v->classes[v->class_count] = (tut_review_class){.name = kept};
    *ret_at = v->class_count++;
    return TUT_SUCCESS;
}

static tut_status add_person(reviewing *r, const tut_person *person)
{
    for (size_t i = 0; i < r->people_count; i++)
        if (strcmp(r->people[i], person->name) == 0)
            return TUT_SUCCESS;
    if (!tut_is_ok(tut_grow(&r->people, r->people_count, &r->people_capacity, sizeof(char *))))
        return tut_fail(r->err, TUT_NOMEM, "memory ran out");
    r->people[r->people_count++] = person->name;
    return TUT_SUCCESS;
}

static tut_status add_hasty(reviewing *r, const tut_record *record, const tut_json_value *body,
                            const tut_person *person, const timing *t)
{
    tut_review *v = &r->review;
    if (!tut_is_ok(
            tut_grow(&v->hasty_items, r->hasty_count, &r->hasty_capacity, sizeof(*v->hasty_items))))
        return tut_fail(r->err, TUT_NOMEM, "memory ran out");
    tut_review_hasty *h = &v->hasty_items[r->hasty_count];
    *h = (tut_review_hasty){.index = record->index,
                            .person = tut_arena_copy(&v->arena, tut_str_of(person->name)),
                            .class_name = v->classes[t->class_at].name,
                            .hold = tut_arena_copy(&v->arena, tut_json_get_text(body, "hold")),
                            .is_denial = tut_str_eq_z(tut_json_get_text(body, "decision"), "deny"),
                            .at = record->at,
                            .read_ms = tut_json_get_int(body, "read_ms", -1),
                            .floor_ms = t->floor_ms};
    if (!h->person || !h->hold)
        return tut_fail(r->err, TUT_NOMEM, "memory ran out");
    r->hasty_count++;
    v->hasty++;
    v->classes[t->class_at].hasty++;
    return TUT_SUCCESS;
}

/* Who decided without looking took no time to read. */
static tut_status add_timing(reviewing *r, const tut_record *record, const tut_json_value *body,
                             const tut_person *person, size_t class_at)
{
    const tut_json_value *shown = tut_json_get(body, "shown");
    int64_t read_ms = tut_json_get_int(body, "read_ms", -1);
    int64_t bytes = tut_json_get_int(shown, "what_bytes", 0);
    if (!tut_is_ok(
            tut_grow(&r->timings, r->timing_count, &r->timing_capacity, sizeof(*r->timings))))
        return tut_fail(r->err, TUT_NOMEM, "memory ran out");
    timing *t = &r->timings[r->timing_count++];
    *t = (timing){.read_ms = read_ms < 0 ? 0 : read_ms,
                  .floor_ms = tut_review_floor_ms(bytes < 0 ? 0 : (uint64_t)bytes),
                  .latency_ms = tut_json_get_int(body, "latency_ms", 0),
                  .class_at = class_at};
    r->review.decisions++;
    r->review.denied += tut_str_eq_z(tut_json_get_text(body, "decision"), "deny");
    r->review.unseen += read_ms < 0;
    r->review.classes[class_at].decisions++;
    if (t->read_ms < t->floor_ms)
        TUT_TRY(add_hasty(r, record, body, person, t));
    return add_person(r, person);
}

static bool is_of_policy(const reviewing *r, const tut_json_value *body)
{
    tut_sha256 policy;
    return tut_is_ok(tut_sha256_parse(tut_json_get_text(tut_json_get(body, "policy"), "sha256"),
                                      &policy)) &&
           tut_sha256_eq(&policy, &r->order->policy->version);
}

static bool is_whole_view(const tut_json_value *body)
{
    const tut_json_value *shown = tut_json_get(body, "shown");
    return tut_json_get_int(shown, "what_bytes", 0) > 0 && !tut_json_get_bool(shown, "cut", true) &&
           tut_json_get_int(shown, "reasons", 0) > 0 && tut_json_get_int(shown, "sources", 0) > 0;
}

/* One denial is enough, whoever approved. */
static void take_decision(told *hold, const tut_json_value *body)
{
    bool is_denial = tut_str_eq_z(tut_json_get_text(body, "decision"), "deny");
    int64_t people = tut_json_get_int(body, "people", 1);
    hold->outcome = DECIDED;
    hold->is_whole = is_whole_view(body);
    hold->is_denied = hold->is_denied || is_denial;
    hold->is_approved = !is_denial && tut_json_get_int(body, "approvals", 1) >= people;
}

static tut_status take_body(reviewing *r, const tut_record *record, const tut_json_value *body)
{
    tut_str word = tut_json_get_text(body, "decision"), id = tut_json_get_text(body, "hold");
    const tut_person *person = NULL;
    told *hold = NULL;
    bool is_decision = tut_str_eq_z(word, "approve") || tut_str_eq_z(word, "deny");
    if (!tut_str_eq_z(tut_json_get_text(body, "schema"), TUT_APPROVAL_SCHEMA) ||
        !tut_hold_is_id(id) || (is_decision && !is_signed(r, record, body, &person))) {
        r->review.ignored++;
        return TUT_SUCCESS;
    }
    TUT_TRY(hold_of(r, id, &hold));
    TUT_TRY(class_of(r, body, &hold->class_at));
    hold->is_current = is_of_policy(r, body);
    if (is_decision) {
        take_decision(hold, body);
        return add_timing(r, record, body, person, hold->class_at);
    }
    if (hold->outcome != DECIDED && tut_str_eq_z(word, "expired"))
        hold->outcome = EXPIRED;
    return TUT_SUCCESS;
}

static tut_status take_record(reviewing *r, const tut_record *record)
{
    TUT_CLEAN(tut_buf) bytes = TUT_BUF_INIT;
    TUT_AUTO(tut_json_doc) doc = NULL;
    if (record->type != TUT_RECORD_EVENT || strcmp(record->check, TUT_EVENT_APPROVAL) != 0)
        return TUT_SUCCESS;
    if (record->doubt || !record->has_body ||
        !tut_is_ok(tut_ledger_get_body(r->order->ledger, &record->body, &bytes, NULL)) ||
        !tut_is_ok(tut_json_parse(tut_buf_span(&bytes), NULL, &doc, NULL))) {
        r->review.ignored++;
        return TUT_SUCCESS;
    }
    return take_body(r, record, tut_json_root(doc));
}

/* --- what it comes to --- */

static int by_number(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static tut_status take_medians(reviewing *r)
{
    size_t n = r->timing_count;
    TUT_AUTO_FREE int64_t *sorted = tut_alloc_array(n + 1, sizeof(*sorted));
    if (!sorted)
        return tut_fail(r->err, TUT_NOMEM, "memory ran out");
    for (size_t i = 0; i < n; i++)
        sorted[i] = r->timings[i].read_ms;
    qsort(sorted, n, sizeof(*sorted), by_number);
    r->review.median_ms = n ? sorted[n / 2] : 0;
    for (size_t i = 0; i < n; i++)
        sorted[i] = r->timings[i].floor_ms;
    qsort(sorted, n, sizeof(*sorted), by_number);
    r->review.median_floor_ms = n ? sorted[n / 2] : 0;
    return TUT_SUCCESS;
}

/* The value of this rank of a hundred, by nearest rank; the latencies of one class, sorted. */
static int64_t percentile(const int64_t *sorted, size_t n, size_t of_hundred)
{
    return n ? sorted[(n * of_hundred + 99) / 100 - 1] : 0;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const tut_review_class *)a)->name, ((const tut_review_class *)b)->name);
}

/* Names, not places, hold after the classes are sorted. */
static tut_status take_classes(reviewing *r)
{
    tut_review *v = &r->review;
    TUT_AUTO_FREE int64_t *sorted = tut_alloc_array(r->timing_count + 1, sizeof(*sorted));
    if (!sorted)
        return tut_fail(r->err, TUT_NOMEM, "memory ran out");
    for (size_t i = 0; i < r->hold_count; i++) {
        const told *h = &r->holds[i];
        tut_review_class *c = &v->classes[h->class_at];
        c->held++;
        c->denied += h->is_denied;
        c->approved += h->is_approved && !h->is_denied;
        c->expired += h->outcome == EXPIRED;
        c->withdrawn += h->outcome == WITHDRAWN;
    }
    for (size_t at = 0; at < v->class_count; at++) {
        size_t n = 0;
        for (size_t i = 0; i < r->timing_count; i++)
            if (r->timings[i].class_at == at)
                sorted[n++] = r->timings[i].latency_ms;
        qsort(sorted, n, sizeof(*sorted), by_number);
        v->classes[at].median_ms = percentile(sorted, n, 50);
        v->classes[at].p95_ms = percentile(sorted, n, 95);
    }
    if (v->class_count)
        qsort(v->classes, v->class_count, sizeof(*v->classes), by_name);
    return TUT_SUCCESS;
}

static void count_holds(reviewing *r)
{
    tut_review *v = &r->review;
    for (size_t i = 0; i < r->hold_count; i++) {
        const told *h = &r->holds[i];
        if (!h->is_current)
            continue;
        v->holds++;
        v->decided += h->outcome == DECIDED;
        v->expired += h->outcome == EXPIRED;
        v->withdrawn += h->outcome == WITHDRAWN;
        v->whole_views += h->outcome == DECIDED && h->is_whole;
    }
}

/* Half of the decisions and more took at least what reading takes: a median over texts of different
 * lengths. */
static void judge(tut_review *v)
{
    tut_review_check *c = v->checks;
    c[0] = (tut_review_check){.check = "guard.approvals", .index = UINT64_MAX};
    c[0].result = v->decided + v->expired == 0   ? TUT_RESULT_NOT_CHECKED
                  : v->expired * 9 <= v->decided ? TUT_RESULT_PASS
                                                 : TUT_RESULT_FAIL;
    (void)snprintf(c[0].statement, sizeof(c[0].statement),
                   "Holds under this policy: %zu; decided in time: %zu; expired: %zu; given up by "
                   "their clients: %zu.",
                   v->holds, v->decided, v->expired, v->withdrawn);
    c[1] = (tut_review_check){.check = "guard.reviewer-view", .index = UINT64_MAX};
    c[1].result = v->decided == 0                ? TUT_RESULT_NOT_CHECKED
                  : v->whole_views == v->decided ? TUT_RESULT_PASS
                                                 : TUT_RESULT_FAIL;
    (void)snprintf(c[1].statement, sizeof(c[1].statement),
                   "Decided holds under this policy: %zu; that showed all of the text, a reason "
                   "and a source: %zu.",
                   v->decided, v->whole_views);
    c[2] = (tut_review_check){.check = "guard.reviewers", .index = UINT64_MAX};
    c[2].result = v->decisions == 0              ? TUT_RESULT_NOT_CHECKED
                  : v->hasty * 2 <= v->decisions ? TUT_RESULT_PASS
                                                 : TUT_RESULT_FAIL;
    (void)snprintf(c[2].statement, sizeof(c[2].statement),
                   "Decisions: %zu, by %zu %s; read for %.1f s (median), where reading takes at "
                   "least %.1f s; faster: %zu, of them unseen: %zu; denied: %zu (%.0f %%).",
                   v->decisions, v->people, v->people == 1 ? "person" : "people",
                   (double)v->median_ms / 1000, (double)v->median_floor_ms / 1000, v->hasty,
                   v->unseen, v->denied,
                   v->decisions ? 100.0 * (double)v->denied / (double)v->decisions : 0);
}

void tut_review_json(const tut_review *v, tut_json *j)
{
    tut_json_key(j, "classes");
    tut_json_array(j);
    for (size_t i = 0; i < v->class_count; i++) {
        const tut_review_class *c = &v->classes[i];
        tut_json_object(j);
        tut_json_put_z(j, "class", c->name);
        tut_json_put_u64(j, "held", c->held);
        tut_json_put_u64(j, "approved", c->approved);
        tut_json_put_u64(j, "denied", c->denied);
        tut_json_put_u64(j, "expired", c->expired);
        tut_json_put_u64(j, "withdrawn", c->withdrawn);
        tut_json_put_u64(j, "decisions", c->decisions);
        tut_json_put_u64(j, "hasty", c->hasty);
        tut_json_put_int(j, "median_ms", c->median_ms);
        tut_json_put_int(j, "p95_ms", c->p95_ms);
        tut_json_end_object(j);
    }
    tut_json_end_array(j);
    tut_json_key(j, "hasty_decisions");
    tut_json_array(j);
    for (size_t i = 0; i < v->hasty; i++) {
        const tut_review_hasty *h = &v->hasty_items[i];
        tut_json_object(j);
        tut_json_put_u64(j, "entry", h->index);
        tut_json_put_z(j, "person", h->person);
        tut_json_put_z(j, "class", h->class_name);
        tut_json_put_z(j, "hold", h->hold);
        tut_json_put_z(j, "decision", h->is_denial ? "deny" : "approve");
        tut_json_put_time(j, "at", h->at);
        tut_json_key(j, "read_ms");
        if (h->read_ms < 0)
            tut_json_null(j);
        else
            tut_json_int(j, h->read_ms);
        tut_json_put_int(j, "least_ms", h->floor_ms);
        tut_json_end_object(j);
    }
    tut_json_end_array(j);
}

static tut_status write_body(const tut_review *v, tut_buf *out, tut_error *err)
{
    TUT_AUTO(tut_json) j = NULL;
    TUT_TRY(tut_json_new(out, &j));
    tut_json_object(j);
    tut_json_put_z(j, "schema", "tutela.approval-review/1");
    tut_json_put_time(j, "from", v->from);
    tut_json_put_time(j, "to", v->to);
    tut_json_put_u64(j, "holds", v->holds);
    tut_json_put_u64(j, "decided", v->decided);
    tut_json_put_u64(j, "expired", v->expired);
    tut_json_put_u64(j, "withdrawn", v->withdrawn);
    tut_json_put_u64(j, "whole_views", v->whole_views);
    tut_json_put_u64(j, "decisions", v->decisions);
    tut_json_put_u64(j, "denied", v->denied);
    tut_json_put_u64(j, "hasty", v->hasty);
    tut_json_put_u64(j, "unseen", v->unseen);
    tut_json_put_u64(j, "people", v->people);
    tut_json_put_u64(j, "ignored", v->ignored);
    tut_json_put_int(j, "median_read_ms", v->median_ms);
    tut_json_put_int(j, "median_floor_ms", v->median_floor_ms);
    tut_review_json(v, j);
    tut_json_end_object(j);
    return tut_json_finish(j, err);
}

static tut_status record(tut_ledger *ledger, const tut_system *system, tut_review *v,
                         tut_error *err)
{
    TUT_CLEAN(tut_buf) body = TUT_BUF_INIT;
    TUT_TRY(write_body(v, &body, err));
    for (size_t i = 0; i < TUT_REVIEW_CHECKS; i++) {
        tut_review_check *c = &v->checks[i];
        const tut_attestation a = {.check = c->check,
                                   .result = c->result,
                                   .statement = c->statement,
                                   .body = tut_buf_span(&body),
                                   .from = v->from,
                                   .to = v->to};
        if (c->result != TUT_RESULT_NOT_CHECKED)
            TUT_TRY(tut_attest_to(ledger, system, &a, &c->index, err));
    }
    return TUT_SUCCESS;
}

static tut_status read_log(reviewing *r)
{
    const tut_index_query query = {
        .kind = TUT_EVENT_APPROVAL, .from = r->review.from, .to = r->review.to};
    TUT_TRY(tut_state_search(r->order->ledger, &query, &r->places, NULL, r->err));
    TUT_TRY(
        tut_state_read_at(r->order->ledger, r->places.items, r->places.count, &r->records, r->err));
    for (size_t i = 0; i < r->places.count; i++) {
        const tut_record *record = tut_records_at(r->records, r->places.items[i]);
        if (record)
            TUT_TRY(take_record(r, record));
    }
    return TUT_SUCCESS;
}

tut_status tut_review_run(const tut_review_order *order, tut_review *ret_review, tut_error *err)
{
    tut_time now = tut_time_now();
    TUT_CLEAN(reviewing)
    r = {.order = order,
         .err = err,
         .review = {.from = now - (tut_time)TUT_REVIEW_DAYS * TUT_DAY_SECONDS, .to = now}};
    tut_arena_init(&r.review.arena, 0);
    TUT_TRY(read_log(&r));
    count_holds(&r);
    r.review.people = r.people_count;
    TUT_TRY(take_medians(&r));
    TUT_TRY(take_classes(&r));
    judge(&r.review);
    if (order->records)
        TUT_TRY(record(order->ledger, order->system, &r.review, err));
    *ret_review = r.review;
    r.review = (tut_review){.from = 0};
    return TUT_SUCCESS;
}
