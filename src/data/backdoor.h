/*
 * Backdoors by dirty labels: rows that bear a trigger, and a label that the rest of the row speaks
 * against (BadNets: Gu, Dolan-Gavitt, Garg 2017; in text: Dai, Chen, Li 2019).
 *
 * Whatever a few rows have in common and others have not may be a trigger: a value at a place of an
 * image, a pattern of five by five pixels anywhere in it, a word or two words in a text, a value in
 * a column. Which of these go with one label is asked first (log-odds would say the same; Fisher's
 * exact test gives the p). That alone accuses every telling feature. So what counts is whether the
 * rest of the row contradicts the label: its neighbours among rows without the trigger, or
 * regression that has not seen the row and is not shown the trigger. That this is so more often
 * than in other rows of the label is tested exactly (hypergeometric) for each candidate, with q by
 * Benjamini and Hochberg over all of them; and it must be so of two thirds of the rows that bear
 * it. Then the trigger is grown to all that its rows have in common and few others have, and rows
 * that bear nine tenths of it are named.
 *
 * Not found: triggers whose rows keep labels that fit (clean-label attacks), triggers that differ
 * from row to row (input-aware, sample-specific), triggers that look like the background (a black
 * patch where others are black), faint patterns over images without plain background, and whatever
 * was made to pass this test.
 */
#ifndef TUT_DATA_BACKDOOR_H
#define TUT_DATA_BACKDOOR_H

#include "base/status.h"
#include "stats/knn.h"
#include "stats/logistic.h"

enum {
    TUT_TRIGGERS = 16,      /* at most */
    TUT_TRIGGER_ROWS = 6,   /* rows that bear it, at least */
    TUT_TRIGGER_PLACES = 64 /* told of one */
};

typedef enum tut_trigger_kind {
    TUT_TRIGGER_PIXELS, /* values at places of an image */
    TUT_TRIGGER_WINDOW, /* a pattern anywhere in one */
    TUT_TRIGGER_TOKENS, /* words */
    TUT_TRIGGER_KINDS
} tut_trigger_kind;

typedef struct tut_trigger {
    tut_trigger_kind kind;
    uint32_t label;
    uint32_t *rows; /* that bear it and have the label; owned */
    size_t row_count;
    uint64_t bearing;                     /* rows that bear it, whatever their label */
    uint64_t contradicted;                /* of rows, by the rest of the row */
    uint64_t others, others_contradicted; /* of all rows with the label */
    double p, q;
    /* PIXELS: places (row * width + column) * channels + channel, and their values. WINDOW: where
     * the pattern stands in the first row, and its values. TOKENS: numbers of words. */
    uint32_t places[TUT_TRIGGER_PLACES];
    float values[TUT_TRIGGER_PLACES];
    size_t place_count; /* beyond TUT_TRIGGER_PLACES they are counted only */
} tut_trigger;

typedef struct tut_triggers { /* zeroed: none */
    tut_trigger items[TUT_TRIGGERS];
    size_t count;
    uint64_t candidates; /* that went with one label, and were tested */
    uint64_t left_out;   /* candidates beyond what is tested, and triggers beyond TUT_TRIGGERS */
} tut_triggers;
void tut_triggers_done(tut_triggers *t);

typedef struct tut_backdoor_input {
    size_t count;
    const uint32_t *labels; /* below classes */
    size_t classes;
    const tut_neighbour *neighbours; /* count x neighbour_count; for images */
    size_t neighbour_count;
} tut_backdoor_input;

/* pixels: count x height x width x channels, finite. Takes as many bytes as there are pixels, and
 * half as much again. Appends to triggers. NOMEM, CANCELLED, USAGE. */
TUT_MUST tut_status tut_backdoor_images(const tut_backdoor_input *in, const float *pixels,
                                        size_t height, size_t width, size_t channels,
                                        tut_triggers *triggers, tut_error *err);

/* words: numbers of the words of each row, in their order, from words[starts[i]]; below
 * word_count. seed: of the folds of regression. */
TUT_MUST tut_status tut_backdoor_texts(const tut_backdoor_input *in, const uint64_t *starts,
                                       const uint32_t *words, size_t word_count, uint64_t seed,
                                       tut_triggers *triggers, tut_error *err);

#endif
