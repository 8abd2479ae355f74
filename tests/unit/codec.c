/* Decoders: what they deliver, where they stop, what they say about it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <bzlib.h>
#include <lz4frame.h>
#include <lzma.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "base/buf.h"
#include "base/limits.h"
#include "formats/codec.h"

enum { TEXT_BYTES = 50000, PACKED_MAX = 1 << 18 };

static uint8_t text[TEXT_BYTES];

static const tut_codec all_codecs[] = {TUT_CODEC_DEFLATE, TUT_CODEC_ZLIB, TUT_CODEC_GZIP,
                                       TUT_CODEC_BZIP2,   TUT_CODEC_XZ,   TUT_CODEC_LZMA,
                                       TUT_CODEC_LZ4,     TUT_CODEC_ZSTD};
enum { CODEC_COUNT = sizeof(all_codecs) / sizeof(all_codecs[0]) };

static int fill_text(void **state)
{
    (void)state;
    uint32_t x = 1;
    for (size_t i = 0; i < TEXT_BYTES; i++) {
        x = x * 1664525u + 1013904223u;
        text[i] = (i / 64) % 3 ? (uint8_t)("weights "[i % 8]) : (uint8_t)(x >> 24);
    }
    return 0;
}

static size_t pack_zlib(const uint8_t *from, size_t len, uint8_t *to, int bits)
{
    z_stream z = {0};
    assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, bits, 8, Z_DEFAULT_STRATEGY), Z_OK);
    z.next_in = (Bytef *)(uintptr_t)from;
    z.avail_in = (uInt)len;
    z.next_out = to;
    z.avail_out = PACKED_MAX;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    size_t made = z.total_out;
    deflateEnd(&z);
    return made;
}

static size_t pack_lzma(const uint8_t *from, size_t len, uint8_t *to, bool is_xz)
{
    lzma_stream s = LZMA_STREAM_INIT;
    lzma_options_lzma options;
    assert_false(lzma_lzma_preset(&options, 3));
    lzma_ret rc = is_xz ? lzma_easy_encoder(&s, 3, LZMA_CHECK_CRC64)
                        : lzma_alone_encoder(&s, &options);
    assert_int_equal(rc, LZMA_OK);
    s.next_in = from;
    s.avail_in = len;
    s.next_out = to;
    s.avail_out = PACKED_MAX;
    assert_int_equal(lzma_code(&s, LZMA_FINISH), LZMA_STREAM_END);
    size_t made = (size_t)s.total_out;
    lzma_end(&s);
    return made;
}

static size_t pack(tut_codec codec, const uint8_t *from, size_t len, uint8_t *to)
{
    unsigned made = PACKED_MAX;
    LZ4F_preferences_t prefs = {.frameInfo = {.contentChecksumFlag = LZ4F_contentChecksumEnabled}};
    if (codec == TUT_CODEC_DEFLATE)
        return pack_zlib(from, len, to, -15);
    if (codec == TUT_CODEC_ZLIB)
        return pack_zlib(from, len, to, 15);
    if (codec == TUT_CODEC_GZIP)
        return pack_zlib(from, len, to, 31);
    if (codec == TUT_CODEC_XZ || codec == TUT_CODEC_LZMA)
        return pack_lzma(from, len, to, codec == TUT_CODEC_XZ);
    if (codec == TUT_CODEC_LZ4)
        return LZ4F_compressFrame(to, PACKED_MAX, from, len, &prefs);
    if (codec == TUT_CODEC_ZSTD)
        return ZSTD_compress(to, PACKED_MAX, from, len, 3);
    assert_int_equal(codec, TUT_CODEC_BZIP2);
    char *const source = (char *)(uintptr_t)from;
    assert_int_equal(BZ2_bzBuffToBuffCompress((char *)to, &made, source, (unsigned)len, 1, 0, 0),
                     BZ_OK);
    return made;
}

typedef struct decoded {
    tut_buf bytes;
    tut_codec_counts counts;
    tut_code failure;
    uint64_t input_pos;
    uint64_t heap_after;
} decoded;

static decoded decode(tut_codec codec, const uint8_t *packed, size_t len, tut_budget *budget)
{
    decoded d = {0};
    tut_source source = tut_source_memory(tut_span_of(packed, len));
    tut_stream *in = NULL, *out = NULL;
    tut_span some = {0};
    assert_true(tut_is_ok(tut_stream_open_source(&source, &in)));
    tut_status opened = tut_codec_open_counted(codec, in, budget, &d.counts, &out, NULL);
    if (!tut_is_ok(opened)) {
        d.failure = opened.code;
        tut_stream_free(in);
        return d;
    }
    while (tut_is_ok(tut_stream_peek_some(out, 4096, &some)) && some.len > 0) {
        tut_buf_add(&d.bytes, some.data, some.len);
        assert_true(tut_is_ok(tut_stream_skip(out, some.len)));
    }
    d.failure = tut_stream_failure(out, NULL);
    d.input_pos = tut_stream_pos(in);
    tut_stream_free(out);
    tut_stream_free(in);
    return d;
}

static decoded decode_plain(tut_codec codec, const uint8_t *packed, size_t len)
{
    tut_budget budget;
    tut_budget_init(&budget);
    uint64_t heap = budget.heap_left;
    decoded d = decode(codec, packed, len, &budget);
    assert_int_equal(budget.heap_left, heap); /* everything charged is given back */
    return d;
}

static uint8_t packed_bytes[PACKED_MAX * 2];

static void every_codec_gives_back_what_was_packed(void **state)
{
    (void)state;
    for (size_t i = 0; i < CODEC_COUNT; i++) {
        size_t len = pack(all_codecs[i], text, TEXT_BYTES, packed_bytes);
        decoded d = decode_plain(all_codecs[i], packed_bytes, len);
        assert_int_equal(d.failure, TUT_OK);
        assert_true(d.counts.is_ended);
        assert_int_equal(d.counts.packed, len);
        assert_int_equal(d.counts.unpacked, TEXT_BYTES);
        assert_int_equal(d.counts.crc32, crc32(0, text, TEXT_BYTES));
        assert_int_equal(d.bytes.len, TEXT_BYTES);
        assert_memory_equal(d.bytes.data, text, TEXT_BYTES);
        tut_buf_done(&d.bytes);
    }
}

static void cut_anywhere_delivers_a_prefix_and_says_truncated(void **state)
{
    (void)state;
    for (size_t i = 0; i < CODEC_COUNT; i++) {
        size_t len = pack(all_codecs[i], text, 3000, packed_bytes);
        for (size_t cut = 0; cut < len; cut++) {
            decoded d = decode_plain(all_codecs[i], packed_bytes, cut);
            assert_int_equal(d.failure, TUT_TRUNCATED);
            assert_false(d.counts.is_ended);
            assert_true(d.bytes.len <= 3000);
            if (d.bytes.len > 0)
                assert_memory_equal(d.bytes.data, text, d.bytes.len);
            tut_buf_done(&d.bytes);
        }
    }
}

static void a_cut_long_stream_delivers_what_came_before(void **state)
{
    (void)state;
    for (size_t i = 0; i < CODEC_COUNT; i++) {
        if (all_codecs[i] == TUT_CODEC_BZIP2 || all_codecs[i] == TUT_CODEC_ZSTD)
            continue; /* their blocks are larger than this text */
        size_t len = pack(all_codecs[i], text, TEXT_BYTES, packed_bytes);
        decoded d = decode_plain(all_codecs[i], packed_bytes, len - 20);
        assert_int_equal(d.failure, TUT_TRUNCATED);
        if (all_codecs[i] != TUT_CODEC_LZ4)
            assert_true(d.bytes.len > TEXT_BYTES / 2);
        tut_buf_done(&d.bytes);
    }
}

static void flipped_bits_never_end_well_under_a_checksum(void **state)
{
    (void)state;
    static const tut_codec checked[] = {TUT_CODEC_ZLIB, TUT_CODEC_GZIP, TUT_CODEC_BZIP2,
                                        TUT_CODEC_XZ};
    for (size_t i = 0; i < sizeof(checked) / sizeof(checked[0]); i++) {
        size_t len = pack(checked[i], text, 700, packed_bytes);
        for (size_t bit = 0; bit < len * 8; bit++) {
            packed_bytes[bit / 8] ^= (uint8_t)(1u << (bit % 8));
            decoded d = decode_plain(checked[i], packed_bytes, len);
            bool is_same = d.bytes.len == 700 && memcmp(d.bytes.data, text, 700) == 0;
            assert_true(d.failure != TUT_OK || is_same);
            tut_buf_done(&d.bytes);
            packed_bytes[bit / 8] ^= (uint8_t)(1u << (bit % 8));
        }
    }
}

static void parts_that_follow_each_other_are_all_read(void **state)
{
    (void)state;
    static const tut_codec several[] = {TUT_CODEC_GZIP, TUT_CODEC_BZIP2, TUT_CODEC_XZ,
                                        TUT_CODEC_LZ4, TUT_CODEC_ZSTD};
    for (size_t i = 0; i < sizeof(several) / sizeof(several[0]); i++) {
        size_t len = pack(several[i], text, 1000, packed_bytes);
        len += pack(several[i], text + 1000, 2000, packed_bytes + len);
        memcpy(packed_bytes + len, "rest", 4);
        decoded d = decode_plain(several[i], packed_bytes, len + 4);
        assert_int_equal(d.failure, TUT_OK);
        assert_int_equal(d.counts.parts, 2);
        assert_int_equal(d.bytes.len, 3000);
        assert_memory_equal(d.bytes.data, text, 3000);
        assert_int_equal(d.input_pos, len); /* the rest is left for whoever looks at it */
        tut_buf_done(&d.bytes);
    }
}

static void zero_padding_between_gzip_members_is_skipped(void **state)
{
    (void)state;
    size_t len = pack(TUT_CODEC_GZIP, text, 1000, packed_bytes);
    memset(packed_bytes + len, 0, 40000);
    len += 40000;
    len += pack(TUT_CODEC_GZIP, text + 1000, 10, packed_bytes + len);
    decoded d = decode_plain(TUT_CODEC_GZIP, packed_bytes, len);
    assert_int_equal(d.failure, TUT_OK);
    assert_int_equal(d.bytes.len, 1010);
    tut_buf_done(&d.bytes);
}

static void budget_of_bytes_is_a_limit(void **state)
{
    (void)state;
    for (size_t i = 0; i < CODEC_COUNT; i++) {
        tut_budget budget;
        tut_budget_init(&budget);
        budget.bytes_left = 10000;
        size_t len = pack(all_codecs[i], text, TEXT_BYTES, packed_bytes);
        decoded d = decode(all_codecs[i], packed_bytes, len, &budget);
        assert_int_equal(d.failure, TUT_LIMIT);
        assert_false(d.counts.is_bomb);
        assert_true(d.bytes.len <= 10000);
        tut_buf_done(&d.bytes);
    }
}

static void budget_of_memory_is_a_limit(void **state)
{
    (void)state;
    for (size_t i = 0; i < CODEC_COUNT; i++) {
        tut_budget budget;
        tut_budget_init(&budget);
        budget.heap_left = 3000;
        size_t len = pack(all_codecs[i], text, TEXT_BYTES, packed_bytes);
        decoded d = decode(all_codecs[i], packed_bytes, len, &budget);
        assert_int_equal(d.failure, TUT_LIMIT);
        assert_int_equal(budget.heap_left, 3000);
        tut_buf_done(&d.bytes);
    }
}

static void a_ratio_beyond_real_data_is_a_bomb(void **state)
{
    (void)state;
    TUT_CLEAN(tut_buf) packed = TUT_BUF_INIT;
    size_t zeros_len = 32u << 20;
    uint8_t *zeros = calloc(zeros_len, 1), *to = malloc(PACKED_MAX);
    assert_non_null(zeros);
    assert_non_null(to);
    size_t len = pack_zlib(zeros, zeros_len, to, 31);
    for (int i = 0; i < 12; i++)
        tut_buf_add(&packed, to, len);
    tut_budget budget;
    tut_budget_init(&budget);
    tut_source source = tut_source_memory(tut_buf_span(&packed));
    tut_codec_counts counts;
    TUT_AUTO(tut_stream) in = NULL;
    TUT_AUTO(tut_stream) out = NULL;
    assert_true(tut_is_ok(tut_stream_open_source(&source, &in)));
    assert_true(
        tut_is_ok(tut_codec_open_counted(TUT_CODEC_GZIP, in, &budget, &counts, &out, NULL)));
    assert_int_equal(tut_stream_skip(out, UINT64_MAX).code, TUT_TRUNCATED);
    assert_int_equal(tut_stream_failure(out, NULL), TUT_LIMIT);
    assert_true(counts.is_bomb);
    assert_true(counts.unpacked < TUT_LIMIT_BOMB_BYTES + (1u << 20));
    free(zeros);
    free(to);
}

static void detection_goes_by_content(void **state)
{
    (void)state;
    tut_codec found = TUT_CODEC_STORED;
    for (size_t i = 1; i < CODEC_COUNT; i++) {
        size_t len = pack(all_codecs[i], text, TEXT_BYTES, packed_bytes);
        assert_true(tut_codec_detect(tut_span_of(packed_bytes, len < 4096 ? len : 4096), &found));
        assert_int_equal(found, all_codecs[i]);
        len = pack(all_codecs[i], text, 3, packed_bytes);
        assert_true(tut_codec_detect(tut_span_of(packed_bytes, len), &found));
        assert_int_equal(found, all_codecs[i]);
    }
    static const char *const others[] = {"x^2 + y^2 = z^2\n",
                                         "hCould be zlib by its first two bytes, but is text",
                                         "8O",
                                         "BZhello",
                                         "X\x85 text",
                                         "PK\3\4",
                                         ""};
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        assert_false(tut_codec_detect(tut_span_of(others[i], strlen(others[i])), &found));
}

static void allocation_failure_is_an_ordinary_error(void **state)
{
    (void)state;
    for (size_t i = 0; i < CODEC_COUNT; i++) {
        size_t len = pack(all_codecs[i], text, 3000, packed_bytes);
        for (uint64_t n = 2; n < 16; n++) { /* the first is the test's own stream */
            tut_budget budget;
            tut_budget_init(&budget);
            uint64_t heap = budget.heap_left;
            tut_alloc_fail_after(n);
            tut_source source = tut_source_memory(tut_span_of(packed_bytes, len));
            tut_stream *in = NULL, *out = NULL;
            assert_true(tut_is_ok(tut_stream_open_source(&source, &in)));
            if (tut_is_ok(tut_codec_open(all_codecs[i], in, &budget, &out, NULL)))
                TUT_IGNORE(tut_stream_skip(out, 3000));
            tut_alloc_fail_after(0);
            tut_stream_free(out);
            tut_stream_free(in);
            assert_int_equal(budget.heap_left, heap);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_codec_gives_back_what_was_packed),
        cmocka_unit_test(cut_anywhere_delivers_a_prefix_and_says_truncated),
        cmocka_unit_test(a_cut_long_stream_delivers_what_came_before),
        cmocka_unit_test(flipped_bits_never_end_well_under_a_checksum),
        cmocka_unit_test(parts_that_follow_each_other_are_all_read),
        cmocka_unit_test(zero_padding_between_gzip_members_is_skipped),
        cmocka_unit_test(budget_of_bytes_is_a_limit),
        cmocka_unit_test(budget_of_memory_is_a_limit),
        cmocka_unit_test(a_ratio_beyond_real_data_is_a_bomb),
        cmocka_unit_test(detection_goes_by_content),
        cmocka_unit_test(allocation_failure_is_an_ordinary_error),
    };
    return cmocka_run_group_tests(tests, fill_text, NULL);
}
