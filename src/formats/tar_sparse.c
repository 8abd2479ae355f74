/*
 * Files with holes, as GNU tar stores them: a map of segments, and their bytes one after the other.
 *
 *   old GNU   map in the header (4 segments), then in blocks of 21 while a flag says so
 *   pax 0.0   GNU.sparse.offset and .numbytes, again and again      pax 0.1   GNU.sparse.map
 *   pax 1.0   numbers in lines before the data: count { offset length }
 */
#include <string.h>

#include "formats/tar_internal.h"

enum {
    OLD_MAP_AT = 386,
    OLD_SEGMENTS = 4,
    OLD_MORE_AT = 482,
    OLD_SIZE_AT = 483,
    BLOCK_SEGMENTS = 21,
    BLOCK_MORE_AT = 504,
    NUMBER = 12,
    SEGMENTS_MAX = 1 << 16 /* 1 MiB of map; disk images have some hundred */
};

void tut_tar_sparse_done(tut_tar_sparse *sparse)
{
    tut_free(sparse->segments);
    *sparse = (tut_tar_sparse){0};
}

static tut_status add(tut_tar_sparse *sparse, uint64_t at, uint64_t len, tut_error *err)
{
    if (sparse->count >= SEGMENTS_MAX)
        return tut_fail(err, TUT_LIMIT, "a sparse file of more than %d segments", SEGMENTS_MAX);
    TUT_TRY(
        tut_grow(&sparse->segments, sparse->count, &sparse->capacity, sizeof(*sparse->segments)));
    sparse->segments[sparse->count++] = (tut_tar_segment){at, len};
    if (__builtin_add_overflow(sparse->stored, len, &sparse->stored))
        sparse->stored = UINT64_MAX;
    return TUT_SUCCESS;
}

static tut_status add_fields(tut_tar_sparse *sparse, const uint8_t *fields, size_t count,
                             tut_error *err)
{
    for (size_t i = 0; i < count; i++, fields += (size_t)2 * NUMBER) {
        uint64_t at = 0, len = 0;
        if (fields[NUMBER] == 0)
            return TUT_SUCCESS;
        if (tut_tar_read_number(fields, NUMBER, &at) != TUT_TAR_PLAIN ||
            tut_tar_read_number(fields + NUMBER, NUMBER, &len) != TUT_TAR_PLAIN)
            at = UINT64_MAX; /* seen by tut_tar_sparse_problem */
        TUT_TRY(add(sparse, at, len, err));
    }
    return TUT_SUCCESS;
}

tut_status tut_tar_sparse_old(tut_tar *t, const uint8_t block[TUT_TAR_BLOCK], tut_tar_sparse *ret,
                              tut_error *err)
{
    if (tut_tar_read_number(block + OLD_SIZE_AT, NUMBER, &ret->size) != TUT_TAR_PLAIN)
        ret->size = 0;
    TUT_TRY(add_fields(ret, block + OLD_MAP_AT, OLD_SEGMENTS, err));
    for (bool is_more = block[OLD_MORE_AT] != 0; is_more;) {
        const uint8_t *more = NULL;
        TUT_TRY(tut_budget_steps(t->x->budget, 1, err));
        TUT_TRY(tut_stream_take(t->s, TUT_TAR_BLOCK, &more));
        TUT_TRY(add_fields(ret, more, BLOCK_SEGMENTS, err));
        is_more = more[BLOCK_MORE_AT] != 0;
    }
    return TUT_SUCCESS;
}

/* Pairs of numbers, each with a comma behind it. */
static tut_status add_text(tut_tar_sparse *sparse, tut_str text, tut_error *err)
{
    uint64_t pair[2] = {0, 0};
    for (size_t n = 0; text.len > 0; n++) {
        const char *comma = memchr(text.data, ',', text.len);
        size_t len = comma ? (size_t)(comma - text.data) : text.len;
        if (!tut_str_u64((tut_str){text.data, len}, &pair[n % 2]))
            pair[0] = UINT64_MAX;
        if (n % 2)
            TUT_TRY(add(sparse, pair[0], pair[1], err));
        if (!comma)
            return TUT_SUCCESS;
        text = (tut_str){comma + 1, text.len - len - 1};
    }
    return TUT_SUCCESS;
}

/* A number in a line of the map before the data. */
static tut_status take_line(tut_tar *t, uint64_t *taken, uint64_t most, uint64_t *ret,
                            tut_error *err)
{
    *ret = 0;
    for (unsigned digits = 0; digits < 20 && *taken < most; digits++) {
        uint8_t byte = 0;
        TUT_TRY(tut_stream_u8(t->s, &byte));
        ++*taken;
        if (byte == '\n' && digits > 0)
            return TUT_SUCCESS;
        if (byte < '0' || byte > '9' || __builtin_mul_overflow(*ret, 10, ret) ||
            __builtin_add_overflow(*ret, (uint64_t)(byte - '0'), ret))
            break;
    }
    return tut_fail(err, TUT_MALFORMED, "the map of a sparse file is broken");
}

static tut_status take_lines(tut_tar *t, uint64_t *left, tut_tar_sparse *ret, tut_error *err)
{
    uint64_t taken = 0, count = 0, at = 0, len = 0;
    TUT_TRY(take_line(t, &taken, *left, &count, err));
    for (uint64_t i = 0; i < count; i++) {
        TUT_TRY(take_line(t, &taken, *left, &at, err));
        TUT_TRY(take_line(t, &taken, *left, &len, err));
        TUT_TRY(add(ret, at, len, err));
    }
    uint64_t over = taken % TUT_TAR_BLOCK;
    uint64_t pad = over ? TUT_TAR_BLOCK - over : 0;
    if (pad > *left - taken)
        return tut_fail(err, TUT_MALFORMED, "the map of a sparse file is broken");
    TUT_TRY(tut_stream_skip(t->s, pad));
    *left -= taken + pad;
    return TUT_SUCCESS;
}

tut_status tut_tar_sparse_pax(tut_tar *t, uint64_t *left, tut_tar_sparse *ret, tut_error *err)
{
    ret->size = t->next.sparse_size;
    if (t->next.is_sparse_1_0)
        return take_lines(t, left, ret, err);
    return add_text(ret, tut_buf_str(&t->next.sparse_map), err);
}

const char *tut_tar_sparse_problem(const tut_tar_sparse *sparse, uint64_t stored)
{
    uint64_t end = 0;
    for (size_t i = 0; i < sparse->count; i++) {
        const tut_tar_segment *one = &sparse->segments[i];
        if (one->at < end)
            return "segments overlap or are out of order";
        if (one->at > sparse->size || one->len > sparse->size - one->at)
            return "a segment lies beyond the end of the file";
        end = one->at + one->len;
    }
    return sparse->stored == stored ? NULL : "the map and the data differ in length";
}

typedef struct filler {
    const tut_tar_sparse *sparse;
    tut_stream *data;
    tut_budget *budget;
    uint64_t pos;
    size_t segment;
} filler;

static tut_status fill_some(void *ctx, uint8_t *to, size_t cap, size_t *ret_got, tut_error *err)
{
    filler *f = ctx;
    const tut_tar_sparse *sparse = f->sparse;
    *ret_got = 0;
    while (f->segment < sparse->count &&
           f->pos >= sparse->segments[f->segment].at + sparse->segments[f->segment].len)
        f->segment++;
    bool is_in = f->segment < sparse->count && f->pos >= sparse->segments[f->segment].at;
    uint64_t end = f->segment >= sparse->count ? sparse->size
                   : is_in ? sparse->segments[f->segment].at + sparse->segments[f->segment].len
                           : sparse->segments[f->segment].at;
    uint64_t n = end - f->pos < cap ? end - f->pos : cap;
    if (n == 0)
        return TUT_SUCCESS;
    TUT_TRY(tut_budget_bytes(f->budget, n, err));
    if (is_in) {
        tut_span some = {0};
        TUT_TRY(tut_stream_peek_some(
            f->data, n < TUT_LIMIT_PEEK_BYTES ? (size_t)n : TUT_LIMIT_PEEK_BYTES, &some));
        if (some.len == 0)
            return tut_fail(err, TUT_TRUNCATED, "the data of a sparse file is cut off");
        n = some.len < n ? some.len : n;
        memcpy(to, some.data, (size_t)n);
        TUT_TRY(tut_stream_skip(f->data, n));
    } else {
        memset(to, 0, (size_t)n);
    }
    f->pos += n;
    *ret_got = (size_t)n;
    return TUT_SUCCESS;
}

tut_status tut_tar_sparse_open(const tut_tar_sparse *sparse, tut_stream *data, tut_budget *budget,
                               tut_stream **ret)
{
    filler *f = tut_alloc_array(1, sizeof(*f));
    if (!f)
        return (tut_status){TUT_NOMEM};
    *f = (filler){.sparse = sparse, .data = data, .budget = budget};
    return tut_stream_open_pull((tut_pull){.read = fill_some, .free = tut_free, .ctx = f}, ret);
}
