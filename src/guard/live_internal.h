/* The layout of the file that live.h describes. Any change of it is another TUT_LIVE_LAYOUT. */
#ifndef TUT_GUARD_LIVE_INTERNAL_H
#define TUT_GUARD_LIVE_INTERNAL_H

#include <stdalign.h>
#include <stdatomic.h>

#include "guard/live.h"

#define LIVE_MAGIC 0x31564c4154555400ull

enum {
    TUT_LIVE_LAYOUT = 2,
    LIVE_SLOTS = 4096, /* clients with a quota or a history at once */
    LIVE_PROBES = 64,  /* places where a client may be found */
    LIVE_SPANS = 128,  /* parts of a window: what a limit errs by is one of them */
    LIVE_LINE = 64     /* of a cache: what different processes write lies in different ones */
};

typedef _Atomic uint64_t live_u64;
typedef _Atomic int64_t live_i64;

/* A name that was put in once. Whoever reads while it is being written sees the beginning of it. */
typedef struct live_name {
    live_u64 hash; /* 0: free */
    live_u64 words[TUT_LIVE_NAME / 8];
} live_name;

typedef struct live_stop {
    live_u64 hash; /* of kind and name; 0: free */
    live_u64 kind, since_ms;
    live_u64 words[TUT_LIVE_NAME / 8];
} live_stop;

typedef struct live_worker {
    alignas(LIVE_LINE) live_u64 who; /* process id and its start; 0: free */
    live_u64 epoch, generation, last_seq, last_acked, ledger_down_ms;
    alignas(LIVE_LINE) live_i64 gauges[TUT_GAUGE_COUNT];
    /* Never taken back: whoever has the slot next counts on. */
    alignas(LIVE_LINE) live_u64 counters[TUT_LIVE_NAMES][TUT_LIVE_COUNTER_COUNT];
    live_u64 checks[TUT_LIVE_NAMES];
    live_u64 times[TUT_CLOCK_COUNT][TUT_LIVE_BUCKETS];
    live_u64 time_sums[TUT_CLOCK_COUNT];
} live_worker;

typedef enum live_meter { LIVE_REQUESTS, LIVE_TOKENS, LIVE_COST, LIVE_METERS } live_meter;

/* A cell of a ring: the number of a stretch of time (24 bits), and what was counted in it (40
 * bits); a number that is not asked for counts as nothing. */
#define LIVE_CELL_BITS 40
#define LIVE_CELL_MOST ((1ull << LIVE_CELL_BITS) - 1)
static inline uint64_t live_cell_number(uint64_t number)
{
    return number & ((1ull << (64 - LIVE_CELL_BITS)) - 1);
}
static inline uint64_t live_cell_of(uint64_t cell)
{
    return cell >> LIVE_CELL_BITS;
}
void tut_live_cell_add(live_u64 *ring, size_t size, uint64_t number, uint64_t n);
/* As long as the stretch where it was added is there. */
void tut_live_cell_take(live_u64 *ring, size_t size, uint64_t number, uint64_t n);
uint64_t tut_live_cell_get(const live_u64 *ring, size_t size, uint64_t number);

/* One client's quotas. */
typedef struct live_slot {
    alignas(LIVE_LINE) live_u64 key; /* 0: free */
    live_u64 keep_until_ms;          /* after that it may be given to another client */
    alignas(LIVE_LINE) live_u64 spans[LIVE_METERS][LIVE_SPANS];
    alignas(LIVE_LINE) _Atomic uint16_t busy[TUT_LIVE_WORKERS]; /* by worker */
} live_slot;

/* What one client asked of late (abuse.h), and what it spent. Written by several workers at once: a
 * query that is being written over may be read half, and is then like no other. */
enum {
    LIVE_HISTORIES = 1024,
    LIVE_HISTORY_PROBES = 16,
    LIVE_SEEN = 64,     /* queries */
    LIVE_STRETCHES = 64 /* of five minutes */
};

typedef struct live_seen {
    live_u64 at_ms, marks, digest;
    live_u64 sketch[4]; /* of a text two words; of a vector 16 numbers of 16 bits, by its norm */
    live_u64 norm;      /* of a vector, as a double */
} live_seen;

typedef struct live_history {
    alignas(LIVE_LINE) live_u64 key; /* 0: free */
    live_u64 used_ms, next;
    live_u64 alarm_ms[4]; /* by kind: when it was told last */
    alignas(LIVE_LINE) live_u64 spent[LIVE_STRETCHES];
    live_seen seen[LIVE_SEEN];
} live_history;

typedef struct live_file {
    live_u64 magic, layout, size;
    live_u64 seed;                                 /* of sketches; random */
    alignas(LIVE_LINE) live_u64 boot, generations; /* of workers */
    alignas(LIVE_LINE) live_u64 changes, decisions, generation, stop_count, workers_high;
    /* The policy of generation g is policies[g % 4]: it was written before g was, and stays until
     * three more have come, so that no reader has to wait for a writer. */
    live_u64 policies[4][4];
    alignas(LIVE_LINE) live_u64 clock_ms; /* the latest time that a quota saw */
    live_stop stops[TUT_LIVE_STOPS];
    live_name routes[TUT_LIVE_NAMES], checks[TUT_LIVE_NAMES];
    live_worker workers[TUT_LIVE_WORKERS];
    live_slot slots[LIVE_SLOTS];
    live_history histories[LIVE_HISTORIES];
} live_file;

struct tut_live {
    live_file *map;
    int fd;
    int worker; /* -1: none */
};

/* Of kind and name; never 0. */
uint64_t tut_live_hash(unsigned kind, tut_str name);
void tut_live_put_name(live_u64 *words, tut_str name);
void tut_live_get_name(const live_u64 *words, char out[TUT_LIVE_NAME]);
/* Commands and the keeper only; IO when another one held it for two seconds. */
TUT_MUST tut_status tut_live_lock(tut_live *live, tut_error *err);
void tut_live_unlock(tut_live *live);
/* Workers that may have a slot are below this. */
static inline size_t live_high(const tut_live *live)
{
    uint64_t high = atomic_load(&live->map->workers_high);
    return high < TUT_LIVE_WORKERS ? (size_t)high : TUT_LIVE_WORKERS;
}

#endif
