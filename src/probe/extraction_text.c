/*
 * Extraction of a service of texts whose answers are few: what it says to each question is a class,
 * and a copy is trained on questions and answers (Krishna et al. 2020; Tramer et al. 2016). The
 * copy sees which words and which three letters in a row occur in a question.
 *
 * Where answers are texts of their own, a copy would have to be a language model that is trained on
 * them. That is not done here, and is said: nothing is measured then.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "base/cage.h"
#include "probe/learner.h"
#include "probe/talk.h"
#include "stats/random.h"
#include "stats/seeded.h"
#include "stats/tails.h"

enum {
    QUESTIONS = 4096,
    FIRST = 64,
    AT_ONCE = 16,
    CLASSES = 128,
    LOOKED_AT = 128, /* answers, before they are taken for texts of their own */
    WIDTH = 512,
    LEAST = 90,
    JUDGES_MOST = 1000,
    STEPS_MOST = 16,
    LABEL_BYTES = 64
};

typedef struct theft {
    tut_probe *p;
    tut_talk talk;
    tut_talk_question questions[QUESTIONS];
    size_t count;
    size_t asked, answered; /* questions; those with a class stand first, in the order of asking */
    float *rows;            /* answered x WIDTH */
    uint32_t labels[QUESTIONS], truths[QUESTIONS]; /* truths: of `expected`; CLASSES: none */
    const char *classes[CLASSES + 1];              /* in the arena */
    size_t class_count, expected_count;            /* expected: the first of the classes */
    bool is_free;                                  /* answers are texts of their own */
    uint64_t sent, refused, heard;
    /* the copy */
    size_t judge_count, steps;
    double queries[STEPS_MOST], fidelity[STEPS_MOST], agreed;
    const char *recipe;
} theft;

/* --- questions --- */

static void take_questions(theft *t)
{
    tut_str rest = tut_str_of(t->p->texts.questions);
    while (rest.len && t->count < QUESTIONS) {
        const char *end = memchr(rest.data, '\n', rest.len);
        tut_str line = {rest.data, end ? (size_t)(end - rest.data) : rest.len};
        size_t used = line.len + (end ? 1 : 0);
        rest.data += used, rest.len -= used;
        line = tut_str_trim(line);
        if (line.len == 0)
            continue;
        const char *tab = memchr(line.data, '\t', line.len);
        size_t len = tab ? (size_t)(tab - line.data) : line.len;
        t->questions[t->count++] = (tut_talk_question){
            {line.data, len}, tab ? (tut_str){tab + 1, line.len - len - 1} : TUT_LIT("")};
    }
}

static void shuffle(theft *t)
{
    tut_seeded random = tut_seeded_of(t->p->seed ^ 0x636f7079);
    for (size_t i = t->count; i > 1; i--) {
        size_t at = (size_t)tut_seeded_below(&random, i);
        tut_talk_question kept = t->questions[i - 1];
        t->questions[i - 1] = t->questions[at];
        t->questions[at] = kept;
    }
}

/* A class by its name; a new one where it is not known. CLASSES: there is no room for another. */
static size_t class_of(theft *t, tut_str name)
{
    for (size_t i = 0; i < t->class_count; i++)
        if (tut_str_eq_z(name, t->classes[i]))
            return i;
    const char *kept = t->class_count < CLASSES ? tut_arena_copy(&t->p->arena, name) : NULL;
    if (!kept)
        return CLASSES;
    t->classes[t->class_count] = kept;
    return t->class_count++;
}

/* Where the questions come with a few right answers, these are the classes. */
static void take_expected(theft *t)
{
    for (size_t i = 0; i < t->count && t->class_count < CLASSES; i++)
        if (t->questions[i].expected.len)
            (void)class_of(t, t->questions[i].expected);
    if (t->class_count < 2 || t->class_count == CLASSES)
        t->class_count = 0;
    t->expected_count = t->class_count;
}

/* --- what a question and an answer are --- */

static char plain_of(char c)
{
    if (c >= 'A' && c <= 'Z')
        return (char)(c + 32);
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (uint8_t)c >= 0x80 ? c : ' ';
}

static void note_features(tut_str text, float *ret)
{
    uint64_t word = 0, last = 0;
    for (size_t i = 0; i <= text.len; i++) {
        char c = i < text.len ? plain_of(text.data[i]) : ' ';
        last = ((last << 8) | (uint8_t)c) & 0xffffff;
        if (i >= 2)
            ret[WIDTH / 2 + tut_random_mix(last + 1) % (WIDTH / 2)] = 1;
        if (c != ' ') {
            word = tut_random_mix(word ^ (uint8_t)c);
            continue;
        }
        if (word)
            ret[word % (WIDTH / 2)] = 1;
        word = 0;
    }
}

/* Letters and digits of the answer, in small letters. */
static tut_str short_of(tut_str said, char *ret)
{
    size_t n = 0;
    for (size_t i = 0; i < said.len && n < LABEL_BYTES - 1; i++) {
        char c = plain_of(said.data[i]);
        if (c != ' ' || (n > 0 && ret[n - 1] != ' '))
            ret[n++] = c;
    }
    while (n > 0 && ret[n - 1] == ' ')
        n--;
    return (tut_str){ret, n};
}

/* The longest of the expected answers that it holds; else what it says, in short. */
static size_t class_of_answer(theft *t, tut_str said)
{
    char room[LABEL_BYTES];
    size_t best = CLASSES, at;
    for (size_t i = 0; i < t->expected_count; i++)
        if (tut_str_find(said, tut_str_of(t->classes[i]), &at) &&
            (best == CLASSES || strlen(t->classes[i]) > strlen(t->classes[best])))
            best = i;
    return best < CLASSES ? best : class_of(t, short_of(said, room));
}

/* More than three in five are said once: there is nothing that the answers are one of. */
static void look_whether_free(theft *t)
{
    size_t of_their_own = t->class_count - t->expected_count;
    if (t->heard >= FIRST / 2 && (t->asked == LOOKED_AT || t->asked == t->count))
        t->is_free = t->is_free || 5 * of_their_own > 3 * t->heard;
}

/* --- asking --- */

static void keep(theft *t, const tut_talk_question *q, const tut_said *said)
{
    t->sent += said->answered != TUT_UNASKED;
    t->refused += said->answered == TUT_REFUSED;
    if (said->answered != TUT_ANSWERED || said->text.len == 0)
        return;
    size_t label = class_of_answer(t, said->text);
    t->heard++;
    t->is_free = t->is_free || label == CLASSES;
    if (t->is_free)
        return;
    note_features(q->text, t->rows + t->answered * WIDTH);
    t->truths[t->answered] = CLASSES;
    for (size_t i = 0; i < t->expected_count; i++)
        if (tut_str_eq_z(q->expected, t->classes[i]))
            t->truths[t->answered] = (uint32_t)i;
    t->labels[t->answered++] = (uint32_t)label;
}

static tut_status ask_some(theft *t, size_t count, tut_error *err)
{
    tut_buf messages[AT_ONCE] = {{0}};
    tut_said said[AT_ONCE] = {{0}};
    tut_status status = TUT_SUCCESS;
    size_t first = t->asked;
    for (size_t i = 0; i < count && tut_is_ok(status); i++) {
        const tut_turns turns = {.system = tut_str_of(t->talk.system),
                                 .question = t->questions[first + i].text};
        status = tut_talk_write(&t->talk, &turns, &messages[i], err);
    }
    if (tut_is_ok(status))
        status = tut_talk_ask(t->p, &t->talk, messages, count, said, err);
    t->asked += count;
    for (size_t i = 0; i < count; i++) {
        keep(t, &t->questions[first + i], &said[i]);
        tut_buf_done(&messages[i]);
        tut_said_done(&said[i]);
    }
    return status;
}

static tut_status ask_all(theft *t, tut_error *err)
{
    while (t->asked < t->count && !t->is_free) {
        uint64_t before = t->sent;
        size_t left = t->count - t->asked, n = left < AT_ONCE ? left : AT_ONCE;
        tut_probe_step(t->p, "questions", t->asked, t->count);
        if (tut_interrupted())
            return tut_fail(err, TUT_CANCELLED, "interrupted");
        TUT_TRY(ask_some(t, n, err));
        if (t->sent < before + n)
            return TUT_SUCCESS; /* the allowance is spent */
        look_whether_free(t);
    }
    return TUT_SUCCESS;
}

/* --- the copy --- */

static tut_lesson lesson_of(const theft *t, const uint32_t *labels, size_t from, size_t count)
{
    return (tut_lesson){.rows = t->rows + from * WIDTH,
                        .width = WIDTH,
                        .classes = t->class_count,
                        .labels = labels + from,
                        .picked = count,
                        .seed = t->p->seed};
}

static tut_status agree(const theft *t, const tut_learner *l, size_t from, size_t count,
                        size_t *ret, tut_error *err)
{
    TUT_AUTO_FREE float *p = tut_alloc_array(count + 1, t->class_count * sizeof(*p));
    if (!p)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    TUT_TRY(tut_learner_predict(l, t->rows + from * WIDTH, count, p, err));
    *ret = 0;
    for (size_t i = 0; i < count; i++) {
        size_t best = 0;
        for (size_t c = 1; c < t->class_count; c++)
            best = p[i * t->class_count + c] > p[i * t->class_count + best] ? c : best;
        *ret += best == t->labels[from + i];
    }
    return TUT_SUCCESS;
}

/* Trained on `count` answers behind those that judge; a fifth of them chooses the kind. */
static tut_status train(theft *t, size_t count, size_t *ret_agreed, tut_error *err)
{
    static const char *const kinds[] = {"softmax", "softmax-free", "network"};
    const tut_recipe *best = NULL;
    size_t most = 0, held = count / 5, first = t->judge_count;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        TUT_AUTO(tut_learner) l = NULL;
        const tut_recipe *r = tut_recipe_find(kinds[i]);
        tut_lesson lesson = lesson_of(t, t->labels, first, count - held);
        size_t agreed = 0;
        if (!r) /* a network needs OpenBLAS */
            continue;
        TUT_TRY(tut_learner_fit(r, &lesson, &l, err));
        TUT_TRY(agree(t, l, first + count - held, held, &agreed, err));
        if (!best || agreed > most)
            best = r, most = agreed;
    }
    TUT_AUTO(tut_learner) copy = NULL;
    tut_lesson lesson = lesson_of(t, t->labels, first, count);
    if (!best)
        return tut_fail(err, TUT_BUG, "there is no kind of copy");
    TUT_TRY(tut_learner_fit(best, &lesson, &copy, err));
    t->recipe = best->about;
    return agree(t, copy, 0, t->judge_count, ret_agreed, err);
}

static tut_status steal(theft *t, tut_error *err)
{
    size_t all = t->answered - t->judge_count, agreed = 0;
    for (size_t n = FIRST / 2; t->steps < STEPS_MOST; n *= 2) {
        n = n < all ? n : all;
        TUT_TRY(train(t, n, &agreed, err));
        t->queries[t->steps] = (double)n;
        t->fidelity[t->steps++] = (double)agreed / (double)t->judge_count;
        t->agreed = (double)agreed;
        if (n == all)
            break;
    }
    return TUT_SUCCESS;
}

/* What somebody has who knows the right answers and never asked; else the commonest answer. */
static tut_status without_model(theft *t, double *ret, tut_error *err)
{
    size_t agreed = 0, counts[CLASSES] = {0}, common = 0;
    bool has_truths = true;
    for (size_t i = 0; i < t->answered; i++)
        has_truths = has_truths && t->truths[i] < CLASSES;
    if (has_truths) {
        TUT_AUTO(tut_learner) l = NULL;
        tut_lesson lesson = lesson_of(t, t->truths, t->judge_count, t->answered - t->judge_count);
        TUT_TRY(tut_learner_fit(tut_recipe_find("softmax"), &lesson, &l, err));
        TUT_TRY(agree(t, l, 0, t->judge_count, &agreed, err));
    }
    for (size_t i = t->judge_count; i < t->answered; i++)
        counts[t->labels[i]]++;
    for (size_t c = 1; c < t->class_count; c++)
        common = counts[c] > counts[common] ? c : common;
    for (size_t i = 0; i < t->judge_count && !has_truths; i++)
        agreed += t->labels[i] == common;
    *ret = (double)agreed / (double)t->judge_count;
    return TUT_SUCCESS;
}

/* --- the result --- */

static tut_status report(const theft *t, tut_attack_result *ret, tut_error *err)
{
    char text[200];
    tut_measure *m = &ret->decisive;
    *m = (tut_measure){"fidelity", t->agreed / (double)t->judge_count, NAN, NAN};
    tut_binomial_interval((uint64_t)t->agreed, t->judge_count, 0.95, &m->low, &m->high);
    tut_result_add(ret, "answers_that_differ", (double)t->class_count, NAN, NAN);
    tut_result_add(ret, "fidelity_at_first", t->fidelity[0], NAN, NAN);
    tut_result_add(ret, "answered", (double)t->answered, NAN, NAN);
    tut_result_add(ret, "refused", t->sent ? (double)t->refused / (double)t->sent : NAN, NAN, NAN);
    tut_curve curve = {.name = "a copy of its answers",
                       .x = "queries",
                       .y = "agreement with the model",
                       .count = t->steps,
                       .xs = t->queries,
                       .ys = t->fidelity};
    tut_result_add_curve(ret, &t->p->arena, &curve);
    ret->rows = t->judge_count;
    ret->was_cut = t->asked < t->count || t->sent < t->asked;
    ret->reason = tut_talk_remark(&t->talk, &t->p->arena);
    (void)snprintf(text, sizeof(text), "%" PRIu64 " queries; the copy: %s", t->sent, t->recipe);
    ret->budget = tut_arena_copy(&t->p->arena, tut_str_of(text));
    return ret->budget ? TUT_SUCCESS : tut_fail(err, TUT_NOMEM, "memory ran out");
}

static tut_status run_theft(theft *t, tut_attack_result *ret, tut_error *err)
{
    TUT_TRY(ask_all(t, err));
    if (t->is_free) {
        ret->reason = "it answers in texts of its own, not with one of a few answers: a copy would "
                      "have to be a language model, and none is trained here";
        ret->does_not_apply = true;
        return TUT_SUCCESS;
    }
    if (t->answered < LEAST || t->class_count < 2) {
        ret->reason = t->answered < LEAST
                          ? "needs 90 questions or more that are answered (questions)"
                          : "every answer was the same";
        return TUT_SUCCESS;
    }
    t->judge_count = t->answered / 3 < JUDGES_MOST ? t->answered / 3 : JUDGES_MOST;
    TUT_TRY(without_model(t, &ret->baseline, err));
    TUT_TRY(steal(t, err));
    return report(t, ret, err);
}

static tut_status run(tut_probe *p, tut_attack_result *ret, tut_error *err)
{
    ret->metric = "fidelity";
    ret->decisive = (tut_measure){"fidelity", NAN, NAN, NAN};
    ret->baseline = NAN;
    ret->weakness = "A language model as the copy, or more questions, may come closer.";
    if (!p->texts.questions) {
        ret->reason = "needs questions, a line each (questions)";
        return TUT_SUCCESS;
    }
    TUT_AUTO_FREE theft *t = tut_alloc_array(1, sizeof(*t));
    if (!t)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    t->p = p;
    TUT_TRY(tut_talk_of(p, &t->talk, err));
    take_questions(t);
    shuffle(t);
    take_expected(t);
    t->rows = tut_alloc_array(t->count + 1, WIDTH * sizeof(*t->rows));
    tut_status s = t->rows ? run_theft(t, ret, err) : tut_fail(err, TUT_NOMEM, "memory ran out");
    ret->queries = t->sent;
    tut_free(t->rows);
    return s;
}

const tut_attack tut_attack_extraction_text = {
    .probe = "extraction",
    .name = "answers",
    .about = "a copy trained on what it answers to questions, where its answers are few",
    .source = "Krishna et al. 2020; Tramer et al. 2016",
    .gives = TUT_GIVES_TEXT,
    .needs = TUT_NEEDS_GOALS,
    .run = run,
};
