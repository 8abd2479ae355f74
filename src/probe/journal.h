/*
 * Answers that cost something, kept on disk while they come in, so that a run that was broken off
 * goes on where it was: one line of JSON each, found by the digest of what was asked. The same
 * question asked again has its own line, and they are handed out in that order. The file is 0600
 * and holds no key; it belongs to one target, and to one run at a time.
 */
#ifndef TUT_PROBE_JOURNAL_H
#define TUT_PROBE_JOURNAL_H

#include "base/alloc.h"
#include "base/buf.h"
#include "crypto/digest.h"

typedef struct tut_journal tut_journal;

/* Makes the file and its folders where there are none. USAGE: it is another target's, or in use;
 * STORE: it is damaged. A last line that was not written whole is cut off. */
TUT_MUST tut_status tut_journal_open(const char *path, tut_str target, tut_journal **ret_journal,
                                     tut_error *err);
void tut_journal_free(tut_journal *j); /* waits for the disk */
TUT_DEFINE_AUTO(tut_journal)
uint64_t tut_journal_count(const tut_journal *j); /* of an earlier run */

/* The next answer to this question of an earlier run, as JSON; *ret_found is false where there is
 * none (any more). */
TUT_MUST tut_status tut_journal_take(tut_journal *j, const tut_sha256 *key, tut_buf *ret_answer,
                                     bool *ret_found, tut_error *err);
/* answer: one JSON value without a line's end. On the disk within a second, if more follow. */
TUT_MUST tut_status tut_journal_add(tut_journal *j, const tut_sha256 *key, tut_str answer,
                                    tut_error *err);

#endif
