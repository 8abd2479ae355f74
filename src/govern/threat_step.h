/* What the threat model comes to, check by check, for `assess` and for `tutela threats`. */
#ifndef TUT_GOVERN_THREAT_STEP_H
#define TUT_GOVERN_THREAT_STEP_H

#include "govern/govern.h"
#include "govern/threat_review.h"

enum { TUT_THREAT_CHECKS = 5 };

typedef struct tut_threat_finding {
    const char *check;
    tut_result result;
    char *statement;
} tut_threat_finding;

/* Of threats.model, .current, .treatment, .superfluous, .continuous, in this order; statements are
 * the caller's to free, all of them, also after an error. */
TUT_MUST tut_status tut_threat_find(const tut_threats *t, const tut_threat_sources *from,
                                    const tut_threat_reviews *reviews,
                                    tut_threat_finding ret[TUT_THREAT_CHECKS], tut_error *err);
/* Records what they come to, with the model as body. */
TUT_MUST tut_status tut_threat_attest(tut_governing *g, const tut_threats *t,
                                      const tut_threat_sources *from);
TUT_MUST tut_status tut_govern_step_threats(tut_governing *g);
void tut_threat_findings_done(tut_threat_finding f[TUT_THREAT_CHECKS]);

#endif
