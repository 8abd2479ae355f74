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

/* Whether the file also reads as a zip archive from its end: reported under `rule` (NULL: that is
 * usual), and the archive examined. Nothing without a source. */
TUT_MUST tut_status tut_payload_zip_tail(tut_exam *x, const char *rule, tut_error *err);

/* --- inside the values of tensors --- */
typedef enum tut_number_width {
    TUT_NUMBER_OTHER, /* no spare bits to speak of: integers, quantised blocks */
    TUT_NUMBER_16,    /* F16, BF16 */
    TUT_NUMBER_32,
    TUT_NUMBER_64
} tut_number_width;

typedef struct tut_payload_probe {
    uint64_t bytes_left; /* of samples, over all tensors */
    uint8_t *sample;     /* owned */
    uint8_t *plane;
} tut_payload_probe;

void tut_payload_probe_done(tut_payload_probe *p);
/* Looks at the start of a tensor and at the low bits of its first numbers (little endian). For
 * depth content; does nothing without a source. p starts zeroed. */
TUT_MUST tut_status tut_payload_probe_tensor(tut_exam *x, tut_payload_probe *p, uint64_t start,
                                             uint64_t end, tut_number_width width, tut_str name,
                                             tut_error *err);

#endif
