/*
 * Who asks: an API key, a signed token or a client certificate, looked up in the policy. What a
 * caller shows must all be good, and all be the same client's; what is wrong is never made up for
 * by something else, nor by a client that is open. A caller that is refused learns that, and no
 * more; the log learns why. No text that comes from here holds any part of a secret.
 */
#ifndef TUT_GUARD_ACCESS_H
#define TUT_GUARD_ACCESS_H

#include "guard/policy.h"

/* Of one worker: the keys of the tokens' issuer, and tokens that were found good. */
typedef struct tut_access tut_access;

/* policy: borrowed. dir: where its files are. A set of keys that cannot be read makes tokens be
 * refused, not this call; see tut_access_problem. */
TUT_MUST tut_status tut_access_new(const tut_guard_policy *policy, const char *dir,
                                   tut_access **ret_access, tut_error *err);
void tut_access_free(tut_access *a);
TUT_DEFINE_AUTO(tut_access)
/* What is wrong with the set of keys, or NULL. The one before stays in use. */
const char *tut_access_problem(const tut_access *a);

typedef struct tut_credentials {              /* as they came; empty where absent */
    tut_str authorization, api_key;           /* headers: Authorization; x-api-key or api-key */
    tut_str certificate, certificate_subject; /* that TLS has verified: hex SHA-256 of its DER, and
                                                 RFC 2253 */
} tut_credentials;

typedef enum tut_access_how {
    TUT_ACCESS_ANYBODY, /* the policy names no clients */
    TUT_ACCESS_OPEN,    /* nothing was shown, and a client is open */
    TUT_ACCESS_KEY,
    TUT_ACCESS_TOKEN,
    TUT_ACCESS_CERTIFICATE
} tut_access_how;
const char *tut_access_how_name(tut_access_how how); /* "key" */

enum { TUT_ACCESS_SUBJECT = 256, TUT_ACCESS_ID = 65, TUT_ACCESS_WHY = 256 };

typedef struct tut_who {
    const tut_guard_client *client; /* NULL: the policy names none */
    tut_access_how how;
    const tut_guard_client_key *key;  /* that was shown; else NULL */
    char subject[TUT_ACCESS_SUBJECT]; /* of a token or certificate; a person's, perhaps */
    char id[TUT_ACCESS_ID]; /* which key: its SHA-256, 12 digits; of a token, its key's id */
    uint64_t quota_key;     /* for quota.h and abuse.h */
} tut_who;

/* False: nobody that the policy knows; 401 for the client, why for the log. Hot but for a token
 * that is seen for the first time, and a set of keys that was replaced (looked at once a second).
 */
bool tut_access_who(tut_access *a, const tut_credentials *shown, uint64_t now_ms, tut_who *ret_who,
                    char why[TUT_ACCESS_WHY]);
/* Whether the key's scopes have the route. (The client's own routes: tut_guard_request_read.) */
bool tut_access_may(const tut_who *who, tut_str route);

/* What a person should know before this policy is put in force: a client that is open, or that
 * nobody can be; keys that expire soon, never, or have; clients without quota. */
typedef void (*tut_access_remark)(void *ctx, bool is_serious, const char *text);
void tut_access_check(const tut_guard_policy *p, tut_time now, tut_access_remark remark, void *ctx);

#endif
