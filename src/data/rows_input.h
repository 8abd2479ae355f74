/*
 * A window over a text that is read front to back: what the formats of text parse in. Its bytes are
 * UTF-8 as far as the file is; UTF-16 is turned into it on the way in, and texts in other bytes
 * when they become cells (rows_input_text).
 */
#ifndef TUT_DATA_ROWS_INPUT_H
#define TUT_DATA_ROWS_INPUT_H

#include "data/rows_internal.h"

enum {
    ROWS_WINDOW = 256 << 10,    /* bytes at first: what stays in the processor's second cache */
    ROWS_WINDOW_MAX = 32 << 20, /* one record longer than this is cut */
    ROWS_WINDOW_PAD = 64        /* zeros behind the window's end that may be read */
};

typedef struct rows_input {
    tut_rows *rows;
    char *data;
    size_t begin, end, capacity; /* of what is not yet done with */
    size_t checked;              /* up to here the bytes were looked at */
    size_t suspect;              /* up to here they may hold NUL bytes or be no UTF-8 */
    bool is_end;                 /* nothing follows the window */
    bool saw_multibyte;          /* UTF-8 beyond ASCII that was valid */
    bool has_half;               /* of UTF-16: a high surrogate whose low one is to come */
    uint16_t half;
    uint64_t offset; /* of data[marked] in the bytes after decompression */
    size_t marked;   /* moves forward with rows_input_offset */
} rows_input;

/* Test hook: windows begin with so many bytes, so that short files need many. */
extern size_t rows_input_window;
TUT_MUST tut_status rows_input_open(tut_rows *r, rows_input *in, tut_error *err);
void rows_input_done(rows_input *in);
/* Moves what is left to the front and reads on until the window is full, or the data ends. A window
 * that is full already grows, up to ROWS_WINDOW_MAX. Borrowed texts are void. */
TUT_MUST tut_status rows_input_fill(rows_input *in, tut_error *err);
/* Nothing more of a record that begins at `at` can be had. */
bool rows_input_is_full(const rows_input *in, size_t at);
/* Where data[at] stands in the bytes after decompression; at does not decrease. */
uint64_t rows_input_offset(rows_input *in, size_t at);
/* The bytes at `at` need no look: valid UTF-8 without NUL. */
static inline bool rows_input_is_plain(const rows_input *in, size_t at)
{
    return at >= in->suspect;
}
/* A text out of the window as valid UTF-8, borrowed or kept with the batch; what is wrong with it
 * is counted for the row. NOMEM. */
TUT_MUST tut_status rows_input_text(rows_input *in, tut_str raw, uint64_t row, tut_str *ret_text,
                                    tut_error *err);
/* At most TUT_ROWS_CELL_BYTES of a text, cut between characters. */
tut_str rows_cut(tut_str text);

/* --- what encoding --- */
/* Of the first bytes, and how many a mark takes; false: this is no text. */
bool rows_encoding_of(tut_span head, rows_encoding *ret_encoding, unsigned *ret_bom);
const char *rows_encoding_name(rows_encoding e);
/* Appends what len bytes of UTF-16 say, in UTF-8 (at most three bytes for two); returns how many.
 * half: a surrogate that waits for its other one, from call to call. */
size_t rows_from_utf16(rows_input *in, bool is_big, const uint8_t *from, size_t len, char *to);

bool rows_utf8_valid(const char *text, size_t len); /* rows_utf8.cpp */

#endif
