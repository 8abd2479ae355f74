/* Where signatures lie. */
#include <libgen.h>
#include <stdlib.h>

#include "assets/sign.h"
#include "base/fs.h"

char *tut_signature_place(const char *path, bool is_dir)
{
    return is_dir ? tut_fs_join(path, "model.sig") : tut_asprintf("%s.sig", path);
}

char *tut_name_below(const char *root, const char *file)
{
    TUT_AUTO_FREE char *for_dir = tut_strdup(file);
    TUT_AUTO_FREE char *for_base = tut_strdup(file);
    char *real_root = realpath(root, NULL);
    char *real_dir = for_dir ? realpath(dirname(for_dir), NULL) : NULL;
    char *name = NULL;
    if (real_root && real_dir && for_base) {
        size_t len = strcmp(real_root, "/") == 0 ? 0 : strlen(real_root);
        const char *base = basename(for_base);
        if (strncmp(real_dir, real_root, len) == 0) {
            const char *rest = real_dir + len;
            if (*rest == '\0' || strcmp(rest, "/") == 0)
                name = tut_strdup(base);
            else if (*rest == '/')
                name = tut_asprintf("%s/%s", rest + 1, base);
        }
    }
    free(real_root);
    free(real_dir);
    return name;
}
