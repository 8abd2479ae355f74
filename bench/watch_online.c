/*
 * What watching costs an event, how long changes take to be found, and how often there is an alarm
 * without one: each stream learns a baseline of its own, so that the baseline's error is in the
 * figures. The bound is Lorden's, ln(interval) / KL.
 *   bench_watch_online [streams [events]]     for the interval: 200 streams, 200000 events
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/alloc.h"
#include "stats/adwin.h"
#include "stats/bank.h"
#include "stats/seeded.h"
#include "watch/series.h"

enum { LEARN = 10000, DELAYS = 200, ASKED = 1000000 };

static double cpu(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

typedef struct scene {
    const char *name;
    tut_bank_kind kind;
    double before, after;
} scene;

static double draw(tut_bank_kind kind, double level, tut_seeded *r)
{
    if (kind == TUT_BANK_SHARE)
        return tut_seeded_unit(r) < level;
    if (kind == TUT_BANK_NUMBER)
        return tut_seeded_normal(r) + level;
    double left = exp(-level), n = 0;
    for (double p = tut_seeded_unit(r); p > left; p *= tut_seeded_unit(r))
        n++;
    return n;
}

static double divergence(const scene *s)
{
    double p = s->before, q = s->after;
    if (s->kind == TUT_BANK_SHARE)
        return q * log(q / p) + (1 - q) * log((1 - q) / (1 - p));
    return s->kind == TUT_BANK_RATE ? q * log(q / p) - q + p : (q - p) * (q - p) / 2;
}

static void learn(const scene *s, tut_bank *b, tut_seeded *r, double *work)
{
    for (size_t i = 0; i < LEARN; i++)
        work[i] = draw(s->kind, s->before, r);
    tut_bank_learn_as(b, s->kind, work, LEARN, ASKED, work + LEARN);
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void measure(const scene *s, size_t streams, size_t events, double *work)
{
    double alarms = 0, delays[DELAYS], mean = 0;
    for (size_t k = 0; k < streams; k++) {
        tut_seeded r = tut_seeded_of(k + 1);
        tut_bank b;
        learn(s, &b, &r, work);
        for (size_t i = 0; i < events; i++)
            if (tut_bank_step(&b, draw(s->kind, s->before, &r)) != SIZE_MAX) {
                alarms++;
                tut_bank_reset(&b);
            }
    }
    for (size_t k = 0; k < DELAYS; k++) {
        tut_seeded r = tut_seeded_of(k + 1000);
        tut_bank b;
        learn(s, &b, &r, work);
        for (size_t i = 0; i < 10000; i++)
            if (tut_bank_step(&b, draw(s->kind, s->before, &r)) != SIZE_MAX)
                tut_bank_reset(&b);
        for (delays[k] = 1; delays[k] < 1e6; delays[k]++)
            if (tut_bank_step(&b, draw(s->kind, s->after, &r)) != SIZE_MAX)
                break;
        mean += delays[k] / DELAYS;
    }
    qsort(delays, DELAYS, sizeof(*delays), by_size);
    double bound = log(ASKED) / divergence(s);
    printf("  %-18s interval %9.3g (%3.0f alarms)  delay mean %6.0f median %6.0f  bound %6.0f  "
           "ratio %.2f\n",
           s->name, (double)(streams * events) / fmax(alarms, 1), alarms, mean, delays[DELAYS / 2],
           bound, mean / bound);
}

static void cost(const char *name, tut_bank_kind kind, size_t streams, double *work)
{
    enum { EVENTS = 4000000, VALUES = 4096 };
    static double values[VALUES];
    const scene s = {name, kind, kind == TUT_BANK_NUMBER ? 0 : 0.2, 0};
    tut_bank *banks = tut_alloc_array(streams, sizeof(*banks));
    tut_seeded r = tut_seeded_of(1);
    size_t alarms = 0;
    if (!banks)
        return;
    learn(&s, &banks[0], &r, work);
    for (size_t i = 1; i < streams; i++)
        banks[i] = banks[0];
    for (size_t i = 0; i < VALUES; i++)
        values[i] = draw(kind, s.before, &r);
    double best = 1e9;
    for (unsigned round = 0; round < 3; round++) {
        double from = cpu();
        for (size_t i = 0; i < EVENTS; i++)
            alarms += tut_bank_step(&banks[i % streams], values[i % VALUES]) != SIZE_MAX;
        best = fmin(best, (cpu() - from) / EVENTS);
    }
    printf("  %-8s %6zu streams: %5.1f ns an event (%zu bytes a stream)\n", name, streams,
           best * 1e9, sizeof(*banks));
    tut_free(banks);
    (void)alarms;
}

static void cost_of_series(void)
{
    enum { EVENTS = 2000000 };
    const tut_series_options o = {.interval = ASKED, .learn = 2000};
    tut_series *s = NULL;
    tut_seeded r = tut_seeded_of(1);
    tut_alarm alarm;
    if (!tut_is_ok(tut_series_new((tut_str){"x", 1}, &o, &s, NULL)))
        return;
    for (size_t i = 0; i < 2000; i++)
        (void)tut_series_step(s, (int64_t)i * 1000, tut_seeded_unit(&r), &alarm);
    double from = cpu();
    for (size_t i = 2000; i < EVENTS; i++)
        (void)tut_series_step(s, (int64_t)i * 1000, tut_seeded_unit(&r), &alarm);
    printf("  a whole series (chart, gaps, episodes): %.1f ns an event\n",
           (cpu() - from) / (EVENTS - 2000) * 1e9);
    tut_series_free(s);
}

static void adwin(void)
{
    enum { EVENTS = 1000000 };
    tut_adwin w;
    tut_seeded r = tut_seeded_of(1);
    double sum = 0, from = cpu();
    size_t alarms = 0;
    tut_adwin_init(&w, 0.002);
    for (size_t i = 0; i < EVENTS; i++)
        alarms += tut_adwin_step(&w, tut_seeded_unit(&r) < 0.2, NULL);
    double spent = (cpu() - from) / EVENTS * 1e9;
    for (size_t k = 0; k < DELAYS; k++) {
        double delay = 0;
        r = tut_seeded_of(k + 1000);
        tut_adwin_init(&w, 0.002);
        for (size_t i = 0; i < LEARN; i++)
            (void)tut_adwin_step(&w, tut_seeded_unit(&r) < 0.2, NULL);
        while (!tut_adwin_step(&w, tut_seeded_unit(&r) < 0.3, NULL) && delay < 1e6)
            delay++;
        sum += delay;
    }
    printf(
        "  ADWIN (delta 0.002): %.0f ns an event, %zu alarms in %d; share 0.20->0.30 after %.0f\n",
        spent, alarms, EVENTS, sum / DELAYS);
}

int main(int argc, char **argv)
{
    static const scene scenes[] = {{"share 0.20->0.30", TUT_BANK_SHARE, 0.20, 0.30},
                                   {"share 0.20->0.25", TUT_BANK_SHARE, 0.20, 0.25},
                                   {"share 0.05->0.08", TUT_BANK_SHARE, 0.05, 0.08},
                                   {"rate 4->5", TUT_BANK_RATE, 4, 5},
                                   {"number +0.3 sd", TUT_BANK_NUMBER, 0, 0.3}};
    size_t streams = argc > 1 ? strtoul(argv[1], NULL, 10) : 200;
    size_t events = argc > 2 ? strtoul(argv[2], NULL, 10) : 200000;
    double *work = tut_alloc_array(3 * LEARN, sizeof(*work));
    if (!work)
        return 1;
    printf("One interval of %d events is asked for; baselines of %d events.\n", ASKED, LEARN);
    for (size_t i = 0; i < sizeof(scenes) / sizeof(scenes[0]); i++)
        measure(&scenes[i], streams, events, work);
    cost("share", TUT_BANK_SHARE, 1, work);
    cost("share", TUT_BANK_SHARE, 10000, work);
    cost("number", TUT_BANK_NUMBER, 1, work);
    cost("number", TUT_BANK_NUMBER, 10000, work);
    cost_of_series();
    adwin();
    tut_free(work);
    return 0;
}
