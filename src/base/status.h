/*
 * One error convention for the whole tree.
 *
 * Every fallible function returns a tut_status, which the compiler insists on being looked at
 * (TUT_MUST). TUT_TRY hands a failure up. Detail (a sentence for people, the byte offset, the path
 * inside an artefact) goes to an optional last argument `tut_error *err`, which may be NULL.
 * Findings are not errors: examining a malicious file is a success.
 */
#ifndef TUT_BASE_STATUS_H
#define TUT_BASE_STATUS_H

#include <stdbool.h>
#include <stdint.h>

/* name, sentence for people */
#define TUT_CODES(X)                                                                               \
    X(OK, "no error")                                                                              \
    X(USAGE, "the call was not understood")                                                        \
    X(IO, "reading or writing failed")                                                             \
    X(TRUNCATED, "the data ends too early")                                                        \
    X(MALFORMED, "the data breaks a rule of its format")                                           \
    X(UNSUPPORTED, "this is not supported")                                                        \
    X(LIMIT, "a safety limit was reached")                                                         \
    X(DENIED, "permission was denied")                                                             \
    X(CRYPTO, "a cryptographic operation failed")                                                  \
    X(STORE, "the state on disk is damaged")                                                       \
    X(NOMEM, "memory ran out")                                                                     \
    X(CANCELLED, "the operation was interrupted")                                                  \
    X(BUG, "an internal rule was broken; please report this")

typedef enum tut_code {
#define TUT_CODE_ENUM(name, text) TUT_##name,
    TUT_CODES(TUT_CODE_ENUM)
#undef TUT_CODE_ENUM
        TUT_CODE_COUNT
} tut_code;

typedef struct tut_status {
    tut_code code;
} tut_status;

#define TUT_MUST __attribute__((warn_unused_result))
#define TUT_PRINTF(fmt_index, first_arg) __attribute__((format(printf, fmt_index, first_arg)))

#define TUT_SUCCESS ((tut_status){TUT_OK})

static inline bool tut_is_ok(tut_status s)
{
    return s.code == TUT_OK;
}

#define TUT_TRY(expr)                                                                              \
    do {                                                                                           \
        tut_status tut_try_status_ = (expr);                                                       \
        if (tut_try_status_.code != TUT_OK)                                                        \
            return tut_try_status_;                                                                \
    } while (0)

/* For the rare place where a failure changes nothing (closing after another failure). */
#define TUT_IGNORE(expr)                                                                           \
    do {                                                                                           \
        tut_status tut_ignored_ = (expr);                                                          \
        (void)tut_ignored_;                                                                        \
    } while (0)

enum { TUT_ERROR_TEXT_MAX = 512, TUT_ERROR_PATH_MAX = 512 };

typedef struct tut_error {
    tut_code code;
    bool has_offset;
    bool is_told;                  /* shown to the user already, with more than one line can say */
    uint64_t offset;               /* bytes from the start of what `path` names */
    char text[TUT_ERROR_TEXT_MAX]; /* one line: what is wrong, and what to do */
    char path[TUT_ERROR_PATH_MAX]; /* file, or path inside an artefact: archive.zip!/data.pkl */
} tut_error;

/* Fills err (when not NULL) and returns the code as a status. Text is cut, never overflows. */
TUT_MUST tut_status tut_fail(tut_error *err, tut_code code, const char *fmt, ...) TUT_PRINTF(3, 4);
TUT_MUST tut_status tut_fail_at(tut_error *err, tut_code code, uint64_t offset, const char *fmt,
                                ...) TUT_PRINTF(4, 5);
/* As tut_fail, with ": strerror(errno_value)" appended; EACCES and EPERM become DENIED. */
TUT_MUST tut_status tut_fail_errno(tut_error *err, int errno_value, const char *fmt, ...)
    TUT_PRINTF(3, 4);
/* Sets err->path when it is still empty, so the innermost name wins. */
void tut_error_set_path(tut_error *err, const char *path);
/* What is to stand before the text in a message: the path, or "" where the text names it already.
 */
const char *tut_error_where(const tut_error *err);

const char *tut_code_name(tut_code code);     /* "TRUNCATED" */
const char *tut_code_sentence(tut_code code); /* "the data ends too early" */

#endif
