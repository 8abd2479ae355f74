/*
 * Keys. A public key is immutable and cheap to pass around; a private key is a handle over one of
 * three backends (a PEM file, an SSH agent, a PKCS#11 token) and never shows its secret.
 *
 *   Ed25519             raw 64-byte signatures
 *   ECDSA P-256/384/521 ASN.1 DER signatures over SHA-256/384/512 of the message
 *   RSA                 verification only, PKCS#1 v1.5 with SHA-256 (time-stamp authorities, old
 *                       Sigstore instances)
 */
#ifndef TUT_CRYPTO_KEY_H
#define TUT_CRYPTO_KEY_H

#include "base/alloc.h"
#include "base/buf.h"
#include "crypto/digest.h"

typedef enum tut_key_type {
    TUT_KEY_ED25519,
    TUT_KEY_P256,
    TUT_KEY_P384,
    TUT_KEY_P521,
    TUT_KEY_RSA
} tut_key_type;
const char *tut_key_type_name(tut_key_type type); /* "Ed25519", "ECDSA P-256", ... */

enum { TUT_ED25519_BYTES = 32, TUT_ED25519_SIGNATURE = 64 };

typedef struct tut_pubkey tut_pubkey;

/* SPKI in PEM ("BEGIN PUBLIC KEY"; a certificate's PEM is USAGE), in DER, a raw Ed25519 key, or one
 * line of OpenSSH ("ssh-ed25519 AAAA... comment"). MALFORMED with the reason; other algorithms
 * UNSUPPORTED. */
TUT_MUST tut_status tut_pubkey_from_pem(tut_span pem, tut_pubkey **ret_key, tut_error *err);
TUT_MUST tut_status tut_pubkey_from_der(tut_span spki, tut_pubkey **ret_key, tut_error *err);
TUT_MUST tut_status tut_pubkey_from_ed25519(const uint8_t raw[TUT_ED25519_BYTES],
                                            tut_pubkey **ret_key, tut_error *err);
TUT_MUST tut_status tut_pubkey_from_ssh(tut_str line, tut_pubkey **ret_key, tut_error *err);
/* Any of the above by what the file holds. */
TUT_MUST tut_status tut_pubkey_from_file(const char *path, tut_pubkey **ret_key, tut_error *err);
TUT_MUST tut_status tut_pubkey_copy(const tut_pubkey *key, tut_pubkey **ret_copy, tut_error *err);
void tut_pubkey_free(tut_pubkey *key);
TUT_DEFINE_AUTO(tut_pubkey)

tut_key_type tut_pubkey_type(const tut_pubkey *key);
/* PEM text of the SPKI: 64-column body, final LF. */
tut_str tut_pubkey_pem(const tut_pubkey *key);
tut_span tut_pubkey_der(const tut_pubkey *key);
/* The raw key of an Ed25519 key; empty for others. */
tut_span tut_pubkey_raw(const tut_pubkey *key);
/* The name of a key everywhere: lower-case hex SHA-256 of the PEM text (the `hint` of OpenSSF Model
 * Signing and the keyid of our envelopes). */
const char *tut_pubkey_id(const tut_pubkey *key);
bool tut_pubkey_eq(const tut_pubkey *a, const tut_pubkey *b);
/* CRYPTO when the signature is not this key's over these bytes. */
TUT_MUST tut_status tut_pubkey_verify(const tut_pubkey *key, tut_span message, tut_span signature,
                                      tut_error *err);

/* Where a passphrase or PIN comes from: a file (or descriptor) that holds it in its first line, or
 * the terminal. Never from argv or the environment. */
typedef struct tut_secret_source {
    const char *file; /* NULL: ask the terminal; "-" is USAGE */
    bool may_ask;     /* a terminal may be asked */
} tut_secret_source;

typedef struct tut_key tut_key;

/* spec: "path/to/key.pem" (PKCS#8 or SEC1, encrypted or not), "ssh-agent:" followed by a key id, a
 * SHA256: fingerprint, or a comment (nothing: the only Ed25519 key), or a "pkcs11:" URI (RFC 7512;
 * module-path= names the module, else p11-kit-proxy). An encrypted key without a source is DENIED.
 * A file that others may read is refused (DENIED) with what to do. */
TUT_MUST tut_status tut_key_open(const char *spec, const tut_secret_source *secret,
                                 tut_key **ret_key, tut_error *err);
TUT_MUST tut_status tut_key_generate(tut_key_type type, tut_key **ret_key, tut_error *err);
void tut_key_free(tut_key *key); /* wipes */
TUT_DEFINE_AUTO(tut_key)
const tut_pubkey *tut_key_public(const tut_key *key); /* borrowed */
/* Appends the signature. Keys of tokens and agents may fail with IO or DENIED, and the message for
 * an agent is at most 256 KiB (LIMIT). A public key may be used by many threads at once, a private
 * one by one at a time; a token's key does not survive fork (IO): the child opens its own. */
TUT_MUST tut_status tut_key_sign(const tut_key *key, tut_span message, tut_buf *signature,
                                 tut_error *err);
/* PKCS#8 PEM at `path`, 0600, never over an existing file (STORE). passphrase empty: in clear, else
 * AES-256-CBC with PBKDF2. UNSUPPORTED for agents and tokens. */
TUT_MUST tut_status tut_key_write(const tut_key *key, const char *path, tut_str passphrase,
                                  tut_error *err);

/* First line of the file, or asked twice/once on the terminal without echo; wiped by the caller
 * through tut_secret_wipe. */
TUT_MUST tut_status tut_secret_read(const tut_secret_source *source, const char *prompt,
                                    bool is_new, tut_buf *ret_secret, tut_error *err);
void tut_secret_wipe(tut_buf *secret); /* wipes, then frees */

#endif
