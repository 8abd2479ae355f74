/* Files that hold secrets. */
#ifndef TUT_CRYPTO_PRIVATE_FILE_H
#define TUT_CRYPTO_PRIVATE_FILE_H

#include "base/buf.h"

/* Appends the file's bytes (wipe them: tut_secret_wipe). DENIED with what to do when group or
 * others may read or write it, or when it belongs to another user than us or root; LIMIT above
 * max_bytes; `what` names it in messages ("the private key"). */
TUT_MUST tut_status tut_private_file_read(const char *path, const char *what, size_t max_bytes,
                                          tut_buf *out, tut_error *err);
/* Writes a new file, 0600, whole or not at all, synced; STORE when there is one of that name. */
TUT_MUST tut_status tut_private_file_create(const char *path, tut_span bytes, tut_error *err);
/* Makes the directory (0700, with its parents) where missing, and checks that it is ours and that
 * nobody else may enter: DENIED with what to do. */
TUT_MUST tut_status tut_private_dir(const char *path, bool make, tut_error *err);

#endif
