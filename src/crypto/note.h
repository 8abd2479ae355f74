/*
 * C2SP signed notes, verifier keys, checkpoints and cosignatures.
 *   c2sp.org/signed-note, c2sp.org/tlog-checkpoint, c2sp.org/tlog-cosignature
 */
#ifndef TUT_CRYPTO_NOTE_H
#define TUT_CRYPTO_NOTE_H

#include "base/time.h"
#include "crypto/key.h"

enum {
    TUT_NOTE_NAME_MAX = 256,
    TUT_NOTE_SIGNATURES_MAX = 64,
    TUT_NOTE_BYTES_MAX = 1 << 20,
    TUT_CHECKPOINT_EXTENSIONS_MAX = 8
};

typedef enum tut_note_algorithm {
    TUT_NOTE_ED25519 = 1,
    TUT_NOTE_ECDSA = 2,       /* key id is SHA-256(SPKI DER)[:4]; Rekor */
    TUT_NOTE_COSIGNATURE = 4, /* Ed25519 cosignature/v1 */
    TUT_NOTE_OTHER = 0
} tut_note_algorithm;

/* A public key with its name: what a vkey says. */
typedef struct tut_verifier {
    char name[TUT_NOTE_NAME_MAX];
    uint32_t id;
    tut_note_algorithm algorithm;
    tut_pubkey *key; /* owned */
} tut_verifier;

/* "name+8hex+base64(type || key)". MALFORMED; the id is recomputed and compared. */
TUT_MUST tut_status tut_verifier_parse(tut_str vkey, tut_verifier *ret, tut_error *err);
TUT_MUST tut_status tut_verifier_of(const char *name, tut_note_algorithm algorithm,
                                    const tut_pubkey *key, tut_verifier *ret, tut_error *err);
void tut_verifier_write(const tut_verifier *v, tut_buf *out); /* the vkey, without newline */
void tut_verifier_done(tut_verifier *v);

typedef struct tut_note_signature {
    tut_str name;
    uint32_t id;
    tut_str base64; /* id and signature, as in the line */
    tut_buf bytes;  /* the signature, without the id; owned */
} tut_note_signature;

typedef struct tut_note {
    tut_str text;                   /* with its final LF; borrowed from the bytes parsed */
    tut_note_signature *signatures; /* owned */
    size_t signature_count;
} tut_note;

TUT_MUST tut_status tut_note_parse(tut_str bytes, tut_note *ret_note, tut_error *err);
void tut_note_done(tut_note *note);
/* Unknown (name, id) pairs are ignored; a known one that does not verify rejects the note (CRYPTO),
 * and at least `least` different signers must be known and good. ret_good (may be NULL, `count`
 * flags) tells which verifiers signed; ret_times (may be NULL) the time of each one's cosignature,
 * the earliest where it made several. */
TUT_MUST tut_status tut_note_verify(const tut_note *note, const tut_verifier *verifiers,
                                    size_t count, size_t least, bool *ret_good, tut_time *ret_times,
                                    tut_error *err);

/* Appends "— name base64\n" for one signer. For TUT_NOTE_COSIGNATURE `at` is the time signed. */
TUT_MUST tut_status tut_note_sign(const char *name, tut_note_algorithm algorithm,
                                  const tut_key *key, tut_str text, tut_time at, tut_buf *out,
                                  tut_error *err);

typedef struct tut_checkpoint {
    tut_str origin; /* borrowed from the text */
    uint64_t size;
    tut_sha256 root;
    tut_str extensions[TUT_CHECKPOINT_EXTENSIONS_MAX];
    size_t extension_count;
} tut_checkpoint;

TUT_MUST tut_status tut_checkpoint_parse(tut_str text, tut_checkpoint *ret, tut_error *err);
void tut_checkpoint_write(const tut_checkpoint *c, tut_buf *out); /* text with final LF */

#endif
