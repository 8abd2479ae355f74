/*
 * Looking for a backdoor: a small mark that leads rows of every class to one. What is compared is
 * how easily each class is reached; a class that stands out from the others is suspicious.
 */
#ifndef TUT_PROBE_BACKDOOR_H
#define TUT_PROBE_BACKDOOR_H

#include "nets/net.h"
#include "probe/evasion.h"

/* So many classes can be compared; of others the reason. */
enum { TUT_BACKDOOR_CLASSES_LEAST = 4, TUT_BACKDOOR_CLASSES_MOST = 256 };
#define TUT_BACKDOOR_TOO_FEW "classes are compared with each other: it needs 4 to 256"
static inline bool tut_backdoor_compares(size_t classes)
{
    return classes >= TUT_BACKDOOR_CLASSES_LEAST && classes <= TUT_BACKDOOR_CLASSES_MOST;
}

typedef struct tut_suspicion {
    size_t lowest;           /* the class that is reached most easily */
    double value, low, high; /* of it; 95 %, NaN where nothing was drawn again */
} tut_suspicion;

/* Draws anew what each class's value was measured on, and writes the values that it gives. */
typedef void (*tut_backdoor_draw)(void *ctx, tut_seeded *random, double *ret_values);

typedef struct tut_suspect {
    const double *values; /* of each class: how hard it is reached, above 0 */
    size_t count;
    double floor; /* the least that counts as a deviation, as of a few classes it may be small by
                     chance: of values within such a share of each other none stands out */
    tut_backdoor_draw draw; /* NULL: no interval */
    void *ctx;
    uint64_t seed;
} tut_suspect;

/* How far the lowest value lies below the median, in robust deviations (Wang et al. 2019). Unlike
 * there, on a logarithmic scale: areas differ by factors, and below a median there is no room for
 * many deviations. The interval is of the same class over 1,000 draws (percentiles; Efron 1979).
 * NaN where memory ran out. */
tut_suspicion tut_backdoor_suspicion(const tut_suspect *s, tut_arena *arena);

/* Whether the greatest of `values` stands out from the others: how likely one would that far by
 * chance, were all of one normal distribution (Grubbs 1950, one-sided). 3 or more; NaN of less.
 * *ret_greatest: which. */
double tut_backdoor_outlier(const double *values, size_t count, size_t *ret_greatest);

/* No number: the reason stands there instead. */
void tut_backdoor_unmeasured(const char *metric, const char *reason, tut_attack_result *ret);

/* Entropy of the answers when others are laid over a row (STRIP: Gao et al. 2019): what a mark
 * decides keeps its class whatever is laid over it. p: count x classes; the mean, in bits. */
double tut_backdoor_entropy(const float *p, size_t count, size_t classes);
/* row + over within the range of images; else half of each. */
void tut_backdoor_lay_over(const tut_space *s, const float *row, const float *over, float *ret);

/* A mark: where it covers a row (0 to 1), and with what. */
typedef struct tut_mark {
    float *cover, *paint; /* width each */
    double area;          /* sum of the cover, over places */
    double success;       /* share of rows of other classes that it leads to its class */
} tut_mark;

/* The smallest mark that leads at least 95 % of the rows to this class, by gradients (Neural
 * Cleanse). rows: numbers of those that are right and of other classes. area is the number of
 * places where none was found. */
TUT_MUST tut_status tut_backdoor_search(const tut_net *net, const tut_space *s,
                                        const tut_sample *sample, const uint32_t *rows,
                                        size_t row_count, uint32_t target, size_t steps,
                                        tut_seeded *random, tut_arena *arena, tut_mark *ret_mark,
                                        tut_error *err);
void tut_backdoor_stamp(const tut_space *s, const tut_mark *m, const float *row, float *ret);

#endif
