#include "stats/heavy.h"

#include <stdlib.h>

enum { SLOTS_LEAST = 64, SLOTS_MAX = 1024, PURGE_LOOKS = 65 };

void tut_heavy_done(tut_heavy *h)
{
    tut_free(h->items);
    tut_free(h->texts);
    *h = (tut_heavy){0};
}

static uint32_t slot_of(const tut_heavy *h, uint64_t hash)
{
    uint32_t slot = (uint32_t)hash & (h->slots - 1);
    while (h->items[slot].count && h->items[slot].hash != hash)
        slot = (slot + 1) & (h->slots - 1);
    return slot;
}

tut_heavy_item *tut_heavy_find(const tut_heavy *h, uint64_t hash)
{
    if (!h->slots)
        return NULL;
    tut_heavy_item *item = &h->items[slot_of(h, hash)];
    return item->count ? item : NULL;
}

/* Moves every item that less than its count is taken from into a table of that many slots. */
static tut_status rebuild(tut_heavy *h, uint32_t slots, uint64_t take, tut_error *err)
{
    tut_heavy made = {.slots = slots, .taken = h->taken + take};
    made.items = tut_alloc_array(slots, sizeof(*made.items));
    if (h->texts)
        made.texts = tut_alloc_array(slots, sizeof(*made.texts));
    if (!made.items || (h->texts && !made.texts)) {
        tut_heavy_done(&made);
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    }
    for (uint32_t i = 0; i < h->slots; i++) {
        if (h->items[i].count <= take)
            continue;
        uint32_t to = slot_of(&made, h->items[i].hash);
        made.items[to] = h->items[i];
        made.items[to].count -= take;
        if (made.texts)
            memcpy(made.texts[to], h->texts[i], TUT_HEAVY_TEXT);
        made.used++;
    }
    tut_heavy_done(h);
    *h = made;
    return TUT_SUCCESS;
}

/* The median of some counters, from all over the table, is taken from each: about half of them are
 * free then. */
static tut_status purge(tut_heavy *h, tut_error *err)
{
    uint64_t counts[PURGE_LOOKS];
    size_t n = 0;
    for (uint32_t i = 0; i < h->slots && n < PURGE_LOOKS; i++) {
        if (!h->items[i].count)
            continue;
        size_t k = n++;
        for (; k > 0 && counts[k - 1] > h->items[i].count; k--)
            counts[k] = counts[k - 1];
        counts[k] = h->items[i].count;
    }
    return rebuild(h, h->slots, counts[n / 2], err);
}

static tut_status make_room(tut_heavy *h, bool may_drop, bool *ret_is_full, tut_error *err)
{
    *ret_is_full = false;
    if (h->slots == 0)
        return rebuild(h, SLOTS_LEAST, 0, err);
    if ((uint64_t)h->used * 10 < (uint64_t)h->slots * 7)
        return TUT_SUCCESS;
    if (h->slots < SLOTS_MAX)
        return rebuild(h, 2 * h->slots, 0, err);
    *ret_is_full = !may_drop;
    return may_drop ? purge(h, err) : TUT_SUCCESS;
}

static tut_status keep_text(tut_heavy *h, uint32_t slot, tut_str text, tut_error *err)
{
    if (!h->texts)
        h->texts = tut_alloc_array(h->slots, sizeof(*h->texts));
    if (!h->texts)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    size_t len = text.len < TUT_HEAVY_TEXT ? text.len : TUT_HEAVY_TEXT;
    memcpy(h->texts[slot], text.data, len);
    h->items[slot].len = (uint8_t)(text.len <= TUT_HEAVY_TEXT ? text.len : TUT_HEAVY_TEXT + 1);
    return TUT_SUCCESS;
}

tut_status tut_heavy_add(tut_heavy *h, uint64_t hash, uint64_t weight, double number, tut_str text,
                         bool may_drop, tut_heavy_item **ret, tut_error *err)
{
    bool is_full;
    *ret = tut_heavy_find(h, hash);
    if (*ret) {
        (*ret)->count += weight;
        return TUT_SUCCESS;
    }
    TUT_TRY(make_room(h, may_drop, &is_full, err));
    if (is_full || weight == 0)
        return TUT_SUCCESS;
    uint32_t slot = slot_of(h, hash);
    if (text.data)
        TUT_TRY(keep_text(h, slot, text, err));
    h->items[slot].hash = hash;
    h->items[slot].count = weight;
    h->items[slot].number = number;
    h->items[slot].mark = 0;
    h->used++;
    *ret = &h->items[slot];
    return TUT_SUCCESS;
}

tut_status tut_heavy_merge(tut_heavy *h, const tut_heavy *from, tut_error *err)
{
    uint64_t taken = from->taken;
    for (uint32_t i = 0; i < from->slots; i++) {
        const tut_heavy_item *f = &from->items[i];
        tut_heavy_item *item;
        tut_str text = f->len ? (tut_str){from->texts[i], f->len} : (tut_str){NULL, 0};
        if (!f->count)
            continue;
        TUT_TRY(tut_heavy_add(h, f->hash, f->count, f->number, text, true, &item, err));
        if (item)
            item->mark = f->mark;
    }
    h->taken += taken;
    return TUT_SUCCESS;
}

tut_str tut_heavy_text(const tut_heavy *h, const tut_heavy_item *item)
{
    size_t len = item->len < TUT_HEAVY_TEXT ? item->len : TUT_HEAVY_TEXT;
    return len ? (tut_str){h->texts[item - h->items], len} : (tut_str){"", 0};
}

static int by_count(const void *a, const void *b)
{
    const tut_heavy_item *x = *(const tut_heavy_item *const *)a;
    const tut_heavy_item *y = *(const tut_heavy_item *const *)b;
    if (x->count != y->count)
        return x->count < y->count ? 1 : -1;
    return (x->hash > y->hash) - (x->hash < y->hash);
}

size_t tut_heavy_top(const tut_heavy *h, const tut_heavy_item **to, size_t cap)
{
    const tut_heavy_item *all[SLOTS_MAX] = {NULL};
    size_t n = 0;
    for (uint32_t i = 0; i < h->slots; i++)
        if (h->items[i].count)
            all[n++] = &h->items[i];
    qsort(all, n, sizeof(all[0]), by_count);
    n = n < cap ? n : cap;
    memcpy(to, all, n * sizeof(all[0]));
    return n;
}
