/*
 * The pool: which worker gets which task, when a worker is started, given up and replaced, and the
 * loop that waits for them all.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cage_internal.h"
#include "base/fs_internal.h"
#include "base/time.h"

enum {
    START_MS = 30000, /* to enter the jail; takes 2 ms where nothing is wrong */
    START_FAILURES_MAX = 3,
    /* A second worker costs 2 ms: worth it when the first has this much to do. */
    BUSY_TASKS = 2,
    BUSY_BYTES = 256 << 10,
    /* On a busy machine a worker waits for its turn: it may take so many times as long, as long as
     * it has not used up its time on the processor. */
    PATIENCE = 4
};

typedef enum end_cause { END_DIED, END_LATE, END_BREACH } end_cause;

/* --- clocks --- */

/* Time on the processor; false: it cannot be known, the process has ended. */
static bool cpu_ms(pid_t pid, uint64_t *ret)
{
    clockid_t clock;
    struct timespec t;
    if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &t) != 0)
        return false;
    *ret = (uint64_t)t.tv_sec * 1000u + (uint64_t)t.tv_nsec / 1000000u;
    return true;
}

void tut_cage_begin_clock(tut_cage_worker *w)
{
    w->since_ms = tut_clock_ms();
    if (!cpu_ms(w->pid, &w->since_cpu_ms))
        w->since_cpu_ms = 0;
}

/* When the worker is to be looked at again, given what it may use; not after `now`: it is late. */
static uint64_t deadline(const tut_cage_worker *w, uint64_t allowed, uint64_t now)
{
    uint64_t used = 0, end = w->since_ms + allowed + 1;
    if (now < end || !w->is_ready || !cpu_ms(w->pid, &used))
        return end;
    used -= used < w->since_cpu_ms ? used : w->since_cpu_ms;
    if (used > allowed)
        return end;
    uint64_t last = w->since_ms + allowed * PATIENCE + 1, next = now + allowed - used + 1;
    return next < last ? next : last;
}

/* --- starting and giving up --- */

static tut_status start(tut_cage *cage, tut_cage_worker *w, tut_error *err)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
        return tut_fail_errno(err, errno, "cannot make a socket for a worker");
    pid_t parent = getpid();
    pid_t pid = fork();
    if (pid == 0)
        tut_cage_worker_main(cage, pair[1], parent);
    int saved = errno;
    tut_fs_close(pair[1]);
    if (pid < 0) {
        tut_fs_close(pair[0]);
        return tut_fail_errno(err, saved, "cannot start a worker process");
    }
    *w = (tut_cage_worker){.pid = pid, .fd = pair[0], .since_ms = tut_clock_ms()};
    return TUT_SUCCESS;
}

/* Ends the process, if it has not ended itself, and says how it ended. */
static int reap(tut_cage_worker *w)
{
    int wait_status = 0;
    (void)kill(w->pid, SIGKILL);
    while (waitpid(w->pid, &wait_status, 0) < 0 && errno == EINTR)
        continue;
    tut_cage_peer_close(w);
    w->pid = 0;
    return wait_status;
}

static void describe_end(end_cause cause, int wait_status, const char *breach, uint64_t allowed_ms,
                         tut_error *ret_error)
{
    tut_code code = cause == END_LATE ? TUT_LIMIT : TUT_BUG;
    tut_error *e = ret_error;
    if (cause == END_LATE)
        TUT_IGNORE(
            tut_fail(e, code, "no result within %llu ms, twice", (unsigned long long)allowed_ms));
    else if (cause == END_BREACH)
        TUT_IGNORE(tut_fail(e, code, "the worker broke the protocol twice: %s", breach));
    else if (WIFSIGNALED(wait_status) && WTERMSIG(wait_status) == SIGSYS)
        TUT_IGNORE(tut_fail(
            e, code, "the worker died on it twice: signal %d (forbidden system call)", SIGSYS));
    else if (WIFSIGNALED(wait_status))
        TUT_IGNORE(tut_fail(e, code, "the worker died on it twice: signal %d (%s)",
                            WTERMSIG(wait_status), strsignal(WTERMSIG(wait_status))));
    else
        TUT_IGNORE(tut_fail(e, code, "the worker ended on it twice, with status %d",
                            WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : -1));
}

static uint64_t allowed_ms(const tut_cage *cage, const tut_cage_worker *w)
{
    if (!w->is_ready)
        return START_MS;
    if (cage->task_ms)
        return cage->task_ms;
    return TUT_LIMIT_FILE_MS + w->items[0]->size / TUT_LIMIT_FILE_BYTES_PER_MS;
}

/* Puts what the worker had back into the queue; only the task at hand can have been its end. */
static void requeue(tut_cage *cage, tut_cage_worker *w)
{
    for (size_t i = 0; i < w->count; i++) {
        w->items[i]->state = TUT_CAGE_QUEUED;
        w->items[i]->is_sent = false;
        w->items[i]->siblings = w->items[i]->scratches = 0;
        cage->queued++;
    }
    w->count = 0;
}

static void give_up(tut_cage *cage, tut_cage_worker *w, end_cause cause, const char *breach)
{
    uint64_t allowed = allowed_ms(cage, w);
    tut_cage_item *suspect = w->is_ready && w->count > 0 && w->items[0]->is_sent ? w->items[0]
                                                                                 : NULL;
    int wait_status = reap(w);
    requeue(cage, w);
    if (!suspect) {
        if (++cage->start_failures >= START_FAILURES_MAX && cage->fatal.code == TUT_OK)
            TUT_IGNORE(tut_fail(&cage->fatal, TUT_IO, "worker processes do not start here"));
        return;
    }
    suspect->failures++;
    if (suspect->failures < 2)
        return;
    cage->queued--;
    suspect->error = tut_alloc_array(1, sizeof(*suspect->error));
    if (suspect->error)
        describe_end(cause, wait_status, breach, allowed, suspect->error);
    tut_cage_finish(cage, suspect, cause == END_LATE ? TUT_CAGE_TIMEOUT : TUT_CAGE_CRASHED);
}

void tut_cage_stop(tut_cage *cage)
{
    /* All at once, then wait: they end side by side. */
    for (size_t i = 0; i < TUT_CAGE_WORKERS_MAX; i++)
        if (cage->workers[i].pid > 0)
            (void)kill(cage->workers[i].pid, SIGKILL);
    for (size_t i = 0; i < TUT_CAGE_WORKERS_MAX; i++) {
        tut_cage_worker *w = &cage->workers[i];
        if (w->pid <= 0)
            continue;
        (void)reap(w);
        requeue(cage, w);
    }
}

/* --- who gets what --- */

static tut_cage_item *next_queued(tut_cage *cage)
{
    if (cage->queued == 0)
        return NULL;
    for (size_t i = 0; i < cage->count; i++) {
        tut_cage_item *item = cage->window[(cage->head + i) % TUT_LIMIT_CAGE_WINDOW];
        if (item->state != TUT_CAGE_QUEUED)
            continue;
        /* Replies pile up behind the first: nothing but the first may run now. */
        return i > 0 && cage->held_bytes > TUT_LIMIT_CAGE_HELD_BYTES ? NULL : item;
    }
    return NULL;
}

static uint64_t bytes_ahead(const tut_cage_worker *w)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < w->count; i++) {
        uint64_t size = w->items[i]->size;
        uint64_t all = size > UINT32_MAX ? UINT32_MAX : size; /* enough, and cannot overflow */
        sum += all + w->items[i]->argument_len;
    }
    return sum;
}

static tut_cage_worker *free_slot(tut_cage *cage)
{
    for (size_t i = 0; i < cage->max_workers; i++)
        if (cage->workers[i].pid == 0)
            return &cage->workers[i];
    return NULL;
}

/* The live worker with the least to do that can take one more, or NULL. */
static tut_cage_worker *least_busy(tut_cage *cage)
{
    tut_cage_worker *best = NULL;
    for (size_t i = 0; i < cage->max_workers; i++) {
        tut_cage_worker *w = &cage->workers[i];
        if (w->pid == 0 || w->is_alone || w->count == TUT_LIMIT_CAGE_AHEAD)
            continue;
        if (w->count > 0 && bytes_ahead(w) > TUT_LIMIT_CAGE_AHEAD_BYTES)
            continue;
        if (!best || w->count < best->count)
            best = w;
    }
    return best;
}

/* A suspect runs in a fresh process that has nothing else to do. NULL: wait. */
static tut_status fresh_worker(tut_cage *cage, tut_cage_worker **ret_worker, tut_error *err)
{
    tut_cage_worker *w = free_slot(cage);
    for (size_t i = 0; i < cage->max_workers && !w; i++) {
        if (cage->workers[i].count > 0)
            continue;
        (void)reap(&cage->workers[i]);
        w = &cage->workers[i];
    }
    *ret_worker = NULL;
    if (!w)
        return TUT_SUCCESS;
    TUT_TRY(start(cage, w, err));
    w->is_alone = true;
    *ret_worker = w;
    return TUT_SUCCESS;
}

static tut_status any_worker(tut_cage *cage, tut_cage_worker **ret_worker, tut_error *err)
{
    tut_cage_worker *best = least_busy(cage);
    tut_cage_worker *slot = free_slot(cage);
    bool is_busy = !best || best->count >= BUSY_TASKS || bytes_ahead(best) > BUSY_BYTES;
    *ret_worker = best;
    if (!slot || !is_busy)
        return TUT_SUCCESS;
    tut_status status = start(cage, slot, err);
    if (tut_is_ok(status)) {
        *ret_worker = slot;
        return TUT_SUCCESS;
    }
    /* With others at work the task can wait for them. */
    for (size_t i = 0; i < cage->max_workers; i++)
        if (cage->workers[i].pid > 0)
            return TUT_SUCCESS;
    return status;
}

static void give(tut_cage *cage, tut_cage_worker *w, tut_cage_item *item)
{
    item->state = TUT_CAGE_RUNNING;
    item->is_sent = false;
    cage->queued--;
    if (w->count == 0 && w->is_ready)
        tut_cage_begin_clock(w);
    w->items[w->count++] = item;
    tut_cage_header h = {.kind = TUT_CAGE_TASK,
                         .has_fd = item->fd >= 0,
                         .length = (uint32_t)item->argument_len,
                         .seq = item->seq};
    tut_cage_frame frame = {
        .body = tut_span_of(item->argument, item->argument_len), .item = item, .fd = item->fd};
    /* A worker that is gone shows at the next read, which sorts out whose fault it was. */
    (void)tut_cage_peer_send(w, &h, frame);
}

tut_status tut_cage_dispatch(tut_cage *cage, tut_error *err)
{
    tut_cage_item *item;
    while (cage->fatal.code == TUT_OK && (item = next_queued(cage))) {
        tut_cage_worker *w = NULL;
        TUT_TRY(item->failures > 0 ? fresh_worker(cage, &w, err) : any_worker(cage, &w, err));
        if (!w)
            break;
        give(cage, w, item);
    }
    if (cage->fatal.code == TUT_OK)
        return TUT_SUCCESS;
    if (err)
        *err = cage->fatal;
    return (tut_status){cage->fatal.code};
}

/* --- waiting --- */

/* Time until the first deadline, at least 0; -1: none. */
static int64_t next_deadline(const tut_cage *cage, uint64_t now)
{
    int64_t best = -1;
    for (size_t i = 0; i < cage->max_workers; i++) {
        const tut_cage_worker *w = &cage->workers[i];
        if (w->pid == 0 || (w->is_ready && w->count == 0))
            continue;
        uint64_t end = deadline(w, allowed_ms(cage, w), now);
        int64_t left = end > now ? (int64_t)(end - now) : 0;
        if (best < 0 || left < best)
            best = left;
    }
    return best;
}

/* Interruption is looked at with its signals held back, so that none slips in before the wait. */
static tut_status wait_for(struct pollfd *fds, nfds_t count, int64_t ms, tut_error *err)
{
    sigset_t held, before;
    (void)sigemptyset(&held);
    (void)sigaddset(&held, SIGINT);
    (void)sigaddset(&held, SIGTERM);
    (void)pthread_sigmask(SIG_BLOCK, &held, &before);
    bool is_cancelled = tut_interrupted();
    struct timespec limit = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    int rc = is_cancelled ? 0 : ppoll(fds, count, ms < 0 ? NULL : &limit, &before);
    int saved = errno;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (is_cancelled || tut_interrupted())
        return tut_fail(err, TUT_CANCELLED, "interrupted");
    if (rc < 0 && saved != EINTR && saved != ENOMEM)
        return tut_fail_errno(err, saved, "cannot wait for the workers");
    if (rc < 0)
        for (nfds_t i = 0; i < count; i++)
            fds[i].revents = 0;
    return TUT_SUCCESS;
}

static void serve(tut_cage *cage, tut_cage_worker *w, short events)
{
    const char *breach = NULL;
    bool is_alive = true;
    if (events & (POLLIN | POLLHUP | POLLERR))
        is_alive = tut_cage_peer_read(cage, w, &breach);
    if (is_alive && (events & POLLOUT))
        is_alive = tut_cage_peer_flush(w);
    if (!is_alive)
        give_up(cage, w, breach ? END_BREACH : END_DIED, breach);
}

static void end_late_ones(tut_cage *cage)
{
    uint64_t now = tut_clock_ms();
    for (size_t i = 0; i < cage->max_workers; i++) {
        tut_cage_worker *w = &cage->workers[i];
        if (w->pid == 0 || (w->is_ready && w->count == 0))
            continue;
        if (now >= deadline(w, allowed_ms(cage, w), now))
            give_up(cage, w, END_LATE, NULL);
    }
}

tut_status tut_cage_pump(tut_cage *cage, bool is_waiting, tut_error *err)
{
    TUT_TRY(tut_cage_dispatch(cage, err));
    struct pollfd fds[TUT_CAGE_WORKERS_MAX];
    tut_cage_worker *of[TUT_CAGE_WORKERS_MAX];
    nfds_t count = 0;
    for (size_t i = 0; i < cage->max_workers; i++) {
        tut_cage_worker *w = &cage->workers[i];
        if (w->pid == 0)
            continue;
        of[count] = w;
        fds[count++] = (struct pollfd){
            .fd = w->fd, .events = (short)(POLLIN | (w->frame_count > 0 ? POLLOUT : 0))};
    }
    int64_t ms = is_waiting ? next_deadline(cage, tut_clock_ms()) : 0;
    TUT_TRY(wait_for(fds, count, ms, err));
    /* First what came in, then the clock: an answer that lies here already is not late. */
    for (nfds_t i = 0; i < count; i++)
        if (fds[i].revents)
            serve(cage, of[i], fds[i].revents);
    end_late_ones(cage);
    return tut_cage_dispatch(cage, err);
}
