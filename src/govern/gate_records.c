/*
 * The records that a gate asks for, out of a log that may hold a million. Which they are is found
 * group by group (state/kept.h): first what says which bytes the system consists of, then, of each
 * check that is wanted, what is about these very bytes. Of what is about others only the newest is
 * read, as it can only say that it is about others. What is read is what the evaluator would have
 * decided by, had it read everything.
 */
#include <string.h>

#include "base/map.h"
#include "govern/gate_internal.h"
#include "state/kept.h"
#include "state/records.h"

/* Checks that decide what is a finding, or an asset's clearance, whatever the gate wants. */
static const char *const always[] = {"scan.content", "inventory.complete", "bom.due-diligence",
                                     "supplier.due-diligence"};

typedef struct choosing {
    tut_gate_view *v;
    const tut_relevant_group *groups;
    size_t count;
    tut_places places;
    bool with_before; /* of each group the one before the newest too */
    tut_map checks;   /* how each is taken: there are few, and many groups of each */
    uint8_t *taken;
    size_t taken_capacity;
    tut_arena text; /* keys of maps */
    tut_error *err;
} choosing;

enum { ASKED = 1, ANY_DIGEST = 2 }; /* of `taken` */

static bool is_check(tut_str versioned, tut_str check)
{
    return tut_str_starts(versioned, check) && versioned.len > check.len &&
           versioned.data[check.len] == '/';
}

static tut_status add(choosing *c, const tut_relevant_group *g)
{
    uint64_t places[2] = {g->newest - 1, g->before ? g->before - 1 : 0};
    return tut_places_join(&c->places, places, g->before && c->with_before ? 2 : 1, c->err);
}

/* --- what the system consists of --- */

/* Adds the newest group of each (check, subject) that `picks` takes. */
static tut_status add_newest(choosing *c,
                             bool (*picks)(const choosing *c, const tut_relevant_group *g))
{
    TUT_CLEAN(tut_buf) name = TUT_BUF_INIT;
    tut_map seen = {0};
    TUT_AUTO_FREE const tut_relevant_group **newest = tut_alloc_array(c->count + 1,
                                                                      sizeof(const void *));
    tut_status status = newest ? TUT_SUCCESS : tut_fail(c->err, TUT_NOMEM, "memory ran out");
    for (size_t i = 0; i < c->count && tut_is_ok(status); i++) {
        const tut_relevant_group *g = &c->groups[i];
        size_t at;
        if (!picks(c, g))
            continue;
        tut_buf_clear(&name);
        tut_buf_add_sized(&name, g->check);
        tut_buf_add_str(&name, g->subject);
        const char *key = tut_arena_copy(&c->text, tut_buf_str(&name));
        status = key ? tut_map_put(&seen, (tut_str){key, name.len}, seen.count, &at, c->err)
                     : tut_fail(c->err, TUT_NOMEM, "memory ran out");
        if (tut_is_ok(status) && (!newest[at] || newest[at]->newest < g->newest))
            newest[at] = g;
    }
    for (size_t i = 0; i < seen.count && tut_is_ok(status); i++)
        status = add(c, newest[i]);
    tut_map_done(&seen);
    return status;
}

/* Of each kind of event about tutela.yaml the newest: the description is the last of them. */
static bool says_what_is_there(const choosing *c, const tut_relevant_group *g)
{
    (void)c;
    if (g->is_evidence)
        return is_check(g->check, TUT_LIT("inventory.complete"));
    return tut_str_eq_z(g->subject, "tutela.yaml") || tut_str_eq_z(g->check, TUT_EVENT_DOCUMENT) ||
           tut_str_starts(g->check, TUT_LIT("system."));
}

/* An inventory of the description at hand may be older than one of another. */
static bool is_inventory_of_this(const choosing *c, const tut_relevant_group *g)
{
    return g->is_evidence && is_check(g->check, TUT_LIT("inventory.complete")) &&
           tut_sha256_eq(&g->digest, &c->v->system->digest);
}

static tut_status add_what_is_there(choosing *c)
{
    TUT_TRY(add_newest(c, says_what_is_there));
    for (size_t i = 0; i < c->count; i++)
        if (is_inventory_of_this(c, &c->groups[i]))
            TUT_TRY(add(c, &c->groups[i]));
    return TUT_SUCCESS;
}

static tut_status read_places(choosing *c, tut_records **ret, tut_error *err)
{
    return tut_ledger_read_some(c->v->ledger, c->places.items, c->places.count, INT64_MAX, ret,
                                err);
}

/* --- what is about these bytes --- */

static bool is_wanted(const choosing *c, tut_str check)
{
    for (size_t i = 0; i < sizeof(always) / sizeof(always[0]); i++)
        if (is_check(check, tut_str_of(always[i])))
            return true;
    for (size_t i = 0; i < c->v->demand_count; i++) {
        const tut_demand *d = &c->v->demands[i];
        const tut_want *w = &d->of->wants[d->want];
        if (is_check(check, w->check))
            return true;
        for (size_t k = 0; k < w->covers_count; k++)
            if (is_check(check, w->covers[k]))
                return true;
    }
    return false;
}

/* Checks about people and processes count whatever the digest. */
static bool is_of_any_digest(const choosing *c, tut_str check)
{
    for (size_t i = 0; i < c->v->demand_count; i++) {
        const tut_demand *d = &c->v->demands[i];
        const tut_want *w = &d->of->wants[d->want];
        if (w->scope == TUT_SCOPE_ORGANISATION && is_check(check, w->check))
            return true;
    }
    return is_check(check, TUT_LIT(TUT_CHECK_OVERRIDE));
}

static uint8_t judge_check(const choosing *c, const tut_relevant_group *g)
{
    uint8_t how = 0;
    if (!g->is_evidence) /* that there ever was one of a kind decides what can be looked at */
        return tut_str_starts(g->check, TUT_LIT("guard.")) ? ASKED : 0;
    if (is_check(g->check, TUT_LIT(TUT_CHECK_SIGNATURE)) || is_wanted(c, g->check))
        how |= ASKED;
    return is_of_any_digest(c, g->check) ? how | ANY_DIGEST : how;
}

static tut_status judge_checks(choosing *c)
{
    for (size_t i = 0; i < c->count; i++) {
        const tut_relevant_group *g = &c->groups[i];
        size_t fresh = c->checks.count, at;
        TUT_TRY(tut_map_put(&c->checks, g->check, fresh, &at, c->err));
        if (at != fresh)
            continue;
        if (!tut_is_ok(tut_grow(&c->taken, fresh, &c->taken_capacity, sizeof(*c->taken))))
            return tut_fail(c->err, TUT_NOMEM, "memory ran out");
        c->taken[at] = judge_check(c, g);
    }
    return TUT_SUCCESS;
}

static bool is_taken(const choosing *c, const tut_relevant_group *g, uint8_t how)
{
    return (c->taken[tut_map_get(&c->checks, g->check)] & how) != 0;
}

static bool is_asked_for(const choosing *c, const tut_relevant_group *g)
{
    return is_taken(c, g, ASKED);
}

typedef struct present { /* which bytes each subject has now */
    tut_map names;
    tut_arena text; /* the names: what they came from is freed before */
    tut_sha256 *digests;
    size_t capacity;
} present;

static void present_done(present *p)
{
    tut_map_done(&p->names);
    tut_arena_done(&p->text);
    tut_free(p->digests);
}

static tut_status add_present(present *p, tut_str name, const tut_sha256 *digest, tut_error *err)
{
    size_t at, fresh = p->names.count;
    const char *key = tut_arena_copy(&p->text, name);
    if (!key)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    TUT_TRY(tut_map_put(&p->names, (tut_str){key, name.len}, fresh, &at, err));
    if (at != fresh)
        return TUT_SUCCESS;
    if (!tut_is_ok(tut_grow(&p->digests, fresh, &p->capacity, sizeof(*p->digests))))
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    p->digests[at] = *digest;
    return TUT_SUCCESS;
}

static tut_status list_present(choosing *c, present *p)
{
    const tut_assessment *a = c->v->assessment;
    const tut_record *described = tut_assessment_description(a);
    tut_sha256 digest;
    tut_str paths[TUT_DESIGN_DOCUMENTS_MAX];
    TUT_CLEAN(tut_buf) name = TUT_BUF_INIT;
    if (described)
        TUT_TRY(add_present(p, TUT_LIT("tutela.yaml"), &described->subjects[0].digest, c->err));
    for (size_t i = 0; i < a->asset_count; i++)
        if (tut_is_ok(tut_sha256_parse(tut_str_of(a->assets[i].digest), &digest)))
            TUT_TRY(add_present(p, tut_str_of(a->assets[i].id), &digest, c->err));
    size_t count = tut_design_documents(&c->v->design, paths);
    for (size_t i = 0; i < count; i++) {
        const tut_record *r = tut_assessment_document(a, paths[i]);
        if (r)
            TUT_TRY(
                add_present(p, tut_str_of(r->subjects[0].name), &r->subjects[0].digest, c->err));
    }
    for (size_t i = 0; i < c->v->decision_count; i++) {
        tut_str gate = c->v->decisions[i].gate->name;
        TUT_TRY(tut_gate_about(c->v, c->v->decisions[i].gate, &digest, c->err));
        tut_buf_clear(&name);
        tut_buf_printf(&name, TUT_SUBJECT_GATE "%.*s", (int)gate.len, gate.data);
        TUT_TRY(tut_buf_check(&name, c->err));
        TUT_TRY(add_present(p, tut_buf_str(&name), &digest, c->err));
    }
    return TUT_SUCCESS;
}

static tut_status add_what_is_asked(choosing *c, const present *p)
{
    TUT_TRY(add_newest(c, is_asked_for));
    for (size_t i = 0; i < c->count; i++) {
        const tut_relevant_group *g = &c->groups[i];
        if (!g->is_evidence || !is_taken(c, g, ASKED | ANY_DIGEST))
            continue;
        size_t at = tut_map_get(&p->names, g->subject);
        bool is_present = at != SIZE_MAX && tut_sha256_eq(&p->digests[at], &g->digest);
        if (is_present || is_taken(c, g, ANY_DIGEST))
            TUT_TRY(add(c, g));
    }
    return TUT_SUCCESS;
}

/* --- both --- */

static tut_status evaluate(tut_gate_view *v, const tut_gate_question *q, tut_time at,
                           bool is_answering, bool is_partial, tut_error *err)
{
    const tut_evaluation_source source = {.ledger = v->ledger,
                                          .records = v->records,
                                          .generated = tut_time_generated(),
                                          .dir_or_file = q->dir_or_file,
                                          .state_dir = q->state_dir,
                                          .demands = is_answering ? v->demands : NULL,
                                          .demand_count = is_answering ? v->demand_count : 0,
                                          .is_partial = is_partial};
    return tut_assess_evaluate_given(&source, at, &v->assessment, err);
}

static void forget(tut_gate_view *v)
{
    tut_assessment_free(v->assessment);
    tut_records_free(v->records);
    v->assessment = NULL;
    v->records = NULL;
}

/* Evidence that proves nothing (its key fell) lets the one before it decide. */
static bool has_doubtful(const tut_records *records)
{
    for (size_t i = 0; i < records->count; i++) {
        const tut_record *r = &records->items[i];
        bool counts = false;
        for (size_t k = 0; k < r->signer_count; k++)
            counts = counts || r->signers[k].counts;
        if (r->type == TUT_RECORD_EVIDENCE && (r->doubt || !counts))
            return true;
    }
    return false;
}

static tut_status read_asked(choosing *c, const present *p, tut_error *err)
{
    TUT_TRY(add_what_is_asked(c, p));
    forget(c->v);
    TUT_TRY(read_places(c, &c->v->records, err));
    if (!has_doubtful(c->v->records))
        return TUT_SUCCESS;
    c->with_before = true;
    TUT_TRY(add_what_is_there(c));
    TUT_TRY(add_what_is_asked(c, p));
    forget(c->v);
    return read_places(c, &c->v->records, err);
}

static tut_status choose(choosing *c, const tut_gate_question *q, tut_time at, tut_error *err)
{
    present p = {.digests = NULL};
    TUT_TRY(judge_checks(c));
    TUT_TRY(add_what_is_there(c));
    TUT_TRY(read_places(c, &c->v->records, err));
    TUT_TRY(evaluate(c->v, q, at, false, true, err));
    tut_status status = list_present(c, &p);
    if (tut_is_ok(status))
        status = read_asked(c, &p, err);
    present_done(&p);
    return status;
}

tut_status tut_gate_read(tut_gate_view *v, const tut_gate_question *q, tut_time at, tut_error *err)
{
    TUT_AUTO(tut_kept) kept = NULL;
    TUT_TRY(tut_ledger_open(q->state_dir, false, &v->ledger, err));
    if (!q->is_all)
        TUT_TRY(tut_kept_open(v->ledger, at, &kept, err));
    if (!kept) {
        TUT_TRY(tut_state_read(v->ledger, at, &v->records, err));
        return evaluate(v, q, at, true, false, err);
    }
    choosing c = {.v = v, .err = err};
    const tut_places *people = tut_kept_people(kept);
    c.groups = tut_kept_groups(kept, &c.count);
    tut_status status = tut_places_join(&c.places, people->items, people->count, err);
    if (tut_is_ok(status))
        status = choose(&c, q, at, err);
    tut_places_done(&c.places);
    tut_map_done(&c.checks);
    tut_free(c.taken);
    tut_arena_done(&c.text);
    TUT_TRY(status);
    return evaluate(v, q, at, true, true, err);
}
