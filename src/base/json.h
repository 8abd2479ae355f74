/*
 * JSON reading: simdjson behind a C header, with our own walk that refuses duplicate keys (or
 * reports them) and depth. The document owns everything; values and text borrow from it.
 */
#ifndef TUT_BASE_JSON_H
#define TUT_BASE_JSON_H

#include "base/alloc.h"
#include "base/status.h"
#include "base/str.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum tut_json_type {
    TUT_JSON_NULL,
    TUT_JSON_BOOL,
    TUT_JSON_INT,  /* fits int64 */
    TUT_JSON_UINT, /* above int64, fits uint64 */
    TUT_JSON_REAL,
    TUT_JSON_STRING,
    TUT_JSON_ARRAY,
    TUT_JSON_OBJECT
} tut_json_type;

typedef struct tut_json_doc tut_json_doc;

/* Children of a container are contiguous: item[0..count). In an object each carries its key. */
typedef struct tut_json_value {
    tut_json_type type;
    uint32_t count; /* of array or object */
    tut_str key;    /* in an object; else empty with data NULL */
    union {
        bool boolean;
        int64_t integer;
        uint64_t uinteger;
        double real;
        tut_str string; /* may hold NUL */
        const struct tut_json_value *items;
    } as;
} tut_json_value;

typedef struct tut_json_options {
    uint32_t max_depth;    /* 0: TUT_LIMIT_JSON_DEPTH */
    bool allow_duplicates; /* keep all, in order, and count them */
} tut_json_options;

/* MALFORMED with the byte offset where known; LIMIT for depth or size; text is copied. */
TUT_MUST tut_status tut_json_parse(tut_span text, const tut_json_options *options,
                                   tut_json_doc **ret_doc, tut_error *err);
void tut_json_doc_free(tut_json_doc *doc);
const tut_json_value *tut_json_root(const tut_json_doc *doc);
/* How many keys occurred again in their object, and the first such key. */
uint32_t tut_json_duplicates(const tut_json_doc *doc, tut_str *ret_first);

/* First member of that name, or NULL (also when v is NULL or no object). */
const tut_json_value *tut_json_get(const tut_json_value *v, const char *key);
/* Items of an array or object; 0 for anything else and for NULL. */
uint32_t tut_json_count(const tut_json_value *v);
const tut_json_value *tut_json_item(const tut_json_value *v, uint32_t i);
/* String content or an empty view. */
tut_str tut_json_text(const tut_json_value *v);
tut_str tut_json_get_text(const tut_json_value *v, const char *key);
int64_t tut_json_get_int(const tut_json_value *v, const char *key, int64_t otherwise);
/* A number as a double; NaN for anything else and for NULL. */
double tut_json_real_of(const tut_json_value *v);
bool tut_json_get_bool(const tut_json_value *v, const char *key, bool otherwise);

#ifdef __cplusplus
}
#else
TUT_DEFINE_AUTO(tut_json_doc)
#endif

#endif
