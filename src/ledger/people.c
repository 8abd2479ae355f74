/* The roster: its life, finding people and keys, and the one question that signers ask. */
#include "ledger/people.h"

#include "ledger/people_internal.h"

enum { SLOTS_FIRST = 64 };

tut_status tut_people_new(tut_people **ret_people, tut_error *err)
{
    tut_people *p = tut_alloc_array(1, sizeof(*p));
    tut_people_owner *o = tut_alloc_array(1, sizeof(*o));
    if (!p || !o) {
        tut_free(p);
        tut_free(o);
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    }
    tut_arena_init(&o->arena, 0);
    p->owner_ = o;
    p->tool.name = "tool";
    p->log.name = "log";
    *ret_people = p;
    return TUT_SUCCESS;
}

static void free_holder(tut_person *h)
{
    for (size_t i = 0; i < h->key_count; i++)
        tut_pubkey_free(h->keys[i].key);
    tut_free(h->keys);
    tut_free(h->events);
}

void tut_people_free(tut_people *p)
{
    if (!p)
        return;
    tut_people_owner *o = tut_people_owned(p);
    for (size_t i = 0; i < p->count; i++)
        free_holder(&p->items[i]);
    free_holder(&p->tool);
    free_holder(&p->log);
    for (size_t i = 0; i < p->problem_count; i++)
        tut_free(p->problems[i]);
    tut_free(p->problems);
    tut_free(p->origin);
    tut_free(p->items);
    tut_arena_done(&o->arena);
    tut_free(o->changes);
    tut_free(o->slots);
    tut_free(o->sweeps);
    tut_free(o->problem);
    tut_free(o);
    tut_free(p);
}

tut_person *tut_holder_of(tut_people *p, tut_holder holder)
{
    if (holder == TUT_HOLDER_TOOL)
        return &p->tool;
    return holder == TUT_HOLDER_LOG ? &p->log : &p->items[holder];
}

static const tut_person *holder_of(const tut_people *p, tut_holder holder)
{
    if (holder == TUT_HOLDER_TOOL)
        return &p->tool;
    return holder == TUT_HOLDER_LOG ? &p->log : &p->items[holder];
}

const tut_person *tut_people_find(const tut_people *p, tut_str name)
{
    for (size_t i = 0; i < p->count; i++)
        if (tut_str_ieq(tut_str_of(p->items[i].name), name))
            return &p->items[i];
    return NULL;
}

/* --- keys by their id --- */

/* FNV-1a. Ids are digests, so nobody chooses them freely; and the roster is bounded. */
static size_t slot_of(const char *key_id, size_t slot_count)
{
    uint64_t h = 14695981039346656037u;
    for (const char *c = key_id; *c; c++)
        h = (h ^ (uint8_t)*c) * 1099511628211u;
    return (size_t)(h ^ h >> 32) & (slot_count - 1);
}

static const tut_person_key *key_at(const tut_people *p, tut_key_place place)
{
    return &holder_of(p, place.holder)->keys[place.position];
}

/* The slot that holds this key, or the free one where it belongs. */
static tut_key_place *find_slot(const tut_people *p, const char *key_id)
{
    const tut_people_owner *o = p->owner_;
    size_t i = slot_of(key_id, o->slot_count);
    while (o->slots[i].holder != TUT_HOLDER_NONE &&
           strcmp(tut_pubkey_id(key_at(p, o->slots[i])->key), key_id) != 0)
        i = (i + 1) & (o->slot_count - 1);
    return &o->slots[i];
}

tut_key_place tut_key_find(const tut_people *p, const char *key_id)
{
    const tut_people_owner *o = p->owner_;
    if (o->slot_count == 0 || !key_id)
        return (tut_key_place){.holder = TUT_HOLDER_NONE};
    return *find_slot(p, key_id);
}

static tut_status grow_slots(tut_people *p, tut_error *err)
{
    tut_people_owner *o = tut_people_owned(p);
    if (o->slots_used * 2 < o->slot_count)
        return TUT_SUCCESS;
    size_t old_count = o->slot_count;
    tut_key_place *old = o->slots;
    size_t count = old_count ? old_count * 2 : SLOTS_FIRST;
    tut_key_place *slots = tut_alloc_array(count, sizeof(*slots));
    if (!slots)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (size_t i = 0; i < count; i++)
        slots[i].holder = TUT_HOLDER_NONE;
    o->slots = slots;
    o->slot_count = count;
    for (size_t i = 0; i < old_count; i++)
        if (old[i].holder != TUT_HOLDER_NONE)
            *find_slot(p, tut_pubkey_id(key_at(p, old[i])->key)) = old[i];
    tut_free(old);
    return TUT_SUCCESS;
}

tut_status tut_key_add(tut_people *p, tut_holder holder, const tut_pubkey *key, uint64_t from,
                       tut_error *err)
{
    tut_people_owner *o = tut_people_owned(p);
    tut_person *h = tut_holder_of(p, holder);
    TUT_TRY(grow_slots(p, err));
    TUT_TRY(tut_grow(&h->keys, h->key_count, &h->key_capacity, sizeof(*h->keys)));
    tut_person_key *k = &h->keys[h->key_count];
    *k = (tut_person_key){.from = from, .until = from, .named_by_ = o->change_count};
    TUT_TRY(tut_pubkey_copy(key, &k->key, err));
    tut_key_place *slot = find_slot(p, tut_pubkey_id(k->key));
    *slot = (tut_key_place){.holder = holder, .position = h->key_count++};
    o->slots_used++;
    return TUT_SUCCESS;
}

/* Open addressing has no holes: what stood behind a slot that is freed is set again. */
static void free_slot(tut_people *p, tut_key_place *slot)
{
    tut_people_owner *o = tut_people_owned(p);
    size_t i = (size_t)(slot - o->slots);
    slot->holder = TUT_HOLDER_NONE;
    o->slots_used--;
    for (i = (i + 1) & (o->slot_count - 1); o->slots[i].holder != TUT_HOLDER_NONE;
         i = (i + 1) & (o->slot_count - 1)) {
        tut_key_place moved = o->slots[i];
        o->slots[i].holder = TUT_HOLDER_NONE;
        *find_slot(p, tut_pubkey_id(key_at(p, moved)->key)) = moved;
    }
}

void tut_key_drop(tut_people *p, tut_holder holder, size_t count)
{
    tut_person *h = tut_holder_of(p, holder);
    for (; count > 0; count--) {
        tut_person_key *k = &h->keys[h->key_count - 1];
        free_slot(p, find_slot(p, tut_pubkey_id(k->key)));
        tut_pubkey_free(k->key);
        h->key_count--;
    }
}

const tut_person *tut_people_by_key(const tut_people *p, const char *key_id,
                                    const tut_person_key **ret_key)
{
    tut_key_place place = tut_key_find(p, key_id);
    if (place.holder >= p->count)
        return NULL;
    if (ret_key)
        *ret_key = key_at(p, place);
    return &p->items[place.holder];
}

static bool is_machine(const tut_people *p, tut_holder holder, const char *key_id, uint64_t index)
{
    tut_key_place place = tut_key_find(p, key_id);
    return place.holder == holder && tut_key_counts(key_at(p, place), index);
}

bool tut_people_is_tool(const tut_people *p, const char *key_id, uint64_t index)
{
    return is_machine(p, TUT_HOLDER_TOOL, key_id, index);
}

bool tut_people_is_log(const tut_people *p, const char *key_id, uint64_t index)
{
    return is_machine(p, TUT_HOLDER_LOG, key_id, index);
}

/* --- may this person sign this act --- */

static const char *why_key_is_not_in_force(const tut_person *person, const tut_person_key *k,
                                           uint64_t index)
{
    if (index < k->from)
        return "the key was enrolled only later";
    if (k->until <= k->from)
        return "the key never counted: who signed for it was revoked from before";
    return person->is_active ? "the key was replaced by another" : "the key was revoked";
}

static const char *why_not(const tut_person *person, const tut_person_key *k, const tut_act *act)
{
    if (!tut_key_counts(k, act->index))
        return why_key_is_not_in_force(person, k, act->index);
    if (act->roles != 0 && (k->roles & act->roles) == 0)
        return "the person has none of the roles that this asks for";
    if (act->is_approval && act->others == 0 && act->author &&
        tut_str_ieq(tut_str_of(person->name), tut_str_of(act->author)))
        return "an author is never the only approver";
    return act->lacks_training ? act->lacks_training(act->training, person, act->index) : NULL;
}

bool tut_people_may_sign(const tut_people *p, const char *key_id, const tut_act *act,
                         const tut_person **ret_person, const char **ret_why)
{
    const tut_person_key *k = NULL;
    const tut_person *person = tut_people_by_key(p, key_id, &k);
    const char *why;
    if (person)
        why = why_not(person, k, act);
    else if (tut_key_find(p, key_id).holder != TUT_HOLDER_NONE)
        why = "the key is a machine's, not a person's";
    else
        why = "the key belongs to nobody who was enrolled";
    if (ret_person)
        *ret_person = person;
    if (ret_why)
        *ret_why = why;
    return why == NULL;
}
