/*
 * Files that are one compressed stream: gzip, zlib, bzip2, xz, lzma-alone, lz4, zstd.
 *
 *   file = packed [trailing]     packed = part { [zero padding] part }
 *
 * The decoded bytes are an artefact of their own, examined by content; what follows the packed data
 * is looked at as well, since some readers stop there, some complain, and some look for more.
 */
#include <string.h>

#include "formats/codec.h"
#include "formats/format.h"

static tut_match sniff(const tut_sniff *s, tut_codec wanted)
{
    tut_codec codec = TUT_CODEC_STORED;
    if (!tut_codec_detect(s->head, &codec) || codec != wanted)
        return TUT_MATCH_NONE;
    bool is_magic = codec != TUT_CODEC_ZLIB && codec != TUT_CODEC_LZMA;
    return is_magic ? TUT_MATCH_SURE : TUT_MATCH_STRONG;
}

/* "model.pkl.gz" -> "model.pkl": what tools call the decoded file. */
static tut_str inner_name(tut_str name, const char *extensions)
{
    const char *at = extensions;
    while (*at) {
        size_t len = strcspn(at, " ");
        tut_str end = {name.data + name.len - (len < name.len ? len : 0), len};
        if (len > 0 && name.len > len && tut_str_ieq(end, (tut_str){at, len}))
            return (tut_str){name.data, name.len - len};
        at += len;
        at += strspn(at, " ");
    }
    return name;
}

/* The rest of the decoded bytes: to see whether they decode, and what their checksum says. */
static void drain(tut_stream *decoded)
{
    tut_span some = {0};
    while (tut_is_ok(tut_stream_peek_some(decoded, 16u << 10, &some)) && some.len > 0) {
        if (!tut_is_ok(tut_stream_skip(decoded, some.len)))
            break;
    }
}

static tut_status examine_trailing(tut_exam *x, tut_codec codec, tut_error *err)
{
    if (tut_stream_at_end(x->stream))
        return TUT_SUCCESS;
    uint64_t at = tut_stream_pos(x->stream);
    tut_exam_observe(x, "codec.trailing-data", at, "bytes follow the end of the %s data",
                     tut_codec_name(codec));
    const tut_source *source = tut_stream_source(x->stream);
    tut_source rest;
    if (!source || !tut_is_ok(tut_source_slice(source, at, source->size - at, &rest)))
        return TUT_SUCCESS;
    return x->ops->member(x->ctx, TUT_LIT("[trailing]"), &rest, NULL, rest.size, err);
}

static tut_status examine_decoded(tut_exam *x, tut_codec codec, const char *extensions,
                                  tut_codec_counts *counts, tut_stream *decoded, tut_error *err)
{
    TUT_TRY(
        x->ops->member(x->ctx, inner_name(x->name, extensions), NULL, decoded, UINT64_MAX, err));
    if (x->content)
        drain(decoded);
    const char *why = NULL;
    tut_code code = tut_stream_failure(decoded, &why);
    if (counts->is_bomb)
        tut_exam_observe(x, "codec.bomb", TUT_NO_OFFSET,
                         "%llu packed bytes gave %llu, and it went on",
                         (unsigned long long)counts->packed, (unsigned long long)counts->unpacked);
    else if (code == TUT_MALFORMED || code == TUT_TRUNCATED)
        tut_exam_observe(x, code == TUT_TRUNCATED ? "codec.truncated" : "codec.broken",
                         tut_stream_pos(x->stream), "%s: %s", tut_codec_name(codec),
                         why ? why : tut_code_sentence(code));
    if (code != TUT_OK)
        return tut_fail(err, code, "%s data: %s", tut_codec_name(codec),
                        why ? why : tut_code_sentence(code));
    return counts->is_ended ? examine_trailing(x, codec, err) : TUT_SUCCESS;
}

static tut_status examine(tut_exam *x, tut_codec codec, const char *extensions, tut_error *err)
{
    tut_codec_counts counts;
    TUT_AUTO(tut_stream) decoded = NULL;
    if (!x->is_member && x->source)
        tut_codec_bound_layers(x->budget, x->source->size);
    TUT_TRY(tut_codec_open_counted(codec, x->stream, x->budget, &counts, &decoded, err));
    return examine_decoded(x, codec, extensions, &counts, decoded, err);
}

#define COMPRESSED(id, row, text, label_text, endings)                                             \
    static tut_match sniff_##row(const tut_sniff *s)                                               \
    {                                                                                              \
        return sniff(s, TUT_CODEC_##id);                                                           \
    }                                                                                              \
    static tut_status examine_##row(tut_exam *x, tut_error *err)                                   \
    {                                                                                              \
        return examine(x, TUT_CODEC_##id, endings, err);                                           \
    }                                                                                              \
    extern const tut_format tut_format_##row;                                                      \
    const tut_format tut_format_##row = {                                                          \
        .name = text,                                                                              \
        .label = label_text,                                                                       \
        .kind = TUT_KIND_NONE,                                                                     \
        .sniff = sniff_##row,                                                                      \
        .examine = examine_##row,                                                                  \
        .extensions = endings,                                                                     \
        .reads = "the decoded bytes by their own format, checksums, what follows",                 \
        .rules = "codec",                                                                          \
    };

COMPRESSED(GZIP, gzip, "gzip", "gzip", ".gz .gzip .tgz .z")
COMPRESSED(ZLIB, zlib, "zlib", "zlib", ".zlib .zz .z")
COMPRESSED(BZIP2, bz2, "bz2", "bzip2", ".bz2 .tbz2")
COMPRESSED(XZ, xz, "xz", "xz", ".xz .txz")
COMPRESSED(LZMA, lzma, "lzma", "LZMA", ".lzma")
COMPRESSED(LZ4, lz4, "lz4", "LZ4", ".lz4")
COMPRESSED(ZSTD, zstd, "zstd", "Zstandard", ".zst .zstd")
