/* What the sequencer's own files and their tests share: the wire, the access table, entries. */
#ifndef TUT_LEDGER_SEQUENCER_INTERNAL_H
#define TUT_LEDGER_SEQUENCER_INTERNAL_H

#include "base/limits.h"
#include "base/reader.h"
#include "base/time.h"
#include "ledger/entry.h"
#include "ledger/sequencer.h"

/* --- the wire (docs/ledger.md): u32le length of what follows, u8 type, body --- */

typedef enum tut_seq_type {
    /* from clients; each is answered once, in order */
    TUT_SEQ_APPEND = 1,     /* u8 log, u32le count, items */
    TUT_SEQ_CHECKPOINT = 2, /* u8 log */
    TUT_SEQ_FOLD = 3,
    TUT_SEQ_END = 4, /* the last message */
    /* to clients */
    TUT_SEQ_WELCOME = 65,  /* u32le version, sized origin */
    TUT_SEQ_APPENDED = 66, /* u32le count, u64le index each */
    TUT_SEQ_REFUSED = 67,  /* sized name of the code, sized text; the connection goes on */
    TUT_SEQ_NOTE = 68,     /* sized checkpoint, empty for an empty log */
    TUT_SEQ_DONE = 69,     /* of FOLD and END */
    TUT_SEQ_BROKEN = 70    /* as REFUSED; the connection ends */
} tut_seq_type;

enum { TUT_SEQ_VERSION = 1, TUT_SEQ_HEADER_BYTES = 5 };
#define TUT_SEQ_SEQ_MAX ((1ull << 53) - 1) /* what RFC 8785 can write */

typedef enum tut_seq_outcome { TUT_SEQ_WHOLE, TUT_SEQ_MORE, TUT_SEQ_BAD } tut_seq_outcome;

typedef struct tut_seq_frame {
    uint8_t type;
    tut_reader body;
    size_t used; /* bytes of the whole frame; with MORE: how many it will have, 0 not yet known */
} tut_seq_frame;

/* The frame at the start of these bytes. BAD: empty, or its body is longer than `most`. */
tut_seq_outcome tut_seq_frame_next(tut_span bytes, size_t most, tut_seq_frame *ret_frame);

typedef struct tut_seq_item {
    bool is_dsse;
    uint64_t seq;
    tut_str kind, producer;
    tut_span payload;
} tut_seq_item;

/* A frame that is being written: ends with tut_seq_close, which puts the length. */
size_t tut_seq_open(tut_buf *out, tut_seq_type type);
void tut_seq_close(tut_buf *out, size_t start);
void tut_seq_put_append(tut_buf *out, tut_log_name log, size_t count);
void tut_seq_put_item(tut_buf *out, const tut_seq_item *item);
void tut_seq_put_error(tut_buf *out, tut_seq_type type, tut_code code, const char *text);

/* MALFORMED with the reason. After the last item the body must be at its end. */
TUT_MUST tut_status tut_seq_get_append(tut_reader *body, tut_log_name *ret_log, size_t *ret_count,
                                       tut_error *err);
TUT_MUST tut_status tut_seq_get_item(tut_reader *body, tut_seq_item *ret_item, tut_error *err);
TUT_MUST tut_status tut_seq_get_log(tut_reader *body, tut_log_name *ret_log, tut_error *err);
TUT_MUST tut_status tut_seq_get_end(const tut_reader *body, tut_error *err);
/* The error that the message carries, as *ret_error; MALFORMED when it carries none. */
TUT_MUST tut_status tut_seq_get_error(tut_reader *body, tut_error *ret_error);

/* --- the access table (sequencer_access.c) --- */

typedef struct tut_seq_rule {
    bool is_any; /* '*' */
    uid_t uid;
    bool is_prefix;
    char kind[TUT_ENTRY_KIND_MAX + 1];
} tut_seq_rule;

typedef struct tut_seq_access {
    tut_seq_rule *rules;
    size_t count, capacity;
    bool is_rotating; /* nothing but the change of the log key is taken, which else is not */
} tut_seq_access;

/* MALFORMED or LIMIT, naming the line. */
TUT_MUST tut_status tut_seq_access_parse(tut_str text, tut_seq_access *ret_access, tut_error *err);
/* The table at `path`; where there is none, our own uid may append anything. A table that others
 * may write is DENIED. */
TUT_MUST tut_status tut_seq_access_load(const char *path, tut_seq_access *ret_access,
                                        tut_error *err);
void tut_seq_access_done(tut_seq_access *access);
bool tut_seq_access_allows(const tut_seq_access *access, uid_t uid, tut_str kind);
bool tut_seq_access_knows(const tut_seq_access *access, uid_t uid); /* some line names it */
bool tut_seq_access_names_others(const tut_seq_access *access, uid_t own);

/* --- entries (sequencer_entry.c) --- */

#define TUT_SEQ_OWN_KIND "traffic.checkpoint" /* written by the sequencer, and nobody else */

typedef struct tut_seq_peer_id {
    uid_t uid;
    gid_t gid;
    pid_t pid;
} tut_seq_peer_id;

/* Appends the entry to out. MALFORMED or LIMIT with the reason when it is not fit to be written;
 * `out` is as it was then. */
TUT_MUST tut_status tut_seq_entry_add(const tut_seq_item *item, const tut_seq_peer_id *peer,
                                      tut_time at, tut_buf *out, tut_error *err);

#endif
