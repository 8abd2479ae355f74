/*
 * The bytes of a log's journal. Integers are little-endian, except the lengths of entries, which
 * are those of an entry bundle, so that entries go into tiles as they are.
 *
 *   journal = head frame*
 *   head    = "TUTLOGJ1" u32 length, nonce[16], u64 base, node[32] for each set bit of base (level
 * 0 first), u32 note length, note (the signed checkpoint of `base`; empty for 0), digest frame   =
 * "TLF1" nonce[16] u32 length, u32 count, u64 first, u32 note length, check[8] (the first bytes of
 * SHA-256 of what stands before), count entries (u16be length, bytes), note (the signed checkpoint
 * of first + count), digest digest  = SHA-256 of the head or frame before it; length counts all of
 * it
 *
 * The nonce is drawn anew with each journal. Where it shows again behind a damaged frame, frames
 * were written behind it: so it was whole once, and was not torn by a crash.
 */
#ifndef TUT_LEDGER_LOG_JOURNAL_H
#define TUT_LEDGER_LOG_JOURNAL_H

#include "base/buf.h"
#include "base/reader.h"
#include "crypto/merkle.h"

enum { TUT_JOURNAL_NONCE = 16 };

typedef struct tut_journal_head {
    uint8_t nonce[TUT_JOURNAL_NONCE];
    tut_merkle_range range; /* of the base */
    tut_str note;           /* borrowed */
} tut_journal_head;

typedef struct tut_journal_frame {
    uint64_t first;
    uint32_t count;
    tut_span entries; /* in bundle form; exactly count of them */
    tut_str note;
} tut_journal_frame;

void tut_journal_head_write(const tut_journal_head *head, tut_buf *out);
/* STORE with the reason. */
TUT_MUST tut_status tut_journal_head_read(tut_reader *r, tut_journal_head *ret, tut_error *err);

/* A frame is written in two halves around the making of its note: begin (entries), then end. What
 * `out` holds is the frame alone. */
void tut_journal_frame_begin(const uint8_t nonce[TUT_JOURNAL_NONCE], uint64_t first,
                             const tut_span *entries, size_t count, tut_buf *out);
TUT_MUST tut_status tut_journal_frame_end(tut_buf *out, tut_str note, tut_error *err);
/* The entries within a frame begun, in bundle form. */
tut_span tut_journal_frame_entries(const tut_buf *begun);

/* TRUNCATED or MALFORMED for what a crash may leave of the last frame; STORE for what is whole but
 * wrong. r moves only on success. */
TUT_MUST tut_status tut_journal_frame_read(tut_reader *r, const uint8_t nonce[TUT_JOURNAL_NONCE],
                                           tut_journal_frame *ret, tut_error *err);
/* Whether a frame of this journal begins anywhere in these bytes. */
bool tut_journal_has_frame(tut_span bytes, const uint8_t nonce[TUT_JOURNAL_NONCE]);

#endif
