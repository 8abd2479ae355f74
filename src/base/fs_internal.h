/* What the file module's own files and their tests share. */
#ifndef TUT_BASE_FS_INTERNAL_H
#define TUT_BASE_FS_INTERNAL_H

#include "base/fs.h"

/* Test hook: the steps of writing that can be made to fail. */
typedef enum tut_fs_step {
    TUT_FS_STEP_OPEN,
    TUT_FS_STEP_WRITE,
    TUT_FS_STEP_FSYNC,
    TUT_FS_STEP_RENAME
} tut_fs_step;

enum { TUT_FS_FAULT_SHORT = -1 }; /* WRITE takes one byte only, and reports so */

/* The n-th (1 = the next) step of that kind fails with errno_value, or is TUT_FS_FAULT_SHORT;
 * n = 0 switches the hook off. It fires once. Not for use by several threads. */
void tut_fs_fault(tut_fs_step step, unsigned n, int errno_value);
/* Behaves as on a kernel without openat2. */
void tut_fs_pretend_no_openat2(bool is_absent);

/* The directory that holds `path`, opened, and the last component (borrowed from path). */
tut_status tut_fs_open_parent(const char *path, int *ret_dirfd, const char **ret_name,
                              tut_error *err) TUT_MUST;
/* close() for cleanup paths: keeps errno. */
void tut_fs_close(int fd);

#endif
