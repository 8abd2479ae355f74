/* What the chunks of datasets tell: the root of a folder, and which bytes two versions share. */
#ifndef TUT_DATA_VET_CHUNKS_H
#define TUT_DATA_VET_CHUNKS_H

#include "data/vet.h"

typedef struct vet_member { /* of a folder */
    const char *path;
    tut_sha256 root;
} vet_member;
/* The Merkle root over leaves "name NUL root" (32 bytes of root), in byte order of the names, which
 * are below the longest folder that all paths have in common. No file has two chunks the first of
 * which is that short, so no file's root is a folder's of several. Sorts the members. */
void vet_chunks_folder(vet_member *members, size_t count, tut_sha256 *ret_root);

/* As multisets: a chunk that stood there once and stands there twice was added once. Both kept. */
TUT_MUST tut_status vet_chunks_compare(const tut_chunks *now, const tut_chunks *then,
                                       tut_vet_bytes *ret, tut_error *err);

#endif
