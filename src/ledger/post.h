/*
 * One request over HTTP or HTTPS, mostly a POST: as witnesses and time-stamp authorities are asked,
 * and as a guard is tried. It goes through
 * libcurl, which is loaded when the first request is made: no other command pays for it.
 */
#ifndef TUT_LEDGER_POST_H
#define TUT_LEDGER_POST_H

#include "base/buf.h"

typedef struct tut_post {
    const char *url;    /* http://, https://, or unix:/path/to/socket */
    const char *path;   /* appended to the URL: "/add-checkpoint"; NULL: nothing */
    const char *method; /* "GET" has no body; NULL: POST */
    const char *content_type;
    const char *authorization;         /* the header's value; or NULL */
    const char *header, *header_value; /* one more; or NULL */
    tut_span body;
    unsigned timeout_ms;        /* for all of it; 0: 30 s */
    bool takes_any_certificate; /* what is told is no secret, and what is heard is not believed */
    const char *ca_file; /* whose certificates are believed instead of the system's; or NULL */
} tut_post;

typedef struct tut_posted {
    int status; /* of HTTP */
    char content_type[128];
    tut_buf body;                   /* at most TUT_LIMIT_POST_BYTES */
    bool did_connect, did_time_out; /* known after a failure too */
    const char *why;                /* likewise, without the URL; static; NULL: nothing failed */
} tut_posted;
void tut_posted_done(tut_posted *p);

/* Redirects are not followed. IO when nobody answered, LIMIT when the answer was too large,
 * UNSUPPORTED when libcurl is not installed. Any HTTP status is an answer. Not for several threads
 * at once before the first call has returned. */
TUT_MUST tut_status tut_post_send(const tut_post *post, tut_posted *ret_posted, tut_error *err);

#endif
