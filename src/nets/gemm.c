#include "nets/gemm.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>

/* The part of CBLAS that is used (Netlib's interface; Debian builds OpenBLAS with 32-bit ints). */
enum { ROW_MAJOR = 101, AS_IT_IS = 111, TURNED = 112 };
typedef void (*sgemm)(int order, int turn_a, int turn_b, int m, int n, int k, float alpha,
                      const float *a, int lda, const float *b, int ldb, float beta, float *c,
                      int ldc);

static pthread_once_t once = PTHREAD_ONCE_INIT;
static sgemm multiply;

/* By its full name with the version of its interface. Its threads would start with the library;
 * workers of the cage may have none. */
static void load(void)
{
    void *library = setenv("OPENBLAS_NUM_THREADS", "1", 1) == 0
                        ? dlopen("libopenblas.so.0", RTLD_NOW | RTLD_LOCAL)
                        : NULL;
    void *symbol = library ? dlsym(library, "cblas_sgemm") : NULL;
    *(void **)&multiply = symbol;
}

tut_status tut_gemm_start(tut_error *err)
{
    (void)pthread_once(&once, load);
    if (!multiply)
        return tut_fail(err, TUT_UNSUPPORTED,
                        "OpenBLAS is not installed: install the package libopenblas0-pthread");
    return TUT_SUCCESS;
}

void tut_gemm_run(const tut_gemm *g)
{
    multiply(ROW_MAJOR, g->turn_a ? TURNED : AS_IT_IS, g->turn_b ? TURNED : AS_IT_IS, (int)g->m,
             (int)g->n, (int)g->k, g->alpha, g->a, (int)g->lda, g->b, (int)g->ldb, g->beta, g->c,
             (int)g->ldc);
}
