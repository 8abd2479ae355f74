/*
 * Tensors whose values lie in another file. The location is a path that whoever loads the model
 * opens, so it must stay beneath the model's directory. Links are followed by the broker that hands
 * out siblings, never out of that directory; a hard link is a file with a second name, which may be
 * any file of the same file system.
 */
#include <inttypes.h>
#include <string.h>

#include "formats/onnx_internal.h"
#include "formats/relpath.h"

static void take_number(tut_onnx *o, bool *has, uint64_t *to)
{
    o->tensor.is_doubled |= *has;
    *has = true;
    o->tensor.is_bad_number |= o->entry_len > 20 || !tut_str_u64(tut_str_of(o->entry), to);
}

tut_status tut_onnx_read_entry(tut_onnx *o, uint64_t n, tut_error *err)
{
    o->entry_len = n;
    return tut_proto_text(&o->p, n, o->entry, sizeof(o->entry), err);
}

void tut_onnx_end_entry(tut_onnx *o, const tut_onnx_frame *f)
{
    tut_onnx_tensor *t = &o->tensor;
    t->has_entries = true;
    if (o->entry_len == 0)
        o->entry[0] = '\0';
    if (strcmp(f->a, "offset") == 0)
        take_number(o, &t->has_offset, &t->offset);
    if (strcmp(f->a, "length") == 0)
        take_number(o, &t->has_length, &t->length);
    if (strcmp(f->a, "location") != 0)
        return;
    t->is_doubled |= t->has_location;
    t->has_location = true;
    t->location_len = o->entry_len;
    memcpy(t->location, o->entry, sizeof(t->location));
}

static tut_onnx_file *find_file(tut_onnx *o, const char *location)
{
    for (size_t i = 0; i < o->file_count; i++)
        if (strcmp(o->files[i].location, location) == 0)
            return &o->files[i];
    return NULL;
}

/* Numbers have no beginning of their own; a program has. */
static void look_at_head(tut_onnx *o, const tut_source *source)
{
    uint8_t head[4096];
    size_t got = 0;
    if (!tut_is_ok(tut_source_read_some(source, 0, head, sizeof(head), &got, NULL)))
        return;
    const char *payload = tut_payload_name(tut_span_of(head, got));
    if (payload)
        tut_exam_observe(o->x, "data.hidden-payload", o->tensor.at, "its data file %s is %s",
                         o->tensor.location, payload);
}

/* Asks for the file once; NULL when it cannot be had. */
static const tut_onnx_file *open_file(tut_onnx *o)
{
    const tut_onnx_tensor *t = &o->tensor;
    tut_onnx_file *file = find_file(o, t->location);
    tut_source source;
    if (file)
        return file->is_there ? file : NULL;
    tut_exam_fact(o->x, "refers.shard", tut_str_of(t->location));
    if (!o->x->ops->sibling || o->file_count == sizeof(o->files) / sizeof(o->files[0]) ||
        t->location_len >= sizeof(o->files[0].location))
        return NULL;
    file = &o->files[o->file_count++];
    tut_str_copy(file->location, sizeof(file->location), tut_str_of(t->location));
    tut_status status = o->x->ops->sibling(o->x->ctx, t->location, &source, NULL);
    file->is_there = tut_is_ok(status);
    file->size = file->is_there ? source.size : 0;
    if (status.code == TUT_DENIED)
        tut_exam_observe(o->x, "onnx.external-path", t->at,
                         "tensor %s: its data file %s leads out of the model's directory", t->name,
                         t->location);
    else if (file->is_there && tut_source_names(&source) > 1)
        tut_exam_observe(o->x, "onnx.external-link", t->at,
                         "its data file %s has a second name (a hard link)", t->location);
    else if (!file->is_there)
        tut_exam_observe(o->x, "onnx.external-missing", t->at, "its data file %s cannot be read",
                         t->location);
    if (file->is_there)
        look_at_head(o, &source);
    return file->is_there ? file : NULL;
}

static void check_range(tut_onnx *o, const tut_onnx_file *file, bool is_sized, uint64_t bytes)
{
    const tut_onnx_tensor *t = &o->tensor;
    uint64_t length = t->has_length ? t->length : bytes, end = 0;
    if (is_sized && t->has_length && t->length != bytes)
        tut_exam_observe(o->x, "onnx.tensor-size", t->at,
                         "tensor %s: %" PRIu64 " bytes lie outside, its type and shape ask for "
                         "%" PRIu64,
                         t->name, t->length, bytes);
    if (__builtin_add_overflow(t->offset, length, &end) || (file && end > file->size))
        tut_exam_observe(o->x, "onnx.external-range", t->at,
                         "tensor %s: %" PRIu64 " bytes at %" PRIu64 " reach beyond its data file",
                         t->name, length, t->offset);
}

tut_status tut_onnx_check_external(tut_onnx *o, bool is_sized, uint64_t bytes, tut_error *err)
{
    tut_onnx_tensor *t = &o->tensor;
    bool has_typed = t->floats + t->doubles + t->ints + t->strings > 0;
    (void)err;
    if (t->is_doubled)
        tut_exam_observe(o->x, "onnx.two-values", t->at, "tensor %s says twice where its data lies",
                         t->name);
    if (t->has_raw || has_typed)
        tut_exam_observe(o->x, "onnx.two-values", t->at,
                         "tensor %s has its values both here and in another file", t->name);
    if (t->is_bad_number)
        tut_exam_observe(o->x, "onnx.external-range", t->at,
                         "tensor %s: offset or length is no number", t->name);
    tut_str location = {t->location, t->location_len < sizeof(t->location)
                                         ? (size_t)t->location_len
                                         : sizeof(t->location) - 1};
    const char *why = tut_relpath_unsafe(location);
    if (t->location_len >= sizeof(t->location))
        why = "is longer than any path";
    if (why) {
        tut_exam_observe(o->x, "onnx.external-path", t->at, "tensor %s: its location %s: %.*s",
                         t->name, why, (int)(location.len < 200 ? location.len : 200),
                         location.data);
        return TUT_SUCCESS;
    }
    if (!t->is_bad_number)
        check_range(o, open_file(o), is_sized, bytes);
    return TUT_SUCCESS;
}
