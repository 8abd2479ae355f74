/*
 * What is kept beside a log: cosignatures, time-stamps, rotations. It lies in the log's directory,
 * or in an evidence pack; names are the same in both ("witnessed/42-0f1e..."). Nothing there is
 * believed for lying there.
 */
#ifndef TUT_LEDGER_BESIDE_H
#define TUT_LEDGER_BESIDE_H

#include "base/buf.h"
#include "base/status.h"

/* `name` is the last part alone; it lives until the visitor returns. */
typedef tut_status (*tut_beside_visit)(void *ctx, const char *name, tut_error *err);

typedef struct tut_beside {
    /* Visits what lies in a folder, in no order; none when there is no such folder. */
    tut_status (*each)(void *ctx, const char *folder, tut_beside_visit visit, void *visit_ctx,
                       tut_error *err);
    /* Appends a file's bytes: IO when it is not there, LIMIT above max_bytes. */
    tut_status (*read)(void *ctx, const char *name, size_t max_bytes, tut_buf *out, tut_error *err);
    /* Whether a file is there, be it one that cannot be read. */
    tut_status (*has)(void *ctx, const char *name, bool *ret_has, tut_error *err);
    void *ctx;
} tut_beside;

/* Borrows the path. */
tut_beside tut_beside_dir(const char *dir);

#endif
