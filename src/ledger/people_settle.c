/*
 * From changes that counted where they stood to who may sign now.
 *
 * Every later change to a holder ends the keys named before it: from its own place on, or from an
 * earlier one after a compromise. An end that stands undoes what those keys signed from there on,
 * ends among it, and what the keys signed that were named by what is undone. So:
 *
 *   a change is UNDONE when an end that stands hits its signer, or the signer's key was named by a
 *       change that is undone, or (a rotation) when the person's enrolment is undone or a
 * revocation since then stands; it STANDS when no end that is not undone hits its signer, and all
 * that it rests upon stands.
 *
 * The verdicts are found by sweeping until nothing changes. What is left open hangs on itself; such
 * a change is not let in, so a settled roster has none.
 */
#include "ledger/people_internal.h"

static const char undone_reason[] = "undone with the key that signed for it";

static tut_holder_sweep *sweep_of(tut_people *p, tut_holder holder)
{
    tut_people_owner *o = tut_people_owned(p);
    if (holder == TUT_HOLDER_TOOL)
        return &o->tool;
    return holder == TUT_HOLDER_LOG ? &o->log : &o->sweeps[holder];
}

static void clear_sweeps(tut_people *p)
{
    static const tut_holder_sweep clear = {.cut = UINT64_MAX, .threat = UINT64_MAX};
    tut_people_owner *o = tut_people_owned(p);
    for (size_t i = 0; i < p->count; i++)
        o->sweeps[i] = clear;
    o->tool = clear;
    o->log = clear;
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* From the last change to the first, where each key ends: `cut_` by ends that stand, `threat_` by
 * those that are not undone. A change does not end the keys that it names; and one that does not
 * reach back ends what follows it, not itself. */
static void find_ends(tut_people *p)
{
    tut_people_owner *o = tut_people_owned(p);
    clear_sweeps(p);
    for (size_t i = o->change_count; i-- > 0;) {
        const tut_counted *c = &o->changes[i];
        tut_holder_sweep *s = sweep_of(p, c->holder);
        for (size_t k = c->first_key; k < c->first_key + c->key_count; k++) {
            tut_person_key *key = &tut_holder_of(p, c->holder)->keys[k];
            key->cut_ = s->cut;
            key->threat_ = s->threat;
        }
        uint64_t from = c->reaches_back ? c->from : c->index + 1;
        if (c->verdict == TUT_CHANGE_STANDS)
            s->cut = least(s->cut, from);
        if (c->verdict != TUT_CHANGE_UNDONE)
            s->threat = least(s->threat, from);
    }
}

/* Whoever speaks of his own keys does not fall by that: the ends of the signer's key without the
 * one of the change itself. */
static void ends_by_others(tut_people *p, const tut_counted *self, uint64_t named_at,
                           uint64_t *ret_cut, uint64_t *ret_threat)
{
    const tut_people_owner *o = tut_people_owned(p);
    *ret_cut = *ret_threat = UINT64_MAX;
    for (size_t i = 0; i < o->change_count; i++) {
        const tut_counted *c = &o->changes[i];
        if (c == self || c->holder != self->holder || c->index <= named_at)
            continue;
        uint64_t from = c->reaches_back ? c->from : c->index + 1;
        if (c->verdict == TUT_CHANGE_STANDS)
            *ret_cut = least(*ret_cut, from);
        if (c->verdict != TUT_CHANGE_UNDONE)
            *ret_threat = least(*ret_threat, from);
    }
}

/* Of what a change rests upon: UNDONE if any is, STANDS if all do. */
static tut_verdict both(tut_verdict a, tut_verdict b)
{
    if (a == TUT_CHANGE_UNDONE || b == TUT_CHANGE_UNDONE)
        return TUT_CHANGE_UNDONE;
    return a == TUT_CHANGE_STANDS ? b : a;
}

static tut_verdict by_ends(uint64_t index, uint64_t cut, uint64_t threat)
{
    if (cut <= index)
        return TUT_CHANGE_UNDONE;
    return threat <= index ? TUT_CHANGE_OPEN : TUT_CHANGE_STANDS;
}

static tut_verdict judge_signer(tut_people *p, const tut_counted *c)
{
    if (c->signer.holder == TUT_HOLDER_NONE)
        return TUT_CHANGE_STANDS;
    const tut_person_key *k = &tut_holder_of(p, c->signer.holder)->keys[c->signer.position];
    uint64_t cut = k->cut_;
    uint64_t threat = k->threat_;
    if (c->reaches_back && c->signer.holder == c->holder)
        ends_by_others(p, c, k->from, &cut, &threat);
    return both(by_ends(c->index, cut, threat), tut_people_owned(p)->changes[k->named_by_].verdict);
}

static tut_verdict judge(tut_people *p, const tut_counted *c)
{
    tut_verdict v = judge_signer(p, c);
    if (c->kind != TUT_PEOPLE_ROTATED)
        return v;
    const tut_holder_sweep *s = sweep_of(p, c->holder);
    if (s->is_revoked)
        return TUT_CHANGE_UNDONE;
    return both(both(v, s->enrolment), s->may_be_revoked ? TUT_CHANGE_OPEN : TUT_CHANGE_STANDS);
}

static void note_holder(tut_people *p, const tut_counted *c)
{
    tut_holder_sweep *s = sweep_of(p, c->holder);
    if (c->kind == TUT_PEOPLE_ENROLLED || c->kind == TUT_PEOPLE_ROOT) {
        s->enrolment = c->verdict;
        s->is_revoked = s->may_be_revoked = false;
    } else if (c->kind == TUT_PEOPLE_REVOKED) {
        s->is_revoked |= c->verdict == TUT_CHANGE_STANDS;
        s->may_be_revoked |= c->verdict != TUT_CHANGE_UNDONE;
    }
}

/* From the first change to the last: decides what can be decided. Whether anything was. */
static bool decide(tut_people *p)
{
    tut_people_owner *o = tut_people_owned(p);
    bool is_changed = false;
    for (size_t i = 0; i < o->change_count; i++) {
        tut_counted *c = &o->changes[i];
        if (c->verdict == TUT_CHANGE_OPEN) {
            c->verdict = judge(p, c);
            is_changed |= c->verdict != TUT_CHANGE_OPEN;
        }
        note_holder(p, c);
    }
    return is_changed;
}

static bool is_all_decided(const tut_people_owner *o)
{
    for (size_t i = 0; i < o->change_count; i++)
        if (o->changes[i].verdict == TUT_CHANGE_OPEN)
            return false;
    return true;
}

/* --- what follows from the verdicts --- */

static void end_keys(tut_person *h, uint64_t from, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        tut_person_key *k = &h->keys[i];
        k->until = least(k->until, from > k->from ? from : k->from);
    }
}

static void take_effect(tut_people *p, const tut_counted *c)
{
    tut_person *h = tut_holder_of(p, c->holder);
    bool is_enrolment = c->kind == TUT_PEOPLE_ENROLLED || c->kind == TUT_PEOPLE_ROOT;
    if (is_enrolment) {
        h->roles = c->roles;
        h->since = c->index;
        h->enrolled_at = c->at;
    }
    if (is_enrolment || c->kind == TUT_PEOPLE_REVOKED) {
        h->revoked_at = is_enrolment ? 0 : c->at;
        h->reason = is_enrolment ? NULL : c->reason;
    }
    for (size_t i = c->first_key; i < c->first_key + c->key_count; i++) {
        h->keys[i].roles = h->roles;
        h->keys[i].until = UINT64_MAX;
    }
}

/* The least `from` of the ends that stand, for each key; as find_ends, for others than signers of
 * changes, so an end counts from its own place on. */
static void set_ends(tut_people *p)
{
    tut_people_owner *o = tut_people_owned(p);
    clear_sweeps(p);
    for (size_t i = o->change_count; i-- > 0;) {
        const tut_counted *c = &o->changes[i];
        tut_holder_sweep *s = sweep_of(p, c->holder);
        for (size_t k = c->first_key; k < c->first_key + c->key_count; k++) {
            tut_person_key *key = &tut_holder_of(p, c->holder)->keys[k];
            key->until = least(key->until, s->cut > key->from ? s->cut : key->from);
        }
        if (c->verdict == TUT_CHANGE_STANDS)
            s->cut = least(s->cut, c->from);
    }
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

static void set_flags(tut_person *h)
{
    h->is_active = false;
    for (size_t i = 0; i < h->key_count; i++)
        h->is_active |= h->keys[i].until == UINT64_MAX;
    h->is_root = h->is_active && (h->roles & TUT_PERSON_ROOT) != 0;
}

/* Whoever fell with the key that signed for him was revoked by nobody in particular. */
static void finish_person(tut_person *h, tut_time at)
{
    set_flags(h);
    if (!h->is_active && !h->revoked_at) {
        h->revoked_at = at;
        h->reason = undone_reason;
    }
}

static void take_all_effects(tut_people *p)
{
    tut_people_owner *o = tut_people_owned(p);
    tut_time last_at = 0;
    for (size_t i = 0; i < p->count; i++)
        reset(&p->items[i]);
    reset(&p->tool);
    reset(&p->log);
    for (size_t i = 0; i < o->change_count; i++) {
        if (o->changes[i].verdict == TUT_CHANGE_STANDS)
            take_effect(p, &o->changes[i]);
        if (o->changes[i].reaches_back)
            last_at = o->changes[i].at;
    }
    set_ends(p);
    for (size_t i = 0; i < p->count; i++)
        finish_person(&p->items[i], last_at);
    set_flags(&p->tool);
    set_flags(&p->log);
}

bool tut_people_settle(tut_people *p)
{
    tut_people_owner *o = tut_people_owned(p);
    for (size_t i = 0; i < o->change_count; i++)
        o->changes[i].verdict = TUT_CHANGE_OPEN;
    do
        find_ends(p);
    while (decide(p));
    take_all_effects(p);
    return is_all_decided(o);
}

void tut_people_settle_last(tut_people *p)
{
    tut_people_owner *o = tut_people_owned(p);
    const tut_counted *c = &o->changes[o->change_count - 1];
    tut_person *h = tut_holder_of(p, c->holder);
    end_keys(h, c->index, c->first_key);
    take_effect(p, c);
    set_flags(h);
}
