/*
 * What the two models look at.
 *
 * User text, two heads over a window of tokens: its words in runs of one to three; and the symbols
 * of the lexicon (runs, ordered pairs nearby, counts, pairs of a sentence and how it begins), which
 * know what a text asks for in words never seen; and one over the stretches of it that say most,
 * as they are wherever they stand. Documents, one head over each segment: the same, what stands at
 * its begin, and how it differs from the document around it.
 */
#ifndef TUT_DETECT_FEATURE_H
#define TUT_DETECT_FEATURE_H

#include "detect/bag.h"
#include "detect/token.h"

typedef enum tut_head {
    TUT_HEAD_WORDS,   /* of user text */
    TUT_HEAD_SYMBOLS, /* of user text */
    TUT_HEAD_STRETCH, /* of a few words of user text */
    TUT_HEAD_SEGMENT, /* of documents */
    TUT_HEAD_COUNT
} tut_head;
extern const tut_bag_shape tut_head_shapes[TUT_HEAD_COUNT];

/* Each empties the bag first. False: memory ran out, which the bag keeps in mind. */
/* --- user text --- */
enum { TUT_WINDOW_TOKENS = 1024, TUT_WINDOW_HOP = 896 };
/* spans: for each token the sum of the weights of the runs that end there; NULL: not wanted. */
bool tut_feature_words(tut_bag *b, const tut_token *t, size_t count, int32_t *spans);
bool tut_feature_symbols(tut_bag *b, const tut_token *t, size_t count);
bool tut_feature_stretch(tut_bag *b, const tut_token *t, size_t count);

/* --- documents --- */
typedef enum tut_document_type {
    TUT_DOCUMENT_PROSE,
    TUT_DOCUMENT_TABLE,
    TUT_DOCUMENT_MAIL,
    TUT_DOCUMENT_CODE,
    TUT_DOCUMENT_DATA,
    TUT_DOCUMENT_TYPES
} tut_document_type;

typedef struct tut_segment {
    uint32_t first, count; /* tokens */
} tut_segment;

/* A segment without an end of its own is cut, and the next begins a little before the cut. */
enum { TUT_SEGMENT_TOKENS = 64, TUT_SEGMENT_OVERLAP = 28, TUT_WORD_COUNTS = 8192 };

typedef struct tut_segments {
    tut_segment *items;
    size_t count, capacity;
    /* of the whole document, when the last token was seen */
    tut_document_type type;
    uint8_t words[TUT_WORD_COUNTS]; /* how often, by hash, up to 255 */
    float mean_tokens, stopped, asking, capitals;
    /* how far it is */
    size_t at, first, open_words;
    size_t tokens, stops, asks, caps, mail, code;
    uint32_t symbols[TUT_SYM_COUNT];
} tut_segments;

void tut_segments_done(tut_segments *s);
void tut_segments_begin(tut_segments *s);
/* Cuts into sentences, lines and cells with prose in them: the next max_tokens. */
TUT_MUST tut_status tut_segments_step(tut_segments *s, const tut_tokens *t, size_t max_tokens,
                                      bool *ret_is_done, tut_error *err);
/* Of a segment, or of a part of one. */
bool tut_feature_segment(tut_bag *b, const tut_segments *s, const tut_tokens *t,
                         const tut_segment *g);

#endif
