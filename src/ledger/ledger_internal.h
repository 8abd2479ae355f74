/* What the files of the ledger's face share. */
#ifndef TUT_LEDGER_LEDGER_INTERNAL_H
#define TUT_LEDGER_LEDGER_INTERNAL_H

#include "ledger/entry.h"
#include "ledger/ledger_given.h"
#include "ledger/record_internal.h"
#include "ledger/sequencer.h"

struct tut_ledger {
    char *state_dir;
    char *bodies;     /* path of bodies/ */
    char *evidence;   /* path of ledger/evidence */
    char *origin;     /* NULL before the first opening for writing */
    char *log_origin; /* ORIGIN/evidence */
    char *anchor;     /* file beside the keys, or NULL */
    bool is_writing;
    bool has_unsynced_bodies; /* the next append waits for them first */
    bool is_log_old;          /* something was appended since `log` was opened */
    tut_keystore *keys;       /* NULL: not on this machine */
    tut_key *tool_key;
    tut_sequencer *sequencer;
    tut_log *log;
    const tut_ledger_source *source; /* NULL: the state directory */
    char producer[TUT_ENTRY_PRODUCER_MAX];
    uint64_t seq;
};

/* Records that cannot be reached are not the same as none. */
TUT_MUST tut_status tut_ledger_look(const char *path, bool *ret_exists, tut_error *err);
/* A new key of the tool waits: it takes its place if the log names it. */
TUT_MUST tut_status tut_ledger_finish_tool(tut_ledger *l, tut_error *err);

#endif
