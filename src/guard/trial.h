/*
 * What holds of a guard, tried rather than read: the policy's limits are used up, its held calls
 * are asked for in every shape that a client may read, the guard that runs is asked by nobody in
 * particular, and the model servers are asked without it. One row of the table in trial.c is one
 * check; each adds what it found.
 */
#ifndef TUT_GUARD_TRIAL_H
#define TUT_GUARD_TRIAL_H

#include "guard/live.h"
#include "guard/request.h"
#include "ledger/record.h"

enum { TUT_TRIAL_ABOUT = 96, TUT_TRIAL_REASON = 256 };

typedef struct tut_trial {
    const char *id;              /* "quotas"; constant */
    char about[TUT_TRIAL_ABOUT]; /* "client website" */
    tut_result state;            /* PASS, FAIL, NOT_CHECKED */
    char reason[TUT_TRIAL_REASON];
} tut_trial;

/* Each check belongs to one of these: what the evidence is about. */
typedef enum tut_trial_group {
    TUT_TRIAL_LIMITS,
    TUT_TRIAL_INPUT,
    TUT_TRIAL_CLOSED,
    TUT_TRIAL_BLOCK,
    TUT_TRIAL_BYPASS,
    TUT_TRIAL_GROUPS
} tut_trial_group;

typedef struct tut_trials {
    /* given */
    const tut_guard *guard; /* of the policy that tutela.yaml describes */
    tut_live *live;         /* of the guard here; NULL: it never ran */
    bool runs;
    const char *dir;        /* of the guard; scratch files are made in it */
    const char *system_dir; /* files of the policy are below it */
    bool bypass;            /* ask the model servers too */
    /* found */
    tut_trial *items;
    size_t count, capacity;
    tut_trial_group group;                /* of the check that runs now */
    size_t tried;                         /* by the block test: answers, each cut somewhere else */
    tut_result results[TUT_TRIAL_GROUPS]; /* by group: PASS where all of it holds, and something was
                                             tried */
} tut_trials;

void tut_trials_done(tut_trials *t);
/* CANCELLED when interrupted; a check that cannot be made is an item that says why. */
TUT_MUST tut_status tut_trial_run(tut_trials *t, tut_error *err);

/* For checks. about: "" for the whole policy. */
TUT_MUST tut_status tut_trial_add(tut_trials *t, const char *id, tut_str about, tut_result state,
                                  tut_error *err, const char *fmt, ...) TUT_PRINTF(6, 7);

/* trial_limits.c */
TUT_MUST tut_status tut_trial_identity(tut_trials *t, tut_error *err);
TUT_MUST tut_status tut_trial_quotas(tut_trials *t, tut_error *err);
TUT_MUST tut_status tut_trial_modes(tut_trials *t, tut_error *err);
/* trial_abuse.c */
TUT_MUST tut_status tut_trial_abuse(tut_trials *t, tut_error *err);
/* trial_live.c */
TUT_MUST tut_status tut_trial_in_force(tut_trials *t, tut_error *err);
TUT_MUST tut_status tut_trial_strangers(tut_trials *t, tut_error *err);
/* trial_input.c */
TUT_MUST tut_status tut_trial_input(tut_trials *t, tut_error *err);
/* trial_closed.c */
TUT_MUST tut_status tut_trial_closed(tut_trials *t, tut_error *err);
/* trial_block.c */
TUT_MUST tut_status tut_trial_block(tut_trials *t, tut_error *err);
/* trial_bypass.c */
TUT_MUST tut_status tut_trial_bypass(tut_trials *t, tut_error *err);

/* trial_request.c: a request as the route's protocol has it, that offers a tool where one is named;
 * path and body, both in the route's form. data: what a tool answered; empty: nothing. */
typedef struct tut_trial_place {
    const tut_guard_route *route;
    const tut_guard_client *client; /* NULL: the policy names none */
} tut_trial_place;
typedef struct tut_trial_request {
    tut_buf path, body;
    tut_guard_head head; /* borrows path */
} tut_trial_request;
/* After a failure too. */
void tut_trial_request_done(tut_trial_request *r);
TUT_MUST tut_status tut_trial_request_make(const tut_guard_policy *p, const tut_trial_place *at,
                                           tut_str text, tut_str data, tut_str tool,
                                           tut_trial_request *ret, tut_error *err);
/* Where something else is looked for: each route, by a client that has no checks of its own, and by
 * each that has. False: there is no n-th. */
bool tut_trial_place_at(const tut_guard_policy *p, size_t n, tut_trial_place *ret);
/* The first of these on this route. */
tut_trial_place tut_trial_place_of(const tut_guard_policy *p, const tut_guard_route *route);
/* "chat", or "chat: website" where the client's own checks count. */
tut_str tut_trial_place_name(const tut_trial_place *at, char text[TUT_TRIAL_ABOUT]);
/* A map as the workers share, of this process alone: its file has no name any more. */
TUT_MUST tut_status tut_trial_scratch(const tut_trials *t, tut_live **ret_live, tut_error *err);

#endif
