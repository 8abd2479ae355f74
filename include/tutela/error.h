/*
 * Errors of the public interface. Functions return 0 on success and a code of this list otherwise;
 * findings and unmet controls are results, not errors.
 */
#ifndef TUTELA_ERROR_H
#define TUTELA_ERROR_H

#ifdef __cplusplus
extern "C" {
#endif

typedef enum tutela_code {
    TUTELA_OK = 0,
    TUTELA_USAGE,
    TUTELA_IO,
    TUTELA_TRUNCATED,
    TUTELA_MALFORMED,
    TUTELA_UNSUPPORTED,
    TUTELA_LIMIT,
    TUTELA_DENIED,
    TUTELA_CRYPTO,
    TUTELA_STORE,
    TUTELA_NOMEM,
    TUTELA_CANCELLED,
    TUTELA_BUG
} tutela_code;

typedef struct tutela_error {
    int code;       /* a tutela_code */
    char text[512]; /* one line for people; may hold untrusted bytes */
    char path[512]; /* what it is about, or empty */
} tutela_error;

/* "TRUNCATED"; a literal. */
const char *tutela_code_name(int code);

#ifdef __cplusplus
}
#endif
#endif
