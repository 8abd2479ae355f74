/* What the parts of the reader of JSON share: a walk over a text in the window, without recursion.
 */
#ifndef TUT_DATA_ROWS_JSON_H
#define TUT_DATA_ROWS_JSON_H

#include "base/map.h"
#include "data/rows_input.h"

typedef enum json_outcome {
    JSON_OK,
    JSON_MORE, /* the text ends before the value does */
    JSON_BAD,  /* why says what is wrong, at p */
    JSON_DEEP  /* more than TUT_LIMIT_JSON_DEPTH */
} json_outcome;

/* p to end, then ROWS_WINDOW_PAD bytes that may be read and are 0 in the window. */
typedef struct json_at {
    const char *p, *end;
    bool is_whole; /* nothing of the value lies beyond the end */
    const char *why;
} json_at;

typedef struct json_string {
    tut_str raw; /* between the quotes */
    bool has_escape;
} json_string;

static inline void json_space(json_at *a)
{
    while (*a->p == ' ' || *a->p == '\n' || *a->p == '\r' || *a->p == '\t')
        a->p++; /* the padding ends it */
}
json_outcome json_bad(json_at *a, const char *why); /* MORE at the end of the text */
/* p at the quote, then behind the other one. Escapes are valid. */
json_outcome json_take_string(json_at *a, json_string *ret);
/* As RFC 8259 writes them, and NaN, Infinity, -Infinity. */
json_outcome json_take_number(json_at *a, tut_str *ret_raw, double *ret_value);
json_outcome json_take_word(json_at *a, const char *word);
/* Any value that is valid. */
json_outcome json_take_value(json_at *a, tut_str *ret_raw);
/* The text of a string that json_take_string gave: to has room for raw.len bytes. Returns the
 * length; *lone counts surrogates that have no other half, which become U+FFFD. */
size_t json_unescape(tut_str raw, char *to, size_t *lone);

/* The contents of a valid list of {role, content}, one after another with "\n" between, in memory
 * of the batch; *ret_is_chat is false when it is something else. NOMEM. */
TUT_MUST tut_status json_chat(tut_rows *r, tut_str list, bool *ret_is_chat, tut_str *ret_text,
                              tut_error *err);

/* --- rows_json_row.c: a record becomes the cells of a row --- */
typedef struct json_node json_node;

typedef struct json_rows {
    rows_input *in;
    json_node *nodes; /* of names: 0 is the root */
    size_t count, capacity;
    uint32_t *slots; /* hash of parent and key; 0: empty */
    size_t slot_count;
    tut_map columns; /* by full name */
    tut_arena names;
    uint64_t serial; /* of the record at hand */
    uint32_t last;   /* node that was found last */
    bool is_plain;   /* the record's texts need no look */
    bool has_question, has_answer;
} json_rows;

TUT_MUST tut_status json_rows_open(json_rows *j, rows_input *in, tut_error *err);
void json_rows_done(json_rows *j);
/* One record into the row that was begun with no cell set. */
TUT_MUST tut_status json_row(json_rows *j, json_at *a, json_outcome *ret, tut_error *err);

#endif
