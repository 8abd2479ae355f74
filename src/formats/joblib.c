/*
 * joblib.dump: a pickle with the raw bytes of arrays in between.
 *
 *   file    = [compression] stream
 *   stream  = pickle, in which each BUILD of a NumpyArrayWrapper is followed by an array
 *   array   = [padding length:u8, so many bytes] shape x itemsize bytes     plain items
 *           | pickle                                                        items that are objects
 *   ZF file = "ZF" length:19 hexadecimal characters, padded with blanks, zlib data   (before 0.10)
 *
 * The wrapper's state says shape and dtype. A plain unpickler would run the array's bytes as
 * opcodes: that reading is taken as well.
 */
#include <inttypes.h>

#include "base/buf.h"
#include "formats/codec.h"
#include "formats/pickle_call.h"
#include "formats/pickle_sniff.h"
#include "formats/pickle_stream.h"

/* --- dtype --- */

typedef struct item_type {
    uint64_t bytes;
    bool is_object;
    char kind; /* 'f', 'i', 'u', 'c', …; 0: not known */
} item_type;

/* 'f8', '<i4', 'U5', 'O': the digits are bytes, for U characters of four bytes. */
static bool parse_typestr(tut_str s, item_type *ret)
{
    if (s.len && (s.data[0] == '<' || s.data[0] == '>' || s.data[0] == '|' || s.data[0] == '='))
        s = (tut_str){s.data + 1, s.len - 1};
    if (s.len == 0)
        return false;
    char kind = s.data[0];
    ret->is_object = kind == 'O';
    ret->kind = kind;
    if (s.len == 1) {
        ret->bytes = kind == '?' || kind == 'b' || kind == 'B' ? 1 : 8;
        return kind == 'O' || kind == '?';
    }
    if (!tut_str_u64((tut_str){s.data + 1, s.len - 1}, &ret->bytes))
        return false;
    if (kind == 'U')
        return !__builtin_mul_overflow(ret->bytes, 4u, &ret->bytes);
    return true;
}

/* numpy.dtype('f8', …) with BUILD state (version, order, subtype, names, fields, itemsize,
 * alignment, flags[, metadata]); itemsize is -1 where the type string says it. */
static bool read_dtype(const tut_pmachine *m, tut_pval dtype, item_type *ret)
{
    tut_str typestr;
    int64_t n;
    tut_pval code = tut_pv_item(&m->heap, tut_pv_second(&m->heap, dtype), 0);
    tut_pval state = tut_pv_state(&m->heap, dtype);
    if (tut_pv_type(&m->heap, dtype) != TUT_PVAL_OBJECT)
        return false;
    bool is_known = tut_pv_get_text(&m->heap, code, tut_pv_type(&m->heap, code), &typestr) &&
                    parse_typestr(typestr, ret);
    if (tut_pv_get_int(&m->heap, tut_pv_item(&m->heap, state, 5), &n) && n > 0) {
        ret->bytes = (uint64_t)n;
        is_known = true;
    }
    if (tut_pv_get_int(&m->heap, tut_pv_item(&m->heap, state, 7), &n) && (n & 1))
        ret->is_object = true;
    return is_known;
}

static bool read_shape(const tut_pmachine *m, tut_pval shape, uint64_t *ret_count)
{
    size_t dims;
    bool is_whole;
    const tut_pval *items = tut_pv_items(&m->heap, shape, &dims, &is_whole);
    uint64_t count = 1;
    if (!is_whole || tut_pv_type(&m->heap, shape) != TUT_PVAL_TUPLE)
        return false;
    for (size_t i = 0; i < dims; i++) {
        int64_t n;
        if (!tut_pv_get_int(&m->heap, items[i], &n) || n < 0 ||
            __builtin_mul_overflow(count, (uint64_t)n, &count))
            return false;
    }
    *ret_count = count;
    return true;
}

/* --- the array in the stream --- */

/* An array of objects is a pickle of its own, read by a plain unpickler from the same file. */
static tut_status read_objects(tut_pmachine *m)
{
    tut_pmachine inner;
    tut_status status = tut_pmachine_init(&inner, m->x, m->in, m->heap.budget);
    inner.is_plain = true;
    inner.is_candidate = m->is_candidate;
    inner.modules = m->modules;
    if (tut_is_ok(status))
        status = tut_pmachine_run(&inner, -1, NULL);
    m->ops += inner.ops;
    m->imports += inner.imports;
    m->calls += inner.calls;
    if (tut_is_ok(status) && inner.broken != TUT_OK) {
        m->op_at = inner.op_at;
        m->op = inner.op;
        status = tut_pm_break(m, inner.broken, "in an array of objects: %s", inner.why);
    }
    tut_pmachine_done(&inner);
    return status;
}

/* What a plain unpickler would do with the array's bytes. */
static tut_status read_as_opcodes(tut_pmachine *m, uint64_t at, uint64_t end)
{
    const tut_source *source = m->in->stream ? tut_stream_source(m->in->stream) : NULL;
    uint64_t imports;
    tut_span first = tut_pinput_peek_some(m->in, 1);
    if (!m->x || !source || m->is_candidate || first.len == 0 || !tut_popcodes[first.data[0]].run ||
        end > source->size)
        return TUT_SUCCESS;
    TUT_TRY(tut_pstream_second_reading(m->x, source, at, end, -1, &imports, NULL));
    if (imports)
        tut_pm_observe(m, "pickle.array-divergence",
                       "the bytes of an array are opcodes for a plain unpickler");
    return TUT_SUCCESS;
}

/* The arrays have no names; where they lie tells them apart. */
static void tell_tensor(const tut_pmachine *m, const item_type *item, uint64_t begin,
                        uint64_t bytes)
{
    static const struct {
        char kind;
        uint8_t bytes;
        const char *dtype;
    } rows[] = {{'f', 8, "F64"}, {'f', 4, "F32"}, {'f', 2, "F16"},
                {'i', 1, "I8"},  {'u', 1, "U8"},  {'c', 8, "C64"}};
    TUT_CLEAN(tut_buf) name = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) shape = TUT_BUF_INIT;
    if (!m->x || m->is_candidate || !m->x->ops->tensor || !m->x->source || item->bytes == 0)
        return;
    tut_buf_printf(&name, "array at %" PRIu64, begin);
    tut_buf_printf(&shape, "[%" PRIu64 "]", bytes / item->bytes);
    tut_tensor told = {.name = tut_buf_str(&name),
                       .dtype = "other",
                       .shape = tut_buf_str(&shape),
                       .begin = begin,
                       .end = begin + bytes};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].kind == item->kind && rows[i].bytes == item->bytes)
            told.dtype = rows[i].dtype;
    m->x->ops->tensor(m->x->ctx, &told);
}

static tut_status skip_array(tut_pmachine *m, const item_type *item, uint64_t bytes, bool is_padded)
{
    uint64_t at = tut_pm_pos(m), total = bytes, padding = 0;
    if (is_padded) {
        const uint8_t *first = tut_pinput_peek(m->in, 1);
        if (!first)
            return tut_pm_break(m, TUT_TRUNCATED, "the data ends before an array");
        padding = *first;
        if (__builtin_add_overflow(total, padding + 1, &total))
            return tut_pm_break(m, TUT_MALFORMED, "an array larger than any file");
    }
    if (total > tut_pinput_left(m->in)) {
        if (bytes >= TUT_LIMIT_PICKLE_CLAIM)
            tut_pm_observe(m, "pickle.oversized-claim", "an array claims %" PRIu64 " bytes", bytes);
        return tut_pm_break(m, TUT_TRUNCATED, "the data ends inside an array of %" PRIu64 " bytes",
                            bytes);
    }
    if (total <= INT64_MAX)
        TUT_TRY(read_as_opcodes(m, at, at + total));
    if (!tut_pinput_skip(m->in, total))
        return tut_pm_break(m, TUT_TRUNCATED, "the data ends inside an array of %" PRIu64 " bytes",
                            bytes);
    tell_tensor(m, item, at + (total - bytes), bytes);
    return TUT_SUCCESS;
}

static tut_status read_array(tut_pmachine *m, tut_pval state)
{
    tut_pval shape, dtype, alignment;
    item_type item = {0};
    uint64_t count, bytes;
    if (m->frame_end != UINT64_MAX && tut_pm_pos(m) < m->frame_end) {
        tut_pm_observe(m, "pickle.frame-divergence",
                       "an array begins inside a frame: loaders disagree about where it lies");
        return TUT_SUCCESS;
    }
    m->frame_end = UINT64_MAX;
    m->uses_joblib = true;
    if (!tut_pv_lookup(&m->heap, state, "shape", &shape) ||
        !tut_pv_lookup(&m->heap, state, "dtype", &dtype) || !read_dtype(m, dtype, &item) ||
        !read_shape(m, shape, &count))
        return tut_pm_break(m, TUT_MALFORMED, "an array whose size is not known");
    if (item.is_object)
        return read_objects(m);
    if (__builtin_mul_overflow(count, item.bytes, &bytes)) {
        tut_pm_observe(m, "pickle.oversized-claim", "an array of more bytes than can be counted");
        return tut_pm_break(m, TUT_MALFORMED, "an array larger than any file");
    }
    bool is_padded = tut_pv_lookup(&m->heap, state, "numpy_array_alignment_bytes", &alignment) &&
                     alignment != TUT_PV_NONE;
    return skip_array(m, &item, bytes, is_padded);
}

tut_status tut_pjoblib_built(tut_pmachine *m, tut_pval object)
{
    if (tut_pv_type(&m->heap, object) != TUT_PVAL_OBJECT)
        return TUT_SUCCESS;
    tut_pnames names;
    tut_pcall_names(m, tut_pcall_class(m, object), &names);
    size_t at;
    if (!names.is_resolved || !tut_str_find(names.module, TUT_LIT("joblib"), &at))
        return TUT_SUCCESS;
    tut_pval state = tut_pv_state(&m->heap, object), file;
    if (tut_str_ends(names.name, TUT_LIT("NumpyArrayWrapper")))
        return read_array(m, state);
    if (tut_str_ends(names.name, TUT_LIT("NDArrayWrapper"))) {
        tut_str name = TUT_LIT("?");
        if (tut_pv_lookup(&m->heap, state, "filename", &file))
            (void)tut_pv_get_text(&m->heap, file, tut_pv_type(&m->heap, file), &name);
        tut_pm_observe(m, "pickle.external-array", "loads the array file %.*s, pickles allowed",
                       (int)(name.len < 100 ? name.len : 100), name.data);
    }
    return TUT_SUCCESS;
}

/* --- the format's row --- */

enum { ZF_HEADER = 2 + 19, PREVIEW_BYTES = 4096 };

static bool names_joblib(tut_span bytes)
{
    return memmem(bytes.data, bytes.len, "joblib.numpy_pickle", 19) != NULL;
}

static bool is_zf(tut_span head)
{
    return head.len > ZF_HEADER && memcmp(head.data, "ZF0x", 4) == 0;
}

static tut_match sniff_joblib(const tut_sniff *s)
{
    if (is_zf(s->head))
        return TUT_MATCH_SURE;
    if (s->head.len >= 2 && tut_popcodes[s->head.data[0]].run && names_joblib(s->head)) {
        tut_pglance g;
        tut_psniff_glance(s->head, s->size, 0, &g);
        return g.imports ? TUT_MATCH_SURE : TUT_MATCH_NONE;
    }
    tut_codec codec;
    if (!tut_codec_detect(s->head, &codec))
        return TUT_MATCH_NONE;
    bool is_named = tut_sniff_ext(s, ".joblib .jbl");
    uint8_t decoded[PREVIEW_BYTES];
    size_t got = tut_codec_preview(codec, s->head, decoded, sizeof decoded, NULL);
    tut_span inner = tut_span_of(decoded, got);
    if (is_named && (got == 0 || tut_psniff_follows(inner, UINT64_MAX)))
        return TUT_MATCH_SURE;
    bool is_estimator = got && (names_joblib(inner) || memmem(decoded, got, "sklearn.", 8));
    return is_estimator && tut_psniff_follows(inner, UINT64_MAX) ? TUT_MATCH_SURE : TUT_MATCH_NONE;
}

static tut_status examine_zf(tut_exam *x, tut_error *err)
{
    const uint8_t *blank;
    TUT_TRY(tut_stream_skip(x->stream, ZF_HEADER));
    /* Python 2 wrote one character more; zlib data never begins with a blank. */
    if (tut_is_ok(tut_stream_peek(x->stream, 1, &blank)) && *blank == ' ')
        TUT_TRY(tut_stream_skip(x->stream, 1));
    TUT_AUTO(tut_stream) decoded = NULL;
    TUT_TRY(tut_codec_open(TUT_CODEC_ZLIB, x->stream, x->budget, &decoded, err));
    /* The same layout holds raw arrays beside an old pickle: those are nothing to run. */
    tut_span head = {0};
    tut_pglance g;
    TUT_TRY(tut_stream_peek_some(decoded, PREVIEW_BYTES, &head));
    tut_psniff_glance(head, UINT64_MAX, 0, &g);
    if (!g.is_done && !g.is_cut && g.imports == 0)
        return TUT_SUCCESS;
    tut_exam inner = *x;
    inner.stream = decoded;
    inner.source = NULL;
    inner.size = UINT64_MAX;
    return tut_pstream_examine(&inner, err);
}

static tut_status examine_joblib(tut_exam *x, tut_error *err)
{
    tut_span head = {0};
    tut_codec codec;
    TUT_TRY(tut_stream_peek_some(x->stream, PREVIEW_BYTES, &head));
    if (is_zf(head))
        return examine_zf(x, err);
    if (tut_popcodes[head.len ? head.data[0] : 0].run && names_joblib(head))
        return tut_pstream_examine(x, err);
    if (tut_codec_detect(head, &codec)) {
        /* The compression is examined as such; the pickle is a member of it. */
        const tut_format *packed = tut_format_by_name(tut_codec_name(codec));
        if (packed && packed->examine)
            return packed->examine(x, err);
    }
    return tut_pstream_examine(x, err);
}

extern const tut_format tut_format_joblib;
const tut_format tut_format_joblib = {
    .name = "joblib",
    .label = "joblib",
    .kind = TUT_KIND_MODEL,
    .tensors = TUT_TENSORS_ANY,
    .sniff = sniff_joblib,
    .examine = examine_joblib,
    .extensions = ".joblib .jbl .pkl .pickle .sav .model .z .gz .bz2 .xz .lzma .lz4 .dump .bin",
    .reads = "the pickle with arrays between its opcodes, through every compression",
    .rules = "pickle numpy codec",
};
