/*
 * Loops that are compiled twice: once for any processor of the architecture, once for AVX2, and
 * chosen at the first call. The body is one inline function; nothing is written by hand for either.
 */
#ifndef TUT_STATS_WIDE_H
#define TUT_STATS_WIDE_H

#if defined(__x86_64__) && defined(__GNUC__)
#define TUT_WIDE_IS_THERE() __builtin_cpu_supports("avx2")
#define TUT_WIDE __attribute__((target("avx2")))
#else
#define TUT_WIDE_IS_THERE() 0
#define TUT_WIDE
#endif
#define TUT_WIDE_BODY static inline __attribute__((always_inline))

#endif
