/*
 * A producer that never waits: for a server's worker, which has other things to do while the disk
 * is busy. What is put is sent in batches to the sequencer behind STATE/ledger/socket, and kept
 * until it is durable; while nobody answers there it waits in memory, and is sent to whoever does.
 *
 * Sequence numbers: each connection is a producer of its own, "PREFIX/N". Its first entry, of the
 * kind "guard.open", says whom it goes on for: {"continues":"PREFIX/N-1","from":SEQ}. So what was
 * sent twice, because the answer to the first time was lost, is known: it is what the earlier one
 * holds from SEQ on. The last entry of an orderly end is "guard.close". A producer that neither
 * closed nor was continued has a tail that nobody knows.
 */
#ifndef TUT_LEDGER_FEED_H
#define TUT_LEDGER_FEED_H

#include "ledger/sequencer.h"

enum { TUT_FEED_RETRY_MS = 100 };
#define TUT_FEED_OPEN "guard.open"
#define TUT_FEED_CLOSE "guard.close"

typedef struct tut_feed tut_feed;

/* Connects at the first turn. Texts are copied. about: one JSON object for the opening entries. */
TUT_MUST tut_status tut_feed_new(const char *state_dir, const char *origin, const char *prefix,
                                 tut_str about, tut_feed **ret_feed, tut_error *err);
/* At once: what is not durable may be lost. */
void tut_feed_free(tut_feed *feed);
TUT_DEFINE_AUTO(tut_feed)

/* kind: constant. The payload is one JSON object without space around it; copied. *ret_ticket
 * counts from 1. LIMIT when more than most_bytes wait already. */
TUT_MUST tut_status tut_feed_put(tut_feed *feed, const char *kind, tut_str payload,
                                 uint64_t *ret_ticket, tut_error *err);
/* Sends, takes answers, connects anew when it is time. Never waits. */
void tut_feed_turn(tut_feed *feed, uint64_t now_ms);
/* The same, but what was not sent waits for a turn: many at once cost less than one by one. */
void tut_feed_listen(tut_feed *feed, uint64_t now_ms);
/* Everything up to this ticket is on the disk, within a tree that was signed. */
uint64_t tut_feed_durable(const tut_feed *feed);
uint64_t tut_feed_last(const tut_feed *feed); /* ticket */
size_t tut_feed_waiting_bytes(const tut_feed *feed);
/* Whoever waits for events of this descriptor calls turn; -1: not connected. It changes. */
int tut_feed_fd(const tut_feed *feed);
bool tut_feed_wants_write(const tut_feed *feed);
/* Since when nothing was taken although something waits; 0: all is well. */
uint64_t tut_feed_stalled_since(const tut_feed *feed);
const char *tut_feed_why(const tut_feed *feed); /* it is so; "" */
/* Says that nothing more comes, and waits until all is durable, at most so long. */
TUT_MUST tut_status tut_feed_close(tut_feed **feed, int timeout_ms, tut_error *err);

#endif
