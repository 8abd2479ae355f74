/*
 * GGUF (llama.cpp and its kin), versions 2 and 3, either byte order:
 *
 *   file = "GGUF" version:u32 tensors:u64 values:u64 { value } { info } padding data
 *
 * Version 1 had 32-bit counts and lengths and lived for weeks; it is named and refused, as loaders
 * refuse it.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "formats/gguf_internal.h"

enum { MAGIC_BYTES = 4, DEFAULT_ALIGNMENT = 32 };

static tut_match sniff(const tut_sniff *s)
{
    return tut_sniff_magic(s, "GGUF", MAGIC_BYTES) ? TUT_MATCH_SURE : TUT_MATCH_NONE;
}

uint64_t tut_gguf_left(const tut_gguf *g)
{
    uint64_t pos = tut_stream_pos(g->x->stream);
    if (g->x->size == UINT64_MAX)
        return UINT64_MAX;
    return pos < g->x->size ? g->x->size - pos : 0;
}

tut_status tut_gguf_cut_off(tut_gguf *g, tut_error *err)
{
    return tut_fail_at(err, TUT_TRUNCATED, tut_stream_pos(g->x->stream), "the file ends too early");
}

tut_status tut_gguf_u32(tut_gguf *g, uint32_t *ret, tut_error *err)
{
    const uint8_t *p = NULL;
    if (!tut_is_ok(tut_stream_take(g->x->stream, 4, &p)))
        return tut_gguf_cut_off(g, err);
    *ret = g->is_big ? (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3]
                     : (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];
    return TUT_SUCCESS;
}

tut_status tut_gguf_u64(tut_gguf *g, uint64_t *ret, tut_error *err)
{
    uint32_t first = 0, second = 0;
    TUT_TRY(tut_gguf_u32(g, &first, err));
    TUT_TRY(tut_gguf_u32(g, &second, err));
    *ret = g->is_big ? (uint64_t)first << 32 | second : (uint64_t)second << 32 | first;
    return TUT_SUCCESS;
}

tut_status tut_gguf_string(tut_gguf *g, size_t cap, uint64_t *ret_len, tut_error *err)
{
    uint64_t len = 0, at = tut_stream_pos(g->x->stream);
    TUT_TRY(tut_gguf_u64(g, &len, err));
    tut_buf_clear(&g->text);
    if (len > tut_gguf_left(g)) {
        tut_exam_observe(g->x, "gguf.string-claim", at,
                         "a string claims %" PRIu64 " bytes, which the file has no room for", len);
        return tut_fail_at(err, len >> 48 ? TUT_MALFORMED : TUT_TRUNCATED, at,
                           "a string ends behind the file");
    }
    uint64_t keep = len < cap ? len : cap;
    for (uint64_t left = keep; left > 0;) {
        size_t n = left < TUT_LIMIT_PEEK_BYTES ? (size_t)left : TUT_LIMIT_PEEK_BYTES;
        const uint8_t *p = NULL;
        if (!tut_is_ok(tut_stream_take(g->x->stream, n, &p)))
            return tut_gguf_cut_off(g, err);
        tut_buf_add(&g->text, p, n);
        left -= n;
    }
    if (len > keep && !tut_is_ok(tut_stream_skip(g->x->stream, len - keep)))
        return tut_gguf_cut_off(g, err);
    *ret_len = len;
    return tut_buf_check(&g->text, err);
}

static tut_status read_version(tut_gguf *g, tut_error *err)
{
    TUT_TRY(tut_stream_skip(g->x->stream, MAGIC_BYTES));
    TUT_TRY(tut_gguf_u32(g, &g->version, err));
    if ((g->version & 0xffff) == 0 && g->version != 0) { /* as ggml tells byte orders apart */
        g->is_big = true;
        g->version = __builtin_bswap32(g->version);
    }
    if (g->version == 1)
        return tut_fail_at(err, TUT_UNSUPPORTED, 4,
                           "GGUF version 1 is no longer read by its loaders; convert the file");
    if (g->version < 2 || g->version > 3) {
        tut_exam_observe(g->x, "gguf.bad-version", 4, "version %u does not exist", g->version);
        return tut_fail_at(err, TUT_UNSUPPORTED, 4, "GGUF version %u", g->version);
    }
    return TUT_SUCCESS;
}

static void report_facts(tut_gguf *g)
{
    TUT_CLEAN(tut_buf) list;
    tut_buf_init(&list, 512);
    for (int i = 0; i < TUT_GGUF_KINDS; i++)
        if (g->kind_counts[i])
            tut_buf_printf(&list, "%s%s %" PRIu64, list.len ? ", " : "", tut_gguf_kinds[i].name,
                           g->kind_counts[i]);
    tut_exam_factf(g->x, "gguf.version", "%u%s", g->version, g->is_big ? ", big endian" : "");
    tut_exam_factf(g->x, "gguf.tensors", "%" PRIu64, g->tensor_count);
    tut_exam_factf(g->x, "parameters", "%" PRIu64, g->parameters);
    if (list.len)
        tut_exam_fact(g->x, "gguf.types", tut_buf_str(&list));
}

/* "name-00001-of-00003.gguf": the others of a split model. */
static void report_shards(tut_gguf *g)
{
    tut_str name = g->x->name;
    static const size_t tail = sizeof("-00001-of-00003.gguf") - 1;
    if (g->split_count < 2 || g->split_count > TUT_LIMIT_SIBLINGS || g->split_no != 0 ||
        name.len <= tail || name.len > 200 || !tut_str_ends(name, TUT_LIT(".gguf")))
        return;
    for (uint64_t i = 2; i <= g->split_count; i++)
        tut_exam_factf(g->x, "refers.shard", "%.*s-%05" PRIu64 "-of-%05" PRIu64 ".gguf",
                       (int)(name.len - tail), name.data, i, g->split_count);
}

static tut_status examine_all(tut_gguf *g, tut_error *err)
{
    TUT_TRY(read_version(g, err));
    TUT_TRY(tut_gguf_u64(g, &g->tensor_count, err));
    TUT_TRY(tut_gguf_u64(g, &g->value_count, err));
    TUT_TRY(tut_gguf_read_values(g, err));
    tut_status status = tut_gguf_read_tensors(g, err);
    report_facts(g);
    report_shards(g);
    TUT_TRY(status);
    return tut_gguf_check_layout(g, err);
}

static tut_status examine(tut_exam *x, tut_error *err)
{
    tut_gguf g = {.x = x, .alignment = DEFAULT_ALIGNMENT};
    tut_extents_init(&g.keys, x->budget);
    tut_extents_init(&g.tensors, x->budget);
    tut_buf_init(&g.text, TUT_LIMIT_TEMPLATE_BYTES);
    tut_status status = examine_all(&g, err);
    tut_extents_done(&g.keys);
    tut_extents_done(&g.tensors);
    tut_buf_done(&g.text);
    if (tut_is_ok(status) || status.code == TUT_TRUNCATED || status.code == TUT_MALFORMED)
        TUT_TRY(tut_payload_zip_tail(x, "gguf.polyglot", err));
    return status;
}

extern const tut_format tut_format_gguf;

const tut_format tut_format_gguf = {
    .name = "gguf",
    .label = "GGUF",
    .kind = TUT_KIND_MODEL,
    .tensors = TUT_TENSORS_PARAMETERS,
    .sniff = sniff,
    .examine = examine,
    .extensions = ".gguf",
    .reads = "values, tensor table, chat templates, low bits and starts of tensors",
    .rules = "gguf data weights",
};
