/* What the commands that look at the ledger share: opening it, and showing entries. */
#ifndef TUT_CMD_LEDGER_VIEW_H
#define TUT_CMD_LEDGER_VIEW_H

#include "base/json_write.h"
#include "cmd/command.h"
#include "ledger/entry.h"
#include "ledger/log.h"
#include "ledger/record.h"
#include "state/place.h"

typedef struct tut_ledger_view {
    char *state;
    tut_ledger *ledger; /* NULL: the traffic log is looked at, */
    tut_place place;    /* which lies here */
    tut_log *log;
} tut_ledger_view;

#define TUT_LEDGER_LOG_OPTION                                                                      \
    {                                                                                              \
        "--log", TUT_OPTION_VALUE, "evidence|traffic", "which log; default evidence"               \
    }

/* The state of --state, or of the described system. Caller frees. USAGE when there is none. */
TUT_MUST tut_status tut_ledger_view_find(const tut_args *args, char **ret_state, tut_error *err);
/* Opened for reading. USAGE when nothing was recorded. */
TUT_MUST tut_status tut_ledger_view_open(const tut_args *args, tut_ledger_view *ret,
                                         tut_error *err);
/* The traffic log, likewise. */
TUT_MUST tut_status tut_ledger_view_open_traffic(const tut_args *args, tut_ledger_view *ret,
                                                 tut_error *err);
/* The one that --log names. */
TUT_MUST tut_status tut_ledger_view_open_named(const tut_args *args, tut_ledger_view *ret,
                                               tut_error *err);
const char *tut_ledger_view_origin(const tut_ledger_view *v); /* of the log */
void tut_ledger_view_done(tut_ledger_view *v);

/* A number, or "last". */
TUT_MUST tut_status tut_ledger_view_place(const char *text, uint64_t size, uint64_t *ret_place,
                                          tut_error *err);

/* One entry, proved to be in the tree. */
typedef struct tut_shown_entry {
    uint64_t index;
    tut_buf bytes;
    tut_sha256 leaf;
    tut_arena arena;
    tut_entry entry;
    const tut_record *record; /* with its signers; NULL: no record of ours, or of the other log */
} tut_shown_entry;
TUT_MUST tut_status tut_shown_entry_read(tut_log *log, uint64_t index, const tut_records *records,
                                         tut_shown_entry *ret, tut_error *err);
void tut_shown_entry_done(tut_shown_entry *e);
void tut_shown_entry_json(const tut_shown_entry *e, tut_json *j);
void tut_shown_entry_text(const tut_shown_entry *e, const tut_term *term, tut_buf *out);

/* Opens a document of schema tutela.ledger/1 with the log's origin, size and root in its summary,
 * which is left open for more. */
void tut_ledger_head(tut_json *j, const char *origin, uint64_t size, const tut_sha256 *root);
/* The whole document of one entry, with its line end. */
TUT_MUST tut_status tut_ledger_view_entry_json(const tut_ledger_view *v, const tut_shown_entry *e,
                                               tut_buf *out, tut_error *err);
/* Files that people name: read whole; "-" is standard input. */
TUT_MUST tut_status tut_ledger_view_file(const char *path, size_t max, tut_buf *out,
                                         tut_error *err);
/* To FILE (never over one that is there), or to standard output when it is NULL or "-". Returns the
 * exit status. */
int tut_ledger_view_write(const char *path, const tut_buf *bytes, int exit_status);

#endif
