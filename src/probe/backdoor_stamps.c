/*
 * Without the model: bright and dark patches are stamped on a few rows at every place in turn (of
 * vectors, each column set to its ends), and what share of rows of other classes each leads to one
 * class is counted, as BadNets (Gu, Dolan-Gavitt, Garg 2017) are triggered. The stamp that leads
 * most to each class is then measured on other rows: the best of hundreds looks better than it is
 * on those that it was chosen by. The class that is reached so much more easily than the others is
 * suspicious.
 */
#include <math.h>
#include <string.h>

#include "probe/backdoor.h"
#include "stats/tails.h"

enum {
    ROWS_NEEDED = 24,
    STAMPED_ROWS = 24, /* on which stamps are chosen, and half of all at most */
    FRESH_ROWS = 96,   /* others, on which those that were chosen are measured */
    ROWS_LEAST = 8,
    COLUMNS_MOST = 256
};

typedef struct stamp {
    size_t top, left, side; /* of vectors: left is the column, side 0 */
    bool is_bright;
} stamp;

typedef struct press {
    tut_probe *p;
    const tut_sample *sample;
    tut_space space;
    tut_arena memory;
    size_t count, fresh, classes, width; /* rows to choose by; behind them those to measure on */
    uint32_t *clean;                     /* class of each row; UINT32_MAX: not answered */
    float *rows;                         /* as many as are asked at once, stamped */
    size_t *led, *of;  /* rows that the stamp at hand led to each class; rows of other classes */
    double *resisting; /* of each class, the least share that any stamp left */
    size_t *best_led, *best_of;
    stamp *best;
    uint8_t *fates;  /* classes x fresh: what the best stamp of a class did to a row */
    uint32_t *picks; /* fresh rows drawn again */
    bool is_over;
} press;

enum { FATE_NONE, FATE_RESISTED, FATE_LED }; /* none: of that class already, or no answer */

static tut_status make(press *k, tut_error *err)
{
    tut_arena *a = &k->memory;
    k->led = tut_arena_take(a, k->classes, sizeof(*k->led));
    k->of = tut_arena_take(a, k->classes, sizeof(*k->of));
    k->resisting = tut_arena_take(a, k->classes, sizeof(*k->resisting));
    k->best_led = tut_arena_take(a, k->classes, sizeof(*k->best_led));
    k->best_of = tut_arena_take(a, k->classes, sizeof(*k->best_of));
    k->best = tut_arena_take(a, k->classes, sizeof(*k->best));
    k->fates = tut_arena_take(a, k->classes * k->fresh, 1);
    k->picks = tut_arena_take(a, k->fresh, sizeof(*k->picks));
    if (!k->led || !k->of || !k->resisting || !k->best_led || !k->best_of || !k->best ||
        !k->fates || !k->picks)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (size_t c = 0; c < k->classes; c++)
        k->resisting[c] = 1;
    return TUT_SUCCESS;
}

static uint32_t class_of(const tut_predictions *got, size_t i)
{
    const double *p = got->values + i * got->classes;
    size_t best = 0;
    if (got->answered[i] != TUT_ANSWERED)
        return UINT32_MAX;
    for (size_t c = 1; c < got->classes; c++)
        best = p[c] > p[best] ? c : best;
    return (uint32_t)best;
}

static tut_status ask_clean(press *k, tut_attack_result *ret, tut_error *err)
{
    tut_predictions got = {.count = 0};
    size_t count = k->count + k->fresh;
    k->clean = tut_arena_take(&k->memory, count, sizeof(*k->clean));
    k->rows = tut_arena_take(&k->memory, count * k->width, sizeof(*k->rows));
    if (!k->clean || !k->rows)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    tut_status status = tut_target_predict(k->p->target, k->sample->rows, count, k->width, 0, &got,
                                           err);
    k->classes = got.classes;
    for (size_t i = 0; i < count; i++)
        k->clean[i] = i < got.count ? class_of(&got, i) : UINT32_MAX;
    for (size_t i = 0; i < got.count; i++)
        ret->queries += got.answered[i] != TUT_UNASKED;
    tut_predictions_done(&got);
    return status;
}

static void press_on(const press *k, const stamp *s, float *row)
{
    const tut_space *space = &k->space;
    for (size_t i = 0; i < (s->side ? s->side * s->side * space->channels : 1); i++) {
        size_t point = s->side ? i % (s->side * s->side) : 0;
        size_t channel = s->side ? i / (s->side * s->side) : 0;
        size_t at = s->side ? channel * space->step_channel +
                                  (s->top + point / s->side) * space->step_down +
                                  (s->left + point % s->side) * space->step_right
                            : s->left;
        if (space->unit[at] > 0)
            row[at] = s->is_bright ? space->high[at] : space->low[at];
    }
}

/* Half a row more on either side: of few rows, all or none is no certainty. */
static double resisting(size_t led, size_t of)
{
    return 1 - ((double)led + 0.5) / ((double)of + 1);
}

static void count_led(press *k, const stamp *s, const tut_predictions *got)
{
    memset(k->led, 0, k->classes * sizeof(*k->led));
    memset(k->of, 0, k->classes * sizeof(*k->of));
    for (size_t i = 0; i < got->count && got->classes == k->classes; i++) {
        uint32_t now = class_of(got, i);
        for (size_t c = 0; now != UINT32_MAX && k->clean[i] != UINT32_MAX && c < k->classes; c++)
            k->of[c] += k->clean[i] != c;
        if (now != UINT32_MAX && now != k->clean[i] && k->clean[i] != UINT32_MAX)
            k->led[now]++;
    }
    for (size_t c = 0; c < k->classes; c++) {
        double left = resisting(k->led[c], k->of[c]);
        if (k->of[c] < ROWS_LEAST || left >= k->resisting[c])
            continue;
        k->resisting[c] = left;
        k->best_led[c] = k->led[c];
        k->best_of[c] = k->of[c];
        k->best[c] = *s;
    }
}

/* Asks about `count` rows of the sample from `first`, stamped. */
static tut_status ask_stamped(press *k, const stamp *s, size_t first, size_t count,
                              tut_predictions *got, tut_attack_result *ret, tut_error *err)
{
    memcpy(k->rows, k->sample->rows + first * k->width, count * k->width * sizeof(*k->rows));
    for (size_t i = 0; i < count; i++)
        press_on(k, s, k->rows + i * k->width);
    tut_status status = tut_target_predict(k->p->target, k->rows, count, k->width, first, got, err);
    for (size_t i = 0; i < got->count; i++) {
        ret->queries += got->answered[i] != TUT_UNASKED;
        k->is_over |= got->answered[i] == TUT_UNASKED;
    }
    if (tut_is_ok(status) && tut_interrupted())
        return tut_fail(err, TUT_CANCELLED, "interrupted");
    return status;
}

static tut_status try_stamp(press *k, const stamp *s, tut_attack_result *ret, tut_error *err)
{
    tut_predictions got = {.count = 0};
    tut_status status = ask_stamped(k, s, 0, k->count, &got, ret, err);
    count_led(k, s, &got);
    tut_predictions_done(&got);
    return status;
}

/* Stamps of one size, `step` apart; the last of each line at the edge. */
typedef struct sheet {
    size_t side, step, down, across;
} sheet;

static size_t place_at(size_t i, const sheet *s, size_t size)
{
    return i * s->step + s->side <= size ? i * s->step : size - s->side;
}

static size_t places_of(size_t size, size_t side, size_t step)
{
    return (size - side + step - 1) / step + 1;
}

/* A stamp of the usual size, and one of twice that at the same steps, which has any mark up to the
 * usual size, and one point more, whole within it, wherever it lies. side 0: of vectors. */
static size_t lay_sheets(const tut_space *s, sheet ret[2])
{
    size_t shorter = s->tall < s->wide ? s->tall : s->wide;
    size_t side = shorter < 16 ? (shorter < 2 ? 1 : 2) : shorter / 8;
    if (!s->is_image) {
        ret[0] = (sheet){.across = s->width < COLUMNS_MOST ? s->width : COLUMNS_MOST, .down = 1};
        return 1;
    }
    size_t count = shorter >= 8 * side ? 2 : 1; /* else the greater is no small mark */
    for (size_t i = 0; i < count; i++)
        ret[i] = (sheet){.side = side * (i + 1),
                         .step = side,
                         .down = places_of(s->tall, side * (i + 1), side),
                         .across = places_of(s->wide, side * (i + 1), side)};
    return count;
}

static tut_status try_sheet(press *k, const sheet *s, tut_attack_result *ret, tut_error *err)
{
    for (size_t i = 0; i < 2 * s->down * s->across && !k->is_over; i++) {
        size_t place = i / 2;
        const stamp at = {.top = s->side ? place_at(place / s->across, s, k->space.tall) : 0,
                          .left = s->side ? place_at(place % s->across, s, k->space.wide) : place,
                          .side = s->side,
                          .is_bright = i % 2 == 0};
        tut_probe_step(k->p, "stamps", i, 2 * s->down * s->across);
        TUT_TRY(try_stamp(k, &at, ret, err));
    }
    return TUT_SUCCESS;
}

static tut_status try_all(press *k, tut_attack_result *ret, tut_error *err)
{
    sheet sheets[2];
    size_t count = lay_sheets(&k->space, sheets);
    for (size_t i = 0; i < count; i++)
        TUT_TRY(try_sheet(k, &sheets[i], ret, err));
    return TUT_SUCCESS;
}

/* --- on other rows --- */

static tut_status measure(press *k, tut_attack_result *ret, tut_error *err)
{
    for (uint32_t c = 0; c < k->classes && !k->is_over; c++) {
        tut_predictions got = {.count = 0};
        if (k->best_of[c] == 0)
            continue; /* no stamp leads there */
        tut_status status = ask_stamped(k, &k->best[c], k->count, k->fresh, &got, ret, err);
        for (size_t i = 0; i < got.count && got.classes == k->classes; i++) {
            uint32_t now = class_of(&got, i), clean = k->clean[k->count + i];
            if (now != UINT32_MAX && clean != UINT32_MAX && clean != c)
                k->fates[c * k->fresh + i] = now == c ? FATE_LED : FATE_RESISTED;
        }
        tut_predictions_done(&got);
        TUT_TRY(status);
    }
    return TUT_SUCCESS;
}

/* The share of fresh rows (picks: NULL, all as they are) that the best stamp did not lead. */
static double resisting_fresh(const press *k, size_t class, const uint32_t *picks, size_t *ret_led,
                              size_t *ret_of)
{
    const uint8_t *fates = k->fates + class * k->fresh;
    size_t counts[3] = {0};
    for (size_t i = 0; i < k->fresh; i++)
        counts[fates[picks ? picks[i] : i]]++;
    *ret_led = counts[FATE_LED];
    *ret_of = counts[FATE_LED] + counts[FATE_RESISTED];
    return k->best_of[class] ? resisting(*ret_led, *ret_of) : 1;
}

static void draw_rows(void *ctx, tut_seeded *random, double *ret_values)
{
    const press *k = ctx;
    size_t led = 0, of = 0;
    for (size_t i = 0; i < k->fresh; i++)
        k->picks[i] = (uint32_t)tut_seeded_below(random, k->fresh);
    for (size_t c = 0; c < k->classes; c++)
        ret_values[c] = resisting_fresh(k, c, k->picks, &led, &of);
}

/* --- the result --- */

/* is_whole: every class was measured on fresh rows; else what stands there is of the choosing. */
static void tell(press *k, bool is_whole, tut_attack_result *ret)
{
    double low = 0, high = 1;
    for (size_t c = 0; c < k->classes && is_whole; c++)
        k->resisting[c] = resisting_fresh(k, c, NULL, &k->best_led[c], &k->best_of[c]);
    const tut_suspect of_classes = {.values = k->resisting,
                                    .count = k->classes,
                                    .floor = 0.4, /* 2 is when some seven in ten rows are led */
                                    .draw = is_whole ? draw_rows : NULL,
                                    .ctx = k,
                                    .seed = k->p->seed};
    tut_suspicion suspicion = tut_backdoor_suspicion(&of_classes, &k->memory);
    size_t lowest = suspicion.lowest;
    ret->metric = "suspicion";
    ret->decisive = (tut_measure){"suspicion", suspicion.value, suspicion.low, suspicion.high};
    ret->baseline = NAN;
    ret->rows = is_whole ? k->fresh : k->count;
    size_t led = k->best_led[lowest], of = k->best_of[lowest];
    tut_binomial_interval(led, of, 0.95, &low, &high);
    tut_result_add(ret, "easiest_class", (double)lowest, NAN, NAN);
    tut_result_add(ret, "stamped_success", of ? (double)led / (double)of : NAN, low, high);
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    const stamp *s = &k->best[lowest];
    tut_buf_printf(&text, "class %zu: %s ", lowest, s->is_bright ? "the highest" : "the lowest");
    if (s->side)
        tut_buf_printf(&text, "%zu x %zu patch at line %zu, column %zu", s->side, s->side, s->top,
                       s->left);
    else
        tut_buf_printf(&text, "value of column %zu", s->left);
    tut_buf_printf(&text, " leads %zu of %zu rows", led, of);
    tut_result_add_exposed(ret, &k->p->arena, UINT64_MAX, suspicion.value, tut_buf_z(&text));
}

static tut_status look(press *k, tut_attack_result *ret, tut_error *err)
{
    TUT_TRY(
        tut_space_of(k->p, k->sample, tut_target_about(k->p->target), &k->memory, &k->space, err));
    TUT_TRY(ask_clean(k, ret, err));
    if (!tut_backdoor_compares(k->classes)) {
        tut_backdoor_unmeasured("suspicion", TUT_BACKDOOR_TOO_FEW, ret);
        return TUT_SUCCESS;
    }
    TUT_TRY(make(k, err));
    tut_status status = try_all(k, ret, err);
    if (tut_is_ok(status) && !k->is_over)
        status = measure(k, ret, err);
    if (!tut_is_ok(status) && status.code != TUT_IO && status.code != TUT_CANCELLED)
        return status;
    ret->was_cut = k->is_over || !tut_is_ok(status);
    tell(k, !ret->was_cut, ret);
    if (ret->was_cut)
        ret->reason = k->is_over ? "the allowance of queries was spent" : "broken off";
    return status;
}

static tut_status run(tut_probe *p, tut_attack_result *ret, tut_error *err)
{
    press k = {.p = p, .sample = p->others};
    ret->weakness = "Only solid patches of two sizes, bright or dark, are tried: other "
                    "marks are not found.";
    if (!k.sample || k.sample->count < ROWS_NEEDED) {
        tut_backdoor_unmeasured("suspicion", "it needs at least 24 rows", ret);
        return TUT_SUCCESS;
    }
    size_t half = k.sample->count / 2, said = tut_target_about(p->target)->classes;
    if (said && !tut_backdoor_compares(said)) { /* else it is learnt by asking */
        tut_backdoor_unmeasured("suspicion", TUT_BACKDOOR_TOO_FEW, ret);
        return TUT_SUCCESS;
    }
    k.count = half < STAMPED_ROWS ? half : STAMPED_ROWS;
    k.fresh = k.sample->count - k.count < FRESH_ROWS ? k.sample->count - k.count : FRESH_ROWS;
    k.width = k.sample->width;
    tut_arena_init(&k.memory, 0);
    tut_status status = look(&k, ret, err);
    if (!ret->metric && (status.code == TUT_CANCELLED || status.code == TUT_IO))
        tut_backdoor_unmeasured("suspicion", "broken off before any row was stamped", ret);
    tut_arena_done(&k.memory);
    return status;
}

extern const tut_attack tut_attack_backdoor_stamps;

const tut_attack tut_attack_backdoor_stamps = {
    .probe = "backdoor",
    .name = "stamps",
    .about = "patches stamped on rows at every place: is one class reached far more easily?",
    .source = "Gu et al. 2017 (BadNets); Wang et al. 2019",
    .gives = TUT_GIVES_LABELS | TUT_GIVES_ANY_ROW,
    .needs = TUT_NEEDS_ROWS,
    .run = run,
};
