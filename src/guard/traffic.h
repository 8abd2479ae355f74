/*
 * What the traffic log tells of a time: how much was exchanged, whether a producer's numbers have
 * gaps or an end that nobody knows, and which tools were called on which routes. One pass over the
 * entries of that time, each proved to be in the tree that was signed.
 */
#ifndef TUT_GUARD_TRAFFIC_H
#define TUT_GUARD_TRAFFIC_H

#include "base/map.h"
#include "guard/live.h"
#include "guard/policy.h"
#include "ledger/log.h"

enum { TUT_TRAFFIC_DIGITS = 8 }; /* of an exchange's number, that name it */
enum { TUT_TRAFFIC_NAME = 128, TUT_TRAFFIC_UNDECLARED = 64 };

typedef struct tut_traffic_producer {
    char name[TUT_TRAFFIC_NAME];
    uint64_t next, last_index; /* number that comes next; its last entry */
    bool is_over, is_running;  /* closed or continued; one of the guard's workers now */
} tut_traffic_producer;

typedef struct tut_traffic_use { /* of a tool on a route, that the policy grants there */
    const tut_guard_route *route;
    const tut_guard_tool *tool;
    uint64_t called, stopped; /* in exchanges; of these, whose answer was held back or refused */
} tut_traffic_use;

typedef struct tut_traffic_undeclared {
    char name[TUT_TRAFFIC_NAME], route[64];
    uint64_t called, passed; /* passed: its answer went on */
} tut_traffic_undeclared;

typedef struct tut_traffic {
    /* given */
    const tut_guard_policy *policy;
    tut_live *live;           /* of the guard that runs; NULL: it does not */
    tut_time from, uses_from; /* of the log as such; of the use of tools */
    /* found */
    uint64_t size, pruned, first, entries, exchanges, blocked, held;
    tut_time kept_since, last_at; /* 0: none */
    uint64_t gaps;                /* numbers that are missing */
    char gap[TUT_TRAFFIC_NAME + 64];
    tut_traffic_producer **producers;
    size_t producer_count, producer_capacity;
    tut_map producer_names;
    tut_traffic_use *uses;
    size_t use_count;
    uint64_t calls;
    tut_traffic_undeclared *undeclared;
    size_t undeclared_count, undeclared_dropped;
} tut_traffic;

void tut_traffic_done(tut_traffic *t);
/* Where there is no traffic log all of it is 0. MALFORMED, STORE: an entry is not what it has to
 * be. CANCELLED when interrupted. */
TUT_MUST tut_status tut_traffic_read(const char *state_dir, tut_traffic *t, tut_error *err);
/* Producers that neither closed nor run: what they had not sent is not known. */
size_t tut_traffic_lost_tails(const tut_traffic *t);
/* Looks whether an exchange of this status came after the first `after` entries. */
TUT_MUST tut_status tut_traffic_has_since(const char *state_dir, uint64_t after, unsigned status,
                                          bool *ret_has, uint64_t *ret_size, tut_error *err);
/* traffic_find.c: the entry of the exchange whose number (or its beginning, of eight digits or
 * more) this is, the newest first. USAGE: there is none, or several begin so. */
TUT_MUST tut_status tut_traffic_find(tut_log *log, tut_str id, uint64_t *ret_index, tut_error *err);

#endif
