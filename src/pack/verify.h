/*
 * `pack verify`: a pack looked at without any state, network or key of ours. Everything in it is
 * hostile until it was checked. Nothing is written.
 *
 *   archive      in the one form of its container
 *   sums         SHA256SUMS lists every file as it is
 *   manifest     pack.json lists every file that is not the log's, as it is
 *   checkpoint   signed by the key that is trusted
 *   root         the tree over all entries is the one that was signed
 *   genesis, form, heads, sequence, keys, signatures, people, witnesses, timestamps
 *                as `ledger verify` has them (state/audit.h)
 *   tiles        the log's other files are what its entries give
 *   built        the log holds the digest of pack.json
 *   complete     the verdict goes by every entry that had been recorded by its time
 *   bodies       what the records of the verdict name is there, or is said to be withheld
 *   proofs       the evidence of the verdict, each with its proof, and no other
 *   verdict      evaluated again from the records, each control as in report.json
 *   reports      the other files made again from the records, byte by byte
 */
#ifndef TUT_PACK_VERIFY_H
#define TUT_PACK_VERIFY_H

#include "assess/assessment.h"
#include "base/arena.h"
#include "base/source.h"
#include "ledger/vouched.h"

typedef struct tut_pack_trust { /* from elsewhere; all may be NULL */
    /* Keys of logs; of these the one counts that is of the pack's log. `any` is one without a name:
     * a public key alone. */
    const tut_verifier *keys;
    size_t key_count;
    const tut_pubkey *any;
    const tut_witness_policy *policy; /* its logs count as keys as well */
    const tut_tsp_trust *authorities;
} tut_pack_trust;

typedef enum tut_pack_trusted {
    TUT_PACK_SELF_CONSISTENT, /* of one piece, by nothing but its own keys */
    TUT_PACK_TRUSTED_KEY,
    TUT_PACK_ANCHORED /* witnesses or time-stamps that are believed */
} tut_pack_trusted;
const char *tut_pack_trusted_name(tut_pack_trusted t); /* "self-consistent", ... */

typedef struct tut_pack_check {
    const char *name;
    bool holds;
    char *detail; /* one line; untrusted text in it is escaped */
} tut_pack_check;

typedef struct tut_pack_change { /* a control that no longer stands as it did */
    tut_str clause;
    tut_control_verdict then, now;
    uint64_t *evidence; /* entries that ran out */
    size_t evidence_count;
    tut_time since; /* when the first of these ran out; 0: they are too old for the rule */
} tut_pack_change;

typedef struct tut_pack_verdict {
    tut_time at;
    char grade; /* 0: none */
    size_t counts[TUT_CONTROL_VERDICT_COUNT];
} tut_pack_verdict;

typedef struct tut_pack_asset { /* of the system that the pack is about */
    char *id;
    tut_sha256 digest;
} tut_pack_asset;

/* What a test came to: evidence of a check that "probe.shared" covers (assess/covered.h), of which
 * the pack has all that it rests on. */
typedef struct tut_pack_finding {
    uint64_t entry;
    tut_str check; /* with version */
    tut_str subject;
    tut_sha256 digest;
    tut_result result;
    tut_time expires;
} tut_pack_finding;

typedef struct tut_pack_result {
    tut_pack_check *checks;
    size_t count, capacity;
    bool holds;    /* all of them */
    char *differs; /* the first file that is not what it should be, or NULL */
    char *system, *version, *origin, *made_by; /* "" where the pack does not say */
    uint64_t log_size;                         /* of the checkpoint */
    uint64_t judged_size;                      /* as of the verdict */
    size_t evidence;                           /* pieces that the verdict used */
    bool has_verdict;
    tut_pack_verdict then, now;
    tut_pack_change *changes;
    size_t change_count, change_capacity;
    tut_str unmet[TUT_CLAUSE_COUNT]; /* duties (shall) that are not met now */
    size_t unmet_count;
    tut_time counts_until; /* when the first evidence that counts now runs out; 0: none counts */
    tut_pack_asset *assets;
    size_t asset_count;
    const tut_pack_finding *findings; /* ascending by entry; in `arena` */
    size_t finding_count;
    tut_arena arena;
    bool has_manifest;
    tut_sha256 manifest; /* of pack.json */
    tut_pack_trusted trust;
    tut_proven proven;
    char *rests_on;
} tut_pack_result;

/* UNSUPPORTED when the source is no pack at all; what is wrong with one is in the checks. */
TUT_MUST tut_status tut_pack_verify(const tut_source *source, const tut_pack_trust *trust,
                                    tut_time now, tut_pack_result **ret, tut_error *err);
/* Schema tutela.pack/1. */
TUT_MUST tut_status tut_pack_result_json(const tut_pack_result *r, tut_buf *out, tut_error *err);
void tut_pack_result_free(tut_pack_result *r);
TUT_DEFINE_AUTO(tut_pack_result)

#endif
