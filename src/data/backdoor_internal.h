/* What the searches for triggers share. For src/data/backdoor*.c. */
#ifndef TUT_DATA_BACKDOOR_INTERNAL_H
#define TUT_DATA_BACKDOOR_INTERNAL_H

#include "base/alloc.h"
#include "data/backdoor.h"

enum { BACKDOOR_CANDIDATES = 20000, BACKDOOR_VOTERS = 10 };

typedef struct backdoor_candidate {
    uint64_t feature; /* the family knows what it is */
    uint32_t label;
    double purity;  /* p of Fisher's test that it goes with the label */
    double tries;   /* candidates that it was the best of; at least 1 */
    double p;       /* that the label is contradicted so often */
    bool is_strong; /* the effect is there */
} backdoor_candidate;

typedef struct backdoor_search {
    const tut_backdoor_input *in;
    const struct backdoor_family *family;
    void *ctx;                      /* of the family */
    uint64_t *sizes, *contradicted; /* of each class: rows, and those that are contradicted */
    uint8_t *bears;                 /* a row: 1 while the candidate at hand is judged */
    uint8_t *claimed;               /* by a trigger that was found */
    uint32_t *rows;                 /* that bear it */
    size_t row_count;
    backdoor_candidate *candidates;
    size_t candidate_count, candidate_capacity;
    tut_triggers *triggers;
} backdoor_search;

typedef struct backdoor_family {
    /* Fills s->rows with the rows that bear it, in order. */
    tut_status (*gather)(backdoor_search *s, const backdoor_candidate *c, tut_error *err);
    /* The candidate, grown to all of the trigger: s->rows anew, and the trigger's places. */
    tut_status (*grow)(backdoor_search *s, const backdoor_candidate *c, tut_trigger *t,
                       tut_error *err);
    /* Whether the rest of this row speaks against its label; s->bears is set. */
    bool (*is_contradicted)(backdoor_search *s, uint32_t row);
    tut_trigger_kind kind;
} backdoor_family;

TUT_MUST tut_status backdoor_init(backdoor_search *s, const tut_backdoor_input *in,
                                  const backdoor_family *family, void *ctx, tut_triggers *triggers,
                                  tut_error *err);
void backdoor_done(backdoor_search *s);
/* A feature of `bearing` rows, `with_label` of them with the label: kept as a candidate when they
 * go together. */
TUT_MUST tut_status backdoor_offer(backdoor_search *s, uint64_t feature, uint32_t label,
                                   uint64_t bearing, uint64_t with_label, double tries,
                                   tut_error *err);
/* Judges what was offered and appends the triggers. */
TUT_MUST tut_status backdoor_judge(backdoor_search *s, tut_error *err);

/* --- images --- */
enum { BACKDOOR_LEVELS = 256 };
typedef struct backdoor_images {
    const float *pixels;
    size_t count, size; /* rows, and values of each */
    size_t height, width, channels;
    float least, step;
    uint8_t *levels; /* size x count: place after place */
    struct backdoor_window *windows;
    size_t window_count, window_capacity;
} backdoor_images;

/* backdoor_conjunctions.c: values at several places, none of which is rare by itself. */
TUT_MUST tut_status backdoor_conjunctions(backdoor_images *m, const tut_backdoor_input *in,
                                          tut_triggers *triggers, tut_error *err);

/* By neighbours that do not bear the candidate. */
bool backdoor_by_neighbours(backdoor_search *s, uint32_t row);

#endif
