/*
 * The keeper: the process behind `tutela guard up`. It runs nginx, and the ledger's sequencer where
 * nobody serves it yet; starts either again when it dies; hands signals on. It holds
 * DIR/keeper.lock for as long as it lives, which is how others know of it.
 *
 * SIGTERM, SIGINT: nginx finishes what it began, then all ends. SIGHUP: nginx reads its
 * configuration anew, and drops no request.
 */
#ifndef TUT_GUARD_KEEPER_H
#define TUT_GUARD_KEEPER_H

#include <sys/types.h>

#include "ledger/sequencer.h"

typedef struct tut_keeper_options {
    const char *dir;       /* .tutela/guard */
    const char *nginx;     /* the program */
    uint32_t capabilities; /* that nginx keeps: to listen below port 1024 */
    tut_sequencer_options ledger;
    /* A process of its own for approvals: returns when it is told to end. */
    tut_status (*approvals)(void *ctx, tut_error *err);
    void *ctx;
    /* Once a minute, in a process of its own; NULL: nothing. */
    tut_status (*tend)(void *ctx, tut_error *err);
    void *tend_ctx;
} tut_keeper_options;

/* The keeper of DIR, 0: none lives. */
TUT_MUST tut_status tut_keeper_pid(const char *dir, pid_t *ret_pid, tut_error *err);
/* Runs until it is told to end. STORE when another keeper has DIR. */
TUT_MUST tut_status tut_keeper_run(const tut_keeper_options *options, tut_error *err);
/* Where nginx is: NULL and USAGE when it is not installed. Caller frees. */
TUT_MUST tut_status tut_keeper_find_nginx(char **ret_path, tut_error *err);
/* nginx -t: USAGE with its first line of complaint. */
TUT_MUST tut_status tut_keeper_test(const char *nginx, const char *dir, tut_error *err);
/* The key of this month's pseudonyms and digests, derived from the ledger's secret of the period,
 * into DIR/secret. *ret_is_new: it was another one before. */
TUT_MUST tut_status tut_keeper_secret(const char *dir, const tut_keystore *keys, tut_time now,
                                      bool *ret_is_new, tut_error *err);

#endif
