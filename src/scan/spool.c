/* Standard input on disk: formats jump about in their bytes, and a pipe cannot. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cage.h"
#include "base/fs.h"
#include "scan/targets.h"

enum { COPY_BYTES = 256 << 10 };

static tut_status copy_stdin(int to, uint8_t *chunk, tut_error *err)
{
    uint64_t total = 0;
    for (;;) {
        ssize_t n = read(STDIN_FILENO, chunk, COPY_BYTES);
        if (tut_interrupted())
            return tut_fail(err, TUT_CANCELLED, "interrupted");
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return tut_fail_errno(err, errno, "standard input cannot be read");
        if (n == 0)
            return TUT_SUCCESS;
        total += (uint64_t)n;
        if (total > TUT_LIMIT_STDIN_BYTES)
            return tut_fail(err, TUT_LIMIT, "standard input is too large; scan it as a file");
        TUT_TRY(tut_fs_write_to(to, tut_span_of(chunk, (size_t)n), err));
    }
}

/* A file redirected to standard input needs no copy. */
static bool is_file_at_start(void)
{
    struct stat st;
    return fstat(STDIN_FILENO, &st) == 0 && S_ISREG(st.st_mode) &&
           lseek(STDIN_FILENO, 0, SEEK_CUR) == 0;
}

tut_status tut_spool_stdin(int *ret_fd, tut_error *err)
{
    if (is_file_at_start()) {
        int same = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0);
        if (same < 0)
            return tut_fail_errno(err, errno, "standard input cannot be read");
        *ret_fd = same;
        return TUT_SUCCESS;
    }
    int fd = -1;
    TUT_TRY(tut_fs_open_nameless(&fd, err));
    TUT_AUTO_FREE uint8_t *chunk = tut_alloc_array(COPY_BYTES, 1);
    tut_status status = chunk ? copy_stdin(fd, chunk, err)
                              : tut_fail(err, TUT_NOMEM, "memory ran out");
    if (!tut_is_ok(status)) {
        close(fd);
        return status;
    }
    *ret_fd = fd;
    return TUT_SUCCESS;
}
