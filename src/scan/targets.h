/* What a scan is to read: paths, directories and standard input as one sorted list of files. */
#ifndef TUT_SCAN_TARGETS_H
#define TUT_SCAN_TARGETS_H

#include "base/fs.h"
#include "scan/scan.h"

typedef struct tut_target {
    char *path;  /* as given, or root/rel */
    char *rel;   /* below the root; the last component of a single file */
    size_t root; /* index of the walked root, or TUT_TARGET_DIRECT */
    uint64_t size;
    char *problem; /* why it cannot be read, or NULL */
    bool is_link;  /* a link that was not followed */
    int fd;        /* given open, borrowed; -1: to be opened by path */
} tut_target;
#define TUT_TARGET_DIRECT SIZE_MAX

typedef struct tut_targets {
    tut_target *items; /* byte order of path, each path once */
    size_t count, capacity;
    int *roots; /* open directories */
    size_t root_count, root_capacity;
    size_t links_out;
    char *dir; /* of the file opened last: siblings are opened beneath it */
    int dirfd;
} tut_targets;

void tut_targets_init(tut_targets *t);
void tut_targets_done(tut_targets *t);
TUT_MUST tut_status tut_targets_collect(tut_targets *t, const char *const *paths, size_t count,
                                        tut_error *err);
/* One open file in place of paths. */
TUT_MUST tut_status tut_targets_add_open(tut_targets *t, int fd, const char *name, tut_error *err);
/* Opens a target's bytes (the caller closes) and its directory (borrowed until the next call). */
TUT_MUST tut_status tut_targets_open(tut_targets *t, const tut_target *target, int *ret_fd,
                                     int *ret_dirfd, tut_error *err);

/* Standard input as a regular file, unlinked already. */
TUT_MUST tut_status tut_spool_stdin(int *ret_fd, tut_error *err);

#endif
