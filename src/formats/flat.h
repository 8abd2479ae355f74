/*
 * FlatBuffers: tables that refer to each other by offsets, read where they lie.
 *
 *   buffer = root:u32 [identifier: 4 bytes] ...   an offset counts from where it stands
 *   table  = back:i32 fields                      its vtable lies at table - back
 *   vtable = size:u16 table-size:u16 offset:u16*  of each field in the table; 0: absent
 *   vector = count:u32 items                      string = vector of bytes
 *
 * Every step is checked against the buffer, as FlatBuffers' own Verifier does; loaders that skip
 * that check read out of bounds. What does not hold is observed
 * once under the rule that the format names, and reading ends there (MALFORMED).
 */
#ifndef TUT_FORMATS_FLAT_H
#define TUT_FORMATS_FLAT_H

#include "formats/format.h"

enum { TUT_FLAT_PAGES = 16, TUT_FLAT_PAGE = 4096, TUT_FLAT_TEXT = 256 };

typedef struct tut_flat {
    tut_exam *x;
    tut_source source; /* begins with the buffer */
    uint64_t size;     /* of the buffer */
    uint64_t reach;    /* end of what was referred to so far */
    const char *rule;
    uint64_t pages[TUT_FLAT_PAGES]; /* number + 1 of the page that each slot holds */
    uint32_t lengths[TUT_FLAT_PAGES];
    uint8_t bytes[TUT_FLAT_PAGES][TUT_FLAT_PAGE];
} tut_flat;

typedef struct tut_flat_table {
    uint64_t at, fields; /* of the vtable's first field offset */
    uint16_t count;
} tut_flat_table;

typedef struct tut_flat_vector {
    uint64_t at; /* of the first item */
    uint32_t count;
} tut_flat_vector; /* absent: count 0 */

/* Heap object; size: how much of the source the buffer takes. */
TUT_MUST tut_status tut_flat_new(tut_exam *x, const tut_source *source, uint64_t size,
                                 const char *rule, tut_flat **ret, tut_error *err);
void tut_flat_free(tut_flat *f);
TUT_DEFINE_AUTO(tut_flat)

TUT_MUST tut_status tut_flat_bad(tut_flat *f, uint64_t at, const char *why, tut_error *err);
TUT_MUST tut_status tut_flat_read(tut_flat *f, uint64_t at, void *to, size_t n, tut_error *err);
TUT_MUST tut_status tut_flat_root(tut_flat *f, tut_flat_table *ret, tut_error *err);
/* A number of `bytes` bytes (1, 2, 4, 8), without sign; `otherwise` when the field is absent. */
TUT_MUST tut_status tut_flat_number(tut_flat *f, const tut_flat_table *t, unsigned field,
                                    unsigned bytes, uint64_t otherwise, uint64_t *ret,
                                    tut_error *err);
/* The table that a field refers to; *ret_has is false when it is absent. */
TUT_MUST tut_status tut_flat_child(tut_flat *f, const tut_flat_table *t, unsigned field,
                                   bool *ret_has, tut_flat_table *ret, tut_error *err);
TUT_MUST tut_status tut_flat_vector_of(tut_flat *f, const tut_flat_table *t, unsigned field,
                                       unsigned item_bytes, tut_flat_vector *ret, tut_error *err);
/* A number in a vector. */
TUT_MUST tut_status tut_flat_item(tut_flat *f, const tut_flat_vector *v, uint32_t i, unsigned bytes,
                                  uint64_t *ret, tut_error *err);
/* A table in a vector of tables. */
TUT_MUST tut_status tut_flat_row(tut_flat *f, const tut_flat_vector *v, uint32_t i,
                                 tut_flat_table *ret, tut_error *err);
/* Text, cut to TUT_FLAT_TEXT - 1 bytes; "" when absent. */
TUT_MUST tut_status tut_flat_text(tut_flat *f, const tut_flat_table *t, unsigned field,
                                  char to[TUT_FLAT_TEXT], tut_error *err);

#endif
