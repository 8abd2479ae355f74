/*
 * Things that have no business inside weights: programs, archives, pickles and text, by headers
 * that are checked beyond their magic (two bytes of magic turn up in any gigabyte of numbers).
 */
#ifndef TUT_FORMATS_PAYLOAD_H
#define TUT_FORMATS_PAYLOAD_H

#include "formats/format.h"

/* "ELF program" and the like for bytes that begin with a valid header, else NULL. */
const char *tut_payload_name(tut_span head);
/* The same where an artefact of its own begins (a member, what follows a pickle): programs only,
 * and the magic with its three fixed bytes is proof enough. */
const char *tut_payload_program(tut_span head);

/* Bytes [start, end) of the source that the format gives no meaning to (`where`: "behind the last
 * tensor"): reports data.hidden-payload for what it knows, and has an artefact that Tutela reads
 * examined as a member. Nothing without a source. */
TUT_MUST tut_status tut_payload_examine(tut_exam *x, uint64_t start, uint64_t end,
                                        const char *where, tut_error *err);

/* Where a zip archive begins that ends where the file does; UINT64_MAX: there is none. */
uint64_t tut_payload_zip_start(const tut_exam *x);

/* Whether the file also reads as a zip archive from its end: reported under `rule` (NULL: that is
 * usual), and the archive examined. Nothing without a source. */
TUT_MUST tut_status tut_payload_zip_tail(tut_exam *x, const char *rule, tut_error *err);

#endif
