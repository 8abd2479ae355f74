#include "base/alloc.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static atomic_uint_fast64_t fail_countdown; /* 0: off */
static atomic_uint_fast64_t failures;

uint64_t tut_alloc_failures(void)
{
    return atomic_load(&failures);
}

void tut_alloc_fail_after(uint64_t n)
{
    atomic_store(&fail_countdown, n);
}

/* Threads count together; one of them gets the failure. */
static bool should_fail(void)
{
    uint_fast64_t left = atomic_load_explicit(&fail_countdown, memory_order_relaxed);
    while (left != 0 && !atomic_compare_exchange_weak(&fail_countdown, &left, left - 1))
        continue;
    return left == 1;
}

/* No object is larger than PTRDIFF_MAX: pointers into it could not be subtracted. */
static bool is_too_large(size_t count, size_t size, size_t *ret_bytes)
{
    return __builtin_mul_overflow(count, size, ret_bytes) || *ret_bytes > PTRDIFF_MAX;
}

static void *counted(void *p)
{
    if (!p)
        (void)atomic_fetch_add(&failures, 1);
    return p;
}

void *tut_alloc_array(size_t count, size_t size)
{
    size_t bytes;
    if (is_too_large(count, size, &bytes) || should_fail())
        return counted(NULL);
    return counted(calloc(bytes ? bytes : 1, 1));
}

void *tut_realloc_array(void *old, size_t count, size_t size)
{
    size_t bytes;
    if (is_too_large(count, size, &bytes) || should_fail())
        return counted(NULL);
    return counted(realloc(old, bytes ? bytes : 1));
}

char *tut_strndup(const char *text, size_t len)
{
    if (len == SIZE_MAX)
        return NULL;
    char *copy = tut_alloc_array(len + 1, 1);
    if (copy && len)
        memcpy(copy, text, len);
    return copy;
}

char *tut_strdup(const char *text)
{
    return tut_strndup(text, strlen(text));
}

char *tut_asprintf(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int len = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    if (len < 0)
        return NULL;
    char *text = tut_alloc_array((size_t)len + 1, 1);
    if (!text)
        return NULL;
    va_start(ap, fmt);
    vsnprintf(text, (size_t)len + 1, fmt, ap);
    va_end(ap);
    return text;
}

void tut_free(void *p)
{
    free(p);
}

#if defined(__SANITIZE_ADDRESS__)
#define KEEPS_SPARES false
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define KEEPS_SPARES false
#endif
#endif
#ifndef KEEPS_SPARES
#define KEEPS_SPARES true
#endif

void *tut_spare_take(void **spare, size_t size)
{
    void *block = *spare;
    *spare = NULL;
    return block ? block : tut_realloc_array(NULL, 1, size);
}

void tut_spare_give(void **spare, void *block)
{
    if (!KEEPS_SPARES || *spare)
        tut_free(block);
    else
        *spare = block;
}

tut_status tut_grow(void *items_ptr, size_t count, size_t *capacity, size_t item_size)
{
    if (count < *capacity)
        return TUT_SUCCESS;
    size_t wanted;
    if (__builtin_mul_overflow(*capacity, (size_t)2, &wanted))
        return (tut_status){TUT_NOMEM};
    if (wanted < 8)
        wanted = 8;
    void **items = items_ptr;
    void *grown = tut_realloc_array(*items, wanted, item_size);
    if (!grown)
        return (tut_status){TUT_NOMEM};
    *items = grown;
    *capacity = wanted;
    return TUT_SUCCESS;
}
