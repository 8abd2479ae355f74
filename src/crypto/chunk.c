#include "crypto/chunk.h"

#include <threads.h>

#include "base/cage.h"
#include "base/limits.h"
#include "base/parallel.h"

/* --- where a chunk ends --- */

/* The top bits of the hash: they hang on the most bytes (bit 46, the lowest used, on 47). */
enum { STRIDE = 4 };
#define TOP_BITS(n) (~0ull << (64 - (n)))
#define HARD TOP_BITS(18)
#define EASY TOP_BITS(14)

static uint64_t gear[256];
static once_flag gear_once = ONCE_FLAG_INIT;

static void make_gear(void)
{
    for (unsigned b = 0; b < 256; b++) {
        uint8_t byte = (uint8_t)b;
        tut_sha256 digest;
        tut_merkle_leaf((tut_span){&byte, 1}, &digest);
        for (unsigned i = 0; i < 8; i++)
            gear[b] = gear[b] << 8 | digest.bytes[i];
    }
}

/* Behind the first byte in [from, to) where the masked bits are zero; or `to`. */
static size_t roll(const uint8_t *bytes, size_t from, size_t to, uint64_t mask, uint64_t *hash,
                   bool *ret_is_cut)
{
    uint64_t h = *hash;
    size_t i = from;
    *ret_is_cut = true;
    for (; to - i >= STRIDE; i += STRIDE) { /* half the time of a byte at a time */
        uint64_t h1 = 2 * h + gear[bytes[i]], h2 = 2 * h1 + gear[bytes[i + 1]];
        uint64_t h3 = 2 * h2 + gear[bytes[i + 2]], h4 = 2 * h3 + gear[bytes[i + 3]];
        if (!(h1 & mask))
            return i + 1;
        if (!(h2 & mask))
            return i + 2;
        if (!(h3 & mask))
            return i + 3;
        if (!(h4 & mask))
            return i + 4;
        h = h4;
    }
    for (; i < to; i++) {
        h = 2 * h + gear[bytes[i]];
        if (!(h & mask))
            return i + 1;
    }
    *hash = h;
    *ret_is_cut = false;
    return to;
}

size_t tut_chunk_cut(const uint8_t *bytes, size_t len)
{
    if (len <= TUT_CHUNK_LEAST)
        return len;
    call_once(&gear_once, make_gear);
    size_t most = len < TUT_CHUNK_MOST ? len : TUT_CHUNK_MOST;
    size_t normal = most < TUT_CHUNK_NORMAL ? most : TUT_CHUNK_NORMAL;
    uint64_t hash = 0;
    bool is_cut;
    size_t at = roll(bytes, TUT_CHUNK_LEAST, normal, HARD, &hash, &is_cut);
    return is_cut ? at : roll(bytes, at, most, EASY, &hash, &is_cut);
}

/* --- a file --- */

enum {
    WINDOW = 4 << 20, /* twice in memory; a thread costs a hundredth of hashing one */
    SERIAL = 1 << 20, /* below, a second thread costs more than it saves */
    GROUP = 16,       /* chunks that are hashed in one go */
    THREADS = 3,      /* the file's hash is one, and as much work as that of all chunks */
    HASH_FILE = 0,    /* the tasks: first what takes longest */
    FETCH = 1,
    HASH_CHUNKS = 2 /* and on */
};

typedef struct window {
    uint8_t *bytes;
    tut_chunk *items;
    size_t count;
    size_t len; /* of the chunks; what was read behind them is read again with the next */
} window;

typedef struct pass {
    const tut_source *source;
    size_t capacity; /* of a window */
    window windows[2];
    window *now, *next;
    uint64_t at; /* where the next begins */
    tut_hasher *hasher;
    tut_merkle_range range;
    tut_error errors[2]; /* of the first two tasks */
    bool has_failed[2];
} pass;

void tut_chunks_done(tut_chunks *c)
{
    tut_free(c->items);
    *c = (tut_chunks){0};
}

static tut_status fetch(pass *p, window *w, tut_error *err)
{
    uint64_t left = p->source->size - p->at;
    size_t wanted = left < p->capacity ? (size_t)left : p->capacity;
    w->count = 0;
    w->len = 0;
    TUT_TRY(tut_source_read(p->source, p->at, w->bytes, wanted, err));
    bool is_last = wanted == left;
    while (w->len < wanted && (is_last || wanted - w->len >= TUT_CHUNK_MOST)) {
        size_t n = tut_chunk_cut(w->bytes + w->len, wanted - w->len);
        w->items[w->count++] = (tut_chunk){.start = p->at + w->len, .size = (uint32_t)n};
        w->len += n;
    }
    p->at += w->len;
    return TUT_SUCCESS;
}

static void hash_group(const window *w, size_t group)
{
    size_t end = (group + 1) * GROUP < w->count ? (group + 1) * GROUP : w->count;
    for (size_t i = group * GROUP; i < end; i++) {
        tut_chunk *c = &w->items[i];
        tut_merkle_leaf((tut_span){w->bytes + (c->start - w->items[0].start), c->size}, &c->leaf);
    }
}

/* The chunks of the window at hand, the file's hash over it, and the next window, side by side. */
static void work(void *ctx, size_t task)
{
    pass *p = ctx;
    if (task >= HASH_CHUNKS) {
        hash_group(p->now, task - HASH_CHUNKS);
        return;
    }
    tut_status status = task == FETCH
                            ? fetch(p, p->next, &p->errors[task])
                            : tut_hasher_add(p->hasher, (tut_span){p->now->bytes, p->now->len},
                                             &p->errors[task]);
    p->has_failed[task] = !tut_is_ok(status);
}

static tut_status keep(tut_chunks *c, const tut_chunk *chunk, tut_error *err)
{
    if (c->count >= TUT_LIMIT_CHUNKS)
        return tut_fail(err, TUT_LIMIT, "a file of more than %u chunks is not compared by chunks",
                        TUT_LIMIT_CHUNKS);
    if (c->count == c->capacity) {
        size_t capacity = c->capacity ? 2 * c->capacity : 64;
        tut_chunk *more = tut_realloc_array(c->items, capacity, sizeof(*more));
        if (!more)
            return tut_fail(err, TUT_NOMEM, "memory ran out");
        c->items = more;
        c->capacity = capacity;
    }
    c->items[c->count] = *chunk;
    return TUT_SUCCESS;
}

static tut_status take_window(pass *p, bool is_kept, tut_chunks *c, tut_error *err)
{
    for (size_t i = 0; i < p->now->count; i++) {
        tut_merkle_range_add(&p->range, &p->now->items[i].leaf);
        if (is_kept)
            TUT_TRY(keep(c, &p->now->items[i], err));
        c->count++;
    }
    return TUT_SUCCESS;
}

static tut_status run(pass *p, bool is_kept, tut_chunks *c, tut_error *err)
{
    TUT_TRY(fetch(p, p->now, err));
    while (p->now->count > 0) {
        size_t tasks = HASH_CHUNKS + (p->now->count + GROUP - 1) / GROUP;
        size_t worth = p->source->size < SERIAL ? tasks : (tasks + THREADS - 1) / THREADS;
        tut_parallel(tasks, worth, work, p);
        if (tut_interrupted())
            return tut_fail(err, TUT_CANCELLED, "interrupted");
        for (int i = 0; i < 2; i++) {
            if (p->has_failed[i])
                return tut_fail(err, p->errors[i].code, "%s", p->errors[i].text);
        }
        TUT_TRY(take_window(p, is_kept, c, err));
        window *done = p->now;
        p->now = p->next;
        p->next = done;
    }
    return TUT_SUCCESS;
}

static tut_status pass_init(pass *p, const tut_source *source, size_t wanted, tut_error *err)
{
    size_t most = wanted == 0 ? WINDOW : wanted < TUT_CHUNK_MOST ? TUT_CHUNK_MOST : wanted;
    p->source = source;
    p->capacity = source->size < most ? (size_t)source->size : most;
    for (int i = 0; i < 2; i++) {
        window *w = &p->windows[i];
        bool is_used = i == 0 || source->size > p->capacity; /* else nothing is read there */
        w->bytes = tut_alloc_array(is_used ? p->capacity + 1 : 1, 1);
        w->items = tut_alloc_array(p->capacity / TUT_CHUNK_LEAST + 1, sizeof(*w->items));
        if (!w->bytes || !w->items)
            return tut_fail(err, TUT_NOMEM, "memory ran out");
    }
    p->now = &p->windows[0];
    p->next = &p->windows[1];
    return tut_hasher_new(&p->hasher, err);
}

static void pass_done(pass *p)
{
    tut_hasher_free(p->hasher);
    for (int i = 0; i < 2; i++) {
        tut_free(p->windows[i].bytes);
        tut_free(p->windows[i].items);
    }
}

tut_status tut_chunks_read(const tut_source *source, const tut_chunks_options *options,
                           tut_sha256 *ret_digest, tut_chunks *ret_chunks, tut_error *err)
{
    TUT_CLEAN(pass) p = {0};
    TUT_CLEAN(tut_chunks) c = {0};
    tut_sha256 digest;
    TUT_TRY(pass_init(&p, source, options->window, err));
    TUT_TRY(run(&p, options->keep, &c, err));
    TUT_TRY(tut_hasher_finish(p.hasher, &digest, err));
    tut_merkle_range_root(&p.range, &c.root);
    c.size = source->size;
    *ret_digest = digest;
    *ret_chunks = c;
    c = (tut_chunks){0};
    return TUT_SUCCESS;
}
