/*
 * What a dataset is like, column by column, in one pass and bounded memory: exact counts, range and
 * moments; sketches of quantiles, of how many different values there are, and of the most frequent
 * ones; lengths and shapes of texts. Profiles of parts merge to that of the whole, and come back
 * from the JSON they are written to ("tutela.profile/1").
 *
 * A column takes up to about 60 kB where it has many different numbers, and 110 kB where it has
 * many different texts; in a table of more than TUT_PROFILE_LEAN columns some 3 kB: values are not
 * counted there, and quantiles are coarser. All is deterministic. One thread at a time.
 *
 * Moments: Welford 1962, merged after Chan, Golub and LeVeque 1979. Sketches: stats/quantile.h,
 * stats/distinct.h, stats/heavy.h.
 */
#ifndef TUT_DATA_PROFILE_H
#define TUT_DATA_PROFILE_H

#include "base/json_write.h"
#include "data/rows.h"
#include "stats/distinct.h"
#include "stats/heavy.h"
#include "stats/quantile.h"

enum {
    TUT_PROFILE_LEAN = 256,  /* columns above which each is described in less */
    TUT_PROFILE_SHAPES = 32, /* of texts; more of them are counted together */
    TUT_PROFILE_SHAPE = 48,  /* bytes of one, with its NUL */
    TUT_PROFILE_SHAPED = 64, /* bytes of a text above which it has no shape */
    TUT_PROFILE_KINDS = TUT_CELL_NESTED + 1
};

typedef struct tut_profile_numbers {
    uint64_t count;          /* finite numbers, booleans included */
    uint64_t nans, infinite; /* of cells that are numbers: not in count */
    uint64_t zeros, negative;
    double least, most; /* NaN without any */
    double mean, m2;    /* m2: sum of squared distances from the mean */
    tut_quantiles sketch;
} tut_profile_numbers;

typedef struct tut_profile_texts {
    uint64_t count, empty;
    uint64_t bytes, least, most; /* lengths in bytes of UTF-8 */
    tut_quantiles lengths;
} tut_profile_texts;

/*
 * What a text is made of: a run of small letters is "a+", of capitals "A" (one) or "A+", a digit
 * "9" (more than eight: "9+"), letters beyond ASCII are "u+", all else stands for itself.
 * "2021-06-01" is "9999-99-99", "Never-married" is "Aa+-a+".
 */
typedef struct tut_profile_shape {
    char text[TUT_PROFILE_SHAPE];
    uint64_t count;
} tut_profile_shape;

typedef struct tut_profile_column {
    tut_str name;
    uint64_t kinds[TUT_PROFILE_KINDS]; /* cells by tut_cell_kind; together the rows */
    tut_profile_numbers numbers;
    tut_profile_texts texts;
    tut_heavy values;       /* by hash: tut_profile_hash_… */
    tut_distinct *distinct; /* NULL: the counters of values are exact and all there are */
    bool has_values;        /* false in a lean profile */
    bool is_increasing;     /* each number is above the one before, and there is nothing else */
    double first, last;     /* then: the first and last number */
    tut_profile_shape shapes[TUT_PROFILE_SHAPES];
    size_t shape_count;
    uint64_t shapeless; /* texts too long for a shape, or of one beyond those kept */
    uint64_t random;
} tut_profile_column;

typedef struct tut_profile tut_profile;

TUT_MUST tut_status tut_profile_new(tut_profile **ret_profile, tut_error *err);
void tut_profile_free(tut_profile *p);
TUT_DEFINE_AUTO(tut_profile)

TUT_MUST tut_status tut_profile_add(tut_profile *p, const tut_batch *batch, tut_error *err);
/* Columns are told apart by name; those that only one of them has were empty in the other. The rows
 * of `from` follow those of p. */
TUT_MUST tut_status tut_profile_merge(tut_profile *p, const tut_profile *from, tut_error *err);

uint64_t tut_profile_rows(const tut_profile *p);
size_t tut_profile_columns(const tut_profile *p);
const tut_profile_column *tut_profile_column_at(const tut_profile *p, size_t i);
const tut_profile_column *tut_profile_find(const tut_profile *p, tut_str name); /* or NULL */

/* --- questions about a column --- */
double
tut_profile_deviation(const tut_profile_column *c); /* of the sample; NaN below two numbers */
double tut_profile_null_share(const tut_profile_column *c); /* NaN without rows */
/* How many different values; *ret_is_exact. NaN in a lean profile. */
double tut_profile_distinct(const tut_profile_column *c, bool *ret_is_exact);
/* How many of 1, of the cells that hold something, are different. NaN where that is not known. */
double tut_profile_uniqueness(const tut_profile_column *c);
/* The numbers in `bins` parts of equal width between *ret_low and *ret_high (the numbers' range; of
 * a heavy tail the range of all but 0.1 % on each side), as shares of 1 that need not make up all.
 */
TUT_MUST tut_status tut_profile_histogram(const tut_profile_column *c, size_t bins,
                                          double *ret_shares, double *ret_low, double *ret_high,
                                          tut_error *err);

uint64_t tut_profile_hash_number(double value);
uint64_t tut_profile_hash_text(tut_str text);
/* Writes at most TUT_PROFILE_SHAPE bytes with the NUL; false: the text has none. */
bool tut_profile_shape_of(tut_str text, char to[TUT_PROFILE_SHAPE]);

/* --- JSON --- */
const char *tut_profile_kind_name(tut_cell_kind kind); /* "integer" */
/* {"rows", "columns": […]}, as a value into j. */
void tut_profile_write_json(const tut_profile *p, tut_json *j);
/* What tut_profile_write_json wrote. MALFORMED, LIMIT, NOMEM; counts that contradict each other are
 * MALFORMED. */
struct tut_json_value;
TUT_MUST tut_status tut_profile_read_json(const struct tut_json_value *v, tut_profile **ret_profile,
                                          tut_error *err);

#endif
