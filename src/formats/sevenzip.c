/*
 * 7z archives:
 *
 *   archive = "7z\xbc\xaf\x27\x1c" version crc offset:8 size:8 crc  packed  header
 *
 * The header says what is packed how. What is packed by Copy, LZMA, LZMA2 (with filters for
 * programs), Deflate, bzip2 or Zstandard is unpacked and examined; what is encrypted, or packed in
 * another way, is named.
 */
#include <string.h>
#include <zlib.h>

#include "base/buf.h"
#include "formats/member_name.h"
#include "formats/part.h"
#include "formats/sevenzip_internal.h"

enum { HEADER_BYTES = 16 << 20, LAYERS_MAX = 4, NAME_BYTES = 1024 };

static const uint8_t magic[] = {'7', 'z', 0xbc, 0xaf, 0x27, 0x1c};

static tut_match sniff(const tut_sniff *s)
{
    return tut_sniff_magic(s, magic, sizeof(magic)) ? TUT_MATCH_SURE : TUT_MATCH_NONE;
}

static tut_status broken(tut_sevenzip *z, const char *why, tut_error *err)
{
    tut_exam_observe(z->x, "archive.broken", TUT_NO_OFFSET, "7z: %s", why);
    return tut_fail(err, TUT_MALFORMED, "7z: %s", why);
}

/* --- unpacking a folder --- */
typedef struct plain_codec {
    uint64_t method;
    tut_codec codec;
} plain_codec;

static bool find_codec(const tut_sevenzip_folder *f, tut_codec *ret)
{
    static const plain_codec codecs[] = {{TUT_SEVENZIP_COPY, TUT_CODEC_STORED},
                                         {0x040108, TUT_CODEC_DEFLATE},
                                         {0x040202, TUT_CODEC_BZIP2},
                                         {0x04f71101, TUT_CODEC_ZSTD},
                                         {0x04f71104, TUT_CODEC_LZ4}};
    for (size_t i = 0; f->coder_count == 1 && i < sizeof(codecs) / sizeof(codecs[0]); i++) {
        if (codecs[i].method == f->coders[0].method) {
            *ret = codecs[i].codec;
            return true;
        }
    }
    return false;
}

static bool is_read_here(const tut_sevenzip_folder *f)
{
    tut_codec codec;
    bool has_filters = f->is_chain;
    for (size_t i = 0; i < f->coder_count; i++)
        has_filters = has_filters && tut_codec_has_filter(f->coders[i].method);
    return has_filters || (f->is_chain && find_codec(f, &codec));
}

static tut_status open_folder(tut_sevenzip *z, const tut_sevenzip_folder *f, tut_stream **packed,
                              tut_codec_counts *counts, tut_stream **ret, tut_error *err)
{
    tut_source slice;
    tut_codec codec;
    uint64_t at = 0;
    if (__builtin_add_overflow(f->pack_at, (uint64_t)TUT_SEVENZIP_START, &at) || at > z->src->size)
        return broken(z, "packed data lies beyond the end of the file", err);
    uint64_t left = z->src->size - at;
    if (f->pack_size > left)
        tut_exam_observe(z->x, "archive.broken", at, "7z: the packed data is cut off");
    TUT_TRY(tut_source_slice(z->src, at, f->pack_size < left ? f->pack_size : left, &slice));
    TUT_TRY(tut_stream_open_source(&slice, packed));
    if (find_codec(f, &codec))
        return tut_codec_open_counted(codec, *packed, z->x->budget, counts, ret, err);
    tut_status status = tut_codec_open_chain(f->coders, f->coder_count, *packed, z->x->budget,
                                             counts, ret, err);
    if (status.code == TUT_MALFORMED)
        return broken(z, "a coder has properties that it cannot have", err);
    return status;
}

/* --- names --- */
static void add_utf8(tut_buf *out, uint32_t c)
{
    char utf8[4];
    tut_buf_add(out, utf8, tut_utf8_put(c, utf8));
}

static void read_name(tut_span units, tut_buf *out)
{
    tut_reader r = tut_reader_of(units);
    uint16_t unit = 0, low = 0;
    tut_buf_init(out, (size_t)4 * NAME_BYTES);
    while (r.pos < (size_t)2 * NAME_BYTES && tut_is_ok(tut_reader_u16le(&r, &unit))) {
        uint32_t c = unit;
        if ((unit & 0xfc00) == 0xd800 && tut_is_ok(tut_reader_u16le(&r, &low)))
            c = 0x10000 + ((uint32_t)(unit & 0x3ff) << 10 | (low & 0x3ff));
        add_utf8(out, c);
    }
}

/* --- members --- */
typedef struct cursor {
    size_t file; /* the next one that has a stream */
} cursor;

static tut_sevenzip_file *next_file(tut_sevenzip *z, cursor *c)
{
    while (c->file < z->file_count && !z->files[c->file].has_stream)
        c->file++;
    return c->file < z->file_count ? &z->files[c->file++] : NULL;
}

static tut_status examine_file(tut_sevenzip *z, const tut_sevenzip_file *file, tut_stream *folder,
                               tut_error *err)
{
    TUT_CLEAN(tut_buf) name;
    tut_part part = {folder, file->size};
    TUT_AUTO(tut_stream) data = NULL;
    read_name(file->name, &name);
    TUT_TRY(tut_buf_check(&name, err));
    TUT_TRY(tut_budget_steps(z->x->budget, 1, err));
    TUT_TRY(tut_part_open(&part, &data));
    TUT_TRY(z->x->ops->member(z->x->ctx, tut_buf_str(&name), NULL, data, file->size, err));
    tut_status skipped = tut_stream_skip(folder, part.left);
    return skipped.code == TUT_TRUNCATED ? TUT_SUCCESS : skipped; /* said of the folder */
}

static tut_status finish_folder(tut_sevenzip *z, const tut_codec_counts *counts, tut_stream *data,
                                tut_error *err)
{
    const char *why = NULL;
    tut_code code = tut_stream_failure(data, &why);
    if (code == TUT_OK)
        return TUT_SUCCESS;
    const char *rule = counts->is_bomb         ? "codec.bomb"
                       : code == TUT_TRUNCATED ? "codec.truncated"
                                               : "codec.broken";
    if (code == TUT_TRUNCATED || code == TUT_MALFORMED || counts->is_bomb)
        tut_exam_observe(z->x, rule, TUT_NO_OFFSET, "7z: %s", why ? why : tut_code_sentence(code));
    return tut_fail(err, code, "7z: %s", why ? why : tut_code_sentence(code));
}

static tut_status examine_folder(tut_sevenzip *z, const tut_sevenzip_folder *f, cursor *c,
                                 tut_error *err)
{
    TUT_AUTO(tut_stream) packed = NULL;
    TUT_AUTO(tut_stream) data = NULL;
    tut_codec_counts counts = {0};
    TUT_TRY(open_folder(z, f, &packed, &counts, &data, err));
    for (uint64_t i = 0; i < f->streams; i++) {
        const tut_sevenzip_file *file = next_file(z, c);
        if (!file)
            return broken(z, "more data than files", err);
        TUT_TRY(examine_file(z, file, data, err));
    }
    return finish_folder(z, &counts, data, err);
}

/* Not readable: its files are named, so that nobody takes them for examined. */
static void tell_folder(tut_sevenzip *z, const tut_sevenzip_folder *f, cursor *c)
{
    for (uint64_t i = 0; i < f->streams; i++) {
        const tut_sevenzip_file *file = next_file(z, c);
        TUT_CLEAN(tut_buf) name;
        if (!file)
            return;
        read_name(file->name, &name);
        tut_exam_observe(z->x, f->is_encrypted ? "archive.encrypted" : "archive.not-read",
                         TUT_NO_OFFSET, "7z: '%.*s' is %s, and was not read",
                         (int)(name.len < 160 ? name.len : 160), (const char *)name.data,
                         f->is_encrypted ? "encrypted" : "packed in a way that is not read here");
    }
}

static void check_names(tut_sevenzip *z)
{
    for (size_t i = 0; i < z->file_count; i++) {
        TUT_CLEAN(tut_buf) name;
        read_name(z->files[i].name, &name);
        if (tut_member_leads_out(tut_buf_str(&name)))
            tut_exam_observe(z->x, "archive.unsafe-name", TUT_NO_OFFSET,
                             "7z: '%.*s' leads out of the directory it is unpacked to",
                             (int)(name.len < 160 ? name.len : 160), (const char *)name.data);
    }
}

static tut_status examine_folders(tut_sevenzip *z, tut_error *err)
{
    cursor c = {0};
    tut_status worst = TUT_SUCCESS;
    tut_exam_factf(z->x, "sevenzip.members", "%zu", z->file_count);
    check_names(z);
    for (size_t i = 0; i < z->folder_count; i++) {
        const tut_sevenzip_folder *f = &z->folders[i];
        tut_status status;
        size_t first = c.file;
        if (f->is_encrypted || !is_read_here(f)) {
            tell_folder(z, f, &c);
            status = tut_fail(err, TUT_UNSUPPORTED, "7z: %s",
                              f->is_encrypted ? "encrypted" : "packed in a way that is not read");
        } else {
            status = examine_folder(z, f, &c, err);
        }
        if (status.code == TUT_NOMEM || status.code == TUT_IO || status.code == TUT_CANCELLED)
            return status;
        if (tut_is_ok(worst))
            worst = status;
        if (tut_is_ok(status))
            continue;
        c.file = first; /* the next folder's files follow those of this one, read or not */
        for (uint64_t k = 0; k < f->streams && next_file(z, &c); k++)
            continue;
    }
    return worst;
}

/* --- the header --- */
static tut_status take_header(tut_sevenzip *z, tut_buf *out, tut_error *err)
{
    uint8_t start[TUT_SEVENZIP_START];
    uint64_t offset = 0, size = 0, at = 0;
    uint32_t crc_start = 0, crc = 0;
    tut_reader r = tut_reader_of(tut_span_of(start, sizeof(start)));
    if (z->src->size < sizeof(start))
        return broken(z, "the archive is cut off", err);
    TUT_TRY(tut_source_read(z->src, 0, start, sizeof(start), err));
    TUT_TRY(tut_reader_skip(&r, 8));
    TUT_TRY(tut_reader_u32le(&r, &crc_start));
    TUT_TRY(tut_reader_u64le(&r, &offset));
    TUT_TRY(tut_reader_u64le(&r, &size));
    TUT_TRY(tut_reader_u32le(&r, &crc));
    if (crc32_z(0, start + 12, 20) != crc_start)
        return broken(z, "the start does not fit its checksum", err);
    if (size == 0)
        return TUT_SUCCESS;
    if (__builtin_add_overflow(offset, (uint64_t)TUT_SEVENZIP_START, &at) || at > z->src->size ||
        size > z->src->size - at)
        return broken(z, "the header lies beyond the end of the file", err);
    if (size > HEADER_BYTES)
        return tut_fail(err, TUT_LIMIT, "7z: a header of %llu bytes", (unsigned long long)size);
    uint8_t *bytes = tut_buf_extend(out, (size_t)size);
    TUT_TRY(tut_buf_check(out, err));
    TUT_TRY(tut_source_read(z->src, at, bytes, (size_t)size, err));
    if (crc32_z(0, bytes, (size_t)size) != crc)
        return broken(z, "the header does not fit its checksum", err);
    if (at + size < z->src->size)
        tut_exam_observe(z->x, "archive.trailing-data", at + size,
                         "bytes follow the end of the archive");
    return TUT_SUCCESS;
}

/* An encoded header: the folder that it describes holds the real one. */
static tut_status decode_header(tut_sevenzip *z, tut_buf *out, tut_error *err)
{
    TUT_AUTO(tut_stream) packed = NULL;
    TUT_AUTO(tut_stream) data = NULL;
    TUT_CLEAN(tut_buf) decoded;
    tut_codec_counts counts = {0};
    const tut_sevenzip_folder *f = z->folders;
    tut_buf_init(&decoded, HEADER_BYTES);
    if (z->folder_count != 1)
        return broken(z, "a packed header of more than one part", err);
    if (f->is_encrypted)
        tut_exam_observe(z->x, "archive.encrypted", TUT_NO_OFFSET,
                         "7z: the list of files is encrypted, and so are the files");
    else if (!is_read_here(f))
        tut_exam_observe(z->x, "archive.not-read", TUT_NO_OFFSET,
                         "7z: the list of files is packed in a way that is not read here");
    if (f->is_encrypted || !is_read_here(f))
        return tut_fail(err, TUT_UNSUPPORTED, "7z: the list of files cannot be read");
    if (f->size > HEADER_BYTES)
        return tut_fail(err, TUT_LIMIT, "7z: a header of %llu bytes", (unsigned long long)f->size);
    TUT_TRY(open_folder(z, f, &packed, &counts, &data, err));
    while (decoded.len < f->size) {
        tut_span some = {0};
        TUT_TRY(tut_stream_peek_some(data, 16u << 10, &some));
        size_t n = some.len < f->size - decoded.len ? some.len : (size_t)f->size - decoded.len;
        if (n == 0)
            return broken(z, "the packed header is broken", err);
        tut_buf_add(&decoded, some.data, n);
        TUT_TRY(tut_stream_skip(data, n));
    }
    TUT_TRY(tut_buf_check(&decoded, err));
    tut_buf_clear(out);
    tut_buf_add(out, decoded.data, decoded.len);
    return tut_buf_check(out, err);
}

static tut_status read_all(tut_sevenzip *z, tut_buf *header, tut_error *err)
{
    bool is_encoded = true;
    TUT_TRY(take_header(z, header, err));
    if (header->len == 0)
        return TUT_SUCCESS; /* an empty archive */
    for (unsigned layer = 0; layer < LAYERS_MAX; layer++) {
        tut_sevenzip_done(z);
        tut_status status = tut_sevenzip_read_header(z, tut_buf_span(header), &is_encoded, err);
        if (status.code == TUT_MALFORMED)
            return broken(z, "the header makes no sense", err);
        TUT_TRY(status);
        if (!is_encoded)
            return examine_folders(z, err);
        TUT_TRY(decode_header(z, header, err));
    }
    return broken(z, "a header packed again and again", err);
}

static tut_status examine(tut_exam *x, tut_error *err)
{
    const tut_source *source = x->source ? x->source : tut_stream_source(x->stream);
    if (!source)
        return tut_fail(err, TUT_UNSUPPORTED, "a 7z archive is read with random access only");
    if (!x->is_member)
        tut_codec_bound_layers(x->budget, source->size);
    TUT_CLEAN(tut_buf) header;
    tut_sevenzip z = {.x = x, .src = source};
    tut_buf_init(&header, HEADER_BYTES);
    tut_status status = read_all(&z, &header, err);
    tut_sevenzip_done(&z);
    return status;
}

extern const tut_format tut_format_sevenzip;
const tut_format tut_format_sevenzip = {
    .name = "7z",
    .label = "7z archive",
    .kind = TUT_KIND_NONE,
    .needs_source = true,
    .sniff = sniff,
    .examine = examine,
    .extensions = ".7z .pt .pth .ckpt .bin .model",
    .reads = "the list of files, each member by its own format; what is encrypted is named",
    .rules = "archive codec",
};
