#include "guard/rotate.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static bool rotate(int dirfd, const char *name, unsigned long long longest_bytes)
{
    char from[32], to[32];
    struct stat st;
    if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(st.st_mode) ||
        (unsigned long long)st.st_size <= longest_bytes)
        return false;
    for (unsigned n = TUT_ROTATE_KEPT; n > 1; n--) {
        (void)snprintf(from, sizeof(from), "%s.%u", name, n - 1);
        (void)snprintf(to, sizeof(to), "%s.%u", name, n);
        (void)renameat(dirfd, from, dirfd, to);
    }
    (void)snprintf(to, sizeof(to), "%s.1", name);
    return renameat(dirfd, name, dirfd, to) == 0;
}

bool tut_rotate_logs(const char *dir, unsigned long long longest_bytes)
{
    int dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dirfd < 0)
        return false;
    bool access = rotate(dirfd, "access.log", longest_bytes);
    bool error = rotate(dirfd, "error.log", longest_bytes);
    (void)close(dirfd);
    return access || error;
}
