/*
 * The evidence log of a pack in memory: all entries, and the first of them as the log was at the
 * time of the verdict. Who builds a pack and who verifies it evaluate the same way, over this.
 *
 * As of a time T the log has its entries up to the last one that was recorded by T; those at the
 * end that only say that a pack was built do not count, so that the same pack comes out of the same
 * facts.
 */
#ifndef TUT_PACK_IMAGE_H
#define TUT_PACK_IMAGE_H

#include "assess/assessment.h"
#include "ledger/ledger_given.h"
#include "ledger/read_signers.h"

#define TUT_PACK_BUILT_EVENT "pack.built"

enum { TUT_PACK_NAME = 96 };

typedef struct tut_pack_image {
    tut_log *log;  /* all of it, with its checkpoint */
    tut_log *then; /* as of the time of the verdict, once that was said */
    tut_checked *checked;
    char *origin;
    tut_ledger_source sources[2];
    tut_ledger *ledger;      /* over `log` */
    tut_ledger *ledger_then; /* over `then` */
} tut_pack_image;

/* bundles and checkpoint as for tut_log_given; body, beside and ctx as in tut_ledger_source. The
 * image must not move afterwards. */
TUT_MUST tut_status tut_pack_image_open(tut_pack_image *image, const char *origin, tut_span bundles,
                                        uint64_t count, tut_str checkpoint,
                                        const tut_ledger_source *source, tut_error *err);
void tut_pack_image_done(tut_pack_image *image);

/* How many entries the log had at this time. */
TUT_MUST tut_status tut_pack_size_at(tut_log *log, tut_time at, uint64_t *ret_size, tut_error *err);
/* Says the time: `then` and `ledger_then` are there from now on. */
TUT_MUST tut_status tut_pack_image_at(tut_pack_image *image, uint64_t size, tut_error *err);
/* The verdict of then, as of `at`. `records`: those of an assessment of this image, which has to
 * live longer; NULL: they are read. */
TUT_MUST tut_status tut_pack_image_evaluate(const tut_pack_image *image,
                                            const tut_tool_digests *tool, tut_time at,
                                            tut_records *records, tut_assessment **ret,
                                            tut_error *err);

/* Numbers of the entries that the controls of an assessment used, ascending. Caller frees. */
TUT_MUST tut_status tut_pack_used(const tut_assessment *a, uint64_t **ret_entries,
                                  size_t *ret_count, tut_error *err);

/* Every tile that a mirror of a log of this size has, bundles (level -1) among them; ends at the
 * first failure. */
typedef tut_status (*tut_pack_tile_visit)(void *ctx, int level, uint64_t n, unsigned width,
                                          tut_error *err);
TUT_MUST tut_status tut_pack_tiles(uint64_t size, tut_pack_tile_visit visit, void *ctx,
                                   tut_error *err);

/* "log/tile/0/x001/234", "evidence/0000000042.json", "bodies/HEX" */
void tut_pack_tile_name(int level, uint64_t n, unsigned width, char out[TUT_PACK_NAME]);
void tut_pack_evidence_name(uint64_t entry, const char *ending, char out[TUT_PACK_NAME]);
void tut_pack_body_name(const tut_sha256 *digest, char out[TUT_PACK_NAME]);

#endif
