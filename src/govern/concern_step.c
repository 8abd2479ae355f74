/* How concerns stand, and what they come to for `assess`. */
#include <stdio.h>
#include <string.h>

#include "base/json_write.h"
#include "base/map.h"
#include "govern/concern.h"
#include "ledger/bodies.h"

static const char *const outcomes[] = {"accepted", "rejected", "duplicate"};

#define BEGINNING "concern/"

void tut_concerns_done(tut_concerns *c)
{
    tut_free(c->items);
    *c = (tut_concerns){.items = NULL};
}

static const tut_record_signer *triager_of(const tut_record *r, const tut_concern_policy *p)
{
    for (size_t i = 0; i < r->signer_count; i++) {
        const tut_record_signer *s = &r->signers[i];
        if (s->counts && !s->is_tool && s->name && tut_concern_triages(p, s->name, s->roles))
            return s;
    }
    return NULL;
}

static const char *outcome_of(const tut_record *r)
{
    for (size_t i = 0; i < sizeof(outcomes) / sizeof(outcomes[0]); i++)
        if (strncmp(r->check, "concern.", 8) == 0 && strcmp(r->check + 8, outcomes[i]) == 0)
            return outcomes[i];
    return NULL;
}

/* In order of the log: the first decides how long it took, the last what came of it. */
static void take_triage(tut_concern *c, const tut_record *r, const tut_concern_policy *p)
{
    const tut_record_signer *s = triager_of(r, p);
    if (!s || r->index < c->raised->index ||
        !tut_sha256_eq(&r->subjects[0].digest, &c->raised->subjects[0].digest))
        return;
    c->triaged = c->triaged ? c->triaged : r;
    c->by = s->name;
    c->outcome = outcome_of(r);
}

static bool is_concern(const tut_record *r)
{
    return r->type == TUT_RECORD_EVENT && !r->doubt && r->subject_count == 1 &&
           (strcmp(r->check, "concern.raised") == 0 || strcmp(r->check, "concern.drill") == 0) &&
           strncmp(r->subjects[0].name, BEGINNING, sizeof(BEGINNING) - 1) == 0;
}

static tut_status take(tut_concerns *all, tut_map *by_name, const tut_ledger *ledger,
                       const tut_record *r, const tut_concern_policy *policy, tut_error *err)
{
    bool is_personal = false;
    if (!tut_is_ok(tut_grow(&all->items, all->count, &all->capacity, sizeof(*all->items))))
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    tut_concern *c = &all->items[all->count++];
    *c = (tut_concern){.number = r->subjects[0].name + sizeof(BEGINNING) - 1,
                       .raised = r,
                       .is_drill = strcmp(r->check, "concern.drill") == 0,
                       .due = r->recorded_at + (tut_time)policy->triage_days * TUT_DAY_SECONDS};
    /* One whose month was erased is there still, and nobody reads it any more. */
    c->is_lost = !r->has_body ||
                 !tut_is_ok(tut_ledger_body_is_personal(ledger, &r->body, &is_personal, NULL));
    return tut_map_put(by_name, tut_str_of(r->subjects[0].name), all->count - 1, NULL, err);
}

tut_status tut_concerns_load(const tut_ledger *ledger, const tut_records *records,
                             const tut_concern_policy *policy, tut_concerns *ret, tut_error *err)
{
    TUT_CLEAN(tut_concerns) all = {.items = NULL};
    TUT_CLEAN(tut_map) by_name = TUT_MAP_INIT;
    for (size_t i = 0; i < records->count; i++)
        if (is_concern(&records->items[i]))
            TUT_TRY(take(&all, &by_name, ledger, &records->items[i], policy, err));
    for (size_t i = 0; i < records->count; i++) {
        const tut_record *r = &records->items[i];
        size_t at = SIZE_MAX;
        if (r->type == TUT_RECORD_EVENT && !r->doubt && r->subject_count == 1 && outcome_of(r))
            at = tut_map_get(&by_name, tut_str_of(r->subjects[0].name));
        if (at < all.count && all.items)
            take_triage(&all.items[at], r, policy);
    }
    *ret = all;
    all = (tut_concerns){.items = NULL};
    return TUT_SUCCESS;
}

const tut_concern *tut_concerns_find(const tut_concerns *c, const char *number)
{
    for (size_t i = 0; i < c->count; i++)
        if (tut_str_ieq(tut_str_of(c->items[i].number), tut_str_of(number)))
            return &c->items[i];
    return NULL;
}

const char *tut_concern_state(const tut_concern *c, tut_time at)
{
    return c->triaged ? c->outcome : at >= c->due ? "late" : "open";
}

/* --- train.concerns --- */

typedef struct tally {
    size_t seen, drills, triaged, late, lost;
    const tut_concern *first_late, *first_lost, *first_open, *newest;
    tut_time longest;
} tally;

static bool is_recent(const tut_concern *c, tut_time at)
{
    return c->raised->recorded_at > at - (tut_time)TUT_CONCERN_WINDOW_DAYS * TUT_DAY_SECONDS;
}

static tally count(const tut_concerns *all, tut_time at)
{
    tally t = {.seen = 0};
    for (size_t i = 0; i < all->count; i++) {
        const tut_concern *c = &all->items[i];
        bool is_waiting = !c->triaged;
        if (!is_recent(c, at) && !is_waiting)
            continue;
        t.seen++;
        t.drills += c->is_drill;
        t.lost += c->is_lost;
        t.first_lost = c->is_lost && !t.first_lost ? c : t.first_lost;
        if (is_waiting) {
            bool is_late = at >= c->due;
            t.late += is_late;
            t.first_late = is_late && !t.first_late ? c : t.first_late;
            t.first_open = !is_late && !t.first_open ? c : t.first_open;
            continue;
        }
        tut_time took = c->triaged->recorded_at - c->raised->recorded_at;
        t.triaged++;
        t.longest = took > t.longest ? took : t.longest;
        t.newest = c;
    }
    return t;
}

static bool has_triager(const tut_concern_policy *p, const tut_people *people)
{
    for (size_t i = 0; people && i < people->count; i++)
        if (people->items[i].is_active &&
            tut_concern_triages(p, people->items[i].name, people->items[i].roles))
            return true;
    return false;
}

static tut_result say(tut_training_finding *f, tut_result result, const char *fmt, ...)
    TUT_PRINTF(3, 4);
static tut_result say(tut_training_finding *f, tut_result result, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(f->statement, sizeof(f->statement), fmt, ap);
    va_end(ap);
    return result;
}

/* One that was triaged late stays told; it fails until a later one was triaged in time, so that who
 * mended it can show that. */
static tut_result judge(const tally *t, const tut_concern_policy *p, const tut_people *people,
                        tut_training_finding *f)
{
    char day[TUT_TIME_TEXT];
    if (p->triage.count == 0)
        return say(f, TUT_RESULT_NOT_CHECKED,
                   "training.concerns of tutela.yaml names nobody who triages concerns.");
    if (!has_triager(p, people))
        return say(f, TUT_RESULT_FAIL,
                   "Nobody is enrolled who may triage concerns as training.concerns says.");
    if (t->first_lost)
        return say(f, TUT_RESULT_FAIL,
                   "What was raised as %s is missing from the ledger, or altered.",
                   t->first_lost->number);
    if (t->late)
        return say(f, TUT_RESULT_FAIL, "%zu %s not triaged within %u days: %s%s.", t->late,
                   t->late == 1 ? "concern was" : "concerns were", p->triage_days,
                   t->first_late->number, t->late > 1 ? " and others" : "");
    if (t->newest && t->newest->triaged->recorded_at > t->newest->due)
        return say(f, TUT_RESULT_FAIL, "The last concern, %s, was triaged after more than %u days.",
                   t->newest->number, p->triage_days);
    if (t->newest) {
        tut_time end = t->newest->raised->recorded_at +
                       (tut_time)TUT_CONCERN_WINDOW_DAYS * TUT_DAY_SECONDS;
        f->holds_until = t->first_open && t->first_open->due < end ? t->first_open->due : end;
        return say(
            f, TUT_RESULT_PASS,
            "%zu raised in %d days (%zu of them drills), %zu triaged, the slowest after %.1f "
            "days; %u are allowed.",
            t->seen, TUT_CONCERN_WINDOW_DAYS, t->drills, t->triaged,
            (double)t->longest / (double)TUT_DAY_SECONDS, p->triage_days);
    }
    if (t->first_open) {
        tut_time_date(t->first_open->due, day);
        return say(f, TUT_RESULT_NOT_CHECKED, "Concern %s waits to be triaged, until %s.",
                   t->first_open->number, day);
    }
    return say(f, TUT_RESULT_NOT_CHECKED,
               "Nothing was raised in %d days, so nobody knows that it works; tutela train concern "
               "--drill tries it.",
               TUT_CONCERN_WINDOW_DAYS);
}

static tut_status write_body(const tut_concerns *all, tut_time at, tut_buf *out, tut_error *err)
{
    TUT_AUTO(tut_json) j = NULL;
    TUT_TRY(tut_json_new(out, &j));
    tut_json_object(j);
    tut_json_put_z(j, "schema", "tutela.concerns/1");
    tut_json_key(j, "concerns");
    tut_json_array(j);
    for (size_t i = 0; i < all->count; i++) {
        const tut_concern *c = &all->items[i];
        if (!is_recent(c, at) && c->triaged)
            continue;
        tut_json_object(j);
        tut_json_put_z(j, "number", c->number);
        tut_json_put_bool(j, "drill", c->is_drill);
        tut_json_put_z(j, "state", tut_concern_state(c, at));
        tut_json_put_u64(j, "entry", c->raised->index);
        tut_json_put_time(j, "raised", c->raised->recorded_at);
        tut_json_put_time(j, "due", c->due);
        if (c->triaged) {
            tut_json_put_u64(j, "triaged_entry", c->triaged->index);
            tut_json_put_time(j, "triaged", c->triaged->recorded_at);
        }
        tut_json_end_object(j);
    }
    tut_json_end_array(j);
    tut_json_end_object(j);
    return tut_json_finish(j, err);
}

tut_status tut_concerns_judge(const tut_concerns *c, const tut_concern_policy *policy,
                              const tut_people *people, tut_time at, tut_training_finding *ret,
                              tut_error *err)
{
    tally t = count(c, at);
    ret->check = "train.concerns";
    ret->result = judge(&t, policy, people, ret);
    return write_body(c, at, &ret->body, err);
}

tut_status tut_govern_step_concerns(tut_governing *g)
{
    TUT_CLEAN(tut_concerns) c = {.items = NULL};
    TUT_CLEAN(tut_training_finding) f = {.check = NULL};
    tut_concern_policy policy;
    TUT_TRY(tut_concern_policy_read(g->system, &policy, NULL, g->err));
    if (!policy.node)
        return TUT_SUCCESS;
    TUT_TRY(tut_concerns_load(g->ledger, g->records, &policy, &c, g->err));
    TUT_TRY(tut_concerns_judge(&c, &policy, g->records->people, g->at, &f, g->err));
    return tut_training_attest(g, &f);
}
