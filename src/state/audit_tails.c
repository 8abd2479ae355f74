#include "ledger/entry.h"
#include "ledger/feed.h"
#include "state/audit_internal.h"

enum { NAMED = 3 };

void tut_tails_done(tut_tails *t)
{
    tut_free(t->items);
    *t = (tut_tails){0};
}

/* Entries of one producer mostly follow each other. */
static tut_tail *find(tut_tails *t, tut_str name)
{
    if (t->last < t->count && tut_str_eq_z(name, t->items[t->last].name))
        return &t->items[t->last];
    for (size_t i = t->count; i-- > 0;)
        if (tut_str_eq_z(name, t->items[i].name)) {
            t->last = i;
            return &t->items[i];
        }
    return NULL;
}

static tut_status begin(tut_tails *t, uint64_t index, const tut_entry *entry)
{
    const tut_json_value *event = tut_json_get(tut_json_root(entry->outer), "event");
    tut_str earlier = tut_json_get_text(event, "continues");
    tut_tail *before = earlier.len ? find(t, earlier) : NULL;
    if (before)
        before->is_over = true;
    TUT_TRY(tut_grow(&t->items, t->count, &t->capacity, sizeof(*t->items)));
    tut_tail *fresh = &t->items[t->count++];
    *fresh = (tut_tail){.index = index, .seq = entry->head.seq};
    tut_str_copy(fresh->name, sizeof(fresh->name), entry->head.producer);
    return TUT_SUCCESS;
}

tut_status tut_tails_add(tut_tails *t, uint64_t index, const tut_entry *entry)
{
    if (tut_str_eq_z(entry->head.kind, TUT_FEED_OPEN))
        return begin(t, index, entry);
    tut_tail *tail = find(t, entry->head.producer);
    if (!tail)
        return TUT_SUCCESS;
    tail->index = index;
    tail->seq = entry->head.seq;
    tail->is_over = tut_str_eq_z(entry->head.kind, TUT_FEED_CLOSE);
    return TUT_SUCCESS;
}

void tut_tails_tell(const tut_tails *t, tut_buf *out)
{
    size_t open = 0;
    for (size_t i = 0; i < t->count; i++)
        open += !t->items[i].is_over;
    if (open == 0)
        return;
    tut_buf_printf(out,
                   "; %zu of %zu producers run still or ended without closing, and what they "
                   "had not sent is not known:",
                   open, t->count);
    for (size_t i = 0, named = 0; i < t->count && named < NAMED; i++) {
        if (t->items[i].is_over)
            continue;
        tut_buf_printf(out, "%s %s after entry %llu", named++ ? "," : "", t->items[i].name,
                       (unsigned long long)t->items[i].index);
    }
}
