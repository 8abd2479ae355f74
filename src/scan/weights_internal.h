/* What the files of the pass share. */
#ifndef TUT_SCAN_WEIGHTS_INTERNAL_H
#define TUT_SCAN_WEIGHTS_INTERNAL_H

#include "scan/weights.h"
#include "stats/flatness.h"
#include "stats/planes.h"

enum {
    TUT_WEIGHTS_PIECES = 64,
    TUT_WEIGHTS_UNIT_MAX = 34, /* bytes of the largest unit, Q8_0's */
    /* Windows that are looked into closely, of one file: each takes about a millisecond. */
    TUT_WEIGHTS_DEEP_MAX = 512,
    TUT_WEIGHTS_STARTS_MAX = 4096 /* tensors whose beginning is read bit by bit: 0.1 ms each */
};

/* A window is TUT_PLANES_VALUES consecutive numbers of one kind; small tensors share one. */
typedef struct tut_weights_piece {
    size_t tensor;
    uint64_t begin; /* in the source */
    size_t values;
} tut_weights_piece;

typedef struct tut_weights_window {
    tut_numeric kind;
    size_t count; /* of values */
    uint8_t low[TUT_PLANES_VALUES];
    tut_weights_piece pieces[TUT_WEIGHTS_PIECES];
    size_t piece_count;
} tut_weights_window;

typedef struct tut_weights_run {
    tut_weights *w;
    const tut_source *source;
    tut_weights_window window;
    tut_flatness part, whole; /* of the tensor at hand: its latest 131,072 numbers, and all */
    uint64_t sampled;         /* numbers that went into flatness, of the file */
    unsigned flat_bits;       /* of the tensor at hand: what was found in a part */
    double flat_score;
    size_t full_windows, cut_windows; /* of the tensor: all bits move; the lowest 13 rest */
    bool is_spliced, is_hollow;
    bool is_table; /* the window at hand */
    unsigned deep_left, starts_left, candidates, said_hidden;
    uint8_t carry[TUT_WEIGHTS_UNIT_MAX];
    size_t carried;
    float floats[TUT_PLANES_VALUES];
    uint8_t raw[TUT_PLANES_VALUES * 8]; /* a window read again, or the start of a tensor */
    uint8_t packed[TUT_PLANES_VALUES * 6], shuffled[TUT_PLANES_VALUES];
    uint64_t bits[TUT_PLANES_VALUES];
    struct {
        uint64_t upper, low;
        bool is_used;
    } slots[1 << 14];
} tut_weights_run;

/* --- weights_tensor.c: one tensor's numbers --- */
void tut_weights_begin(tut_weights_run *r, size_t tensor);
void tut_weights_feed(tut_weights_run *r, size_t tensor, uint64_t at, const uint8_t *bytes,
                      size_t len);
void tut_weights_end(tut_weights_run *r, size_t tensor);

/* --- weights_window.c: low bits of consecutive numbers --- */
void tut_weights_window_add(tut_weights_run *r, size_t tensor, uint64_t at, const uint8_t *units,
                            size_t count);
void tut_weights_window_flush(tut_weights_run *r);

/* --- weights_hidden.c: what the low bits spell --- */
/* Looks closely at the window; true when something was found and said. */
bool tut_weights_look(tut_weights_run *r);
/* Numbers that only rise or only fall are a table: its low bits follow a rule of their own. */
bool tut_weights_is_table(const uint64_t *bits, size_t count, tut_numeric kind);
/* The first numbers of a tensor: for headers, and for text too short to disturb a window. */
bool tut_weights_look_at_start(tut_weights_run *r, size_t tensor);

/* --- weights_hints.c: after the pass --- */
void tut_weights_look_for_hints(tut_weights *w, const tut_source *source);

/* --- weights_judge.c --- */
void tut_weights_judge(tut_weights_run *r, size_t tensor);
void tut_weights_sum_up(tut_weights *w);

TUT_PRINTF(6, 7)
void tut_weights_say(tut_weights *w, size_t tensor, const char *rule, int severity, uint64_t offset,
                     const char *fmt, ...);

#endif
