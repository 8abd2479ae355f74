/*
 * What waits for a person: a request, a tool call or an answer, with all that whoever judges it
 * must see; and the decision about it, signed by a registered person over what exactly waits.
 *
 *   DIR/holds/ID.json        tutela.hold/1: the hold (0600, in place whole or not at all)
 *   DIR/holds/ID.decision.N  a decision: a DSSE envelope of an in-toto Statement about it
 *   DIR/holds/ID.seen        when somebody first looked at it
 *   DIR/holds/ID.gone        the client did not wait any longer
 *   DIR/approvers.json       tutela.approvers/1: who may decide, with which keys
 *
 * A decision names the hold, the digest of what waits, the version of the policy, a nonce of the
 * hold and an end: that of another hold, another body, another policy or another day counts as
 * none, and why is told. A person whose own client waits does not decide about it.
 *
 * Whoever holds something asks with his own tut_hold, not with what the file says by then.
 */
#ifndef TUT_GUARD_HOLD_H
#define TUT_GUARD_HOLD_H

#include "base/arena.h"
#include "base/json.h"
#include "crypto/digest.h"
#include "crypto/key.h"
#include "guard/answer.h"

#define TUT_HOLD_SCHEMA "tutela.hold/1"
#define TUT_APPROVERS_SCHEMA "tutela.approvers/1"
#define TUT_HOLD_PREDICATE "urn:tutela:hold-decision:1"

enum {
    TUT_HOLD_ID = 33, /* 128 bits in hex, and NUL */
    TUT_HOLD_NONCE = 32,
    TUT_HOLD_REASONS = 32,
    TUT_HOLD_SOURCES = 16,
    TUT_HOLD_SOURCE_BYTES = 4 << 10, /* kept of a source; of what waits, 64 KiB */
    TUT_HOLD_WHAT_BYTES = 64 << 10,
    TUT_HOLD_TOOL_BYTES = 300,
    TUT_HOLD_FILE_BYTES = 1 << 20,
    TUT_HOLD_DECISION_BYTES = 16 << 10,
    TUT_HOLD_DECISIONS = 8,       /* files about one hold */
    TUT_HOLD_REASON_BYTES = 1024, /* of a decision */
    TUT_HOLD_MOST = 1000,         /* that wait at once; above, what is to be held is refused */
    TUT_HOLD_PEOPLE_MAX = 3
};

typedef enum tut_hold_kind { TUT_HOLD_REQUEST, TUT_HOLD_CALL, TUT_HOLD_ANSWER } tut_hold_kind;
const char *tut_hold_kind_name(tut_hold_kind k); /* "call" */

typedef struct tut_hold_reason {
    tut_str check, where, detail;
} tut_hold_reason;

typedef struct tut_hold_source { /* what it rests on, as far as the request shows */
    tut_str role, where, text;
    bool is_cut;
} tut_hold_source;

typedef struct tut_hold {
    char id[TUT_HOLD_ID];
    tut_hold_kind kind;
    int64_t at_ms, expires_ms; /* since 1970 */
    tut_sha256 digest;         /* of the request's body, or of the call's or answer's bytes */
    tut_sha256 policy;
    uint8_t nonce[TUT_HOLD_NONCE];
    unsigned people; /* how many different ones have to approve */
    tut_str route, client, model;
    tut_str person; /* whose client it is; "": nobody's */
    tut_str tool;   /* of a call; with its class, "" where it is not declared, "several" of more */
    tut_str tool_class;
    tut_str what; /* the texts, or the arguments: what the approver has to see */
    uint64_t what_bytes;
    bool is_cut; /* what is longer than is shown */
    tut_hold_reason *reasons;
    size_t reason_count;
    tut_hold_source *sources;
    size_t source_count;
    tut_arena arena; /* of what was made or read here */
} tut_hold;
void tut_hold_done(tut_hold *h);

/* --- who holds --- */

/* A hold of what a request or its answer brought up: id, nonce, times, reasons (those of `decision`
 * that ask for a hold), sources (the places that they name, and what the user asked last). `what`
 * is shown, cut where it is too long; `bytes` are those whose digest is taken, and of a call it is
 * that of `what`, its arguments, so that whoever approves can be sure of what he sees. Everything
 * is copied into the hold. tool: of a call, else empty. */
typedef struct tut_hold_facts {
    tut_hold_kind kind;
    const tut_guard_request *request;
    const tut_guard_decision *decision;
    tut_str tool, what, person;
    tut_span bytes;
    /* In the place of kind, tool and what: what of an answer waits together, one or more: a call,
     * or (without a tool) a part of the answer itself (tut_guard_answer_held). Of several what is
     * shown is an array of {"tool", "class", "arguments"}, and the tool all of their names. */
    const tut_guard_held *calls;
    size_t call_count;
    int64_t now_ms;
} tut_hold_facts;
TUT_MUST tut_status tut_hold_make(const tut_hold_facts *facts, tut_hold *ret_hold, tut_error *err);
/* Makes DIR/holds where it is missing. LIMIT when TUT_HOLD_MOST wait. */
TUT_MUST tut_status tut_hold_write(const char *dir, const tut_hold *h, tut_error *err);
/* The client has gone: nobody need decide any more. */
TUT_MUST tut_status tut_hold_withdraw(const char *dir, const tut_hold *h, tut_error *err);

typedef struct tut_approvers tut_approvers;

typedef enum tut_hold_state {
    TUT_HOLD_WAITING,
    TUT_HOLD_APPROVED,
    TUT_HOLD_DENIED,
    TUT_HOLD_EXPIRED,
    TUT_HOLD_WITHDRAWN, /* never an answer to whoever holds it, who knows */
    TUT_HOLD_STATE_COUNT
} tut_hold_state;
const char *tut_hold_state_name(tut_hold_state s); /* "waiting" */

enum { TUT_HOLD_NAME = 132 };

typedef struct tut_hold_look {
    tut_hold_state state;
    char by[TUT_HOLD_PEOPLE_MAX][TUT_HOLD_NAME]; /* who approved; of a denial, who denied */
    size_t by_count;
    char reason[TUT_HOLD_REASON_BYTES + 1]; /* of the last decision */
    size_t ignored;                         /* decisions that count as none */
    char why[TUT_ERROR_TEXT_MAX];           /* the first of them, and what is wrong with it */
} tut_hold_look;
/* A denial by one is one, whoever approved. After the end it is EXPIRED, whatever
 * was decided, and that cannot fail.
 * A few small files are read; call it when live's counter of decisions has changed. */
TUT_MUST tut_status tut_hold_look_at(const char *dir, const tut_hold *h, const tut_approvers *who,
                                     int64_t now_ms, tut_hold_look *ret_look, tut_error *err);

/* --- who may decide --- */

typedef struct tut_approver {
    tut_str name;
    tut_pubkey **keys;
    size_t key_count;
} tut_approver;
struct tut_approvers {
    tut_approver *items;
    size_t count, capacity;
    tut_arena arena;
};
TUT_MUST tut_status tut_approvers_parse(tut_span json, tut_approvers **ret_who, tut_error *err);
/* DIR/approvers.json; nobody where it is missing. */
TUT_MUST tut_status tut_approvers_read(const char *dir, tut_approvers **ret_who, tut_error *err);
void tut_approvers_free(tut_approvers *who);
TUT_DEFINE_AUTO(tut_approvers)
struct tut_people;
struct tut_act;
/* act: the roles of which one is asked, the log's size, and what is asked of training. */
TUT_MUST tut_status tut_approvers_json(const struct tut_people *people, const struct tut_act *act,
                                       tut_buf *out, tut_error *err);
/* Writes DIR/approvers.json from the people of the log: those who may sign the act. Nothing is
 * written where it says that already. */
TUT_MUST tut_status tut_approvers_write(const char *dir, const struct tut_people *people,
                                        const struct tut_act *act, tut_error *err);

/* --- holds and decisions as files --- */

TUT_MUST tut_status tut_hold_json(const tut_hold *h, tut_buf *out, tut_error *err);
/* The members of it but schema and id, into an object that is open. */
void tut_hold_members(const tut_hold *h, tut_json *j);
/* MALFORMED unless it is a whole hold within its bounds. */
TUT_MUST tut_status tut_hold_parse(tut_span json, tut_hold *ret_hold, tut_error *err);
TUT_MUST tut_status tut_hold_read(const char *dir, const char *id, tut_hold *ret_hold,
                                  tut_error *err);
/* 32 lower-case hex digits: safe as a part of a file's name. */
bool tut_hold_is_id(tut_str text);

typedef struct tut_hold_decision {
    bool is_approval;
    tut_time at, expires;
    char by[TUT_HOLD_NAME]; /* whose key it is, not whom the statement names */
    char reason[TUT_HOLD_REASON_BYTES + 1];
    char key_id[TUT_SHA256_HEX];
} tut_hold_decision;
/* The envelope, signed. It ends with the hold. USAGE where a denial gives no reason. */
TUT_MUST tut_status tut_hold_decide(const tut_hold *h, bool is_approval, tut_str reason,
                                    tut_time at, const tut_key *key, tut_buf *out, tut_error *err);
/* MALFORMED, CRYPTO or DENIED with what is wrong with it. */
TUT_MUST tut_status tut_hold_check(tut_span envelope, const tut_hold *h, const tut_approvers *who,
                                   tut_hold_decision *ret_decision, tut_error *err);
/* Puts it where the hold's guard finds it, under the next free number. */
TUT_MUST tut_status tut_hold_put_decision(const char *dir, const tut_hold *h, tut_span envelope,
                                          tut_error *err);
int64_t tut_hold_now_ms(void);

#endif
