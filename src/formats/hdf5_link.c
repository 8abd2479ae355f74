/*
 * Links: hard ones lead to an object of this file, soft ones to a path in it, external ones to a
 * path in another file, which whoever follows the link opens with his own rights.
 *
 *   link = 1 flags:1 [type:1] [order:8] [character set:1] length name target
 */
#include <string.h>

#include "formats/hdf5_internal.h"

enum {
    LINK_HARD = 0,
    LINK_SOFT = 1,
    LINK_EXTERNAL = 64,
    FLAG_LENGTH = 3,
    FLAG_ORDER = 4,
    FLAG_TYPE = 8,
    FLAG_CHARSET = 16
};

#define SHOWN(s) (int)((s).len < 160 ? (s).len : 160), (s).data

/* version and flags:1, file name and path, each ended by NUL */
static tut_status external_link(tut_hdf5 *h, const tut_hdf5_object *parent, tut_str name,
                                tut_span value)
{
    if (value.len < 2)
        return (tut_status){TUT_MALFORMED};
    const char *file = (const char *)value.data + 1;
    size_t len = strnlen(file, value.len - 1);
    tut_str to = {file, len};
    tut_str path = {"", 0};
    if (len + 1 < value.len - 1)
        path = (tut_str){file + len + 1, strnlen(file + len + 1, value.len - len - 2)};
    tut_hdf5_path(h, parent, TUT_LIT(""));
    tut_exam_observe(h->x, "hdf5.external-link", TUT_NO_OFFSET,
                     "%s/%.*s leads to %.*s in file %.*s", strcmp(h->path, "/") == 0 ? "" : h->path,
                     SHOWN(name), SHOWN(path), SHOWN(to));
    return TUT_SUCCESS;
}

/* A link of a type that only the program which wrote it can follow. */
static void foreign_link(tut_hdf5 *h, tut_str name, unsigned type)
{
    tut_exam_observe(h->x, "hdf5.foreign-link", TUT_NO_OFFSET, "%s: '%.*s' is a link of type %u",
                     h->path, SHOWN(name), type);
}

static tut_status read_target(tut_hdf5 *h, const tut_hdf5_object *parent, unsigned type,
                              tut_str name, tut_reader *r, tut_error *err)
{
    uint16_t len = 0;
    uint64_t address = 0;
    tut_span value;
    if (type == LINK_HARD) {
        TUT_TRY(tut_hdf5_address(h, r, &address));
        return tut_hdf5_queue(h, parent, name, address, TUT_HDF5_NOWHERE, TUT_HDF5_NOWHERE, err);
    }
    TUT_TRY(tut_reader_u16le(r, &len));
    TUT_TRY(tut_reader_bytes(r, len, &value));
    if (type == LINK_SOFT)
        return TUT_SUCCESS; /* leads to what is read anyway, or nowhere */
    if (type == LINK_EXTERNAL)
        return external_link(h, parent, name, value);
    foreign_link(h, name, type);
    return TUT_SUCCESS;
}

tut_status tut_hdf5_link(tut_hdf5 *h, const tut_hdf5_object *parent, tut_span body, tut_error *err)
{
    tut_reader r = tut_reader_of(body);
    uint8_t version = 0, flags = 0, type = LINK_HARD;
    uint64_t len = 0;
    tut_span name;
    TUT_TRY(tut_reader_u8(&r, &version));
    TUT_TRY(tut_reader_u8(&r, &flags));
    if (version != 1)
        return (tut_status){TUT_MALFORMED};
    if (flags & FLAG_TYPE)
        TUT_TRY(tut_reader_u8(&r, &type));
    TUT_TRY(tut_reader_skip(&r, (flags & FLAG_ORDER ? 8 : 0) + (flags & FLAG_CHARSET ? 1 : 0)));
    TUT_TRY(tut_hdf5_number(&r, 1u << (flags & FLAG_LENGTH), &len));
    TUT_TRY(tut_reader_bytes(&r, len, &name));
    TUT_TRY(tut_budget_steps(h->x->budget, 1, err));
    return read_target(h, parent, type, tut_str_from(name), &r, err);
}
