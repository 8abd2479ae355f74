/*
 * Rule files in the format of gitleaks (TOML; config/gitleaks.toml of
 * github.com/gitleaks/gitleaks).
 *
 * Three steps, so that nobody trusts what another has read: the TOML is parsed into a plain list
 * (in the cage), the list is compiled (Vectorscan finds, PCRE2 confirms and takes the groups
 * apart), and what Vectorscan compiled can be kept and loaded again.
 *
 * Read: id, description, regex, secretGroup, entropy, keywords, path, [[rules.allowlists]] and
 * [rules.allowlist], [allowlist] and [[allowlists]] with regexes, regexTarget, paths, stopwords,
 * condition, targetRules; extend.disabledRules. "gitleaks:allow" in a file is not honoured: whoever
 * wrote the file would decide what is found in it.
 */
#ifndef TUT_TEXT_GITLEAKS_H
#define TUT_TEXT_GITLEAKS_H

#include "base/buf.h"
#include "text/text.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The TOML as a list for tut_text_user_new. MALFORMED with a line number; LIMIT. */
TUT_MUST tut_status tut_gitleaks_parse(tut_str toml, tut_buf *out, tut_error *err);

/* Compiles the list; it is hostile until it has been read here. `compiled` may be empty: then
 * Vectorscan compiles, which takes seconds for some hundred rules. UNSUPPORTED without Vectorscan.
 */
TUT_MUST tut_status tut_text_user_new(tut_span list, tut_span compiled, tut_text_user **ret_user,
                                      tut_error *err);
void tut_text_user_free(tut_text_user *user);
/* What Vectorscan compiled, to be kept. */
TUT_MUST tut_status tut_text_user_save(const tut_text_user *user, tut_buf *out, tut_error *err);
size_t tut_text_user_count(const tut_text_user *user);
/* The list that it was made of; lives as long. */
tut_span tut_text_user_list(const tut_text_user *user);
/* Rules that cannot be used, each as "id: why"; NULL behind the last. */
const char *tut_text_user_problem(const tut_text_user *user, size_t i);

#ifdef __cplusplus
}
#else
TUT_DEFINE_AUTO(tut_text_user)
#endif

#endif
