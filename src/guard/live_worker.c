/* Workers' slots: taken by one atomic exchange, taken back when their process is gone. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/random.h>
#include <unistd.h>

#include "guard/live_internal.h"

/* --- who a process is: its number, and when it began, since numbers come again --- */
/* False: /proc does not show it. The state is a letter; the start is in ticks since boot. */
static bool look_up(pid_t pid, char *ret_state, uint32_t *ret_start)
{
    char path[64], text[1024];
    (void)snprintf(path, sizeof(path), "/proc/%ld/stat", (long)pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    ssize_t n = read(fd, text, sizeof(text) - 1);
    (void)close(fd);
    if (n <= 0)
        return false;
    text[n] = '\0';
    char *at = strrchr(text, ')'); /* the name before it may hold anything */
    if (!at || at[1] != ' ' || !at[2])
        return false;
    *ret_state = at[2];
    for (int field = 3; field < 22 && at; field++) /* from the state, the third */
        at = strchr(at + 1, ' ');
    at = at ? strchr(at, ' ') : NULL;
    *ret_start = at ? (uint32_t)strtoull(at + 1, NULL, 10) : 0;
    return true;
}

static uint64_t pack(pid_t pid, uint32_t start)
{
    return (uint64_t)(uint32_t)pid << 32 | start;
}

static pid_t pid_of(uint64_t who)
{
    return (pid_t)(who >> 32);
}

static bool is_gone(uint64_t who)
{
    char state = '?';
    uint32_t start = 0;
    if (kill(pid_of(who), 0) != 0 && errno == ESRCH)
        return true;
    if (!look_up(pid_of(who), &state, &start))
        return false; /* it is there, and hidden from us */
    return state == 'Z' || state == 'X' || start != (uint32_t)who;
}

/* --- taking back: one process at a time, so that nobody empties a slot that is taken again --- */
static void take_back(tut_live *live, size_t i, uint64_t who)
{
    live_worker *w = &live->map->workers[i];
    for (size_t s = 0; s < LIVE_SLOTS; s++)
        if (atomic_load_explicit(&live->map->slots[s].key, memory_order_relaxed) != 0)
            atomic_store(&live->map->slots[s].busy[i], 0);
    for (size_t g = 0; g < TUT_GAUGE_COUNT; g++)
        atomic_store(&w->gauges[g], 0);
    atomic_store(&w->ledger_down_ms, 0);
    (void)atomic_compare_exchange_strong(&w->who, &who, 0);
}

static size_t take_back_all(tut_live *live, pid_t pid)
{
    size_t count = 0;
    for (size_t i = 0; i < live_high(live); i++) {
        uint64_t who = atomic_load(&live->map->workers[i].who);
        if (who == 0 || (int)i == live->worker)
            continue;
        if (pid ? pid_of(who) == pid : is_gone(who)) {
            take_back(live, i, who);
            count++;
        }
    }
    return count;
}

size_t tut_live_reap(tut_live *live, pid_t pid)
{
    if (!tut_is_ok(tut_live_lock(live, NULL)))
        return 0; /* another one does it */
    size_t count = take_back_all(live, pid);
    tut_live_unlock(live);
    return count;
}

/* --- a worker's own --- */
static bool take_one(tut_live *live, uint64_t who)
{
    live_file *f = live->map;
    for (size_t i = 0; i < TUT_LIVE_WORKERS; i++) {
        uint64_t none = 0;
        if (!atomic_compare_exchange_strong(&f->workers[i].who, &none, who))
            continue;
        uint64_t high = atomic_load(&f->workers_high);
        while (high < i + 1 && !atomic_compare_exchange_weak(&f->workers_high, &high, i + 1)) {
        }
        live->worker = (int)i;
        return true;
    }
    return false;
}

tut_status tut_live_join(tut_live *live, tut_error *err)
{
    char state;
    uint32_t start = 0;
    uint64_t epoch = 0;
    if (live->worker >= 0)
        return tut_fail(err, TUT_BUG, "a worker takes one slot");
    if (!look_up(getpid(), &state, &start))
        return tut_fail(err, TUT_IO, "/proc does not tell when this process began");
    if (getrandom(&epoch, sizeof(epoch), 0) != (ssize_t)sizeof(epoch))
        return tut_fail_errno(err, errno, "no random number");
    uint64_t who = pack(getpid(), start);
    if (!take_one(live, who)) {
        if (flock(live->fd, LOCK_EX | LOCK_NB) == 0) {
            (void)take_back_all(live, 0);
            tut_live_unlock(live);
        }
        if (!take_one(live, who))
            return tut_fail(err, TUT_LIMIT, "%d workers are there already", TUT_LIVE_WORKERS);
    }
    live_worker *w = &live->map->workers[live->worker];
    atomic_store(&w->epoch, epoch);
    atomic_store(&w->generation, atomic_fetch_add(&live->map->generations, 1) + 1);
    atomic_store(&w->last_seq, 0);
    atomic_store(&w->last_acked, 0);
    return TUT_SUCCESS;
}

void tut_live_leave(tut_live *live)
{
    if (live->worker < 0)
        return;
    size_t i = (size_t)live->worker;
    live->worker = -1;
    take_back(live, i, atomic_load(&live->map->workers[i].who));
}

static live_worker *own(const tut_live *live)
{
    return live->worker >= 0 ? &live->map->workers[live->worker] : NULL;
}

uint64_t tut_live_epoch(const tut_live *live)
{
    return own(live) ? atomic_load(&own(live)->epoch) : 0;
}

uint64_t tut_live_worker_generation(const tut_live *live)
{
    return own(live) ? atomic_load(&own(live)->generation) : 0;
}

void tut_live_sent(tut_live *live, uint64_t seq)
{
    if (own(live))
        atomic_store_explicit(&own(live)->last_seq, seq, memory_order_release);
}

void tut_live_acked(tut_live *live, uint64_t seq)
{
    if (own(live))
        atomic_store_explicit(&own(live)->last_acked, seq, memory_order_release);
}

void tut_live_ledger(tut_live *live, uint64_t down_since_ms)
{
    if (own(live))
        atomic_store_explicit(&own(live)->ledger_down_ms, down_since_ms, memory_order_release);
}

uint64_t tut_live_ledger_down(const tut_live *live)
{
    uint64_t earliest = 0;
    for (size_t i = 0; i < live_high(live); i++) {
        uint64_t since = atomic_load(&live->map->workers[i].ledger_down_ms);
        if (since && (earliest == 0 || since < earliest))
            earliest = since;
    }
    return earliest;
}

size_t tut_live_workers(const tut_live *live, tut_live_worker *ret_workers)
{
    size_t count = 0;
    for (size_t i = 0; i < live_high(live); i++) {
        const live_worker *w = &live->map->workers[i];
        uint64_t who = atomic_load(&w->who);
        if (who == 0)
            continue;
        ret_workers[count++] =
            (tut_live_worker){.pid = pid_of(who),
                              .epoch = atomic_load(&w->epoch),
                              .generation = atomic_load(&w->generation),
                              .last_seq = atomic_load(&w->last_seq),
                              .last_acked = atomic_load(&w->last_acked),
                              .ledger_down_ms = atomic_load(&w->ledger_down_ms),
                              .in_flight = atomic_load(&w->gauges[TUT_GAUGE_IN_FLIGHT]),
                              .held = atomic_load(&w->gauges[TUT_GAUGE_HELD]),
                              .body_bytes = atomic_load(&w->gauges[TUT_GAUGE_BODY_BYTES])};
    }
    return count;
}

/* --- gauges --- */
void tut_live_move(tut_live *live, tut_live_gauge gauge, int64_t by)
{
    if (own(live))
        atomic_fetch_add(&own(live)->gauges[gauge], by);
}

int64_t tut_live_sum(const tut_live *live, tut_live_gauge gauge)
{
    int64_t sum = 0;
    for (size_t i = 0; i < live_high(live); i++)
        sum += atomic_load(&live->map->workers[i].gauges[gauge]);
    return sum;
}

/* Of several that add at the same time the last one, in the one order that all atomic operations
 * have, sees all the others: so the sum of those who stay never passes the limit. */
bool tut_live_admit(tut_live *live, tut_live_gauge gauge, int64_t by, int64_t limit)
{
    if (!own(live) || by > limit)
        return false;
    tut_live_move(live, gauge, by);
    if (tut_live_sum(live, gauge) <= limit)
        return true;
    tut_live_move(live, gauge, -by);
    return false;
}
