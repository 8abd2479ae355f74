/*
 * What the guard's processes share while it runs: one file of atomics that the workers and the
 * commands map. Nobody ever waits for anybody here: there is no lock around what workers touch, so
 * a process that dies leaves nothing behind but its own slot, which is taken back (tut_live_reap).
 * Commands that change the policy's name or the stops keep each other apart by a lock on the file,
 * which the kernel lets go when they die; workers never ask for it.
 *
 * A file of another layout or size is never read as this one: it is made anew beside it and renamed
 * over it. What was stopped is then to be stopped again by whoever keeps the record of stops.
 *
 * A handle belongs to one thread of one process: it is opened after fork. The file stays where it
 * is as long as somebody maps it.
 *
 * Times are milliseconds of the wall clock (tut_live_now_ms), alike in every process. Calls marked
 * "hot" are a few loads and adds, allocate nothing and fail in no way but the one they return.
 */
#ifndef TUT_GUARD_LIVE_H
#define TUT_GUARD_LIVE_H

#include <sys/types.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "crypto/digest.h"

enum {
    TUT_LIVE_WORKERS =
        256, /* processes at once: a reload has two generations, and more that hold */
    TUT_LIVE_STOPS = 64,
    TUT_LIVE_NAMES = 64,   /* routes that have counters of their own, and checks */
    TUT_LIVE_NAME = 64,    /* bytes of a name, its end included; longer ones are cut */
    TUT_LIVE_BUCKETS = 104 /* to about two minutes */
};

typedef struct tut_live tut_live;

/* create: made when absent or of another layout, 0600; *ret_is_new then. Without create an absent
 * file is IO, and another layout STORE. DENIED: somebody else's file, or one that others may read.
 */
TUT_MUST tut_status tut_live_open(const char *path, bool create, tut_live **ret_live,
                                  bool *ret_is_new, tut_error *err);
void tut_live_free(tut_live *live); /* unmaps; a worker leaves first */
TUT_DEFINE_AUTO(tut_live)
uint64_t tut_live_now_ms(void);

/* --- this run, and its policy --- */
/* `guard up`: a new random boot number; slots of processes that are gone are taken back, worker
 * generations begin at 1 again. Quotas, counters and stops stay. */
TUT_MUST tut_status tut_live_begin(tut_live *live, uint64_t *ret_boot, tut_error *err);
uint64_t tut_live_boot(const tut_live *live); /* hot */
/* Moves by one with each change of policy, stops, decisions: one load tells that nothing is new. */
uint64_t tut_live_changes(const tut_live *live); /* hot */
/* The digest names the policy that is in force; its generation moves by one. */
TUT_MUST tut_status tut_live_set_policy(tut_live *live, const tut_sha256 *digest,
                                        uint64_t *ret_generation, tut_error *err);
uint64_t tut_live_generation(const tut_live *live); /* hot; 0: none was set */
/* Generation and digest of one and the same moment. */
uint64_t tut_live_policy(const tut_live *live, tut_sha256 *ret_digest); /* hot */
/* A decision about something that is held was written. */
void tut_live_decided(tut_live *live);
uint64_t tut_live_decisions(const tut_live *live); /* hot */

/* --- stop switches --- */
typedef enum tut_live_kind {
    TUT_LIVE_SYSTEM, /* everything; its name is "" */
    TUT_LIVE_ROUTE,
    TUT_LIVE_MODEL,
    TUT_LIVE_CLIENT,
    TUT_LIVE_KIND_COUNT
} tut_live_kind;
const char *tut_live_kind_name(tut_live_kind kind); /* "route" */

typedef struct tut_live_stopped {
    tut_live_kind kind;
    char name[TUT_LIVE_NAME];
    uint64_t since_ms;
} tut_live_stopped;

/* Holds for every request that asks after this returned; stopping what is stopped keeps its time.
 * LIMIT: the table is full (stop the system). */
TUT_MUST tut_status tut_live_stop(tut_live *live, tut_live_kind kind, tut_str name, uint64_t now_ms,
                                  tut_error *err);
/* *ret_was: it was stopped. */
TUT_MUST tut_status tut_live_resume(tut_live *live, tut_live_kind kind, tut_str name, bool *ret_was,
                                    tut_error *err);
/* Hot: one load when nothing is stopped. Empty names are not looked for. ret_what (may be NULL):
 * the widest of what applies. */
bool tut_live_is_stopped(const tut_live *live, tut_str route, tut_str model, tut_str client,
                         tut_live_kind *ret_what);
/* At most TUT_LIVE_STOPS, in the order of the table. */
size_t tut_live_stops(const tut_live *live, tut_live_stopped *ret_stops);

/* --- workers --- */
typedef struct tut_live_worker {
    pid_t pid;
    uint64_t epoch;      /* random, of this process */
    uint64_t generation; /* counts the workers of this boot */
    uint64_t last_seq, last_acked;
    uint64_t ledger_down_ms; /* since then; 0: it is there */
    int64_t in_flight, held, body_bytes;
} tut_live_worker;

/* Takes a slot for this process (after fork, before any gauge or counter); a slot of a process that
 * is gone is taken back for it where none is free, LIMIT where that does not help either. */
TUT_MUST tut_status tut_live_join(tut_live *live, tut_error *err);
void tut_live_leave(tut_live *live);
/* The gauges of this process, which is gone, come back; 0: of every process that is gone. How many
 * slots that were. A slot's counters stay, and whoever has it next counts on. */
size_t tut_live_reap(tut_live *live, pid_t pid);
uint64_t tut_live_epoch(const tut_live *live); /* of this worker */
uint64_t tut_live_worker_generation(const tut_live *live);
/* Hot. What this worker sent to the ledger, and what was acknowledged. */
void tut_live_sent(tut_live *live, uint64_t seq);
void tut_live_acked(tut_live *live, uint64_t seq);
void tut_live_ledger(tut_live *live, uint64_t down_since_ms); /* 0: up */
/* The earliest of all workers; 0: none misses it. */
uint64_t tut_live_ledger_down(const tut_live *live);
/* At most TUT_LIVE_WORKERS. */
size_t tut_live_workers(const tut_live *live, tut_live_worker *ret_workers);

/* --- gauges: each worker has its own, and asks for the sum --- */
typedef enum tut_live_gauge {
    TUT_GAUGE_IN_FLIGHT,
    TUT_GAUGE_HELD,
    TUT_GAUGE_BODY_BYTES,
    TUT_GAUGE_COUNT
} tut_live_gauge;
/* Hot. */
void tut_live_move(tut_live *live, tut_live_gauge gauge, int64_t by);
int64_t tut_live_sum(const tut_live *live, tut_live_gauge gauge);
/* Adds unless the sum of all workers would pass the limit: it never does, whoever asks at the same
 * time. */
bool tut_live_admit(tut_live *live, tut_live_gauge gauge, int64_t by, int64_t limit);

/* --- counters and times --- */
#define TUT_LIVE_COUNTERS(X)                                                                       \
    X(REQUESTS, "requests", "Requests, refused ones too")                                          \
    X(ALLOWED, "allowed", "Exchanges that went through as they were")                              \
    X(FLAGGED, "flagged", "Exchanges that went through and were noted")                            \
    X(REDACTED, "redacted", "Exchanges of whose answer something was taken out")                   \
    X(HELD, "held", "Exchanges that waited for a person")                                          \
    X(BLOCKED, "blocked", "Exchanges that were refused or cut off")                                \
    X(SHED, "shed", "Requests refused because of load, before any work")                           \
    X(LIMITED, "limited", "Requests refused because of a quota")                                   \
    X(UNKNOWN, "unauthenticated", "Requests refused because nobody knows who asks")                \
    X(UNSCANNED, "not_scanned", "Exchanges with parts that the policy passes unscanned")           \
    X(TOKENS_IN, "tokens_in", "Tokens of requests, as the servers counted them")                   \
    X(TOKENS_OUT, "tokens_out", "Tokens of answers, as the servers counted them")                  \
    X(BYTES_IN, "bytes_in", "Bytes of request bodies")                                             \
    X(BYTES_OUT, "bytes_out", "Bytes of answers handed on")                                        \
    X(ERRORS, "errors", "Failures of the guard itself; the request was refused")                   \
    X(UPSTREAM_ERRORS, "upstream_errors", "Failures of the server behind it")                      \
    X(CACHE_HITS, "cache_hits", "Texts whose score was known")                                     \
    X(CACHE_MISSES, "cache_misses", "Texts that were scored")

typedef enum tut_live_counter {
#define X(id, name, about) TUT_COUNT_##id,
    TUT_LIVE_COUNTERS(X)
#undef X
        TUT_LIVE_COUNTER_COUNT
} tut_live_counter;

typedef enum tut_live_clock {
    TUT_CLOCK_TOTAL, /* from accept to the last byte */
    TUT_CLOCK_ADDED, /* by the guard itself */
    TUT_CLOCK_FIRST, /* from an answer's first byte received to the first handed on */
    TUT_CLOCK_COUNT
} tut_live_clock;

/* The place of a route's name in the tables; for a policy's routes once, when it is loaded. The
 * last place stands for all names that found no room ("other"). */
unsigned tut_live_route(tut_live *live, tut_str id);
/* Hot. Counters of this worker. */
void tut_live_count(tut_live *live, unsigned route, tut_live_counter counter, uint64_t by);
/* A reason of a decision, by the name of its check. */
void tut_live_count_check(tut_live *live, tut_str check);
void tut_live_time(tut_live *live, tut_live_clock clock, uint64_t us);
/* Sums of all workers. Counters only ever grow, over restarts too. */
uint64_t tut_live_counted(const tut_live *live, unsigned route, tut_live_counter counter);
uint64_t tut_live_counted_all(const tut_live *live, tut_live_counter counter);
uint64_t tut_live_counted_check(const tut_live *live, tut_str check);
/* The time under which this share (0 to 1) of all fell, in us: the top of its bucket, which is at
 * most a quarter above the true one. 0: nothing was timed. */
uint64_t tut_live_quantile(const tut_live *live, tut_live_clock clock, double share);
/* Everything as Prometheus text (version 0.0.4). */
TUT_MUST tut_status tut_live_metrics(const tut_live *live, tut_buf *out, tut_error *err);

#endif
