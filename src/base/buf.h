/*
 * The one growable buffer. Appending never fails on the spot: a buffer remembers its first failure
 * (memory, or the cap set at init) and ignores what follows, so writers read straight through and
 * end with one tut_buf_check().
 */
#ifndef TUT_BASE_BUF_H
#define TUT_BASE_BUF_H

#include <stdarg.h>

#include "base/alloc.h"
#include "base/status.h"
#include "base/str.h"

typedef struct tut_buf {
    uint8_t *data;
    size_t len;
    size_t cap;
    size_t max; /* 0: no cap */
    tut_code failed;
} tut_buf;

#define TUT_BUF_INIT ((tut_buf){0})

void tut_buf_init(tut_buf *b, size_t max_bytes);
void tut_buf_done(tut_buf *b);  /* frees; b is as after init */
void tut_buf_clear(tut_buf *b); /* empties, keeps the memory, forgets the failure */
void tut_buf_add(tut_buf *b, const void *data, size_t len);
void tut_buf_add_str(tut_buf *b, tut_str s);
void tut_buf_add_z(tut_buf *b, const char *z);
void tut_buf_add_byte(tut_buf *b, uint8_t byte);
void tut_buf_add_u32le(tut_buf *b, uint32_t v);
void tut_buf_add_u64le(tut_buf *b, uint64_t v);
/* u32le length, then the bytes: what tut_reader_sized() reads back. */
void tut_buf_add_sized(tut_buf *b, tut_str s);
void tut_buf_add_hex(tut_buf *b, const void *data, size_t len);
/* Untrusted text made safe for a line of output: controls, bidi and invalid bytes as \xNN or
 * \u{NNNN}, at most max_columns characters, then "…". */
void tut_buf_add_escaped(tut_buf *b, tut_str s, size_t max_chars);
void tut_buf_printf(tut_buf *b, const char *fmt, ...) TUT_PRINTF(2, 3);
void tut_buf_vprintf(tut_buf *b, const char *fmt, va_list ap) TUT_PRINTF(2, 0);
/* Room for len bytes at the end, already counted; NULL after a failure. */
uint8_t *tut_buf_extend(tut_buf *b, size_t len);
tut_span tut_buf_span(const tut_buf *b);
tut_str tut_buf_str(const tut_buf *b);
/* Adds a NUL behind the content (not counted) and borrows it; NULL after a failure. */
const char *tut_buf_z(tut_buf *b);
/* Hands the content over as a NUL-ended allocation; the buffer is empty then. NULL if failed. */
char *tut_buf_steal(tut_buf *b);
TUT_MUST tut_status tut_buf_check(const tut_buf *b, tut_error *err);

#endif
