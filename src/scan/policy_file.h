/* Rule files that a description names (policy.scan.yara, policy.scan.secret_rules). */
#ifndef TUT_SCAN_POLICY_FILE_H
#define TUT_SCAN_POLICY_FILE_H

#include "assets/system.h"

/* Where the entry of policy.scan.KEY lies. DENIED when it leads out of the description's directory,
 * or into an asset: a model does not bring the rules by which it is judged. Links are followed to
 * their end before that is asked. */
TUT_MUST tut_status tut_policy_file(const tut_system *system, const char *key, tut_str entry,
                                    char **ret_path, tut_error *err);

#endif
