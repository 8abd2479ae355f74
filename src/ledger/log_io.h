/*
 * The calls by which a log changes the disk, in one place, so that a test can make each of them
 * fail, fall short, or be the last one before a crash. They retry EINTR and leave errno.
 */
#ifndef TUT_LEDGER_LOG_IO_H
#define TUT_LEDGER_LOG_IO_H

#include <sys/types.h>

#include "base/buf.h"
#include "base/status.h"

int tut_log_io_open(int dirfd, const char *path, int flags, mode_t mode);
bool tut_log_io_write(int fd, tut_span bytes); /* all of them */
bool tut_log_io_pwrite(int fd, tut_span bytes, off_t at);
bool tut_log_io_fsync(int fd);
bool tut_log_io_fdatasync(int fd);
bool tut_log_io_syncfs(int fd);
bool tut_log_io_rename(int dirfd, const char *from, const char *to);
bool tut_log_io_unlink(int dirfd, const char *path, int flags);
bool tut_log_io_mkdir(int dirfd, const char *path, mode_t mode);

/* Puts the parts, one after the other, in the place of `path` below dirfd: through the file `temp`
 * in dirfd and a rename, so that a reader sees the old file or the new one. Directories on the way
 * are made. is_synced: waits until the file and dirfd are on the disk. */
TUT_MUST tut_status tut_log_io_replace(int dirfd, const char *temp, const char *path,
                                       const tut_span *parts, size_t count, mode_t mode,
                                       bool is_synced, tut_error *err);
/* Appends what the file holds, at most max bytes (else LIMIT). *ret_exists is false, and the status
 * OK, when there is none. */
TUT_MUST tut_status tut_log_io_read(int dirfd, const char *path, size_t max, tut_buf *out,
                                    bool *ret_exists, tut_error *err);

/* Test hook: what happens at the n-th call from now (1 = the next). Not for several threads. */
typedef enum tut_log_fault {
    TUT_LOG_FAULT_NONE,
    TUT_LOG_FAULT_FAIL,  /* fails with errno_value, once */
    TUT_LOG_FAULT_SHORT, /* a write takes half of the bytes, then fails; other calls fail */
    TUT_LOG_FAULT_CRASH  /* as SHORT, and every call after it fails too */
} tut_log_fault;
/* NONE with any n only counts. n = 0 switches the hook off. */
void tut_log_io_fault(tut_log_fault kind, uint64_t n, int errno_value);
uint64_t tut_log_io_calls(void); /* since the hook was set */

#endif
