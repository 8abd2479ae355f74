/*
 * Read before each file by the static analysers (never by a compiler that makes the program): what
 * they cannot see because it lies in another file. Without it they follow paths on which a function
 * failed and yet returned TUT_OK, and report what its outputs would be there.
 */
#ifndef TUT_TOOLS_ANALYSIS_H
#define TUT_TOOLS_ANALYSIS_H

#include "base/status.h"

#define TUT_ANALYSIS_FAILED(call)                                                                  \
    __extension__({                                                                                \
        const tut_code tut_failed_ = (call).code;                                                  \
        if (tut_failed_ == TUT_OK)                                                                 \
            __builtin_unreachable();                                                               \
        (tut_status){tut_failed_};                                                                 \
    })
#define tut_fail(...) TUT_ANALYSIS_FAILED((tut_fail)(__VA_ARGS__))
#define tut_fail_at(...) TUT_ANALYSIS_FAILED((tut_fail_at)(__VA_ARGS__))
#define tut_fail_errno(...) TUT_ANALYSIS_FAILED((tut_fail_errno)(__VA_ARGS__))

/* As in base/status.h; gcc's analyser forgets what it knows of a struct that is handed up whole. */
#undef TUT_TRY
#define TUT_TRY(expr)                                                                              \
    do {                                                                                           \
        const tut_code tut_try_code_ = (expr).code;                                                \
        if (tut_try_code_ != TUT_OK)                                                               \
            return (tut_status){tut_try_code_};                                                    \
    } while (0)

#endif
