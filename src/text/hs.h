/* Vectorscan, loaded when it is first wanted: only commands that look at text need it. */
#ifndef TUT_TEXT_HS_H
#define TUT_TEXT_HS_H

#include <hs/hs.h>

typedef struct tut_hs {
    __typeof__(&hs_scan) scan;
    __typeof__(&hs_alloc_scratch) alloc_scratch;
    __typeof__(&hs_free_scratch) free_scratch;
    __typeof__(&hs_deserialize_database) deserialize;
    __typeof__(&hs_serialize_database) serialize;
    __typeof__(&hs_free_database) free_database;
    __typeof__(&hs_compile_ext_multi) compile;
    __typeof__(&hs_compile) compile_one;
    __typeof__(&hs_free_compile_error) free_error;
    __typeof__(&hs_expression_info) info;
    __typeof__(&hs_version) version;
} tut_hs;

/* NULL where the library is not installed. Stays loaded. */
const tut_hs *tut_hs_load(void);

#endif
