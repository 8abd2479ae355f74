#include "ledger/beside.h"

#include <dirent.h>
#include <errno.h>

#include "base/fs.h"

static void close_dir(DIR **dir)
{
    if (*dir)
        (void)closedir(*dir);
}

static tut_status dir_each(void *ctx, const char *folder, tut_beside_visit visit, void *visit_ctx,
                           tut_error *err)
{
    TUT_AUTO_FREE char *path = tut_fs_join(ctx, folder);
    if (!path)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    __attribute__((cleanup(close_dir))) DIR *d = opendir(path);
    if (!d && (errno == ENOENT || errno == ENOTDIR))
        return TUT_SUCCESS;
    if (!d) {
        int saved = errno;
        tut_error_set_path(err, path);
        return tut_fail_errno(err, saved, "cannot be read");
    }
    for (const struct dirent *e = readdir(d); e; e = readdir(d))
        TUT_TRY(visit(visit_ctx, e->d_name, err));
    return TUT_SUCCESS;
}

static tut_status dir_read(void *ctx, const char *name, size_t max_bytes, tut_buf *out,
                           tut_error *err)
{
    TUT_AUTO_FREE char *path = tut_fs_join(ctx, name);
    if (!path)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    return tut_fs_read(path, max_bytes, out, err);
}

static tut_status dir_has(void *ctx, const char *name, bool *ret_has, tut_error *err)
{
    TUT_AUTO_FREE char *path = tut_fs_join(ctx, name);
    if (!path)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    *ret_has = tut_fs_exists(path);
    return TUT_SUCCESS;
}

tut_beside tut_beside_dir(const char *dir)
{
    return (tut_beside){
        .each = dir_each, .read = dir_read, .has = dir_has, .ctx = (void *)(uintptr_t)dir};
}
