/*
 * UBJSON (draft 12, as XGBoost writes it) as a stream of tokens, the same as of JSON. Memory is one
 * text of at most a cap; nothing recurses; a declared size is held against what is left of the
 * bytes before anything is done with it.
 *
 *   value  = "Z" | "T" | "F" | int | "d" f32 | "D" f64 | "C" byte | ("S" | "H") size bytes
 *          | "[" [ "$" type ] [ "#" size ] { value } [ "]" ]
 *          | "{" [ "$" type ] [ "#" size ] { size bytes value } [ "}" ]
 *   int    = "i" i8 | "U" u8 | "I" i16 | "l" i32 | "L" i64      size = int, not negative
 *   "N" stands for nothing. Numbers are big endian. A container with a size has no end mark, and
 * the values of one with a type have no marks of their own.
 */
#ifndef TUT_FORMATS_UBJ_PULL_H
#define TUT_FORMATS_UBJ_PULL_H

#include "base/buf.h"
#include "base/source.h"
#include "formats/json_pull.h"

typedef struct tut_ubj_level {
    bool is_object, is_counted, has_key;
    uint8_t type; /* of all values; 0: each says */
    uint64_t left;
} tut_ubj_level;

typedef struct tut_ubj_pull {
    tut_stream *stream; /* borrowed */
    uint64_t size;      /* of all bytes; UINT64_MAX: not known */
    uint64_t offset;    /* of the last token */
    tut_buf text;       /* of KEY and STRING, cut at text_cap */
    size_t text_cap;    /* changeable between tokens */
    uint64_t text_total, text_hash;
    bool is_integer; /* of the last NUMBER */
    int64_t integer;
    const char
        *rule; /* of what ended the reading: "ubjson.size"; NULL: it is cut off, or no fault */
    bool is_complete;
    uint32_t depth;
    tut_ubj_level levels[TUT_JSON_PULL_DEPTH];
} tut_ubj_pull;

void tut_ubj_pull_init(tut_ubj_pull *p, tut_stream *stream, uint64_t size);
void tut_ubj_pull_done(tut_ubj_pull *p);
/* MALFORMED, TRUNCATED, LIMIT, NOMEM; the place in err. */
TUT_MUST tut_status tut_ubj_pull_next(tut_ubj_pull *p, tut_json_token *ret_token, tut_error *err);
/* Right behind ARRAY: passes over the values of an array whose type and size are declared, so that
 * its end comes next. False: it is none of these. */
bool tut_ubj_pull_skip_array(tut_ubj_pull *p);
/* Bytes of a value of this type; 0: it has none, or its size varies. */
unsigned tut_ubj_type_bytes(uint8_t type);

#endif
