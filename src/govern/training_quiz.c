#include "govern/training_quiz.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

#include "stats/random.h"

void tut_quiz_draw(const tut_training_module *m, uint64_t seed, tut_quiz *ret_exam)
{
    uint16_t places[TUT_TRAINING_QUESTIONS] = {0};
    uint64_t state = seed;
    tut_quiz *e = ret_exam;
    e->module = m;
    e->seed = seed;
    e->count = m->draw;
    for (size_t i = 0; i < m->question_count; i++)
        places[i] = (uint16_t)i;
    for (size_t i = 0; i < e->count; i++) {
        size_t at = i + (size_t)tut_random_below(&state, m->question_count - i);
        uint16_t place = places[at];
        places[at] = places[i];
        tut_quiz_question *q = &e->asked[i];
        *q = (tut_quiz_question){.question = &m->questions[place]};
        size_t n = q->question->answer_count;
        for (size_t k = 0; k < n; k++)
            q->order[k] = (uint8_t)k;
        for (size_t k = n; k > 1; k--) {
            size_t other = (size_t)tut_random_below(&state, k);
            uint8_t kept = q->order[k - 1];
            q->order[k - 1] = q->order[other];
            q->order[other] = kept;
        }
    }
}

tut_status tut_quiz_seed(uint64_t *ret_seed, tut_error *err)
{
    if (getrandom(ret_seed, sizeof(*ret_seed), 0) != (ssize_t)sizeof(*ret_seed))
        return tut_fail_errno(err, errno, "no random bytes");
    return TUT_SUCCESS;
}

/* --- answers --- */

static tut_status choose(tut_quiz_question *q, size_t answer, tut_error *err)
{
    if (answer >= q->question->answer_count)
        return tut_fail(err, TUT_USAGE, "the answers are a to %c, or 1 to %zu",
                        (char)('a' + (int)q->question->answer_count - 1),
                        q->question->answer_count);
    q->chosen |= (uint16_t)(1u << answer);
    return TUT_SUCCESS;
}

tut_status tut_quiz_answer_one(tut_quiz_question *q, tut_str text, tut_error *err)
{
    q->chosen = 0;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        if (c >= 'a' && c <= 'z') {
            TUT_TRY(choose(q, (size_t)(c - 'a'), err));
        } else if (c >= 'A' && c <= 'Z') {
            TUT_TRY(choose(q, (size_t)(c - 'A'), err));
        } else if (c >= '0' && c <= '9') {
            uint64_t number = 0;
            size_t end = i;
            while (end < text.len && text.data[end] >= '0' && text.data[end] <= '9')
                end++;
            bool is_one = tut_str_u64((tut_str){text.data + i, end - i}, &number) && number > 0;
            TUT_TRY(choose(q, is_one ? (size_t)number - 1 : SIZE_MAX, err));
            i = end - 1;
        } else if (!memchr(" ,;\t", c, 4)) {
            return tut_fail(err, TUT_USAGE, "\"%.*s\" is no answer",
                            (int)(text.len < 40 ? text.len : 40), text.data);
        }
    }
    return TUT_SUCCESS;
}

/* "3cd" */
static tut_status take_word(tut_quiz *e, tut_str word, bool *is_named, tut_error *err)
{
    size_t digits = 0;
    uint64_t number = 0;
    while (digits < word.len && word.data[digits] >= '0' && word.data[digits] <= '9')
        digits++;
    tut_str letters = {word.data + digits, word.len - digits};
    for (size_t i = 0; i < letters.len; i++)
        if (!((letters.data[i] >= 'a' && letters.data[i] <= 'z') ||
              (letters.data[i] >= 'A' && letters.data[i] <= 'Z')))
            digits = 0;
    if (digits == 0 || letters.len == 0 || !tut_str_u64((tut_str){word.data, digits}, &number))
        return tut_fail(err, TUT_USAGE,
                        "\"%.*s\" is no answer; they look like 1b 2a 3cd: question, then letters",
                        (int)(word.len < 40 ? word.len : 40), word.data);
    if (number == 0 || number > e->count)
        return tut_fail(err, TUT_USAGE, "there is no question %llu; %zu were asked",
                        (unsigned long long)number, e->count);
    if (is_named[number - 1])
        return tut_fail(err, TUT_USAGE, "question %llu is answered twice",
                        (unsigned long long)number);
    is_named[number - 1] = true;
    tut_error why = {0};
    if (!tut_is_ok(tut_quiz_answer_one(&e->asked[number - 1], letters, &why)))
        return tut_fail(err, TUT_USAGE, "question %llu: %s", (unsigned long long)number, why.text);
    return TUT_SUCCESS;
}

static bool is_blank(char c)
{
    return memchr(" \t\r\n,;", c, 6) != NULL;
}

tut_status tut_quiz_answer(tut_quiz *e, tut_str answers, tut_error *err)
{
    bool is_named[TUT_TRAINING_QUESTIONS] = {false};
    for (size_t i = 0; i < e->count; i++)
        e->asked[i].chosen = 0;
    for (size_t at = 0; at < answers.len;) {
        size_t end = at;
        while (end < answers.len && !is_blank(answers.data[end]))
            end++;
        if (end > at)
            TUT_TRY(take_word(e, (tut_str){answers.data + at, end - at}, is_named, err));
        at = end + 1;
    }
    return TUT_SUCCESS;
}

bool tut_quiz_is_right(const tut_quiz_question *q)
{
    for (size_t i = 0; i < q->question->answer_count; i++) {
        bool is_chosen = q->chosen >> i & 1;
        if (is_chosen != q->question->answers[q->order[i]].is_right)
            return false;
    }
    return true;
}

size_t tut_quiz_right(const tut_quiz *e)
{
    size_t right = 0;
    for (size_t i = 0; i < e->count; i++)
        right += tut_quiz_is_right(&e->asked[i]);
    return right;
}

bool tut_quiz_is_passed(const tut_quiz *e)
{
    /* 0.8 of 5 is 4, whatever doubles make of it. */
    return (double)tut_quiz_right(e) + 1e-9 >= e->module->pass * (double)e->count;
}

bool tut_quiz_is_hurried(const tut_training_module *m, const tut_quiz_times *times)
{
    return (times->finished - times->started) * 4 < (tut_time)tut_training_reading_seconds(m);
}

/* --- a sheet of answers --- */

static bool take_key(tut_str line, const char *key, tut_str *ret_value)
{
    tut_str k = tut_str_of(key);
    if (!tut_str_starts(line, k) || line.len == k.len || !memchr(" :\t", line.data[k.len], 3))
        return false;
    *ret_value = tut_str_trim((tut_str){line.data + k.len + 1, line.len - k.len - 1});
    return true;
}

static bool parse_seed(tut_str hex, uint64_t *ret_seed)
{
    uint64_t seed = 0;
    for (size_t i = 0; i < hex.len; i++) {
        const char *at = memchr("0123456789abcdef", hex.data[i], 16);
        if (!at)
            return false;
        seed = seed << 4 | (uint64_t)(at - "0123456789abcdef");
    }
    *ret_seed = seed;
    return hex.len == 16;
}

tut_status tut_quiz_sheet_read(tut_str text, tut_quiz_sheet *ret_sheet, tut_error *err)
{
    tut_quiz_sheet s = {.seed = 0};
    bool has_seed = false, has_head = false;
    tut_str value;
    if (text.len > TUT_QUIZ_ANSWER_FILE || !tut_utf8_valid(text))
        return tut_fail(err, TUT_USAGE, "is no sheet of answers");
    for (size_t at = 0; at < text.len && !s.answers.data;) {
        const char *end = memchr(text.data + at, '\n', text.len - at);
        size_t len = end ? (size_t)(end - text.data) - at : text.len - at;
        tut_str line = tut_str_trim((tut_str){text.data + at, len});
        if (take_key(line, "tutela-answers", &value))
            has_head = tut_str_eq_z(value, "1");
        else if (take_key(line, "module", &value))
            s.module = value;
        else if (take_key(line, "seed", &value))
            has_seed = parse_seed(value, &s.seed);
        else if (take_key(line, "answers", &value)) /* the rest of the text */
            s.answers = (tut_str){value.data, (size_t)(text.data + text.len - value.data)};
        at += len + 1;
    }
    if (!has_head || !has_seed || s.module.len == 0 || !s.answers.data)
        return tut_fail(err, TUT_USAGE,
                        "is no sheet of answers; the page of a module (tutela train page) writes "
                        "one: \"tutela-answers 1\", then lines module, seed and answers");
    *ret_sheet = s;
    return TUT_SUCCESS;
}
