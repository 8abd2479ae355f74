/*
 * Attributes:
 *
 *   attribute = version:1 flags:1 name size:2 type size:2 space size:2 [character set:1]
 *               name type space value       (each padded to 8 bytes in version 1)
 *
 * Some of them are Keras' own: they say how the model is built, and what runs when it is loaded.
 */
#include <string.h>

#include "formats/hdf5_internal.h"
#include "formats/keras_config.h"

typedef struct attribute {
    tut_str name;
    tut_hdf5_type type;
    tut_hdf5_space space;
    tut_span value;
} attribute;

static tut_status take_part(tut_reader *r, uint16_t size, bool is_padded, tut_span *ret)
{
    TUT_TRY(tut_reader_bytes(r, size, ret));
    uint64_t pad = is_padded ? (8u - size % 8u) % 8u : 0;
    uint64_t left = tut_reader_left(r);
    return tut_reader_skip(r, pad < left ? pad : left);
}

static tut_status read_part_type(tut_hdf5 *h, tut_span part, bool is_shared, tut_hdf5_type *ret,
                                 tut_error *err)
{
    enum { TYPE_MESSAGE = 3 };
    TUT_CLEAN(tut_buf) found = TUT_BUF_INIT;
    if (is_shared && !tut_hdf5_follow_shared(h, TYPE_MESSAGE, part, &found, err))
        return (tut_status){TUT_MALFORMED};
    tut_reader r = tut_reader_of(is_shared ? tut_buf_span(&found) : part);
    return tut_hdf5_read_type(h, &r, ret);
}

static tut_status read_part_space(tut_hdf5 *h, tut_span part, bool is_shared, tut_hdf5_space *ret,
                                  tut_error *err)
{
    enum { SPACE_MESSAGE = 1 };
    TUT_CLEAN(tut_buf) found = TUT_BUF_INIT;
    if (is_shared && !tut_hdf5_follow_shared(h, SPACE_MESSAGE, part, &found, err))
        return (tut_status){TUT_MALFORMED};
    return tut_hdf5_read_space(h, tut_reader_of(is_shared ? tut_buf_span(&found) : part), ret);
}

static tut_status parse(tut_hdf5 *h, tut_span body, attribute *a, tut_error *err)
{
    enum { SHARED_TYPE = 1, SHARED_SPACE = 2 };
    tut_reader r = tut_reader_of(body);
    uint8_t version = 0, flags = 0;
    uint16_t name_size = 0, type_size = 0, space_size = 0;
    tut_span name, type, space;
    TUT_TRY(tut_reader_u8(&r, &version));
    TUT_TRY(tut_reader_u8(&r, &flags));
    TUT_TRY(tut_reader_u16le(&r, &name_size));
    TUT_TRY(tut_reader_u16le(&r, &type_size));
    TUT_TRY(tut_reader_u16le(&r, &space_size));
    if (version < 1 || version > 3)
        return (tut_status){TUT_MALFORMED};
    if (version == 1)
        flags = 0;
    TUT_TRY(tut_reader_skip(&r, version == 3 ? 1 : 0));
    TUT_TRY(take_part(&r, name_size, version == 1, &name));
    TUT_TRY(take_part(&r, type_size, version == 1, &type));
    TUT_TRY(take_part(&r, space_size, version == 1, &space));
    a->name = (tut_str){(const char *)name.data, strnlen((const char *)name.data, name.len)};
    TUT_TRY(read_part_type(h, type, flags & SHARED_TYPE, &a->type, err));
    TUT_TRY(read_part_space(h, space, flags & SHARED_SPACE, &a->space, err));
    uint64_t wanted = 0;
    if (__builtin_mul_overflow(a->space.elements, a->type.size, &wanted))
        return (tut_status){TUT_MALFORMED};
    return tut_reader_bytes(&r, wanted, &a->value);
}

/* --- what is Keras' --- */

static bool is_config(tut_str name)
{
    return tut_str_eq_z(name, "model_config") || tut_str_eq_z(name, "training_config") ||
           tut_str_eq_z(name, "optimizer_config");
}

static void tell_version(tut_hdf5 *h, const attribute *a, tut_str value)
{
    if (tut_str_eq_z(a->name, "keras_version"))
        tut_exam_fact(h->x, "keras.version", value);
    else if (tut_str_eq_z(a->name, "backend"))
        tut_exam_fact(h->x, "keras.backend", value);
    else if (!tut_str_eq_z(a->name, "layer_names"))
        return;
    h->is_keras = true;
}

/* The text of an attribute that Keras reads whole; false: it leads nowhere. */
static bool whole_text(tut_hdf5 *h, const attribute *a, tut_buf *text)
{
    bool is_string = a->type.class == TUT_HDF5_STRING || a->type.class == TUT_HDF5_VLEN;
    if (is_string && a->type.size > 0 && a->value.len >= a->type.size)
        return tut_hdf5_string(h, &a->type, (tut_span){a->value.data, a->type.size}, text);
    tut_buf_add(text, a->value.data, a->value.len);
    return tut_is_ok(tut_buf_check(text, NULL));
}

static tut_status look_at(tut_hdf5 *h, const attribute *a, bool is_root, tut_error *err)
{
    TUT_CLEAN(tut_buf) text;
    tut_buf_init(&text, TUT_HDF5_VALUE_BYTES);
    bool is_keras = is_config(a->name) || (is_root && (tut_str_eq_z(a->name, "keras_version") ||
                                                       tut_str_eq_z(a->name, "backend") ||
                                                       tut_str_eq_z(a->name, "layer_names")));
    if (!is_keras)
        return tut_hdf5_look_elements(h, &a->type, a->value, h->path, err);
    if (!whole_text(h, a, &text)) {
        tut_hdf5_bad(h, TUT_HDF5_NOWHERE, "its value leads nowhere");
        return TUT_SUCCESS;
    }
    if (!is_config(a->name)) {
        tell_version(h, a, tut_buf_str(&text));
        return TUT_SUCCESS;
    }
    h->is_keras = true;
    tut_status status = tut_keras_config_examine(h->x, tut_buf_span(&text), h->path, err);
    if (!tut_hdf5_is_local(status))
        return status;
    tut_hdf5_problem(h, status.code, "%s is no JSON", h->path);
    return TUT_SUCCESS;
}

tut_status tut_hdf5_attribute(tut_hdf5 *h, tut_hdf5_node *node, tut_span body, uint64_t at,
                              tut_error *err)
{
    attribute a = {0};
    (void)at;
    TUT_TRY(tut_budget_steps(h->x->budget, 1, err));
    h->attributes++;
    TUT_TRY(parse(h, body, &a, err));
    tut_hdf5_path(h, node->object, a.name);
    tut_status status = look_at(h, &a, node->object && !node->object->parent, err);
    tut_hdf5_path(h, node->object, TUT_LIT(""));
    return status;
}
