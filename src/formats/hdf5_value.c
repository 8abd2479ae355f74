/*
 * Values: strings of fixed length, and those of variable length that lie in a global heap.
 *
 *   heap   = "GCOL" 1 0:3 size { index:2 references:2 0:4 size data padding to 8 }
 *   value  = length:4 address index:4      (of a string or sequence of variable length)
 *
 * Strings, sequences and opaque bytes hold anything; what is itself a pickle, an archive or a
 * program is examined as that.
 */
#include <stdio.h>
#include <string.h>

#include "formats/codec.h"
#include "formats/encoded.h"
#include "formats/hdf5_internal.h"
#include "formats/marshal.h"
#include "formats/payload.h"
#include "formats/pickle_sniff.h"

enum { HEAD_BYTES = 4096, LEAST_BYTES = 10, LEAST_TEXT = 20, DECODED_BYTES = 1024 };

/* --- the global heap --- */

static bool open_collection(tut_hdf5 *h, uint64_t address)
{
    TUT_CLEAN(tut_buf) raw = TUT_BUF_INIT;
    uint64_t size = 0;
    if (!tut_is_ok(tut_hdf5_read(h, address, 8u + h->length_bytes, &raw, NULL)) ||
        memcmp(raw.data, "GCOL", 4) != 0)
        return false;
    tut_reader r = tut_reader_of(tut_buf_span(&raw));
    if (!tut_is_ok(tut_reader_skip(&r, 8)) || !tut_is_ok(tut_hdf5_length(h, &r, &size)) ||
        size < raw.len || address > UINT64_MAX - size)
        return false;
    h->global.address = address;
    h->global.end = address + size;
    h->global.at = address + raw.len;
    h->global.index = 0;
    return true;
}

/* The object at h->global.at. False: none, or broken. */
static bool next_global(tut_hdf5 *h, uint32_t *ret_index, uint64_t *ret_data, uint64_t *ret_size)
{
    TUT_CLEAN(tut_buf) raw = TUT_BUF_INIT;
    uint16_t index = 0;
    unsigned head = 8u + h->length_bytes;
    if (h->global.end - h->global.at < head ||
        !tut_is_ok(tut_budget_steps(h->x->budget, 1, NULL)) ||
        !tut_is_ok(tut_hdf5_read(h, h->global.at, head, &raw, NULL)))
        return false;
    tut_reader r = tut_reader_of(tut_buf_span(&raw));
    if (!tut_is_ok(tut_reader_u16le(&r, &index)) || !tut_is_ok(tut_reader_skip(&r, 6)) ||
        !tut_is_ok(tut_hdf5_length(h, &r, ret_size)) || index == 0 ||
        *ret_size > h->global.end - h->global.at - head)
        return false;
    *ret_index = index;
    *ret_data = h->global.at + head;
    uint64_t padded = (*ret_size + 7) / 8 * 8;
    uint64_t room = h->global.end - *ret_data;
    h->global.at = *ret_data + (padded < room ? padded : room);
    h->global.index = index;
    return true;
}

bool tut_hdf5_global(tut_hdf5 *h, uint64_t address, uint32_t index, tut_buf *out)
{
    bool goes_on = h->global.end && h->global.address == address && index > h->global.index;
    uint32_t found = 0;
    uint64_t data = 0, size = 0;
    if (!goes_on && !open_collection(h, address))
        return false;
    for (int tries = 0; tries < 2; tries++) {
        while (next_global(h, &found, &data, &size))
            if (found == index)
                return size <= TUT_HDF5_VALUE_BYTES &&
                       tut_is_ok(tut_hdf5_read(h, data, size, out, NULL));
        /* Indexes need not rise: once more from the start, if that is not where this began. */
        if (!goes_on || !open_collection(h, address))
            return false;
        goes_on = false;
    }
    return false;
}

/* What a reference of variable length stands for, `bytes_each` a unit of its length. */
static bool follow(tut_hdf5 *h, tut_span element, uint32_t bytes_each, tut_buf *out)
{
    tut_reader r = tut_reader_of(element);
    uint32_t length = 0, index = 0;
    uint64_t address = 0;
    if (!tut_is_ok(tut_reader_u32le(&r, &length)) ||
        !tut_is_ok(tut_hdf5_address(h, &r, &address)) || !tut_is_ok(tut_reader_u32le(&r, &index)))
        return false;
    if (length == 0 || address == 0 || address == TUT_HDF5_NOWHERE)
        return true;
    if (!tut_hdf5_global(h, address, index, out))
        return false;
    uint64_t wanted = (uint64_t)length * bytes_each;
    if (out->len > wanted)
        out->len = (size_t)wanted;
    return true;
}

bool tut_hdf5_string(tut_hdf5 *h, const tut_hdf5_type *t, tut_span element, tut_buf *out)
{
    if (t->class == TUT_HDF5_VLEN)
        return follow(h, element, t->is_vlen_string || !t->base_size ? 1 : t->base_size, out);
    size_t len = element.len;
    while (len > 0 && element.data[len - 1] == 0)
        len--;
    tut_buf_add(out, element.data, len);
    return tut_is_ok(tut_buf_check(out, NULL));
}

/* --- what a value is --- */

static bool is_packed(tut_span head)
{
    uint8_t decoded[DECODED_BYTES];
    bool is_broken = false;
    tut_codec codec;
    if (!tut_codec_detect(head, &codec))
        return false;
    return tut_codec_preview(codec, head, decoded, sizeof(decoded), &is_broken) > 16 && !is_broken;
}

static bool is_artefact(tut_span head, uint64_t size)
{
    return head.len >= LEAST_BYTES && (memcmp(head.data, "PK\3\4", 4) == 0 || is_packed(head) ||
                                       tut_psniff_is_pickle(head, size));
}

static tut_status hand_on(tut_hdf5 *h, tut_str value, const char *how, const char *where,
                          tut_error *err)
{
    char name[TUT_HDF5_PATH_SHOWN + 32];
    if (!h->x->ops->member)
        return TUT_SUCCESS;
    int len = snprintf(name, sizeof(name), "%s[%s]", how, where);
    size_t kept = len > 0 && (size_t)len < sizeof(name) ? (size_t)len : sizeof(name) - 1;
    tut_source source = tut_source_memory(tut_span_of(value.data, value.len));
    return h->x->ops->member(h->x->ctx, (tut_str){name, kept}, &source, NULL, source.size, err);
}

static tut_status look_text(tut_hdf5 *h, tut_str value, const char *where, tut_error *err)
{
    uint8_t some[DECODED_BYTES];
    size_t len = 0;
    tut_str head = {value.data, value.len < DECODED_BYTES ? value.len : DECODED_BYTES};
    if (value.len < LEAST_TEXT || !tut_encoded_base64(head, some, sizeof(some), &len))
        return TUT_SUCCESS;
    bool is_whole = head.len == value.len;
    bool is_code = tut_marshal_is_code(tut_span_of(some, len));
    if (!is_code && !is_artefact(tut_span_of(some, len), is_whole ? len : UINT64_MAX))
        return TUT_SUCCESS;
    TUT_AUTO_FREE uint8_t *decoded = tut_alloc_array(value.len, 1);
    if (!decoded)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    if (!tut_encoded_base64(value, decoded, value.len, &len))
        return TUT_SUCCESS;
    if (is_code)
        return tut_marshal_report(h->x, tut_span_of(decoded, len), "hdf5.code-object", where, err);
    return hand_on(h, (tut_str){(const char *)decoded, len}, "base64 ", where, err);
}

tut_status tut_hdf5_look(tut_hdf5 *h, tut_str value, const char *where, tut_error *err)
{
    if (value.len < LEAST_BYTES)
        return TUT_SUCCESS;
    tut_span head = tut_span_of(value.data, value.len < HEAD_BYTES ? value.len : HEAD_BYTES);
    const char *program = tut_payload_program(head);
    if (program) {
        tut_exam_observe(h->x, "data.hidden-payload", TUT_NO_OFFSET, "%s lies in %s", program,
                         where);
        return TUT_SUCCESS;
    }
    if (tut_marshal_is_code(head))
        return tut_marshal_report(h->x, tut_span_of(value.data, value.len), "hdf5.code-object",
                                  where, err);
    if (is_artefact(head, value.len))
        return hand_on(h, value, "", where, err);
    return look_text(h, value, where, err);
}

static bool is_looked_at(const tut_hdf5_type *t)
{
    return t->class == TUT_HDF5_STRING || t->class == TUT_HDF5_OPAQUE || t->class == TUT_HDF5_VLEN;
}

/* Whole numbers of which each is one byte. *ret_count: how many. */
static bool narrow(const tut_hdf5_type *t, tut_span raw, uint8_t *to, size_t *ret_count)
{
    size_t count = raw.len / t->size, low = t->is_big_endian ? t->size - 1 : 0;
    for (size_t i = 0; i < count; i++) {
        const uint8_t *number = raw.data + i * t->size;
        for (uint32_t b = 0; b < t->size; b++)
            if (b != low && number[b] != 0)
                return false;
        to[i] = number[low];
    }
    *ret_count = count;
    return count > 0;
}

/* Numbers wider than a byte: the bytes as they lie, and the numbers as bytes. */
static tut_status look_at_wide(tut_hdf5 *h, const tut_hdf5_type *t, tut_span raw, const char *where,
                               tut_error *err)
{
    enum { LEAST = 16, WIDEST = 8 };
    size_t count = 0;
    if (t->size > WIDEST || raw.len < LEAST)
        return TUT_SUCCESS;
    TUT_TRY(tut_hdf5_look(h, tut_str_from(raw), where, err));
    TUT_AUTO_FREE uint8_t *bytes = tut_alloc_array(raw.len / t->size + 1, 1);
    if (!bytes)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    return narrow(t, raw, bytes, &count)
               ? tut_hdf5_look(h, (tut_str){(const char *)bytes, count}, where, err)
               : TUT_SUCCESS;
}

tut_status tut_hdf5_look_elements(tut_hdf5 *h, const tut_hdf5_type *t, tut_span raw,
                                  const char *where, tut_error *err)
{
    bool is_number = t->class == TUT_HDF5_INTEGER || t->class == TUT_HDF5_BITS;
    bool is_bytes = is_number || t->class == TUT_HDF5_OPAQUE;
    if (is_bytes && t->size == 1)
        return tut_hdf5_look(h, tut_str_from(raw), where, err);
    if (is_number && t->size > 1)
        return look_at_wide(h, t, raw, where, err);
    if (!is_looked_at(t) || t->size == 0)
        return TUT_SUCCESS;
    for (size_t at = 0; raw.len - at >= t->size; at += t->size) {
        TUT_CLEAN(tut_buf) value;
        tut_buf_init(&value, TUT_HDF5_VALUE_BYTES);
        TUT_TRY(tut_budget_steps(h->x->budget, 1, err));
        if (!tut_hdf5_string(h, t, (tut_span){raw.data + at, t->size}, &value)) {
            tut_hdf5_bad(h, TUT_HDF5_NOWHERE, "a value of variable length leads nowhere");
            return TUT_SUCCESS;
        }
        TUT_TRY(tut_hdf5_look(h, tut_buf_str(&value), where, err));
    }
    return TUT_SUCCESS;
}

/* --- everything in global heaps --- */

static tut_status look_at_collection(tut_hdf5 *h, uint64_t address, tut_error *err)
{
    uint32_t index = 0;
    uint64_t data = 0, size = 0;
    if (!open_collection(h, address))
        return TUT_SUCCESS;
    while (next_global(h, &index, &data, &size)) {
        TUT_CLEAN(tut_buf) value;
        tut_buf_init(&value, TUT_HDF5_VALUE_BYTES);
        if (size > TUT_HDF5_VALUE_BYTES || !tut_is_ok(tut_hdf5_read(h, data, size, &value, NULL)))
            continue;
        TUT_TRY(tut_hdf5_look(h, tut_buf_str(&value), "global heap", err));
    }
    return TUT_SUCCESS;
}

tut_status tut_hdf5_sweep(tut_hdf5 *h, tut_error *err)
{
    enum { ALIGNED = 8 };
    TUT_AUTO_FREE uint8_t *window = tut_alloc_array(TUT_LIMIT_WINDOW_BYTES, 1);
    if (!window)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (uint64_t at = h->base; at < h->src->size; at += TUT_LIMIT_WINDOW_BYTES) {
        size_t got = 0;
        TUT_TRY(tut_source_read_some(h->src, at, window, TUT_LIMIT_WINDOW_BYTES, &got, err));
        TUT_TRY(tut_budget_steps(h->x->budget, got / ALIGNED, err));
        for (size_t i = 0; i + 4 <= got; i += ALIGNED)
            if (memcmp(window + i, "GCOL", 4) == 0)
                TUT_TRY(look_at_collection(h, at + i - h->base, err));
    }
    return TUT_SUCCESS;
}
