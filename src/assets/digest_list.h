/*
 * Lists of digests as sha256sum and b2sum write and check them (GNU coreutils): a line a file,
 * "HEX  NAME", or "HEX *NAME"; with a backslash before HEX where the name holds a backslash (\\), a
 * newline (\n) or a carriage return (\r). Empty lines and those that begin with '#' are passed
 * over.
 */
#ifndef TUT_ASSETS_DIGEST_LIST_H
#define TUT_ASSETS_DIGEST_LIST_H

#include "base/arena.h"
#include "base/buf.h"
#include "crypto/hash.h"

typedef struct tut_digest_line {
    tut_str name; /* sound as a name of OMS; a leading "./" is taken off */
    tut_hash digest;
} tut_digest_line;

typedef struct tut_digest_list {
    tut_digest_line *lines; /* by bytes of the name, each once */
    size_t count, capacity;
    tut_arena arena;
} tut_digest_list;

/* MALFORMED with the number of the line. An empty list is MALFORMED too. */
TUT_MUST tut_status tut_digest_list_read(tut_str text, tut_hash_kind kind,
                                         tut_digest_list *ret_list, tut_error *err);
void tut_digest_list_done(tut_digest_list *list);
/* Takes "prefix/" off every name if every name has it; whether it did. */
bool tut_digest_list_strip(tut_digest_list *list, tut_str prefix);
/* Appends one line. */
void tut_digest_list_add(tut_buf *out, tut_hash_kind kind, const tut_hash *digest, tut_str prefix,
                         tut_str name);

#endif
