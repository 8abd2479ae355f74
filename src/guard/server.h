/*
 * The policy as a complete configuration of nginx. It listens, speaks TLS, keeps connections and
 * time limits; what is decided about traffic is the module's.
 */
#ifndef TUT_GUARD_SERVER_H
#define TUT_GUARD_SERVER_H

#include "guard/policy.h"

#define TUT_SERVER_LISTEN "127.0.0.1:8443" /* where the policy says nothing */
#define TUT_SERVER_CONTROL "control.sock"  /* in DIR: metrics and liveness, for the owner alone */

typedef struct tut_server_paths {
    const char *dir;        /* .tutela/guard, absolute */
    const char *system_dir; /* files of the policy are below it */
    const char *module;     /* ngx_http_tutela_module.so */
    bool is_root;           /* nginx then wants a user named */
} tut_server_paths;

tut_str tut_server_listen(const tut_guard_policy *p);
/* "https://127.0.0.1:8443": where this machine asks it. NULL: memory ran out. Caller frees. */
char *tut_server_url(const tut_guard_policy *p);
/* IO when a key file of an upstream cannot be read. */
TUT_MUST tut_status tut_server_conf(const tut_guard_policy *p, const tut_server_paths *paths,
                                    tut_buf *out, tut_error *err);
/* Files and folders that the configuration names, below DIR. */
TUT_MUST tut_status tut_server_prepare(const char *dir, tut_error *err);

#endif
