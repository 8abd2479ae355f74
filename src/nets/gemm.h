/*
 * Products of matrices in single precision, by OpenBLAS, which is loaded when the first product is
 * asked for: no other command pays for it. One thread a process, so that the same inputs give the
 * same numbers on the same machine.
 */
#ifndef TUT_NETS_GEMM_H
#define TUT_NETS_GEMM_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"

/* Loads it. UNSUPPORTED, with the package's name, where it is not installed. Before anything below;
 * before a worker of the cage drops its rights. */
TUT_MUST tut_status tut_gemm_start(tut_error *err);

/* C (m x n) = a * op(A) * op(B) + c * C, all row after row; op(A) is m x k, op(B) k x n. `lda` and
 * so on: numbers from one row of what is stored to the next. */
typedef struct tut_gemm {
    size_t m, n, k;
    bool turn_a, turn_b; /* A is stored k x m; B is stored n x k */
    float alpha, beta;
    const float *a, *b;
    float *c;
    size_t lda, ldb, ldc;
} tut_gemm;
void tut_gemm_run(const tut_gemm *g);

#endif
