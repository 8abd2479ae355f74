/*
 * JSON as a stream of tokens (RFC 8259, strict), for documents of any size: headers of 100 MB,
 * token lists, data sets. Memory is one window and one text of at most TUT_JSON_PULL_TEXT bytes;
 * nesting is bounded; nothing recurses. Keys are handed out as they come, duplicates too.
 */
#ifndef TUT_FORMATS_JSON_PULL_H
#define TUT_FORMATS_JSON_PULL_H

#include "base/buf.h"
#include "base/source.h"
#include "base/status.h"

enum { TUT_JSON_PULL_TEXT = 64 << 10, TUT_JSON_PULL_DEPTH = 128 };

typedef enum tut_json_token {
    TUT_TOKEN_OBJECT, /* { */
    TUT_TOKEN_OBJECT_END,
    TUT_TOKEN_ARRAY, /* [ */
    TUT_TOKEN_ARRAY_END,
    TUT_TOKEN_KEY, /* text */
    TUT_TOKEN_STRING,
    TUT_TOKEN_NUMBER, /* text: as written */
    TUT_TOKEN_TRUE,
    TUT_TOKEN_FALSE,
    TUT_TOKEN_NULL,
    TUT_TOKEN_END /* the value is complete; the stream stands behind it */
} tut_json_token;

typedef struct tut_json_pull {
    tut_stream *stream; /* borrowed */
    uint64_t left;      /* bytes that may still be taken from the stream */
    const uint8_t *at;  /* window borrowed from the stream */
    const uint8_t *end;
    size_t window;       /* its length */
    uint64_t offset;     /* of the last token in the stream */
    tut_buf text;        /* of KEY, STRING (decoded) and NUMBER; cut at text_cap */
    size_t text_cap;     /* changeable between tokens, at most TUT_JSON_PULL_TEXT */
    uint64_t text_total; /* how long the whole text is */
    uint64_t text_hash;  /* of the whole text */
    uint32_t depth;
    uint32_t max_depth;
    uint8_t state;
    bool is_object[TUT_JSON_PULL_DEPTH];
    bool
        allows_nan; /* settable: NaN, Infinity and -Infinity are numbers, as many writers have it */
    bool has_lone_surrogate; /* seen anywhere so far */
    bool has_raw_newline;    /* outside of strings, anywhere so far */
} tut_json_pull;

/* Reads one JSON value out of the next `limit` bytes of stream. max_depth 0: TUT_LIMIT_JSON_DEPTH.
 */
void tut_json_pull_init(tut_json_pull *p, tut_stream *stream, uint64_t limit, uint32_t max_depth);
/* Also gives back to the stream what was looked at ahead: it then stands behind the last token. */
void tut_json_pull_done(tut_json_pull *p);
/* MALFORMED (offset in err), TRUNCATED, LIMIT (nesting), NOMEM. */
TUT_MUST tut_status tut_json_pull_next(tut_json_pull *p, tut_json_token *ret_token, tut_error *err);
/* Whether nothing but white space is left of the limit. Only after END. */
bool tut_json_pull_is_exhausted(tut_json_pull *p);
tut_str tut_json_pull_text(const tut_json_pull *p);
/* The last NUMBER as a whole number without sign, fraction or exponent; false: it is another. */
bool tut_json_pull_u64(const tut_json_pull *p, uint64_t *ret_value);

#endif
