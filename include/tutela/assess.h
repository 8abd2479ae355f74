/*
 * A described system to verdicts: the JSON document of `tutela assess --format json`, schema
 * tutela.assessment/1. The rules of scan.h about processes and threads hold here too.
 */
#ifndef TUTELA_ASSESS_H
#define TUTELA_ASSESS_H

#include "tutela/scan.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Collects evidence about the system described in directory/tutela.yaml, records it under
 * directory/.tutela, and evaluates all 72 provisions now.
 */
int tutela_assess(const char *directory, char **ret_json, tutela_error *error);

/*
 * Evaluates at a time in the past (RFC 3339) from records alone: collects and writes nothing. A
 * time in the future is TUTELA_USAGE.
 */
int tutela_evaluate(const char *directory, const char *at, char **ret_json, tutela_error *error);

#ifdef __cplusplus
}
#endif
#endif
