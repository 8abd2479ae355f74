/* A rule file of the user's (--secret-rules): read in the cage, compiled once, kept by digest. */
#ifndef TUT_SCAN_SECRET_RULES_H
#define TUT_SCAN_SECRET_RULES_H

#include "assets/system.h"
#include "base/cage.h"
#include "text/gitleaks.h"

/* paths: what is about to be scanned. DENIED for a file that lies in it: whoever made the files
 * would decide what is found in them. What Vectorscan compiled is kept in
 * $XDG_CACHE_HOME/tutela/rules (else ~/.cache/tutela/rules), 0600 in 0700, under the digest of the
 * file and of what reads it; a file there that others can write is not loaded. */
TUT_MUST tut_status tut_secret_rules_open(const char *file, const char *const *paths, size_t count,
                                          tut_cage_mode mode, tut_text_user **ret_user,
                                          tut_error *err);

/* The file that was named (NULL: none), else that of the description's policy.scan.secret_rules,
 * which lies in no asset; *ret_user stays NULL where there is neither. *ret_file, where it is asked
 * for, names it. */
TUT_MUST tut_status tut_secret_rules_gather(const tut_system *system, const char *file,
                                            const char *const *paths, size_t count,
                                            tut_cage_mode mode, tut_text_user **ret_user,
                                            char **ret_file, tut_error *err);

#endif
