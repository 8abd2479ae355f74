/*
 * Approvals: what waits, decisions about it, and their record. A decision is taken in one way only,
 * from the terminal as over HTTP: it must be about a hold that waits, by somebody who may decide
 * now (the people of the log, not a list on the disk); then it is an entry of the evidence log
 * ("guard.approval"), and only then is it put where the guard finds it. A hold that nobody decided
 * about becomes an entry as well.
 *
 * The entry's body is tutela.approval/1: what was held (not its text), what whoever decided saw,
 * how long it took, and the signed decision.
 */
#ifndef TUT_GUARD_APPROVE_H
#define TUT_GUARD_APPROVE_H

#include "guard/hold.h"
#include "ledger/people.h"
#include "ledger/record.h"

#define TUT_EVENT_APPROVAL "guard.approval"
#define TUT_APPROVAL_SCHEMA "tutela.approval/1"

typedef struct tut_approve_place {
    const char *dir;       /* .tutela/guard */
    const char *state_dir; /* .tutela */
    const tut_guard_approvals *policy;
    tut_sha256 tool_binary, tool_catalogue, tool_rules; /* of the records */
    /* What is asked of training (tut_act); NULL: nothing. */
    const char *(*lacks_training)(const void *training, const tut_person *person, uint64_t index);
    const void *training;
} tut_approve_place;

/* --- what waits --- */

typedef struct tut_waiting {
    tut_hold hold;
    tut_hold_look look; /* its state now */
    int64_t seen_ms;    /* when somebody first looked at it; 0: nobody did */
} tut_waiting;
typedef struct tut_waiting_list {
    tut_waiting *items; /* the oldest first */
    size_t count, capacity;
    size_t unreadable;
    char why[TUT_ERROR_TEXT_MAX]; /* of the first of them */
} tut_waiting_list;
void tut_waiting_list_done(tut_waiting_list *l);
/* All holds that are on the disk, in whatever state. */
TUT_MUST tut_status tut_waiting_read(const char *dir, const tut_approvers *who, int64_t now_ms,
                                     tut_waiting_list *ret_list, tut_error *err);
/* By its id or the beginning of it (4 digits and more) where only one has that; USAGE. */
TUT_MUST tut_status tut_waiting_find(const tut_waiting_list *l, tut_str id,
                                     const tut_waiting **ret_item, tut_error *err);
/* Somebody looks at it: the first time counts. */
TUT_MUST tut_status tut_waiting_seen(const char *dir, const tut_waiting *item, int64_t now_ms,
                                     tut_error *err);
/* One item of the contract's items[], with all that a reviewer sees. */
void tut_waiting_json(const tut_waiting *item, tut_json *j);

/* Those who may decide by the people of the log as it stands, and by their training. */
TUT_MUST tut_status tut_approvers_of(const tut_approve_place *place, const tut_records *records,
                                     tut_approvers **ret_who, tut_error *err);
/* What deciding asks of a person there. */
tut_act tut_approve_act(const tut_approve_place *place, const tut_records *records);

/* --- where its values come from --- */

typedef struct tut_hold_value {
    char at[TUT_GUARD_WHERE];      /* "items[2].to" in the arguments */
    tut_str text;                  /* of the hold's document, as long as the visit */
    const tut_hold_source *source; /* that holds it, outsiders' first; NULL: none that is kept */
    bool is_untrusted; /* it stands in what outsiders wrote, and in nothing of the user's */
} tut_hold_value;
/* Each text among a call's arguments, at most 64 of them. Nothing where they are no JSON. */
typedef void (*tut_hold_value_visit)(void *ctx, const tut_hold_value *value);
TUT_MUST tut_status tut_hold_values(const tut_hold *h, tut_hold_value_visit visit, void *ctx,
                                    tut_error *err);
/* What is asked for, in a sentence. */
void tut_hold_sentence(const tut_hold *h, tut_buf *out);

/* --- deciding --- */

typedef struct tut_approved {
    tut_hold_decision decision;
    tut_hold_state state; /* of the hold now */
    size_t approvals;     /* that count, this one among them */
    int64_t latency_ms;   /* since the hold began */
    uint64_t index;       /* of the entry */
} tut_approved;
/* USAGE where it is not to be decided any more, DENIED where the decision does not count. key: with
 * which the entry is signed as well; NULL: the decision's own signature has to do. */
TUT_MUST tut_status tut_approve_take(const tut_approve_place *place, tut_ledger *ledger,
                                     const tut_approvers *who, const tut_waiting *item,
                                     tut_span envelope, const tut_key *key, tut_approved *ret,
                                     tut_error *err);
/* Whether what is shown is what waits: of a call that is not cut the digest is that of its text. */
TUT_MUST tut_status tut_hold_is_shown(const tut_hold *h, tut_error *err);

/* Records what nobody decided in time, or what its client gave up while somebody looked at it (what
 * nobody saw is an event of the traffic alone), and removes what is over. The keeper calls it now
 * and then; so does `approvals review`. */
TUT_MUST tut_status tut_approve_sweep(const tut_approve_place *place, tut_ledger *ledger,
                                      const tut_approvers *who, size_t *ret_recorded,
                                      tut_error *err);

/* What a keeper does every few seconds: DIR/approvers.json follows the people of the log, and the
 * sweep is made where something is over. */
TUT_MUST tut_status tut_approve_tend(const tut_approve_place *place, tut_error *err);

/* --- over HTTP ---
 *
 *   GET  /approvals       what waits; Authorization: Bearer KEY (guard.approvals.keys has its
 *   GET  /approvals/ID    SHA-256)
 *   POST /approvals/ID    a decision: the envelope, application/json; its signature is who asks
 */
typedef struct tut_approve_server {
    const tut_approve_place *place;
    /* Once, when requests are taken: where, as a URL. May be NULL. */
    void (*ready)(void *ctx, const char *url);
    /* A few times a second; serving ends when it says false. NULL: until SIGINT or SIGTERM. */
    bool (*turn)(void *ctx);
    void *ctx;
} tut_approve_server;
/* On place->policy->listen. Everything else is refused, bodies are bounded, and a browser can do
 * nothing by itself: nothing is taken from cookies, and what decides is signed. UNSUPPORTED when
 * libmicrohttpd is not installed. */
TUT_MUST tut_status tut_approve_serve(const tut_approve_server *server, tut_error *err);

#endif
