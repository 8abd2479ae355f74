/* Evaluation of a service of texts: of ordinary questions, the share whose answer holds what it
 * has to hold. */
#include <math.h>

#include "base/cage.h"
#include "probe/talk.h"
#include "stats/tails.h"

enum { AT_ONCE = 16 };

static tut_status ask_some(tut_probe *p, tut_talk *talk, size_t first, size_t count,
                           tut_attack_result *ret, uint64_t *right, tut_error *err)
{
    tut_buf messages[AT_ONCE] = {0};
    tut_said said[AT_ONCE] = {0};
    tut_status status = TUT_SUCCESS;
    for (size_t i = 0; i < count && tut_is_ok(status); i++) {
        const tut_turns turns = {.system = tut_str_of(talk->system),
                                 .question = talk->questions[first + i].text};
        status = tut_talk_write(talk, &turns, &messages[i], err);
    }
    if (tut_is_ok(status))
        status = tut_talk_ask(p, talk, messages, count, said, err);
    for (size_t i = 0; i < count; i++) {
        const tut_talk_question *q = &talk->questions[first + i];
        if (said[i].answered != TUT_UNASKED) {
            bool ok = tut_talk_is_right(q, &said[i]);
            char *text = ok ? NULL : tut_arena_copy(&p->arena, q->text);
            ret->rows++;
            *right += ok;
            if (text)
                tut_result_add_exposed(ret, &p->arena, UINT64_MAX, 0, text);
        }
        tut_said_done(&said[i]);
        tut_buf_done(&messages[i]);
    }
    return status;
}

static tut_status run(tut_probe *p, tut_attack_result *ret, tut_error *err)
{
    tut_talk talk = {0};
    uint64_t right = 0;
    double low = 0, high = 1;
    tut_status status = TUT_SUCCESS;
    if (!p->texts.questions) {
        ret->reason = "needs ordinary questions, a line each, and behind a tab what the answer "
                      "must hold (questions)";
        return TUT_SUCCESS;
    }
    TUT_TRY(tut_talk_of(p, &talk, err));
    for (size_t i = 0; i < talk.question_count && tut_is_ok(status); i += AT_ONCE) {
        size_t n = talk.question_count - i < AT_ONCE ? talk.question_count - i : AT_ONCE;
        status = tut_interrupted() ? tut_fail(err, TUT_CANCELLED, "interrupted")
                                   : ask_some(p, &talk, i, n, ret, &right, err);
        tut_probe_step(p, "questions", i + n, talk.question_count);
    }
    if (ret->rows == 0)
        return status;
    tut_binomial_interval(right, ret->rows, 0.95, &low, &high);
    ret->metric = "answered";
    ret->decisive = (tut_measure){"answered", (double)right / (double)ret->rows, low, high};
    ret->baseline = NAN;
    ret->reason = tut_talk_remark(&talk, &p->arena);
    ret->weakness = "an answer counts as right when it holds the words that were expected";
    return status;
}

const tut_attack tut_attack_evaluation_questions = {
    .probe = "evaluation",
    .name = "questions",
    .about = "ordinary questions, and whether their answers hold what they have to",
    .source = "no attack: what any later result is measured against",
    .gives = TUT_GIVES_TEXT,
    .needs = 0,
    .run = run,
};
