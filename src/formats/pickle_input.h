/*
 * The machine's view of its bytes: a window borrowed from the stream, so that an opcode costs no
 * call. While it is in use nobody else may touch the stream; tut_pinput_sync() gives it back.
 */
#ifndef TUT_FORMATS_PICKLE_INPUT_H
#define TUT_FORMATS_PICKLE_INPUT_H

#include "base/source.h"

typedef struct tut_pinput {
    tut_stream *stream; /* NULL: memory */
    const uint8_t *at;
    size_t len, used;
    uint64_t base; /* stream position of at[0] */
    uint64_t size; /* of the stream; UINT64_MAX: not known */
} tut_pinput;

tut_pinput tut_pinput_of(tut_stream *stream, uint64_t size);
/* Bytes in memory, perhaps only the first ones of `size`; `base` is the position of the first. */
tut_pinput tut_pinput_memory(tut_span bytes, uint64_t base, uint64_t size);
void tut_pinput_sync(tut_pinput *in);
/* Makes at least `want` bytes (at most TUT_LIMIT_PEEK_BYTES) visible if there are as many. */
bool tut_pinput_more(tut_pinput *in, size_t want);

static inline uint64_t tut_pinput_pos(const tut_pinput *in)
{
    return in->base + in->used;
}
static inline bool tut_pinput_u8(tut_pinput *in, uint8_t *ret)
{
    if (in->used >= in->len && !tut_pinput_more(in, 1))
        return false;
    *ret = in->at[in->used++];
    return true;
}
/* Borrows n bytes (n <= TUT_LIMIT_PEEK_BYTES) without moving; NULL when fewer remain. */
static inline const uint8_t *tut_pinput_peek(tut_pinput *in, size_t n)
{
    if (in->len - in->used < n && !tut_pinput_more(in, n))
        return NULL;
    return in->at + in->used;
}
/* Bytes up to n that follow, as many as there are. */
tut_span tut_pinput_peek_some(tut_pinput *in, size_t n);
bool tut_pinput_skip(tut_pinput *in, uint64_t n);
/* Little-endian number of `width` bytes (1, 2, 4 or 8). */
bool tut_pinput_uint(tut_pinput *in, unsigned width, uint64_t *ret);
typedef struct tut_pline {
    tut_str text; /* without the newline; valid until the input moves */
    uint64_t len; /* of the whole line */
    bool is_cut;  /* text is only the beginning */
} tut_pline;
/* Up to a newline, which must come. A line longer than a window leaves its beginning in `keep`. */
bool tut_pinput_line(tut_pinput *in, uint8_t *keep, size_t cap, tut_pline *ret);
/* Bytes left when known, else UINT64_MAX. */
uint64_t tut_pinput_left(const tut_pinput *in);

#endif
