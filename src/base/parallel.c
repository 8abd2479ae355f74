#include "base/parallel.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include "base/cage.h"

enum { THREADS_MAX = 16 };

typedef struct sharing {
    void (*work)(void *ctx, size_t i);
    void *ctx;
    size_t count;
    atomic_size_t next;
} sharing;

static void *take_turns(void *ctx)
{
    sharing *s = ctx;
    while (!tut_interrupted()) {
        size_t i = atomic_fetch_add_explicit(&s->next, 1, memory_order_relaxed);
        if (i >= s->count)
            break;
        s->work(s->ctx, i);
    }
    return NULL;
}

static size_t threads_for(size_t count, size_t worth)
{
    cpu_set_t set;
    size_t cores = sched_getaffinity(0, sizeof(set), &set) == 0 ? (size_t)CPU_COUNT(&set) : 1;
    size_t most = cores < THREADS_MAX ? cores : THREADS_MAX;
    size_t useful = worth ? (count + worth - 1) / worth : count;
    return useful < most ? useful : most;
}

void tut_parallel(size_t count, size_t worth, void (*work)(void *ctx, size_t i), void *ctx)
{
    sharing s = {.work = work, .ctx = ctx, .count = count};
    pthread_t threads[THREADS_MAX];
    size_t wanted = threads_for(count, worth);
    size_t started = 0;
    while (started + 1 < wanted && pthread_create(&threads[started], NULL, take_turns, &s) == 0)
        started++;
    take_turns(&s);
    for (size_t i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
}
