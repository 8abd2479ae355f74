/* The guard of the described system: its policy, its directory, what lives there. */
#ifndef TUT_CMD_GUARD_HERE_H
#define TUT_CMD_GUARD_HERE_H

#include "cmd/command.h"
#include "crypto/key.h"
#include "guard/live.h"
#include "guard/policy.h"
#include "state/records.h"

typedef struct tut_guard_here {
    char *system_dir, *state; /* absolute */
    char *dir;                /* STATE/guard */
    tut_system *system;
    tut_guard_policy policy;
    tut_live *live; /* NULL: the guard never ran here */
    pid_t keeper;   /* 0: it does not run */
} tut_guard_here;

/* The system with its policy. USAGE where there is none, with the place on standard error. */
TUT_MUST tut_status tut_guard_here_open(const tut_args *args, tut_guard_here *ret, tut_error *err);
/* The same without reading a policy, for what must work at once: stopping. */
TUT_MUST tut_status tut_guard_here_find(const tut_args *args, tut_guard_here *ret, tut_error *err);
void tut_guard_here_done(tut_guard_here *h);
/* Keeps the policy below DIR/policies (guard/inforce.h), and writes nginx.conf by it.
 * *ret_differs (may be NULL): the configuration is another one than before. */
TUT_MUST tut_status tut_guard_here_write(tut_guard_here *h, bool *ret_differs, tut_error *err);
/* DIR/approvers.json: who may decide about what is held, by the people of the log as it stands. */
TUT_MUST tut_status tut_guard_here_approvers(const tut_args *args, const tut_guard_here *h,
                                             tut_error *err);
/* USAGE when the guard does not run. */
TUT_MUST tut_status tut_guard_here_runs(const tut_guard_here *h, tut_error *err);

/* Hex digits and NUL of every version kept in DIR/policies, the newest first. */
TUT_MUST tut_status tut_guard_here_versions(const tut_guard_here *h, tut_buf *out, tut_error *err);

/* Who signs, with a key that counts: USAGE without *by (--by), DENIED without a key. *by becomes
 * the name as the log has it, which *ret_records owns. */
TUT_MUST tut_status tut_guard_here_signer(const tut_args *args, const tut_guard_here *h,
                                          const char **by, tut_records **ret_records,
                                          tut_key **ret_key, tut_error *err);
/* DENIED where --by names somebody whose training lapsed: for what puts a policy in force, or lets
 * begin again. Stopping asks for nothing. */
TUT_MUST tut_status tut_guard_here_trained(const tut_args *args, tut_error *err);
/* The next, by whom and with which key is known already; key NULL: not signed. */
TUT_MUST tut_status tut_guard_here_say_as(const tut_guard_here *h, const char *by,
                                          const tut_key *key, const char *kind,
                                          const char *statement, tut_str data, uint64_t *ret_index,
                                          tut_error *err);
/* An event about the guard in the evidence log: kind, a sentence, data ("{...}"). Signed by --by
 * where it has a key; `must_sign`: USAGE or DENIED without. *ret_index: its number. */
TUT_MUST tut_status tut_guard_here_say(const tut_args *args, const tut_guard_here *h,
                                       const char *kind, const char *statement, tut_str data,
                                       bool must_sign, uint64_t *ret_index, tut_error *err);

#endif
