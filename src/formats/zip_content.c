/*
 * Members' bytes: every member is handed on under its name to be examined by content; then its
 * sizes and CRC are tested (at depth content all of them; at depth structure the small ones).
 *
 * Where the two headers of a member give different methods or sizes, both readings are examined.
 * A member that claims encryption or an unknown method, but whose bytes fit its CRC as they are, is
 * examined as what it is.
 */
#include <stdio.h>
#include <string.h>
#include <zlib.h>

#include "formats/zip_internal.h"

/* At depth structure: members up to this size are read whole anyway. */
enum { SMALL_BYTES = 64 << 10 };

bool tut_zip_codec(uint16_t method, tut_codec *ret_codec)
{
    static const struct {
        uint16_t method;
        tut_codec codec;
    } methods[] = {
        {0, TUT_CODEC_STORED},    {8, TUT_CODEC_DEFLATE}, {12, TUT_CODEC_BZIP2},
        {14, TUT_CODEC_ZIP_LZMA}, {93, TUT_CODEC_ZSTD},   {95, TUT_CODEC_XZ},
    };
    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
        if (methods[i].method == method) {
            *ret_codec = methods[i].codec;
            return true;
        }
    }
    return false;
}

const tut_zip_header *tut_zip_reading(const tut_zip_member *m)
{
    return m->central.is_present ? &m->central : &m->local;
}

bool tut_zip_is_signature(const tut_zip *z, uint64_t at, uint32_t signature)
{
    uint8_t raw[4];
    if (at > z->src->size || z->src->size - at < 4 ||
        !tut_is_ok(tut_source_read(z->src, at, raw, 4, NULL)))
        return false;
    return ((uint32_t)raw[0] | (uint32_t)raw[1] << 8 | (uint32_t)raw[2] << 16 |
            (uint32_t)raw[3] << 24) == signature;
}

bool tut_zip_may_scan(tut_zip *z, uint64_t bytes)
{
    enum { TIMES = 8 };
    if (z->scanned / TIMES > z->src->size)
        return false;
    z->scanned += bytes;
    return true;
}

bool tut_zip_find(tut_zip *z, uint64_t from, uint64_t to, uint32_t signature, uint64_t *ret_at)
{
    const uint8_t wanted[4] = {(uint8_t)signature, (uint8_t)(signature >> 8),
                               (uint8_t)(signature >> 16), (uint8_t)(signature >> 24)};
    if (to > z->src->size)
        to = z->src->size;
    while (from < to && to - from >= 4) {
        size_t want = to - from < TUT_ZIP_SCRATCH ? (size_t)(to - from) : TUT_ZIP_SCRATCH, got = 0;
        if (!tut_is_ok(tut_source_read_some(z->src, from, z->scratch, want, &got, NULL)) || got < 4)
            return false;
        const uint8_t *hit = memmem(z->scratch, got, wanted, 4);
        if (hit) {
            *ret_at = from + (uint64_t)(hit - z->scratch);
            return true;
        }
        from += got - 3;
    }
    return false;
}

/* --- one reading of a member --- */

typedef struct reading {
    tut_str name;
    tut_source packed; /* what there is of it in the file */
    bool is_cut;       /* the file ends before the packed bytes do */
    tut_codec codec;
    uint64_t declared; /* unpacked size */
    uint32_t crc;
    uint64_t at; /* of the header, for messages */
} reading;

static tut_status reading_of(tut_zip *z, const tut_zip_member *m, const tut_zip_header *h,
                             tut_codec codec, reading *ret)
{
    uint64_t left = m->local.data_at < z->src->size ? z->src->size - m->local.data_at : 0;
    *ret = (reading){.name = h->name,
                     .is_cut = h->packed > left,
                     .codec = codec,
                     .declared = h->unpacked,
                     .crc = h->crc,
                     .at = h->at};
    return tut_source_slice(z->src, m->local.data_at < z->src->size ? m->local.data_at : 0,
                            ret->is_cut ? left : h->packed, &ret->packed);
}

/* A bomb is judged by the archive as a whole too: what shared bytes give is counted each time. */
static tut_status count_unpacked(tut_zip *z, uint64_t bytes, tut_error *err)
{
    if (__builtin_add_overflow(z->unpacked_total, bytes, &z->unpacked_total))
        z->unpacked_total = UINT64_MAX;
    if (z->unpacked_total <= TUT_LIMIT_BOMB_BYTES ||
        z->unpacked_total / TUT_LIMIT_BOMB_RATIO <= z->src->size)
        return TUT_SUCCESS;
    tut_exam_observe(z->x, "zip.bomb", TUT_NO_OFFSET,
                     "%llu bytes of archive gave %llu bytes, and members are left",
                     (unsigned long long)z->src->size, (unsigned long long)z->unpacked_total);
    return tut_fail(err, TUT_LIMIT, "the archive unpacks to far more than it holds");
}

static tut_status crc_of_source(tut_zip *z, const tut_source *s, uint32_t *ret_crc, tut_error *err)
{
    uint32_t crc = 0;
    for (uint64_t at = 0; at < s->size;) {
        uint64_t left = s->size - at;
        size_t n = left < TUT_ZIP_SCRATCH ? (size_t)left : TUT_ZIP_SCRATCH;
        TUT_TRY(tut_source_read(s, at, z->scratch, n, err));
        crc = (uint32_t)crc32_z(crc, z->scratch, n);
        at += n;
    }
    *ret_crc = crc;
    return TUT_SUCCESS;
}

static void check_sum(tut_zip *z, const reading *r, uint32_t crc)
{
    if (crc != r->crc)
        tut_exam_observe(z->x, "zip.crc-mismatch", r->at,
                         "'%.*s' has CRC %08x, its header says %08x", TUT_ZIP_NAME(r->name), crc,
                         r->crc);
}

static void check_size(tut_zip *z, const reading *r, uint64_t size)
{
    if (size != r->declared)
        tut_exam_observe(z->x, "zip.size-mismatch", r->at,
                         "'%.*s' has %llu bytes, its header says %llu", TUT_ZIP_NAME(r->name),
                         (unsigned long long)size, (unsigned long long)r->declared);
}

static tut_status examine_stored(tut_zip *z, const reading *r, tut_error *err)
{
    const tut_source *s = &r->packed;
    TUT_TRY(count_unpacked(z, s->size, err));
    TUT_TRY(z->x->ops->member(z->x->ctx, r->name, s, NULL, s->size, err));
    if (r->is_cut)
        return TUT_SUCCESS;
    check_size(z, r, s->size);
    if (!z->x->content && s->size > SMALL_BYTES)
        return TUT_SUCCESS;
    uint32_t crc = 0;
    TUT_TRY(crc_of_source(z, s, &crc, err));
    check_sum(z, r, crc);
    return TUT_SUCCESS;
}

static void drain(tut_stream *s)
{
    tut_span some = {0};
    while (tut_is_ok(tut_stream_peek_some(s, 16u << 10, &some)) && some.len > 0) {
        if (!tut_is_ok(tut_stream_skip(s, some.len)))
            break;
    }
}

static void check_decoded(tut_zip *z, const reading *r, const tut_codec_counts *n,
                          tut_stream *packed, tut_stream *decoded)
{
    const char *why = NULL;
    tut_code code = tut_stream_failure(decoded, &why);
    if (n->is_bomb)
        tut_exam_observe(z->x, "zip.bomb", r->at, "'%.*s': %llu packed bytes gave %llu so far",
                         TUT_ZIP_NAME(r->name), (unsigned long long)n->packed,
                         (unsigned long long)n->unpacked);
    else if (code == TUT_TRUNCATED)
        tut_exam_observe(z->x, "codec.truncated", r->at, "'%.*s': the compressed data is cut off",
                         TUT_ZIP_NAME(r->name));
    else if (code == TUT_MALFORMED)
        tut_exam_observe(z->x, "codec.broken", r->at, "'%.*s': the compressed data is broken",
                         TUT_ZIP_NAME(r->name));
    if (code != TUT_OK) {
        tut_zip_problem(z, code, "'%.*s': %s", TUT_ZIP_NAME(r->name),
                        why ? why : tut_code_sentence(code));
        return;
    }
    if (!n->is_ended)
        return; /* not read to the end at this depth */
    check_size(z, r, n->unpacked);
    check_sum(z, r, n->crc32);
    if (!tut_stream_at_end(packed))
        tut_exam_observe(z->x, "zip.size-mismatch", r->at,
                         "'%.*s': %llu bytes lie behind the end of its compressed data",
                         TUT_ZIP_NAME(r->name), (unsigned long long)(r->packed.size - n->packed));
}

static tut_status examine_packed(tut_zip *z, const reading *r, tut_error *err)
{
    TUT_AUTO(tut_stream) packed = NULL;
    TUT_AUTO(tut_stream) decoded = NULL;
    tut_codec_counts counts;
    TUT_TRY(tut_stream_open_source(&r->packed, &packed));
    TUT_TRY(tut_codec_open_counted(r->codec, packed, z->x->budget, &counts, &decoded, err));
    TUT_TRY(z->x->ops->member(z->x->ctx, r->name, NULL, decoded, UINT64_MAX, err));
    if (z->x->content || r->declared <= SMALL_BYTES)
        drain(decoded);
    check_decoded(z, r, &counts, packed, decoded);
    uint64_t work = counts.packed > counts.unpacked ? counts.packed : counts.unpacked;
    return count_unpacked(z, work, err);
}

static tut_status examine_reading(tut_zip *z, const reading *r, tut_error *err)
{
    if (r->is_cut) {
        tut_exam_observe(z->x, "zip.member-cut", r->at, "'%.*s' reaches beyond the end of the file",
                         TUT_ZIP_NAME(r->name));
        tut_zip_problem(z, TUT_TRUNCATED, "'%.*s' reaches beyond the end of the file",
                        TUT_ZIP_NAME(r->name));
    }
    return r->codec == TUT_CODEC_STORED ? examine_stored(z, r, err) : examine_packed(z, r, err);
}

/* --- members that claim to be unreadable --- */

/* Whether the bytes, read with this codec, fit the CRC: then the claim is false. */
static bool fits_crc(tut_zip *z, const reading *r)
{
    if (r->packed.size > TUT_LIMIT_MEMBER_BYTES || r->is_cut || r->declared == 0)
        return false;
    uint32_t crc = 0;
    if (r->codec == TUT_CODEC_STORED)
        return r->packed.size == r->declared &&
               tut_is_ok(crc_of_source(z, &r->packed, &crc, NULL)) && crc == r->crc;
    TUT_AUTO(tut_stream) packed = NULL;
    TUT_AUTO(tut_stream) decoded = NULL;
    tut_codec_counts counts;
    if (!tut_is_ok(tut_stream_open_source(&r->packed, &packed)) ||
        !tut_is_ok(tut_codec_open_counted(r->codec, packed, z->x->budget, &counts, &decoded, NULL)))
        return false;
    drain(decoded);
    return counts.is_ended && counts.unpacked == r->declared && counts.crc32 == r->crc;
}

static tut_status examine_encrypted(tut_zip *z, const reading *r, tut_error *err)
{
    if (fits_crc(z, r)) {
        tut_exam_observe(z->x, "zip.false-encryption", r->at,
                         "'%.*s' is marked as encrypted, but its bytes are plain",
                         TUT_ZIP_NAME(r->name));
        return examine_reading(z, r, err);
    }
    tut_exam_observe(z->x, "zip.encrypted", r->at, "'%.*s' is encrypted and was not read",
                     TUT_ZIP_NAME(r->name));
    tut_zip_problem(z, TUT_UNSUPPORTED, "'%.*s' is encrypted", TUT_ZIP_NAME(r->name));
    return TUT_SUCCESS;
}

static tut_status examine_unknown_method(tut_zip *z, const reading *r, unsigned method,
                                         tut_error *err)
{
    tut_exam_observe(z->x, "zip.unsupported-method", r->at,
                     "'%.*s' is packed by method %u, which is not read here", TUT_ZIP_NAME(r->name),
                     method);
    if (fits_crc(z, r))
        return examine_reading(z, r, err);
    tut_zip_problem(z, TUT_UNSUPPORTED, "'%.*s' is packed by method %u", TUT_ZIP_NAME(r->name),
                    method);
    return TUT_SUCCESS;
}

static tut_status examine_header(tut_zip *z, const tut_zip_member *m, const tut_zip_header *h,
                                 tut_str name, tut_error *err)
{
    reading r;
    tut_codec codec = TUT_CODEC_STORED;
    bool is_ours = tut_zip_codec(h->method, &codec);
    TUT_TRY(reading_of(z, m, h, codec, &r));
    r.name = name;
    if ((m->central.flags | m->local.flags) & TUT_ZIP_FLAG_ENCRYPTED)
        return examine_encrypted(z, &r, err);
    return is_ours ? examine_reading(z, &r, err) : examine_unknown_method(z, &r, h->method, err);
}

/* --- links and devices, which only unpackers make --- */

/* Another member lies below the link: unpacking writes it where the link points. Only the first
 * links are compared with all members; an archive with more of them has said enough. */
static bool is_written_through(tut_zip *z, tut_str link)
{
    enum { LINKS_COMPARED = 64 };
    if (link.len == 0 || z->links++ >= LINKS_COMPARED)
        return false;
    for (size_t i = 0; i < z->count; i++) {
        tut_str name = tut_zip_reading(&z->members[i])->name;
        if (name.len > link.len && tut_str_starts(name, link) &&
            (link.data[link.len - 1] == '/' || name.data[link.len] == '/'))
            return true;
    }
    return false;
}

static void check_link(tut_zip *z, const tut_zip_member *m, const tut_zip_header *h)
{
    uint8_t raw[1024], target[1024];
    tut_codec codec = TUT_CODEC_STORED;
    reading r;
    size_t got = 0;
    tut_str to = TUT_LIT("");
    if (tut_zip_codec(h->method, &codec) && tut_is_ok(reading_of(z, m, h, codec, &r)) &&
        tut_is_ok(tut_source_read_some(&r.packed, 0, raw, sizeof(raw), &got, NULL))) {
        size_t len = tut_codec_preview(codec, tut_span_of(raw, got), target, sizeof(target), NULL);
        to = (tut_str){(const char *)target, len};
    }
    bool is_out = is_written_through(z, h->name) || tut_str_starts(to, TUT_LIT("/")) ||
                  tut_zip_contains(to, TUT_LIT("..")) || to.len == 0 ||
                  tut_zip_contains(to, TUT_LIT(":"));
    tut_exam_observe(z->x, is_out ? "zip.symlink-escape" : "zip.symlink", h->at,
                     "'%.*s' is a symbolic link to '%.*s'", TUT_ZIP_NAME(h->name),
                     TUT_ZIP_NAME(to));
}

static void check_mode(tut_zip *z, const tut_zip_member *m)
{
    enum { MADE_ON_UNIX = 3, TYPE_MASK = 0170000, LINK = 0120000, FILE_ = 0100000, DIR_ = 0040000 };
    const tut_zip_header *h = &m->central;
    unsigned mode = h->external >> 16;
    unsigned type = mode & TYPE_MASK;
    if (!h->is_present || (h->made_by >> 8) != MADE_ON_UNIX || type == 0 || type == FILE_ ||
        type == DIR_)
        return;
    if (type == LINK)
        check_link(z, m, h);
    else
        tut_exam_observe(z->x, "zip.special-file", h->at,
                         "'%.*s' unpacks to a device, pipe or socket (mode %o)",
                         TUT_ZIP_NAME(h->name), mode);
}

/* The local header tells another story about the same bytes. */
static bool has_second_reading(const tut_zip_member *m)
{
    const tut_zip_header *c = &m->central, *l = &m->local;
    if (!c->is_present || !l->is_present)
        return false;
    return c->method != l->method || (!l->is_deferred && l->packed != c->packed);
}

tut_status tut_zip_examine_member(tut_zip *z, tut_zip_member *m, tut_error *err)
{
    const tut_zip_header *h = tut_zip_reading(m);
    if (!m->local.is_present)
        return TUT_SUCCESS;
    check_mode(z, m);
    bool is_directory = h->name.len > 0 && h->name.data[h->name.len - 1] == '/';
    if (is_directory && h->packed == 0 && h->unpacked == 0 && m->local.packed == 0)
        return TUT_SUCCESS;
    TUT_TRY(examine_header(z, m, h, h->name, err));
    if (!has_second_reading(m))
        return TUT_SUCCESS;
    char name[256];
    int len = snprintf(name, sizeof(name), "%.*s [by its local header]", TUT_ZIP_NAME(h->name));
    tut_zip_header local = m->local;
    if (local.is_deferred) {
        local.packed = h->packed;
        local.unpacked = h->unpacked;
        local.crc = h->crc;
    }
    return examine_header(z, m, &local, (tut_str){name, (size_t)len}, err);
}
