/*
 * One driver a library: zlib (deflate, zlib, gzip), libbz2, liblzma (xz, alone, as in zip), lz4,
 * zstd. A driver sees a run of input and room for output, and moves as far as it can.
 */
#include "formats/codec_internal.h"

#include <limits.h>
#include <string.h>
#include <zstd_errors.h>

#include "base/limits.h"

/* --- memory of the libraries, charged to the examination --- */

/* The block's size lies before it, as the libraries do not say what they give back. */
enum { BLOCK_HEADER = 16 };

static void *block_new(tut_codec_state *c, size_t count, size_t size)
{
    size_t bytes = 0;
    if (__builtin_mul_overflow(count, size, &bytes) ||
        __builtin_add_overflow(bytes, (size_t)BLOCK_HEADER, &bytes))
        return NULL;
    if (!tut_is_ok(tut_budget_heap(c->budget, bytes, NULL))) {
        c->heap_refused = true;
        return NULL;
    }
    uint8_t *block = tut_alloc_array(bytes, 1);
    if (!block) {
        tut_budget_heap_return(c->budget, bytes);
        return NULL;
    }
    memcpy(block, &bytes, sizeof(bytes));
    return block + BLOCK_HEADER;
}

static void block_free(tut_codec_state *c, void *p)
{
    if (!p)
        return;
    uint8_t *block = (uint8_t *)p - BLOCK_HEADER;
    size_t bytes = 0;
    memcpy(&bytes, block, sizeof(bytes));
    tut_budget_heap_return(c->budget, bytes);
    tut_free(block);
}

static void *zlib_alloc(void *opaque, unsigned count, unsigned size)
{
    return block_new(opaque, count, size);
}

static void *bz_alloc(void *opaque, int count, int size)
{
    return count < 0 || size < 0 ? NULL : block_new(opaque, (size_t)count, (size_t)size);
}

static void *lzma_alloc(void *opaque, size_t count, size_t size)
{
    return block_new(opaque, count, size);
}

static void any_free(void *opaque, void *p)
{
    block_free(opaque, p);
}

static tut_codec_step no_memory(const tut_codec_state *c)
{
    return c->heap_refused ? TUT_STEP_LIMIT : TUT_STEP_NOMEM;
}

/* --- stored --- */

static tut_codec_step stored_start(tut_codec_state *c)
{
    (void)c;
    return TUT_STEP_MORE;
}

static tut_codec_step stored_step(tut_codec_state *c, tut_codec_io *io)
{
    (void)c;
    size_t n = io->in_len < io->out_cap ? io->in_len : io->out_cap;
    if (n > 0)
        memcpy(io->out, io->in, n);
    io->used = io->made = n;
    return io->is_last && n == io->in_len ? TUT_STEP_END : TUT_STEP_MORE;
}

static void stored_stop(tut_codec_state *c)
{
    (void)c;
}

/* --- zlib's three wrappings --- */

static tut_codec_step zlib_begin(tut_codec_state *c, int window_bits)
{
    if (c->is_started)
        return inflateReset(&c->u.z) == Z_OK ? TUT_STEP_MORE : TUT_STEP_BROKEN;
    c->u.z = (z_stream){.zalloc = zlib_alloc, .zfree = any_free, .opaque = c};
    int rc = inflateInit2(&c->u.z, window_bits);
    if (rc != Z_OK)
        return rc == Z_MEM_ERROR ? no_memory(c) : TUT_STEP_BROKEN;
    c->is_started = true;
    return TUT_STEP_MORE;
}

static tut_codec_step deflate_start(tut_codec_state *c)
{
    return zlib_begin(c, -15);
}

static tut_codec_step zlib_start(tut_codec_state *c)
{
    return zlib_begin(c, 15);
}

static tut_codec_step gzip_start(tut_codec_state *c)
{
    return zlib_begin(c, 15 + 16);
}

static unsigned capped(size_t n)
{
    return n < INT_MAX ? (unsigned)n : (unsigned)INT_MAX;
}

static tut_codec_step zlib_step(tut_codec_state *c, tut_codec_io *io)
{
    z_stream *z = &c->u.z;
    uint8_t nothing = 0;
    /* zlib's interface lacks a const that it keeps in deed. */
    z->next_in = io->in_len ? (Bytef *)(uintptr_t)io->in : &nothing;
    z->avail_in = capped(io->in_len);
    z->next_out = io->out;
    z->avail_out = capped(io->out_cap);
    unsigned in_before = z->avail_in, out_before = z->avail_out;
    int rc = inflate(z, Z_NO_FLUSH);
    io->used = in_before - z->avail_in;
    io->made = out_before - z->avail_out;
    if (rc == Z_STREAM_END)
        return TUT_STEP_END;
    if (rc == Z_MEM_ERROR)
        return no_memory(c);
    return rc == Z_OK || rc == Z_BUF_ERROR ? TUT_STEP_MORE : TUT_STEP_BROKEN;
}

static void zlib_stop(tut_codec_state *c)
{
    if (c->is_started)
        (void)inflateEnd(&c->u.z);
}

static bool gzip_is_part(tut_span next)
{
    return next.len >= 2 && next.data[0] == 0x1f && next.data[1] == 0x8b;
}

/* --- bzip2 --- */

static void bz_stop(tut_codec_state *c)
{
    if (c->is_started)
        (void)BZ2_bzDecompressEnd(&c->u.bz);
    c->is_started = false;
}

static tut_codec_step bz_start(tut_codec_state *c)
{
    bz_stop(c);
    c->u.bz = (bz_stream){.bzalloc = bz_alloc, .bzfree = any_free, .opaque = c};
    int rc = BZ2_bzDecompressInit(&c->u.bz, 0, 0);
    if (rc != BZ_OK)
        return rc == BZ_MEM_ERROR ? no_memory(c) : TUT_STEP_BROKEN;
    c->is_started = true;
    return TUT_STEP_MORE;
}

static tut_codec_step bz_step(tut_codec_state *c, tut_codec_io *io)
{
    bz_stream *bz = &c->u.bz;
    char nothing = 0;
    bz->next_in = io->in_len ? (char *)(uintptr_t)io->in : &nothing;
    bz->avail_in = capped(io->in_len);
    bz->next_out = (char *)io->out;
    bz->avail_out = capped(io->out_cap);
    unsigned in_before = bz->avail_in, out_before = bz->avail_out;
    int rc = BZ2_bzDecompress(bz);
    io->used = in_before - bz->avail_in;
    io->made = out_before - bz->avail_out;
    if (rc == BZ_STREAM_END)
        return TUT_STEP_END;
    if (rc == BZ_MEM_ERROR)
        return no_memory(c);
    return rc == BZ_OK ? TUT_STEP_MORE : TUT_STEP_BROKEN;
}

static bool bz_is_part(tut_span next)
{
    return next.len >= 4 && memcmp(next.data, "BZh", 3) == 0 && next.data[3] >= '1' &&
           next.data[3] <= '9';
}

/* --- liblzma --- */

static void lzma_stop(tut_codec_state *c)
{
    if (c->is_started)
        lzma_end(&c->u.lzma.s);
    c->is_started = false;
}

static tut_codec_step lzma_outcome(const tut_codec_state *c, lzma_ret rc)
{
    if (rc == LZMA_MEM_ERROR)
        return no_memory(c);
    if (rc == LZMA_MEMLIMIT_ERROR)
        return TUT_STEP_LIMIT;
    if (rc == LZMA_STREAM_END)
        return TUT_STEP_END;
    return rc == LZMA_OK || rc == LZMA_BUF_ERROR ? TUT_STEP_MORE : TUT_STEP_BROKEN;
}

static void lzma_prepare(tut_codec_state *c)
{
    lzma_stop(c);
    const lzma_stream fresh = LZMA_STREAM_INIT;
    c->u.lzma.s = fresh;
    c->u.lzma.head_len = 0;
    c->lzma_alloc = (lzma_allocator){.alloc = lzma_alloc, .free = any_free, .opaque = c};
    c->u.lzma.s.allocator = &c->lzma_alloc;
    c->is_started = true;
}

static tut_codec_step xz_start(tut_codec_state *c)
{
    lzma_prepare(c);
    return lzma_outcome(c, lzma_stream_decoder(&c->u.lzma.s, TUT_LIMIT_CODEC_WINDOW_BYTES, 0));
}

static tut_codec_step alone_start(tut_codec_state *c)
{
    lzma_prepare(c);
    return lzma_outcome(c, lzma_alone_decoder(&c->u.lzma.s, TUT_LIMIT_CODEC_WINDOW_BYTES));
}

static tut_codec_step lzma_step(tut_codec_state *c, tut_codec_io *io)
{
    lzma_stream *s = &c->u.lzma.s;
    s->next_in = io->in;
    s->avail_in = io->in_len;
    s->next_out = io->out;
    s->avail_out = io->out_cap;
    lzma_ret rc = lzma_code(s, LZMA_RUN);
    io->used = io->in_len - s->avail_in;
    io->made = io->out_cap - s->avail_out;
    return lzma_outcome(c, rc);
}

static bool xz_is_part(tut_span next)
{
    return next.len >= 6 && memcmp(next.data, "\xfd\x37zXZ\0", 6) == 0;
}

/* Zip's own wrapping: version (2), length of properties (2, always 5), properties, raw LZMA1. */
static tut_codec_step zip_lzma_start(tut_codec_state *c)
{
    lzma_prepare(c);
    return TUT_STEP_MORE;
}

static tut_codec_step zip_lzma_open(tut_codec_state *c)
{
    const uint8_t *head = c->u.lzma.head;
    if (head[2] != 5 || head[3] != 0)
        return TUT_STEP_BROKEN;
    lzma_filter filters[2] = {{.id = LZMA_FILTER_LZMA1}, {.id = LZMA_VLI_UNKNOWN}};
    lzma_ret rc = lzma_properties_decode(&filters[0], &c->lzma_alloc, head + 4, 5);
    if (rc != LZMA_OK)
        return lzma_outcome(c, rc) == TUT_STEP_MORE ? TUT_STEP_BROKEN : lzma_outcome(c, rc);
    uint64_t memory = lzma_raw_decoder_memusage(filters);
    if (memory > TUT_LIMIT_CODEC_WINDOW_BYTES)
        rc = LZMA_MEMLIMIT_ERROR;
    else
        rc = lzma_raw_decoder(&c->u.lzma.s, filters);
    any_free(c, filters[0].options);
    return lzma_outcome(c, rc);
}

static tut_codec_step zip_lzma_step(tut_codec_state *c, tut_codec_io *io)
{
    size_t missing = sizeof(c->u.lzma.head) - c->u.lzma.head_len;
    if (missing == 0) {
        tut_codec_step step = lzma_step(c, io);
        /* Without an end mark the member's size says where it ends. */
        bool is_dry = io->is_last && io->used == io->in_len && io->made == 0;
        return step == TUT_STEP_MORE && is_dry ? TUT_STEP_END : step;
    }
    size_t n = io->in_len < missing ? io->in_len : missing;
    if (n > 0)
        memcpy(c->u.lzma.head + c->u.lzma.head_len, io->in, n);
    c->u.lzma.head_len += n;
    io->used = n;
    return n == missing ? zip_lzma_open(c) : TUT_STEP_MORE;
}

/* --- chains, as 7z has them --- */

static const struct {
    uint64_t method;
    lzma_vli filter;
} chain_filters[] = {
    {0x21, LZMA_FILTER_LZMA2},          {0x030101, LZMA_FILTER_LZMA1},
    {0x03, LZMA_FILTER_DELTA},          {0x04, LZMA_FILTER_X86},
    {0x03030103, LZMA_FILTER_X86},      {0x05, LZMA_FILTER_POWERPC},
    {0x03030205, LZMA_FILTER_POWERPC},  {0x07, LZMA_FILTER_ARM},
    {0x03030501, LZMA_FILTER_ARM},      {0x08, LZMA_FILTER_ARMTHUMB},
    {0x03030701, LZMA_FILTER_ARMTHUMB}, {0x09, LZMA_FILTER_SPARC},
    {0x03030805, LZMA_FILTER_SPARC},
};

static bool find_filter(uint64_t method, lzma_vli *ret)
{
    for (size_t i = 0; i < sizeof(chain_filters) / sizeof(chain_filters[0]); i++) {
        if (chain_filters[i].method == method) {
            *ret = chain_filters[i].filter;
            return true;
        }
    }
    return false;
}

bool tut_codec_has_filter(uint64_t method)
{
    lzma_vli filter;
    return find_filter(method, &filter);
}

static tut_codec_step chain_start(tut_codec_state *c)
{
    lzma_filter filters[TUT_CODEC_FILTERS + 1] = {{0}};
    lzma_ret rc = LZMA_OK;
    size_t n = 0;
    lzma_prepare(c);
    if (c->filter_count == 0 || c->filter_count > TUT_CODEC_FILTERS)
        return TUT_STEP_BROKEN;
    for (; n < c->filter_count && rc == LZMA_OK; n++) {
        const tut_codec_filter *one = &c->filters[n];
        if (!find_filter(one->method, &filters[n].id))
            rc = LZMA_OPTIONS_ERROR;
        else
            rc = lzma_properties_decode(&filters[n], &c->lzma_alloc, one->properties.data,
                                        one->properties.len);
    }
    filters[n].id = LZMA_VLI_UNKNOWN;
    if (rc == LZMA_OK && lzma_raw_decoder_memusage(filters) > TUT_LIMIT_CODEC_WINDOW_BYTES)
        rc = LZMA_MEMLIMIT_ERROR;
    if (rc == LZMA_OK)
        rc = lzma_raw_decoder(&c->u.lzma.s, filters);
    for (size_t i = 0; i < n; i++)
        any_free(c, filters[i].options);
    return lzma_outcome(c, rc);
}

static tut_codec_step chain_step(tut_codec_state *c, tut_codec_io *io)
{
    tut_codec_step step = lzma_step(c, io);
    bool is_dry = io->is_last && io->used == io->in_len && io->made == 0;
    return step == TUT_STEP_MORE && is_dry ? TUT_STEP_END : step;
}

/* --- lz4 frames --- */

/* Two blocks of the largest size and the tables: what a context takes at most. */
static const uint64_t lz4_heap = (8u << 20) + (256u << 10);

static void lz4_stop(tut_codec_state *c)
{
    if (c->is_started)
        (void)LZ4F_freeDecompressionContext(c->u.lz4);
    c->is_started = false;
    tut_budget_heap_return(c->budget, c->heap_taken);
    c->heap_taken = 0;
}

static tut_codec_step lz4_start(tut_codec_state *c)
{
    c->wanted = LZ4F_HEADER_SIZE_MIN;
    if (c->is_started)
        return TUT_STEP_MORE; /* a context is ready for the next frame by itself */
    if (!tut_is_ok(tut_budget_heap(c->budget, lz4_heap, NULL)))
        return TUT_STEP_LIMIT;
    c->heap_taken = lz4_heap;
    if (LZ4F_isError(LZ4F_createDecompressionContext(&c->u.lz4, LZ4F_VERSION)))
        return TUT_STEP_NOMEM;
    c->is_started = true;
    return TUT_STEP_MORE;
}

/* The library says how much it wants next, which is at most one block. Feeding no more than that
 * keeps what earlier blocks gave when a later one is broken. */
static tut_codec_step lz4_step(tut_codec_state *c, tut_codec_io *io)
{
    size_t used = io->in_len < c->wanted ? io->in_len : c->wanted, made = io->out_cap;
    size_t hint = LZ4F_decompress(c->u.lz4, io->out, &made, io->in, &used, NULL);
    if (LZ4F_isError(hint))
        return TUT_STEP_BROKEN;
    io->used = used;
    io->made = made;
    c->wanted = hint > 0 ? hint : LZ4F_HEADER_SIZE_MIN;
    return hint == 0 ? TUT_STEP_END : TUT_STEP_MORE;
}

static bool is_skippable(tut_span next)
{
    return next.len >= 4 && (next.data[0] & 0xf0) == 0x50 &&
           memcmp(next.data + 1, "\x2a\x4d\x18", 3) == 0;
}

static bool lz4_is_part(tut_span next)
{
    return (next.len >= 4 && memcmp(next.data, "\x04\x22\x4d\x18", 4) == 0) || is_skippable(next);
}

/* --- zstd --- */

static void zstd_stop(tut_codec_state *c)
{
    if (c->is_started)
        (void)ZSTD_freeDCtx(c->u.zstd);
    c->is_started = false;
    tut_budget_heap_return(c->budget, c->heap_taken);
    c->heap_taken = 0;
}

/* Magic and frame descriptor: what the library asks for first. */
enum { ZSTD_FRAME_HEADER_LEAST = 5 };

static tut_codec_step zstd_start(tut_codec_state *c)
{
    if (!c->is_started) {
        c->u.zstd = ZSTD_createDCtx();
        if (!c->u.zstd)
            return TUT_STEP_NOMEM;
        c->is_started = true;
    }
    (void)ZSTD_DCtx_reset(c->u.zstd, ZSTD_reset_session_only);
    c->wanted = ZSTD_FRAME_HEADER_LEAST;
    return TUT_STEP_MORE;
}

/* The window is allocated inside; what it grew by is charged after the fact. */
static bool zstd_charge(tut_codec_state *c)
{
    uint64_t now = ZSTD_sizeof_DCtx(c->u.zstd);
    if (now <= c->heap_taken)
        return true;
    if (!tut_is_ok(tut_budget_heap(c->budget, now - c->heap_taken, NULL)))
        return false;
    c->heap_taken = now;
    return true;
}

static tut_codec_step zstd_step(tut_codec_state *c, tut_codec_io *io)
{
    ZSTD_inBuffer in = {io->in, io->in_len < c->wanted ? io->in_len : c->wanted, 0};
    ZSTD_outBuffer out = {io->out, io->out_cap, 0};
    size_t rc = ZSTD_decompressStream(c->u.zstd, &out, &in);
    io->used = in.pos;
    io->made = out.pos;
    if (!zstd_charge(c))
        return TUT_STEP_LIMIT;
    if (ZSTD_isError(rc)) {
        ZSTD_ErrorCode code = ZSTD_getErrorCode(rc);
        if (code == ZSTD_error_frameParameter_windowTooLarge)
            return TUT_STEP_LIMIT;
        return code == ZSTD_error_memory_allocation ? TUT_STEP_NOMEM : TUT_STEP_BROKEN;
    }
    c->wanted = rc > 0 ? rc : ZSTD_FRAME_HEADER_LEAST;
    return rc == 0 ? TUT_STEP_END : TUT_STEP_MORE;
}

static bool zstd_is_part(tut_span next)
{
    return (next.len >= 4 && memcmp(next.data, "\x28\xb5\x2f\xfd", 4) == 0) || is_skippable(next);
}

const tut_codec_driver tut_codec_drivers[TUT_CODEC_COUNT] = {
    [TUT_CODEC_STORED] = {stored_start, stored_step, stored_stop, NULL, false},
    [TUT_CODEC_DEFLATE] = {deflate_start, zlib_step, zlib_stop, NULL, false},
    [TUT_CODEC_ZLIB] = {zlib_start, zlib_step, zlib_stop, NULL, false},
    [TUT_CODEC_GZIP] = {gzip_start, zlib_step, zlib_stop, gzip_is_part, true},
    [TUT_CODEC_BZIP2] = {bz_start, bz_step, bz_stop, bz_is_part, false},
    [TUT_CODEC_XZ] = {xz_start, lzma_step, lzma_stop, xz_is_part, true},
    [TUT_CODEC_LZMA] = {alone_start, lzma_step, lzma_stop, NULL, false},
    [TUT_CODEC_LZ4] = {lz4_start, lz4_step, lz4_stop, lz4_is_part, false},
    [TUT_CODEC_ZSTD] = {zstd_start, zstd_step, zstd_stop, zstd_is_part, false},
    [TUT_CODEC_ZIP_LZMA] = {zip_lzma_start, zip_lzma_step, lzma_stop, NULL, false},
    [TUT_CODEC_CHAIN] = {chain_start, chain_step, lzma_stop, NULL, false},
};
