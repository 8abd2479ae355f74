/*
 * The memo: a map from any 64-bit index to a value. Low indexes, as picklers write them, lie in an
 * array; far ones in a hash table, so that one PUT with a large index costs one entry.
 * When memory is short the memo forgets (is_lossy) rather than fails.
 */
#ifndef TUT_FORMATS_PICKLE_MEMO_H
#define TUT_FORMATS_PICKLE_MEMO_H

#include "formats/pickle_value.h"

typedef struct tut_pmemo_far {
    uint64_t index; /* + 1; 0 is empty */
    tut_pval value;
} tut_pmemo_far;

typedef struct tut_pmemo {
    tut_pheap *heap;
    tut_pval *near; /* TUT_PVAL_UNSET where nothing was put */
    size_t near_capacity;
    tut_pmemo_far *far;
    size_t far_capacity, far_count;
    uint64_t size; /* slots that hold something: the index that MEMOIZE takes next */
    bool is_lossy;
} tut_pmemo;

#define TUT_PVAL_UNSET UINT32_MAX

void tut_pmemo_init(tut_pmemo *m, tut_pheap *heap);
void tut_pmemo_done(tut_pmemo *m);
/* Takes the reference; overwrites what was there. */
void tut_pmemo_put(tut_pmemo *m, uint64_t index, tut_pval value);
/* Borrowed, or TUT_PVAL_UNSET. TUT_PV_LOST when it may have been forgotten. */
tut_pval tut_pmemo_get(const tut_pmemo *m, uint64_t index);

#endif
