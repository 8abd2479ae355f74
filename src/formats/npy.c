/*
 * NumPy .npy:
 *
 *   file   = array { array }          (np.save may append to one file)
 *   array  = "\x93NUMPY" major minor length header data
 *   length = 2 bytes (version 1) or 4 bytes (versions 2 and 3), little endian
 *   data   = product(shape) elements, or one pickle where the type holds objects
 */
#include <string.h>

#include "base/buf.h"
#include "formats/format.h"
#include "formats/npy_header.h"
#include "formats/pickle_stream.h"

static const char magic[] = "\x93NUMPY";
enum { MAGIC_BYTES = 6, SNIFF_BYTES = 4096 };

static tut_match sniff(const tut_sniff *s)
{
    return tut_sniff_magic(s, magic, MAGIC_BYTES) ? TUT_MATCH_SURE : TUT_MATCH_NONE;
}

/* Magic, version and length; the stream then stands at the header's text. */
static tut_status read_prefix(tut_exam *x, uint32_t *ret_len, tut_error *err)
{
    const uint8_t *raw = NULL;
    TUT_TRY(tut_stream_take(x->stream, MAGIC_BYTES + 2, &raw));
    uint8_t major = raw[6], minor = raw[7];
    if (major < 1 || major > 3 || minor != 0) {
        tut_exam_observe(x, "numpy.bad-header", 6, "version %u.%u does not exist", major, minor);
        return tut_fail(err, TUT_UNSUPPORTED, "npy version %u.%u", major, minor);
    }
    size_t width = major == 1 ? 2 : 4;
    TUT_TRY(tut_stream_take(x->stream, width, &raw));
    uint32_t len = 0;
    for (size_t i = 0; i < width; i++)
        len |= (uint32_t)raw[i] << (8 * i);
    *ret_len = len;
    return TUT_SUCCESS;
}

static tut_status read_text(tut_exam *x, uint32_t len, tut_buf *text, tut_error *err)
{
    if (len > TUT_LIMIT_NPY_HEADER) {
        tut_exam_observe(x, "numpy.bad-header", tut_stream_pos(x->stream),
                         "a header of %u bytes; NumPy itself refuses more than 10,000", len);
        return tut_fail(err, TUT_LIMIT, "a header of %u bytes", len);
    }
    for (uint32_t left = len; left > 0;) {
        uint32_t n = left < TUT_LIMIT_PEEK_BYTES ? left : TUT_LIMIT_PEEK_BYTES;
        const uint8_t *raw = NULL;
        TUT_TRY(tut_stream_take(x->stream, n, &raw));
        tut_buf_add(text, raw, n);
        left -= n;
    }
    return tut_buf_check(text, err);
}

/* The rest of the bytes as an artefact of their own. */
static tut_status examine_rest(tut_exam *x, const char *name, tut_error *err)
{
    const tut_source *source = tut_stream_source(x->stream);
    uint64_t at = tut_stream_pos(x->stream);
    tut_source rest;
    if (!source)
        return x->ops->member(x->ctx, tut_str_of(name), NULL, x->stream, UINT64_MAX, err);
    if (at > source->size || !tut_is_ok(tut_source_slice(source, at, source->size - at, &rest)))
        return TUT_SUCCESS;
    return x->ops->member(x->ctx, tut_str_of(name), &rest, NULL, rest.size, err);
}

/* The elements of an object array. NumPy unpickles them whatever they look like; what would not be
 * taken for a pickle by itself is read as one here, so that it is judged. */
static tut_status examine_objects(tut_exam *x, tut_error *err)
{
    tut_span head;
    TUT_TRY(tut_stream_peek_some(x->stream, SNIFF_BYTES, &head));
    uint64_t size = head.len < SNIFF_BYTES ? head.len : UINT64_MAX; /* as the member will see it */
    const tut_sniff s = {.head = head, .size = size, .name = TUT_LIT("[objects]")};
    const tut_format *found = tut_format_detect(&s, NULL);
    if (found && strcmp(found->name, "pickle") == 0)
        return examine_rest(x, "[objects]", err);
    return tut_pstream_examine(x, err);
}

static tut_status examine_bad_header(tut_exam *x, uint64_t at, const tut_error *why, tut_error *err)
{
    tut_exam_observe(x, "numpy.header-not-literal", at + (why->has_offset ? why->offset : 0),
                     "the header is not what NumPy writes: %s", why->text);
    TUT_TRY(examine_rest(x, "[data]", err));
    return tut_fail(err, TUT_MALFORMED, "the npy header could not be read: %s", why->text);
}

static tut_status short_data(tut_exam *x, uint64_t wanted, tut_error *err)
{
    tut_exam_observe(x, "numpy.data-short", tut_stream_pos(x->stream),
                     "the shape asks for %llu bytes, the file ends before",
                     (unsigned long long)wanted);
    return tut_fail(err, TUT_TRUNCATED, "the data is shorter than the shape says");
}

/* The type as a literal: what has no numbers to look at is all the same to whoever asks. */
static const char *dtype_name(tut_str descr)
{
    static const char *const names[] = {"<f8", "<f4", "<f2", "|i1", "|u1", "<c8", "<c16"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (descr.len == strlen(names[i]) + 2 &&
            memcmp(descr.data + 1, names[i], descr.len - 2) == 0)
            return names[i];
    return "other";
}

static void tell_tensor(tut_exam *x, const tut_npy_header *h, uint64_t begin, uint64_t end)
{
    if (!x->ops->tensor || !x->source)
        return;
    const tut_tensor told = {.name = x->name,
                             .dtype = dtype_name(h->descr),
                             .shape = h->shape,
                             .begin = begin,
                             .end = end};
    x->ops->tensor(x->ctx, &told);
}

/* Goes over the elements. *ret_is_known is false where that would mean decoding for nothing. */
static tut_status skip_data(tut_exam *x, const tut_npy_header *h, bool *ret_is_known,
                            tut_error *err)
{
    uint64_t bytes = 0;
    *ret_is_known = false;
    if (!tut_npy_header_bytes(h, &bytes)) {
        tut_exam_observe(x, "numpy.shape-overflow", tut_stream_pos(x->stream),
                         "shape %.*s of %llu bytes each is more than any memory",
                         (int)(h->shape.len < 200 ? h->shape.len : 200), h->shape.data,
                         (unsigned long long)h->item_bytes);
        return tut_fail(err, TUT_MALFORMED, "the shape overflows");
    }
    if (!x->content && !tut_stream_source(x->stream))
        return TUT_SUCCESS;
    uint64_t begin = tut_stream_pos(x->stream);
    if (!tut_is_ok(tut_stream_skip(x->stream, bytes)))
        return short_data(x, bytes, err);
    tell_tensor(x, h, begin, begin + bytes);
    *ret_is_known = true;
    return TUT_SUCCESS;
}

/* One array. *ret_more: another may follow. */
static tut_status examine_array(tut_exam *x, bool is_first, bool *ret_more, tut_error *err)
{
    uint32_t len = 0;
    tut_npy_header h;
    tut_error why = {0};
    TUT_CLEAN(tut_buf) text;
    tut_buf_init(&text, TUT_LIMIT_NPY_HEADER);
    *ret_more = false;
    TUT_TRY(read_prefix(x, &len, err));
    uint64_t at = tut_stream_pos(x->stream);
    TUT_TRY(read_text(x, len, &text, err));
    tut_status parsed = tut_npy_header_parse(tut_buf_str(&text), &h, &why);
    if (!tut_is_ok(parsed))
        return examine_bad_header(x, at, &why, err);
    if (is_first) {
        tut_exam_fact(x, "numpy.dtype", h.descr);
        tut_exam_fact(x, "numpy.shape", h.shape);
    }
    if (h.is_odd)
        tut_exam_observe(x, "numpy.odd-dtype", at, "type %.*s, as NumPy never writes it",
                         (int)(h.descr.len < 200 ? h.descr.len : 200), h.descr.data);
    if (h.has_object)
        tut_exam_observe(x, "numpy.object-array", at,
                         "elements are Python objects: loading the array runs a pickle");
    if (h.has_object)
        return examine_objects(x, err);
    if (h.is_odd)
        return examine_rest(x, "[objects]", err);
    return skip_data(x, &h, ret_more, err);
}

static tut_status examine_all(tut_exam *x, tut_error *err)
{
    bool is_first = true, has_more = true;
    while (has_more) {
        const uint8_t *raw = NULL;
        TUT_TRY(tut_budget_steps(x->budget, 1, err));
        TUT_TRY(examine_array(x, is_first, &has_more, err));
        is_first = false;
        if (!has_more || tut_stream_at_end(x->stream))
            return TUT_SUCCESS;
        if (!tut_is_ok(tut_stream_peek(x->stream, MAGIC_BYTES, &raw)) ||
            memcmp(raw, magic, MAGIC_BYTES) != 0)
            break;
    }
    tut_exam_observe(x, "numpy.trailing-data", tut_stream_pos(x->stream),
                     "bytes follow the last element");
    return examine_rest(x, "[trailing]", err);
}

static tut_status examine(tut_exam *x, tut_error *err)
{
    tut_status s = examine_all(x, err);
    if (s.code != TUT_TRUNCATED || !err || err->code == TUT_TRUNCATED)
        return s;
    return tut_fail(err, TUT_TRUNCATED, "the npy file is cut off");
}

extern const tut_format tut_format_npy;

const tut_format tut_format_npy = {
    .name = "npy",
    .label = "NumPy array",
    .kind = TUT_KIND_MODEL,
    .tensors = TUT_TENSORS_ANY,
    .sniff = sniff,
    .examine = examine,
    .extensions = ".npy",
    .reads = "header of versions 1 to 3 as NumPy evaluates it, sizes, object arrays as pickles",
    .rules = "numpy pickle weights",
};
