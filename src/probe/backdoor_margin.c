/*
 * Without any row: how far above all others can each class's score be driven, anywhere in the range
 * of inputs? A backdoor teaches a net a shortcut, whatever its mark looks like, and the score of
 * the class that it leads to can be driven farther than those of the others (Wang, Xiang, Miller,
 * Kesidis 2024, "MM-BD"). The rows serve for the range alone.
 */
#include <math.h>
#include <string.h>

#include "probe/backdoor.h"

enum { STARTS = 20, STEPS = 200 };

typedef struct climb {
    tut_probe *p;
    const tut_net *net;
    tut_space space;
    tut_pass *pass;
    tut_arena memory;
    size_t width, outputs;
    float *rows, *back, *first, *second, *at_scores; /* STARTS rows each */
    double *found;   /* of each class, the greatest margin that each start came to */
    double *margins; /* of each class, the greatest of all */
    double *hard;    /* their inverse: what is reached least stands highest */
} climb;

static tut_status make(climb *k, tut_error *err)
{
    k->rows = tut_arena_take(&k->memory, (size_t)4 * STARTS * k->width, sizeof(float));
    k->at_scores = tut_arena_take(&k->memory, (size_t)STARTS * k->outputs, sizeof(float));
    k->found = tut_arena_take(&k->memory, (size_t)STARTS * k->outputs, sizeof(double));
    k->margins = tut_arena_take(&k->memory, 2 * k->outputs, sizeof(double));
    if (!k->rows || !k->at_scores || !k->found || !k->margins)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    k->back = k->rows + STARTS * k->width;
    k->first = k->back + STARTS * k->width;
    k->second = k->first + STARTS * k->width;
    k->hard = k->margins + k->outputs;
    return TUT_SUCCESS;
}

static void begin(climb *k, size_t class)
{
    tut_seeded random = tut_seeded_of(k->p->seed ^ (class + 1) * 0x9e3779b97f4a7c15u);
    const tut_space *s = &k->space;
    for (size_t i = 0; i < STARTS * k->width; i++) {
        size_t j = i % k->width;
        k->rows[i] = s->low[j] + (s->high[j] - s->low[j]) * (float)tut_seeded_unit(&random);
    }
    memset(k->first, 0, (size_t)2 * STARTS * k->width * sizeof(float));
}

/* The margin of the class in each row at hand, where it is greater than before; and its slope at
 * the scores. */
static void weigh(climb *k, const float *scores, size_t class)
{
    double *found = k->found + class * STARTS;
    memset(k->at_scores, 0, STARTS * k->outputs * sizeof(float));
    for (size_t i = 0; i < STARTS; i++) {
        const float *z = scores + i * k->outputs;
        size_t rival = class == 0;
        for (size_t c = 0; c < k->outputs; c++)
            rival = c != class && z[c] > z[rival] ? c : rival;
        found[i] = fmax(found[i], (double)z[class] - (double)z[rival]);
        k->at_scores[i * k->outputs + class] = 1;
        k->at_scores[i * k->outputs + rival] = -1;
    }
}

/* Adam, in a tenth of the range at most, back into the range. */
static void ascend(climb *k, size_t step)
{
    const tut_space *s = &k->space;
    double steps = (double)step + 1;
    float pace = (float)(0.1 * sqrt(1 - pow(0.999, steps)) / (1 - pow(0.9, steps)));
    for (size_t i = 0; i < STARTS * k->width; i++) {
        size_t j = i % k->width;
        float span = s->high[j] - s->low[j], slope = k->back[i] * span;
        k->first[i] = 0.9f * k->first[i] + 0.1f * slope;
        k->second[i] = 0.999f * k->second[i] + 0.001f * slope * slope;
        float x = k->rows[i] + span * pace * k->first[i] / (sqrtf(k->second[i]) + 1e-8f);
        k->rows[i] = fminf(s->high[j], fmaxf(s->low[j], x));
    }
}

static tut_status climb_for(climb *k, size_t class, tut_error *err)
{
    size_t steps = k->p->steps ? k->p->steps : STEPS;
    const float *out = NULL;
    begin(k, class);
    for (size_t i = 0; i <= steps; i++) {
        if (tut_interrupted())
            return tut_fail(err, TUT_CANCELLED, "interrupted");
        TUT_TRY(tut_pass_run(k->pass, k->rows, STARTS, &out, err));
        weigh(k, tut_pass_scores(k->pass), class);
        if (i == steps)
            break;
        TUT_TRY(tut_pass_back(k->pass, k->at_scores, k->back, err));
        ascend(k, i);
    }
    for (size_t i = 0; i < STARTS; i++)
        k->margins[class] = fmax(k->margins[class], k->found[class * STARTS + i]);
    return TUT_SUCCESS;
}

static double hardness(double margin)
{
    return 1 / fmax(margin, 1e-3);
}

/* The starts of each class, drawn again from among themselves. */
static void draw_starts(void *ctx, tut_seeded *random, double *ret_values)
{
    const climb *k = ctx;
    for (size_t c = 0; c < k->outputs; c++) {
        double most = 0;
        for (size_t i = 0; i < STARTS; i++)
            most = fmax(most, k->found[c * STARTS + tut_seeded_below(random, STARTS)]);
        ret_values[c] = hardness(most);
    }
}

static void tell(climb *k, tut_attack_result *ret)
{
    double second = 0;
    for (size_t c = 0; c < k->outputs; c++)
        k->hard[c] = hardness(k->margins[c]);
    const tut_suspect of_classes = {.values = k->hard,
                                    .count = k->outputs,
                                    .floor = 0.15, /* margins differ less than areas do */
                                    .draw = draw_starts,
                                    .ctx = k,
                                    .seed = k->p->seed};
    tut_suspicion found = tut_backdoor_suspicion(&of_classes, &k->memory);
    for (size_t c = 0; c < k->outputs; c++)
        second = c == found.lowest ? second : fmax(second, k->margins[c]);
    ret->metric = "suspicion";
    ret->decisive = (tut_measure){"suspicion", found.value, found.low, found.high};
    ret->baseline = NAN;
    tut_result_add(ret, "easiest_class", (double)found.lowest, NAN, NAN);
    tut_result_add(ret, "margin", k->margins[found.lowest], NAN, NAN);
    tut_result_add(ret, "margin_next", second, NAN, NAN);
    for (size_t c = 0; c < k->outputs; c++)
        k->hard[c] = (double)c;
    const tut_curve curve = {.name = "greatest margin",
                             .x = "class",
                             .y = "score above those of all others",
                             .count = k->outputs,
                             .xs = k->hard,
                             .ys = k->margins};
    tut_result_add_curve(ret, &k->p->arena, &curve);
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    tut_buf_printf(&text,
                   "class %zu: its score can be driven %.4g above all others; of the next %.4g",
                   found.lowest, k->margins[found.lowest], second);
    tut_result_add_exposed(ret, &k->p->arena, UINT64_MAX, found.value, tut_buf_z(&text));
}

static tut_status look(climb *k, tut_attack_result *ret, tut_error *err)
{
    TUT_TRY(tut_space_of(k->p, k->p->others, tut_target_about(k->p->target), &k->memory, &k->space,
                         err));
    TUT_TRY(make(k, err));
    TUT_TRY(tut_pass_new(k->net, STARTS, &k->pass, err));
    for (size_t c = 0; c < k->outputs; c++) {
        tut_probe_step(k->p, "margin", c, k->outputs);
        TUT_TRY(climb_for(k, c, err));
    }
    tell(k, ret);
    return TUT_SUCCESS;
}

static tut_status run(tut_probe *p, tut_attack_result *ret, tut_error *err)
{
    climb k = {.p = p, .net = tut_target_net(p->target)};
    ret->weakness =
        "A net that is surer of one class by nature is suspected too; backdoors of many "
        "classes at once are the rule and stand out no more.";
    if (!k.net) {
        tut_backdoor_unmeasured("suspicion", "it needs a net with gradients", ret);
        return TUT_SUCCESS;
    }
    k.width = tut_net_about(k.net)->width;
    k.outputs = tut_net_about(k.net)->outputs;
    if (!tut_backdoor_compares(k.outputs)) {
        tut_backdoor_unmeasured("suspicion", TUT_BACKDOOR_TOO_FEW, ret);
        return TUT_SUCCESS;
    }
    tut_arena_init(&k.memory, 0);
    tut_status status = look(&k, ret, err);
    tut_pass_free(k.pass);
    tut_arena_done(&k.memory);
    if (status.code == TUT_CANCELLED && !ret->metric)
        tut_backdoor_unmeasured("suspicion", "interrupted before every class was looked at", ret);
    return status;
}

extern const tut_attack tut_attack_backdoor_margin;

const tut_attack tut_attack_backdoor_margin = {
    .probe = "backdoor",
    .name = "margin",
    .about = "how far each class's score can be driven above all others; does one stand out?",
    .source = "Wang, Xiang, Miller, Kesidis 2024 (MM-BD); Wang et al. 2019",
    .gives = TUT_GIVES_GRADIENTS | TUT_GIVES_ANY_ROW,
    .needs = TUT_NEEDS_ROWS,
    .run = run,
};
