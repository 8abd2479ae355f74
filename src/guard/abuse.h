/*
 * Abuse that no single request shows: series of queries of one client, kept as sketches in the map
 * that all workers share (live.h), never as text. Of each client the last 64 queries of the last
 * ten minutes count:
 *
 *   extraction  queries nearly the same as this one, and not the same: texts that have about half
 *               of their runs of five characters in common, vectors within 5 % of its length
 *   probing     variants of what was refused; vectors within 1 %: steps along a boundary
 *   membership  different texts that were each asked again while asking how sure the model is (of
 *               a tensor the same numbers get the same answer: asking again yields nothing)
 *   spending    tokens of these five minutes, in robust deviations above the client's own median
 *
 * What says nothing is not counted: texts of under 20 characters, and a query that is the same as
 * one before (tools answer, and the same question goes to the model again).
 */
#ifndef TUT_GUARD_ABUSE_H
#define TUT_GUARD_ABUSE_H

#include "guard/live.h"
#include "guard/request.h"
#include "stats/sketch.h"

typedef struct tut_abuse_query { /* one of them, or none */
    bool has_text, has_vector, asks_confidence;
    uint64_t digest;
    tut_text_sketch text;
    tut_vector_sketch vector;
} tut_abuse_query;

/* Of the newest text of the user (a conversation repeats the others), or of the numbers of a
 * tensor. Marks of a request that the policy refused may be missing. */
void tut_abuse_query_of(const tut_live *live, const tut_guard_request *r, tut_abuse_query *ret);
/* The sketch of a text that this client asked before, as agents do with every answer of a tool:
 * making it anew takes longer than finding it. */
bool tut_abuse_known(const tut_live *live, uint64_t key, uint64_t digest, tut_text_sketch *ret);
void tut_abuse_query_text(const tut_live *live, tut_str text, bool asks_confidence,
                          tut_abuse_query *ret);
void tut_abuse_query_vector(const tut_live *live, const double *values, size_t count,
                            bool asks_confidence, tut_abuse_query *ret);

enum { TUT_ABUSE_TEXT = 128 };

typedef struct tut_abuse_alarm {
    tut_abuse_kind kind;
    tut_abuse_action action;
    double number, threshold;
    bool is_new; /* told for the first time in ten minutes: for the ledger */
    char text[TUT_ABUSE_TEXT];
} tut_abuse_alarm;

typedef struct tut_abuse_mark { /* where the query was put down */
    uint32_t history, place;    /* + 1; 0: nowhere */
    uint64_t digest;
} tut_abuse_mark;

typedef struct tut_abuse_answer {
    tut_abuse_action action; /* the sternest */
    uint32_t delay_ms;       /* slow: to wait before it goes on; longer the further above */
    bool coarsen;            /* answers lose probabilities and digits */
    tut_abuse_alarm alarms[TUT_ABUSE_COUNT];
    size_t alarm_count;
    tut_abuse_mark mark;
} tut_abuse_answer;

/* False: nobody wants to know about any of this, and nothing is kept. */
bool tut_abuse_is_asked(const tut_guard_policy *p, const tut_guard_client *client);
/* Looks, and puts the query down. key: as for quotas. Hot. */
void tut_abuse_look(tut_live *live, const tut_guard_policy *p, const tut_guard_client *client,
                    uint64_t key, const tut_abuse_query *query, uint64_t now_ms,
                    tut_abuse_answer *ret_answer);
/* The same for a request that was read, with what is to be done among the reasons of its decision:
 * hold and block as such (429), the rest as flags. In monitor mode it asks for no delay and no
 * coarser answers. */
void tut_abuse_judge(tut_live *live, tut_guard_request *r, uint64_t key, uint64_t now_ms,
                     tut_abuse_answer *ret_answer);
/* The query was refused or held by another check: variants of it are probing. */
void tut_abuse_stopped(tut_live *live, const tut_abuse_mark *mark);
/* What an exchange came to; counts from the next query on. Hot. */
void tut_abuse_spent(tut_live *live, uint64_t key, uint64_t tokens, uint64_t now_ms);

#endif
