/*
 * Local headers, which stream readers go by, and the data descriptors behind the data.
 *
 *   local      = "PK\3\4" needed flags method time date crc packed unpacked name_len extra_len
 *                name extra data [descriptor]
 *   descriptor = ["PK\7\8"] crc packed unpacked        (sizes of 4 bytes, or 8 with zip64)
 */
#include <string.h>

#include "formats/zip_internal.h"

/* One read covers the header, the usual name and the usual extra field. */
enum { LOCAL_GUESS = 512 };

static tut_status parse_local(const uint8_t *raw, tut_zip_header *h, uint16_t *ret_name_len,
                              uint16_t *ret_extra_len)
{
    tut_reader r = tut_reader_of(tut_span_of(raw, TUT_ZIP_LOCAL_BYTES));
    uint32_t packed = 0, unpacked = 0;
    TUT_TRY(tut_reader_expect(&r, TUT_LIT("PK\3\4")));
    TUT_TRY(tut_reader_skip(&r, 2));
    TUT_TRY(tut_reader_u16le(&r, &h->flags));
    TUT_TRY(tut_reader_u16le(&r, &h->method));
    TUT_TRY(tut_reader_skip(&r, 4));
    TUT_TRY(tut_reader_u32le(&r, &h->crc));
    TUT_TRY(tut_reader_u32le(&r, &packed));
    TUT_TRY(tut_reader_u32le(&r, &unpacked));
    TUT_TRY(tut_reader_u16le(&r, ret_name_len));
    TUT_TRY(tut_reader_u16le(&r, ret_extra_len));
    h->packed = packed;
    h->unpacked = unpacked;
    h->is_present = true;
    return TUT_SUCCESS;
}

static tut_status keep_name(tut_zip *z, tut_str found, const tut_str *expected, tut_str *ret_name,
                            tut_error *err)
{
    if (expected && tut_str_eq(found, *expected)) {
        *ret_name = *expected;
        return TUT_SUCCESS;
    }
    TUT_TRY(tut_budget_heap(z->x->budget, found.len + 1, err));
    z->heap += found.len + 1;
    char *copy = tut_arena_copy(&z->arena, found);
    if (!copy)
        return tut_fail(err, TUT_NOMEM, "no memory for member names");
    *ret_name = (tut_str){copy, found.len};
    return TUT_SUCCESS;
}

tut_status tut_zip_read_local(tut_zip *z, uint64_t at, const tut_str *expected,
                              tut_zip_header *ret_local, tut_error *err)
{
    size_t got = 0;
    uint16_t name_len = 0, extra_len = 0;
    tut_zip_header h = {.at = at};
    if (at > z->src->size)
        return tut_fail_at(err, TUT_TRUNCATED, at, "a local header lies beyond the end");
    TUT_TRY(tut_source_read_some(z->src, at, z->scratch, LOCAL_GUESS, &got, err));
    if (got < TUT_ZIP_LOCAL_BYTES)
        return tut_fail_at(err, TUT_TRUNCATED, at, "a local header is cut off");
    TUT_TRY(parse_local(z->scratch, &h, &name_len, &extra_len));
    size_t whole = (size_t)TUT_ZIP_LOCAL_BYTES + name_len + extra_len;
    if (whole > got)
        TUT_TRY(tut_source_read(z->src, at, z->scratch, whole, err));
    const uint8_t *name = z->scratch + TUT_ZIP_LOCAL_BYTES;
    TUT_TRY(keep_name(z, tut_str_from(tut_span_of(name, name_len)), expected, &h.name, err));
    tut_zip_read_extra(z, &h, tut_span_of(name + name_len, extra_len), false);
    bool is_open = (h.packed == 0 && h.unpacked == 0) ||
                   (h.packed == UINT32_MAX && h.unpacked == UINT32_MAX);
    h.is_deferred = (h.flags & TUT_ZIP_FLAG_DEFERRED) && h.crc == 0 && is_open;
    h.data_at = at + whole;
    *ret_local = h;
    return TUT_SUCCESS;
}

/* --- descriptors --- */

static uint64_t little(const uint8_t *at, size_t len)
{
    uint64_t v = 0;
    for (size_t i = 0; i < len; i++)
        v |= (uint64_t)at[i] << (8 * i);
    return v;
}

uint64_t tut_zip_descriptor(tut_zip *z, uint64_t at, const tut_zip_header *h, bool *ret_agrees)
{
    uint8_t raw[24];
    size_t got = 0;
    *ret_agrees = false;
    if (at > z->src->size ||
        !tut_is_ok(tut_source_read_some(z->src, at, raw, sizeof(raw), &got, NULL)) || got < 12)
        return 0;
    size_t lead = memcmp(raw, "PK\7\10", 4) == 0 ? 4 : 0;
    for (size_t width = 4; width <= 8; width += 4) {
        size_t len = lead + 4 + 2 * width;
        if (got >= len && little(raw + lead, 4) == h->crc &&
            little(raw + lead + 4, width) == h->packed &&
            little(raw + lead + 4 + width, width) == h->unpacked) {
            *ret_agrees = true;
            return len;
        }
    }
    if (lead == 0)
        return 0;
    /* One is there, with other values: its width shows by what follows. */
    return tut_zip_is_signature(z, at + 24, TUT_ZIP_SIG_LOCAL) ||
                   tut_zip_is_signature(z, at + 24, TUT_ZIP_SIG_CENTRAL)
               ? 24
               : 16;
}

static void check_descriptor(tut_zip *z, tut_zip_member *m, const tut_zip_header *h)
{
    bool agrees = false;
    uint64_t len = tut_zip_descriptor(z, m->end, h, &agrees);
    if (!agrees && (len > 0 || m->local.is_deferred))
        tut_exam_observe(z->x, "zip.descriptor-mismatch", m->end,
                         len ? "the data descriptor of '%.*s' gives other sizes or another CRC"
                             : "'%.*s' lacks the data descriptor that its header announces",
                         TUT_ZIP_NAME(h->name));
    m->end += len;
}

/* --- of the members that the directory names --- */

static tut_status locate_local(tut_zip *z, tut_zip_member *m, tut_error *err)
{
    tut_status s = tut_zip_read_local(z, m->central.local_at, &m->central.name, &m->local, err);
    if (s.code == TUT_TRUNCATED || s.code == TUT_MALFORMED) {
        m->local = (tut_zip_header){0};
        tut_exam_observe(z->x, "zip.central-only-member", m->central.at,
                         "'%.*s' has no local header at %llu", TUT_ZIP_NAME(m->central.name),
                         (unsigned long long)m->central.local_at);
        tut_zip_problem(z, TUT_MALFORMED, "a member has no local header");
        return TUT_SUCCESS;
    }
    TUT_TRY(s);
    m->start = m->local.at;
    if (__builtin_add_overflow(m->local.data_at, m->central.packed, &m->end) ||
        m->end > z->src->size)
        m->end = z->src->size;
    if ((m->local.flags | m->central.flags) & TUT_ZIP_FLAG_DEFERRED)
        check_descriptor(z, m, &m->central);
    return TUT_SUCCESS;
}

tut_status tut_zip_read_locals(tut_zip *z, size_t first, tut_error *err)
{
    for (size_t i = first; i < z->count; i++)
        TUT_TRY(locate_local(z, &z->members[i], err));
    return TUT_SUCCESS;
}

/* --- members that no directory names --- */

/* The next header of either kind, or `to`. */
static uint64_t next_header(tut_zip *z, uint64_t from, uint64_t to)
{
    uint64_t found = 0, end = to;
    if (tut_zip_find(z, from, end, TUT_ZIP_SIG_LOCAL, &found))
        end = found;
    if (tut_zip_find(z, from, end, TUT_ZIP_SIG_CENTRAL, &found))
        end = found;
    return end;
}

/* Where stored data of unknown length ends: at a descriptor that fits, else at the next header. */
static uint64_t measure_stored(tut_zip *z, tut_zip_header *h, uint64_t to)
{
    uint64_t at = h->data_at, found = 0;
    while (tut_zip_may_scan(z, to - at) &&
           tut_zip_find(z, at, to, TUT_ZIP_SIG_DESCRIPTOR, &found)) {
        uint8_t raw[16];
        z->scanned -= to - found; /* not looked at */
        if (tut_is_ok(tut_source_read(z->src, found, raw, sizeof(raw), NULL)) &&
            little(raw + 8, 4) == ((found - h->data_at) & UINT32_MAX)) {
            h->crc = (uint32_t)little(raw + 4, 4);
            return found - h->data_at;
        }
        at = found + 4;
    }
    return next_header(z, h->data_at, to) - h->data_at;
}

/* Compressed data carries its own end. */
static tut_status measure_packed(tut_zip *z, tut_zip_header *h, uint64_t to, tut_codec codec,
                                 tut_error *err)
{
    tut_source part;
    tut_codec_counts counts;
    tut_span some = {0};
    TUT_TRY(tut_source_slice(z->src, h->data_at, to - h->data_at, &part));
    TUT_AUTO(tut_stream) raw = NULL;
    TUT_AUTO(tut_stream) decoded = NULL;
    TUT_TRY(tut_stream_open_source(&part, &raw));
    TUT_TRY(tut_codec_open_counted(codec, raw, z->x->budget, &counts, &decoded, err));
    while (tut_is_ok(tut_stream_peek_some(decoded, 16u << 10, &some)) && some.len > 0) {
        if (!tut_is_ok(tut_stream_skip(decoded, some.len)))
            break;
    }
    h->unpacked = counts.unpacked;
    h->crc = counts.crc32;
    h->packed = counts.packed;
    if (!counts.is_ended) {
        z->scanned += counts.packed;
        h->packed = next_header(z, h->data_at, to) - h->data_at;
    }
    return TUT_SUCCESS;
}

static tut_status measure(tut_zip *z, tut_zip_member *m, uint64_t to, tut_error *err)
{
    tut_zip_header *h = &m->local;
    tut_codec codec = TUT_CODEC_STORED;
    bool is_ours = tut_zip_codec(h->method, &codec);
    uint64_t room = to > h->data_at ? to - h->data_at : 0;
    if (h->is_deferred && room > 0) {
        if (is_ours && codec != TUT_CODEC_STORED && tut_zip_may_scan(z, 0)) {
            TUT_TRY(measure_packed(z, h, to, codec, err));
        } else {
            h->packed = h->unpacked = measure_stored(z, h, to);
        }
    }
    m->start = h->at;
    m->end = h->packed < room ? h->data_at + h->packed : to;
    if (h->flags & TUT_ZIP_FLAG_DEFERRED) {
        bool agrees = false;
        m->end += tut_zip_descriptor(z, m->end, h, &agrees);
    }
    return TUT_SUCCESS;
}

tut_status tut_zip_walk_locals(tut_zip *z, uint64_t from, uint64_t to, size_t *ret_found,
                               tut_error *err)
{
    uint64_t at = from;
    *ret_found = 0;
    while (tut_zip_find(z, at, to, TUT_ZIP_SIG_LOCAL, &at)) {
        tut_zip_header h;
        tut_status s = tut_zip_read_local(z, at, NULL, &h, err);
        if (s.code == TUT_TRUNCATED || s.code == TUT_MALFORMED) {
            tut_zip_problem(z, TUT_TRUNCATED, "a local header is cut off");
            at += 4;
            continue;
        }
        TUT_TRY(s);
        tut_zip_member *m = NULL;
        TUT_TRY(tut_zip_add(z, &m, err));
        m->local = h;
        TUT_TRY(measure(z, m, to, err));
        (*ret_found)++;
        at = m->end > at ? m->end : at + 4;
    }
    return TUT_SUCCESS;
}
