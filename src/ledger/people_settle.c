/*
 * From changes that counted where they stood to who may sign now.
 *
 * Changes are replayed in the order of the log. One that reaches back (a revocation after a
 * compromise) cuts keys before its own place, and with them what they signed; among those that
 * reach back, a later one may undo an earlier one, never the other way round, for the later was
 * judged while the earlier stood. So they are decided from the last to the first, each under those
 * decided before, and then everything is replayed once under all that stand.
 */
#include "ledger/people_internal.h"

static const char undone_reason[] = "undone with the key that signed for it";

static bool is_root_key(const tut_person_key *k)
{
    return (k->roles & TUT_PERSON_ROOT) != 0;
}

static tut_person_key *key_at(tut_people *p, tut_key_place place)
{
    return &tut_holder_of(p, place.holder)->keys[place.position];
}

/* Whether the signer of a change was entitled to it, as far as the replay has come. */
static bool is_signed_well(tut_people *p, const tut_counted *c)
{
    if (c->signer.holder == TUT_HOLDER_NONE)
        return true;
    const tut_person_key *k = key_at(p, c->signer);
    bool is_own = c->kind == TUT_PEOPLE_ROTATED && c->signer.holder == c->holder;
    return tut_key_counts(k, c->index) && (is_root_key(k) || is_own);
}

static bool has_key_in_force(const tut_person *h, uint64_t index)
{
    for (size_t i = 0; i < h->key_count; i++)
        if (tut_key_counts(&h->keys[i], index))
            return true;
    return false;
}

static void end_keys(tut_person *h, uint64_t from)
{
    for (size_t i = 0; i < h->key_count; i++) {
        tut_person_key *k = &h->keys[i];
        uint64_t end = from > k->from ? from : k->from;
        if (k->until > end)
            k->until = end;
    }
}

static void begin_keys(tut_person *h, const tut_counted *c)
{
    for (size_t i = c->first_key; i < c->first_key + c->key_count; i++) {
        tut_person_key *k = &h->keys[i];
        k->roles = h->roles;
        k->until = k->cut_ > k->from ? k->cut_ : k->from;
    }
}

static void take_effect(tut_people *p, const tut_counted *c)
{
    tut_person *h = tut_holder_of(p, c->holder);
    switch (c->kind) {
    case TUT_PEOPLE_GENESIS: /* the machines' first keys */
    case TUT_PEOPLE_ROOT:
    case TUT_PEOPLE_ENROLLED:
        end_keys(h, c->index);
        h->roles = c->roles;
        h->since = c->index;
        h->enrolled_at = c->at;
        h->revoked_at = 0;
        h->reason = NULL;
        begin_keys(h, c);
        return;
    case TUT_PEOPLE_ROTATED:
    case TUT_PEOPLE_TOOL_ROTATED:
    case TUT_PEOPLE_LOG_ROTATED:
        end_keys(h, c->from);
        begin_keys(h, c);
        return;
    case TUT_PEOPLE_REVOKED:
        end_keys(h, c->from);
        h->revoked_at = c->at;
        h->reason = c->reason;
        return;
    case TUT_PEOPLE_OTHER:
        return;
    }
}

/* Whether a change stands, as far as the replay has come. */
static bool stands(tut_people *p, const tut_counted *c)
{
    if (c->kind == TUT_PEOPLE_ROTATED && !has_key_in_force(tut_holder_of(p, c->holder), c->index))
        return false;
    return is_signed_well(p, c);
}

static void reset(tut_person *h)
{
    for (size_t i = 0; i < h->key_count; i++) {
        h->keys[i].until = h->keys[i].from;
        h->keys[i].roles = 0;
    }
    h->roles = 0;
    h->revoked_at = 0;
    h->reason = NULL;
}

static void each_holder(tut_people *p, void (*visit)(tut_person *h))
{
    for (size_t i = 0; i < p->count; i++)
        visit(&p->items[i]);
    visit(&p->tool);
    visit(&p->log);
}

static void uncut(tut_person *h)
{
    for (size_t i = 0; i < h->key_count; i++)
        h->keys[i].cut_ = UINT64_MAX;
}

/* A change that reaches back stands: the holder's keys named before it count only until then. */
static void cut(tut_person *h, const tut_counted *c)
{
    for (size_t i = 0; i < h->key_count; i++)
        if (h->keys[i].from < c->index && h->keys[i].cut_ > c->from)
            h->keys[i].cut_ = c->from;
}

/* Replays the changes before `end`. From `decided` on, those that reach back keep their verdict. */
static void replay(tut_people *p, size_t end, size_t decided)
{
    tut_people_owner *o = tut_people_owned(p);
    each_holder(p, reset);
    for (size_t i = 0; i < end; i++) {
        tut_counted *c = &o->changes[i];
        if (!c->reaches_back || i < decided)
            c->is_undone = !stands(p, c);
        if (!c->is_undone)
            take_effect(p, c);
    }
}

static void set_flags(tut_person *h)
{
    h->is_active = has_key_in_force(h, UINT64_MAX - 1);
    h->is_root = h->is_active && (h->roles & TUT_PERSON_ROOT) != 0;
}

/* Whoever fell with the key that signed for him was revoked by nobody in particular. */
static void set_undone(tut_people *p, tut_time at)
{
    for (size_t i = 0; i < p->count; i++) {
        tut_person *h = &p->items[i];
        if (!h->is_active && !h->revoked_at) {
            h->revoked_at = at;
            h->reason = undone_reason;
        }
    }
}

void tut_people_settle(tut_people *p)
{
    tut_people_owner *o = tut_people_owned(p);
    tut_time last_at = 0;
    each_holder(p, uncut);
    for (size_t j = o->change_count; j-- > 0;) {
        tut_counted *c = &o->changes[j];
        if (!c->reaches_back)
            continue;
        replay(p, j, j);
        c->is_undone = !stands(p, c);
        if (c->is_undone)
            continue;
        cut(tut_holder_of(p, c->holder), c);
        last_at = last_at ? last_at : c->at;
    }
    replay(p, o->change_count, 0);
    each_holder(p, set_flags);
    set_undone(p, last_at);
}

void tut_people_settle_last(tut_people *p)
{
    tut_people_owner *o = tut_people_owned(p);
    const tut_counted *c = &o->changes[o->change_count - 1];
    take_effect(p, c);
    set_flags(tut_holder_of(p, c->holder));
}
