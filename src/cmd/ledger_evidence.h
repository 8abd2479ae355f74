/* The evidence log of the described system, open for reading: for commands that let others vouch
 * for it. */
#ifndef TUT_CMD_LEDGER_EVIDENCE_H
#define TUT_CMD_LEDGER_EVIDENCE_H

#include "cmd/command.h"
#include "ledger/log.h"
#include "ledger/record.h"

typedef struct tut_ledger_evidence {
    tut_ledger *ledger;
    tut_log *log; /* borrowed from the ledger */
    char *dir;    /* .tutela/ledger/evidence */
} tut_ledger_evidence;

/* USAGE outside a described system, and while the log has no entries. */
TUT_MUST tut_status tut_ledger_evidence_open(const tut_args *args,
                                             tut_ledger_evidence *ret_evidence, tut_error *err);
void tut_ledger_evidence_done(tut_ledger_evidence *e);

/* A file of PEM certificates, or another small file that a user names. */
TUT_MUST tut_status tut_ledger_read_file(const char *path, size_t max_bytes, tut_buf *out,
                                         tut_error *err);

#endif
