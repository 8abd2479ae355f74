/* Shared by the files of the hashing engine, and their tests. */
#ifndef TUT_ASSETS_MANIFEST_INTERNAL_H
#define TUT_ASSETS_MANIFEST_INTERNAL_H

#include <sys/stat.h>

#include "assets/manifest.h"

/* The error's path becomes the path of the file as people know it. */
void tut_manifest_blame(const tut_manifest *m, const tut_manifest_file *f, tut_error *err);

/* Blocks of a file in order. `ahead`: a second thread reads while the first works on the block
 * before; else the kernel is asked to read ahead where the bytes are not in memory yet. */
typedef struct tut_blocks tut_blocks;
TUT_MUST tut_status tut_blocks_new(bool ahead, tut_blocks **ret_blocks, tut_error *err);
void tut_blocks_free(tut_blocks *b);
TUT_DEFINE_AUTO(tut_blocks)
TUT_MUST tut_status tut_blocks_start(tut_blocks *b, int fd, uint64_t start, uint64_t end,
                                     tut_error *err);
/* Empty behind the last block; the bytes live until the next call. TRUNCATED when the file ends
 * before `end`. */
TUT_MUST tut_status tut_blocks_next(tut_blocks *b, tut_span *ret_block, tut_error *err);
/* Ends before the last block (after a failure elsewhere); does nothing when it is over. */
void tut_blocks_stop(tut_blocks *b);

#endif
