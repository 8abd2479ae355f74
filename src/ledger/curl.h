/*
 * The part of libcurl that is used, loaded when the first request is made: no other command pays
 * for it.
 */
#ifndef TUT_LEDGER_CURL_H
#define TUT_LEDGER_CURL_H

#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>

#include "base/buf.h"

#define TUT_CURL_FUNCTIONS(X)                                                                      \
    X(curl_global_init)                                                                            \
    X(curl_version_info)                                                                           \
    X(curl_easy_init)                                                                              \
    X(curl_easy_setopt)                                                                            \
    X(curl_easy_perform)                                                                           \
    X(curl_easy_pause)                                                                             \
    X(curl_easy_getinfo)                                                                           \
    X(curl_easy_strerror)                                                                          \
    X(curl_easy_cleanup)                                                                           \
    X(curl_slist_append)                                                                           \
    X(curl_slist_free_all)                                                                         \
    X(curl_multi_init)                                                                             \
    X(curl_multi_setopt)                                                                           \
    X(curl_multi_add_handle)                                                                       \
    X(curl_multi_remove_handle)                                                                    \
    X(curl_multi_perform)                                                                          \
    X(curl_multi_poll)                                                                             \
    X(curl_multi_info_read)                                                                        \
    X(curl_multi_cleanup)

typedef struct tut_curl {
#define TUT_CURL_MEMBER(name) __typeof__(&name) name;
    TUT_CURL_FUNCTIONS(TUT_CURL_MEMBER)
#undef TUT_CURL_MEMBER
} tut_curl;

/* Lives as long as the process. UNSUPPORTED, with what to install. Not for several threads at once
 * before the first call has returned. */
TUT_MUST tut_status tut_curl_load(const tut_curl **ret_api, tut_error *err);
/* "NAME: VALUE"; NULL: no such header. False: memory ran out. */
bool tut_curl_add_header(const tut_curl *api, struct curl_slist **headers, const char *name,
                         const char *value);

#endif
