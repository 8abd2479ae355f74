/*
 * One POST over HTTP or HTTPS, as witnesses and time-stamp authorities are asked. It goes through
 * libcurl, which is loaded when the first request is made: no other command pays for it.
 */
#ifndef TUT_LEDGER_POST_H
#define TUT_LEDGER_POST_H

#include "base/buf.h"

typedef struct tut_post {
    const char *url;  /* http://, https://, or unix:/path/to/socket */
    const char *path; /* appended to the URL: "/add-checkpoint"; NULL: nothing */
    const char *content_type;
    tut_span body;
    unsigned timeout_ms; /* for all of it; 0: 30 s */
} tut_post;

typedef struct tut_posted {
    int status; /* of HTTP */
    char content_type[128];
    tut_buf body; /* at most TUT_LIMIT_POST_BYTES */
} tut_posted;
void tut_posted_done(tut_posted *p);

/* Redirects are not followed. IO when nobody answered, LIMIT when the answer was too large,
 * UNSUPPORTED when libcurl is not installed. Any HTTP status is an answer. Not for several threads
 * at once before the first call has returned. */
TUT_MUST tut_status tut_post_send(const tut_post *post, tut_posted *ret_posted, tut_error *err);

#endif
