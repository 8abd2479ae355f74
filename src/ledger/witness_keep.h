/* Cosignatures kept beside the log; see witness_ask.h. */
#ifndef TUT_LEDGER_WITNESS_KEEP_H
#define TUT_LEDGER_WITNESS_KEEP_H

#include "crypto/note.h"
#include "ledger/beside.h"

/* Below DIR: each checkpoint that was ever cosigned, SIZE-ROOT with so many digits of the root. */
#define TUT_WITNESS_HISTORY "witnessed"
enum { TUT_WITNESS_ROOT_DIGITS = 16 };

/* The size of the checkpoint that this witness last cosigned, by its own signature; 0 when nothing
 * sound is kept. */
uint64_t tut_witness_kept_size(const char *dir, const tut_verifier *witness);
/* Appends a signature's line as it stands in the note, with its LF. */
void tut_witness_line(const tut_note_signature *s, tut_buf *out);
/* The line of this key, if there is one. */
bool tut_witness_find_line(const tut_note *note, const tut_verifier *witness, tut_buf *out);
/* `lines` are good cosignatures of the witness on this checkpoint. A cosignature that
 * it gave before for the very same checkpoint stays. All files are durable on return. */
TUT_MUST tut_status tut_witness_keep(const char *dir, const tut_verifier *witness,
                                     tut_str checkpoint, tut_str lines, tut_error *err);

typedef struct tut_witness_file { /* one file with cosignatures */
    const char *name;             /* below DIR */
    tut_str bytes;
    const char *why; /* it cannot be read; NULL: here are its bytes */
} tut_witness_file;

/* `ret_enough` ends it. */
typedef tut_status (*tut_witness_visit)(void *ctx, const tut_witness_file *file, bool *ret_enough,
                                        tut_error *err);
/* First the latest ones, of all and of each witness, then all that were ever kept, the larger
 * first. LIMIT when there are more than TUT_LIMIT_WITNESSED. */
TUT_MUST tut_status tut_witness_each_kept(const tut_beside *beside, tut_witness_visit visit,
                                          void *ctx, tut_error *err);

#endif
