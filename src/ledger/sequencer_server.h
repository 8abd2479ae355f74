/*
 * The child: one process, one thread, one loop. It alone holds the log key.
 *
 *   poll -> read what peers sent -> check it and compose entries into the batch
 *        -> one append for each log, one wait for the disk -> answer in each peer's order
 */
#ifndef TUT_LEDGER_SEQUENCER_SERVER_H
#define TUT_LEDGER_SEQUENCER_SERVER_H

#include "ledger/heads.h"
#include "ledger/sequencer_internal.h"

/* --- the logs (sequencer_logs.c) --- */

typedef struct tut_seq_log {
    tut_log *log; /* NULL: not open yet, or given up after a failed write */
    char *dir, *origin, *anchor;
    tut_log_signer signers[2]; /* the second while the log key changes */
    size_t signer_count;
    tut_verifier verifier;
    tut_heads *heads; /* NULL: nothing is bound */
    tut_log_binder binder;
    uint64_t unfolded_bytes;       /* appended since tiles were last brought up */
    uint64_t dirty_ms, touched_ms; /* the first and the last append since then; 0: none */
    uint64_t failed_ms;            /* of the last failure; 0: none */
    tut_error why;                 /* what it was */
} tut_seq_log;

typedef struct tut_seq_logs {
    tut_seq_log logs[TUT_LOG_COUNT];
    char producer[64]; /* of what the sequencer itself writes, and the next number there: numbers
                          begin anew with each process, so its name does too */
    uint64_t own_seq;
} tut_seq_logs;

/* Nothing is opened but the evidence log. The keys are borrowed; `next` (may be NULL) signs too. */
TUT_MUST tut_status tut_seq_logs_open(tut_seq_logs *logs, const tut_sequencer_options *options,
                                      const tut_key *key, const tut_key *next, tut_error *err);
/* Opens the traffic log, where there is one, for both keys to sign what is signed there. */
TUT_MUST tut_status tut_seq_logs_resign_traffic(tut_seq_logs *logs, tut_error *err);
/* Opens the log when it is not open. IO and the like: nothing of this call is acknowledged. */
TUT_MUST tut_status tut_seq_logs_append(tut_seq_logs *logs, tut_log_name name,
                                        const tut_span *entries, size_t count, uint64_t *ret_first,
                                        tut_error *err);
/* Tiles and checkpoints of both; the traffic log's checkpoint goes into the evidence log. */
TUT_MUST tut_status tut_seq_logs_fold(tut_seq_logs *logs, tut_error *err);
/* Appends the signed checkpoint; nothing for a log without entries. */
TUT_MUST tut_status tut_seq_logs_checkpoint(tut_seq_logs *logs, tut_log_name name, tut_buf *out,
                                            tut_error *err);
/* Folds what is due by now; how many milliseconds until something will be, or -1. */
int tut_seq_logs_tend(tut_seq_logs *logs, uint64_t now_ms);
/* Folds and unlocks. */
TUT_MUST tut_status tut_seq_logs_close(tut_seq_logs *logs, tut_error *err);
void tut_seq_logs_done(tut_seq_logs *logs); /* without folding */

/* --- peers (sequencer_peer.c) --- */

typedef struct tut_seq_peer {
    int fd;
    tut_seq_peer_id id;
    bool is_control; /* whoever forked us: when it ends, we end */
    bool has_ended;  /* nothing more comes; what was read still counts */
    bool is_over;    /* nothing more is taken; closed when its answers are sent */
    bool is_gone;    /* closed at the next turn */
    tut_buf in, out;
    size_t in_at, out_at; /* taken, sent */
    size_t pending;       /* its answers in the batch */
    uint64_t in_ms;       /* since when a message is not whole; 0: none begun */
    uint64_t out_ms;      /* since when nothing could be sent; 0: nothing waits */
} tut_seq_peer;

TUT_MUST tut_status tut_seq_peer_new(int fd, const tut_seq_peer_id *id, tut_seq_peer **ret_peer);
void tut_seq_peer_free(tut_seq_peer *peer);
/* Reads what is there, at most up to `most` bytes held. */
void tut_seq_peer_read(tut_seq_peer *peer, size_t most);
void tut_seq_peer_flush(tut_seq_peer *peer, uint64_t now_ms);
/* Tells the reason and ends the connection. */
void tut_seq_peer_break(tut_seq_peer *peer, tut_code code, const char *text);
bool tut_seq_peer_has_room(const tut_seq_peer *peer); /* for more answers */
size_t tut_seq_peer_held(const tut_seq_peer *peer);   /* bytes read and not taken */

/* --- the batch (sequencer_batch.c) --- */

typedef struct tut_seq_answer {
    tut_seq_peer *peer; /* NULL: gone */
    tut_log_name log;
    size_t first, count; /* its entries in the batch */
    tut_code code;       /* not OK: refused, with `text` */
    char *text;
} tut_seq_answer;

typedef struct tut_seq_place {
    size_t at, len; /* in `bytes` */
} tut_seq_place;

typedef struct tut_seq_batch {
    tut_buf bytes; /* entries one after the other */
    tut_seq_place *places[TUT_LOG_COUNT];
    size_t counts[TUT_LOG_COUNT], capacities[TUT_LOG_COUNT];
    tut_seq_answer *answers; /* in the order of arrival */
    size_t answer_count, answer_capacity;
    tut_span *spans; /* scratch of the commit */
    size_t span_capacity;
    uint64_t since_ms; /* of the first answer */
} tut_seq_batch;

void tut_seq_batch_done(tut_seq_batch *batch);
bool tut_seq_batch_is_empty(const tut_seq_batch *batch);
bool tut_seq_batch_is_full(const tut_seq_batch *batch);
/* Takes in one APPEND of this peer, or its refusal. MALFORMED: the peer broke the protocol. */
TUT_MUST tut_status tut_seq_batch_add(tut_seq_batch *batch, tut_seq_peer *peer, tut_reader *body,
                                      const tut_seq_access *access, tut_error *err);
/* Writes the entries and every answer; the batch is empty then. */
void tut_seq_batch_commit(tut_seq_batch *batch, tut_seq_logs *logs);
void tut_seq_batch_forget(tut_seq_batch *batch, const tut_seq_peer *peer);

/* --- the client's side of a connection (sequencer_conn.c) --- */

typedef struct tut_seq_conn {
    int fd; /* -1: closed */
    tut_buf in, out;
    size_t in_at, out_at; /* taken, sent */
    bool was_told;        /* why the other side ends it: a BROKEN came */
} tut_seq_conn;

void tut_seq_conn_done(tut_seq_conn *conn);
/* Sends what it can without waiting. IO when the other side is gone. */
TUT_MUST tut_status tut_seq_conn_send(tut_seq_conn *conn, tut_error *err);
/* Sends and reads what it can; waits for either up to timeout_ms (-1: for ever). */
TUT_MUST tut_status tut_seq_conn_pump(tut_seq_conn *conn, int timeout_ms, tut_error *err);
/* Takes the next message that is here. *ret_has false: none. Its body lives until the next pump. */
TUT_MUST tut_status tut_seq_conn_take(tut_seq_conn *conn, tut_seq_frame *ret_frame, bool *ret_has,
                                      tut_error *err);
/* Waits for the next message; LIMIT after timeout_ms, CANCELLED after tut_interrupted(). */
TUT_MUST tut_status tut_seq_conn_wait(tut_seq_conn *conn, int timeout_ms, tut_seq_frame *ret_frame,
                                      tut_error *err);
/* The same for the way out: also after tut_interrupted(). */
TUT_MUST tut_status tut_seq_conn_wait_always(tut_seq_conn *conn, int timeout_ms,
                                             tut_seq_frame *ret_frame, tut_error *err);
/* Nobody but us, root, or the owner of the state may pose as its sequencer. */
bool tut_seq_is_trusted(int fd, const char *state_dir);
/* The first message: STORE when another origin is served there; what a BROKEN says. */
TUT_MUST tut_status tut_seq_read_welcome(tut_seq_frame *frame, const char *origin,
                                         bool *ret_was_told, tut_error *err);
/* Waits for the first message. STORE when another origin is served there. */
TUT_MUST tut_status tut_seq_conn_welcome(tut_seq_conn *conn, const char *origin, int timeout_ms,
                                         tut_error *err);

/* --- the log key (sequencer_rotate.c), in the child before it takes anything in --- */

typedef struct tut_seq_keys {
    tut_key *log;
    tut_key *next; /* while it is rotated, or a rotation is finished */
} tut_seq_keys;

TUT_MUST tut_status tut_seq_keys_open(const tut_sequencer_options *options, tut_seq_keys *ret,
                                      tut_error *err);
void tut_seq_keys_done(tut_seq_keys *keys);
/* Opens the logs, with the ledger locked: with the key that is the store's by now, and after what a
 * rotation left undone. */
TUT_MUST tut_status tut_seq_keys_open_logs(const tut_sequencer_options *options, tut_seq_keys *keys,
                                           tut_seq_logs *logs, tut_error *err);
/* Whether a token's module serves the child. */
bool tut_seq_keys_need_token(const tut_sequencer_options *options);

/* --- the process (sequencer_child.c, sequencer_start.c) --- */

typedef struct tut_seq_server {
    const tut_sequencer_options *options;
    int listener; /* -1: none */
    tut_seq_access access;
    tut_seq_logs logs;
    tut_seq_batch batch;
    tut_seq_peer *peers[TUT_LIMIT_SEQUENCER_PEERS + 1];
    size_t peer_count;
    const tut_seq_peer *large; /* the one that is sending a long message */
    uint64_t accept_ms;        /* no connection is taken before then; 0: at once */
    bool has_read;             /* something came in at this turn */
    bool is_ending;
} tut_seq_server;

/* Serves until the control peer ends. */
void tut_seq_server_run(tut_seq_server *server);

/* Forks the child and waits until it is ready; its own reason when it cannot be. `listener` (-1:
 * none) is borrowed. */
typedef struct tut_seq_child {
    pid_t pid; /* 0: none */
    tut_seq_conn conn;
} tut_seq_child;
TUT_MUST tut_status tut_seq_child_start(const tut_sequencer_options *options, int listener,
                                        tut_seq_child *ret_child, tut_error *err);
/* Ends it at once, if it runs, and forgets it. */
void tut_seq_child_kill(tut_seq_child *child);
/* Waits for its end. BUG, naming the signal, when it did not end by itself. */
TUT_MUST tut_status tut_seq_child_reap(tut_seq_child *child, tut_error *err);

/* Takes the place of a service, so that none can be or begin; until the descriptor is closed. STORE
 * when there is one. */
TUT_MUST tut_status tut_seq_claim_service(const char *state_dir, int *ret_fd, tut_error *err);

/* Where the socket of the ledger below state_dir is, as an address: long paths go through the
 * directory, which stays open as *ret_dirfd while the address is in use. */
struct sockaddr_un;
TUT_MUST tut_status tut_seq_address(const char *state_dir, const char *name,
                                    struct sockaddr_un *ret_address, int *ret_dirfd,
                                    tut_error *err);
#define TUT_SEQ_SOCKET "socket"

/* For tests: the process that a client forked for itself; 0: none. */
pid_t tut_sequencer_child(const tut_sequencer *client);

#endif
