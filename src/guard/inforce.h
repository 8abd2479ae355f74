/*
 * The policy that is in force: what a worker reads from DIR/policies/VERSION.yaml, where VERSION is
 * the digest that DIR/live names, and from VERSION.json, the canonical form, which holds what a
 * policy took out of other files: they may have changed since. A request keeps the one it began
 * with to its end.
 */
#ifndef TUT_GUARD_INFORCE_H
#define TUT_GUARD_INFORCE_H

#include "guard/access.h"
#include "guard/hold.h"
#include "guard/request.h"

typedef struct tut_inforce {
    unsigned users; /* it is freed when the last one lets go */
    tut_system *system;
    tut_guard_policy policy;
    tut_guard guard;
    tut_guard slow; /* with a detector of its own: for long texts, that are scored in steps */
    tut_access *access;
    tut_approvers *approvers; /* who may decide about what is held */
    uint64_t generation;
} tut_inforce;

/* Both files of a policy that was read out of this YAML. */
TUT_MUST tut_status tut_inforce_keep(const char *dir, const tut_guard_policy *policy, tut_span yaml,
                                     tut_error *err);
/* STORE when what is there has another version. */
TUT_MUST tut_status tut_inforce_read(const char *dir, const char *system_dir,
                                     const tut_sha256 *version, tut_system **ret_system,
                                     tut_guard_policy *ret_policy, tut_error *err);
/* One user: the caller. STORE when what is there has another version. before: the one so far, or
 * NULL; what no policy changes is taken over from it. */
TUT_MUST tut_status tut_inforce_load(const char *dir, const tut_sha256 *version,
                                     uint64_t generation, const tut_inforce *before,
                                     tut_inforce **ret, tut_error *err);
static inline tut_inforce *tut_inforce_use(tut_inforce *p)
{
    p->users++;
    return p;
}
void tut_inforce_free(tut_inforce *p); /* lets go */
TUT_DEFINE_AUTO(tut_inforce)
/* Reads DIR/approvers.json anew. */
TUT_MUST tut_status tut_inforce_approvers(tut_inforce *p, const char *dir, tut_error *err);
/* The digest of the asset that serves this model, as tutela.yaml pins it; NULL: it names none. */
const tut_sha256 *tut_inforce_model(const tut_inforce *p, tut_str model);

#endif
