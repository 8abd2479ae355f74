/*
 * One piece of TEST evidence about the system as tutela.yaml describes it now, or about one asset
 * at one digest: what a drill, a test of the guard, a probe or a look at the ledger came to. It
 * counts until its end, and for as long as the description, or the asset, stays what it is.
 */
#ifndef TUT_ASSESS_ATTEST_H
#define TUT_ASSESS_ATTEST_H

#include "assess/assessment.h"
#include "base/arena.h"
#include "base/json_write.h"

typedef struct tut_attestation {
    const char *check;     /* of the catalogue, without version: "guard.stop-switch" */
    tut_result result;     /* PASS, FAIL; NOT_CHECKED where there was nothing to test with */
    const char *statement; /* one sentence for people */
    tut_span body;         /* what it rests on, as a document; empty: none */
    uint32_t valid_days;   /* at most what the catalogue allows the check; 0: that */
    tut_time from, to;     /* period observed; 0: now */
    const char *key_id;    /* of a person, where it rests on that key; or NULL */
    const char *asset;     /* id of what it is about; NULL: the system */
    tut_sha256 digest;     /* of the asset */
    /* A person who stands behind it: the same is appended once more before, under the person's own
     * key, as nobody but the tool can say that something was measured. NULL: nobody. */
    const char *by;
    const struct tut_key *signer;
} tut_attestation;

/* The system is loaded anew, so that the evidence is about what is described at this moment. USAGE
 * for a check that no provision wants. ret_index may be NULL. */
TUT_MUST tut_status tut_attest(const char *dir_or_file, const char *state_dir,
                               const tut_attestation *a, uint64_t *ret_index, tut_error *err);
/* The same into a ledger that is open for writing, about a system that is loaded. */
TUT_MUST tut_status tut_attest_to(tut_ledger *ledger, const tut_system *system,
                                  const tut_attestation *a, uint64_t *ret_index, tut_error *err);
/* The same for what is looked at often: nothing is written where such evidence about this very
 * description, with the same result, is younger than a day; *ret_index is then that of the one
 * there is, and *ret_is_new false. */
TUT_MUST tut_status tut_attest_daily(const char *dir_or_file, const char *state_dir,
                                     const tut_attestation *a, uint64_t *ret_index,
                                     bool *ret_is_new, tut_error *err);

/* The provisions that the check is evidence of (ids are the arena's), and how many days the
 * strictest of them takes it for. USAGE for a check that no provision wants. */
TUT_MUST tut_status tut_attest_wants(const char *check, const char *ids[TUT_CLAUSE_COUNT],
                                     size_t *ret_count, uint32_t *ret_days, tut_arena *arena,
                                     tut_error *err);

#endif
