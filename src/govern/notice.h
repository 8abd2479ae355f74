/*
 * Notices of unresolved threats (5.1.3-2): what remains above what is tolerated, whatever was
 * decided about it, is told to the system operators, and by them to those who use the system: the
 * risk, what it can come to, what to do or watch. One notice tells of many risks, a section each. A
 * risk counts as told by a notice that has its very section as it would be written today: where
 * rule, residual risk or advice change, it has to be told anew, and not otherwise.
 *
 * As messages they are called "notice/operators/ID" and "notice/users/ID", ID being the beginning
 * of the text's digest. Operators give receipts under their own keys; users have none: their
 * contact counts as told when a channel that reaches users took the notice on.
 */
#ifndef TUT_GOVERN_NOTICE_H
#define TUT_GOVERN_NOTICE_H

#include "govern/govern.h"
#include "govern/message.h"
#include "govern/threat.h"

enum {
    TUT_NOTICE_DAYS = 7, /* for receipts, and for telling users */
    TUT_NOTICE_NAME = 64
};

typedef enum tut_notice_to { TUT_NOTICE_OPERATORS, TUT_NOTICE_USERS } tut_notice_to;
extern const char *const tut_notice_beginnings[2]; /* "notice/operators/" */

/* Appends what is told of the risk: a heading "## ", and paragraphs. Users are told in plain words,
 * and not where it is. */
TUT_MUST tut_status tut_notice_section(const tut_risk *r, tut_notice_to to, tut_buf *out,
                                       tut_error *err);
/* The name of a notice with this text. */
TUT_MUST tut_status tut_notice_name(tut_str text, tut_notice_to to, char ret_name[TUT_NOTICE_NAME],
                                    tut_error *err);

typedef struct tut_notices {
    tut_messages to[2];
    struct tut_map *sections[2]; /* of each of them */
} tut_notices;
TUT_MUST tut_status tut_notices_load(const tut_ledger *ledger, const tut_records *records,
                                     tut_notices *ret, tut_error *err);
void tut_notices_done(tut_notices *n);
/* Signed by somebody who may: a developer or operator; to users an operator. */
bool tut_notice_counts(const tut_message *m, tut_notice_to to);

/* How it stands with one risk. */
typedef struct tut_notice_standing {
    const tut_message *operators, *users; /* the newest that tells it; NULL: none */
    size_t received, waiting;             /* operators */
    const tut_person *first_waiting;      /* or NULL */
    bool reached_users;                   /* a channel took it on for all of them */
    tut_time told;                        /* the first time to operators */
} tut_notice_standing;
TUT_MUST tut_status tut_notice_stand(const tut_notices *n, const tut_people *people,
                                     const tut_risk *r, tut_notice_standing *ret, tut_error *err);

/* threats.notices, for `assess` and `threats --record`. */
TUT_MUST tut_status tut_notices_attest(tut_governing *g, const tut_threats *t);

#endif
