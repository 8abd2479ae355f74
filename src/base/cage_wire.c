/* The messages between parent and worker as bytes, little-endian. */
#include <string.h>

#include "base/cage_internal.h"
#include "base/reader.h"

static uint8_t *put_le(uint8_t *to, uint64_t v, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        *to++ = (uint8_t)(v >> (8 * i));
    return to;
}

static uint64_t get_le(const uint8_t *from, unsigned bytes)
{
    uint64_t v = 0;
    for (unsigned i = 0; i < bytes; i++)
        v |= (uint64_t)from[i] << (8 * i);
    return v;
}

void tut_cage_header_write(const tut_cage_header *h, uint8_t to[TUT_CAGE_HEADER_BYTES])
{
    to[0] = h->kind;
    to[1] = h->code;
    to[2] = h->has_fd;
    to[3] = 0;
    put_le(put_le(to + 4, h->length, 4), h->seq, 8);
}

void tut_cage_header_read(const uint8_t from[TUT_CAGE_HEADER_BYTES], tut_cage_header *ret_header)
{
    *ret_header = (tut_cage_header){.kind = from[0],
                                    .code = from[1],
                                    .has_fd = from[2] != 0,
                                    .length = (uint32_t)get_le(from + 4, 4),
                                    .seq = get_le(from + 8, 8)};
}

static uint8_t *put_text(uint8_t *to, const char *text, size_t max)
{
    size_t len = strnlen(text, max);
    to = put_le(to, len, 4);
    memcpy(to, text, len);
    return to + len;
}

/* Into memory of the caller's, because the error may be that memory ran out. */
size_t tut_cage_error_write(const tut_error *error, uint8_t to[TUT_CAGE_ERROR_MAX])
{
    uint8_t *end = put_le(to, error->has_offset, 1);
    end = put_le(end, error->offset, 8);
    end = put_text(end, error->text, TUT_ERROR_TEXT_MAX - 1);
    end = put_text(end, error->path, TUT_ERROR_PATH_MAX - 1);
    return (size_t)(end - to);
}

tut_status tut_cage_error_read(tut_span from, tut_error *ret_error)
{
    tut_reader r = tut_reader_of(from);
    uint8_t has_offset = 0;
    tut_str text, path;
    tut_error error = {0};
    TUT_TRY(tut_reader_u8(&r, &has_offset));
    TUT_TRY(tut_reader_u64le(&r, &error.offset));
    TUT_TRY(tut_reader_sized(&r, &text));
    TUT_TRY(tut_reader_sized(&r, &path));
    error.has_offset = has_offset != 0;
    tut_str_copy(error.text, sizeof(error.text), text);
    tut_str_copy(error.path, sizeof(error.path), path);
    *ret_error = error;
    return TUT_SUCCESS;
}
