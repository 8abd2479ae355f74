/*
 * `pack import`: a provider's pack, verified, becomes evidence of due diligence on what comes from
 * that provider (5.1.2-7): "supplier.due-diligence", by EXAMINE, about each named asset at its
 * present digest, signed by whoever examined it.
 *
 * What the pack is worth decides the result:
 *   fail         a duty (shall) is not met there now, or the grade is E or F
 *   pass         none is, and there is a grade; or there is none, as too little was checked there,
 *                and the examiner says why that is enough for him
 *   refused      it does not verify; nothing but its own keys vouches for it; none of its evidence
 *                counts any more
 * It holds until the first of the pack's evidence that counts runs out, and for 365 days at most.
 */
#ifndef TUT_PACK_IMPORT_H
#define TUT_PACK_IMPORT_H

#include "assets/system.h"
#include "crypto/key.h"
#include "pack/verify.h"

#define TUT_PACK_IMPORT_CLAUSE "5.1.2-7"

typedef struct tut_pack_import {
    const char *state_dir, *path;
    const tut_pack_trust *trust;
    const tut_inventory_item *const *items; /* the assets, as they are now */
    size_t item_count;
    const char *by;
    const tut_key *signer; /* NULL: self-declared */
    const char *accepted;  /* why too little checked is enough, or NULL */
    tut_time at;
} tut_pack_import;

typedef struct tut_pack_imported {
    tut_result result;
    tut_time expires;
    uint64_t first; /* entry of the first asset; the others follow */
    char *words;    /* what was found, in one sentence */
    size_t known;   /* assets whose very bytes the pack speaks of */
} tut_pack_imported;
void tut_pack_imported_done(tut_pack_imported *i);

/* DENIED when the trust names no log, or the pack is refused, with the reason; nothing is
 * recorded then. */
TUT_MUST tut_status tut_pack_import_record(const tut_pack_import *how, tut_pack_imported *ret,
                                           tut_error *err);

#endif
