/*
 * Decompressors as pull decoders: a stream of packed bytes in, a stream of decoded bytes out.
 *
 * Whatever decodes is delivered before a failure: the decoded stream then looks ended, and
 * tut_stream_failure() says why: TRUNCATED (the packed bytes stop early), MALFORMED (broken data or
 * a wrong checksum), LIMIT (bomb guard, budget, or a window larger than we lend memory for), IO,
 * NOMEM. Every decoded byte is charged to budget->bytes_left, and working memory to
 * budget->heap_left where the library lets us see it.
 *
 * gzip reads all members (zero padding between them is skipped), bz2, xz, lz4 and zstd all streams
 * or frames that follow each other, as Python's readers do; zlib, lzma-alone and raw deflate end at
 * their end mark. Afterwards the input stream stands at the first byte that was not part of the
 * packed data, so trailing bytes can be looked at.
 */
#ifndef TUT_FORMATS_CODEC_H
#define TUT_FORMATS_CODEC_H

#include "base/budget.h"
#include "base/source.h"
#include "base/status.h"

/* name (also the format's), label for people */
#define TUT_CODECS(X)                                                                              \
    X(STORED, "stored", "not compressed")                                                          \
    X(DEFLATE, "deflate", "raw deflate")                                                           \
    X(ZLIB, "zlib", "zlib")                                                                        \
    X(GZIP, "gzip", "gzip")                                                                        \
    X(BZIP2, "bz2", "bzip2")                                                                       \
    X(XZ, "xz", "xz")                                                                              \
    X(LZMA, "lzma", "LZMA (alone)")                                                                \
    X(LZ4, "lz4", "LZ4 frame")                                                                     \
    X(ZSTD, "zstd", "Zstandard")                                                                   \
    X(ZIP_LZMA, "zip-lzma", "LZMA inside zip")                                                     \
    X(CHAIN, "chain", "a chain of filters")

typedef enum tut_codec {
#define TUT_CODEC_ENUM(name, text, label) TUT_CODEC_##name,
    TUT_CODECS(TUT_CODEC_ENUM)
#undef TUT_CODEC_ENUM
        TUT_CODEC_COUNT
} tut_codec;

const char *tut_codec_name(tut_codec codec); /* "gzip" */

/* What happened so far; kept up to date while the decoded stream is read. */
typedef struct tut_codec_counts {
    uint64_t packed;   /* bytes taken from the input */
    uint64_t unpacked; /* bytes handed out */
    uint32_t crc32;    /* of the bytes handed out (the zip and gzip polynomial) */
    uint32_t parts;    /* gzip members, bz2/xz streams, lz4/zstd frames that ended well */
    bool is_bomb;      /* the ratio guard of limits.h ended it (the failure is LIMIT) */
    bool is_ended;     /* the end mark was seen and its checksum holds */
} tut_codec_counts;

/*
 * Opens a decoder at input's present position. input and budget are borrowed and must outlive the
 * decoded stream (free the decoded stream first). Nothing is read yet, so a broken header shows
 * only as a failure of the decoded stream; this call fails with NOMEM or LIMIT (heap budget) alone,
 * and then input is untouched. *ret_decoded is the caller's: tut_stream_free().
 */
TUT_MUST tut_status tut_codec_open(tut_codec codec, tut_stream *input, tut_budget *budget,
                                   tut_stream **ret_decoded, tut_error *err);
/* The same; counts (may be NULL) is zeroed now, and must live as long as the decoded stream. */
TUT_MUST tut_status tut_codec_open_counted(tut_codec codec, tut_stream *input, tut_budget *budget,
                                           tut_codec_counts *counts, tut_stream **ret_decoded,
                                           tut_error *err);

/* Filters of LZMA's family, as 7z numbers and stores them: the last one reads the input. */
enum { TUT_CODEC_FILTERS = 4 };
typedef struct tut_codec_filter {
    uint64_t method; /* 7z's id, big-endian bytes as a number: 0x21, 0x030101, ... */
    tut_span properties;
} tut_codec_filter;
bool tut_codec_has_filter(uint64_t method);
/* The data ends with the input. filters are borrowed for this call only. */
TUT_MUST tut_status tut_codec_open_chain(const tut_codec_filter *filters, size_t count,
                                         tut_stream *input, tut_budget *budget,
                                         tut_codec_counts *counts, tut_stream **ret_decoded,
                                         tut_error *err);

/* For the outermost container: what all layers inside may decode in sum is bound to its size (the
 * ratio of limits.h, at least four times its bytes), so that bombs in layers end as soon as flat
 * ones. */
void tut_codec_bound_layers(tut_budget *budget, uint64_t size);

/* --- for sniffers --- */
/* Which compression the first bytes show by magic and header (zlib and lzma-alone: also by a trial
 * decode of what is there). False: none. Never STORED or DEFLATE, which have no magic. */
bool tut_codec_detect(tut_span head, tut_codec *ret_codec);
/* Decodes what can be decoded of the first packed bytes into `to`; returns how many bytes that gave
 * (0: nothing, or not this codec). *ret_is_broken (may be NULL): the data is wrong, not merely cut.
 */
size_t tut_codec_preview(tut_codec codec, tut_span head, uint8_t *to, size_t cap,
                         bool *ret_is_broken);

#endif
