/*
 * Membership of texts where nothing but texts comes back: the first half of each goes in, and what
 * comes back is compared with the second half, word by word (SaMIA: Kaneko et al. 2024). The score
 * is the share of the second half's words that were said (ROUGE-1), or how many of them in a row. A
 * service is asked for its most probable answer once, not for ten by chance
 * as in the paper: a query is dear, and many services give the same answer each time.
 */
#include <math.h>

#include "probe/membership_texts.h"
#include "probe/talk.h"

enum { BATCH = TUT_MIA_TEXT_BATCH };
typedef enum kind { WORDS, IN_A_ROW, KINDS } kind;

static const tut_mia_text_score names[KINDS] = {
    [WORDS] = {"words continued", "tpr_at_1_words"},
    [IN_A_ROW] = {"words in a row", "tpr_at_1_in_a_row"}};

typedef struct continued {
    tut_mia_texts texts; /* first: the callback gets it */
    tut_talk talk;
} continued;

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static size_t half_of(tut_str text)
{
    size_t at = text.len / 2;
    while (at > 0 && !is_blank(text.data[at]))
        at--;
    return at;
}

/* The next word, behind which `text` begins then; empty: there is none. */
static tut_str next_word(tut_str *text)
{
    size_t begin = 0;
    while (begin < text->len && is_blank(text->data[begin]))
        begin++;
    size_t end = begin;
    while (end < text->len && !is_blank(text->data[end]))
        end++;
    tut_str word = {text->data + begin, end - begin};
    text->data += end, text->len -= end;
    return word;
}

static size_t count_of(tut_str text, tut_str word)
{
    size_t n = 0;
    for (tut_str w = next_word(&text); w.len; w = next_word(&text))
        n += tut_str_ieq(w, word);
    return n;
}

/* Of the words of `wanted`, each as often as it stands there, the share that `said` has. */
static double recall(tut_str wanted, tut_str said)
{
    size_t all = 0, there = 0;
    tut_str rest = wanted;
    for (tut_str w = next_word(&rest); w.len; w = next_word(&rest)) {
        tut_str before = {wanted.data, (size_t)(w.data - wanted.data)};
        all++;
        there += count_of(said, w) > count_of(before, w);
    }
    return all ? (double)there / (double)all : NAN;
}

static void score(continued *c, size_t row, const tut_said *said)
{
    tut_mia_texts *a = &c->texts;
    tut_str text = a->texts[row], heard = said->text;
    size_t half = half_of(text);
    tut_str wanted = {text.data + half, text.len - half};
    if (said->answered != TUT_ANSWERED || half == 0)
        return;
    if (heard.len > TUT_MIA_TEXT_BYTES)
        heard.len = TUT_MIA_TEXT_BYTES;
    a->scores[WORDS][row] = recall(wanted, heard);
    a->scores[IN_A_ROW][row] = (double)tut_talk_common(wanted, heard);
}

static tut_status ask(tut_mia_texts *a, const size_t *rows, size_t count, tut_error *err)
{
    continued *c = (continued *)a;
    tut_buf messages[BATCH] = {{0}};
    tut_said said[BATCH] = {{0}};
    tut_status s = TUT_SUCCESS;
    for (size_t i = 0; i < count && tut_is_ok(s); i++) {
        tut_str text = a->texts[rows[i]];
        const tut_turns turns = {.question = {text.data, half_of(text)}, .is_bare = true};
        s = tut_talk_write(&c->talk, &turns, &messages[i], err);
    }
    if (tut_is_ok(s))
        s = tut_talk_ask(a->p, &c->talk, messages, count, said, err);
    for (size_t i = 0; i < count; i++) {
        a->asked += said[i].answered != TUT_UNASKED;
        score(c, rows[i], &said[i]);
        tut_buf_done(&messages[i]);
        tut_said_done(&said[i]);
    }
    return s;
}

static tut_status run(tut_probe *p, tut_attack_result *ret, tut_error *err)
{
    TUT_AUTO_FREE continued *c = tut_alloc_array(1, sizeof(*c));
    if (!c)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    c->texts = (tut_mia_texts){.p = p, .names = names, .kinds = KINDS, .ask = ask};
    TUT_TRY(tut_talk_of(p, &c->talk, err));
    ret->weakness =
        "It sees what the model says, not how likely it finds it: a model that chats about a text "
        "in place of continuing it shows nothing here, and still may have learnt it by heart.";
    tut_status s = tut_mia_texts_run(&c->texts, ret, err);
    ret->budget = "one query a text: its first half, to be continued";
    return s;
}

const tut_attack tut_attack_membership_continued = {
    .probe = "membership",
    .name = "continued",
    .about = "texts that it was trained on are continued in their own words",
    .source = "Kaneko et al. 2024",
    .gives = TUT_GIVES_TEXT,
    .needs = TUT_NEEDS_GOALS,
    .run = run,
};
