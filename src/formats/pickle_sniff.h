/* Whether bytes are a pickle: decided by running the machine over the beginning, reporting nothing.
 */
#ifndef TUT_FORMATS_PICKLE_SNIFF_H
#define TUT_FORMATS_PICKLE_SNIFF_H

#include "formats/format.h"

typedef struct tut_pglance {
    bool has_proto;  /* starts with PROTO 0 to 5 */
    bool is_done;    /* came to a STOP */
    bool is_cut;     /* ran out of bytes without anything wrong */
    bool is_ordered; /* its values are put to use, not merely piled up as lines of text would be */
    uint64_t ops, imports, calls; /* imports: of names that look like names */
    uint64_t end;                 /* where it ended */
} tut_pglance;

/* head: the first bytes of `size` (UINT64_MAX: not known). Runs at most ops_max opcodes (0: all).
 */
void tut_psniff_glance(tut_span head, uint64_t size, uint64_t ops_max, tut_pglance *ret);
/* Certain enough to be examined as a pickle of its own when found inside something. */
bool tut_psniff_is_pickle(tut_span head, uint64_t size);

/* Behind the STOP of another pickle: looks like the next one (sound so far, or naming something).
 */
bool tut_psniff_follows(tut_span head, uint64_t size);

#endif
