/*
 * What torch.save wrote before 1.6, and still writes on request:
 *
 *   file = magic-pickle version-pickle system-pickle object-pickle keys-pickle { storage }
 *   storage = count:i64le, count * element size bytes      in the order of the keys
 *
 * The object refers to its storages by persistent ids, which say type and size of each.
 */
#ifndef TUT_FORMATS_TORCH_LEGACY_H
#define TUT_FORMATS_TORCH_LEGACY_H

#include "formats/pickle_machine.h"

enum { TUT_PLEGACY_PROTOCOL = 1001 };

typedef struct tut_plegacy_storage {
    uint64_t key; /* hash of the key */
    uint64_t count;
    uint32_t element_bytes;
    const char *dtype; /* a literal, or NULL */
} tut_plegacy_storage;

typedef struct tut_plegacy {
    tut_plegacy_storage *items; /* sorted by key once tut_plegacy_skip has begun */
    size_t count, capacity;
    bool is_cut; /* more storages than we note */
} tut_plegacy;

void tut_plegacy_done(tut_plegacy *l);
/* 0x1950a86a20f9469cfc6c */
bool tut_plegacy_is_magic(const tut_pmachine *m, tut_pval v);
/* Skips the raw storages that follow; `keys` is the list from the fifth pickle, in m's heap.
 * *ret_ok: all were there and as long as said; else what is wrong has been observed, and the
 * position is where it went wrong. */
TUT_MUST tut_status tut_plegacy_skip(tut_plegacy *l, tut_pmachine *m, tut_pval keys, bool *ret_ok);

#endif
