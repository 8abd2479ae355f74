/*
 * What attacks that look for a small change of a row have in common: which changes are allowed,
 * asking about many rows at a time within each row's budget, and what it all came to.
 *
 * An attack says what to add to a row, in units of its space; what is sent is kept within the range
 * here. What counts as found is measured here too, on what was sent and answered: an attack cannot
 * claim a change that is larger than the one asked about.
 */
#ifndef TUT_PROBE_EVASION_H
#define TUT_PROBE_EVASION_H

#include "probe/attack.h"
#include "stats/seeded.h"

/* --- the changes that are allowed --- */

typedef struct tut_space {
    tut_norm norm;
    double size;    /* the most that counts, in units */
    bool is_image;  /* channels, tall and wide are known; else 1 x 1 x width */
    bool is_common; /* one range for all columns, and units of the data */
    size_t width;   /* of a row */
    size_t channels, tall, wide;
    size_t step_channel, step_down, step_right; /* from one number to the next */
    float *low, *high;                          /* of each column */
    float *unit;                                /* one unit of it; 0: it cannot change */
} tut_space;

/* From the wishes, the shape that the target says, and the columns' ranges: one range and units of
 * the data for images and where a range is wished; else each column's own range, which is its unit.
 * Lives in the arena. */
TUT_MUST tut_status tut_space_of(const tut_probe *p, const tut_sample *sample,
                                 const tut_target_facts *facts, tut_arena *arena, tut_space *ret,
                                 tut_error *err);
/* row + delta within the range; a row that is outside may stay where it is. */
void tut_space_add(const tut_space *s, const float *row, const float *delta, float *restrict ret);
/* What was added, in units, and its length. */
void tut_space_between(const tut_space *s, const float *row, const float *other, float *ret_delta);
double tut_space_length(const tut_space *s, const float *delta);
double tut_space_distance(const tut_space *s, const float *row, const float *other);
/* A way by chance, of euclidean length 1: all alike (L2), or from the middle of a cube into it. */
void tut_space_way(const tut_space *s, tut_seeded *random, float *ret);
/* A draw of noise of this length: corners of the cube, or the surface of the ball. */
void tut_space_noise(const tut_space *s, double length, tut_seeded *random, float *ret_delta);

/* --- a search --- */

typedef struct tut_evasion tut_evasion;

typedef struct tut_evasion_answer {
    size_t row;
    uint64_t tag;       /* as it was put */
    const float *asked; /* the row as it was sent */
    const double *p;    /* of each class; NULL: there was no answer */
    bool is_wrong;      /* answered with another class than the label */
    double distance;    /* of what was sent from the row; where is_wrong */
} tut_evasion_answer;

/* Called for each answer, in the order of asking. */
typedef void (*tut_evasion_take)(tut_evasion *e, void *ctx, const tut_evasion_answer *a);

typedef struct tut_evasion_kind {
    const char *name;
    const char *weakness;
    uint64_t queries_a_row; /* where none are wished */
    bool is_minimal;        /* looks for the smallest change; else for any within the size */
    bool is_own_space;      /* sets space.size and the distance itself, and wants no noise */
    tut_status (*search)(tut_evasion *e, tut_error *err);
    /* NULL: tut_evasion_tell */
    tut_status (*tell)(const tut_evasion *e, tut_arena *arena, tut_attack_result *ret,
                       tut_error *err);
    /* What stands of an exposed row; NULL: classes, distance and queries. */
    void (*show)(const tut_evasion *e, size_t row, tut_buf *out);
} tut_evasion_kind;

struct tut_evasion {
    tut_probe *p;
    const tut_evasion_kind *kind;
    tut_target *target;
    const tut_sample *sample;
    tut_space space;
    size_t count, width, classes;
    uint64_t budget;    /* queries of one row, the draw of noise among them */
    tut_seeded *random; /* one a row, so that a row's course does not hang on the others */
    uint8_t *is_known;  /* answered without attack */
    uint8_t *is_right;  /* and right */
    uint8_t *is_done;   /* the search is over for it */
    uint64_t *asked;    /* queries so far */
    double *found;      /* distance of the nearest that is wrong; infinite: none yet */
    uint64_t *found_at; /* number of the query that first was wrong within the size */
    uint32_t *clean;    /* class without attack */
    double *p_label;    /* probability of that class */
    uint32_t *became;   /* class of the nearest that is wrong */
    float *worst;       /* count x width: the nearest that is wrong */
    size_t noise_right;
    bool is_over; /* the allowance is spent */
    uint64_t queries, unanswered;
    char problem[160];
    double (*distance)(const tut_evasion *e, size_t row, const float *other); /* NULL: the norm */
    void *own;                                                                /* the attack's */
    tut_arena memory;                                                         /* of the search */

    tut_evasion_take take; /* of what is queued */
    void *take_ctx;
    size_t queued, room;
    float *queue;
    uint32_t *queue_row;
    uint64_t *queue_tag;
    uint64_t *queue_number;
};

/* The whole attack: rows are asked without a change, with a draw of noise, then searched. */
TUT_MUST tut_status tut_evasion_run(tut_probe *p, const tut_evasion_kind *kind,
                                    tut_attack_result *ret, tut_error *err);
/* No number: the reason stands there instead. */
void tut_evasion_unmeasured(const char *reason, tut_attack_result *ret);

/* Right, not done, and with queries left. */
bool tut_evasion_is_live(const tut_evasion *e, size_t row);
bool tut_evasion_is_any_live(const tut_evasion *e);
uint64_t tut_evasion_left(const tut_evasion *e, size_t row);
/* Who takes the answers of what is put from here on; nothing may be queued. */
void tut_evasion_begin(tut_evasion *e, tut_evasion_take take, void *ctx);
/* Queues row + delta, where the row is live; asks when the queue is full. */
TUT_MUST tut_status tut_evasion_put(tut_evasion *e, size_t row, const float *delta, uint64_t tag,
                                    tut_error *err);
/* As it stands, within no range. */
TUT_MUST tut_status tut_evasion_put_raw(tut_evasion *e, size_t row, const float *other,
                                        uint64_t tag, tut_error *err);
/* Asks what is queued. IO or CANCELLED: the answers that came were taken all the same. */
TUT_MUST tut_status tut_evasion_send(tut_evasion *e, tut_error *err);
/* Zeroed, until the search ends; NULL: memory ran out. */
void *tut_evasion_memory(tut_evasion *e, size_t count, size_t size)
    __attribute__((warn_unused_result));
/* log p of the label less the greatest log p of the others: below 0 it is wrong. */
double tut_evasion_margin(const tut_evasion *e, size_t row, const double *p);

/* Right to the last: no change within the size was found. */
bool tut_evasion_held(const tut_evasion *e, size_t row);
/* What the search came to, whole or not. */
TUT_MUST tut_status tut_evasion_tell(const tut_evasion *e, tut_arena *arena, tut_attack_result *ret,
                                     tut_error *err);
/* The parts of it: clean accuracy, which rows held (their digest with it), the most fragile. */
size_t tut_evasion_tell_clean(const tut_evasion *e, tut_attack_result *ret);
TUT_MUST tut_status tut_evasion_tell_kept(const tut_evasion *e, const uint8_t *held,
                                          tut_arena *arena, tut_attack_result *ret, tut_error *err);
/* "L-inf 0.1, 5,000 queries a row". */
const char *tut_evasion_budget(const tut_evasion *e, tut_arena *arena);

#endif
