#include "watch/series.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

enum { HOUR_MS = 3600 * 1000, SILENT = 255, AGAIN = 64 };

tut_status tut_series_new(tut_str name, const tut_series_options *options, tut_series **ret_series,
                          tut_error *err)
{
    TUT_AUTO(tut_series) s = tut_alloc_array(1, sizeof(*s));
    if (!s)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    tut_str_copy(s->name, sizeof(s->name), name);
    s->options = *options;
    if (s->options.learn < TUT_BANK_LEAST)
        s->options.learn = TUT_BANK_LEAST;
    if (s->options.learn > TUT_SERIES_LEARN_MAX)
        s->options.learn = TUT_SERIES_LEARN_MAX;
    s->first_ms = s->last_ms = TUT_NO_TIME;
    s->point_events = 1;
    s->values = tut_alloc_array(s->options.learn, sizeof(*s->values));
    s->times = tut_alloc_array(s->options.learn, sizeof(*s->times));
    if (!s->values || !s->times)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    if (options->has_adwin) {
        s->adwin = tut_alloc_array(1, sizeof(*s->adwin));
        if (!s->adwin)
            return tut_fail(err, TUT_NOMEM, "memory ran out");
        tut_adwin_init(s->adwin, 1 / s->options.interval);
    }
    *ret_series = tut_move(&s);
    return TUT_SUCCESS;
}

void tut_series_free(tut_series *s)
{
    if (!s)
        return;
    tut_free(s->values);
    tut_free(s->times);
    tut_free(s->adwin);
    tut_free(s);
}

/* --- the clock --- */

/* The hour of the week begins on a Monday: 1 January 1970 was a Thursday. */
static size_t slot_of(uint16_t slots, int64_t at_ms)
{
    int64_t hour = at_ms / HOUR_MS - (at_ms % HOUR_MS < 0);
    int64_t of_week = ((hour + 72) % TUT_SERIES_SLOTS + TUT_SERIES_SLOTS) % TUT_SERIES_SLOTS;
    return (size_t)(slots == TUT_SERIES_SLOTS ? of_week : of_week % 24);
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double variance_of(const double *v, const float *off, const int64_t *times, uint16_t slots,
                          size_t count)
{
    double mean = 0, squares = 0;
    for (size_t i = 0; i < count; i++) {
        double x = v[i] - (slots ? (double)off[slot_of(slots, times[i])] : 0), delta = x - mean;
        mean += delta / (double)(i + 1);
        squares += delta * (x - mean);
    }
    return count ? squares / (double)count : 0;
}

/* Each hour's median; false where an hour was seen fewer than twice. */
static bool usual_of(const tut_series *s, uint16_t slots, double *work, float *ret_usual)
{
    for (size_t k = 0; k < slots; k++) {
        size_t n = 0;
        for (size_t i = 0; i < s->held; i++)
            if (slot_of(slots, s->times[i]) == k)
                work[n++] = s->values[i];
        if (n < 2)
            return false;
        qsort(work, n, sizeof(*work), by_size);
        ret_usual[k] = (float)((work[(n - 1) / 2] + work[n / 2]) / 2);
    }
    return true;
}

static void learn_clock(tut_series *s, double *work)
{
    static const uint16_t tried[] = {24, TUT_SERIES_SLOTS};
    static const double explained = 0.8, more = 0.9;
    float usual[TUT_SERIES_SLOTS];
    int64_t first = s->times[0], last = s->times[s->held - 1];
    if (s->options.no_seasons || first == TUT_NO_TIME || last == TUT_NO_TIME)
        return;
    double best = variance_of(s->values, NULL, s->times, 0, s->held) * explained;
    for (size_t i = 0; i < 2; i++) {
        double periods = ((double)last - (double)first) / ((double)tried[i] * HOUR_MS);
        if (periods < 2 || s->held < 4u * tried[i] || !usual_of(s, tried[i], work, usual))
            continue;
        double left = variance_of(s->values, usual, s->times, tried[i], s->held);
        /* Each hour's median takes some variance along by chance. */
        left *= (double)s->held / ((double)s->held - tried[i]);
        if (left > best)
            continue;
        best = left * more;
        s->slots = tried[i];
        memcpy(s->usual, usual, tried[i] * sizeof(*usual));
    }
}

static double usual_at(const tut_series *s, int64_t at_ms)
{
    return s->slots && at_ms != TUT_NO_TIME ? (double)s->usual[slot_of(s->slots, at_ms)] : 0;
}

static double adjusted(const tut_series *s, int64_t at_ms, double value)
{
    return value - usual_at(s, at_ms);
}

/* --- learning --- */
static void release(tut_series *s)
{
    tut_free(s->values);
    tut_free(s->times);
    s->values = NULL;
    s->times = NULL;
    s->held = 0;
}

/* What comes while an episode is open may become the new baseline. Without memory it does not. */
static void collect(tut_series *s, int64_t at_ms, double value)
{
    if (!s->values) {
        s->values = tut_alloc_array(s->options.learn, sizeof(*s->values));
        s->times = tut_alloc_array(s->options.learn, sizeof(*s->times));
        if (!s->values || !s->times)
            release(s);
    }
    if (!s->values || s->held == s->options.learn)
        return;
    s->times[s->held] = at_ms;
    s->values[s->held++] = value;
}

static void learn_gaps(tut_series *s)
{
    double sum = 0, n = 0;
    for (size_t i = 1; i < s->held; i++) {
        if (s->times[i] == TUT_NO_TIME || s->times[i - 1] == TUT_NO_TIME)
            continue;
        double gap = (double)s->times[i] - (double)s->times[i - 1];
        sum += gap;
        n++;
        s->gap_most = fmax(s->gap_most, gap);
    }
    s->gap_mean = n > 0 ? sum / n : 0;
}

static void learn(tut_series *s)
{
    s->slots = 0;
    s->gap_most = 0;
    TUT_AUTO_FREE double *work = tut_alloc_array(2 * (size_t)s->held, sizeof(*work));
    if (!work)
        return; /* with the next event again */
    learn_gaps(s);
    learn_clock(s, work);
    /* The medians fit what they were taken from better than what comes. */
    double each = s->slots ? (double)s->held / s->slots : 0;
    double fit = each > 1 ? sqrt((1 + M_PI_2 / each) / (1 - 1 / each)) : 1;
    for (size_t i = 0; i < s->held; i++)
        s->values[i] = fit * adjusted(s, s->times[i], s->values[i]);
    tut_bank_learn(&s->bank, s->values, s->held, s->options.interval, work);
    if (s->adwin)
        tut_adwin_init(s->adwin, 1 / s->options.interval);
    for (size_t i = 0; s->adwin && i < s->held; i++)
        (void)tut_adwin_step(s->adwin, s->values[i], NULL);
    s->is_learnt = true;
    release(s);
}

void tut_series_backfill(tut_series *s, uint64_t zeros)
{
    for (; zeros > 0 && !s->is_learnt; zeros--) {
        s->times[s->held] = TUT_NO_TIME;
        s->values[s->held++] = 0;
        if (s->held == s->options.learn)
            learn(s);
    }
}

/* --- the chart --- */
static void halve(tut_series *s)
{
    for (size_t i = 0; i < TUT_SERIES_POINTS / 2; i++) {
        tut_series_point a = s->points[2 * i], b = s->points[2 * i + 1];
        a.low = fminf(a.low, b.low);
        a.high = fmaxf(a.high, b.high);
        a.sum += b.sum;
        a.count += b.count;
        s->points[i] = a;
    }
    s->point_count = TUT_SERIES_POINTS / 2;
    s->point_events *= 2;
}

static void draw(tut_series *s, int64_t at_ms, double value)
{
    float x = (float)value;
    if (s->point_count > 0 && s->points[s->point_count - 1].count < s->point_events) {
        tut_series_point *p = &s->points[s->point_count - 1];
        p->low = fminf(p->low, x);
        p->high = fmaxf(p->high, x);
        p->sum += x;
        p->count++;
        return;
    }
    if (s->point_count == TUT_SERIES_POINTS)
        halve(s);
    s->points[s->point_count++] =
        (tut_series_point){.low = x, .high = x, .sum = x, .count = 1, .at_ms = at_ms};
}

static void mark(tut_series *s, uint64_t index, int64_t at_ms, uint8_t kind)
{
    if (s->mark_count == TUT_SERIES_ALARMS) {
        memmove(s->marks, s->marks + 1, (TUT_SERIES_ALARMS - 1) * sizeof(*s->marks));
        s->mark_count--;
    }
    s->marks[s->mark_count++] = (tut_series_mark){index, at_ms, kind};
}

/* --- watching --- */

/* Back from now, where what came since is most likely to have been another mean. */
static void locate(const tut_series *s, uint64_t index, tut_alarm *a)
{
    uint64_t last = s->seen - s->missing - 1; /* gaps are not in the ring */
    uint64_t count = last + 1 < TUT_SERIES_RING ? last + 1 : TUT_SERIES_RING;
    double sum = 0, best = -1, deviation = s->bank.deviation > 0 ? s->bank.deviation : 1;
    a->since = index;
    a->after = (double)s->ring[last % TUT_SERIES_RING];
    for (uint64_t k = 0; k < count; k++) {
        double n = (double)k + 1;
        sum += ((double)s->ring[(last - k) % TUT_SERIES_RING] - s->bank.mean) / deviation;
        double gain = sum * sum / n;
        if (gain > best) {
            best = gain;
            a->since = index > k ? index - k : 0;
            a->after = s->bank.mean + sum / n * deviation;
        }
    }
}

static bool begin(tut_series *s, int64_t at_ms, uint64_t index, tut_change change,
                  const char *detector, tut_alarm *a)
{
    bool is_again = s->ended > 0 && index - s->ended < s->options.learn &&
                    (s->ended_kind & 1u << change);
    if (!s->is_open)
        s->again = is_again ? (s->again < AGAIN ? s->again * 2 : AGAIN) : 1;
    /* Another mean is another spread around the old one: that is no second finding. */
    unsigned spreads = 1u << TUT_CHANGE_WIDER | 1u << TUT_CHANGE_NARROWER;
    s->open_kind = (uint8_t)((s->is_open ? s->open_kind : 0) | 1u << change | spreads);
    s->is_open = true;
    s->calm = 0;
    s->alarms++;
    *a = (tut_alarm){.stream = s->name,
                     .at_ms = at_ms,
                     .index = index,
                     .kind = tut_change_name(change),
                     .detector = detector,
                     .before = s->bank.mean};
    locate(s, index, a);
    /* To see that it is over takes no less than to see that it was there. */
    uint64_t took = 2 * (index - a->since), most = s->options.learn / 2;
    took = (took < TUT_SERIES_CALM ? TUT_SERIES_CALM : took) * s->again;
    s->patience = (uint32_t)(took < most ? took : most);
    a->before += usual_at(s, at_ms);
    a->after += usual_at(s, at_ms);
    mark(s, index, at_ms, (uint8_t)change);
    return true;
}

static bool end(tut_series *s, int64_t at_ms, uint64_t index, const char *detector, tut_alarm *a)
{
    *a = (tut_alarm){.stream = s->name,
                     .at_ms = at_ms,
                     .index = index,
                     .kind = "cleared",
                     .detector = detector,
                     .before = s->bank.mean + usual_at(s, at_ms),
                     .after = (double)s->ring[(s->seen - s->missing - 1) % TUT_SERIES_RING] +
                              usual_at(s, at_ms),
                     .since = index};
    s->is_open = false;
    s->ended = index;
    s->ended_kind = s->open_kind;
    mark(s, index, at_ms, 0);
    tut_bank_reset(&s->bank);
    release(s);
    return true;
}

/* What was new has lasted for as long as a baseline is learnt from: it is the new one. */
static bool settle(tut_series *s, int64_t at_ms, uint64_t index, tut_alarm *a)
{
    double before = s->bank.mean;
    learn(s);
    if (s->values) {
        s->held--;
        return false;
    }
    s->is_open = false;
    s->ended = 0;
    mark(s, index, at_ms, 0);
    *a = (tut_alarm){.stream = s->name,
                     .at_ms = at_ms,
                     .index = index,
                     .kind = "settled",
                     .detector = "cusum",
                     .before = before,
                     .after = s->bank.mean,
                     .since = index > s->options.learn ? index - s->options.learn : 0};
    return true;
}

static bool watch(tut_series *s, int64_t at_ms, uint64_t index, double value, tut_alarm *ret_alarm)
{
    double x = adjusted(s, at_ms, value);
    static const float calm_below = 0.5f;
    s->ring[(s->seen - s->missing - 1) % TUT_SERIES_RING] = (float)x;
    size_t lane = tut_bank_step(&s->bank, x);
    bool has_cut = s->adwin && tut_adwin_step(s->adwin, x, NULL);
    if (!s->is_open && lane != SIZE_MAX)
        return begin(s, at_ms, index, tut_bank_change(&s->bank, lane),
                     lane == TUT_BANK_LANES ? "ewma" : "cusum", ret_alarm);
    if (!s->is_open && has_cut)
        return begin(s, at_ms, index,
                     tut_adwin_mean(s->adwin) > s->bank.mean ? TUT_CHANGE_UP : TUT_CHANGE_DOWN,
                     "adwin", ret_alarm);
    if (!s->is_open)
        return false;
    size_t another = tut_bank_over(&s->bank, s->open_kind);
    if (another != SIZE_MAX)
        return begin(s, at_ms, index, tut_bank_change(&s->bank, another), "cusum", ret_alarm);
    s->calm = tut_bank_is_calm(&s->bank, s->open_kind, calm_below) ? s->calm + 1 : 0;
    if (s->calm >= s->patience)
        return end(s, at_ms, index, "cusum", ret_alarm);
    collect(s, at_ms, value);
    return !s->options.keeps && s->held == s->options.learn && settle(s, at_ms, index, ret_alarm);
}

bool tut_series_step(tut_series *s, int64_t at_ms, double value, tut_alarm *ret_alarm)
{
    uint64_t index = s->seen++;
    bool was_silent = s->is_silent;
    s->is_silent = false;
    if (at_ms != TUT_NO_TIME) {
        s->first_ms = s->first_ms == TUT_NO_TIME ? at_ms : s->first_ms;
        s->last_ms = at_ms;
    }
    if (!isfinite(value)) {
        s->missing++;
        value = NAN;
    } else {
        draw(s, at_ms, value);
    }
    if (!isnan(value) && !s->is_learnt) {
        s->times[s->held] = at_ms;
        s->values[s->held++] = value;
        s->ring[(s->seen - s->missing - 1) % TUT_SERIES_RING] = (float)value;
        if (s->held == s->options.learn) {
            learn(s);
            s->held = s->is_learnt ? 0 : s->held - 1;
        }
    } else if (!isnan(value) && watch(s, at_ms, index, value, ret_alarm)) {
        return true;
    }
    if (!was_silent)
        return false;
    mark(s, index, at_ms, 0);
    *ret_alarm = (tut_alarm){.stream = s->name,
                             .at_ms = at_ms,
                             .index = index,
                             .kind = "cleared",
                             .detector = "gap",
                             .before = s->gap_mean / 1000,
                             .after = 0,
                             .since = index};
    return true;
}

bool tut_series_tick(tut_series *s, int64_t now_ms, tut_alarm *ret_alarm)
{
    static const double longer = 3, than_mean = 10;
    double limit = fmax(longer * s->gap_most, than_mean * s->gap_mean);
    if (!s->is_learnt || s->is_silent || s->last_ms == TUT_NO_TIME || limit <= 0)
        return false;
    double gap = (double)now_ms - (double)s->last_ms;
    if (gap <= limit)
        return false;
    s->is_silent = true;
    s->alarms++;
    *ret_alarm = (tut_alarm){.stream = s->name,
                             .at_ms = now_ms,
                             .index = s->seen ? s->seen - 1 : 0,
                             .kind = "silence",
                             .detector = "gap",
                             .before = s->gap_mean / 1000,
                             .after = gap / 1000,
                             .since = s->seen ? s->seen - 1 : 0};
    mark(s, ret_alarm->index, now_ms, SILENT);
    return true;
}
