/*
 * Membership of texts by how likely the model finds them. Min-k% (Shi et al. 2024) looks at a
 * text's least likely tokens alone; min-k%++ (Zhang et al. 2025) holds each against what the model
 * expected at its place; the whole text's likelihood against what zlib makes of it, or against what
 * another model finds (Carlini et al. 2021), allows for texts that are easy for anybody.
 *
 * Min-k%++ is defined over the probabilities of all words. A service tells a few at each place;
 * what they leave over counts as if it lay on the least likely of them.
 *
 * What tells the texts apart without the model is measured as well (by words that occur in them):
 * where members and others come from other times or sources, that alone looks like membership (Duan
 * et al. 2024; Das, Zhang and Tramer 2024).
 */
#include <math.h>

#include "probe/membership_texts.h"
#include "probe/target_internal.h"

enum { BATCH = TUT_MIA_TEXT_BATCH };
typedef enum kind { MIN_K, MIN_K_PLUS, LIKELIHOOD, ZLIB, DIFFERENCE, RATIO, KINDS } kind;

static const tut_mia_text_score names[KINDS] = {
    [MIN_K] = {"min-k 20 %", "tpr_at_1_min_k"},
    [MIN_K_PLUS] = {"min-k 20 % ++", "tpr_at_1_min_k_plus"},
    [LIKELIHOOD] = {"likelihood", "tpr_at_1_likelihood"},
    [ZLIB] = {"likelihood by zlib", "tpr_at_1_zlib"},
    [DIFFERENCE] = {"likelihood less the reference's", "tpr_at_1_reference_difference"},
    [RATIO] = {"likelihood by the reference's", "tpr_at_1_reference_ratio"}};

/* How likely the whole text is; NaN where it was not told. */
static double sum_of(const tut_said *said)
{
    double sum = 0;
    size_t n = 0;
    for (size_t i = 0; i < said->logprob_count; i++)
        if (isfinite(said->logprobs[i])) { /* of the first token there is none */
            sum += said->logprobs[i];
            n++;
        }
    return said->answered == TUT_ANSWERED && n ? sum : NAN;
}

static void score(tut_mia_texts *a, size_t row, tut_said *said, double *ret_sum)
{
    size_t n = said->logprob_count, told = 0;
    double sum = sum_of(said);
    for (size_t i = 0; i < n; i++)
        told += isfinite(said->logprobs[i]) != 0;
    *ret_sum = sum;
    if (isnan(sum))
        return;
    a->scores[LIKELIHOOD][row] = sum / (double)told;
    a->scores[ZLIB][row] = sum / tut_mia_texts_packed_bits(a->texts[row]);
    a->scores[MIN_K][row] = tut_mia_min_k(said->logprobs, n, 0.2);
    if (said->relative)
        a->scores[MIN_K_PLUS][row] = tut_mia_min_k(said->relative, n, 0.2);
}

/* Tokens of the two may be others: their sums are of the same text. */
static void score_against(tut_mia_texts *a, size_t row, double sum, double reference)
{
    if (isnan(sum) || isnan(reference))
        return;
    a->scores[DIFFERENCE][row] = (sum - reference) / (double)a->texts[row].len;
    a->scores[RATIO][row] = sum / fmax(-reference, 1e-9);
}

static tut_status ask_target(tut_mia_texts *a, tut_target *t, const size_t *rows, size_t count,
                             tut_said *ret, tut_error *err)
{
    tut_buf prompts[BATCH] = {{0}};
    tut_asked asked[BATCH];
    tut_status s = TUT_SUCCESS;
    for (size_t i = 0; i < count && tut_is_ok(s); i++) {
        s = tut_mia_texts_prompt(a->texts[rows[i]], &prompts[i], err);
        asked[i] = (tut_asked){.messages = tut_buf_str(&prompts[i]),
                               .max_tokens = 1,
                               .wants_logprobs = true,
                               .wants_echo = true,
                               .seed = a->p->seed};
    }
    if (tut_is_ok(s))
        s = tut_target_ask(t, asked, count, ret, err);
    for (size_t i = 0; i < count; i++)
        tut_buf_done(&prompts[i]);
    return s;
}

static tut_status ask(tut_mia_texts *a, const size_t *rows, size_t count, tut_error *err)
{
    tut_said said[BATCH] = {{0}}, other[BATCH] = {{0}};
    tut_status s = ask_target(a, a->p->target, rows, count, said, err);
    if (tut_is_ok(s) && a->p->reference)
        s = ask_target(a, a->p->reference, rows, count, other, err);
    for (size_t i = 0; i < count; i++) {
        double sum = NAN;
        a->asked += said[i].answered != TUT_UNASKED;
        score(a, rows[i], &said[i], &sum);
        score_against(a, rows[i], sum, sum_of(&other[i]));
        tut_said_done(&said[i]);
        tut_said_done(&other[i]);
    }
    return s;
}

static tut_status run(tut_probe *p, tut_attack_result *ret, tut_error *err)
{
    tut_mia_texts a = {.p = p, .names = names, .kinds = KINDS, .ask = ask};
    ret->weakness =
        "Of large models that were trained on each text about once it tells little more "
        "than chance, and texts of other times or sources are told apart without any "
        "model: compare with what is reached without it. A reference that was trained on the same "
        "texts hides them.";
    ret->budget =
        p->reference
            ? "one query a text, and one of the reference; the strongest of min-k 20 %, min-k++, "
              "likelihood, by zlib, against the reference"
            : "one query a text; the strongest of min-k 20 %, min-k++, likelihood, by zlib; no "
              "reference model";
    const char *budget = ret->budget;
    tut_status s = tut_mia_texts_run(&a, ret, err);
    ret->budget = budget;
    return s;
}

const tut_attack tut_attack_membership_text = {
    .probe = "membership",
    .name = "min-k",
    .about = "texts that it was trained on hold fewer words that surprise the model",
    .source = "Shi et al. 2024; Zhang et al. 2025; Carlini et al. 2021; Duan et al. 2024",
    .gives = TUT_GIVES_TEXT | TUT_GIVES_ECHO,
    .needs = TUT_NEEDS_GOALS,
    .run = run,
};
