/* Where the ledger of the described system is, with its keys: for commands that write to it. */
#ifndef TUT_CMD_LEDGER_PLACE_H
#define TUT_CMD_LEDGER_PLACE_H

#include "cmd/command.h"
#include "ledger/sequencer.h"

typedef struct tut_ledger_place {
    char *state; /* .tutela */
    char *origin;
    char *producer; /* of this run: the command and random digits */
    tut_keystore *keys;
    tut_secret_source secret;
} tut_ledger_place;

/* Begins the ledger (origin, keys, first entry) where there is none. USAGE outside a described
 * system. The passphrase of the log key is that of --passphrase-file, or is asked for. */
TUT_MUST tut_status tut_ledger_place_find(const tut_args *args, tut_ledger_place *ret_place,
                                          tut_error *err);
void tut_ledger_place_done(tut_ledger_place *place);
tut_sequencer_options tut_ledger_place_options(const tut_ledger_place *place);

#define TUT_OPTION_PASSPHRASE_FILE                                                                 \
    {                                                                                              \
        "--passphrase-file", TUT_OPTION_VALUE, "FILE",                                             \
            "passphrase or PIN of the log key, in its first line"                                  \
    }

#endif
