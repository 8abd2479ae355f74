/*
 * The one JSON writer: canonical JSON (RFC 8785): keys sorted by UTF-16 code units at the end of
 * each object, shortest round-trip numbers, minimal escapes. Call order within an object is free.
 * Text that is not UTF-8 is written with U+FFFD in place of each bad byte. Writing is void; failure
 * (memory, nesting, a key twice) shows in the buffer's check.
 */
#ifndef TUT_BASE_JSON_WRITE_H
#define TUT_BASE_JSON_WRITE_H

#include "base/buf.h"
#include "base/time.h"

enum { TUT_JSON_WRITE_DEPTH = 64 };

typedef struct tut_json tut_json; /* opaque state over a caller's buffer */

TUT_MUST tut_status tut_json_new(tut_buf *out, tut_json **ret_json);
void tut_json_free(tut_json *j);
/* The next document goes there; what a failed one left open is forgotten. */
void tut_json_onto(tut_json *j, tut_buf *out);
TUT_DEFINE_AUTO(tut_json)

void tut_json_object(tut_json *j);
void tut_json_end_object(tut_json *j);
void tut_json_array(tut_json *j);
void tut_json_end_array(tut_json *j);
void tut_json_key(tut_json *j, const char *key);
void tut_json_key_str(tut_json *j, tut_str key);
void tut_json_str(tut_json *j, tut_str s);
void tut_json_z(tut_json *j, const char *z); /* NULL writes null */
void tut_json_int(tut_json *j, int64_t v);   /* beyond 2^53 written as digits all the same */
void tut_json_u64(tut_json *j, uint64_t v);
void tut_json_real(tut_json *j, double v); /* NaN and infinities write null */
void tut_json_bool(tut_json *j, bool v);
void tut_json_null(tut_json *j);
void tut_json_time(tut_json *j, tut_time t);                 /* RFC 3339 */
void tut_json_sha256(tut_json *j, const uint8_t digest[32]); /* {"sha256": hex} */
/* Bytes that are one JSON value already, written as they are. */
void tut_json_raw(tut_json *j, tut_str json);

/* What the writer puts between the quotes of a string. */
void tut_json_add_inside(tut_buf *b, tut_str s);

/* The digits of a number. */
void tut_json_add_int(tut_buf *b, int64_t v);

/* key and value at once, the common case */
void tut_json_put_z(tut_json *j, const char *key, const char *z);
void tut_json_put_str(tut_json *j, const char *key, tut_str s);
void tut_json_put_int(tut_json *j, const char *key, int64_t v);
void tut_json_put_u64(tut_json *j, const char *key, uint64_t v);
void tut_json_put_real(tut_json *j, const char *key, double v);
void tut_json_put_bool(tut_json *j, const char *key, bool v);
void tut_json_put_time(tut_json *j, const char *key, tut_time t);
/* Null where the text is empty. */
void tut_json_put_or_null(tut_json *j, const char *key, tut_str s);
/* "a b c" as an array of its words. */
void tut_json_put_words(tut_json *j, const char *key, const char *words);
/* Opens a document: {"schema", "tutela" (version), "generated"; tut_json_end_object closes it. */
void tut_json_head(tut_json *j, const char *schema, tut_time generated);
/* BUG when something is still open; the buffer's own failure otherwise. */
TUT_MUST tut_status tut_json_finish(tut_json *j, tut_error *err);

#endif
