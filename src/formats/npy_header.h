/*
 * The header of a .npy file: a Python literal of one fixed form, read by a strict grammar of its
 * own. Nothing is evaluated; what is outside the grammar is MALFORMED, whatever Python would make
 * of it.
 */
#ifndef TUT_FORMATS_NPY_HEADER_H
#define TUT_FORMATS_NPY_HEADER_H

#include "base/status.h"
#include "base/str.h"

enum { TUT_NPY_DIMS_MAX = 64 };

typedef struct tut_npy_header {
    tut_str descr;       /* as written */
    tut_str shape;       /* as written */
    uint64_t item_bytes; /* of one element; meaningless when is_odd */
    bool has_object;     /* |O anywhere in the type: the data is a pickle */
    bool is_odd;         /* a type string that NumPy reads but never writes ("f8,O", "3O") */
    bool is_fortran;
    size_t dim_count;
    uint64_t dims[TUT_NPY_DIMS_MAX];
} tut_npy_header;

/* text is the header without its length prefix. MALFORMED names what is wrong and the offset in it;
 * LIMIT: nested or dimensioned beyond any real type. */
TUT_MUST tut_status tut_npy_header_parse(tut_str text, tut_npy_header *ret_header, tut_error *err);
/* Bytes of all elements; false: the product does not fit 63 bits. */
bool tut_npy_header_bytes(const tut_npy_header *h, uint64_t *ret_bytes);

#endif
