/*
 * HDF5, as version 3 of its format specification has it, and as libhdf5 reads it:
 *
 *   file       = [ user block of 512 * 2^n bytes ] superblock { object header, node, heap, data }
 *   superblock = "\x89HDF\r\n\x1a\n" version ... base address, end of file, root group
 *   object     = header of messages: dataspace, datatype, layout, links, attributes, ...
 *
 * All objects that links lead to are read once, breadth first; raw data only where it is text or
 * bytes that could be something else. Keras' attributes go on to keras_config.c.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "formats/hdf5_internal.h"
#include "formats/text.h"

static const char magic[] = TUT_HDF5_MAGIC;
enum { MAGIC_BYTES = 8, LEAST_USER_BLOCK = 512 };

/* --- recognising --- */

static bool has_magic(const tut_sniff *s)
{
    if (tut_sniff_magic(s, magic, MAGIC_BYTES))
        return true;
    for (size_t at = LEAST_USER_BLOCK; at + MAGIC_BYTES <= s->head.len; at *= 2) {
        if (memcmp(s->head.data + at, magic, MAGIC_BYTES) != 0)
            continue;
        /* A zip archive may hold a file of ours just there; its name tells how it is loaded. */
        return !tut_sniff_magic(s, "PK\3\4", 4) || tut_sniff_ext(s, ".h5 .hdf5 .hdf");
    }
    return false;
}

#define DATA_ENDINGS ".nc .nc4 .cdf .h5ad .loom .mat .he5 .h5mu .nwb .h4"

static tut_match sniff_data(const tut_sniff *s)
{
    return has_magic(s) && tut_sniff_ext(s, DATA_ENDINGS) ? TUT_MATCH_SURE : TUT_MATCH_NONE;
}

static tut_match sniff(const tut_sniff *s)
{
    return has_magic(s) ? TUT_MATCH_SURE : TUT_MATCH_NONE;
}

/* --- what the parts share --- */

void tut_hdf5_problem(tut_hdf5 *h, tut_code code, const char *fmt, ...)
{
    if (h->worst != TUT_OK)
        return;
    h->worst = code;
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(h->problem, sizeof(h->problem), fmt, ap);
    va_end(ap);
}

void tut_hdf5_bad(tut_hdf5 *h, uint64_t address, const char *fmt, ...)
{
    char line[160];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(line, sizeof(line), fmt, ap);
    va_end(ap);
    uint64_t at = address == TUT_HDF5_NOWHERE ? TUT_NO_OFFSET : tut_hdf5_offset(h, address);
    tut_exam_observe(h->x, "hdf5.bad-structure", at, "%s: %s", h->path, line);
    tut_hdf5_problem(h, TUT_MALFORMED, "%s: %s", h->path, line);
}

uint64_t tut_hdf5_offset(const tut_hdf5 *h, uint64_t address)
{
    uint64_t offset;
    return __builtin_add_overflow(address, h->base, &offset) ? UINT64_MAX : offset;
}

tut_status tut_hdf5_read(tut_hdf5 *h, uint64_t address, uint64_t len, tut_buf *out, tut_error *err)
{
    uint64_t at = tut_hdf5_offset(h, address);
    if (at > h->src->size || len > h->src->size - at)
        return tut_fail_at(err, TUT_TRUNCATED, at, "%" PRIu64 " bytes reach beyond the file", len);
    uint8_t *to = tut_buf_extend(out, (size_t)len);
    if (!to)
        return tut_buf_check(out, err);
    return tut_source_read(h->src, at, to, (size_t)len, err);
}

bool tut_hdf5_read_z(tut_hdf5 *h, uint64_t address, size_t cap, tut_buf *out)
{
    uint64_t at = tut_hdf5_offset(h, address);
    uint8_t window[256];
    while (out->len < cap) {
        size_t got = 0;
        if (at > h->src->size ||
            !tut_is_ok(tut_source_read_some(h->src, at, window, sizeof(window), &got, NULL)) ||
            got == 0)
            return false;
        const uint8_t *nul = memchr(window, 0, got);
        tut_buf_add(out, window, nul ? (size_t)(nul - window) : got);
        if (nul)
            return tut_is_ok(tut_buf_check(out, NULL));
        at += got;
    }
    return false;
}

tut_status tut_hdf5_number(tut_reader *r, unsigned bytes, uint64_t *ret)
{
    tut_span raw;
    uint64_t value = 0;
    if (bytes > 8)
        return (tut_status){TUT_MALFORMED};
    TUT_TRY(tut_reader_bytes(r, bytes, &raw));
    for (unsigned i = 0; i < bytes; i++)
        value |= (uint64_t)raw.data[i] << (8 * i);
    *ret = value;
    return TUT_SUCCESS;
}

tut_status tut_hdf5_address(const tut_hdf5 *h, tut_reader *r, uint64_t *ret)
{
    TUT_TRY(tut_hdf5_number(r, h->offset_bytes, ret));
    uint64_t undefined = h->offset_bytes == 8 ? UINT64_MAX : (1ull << (8 * h->offset_bytes)) - 1;
    if (*ret == undefined)
        *ret = TUT_HDF5_NOWHERE;
    return TUT_SUCCESS;
}

tut_status tut_hdf5_length(const tut_hdf5 *h, tut_reader *r, uint64_t *ret)
{
    return tut_hdf5_number(r, h->length_bytes, ret);
}

static uint32_t rotate(uint32_t x, unsigned k)
{
    return x << k | x >> (32 - k);
}

/* lookup3.c by Bob Jenkins (public domain), hashlittle() with a start value of 0. */
static uint32_t lookup3(const uint8_t *k, size_t len)
{
    uint32_t a = 0xdeadbeefu + (uint32_t)len, b = a, c = a;
    uint8_t last[12] = {0};
#define WORD(p, i)                                                                                 \
    ((uint32_t)(p)[i] | (uint32_t)(p)[(i) + 1] << 8 | (uint32_t)(p)[(i) + 2] << 16 |               \
     (uint32_t)(p)[(i) + 3] << 24)
    for (; len > 12; k += 12, len -= 12) {
        a += WORD(k, 0);
        b += WORD(k, 4);
        c += WORD(k, 8);
        a = (a - c) ^ rotate(c, 4), c += b;
        b = (b - a) ^ rotate(a, 6), a += c;
        c = (c - b) ^ rotate(b, 8), b += a;
        a = (a - c) ^ rotate(c, 16), c += b;
        b = (b - a) ^ rotate(a, 19), a += c;
        c = (c - b) ^ rotate(b, 4), b += a;
    }
    if (len == 0)
        return c;
    memcpy(last, k, len);
    a += WORD(last, 0);
    b += WORD(last, 4);
    c += WORD(last, 8);
#undef WORD
    c = (c ^ b) - rotate(b, 14);
    a = (a ^ c) - rotate(c, 11);
    b = (b ^ a) - rotate(a, 25);
    c = (c ^ b) - rotate(b, 16);
    a = (a ^ c) - rotate(c, 4);
    b = (b ^ a) - rotate(a, 14);
    return (c ^ b) - rotate(b, 24);
}

bool tut_hdf5_checksum_fits(tut_span block)
{
    if (block.len < 4)
        return false;
    const uint8_t *raw = block.data + block.len - 4;
    uint32_t stored = (uint32_t)raw[0] | (uint32_t)raw[1] << 8 | (uint32_t)raw[2] << 16 |
                      (uint32_t)raw[3] << 24;
    return lookup3(block.data, block.len - 4) == stored;
}

static tut_status charge(tut_hdf5 *h, uint64_t bytes, tut_error *err)
{
    TUT_TRY(tut_budget_heap(h->x->budget, bytes, err));
    h->charged += bytes;
    return TUT_SUCCESS;
}

tut_status tut_hdf5_visit(tut_hdf5 *h, char kind, uint64_t address, bool *ret_is_new,
                          tut_error *err)
{
    enum { KEY = 9, COST = 96 };
    char key[KEY] = {kind};
    memcpy(key + 1, &address, sizeof(address));
    *ret_is_new = tut_map_get(&h->seen, (tut_str){key, KEY}) == SIZE_MAX;
    TUT_TRY(tut_budget_steps(h->x->budget, 1, err));
    if (!*ret_is_new)
        return TUT_SUCCESS;
    TUT_TRY(charge(h, COST, err));
    char *kept = tut_arena_take(&h->arena, KEY, 1);
    if (!kept)
        return tut_fail(err, TUT_NOMEM, "no memory for another object");
    memcpy(kept, key, KEY);
    return tut_map_put(&h->seen, (tut_str){kept, KEY}, 1, NULL, err);
}

tut_status tut_hdf5_queue(tut_hdf5 *h, const tut_hdf5_object *parent, tut_str name,
                          uint64_t address, uint64_t tree, uint64_t heap, tut_error *err)
{
    TUT_TRY(charge(h, sizeof(tut_hdf5_object) + name.len + 32, err));
    tut_hdf5_object *o = tut_arena_take(&h->arena, 1, sizeof(*o));
    char *kept = o ? tut_arena_copy(&h->arena, name) : NULL;
    if (!kept)
        return tut_fail(err, TUT_NOMEM, "no memory for another object");
    *o = (tut_hdf5_object){
        .parent = parent, .address = address, .tree = tree, .heap = heap, .name = {kept, name.len}};
    if (h->last)
        h->last->next = o;
    else
        h->first = o;
    h->last = o;
    return TUT_SUCCESS;
}

/* Filled from its end, as the parents are met from below; what has no room is "...". */
const char *tut_hdf5_path(tut_hdf5 *h, const tut_hdf5_object *o, tut_str attribute)
{
    char text[TUT_HDF5_PATH_SHOWN];
    size_t at = sizeof(text);
    bool is_cut = false;
    if (attribute.len) {
        size_t n = attribute.len < sizeof(text) / 2 ? attribute.len : sizeof(text) / 2;
        at -= n;
        memcpy(text + at, attribute.data, n);
        text[--at] = '@';
    }
    for (; o && o->parent && !is_cut; o = o->parent) {
        is_cut = o->name.len + 1 > at;
        if (is_cut)
            break;
        at -= o->name.len;
        memcpy(text + at, o->name.data, o->name.len);
        text[--at] = '/';
    }
    const char *start = is_cut ? "..." : at == sizeof(text) || text[at] == '@' ? "/" : "";
    (void)snprintf(h->path, sizeof(h->path), "%s%.*s", start, (int)(sizeof(text) - at), text + at);
    return h->path;
}

/* --- the walk --- */

static void check_overlaps(tut_hdf5 *h)
{
    uint64_t covered = 0;
    tut_extents_sort(&h->extents);
    for (size_t i = 0; i < h->extents.count; i++) {
        const tut_extent *e = &h->extents.items[i];
        if (e->start < covered && e->end > e->start) {
            tut_exam_observe(h->x, "hdf5.overlap", e->start,
                             "two datasets share the bytes at offset %" PRIu64, e->start);
            return;
        }
        covered = e->end > covered ? e->end : covered;
    }
}

static bool is_own_ancestor(const tut_hdf5_object *o)
{
    for (const tut_hdf5_object *p = o->parent; p; p = p->parent)
        if (p->address == o->address)
            return true;
    return false;
}

static tut_status read_dense(tut_hdf5 *h, tut_hdf5_node *node, tut_error *err);

static tut_status read_object(tut_hdf5 *h, const tut_hdf5_object *o, tut_error *err)
{
    tut_hdf5_node node = {.object = o,
                          .tree = o->tree,
                          .heap = o->heap,
                          .link_heap = TUT_HDF5_NOWHERE,
                          .link_tree = TUT_HDF5_NOWHERE,
                          .attribute_heap = TUT_HDF5_NOWHERE,
                          .attribute_tree = TUT_HDF5_NOWHERE};
    bool is_new = false;
    tut_hdf5_path(h, o, TUT_LIT(""));
    TUT_TRY(tut_hdf5_visit(h, 'O', o->address, &is_new, err));
    if (!is_new) {
        if (is_own_ancestor(o))
            tut_exam_observe(h->x, "hdf5.link-cycle", tut_hdf5_offset(h, o->address),
                             "%s is a group that contains it", h->path);
        return TUT_SUCCESS;
    }
    h->objects++;
    TUT_TRY(tut_hdf5_read_header(h, o->address, &node, err));
    if (node.tree != TUT_HDF5_NOWHERE)
        TUT_TRY(tut_hdf5_old_group(h, o, node.tree, node.heap, err));
    if (o->tree != TUT_HDF5_NOWHERE && o->tree != node.tree) /* what another reader would see */
        TUT_TRY(tut_hdf5_old_group(h, o, o->tree, o->heap, err));
    TUT_TRY(read_dense(h, &node, err));
    tut_hdf5_path(h, o, TUT_LIT(""));
    return node.layout.is_there ? tut_hdf5_dataset(h, &node, err) : TUT_SUCCESS;
}

static tut_status dense_link(tut_hdf5 *h, void *ctx, tut_span object, uint64_t at, tut_error *err)
{
    const tut_hdf5_node *node = ctx;
    (void)at;
    return tut_hdf5_link(h, node->object, object, err);
}

static tut_status dense_attribute(tut_hdf5 *h, void *ctx, tut_span object, uint64_t at,
                                  tut_error *err)
{
    return tut_hdf5_attribute(h, ctx, object, at, err);
}

static tut_status read_dense(tut_hdf5 *h, tut_hdf5_node *node, tut_error *err)
{
    enum { LINK_NAMES = 5, ATTRIBUTE_NAMES = 8 };
    if (node->link_heap != TUT_HDF5_NOWHERE)
        TUT_TRY(tut_hdf5_each_dense(h, node->link_heap, node->link_tree, LINK_NAMES, dense_link,
                                    node, err));
    if (node->attribute_heap != TUT_HDF5_NOWHERE)
        TUT_TRY(tut_hdf5_each_dense(h, node->attribute_heap, node->attribute_tree, ATTRIBUTE_NAMES,
                                    dense_attribute, node, err));
    return TUT_SUCCESS;
}

static tut_status walk(tut_hdf5 *h, tut_error *err)
{
    if (h->extension != TUT_HDF5_NOWHERE && h->version >= 2) {
        tut_hdf5_node node = {.tree = TUT_HDF5_NOWHERE,
                              .link_heap = TUT_HDF5_NOWHERE,
                              .attribute_heap = TUT_HDF5_NOWHERE};
        TUT_TRY(tut_hdf5_read_header(h, h->extension, &node, err));
    }
    if (h->root == TUT_HDF5_NOWHERE) {
        tut_hdf5_bad(h, 0, "there is no root group");
        return TUT_SUCCESS;
    }
    TUT_TRY(tut_hdf5_queue(h, NULL, TUT_LIT(""), h->root, h->root_tree, h->root_heap, err));
    while (h->first) {
        const tut_hdf5_object *o = h->first;
        h->first = o->next;
        if (!h->first)
            h->last = NULL;
        TUT_TRY(read_object(h, o, err));
    }
    check_overlaps(h);
    return h->wants_sweep ? tut_hdf5_sweep(h, err) : TUT_SUCCESS;
}

static void tell_facts(tut_hdf5 *h)
{
    tut_exam_factf(h->x, "hdf5.superblock", "%u", h->version);
    tut_exam_factf(h->x, "hdf5.objects", "%" PRIu64, h->objects);
    tut_exam_factf(h->x, "hdf5.datasets", "%" PRIu64, h->datasets);
    tut_exam_factf(h->x, "hdf5.attributes", "%" PRIu64, h->attributes);
    if (h->is_keras && h->parameters)
        tut_exam_factf(h->x, "parameters", "%" PRIu64, h->parameters);
}

static tut_status examine_file(tut_hdf5 *h, tut_error *err)
{
    tut_status status = tut_hdf5_read_superblock(h, err);
    if (!tut_is_ok(status))
        return status.code == TUT_TRUNCATED
                   ? tut_fail(err, TUT_TRUNCATED, "the superblock is cut off")
                   : status;
    status = walk(h, err);
    tell_facts(h);
    TUT_TRY(status);
    TUT_TRY(tut_hdf5_check_around(h, err));
    return h->worst == TUT_OK ? TUT_SUCCESS : tut_fail(err, h->worst, "%s", h->problem);
}

static tut_status examine(tut_exam *x, tut_error *err)
{
    const tut_source *source = x->source ? x->source : tut_stream_source(x->stream);
    if (!source)
        return tut_fail(err, TUT_UNSUPPORTED, "HDF5 is read with random access only");
    tut_hdf5 h = {.x = x,
                  .src = source,
                  .extension = TUT_HDF5_NOWHERE,
                  .root_tree = TUT_HDF5_NOWHERE,
                  .root_heap = TUT_HDF5_NOWHERE,
                  .path = "/"};
    tut_arena_init(&h.arena, TUT_LIMIT_HEAP_BYTES);
    tut_extents_init(&h.extents, x->budget);
    tut_status status = examine_file(&h, err);
    tut_extents_done(&h.extents);
    tut_map_done(&h.seen);
    tut_arena_done(&h.arena);
    tut_budget_heap_return(x->budget, h.charged);
    return status;
}

extern const tut_format tut_format_hdf5, tut_format_hdf5_data;

const tut_format tut_format_hdf5 = {
    .name = "hdf5",
    .label = "HDF5",
    .kind = TUT_KIND_MODEL,
    .tensors = TUT_TENSORS_PARAMETERS,
    .needs_source = true,
    .sniff = sniff,
    .examine = examine,
    .extensions = ".h5 .hdf5 .hdf .keras .weights",
    .reads =
        "superblock, all objects: links, attributes, layouts, filters; texts and bytes; Keras' "
        "configuration",
    .rules = "hdf5 keras data pickle",
};

const tut_format tut_format_hdf5_data = {
    .name = "hdf5-data",
    .label = "HDF5 data set",
    .kind = TUT_KIND_DATASET,
    .tensors = TUT_TENSORS_ANY,
    .needs_source = true,
    .sniff = sniff_data,
    .examine = examine,
    .extensions = DATA_ENDINGS,
    .reads = "superblock, all objects: links, attributes, layouts, filters; texts and bytes",
    .rules = "hdf5 keras data pickle",
};
