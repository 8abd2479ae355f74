#include "base/arena.h"

#include <stdalign.h>

enum { FIRST_BYTES = 960, BLOCK_BYTES = 16 << 10 }; /* each block twice the one before */

struct tut_arena_block {
    tut_arena_block *older;
    size_t size;
    alignas(max_align_t) uint8_t data[];
};

void tut_arena_init(tut_arena *a, size_t max_bytes)
{
    *a = (tut_arena){.max = max_bytes};
}

void tut_arena_done(tut_arena *a)
{
    while (a->blocks) {
        tut_arena_block *older = a->blocks->older;
        tut_free(a->blocks);
        a->blocks = older;
    }
    *a = (tut_arena){.max = a->max};
}

static bool add_block(tut_arena *a, size_t need)
{
    size_t size = a->total < FIRST_BYTES   ? FIRST_BYTES
                  : a->total < BLOCK_BYTES ? a->total
                                           : BLOCK_BYTES;
    size = need > size ? need : size;
    if (a->max && size > a->max - a->total) {
        size = need;
        if (size > a->max - a->total)
            return false;
    }
    tut_arena_block *block = tut_realloc_array(NULL, sizeof(*block) + size, 1);
    if (!block)
        return false;
    block->older = a->blocks;
    block->size = size;
    a->blocks = block;
    a->used = 0;
    a->total += size;
    return true;
}

void *tut_arena_take(tut_arena *a, size_t count, size_t size)
{
    size_t need;
    if (__builtin_mul_overflow(count, size, &need) || need > SIZE_MAX / 2)
        return NULL;
    size_t align = alignof(max_align_t);
    need = (need + align - 1) / align * align;
    if (need == 0)
        need = align;
    if (!a->blocks || need > a->blocks->size - a->used)
        if (!add_block(a, need))
            return NULL;
    void *p = a->blocks->data + a->used;
    a->used += need;
    memset(p, 0, need);
    return p;
}

char *tut_arena_copy(tut_arena *a, tut_str text)
{
    if (text.len == SIZE_MAX)
        return NULL;
    char *copy = tut_arena_take(a, text.len + 1, 1);
    if (copy && text.len)
        memcpy(copy, text.data, text.len);
    return copy;
}
