/*
 * Files to findings. The result is the JSON document of `tutela scan --format json`, schema
 * tutela.scan/1: what scripts rely on is what a caller of the library relies on.
 *
 * Untrusted bytes are parsed in confined child processes of the caller (fork without exec): call
 * from a process that can fork, before it starts threads that hold locks. Not safe to call from two
 * threads at once.
 */
#ifndef TUTELA_SCAN_H
#define TUTELA_SCAN_H

#include <stddef.h>

#include "tutela/error.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tutela_scan_options {
    int structure_only;  /* read what loaders interpret; no digest, never evidence */
    int all_kinds;       /* report datasets, prompts, code and so on beside models */
    int require_sandbox; /* TUTELA_UNSUPPORTED where the kernel cannot confine the reader */
} tutela_scan_options;

/*
 * paths: count files or directories. options may be NULL. *ret_json is NUL-ended and owned by the
 * caller, freed with tutela_free; it is written only on success. error may be NULL.
 */
int tutela_scan_paths(const char *const *paths, size_t count, const tutela_scan_options *options,
                      char **ret_json, tutela_error *error);

/*
 * One open regular file, read by pread from its beginning: its offset stays where it is. name is
 * what reports call it, and its ending is compared with the content; NULL: "descriptor". Nothing
 * beside the file is opened, so data that it keeps in other files is reported as not there.
 */
int tutela_scan_descriptor(int descriptor, const char *name, const tutela_scan_options *options,
                           char **ret_json, tutela_error *error);

/* Frees what this library handed out; NULL is fine. */
void tutela_free(void *p);

#ifdef __cplusplus
}
#endif
#endif
