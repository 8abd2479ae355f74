/*
 * One exchange (a request and its answer) as an event of the traffic log: who, which route, model
 * and policy, what was decided and why, how much and how long. It names no text of the exchange:
 * clients are pseudonyms, prompts are digests, both keyed with a secret of the month, so that they
 * can be compared, and not guessed; once the month's secret is erased, not even that.
 */
#ifndef TUT_GUARD_EXCHANGE_H
#define TUT_GUARD_EXCHANGE_H

#include "guard/abuse.h"
#include "guard/bodies.h"
#include "guard/inforce.h"
#include "guard/trace.h"

#define TUT_EXCHANGE_KIND "guard.exchange"
#define TUT_ADMITTED_KIND "guard.admitted"
#define TUT_ALARM_KIND "guard.alarm"

enum { TUT_EXCHANGE_ID = 33, TUT_EXCHANGE_SECRET = 32 };

/* The secret made ready: keying it anew for each digest would cost more than the digest. */
typedef struct tut_exchange_keys tut_exchange_keys;
TUT_MUST tut_status tut_exchange_keys_new(const uint8_t secret[TUT_EXCHANGE_SECRET],
                                          tut_exchange_keys **ret_keys, tut_error *err);
void tut_exchange_keys_free(tut_exchange_keys *keys);
TUT_DEFINE_AUTO(tut_exchange_keys)

typedef struct tut_exchange {
    char id[TUT_EXCHANGE_ID]; /* 128 bits in hex; the client sees it too */
    tut_trace trace;
    const tut_inforce *policy;         /* NULL: none could be loaded */
    const tut_guard_route *route;      /* NULL: none has this path */
    const tut_guard_request *request;  /* NULL: refused before it was read */
    const tut_guard_decision *refused; /* then why */
    const tut_guard_decision *answer;  /* NULL: there was none */
    const tut_str *tools;              /* that the answer called */
    size_t tool_count;
    tut_str client, subject; /* subject: of a token or a certificate; or empty */
    tut_sha256 prompt;       /* keyed */
    bool has_prompt, is_cut; /* is_cut: the client did not take it to its end */
    unsigned status;         /* that the client saw; 0: none */
    int64_t at_ms;           /* since 1970, when the request came */
    uint64_t bytes_in, bytes_out, tokens_in, tokens_out;
    uint64_t took_us, added_us, first_us; /* first_us 0: no answer */
    const char *approval;                 /* id of a hold that was decided; NULL */
    const char *approved;                 /* "approved", "denied", "expired" */
    uint64_t waited_ms;
    tut_bodies_place bodies; /* where request and answer are kept; day empty: they are not */
    const char *bodies_lost; /* why, where the policy wants it; NULL */
} tut_exchange;

/* One JSON object without space around it, at most about 16 KiB. */
TUT_MUST tut_status tut_exchange_json(const tut_exchange *x, const tut_exchange_keys *keys,
                                      tut_buf *out, tut_error *err);
/* Before anything is sent on: so that no action can happen without a trace. */
TUT_MUST tut_status tut_exchange_admitted_json(const tut_exchange *x, const tut_exchange_keys *keys,
                                               tut_buf *out, tut_error *err);
/* A series of queries is told for the first time in ten minutes (abuse.h). */
TUT_MUST tut_status tut_exchange_alarm_json(const tut_exchange *x, const tut_abuse_alarm *alarm,
                                            const tut_exchange_keys *keys, tut_buf *out,
                                            tut_error *err);
/* HMAC-SHA-256 under the secret. */
TUT_MUST tut_status tut_exchange_keyed(const tut_exchange_keys *keys, tut_span bytes,
                                       tut_sha256 *ret, tut_error *err);

#endif
