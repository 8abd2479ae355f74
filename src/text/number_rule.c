/* Numbers of people, cards and accounts: by length, check digits, how they are written, and words.
 */
#include <string.h>

#include "text/number.h"

typedef struct number_rule {
    const char *id, *label;
    tut_text_class type;
    uint8_t least, most;
    tut_check_digits check;
    const char *groups;
    tut_number_alone alone;
    const char *words;
} number_rule;

static const number_rule number_rules[TUT_NUMBER_RULES] = {
#define NUMBER(id, label, class, least, most, check, groups, alone, words)                         \
    {id, label, TUT_TEXT_##class, least, most, check, groups, alone, words},
#include "text/rules_number.def"
#undef NUMBER
};

/* Is it written as one of the forms: "3-2-4 9"? */
static bool is_written(const tut_number_stretch *s, const char *forms)
{
    while (*forms) {
        size_t i = s->from;
        const char *at = forms;
        bool fits = true;
        for (;;) {
            size_t n = 0;
            while (tut_is_digit(*at))
                n = n * 10 + (size_t)(*at++ - '0');
            fits = fits && i <= s->to && tut_number_group_len(s->r, i) == n;
            i++;
            bool is_sign = *at && strchr("-./", *at);
            bool is_blank = *at == ' ' && tut_is_digit(at[1]) && strchr("-./", forms[1]) == NULL;
            if (!is_sign && !is_blank)
                break;
            fits = fits && i <= s->to && s->r->groups[i].before == *at;
            at++;
        }
        if (fits && i == s->to + 1)
            return true;
        forms = at + (*at == ' ');
    }
    return false;
}

/* No letter, digit or '_' directly beside it, and no part of a decimal number. */
static bool is_free(const tut_number_stretch *s)
{
    tut_str t = s->r->v->text;
    const char *c = t.data;
    if (s->begin > 0) {
        char before = c[s->begin - 1];
        if (tut_is_word(before) && !tut_judge_starts(t, s->begin))
            return false;
        if ((before == '.' || before == ',') && s->begin > 1 && tut_is_digit(c[s->begin - 2]))
            return false;
        if (before == '-' && s->begin > 1 && tut_is_word(c[s->begin - 2]))
            return false;
        if (before == '/' || before == '=' || before == '%' || before == '#')
            return before == '=' || before == '#';
    }
    if (s->end < t.len) {
        char after = c[s->end];
        if (tut_is_word(after))
            return false;
        if ((after == '.' || after == ',') && s->end + 1 < t.len && tut_is_digit(c[s->end + 1]) &&
            after == '.')
            return false;
        if (after == '-' && s->end + 1 < t.len && tut_is_digit(c[s->end + 1]))
            return false;
    }
    return true;
}

bool tut_number_one_sign(const tut_number_stretch *s)
{
    for (size_t i = s->from + 1; i <= s->to; i++) {
        if (s->r->groups[i].before != s->r->groups[s->from + 1].before)
            return false;
    }
    return true;
}

static bool all_groups_of(const tut_number_stretch *s, size_t len)
{
    for (size_t i = s->from; i <= s->to; i++) {
        if (tut_number_group_len(s->r, i) != len)
            return false;
    }
    return true;
}

/* Sixteen digits in fours, fifteen as 4-6-5, or unbroken. */
static bool is_card_written(const tut_number_stretch *s)
{
    if (s->from == s->to)
        return true;
    char sign = s->r->groups[s->from + 1].before;
    if (!tut_number_one_sign(s) || (sign != ' ' && sign != '-'))
        return false;
    if (s->total == 16)
        return all_groups_of(s, 4);
    return (s->total == 15 && s->to - s->from == 2 && tut_number_group_len(s->r, s->from) == 4 &&
            tut_number_group_len(s->r, s->from + 1) == 6) ||
           (s->total == 14 && s->to - s->from == 2 && tut_number_group_len(s->r, s->from) == 4 &&
            tut_number_group_len(s->r, s->from + 1) == 6);
}

/* What shops and manuals print as an example. */
static bool is_sample_card(const tut_number_stretch *s)
{
    static const char *const samples[] = {
        "4111111111111111", "4242424242424242", "5555555555554444", "5105105105105100",
        "4012888888881881", "378282246310005",  "371449635398431",  "6011111111111117",
        "6011000990139424", "3530111333300000", "3566002020360505", "30569309025904",
        "4000000000000002", "5454545454545454"};
    char text[24];
    if (s->total >= sizeof(text))
        return false;
    for (size_t i = 0; i < s->total; i++)
        text[i] = (char)('0' + s->digits[i]);
    for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
        if (tut_str_eq_z((tut_str){text, s->total}, samples[i]))
            return true;
    }
    return false;
}

static bool is_hex_sign(char c)
{
    return tut_is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}

/* No part of a formula, and none of a table of codes: those have their like beside them. */
static bool stands_alone(const tut_number_stretch *s)
{
    tut_str t = s->r->v->text;
    size_t before = s->begin, after = s->end;
    while (before > 0 && strchr(" \t\r\n", t.data[before - 1]))
        before--;
    while (after < t.len && t.data[after] != '\0' && strchr(" \t\r\n", t.data[after]))
        after++;
    char left = before > 0 ? t.data[before - 1] : ' ', right = after < t.len ? t.data[after] : ' ';
    if (strchr("+*(^-[", left) || strchr("+*)^-]", right))
        return false;
    bool is_table = s->from < s->to && ((before < s->begin && is_hex_sign(left)) ||
                                        (after > s->end && is_hex_sign(right)));
    return !is_table;
}

static bool believe(const number_rule *n, tut_number_stretch *s)
{
    unsigned list = (unsigned)(n - number_rules);
    bool is_one = s->from == s->to;
    bool is_grouped = !is_one && n->groups[0] && is_written(s, n->groups);
    if (n->alone == CARD) {
        if (!is_card_written(s) || is_sample_card(s))
            return false;
        bool is_usual = s->total == 16 || s->total == 15 || !is_one;
        return (is_usual && tut_check_issuer(s->digits, s->total) && stands_alone(s)) ||
               tut_number_has_word(s, list);
    }
    if (!is_one && !is_grouped)
        return false;
    return (n->alone == GROUPED && is_grouped) || tut_number_has_word(s, list);
}

bool tut_number_try(const tut_number_walk *w, tut_number_stretch *s)
{
    for (size_t i = 0; i < TUT_NUMBER_RULES; i++) {
        const number_rule *n = &number_rules[i];
        if (s->total < n->least || s->total > n->most || !(w->classes >> n->type & 1u) ||
            !n->check(s->digits, s->total) || !is_free(s) || !believe(n, s))
            continue;
        tut_text_found f = {.id = n->id,
                            .label = n->label,
                            .type = n->type,
                            .proof = n->check == tut_check_any ? TUT_TEXT_BY_CONTEXT
                                                               : TUT_TEXT_BY_CHECKSUM,
                            .begin = s->begin,
                            .end = s->end};
        w->found(w->ctx, &f);
        return true;
    }
    return false;
}

void tut_number_rules_write(tut_buf *out)
{
    for (size_t i = 0; i < TUT_NUMBER_RULES; i++)
        tut_buf_printf(out, "%s\t%u-%u\t%s\t%s\n", number_rules[i].id, number_rules[i].least,
                       number_rules[i].most, number_rules[i].groups, number_rules[i].words);
}
