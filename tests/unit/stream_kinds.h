/* One set of bytes as every kind of stream: memory, file, slices of both, decoders. */
#ifndef TUT_TESTS_UNIT_STREAM_KINDS_H
#define TUT_TESTS_UNIT_STREAM_KINDS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/limits.h"
#include "base/source.h"

enum { LARGE = 5 * TUT_LIMIT_PEEK_BYTES + 4321 };

static uint8_t *large; /* no two windows look alike, no newline */

static uint8_t byte_at(uint64_t i)
{
    uint8_t b = (uint8_t)((i * 2654435761u) >> 13);
    return b == '\n' ? 'x' : b;
}

static int make_large(void **state)
{
    (void)state;
    large = malloc(LARGE);
    for (size_t i = 0; large && i < LARGE; i++)
        large[i] = byte_at(i);
    return large ? 0 : -1;
}

static int drop_large(void **state)
{
    (void)state;
    free(large);
    return 0;
}

static int file_of(const void *data, size_t len)
{
    char path[] = "/tmp/tutela-stream-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    unlink(path);
    for (size_t at = 0; at < len;) {
        ssize_t n = write(fd, (const uint8_t *)data + at, len - at);
        assert_true(n > 0);
        at += (size_t)n;
    }
    return fd;
}

/* --- a decoder for tests: gives bytes in odd portions, then ends or fails --- */

typedef struct drip {
    const uint8_t *data;
    size_t len, at;
    size_t portion; /* 0: as much as is asked for */
    tut_code end;
    bool lies; /* claims more than it was asked for */
    int *freed;
} drip;

static tut_status drip_read(void *ctx, uint8_t *to, size_t cap, size_t *ret_got, tut_error *err)
{
    drip *d = ctx;
    size_t n = d->len - d->at;
    n = n < cap ? n : cap;
    if (d->portion && n > d->portion)
        n = d->portion;
    if (n == 0 && d->end != TUT_OK)
        return tut_fail(err, d->end, "the drip broke");
    if (n)
        memcpy(to, d->data + d->at, n);
    d->at += n;
    *ret_got = d->lies ? cap + 1 : n;
    return TUT_SUCCESS;
}

static void drip_free(void *ctx)
{
    drip *d = ctx;
    *d->freed += 1;
}

static tut_stream *drip_stream(drip *d)
{
    tut_stream *s = NULL;
    assert_true(tut_is_ok(tut_stream_open_pull((tut_pull){drip_read, drip_free, d}, &s)));
    assert_null(tut_stream_source(s));
    return s;
}

/* --- the same claims hold for memory, files, slices and decoders --- */

enum { KINDS = 6 };

typedef struct opened {
    tut_stream *stream;
    uint8_t *padded;
    int fd;
    drip drip;
    int freed;
} opened;

static void open_kind(opened *o, int kind, const uint8_t *data, size_t len)
{
    *o = (opened){.fd = -1};
    tut_source source;
    if (kind == 0) {
        source = tut_source_memory(tut_span_of(data, len));
    } else if (kind == 1) {
        o->fd = file_of(data, len);
        assert_true(tut_is_ok(tut_source_file(o->fd, &source, NULL)));
    } else if (kind == 2 || kind == 3) {
        tut_source whole;
        o->padded = calloc(1, len + 30);
        assert_non_null(o->padded);
        memcpy(o->padded + 10, data, len);
        whole = tut_source_memory(tut_span_of(o->padded, len + 30));
        if (kind == 3) {
            o->fd = file_of(o->padded, len + 30);
            assert_true(tut_is_ok(tut_source_file(o->fd, &whole, NULL)));
        }
        assert_true(tut_is_ok(tut_source_slice(&whole, 10, len, &source)));
    } else {
        o->drip =
            (drip){.data = data, .len = len, .portion = kind == 4 ? 0 : 777, .freed = &o->freed};
        o->stream = drip_stream(&o->drip);
        return;
    }
    assert_true(tut_is_ok(tut_stream_open_source(&source, &o->stream)));
    assert_int_equal(tut_stream_source(o->stream)->size, len);
}

static void close_kind(opened *o)
{
    tut_stream_free(o->stream);
    if (o->fd >= 0)
        close(o->fd);
    free(o->padded);
    assert_int_equal(o->freed, o->drip.data ? 1 : 0);
}

#endif
