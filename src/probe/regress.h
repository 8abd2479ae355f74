/*
 * A gate between two versions of a model: did a measure of the same attack get worse by more than
 * chance? An earlier result is read from its document (tutela.probe/1).
 *
 * Where both were measured on the same rows, the rows that changed sides decide (McNemar 1947,
 * exact); else the two shares do (Fisher's exact test). The interval of the difference is
 * Newcombe's (1998), of pairs or of two samples.
 */
#ifndef TUT_PROBE_REGRESS_H
#define TUT_PROBE_REGRESS_H

#include "base/json.h"
#include "probe/result.h"

typedef struct tut_regress_side { /* one measurement; borrows */
    tut_str metric, budget;
    double value;
    uint64_t rows;
    tut_str kept;   /* '1' or '0' of each row; empty: not known */
    tut_str sample; /* hex of the rows' digest; empty: not known */
} tut_regress_side;

typedef enum tut_regress_verdict {
    TUT_REGRESS_UNKNOWN, /* not comparable: `why` says what differs */
    TUT_REGRESS_HELD,    /* no worse than chance explains */
    TUT_REGRESS_WORSE,
    TUT_REGRESS_BETTER
} tut_regress_verdict;
const char *tut_regress_name(tut_regress_verdict v); /* "unknown", "held", "worse", "better" */

typedef struct tut_regress {
    tut_regress_verdict verdict;
    double before, after;
    double change, low, high; /* after - before, with its 95 % interval */
    double p;                 /* one-sided, of the side that it went to */
    bool is_paired;
    uint64_t lost, gained; /* rows that changed sides; is_paired */
    char why[200];         /* one sentence for people */
} tut_regress;

/* attacks[] of the document: the item of that name (and of that probe, where the document names
 * them). UNSUPPORTED: there is none; MALFORMED: it lacks what a comparison needs. */
TUT_MUST tut_status tut_regress_read(const tut_json_value *document, const char *probe,
                                     const char *attack, tut_regress_side *ret, tut_error *err);
/* The same of a result that is at hand. hex: room for the digest, 65 bytes. */
void tut_regress_of(const tut_attack_result *r, char *hex, tut_regress_side *ret);
/* is_most: more is worse (an attack's success); else less is (robust accuracy). */
void tut_regress_judge(const tut_regress_side *before, const tut_regress_side *after, bool is_most,
                       tut_regress *ret);

#endif
