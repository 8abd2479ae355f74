/*
 * One append-only Merkle log on disk, in the layout of C2SP tlog-tiles:
 *
 *   checkpoint                 signed note: origin, size, root, extension lines
 *   tile/L/N[.p/W]             hashes; tile/entries/N[.p/W]   entries, u16 length each
 *   journal                    entries not yet known to be durable in tiles (log_journal.h)
 *   pruned                     signed note: what was taken away
 *
 * An append writes one frame (entries, then the signed checkpoint that covers them, then a digest
 * of the frame) to the journal and waits for the disk once: an entry is acknowledged when its bytes
 * and the tree that holds it are durable. Folding writes tiles and checkpoint from the journal; the
 * journal is started anew only after the tiles are synced, so tiles can always be made again. A
 * torn last frame was never acknowledged and is cut off; anything else that does not fit is STORE,
 * named.
 *
 * One writer at a time (a lock on DIR/lock); any number of readers, without a lock.
 */
#ifndef TUT_LEDGER_LOG_H
#define TUT_LEDGER_LOG_H

#include "crypto/merkle.h"
#include "crypto/note.h"

enum { TUT_LOG_ENTRY_MAX = 65535, TUT_LOG_TILE_WIDTH = 256 };

typedef struct tut_log tut_log;

/* Bound into each checkpoint as one extension line: a second structure over the entries. */
typedef struct tut_log_binder {
    /* State as saved for exactly `size` entries, matching `line`; STORE when it cannot serve (then
     * `reset` and `extend` over all entries rebuild it). */
    tut_status (*load)(void *ctx, uint64_t size, tut_str line, tut_error *err);
    void (*reset)(void *ctx);
    /* Takes in entries first..first+count-1 and appends the line (no LF) for the new size. */
    tut_status (*extend)(void *ctx, uint64_t first, const tut_span *entries,
                         const tut_sha256 *leaves, size_t count, tut_buf *line, tut_error *err);
    tut_status (*save)(void *ctx, uint64_t size, tut_error *err);
    void *ctx;
} tut_log_binder;

typedef struct tut_log_signer {
    const char *name;
    const tut_key *key;
} tut_log_signer;

typedef struct tut_log_options {
    const char *dir;
    const char *origin;            /* first line of the checkpoint and name of the signer */
    const tut_log_signer *signers; /* writing: at least one; two while the log key rotates */
    size_t signer_count;
    const tut_verifier *verifiers; /* at least one known good signature is demanded when given */
    size_t verifier_count;
    const char *anchor;           /* file with the last signed size and root, or NULL */
    const tut_log_binder *binder; /* NULL: none */
} tut_log_options;

/* Opening for writing creates the log when there is none, and recovers. STORE when the tree is
 * smaller than the anchor or diverges from it (rollback, copied state), or is damaged; DENIED while
 * another process writes it; IO when there is none to read. Keys, verifiers and the binder's ctx
 * are borrowed until the log is closed. Not for several threads at once. */
TUT_MUST tut_status tut_log_open(const tut_log_options *options, bool for_writing,
                                 tut_log **ret_log, tut_error *err);
/* Folds, syncs the anchor, unlocks; *log is freed and NULL whatever happens. An error means that
 * tiles are behind the journal (the next opening for writing makes that good), not that anything
 * acknowledged is lost. */
TUT_MUST tut_status tut_log_close(tut_log **log, tut_error *err);
void tut_log_free(tut_log *log); /* without folding: what a crash would leave */
TUT_DEFINE_AUTO(tut_log)

/* Durable on return. All or none of the batch. After a failed write or sync the log refuses further
 * appends until it is opened again. LIMIT for an entry above TUT_LOG_ENTRY_MAX. */
TUT_MUST tut_status tut_log_append(tut_log *log, const tut_span *entries, size_t count,
                                   uint64_t *ret_first, tut_error *err);
/* Tiles and checkpoint brought up to the journal. */
TUT_MUST tut_status tut_log_fold(tut_log *log, tut_error *err);

/* The same, and the journal begins anew there: no earlier checkpoint is left on the disk. */
TUT_MUST tut_status tut_log_renew(tut_log *log, tut_error *err);
/* Before the log's key changes: what is signed (the present checkpoint, and how far the log is
 * pruned) is signed anew, by all signers that the log was opened with. */
TUT_MUST tut_status tut_log_resign(tut_log *log, tut_error *err);

uint64_t tut_log_size(const tut_log *log);
void tut_log_root(const tut_log *log, tut_sha256 *ret_root);
tut_str tut_log_checkpoint(const tut_log *log); /* the whole signed note; empty for an empty log */

/* What is given out is proved to be in the tree that was signed: the entry against its leaf, the
 * leaf with its tile against the root. DENIED below the pruning index; TRUNCATED at or beyond the
 * size; STORE when a tile is missing, short, or its entry does not hash to its leaf. */
TUT_MUST tut_status tut_log_entry(tut_log *log, uint64_t index, tut_buf *out, tut_error *err);
TUT_MUST tut_status tut_log_leaf(tut_log *log, uint64_t index, tut_sha256 *ret, tut_error *err);
/* The entry lives until the visitor returns, which must not ask the log for others meanwhile. */
typedef tut_status (*tut_log_visit)(void *ctx, uint64_t index, tut_span entry, tut_error *err);
TUT_MUST tut_status tut_log_each(tut_log *log, uint64_t first, uint64_t end, tut_log_visit visit,
                                 void *ctx, tut_error *err);
TUT_MUST tut_status tut_log_root_at(tut_log *log, uint64_t size, tut_sha256 *ret, tut_error *err);
/* proof has room for TUT_MERKLE_PROOF_MAX. */
TUT_MUST tut_status tut_log_prove_inclusion(tut_log *log, uint64_t index, uint64_t size,
                                            tut_sha256 *proof, size_t *ret_count, tut_error *err);
TUT_MUST tut_status tut_log_prove_consistency(tut_log *log, uint64_t old_size, uint64_t new_size,
                                              tut_sha256 *proof, size_t *ret_count, tut_error *err);

/* Reads every tile and entry and recomputes the tree. `found` is called for each thing that is
 * wrong: name ("tile", "entry", "checkpoint", "journal", "anchor", "pruned"), and one line that
 * says where. OK says that all was looked at, not that nothing was found. A writer may go on
 * meanwhile in another process. */
typedef void (*tut_log_found)(void *ctx, const char *name, const char *detail);
TUT_MUST tut_status tut_log_verify(tut_log *log, tut_log_found found, void *ctx, tut_error *err);
/* The log's key signs up to where it was pruned: what is gone without that is found missing. Of a
 * log that is kept for ever tut_log_pruned must be 0.
 *
 * Deletes entry bundles and full tiles wholly below `min`; roots and proofs at or above stay. */
TUT_MUST tut_status tut_log_prune(tut_log *log, uint64_t min, tut_error *err);
uint64_t tut_log_pruned(const tut_log *log); /* the least index that is there */

#endif
