/*
 * The inside of a log, shared by its files:
 *   log_io       calls that change the disk      log_journal  bytes of the journal
 *   log_anchor   the anchor file                 log_tiles    tiles and bundles on the disk
 *   log_memory   what came after the base        log_open     opening, replay, closing
 *   log_append   appending, signing              log_fold     tiles written, journal renewed
 *   log_prove    roots and proofs                log_read     entries
 *   log_match    tiles compared with memory      log_replay   the journal read back
 *   log_binder   the structure bound in          log_verify   everything looked at
 *   log_prune    what may go
 *
 * The base is the size at which the journal begins. What is below it was synced and is read from
 * tiles; what came after is in memory, and in tiles as far as they are folded.
 */
#ifndef TUT_LEDGER_LOG_INTERNAL_H
#define TUT_LEDGER_LOG_INTERNAL_H

#include "ledger/log.h"
#include "ledger/log_anchor.h"
#include "ledger/log_io.h"
#include "ledger/log_journal.h"
#include "ledger/log_tile_name.h"

enum {
    TUT_TILE_LEVELS = 8, /* of 8 levels of the tree each: 64 */
    TUT_TILE_BYTES = TUT_LOG_TILE_WIDTH * TUT_SHA256_BYTES,
    TUT_TILE_SLOTS = 16,
    TUT_BUNDLE_BYTES_MAX = TUT_LOG_TILE_WIDTH * (2 + TUT_LOG_ENTRY_MAX)
};

#define TUT_LOG_TEMP ".tmp"
#define TUT_LOG_JOURNAL "journal"
#define TUT_LOG_CHECKPOINT "checkpoint"
#define TUT_LOG_PRUNED "pruned"

/* Hashes of one tile level, from the start of the tile that holds the base on. */
typedef struct tut_log_level {
    uint64_t start;
    tut_sha256 *hashes;
    size_t count, cap;
} tut_log_level;

/* Full tiles of one level, each proved against the tree when it was read. */
typedef struct tut_tile_slot {
    bool is_used;
    uint64_t n;
    tut_sha256 hashes[TUT_LOG_TILE_WIDTH];
} tut_tile_slot;

typedef struct tut_bundle {
    bool is_used;
    uint64_t n;
    tut_buf bytes;
    uint32_t count;
    size_t at[TUT_LOG_TILE_WIDTH + 1]; /* entry i is at[i] + 2 up to at[i + 1] */
} tut_bundle;

struct tut_log {
    char *dir, *origin, *anchor_path;
    tut_log_signer *signers;
    size_t signer_count;
    const tut_verifier *verifiers;
    size_t verifier_count;
    tut_log_binder binder;
    bool has_binder, is_writing;
    bool has_failed; /* a write or sync failed: what is on the disk is known again after a reopen */
    int dirfd, lock_fd, journal_fd;
    tut_anchor anchor;

    uint8_t nonce[TUT_JOURNAL_NONCE];
    uint64_t journal_bytes;
    tut_merkle_range base, range;
    uint64_t folded; /* size of the tree that tiles and checkpoint show */
    uint64_t pruned, deleted;
    tut_buf note; /* signed checkpoint of range.size */
    tut_buf base_note;
    tut_buf frame;

    tut_log_level levels[TUT_TILE_LEVELS];
    bool has_edge;  /* the hashes and entries between the tiles' starts and the base are here */
    tut_buf edge;   /* bundle bytes of the entries from the base's bundle on, up to the base */
    tut_buf recent; /* bundle bytes of the entries since the base */
    size_t *recent_at;
    size_t recent_cap;

    tut_tile_slot *slots[TUT_TILE_LEVELS];
    tut_bundle bundle;
};

/* log_memory.c: room for count more entries, then adding without failure. */
TUT_MUST tut_status tut_log_memory_reserve(tut_log *log, size_t count, tut_error *err);
void tut_log_memory_add_leaf(tut_log *log, const tut_sha256 *leaf);
/* The last `count` entries, in bundle form; their leaves were added before. */
TUT_MUST tut_status tut_log_memory_add_entries(tut_log *log, tut_span entries, size_t count,
                                               tut_error *err);
/* Back to an earlier size and its range, at or above the base. */
void tut_log_memory_cut(tut_log *log, const tut_merkle_range *to);
/* The present size becomes the base. Only with the edge loaded. */
TUT_MUST tut_status tut_log_memory_rebase(tut_log *log, tut_error *err);
void tut_log_memory_start(tut_log *log, const tut_merkle_range *base);
void tut_log_memory_done(tut_log *log);
/* An entry at or above the base. */
tut_span tut_log_memory_entry(const tut_log *log, uint64_t index);
uint64_t tut_log_base(const tut_log *log);
/* The tree as it was at size, at or above the base; the levels hold the leaves. */
void tut_log_memory_range(const tut_log *log, uint64_t size, tut_merkle_range *ret);

/* log_tiles.c */
/* The directory of partial ones: "tile/0/x001/234.p". */
void tut_tile_partial_dir(int level, uint64_t n, char out[TUT_TILE_PATH]);
/* Widths of the partial files that are there, in no order; returns how many. */
unsigned tut_tile_partials(const tut_log *log, int level, uint64_t n,
                           uint8_t ret_widths[TUT_LOG_TILE_WIDTH]);
/* Appends the first `width` hashes or entries of a tile or bundle, from whichever file holds so
 * many. STORE when none does. */
TUT_MUST tut_status tut_tile_load(const tut_log *log, int level, uint64_t n, unsigned width,
                                  tut_buf *out, tut_error *err);
/* Offsets of the entries of a bundle: count of them and no byte more (when is_whole). at has
 * count + 1 places. MALFORMED. */
TUT_MUST tut_status tut_bundle_split(tut_span bytes, unsigned count, bool is_whole, size_t *at);
/* Loads what is between the tiles' starts and the base, proved against the base. */
TUT_MUST tut_status tut_log_load_edge(tut_log *log, tut_error *err);
/* Hash `index` of a tile level, and the ones behind it in its tile; borrowed until the next call.
 */
TUT_MUST tut_status tut_log_hashes(tut_log *log, unsigned level, uint64_t index,
                                   const tut_sha256 **ret_hashes, tut_error *err);
/* The bundle n below the base, each entry proved to hash to its leaf; borrowed until the next. */
TUT_MUST tut_status tut_log_bundle(tut_log *log, uint64_t n, const tut_bundle **ret,
                                   tut_error *err);

/* log_append.c */
/* Appends the text as a note, signed by every signer. */
TUT_MUST tut_status tut_log_sign_text(const tut_log *log, tut_str text, tut_buf *out,
                                      tut_error *err);
/* Signatures (when verifiers were given), origin and form of a signed checkpoint; STORE. */
TUT_MUST tut_status tut_log_check_note(const tut_log *log, tut_str note, tut_checkpoint *ret,
                                       tut_error *err);

/* log_fold.c */
/* Hashes of a tile, and entries of a bundle as one or two parts, as they are in memory: of tiles
 * that reach beyond the base. The edge is loaded. */
tut_span tut_log_hash_bytes(const tut_log *log, unsigned level, uint64_t n, unsigned width);
void tut_log_bundle_parts(const tut_log *log, uint64_t n, unsigned width, tut_span parts[2]);
/* Puts an empty journal in place that begins at the present size. */
TUT_MUST tut_status tut_log_begin_journal(tut_log *log, tut_error *err);

/* log_match.c: whether the tiles since the base are what they are to be. Spare partial ones that
 * are not are removed. */
TUT_MUST tut_status tut_log_tiles_match(tut_log *log, bool *ret_match, tut_error *err);

/* log_binder.c */
TUT_MUST tut_status tut_log_bind_open(tut_log *log, const tut_checkpoint *folded, tut_error *err);

/* log_prune.c */
TUT_MUST tut_status tut_log_pruned_load(tut_log *log, tut_error *err);
TUT_MUST tut_status tut_log_prune_finish(tut_log *log, tut_error *err);
TUT_MUST tut_status tut_log_prune_resign(const tut_log *log, tut_error *err);

#endif
