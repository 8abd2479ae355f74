/* The cage as its users see it: a window of tasks in order of submission, over the pool. */
#include "base/cage.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cage_internal.h"
#include "base/fs_internal.h"

enum { PUMP_EVERY = 8 }; /* submissions, so that workers are not kept waiting for a long time */

static void item_free(tut_cage_item *item)
{
    if (!item)
        return;
    tut_fs_close(item->fd);
    tut_fs_close(item->dirfd);
    for (size_t i = 0; i < item->lent_count; i++) {
        tut_fs_close(item->lent[i].fd);
        tut_free(item->lent[i].name);
    }
    tut_free(item->lent);
    tut_buf_done(&item->reply);
    tut_free(item->argument);
    tut_free(item->error);
    tut_free(item);
}

tut_status tut_cage_open(tut_cage_job job, const tut_cage_options *options, tut_cage **ret_cage,
                         tut_error *err)
{
    tut_cage_options o = options ? *options : (tut_cage_options){0};
    tut_cage_jail jail;
    tut_cage_facts facts;
    tut_cage_jail_probe(&jail);
    tut_cage_jail_facts(&jail, &facts);
    if (o.mode == TUT_CAGE_REQUIRE && !facts.complete)
        return tut_fail(err, TUT_UNSUPPORTED, "the sandbox is not complete here (lacking: %s)",
                        facts.lacking);
    tut_cage *cage = tut_alloc_array(1, sizeof(*cage));
    if (!cage)
        return tut_fail(err, TUT_NOMEM, "no memory for the sandbox");
    long processors = o.workers ? (long)o.workers : sysconf(_SC_NPROCESSORS_ONLN);
    if (processors < 1)
        processors = 1;
    cage->job = job;
    cage->mode = o.mode;
    cage->task_ms = o.task_ms;
    cage->heap_bytes = o.heap_bytes ? o.heap_bytes : TUT_LIMIT_HEAP_BYTES;
    cage->facts = facts;
    cage->next_seq = 1;
    cage->max_workers = processors > TUT_CAGE_WORKERS_MAX ? TUT_CAGE_WORKERS_MAX
                                                          : (unsigned)processors;
    *ret_cage = cage;
    return TUT_SUCCESS;
}

static void drop_all(tut_cage *cage)
{
    tut_cage_stop(cage);
    for (; cage->count > 0; cage->count--) {
        item_free(cage->window[cage->head]);
        cage->head = (cage->head + 1) % TUT_LIMIT_CAGE_WINDOW;
    }
    cage->queued = 0;
    cage->held_bytes = 0;
}

void tut_cage_free(tut_cage *cage)
{
    if (!cage)
        return;
    drop_all(cage);
    tut_free(cage);
}

unsigned tut_cage_workers(const tut_cage *cage)
{
    return cage->max_workers;
}

void tut_cage_get_facts(tut_cage *cage, tut_cage_facts *ret_facts)
{
    *ret_facts = cage->facts;
}

void tut_cage_finish(tut_cage *cage, tut_cage_item *item, tut_cage_outcome outcome)
{
    item->state = TUT_CAGE_FINISHED;
    item->outcome = outcome;
    cage->held_bytes += item->reply.len;
}

static tut_status deliver_one(tut_cage *cage, tut_cage_done done, void *ctx, tut_error *err)
{
    static const tut_error no_memory = {.code = TUT_NOMEM, .text = "memory ran out"};
    tut_cage_item *item = cage->window[cage->head];
    cage->head = (cage->head + 1) % TUT_LIMIT_CAGE_WINDOW;
    cage->count--;
    cage->held_bytes -= item->reply.len;
    const tut_error *error = item->error;
    if (item->outcome != TUT_CAGE_DONE && !error)
        error = &no_memory;
    tut_status status = done(ctx, item->tag, item->outcome, tut_buf_span(&item->reply), error, err);
    item_free(item);
    return status;
}

/* In order: the first one that is not finished holds up the rest. */
static tut_status deliver(tut_cage *cage, tut_cage_done done, void *ctx, tut_error *err)
{
    while (cage->count > 0 && cage->window[cage->head]->state == TUT_CAGE_FINISHED)
        TUT_TRY(deliver_one(cage, done, ctx, err));
    return TUT_SUCCESS;
}

/* A pump that fails, by interruption or because no worker can be had, ends all that is under way.
 */
static tut_status pump(tut_cage *cage, bool is_waiting, tut_error *err)
{
    tut_status status = tut_cage_pump(cage, is_waiting, err);
    if (!tut_is_ok(status))
        drop_all(cage);
    return status;
}

/* Few descriptors allowed, a small window: each task holds two. */
static size_t window_size(void)
{
    struct rlimit files;
    size_t most = TUT_LIMIT_CAGE_WINDOW;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur / 4 < most)
        most = (size_t)files.rlim_cur / 4;
    return most < 1 ? 1 : most;
}

static tut_status duplicate(int fd, int *ret_fd, tut_error *err)
{
    *ret_fd = fd;
    if (fd < 0)
        return TUT_SUCCESS;
    *ret_fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    if (*ret_fd < 0)
        return tut_fail_errno(err, errno, "cannot keep a file for a worker");
    return TUT_SUCCESS;
}

/* A worker gets files to read, and nothing that it could write to: what is open for writing (a
 * temporary file that was just filled) is opened once more, for reading. */
static tut_status duplicate_for_reading(int fd, int *ret_fd, tut_error *err)
{
    int flags = fd < 0 ? O_RDONLY : fcntl(fd, F_GETFL);
    if (flags < 0)
        return tut_fail_errno(err, errno, "this is no open file");
    if ((flags & O_ACCMODE) == O_RDONLY)
        return duplicate(fd, ret_fd, err);
    char path[64];
    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    *ret_fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (*ret_fd < 0)
        return tut_fail_errno(err, errno, "cannot open a file again for reading only");
    return TUT_SUCCESS;
}

static tut_status keep_lent(tut_cage_item *item, const tut_cage_request *r, tut_error *err)
{
    item->lent = tut_alloc_array(r->lent_count + 1, sizeof(*item->lent));
    if (!item->lent)
        return tut_fail(err, TUT_NOMEM, "no memory for a task");
    for (size_t i = 0; i < r->lent_count; i++) {
        const tut_cage_lent *from = &r->lent[i];
        tut_cage_kept *kept = &item->lent[item->lent_count++];
        *kept = (tut_cage_kept){.name = tut_strdup(from->name), .fd = -1};
        if (!kept->name)
            return tut_fail(err, TUT_NOMEM, "no memory for a task");
        TUT_TRY(from->is_writable ? duplicate(from->fd, &kept->fd, err)
                                  : duplicate_for_reading(from->fd, &kept->fd, err));
    }
    return TUT_SUCCESS;
}

static tut_status make_item(tut_cage *cage, const tut_cage_request *r, tut_cage_item **ret_item,
                            tut_error *err)
{
    if (r->argument.len > UINT32_MAX)
        return tut_fail(err, TUT_LIMIT, "a task of %zu bytes is too large", r->argument.len);
    tut_cage_item *item = tut_alloc_array(1, sizeof(*item));
    if (!item)
        return tut_fail(err, TUT_NOMEM, "no memory for a task");
    *item = (tut_cage_item){.seq = cage->next_seq, .fd = -1, .dirfd = -1, .size = r->size};
    item->tag = r->tag;
    tut_status status = duplicate_for_reading(r->fd, &item->fd, err);
    if (tut_is_ok(status))
        status = duplicate(r->sibling_dirfd, &item->dirfd, err);
    if (tut_is_ok(status) && r->lent_count > 0)
        status = keep_lent(item, r, err);
    if (tut_is_ok(status) && r->argument.len > 0) {
        item->argument = tut_alloc_array(r->argument.len, 1);
        if (item->argument)
            memcpy(item->argument, r->argument.data, r->argument.len);
        else
            status = tut_fail(err, TUT_NOMEM, "no memory for a task");
        item->argument_len = r->argument.len;
    }
    if (!tut_is_ok(status)) {
        item_free(item);
        return status;
    }
    cage->next_seq++;
    *ret_item = item;
    return TUT_SUCCESS;
}

tut_status tut_cage_submit(tut_cage *cage, const tut_cage_request *request, tut_cage_done done,
                           void *ctx, tut_error *err)
{
    while (cage->count >= window_size()) {
        TUT_TRY(pump(cage, true, err));
        TUT_TRY(deliver(cage, done, ctx, err));
    }
    tut_cage_item *item = NULL;
    TUT_TRY(make_item(cage, request, &item, err));
    cage->window[(cage->head + cage->count) % TUT_LIMIT_CAGE_WINDOW] = item;
    cage->count++;
    cage->queued++;
    if (item->seq % PUMP_EVERY != 0) {
        tut_status status = tut_cage_dispatch(cage, err);
        if (!tut_is_ok(status))
            drop_all(cage);
        return status;
    }
    TUT_TRY(pump(cage, false, err));
    return deliver(cage, done, ctx, err);
}

tut_status tut_cage_drain(tut_cage *cage, tut_cage_done done, void *ctx, tut_error *err)
{
    TUT_TRY(deliver(cage, done, ctx, err));
    while (cage->count > 0) {
        TUT_TRY(pump(cage, true, err));
        TUT_TRY(deliver(cage, done, ctx, err));
    }
    return TUT_SUCCESS;
}

/* The reply of a single call goes straight to the caller's buffer, its failure to the caller. */
static tut_status call_done(void *ctx, void *tag, tut_cage_outcome outcome, tut_span reply,
                            const tut_error *error, tut_error *err)
{
    (void)tag;
    tut_buf *out = ctx;
    if (outcome != TUT_CAGE_DONE) {
        if (err)
            *err = *error;
        return (tut_status){error->code};
    }
    tut_buf_add(out, reply.data, reply.len);
    return tut_buf_check(out, err);
}

tut_status tut_cage_call(tut_cage_job job, const tut_cage_options *options, int fd,
                         tut_span argument, tut_buf *out, tut_error *err)
{
    tut_cage_options o = options ? *options : (tut_cage_options){0};
    o.workers = 1;
    TUT_AUTO(tut_cage) cage = NULL;
    TUT_TRY(tut_cage_open(job, &o, &cage, err));
    struct stat st;
    tut_cage_request request = {.fd = fd, .sibling_dirfd = -1, .argument = argument};
    if (fd >= 0 && fstat(fd, &st) == 0 && st.st_size > 0)
        request.size = (uint64_t)st.st_size;
    TUT_TRY(tut_cage_submit(cage, &request, call_done, out, err));
    return tut_cage_drain(cage, call_done, out, err);
}
