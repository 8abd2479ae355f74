/*
 * Concerns of staff about risks: raised by anybody, also without a name, with a receipt; triaged by
 * whom tutela.yaml names, in time.
 *
 *   concern.raised, concern.drill   by the tool: nobody's key is under it, so that the log does not
 *                                   tell who it was; subject "concern/NUMBER" at the commitment
 *   concern.accepted, .rejected, .duplicate
 *                                   by the key of whoever triaged it, about the same
 *
 * Subject, text, and the reporter's name, are in a sealed body (ledger/bodies.h). The commitment is
 * SHA-256 over SALT LF SUBJECT LF TEXT, the salt being 32 random bytes as hex: whoever has the
 * receipt and the text shows that this was raised then, and nobody guesses a text by its digest.
 */
#ifndef TUT_GOVERN_CONCERN_H
#define TUT_GOVERN_CONCERN_H

#include "govern/training_check.h"

enum {
    TUT_CONCERN_BYTES = 256 << 10,
    TUT_CONCERN_NUMBER = 12, /* "C-7F3K9QXM" and NUL */
    TUT_CONCERN_SALT = 65,   /* 32 bytes as hex */
    TUT_CONCERN_WINDOW_DAYS = 180
};

typedef struct tut_concern_policy { /* training.concerns, training.triage_days of tutela.yaml */
    const tut_yaml_node *node;      /* of training:; NULL: there is none */
    tut_str_list triage;            /* names of people, or roles */
    uint32_t triage_days;           /* default 7 */
} tut_concern_policy;
TUT_MUST tut_status tut_concern_policy_read(tut_system *system, tut_concern_policy *ret,
                                            tut_buf *ret_shown, tut_error *err);
/* Whether who has this name and these roles triages. */
bool tut_concern_triages(const tut_concern_policy *p, const char *name, uint32_t roles);

/* --- raising --- */

typedef struct tut_concern_given {
    const char *subject;
    tut_str text;
    const char *by; /* NULL: nobody is named */
    bool is_drill;
} tut_concern_given;

typedef struct tut_concern_receipt {
    char number[TUT_CONCERN_NUMBER], salt[TUT_CONCERN_SALT];
    tut_sha256 commitment;
    uint64_t index;
    tut_time at;
} tut_concern_receipt;
TUT_MUST tut_status tut_concern_commitment(tut_str salt, tut_str subject, tut_str text,
                                           tut_sha256 *ret, tut_error *err);
/* USAGE for a subject that is not one line of at most 200 bytes, or a text that is none. */
TUT_MUST tut_status tut_concern_raise(tut_ledger *ledger, const tut_concern_given *given,
                                      tut_concern_receipt *ret, tut_error *err);
/* tutela.concern-receipt/1; proof: c2sp.org/tlog-proof of the entry. */
TUT_MUST tut_status tut_concern_receipt_write(const tut_concern_receipt *r, const char *subject,
                                              tut_str log, tut_str proof, tut_buf *out,
                                              tut_error *err);
typedef struct tut_concern_receipt_file {
    tut_concern_receipt says;
    char subject[201];
} tut_concern_receipt_file;
TUT_MUST tut_status tut_concern_receipt_read(tut_span text, tut_concern_receipt_file *ret,
                                             tut_error *err);

/* --- how they stand --- */

typedef struct tut_concern {
    const char *number; /* behind "concern/" */
    const tut_record *raised;
    bool is_drill, is_lost;    /* lost: what was raised is missing from the ledger, or altered */
    const tut_record *triaged; /* the first that counts; NULL: not yet */
    const char *by, *outcome;  /* of the newest that counts */
    tut_time due;
} tut_concern;

typedef struct tut_concerns {
    tut_concern *items; /* in order of the log */
    size_t count, capacity;
} tut_concerns;
/* Borrows records and policy. */
TUT_MUST tut_status tut_concerns_load(const tut_ledger *ledger, const tut_records *records,
                                      const tut_concern_policy *policy, tut_concerns *ret,
                                      tut_error *err);
void tut_concerns_done(tut_concerns *c);
const tut_concern *tut_concerns_find(const tut_concerns *c, const char *number); /* or NULL */
/* "open", "late", "accepted", "rejected", "duplicate" */
const char *tut_concern_state(const tut_concern *c, tut_time at);

/* Who raised it and what, of the sealed body. */
typedef struct tut_concern_body {
    tut_json_doc *doc;
    tut_str subject, text, by; /* by: empty: nobody is named */
} tut_concern_body;
TUT_MUST tut_status tut_concern_body_read(tut_span body, tut_concern_body *ret, tut_error *err);
void tut_concern_body_done(tut_concern_body *b);

typedef struct tut_concern_decision {
    const char *outcome; /* accepted, rejected, duplicate */
    const char *note, *by;
    const struct tut_key *signer;
} tut_concern_decision;
TUT_MUST tut_status tut_concern_decide(tut_ledger *ledger, const tut_concern *c,
                                       const tut_concern_decision *d, uint64_t *ret_index,
                                       tut_error *err);

/* train.concerns */
TUT_MUST tut_status tut_concerns_judge(const tut_concerns *c, const tut_concern_policy *policy,
                                       const tut_people *people, tut_time at,
                                       tut_training_finding *ret, tut_error *err);
TUT_MUST tut_status tut_govern_step_concerns(tut_governing *g);

#endif
