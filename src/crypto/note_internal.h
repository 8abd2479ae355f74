/* What the files of notes share. */
#ifndef TUT_CRYPTO_NOTE_INTERNAL_H
#define TUT_CRYPTO_NOTE_INTERNAL_H

#include "crypto/note.h"

/* Non-empty UTF-8 without white space, controls and '+', shorter than TUT_NOTE_NAME_MAX. */
bool tut_note_name_is_valid(tut_str name);
/* The id that a key has under a name. */
TUT_MUST tut_status tut_note_key_id(tut_str name, tut_note_algorithm algorithm,
                                    const tut_pubkey *key, uint32_t *ret_id, tut_error *err);
/* "cosignature/v1" LF "time T" LF and the text: what a cosignature signs. */
void tut_note_cosigned(tut_str text, tut_time at, tut_buf *out);

#endif
