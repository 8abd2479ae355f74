/* What the commands of the version store share: the described system, and assets by their names. */
#ifndef TUT_CMD_STORED_H
#define TUT_CMD_STORED_H

#include "assess/tool.h"
#include "assets/system.h"
#include "cmd/command.h"
#include "ledger/record.h"

typedef struct tut_stored {
    char *dir, *state;
    tut_system *system; /* NULL where tutela.yaml is lost; else as it lies there */
    tut_record who;     /* actor and tool, for events */
    tut_progress progress;
    uint64_t done_bytes;
    const char *label;
} tut_stored;

/* needs_system: its absence is USAGE; else the state alone will do, and that is looked for below
 * the current directory. */
TUT_MUST tut_status tut_stored_open(const tut_args *args, bool needs_system, tut_stored *ret,
                                    tut_error *err);
void tut_stored_done(tut_stored *s);
/* The asset of that id or path: USAGE with a suggestion. */
TUT_MUST tut_status tut_stored_asset(const tut_stored *s, const char *word,
                                     const tut_asset **ret_asset, tut_error *err);
/* A tut_store_progress over a tut_stored. */
void tut_stored_progress(void *ctx, uint64_t bytes);

#endif
