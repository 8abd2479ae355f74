/* The sanitised copy that tutela vet writes: its key, and what is said of it. */
#ifndef TUT_CMD_VET_COPY_H
#define TUT_CMD_VET_COPY_H

#include "base/term.h"
#include "data/sanitise.h"
#include "data/vet.h"

typedef struct tut_vet_copy {
    const char *path; /* NULL: none was made */
    bool has_pseudonyms;
    tut_sanitised made;
    tut_vet *vetted; /* what is found in the copy; owned */
} tut_vet_copy;
void tut_vet_copy_done(tut_vet_copy *c);

/* key_file: 32 bytes of a file of ours alone, made where it is missing; NULL: no pseudonyms. */
TUT_MUST tut_status tut_vet_copy_make(const tut_vet_input *input, const char *to,
                                      const char *key_file, tut_cage_mode sandbox,
                                      tut_vet_copy *ret, tut_error *err);
void tut_vet_copy_say(const tut_vet_copy *c, const tut_term *term, tut_buf *out);
/* The contract's document, with the copy where there is one. */
TUT_MUST tut_status tut_vet_copy_json(const tut_vet_copy *c, const tut_vet *v, tut_buf *out,
                                      tut_error *err);

#endif
