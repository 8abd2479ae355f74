/* A pack that is being put together: its files, in any order, then the archive. */
#ifndef TUT_PACK_DRAFT_H
#define TUT_PACK_DRAFT_H

#include "pack/archive.h"
#include "pack/manifest.h"

typedef struct tut_draft_file {
    tut_archive_member member; /* name (the draft's), size, digest */
    tut_buf bytes;             /* empty where `is_body` */
    bool is_body;              /* its bytes are asked for when they are written */
    bool is_listed;            /* in the manifest */
} tut_draft_file;

/* Appends the bytes of a body. */
typedef tut_status (*tut_draft_fetch)(void *ctx, const tut_sha256 *digest, tut_buf *out,
                                      tut_error *err);

typedef struct tut_draft {
    tut_draft_file *files;
    size_t count, capacity;
    tut_arena names;
    tut_draft_fetch fetch;
    void *ctx;
} tut_draft;

void tut_draft_init(tut_draft *d, tut_draft_fetch fetch, void *ctx);
void tut_draft_done(tut_draft *d);
/* A copy of these bytes. A file of this name that is there already is left: same name, same bytes.
 */
TUT_MUST tut_status tut_draft_add(tut_draft *d, const char *name, tut_span bytes, bool is_listed,
                                  tut_error *err);
TUT_MUST tut_status tut_draft_add_body(tut_draft *d, const tut_sha256 *digest, uint64_t size,
                                       tut_error *err);
/* The listed files, ascending, in the arena. */
TUT_MUST tut_status tut_draft_list(tut_draft *d, tut_arena *arena, const tut_pack_file **ret_files,
                                   size_t *ret_count, tut_error *err);
/* Adds SHA256SUMS and writes the archive, whole or not at all. */
TUT_MUST tut_status tut_draft_write(tut_draft *d, const char *path, tut_error *err);

#endif
