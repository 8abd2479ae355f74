/*
 * Signing and verifying models, datasets, prompts: any file or directory, by OpenSSF Model Signing.
 * The command, assess, the guard, restore and the bindings call these two functions, at load time
 * too: one way to sign, one way to verify.
 *
 * Where a signature lies unless told: in a directory `model.sig`, beside a single file `FILE.sig`.
 */
#ifndef TUT_ASSETS_SIGN_H
#define TUT_ASSETS_SIGN_H

#include "assets/manifest.h"
#include "crypto/oms.h"

typedef void (*tut_sign_progress)(void *ctx, uint64_t done_bytes, uint64_t total_bytes);

typedef struct tut_sign_options {
    const tut_key *key;
    tut_span chain_pem;        /* leaf first; empty: key mode. Roots in it are left out */
    const char *signature;     /* where to; NULL: the usual place */
    const char *const *ignore; /* paths below the model that are left out, and recorded as such */
    size_t ignore_count;
    tut_hash_kind hash;
    const char *from_digests; /* a file in the format of sha256sum: nothing is hashed then */
    bool publish;             /* write PATH.sha256 beside the model */
    bool use_cache;           /* digests of unchanged files from the cache */
    tut_time now;             /* 0: the clock's; the leaf must be valid then */
    tut_sign_progress progress;
    void *progress_ctx;
} tut_sign_options;

typedef struct tut_sign_result {
    tut_sha256 root;   /* what names the model: the subject's digest */
    tut_sha256 bundle; /* of the signature file's bytes */
    char *signature;   /* its path */
    char *published;   /* path of the published digests, or NULL */
    char *subject;     /* of the certificate, or NULL */
    const char *mode;  /* "key", "certificate" */
    char key_id[TUT_SHA256_HEX];
    size_t files, hashed; /* in all; not known from the cache or a list */
    uint64_t bytes;       /* of all files; 0 when only digests were at hand */
} tut_sign_result;

/* USAGE: no file to sign, a symbolic link or another thing that cannot be signed, options that do
 * not go together. The signature is written whole or not at all, after everything else held. */
TUT_MUST tut_status tut_sign_path(const char *path, const tut_sign_options *options,
                                  tut_sign_result *ret_result, tut_error *err);
void tut_sign_result_done(tut_sign_result *r);

typedef enum tut_verify_verdict {
    TUT_VERIFY_VALID,
    TUT_VERIFY_INVALID,
    TUT_VERIFY_UNSIGNED
} tut_verify_verdict;
const char *tut_verify_word(tut_verify_verdict verdict); /* "valid" */

typedef enum tut_mismatch_kind {
    TUT_MISMATCH_MISSING, /* signed, and not there */
    TUT_MISMATCH_EXTRA,   /* there, and not signed */
    TUT_MISMATCH_CHANGED  /* other bytes than were signed */
} tut_mismatch_kind;
const char *tut_mismatch_word(tut_mismatch_kind kind); /* "missing" */

typedef struct tut_mismatch {
    tut_mismatch_kind kind;
    const char *name;     /* in the result's arena, bytes as they are; a shard with its range */
    const char *expected; /* hexadecimal digest, or NULL */
    const char *found;    /* hexadecimal digest or a few words, or NULL */
} tut_mismatch;

/* Mismatches kept; the rest is counted. */
enum { TUT_MISMATCHES_MAX = 1000 };

typedef struct tut_expected_file {
    tut_str name; /* in the model; of a single file anything */
    tut_sha256 digest;
} tut_expected_file;

typedef struct tut_verify_options {
    /* How the signer is known; exactly one, or none with `published`. */
    const tut_pubkey *key;
    /* The key of this id, borrowed; NULL: *ret_why (static) says why it does not count. */
    const tut_pubkey *(*find_key)(void *ctx, const char *key_id, const char **ret_why);
    void *find_ctx;
    tut_span roots_pem;      /* certificate mode */
    tut_span trusted_root;   /* keyless mode: Sigstore's JSON */
    const char *identity;    /* keyless: who must have signed, and */
    const char *issuer;      /* who must have vouched for it; NULL: any, with a remark */
    const char *signature;   /* NULL: the usual place */
    const char *published;   /* a file made by publish: compare with it too */
    const char *const *only; /* check these files or directories only; the signature all the same */
    size_t only_count;
    /* What the caller has read of the model before. That other bytes than these would be verified
     * is an error (IO), as when a file changes meanwhile. */
    const tut_expected_file *expected;
    size_t expected_count;
    bool ignore_unsigned; /* files that the signature does not list are no fault */
    bool use_cache;       /* trust digests of unchanged files */
    tut_time at;          /* 0: the clock's; certificates must be valid then */
    tut_sign_progress progress;
    void *progress_ctx;
} tut_verify_options;

typedef struct tut_verify_result {
    tut_verify_verdict verdict;
    char *signer;     /* key id, subject of the certificate, or identity; NULL while not proved */
    char *signature;  /* the file looked at, or NULL */
    const char *mode; /* "key", "certificate", "keyless"; NULL: none */
    bool has_root;
    tut_sha256 root; /* that was signed */
    tut_hash_kind hash;
    tut_time checked_at;   /* the time at which certificates were judged */
    size_t files, checked; /* that the signature lists; whose bytes were compared */
    uint64_t bytes;        /* compared */
    const char **reasons;  /* sentences; empty when all is well */
    size_t reason_count, reason_capacity;
    const char **remarks; /* what a reader should know though it is no fault */
    size_t remark_count, remark_capacity;
    tut_mismatch *mismatches;
    size_t mismatch_count, mismatch_capacity; /* kept */
    size_t mismatch_total;
    tut_arena arena;
} tut_verify_result;

/* A model that is not signed, or not by whom it should be, or changed, is a verdict. An error is
 * what leaves the question open: files that cannot be read or change meanwhile, a key that cannot
 * verify model signatures, roots that are none, Ctrl-C. */
TUT_MUST tut_status tut_verify_path(const char *path, const tut_verify_options *options,
                                    tut_verify_result *ret_result, tut_error *err);
void tut_verify_result_done(tut_verify_result *r);

typedef struct tut_verify_target { /* one result with what it is about; all borrowed */
    const char *path;
    const char *person; /* whose key signed, by the log; NULL: not asked, or a stranger's */
    const tut_verify_result *result;
} tut_verify_target;
/* The document tutela.verify/1 of the contract, with a final newline. */
TUT_MUST tut_status tut_verify_json(const tut_verify_target *targets, size_t count, tut_buf *out,
                                    tut_error *err);

/* The usual place of the signature of a path; NULL: no memory. */
char *tut_signature_place(const char *path, bool is_dir);
/* The name of `file` (which need not exist) below the directory `root`, or NULL when it does not
 * lie there. Caller frees. */
char *tut_name_below(const char *root, const char *file);

#endif
