#include "state/relevant.h"

#include <errno.h>
#include <sys/random.h>

#include "crypto/merkle.h"
#include "ledger/entry.h"

typedef struct group { /* rows that a later one of the same replaces */
    tut_sha256 key;
    uint64_t newest, before; /* place + 1; 0: none */
} group;

typedef struct named { /* what a group is called */
    tut_str check, subject;
    tut_sha256 digest;
    bool is_evidence;
} named;

struct tut_relevant {
    tut_time until;
    bool has_names;
    named *names; /* beside the items */
    size_t name_capacity;
    tut_arena text;
    group *items;
    size_t count, capacity;
    uint32_t *slots; /* item + 1; open addressing */
    size_t slot_count;
    uint64_t multiplier; /* secret, so that nobody can aim at a slot */
    tut_buf scratch;
    tut_places places;
};

void tut_relevant_free(tut_relevant *g)
{
    if (!g)
        return;
    tut_free(g->items);
    tut_free(g->names);
    tut_arena_done(&g->text);
    tut_free(g->slots);
    tut_buf_done(&g->scratch);
    tut_places_done(&g->places);
    tut_free(g);
}

tut_status tut_relevant_new(tut_time until, tut_relevant **ret_relevant, tut_error *err)
{
    TUT_AUTO(tut_relevant) g = tut_alloc_array(1, sizeof(*g));
    if (!g)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    g->until = until;
    if (getrandom(&g->multiplier, sizeof(g->multiplier), 0) != (ssize_t)sizeof(g->multiplier))
        return tut_fail_errno(err, errno, "no random bytes");
    g->multiplier |= 1;
    tut_arena_init(&g->text, 0);
    *ret_relevant = tut_move(&g);
    return TUT_SUCCESS;
}

tut_status tut_relevant_new_named(tut_time until, tut_relevant **ret_relevant, tut_error *err)
{
    TUT_TRY(tut_relevant_new(until, ret_relevant, err));
    (*ret_relevant)->has_names = true;
    return TUT_SUCCESS;
}

static uint32_t *slot_of(const tut_relevant *g, const tut_sha256 *key)
{
    uint64_t word = 0;
    memcpy(&word, key->bytes, sizeof(word));
    size_t at = (size_t)((word * g->multiplier) >> 32) & (g->slot_count - 1);
    while (g->slots[at] && !tut_sha256_eq(&g->items[g->slots[at] - 1].key, key))
        at = (at + 1) & (g->slot_count - 1);
    return &g->slots[at];
}

static tut_status grow_slots(tut_relevant *g)
{
    size_t slot_count = g->slot_count ? g->slot_count * 2 : 256;
    uint32_t *slots = tut_alloc_array(slot_count, sizeof(*slots));
    if (!slots)
        return (tut_status){TUT_NOMEM};
    tut_free(g->slots);
    g->slots = slots;
    g->slot_count = slot_count;
    for (size_t i = 0; i < g->count; i++)
        *slot_of(g, &g->items[i].key) = (uint32_t)i + 1;
    return TUT_SUCCESS;
}

static tut_status group_of(tut_relevant *g, const tut_sha256 *key, group **ret)
{
    if (g->count >= g->slot_count / 2)
        TUT_TRY(grow_slots(g));
    uint32_t *slot = slot_of(g, key);
    if (!*slot) {
        if (g->count >= UINT32_MAX / 2)
            return (tut_status){TUT_LIMIT};
        TUT_TRY(tut_grow(&g->items, g->count, &g->capacity, sizeof(*g->items)));
        g->items[g->count] = (group){.key = *key};
        *slot = (uint32_t)++g->count;
    }
    *ret = &g->items[*slot - 1];
    return TUT_SUCCESS;
}

static tut_status group_key(tut_relevant *g, const tut_row *row, const tut_row_subject *subject,
                            tut_sha256 *ret)
{
    tut_buf *b = &g->scratch;
    tut_buf_clear(b);
    tut_buf_add_byte(b, (uint8_t)row->type);
    tut_buf_add_byte(b, (uint8_t)row->method);
    tut_buf_add_sized(b, row->is_record ? row->check : row->kind);
    tut_buf_add_sized(b, row->actor);
    tut_buf_add_sized(b, subject->name);
    tut_buf_add(b, subject->digest.bytes, TUT_SHA256_BYTES);
    for (size_t i = 0; i < row->clause_count; i++)
        tut_buf_add_sized(b, row->clauses[i]);
    TUT_TRY(tut_buf_check(b, NULL));
    tut_merkle_leaf(tut_buf_span(b), ret);
    return TUT_SUCCESS;
}

static tut_status name_group(tut_relevant *g, size_t at, const named *name)
{
    if (!g->has_names)
        return TUT_SUCCESS;
    while (g->name_capacity <= at)
        TUT_TRY(tut_grow(&g->names, g->name_capacity, &g->name_capacity, sizeof(*g->names)));
    const char *check = tut_arena_copy(&g->text, name->check);
    const char *subject = tut_arena_copy(&g->text, name->subject);
    if (!check || !subject)
        return (tut_status){TUT_NOMEM};
    g->names[at] = (named){.check = {check, name->check.len},
                           .subject = {subject, name->subject.len},
                           .digest = name->digest,
                           .is_evidence = name->is_evidence};
    return TUT_SUCCESS;
}

void tut_relevant_each(const tut_relevant *g,
                       void (*visit)(void *ctx, const tut_relevant_group *group), void *ctx)
{
    for (size_t i = 0; i < g->count && g->has_names; i++) {
        const tut_relevant_group one = {.key = g->items[i].key,
                                        .digest = g->names[i].digest,
                                        .check = g->names[i].check,
                                        .subject = g->names[i].subject,
                                        .is_evidence = g->names[i].is_evidence,
                                        .newest = g->items[i].newest,
                                        .before = g->items[i].before};
        visit(ctx, &one);
    }
}

tut_status tut_relevant_put(tut_relevant *g, const tut_relevant_group *from, tut_error *err)
{
    group *found = NULL;
    size_t count = g->count;
    tut_status status = group_of(g, &from->key, &found);
    const named name = {from->check, from->subject, from->digest, from->is_evidence};
    if (tut_is_ok(status) && g->count > count)
        status = name_group(g, count, &name);
    if (!tut_is_ok(status))
        return tut_fail(err, status.code, "memory ran out");
    found->newest = from->newest;
    found->before = from->before;
    return TUT_SUCCESS;
}

const tut_places *tut_relevant_of_the_ledger(const tut_relevant *g)
{
    return &g->places;
}

bool tut_row_is_of_the_ledger(const tut_row *row)
{
    static const tut_str beginnings[] = {
        {"ledger.", 7}, {"people.", 7}, {"tool.", 5}, {"log.", 4}, {"system.", 7}};
    bool is_event = !row->is_record || row->type == TUT_RECORD_EVENT;
    for (size_t i = 0; is_event && i < sizeof(beginnings) / sizeof(beginnings[0]); i++)
        if (tut_str_starts(row->kind, beginnings[i]))
            return true;
    return false;
}

tut_status tut_relevant_take(tut_relevant *g, const tut_row *row, tut_error *err)
{
    tut_status status = TUT_SUCCESS;
    if (row->recorded_at > g->until) /* what was recorded since, whatever time it says it is of */
        return status;
    if (tut_row_is_of_the_ledger(row))
        status = tut_places_join(&g->places, &row->index, 1, err);
    for (size_t i = 0; i < row->subject_count && row->at <= g->until && tut_is_ok(status); i++) {
        tut_sha256 key;
        group *found = NULL;
        size_t count = g->count;
        status = group_key(g, row, &row->subjects[i], &key);
        if (tut_is_ok(status))
            status = group_of(g, &key, &found);
        const named name = {row->is_record ? row->check : row->kind, row->subjects[i].name,
                            row->subjects[i].digest,
                            row->is_record && row->type == TUT_RECORD_EVIDENCE};
        if (tut_is_ok(status) && g->count > count)
            status = name_group(g, count, &name);
        if (tut_is_ok(status) && found->newest != row->index + 1) {
            found->before = found->newest;
            found->newest = row->index + 1;
        }
    }
    return tut_is_ok(status) ? status : tut_fail(err, status.code, "memory ran out");
}

tut_status tut_relevant_places(tut_relevant *g, tut_places *ret_places, tut_error *err)
{
    TUT_AUTO_FREE uint64_t *items = tut_alloc_array(2 * g->count + 1, sizeof(*items));
    size_t count = 0;
    if (!items)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (size_t i = 0; i < g->count; i++) {
        if (g->items[i].before)
            items[count++] = g->items[i].before - 1;
        items[count++] = g->items[i].newest - 1;
    }
    TUT_TRY(tut_places_join(&g->places, items, count, err));
    *ret_places = g->places;
    g->places = (tut_places){0};
    return TUT_SUCCESS;
}

/* --- of a whole log --- */

static tut_status take_entry(void *ctx, uint64_t index, tut_span bytes, tut_error *err)
{
    TUT_CLEAN(tut_arena) arena = {0};
    TUT_CLEAN(tut_entry) entry = {.has_record = false};
    tut_sha256 leaf = {{0}}; /* no part of what decides */
    tut_row row;
    TUT_TRY(tut_entry_parse(bytes, &arena, &entry, err));
    TUT_TRY(tut_row_of(&entry, index, &leaf, &arena, &row, err));
    return tut_relevant_take(ctx, &row, err);
}

tut_status tut_relevant_of_log(tut_log *log, tut_time until, tut_places *ret_places, tut_error *err)
{
    TUT_AUTO(tut_relevant) r = NULL;
    TUT_TRY(tut_relevant_new(until, &r, err));
    TUT_TRY(tut_log_each(log, 0, tut_log_size(log), take_entry, r, err));
    return tut_relevant_places(r, ret_places, err);
}
