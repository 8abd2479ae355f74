/* Files: whole-file reading with a cap, atomic writing, walking that never leaves the tree. */
#ifndef TUT_BASE_FS_H
#define TUT_BASE_FS_H

#include <sys/types.h>

#include "base/buf.h"
#include "base/status.h"

/* Appends the file's bytes to `out`; LIMIT above max_bytes; only regular files (or "-" is USAGE).
 */
TUT_MUST tut_status tut_fs_read(const char *path, size_t max_bytes, tut_buf *out, tut_error *err);
/* Temporary file in the same directory, fsync, rename, fsync of the directory. On any failure the
 * old file is as it was and the temporary file is gone; only when the last step fails is the new
 * file in place already, whole, and the error says that the disk did not confirm it. A device or a
 * pipe (/dev/stdout, /dev/null) is written into as it is. */
TUT_MUST tut_status tut_fs_write(const char *path, tut_span bytes, mode_t mode, tut_error *err);
/* The same for what is too large to be held: `compose` hands the bytes over in parts. */
typedef struct tut_fs_out tut_fs_out;
typedef tut_status (*tut_fs_compose)(void *ctx, tut_fs_out *out, tut_error *err);
TUT_MUST tut_status tut_fs_write_parts(const char *path, mode_t mode, tut_fs_compose compose,
                                       void *ctx, tut_error *err);
TUT_MUST tut_status tut_fs_out_add(tut_fs_out *out, tut_span bytes, tut_error *err);
/* The same without waiting for the disk: for many files, before one tut_fs_sync_all. Until then a
 * crash may leave a file empty or absent under its name. */
TUT_MUST tut_status tut_fs_write_unsynced(const char *path, tut_span bytes, mode_t mode,
                                          tut_error *err);
/* Waits until everything written to the file system that holds dir is on the disk. */
TUT_MUST tut_status tut_fs_sync_all(const char *dir, tut_error *err);
/* Appends one whole record and syncs; created with 0600 when missing. Writers are kept apart by a
 * lock on the file; when the record does not fit, the file is cut back to where it ended. */
TUT_MUST tut_status tut_fs_append(const char *path, tut_span bytes, tut_error *err);
/* A file to keep bytes in, open for both, that is gone when it is closed, however that comes about:
 * below $TMPDIR, or else /var/tmp, which is on a disk, or /tmp. */
TUT_MUST tut_status tut_fs_open_nameless(int *ret_fd, tut_error *err);
/* All of them, at the file's position. */
TUT_MUST tut_status tut_fs_write_to(int fd, tut_span bytes, tut_error *err);
/* mkdir -p. */
TUT_MUST tut_status tut_fs_mkdirs(const char *path, mode_t mode, tut_error *err);
/* Points the symbolic link `link` at `target`, atomically. */
TUT_MUST tut_status tut_fs_relink(const char *target, const char *link, tut_error *err);
bool tut_fs_exists(const char *path);
bool tut_fs_is_dir(const char *path);
/* "a" + "b" -> "a/b"; an absolute or "."-only left side is handled. Caller frees; NULL: no memory.
 */
char *tut_fs_join(const char *dir, const char *name);
/* Opens `rel` beneath dirfd with openat2(RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS), read-only,
 * non-blocking, regular files only; falls back to a walk by component with O_NOFOLLOW where the
 * kernel lacks openat2. Symbolic links inside the tree are followed, out of it DENIED. */
TUT_MUST tut_status tut_fs_open_beneath(int dirfd, const char *rel, int *ret_fd, tut_error *err);
/* tut_fs_read of a file that is opened like that, below a directory. */
TUT_MUST tut_status tut_fs_read_beneath(const char *dir, const char *rel, size_t max_bytes,
                                        tut_buf *out, tut_error *err);

typedef enum tut_walk_kind {
    TUT_WALK_FILE,        /* a regular file below the root */
    TUT_WALK_LINK_OUT,    /* a symbolic link that leads out of the root: not followed */
    TUT_WALK_LINK_BROKEN, /* a symbolic link to nothing, or part of a loop */
    TUT_WALK_UNREADABLE,  /* a file or directory that could not be opened; `problem` says why */
    TUT_WALK_SPECIAL,     /* device, socket, fifo: not opened */
    TUT_WALK_LIMIT        /* too deep or too many: the rest was not walked */
} tut_walk_kind;

typedef struct tut_walk_entry {
    tut_walk_kind kind;
    const char *rel; /* path below the root, bytes as the file system has them */
    uint64_t size;   /* of a file */
    dev_t dev;
    ino_t ino;
    const char *problem; /* NULL for files */
} tut_walk_entry;

/* Visits every file below root in byte order of path, each once. That is the order of memcmp over
 * the whole relative path with its slashes, so "a-b" comes before "a/x" and "a/x" before "a0"; a
 * directory that is reported itself stands where "dir/" would. Directories named in the table
 * below are passed over (.git, .tutela, node_modules, __pycache__, .venv). Links to files inside
 * the tree are skipped silently (the target is visited); links to directories are never followed. A
 * link into a directory that is passed over counts as leading out. A directory that contains itself
 * (by a bind mount) is reported as LINK_BROKEN. A visitor that fails ends the walk with its status;
 * tut_interrupted() ends it with CANCELLED. An entry lives until the visitor returns. */
typedef tut_status (*tut_walk_visit)(void *ctx, const tut_walk_entry *entry, tut_error *err);
TUT_MUST tut_status tut_walk(const char *root, tut_walk_visit visit, void *ctx, tut_error *err);
/* Whether a directory of this name is passed over. */
bool tut_walk_skips(const char *name);

#endif
