/* The same work on many things, by as many threads as there are processors. */
#ifndef TUT_BASE_PARALLEL_H
#define TUT_BASE_PARALLEL_H

#include <stddef.h>

/* Calls work(ctx, i) once for each i below count, in any order and by several threads, the calling
 * one among them; returns when all are done, or after tut_interrupted() earlier. worth: how many
 * things are worth another thread. Threads that cannot be started are done without. */
void tut_parallel(size_t count, size_t worth, void (*work)(void *ctx, size_t i), void *ctx);

#endif
