/* One change after another -> the roster: what counts, and why the rest does not. */
#include "base/limits.h"
#include "ledger/people_internal.h"

bool tut_people_object(tut_judging *g, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    tut_buf_clear(&g->problem);
    tut_buf_vprintf(&g->problem, fmt, ap);
    va_end(ap);
    return false;
}

bool tut_people_objected(const tut_judging *g)
{
    return g->problem.len > 0 || g->problem.failed != TUT_OK;
}

static bool is_machine_kind(tut_people_kind kind)
{
    return kind == TUT_PEOPLE_TOOL_ROTATED || kind == TUT_PEOPLE_LOG_ROTATED;
}

static tut_holder find_holder(const tut_people *p, const tut_people_change *c)
{
    if (c->kind == TUT_PEOPLE_TOOL_ROTATED)
        return TUT_HOLDER_TOOL;
    if (c->kind == TUT_PEOPLE_LOG_ROTATED)
        return TUT_HOLDER_LOG;
    const tut_person *person = tut_people_find(p, c->name);
    return person ? (tut_holder)(person - p->items) : TUT_HOLDER_NONE;
}

/* --- what must hold --- */

static bool check_signer(tut_judging *g)
{
    if (g->signer.holder == TUT_HOLDER_NONE)
        return tut_people_object(g, "it is not signed by anybody who is known here");
    if (g->signer.holder >= g->p->count)
        return tut_people_object(g, "it is signed by a machine");
    const tut_person *s = tut_holder_of(g->p, g->signer.holder);
    const tut_person_key *k = &s->keys[g->signer.position];
    if (!tut_key_counts(k, g->index))
        return tut_people_object(g, "the key of %s that signed it is no longer in force", s->name);
    bool is_own = g->c->kind == TUT_PEOPLE_ROTATED && g->signer.holder == g->holder;
    if (!(k->roles & TUT_PERSON_ROOT) && !is_own)
        return tut_people_object(g, "%s, who signed it, is no root", s->name);
    if (is_own && !(k->roles & TUT_PERSON_ROOT) && g->c->has_from && g->c->from < g->index)
        return tut_people_object(
            g, "only a root may say that keys no longer count from an earlier entry on");
    return true;
}

static bool check_holder(tut_judging *g)
{
    const tut_people_change *c = g->c;
    bool is_new = c->kind == TUT_PEOPLE_ENROLLED;
    if (g->holder == TUT_HOLDER_NONE) {
        if (!is_new)
            return tut_people_object(g, "nobody is called %.*s", (int)c->name.len, c->name.data);
        return c->has_after ? tut_people_object(g, "it follows a change to %.*s that is not there",
                                                (int)c->name.len, c->name.data)
                            : true;
    }
    const tut_person *h = tut_holder_of(g->p, g->holder);
    if (is_new && h->is_active)
        return tut_people_object(g, "%s is enrolled already", h->name);
    if (!is_new && !is_machine_kind(c->kind) && !h->is_active)
        return tut_people_object(g, "%s is revoked", h->name);
    if (!c->has_after || c->after != h->after)
        return tut_people_object(g, "it does not follow the last change to %s, entry %llu", h->name,
                                 (unsigned long long)h->after);
    return true;
}

static bool check_one_key(tut_judging *g, const tut_pubkey *key)
{
    tut_key_place place = tut_key_find(g->p, tut_pubkey_id(key));
    if (place.holder == TUT_HOLDER_NONE)
        return true;
    if (place.holder >= g->p->count)
        return tut_people_object(g, "key %.12s is a machine's", tut_pubkey_id(key));
    return tut_people_object(g, "key %.12s was named before, for %s", tut_pubkey_id(key),
                             tut_holder_of(g->p, place.holder)->name);
}

/* A key is named once in a log: so nobody shares one, and no envelope counts twice. */
static bool check_keys(tut_judging *g, const tut_pubkey *const *keys, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!check_one_key(g, keys[i]))
            return false;
        for (size_t k = 0; k < i; k++)
            if (tut_pubkey_eq(keys[i], keys[k]))
                return tut_people_object(g, "key %.12s is named twice", tut_pubkey_id(keys[i]));
    }
    return true;
}

static bool has_other_root(const tut_people *p, tut_holder holder)
{
    for (size_t i = 0; i < p->count; i++)
        if (i != holder && p->items[i].is_root)
            return true;
    return false;
}

static bool check_reach(tut_judging *g)
{
    const tut_people_change *c = g->c;
    if (c->has_from && c->from > g->index)
        return tut_people_object(g, "it speaks of entry %llu, which is later than itself",
                                 (unsigned long long)c->from);
    if (c->kind == TUT_PEOPLE_REVOKED && tut_holder_of(g->p, g->holder)->is_root &&
        !has_other_root(g->p, g->holder))
        return tut_people_object(g, "the last root cannot be revoked; enrol another root first");
    return true;
}

/* --- taking it in --- */

static tut_status add_person(tut_judging *g, tut_str name, tut_holder *ret_holder)
{
    tut_people *p = g->p;
    tut_people_owner *o = tut_people_owned(p);
    TUT_TRY(tut_grow(&p->items, p->count, &p->capacity, sizeof(*p->items)));
    TUT_TRY(tut_grow(&o->sweeps, p->count, &o->sweep_capacity, sizeof(*o->sweeps)));
    const char *copy = tut_arena_copy(&o->arena, name);
    if (!copy)
        return tut_fail(g->err, TUT_NOMEM, "memory ran out");
    p->items[p->count] = (tut_person){.name = copy};
    *ret_holder = p->count++;
    return TUT_SUCCESS;
}

static tut_status add_keys(tut_judging *g, tut_holder holder, const tut_pubkey *const *keys,
                           size_t count)
{
    for (size_t i = 0; i < count; i++)
        TUT_TRY(tut_key_add(g->p, holder, keys[i], g->index, g->err));
    return TUT_SUCCESS;
}

static tut_status note_event(tut_judging *g, tut_holder holder)
{
    tut_person *h = tut_holder_of(g->p, holder);
    TUT_TRY(tut_grow(&h->events, h->event_count, &h->event_capacity, sizeof(*h->events)));
    h->events[h->event_count++] = g->index;
    h->after = g->index;
    return TUT_SUCCESS;
}

/* The change as counted, keys added; not settled yet. */
static tut_status add_change(tut_judging *g, tut_holder holder, const tut_people_change *c,
                             const tut_pubkey *const *keys, size_t key_count)
{
    tut_people_owner *o = tut_people_owned(g->p);
    if (o->change_count >= TUT_LIMIT_PEOPLE_CHANGES)
        return tut_fail(g->err, TUT_LIMIT, "the log has more than %u changes to its people",
                        TUT_LIMIT_PEOPLE_CHANGES);
    TUT_TRY(tut_grow(&o->changes, o->change_count, &o->change_capacity, sizeof(*o->changes)));
    tut_counted n = {.kind = c->kind,
                     .index = g->index,
                     .at = g->at,
                     .holder = holder,
                     .signer = g->signer,
                     .first_key = tut_holder_of(g->p, holder)->key_count,
                     .key_count = c->kind == TUT_PEOPLE_REVOKED ? 0 : key_count,
                     .roles = c->roles,
                     .verdict = TUT_CHANGE_STANDS,
                     .from = c->has_from ? c->from : g->index};
    n.reaches_back = n.from < n.index;
    if (c->reason.len > 0) {
        n.reason = tut_arena_copy(&o->arena, c->reason);
        if (!n.reason)
            return tut_fail(g->err, TUT_NOMEM, "memory ran out");
    }
    TUT_TRY(add_keys(g, holder, keys, n.key_count));
    o->changes[o->change_count++] = n;
    return TUT_SUCCESS;
}

static bool leaves_no_root(const tut_people *p)
{
    return !has_other_root(p, TUT_HOLDER_NONE);
}

static tut_status settle_reaching_back(tut_judging *g)
{
    tut_people_owner *o = tut_people_owned(g->p);
    if (++o->compromise_count > TUT_LIMIT_PEOPLE_COMPROMISES)
        return tut_fail(g->err, TUT_LIMIT, "more than %u changes to people reach back",
                        TUT_LIMIT_PEOPLE_COMPROMISES);
    const tut_counted *last = &o->changes[o->change_count - 1];
    if (!tut_people_settle(g->p) || last->verdict != TUT_CHANGE_STANDS)
        tut_people_object(g, "who signed it owes that to what it undoes");
    else if (leaves_no_root(g->p))
        tut_people_object(g, "it would leave no root");
    if (!tut_people_objected(g))
        return TUT_SUCCESS;
    o->change_count--;
    tut_key_drop(g->p, last->holder, last->key_count);
    if (!tut_people_settle(g->p))
        return tut_fail(g->err, TUT_BUG, "changes to people that were settled are not");
    return TUT_SUCCESS;
}

static tut_status count_change(tut_judging *g)
{
    const tut_people_change *c = g->c;
    if (g->holder == TUT_HOLDER_NONE)
        TUT_TRY(add_person(g, c->name, &g->holder));
    TUT_TRY(add_change(g, g->holder, c, c->keys, c->key_count));
    tut_people_owner *o = tut_people_owned(g->p);
    if (o->changes[o->change_count - 1].reaches_back)
        TUT_TRY(settle_reaching_back(g));
    else
        tut_people_settle_last(g->p);
    return tut_people_objected(g) ? TUT_SUCCESS : note_event(g, g->holder);
}

/* --- by kind --- */

static tut_status admit_root(tut_judging *g, const tut_people_change *root)
{
    if (tut_people_find(g->p, root->name)) {
        tut_people_object(g, "%.*s is named twice", (int)root->name.len, root->name.data);
        return TUT_SUCCESS;
    }
    if (!check_keys(g, root->keys, root->key_count))
        return TUT_SUCCESS;
    tut_holder holder = TUT_HOLDER_NONE;
    TUT_TRY(add_person(g, root->name, &holder));
    TUT_TRY(add_change(g, holder, root, root->keys, root->key_count));
    tut_people_settle_last(g->p);
    g->p->has_root = true;
    return note_event(g, holder);
}

static tut_status admit_machine(tut_judging *g, tut_holder holder, const tut_pubkey *const *keys,
                                size_t count)
{
    if (!check_keys(g, keys, count))
        return TUT_SUCCESS;
    TUT_TRY(add_change(g, holder, g->c, keys, count));
    tut_people_settle_last(g->p);
    return note_event(g, holder);
}

static tut_status admit_parts(tut_judging *g)
{
    TUT_TRY(admit_machine(g, TUT_HOLDER_LOG, g->c->log_keys, g->c->log_key_count));
    if (!tut_people_objected(g))
        TUT_TRY(admit_machine(g, TUT_HOLDER_TOOL, g->c->keys, g->c->key_count));
    for (size_t i = 0; i < g->c->root_count && !tut_people_objected(g); i++)
        TUT_TRY(admit_root(g, &g->c->roots[i]));
    return TUT_SUCCESS;
}

/* A genesis that is wrong in part is wrong as a whole, and there is no second one. */
static tut_status admit_genesis(tut_judging *g, tut_str origin)
{
    if (g->index != 0) {
        tut_people_object(g, "a log begins only once, with entry 0");
        return TUT_SUCCESS;
    }
    TUT_TRY(admit_parts(g));
    if (tut_people_objected(g)) {
        tut_people_owned(g->p)->change_count = 0;
        return tut_people_settle(g->p) ? TUT_SUCCESS : tut_fail(g->err, TUT_BUG, "nothing is open");
    }
    g->p->origin = tut_strndup(origin.data, origin.len);
    if (!g->p->origin)
        return tut_fail(g->err, TUT_NOMEM, "memory ran out");
    g->p->has_genesis = true;
    return TUT_SUCCESS;
}

static tut_status admit_first_root(tut_judging *g)
{
    if (g->p->has_root) {
        tut_people_object(g, "the log has its roots already; a root enrols others");
        return TUT_SUCCESS;
    }
    return admit_root(g, g->c);
}

static tut_status admit_signed(tut_judging *g)
{
    g->holder = find_holder(g->p, g->c);
    if (check_signer(g) && check_holder(g) &&
        (g->c->kind == TUT_PEOPLE_REVOKED || check_keys(g, g->c->keys, g->c->key_count)) &&
        check_reach(g))
        return count_change(g);
    return TUT_SUCCESS;
}

tut_status tut_people_judge(tut_judging *g, tut_str origin)
{
    g->holder = TUT_HOLDER_NONE;
    if (g->c->kind == TUT_PEOPLE_GENESIS)
        return admit_genesis(g, origin);
    if (!g->p->has_genesis) {
        tut_people_object(g, "the log does not begin with a genesis");
        return TUT_SUCCESS;
    }
    if (!tut_str_eq_z(origin, g->p->origin)) {
        tut_people_object(g, "it was made for another log");
        return TUT_SUCCESS;
    }
    return g->c->kind == TUT_PEOPLE_ROOT ? admit_first_root(g) : admit_signed(g);
}

/* Keeps the reason in words, for the first so many; the last one is always at hand. */
static tut_status note_problem(tut_judging *g, const char **ret_problem)
{
    tut_people *p = g->p;
    tut_people_owner *o = tut_people_owned(p);
    TUT_TRY(tut_buf_check(&g->problem, g->err));
    tut_free(o->problem);
    o->problem = tut_buf_steal(&g->problem);
    if (!o->problem)
        return tut_fail(g->err, TUT_NOMEM, "memory ran out");
    p->problem_total++;
    if (p->problem_count < TUT_LIMIT_PEOPLE_PROBLEMS) {
        TUT_TRY(
            tut_grow(&p->problems, p->problem_count, &p->problem_capacity, sizeof(*p->problems)));
        char *line = tut_asprintf("entry %llu (%s) changes nothing: %s",
                                  (unsigned long long)g->index, tut_people_kind_name(g->c->kind),
                                  o->problem);
        if (!line)
            return tut_fail(g->err, TUT_NOMEM, "memory ran out");
        p->problems[p->problem_count++] = line;
    }
    if (ret_problem)
        *ret_problem = o->problem;
    return TUT_SUCCESS;
}

tut_status tut_people_finish(tut_judging *g, tut_status status, const char **ret_problem)
{
    if (tut_is_ok(status) && ret_problem)
        *ret_problem = NULL;
    if (tut_is_ok(status) && tut_people_objected(g))
        status = note_problem(g, ret_problem);
    tut_buf_done(&g->problem);
    return status;
}

tut_status tut_people_admit(tut_people *p, uint64_t index, tut_time at,
                            const tut_people_change *change, const char *signer_id,
                            const char **ret_problem, tut_error *err)
{
    if (change->kind == TUT_PEOPLE_GENESIS)
        return tut_fail(err, TUT_USAGE, "a genesis is read from its entry");
    tut_judging g = {.p = p,
                     .index = index,
                     .at = at,
                     .c = change,
                     .signer = {.holder = TUT_HOLDER_NONE},
                     .err = err};
    if (change->kind != TUT_PEOPLE_ROOT)
        g.signer = tut_key_find(p, signer_id);
    return tut_people_finish(&g, tut_people_judge(&g, tut_str_of(p->origin)), ret_problem);
}
