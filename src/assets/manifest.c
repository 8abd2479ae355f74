#include "assets/manifest.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "assets/manifest_internal.h"

const char *tut_odd_text(tut_odd_kind kind)
{
    static const char *const texts[] = {
        [TUT_ODD_LINK] = "is a symbolic link",
        [TUT_ODD_SPECIAL] = "is a device, socket or pipe",
        [TUT_ODD_NAME] = "has a name that is not UTF-8",
    };
    return texts[kind];
}

bool tut_manifest_covers(tut_str path, tut_str name)
{
    return tut_str_starts(name, path) && (name.len == path.len || name.data[path.len] == '/');
}

void tut_stamp_of(const struct stat *st, tut_stamp *ret_stamp)
{
    *ret_stamp = (tut_stamp){
        .dev = (uint64_t)st->st_dev,
        .ino = (uint64_t)st->st_ino,
        .size = (uint64_t)st->st_size,
        .mtime_s = st->st_mtim.tv_sec,
        .ctime_s = st->st_ctim.tv_sec,
        .mtime_ns = (uint32_t)st->st_mtim.tv_nsec,
        .ctime_ns = (uint32_t)st->st_ctim.tv_nsec,
    };
}

bool tut_stamp_eq(const tut_stamp *a, const tut_stamp *b)
{
    return a->dev == b->dev && a->ino == b->ino && a->size == b->size && a->mtime_s == b->mtime_s &&
           a->mtime_ns == b->mtime_ns && a->ctime_s == b->ctime_s && a->ctime_ns == b->ctime_ns;
}

void tut_manifest_free(tut_manifest *m)
{
    if (!m)
        return;
    if (m->dirfd >= 0)
        close(m->dirfd);
    tut_free(m->path);
    tut_free(m->base);
    tut_free(m->files);
    tut_free(m->odd);
    tut_arena_done(&m->arena);
    tut_free(m);
}

void tut_manifest_blame(const tut_manifest *m, const tut_manifest_file *f, tut_error *err)
{
    if (!err)
        return;
    const char *path = m->path;
    err->path[0] = '\0';
    if (m->is_single) {
        tut_error_set_path(err, path);
        return;
    }
    size_t len = strlen(path);
    while (len > 1 && path[len - 1] == '/')
        len--;
    TUT_AUTO_FREE char *full = tut_asprintf("%.*s/%s", (int)len, path, f->name.data);
    tut_error_set_path(err, full ? full : path);
}

/* Links that came after the listing do not lead anywhere else: the kernel refuses them, or, where
 * it lacks openat2, the stamp of what was opened differs from the one that was listed. */
static int open_without_links(int dirfd, const char *name)
{
    static atomic_bool lacks_openat2;
    const int flags = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC | O_NOFOLLOW;
    if (!atomic_load(&lacks_openat2)) {
        struct open_how how = {.flags = (unsigned)flags,
                               .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS};
        int tries = 8;
        int fd;
        do {
            fd = (int)syscall(SYS_openat2, dirfd, name, &how, sizeof(how));
        } while (fd < 0 && (errno == EAGAIN || errno == EINTR) && --tries > 0);
        if (fd >= 0 || (errno != ENOSYS && errno != EPERM))
            return fd;
        atomic_store(&lacks_openat2, true);
    }
    return openat(dirfd, name, flags);
}

tut_status tut_manifest_open(const tut_manifest *m, const tut_manifest_file *f, int *ret_fd,
                             tut_error *err)
{
    int fd = m->follows_links || m->is_single
                 ? openat(m->dirfd, f->name.data, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
                 : open_without_links(m->dirfd, f->name.data);
    if (fd < 0) {
        tut_status status = errno == ELOOP || errno == ENOENT
                                ? tut_fail(err, TUT_IO, "changed while the files were being read")
                                : tut_fail_errno(err, errno, "cannot be opened");
        tut_manifest_blame(m, f, err);
        return status;
    }
    *ret_fd = fd;
    return TUT_SUCCESS;
}

tut_manifest_file *tut_manifest_find(const tut_manifest *m, tut_str name)
{
    size_t low = 0;
    size_t high = m->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = tut_str_cmp(m->files[middle].name, name);
        if (order == 0)
            return &m->files[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}
