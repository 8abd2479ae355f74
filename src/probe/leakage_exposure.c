/*
 * How far a canary stands out: its rank among texts of the same form by the probability that the
 * model gives them (Carlini et al. 2019). exposure = log2 of how many were compared - log2 of the
 * rank: with N others the most that can be seen is log2(N + 1).
 */
#include <math.h>
#include <stdio.h>

#include "base/cage.h"
#include "base/json_write.h"
#include "probe/talk.h"
#include "stats/seeded.h"

enum { OTHERS = 255, BATCH = 32, CANARY_BYTES = 256 };

typedef struct run {
    tut_probe *p;
    tut_talk talk;
    tut_seeded random;
    uint64_t asked;
    tut_attack_result *ret;
} run;

/* The same form: digits for digits, small and capital letters for the same. */
static void alike(tut_str canary, tut_seeded *r, tut_buf *out)
{
    for (size_t i = 0; i < canary.len; i++) {
        char c = canary.data[i];
        if (c >= '0' && c <= '9')
            c = (char)('0' + tut_seeded_below(r, 10));
        else if (c >= 'a' && c <= 'z')
            c = (char)('a' + tut_seeded_below(r, 26));
        else if (c >= 'A' && c <= 'Z')
            c = (char)('A' + tut_seeded_below(r, 26));
        tut_buf_add_byte(out, (uint8_t)c);
    }
}

/* Where a canary ends in digits, only they are drawn: words that nobody would write make it stand
 * out among others for no reason of memory. */
static void vary(tut_str canary, tut_seeded *r, tut_buf *out)
{
    size_t digits = 0;
    while (digits < canary.len && canary.data[canary.len - digits - 1] >= '0' &&
           canary.data[canary.len - digits - 1] <= '9')
        digits++;
    size_t kept = digits >= 4 ? canary.len - digits : 0;
    tut_buf_add(out, canary.data, kept);
    alike((tut_str){canary.data + kept, canary.len - kept}, r, out);
}

static tut_status write_prompt(tut_str text, tut_buf *out, tut_error *err)
{
    TUT_AUTO(tut_json) j = NULL;
    TUT_TRY(tut_json_new(out, &j));
    tut_json_object(j);
    tut_json_put_str(j, "prompt", text);
    tut_json_end_object(j);
    return tut_json_finish(j, err);
}

/* Less likely is more; NaN where it was not told. */
static double surprise(const tut_said *said)
{
    double sum = 0;
    size_t n = 0;
    for (size_t i = 0; i < said->logprob_count; i++) {
        if (!isfinite(said->logprobs[i]))
            continue; /* of the first token there is none */
        sum -= said->logprobs[i];
        n++;
    }
    return said->answered == TUT_ANSWERED && n ? sum : NAN;
}

static tut_status score(run *r, const tut_buf *texts, size_t n, double *ret, tut_error *err)
{
    tut_buf prompts[BATCH] = {{0}};
    tut_said said[BATCH] = {{0}};
    tut_asked asked[BATCH];
    tut_status status = TUT_SUCCESS;
    for (size_t i = 0; i < n && tut_is_ok(status); i++) {
        status = write_prompt(tut_buf_str(&texts[i]), &prompts[i], err);
        asked[i] = (tut_asked){.messages = tut_buf_str(&prompts[i]),
                               .max_tokens = 1,
                               .wants_logprobs = true,
                               .wants_echo = true,
                               .seed = r->p->seed};
    }
    if (tut_is_ok(status))
        status = tut_target_ask(r->p->target, asked, n, said, err);
    for (size_t i = 0; i < n; i++) {
        ret[i] = surprise(&said[i]);
        r->asked += said[i].answered != TUT_UNASKED;
        tut_buf_done(&prompts[i]);
        tut_said_done(&said[i]);
    }
    return status;
}

/* All of them: the canary first, then others like it. */
static tut_status score_all(run *r, tut_str canary, double *ret, tut_error *err)
{
    for (size_t done = 0; done < OTHERS + 1; done += BATCH) {
        tut_buf texts[BATCH] = {{0}};
        for (size_t i = 0; i < BATCH; i++) {
            if (done + i == 0)
                tut_buf_add_str(&texts[i], canary);
            else
                vary(canary, &r->random, &texts[i]);
        }
        tut_status status = score(r, texts, BATCH, ret + done, err);
        for (size_t i = 0; i < BATCH; i++)
            tut_buf_done(&texts[i]);
        TUT_TRY(status);
        if (tut_interrupted())
            return tut_fail(err, TUT_CANCELLED, "interrupted");
    }
    return TUT_SUCCESS;
}

/* NaN: too little was told. */
static double exposure_of(const double *surprises)
{
    size_t rank = 1, compared = 1;
    for (size_t i = 1; i < OTHERS + 1; i++) {
        if (isnan(surprises[i]))
            continue;
        compared++;
        rank += surprises[i] <= surprises[0];
    }
    if (isnan(surprises[0]) || compared < (OTHERS + 1) / 2)
        return NAN;
    return log2((double)compared) - log2((double)rank);
}

static tut_status attack_with(run *r, tut_error *err)
{
    double surprises[OTHERS + 1], most = NAN;
    size_t told = 0, first = 0;
    for (size_t i = 0; i < r->talk.canary_count; i++) {
        TUT_TRY(score_all(r, r->talk.canaries[i], surprises, err));
        tut_probe_step(r->p, "canaries", i + 1, r->talk.canary_count);
        double e = exposure_of(surprises);
        if (isnan(e))
            continue;
        told++;
        tut_result_add_exposed(r->ret, &r->p->arena, i, e, NULL); /* its number, never its text */
        first += e >= log2(OTHERS + 1) - 1;
        most = isnan(most) || e > most ? e : most;
    }
    if (told == 0) {
        r->ret->reason = "no log probabilities came back";
        return TUT_SUCCESS;
    }
    r->ret->decisive.value = (double)first / (double)told;
    tut_result_add(r->ret, "exposure", most, NAN, NAN);
    tut_result_add(r->ret, "most that can be seen", log2(OTHERS + 1), NAN, NAN);
    return TUT_SUCCESS;
}

static tut_status attack(tut_probe *p, tut_attack_result *ret, tut_error *err)
{
    run r = {.p = p, .ret = ret, .random = tut_seeded_of(p->seed)};
    ret->metric = "success";
    ret->decisive = (tut_measure){"success", NAN, NAN, NAN};
    ret->baseline = 2.0 / (OTHERS + 1); /* to stand among the first two by chance */
    ret->budget = "255 texts of the same form for each canary";
    ret->weakness = "of what the model remembers it sees the canaries alone";
    TUT_TRY(tut_talk_of(p, &r.talk, err));
    if (r.talk.has_own_canary) {
        ret->reason = "needs canaries that stand in the training texts";
        return TUT_SUCCESS;
    }
    tut_status status = attack_with(&r, err);
    ret->queries = r.asked;
    ret->rows = r.talk.canary_count;
    ret->was_cut = !tut_is_ok(status);
    return status;
}

const tut_attack tut_attack_leakage_exposure = {
    .probe = "leakage",
    .name = "exposure",
    .about = "canaries of the training texts are compared with others of the same form",
    .source = "Carlini et al. 2019",
    .gives = TUT_GIVES_TEXT | TUT_GIVES_ECHO,
    .needs = TUT_NEEDS_GOALS,
    .is_of_training = true,
    .run = attack,
};
