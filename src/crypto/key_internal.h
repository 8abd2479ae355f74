/* What the files of keys share. */
#ifndef TUT_CRYPTO_KEY_INTERNAL_H
#define TUT_CRYPTO_KEY_INTERNAL_H

#include "crypto/key.h"
#include "crypto/openssl.h"

struct tut_pubkey {
    tut_key_type type;
    EVP_PKEY *pkey;
    tut_buf der;
    tut_buf pem;
    char id[TUT_SHA256_HEX];
};

/* What the library needs to know of a curve of NIST. */
typedef struct tut_curve {
    tut_key_type type;
    const char *group; /* OpenSSL's name */
    int nid;
    const char *md;
    size_t md_bytes;
    size_t field_bytes;   /* of a coordinate, and of the private key */
    tut_span spki_prefix; /* what stands before the uncompressed point */
    tut_span oid;         /* content of the OBJECT IDENTIFIER */
} tut_curve;

const tut_curve *tut_curve_of(tut_key_type type); /* NULL: not ECDSA */
const tut_curve *tut_curve_by_oid(tut_span oid);  /* NULL: not supported */
enum { TUT_EC_POINT_MAX = 133, TUT_EC_FIELD_MAX = 66 };

/* point: 04 || X || Y */
TUT_MUST tut_status tut_pubkey_from_point(const tut_curve *curve, tut_span point,
                                          tut_pubkey **ret_key, tut_error *err);
/* The blob of OpenSSH: string "ssh-ed25519", string key. */
TUT_MUST tut_status tut_pubkey_from_ssh_blob(tut_span blob, tut_pubkey **ret_key, tut_error *err);
/* The DER signature of r || s, each of the curve's field size. */
TUT_MUST tut_status tut_ecdsa_from_raw(const tut_curve *curve, tut_span raw, tut_buf *out,
                                       tut_error *err);

/* A backend signs; everything else of a key is its public half. */
typedef struct tut_key_backend {
    tut_status (*sign)(void *self, const tut_pubkey *pub, tut_span message, tut_buf *out,
                       tut_error *err);
    void (*free)(void *self);
} tut_key_backend;

struct tut_key {
    const tut_key_backend *backend;
    void *self;
    tut_pubkey *pub;
    EVP_PKEY *pkey; /* of a key in our memory, else NULL; owned by self */
};

/* Takes over pub; self and pub are freed on failure too. */
TUT_MUST tut_status tut_key_make(const tut_key_backend *backend, void *self, tut_pubkey *pub,
                                 tut_key **ret_key, tut_error *err);
/* A private key in DER (PKCS#8 or SEC1) as a key in our memory. */
TUT_MUST tut_status tut_key_from_der(tut_span der, bool is_sec1, tut_key **ret_key, tut_error *err);
/* The text of a PEM file; `what` names it in a prompt. */
TUT_MUST tut_status tut_key_from_pem(tut_span pem, const char *what,
                                     const tut_secret_source *secret, tut_key **ret_key,
                                     tut_error *err);
/* A key of the SSH agent by id, fingerprint or comment; empty: its only Ed25519 key. */
TUT_MUST tut_status tut_key_from_agent(tut_str name, tut_key **ret_key, tut_error *err);
/* A key of a token by its pkcs11: URI. */
TUT_MUST tut_status tut_key_from_token(tut_str uri, const tut_secret_source *secret,
                                       tut_key **ret_key, tut_error *err);
/* The key as PKCS#8 DER, or encrypted as EncryptedPrivateKeyInfo; wiped by tut_secret_wipe. */
TUT_MUST tut_status tut_key_pkcs8(const tut_key *key, tut_str passphrase, tut_buf *out,
                                  tut_error *err);

/* An EncryptedPrivateKeyInfo, with the passphrase from `secret`; DENIED without one or under a
 * wrong one. */
TUT_MUST tut_status tut_key_unseal(tut_span der, const char *what, const tut_secret_source *secret,
                                   tut_key **ret_key, tut_error *err);

/* After a failed call of OpenSSL: its queue of errors is emptied. */
void tut_openssl_forget(void);

#endif
