/*
 * Where bytes come from.
 *
 * tut_source: random access to a known number of bytes, in memory or in an open file, read by
 * pread. Files are never mapped: they can shrink under us. A source is a small value; slices share
 * the descriptor and never widen.
 *
 * tut_stream: sequential bytes with a bounded look-ahead, from a source or from a decoder
 * (formats/codec.h). A stream over a source also skips in constant time and can rewind.
 */
#ifndef TUT_BASE_SOURCE_H
#define TUT_BASE_SOURCE_H

#include "base/alloc.h"
#include "base/status.h"
#include "base/str.h"

typedef struct tut_source {
    int fd;              /* -1: memory */
    const uint8_t *data; /* memory, when fd is -1 */
    uint64_t start;      /* of this slice in the file or memory */
    uint64_t size;
} tut_source;

tut_source tut_source_memory(tut_span bytes);
/* Borrows fd, which must be a regular file; the size is taken now. */
TUT_MUST tut_status tut_source_file(int fd, tut_source *ret_source, tut_error *err);
/* Names that the file has in its file system, now: more than one is a hard link. 1 for memory. */
uint64_t tut_source_names(const tut_source *s);
/* TRUNCATED unless offset + len lies inside. */
TUT_MUST tut_status tut_source_slice(const tut_source *s, uint64_t offset, uint64_t len,
                                     tut_source *ret_slice);
/* Reads exactly n bytes, or TRUNCATED (also when the file shrank since), or IO. */
TUT_MUST tut_status tut_source_read(const tut_source *s, uint64_t offset, void *to, size_t n,
                                    tut_error *err);
/* Reads up to n bytes; fewer only at the end. */
TUT_MUST tut_status tut_source_read_some(const tut_source *s, uint64_t offset, void *to, size_t n,
                                         size_t *ret_got, tut_error *err);

/* A pull decoder: fills `to`, sets *ret_got (0 = end). Broken input: MALFORMED or TRUNCATED after
 * having delivered what decoded. */
typedef struct tut_pull {
    tut_status (*read)(void *ctx, uint8_t *to, size_t cap, size_t *ret_got, tut_error *err);
    void (*free)(void *ctx);
    void *ctx;
} tut_pull;

/* Visible so that single bytes cost no call; nobody but the functions below touches a field. */
typedef struct tut_stream {
    const uint8_t *begin; /* the oldest byte still at hand: rewinding to it is free */
    const uint8_t *next;  /* the byte at the position */
    const uint8_t *end;   /* behind the last byte at hand */
    uint64_t end_pos;     /* the position of `end` */
    uint64_t limit;       /* where the data ends, as far as known */
    uint8_t *buffer;      /* NULL over memory, which is shown in place */
    size_t capacity;
    tut_source source;
    tut_pull pull; /* read is NULL over a source */
    tut_code failure;
    char why[128];
} tut_stream;

/* Heap object with a buffer of TUT_LIMIT_PEEK_BYTES; charged to nobody. */
TUT_MUST tut_status tut_stream_open_source(const tut_source *source, tut_stream **ret_stream);

/* Takes ownership of pull.ctx (also on failure). */
TUT_MUST tut_status tut_stream_open_pull(tut_pull pull, tut_stream **ret_stream);
void tut_stream_free(tut_stream *s);
TUT_DEFINE_AUTO(tut_stream)

uint64_t tut_stream_pos(const tut_stream *s);
/* The source beneath, or NULL when the bytes come out of a decoder. */
const tut_source *tut_stream_source(const tut_stream *s);
bool tut_stream_at_end(tut_stream *s);
/* Borrows the next n bytes (n <= TUT_LIMIT_PEEK_BYTES) without moving; else TRUNCATED. */
TUT_MUST tut_status tut_stream_peek(tut_stream *s, size_t n, const uint8_t **ret_bytes);
/* Borrows up to n of the next bytes; *ret_got < n only at the end of the data. */
TUT_MUST tut_status tut_stream_peek_some(tut_stream *s, size_t n, tut_span *ret_bytes);
/* peek, then move. The borrowed bytes live until the next call. */
TUT_MUST tut_status tut_stream_take(tut_stream *s, size_t n, const uint8_t **ret_bytes);
TUT_MUST tut_status tut_stream_u8_slow(tut_stream *s, uint8_t *ret); /* beyond the buffer */
TUT_MUST static inline tut_status tut_stream_u8(tut_stream *s, uint8_t *ret)
{
    if (s->next == s->end)
        return tut_stream_u8_slow(s, ret);
    *ret = *s->next++;
    return TUT_SUCCESS;
}
/* TRUNCATED if fewer remain; the position is then the end. */
TUT_MUST tut_status tut_stream_skip(tut_stream *s, uint64_t n);
/* Up to and including '\n'. At most cap bytes are borrowed; *ret_is_cut tells that the line was
 * longer (it is skipped whole all the same). TRUNCATED when no newline follows; the position is
 * then the end. */
TUT_MUST tut_status tut_stream_line(tut_stream *s, size_t cap, tut_span *ret_line,
                                    bool *ret_is_cut);
/* Only over a source: UNSUPPORTED otherwise. */
TUT_MUST tut_status tut_stream_seek(tut_stream *s, uint64_t pos);
/* Why the stream ended early (decoder or I/O failure), or OK for a plain end. */
tut_code tut_stream_failure(const tut_stream *s, const char **ret_text);

#endif
