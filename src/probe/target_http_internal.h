/* target_http.c: opening, and small things; target_http_run.c: the requests. */
#ifndef TUT_PROBE_TARGET_HTTP_INTERNAL_H
#define TUT_PROBE_TARGET_HTTP_INTERNAL_H

#include "probe/target_http.h"

typedef enum http_slot_state { SLOT_FREE, SLOT_WAITING, SLOT_FLYING } http_slot_state;

typedef struct http_slot {
    const tut_http *http;
    CURL *handle;
    http_slot_state state;
    http_ask ask;
    tut_buf body, answer;
    char why[CURL_ERROR_SIZE]; /* libcurl's words; "" */
    unsigned tries;
    uint64_t due, begun; /* tut_clock_ms() */
    bool was_checked, is_stream;
} http_slot;

struct tut_http {
    const tut_curl *api;
    CURLM *multi;
    struct curl_slist *headers, *plain_headers; /* with the key, and without */
    tut_allowance *allowance;
    char *url, *ca_file; /* ca_file: NULL: the system's */
    char shown[256];
    bool is_loopback, has_key;
    uint32_t timeout_ms, tries;
    double per_second, tokens; /* a bucket; large requests may leave it in debt */
    uint64_t filled, paused_until;
    uint64_t random;
    http_slot *slots;
    size_t slot_count;
    unsigned silent;   /* requests in a row that nobody answered */
    bool has_answered; /* ever */
};

/* Takes the request out of the air: the slot is free. */
void http_land(tut_http *h, http_slot *s);

#endif
