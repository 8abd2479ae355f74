/*
 *   info = name:string dims:u32 { dim:u64 } type:u32 offset:u64      (offset into the data)
 *   data starts at the next multiple of the alignment behind the last info; so does each tensor
 */
#include <inttypes.h>
#include <string.h>

#include "formats/gguf_internal.h"

enum { MIN_INFO_BYTES = 8 + 4 + 4 + 8 };

typedef struct info {
    char name[128];
    uint64_t at;
    uint32_t dim_count, kind;
    uint64_t dims[TUT_GGUF_DIMS];
    uint64_t offset, elements, bytes;
    bool is_sized; /* bytes is right */
} info;

static tut_status read_name(tut_gguf *g, info *t, tut_error *err)
{
    uint64_t len = 0;
    t->at = tut_stream_pos(g->x->stream);
    TUT_TRY(tut_gguf_string(g, TUT_LIMIT_PEEK_BYTES, &len, err));
    tut_str text = tut_buf_str(&g->text);
    tut_str_copy(t->name, sizeof(t->name), text);
    bool has_nul = text.len && memchr(text.data, 0, text.len);
    if (len >= TUT_GGUF_NAME_MAX || has_nul)
        tut_exam_observe(g->x, "gguf.bad-name", t->at,
                         "a tensor's name of %" PRIu64 " bytes%s; loaders take 63", len,
                         has_nul ? " with a NUL" : "");
    return TUT_SUCCESS;
}

static tut_status read_dims(tut_gguf *g, info *t, tut_error *err)
{
    bool is_overflow = false, has_zero = false;
    TUT_TRY(tut_gguf_u32(g, &t->dim_count, err));
    if (t->dim_count > TUT_GGUF_DIMS)
        tut_exam_observe(g->x, "gguf.bad-dims", t->at, "tensor %s has %u dimensions", t->name,
                         t->dim_count);
    if (t->dim_count > 1024)
        return tut_fail_at(err, TUT_MALFORMED, t->at, "%u dimensions", t->dim_count);
    t->elements = 1;
    for (uint32_t i = 0; i < t->dim_count; i++) {
        uint64_t dim = 0;
        TUT_TRY(tut_gguf_u64(g, &dim, err));
        if (i < TUT_GGUF_DIMS)
            t->dims[i] = dim;
        has_zero |= dim == 0;
        is_overflow |= dim > INT64_MAX || __builtin_mul_overflow(t->elements, dim, &t->elements) ||
                       t->elements > INT64_MAX;
    }
    if (has_zero)
        tut_exam_observe(g->x, "gguf.bad-dims", t->at, "tensor %s has a dimension of 0", t->name);
    if (is_overflow)
        tut_exam_observe(g->x, "gguf.shape-overflow", t->at,
                         "the product of the dimensions of tensor %s exceeds 63 bits", t->name);
    t->is_sized = !is_overflow && t->dim_count <= TUT_GGUF_DIMS;
    return TUT_SUCCESS;
}

static void measure(tut_gguf *g, info *t)
{
    const tut_gguf_kind *kind = t->kind < TUT_GGUF_KINDS ? &tut_gguf_kinds[t->kind] : NULL;
    if (!kind || kind->bytes == 0) {
        tut_exam_observe(g->x, "gguf.bad-type", t->at, "tensor %s is of type %u, which %s", t->name,
                         t->kind, kind ? "is no longer in use" : "does not exist");
        t->is_sized = false;
        return;
    }
    uint64_t row = t->dim_count ? t->dims[0] : 1;
    if (row % kind->block != 0) {
        tut_exam_observe(g->x, "gguf.bad-dims", t->at,
                         "a row of tensor %s is %" PRIu64 " numbers, no multiple of %u", t->name,
                         row, kind->block);
        t->is_sized = false;
    }
    if (t->is_sized &&
        __builtin_mul_overflow(t->elements / kind->block, (uint64_t)kind->bytes, &t->bytes)) {
        tut_exam_observe(g->x, "gguf.shape-overflow", t->at,
                         "the bytes of tensor %s exceed 64 bits", t->name);
        t->is_sized = false;
    }
    g->kind_counts[t->kind]++;
    if (t->is_sized)
        g->parameters += t->elements;
}

static tut_status read_info(tut_gguf *g, info *t, tut_error *err)
{
    TUT_TRY(read_name(g, t, err));
    TUT_TRY(tut_extents_name(&g->tensors, tut_extents_hash(tut_buf_str(&g->text)), err));
    TUT_TRY(read_dims(g, t, err));
    TUT_TRY(tut_gguf_u32(g, &t->kind, err));
    return tut_gguf_u64(g, &t->offset, err);
}

static bool has_good_alignment(const tut_gguf *g)
{
    return g->alignment != 0 && (g->alignment & (g->alignment - 1)) == 0;
}

static tut_status place(tut_gguf *g, const info *t, tut_error *err)
{
    uint64_t end = 0;
    if (has_good_alignment(g) && t->offset % g->alignment != 0)
        tut_exam_observe(g->x, "gguf.misaligned", t->at,
                         "tensor %s lies at %" PRIu64 ", no multiple of %" PRIu64, t->name,
                         t->offset, g->alignment);
    if (!t->is_sized)
        return TUT_SUCCESS;
    if (__builtin_add_overflow(t->offset, t->bytes, &end)) {
        tut_exam_observe(g->x, "gguf.out-of-range", t->at, "tensor %s ends beyond 64 bits",
                         t->name);
        return TUT_SUCCESS;
    }
    return tut_extents_add(&g->tensors, t->offset, end, err);
}

tut_status tut_gguf_read_tensors(tut_gguf *g, tut_error *err)
{
    uint64_t bytes = 0;
    g->infos_at = tut_stream_pos(g->x->stream);
    if (__builtin_mul_overflow(g->tensor_count, (uint64_t)MIN_INFO_BYTES, &bytes) ||
        bytes > tut_gguf_left(g)) {
        tut_exam_observe(g->x, "gguf.count-claim", 8,
                         "%" PRIu64 " tensors do not fit into the file", g->tensor_count);
        return tut_fail_at(err, TUT_MALFORMED, 8, "more tensors than the file holds");
    }
    for (uint64_t i = 0; i < g->tensor_count; i++) {
        info t = {0};
        TUT_TRY(tut_budget_steps(g->x->budget, 1, err));
        TUT_TRY(read_info(g, &t, err));
        measure(g, &t);
        TUT_TRY(place(g, &t, err));
    }
    size_t again = tut_extents_duplicates(&g->tensors);
    if (again)
        tut_exam_observe(g->x, "gguf.duplicate-key", g->infos_at,
                         "%zu tensors bear a name that another one has", again);
    return TUT_SUCCESS;
}

/* --- the data --- */

static void tell_tensor(const tut_gguf *g, const info *t, uint64_t begin, uint64_t end)
{
    TUT_CLEAN(tut_buf) shape = TUT_BUF_INIT;
    for (uint32_t i = 0; i < t->dim_count && i < TUT_GGUF_DIMS; i++)
        tut_buf_printf(&shape, "%s%" PRIu64, i ? ", " : "[", t->dims[i]);
    tut_buf_add_z(&shape, t->dim_count ? "]" : "[]");
    const tut_tensor told = {.name = tut_str_of(t->name),
                             .dtype = g->is_big ? "big-endian" : tut_gguf_kinds[t->kind].name,
                             .shape = tut_buf_str(&shape),
                             .begin = begin,
                             .end = end};
    g->x->ops->tensor(g->x->ctx, &told);
}

/* Tensor names and types are read a second time, now that it is known where the data begins. */
static tut_status list_tensors(tut_gguf *g, tut_error *err)
{
    tut_exam_ops silent = *g->x->ops;
    tut_exam quiet = *g->x;
    if (!g->x->ops->tensor || !g->x->source)
        return TUT_SUCCESS;
    silent.observe = NULL;
    silent.fact = NULL;
    quiet.ops = &silent;
    TUT_TRY(tut_stream_seek(g->x->stream, g->infos_at));
    tut_gguf again = {.x = &quiet, .is_big = g->is_big, .version = g->version};
    tut_extents_init(&again.tensors, g->x->budget);
    tut_buf_init(&again.text, TUT_LIMIT_PEEK_BYTES);
    tut_status status = TUT_SUCCESS;
    for (uint64_t i = 0; i < g->tensor_count && tut_is_ok(status); i++) {
        info t = {0};
        uint64_t end = 0;
        again.tensors.name_count = 0;
        status = read_info(&again, &t, err);
        if (!tut_is_ok(status))
            break;
        measure(&again, &t);
        if (!t.is_sized || __builtin_add_overflow(t.offset, t.bytes, &end) ||
            end > g->x->source->size || g->data_at > g->x->source->size - end)
            continue;
        tell_tensor(g, &t, g->data_at + t.offset, g->data_at + end);
    }
    tut_extents_done(&again.tensors);
    tut_buf_done(&again.text);
    return status;
}

static uint64_t padded(uint64_t n, uint64_t alignment)
{
    uint64_t more = 0;
    if (__builtin_add_overflow(n, alignment - 1, &more))
        return UINT64_MAX;
    return more & ~(alignment - 1);
}

/* Loaders want the tensors one behind the other; *ret_end is where the last one ends. */
static tut_status check_order(tut_gguf *g, uint64_t alignment, uint64_t *ret_end, tut_error *err)
{
    uint64_t covered = 0;
    tut_extents_sort(&g->tensors);
    for (size_t i = 0; i < g->tensors.count; i++) {
        const tut_extent *e = &g->tensors.items[i];
        uint64_t due = padded(covered, alignment);
        if (e->start < covered && e->end > e->start)
            tut_exam_observe(g->x, "gguf.overlap", g->data_at + e->start,
                             "two tensors share bytes from offset %" PRIu64 " of the data on",
                             e->start);
        else if (e->start > due) {
            tut_exam_observe(g->x, "gguf.hole", g->data_at + covered,
                             "%" PRIu64 " bytes of the data belong to no tensor",
                             e->start - covered);
            TUT_TRY(tut_payload_examine(g->x, g->data_at + covered, g->data_at + e->start,
                                        "between two tensors", err));
        }
        covered = e->end > covered ? e->end : covered;
    }
    *ret_end = covered;
    return TUT_SUCCESS;
}

static tut_status check_tail(tut_gguf *g, uint64_t covered, uint64_t alignment, tut_error *err)
{
    tut_span pad = {0};
    tut_stream *stream = g->x->stream;
    uint64_t left = g->x->size == UINT64_MAX || g->x->size < g->data_at ? UINT64_MAX
                                                                        : g->x->size - g->data_at;
    if (covered > left) {
        tut_exam_observe(g->x, "gguf.out-of-range", g->data_at,
                         "the tensors end %" PRIu64 " bytes behind the file", covered - left);
        return tut_fail(err, TUT_TRUNCATED, "the data is shorter than the tensors");
    }
    if (!tut_is_ok(tut_stream_skip(stream, covered))) {
        tut_exam_observe(g->x, "gguf.out-of-range", g->data_at,
                         "the tensors end behind the data that there is");
        return tut_fail(err, TUT_TRUNCATED, "the data is shorter than the tensors");
    }
    uint64_t want = padded(covered, alignment) - covered;
    TUT_TRY(tut_stream_peek_some(
        stream, want < TUT_LIMIT_PEEK_BYTES ? (size_t)want : TUT_LIMIT_PEEK_BYTES, &pad));
    TUT_TRY(tut_stream_skip(stream, pad.len));
    if (tut_stream_at_end(stream))
        return TUT_SUCCESS;
    uint64_t at = tut_stream_pos(stream);
    tut_exam_observe(g->x, "gguf.trailing-data", at, "bytes follow the last tensor");
    if (g->x->source)
        return tut_payload_examine(g->x, at, g->x->source->size, "behind the last tensor", err);
    return g->x->ops->member
               ? g->x->ops->member(g->x->ctx, TUT_LIT("[trailing]"), NULL, stream, UINT64_MAX, err)
               : TUT_SUCCESS;
}

tut_status tut_gguf_check_layout(tut_gguf *g, tut_error *err)
{
    uint64_t alignment = has_good_alignment(g) ? g->alignment : 32, covered = 0;
    uint64_t infos_end = tut_stream_pos(g->x->stream);
    g->data_at = padded(infos_end, alignment);
    if (g->tensor_count == 0) { /* a vocabulary alone: it may end with or without padding */
        tut_span pad = {0};
        uint64_t due = g->data_at - infos_end;
        size_t most = due < TUT_LIMIT_PEEK_BYTES ? (size_t)due : TUT_LIMIT_PEEK_BYTES;
        TUT_TRY(tut_stream_peek_some(g->x->stream, most, &pad));
        TUT_TRY(tut_stream_skip(g->x->stream, pad.len));
        g->data_at = tut_stream_pos(g->x->stream);
        return check_tail(g, 0, 1, err);
    }
    TUT_TRY(check_order(g, alignment, &covered, err));
    TUT_TRY(list_tensors(g, err));
    if (tut_stream_pos(g->x->stream) != infos_end)
        TUT_TRY(tut_stream_seek(g->x->stream, infos_end));
    if (!tut_is_ok(tut_stream_skip(g->x->stream, g->data_at - infos_end)))
        return tut_gguf_cut_off(g, err);
    return check_tail(g, covered, alignment, err);
}
