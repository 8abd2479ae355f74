/*
 * The policy that is in force: what a worker reads from DIR/policies/VERSION.yaml, where VERSION is
 * the digest that DIR/live names. A request keeps the one it began with to its end.
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

/* DIR/policies/VERSION.yaml; caller frees. */
TUT_MUST tut_status tut_inforce_path(const char *dir, const tut_sha256 *version, char **ret_path,
                                     tut_error *err);
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
