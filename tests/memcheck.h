/* Tests that try everything there is try a part of it where each step costs fifty times as much. */
#ifndef TUT_TESTS_MEMCHECK_H
#define TUT_TESTS_MEMCHECK_H

#if __has_include(<valgrind/valgrind.h>)
#include <valgrind/valgrind.h>
#else
#define RUNNING_ON_VALGRIND 0
#endif

static inline unsigned memcheck_step(unsigned part)
{
    return RUNNING_ON_VALGRIND ? part : 1;
}

/* First in a test that is an experiment, whose code others run on fewer rows: arithmetic costs a
 * hundred times as much there. Sanitizers run it whole. */
#define NOT_UNDER_MEMCHECK()                                                                       \
    do {                                                                                           \
        if (RUNNING_ON_VALGRIND)                                                                   \
            skip();                                                                                \
    } while (0)

#endif
