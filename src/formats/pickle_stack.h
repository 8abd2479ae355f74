/* A stack of 32-bit words in chunks, so that growth never copies and never doubles. */
#ifndef TUT_FORMATS_PICKLE_STACK_H
#define TUT_FORMATS_PICKLE_STACK_H

#include <stddef.h>

#include "base/budget.h"
#include "base/status.h"

enum { TUT_PSTACK_CHUNK = 4096 };

typedef struct tut_pstack {
    tut_budget *budget;
    uint32_t **chunks;
    size_t chunk_count, chunk_capacity;
    size_t len;
} tut_pstack;

void tut_pstack_init(tut_pstack *s, tut_budget *budget);
void tut_pstack_done(tut_pstack *s);
/* Allocates the chunk that position len lies in: LIMIT or NOMEM. */
TUT_MUST tut_status tut_pstack_grow(tut_pstack *s);

static inline uint32_t *tut_pstack_at(const tut_pstack *s, size_t i)
{
    return &s->chunks[i / TUT_PSTACK_CHUNK][i % TUT_PSTACK_CHUNK];
}
TUT_MUST static inline tut_status tut_pstack_push(tut_pstack *s, uint32_t word)
{
    if (s->len == s->chunk_count * TUT_PSTACK_CHUNK)
        TUT_TRY(tut_pstack_grow(s));
    *tut_pstack_at(s, s->len++) = word;
    return TUT_SUCCESS;
}
/* The caller has looked that there is one. */
static inline uint32_t tut_pstack_pop(tut_pstack *s)
{
    return *tut_pstack_at(s, --s->len);
}
static inline uint32_t tut_pstack_top(const tut_pstack *s)
{
    return *tut_pstack_at(s, s->len - 1);
}

#endif
