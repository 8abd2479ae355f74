/* The codecs of pages. A page is decoded whole, into exactly the bytes that its header says. */
#include <limits.h>
#include <lz4.h>
#include <zlib.h>
#include <zstd.h>

#include "formats/parquet_internal.h"
#include "formats/snappy.h"

static const struct {
    const char *name;
    uint32_t ratio; /* the most that the format can make of a byte; 0: not read */
} codecs[] = {
    [PARQUET_UNCOMPRESSED] = {"no codec", 1},  [PARQUET_SNAPPY] = {"Snappy", 32},
    [PARQUET_GZIP] = {"gzip", 1032},           [PARQUET_LZO] = {"LZO", 0},
    [PARQUET_BROTLI] = {"Brotli", 0},          [PARQUET_LZ4] = {"LZ4", 255},
    [PARQUET_ZSTD] = {"Zstandard", 128 << 10}, [PARQUET_LZ4_RAW] = {"LZ4", 255},
};

bool parquet_codec_is_read(int32_t codec)
{
    return codec >= 0 && codec <= PARQUET_LZ4_RAW && codecs[codec].ratio > 0;
}

const char *parquet_codec_name(int32_t codec)
{
    return codec >= 0 && codec <= PARQUET_LZ4_RAW ? codecs[codec].name : "an unknown codec";
}

bool parquet_unpack_fits(parquet_codec codec, size_t packed, size_t len)
{
    return codec == PARQUET_UNCOMPRESSED ? packed == len : len / codecs[codec].ratio <= packed;
}

static tut_status wrong(parquet_codec codec, tut_error *err)
{
    return tut_fail(err, TUT_MALFORMED, "a page is not what its codec makes (%s)",
                    codecs[codec].name);
}

/* gzip, members one after another; zlib's own wrapping too, as the usual readers take it. */
static tut_status unpack_gzip(tut_span packed, uint8_t *to, size_t len, tut_error *err)
{
    z_stream z = {.next_in = (Bytef *)(uintptr_t)packed.data,
                  .avail_in = (uInt)packed.len,
                  .next_out = to,
                  .avail_out = (uInt)len};
    int rc = inflateInit2(&z, 15 + 32);
    if (rc != Z_OK)
        return tut_fail(err, rc == Z_MEM_ERROR ? TUT_NOMEM : TUT_BUG, "zlib cannot start");
    do {
        rc = inflate(&z, Z_FINISH);
        if (rc == Z_STREAM_END && z.avail_in > 0 && z.avail_out > 0)
            rc = inflateReset(&z);
        else
            break;
    } while (rc == Z_OK);
    bool is_whole = rc == Z_STREAM_END && z.avail_out == 0;
    (void)inflateEnd(&z);
    if (rc == Z_MEM_ERROR)
        return tut_fail(err, TUT_NOMEM, "zlib has no memory");
    return is_whole ? TUT_SUCCESS : wrong(PARQUET_GZIP, err);
}

static bool unpack_block(tut_span packed, uint8_t *to, size_t len)
{
    return packed.len <= INT_MAX && len <= INT_MAX &&
           LZ4_decompress_safe((const char *)packed.data, (char *)to, (int)packed.len, (int)len) ==
               (int)len;
}

/* Hadoop's frames: u32be length decoded { u32be length packed, LZ4 block }, and the next. */
static bool unpack_hadoop(tut_span packed, uint8_t *to, size_t len)
{
    tut_reader r = tut_reader_of(packed);
    size_t made = 0;
    while (tut_reader_left(&r) > 0) {
        uint32_t frame, n;
        if (!tut_is_ok(tut_reader_u32be(&r, &frame)) || frame > len - made)
            return false;
        for (size_t end = made + frame; made < end;) {
            tut_span block;
            if (!tut_is_ok(tut_reader_u32be(&r, &n)) || !tut_is_ok(tut_reader_bytes(&r, n, &block)))
                return false;
            int got = block.len <= INT_MAX && end - made <= INT_MAX
                          ? LZ4_decompress_safe((const char *)block.data, (char *)to + made,
                                                (int)block.len, (int)(end - made))
                          : -1;
            if (got <= 0)
                return false;
            made += (size_t)got;
        }
    }
    return made == len;
}

tut_status parquet_unpack(parquet_codec codec, tut_span packed, uint8_t *to, size_t len,
                          tut_error *err)
{
    switch (codec) {
    case PARQUET_UNCOMPRESSED:
        if (packed.len != len)
            return wrong(codec, err);
        memcpy(to, packed.data, len);
        return TUT_SUCCESS;
    case PARQUET_SNAPPY:
        return tut_snappy_decode(packed, to, len, err);
    case PARQUET_GZIP:
        return unpack_gzip(packed, to, len, err);
    case PARQUET_ZSTD: {
        size_t got = ZSTD_decompress(to, len, packed.data, packed.len);
        return !ZSTD_isError(got) && got == len ? TUT_SUCCESS : wrong(codec, err);
    }
    case PARQUET_LZ4: /* written with Hadoop's frames, and without them */
        if (unpack_hadoop(packed, to, len) || unpack_block(packed, to, len))
            return TUT_SUCCESS;
        return wrong(codec, err);
    case PARQUET_LZ4_RAW:
        return unpack_block(packed, to, len) ? TUT_SUCCESS : wrong(codec, err);
    case PARQUET_LZO:
    case PARQUET_BROTLI:
        break;
    }
    return tut_fail(err, TUT_UNSUPPORTED, "pages packed with %s are not read",
                    parquet_codec_name((int32_t)codec));
}
