/*
 * Evasion of a service of texts: questions that it answers rightly are asked again, changed so that
 * they say the same (evasion_text_ways.def), until an answer is wrong or the budget is spent.
 *
 * First every way by itself, over as many words as may change: the behavioural tests of CheckList
 * (Ribeiro et al. 2020). Then the search of TextBugger (Li et al. 2019) as far as a service gives
 * it something to go by: words are ranked by how far the answer moves when each is left out, and
 * the most important are changed one after the other, each in the way that moves the answer
 * furthest. A service gives no probabilities of its answers, so "how far" is the share of the words
 * of the first answer that are gone from this one.
 */
#include "probe/evasion_text.h"

#include <math.h>
#include <stdio.h>

#include "base/cage.h"
#include "probe/evasion_text_internal.h"

enum { AT_ONCE = 16, BUDGET = 64, SPARE = 8 };
static const double SHARE = 0.2;

typedef struct search_row { /* of one question */
    tut_text_search *s;
    tut_text_row *row;
    tut_text_words words;
    size_t most;   /* words that may change */
    tut_buf first; /* the answer to the unchanged question */
    bool is_over;
} search_row;

typedef struct trial { /* one changed text */
    tut_text_plan plan;
    size_t changed, without; /* without: a word left out to see what it is worth; SIZE_MAX: none */
    tut_buf text;
    bool was_answered, is_right;
    double moved; /* 0: the answer is the same; 1: nothing is left of it */
} trial;

/* --- asking --- */

/* 1 less the share of the first answer's words that the other has as well. */
static double moved_by(tut_str first, tut_str other)
{
    size_t all = 0, kept = 0, at;
    for (size_t i = 0; i < first.len;) {
        size_t end = i;
        while (end < first.len && first.data[end] != ' ' && first.data[end] != '\n')
            end++;
        if (end > i) {
            all++;
            kept += tut_str_find(other, (tut_str){first.data + i, end - i}, &at);
        }
        i = end + 1;
    }
    return all ? 1 - (double)kept / (double)all : 0;
}

static void note_answer(search_row *r, trial *t, const tut_said *said)
{
    tut_text_search *s = r->s;
    if (said->answered == TUT_UNASKED) {
        r->row->is_cut = r->is_over = true;
        return;
    }
    s->sent++;
    r->row->asked++;
    s->refused += said->answered == TUT_REFUSED;
    s->unanswered += said->answered == TUT_FAILED;
    t->was_answered = said->answered == TUT_ANSWERED;
    t->is_right = tut_talk_is_right(r->row->question, said);
    t->moved = t->was_answered ? moved_by(tut_buf_str(&r->first), said->text) : 0;
    /* What is refused is not answered wrongly; a text with a word less says something else. */
    if (t->was_answered && !t->is_right && t->without == SIZE_MAX && !r->row->found_at) {
        r->row->found_at = r->row->asked;
        r->row->changed = t->changed;
        r->row->found_text = tut_arena_copy(&s->p->arena, tut_buf_str(&t->text));
    }
}

static tut_status ask_batch(search_row *r, trial *trials, size_t count, tut_error *err)
{
    tut_buf messages[AT_ONCE] = {{0}};
    tut_said said[AT_ONCE] = {{0}};
    tut_status status = TUT_SUCCESS;
    for (size_t i = 0; i < count && tut_is_ok(status); i++) {
        const tut_turns turns = {.system = tut_str_of(r->s->talk.system),
                                 .question = tut_buf_str(&trials[i].text)};
        status = tut_buf_check(&trials[i].text, err);
        if (tut_is_ok(status))
            status = tut_talk_write(&r->s->talk, &turns, &messages[i], err);
    }
    if (tut_is_ok(status))
        status = tut_talk_ask(r->s->p, &r->s->talk, messages, count, said, err);
    for (size_t i = 0; i < count; i++) {
        if (tut_is_ok(status))
            note_answer(r, &trials[i], &said[i]);
        tut_buf_done(&messages[i]);
        tut_said_done(&said[i]);
    }
    return status;
}

/* As many as the row's budget has room for; *ret_count: so many were asked. */
static tut_status ask(search_row *r, trial *trials, size_t *count, tut_error *err)
{
    uint64_t left = r->s->budget > r->row->asked ? r->s->budget - r->row->asked : 0;
    if (left < *count) {
        *count = (size_t)left;
        r->is_over = true;
    }
    for (size_t i = 0; i < *count && !r->row->is_cut; i += AT_ONCE) {
        size_t n = *count - i < AT_ONCE ? *count - i : AT_ONCE;
        TUT_TRY(ask_batch(r, trials + i, n, err));
        if (tut_interrupted()) {
            r->row->is_cut = true;
            return tut_fail(err, TUT_CANCELLED, "interrupted");
        }
    }
    r->is_over = r->is_over || r->row->found_at;
    return TUT_SUCCESS;
}

static void free_trials(trial *trials, size_t count)
{
    for (size_t i = 0; i < count; i++)
        tut_buf_done(&trials[i].text);
}

/* --- every way by itself --- */

/* Words that the way can change, by chance, up to as many as may. False: none. */
static bool plan_way(const search_row *r, tut_text_way way, trial *ret)
{
    tut_seeded random = tut_seeded_of(r->s->p->seed ^ tut_random_mix(way + 1));
    size_t each = tut_text_way_reach(way) == TUT_REACH_BORDER ? 2 : 1, fits = 0;
    size_t left = r->most / each ? r->most / each : 1;
    *ret = (trial){.plan = tut_text_plan_none(), .without = SIZE_MAX};
    if (tut_text_way_reach(way) == TUT_REACH_WHOLE) {
        ret->plan.of_whole = (uint8_t)way;
        return true;
    }
    for (size_t i = 0; i < r->words.count; i++)
        fits += tut_text_can(&r->words, i, way);
    for (size_t i = 0; i < r->words.count && left > 0; i++) {
        if (!tut_text_can(&r->words, i, way))
            continue;
        if (tut_seeded_below(&random, fits--) >= left)
            continue;
        ret->plan.of_word[i] = (uint8_t)way;
        ret->changed += each;
        left--;
        if (each == 2) { /* the next one is moved already */
            fits -= i + 1 < r->words.count && tut_text_can(&r->words, i + 1, way);
            i++;
        }
        if (fits == 0)
            break;
    }
    return ret->changed > 0;
}

static tut_status try_ways(search_row *r, tut_error *err)
{
    trial trials[TUT_TEXT_WAYS];
    tut_text_way of[TUT_TEXT_WAYS];
    size_t count = 0;
    for (unsigned w = 0; w < TUT_TEXT_WAYS; w++) {
        if (!plan_way(r, (tut_text_way)w, &trials[count]))
            continue;
        tut_text_write(&r->words, &trials[count].plan, r->s->p->seed, &trials[count].text);
        of[count++] = (tut_text_way)w;
    }
    size_t made = count;
    tut_status status = ask(r, trials, &count, err);
    for (size_t i = 0; i < count; i++)
        if (trials[i].was_answered) {
            r->s->tried[of[i]]++;
            r->s->turned[of[i]] += !trials[i].is_right;
        }
    free_trials(trials, made);
    return status;
}

/* --- the search --- */

/* How far the answer moves when each word is left out: half of what is left may go into it. */
static tut_status rank_words(search_row *r, double *ret_moved, tut_error *err)
{
    TUT_AUTO_FREE trial *trials = tut_alloc_array(TUT_TEXT_WORDS, sizeof(*trials));
    uint64_t left = r->s->budget > r->row->asked ? r->s->budget - r->row->asked : 0;
    size_t count = r->words.count;
    if (!trials)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    if (count > left / 2)
        count = (size_t)(left / 2);
    for (size_t i = 0; i < count; i++) {
        trials[i].without = i;
        tut_text_without(&r->words, i, &trials[i].text);
    }
    size_t made = count;
    tut_status status = ask(r, trials, &count, err);
    for (size_t i = 0; i < count; i++)
        ret_moved[i] = trials[i].was_answered ? trials[i].moved + !trials[i].is_right : 0;
    free_trials(trials, made);
    return status;
}

/* The next word by rank that something can change; SIZE_MAX: there is none. Long words first among
 * equals: they carry more. */
static size_t next_word(const search_row *r, const tut_text_plan *plan, const double *moved)
{
    size_t best = SIZE_MAX;
    for (size_t i = 0; i < r->words.count; i++) {
        bool can = false;
        for (unsigned w = 0; w < TUT_TEXT_WAYS && plan->of_word[i] == TUT_TEXT_WAYS; w++)
            can = can || (tut_text_way_reach((tut_text_way)w) == TUT_REACH_WORD &&
                          tut_text_can(&r->words, i, (tut_text_way)w));
        if (can && (best == SIZE_MAX || moved[i] > moved[best] ||
                    (moved[i] == moved[best] && r->words.words[i].len > r->words.words[best].len)))
            best = i;
    }
    return best;
}

/* Tries each way on the word; keeps the one that moves the answer furthest. */
static tut_status change_word(search_row *r, size_t word, trial *now, tut_error *err)
{
    trial trials[TUT_TEXT_WAYS];
    size_t count = 0, best = 0;
    for (unsigned w = 0; w < TUT_TEXT_WAYS; w++) {
        if (tut_text_way_reach((tut_text_way)w) != TUT_REACH_WORD ||
            !tut_text_can(&r->words, word, (tut_text_way)w))
            continue;
        trial *t = &trials[count++];
        *t = (trial){.plan = now->plan, .changed = now->changed + 1, .without = SIZE_MAX};
        t->plan.of_word[word] = (uint8_t)w;
        tut_text_write(&r->words, &t->plan, r->s->p->seed, &t->text);
    }
    size_t made = count;
    tut_status status = ask(r, trials, &count, err);
    for (size_t i = 1; i < count; i++)
        best = trials[i].moved > trials[best].moved ? i : best;
    if (count > 0) {
        now->plan = trials[best].plan;
        now->changed = trials[best].changed;
    }
    free_trials(trials, made);
    return status;
}

static tut_status search(search_row *r, tut_error *err)
{
    double moved[TUT_TEXT_WORDS] = {0};
    trial now = {.plan = tut_text_plan_none(), .without = SIZE_MAX};
    TUT_TRY(rank_words(r, moved, err));
    while (!r->is_over && now.changed < r->most) {
        size_t word = next_word(r, &now.plan, moved);
        if (word == SIZE_MAX)
            break;
        TUT_TRY(change_word(r, word, &now, err));
    }
    return TUT_SUCCESS;
}

static tut_status attack_row(search_row *r, tut_error *err)
{
    TUT_TRY(try_ways(r, err));
    return r->is_over ? TUT_SUCCESS : search(r, err);
}

/* --- all questions --- */

static tut_status ask_plain(tut_text_search *s, search_row *r, tut_error *err)
{
    tut_buf message = {0};
    tut_said said = {0};
    const tut_turns turns = {.system = tut_str_of(s->talk.system),
                             .question = r->row->question->text};
    tut_status status = tut_talk_write(&s->talk, &turns, &message, err);
    if (tut_is_ok(status))
        status = tut_talk_ask(s->p, &s->talk, &message, 1, &said, err);
    if (tut_is_ok(status) && said.answered != TUT_UNASKED) {
        s->sent++;
        r->row->asked++;
        r->row->is_known = said.answered != TUT_FAILED;
        s->unanswered += said.answered == TUT_FAILED;
        s->refused += said.answered == TUT_REFUSED;
        r->row->is_right = tut_talk_is_right(r->row->question, &said);
        tut_buf_add_str(&r->first, said.text);
        status = tut_buf_check(&r->first, err);
    }
    r->row->is_cut = said.answered == TUT_UNASKED;
    tut_buf_done(&message);
    tut_said_done(&said);
    return status;
}

static tut_status do_row(tut_text_search *s, tut_text_row *row, tut_error *err)
{
    TUT_AUTO_FREE search_row *r = tut_alloc_array(1, sizeof(*r));
    if (!r)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    r->s = s;
    r->row = row;
    tut_text_split(row->question->text, &r->words);
    row->words = r->words.count;
    r->most = (size_t)ceil(s->share * (double)r->words.count);
    tut_status status = ask_plain(s, r, err);
    if (tut_is_ok(status) && row->is_right)
        status = attack_row(r, err);
    tut_buf_done(&r->first);
    return status;
}

static tut_status do_all(tut_text_search *s, tut_error *err)
{
    for (size_t i = 0; i < s->count; i++) {
        tut_probe_step(s->p, "questions", i, s->count);
        if (tut_interrupted())
            return tut_fail(err, TUT_CANCELLED, "interrupted");
        TUT_TRY(do_row(s, &s->rows[i], err));
        if (s->rows[i].is_cut)
            return TUT_SUCCESS;
        s->done++;
    }
    return TUT_SUCCESS;
}

/* Only questions whose answer can be told to be wrong. */
static void take_questions(tut_text_search *s)
{
    for (size_t i = 0; i < s->talk.question_count; i++)
        if (s->talk.questions[i].expected.len)
            s->rows[s->count++].question = &s->talk.questions[i];
}

static tut_status run(tut_probe *p, tut_attack_result *ret, tut_error *err)
{
    ret->metric = "robust_accuracy";
    ret->decisive = (tut_measure){"robust_accuracy", NAN, NAN, NAN};
    ret->baseline = NAN;
    ret->weakness =
        "that no change was found does not show that there is none: another wording, or more "
        "queries, may turn an answer, and one that holds the expected words counts as right; that "
        "a change keeps the meaning is so by how it is made, and no person looked";
    TUT_AUTO_FREE tut_text_search *s = tut_alloc_array(1, sizeof(*s));
    if (!s)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    s->p = p;
    s->budget = p->queries_a_row ? p->queries_a_row : BUDGET;
    s->share = p->size > 0 ? fmin(p->size, 1) : SHARE;
    if (s->budget < SPARE)
        s->budget = SPARE;
    TUT_TRY(tut_talk_of(p, &s->talk, err));
    if (p->texts.questions)
        take_questions(s);
    if (s->count == 0) {
        ret->reason = "needs questions, a line each, and behind a tab what the answer must hold "
                      "(questions)";
        return TUT_SUCCESS;
    }
    tut_status status = do_all(s, err);
    ret->queries = s->sent;
    ret->was_cut = s->done < s->count;
    if (status.code == TUT_NOMEM)
        return status;
    TUT_TRY(tut_text_tell(s, ret, err));
    return status;
}

const tut_attack tut_attack_evasion_text = {
    .probe = "evasion",
    .name = "texts",
    .about = "questions are changed so that they say the same, until an answer turns",
    .source = "Li et al. 2019; Gao et al. 2018; Ribeiro et al. 2020",
    .gives = TUT_GIVES_TEXT,
    .needs = TUT_NEEDS_GOALS,
    .shows_rows = true,
    .run = run,
};
