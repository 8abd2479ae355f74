/* Hashing on every core. Threads take the next piece of work from one counter; large pieces come
 * first, so that no thread is left with one at the end. */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "assets/manifest_internal.h"
#include "base/cage.h"

enum {
    THREADS_MAX = 64,
    THREAD_WORTH_BYTES = 512 << 10, /* hashed in the time that starting a thread takes, and some */
    THREAD_WORTH_FILES = 64,
    LARGE_BYTES = 16 << 20 /* from here on a second thread may read ahead */
};

typedef struct job {
    size_t file;
    uint64_t start, end;
    tut_hash *digest;
} job;

typedef struct engine {
    tut_manifest *m;
    job *jobs;
    size_t count;
    size_t threads;
    bool reads_ahead;
    uint64_t total;
    const tut_hash_options *options;
    atomic_size_t next;
    atomic_uint_fast64_t done;
    atomic_bool is_stopped;
    pthread_mutex_t lock; /* of what follows */
    tut_error why;
    size_t why_job; /* the first in order wins, so that the same fault gives the same message */
} engine;

typedef struct worker {
    engine *e;
    tut_hash_ctx *hash;
    tut_blocks *blocks, *ahead;
    bool is_main;
} worker;

static tut_status hash_bytes(worker *w, const job *j, tut_blocks *blocks, tut_error *err)
{
    engine *e = w->e;
    uint64_t left = j->end - j->start;
    TUT_TRY(tut_hash_begin(w->hash, err));
    while (left > 0) {
        tut_span block;
        if (tut_interrupted() || atomic_load_explicit(&e->is_stopped, memory_order_relaxed))
            return tut_fail(err, TUT_CANCELLED, "interrupted");
        TUT_TRY(tut_blocks_next(blocks, &block, err));
        TUT_TRY(tut_hash_add(w->hash, block, err));
        left -= block.len;
        uint64_t done = atomic_fetch_add_explicit(&e->done, block.len, memory_order_relaxed);
        if (w->is_main && e->options->progress)
            e->options->progress(e->options->progress_ctx, done + block.len, e->total);
    }
    return tut_hash_finish(w->hash, j->digest, err);
}

static tut_status hash_open_file(worker *w, const job *j, int fd, tut_error *err)
{
    const tut_manifest_file *f = &w->e->m->files[j->file];
    bool ahead = w->e->reads_ahead && j->end - j->start >= LARGE_BYTES;
    tut_blocks **blocks = ahead ? &w->ahead : &w->blocks;
    if (!*blocks)
        TUT_TRY(tut_blocks_new(ahead, blocks, err));
    TUT_TRY(tut_blocks_start(*blocks, fd, j->start, j->end, err));
    tut_status status = hash_bytes(w, j, *blocks, err);
    tut_blocks_stop(*blocks);
    TUT_TRY(status);
    struct stat st;
    tut_stamp after;
    if (fstat(fd, &st) != 0)
        return tut_fail_errno(err, errno, "cannot be examined");
    tut_stamp_of(&st, &after);
    if (!tut_stamp_eq(&after, &f->stamp))
        return tut_fail(err, TUT_IO, "changed while it was being read");
    return TUT_SUCCESS;
}

static tut_status hash_job(worker *w, const job *j, tut_error *err)
{
    int fd;
    TUT_TRY(tut_manifest_open(w->e->m, &w->e->m->files[j->file], &fd, err));
    tut_status status = hash_open_file(w, j, fd, err);
    close(fd);
    if (!tut_is_ok(status))
        tut_manifest_blame(w->e->m, &w->e->m->files[j->file], err);
    return status;
}

static void give_up(engine *e, size_t at, const tut_error *why)
{
    pthread_mutex_lock(&e->lock);
    /* "interrupted" is also what a fault elsewhere makes of the others */
    bool is_first = e->why.code == TUT_OK ||
                    (e->why.code == TUT_CANCELLED && why->code != TUT_CANCELLED) ||
                    (why->code != TUT_CANCELLED && at < e->why_job);
    if (is_first) {
        e->why = *why;
        e->why_job = at;
    }
    pthread_mutex_unlock(&e->lock);
    atomic_store(&e->is_stopped, true);
}

static void *work(void *ctx)
{
    worker *w = ctx;
    engine *e = w->e;
    tut_error why = {0};
    size_t at = 0;
    tut_status status = tut_hash_ctx_new(e->options->kind, &w->hash, &why);
    while (tut_is_ok(status) && !atomic_load_explicit(&e->is_stopped, memory_order_relaxed)) {
        at = atomic_fetch_add_explicit(&e->next, 1, memory_order_relaxed);
        if (at >= e->count)
            break;
        status = tut_interrupted() ? tut_fail(&why, TUT_CANCELLED, "interrupted")
                                   : hash_job(w, &e->jobs[at], &why);
    }
    if (!tut_is_ok(status))
        give_up(e, at, &why);
    tut_hash_ctx_free(w->hash);
    tut_blocks_free(w->blocks);
    tut_blocks_free(w->ahead);
    return NULL;
}

static size_t cores(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof(set), &set) != 0)
        return 1;
    int n = CPU_COUNT(&set);
    return n < 1 ? 1 : n > THREADS_MAX ? THREADS_MAX : (size_t)n;
}

static int larger_first(const void *a, const void *b)
{
    const job *x = a;
    const job *y = b;
    uint64_t x_size = x->end - x->start;
    uint64_t y_size = y->end - y->start;
    if (x_size != y_size)
        return x_size > y_size ? -1 : 1;
    return x->file != y->file ? (x->file < y->file ? -1 : 1) : x->start < y->start ? -1 : 1;
}

static void plan(engine *e)
{
    size_t large = 0;
    for (size_t i = 0; i < e->count; i++) {
        e->total += e->jobs[i].end - e->jobs[i].start;
        large += e->jobs[i].end - e->jobs[i].start >= LARGE_BYTES;
    }
    size_t most = e->options->threads ? e->options->threads : cores();
    if (most > THREADS_MAX)
        most = THREADS_MAX;
    size_t worth = 1 + (size_t)(e->total / THREAD_WORTH_BYTES) + e->count / THREAD_WORTH_FILES;
    e->threads = most < worth ? most : worth;
    if (e->threads > e->count)
        e->threads = e->count;
    e->reads_ahead = large > 0 && 2 * large <= most;
    if (large > 0)
        qsort(e->jobs, e->count, sizeof(*e->jobs), larger_first);
}

/* Threads that cannot be started are done without: the calling one does all the work if need be. */
static tut_status run(engine *e, tut_error *err)
{
    worker workers[THREADS_MAX];
    pthread_t threads[THREADS_MAX];
    size_t started = 0;
    if (pthread_mutex_init(&e->lock, NULL) != 0)
        return tut_fail(err, TUT_NOMEM, "no lock could be made");
    for (size_t i = 1; i < e->threads; i++) {
        workers[i] = (worker){.e = e};
        if (pthread_create(&threads[started], NULL, work, &workers[i]) != 0)
            break;
        started++;
    }
    workers[0] = (worker){.e = e, .is_main = true};
    work(&workers[0]);
    for (size_t i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
    pthread_mutex_destroy(&e->lock);
    if (e->why.code == TUT_OK)
        return TUT_SUCCESS;
    if (err)
        *err = e->why;
    return (tut_status){e->why.code};
}

static tut_status run_jobs(tut_manifest *m, job *jobs, size_t count,
                           const tut_hash_options *options, tut_error *err)
{
    if (count == 0)
        return TUT_SUCCESS;
    engine e = {.m = m, .jobs = jobs, .count = count, .options = options};
    plan(&e);
    return run(&e, err);
}

tut_status tut_manifest_hash(tut_manifest *m, const tut_hash_options *options, tut_error *err)
{
    size_t count = 0;
    TUT_AUTO_FREE job *jobs = tut_alloc_array(m->count ? m->count : 1, sizeof(*jobs));
    if (!jobs)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (size_t i = 0; i < m->count; i++) {
        tut_manifest_file *f = &m->files[i];
        if (f->is_wanted && !f->is_hashed)
            jobs[count++] = (job){.file = i, .end = f->stamp.size, .digest = &f->digest};
    }
    TUT_TRY(run_jobs(m, jobs, count, options, err));
    for (size_t i = 0; i < m->count; i++)
        m->files[i].is_hashed = m->files[i].is_hashed || m->files[i].is_wanted;
    return TUT_SUCCESS;
}

tut_status tut_manifest_hash_ranges(tut_manifest *m, tut_hash_range *ranges, size_t count,
                                    const tut_hash_options *options, tut_error *err)
{
    TUT_AUTO_FREE job *jobs = tut_alloc_array(count ? count : 1, sizeof(*jobs));
    if (!jobs)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (size_t i = 0; i < count; i++) {
        const tut_hash_range *r = &ranges[i];
        if (r->file >= m->count || r->start > r->end || r->end > m->files[r->file].stamp.size)
            return tut_fail(err, TUT_BUG, "a range lies outside its file");
        jobs[i] =
            (job){.file = r->file, .start = r->start, .end = r->end, .digest = &ranges[i].digest};
    }
    return run_jobs(m, jobs, count, options, err);
}
