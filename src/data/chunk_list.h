/*
 * The chunks of a version as a document, tutela.chunks/1: so that a later version can be held
 * against it without the old bytes, and so that whoever has the root alone can check it, and with
 * it any chunk: root is the Merkle root over chunks[] (crypto/chunk.h).
 *
 *   {"chunking": "fastcdc-...", "chunks": [["<leaf in hex>", bytes], ...], "digest": {"sha256"},
 *    "root": hex, "size": bytes, "schema", "tutela", "generated"}
 */
#ifndef TUT_DATA_CHUNK_LIST_H
#define TUT_DATA_CHUNK_LIST_H

#include "base/buf.h"
#include "base/time.h"
#include "crypto/chunk.h"

/* Whether a file that begins so is meant to be such a list: '{', blanks, "chunking". */
bool tut_chunk_list_is(tut_span beginning);
/* Over TUT_LIMIT_JSON_BYTES (some 60 GB of data): LIMIT. chunks: kept. */
TUT_MUST tut_status tut_chunk_list_write(const tut_chunks *chunks, const tut_sha256 *digest,
                                         tut_time generated, tut_buf *out, tut_error *err);
/* MALFORMED for what does not lead to its own root; UNSUPPORTED for what was cut otherwise. */
TUT_MUST tut_status tut_chunk_list_read(tut_span json, tut_chunks *ret_chunks, tut_error *err);
/* Reads the file where it is such a list (*ret_is_list); where it is something else, or cannot be
 * opened, nothing is read and that is no error. */
TUT_MUST tut_status tut_chunk_list_load(const char *path, bool *ret_is_list, tut_chunks *ret_chunks,
                                        tut_error *err);

#endif
