/*
 * Core ML's files of weights (weights/weight.bin of packages and compiled models, since iOS 15):
 *
 *   file  = header blob*                  all at multiples of 64
 *   header = count:u32 2:u32 0*           64 bytes
 *   blob  = metadata data                 metadata = 0xdeadbeef type:u32 size:u64 offset:u64 ...
 * (64)
 *
 * A program names a blob by where its metadata lie.
 */
#include <inttypes.h>
#include <stdio.h>

#include "base/buf.h"
#include "formats/payload.h"

enum { UNIT = 64, VERSION = 2 };
#define SENTINEL 0xdeadbeefu

typedef struct blob_type {
    const char *name;
    uint8_t bytes; /* of a number; 0: several in a byte */
} blob_type;

static const blob_type types[] = {
    [1] = {"F16", 2}, [2] = {"F32", 4}, [3] = {"U8", 1},   [4] = {"I8", 1},   [5] = {"BF16", 2},
    [6] = {"I16", 2}, [7] = {"U16", 2}, [14] = {"I32", 4}, [15] = {"U32", 4},
};

static uint64_t number(const uint8_t *p, size_t bytes)
{
    uint64_t value = 0;
    for (size_t i = bytes; i-- > 0;)
        value = value << 8 | p[i];
    return value;
}

static tut_match sniff(const tut_sniff *s)
{
    if (s->head.len < (size_t)2 * UNIT)
        return TUT_MATCH_NONE;
    const uint8_t *p = s->head.data;
    bool is_header = number(p, 4) > 0 && number(p + 4, 4) == VERSION;
    for (size_t i = 8; i < UNIT; i++)
        is_header &= p[i] == 0;
    return is_header && number(p + UNIT, 4) == SENTINEL ? TUT_MATCH_SURE : TUT_MATCH_NONE;
}

static void tell_tensor(tut_exam *x, uint64_t at, uint64_t type, uint64_t begin, uint64_t end)
{
    char name[32], shape[32];
    bool is_known = type < sizeof(types) / sizeof(types[0]) && types[type].bytes > 0;
    if (!x->ops->tensor || !is_known || begin == end)
        return;
    int len = snprintf(name, sizeof(name), "blob@%" PRIu64, at);
    int dims = snprintf(shape, sizeof(shape), "[%" PRIu64 "]", (end - begin) / types[type].bytes);
    const tut_tensor told = {.name = {name, len > 0 ? (size_t)len : 0},
                             .dtype = types[type].name,
                             .shape = {shape, dims > 0 ? (size_t)dims : 0},
                             .begin = begin,
                             .end = end};
    x->ops->tensor(x->ctx, &told);
}

/* *at: of the metadata; then of the next. */
static tut_status read_blob(tut_exam *x, uint64_t *at, tut_error *err)
{
    uint8_t raw[UNIT];
    uint64_t end = 0, file = x->source->size;
    TUT_TRY(tut_source_read(x->source, *at, raw, sizeof(raw), err));
    uint64_t type = number(raw + 4, 4), size = number(raw + 8, 8), offset = number(raw + 16, 8);
    if (number(raw, 4) != SENTINEL) {
        tut_exam_observe(x, "coreml.malformed", *at, "no blob begins here");
        return tut_fail_at(err, TUT_MALFORMED, *at, "no blob begins here");
    }
    if (offset < *at + UNIT || __builtin_add_overflow(offset, size, &end) || end > file) {
        tut_exam_observe(x, "coreml.range", *at,
                         "a blob of %" PRIu64 " bytes at %" PRIu64 " in a file of %" PRIu64, size,
                         offset, file);
        return tut_fail_at(err, TUT_MALFORMED, *at, "a blob lies outside of the file");
    }
    tell_tensor(x, *at, type, offset, end);
    *at = end + (UNIT - end % UNIT) % UNIT;
    return TUT_SUCCESS;
}

static tut_status examine(tut_exam *x, tut_error *err)
{
    uint8_t head[UNIT];
    TUT_TRY(tut_source_read(x->source, 0, head, sizeof(head), err));
    uint64_t count = number(head, 4), at = UNIT;
    tut_exam_factf(x, "coreml.blobs", "%" PRIu64, count);
    for (uint64_t i = 0; i < count; i++) {
        TUT_TRY(tut_budget_steps(x->budget, 1, err));
        if (at > x->source->size || x->source->size - at < UNIT) {
            tut_exam_observe(x, "coreml.range", 0, "%" PRIu64 " blobs, and room for %" PRIu64,
                             count, i);
            return tut_fail_at(err, TUT_TRUNCATED, at, "the file ends before its last blob");
        }
        TUT_TRY(read_blob(x, &at, err));
    }
    if (at < x->source->size)
        TUT_TRY(tut_payload_examine(x, at, x->source->size, "behind the last blob", err));
    return tut_payload_zip_tail(x, "coreml.polyglot", err);
}

extern const tut_format tut_format_coreml_weights;

const tut_format tut_format_coreml_weights = {
    .name = "coreml-weights",
    .label = "Core ML weights",
    .kind = TUT_KIND_MODEL,
    .needs_source = true,
    .tensors = TUT_TENSORS_PARAMETERS,
    .sniff = sniff,
    .examine = examine,
    .extensions = ".bin .wt .weights",
    .reads = "where every blob lies, low bits and starts of tensors",
    .rules = "coreml data weights",
};
