/*
 *   chunk  = [ dictionary page ] { data page }
 *   page   = header body
 *   header = 1 kind, 2 bytes decoded, 3 bytes as they are, 4 CRC-32 of the body,
 *            5 data (1 values, 2 encoding, 3 of definition levels, 4 of repetition levels),
 *            7 dictionary (1 values, 2 encoding),
 *            8 data of version 2 (1 values, 2 nulls, 3 rows, 4 encoding, 5 bytes of definition
 *              levels, 6 of repetition levels, 7 whether it is compressed)
 *   body   = version 1, after decoding: [repetition levels] [definition levels] values
 *            version 2: repetition levels, definition levels, values (these alone compressed)
 */
#include <zlib.h>

#include "formats/parquet_internal.h"

enum { HEADER_FIRST = 512, HEADER_MAX = 16 << 20, SPARE_LEAST = 64 << 10 };

/* Of the sizes that are kept for the next page: 64 KiB, and each twice the one before. */
static size_t kept_size(size_t bytes, unsigned *ret_class)
{
    for (unsigned k = 0; k < PARQUET_SPARES; k++) {
        *ret_class = k;
        if (bytes > SPARE_LEAST / 2 && bytes <= (size_t)SPARE_LEAST << k)
            return (size_t)SPARE_LEAST << k;
    }
    return 0;
}

/* A place with a block of that class, or without one; else any. */
static void **kept_slot(tut_parquet *p, unsigned class, bool has_block)
{
    void **slots = p->spares[class];
    unsigned i = 0;
    while (i + 1 < PARQUET_SPARES_KEPT && (slots[i] != NULL) != has_block)
        i++;
    return &slots[i];
}

parquet_block *parquet_block_new(tut_parquet *p, size_t len)
{
    size_t bytes = 0;
    unsigned class = 0;
    if (__builtin_add_overflow(len, sizeof(parquet_block) + PARQUET_SPARE, &bytes))
        return NULL;
    const size_t kept = kept_size(bytes, &class);
    bytes = kept ? kept : bytes;
    if (!tut_is_ok(tut_budget_heap(p->budget, bytes, NULL)))
        return NULL;
    parquet_block *b = kept ? tut_spare_take(kept_slot(p, class, true), bytes)
                            : tut_realloc_array(NULL, bytes, 1);
    if (!b) {
        tut_budget_heap_return(p->budget, bytes);
        return NULL;
    }
    *b = (parquet_block){.len = len, .capacity = bytes};
    memset(b->data + len, 0, PARQUET_SPARE);
    return b;
}

void parquet_block_free(tut_parquet *p, parquet_block *b)
{
    unsigned class = 0;
    if (!b)
        return;
    tut_budget_heap_return(p->budget, b->capacity);
    if (kept_size(b->capacity, &class) == b->capacity)
        tut_spare_give(kept_slot(p, class, false), b);
    else
        tut_free(b);
}

void tut_parquet_release(tut_parquet *p)
{
    while (p->retired) {
        parquet_block *next = p->retired->next;
        parquet_block_free(p, p->retired);
        p->retired = next;
    }
}

/* --- header --- */

/* Fields of the struct of a page's kind, by their numbers. */
static tut_status read_body(tut_reader *r, uint8_t type, int32_t kind, parquet_page_header *h)
{
    int32_t *const data[] = {&h->values, &h->encoding, &h->def_encoding, &h->rep_encoding};
    int32_t *const second[] = {&h->values,   &h->nulls,     &h->rows,
                               &h->encoding, &h->def_bytes, &h->rep_bytes};
    int32_t *const *to = kind == PARQUET_PAGE_DATA_V2 ? second : data;
    int32_t count = kind == PARQUET_PAGE_DATA ? 4 : kind == PARQUET_PAGE_DICTIONARY ? 2 : 6;
    bool is_compressed = true;
    if (type != TUT_THRIFT_STRUCT)
        return (tut_status){TUT_MALFORMED};
    for (int32_t field = 0;;) {
        TUT_TRY(tut_thrift_field(r, &field, &type));
        if (type == TUT_THRIFT_STOP)
            break;
        if (field >= 1 && field <= count)
            TUT_TRY(tut_thrift_i32(r, type, to[field - 1]));
        else if (kind == PARQUET_PAGE_DATA_V2 && field == 7)
            TUT_TRY(tut_thrift_bool(type, &is_compressed));
        else
            TUT_TRY(tut_thrift_skip(r, type, false));
    }
    h->is_plain = !is_compressed;
    h->has_body |= h->kind == kind;
    return TUT_SUCCESS;
}

static tut_status header_field(tut_reader *r, int32_t field, uint8_t type, parquet_page_header *h)
{
    int32_t crc;
    switch (field) {
    case 1:
        return tut_thrift_i32(r, type, &h->kind);
    case 2:
        return tut_thrift_i32(r, type, &h->unpacked);
    case 3:
        return tut_thrift_i32(r, type, &h->packed);
    case 4:
        TUT_TRY(tut_thrift_i32(r, type, &crc));
        h->crc = (uint32_t)crc;
        h->has_crc = true;
        return TUT_SUCCESS;
    case 5:
        return read_body(r, type, PARQUET_PAGE_DATA, h);
    case 7:
        return read_body(r, type, PARQUET_PAGE_DICTIONARY, h);
    case 8:
        return read_body(r, type, PARQUET_PAGE_DATA_V2, h);
    default:
        return tut_thrift_skip(r, type, false);
    }
}

static tut_status parse_header(tut_reader *r, parquet_page_header *h)
{
    *h = (parquet_page_header){.kind = -1, .unpacked = -1, .packed = -1};
    for (int32_t field = 0;;) {
        uint8_t type;
        TUT_TRY(tut_thrift_field(r, &field, &type));
        if (type == TUT_THRIFT_STOP)
            break;
        TUT_TRY(header_field(r, field, type, h));
    }
    bool is_sound = h->kind >= 0 && h->unpacked >= 0 && h->packed >= 0 && h->values >= 0 &&
                    (h->has_body || h->kind == PARQUET_PAGE_INDEX ||
                     h->kind > PARQUET_PAGE_DATA_V2);
    return is_sound ? TUT_SUCCESS : (tut_status){TUT_MALFORMED};
}

/* A header says nowhere how long it is: read some, and more when it was not whole. */
static tut_status read_header(tut_parquet *p, parquet_column *c, parquet_page_header *h,
                              tut_error *err)
{
    const uint64_t left = c->end - c->at;
    uint8_t first[HEADER_FIRST];
    for (uint64_t want = HEADER_FIRST; want <= HEADER_MAX; want *= 16) {
        size_t got = (size_t)(want < left ? want : left);
        TUT_CLEAN(tut_buf) more = TUT_BUF_INIT;
        uint8_t *to = first;
        if (got > HEADER_FIRST)
            to = tut_buf_extend(&more, got);
        TUT_TRY(tut_buf_check(&more, err));
        TUT_TRY(tut_source_read(p->source, c->at, to, got, err));
        tut_reader r = tut_reader_of(tut_span_of(to, got));
        tut_status s = parse_header(&r, h);
        if (s.code == TUT_TRUNCATED && got < left)
            continue;
        if (tut_is_ok(s))
            c->at += r.pos;
        else
            c->trouble = "the header of a page cannot be read";
        return TUT_SUCCESS;
    }
    c->trouble = "the header of a page is longer than is read";
    return TUT_SUCCESS;
}

/* --- body --- */

static const char *const no_room = "a page is larger than the memory that there is for it";

/* What the header says of sizes, against the bytes that are there. */
static bool sizes_fit(const parquet_column *c, const parquet_page_header *h)
{
    const uint64_t levels = (uint64_t)h->def_bytes + (uint64_t)h->rep_bytes;
    const size_t packed = (size_t)h->packed, unpacked = (size_t)h->unpacked;
    if (h->kind != PARQUET_PAGE_DATA_V2)
        return parquet_unpack_fits(c->codec, packed, unpacked);
    if (h->def_bytes < 0 || h->rep_bytes < 0 || h->nulls < 0 || h->nulls > h->values ||
        levels > packed || levels > unpacked)
        return false;
    return parquet_unpack_fits(h->is_plain ? PARQUET_UNCOMPRESSED : c->codec,
                               packed - (size_t)levels, unpacked - (size_t)levels) ||
           (packed == levels && unpacked == levels);
}

/* Reads the page as it is; *ret_page stays NULL where something is wrong. */
static tut_status read_raw(tut_parquet *p, parquet_column *c, const parquet_page_header *h,
                           parquet_block **ret_page, tut_error *err)
{
    parquet_block *raw = parquet_block_new(p, (size_t)h->packed);
    if (!raw) {
        c->trouble = no_room;
        return TUT_SUCCESS;
    }
    tut_status s = tut_source_read(p->source, c->at, raw->data, raw->len, err);
    if (!tut_is_ok(s)) {
        parquet_block_free(p, raw);
        return s;
    }
    if (h->has_crc && (uint32_t)crc32(0, raw->data, (uInt)raw->len) != h->crc) {
        c->trouble = "the checksum of a page is wrong";
        parquet_block_free(p, raw);
        return TUT_SUCCESS;
    }
    *ret_page = raw;
    return TUT_SUCCESS;
}

/* The decoded page in place of the raw one, or NULL. */
static tut_status unpack(tut_parquet *p, parquet_column *c, const parquet_page_header *h,
                         parquet_block **io_page)
{
    parquet_block *raw = *io_page;
    size_t kept = h->kind == PARQUET_PAGE_DATA_V2 ? (size_t)h->def_bytes + (size_t)h->rep_bytes : 0;
    bool is_plain = c->codec == PARQUET_UNCOMPRESSED || h->is_plain || raw->len == kept;
    if (is_plain)
        return TUT_SUCCESS;
    *io_page = NULL;
    parquet_block *page = parquet_block_new(p, (size_t)h->unpacked);
    tut_status s = TUT_SUCCESS;
    if (!page) {
        c->trouble = no_room;
    } else {
        memcpy(page->data, raw->data, kept);
        s = parquet_unpack(c->codec, tut_span_of(raw->data + kept, raw->len - kept),
                           page->data + kept, page->len - kept, NULL);
    }
    parquet_block_free(p, raw);
    if (page && !tut_is_ok(s)) {
        parquet_block_free(p, page);
        c->trouble = "a page does not decompress to what its header says";
        return s.code == TUT_NOMEM ? s : TUT_SUCCESS;
    }
    *io_page = page;
    return TUT_SUCCESS;
}

static tut_status load(tut_parquet *p, parquet_column *c, const parquet_page_header *h,
                       parquet_block **ret_page, tut_error *err)
{
    *ret_page = NULL;
    if (!sizes_fit(c, h)) {
        c->trouble = "the sizes in the header of a page cannot be";
        return TUT_SUCCESS;
    }
    if (!tut_is_ok(tut_budget_bytes(p->budget, (uint64_t)h->unpacked, NULL))) {
        c->trouble = "more would be decompressed than is read of one file";
        c->is_over = true;
        return TUT_SUCCESS;
    }
    TUT_TRY(read_raw(p, c, h, ret_page, err));
    return *ret_page ? unpack(p, c, h, ret_page) : TUT_SUCCESS;
}

/* --- levels --- */

static unsigned bits_for(unsigned max)
{
    return max == 0 ? 0 : 32 - (unsigned)__builtin_clz(max);
}

/* Levels of version 1: u32le length and that many bytes, or packed ones without a length. */
static bool open_levels(tut_reader *r, int32_t encoding, unsigned max, uint64_t count,
                        parquet_hybrid *ret)
{
    uint32_t len;
    tut_span bytes;
    unsigned width = bits_for(max);
    if (max == 0)
        return true;
    if (encoding == PARQUET_BIT_PACKED) {
        if (!tut_is_ok(tut_reader_bytes(r, (count * width + 7) / 8, &bytes)))
            return false;
        parquet_msb_init(ret, bytes, width, count);
        return true;
    }
    if (encoding != PARQUET_RLE || !tut_is_ok(tut_reader_u32le(r, &len)) ||
        !tut_is_ok(tut_reader_bytes(r, len, &bytes)))
        return false;
    parquet_hybrid_init(ret, bytes, width);
    return true;
}

static bool open_page(parquet_column *c, const parquet_page_header *h, tut_span *ret_values)
{
    const tut_parquet_leaf *l = c->leaf;
    tut_reader r = tut_reader_of(tut_span_of(c->page->data, c->page->len));
    tut_span reps, defs;
    if (h->kind == PARQUET_PAGE_DATA) {
        if (!open_levels(&r, h->rep_encoding, l->max_rep, c->levels, &c->reps) ||
            !open_levels(&r, h->def_encoding, l->max_def, c->levels, &c->defs))
            return false;
    } else {
        if (!tut_is_ok(tut_reader_bytes(&r, (uint64_t)h->rep_bytes, &reps)) ||
            !tut_is_ok(tut_reader_bytes(&r, (uint64_t)h->def_bytes, &defs)))
            return false;
        parquet_hybrid_init(&c->reps, reps, bits_for(l->max_rep));
        parquet_hybrid_init(&c->defs, defs, bits_for(l->max_def));
    }
    return tut_is_ok(tut_reader_bytes(&r, tut_reader_left(&r), ret_values));
}

/* --- pages --- */

static tut_status dictionary_page(tut_parquet *p, parquet_column *c, const parquet_page_header *h,
                                  tut_error *err)
{
    if (c->had_dictionary || c->had_data) {
        c->trouble = "a second dictionary, or one behind its data; it is passed over";
        return TUT_SUCCESS;
    }
    c->had_dictionary = true;
    if (h->encoding != PARQUET_PLAIN && h->encoding != PARQUET_PLAIN_DICTIONARY) {
        c->trouble = "a dictionary in an encoding that none has";
        return TUT_SUCCESS;
    }
    TUT_TRY(load(p, c, h, &c->dictionary, err));
    if (!c->dictionary)
        return TUT_SUCCESS;
    c->dictionary_number = ++p->dictionaries;
    return parquet_dictionary(p, c, (uint64_t)h->values, &c->trouble);
}

static tut_status data_page(tut_parquet *p, parquet_column *c, const parquet_page_header *h,
                            tut_error *err)
{
    tut_span values;
    c->had_data = true;
    c->levels = c->levels_left = (uint64_t)h->values;
    c->is_lost = true;
    if (c->levels > c->values_left) {
        c->trouble = "a page says that it holds more values than the column has";
        c->levels = c->levels_left = c->values_left;
    }
    c->values_left -= c->levels;
    TUT_TRY(load(p, c, h, &c->page, err));
    if (!c->page)
        return TUT_SUCCESS;
    if (!open_page(c, h, &values)) {
        c->trouble = "the levels of a page are cut off, or in an encoding that levels never have";
        return TUT_SUCCESS;
    }
    const char *trouble = NULL;
    parquet_values_open(c, values, h->encoding, &trouble);
    c->trouble = trouble ? trouble : c->trouble;
    c->is_lost = trouble != NULL;
    return TUT_SUCCESS;
}

/* The page that was read through. */
static void retire(tut_parquet *p, parquet_column *c)
{
    if (c->page && c->leaf->type == TUT_PARQUET_BYTE_ARRAY) {
        c->page->next = p->retired;
        p->retired = c->page;
    } else {
        parquet_block_free(p, c->page);
    }
    c->page = NULL;
    c->levels = c->levels_left = 0;
}

static tut_status any_page(tut_parquet *p, parquet_column *c, tut_error *err)
{
    parquet_page_header h;
    c->page_at = c->at;
    TUT_TRY(read_header(p, c, &h, err));
    if (!c->trouble && (uint64_t)h.packed > c->end - c->at)
        c->trouble = "a page is longer than its column";
    if (c->trouble) {
        c->is_over = true;
        return TUT_SUCCESS;
    }
    const uint64_t next = c->at + (uint64_t)h.packed;
    tut_status s = TUT_SUCCESS;
    if (h.kind == PARQUET_PAGE_DICTIONARY)
        s = dictionary_page(p, c, &h, err);
    else if (h.kind == PARQUET_PAGE_DATA || h.kind == PARQUET_PAGE_DATA_V2)
        s = data_page(p, c, &h, err);
    c->at = next;
    return s;
}

tut_status parquet_page_next(tut_parquet *p, parquet_column *c, tut_error *err)
{
    retire(p, c);
    while (!c->is_over && c->levels_left == 0 && !c->trouble) {
        parquet_block_free(p, c->page); /* of a page that holds nothing */
        c->page = NULL;
        if (c->values_left == 0 || c->at >= c->end) {
            c->is_over = true;
            if (c->values_left > 0)
                c->trouble = "the column has fewer values than the footer says";
            break;
        }
        TUT_TRY(any_page(p, c, err));
    }
    return TUT_SUCCESS;
}
