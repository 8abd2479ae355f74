/*
 * Being a witness (C2SP tlog-witness, tlog-cosignature): remembers the latest checkpoint of each
 * log that it was told to watch, and cosigns a newer one only when it is signed by the log and
 * proved to contain the remembered tree. A log that was rolled back, or shows two trees, gets no
 * cosignature.
 *
 * State is one file a log, DIR/HEX of SHA-256 of its origin: the checkpoint with the log's and our
 * signatures. It is durable before a cosignature leaves. One process at a time has a DIR.
 */
#ifndef TUT_LEDGER_WITNESS_H
#define TUT_LEDGER_WITNESS_H

#include "crypto/note.h"

typedef struct tut_witness tut_witness;

typedef struct tut_witness_options {
    const char *dir;          /* made when missing (0700) */
    const char *name;         /* of the cosigner: a URL without scheme, "witness.example/w1" */
    const tut_key *key;       /* Ed25519; used for nothing else; outlives the witness */
    const tut_verifier *logs; /* a key's name is the log's origin; several keys of one log are
                                 possible; copied */
    size_t log_count;
    tut_time (*now)(void); /* NULL: the clock */
} tut_witness_options;

/* STORE when what is remembered does not carry our own cosignature, or another process has DIR. */
TUT_MUST tut_status tut_witness_open(const tut_witness_options *options, tut_witness **ret_witness,
                                     tut_error *err);
void tut_witness_free(tut_witness *w);
TUT_DEFINE_AUTO(tut_witness)
/* Appends the verifier key that others configure: "name+id+base64". */
void tut_witness_vkey(const tut_witness *w, tut_buf *out);

/* An answer in terms of HTTP. The text of `why` is for the witness's own log. */
typedef struct tut_witness_answer {
    int status; /* 200 400 403 404 409 422 500 */
    const char *content_type;
    tut_buf body;
    tut_error why;
    char origin[TUT_NOTE_NAME_MAX]; /* as far as it was read; untrusted unless 200 */
    uint64_t size;
} tut_witness_answer;
void tut_witness_answer_done(tut_witness_answer *a);

/* add-checkpoint: everything that can go wrong is an answer. */
void tut_witness_add_checkpoint(tut_witness *w, tut_span body, tut_witness_answer *ret_answer);
/* GET /HEX/checkpoint: `hex` is the log's origin hash. */
void tut_witness_get_checkpoint(tut_witness *w, tut_str hex, tut_witness_answer *ret_answer);

#endif
