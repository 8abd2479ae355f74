/* Attacks on membership that work on the answers to the rows themselves. */
#include <math.h>
#include <stdio.h>

#include "base/cage.h"
#include "probe/membership_internal.h"

typedef tut_status (*score_rows)(tut_probe *p, tut_mia_kept *k, double *ret_scores, tut_error *err);

typedef struct way {
    score_rows score;
    const char *curve, *weakness;
    bool needs_references;
} way;

static tut_status say_budget(tut_probe *p, const tut_mia_kept *k, bool has_references,
                             tut_attack_result *ret, tut_error *err)
{
    char text[300];
    size_t at = (size_t)snprintf(text, sizeof(text), "one query a row");
    if (has_references)
        at += (size_t)snprintf(text + at, sizeof(text) - at, ", %zu reference models (%s)",
                               k->references.models, k->references_about);
    if (has_references && !isnan(k->agreement))
        (void)snprintf(text + at, sizeof(text) - at, " that agree with it to %.0f %%",
                       100 * k->agreement);
    ret->budget = tut_arena_copy(&p->arena, tut_str_of(text));
    return ret->budget ? TUT_SUCCESS : tut_fail(err, TUT_NOMEM, "memory ran out");
}

static tut_status measure(tut_probe *p, const way *plan, tut_mia_kept *k, tut_attack_result *ret,
                          tut_error *err)
{
    TUT_AUTO_FREE double *scores = tut_alloc_array(k->count + 1, sizeof(*scores));
    if (!scores)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    if (plan->needs_references)
        TUT_TRY(tut_mia_refer(p, k, &ret->reason, err));
    if (ret->reason)
        return TUT_SUCCESS;
    TUT_TRY(tut_mia_blind(p, k, err));
    TUT_TRY(plan->score(p, k, scores, err));
    TUT_TRY(tut_mia_report(p, k, plan->curve, scores, ret, err));
    if (!isnan(k->agreement) && plan->needs_references)
        tut_result_add(ret, "reference_agreement", k->agreement, NAN, NAN);
    return say_budget(p, k, plan->needs_references, ret, err);
}

static tut_status run_plan(tut_probe *p, const way *plan, tut_attack_result *ret, tut_error *err)
{
    tut_mia_kept *k = NULL;
    uint64_t before = tut_target_spent(p->target);
    ret->metric = "tpr_at_1";
    ret->decisive = (tut_measure){"tpr_at_1", NAN, NAN, NAN};
    ret->baseline = NAN;
    ret->weakness = plan->weakness;
    TUT_TRY(tut_mia_gather(p, &k, &ret->reason, err));
    if (!k)
        return TUT_SUCCESS;
    TUT_TRY(tut_mia_ask(p, k, err));
    ret->queries = tut_target_spent(p->target) - before;
    ret->was_cut = k->was_cut;
    if (tut_interrupted() && plan->needs_references && !k->has_references) {
        ret->reason = "broken off before there were reference models";
        return tut_fail(err, TUT_CANCELLED, "interrupted");
    }
    TUT_TRY(measure(p, plan, k, ret, err));
    return tut_interrupted() ? tut_fail(err, TUT_CANCELLED, "interrupted") : TUT_SUCCESS;
}

/* --- one model --- */

static tut_status by_loss(tut_probe *p, tut_mia_kept *k, double *ret, tut_error *err)
{
    (void)p;
    (void)err;
    for (size_t i = 0; i < k->count; i++)
        ret[i] = tut_mia_loss(k->answers + i * k->classes, k->classes, k->labels[i]);
    return TUT_SUCCESS;
}

static tut_status by_entropy(tut_probe *p, tut_mia_kept *k, double *ret, tut_error *err)
{
    (void)p;
    (void)err;
    for (size_t i = 0; i < k->count; i++)
        ret[i] = tut_mia_modified_entropy(k->answers + i * k->classes, k->classes, k->labels[i]);
    return TUT_SUCCESS;
}

/* --- references --- */

static tut_status by_lira(const tut_mia_kept *k, bool is_online, double *ret, tut_error *err)
{
    tut_lira_wish wish = {.is_online = is_online,
                          .has_row_variance = tut_lira_wants_row_variance(&k->references)};
    return tut_mia_lira(k->logits, &k->references, &wish, ret, err);
}

static tut_status by_lira_online(tut_probe *p, tut_mia_kept *k, double *ret, tut_error *err)
{
    (void)p;
    return by_lira(k, true, ret, err);
}

static tut_status by_lira_offline(tut_probe *p, tut_mia_kept *k, double *ret, tut_error *err)
{
    (void)p;
    return by_lira(k, false, ret, err);
}

static tut_status by_rmia(tut_probe *p, tut_mia_kept *k, double *ret, tut_error *err)
{
    TUT_AUTO_FREE uint8_t *population = tut_alloc_array(k->count + 1, 1);
    tut_rmia_wish wish = {.gamma = 1, .is_population = population};
    (void)p;
    if (!population)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (size_t i = 0; i < k->count; i++)
        population[i] = !k->is_member[i];
    TUT_TRY(tut_mia_rmia_choose_a(&k->references, &wish.a, err));
    return tut_mia_rmia(k->logits, &k->references, &wish, ret, err);
}

/* --- rows of attacks.def --- */

#define ONE_MODEL                                                                                  \
    "Rows that are easy for any model look like members to it: at low rates of false alarms it "   \
    "finds few of those that references would find."
#define REFERENCES                                                                                 \
    "Who knows more of how the model was trained has better references; epsilon takes rows for "   \
    "independent of one another, and is of this one model."

#define ATTACK(symbol, attack_name, said, paper, needed, how, curve_name, weak)                    \
    static tut_status run_##symbol(tut_probe *p, tut_attack_result *ret, tut_error *err)           \
    {                                                                                              \
        static const way plan = {how, curve_name, weak, ((needed)&TUT_NEEDS_REFERENCES) != 0};     \
        return run_plan(p, &plan, ret, err);                                                       \
    }                                                                                              \
    const tut_attack tut_attack_##symbol = {                                                       \
        .probe = "membership",                                                                     \
        .name = attack_name,                                                                       \
        .about = said,                                                                             \
        .source = paper,                                                                           \
        .gives = TUT_GIVES_PROBABILITIES,                                                          \
        .needs = TUT_NEEDS_MEMBERS | TUT_NEEDS_ROWS | TUT_NEEDS_LABELS | (needed),                 \
        .run = run_##symbol,                                                                       \
    };

ATTACK(membership_loss, "loss", "members have a lower loss", "Yeom et al. 2018", 0, by_loss, "loss",
       ONE_MODEL)
ATTACK(membership_entropy, "entropy", "members are answered with less doubt",
       "Song and Mittal 2021", 0, by_entropy, "modified entropy", ONE_MODEL)
ATTACK(membership_rmia, "rmia",
       "how the model likes a row better than references do, against rows that it never saw",
       "Zarifzadeh, Liu and Shokri 2024", TUT_NEEDS_REFERENCES, by_rmia, "RMIA", REFERENCES)
ATTACK(membership_lira_online, "lira-online",
       "the likelihood of the answer among models with and without the row", "Carlini et al. 2022",
       TUT_NEEDS_REFERENCES, by_lira_online, "LiRA online", REFERENCES)
ATTACK(membership_lira_offline, "lira-offline",
       "how unlikely the answer is among models that never saw the row", "Carlini et al. 2022",
       TUT_NEEDS_REFERENCES, by_lira_offline, "LiRA offline", REFERENCES)
