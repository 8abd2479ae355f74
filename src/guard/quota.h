/*
 * How much a client may: requests, tokens, cost and requests at once, over windows that slide, kept
 * in the map that all workers share (live.h); and what the guard as a whole takes on.
 *
 * A window is cut into 127 spans and counts in full every span that it touches. So in no stretch of
 * the window's length is ever more let through than the limit, whoever asks at once and however the
 * requests fall; what that costs is that a limit which is always used up yields 127 of 128 of it.
 * (Two weighted counters, the usual way, let nearly twice the limit through a well-timed burst.)
 *
 * Tokens are known when the work is done. A ticket reserves what they may come to, and gives back
 * what was not used: where the reservation is an upper bound, so is the limit.
 */
#ifndef TUT_GUARD_QUOTA_H
#define TUT_GUARD_QUOTA_H

#include "guard/live.h"
#include "guard/request.h"

typedef enum tut_quota_verdict {
    TUT_QUOTA_OK,
    TUT_QUOTA_LOAD,       /* 503: too many requests under way, or bytes of bodies in memory */
    TUT_QUOTA_TABLE,      /* 503: no room for another client; or this process has no slot */
    TUT_QUOTA_REQUESTS,   /* 429 */
    TUT_QUOTA_CONCURRENT, /* 429 */
    TUT_QUOTA_TOKENS,     /* 429 */
    TUT_QUOTA_COST        /* 429 */
} tut_quota_verdict;

typedef struct tut_quota_refusal {
    tut_quota_verdict verdict;
    unsigned status;        /* for HTTP */
    uint32_t retry_after_s; /* when it may be let through, if nothing else comes; at least 1 */
    const char *what;       /* "more than 60 requests in 60 s" without the figures; constant */
} tut_quota_refusal;

typedef struct tut_quota_reserve { /* what was counted, and in which span */
    uint64_t amount, span;
    uint32_t span_ms;
} tut_quota_reserve;

typedef struct tut_quota_ticket { /* of one request; zeroed: none */
    tut_live *live;
    const tut_guard_policy *policy;
    const tut_guard_quota *quota;
    int64_t body_bytes;
    uint32_t slot; /* + 1; 0: the client has no quota */
    tut_quota_reserve tokens, cost;
    bool is_open;
} tut_quota_ticket;

/* Which counters are whose: of a client (NULL: of all together), or of one subject of its tokens
 * where the quota is per subject. Made once, kept with what is known of the caller. */
TUT_MUST tut_status tut_quota_key(const tut_guard_client *client, tut_str subject,
                                  uint64_t *ret_key, tut_error *err);

/* Before any work is done. body_bytes: as announced, or 0. True: let in; the ticket is to be ended.
 * False: refused, nothing is to be ended. Hot. */
bool tut_quota_begin(tut_live *live, const tut_guard_policy *p, const tut_guard_client *client,
                     uint64_t key, uint64_t now_ms, uint64_t body_bytes,
                     tut_quota_ticket *ret_ticket, tut_quota_refusal *ret_refusal);
/* More bytes of its body came in than were announced. False: no room, 503. */
bool tut_quota_grow(tut_quota_ticket *t, uint64_t bytes, tut_quota_refusal *ret_refusal);
/* The body is no longer in memory. */
void tut_quota_shrink(tut_quota_ticket *t);
/* What a request may come to, from what it says: a token for each four bytes of its texts, and the
 * limit that it states, as often as the choices that it asks for; out 0: it states none. */
void tut_quota_asked(const tut_guard_request *r, uint64_t *ret_in, uint64_t *ret_out);
/* Before it goes to the server: what it may come to. out: the limit that the request states; 0:
 * none, then 1,024 or an eighth of the quota, whichever is less. False: over the quota; the ticket
 * is still to be ended. Where a request needs more than the whole quota it never passes. */
bool tut_quota_reserve_tokens(tut_quota_ticket *t, tut_str model, uint64_t in, uint64_t out,
                              uint64_t now_ms, tut_quota_refusal *ret_refusal);
/* What it came to; 0, 0 where it never reached the server. Ending twice does nothing. */
void tut_quota_end(tut_quota_ticket *t, tut_str model, uint64_t in, uint64_t out, uint64_t now_ms);

/* In millionths; a model without a price costs as much as the dearest one that has. */
uint64_t tut_quota_cost(const tut_guard_policy *p, tut_str model, uint64_t in, uint64_t out);

typedef struct tut_quota_use { /* of the current windows */
    uint64_t requests, tokens, cost;
    uint32_t concurrent;
} tut_quota_use;
/* For people; zero where nothing is known of it. */
void tut_quota_used(const tut_live *live, const tut_guard_quota *q, uint64_t key, uint64_t now_ms,
                    tut_quota_use *ret_use);

#endif
