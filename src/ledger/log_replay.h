/* Reading a journal back into memory, and judging how it ends. */
#ifndef TUT_LEDGER_LOG_REPLAY_H
#define TUT_LEDGER_LOG_REPLAY_H

#include "ledger/log_internal.h"

typedef struct tut_replay {
    tut_buf bytes; /* of the journal; notes borrow from it */
    tut_journal_head head;
    tut_str last_note; /* of the last whole frame, or of the head */
    size_t torn_at;    /* where whole frames end, when is_torn */
    bool is_torn;
    char torn_text[128];
} tut_replay;

void tut_replay_done(tut_replay *r);
/* Reads DIR/journal into r and what it holds into the log's memory. STORE for damage that no crash
 * leaves. A torn last frame is left out, and is_torn says so. *ret_exists: false when there is no
 * journal. */
TUT_MUST tut_status tut_log_replay(tut_log *log, tut_replay *r, bool *ret_exists, tut_error *err);
/* The same without the log's memory: reads the file, then calls `visit` for every boundary (the
 * base, then the end of each frame) with the root that the entries give and the note that was
 * signed. */
typedef tut_status (*tut_replay_visit)(void *ctx, uint64_t size, const tut_sha256 *root,
                                       tut_str note, tut_error *err);
TUT_MUST tut_status tut_replay_frames(const tut_log *log, tut_replay *r, tut_replay_visit visit,
                                      void *ctx, tut_error *err);

#endif
