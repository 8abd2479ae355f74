/* An entry of the log -> a change and who signed it, for the roster to judge. */
#include "ledger/entry.h"
#include "ledger/people_internal.h"

static const tut_pubkey *key_of(const tut_judging *g, tut_key_place place)
{
    return tut_holder_of(g->p, place.holder)->keys[place.position].key;
}

static bool is_entitled(const tut_judging *g, tut_key_place place)
{
    const tut_person_key *k = &tut_holder_of(g->p, place.holder)->keys[place.position];
    return tut_key_counts(k, g->index) && (k->roles & TUT_PERSON_ROOT);
}

static tut_status verify(tut_judging *g, const tut_dsse *envelope, size_t i, const tut_pubkey *key,
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
static tut_status find_signer(tut_judging *g, const tut_dsse *envelope)
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
static tut_status check_own_signature(tut_judging *g, const tut_entry *entry)
{
    bool is_good = !entry->head.is_dsse;
    for (size_t i = 0; !is_good && i < entry->envelope.signature_count; i++)
        for (size_t k = 0; !is_good && k < g->c->key_count; k++)
            TUT_TRY(verify(g, &entry->envelope, i, g->c->keys[k], &is_good));
    if (!is_good)
        tut_people_object(g, "it is not signed by the key that it names");
    return TUT_SUCCESS;
}

/* Signatures, as far as the kind asks for any. */
static tut_status check_envelope(tut_judging *g, const tut_entry *entry)
{
    if (g->c->kind == TUT_PEOPLE_ROOT)
        return check_own_signature(g, entry);
    if (g->c->kind == TUT_PEOPLE_GENESIS || !entry->head.is_dsse)
        return TUT_SUCCESS;
    return find_signer(g, &entry->envelope);
}

static tut_status judge_entry(tut_judging *g, const tut_entry *entry, tut_arena *arena,
                              tut_people_read *read)
{
    tut_error why = {0};
    if (!entry->has_record || entry->record.type != TUT_RECORD_EVENT) {
        tut_people_object(g, "it is no event of ours");
        return TUT_SUCCESS;
    }
    if (entry->head.is_dsse && !tut_str_eq_z(entry->envelope.type, TUT_DSSE_INTOTO)) {
        tut_people_object(g, "its envelope is of another type");
        return TUT_SUCCESS;
    }
    tut_status status = tut_people_change_read(g->c->kind, entry->predicate, arena, read, &why);
    if (status.code == TUT_NOMEM)
        return tut_fail(g->err, TUT_NOMEM, "memory ran out");
    if (!tut_is_ok(status)) {
        tut_people_object(g, "%s", why.text);
        return TUT_SUCCESS;
    }
    g->c = &read->change;
    TUT_TRY(check_envelope(g, entry));
    if (tut_people_objected(g))
        return TUT_SUCCESS;
    return tut_people_judge(g, tut_str_of(entry->record.origin));
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
    tut_judging g = {.p = p,
                     .index = index,
                     .at = entry->head.at,
                     .c = &unread,
                     .signer = {.holder = TUT_HOLDER_NONE},
                     .err = err};
    return tut_people_finish(&g, judge_entry(&g, entry, &arena, &read), ret_problem);
}
