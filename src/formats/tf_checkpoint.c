/*
 * The index of a TensorFlow checkpoint (variables.index, model.ckpt.index): a sorted table of
 * LevelDB from names of variables to where their bytes lie in the data files beside it
 * (tensor_bundle.cc).
 *
 *   file   = block* footer          footer = metaindex:handle index:handle padding magic:u64  (48
 * bytes) handle = offset:varint size:varint                a block is followed by its kind and a
 * CRC block  = { shared:varint own:varint length:varint key-tail value }* restart:u32* restarts:u32
 *   value  = BundleEntryProto; under the empty key BundleHeaderProto
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/reader.h"
#include "formats/format.h"

enum {
    FOOTER = 48,
    TRAILER = 5,
    LARGEST_BLOCK = 8u << 20, /* TensorFlow writes 256 KiB */
    LONGEST_KEY = 4096,
    LONGEST_NAME = 255,
};

static const uint8_t magic[8] = {0x57, 0xfb, 0x80, 0x8b, 0x24, 0x75, 0x47, 0xdb};

typedef struct index_file {
    tut_exam *x;
    tut_buf block, inner;
    char key[LONGEST_KEY + 1];
    size_t key_len;
    uint64_t shards, variables, parameters;
    uint64_t sizes[64]; /* of the data files, + 1; 0: not looked up */
} index_file;

typedef struct handle {
    uint64_t offset, size;
} handle;

static tut_match sniff(const tut_sniff *s)
{
    if (s->tail.len < FOOTER || memcmp(s->tail.data + s->tail.len - 8, magic, 8) != 0)
        return TUT_MATCH_NONE;
    return tut_sniff_ext(s, ".index") ? TUT_MATCH_SURE : TUT_MATCH_STRONG;
}

static tut_status bad(index_file *f, uint64_t at, const char *why, tut_error *err)
{
    tut_exam_observe(f->x, "tf.malformed", at, "%s", why);
    return tut_fail_at(err, TUT_MALFORMED, at, "%s", why);
}

static bool take_handle(tut_reader *r, handle *ret)
{
    return tut_is_ok(tut_reader_varint(r, &ret->offset)) &&
           tut_is_ok(tut_reader_varint(r, &ret->size));
}

/* Reads a block; its entries are what is before the restarts. */
static tut_status load_block(index_file *f, const handle *h, tut_buf *to, tut_reader *ret,
                             tut_error *err)
{
    uint64_t room = f->x->source->size - FOOTER;
    if (h->offset > room || h->size > room - h->offset || room - h->offset - h->size < TRAILER ||
        h->size < 4)
        return bad(f, h->offset, "a block of the table lies outside of the file", err);
    if (h->size > LARGEST_BLOCK)
        return tut_fail_at(err, TUT_LIMIT, h->offset, "a block larger than TensorFlow writes");
    tut_buf_clear(to);
    uint8_t chunk[4096];
    for (uint64_t at = 0; at < h->size + TRAILER; at += sizeof(chunk)) {
        uint64_t left = h->size + TRAILER - at;
        size_t n = left < sizeof(chunk) ? (size_t)left : sizeof(chunk);
        TUT_TRY(tut_source_read(f->x->source, h->offset + at, chunk, n, err));
        tut_buf_add(to, chunk, n);
    }
    TUT_TRY(tut_buf_check(to, err));
    const uint8_t *bytes = tut_buf_span(to).data;
    if (bytes[h->size] != 0)
        return tut_fail_at(err, TUT_UNSUPPORTED, h->offset,
                           "the table is compressed, which TensorFlow never does");
    const uint8_t *end = bytes + h->size - 4;
    uint64_t restarts = end[0] | (uint64_t)end[1] << 8 | (uint64_t)end[2] << 16 |
                        (uint64_t)end[3] << 24;
    if (restarts > (h->size - 4) / 4)
        return bad(f, h->offset, "a block of the table has more restarts than bytes", err);
    *ret = tut_reader_of(tut_span_of(bytes, (size_t)(h->size - 4 - restarts * 4)));
    return TUT_SUCCESS;
}

/* The next entry of a block; the key grows from the one before it. */
static tut_status next_entry(index_file *f, tut_reader *r, tut_span *ret_value, tut_error *err)
{
    uint64_t shared = 0, own = 0, length = 0;
    tut_span tail;
    TUT_TRY(tut_budget_steps(f->x->budget, 1, err));
    bool is_read = tut_is_ok(tut_reader_varint(r, &shared)) &&
                   tut_is_ok(tut_reader_varint(r, &own)) &&
                   tut_is_ok(tut_reader_varint(r, &length)) && shared <= f->key_len &&
                   own <= LONGEST_KEY - shared && tut_is_ok(tut_reader_bytes(r, own, &tail)) &&
                   tut_is_ok(tut_reader_bytes(r, length, ret_value));
    if (!is_read)
        return bad(f, TUT_NO_OFFSET, "an entry of the table reaches beyond its block", err);
    if (own)
        memcpy(f->key + shared, tail.data, (size_t)own);
    f->key_len = (size_t)(shared + own);
    f->key[f->key_len] = '\0';
    return TUT_SUCCESS;
}

/* --- entries --- */

typedef struct entry {
    uint64_t dtype, shard, offset, size, elements;
    bool is_bad;
} entry;

static bool read_dim(tut_reader dim, entry *e)
{
    while (tut_reader_left(&dim) > 0) {
        uint64_t tag = 0, value = 0;
        if (!tut_is_ok(tut_reader_varint(&dim, &tag)) ||
            !tut_is_ok(tut_reader_varint(&dim, &value)))
            return false;
        if (tag == 0x08)
            e->is_bad |= value > INT64_MAX ||
                         __builtin_mul_overflow(e->elements, value, &e->elements);
        else if ((tag & 7) != 2 || !tut_is_ok(tut_reader_skip(&dim, value)))
            return false;
    }
    return true;
}

static bool read_shape(tut_reader shape, entry *e)
{
    tut_reader dim;
    while (tut_reader_left(&shape) > 0) {
        uint64_t tag = 0, value = 0;
        if (!tut_is_ok(tut_reader_varint(&shape, &tag)) ||
            !tut_is_ok(tut_reader_varint(&shape, &value)))
            return false;
        if ((tag & 7) == 0)
            continue;
        if ((tag & 7) != 2 || !tut_is_ok(tut_reader_take(&shape, value, &dim)) ||
            (tag == 0x12 && !read_dim(dim, e)))
            return false;
    }
    return true;
}

static bool read_entry(tut_span value, entry *e)
{
    tut_reader r = tut_reader_of(value), shape;
    *e = (entry){.elements = 1};
    while (tut_reader_left(&r) > 0) {
        uint64_t tag = 0, number = 0;
        if (!tut_is_ok(tut_reader_varint(&r, &tag)))
            return false;
        if ((tag & 7) == 5) {
            if (!tut_is_ok(tut_reader_skip(&r, 4)))
                return false;
            continue;
        }
        if (((tag & 7) != 0 && (tag & 7) != 2) || !tut_is_ok(tut_reader_varint(&r, &number)))
            return false;
        if ((tag & 7) == 2 && !tut_is_ok(tut_reader_take(&r, number, &shape)))
            return false;
        if (tag == 0x12 && !read_shape(shape, e))
            return false;
        e->dtype = tag == 0x08 ? number : e->dtype;
        e->shard = tag == 0x18 ? number : e->shard;
        e->offset = tag == 0x20 ? number : e->offset;
        e->size = tag == 0x28 ? number : e->size;
    }
    return true;
}

/* Size of a data file beside the index, or UINT64_MAX when it cannot be had. */
static uint64_t shard_size(index_file *f, uint64_t shard)
{
    char name[LONGEST_NAME + 64];
    tut_source source;
    size_t stem = f->x->name.len > 6 ? f->x->name.len - 6 : 0; /* ".index" */
    if (shard >= sizeof(f->sizes) / sizeof(f->sizes[0]) || !f->x->ops->sibling || stem == 0 ||
        stem > LONGEST_NAME)
        return UINT64_MAX;
    if (f->sizes[shard] == 0) {
        (void)snprintf(name, sizeof(name), "%.*s.data-%05" PRIu64 "-of-%05" PRIu64, (int)stem,
                       f->x->name.data, shard, f->shards);
        tut_exam_fact(f->x, "refers.shard", tut_str_of(name));
        bool is_there = tut_is_ok(f->x->ops->sibling(f->x->ctx, name, &source, NULL));
        f->sizes[shard] = is_there ? source.size + 1 : UINT64_MAX;
        if (!is_there)
            tut_exam_observe(f->x, "tf.values-missing", TUT_NO_OFFSET, "%s cannot be read", name);
    }
    return f->sizes[shard] == UINT64_MAX ? UINT64_MAX : f->sizes[shard] - 1;
}

static tut_status take_variable(index_file *f, tut_span value, tut_error *err)
{
    static const uint8_t widths[] = {
        [1] = 4,  [2] = 8,  [3] = 4,  [4] = 1,   [5] = 2,  [6] = 1,  [8] = 8, [9] = 8,
        [10] = 1, [14] = 2, [17] = 2, [18] = 16, [19] = 2, [22] = 4, [23] = 8};
    entry e;
    uint64_t bytes = 0;
    if (!read_entry(value, &e))
        return bad(f, TUT_NO_OFFSET, "an entry of the table is no description of a variable", err);
    uint64_t width = e.dtype < sizeof(widths) ? widths[e.dtype] : 0;
    f->variables++;
    e.is_bad |= __builtin_mul_overflow(e.elements, width ? width : 1, &bytes);
    if (e.is_bad) {
        tut_exam_observe(f->x, "tf.bad-shape", TUT_NO_OFFSET,
                         "the shape of variable %.200s is negative, or larger than any memory",
                         f->key);
        return TUT_SUCCESS;
    }
    if (width && e.size != bytes && e.size > 0)
        tut_exam_observe(f->x, "tf.tensor-size", TUT_NO_OFFSET,
                         "variable %.200s has %" PRIu64
                         " bytes, its type and shape ask for %" PRIu64,
                         f->key, e.size, bytes);
    uint64_t have = shard_size(f, e.shard);
    if (e.shard >= f->shards ||
        (have != UINT64_MAX && (e.offset > have || e.size > have - e.offset)))
        tut_exam_observe(f->x, "tf.values-range", TUT_NO_OFFSET,
                         "variable %.200s: %" PRIu64 " bytes at %" PRIu64
                         " reach beyond its data file",
                         f->key, e.size, e.offset);
    f->parameters += width ? e.elements : 0;
    return TUT_SUCCESS;
}

static tut_status read_data_block(index_file *f, const handle *h, tut_error *err)
{
    tut_reader r;
    tut_span value;
    entry header;
    f->key_len = 0;
    TUT_TRY(load_block(f, h, &f->inner, &r, err));
    while (tut_reader_left(&r) > 0) {
        TUT_TRY(next_entry(f, &r, &value, err));
        if (f->key_len > 0) {
            TUT_TRY(take_variable(f, value, err));
            continue;
        }
        /* BundleHeaderProto: the number of data files is its first field. */
        if (!read_entry(value, &header))
            return bad(f, TUT_NO_OFFSET, "the header of the table is none", err);
        f->shards = header.dtype;
    }
    return TUT_SUCCESS;
}

static tut_status read_table(index_file *f, tut_error *err)
{
    uint8_t footer[FOOTER];
    handle meta, index, data;
    tut_reader r, entries;
    tut_span value;
    char outer[LONGEST_KEY + 1] = "";
    TUT_TRY(tut_source_read(f->x->source, f->x->source->size - FOOTER, footer, FOOTER, err));
    r = tut_reader_of(tut_span_of(footer, 40));
    if (!take_handle(&r, &meta) || !take_handle(&r, &index))
        return bad(f, f->x->source->size - FOOTER, "the footer of the table is broken", err);
    TUT_TRY(load_block(f, &index, &f->block, &entries, err));
    size_t outer_len = 0;
    while (tut_reader_left(&entries) > 0) {
        memcpy(f->key, outer, outer_len);
        f->key_len = outer_len;
        TUT_TRY(next_entry(f, &entries, &value, err));
        outer_len = f->key_len;
        memcpy(outer, f->key, outer_len);
        tut_reader where = tut_reader_of(value);
        if (!take_handle(&where, &data))
            return bad(f, TUT_NO_OFFSET, "the table's own index is broken", err);
        TUT_TRY(read_data_block(f, &data, err));
    }
    return TUT_SUCCESS;
}

static tut_status examine(tut_exam *x, tut_error *err)
{
    TUT_AUTO_FREE index_file *f = tut_alloc_array(1, sizeof(*f));
    if (!f)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    if (x->source->size < FOOTER)
        return tut_fail(err, TUT_TRUNCATED, "the file ends too early");
    f->x = x;
    tut_buf_init(&f->block, LARGEST_BLOCK + 4096);
    tut_buf_init(&f->inner, LARGEST_BLOCK + 4096);
    tut_status status = read_table(f, err);
    tut_exam_factf(x, "tf.variables", "%" PRIu64, f->variables);
    tut_exam_factf(x, "parameters", "%" PRIu64, f->parameters);
    tut_buf_done(&f->block);
    tut_buf_done(&f->inner);
    return status;
}

extern const tut_format tut_format_tf_checkpoint;

const tut_format tut_format_tf_checkpoint = {
    .name = "tf-checkpoint",
    .label = "TensorFlow checkpoint index",
    .kind = TUT_KIND_MODEL,
    .needs_source = true,
    .sniff = sniff,
    .examine = examine,
    .extensions = ".index",
    .reads = "variables, their shapes, and where their bytes lie in the data files",
    .rules = "tf",
};
