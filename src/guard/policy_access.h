/*
 * Who may ask, and how much, as the policy says it: keys, tokens, certificates; quotas, prices,
 * load; what is done about abuse. Part of tut_guard_policy (policy.h); docs/guard.md.
 */
#ifndef TUT_GUARD_POLICY_ACCESS_H
#define TUT_GUARD_POLICY_ACCESS_H

#include "assets/schema.h"

/* --- who --- */
typedef struct tut_guard_client_key {
    tut_str sha256_text;
    tut_sha256 sha256; /* of the key as it is sent */
    bool has_not_before, has_expires;
    tut_time not_before, expires; /* valid from the one, and before the other */
    tut_str_list scopes;          /* ids of routes; none: all of its client's */
} tut_guard_client_key;

typedef struct tut_guard_claim { /* a token must have it: the text itself, or a list that holds it
                                  */
    tut_str name, value;
} tut_guard_claim;

typedef struct tut_guard_client_access {
    tut_guard_client_key *keys;
    size_t key_count;
    tut_str_list subjects;   /* of tokens: one of these, if any is named */
    tut_guard_claim *claims; /* all of these */
    size_t claim_count;
    tut_str_list certificates; /* "sha256:HEX" of the DER, or a subject in RFC 2253 form */
    tut_str person;            /* whose client it is; or empty */
    bool is_open;              /* whoever shows nothing at all is this client */
} tut_guard_client_access;

enum { TUT_JWT_RS256 = 1, TUT_JWT_PS256 = 2, TUT_JWT_ES256 = 4, TUT_JWT_EDDSA = 8 };

typedef struct tut_guard_jwt { /* what a token must be like */
    tut_str jwks, issuer;      /* jwks: a file below the system's directory; empty: no tokens */
    tut_str jwks_url;          /* from where the file is kept fresh; empty: somebody else does */
    tut_str_list audiences, algorithm_words;
    uint32_t leeway, refresh; /* seconds */
    unsigned algorithms;      /* TUT_JWT_*; all four when the policy names none */
} tut_guard_jwt;

/* --- how much --- */
typedef struct tut_guard_rate { /* at most so much in any stretch of so long; 0: no limit */
    uint64_t limit;             /* cost: in millionths */
    uint32_t window_ms;
} tut_guard_rate;

typedef struct tut_guard_quota {
    tut_str requests_text, tokens_text, cost_text, per_word;
    tut_guard_rate requests, tokens, cost;
    uint32_t concurrent;
    bool is_per_subject; /* each subject of a client's tokens by itself */
} tut_guard_quota;

typedef struct tut_guard_price { /* millionths for a million tokens */
    tut_str model, in_text, out_text;
    uint64_t in, out;
} tut_guard_price;

typedef struct tut_guard_load { /* of all workers together; 0: the default */
    uint32_t in_flight, body_bytes;
} tut_guard_load;

/* --- abuse over time (abuse.h) --- */
typedef enum tut_abuse_kind {
    TUT_ABUSE_EXTRACTION, /* many texts that are nearly the same */
    TUT_ABUSE_PROBING,    /* variants of what was refused; small steps around a point */
    TUT_ABUSE_MEMBERSHIP, /* the same again and again, asking how sure the model is */
    TUT_ABUSE_SPENDING,   /* far above what the client itself usually spends */
    TUT_ABUSE_COUNT
} tut_abuse_kind;

typedef enum tut_abuse_action { /* sternest last */
                                TUT_ABUSE_ALLOW,
                                TUT_ABUSE_FLAG,
                                TUT_ABUSE_SLOW,
                                TUT_ABUSE_COARSEN,
                                TUT_ABUSE_HOLD,
                                TUT_ABUSE_BLOCK,
                                TUT_ABUSE_ACTION_COUNT
} tut_abuse_action;

typedef struct tut_abuse_setting {
    tut_abuse_action action;
    double threshold; /* queries of the last ten minutes; spending: robust z */
} tut_abuse_setting;

typedef struct tut_guard_access { /* of the whole policy */
    tut_guard_jwt jwt;
    tut_guard_quota quota; /* of clients that say nothing of their own */
    tut_guard_price *prices;
    size_t price_count;
    tut_guard_load load;
    tut_abuse_setting abuse[TUT_ABUSE_COUNT];
} tut_guard_access;

const char *tut_abuse_kind_name(tut_abuse_kind kind);
const char *tut_abuse_action_name(tut_abuse_action action);

#endif
