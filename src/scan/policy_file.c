#include "scan/policy_file.h"

#include <stdlib.h>

#include "assets/match.h"
#include "base/fs.h"

static tut_status refuse(const tut_system *s, const char *key, tut_str entry, const char *why,
                         tut_error *err)
{
    tut_error_set_path(err, s->file);
    return tut_fail(err, TUT_DENIED, "policy.scan.%s: %.*s %s", key,
                    (int)(entry.len < 100 ? entry.len : 100), entry.data, why);
}

tut_status tut_policy_file(const tut_system *s, const char *key, tut_str entry, char **ret_path,
                           tut_error *err)
{
    TUT_AUTO_FREE char *rel = tut_strndup(entry.data, entry.len);
    TUT_AUTO_FREE char *path = rel ? tut_fs_join(s->dir, rel) : NULL;
    if (!path)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    char *root = realpath(s->dir, NULL);
    char *real = realpath(path, NULL);
    size_t len = root ? strlen(root) : 0;
    const char *below = real && root && strncmp(real, root, len) == 0 && real[len] == '/'
                            ? real + len + 1
                            : NULL;
    tut_status status = TUT_SUCCESS;
    if (!real)
        status = refuse(s, key, entry, "is not there", err);
    else if (!below)
        status = refuse(s, key, entry, "leads out of the directory of the description", err);
    else if (tut_match_declared(s, below))
        status = refuse(s, key, entry, "lies in an asset, which does not bring its own rules", err);
    free(root);
    free(real);
    if (tut_is_ok(status))
        *ret_path = tut_move(&path);
    return status;
}
