/*
 * Is this what was signed, and by whom it should be? To be asked before a model, dataset or prompt
 * is loaded. The result is the JSON document of `tutela verify --format json`, schema
 * tutela.verify/1. The rules of scan.h about processes and threads hold here too.
 *
 * Whether all is well is *ret_is_valid; an error (not TUTELA_OK) leaves the question open, and then
 * nothing should be loaded either.
 */
#ifndef TUTELA_VERIFY_H
#define TUTELA_VERIFY_H

#include "tutela/scan.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * A file or directory against its detached signature (OpenSSF Model Signing v1.0) at the usual
 * place, with the signer's public key in a PEM file.
 */
int tutela_verify(const char *path, const char *public_key_file, int *ret_is_valid, char **ret_json,
                  tutela_error *error);

/*
 * What a program has read and is about to load. Exactly one of public_key_file and system says how
 * the signer is known.
 */
typedef struct tutela_loaded {
    const char *path;            /* the file, or the directory, that was signed */
    const char *file;            /* in a directory: the file that was read, relative to it */
    const char *sha256;          /* of the bytes that were read: 64 hexadecimal digits */
    const char *public_key_file; /* PEM */
    const char *system;          /* directory of a tutela.yaml: its people and its policy decide */
    const char *signature;       /* NULL: the usual place */
} tutela_loaded;

/*
 * Are the very bytes that were read what was signed? TUTELA_IO where the file at path has others by
 * now: whoever exchanges it after the reading gains nothing. Asked of a system, the answer is
 * recorded.
 */
int tutela_verify_loaded(const tutela_loaded *what, int *ret_is_valid, char **ret_json,
                         tutela_error *error);

/*
 * Files and directories of the system described in directory/tutela.yaml, with the people of its
 * log and its policy; count 0: every asset that has to be signed. Each answer is recorded.
 */
int tutela_verify_policy(const char *directory, const char *const *paths, size_t count,
                         int *ret_is_valid, char **ret_json, tutela_error *error);

#ifdef __cplusplus
}
#endif
#endif
