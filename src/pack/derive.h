/*
 * The files of a pack that follow from its records: reports, VERIFY.txt, keys, policies. Who builds
 * a pack writes them; who verifies it makes them again and compares.
 */
#ifndef TUT_PACK_DERIVE_H
#define TUT_PACK_DERIVE_H

#include "pack/image.h"
#include "pack/manifest.h"

/* `bytes` live until the visitor returns. */
typedef tut_status (*tut_pack_add)(void *ctx, const char *name, tut_span bytes, tut_error *err);

/* In no order. `a` is the assessment of then; of the manifest only the head is read. */
TUT_MUST tut_status tut_pack_derive(const tut_pack_image *image, const tut_assessment *a,
                                    const tut_pack_manifest *head, tut_pack_add add, void *ctx,
                                    tut_error *err);

/* text.c: what a person who was given a pack has to know. */
void tut_pack_text(const tut_pack_manifest *head, const tut_assessment *a, tut_buf *out);

#endif
