/*
 * Many requests to one service: as many at a time as the wish says, over connections that stay
 * open, no faster than it allows. "Later" (429, 503) is waited for, as is a service that does not
 * answer at all; both come back to the caller when the tries are spent. Redirects are not followed,
 * and the key is in no message.
 */
#ifndef TUT_PROBE_TARGET_HTTP_H
#define TUT_PROBE_TARGET_HTTP_H

#include "ledger/curl.h"
#include "probe/target_internal.h"

typedef struct tut_http tut_http;

typedef enum http_fate {
    HTTP_ANSWERED, /* with any status */
    HTTP_SILENT,   /* nobody answered, or not in time */
    HTTP_TOO_LARGE,
    HTTP_STREAM, /* events, where none were asked for */
    HTTP_CUT     /* the answer broke off */
} http_fate;

typedef struct http_answer {
    http_fate fate;
    int status;
    tut_span body;
    uint32_t ms;
    char problem[160]; /* for people; empty where it was answered with a status below 300 */
} http_answer;

typedef struct http_ask { /* one request: which of the caller's things are asked about */
    size_t from, count;
    uint64_t queries; /* that it costs; 0: there is nothing left to ask */
} http_ask;

typedef struct http_job {
    const char *url;
    bool is_get;
    bool is_once; /* silence and 503 are answers; only after 429 is it tried again */
    /* Composes the next request; at most `room` queries may leave. */
    tut_status (*make)(void *ctx, uint64_t room, http_ask *ret_ask, tut_buf *ret_body,
                       tut_error *err);
    tut_status (*take)(void *ctx, const http_ask *ask, const http_answer *answer, tut_error *err);
    void *ctx;
} http_job;

/* DENIED: the key cannot be read; USAGE: there is a user or key in the address, or no certificate
 * in the file of the CA's. */
TUT_MUST tut_status http_open(tut_target *t, const tut_target_wish *wish, tut_http **ret_http,
                              tut_error *err);
void http_free(tut_http *h);
/* CANCELLED after Ctrl-C, IO when the service is gone for good; what had answered was taken. */
TUT_MUST tut_status http_run(tut_http *h, const http_job *job, tut_error *err);
/* One GET: of metadata; not counted. A status other than 200 is no error. */
TUT_MUST tut_status http_get(tut_http *h, const char *url, int *ret_status, tut_buf *ret_body,
                             tut_error *err);

/* What an error object says: "CODE: MESSAGE", escaped; else the first words of the body. */
void http_reason(tut_span body, tut_buf *ret_reason);
/* What is said when the first answer is none of the service that was meant; 0: go on. */
TUT_MUST tut_status http_check_first(const tut_http *h, const http_answer *a, tut_error *err);

/* What a handle of the same service is set up with, for attacks that have a loop of their own. */
const tut_curl *http_api(const tut_http *h);
TUT_MUST tut_status http_equip(const tut_http *h, CURL *handle, bool with_key, tut_error *err);
const char *http_url(const tut_http *h);
uint32_t http_timeout_ms(const tut_http *h);
bool http_has_key(const tut_http *h);
bool http_is_loopback(const tut_http *h); /* by a number: 127.x.x.x */
/* The name of a v2 model's input; "" of others. */
const char *tut_target_v2_input(const tut_target *t);
/* Of a target that goes over HTTP; else NULL. */
tut_http *tut_target_http(const tut_target *t);

#endif
