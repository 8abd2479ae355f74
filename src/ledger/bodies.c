/* Bodies: what a record's digest names. A body is whole and synced before its record is written;
 * one wait for the disk serves all bodies of an append. */
#include "base/fs.h"
#include "base/limits.h"
#include "ledger/record_internal.h"

static tut_status body_path(const tut_ledger *l, const tut_sha256 *digest, char **ret_path,
                            tut_error *err)
{
    char hex[TUT_SHA256_HEX];
    tut_sha256_hex(digest, hex);
    *ret_path = tut_fs_join(l->bodies, hex);
    return *ret_path ? TUT_SUCCESS : tut_fail(err, TUT_NOMEM, "memory ran out");
}

tut_status tut_ledger_put_body(tut_ledger *l, tut_span body, tut_sha256 *ret_digest, tut_error *err)
{
    if (l->lock_fd < 0)
        return tut_fail(err, TUT_USAGE, "the records are open for reading only");
    if (body.len > TUT_LIMIT_BODY_BYTES)
        return tut_fail(err, TUT_LIMIT,
                        "%zu bytes are too many to be kept as evidence (at most %u)", body.len,
                        TUT_LIMIT_BODY_BYTES);
    tut_sha256 digest;
    TUT_TRY(tut_sha256_of(body, &digest, err));
    TUT_AUTO_FREE char *path = NULL;
    TUT_TRY(body_path(l, &digest, &path, err));
    /* A body that is there but damaged is written anew: the bytes at hand are the right ones. */
    TUT_CLEAN(tut_buf) known = TUT_BUF_INIT;
    if (!tut_fs_exists(path) || !tut_is_ok(tut_ledger_get_body(l, &digest, &known, NULL))) {
        l->has_unsynced_bodies = true;
        TUT_TRY(tut_fs_write_unsynced(path, body, 0600, err));
    }
    *ret_digest = digest;
    return TUT_SUCCESS;
}

tut_status tut_ledger_get_body(const tut_ledger *l, const tut_sha256 *digest, tut_buf *out,
                               tut_error *err)
{
    TUT_AUTO_FREE char *path = NULL;
    TUT_TRY(body_path(l, digest, &path, err));
    TUT_CLEAN(tut_buf) bytes = TUT_BUF_INIT;
    tut_error why = {0};
    if (!tut_is_ok(tut_fs_read(path, TUT_LIMIT_BODY_BYTES, &bytes, &why))) {
        tut_error_set_path(err, path);
        return tut_fail(
            err, TUT_STORE,
            "what a record names cannot be read: %s; restore the state from a backup, or "
            "move it away and assess anew",
            why.text);
    }
    tut_sha256 found;
    TUT_TRY(tut_sha256_of(tut_buf_span(&bytes), &found, err));
    if (!tut_sha256_eq(&found, digest)) {
        tut_error_set_path(err, path);
        return tut_fail(err, TUT_STORE, "is not what was recorded; its bytes were altered");
    }
    tut_buf_add(out, bytes.data, bytes.len);
    return tut_buf_check(out, err);
}
