/* Allocation: overflow-checked, failable in tests, freed by attribute. */
#ifndef TUT_BASE_ALLOC_H
#define TUT_BASE_ALLOC_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

/* Zeroed memory for count items of size bytes, or NULL (overflow and exhaustion alike). */
void *tut_alloc_array(size_t count, size_t size) __attribute__((malloc, warn_unused_result));
/* Grows or shrinks; new bytes are not zeroed. NULL leaves `old` as it was. */
void *tut_realloc_array(void *old, size_t count, size_t size) __attribute__((warn_unused_result));
char *tut_strdup(const char *text) __attribute__((malloc, warn_unused_result));
char *tut_strndup(const char *text, size_t len) __attribute__((malloc, warn_unused_result));
/* printf into fresh memory; NULL when memory ran out. */
char *tut_asprintf(const char *fmt, ...) TUT_PRINTF(1, 2) __attribute__((warn_unused_result));
void tut_free(void *p);

/*
 * One block of a kind that is needed again and again, kept in a pointer of the caller's: of one
 * thread, which lives as long as the process. What is taken is not zeroed. Where a sanitizer looks
 * for the use of what was freed nothing is kept.
 */
void *tut_spare_take(void **spare, size_t size) __attribute__((warn_unused_result));
void tut_spare_give(void **spare, void *block);

/* Growth for arrays that carry {items, count, capacity}: makes room for one more, or NOMEM. */
TUT_MUST tut_status tut_grow(void *items_ptr, size_t count, size_t *capacity, size_t item_size);

/* How often memory was not to be had, so far: what was done without it is not all there is. */
uint64_t tut_alloc_failures(void);

/* Test hook: let the n-th allocation from now fail (1 = the next); 0 switches it off. */
void tut_alloc_fail_after(uint64_t n);

/* TUT_AUTO(tut_doc) doc = NULL;  frees on scope exit through tut_doc_free. */
#define TUT_AUTO(type) __attribute__((cleanup(type##_auto))) type *
#define TUT_DEFINE_AUTO(type)                                                                      \
    static inline void type##_auto(type **p)                                                       \
    {                                                                                              \
        type##_free(*p);                                                                           \
    }
/* TUT_CLEAN(tut_buf) buf; calls tut_buf_done on scope exit (caller's storage). */
#define TUT_CLEAN(type) __attribute__((cleanup(type##_done))) type
/* Ownership leaves: yields the pointer and clears the variable. */
#define tut_move(ptr_to_ptr)                                                                       \
    (__extension__({                                                                               \
        __typeof__(*(ptr_to_ptr)) tut_moved_ = *(ptr_to_ptr);                                      \
        *(ptr_to_ptr) = NULL;                                                                      \
        tut_moved_;                                                                                \
    }))

static inline void tut_free_ptr(void *p)
{
    tut_free(*(void **)p);
}
#define TUT_AUTO_FREE __attribute__((cleanup(tut_free_ptr)))

#endif
