#include "base/source.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

tut_source tut_source_memory(tut_span bytes)
{
    return (tut_source){.fd = -1, .data = bytes.data, .size = bytes.len};
}

tut_status tut_source_file(int fd, tut_source *ret_source, tut_error *err)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return tut_fail_errno(err, errno, "the file cannot be examined");
    if (!S_ISREG(st.st_mode))
        return tut_fail(err, TUT_UNSUPPORTED, "this is not a regular file");
    *ret_source = (tut_source){.fd = fd, .size = (uint64_t)st.st_size};
    return TUT_SUCCESS;
}

uint64_t tut_source_names(const tut_source *s)
{
    struct stat st;
    return s->fd >= 0 && fstat(s->fd, &st) == 0 ? (uint64_t)st.st_nlink : 1;
}

tut_status tut_source_slice(const tut_source *s, uint64_t offset, uint64_t len,
                            tut_source *ret_slice)
{
    if (offset > s->size || len > s->size - offset)
        return (tut_status){TUT_TRUNCATED};
    tut_source slice = *s;
    slice.start += offset;
    slice.size = len;
    *ret_slice = slice;
    return TUT_SUCCESS;
}

/* Fewer than n only at the end of what the file is now. */
static tut_status read_file(const tut_source *s, uint64_t offset, uint8_t *to, size_t n,
                            size_t *ret_got, tut_error *err)
{
    size_t got = 0;
    while (got < n) {
        ssize_t now = pread(s->fd, to + got, n - got, (off_t)(s->start + offset + got));
        if (now == 0)
            break;
        if (now > 0)
            got += (size_t)now;
        else if (errno != EINTR)
            return tut_fail_errno(err, errno, "the file cannot be read");
    }
    *ret_got = got;
    return TUT_SUCCESS;
}

tut_status tut_source_read_some(const tut_source *s, uint64_t offset, void *to, size_t n,
                                size_t *ret_got, tut_error *err)
{
    if (offset >= s->size || n == 0) {
        *ret_got = 0;
        return TUT_SUCCESS;
    }
    if (n > s->size - offset)
        n = (size_t)(s->size - offset);
    if (s->fd >= 0)
        return read_file(s, offset, to, n, ret_got, err);
    memcpy(to, s->data + s->start + offset, n);
    *ret_got = n;
    return TUT_SUCCESS;
}

tut_status tut_source_read(const tut_source *s, uint64_t offset, void *to, size_t n, tut_error *err)
{
    if (offset > s->size || n > s->size - offset)
        return tut_fail_at(err, TUT_TRUNCATED, s->size, "the data ends too early");
    size_t got;
    TUT_TRY(tut_source_read_some(s, offset, to, n, &got, err));
    if (got < n)
        return tut_fail_at(err, TUT_TRUNCATED, offset + got, "the file shrank while it was read");
    return TUT_SUCCESS;
}
