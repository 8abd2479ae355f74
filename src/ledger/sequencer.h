/*
 * The sequencer: the only process that holds the log key and writes the logs.
 *
 * It is a child forked by whoever needs it: `tutela ledger serve` for many clients over a unix
 * socket (STATE/ledger/socket), or a single command for its own life over a socketpair. Either way
 * it speaks one protocol, checks peer credentials against the access table, gives each entry its
 * place, signs, and answers when the batch is durable. Submissions that arrive while the disk is
 * busy, or within the window of the group commit, share one wait for the disk.
 *
 * Submission: which log, record kind ("scan.content", "guard.decision", ...), producer and its
 * sequence number, and a payload that is one JSON value: a Statement (event) or a DSSE envelope.
 * Entry written (RFC 8785, at most 65,535 bytes):
 *   {"at":TIME,"event"|"dsse":PAYLOAD,"kind":KIND,"peer":{"gid":N,"pid":N,"uid":N},
 *    "producer":NAME,"seq":N}
 *
 * Hostile peers: every message passes a bounded reader and limits on size and count; a peer that
 * breaks the protocol is told why and dropped; what it may append is the access table's word alone.
 */
#ifndef TUT_LEDGER_SEQUENCER_H
#define TUT_LEDGER_SEQUENCER_H

#include <sys/types.h>

#include "crypto/keystore.h"
#include "ledger/log.h"

typedef enum tut_log_name { TUT_LOG_EVIDENCE, TUT_LOG_TRAFFIC, TUT_LOG_COUNT } tut_log_name;
extern const char *const tut_log_names[TUT_LOG_COUNT]; /* "evidence", "traffic" */

typedef struct tut_sequencer_options {
    const char *state_dir; /* .tutela */
    const char *origin;    /* of the state; logs are ORIGIN/evidence and ORIGIN/traffic */
    const tut_keystore *keys;
    const tut_secret_source *secret; /* for a log key under a passphrase */
    const char *access; /* access table; NULL: KEYSTORE/access, and when absent only our uid */
    unsigned window_ms; /* group commit at most this long after the first submission; 0: at once */
    /* The log key changes: the key "log.next" of the store signs as well, and the one entry that is
     * taken is "log.rotated". The client has a child of its own then. The next child that starts,
     * for whomever, finds the entry signed by both keys and puts the new one in the place of the
     * old: so a rotation that was cut short is finished, or never happened. */
    bool is_rotating;
    const tut_secret_source *next_secret; /* for "log.next"; NULL: as `secret` */
} tut_sequencer_options;

/* Access table: lines "UID|* KIND-PATTERN", '*' at the end of a pattern matches any rest; '#'
 * begins a comment. No line matches: refused, the owner too. "traffic.checkpoint" is refused to
 * all: the sequencer writes it into the evidence log whenever it folds the traffic log; so is
 * "log.rotated", but while the log key changes. */

/* Serves until SIGTERM or SIGINT (tut_interrupt_install): forks the child, restarts it when it dies
 * (BUG after six deaths within a minute), answers on STATE/ledger/socket. STORE when another
 * service has the ledger. ready is called once. */
TUT_MUST tut_status tut_sequencer_serve(const tut_sequencer_options *options,
                                        void (*ready)(void *ctx, const char *socket), void *ctx,
                                        tut_error *err);

/* STORE where the log key is to change while a service holds it.
 *
 * A client: of the socket if a sequencer answers there (`keys` may be NULL then), else of a child
 * forked for our own life (waits up to 10 s for the lock, then STORE). The child is a fork: connect
 * while the process has one thread. A client is used by one thread at a time. */
typedef struct tut_sequencer tut_sequencer;
TUT_MUST tut_status tut_sequencer_connect(const tut_sequencer_options *options,
                                          tut_sequencer **ret_client, tut_error *err);
/* Waits for all that was submitted; a forked child folds the logs into tiles and ends. */
TUT_MUST tut_status tut_sequencer_close(tut_sequencer **client, tut_error *err);
void tut_sequencer_free(tut_sequencer *client); /* at once; what was not acknowledged may be lost */
TUT_DEFINE_AUTO(tut_sequencer)

typedef struct tut_submission {
    tut_log_name log;
    const char *kind;     /* at most 64 bytes of [a-z0-9._-] */
    const char *producer; /* at most 128 bytes of printable ASCII without quote and backslash */
    uint64_t seq;         /* from 0 without gaps for each name and log, below 2^53 */
    bool is_dsse;
    tut_span payload; /* exactly one JSON object, kept as it is */
} tut_submission;

/* Durable on return; ret_indexes (may be NULL) has count places. All of the call, side by side in
 * one log, or, on a refusal (DENIED by the access table, MALFORMED, LIMIT), none of it. IO, STORE,
 * BUG: nothing is acknowledged, and what was sent may be there or not. At most
 * TUT_LIMIT_SEQUENCER_ITEMS items and TUT_LIMIT_SEQUENCER_MESSAGE bytes. */
TUT_MUST tut_status tut_sequencer_append(tut_sequencer *client, const tut_submission *items,
                                         size_t count, uint64_t *ret_indexes, tut_error *err);
/* Without waiting: for producers that must not block; LIMIT when TUT_LIMIT_SEQUENCER_QUEUE bytes
 * wait already. Submissions are answered in order. tut_sequencer_poll takes the answers that are
 * there (timeout_ms: waits so long for some; -1: until all are) and tells how many entries of this
 * client are durable, in all. A refusal is its error, told once; the next call goes on. */
TUT_MUST tut_status tut_sequencer_submit(tut_sequencer *client, const tut_submission *item,
                                         tut_error *err);
TUT_MUST tut_status tut_sequencer_poll(tut_sequencer *client, int timeout_ms, uint64_t *ret_durable,
                                       tut_error *err);
/* The signed checkpoint of a log as of now. */
TUT_MUST tut_status tut_sequencer_checkpoint(tut_sequencer *client, tut_log_name log, tut_buf *out,
                                             tut_error *err);
/* Folds what the journals hold into tiles now. */
TUT_MUST tut_status tut_sequencer_fold(tut_sequencer *client, tut_error *err);

#endif
