/*
 * A file as blocks. Reading has to overlap hashing, or a cold disk waits while the processor works
 * and the other way round. With many files the threads overlap each other, and where bytes are not
 * in memory yet the kernel is asked to fetch the next ones (POSIX_FADV_WILLNEED). A single large
 * file gets a second thread, which fills one block while the first is hashed: that also takes the
 * copy out of the page cache off the hashing thread.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/uio.h>
#include <unistd.h>

#include "assets/manifest_internal.h"

enum {
    DIRECT_BYTES = 128 << 10, /* with the hash state well inside a second-level cache */
    AHEAD_BYTES = 512 << 10,  /* a hand-over costs some microseconds, a block takes hundreds */
    AHEAD_SLOTS = 4,
    FETCH_BYTES = 4 << 20 /* asked for at once on cold files; two such pieces are under way */
};

typedef struct slot {
    size_t len;
    int error; /* errno, or 0 */
} slot;

struct tut_blocks {
    int fd;
    uint64_t next, end; /* of the file, for whoever reads */
    uint64_t fetched;   /* asked of the kernel up to here */
    uint8_t *buffer;
    bool is_ahead;
    bool has_thread;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t moved;
    slot slots[AHEAD_SLOTS];
    uint64_t filled, taken; /* slots, ever */
    bool holds_one;         /* the caller works on slots[taken] */
    bool is_over, is_stopped;
};

tut_status tut_blocks_new(bool ahead, tut_blocks **ret_blocks, tut_error *err)
{
    TUT_AUTO_FREE tut_blocks *b = tut_alloc_array(1, sizeof(*b));
    if (!b)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    b->buffer = ahead ? tut_alloc_array(AHEAD_SLOTS, AHEAD_BYTES)
                      : tut_alloc_array(1, DIRECT_BYTES);
    if (!b->buffer)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    b->is_ahead = ahead;
    if (ahead &&
        (pthread_mutex_init(&b->lock, NULL) != 0 || pthread_cond_init(&b->moved, NULL) != 0)) {
        tut_free(b->buffer);
        return tut_fail(err, TUT_NOMEM, "no lock could be made");
    }
    *ret_blocks = tut_move(&b);
    return TUT_SUCCESS;
}

void tut_blocks_free(tut_blocks *b)
{
    if (!b)
        return;
    tut_blocks_stop(b);
    if (b->is_ahead) {
        pthread_mutex_destroy(&b->lock);
        pthread_cond_destroy(&b->moved);
    }
    tut_free(b->buffer);
    tut_free(b);
}

static void fetch(tut_blocks *b)
{
    uint64_t want = b->next + 2ull * FETCH_BYTES;
    if (want > b->end)
        want = b->end;
    if (b->fetched < b->next)
        b->fetched = b->next;
    while (b->fetched < want) {
        uint64_t n = b->end - b->fetched < FETCH_BYTES ? b->end - b->fetched : FETCH_BYTES;
        (void)posix_fadvise(b->fd, (off_t)b->fetched, (off_t)n, POSIX_FADV_WILLNEED);
        b->fetched += n;
    }
}

/* Fills up to `cap` bytes; 0 or errno. Fewer bytes only where the file ends. */
static int fill(tut_blocks *b, uint8_t *to, size_t cap, size_t *ret_len)
{
    size_t want = b->end - b->next < cap ? (size_t)(b->end - b->next) : cap;
    size_t len = 0;
    bool may_wait = want < cap; /* the only block, or the last: nothing to overlap */
    while (len < want) {
        struct iovec v = {to + len, want - len};
        ssize_t n = may_wait ? pread(b->fd, v.iov_base, v.iov_len, (off_t)b->next)
                             : preadv2(b->fd, &v, 1, (off_t)b->next, RWF_NOWAIT);
        if (n < 0 && !may_wait && (errno == EAGAIN || errno == EOPNOTSUPP || errno == ENOSYS)) {
            fetch(b);
            may_wait = true;
            continue;
        }
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno;
        if (n == 0 && may_wait)
            break;
        may_wait = may_wait || n == 0;
        len += (size_t)n;
        b->next += (size_t)n;
    }
    *ret_len = len;
    return 0;
}

static void *read_ahead(void *ctx)
{
    tut_blocks *b = ctx;
    pthread_mutex_lock(&b->lock);
    while (!b->is_stopped && !b->is_over) {
        if (b->filled - b->taken == AHEAD_SLOTS) {
            pthread_cond_wait(&b->moved, &b->lock);
            continue;
        }
        size_t at = b->filled % AHEAD_SLOTS;
        pthread_mutex_unlock(&b->lock);
        size_t len = 0;
        int error = fill(b, b->buffer + at * AHEAD_BYTES, AHEAD_BYTES, &len);
        pthread_mutex_lock(&b->lock);
        b->slots[at] = (slot){.len = len, .error = error};
        b->filled++;
        b->is_over = error != 0 || len == 0;
        pthread_cond_signal(&b->moved);
    }
    pthread_mutex_unlock(&b->lock);
    return NULL;
}

tut_status tut_blocks_start(tut_blocks *b, int fd, uint64_t start, uint64_t end, tut_error *err)
{
    tut_blocks_stop(b);
    b->fd = fd;
    b->next = b->fetched = start;
    b->end = end;
    b->filled = b->taken = 0;
    b->holds_one = b->is_over = b->is_stopped = false;
    if (!b->is_ahead)
        return TUT_SUCCESS;
    int error = pthread_create(&b->thread, NULL, read_ahead, b);
    if (error != 0)
        return tut_fail_errno(err, error, "no thread could be started");
    b->has_thread = true;
    return TUT_SUCCESS;
}

void tut_blocks_stop(tut_blocks *b)
{
    if (!b->has_thread)
        return;
    pthread_mutex_lock(&b->lock);
    b->is_stopped = true;
    pthread_cond_signal(&b->moved);
    pthread_mutex_unlock(&b->lock);
    pthread_join(b->thread, NULL);
    b->has_thread = false;
}

static slot next_from_thread(tut_blocks *b, uint8_t **ret_bytes)
{
    pthread_mutex_lock(&b->lock);
    if (b->holds_one) {
        b->taken++;
        pthread_cond_signal(&b->moved);
    }
    while (b->filled == b->taken && !b->is_over)
        pthread_cond_wait(&b->moved, &b->lock);
    slot s = {0};
    b->holds_one = b->filled > b->taken;
    if (b->holds_one) {
        s = b->slots[b->taken % AHEAD_SLOTS];
        *ret_bytes = b->buffer + b->taken % AHEAD_SLOTS * AHEAD_BYTES;
    }
    pthread_mutex_unlock(&b->lock);
    return s;
}

tut_status tut_blocks_next(tut_blocks *b, tut_span *ret_block, tut_error *err)
{
    uint8_t *bytes = b->buffer;
    slot s = {0};
    if (b->is_ahead)
        s = next_from_thread(b, &bytes);
    else
        s.error = fill(b, bytes, DIRECT_BYTES, &s.len);
    if (s.error != 0)
        return tut_fail_errno(err, s.error, "cannot be read");
    if (s.len == 0 && b->next < b->end)
        return tut_fail(err, TUT_TRUNCATED, "became shorter while it was being read");
    *ret_block = tut_span_of(bytes, s.len);
    return TUT_SUCCESS;
}
