/* Sequence numbers: each producer counts what it submits from 0 on; a program that starts anew
 * takes a new name. A number that is left out is an entry that was lost or held back, one that
 * comes again a double. */
#include <stdlib.h>

#include "crypto/merkle.h"
#include "ledger/entry.h"
#include "state/audit_internal.h"

void tut_numbers_done(tut_numbers *n)
{
    tut_free(n->items);
    *n = (tut_numbers){0};
}

tut_status tut_numbers_add(tut_numbers *n, uint64_t index, const tut_entry_head *head)
{
    TUT_TRY(tut_grow(&n->items, n->count, &n->capacity, sizeof(*n->items)));
    tut_number *item = &n->items[n->count++];
    *item = (tut_number){.index = index, .seq = head->seq};
    tut_merkle_leaf(tut_span_of(head->producer.data, head->producer.len), &item->producer);
    return TUT_SUCCESS;
}

static int by_producer(const void *a, const void *b)
{
    const tut_number *x = a;
    const tut_number *y = b;
    int by_name = memcmp(x->producer.bytes, y->producer.bytes, TUT_SHA256_BYTES);
    return by_name != 0 ? by_name : x->index < y->index ? -1 : x->index > y->index;
}

/* Names are not kept, for there may be as many as entries; they are needed for what is wrong. */
static void name_producer(tut_log *log, uint64_t index, char out[TUT_ENTRY_PRODUCER_MAX + 1])
{
    TUT_CLEAN(tut_buf) bytes = TUT_BUF_INIT;
    tut_arena arena;
    tut_entry entry = {0};
    tut_arena_init(&arena, 0);
    tut_str_copy(out, TUT_ENTRY_PRODUCER_MAX + 1, TUT_LIT("a producer"));
    if (tut_is_ok(tut_log_entry(log, index, &bytes, NULL)) &&
        tut_is_ok(tut_entry_parse(tut_buf_span(&bytes), &arena, &entry, NULL)))
        tut_str_copy(out, TUT_ENTRY_PRODUCER_MAX + 1, entry.head.producer);
    tut_entry_done(&entry);
    tut_arena_done(&arena);
}

static void judge(tut_log *log, const tut_number *n, uint64_t next, tut_finding *f)
{
    char name[TUT_ENTRY_PRODUCER_MAX + 1];
    unsigned long long at = n->index;
    unsigned long long seq = n->seq;
    unsigned long long from = next;
    if (seq == from)
        return;
    name_producer(log, n->index, name);
    if (seq < from)
        tut_finding_add(f, "%s: number %llu comes again with entry %llu", name, seq, at);
    else if (seq == from + 1)
        tut_finding_add(f, "%s: number %llu is missing before entry %llu", name, from, at);
    else
        tut_finding_add(f, "%s: numbers %llu to %llu are missing before entry %llu", name, from,
                        seq - 1, at);
}

size_t tut_numbers_judge(tut_numbers *n, tut_log *log, tut_finding *f)
{
    bool is_pruned = tut_log_pruned(log) > 0;
    size_t producers = 0;
    uint64_t next = 0;
    if (n->count)
        qsort(n->items, n->count, sizeof(*n->items), by_producer);
    for (size_t i = 0; i < n->count; i++) {
        const tut_number *item = &n->items[i];
        bool is_first = i == 0 || !tut_sha256_eq(&item->producer, &n->items[i - 1].producer);
        producers += is_first;
        if (is_first) /* where it began is gone with what was pruned */
            next = is_pruned ? item->seq : 0;
        judge(log, item, next, f);
        if (item->seq >= next)
            next = item->seq + 1;
    }
    return producers;
}
