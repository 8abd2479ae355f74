/* The secret of the version store. */
#include <errno.h>
#include <sys/random.h>

#include "base/fs.h"
#include "crypto/keystore_internal.h"
#include "crypto/openssl.h"
#include "crypto/private_file.h"

static tut_status make(const char *path, tut_error *err)
{
    uint8_t secret[TUT_STORE_SECRET];
    if (getrandom(secret, sizeof(secret), 0) != (ssize_t)sizeof(secret))
        return tut_fail_errno(err, errno, "no random bytes");
    tut_status status = tut_private_file_create(path, tut_span_of(secret, sizeof(secret)), err);
    tut_wipe(secret, sizeof(secret));
    /* Another process was first: its secret is the store's. */
    return status.code == TUT_STORE ? TUT_SUCCESS : status;
}

static tut_status read(const char *path, uint8_t ret_secret[TUT_STORE_SECRET], tut_error *err)
{
    tut_buf bytes = TUT_BUF_INIT;
    tut_status status = tut_private_file_read(path, "the secret of the version store",
                                              TUT_STORE_SECRET + 1, &bytes, err);
    if (tut_is_ok(status) && bytes.len != TUT_STORE_SECRET) {
        tut_error_set_path(err, path);
        status = tut_fail(err, TUT_STORE, "is not the secret of a version store (%d bytes)",
                          TUT_STORE_SECRET);
    }
    if (tut_is_ok(status))
        memcpy(ret_secret, bytes.data, TUT_STORE_SECRET);
    tut_wipe(bytes.data, bytes.cap);
    tut_buf_done(&bytes);
    return status;
}

tut_status tut_keystore_store_secret(const tut_keystore *s, bool create,
                                     uint8_t ret_secret[TUT_STORE_SECRET], tut_error *err)
{
    TUT_AUTO_FREE char *path = tut_fs_join(s->dir, "store.key");
    if (!path)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    if (!tut_fs_exists(path)) {
        if (!create) {
            tut_error_set_path(err, path);
            return tut_fail(err, TUT_STORE,
                            "this key is missing, so that confidential versions cannot be read; "
                            "restore it from a backup");
        }
        TUT_TRY(make(path, err));
    }
    return read(path, ret_secret, err);
}
