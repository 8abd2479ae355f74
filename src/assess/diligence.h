/*
 * Due diligence on assets from outside: a document about one asset at its present digest, examined
 * for what it has to say, accepted by somebody until a date.
 */
#ifndef TUT_ASSESS_DILIGENCE_H
#define TUT_ASSESS_DILIGENCE_H

#include "assess/assessment.h"
#include "assess/form.h"

/* The want of this clause that documents about single assets decide, or NULL. */
const tut_want *tut_clause_asset_want(const tut_clause *clause);
/* Whether the want asks for this asset. */
bool tut_want_asks(const tut_want *want, tut_asset_kind kind, tut_str origin, tut_str sensitivity,
                   bool is_shared);

typedef struct tut_diligence {
    const tut_clause *clause;
    const tut_want *want;
    const tut_inventory_item *item; /* the asset as it is now */
    const char *statement;          /* NULL: one is made */
    const char *by, *file;
    tut_time at;
    tut_time expires; /* 0: as the document says; else the earlier of both */
    const tut_key *signer;
} tut_diligence;

/* Examines the document and records it. USAGE, with what lacks, when it does not say what it has
 * to, or speaks of another asset, provision, person or digest; d->expires is then when it ends. */
TUT_MUST tut_status tut_diligence_record(const char *state_dir, tut_diligence *d,
                                         uint64_t *ret_index, tut_error *err);

/* The form, filled in as far as the inventory and the log know. state_dir: NULL when nothing was
 * recorded. */
TUT_MUST tut_status tut_diligence_template(const tut_diligence *d, const tut_inventory *inv,
                                           const char *state_dir, tut_buf *out, tut_error *err);

#endif
