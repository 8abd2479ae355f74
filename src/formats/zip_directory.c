/*
 * The central directory: a run of headers, one a member.
 *
 *   central = "PK\1\2" made_by needed flags method time date crc packed unpacked
 *             name_len extra_len comment_len disk internal external local_at
 *             name extra comment
 *
 * Some readers stop after the count that the end record gives, some after its size; all headers
 * that follow each other are read here, and a difference is reported.
 */
#include <string.h>

#include "formats/zip_internal.h"

tut_status tut_zip_add(tut_zip *z, tut_zip_member **ret_member, tut_error *err)
{
    if (z->count >= TUT_LIMIT_ZIP_MEMBERS) {
        tut_exam_observe(z->x, "zip.too-many-members", TUT_NO_OFFSET,
                         "more than %u members; the rest was not read", TUT_LIMIT_ZIP_MEMBERS);
        return tut_fail(err, TUT_LIMIT, "more than %u members", TUT_LIMIT_ZIP_MEMBERS);
    }
    TUT_TRY(tut_budget_steps(z->x->budget, 1, err));
    size_t before = z->capacity;
    TUT_TRY(tut_grow(&z->members, z->count, &z->capacity, sizeof(*z->members)));
    uint64_t grown = (uint64_t)(z->capacity - before) * sizeof(*z->members);
    TUT_TRY(tut_budget_heap(z->x->budget, grown, err));
    z->heap += grown;
    *ret_member = &z->members[z->count++];
    **ret_member = (tut_zip_member){0};
    return TUT_SUCCESS;
}

static tut_status take_name(tut_zip *z, tut_span bytes, tut_str *ret_name, tut_error *err)
{
    TUT_TRY(tut_budget_heap(z->x->budget, bytes.len + 1, err));
    z->heap += bytes.len + 1;
    char *copy = tut_arena_copy(&z->arena, tut_str_from(bytes));
    if (!copy)
        return tut_fail(err, TUT_NOMEM, "no memory for member names");
    *ret_name = (tut_str){copy, bytes.len};
    return TUT_SUCCESS;
}

/* The 64-bit values stand in the extra field in a fixed order, each only if its plain field is
 * full. */
static void read_wide(tut_zip_header *h, tut_reader *r, bool is_central, bool *ret_is_short)
{
    uint64_t *const wanted[] = {&h->unpacked, &h->packed, is_central ? &h->local_at : NULL};
    for (size_t i = 0; i < 3; i++) {
        if (wanted[i] && *wanted[i] == UINT32_MAX && !tut_is_ok(tut_reader_u64le(r, wanted[i])))
            *ret_is_short = true;
    }
}

/* Info-ZIP's second name: readers that know it use it instead, if its CRC fits the first name. */
static void check_unicode_path(tut_zip *z, const tut_zip_header *h, tut_reader *r)
{
    uint8_t version = 0;
    uint32_t crc = 0;
    if (!tut_is_ok(tut_reader_u8(r, &version)) || !tut_is_ok(tut_reader_u32le(r, &crc)))
        return;
    tut_str other = {(const char *)r->data + r->pos, tut_reader_left(r)};
    if (!tut_str_eq(other, h->name))
        tut_exam_observe(z->x, "zip.unicode-name", h->at, "'%.*s' is also called '%.*s'",
                         TUT_ZIP_NAME(h->name), TUT_ZIP_NAME(other));
}

void tut_zip_read_extra(tut_zip *z, tut_zip_header *h, tut_span extra, bool is_central)
{
    tut_reader r = tut_reader_of(extra);
    bool was_wide = false, is_short = false;
    /* Aligning tools leave up to three zero bytes at the end. */
    while (tut_reader_left(&r) >= 4) {
        uint16_t id = 0, len = 0;
        tut_reader field;
        if (!tut_is_ok(tut_reader_u16le(&r, &id)) || !tut_is_ok(tut_reader_u16le(&r, &len)) ||
            !tut_is_ok(tut_reader_take(&r, len, &field))) {
            tut_exam_observe(z->x, "zip.extra-field", h->at,
                             "'%.*s': an extra field reaches beyond its end",
                             TUT_ZIP_NAME(h->name));
            return;
        }
        if (id == 0x0001 && !was_wide) {
            was_wide = true;
            read_wide(h, &field, is_central, &is_short);
        } else if (id == 0x0001) {
            tut_exam_observe(z->x, "zip.zip64-mismatch", h->at, "'%.*s' has two zip64 fields",
                             TUT_ZIP_NAME(h->name));
        } else if (id == 0x7075) {
            check_unicode_path(z, h, &field);
        }
    }
    bool is_full = h->unpacked == UINT32_MAX || h->packed == UINT32_MAX ||
                   (is_central && h->local_at == UINT32_MAX);
    bool is_open = !is_central && (h->flags & TUT_ZIP_FLAG_DEFERRED);
    if (is_short || (is_full && !was_wide && !is_open))
        tut_exam_observe(z->x, "zip.zip64-mismatch", h->at, "'%.*s' lacks its zip64 values",
                         TUT_ZIP_NAME(h->name));
}

typedef struct central_tail {
    uint16_t name_len, extra_len, comment_len;
} central_tail;

static tut_status parse_central(const uint8_t *raw, tut_zip_header *h, central_tail *t)
{
    tut_reader r = tut_reader_of(tut_span_of(raw, TUT_ZIP_CENTRAL_BYTES));
    uint32_t packed = 0, unpacked = 0, local_at = 0;
    TUT_TRY(tut_reader_skip(&r, 4));
    TUT_TRY(tut_reader_u16le(&r, &h->made_by));
    TUT_TRY(tut_reader_skip(&r, 2));
    TUT_TRY(tut_reader_u16le(&r, &h->flags));
    TUT_TRY(tut_reader_u16le(&r, &h->method));
    TUT_TRY(tut_reader_skip(&r, 4));
    TUT_TRY(tut_reader_u32le(&r, &h->crc));
    TUT_TRY(tut_reader_u32le(&r, &packed));
    TUT_TRY(tut_reader_u32le(&r, &unpacked));
    TUT_TRY(tut_reader_u16le(&r, &t->name_len));
    TUT_TRY(tut_reader_u16le(&r, &t->extra_len));
    TUT_TRY(tut_reader_u16le(&r, &t->comment_len));
    TUT_TRY(tut_reader_skip(&r, 4));
    TUT_TRY(tut_reader_u32le(&r, &h->external));
    TUT_TRY(tut_reader_u32le(&r, &local_at));
    h->packed = packed;
    h->unpacked = unpacked;
    h->local_at = local_at;
    h->is_present = true;
    return TUT_SUCCESS;
}

static tut_status read_central(tut_zip *z, tut_stream *s, const tut_zip_end *end, tut_error *err)
{
    tut_zip_header h = {.at = end->directory_at + tut_stream_pos(s)};
    central_tail t = {0};
    const uint8_t *raw = NULL;
    TUT_TRY(tut_stream_take(s, TUT_ZIP_CENTRAL_BYTES, &raw));
    TUT_TRY(parse_central(raw, &h, &t));
    TUT_TRY(tut_stream_take(s, t.name_len, &raw));
    TUT_TRY(take_name(z, tut_span_of(raw, t.name_len), &h.name, err));
    TUT_TRY(tut_stream_take(s, t.extra_len, &raw));
    tut_zip_read_extra(z, &h, tut_span_of(raw, t.extra_len), true);
    TUT_TRY(tut_stream_skip(s, t.comment_len));
    if (__builtin_add_overflow(h.local_at, end->shift, &h.local_at))
        h.local_at = UINT64_MAX;
    tut_zip_member *m = NULL;
    TUT_TRY(tut_zip_add(z, &m, err));
    m->central = h;
    return TUT_SUCCESS;
}

static bool at_central(tut_stream *s)
{
    const uint8_t *raw = NULL;
    return tut_is_ok(tut_stream_peek(s, 4, &raw)) && memcmp(raw, "PK\1\2", 4) == 0;
}

static void check_extent(tut_zip *z, const tut_zip_end *end, uint64_t entries, uint64_t bytes)
{
    bool is_wrapped = end->tail_at == end->at && (entries & 0xffff) == end->entries;
    if (entries != end->entries)
        tut_exam_observe(z->x, "zip.entry-count", end->at,
                         "the end record counts %llu members, the directory has %llu%s",
                         (unsigned long long)end->entries, (unsigned long long)entries,
                         is_wrapped ? " (the count has wrapped round)" : "");
    else if (bytes != end->size && (end->size != UINT32_MAX || end->tail_at != end->at))
        tut_exam_observe(z->x, "zip.entry-count", end->at,
                         "the end record gives the directory %llu bytes, it has %llu",
                         (unsigned long long)end->size, (unsigned long long)bytes);
}

tut_status tut_zip_read_directory(tut_zip *z, tut_zip_end *end, bool is_primary, tut_error *err)
{
    tut_source part;
    TUT_TRY(tut_source_slice(z->src, end->directory_at, end->tail_at - end->directory_at, &part));
    TUT_AUTO(tut_stream) s = NULL;
    TUT_TRY(tut_stream_open_source(&part, &s));
    uint64_t entries = 0, bytes = 0;
    while (at_central(s)) {
        tut_status read = read_central(z, s, end, err);
        if (read.code == TUT_TRUNCATED) {
            tut_exam_observe(z->x, "zip.directory-broken", end->directory_at + bytes,
                             "header %llu of the directory is cut off",
                             (unsigned long long)entries);
            tut_zip_problem(z, TUT_MALFORMED, "the zip directory is broken");
            break;
        }
        TUT_TRY(read);
        entries++;
        bytes = tut_stream_pos(s);
    }
    end->directory_end = end->directory_at + bytes;
    if (is_primary)
        check_extent(z, end, entries, bytes);
    return TUT_SUCCESS;
}
