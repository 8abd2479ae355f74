#include "data/near_internal.h"
#include "stats/random.h"

/* Four digits of ten bits, from the top of the document's number: documents come in order, and each
 * pass keeps the order that was. */
enum {
    DIGIT_BITS = 10,
    DIGITS = 1 << DIGIT_BITS,
    PASSES = 4,
    FIRST_BIT = 64 - PASSES * DIGIT_BITS
};
enum { MERGE_ENTRIES = 4 << 20, MERGE_LEAST = 512 }; /* of all buffers together, and of one */
_Static_assert(FIRST_BIT - (int)NEAR_DOCUMENT_BITS <= 0, "the digits cover the key");

static size_t digit_of(uint64_t entry, unsigned pass)
{
    return entry >> (FIRST_BIT + pass * DIGIT_BITS) & (DIGITS - 1);
}

static tut_status sort_entries(near_bands *b, tut_error *err)
{
    TUT_AUTO_FREE size_t *counts = tut_alloc_array((size_t)PASSES * DIGITS, sizeof(*counts));
    uint64_t *from = b->entries, *to = b->other;
    if (!counts)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (size_t i = 0; i < b->count; i++)
        for (unsigned p = 0; p < PASSES; p++)
            counts[(size_t)p * DIGITS + digit_of(from[i], p)]++;
    for (unsigned p = 0; p < PASSES; p++) {
        size_t before = 0, *places = counts + (size_t)p * DIGITS;
        for (size_t d = 0; d < DIGITS; d++) {
            size_t here = places[d];
            places[d] = before;
            before += here;
        }
        for (size_t i = 0; i < b->count; i++)
            to[places[digit_of(from[i], p)]++] = from[i];
        uint64_t *last = from;
        from = to;
        to = last;
    }
    return TUT_SUCCESS;
}

static tut_status make_room(near_bands *b, tut_error *err)
{
    size_t capacity = b->capacity ? 2 * b->capacity : 1 << 14;
    capacity = capacity < b->max ? capacity : b->max;
    uint64_t *entries = tut_realloc_array(b->entries, capacity, sizeof(*entries));
    if (!entries)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    b->entries = entries;
    b->capacity = capacity;
    return TUT_SUCCESS;
}

static tut_status sort_all(near_bands *b, tut_error *err)
{
    tut_free(b->other);
    b->other = tut_alloc_array(b->count, sizeof(*b->other));
    if (b->count && !b->other)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    return sort_entries(b, err);
}

/* Sorts what is in memory and puts it into the scratch file. */
static tut_status spill(tut_near *n, bool *ret_is_full, tut_error *err)
{
    near_bands *b = &n->bands;
    bool is_there = n->scratch >= 0 || n->options.scratch;
    uint64_t offset = 0;
    *ret_is_full = !is_there;
    if (!is_there)
        return TUT_SUCCESS;
    if (!tut_is_ok(tut_grow(&b->runs, b->run_count, &b->run_capacity, sizeof(*b->runs))))
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    TUT_TRY(sort_all(b, err));
    TUT_TRY(
        near_scratch_add(n, b->entries, b->count * sizeof(*b->entries), &offset, &is_there, err));
    b->runs[b->run_count++] = (near_run){.offset = offset, .count = b->count};
    b->count = 0;
    return TUT_SUCCESS;
}

/* The key of a band: its values, and which band it is. */
static uint64_t key_of(unsigned band, const uint32_t *values, uint64_t seed)
{
    uint64_t h = seed + band;
    for (size_t i = 0; i < NEAR_ROWS; i += 2)
        h = tut_random_mix(h ^ ((uint64_t)values[i] << 32 | values[i + 1]));
    return h >> NEAR_DOCUMENT_BITS;
}

tut_status near_bands_add(tut_near *n, uint32_t document,
                          const uint32_t signature[TUT_MINHASH_VALUES], bool *ret_is_full,
                          tut_error *err)
{
    near_bands *b = &n->bands;
    *ret_is_full = false;
    if (b->count + NEAR_BANDS > b->max) {
        TUT_TRY(spill(n, ret_is_full, err));
        if (*ret_is_full)
            return TUT_SUCCESS;
    }
    while (b->count + NEAR_BANDS > b->capacity)
        TUT_TRY(make_room(b, err));
    for (unsigned band = 0; band < NEAR_BANDS; band++)
        b->entries[b->count++] = key_of(band, signature + (size_t)band * NEAR_ROWS, n->seed)
                                     << NEAR_DOCUMENT_BITS |
                                 document;
    return TUT_SUCCESS;
}

/* --- runs, merged --- */
typedef struct feed {
    uint64_t head;
    uint64_t *buffer; /* its part of the memory of all */
    size_t at, count;
    near_run left;
} feed;

static tut_status refill(const tut_near *n, feed *f, size_t capacity, bool *ret_is_there,
                         tut_error *err)
{
    *ret_is_there = f->at < f->count || f->left.count > 0;
    if (!*ret_is_there)
        return TUT_SUCCESS;
    if (f->at == f->count) {
        f->count = f->left.count < capacity ? (size_t)f->left.count : capacity;
        f->at = 0;
        TUT_TRY(near_scratch_get(n, f->left.offset, f->buffer, f->count * sizeof(*f->buffer), err));
        f->left.offset += f->count * sizeof(*f->buffer);
        f->left.count -= f->count;
    }
    f->head = f->buffer[f->at++];
    return TUT_SUCCESS;
}

static void sink(feed *heap, size_t count, size_t i)
{
    for (size_t child; (child = 2 * i + 1) < count; i = child) {
        child += child + 1 < count && heap[child + 1].head < heap[child].head;
        if (heap[i].head <= heap[child].head)
            return;
        feed last = heap[i];
        heap[i] = heap[child];
        heap[child] = last;
    }
}

static tut_status merge(tut_near *n, feed *heap, size_t count, size_t each, near_visit visit,
                        void *ctx, tut_error *err)
{
    bool is_there;
    for (size_t i = 0; i < count; i++)
        TUT_TRY(refill(n, &heap[i], each, &is_there, err)); /* no run is empty */
    for (size_t i = count; i-- > 0;)
        sink(heap, count, i);
    while (count > 0) {
        TUT_TRY(visit(ctx, heap[0].head, err));
        TUT_TRY(refill(n, &heap[0], each, &is_there, err));
        if (!is_there)
            heap[0] = heap[--count];
        sink(heap, count, 0);
    }
    return TUT_SUCCESS;
}

static tut_status merge_runs(tut_near *n, near_visit visit, void *ctx, tut_error *err)
{
    near_bands *b = &n->bands;
    size_t each = MERGE_ENTRIES / b->run_count;
    each = each < MERGE_LEAST ? MERGE_LEAST : each;
    TUT_AUTO_FREE feed *heap = tut_alloc_array(b->run_count, sizeof(*heap));
    TUT_AUTO_FREE uint64_t *buffers = tut_alloc_array(b->run_count, each * sizeof(*buffers));
    if (!heap || !buffers)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (size_t i = 0; i < b->run_count; i++)
        heap[i] = (feed){.buffer = buffers + i * each, .left = b->runs[i]};
    return merge(n, heap, b->run_count, each, visit, ctx, err);
}

tut_status near_bands_each(tut_near *n, near_visit visit, void *ctx, tut_error *err)
{
    near_bands *b = &n->bands;
    bool is_full;
    if (b->run_count == 0) {
        TUT_TRY(sort_all(b, err));
        for (size_t i = 0; i < b->count; i++)
            TUT_TRY(visit(ctx, b->entries[i], err));
        return TUT_SUCCESS;
    }
    if (b->count > 0)
        TUT_TRY(spill(n, &is_full, err));
    near_run *runs = b->runs;
    size_t run_count = b->run_count;
    tut_free(b->entries);
    tut_free(b->other);
    *b = (near_bands){.runs = runs, .run_count = run_count};
    return merge_runs(n, visit, ctx, err);
}

void near_bands_done(near_bands *b)
{
    tut_free(b->entries);
    tut_free(b->other);
    tut_free(b->runs);
    *b = (near_bands){0};
}
