/*
 * Whether a key stands twice in one object, for documents read as a stream: keys by their hash, of
 * the objects that are open. Memory is charged to the examination's budget.
 */
#ifndef TUT_FORMATS_KEY_STACK_H
#define TUT_FORMATS_KEY_STACK_H

#include <stddef.h>

#include "base/budget.h"
#include "base/status.h"

enum { TUT_KEY_STACK_DEPTH = 128 };

typedef struct tut_key_stack {
    tut_budget *budget;
    uint64_t *hashes;
    size_t count, capacity;
    size_t starts[TUT_KEY_STACK_DEPTH];
    size_t depth; /* objects beyond the depth are not looked at: the caller refuses them */
    uint64_t charged;
} tut_key_stack;

void tut_key_stack_init(tut_key_stack *k, tut_budget *budget);
void tut_key_stack_done(tut_key_stack *k);
void tut_key_stack_open(tut_key_stack *k);
TUT_MUST tut_status tut_key_stack_add(tut_key_stack *k, uint64_t hash, tut_error *err);
/* How many keys of the innermost object stood in it before. */
size_t tut_key_stack_close(tut_key_stack *k);

#endif
