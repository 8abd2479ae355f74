/* One event of the log after another -> the roster: what counts, and why the rest does not. */
#include "base/limits.h"
#include "ledger/entry.h"
#include "ledger/people_internal.h"

/* One event under judgement. `problem` stays empty while nothing speaks against it. */
typedef struct judging {
    tut_people *p;
    uint64_t index;
    tut_time at;
    const tut_people_change *c;
    tut_holder holder;    /* NONE: a new name */
    tut_key_place signer; /* holder NONE: nobody */
    tut_buf problem;
    tut_error *err;
} judging;

static bool object(judging *g, const char *fmt, ...) TUT_PRINTF(2, 3);

/* Notes the reason; always false, so that a check can end with it. */
static bool object(judging *g, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    tut_buf_clear(&g->problem);
    tut_buf_vprintf(&g->problem, fmt, ap);
    va_end(ap);
    return false;
}

static bool has_problem(const judging *g)
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

static bool check_signer(judging *g)
{
    if (g->signer.holder == TUT_HOLDER_NONE)
        return object(g, "it is not signed by anybody who is known here");
    if (g->signer.holder >= g->p->count)
        return object(g, "it is signed by a machine");
    const tut_person *s = tut_holder_of(g->p, g->signer.holder);
    const tut_person_key *k = &s->keys[g->signer.position];
    if (!tut_key_counts(k, g->index))
        return object(g, "the key of %s that signed it is no longer in force", s->name);
    bool is_own = g->c->kind == TUT_PEOPLE_ROTATED && g->signer.holder == g->holder;
    if (!(k->roles & TUT_PERSON_ROOT) && !is_own)
        return object(g, "%s, who signed it, is no root", s->name);
    if (is_own && !(k->roles & TUT_PERSON_ROOT) && g->c->has_from && g->c->from < g->index)
        return object(g, "only a root may say that keys no longer count from an earlier entry on");
    return true;
}

static bool check_holder(judging *g)
{
    const tut_people_change *c = g->c;
    bool is_new = c->kind == TUT_PEOPLE_ENROLLED;
    if (g->holder == TUT_HOLDER_NONE) {
        if (!is_new)
            return object(g, "nobody is called %.*s", (int)c->name.len, c->name.data);
        return c->has_after ? object(g, "it follows a change to %.*s that is not there",
                                     (int)c->name.len, c->name.data)
                            : true;
    }
    const tut_person *h = tut_holder_of(g->p, g->holder);
    if (is_new && h->is_active)
        return object(g, "%s is enrolled already", h->name);
    if (!is_new && !is_machine_kind(c->kind) && !h->is_active)
        return object(g, "%s is revoked", h->name);
    if (!c->has_after || c->after != h->after)
        return object(g, "it does not follow the last change to %s, entry %llu", h->name,
                      (unsigned long long)h->after);
    return true;
}

static bool check_one_key(judging *g, const tut_pubkey *key)
{
    tut_key_place place = tut_key_find(g->p, tut_pubkey_id(key));
    if (place.holder == TUT_HOLDER_NONE)
        return true;
    if (place.holder >= g->p->count)
        return object(g, "key %.12s is a machine's", tut_pubkey_id(key));
    return object(g, "key %.12s was named before, for %s", tut_pubkey_id(key),
                  tut_holder_of(g->p, place.holder)->name);
}

/* A key is named once in a log: so nobody shares one, and no envelope counts twice. */
static bool check_keys(judging *g, const tut_pubkey *const *keys, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!check_one_key(g, keys[i]))
            return false;
        for (size_t k = 0; k < i; k++)
            if (tut_pubkey_eq(keys[i], keys[k]))
                return object(g, "key %.12s is named twice", tut_pubkey_id(keys[i]));
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

static bool check_reach(judging *g)
{
    const tut_people_change *c = g->c;
    if (c->has_from && c->from > g->index)
        return object(g, "it speaks of entry %llu, which is later than itself",
                      (unsigned long long)c->from);
    if (c->kind == TUT_PEOPLE_REVOKED && tut_holder_of(g->p, g->holder)->is_root &&
        !has_other_root(g->p, g->holder))
        return object(g, "the last root cannot be revoked; enrol another root first");
    return true;
}

/* --- taking it in --- */

static tut_status add_person(judging *g, tut_str name, tut_holder *ret_holder)
{
    tut_people *p = g->p;
    TUT_TRY(tut_grow(&p->items, p->count, &p->capacity, sizeof(*p->items)));
    const char *copy = tut_arena_copy(&tut_people_owned(p)->arena, name);
    if (!copy)
        return tut_fail(g->err, TUT_NOMEM, "memory ran out");
    p->items[p->count] = (tut_person){.name = copy};
    *ret_holder = p->count++;
    return TUT_SUCCESS;
}

static tut_status add_keys(judging *g, tut_holder holder, const tut_pubkey *const *keys,
                           size_t count)
{
    for (size_t i = 0; i < count; i++)
        TUT_TRY(tut_key_add(g->p, holder, keys[i], g->index, g->err));
    return TUT_SUCCESS;
}

static tut_status note_event(judging *g, tut_holder holder)
{
    tut_person *h = tut_holder_of(g->p, holder);
    TUT_TRY(tut_grow(&h->events, h->event_count, &h->event_capacity, sizeof(*h->events)));
    h->events[h->event_count++] = g->index;
    h->after = g->index;
    return TUT_SUCCESS;
}

/* The change as counted, keys added; not settled yet. */
static tut_status add_change(judging *g, tut_holder holder, const tut_people_change *c,
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

/* Whoever would fall by his own word (and is not the one he speaks of) is no judge of the matter.
 */
static bool signer_falls(judging *g)
{
    if (g->signer.holder == g->holder)
        return false;
    const tut_person *s = tut_holder_of(g->p, g->signer.holder);
    return !tut_key_counts(&s->keys[g->signer.position], g->index);
}

static tut_status settle_reaching_back(judging *g)
{
    tut_people_owner *o = tut_people_owned(g->p);
    if (++o->compromise_count > TUT_LIMIT_PEOPLE_COMPROMISES)
        return tut_fail(g->err, TUT_LIMIT, "more than %u changes to people reach back",
                        TUT_LIMIT_PEOPLE_COMPROMISES);
    tut_people_settle(g->p);
    if (leaves_no_root(g->p))
        object(g, "it would leave no root");
    else if (signer_falls(g))
        object(g, "who signed it owes that to the keys which it ends");
    if (!has_problem(g))
        return TUT_SUCCESS;
    const tut_counted *last = &o->changes[--o->change_count];
    tut_key_drop(g->p, last->holder, last->key_count);
    tut_people_settle(g->p);
    return TUT_SUCCESS;
}

static tut_status count_change(judging *g)
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
    return has_problem(g) ? TUT_SUCCESS : note_event(g, g->holder);
}

/* --- by kind --- */

static tut_status admit_root(judging *g, const tut_people_change *root)
{
    if (tut_people_find(g->p, root->name)) {
        object(g, "%.*s is named twice", (int)root->name.len, root->name.data);
        return TUT_SUCCESS;
    }
    if (!check_keys(g, root->keys, root->key_count))
        return TUT_SUCCESS;
    tut_holder holder;
    TUT_TRY(add_person(g, root->name, &holder));
    TUT_TRY(add_change(g, holder, root, root->keys, root->key_count));
    tut_people_settle_last(g->p);
    g->p->has_root = true;
    return note_event(g, holder);
}

static tut_status admit_machine(judging *g, tut_holder holder, const tut_pubkey *const *keys,
                                size_t count)
{
    if (!check_keys(g, keys, count))
        return TUT_SUCCESS;
    TUT_TRY(add_change(g, holder, g->c, keys, count));
    tut_people_settle_last(g->p);
    return note_event(g, holder);
}

static tut_status admit_parts(judging *g)
{
    TUT_TRY(admit_machine(g, TUT_HOLDER_LOG, g->c->log_keys, g->c->log_key_count));
    if (!has_problem(g))
        TUT_TRY(admit_machine(g, TUT_HOLDER_TOOL, g->c->keys, g->c->key_count));
    for (size_t i = 0; i < g->c->root_count && !has_problem(g); i++)
        TUT_TRY(admit_root(g, &g->c->roots[i]));
    return TUT_SUCCESS;
}

/* A genesis that is wrong in part is wrong as a whole, and there is no second one. */
static tut_status admit_genesis(judging *g, tut_str origin)
{
    if (g->index != 0) {
        object(g, "a log begins only once, with entry 0");
        return TUT_SUCCESS;
    }
    TUT_TRY(admit_parts(g));
    if (has_problem(g)) {
        tut_people_owned(g->p)->change_count = 0;
        tut_people_settle(g->p);
        return TUT_SUCCESS;
    }
    g->p->origin = tut_strndup(origin.data, origin.len);
    if (!g->p->origin)
        return tut_fail(g->err, TUT_NOMEM, "memory ran out");
    g->p->has_genesis = true;
    return TUT_SUCCESS;
}

static tut_status admit_first_root(judging *g)
{
    if (g->p->has_root) {
        object(g, "the log has its roots already; a root enrols others");
        return TUT_SUCCESS;
    }
    return admit_root(g, g->c);
}

static tut_status admit_signed(judging *g)
{
    g->holder = find_holder(g->p, g->c);
    if (check_signer(g) && check_holder(g) &&
        (g->c->kind == TUT_PEOPLE_REVOKED || check_keys(g, g->c->keys, g->c->key_count)) &&
        check_reach(g))
        return count_change(g);
    return TUT_SUCCESS;
}

static tut_status admit(judging *g, tut_str origin)
{
    g->holder = TUT_HOLDER_NONE;
    if (g->c->kind == TUT_PEOPLE_GENESIS)
        return admit_genesis(g, origin);
    if (!g->p->has_genesis) {
        object(g, "the log does not begin with a genesis");
        return TUT_SUCCESS;
    }
    if (!tut_str_eq_z(origin, g->p->origin)) {
        object(g, "it was made for another log");
        return TUT_SUCCESS;
    }
    return g->c->kind == TUT_PEOPLE_ROOT ? admit_first_root(g) : admit_signed(g);
}

/* Keeps the reason in words, for the first so many; the last one is always at hand. */
static tut_status note_problem(judging *g, const char **ret_problem)
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

static tut_status finish(judging *g, tut_status status, const char **ret_problem)
{
    if (tut_is_ok(status) && ret_problem)
        *ret_problem = NULL;
    if (tut_is_ok(status) && has_problem(g))
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
    judging g = {.p = p,
                 .index = index,
                 .at = at,
                 .c = change,
                 .signer = {.holder = TUT_HOLDER_NONE},
                 .err = err};
    if (change->kind != TUT_PEOPLE_ROOT)
        g.signer = tut_key_find(p, signer_id);
    return finish(&g, admit(&g, tut_str_of(p->origin)), ret_problem);
}

/* --- from the entry --- */

static const tut_pubkey *key_of(const judging *g, tut_key_place place)
{
    return tut_holder_of(g->p, place.holder)->keys[place.position].key;
}

static bool is_entitled(const judging *g, tut_key_place place)
{
    const tut_person_key *k = &tut_holder_of(g->p, place.holder)->keys[place.position];
    return tut_key_counts(k, g->index) && (k->roles & TUT_PERSON_ROOT);
}

static tut_status verify(judging *g, const tut_dsse *envelope, size_t i, const tut_pubkey *key,
                         bool *ret_is_good)
{
    tut_status status = tut_dsse_verify(envelope, i, key, NULL);
    if (status.code == TUT_NOMEM)
        return tut_fail(g->err, TUT_NOMEM, "memory ran out");
    *ret_is_good = tut_is_ok(status);
    return TUT_SUCCESS;
}

/* The signer: a root in force if one signed, else the first person or machine whose signature is
 * good. The key's id in the envelope only says which key to try. */
static tut_status find_signer(judging *g, const tut_dsse *envelope)
{
    for (size_t i = 0; i < envelope->signature_count; i++) {
        char id[TUT_SHA256_HEX];
        tut_str_copy(id, sizeof(id), envelope->signatures[i].keyid);
        tut_key_place place = tut_key_find(g->p, id);
        bool is_good = false;
        if (place.holder != TUT_HOLDER_NONE)
            TUT_TRY(verify(g, envelope, i, key_of(g, place), &is_good));
        if (!is_good)
            continue;
        if (g->signer.holder == TUT_HOLDER_NONE)
            g->signer = place;
        if (is_entitled(g, place)) {
            g->signer = place;
            return TUT_SUCCESS;
        }
    }
    return TUT_SUCCESS;
}

/* The first root is believed because it is the first; where it signs, it must be its own key. */
static tut_status check_own_signature(judging *g, const tut_entry *entry)
{
    bool is_good = !entry->head.is_dsse;
    for (size_t i = 0; !is_good && i < entry->envelope.signature_count; i++)
        for (size_t k = 0; !is_good && k < g->c->key_count; k++)
            TUT_TRY(verify(g, &entry->envelope, i, g->c->keys[k], &is_good));
    if (!is_good)
        object(g, "it is not signed by the key that it names");
    return TUT_SUCCESS;
}

/* Signatures, as far as the kind asks for any. */
static tut_status check_envelope(judging *g, const tut_entry *entry)
{
    if (g->c->kind == TUT_PEOPLE_ROOT)
        return check_own_signature(g, entry);
    if (g->c->kind == TUT_PEOPLE_GENESIS || !entry->head.is_dsse)
        return TUT_SUCCESS;
    return find_signer(g, &entry->envelope);
}

static tut_status judge_entry(judging *g, const tut_entry *entry, tut_arena *arena,
                              tut_people_read *read)
{
    tut_error why = {0};
    if (!entry->has_record || entry->record.type != TUT_RECORD_EVENT) {
        object(g, "it is no event of ours");
        return TUT_SUCCESS;
    }
    if (entry->head.is_dsse && !tut_str_eq_z(entry->envelope.type, TUT_DSSE_INTOTO)) {
        object(g, "its envelope is of another type");
        return TUT_SUCCESS;
    }
    tut_status status = tut_people_change_read(g->c->kind, entry->predicate, arena, read, &why);
    if (status.code == TUT_NOMEM)
        return tut_fail(g->err, TUT_NOMEM, "memory ran out");
    if (!tut_is_ok(status)) {
        object(g, "%s", why.text);
        return TUT_SUCCESS;
    }
    g->c = &read->change;
    TUT_TRY(check_envelope(g, entry));
    if (has_problem(g))
        return TUT_SUCCESS;
    return admit(g, tut_str_of(entry->record.origin));
}

tut_status tut_people_apply(tut_people *p, uint64_t index, const tut_entry *entry,
                            const char **ret_problem, tut_error *err)
{
    tut_people_change unread = {.kind = tut_people_kind_of(entry->head.kind)};
    if (unread.kind == TUT_PEOPLE_OTHER) {
        if (ret_problem)
            *ret_problem = NULL;
        return TUT_SUCCESS;
    }
    TUT_CLEAN(tut_arena) arena = {0};
    TUT_CLEAN(tut_people_read) read = {0};
    judging g = {.p = p,
                 .index = index,
                 .at = entry->head.at,
                 .c = &unread,
                 .signer = {.holder = TUT_HOLDER_NONE},
                 .err = err};
    return finish(&g, judge_entry(&g, entry, &arena, &read), ret_problem);
}
