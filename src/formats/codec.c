/*
 * The pull decoder around the drivers: feeds input, charges output, restarts at the next part,
 * guards against bombs, and remembers why it ended. Detection by magic lies at the end.
 */
#include "formats/codec.h"

#include <string.h>

#include "base/limits.h"
#include "formats/codec_internal.h"

/* Input shown to a driver at once: small beside the stream's buffer, so that little is moved. */
enum { INPUT_RUN = 16 << 10 };

const char *tut_codec_name(tut_codec codec)
{
    static const char *const names[TUT_CODEC_COUNT] = {
#define NAME(id, text, label) [TUT_CODEC_##id] = text,
        TUT_CODECS(NAME)
#undef NAME
    };
    return (size_t)codec < TUT_CODEC_COUNT ? names[codec] : "unknown";
}

static tut_status finish(tut_codec_state *c, tut_code code, const char *why)
{
    c->is_over = true;
    c->outcome = (tut_status){code};
    c->why = why;
    return c->outcome;
}

static tut_status finish_step(tut_codec_state *c, tut_codec_step step)
{
    switch (step) {
    case TUT_STEP_LIMIT:
        return finish(c, TUT_LIMIT, "the decompressor asks for more memory than is lent to it");
    case TUT_STEP_NOMEM:
        return finish(c, TUT_NOMEM, "memory ran out in the decompressor");
    case TUT_STEP_MORE:
    case TUT_STEP_END:
    case TUT_STEP_BROKEN:
        break;
    }
    return finish(c, TUT_MALFORMED, "the compressed data is broken or its checksum is wrong");
}

/* The input stopped before the end mark: because it is cut, or because what feeds it failed. */
static tut_status finish_dry(tut_codec_state *c)
{
    const char *why = NULL;
    tut_code code = tut_stream_failure(c->in, &why);
    if (code != TUT_OK)
        return finish(c, code, why);
    return finish(c, TUT_TRUNCATED, "the compressed data ends before its end mark");
}

static bool is_bomb(const tut_codec_counts *n)
{
    return n->unpacked > TUT_LIMIT_BOMB_BYTES && n->unpacked / TUT_LIMIT_BOMB_RATIO > n->packed;
}

/* Counts what one step made; a failure is for the next read, as the bytes are good. */
static tut_status account(tut_codec_state *c, const uint8_t *made, size_t len, tut_error *err)
{
    if (len == 0)
        return TUT_SUCCESS;
    tut_status charged = tut_budget_bytes(c->budget, len, err);
    if (!tut_is_ok(charged)) {
        /* Used up by what was decoded all over this examination; a bomb if this is of that kind. */
        c->counts->is_bomb = c->counts->unpacked / TUT_LIMIT_BOMB_RATIO > c->counts->packed;
        return finish(c, charged.code, "more bytes were unpacked than one examination may take");
    }
    c->counts->unpacked += len;
    if (c->counts == &c->own_counts)
        return TUT_SUCCESS;
    c->counts->crc32 = (uint32_t)crc32_z(c->counts->crc32, made, len);
    return TUT_SUCCESS;
}

static bool is_zero(tut_span bytes)
{
    for (size_t i = 0; i < bytes.len; i++) {
        if (bytes.data[i] != 0)
            return false;
    }
    return true;
}

/* Behind a part: over zero padding if the format has it, then another part or the end. */
static tut_status next_part(tut_codec_state *c)
{
    c->counts->parts++;
    tut_span next = {0};
    for (;;) {
        TUT_TRY(tut_stream_peek_some(c->in, c->driver->has_padding ? INPUT_RUN : 8, &next));
        if (!c->driver->has_padding || next.len == 0 || !is_zero(next))
            break;
        TUT_TRY(tut_stream_skip(c->in, next.len));
    }
    size_t zeros = 0;
    while (c->driver->has_padding && zeros < next.len && next.data[zeros] == 0)
        zeros++;
    TUT_TRY(tut_stream_skip(c->in, zeros));
    TUT_TRY(tut_stream_peek_some(c->in, 8, &next));
    if (!c->driver->is_part || !c->driver->is_part(next)) {
        c->counts->is_ended = true;
        return finish(c, TUT_OK, NULL);
    }
    tut_codec_step step = c->driver->start(c);
    return step == TUT_STEP_MORE ? TUT_SUCCESS : finish_step(c, step);
}

/* One move of the driver; *ret_got may stay 0 while it goes on. */
static tut_status advance(tut_codec_state *c, uint8_t *to, size_t cap, size_t *ret_got,
                          tut_error *err)
{
    tut_span in = {0};
    TUT_TRY(tut_stream_peek_some(c->in, INPUT_RUN, &in));
    tut_codec_io io = {
        .in = in.data, .in_len = in.len, .out = to, .out_cap = cap, .is_last = in.len < INPUT_RUN};
    tut_codec_step step = c->driver->step(c, &io);
    TUT_TRY(tut_stream_skip(c->in, io.used));
    c->counts->packed += io.used;
    TUT_TRY(account(c, to, io.made, err));
    *ret_got = io.made;
    if (is_bomb(c->counts)) {
        c->counts->is_bomb = true;
        TUT_IGNORE(finish(c, TUT_LIMIT, "a decompression bomb: the ratio is beyond any real data"));
        return TUT_SUCCESS;
    }
    if (step == TUT_STEP_END)
        return next_part(c);
    if (step != TUT_STEP_MORE)
        TUT_IGNORE(finish_step(c, step));
    else if (io.used == 0 && io.made == 0 && in.len < INPUT_RUN)
        TUT_IGNORE(finish_dry(c));
    else if (io.used == 0 && io.made == 0)
        TUT_IGNORE(finish(c, TUT_MALFORMED, "the compressed data leads nowhere"));
    return TUT_SUCCESS;
}

static tut_status codec_read(void *ctx, uint8_t *to, size_t cap, size_t *ret_got, tut_error *err)
{
    tut_codec_state *c = ctx;
    size_t got = 0;
    while (got == 0 && !c->is_over && cap > 0) {
        tut_status s = advance(c, to, cap, &got, err);
        if (!tut_is_ok(s) && !c->is_over)
            return finish(c, s.code, "the compressed data could not be read");
    }
    *ret_got = got;
    if (got > 0 || !c->is_over || tut_is_ok(c->outcome))
        return TUT_SUCCESS;
    return tut_fail(err, c->outcome.code, "%s", c->why ? c->why : "the data could not be unpacked");
}

static void codec_free(void *ctx)
{
    tut_codec_state *c = ctx;
    if (!c)
        return;
    c->driver->stop(c);
    tut_budget_heap_return(c->budget, sizeof(*c));
    tut_free(c);
}

typedef struct chain {
    const tut_codec_filter *filters;
    size_t count;
} chain;

static tut_status state_new(tut_codec codec, chain filters, tut_stream *input, tut_budget *budget,
                            tut_codec_counts *counts, tut_codec_state **ret_state, tut_error *err)
{
    if ((size_t)codec >= TUT_CODEC_COUNT)
        return tut_fail(err, TUT_BUG, "no such codec");
    TUT_TRY(tut_budget_heap(budget, sizeof(tut_codec_state), err));
    tut_codec_state *c = tut_alloc_array(1, sizeof(*c));
    if (!c) {
        tut_budget_heap_return(budget, sizeof(*c));
        return tut_fail(err, TUT_NOMEM, "no memory for a decompressor");
    }
    c->driver = &tut_codec_drivers[codec];
    c->filters = filters.filters;
    c->filter_count = filters.count;
    c->in = input;
    c->budget = budget;
    c->counts = counts ? counts : &c->own_counts;
    *c->counts = (tut_codec_counts){0};
    tut_codec_step step = c->driver->start(c);
    if (step != TUT_STEP_MORE) {
        tut_status s = finish_step(c, step);
        s = tut_fail(err, s.code, "%s", c->why);
        codec_free(c);
        return s;
    }
    c->filters = NULL;
    *ret_state = c;
    return TUT_SUCCESS;
}

tut_status tut_codec_open_counted(tut_codec codec, tut_stream *input, tut_budget *budget,
                                  tut_codec_counts *counts, tut_stream **ret_decoded,
                                  tut_error *err)
{
    tut_codec_state *c = NULL;
    TUT_TRY(state_new(codec, (chain){0}, input, budget, counts, &c, err));
    tut_status s = tut_stream_open_pull((tut_pull){codec_read, codec_free, c}, ret_decoded);
    return tut_is_ok(s) ? s : tut_fail(err, s.code, "no memory for a decompressor");
}

tut_status tut_codec_open_chain(const tut_codec_filter *filters, size_t count, tut_stream *input,
                                tut_budget *budget, tut_codec_counts *counts,
                                tut_stream **ret_decoded, tut_error *err)
{
    tut_codec_state *c = NULL;
    chain all = {filters, count};
    TUT_TRY(state_new(TUT_CODEC_CHAIN, all, input, budget, counts, &c, err));
    tut_status s = tut_stream_open_pull((tut_pull){codec_read, codec_free, c}, ret_decoded);
    return tut_is_ok(s) ? s : tut_fail(err, s.code, "no memory for a decompressor");
}

tut_status tut_codec_open(tut_codec codec, tut_stream *input, tut_budget *budget,
                          tut_stream **ret_decoded, tut_error *err)
{
    return tut_codec_open_counted(codec, input, budget, NULL, ret_decoded, err);
}

void tut_codec_bound_layers(tut_budget *budget, uint64_t size)
{
    uint64_t most = 0;
    if (__builtin_mul_overflow(size, (uint64_t)TUT_LIMIT_BOMB_RATIO, &most))
        most = UINT64_MAX;
    if (most < 4 * TUT_LIMIT_BOMB_BYTES)
        most = 4 * TUT_LIMIT_BOMB_BYTES;
    if (budget->bytes_left > most)
        budget->bytes_left = most;
}

/* --- for sniffers --- */

/* Decodes the head alone; *ret_last is where the driver stood at the end. */
static size_t preview(tut_codec codec, tut_span head, uint8_t *to, size_t cap,
                      tut_codec_step *ret_last)
{
    tut_budget budget;
    tut_budget_init(&budget);
    tut_codec_state *c = NULL;
    *ret_last = TUT_STEP_NOMEM;
    if (!tut_is_ok(state_new(codec, (chain){0}, NULL, &budget, NULL, &c, NULL)))
        return 0;
    size_t got = 0, at = 0;
    *ret_last = TUT_STEP_MORE;
    while (got < cap && *ret_last == TUT_STEP_MORE) {
        tut_codec_io io = {
            .in = head.data + at, .in_len = head.len - at, .out = to + got, .out_cap = cap - got};
        *ret_last = c->driver->step(c, &io);
        at += io.used;
        got += io.made;
        if (io.used == 0 && io.made == 0)
            break;
    }
    codec_free(c);
    return got;
}

size_t tut_codec_preview(tut_codec codec, tut_span head, uint8_t *to, size_t cap,
                         bool *ret_is_broken)
{
    tut_codec_step last = TUT_STEP_MORE;
    size_t got = preview(codec, head, to, cap, &last);
    if (ret_is_broken)
        *ret_is_broken = last == TUT_STEP_BROKEN;
    return got;
}

/* A trial decode: these headers are too short to be told from chance, so bytes have to come out,
 * more than a few of them unless the end mark and its checksum were met. */
static bool decodes(tut_codec codec, tut_span head)
{
    enum { FEW = 24 };
    uint8_t some[512];
    tut_codec_step last = TUT_STEP_MORE;
    size_t got = preview(codec, head, some, sizeof(some), &last);
    return last == TUT_STEP_END || (last == TUT_STEP_MORE && got >= FEW);
}

static bool looks_zlib(tut_span head)
{
    /* CM 8, window at most 32 KiB, no preset dictionary, check bits. */
    if (head.len < 3 || (head.data[0] & 0x0f) != 8 || head.data[0] > 0x78 || (head.data[1] & 0x20))
        return false;
    return ((unsigned)head.data[0] << 8 | head.data[1]) % 31 == 0 && decodes(TUT_CODEC_ZLIB, head);
}

static uint64_t u64le(const uint8_t *at)
{
    uint64_t v = 0;
    for (unsigned i = 0; i < 8; i++)
        v |= (uint64_t)at[i] << (8 * i);
    return v;
}

static bool looks_lzma_alone(tut_span head)
{
    if (head.len < 14 || head.data[0] >= 9 * 5 * 5)
        return false;
    uint32_t window = (uint32_t)(u64le(head.data + 1) & UINT32_MAX);
    uint64_t size = u64le(head.data + 5);
    /* A size that is unknown or believable; the first byte of the range coder is 0. Nobody writes a
     * stream of nothing with its size, and counts of many formats would look like one. */
    bool is_size = size == UINT64_MAX || (size > 0 && size < (1ull << 40));
    bool is_window = window == UINT32_MAX || (window >= 4096 && (window & (window - 1)) == 0) ||
                     (window >= 4096 && ((window / 3) & (window / 3 - 1)) == 0);
    return is_size && is_window && head.data[13] == 0 && decodes(TUT_CODEC_LZMA, head);
}

/* "BZh", the level, then the mark of a block or of an empty stream's end. */
static bool looks_bzip2(tut_span head)
{
    return head.len >= 10 && memcmp(head.data, "BZh", 3) == 0 && head.data[3] >= '1' &&
           head.data[3] <= '9' &&
           (memcmp(head.data + 4, "\x31\x41\x59\x26\x53\x59", 6) == 0 ||
            memcmp(head.data + 4, "\x17\x72\x45\x38\x50\x90", 6) == 0);
}

/* Skippable frames, which lz4 and Zstandard share, may stand in front of the data. */
static tut_span behind_skippable(tut_span head)
{
    while (head.len >= 8 && (head.data[0] & 0xf0) == 0x50 &&
           memcmp(head.data + 1, "\x2a\x4d\x18", 3) == 0) {
        uint64_t len = 8 + ((uint64_t)head.data[4] | (uint64_t)head.data[5] << 8 |
                            (uint64_t)head.data[6] << 16 | (uint64_t)head.data[7] << 24);
        if (len > head.len)
            return (tut_span){head.data, 0};
        head = (tut_span){head.data + len, head.len - (size_t)len};
    }
    return head;
}

bool tut_codec_detect(tut_span head, tut_codec *ret_codec)
{
    static const struct {
        tut_codec codec;
        uint8_t len;
        uint8_t magic[6];
    } magics[] = {
        {TUT_CODEC_GZIP, 3, {0x1f, 0x8b, 8}},
        {TUT_CODEC_XZ, 6, {0xfd, '7', 'z', 'X', 'Z', 0}},
        {TUT_CODEC_LZ4, 4, {0x04, 0x22, 0x4d, 0x18}},
        {TUT_CODEC_ZSTD, 4, {0x28, 0xb5, 0x2f, 0xfd}},
    };
    head = behind_skippable(head);
    for (size_t i = 0; i < sizeof(magics) / sizeof(magics[0]); i++) {
        if (head.len >= magics[i].len && memcmp(head.data, magics[i].magic, magics[i].len) == 0) {
            *ret_codec = magics[i].codec;
            return true;
        }
    }
    bool is_found = true;
    if (looks_bzip2(head))
        *ret_codec = TUT_CODEC_BZIP2;
    else if (looks_zlib(head))
        *ret_codec = TUT_CODEC_ZLIB;
    else if (looks_lzma_alone(head))
        *ret_codec = TUT_CODEC_LZMA;
    else
        is_found = false;
    return is_found;
}
