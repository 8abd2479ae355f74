/* Telephone numbers: international ones and those of North America by their form, others by a word
 * nearby. */
#include <string.h>

#include "text/number.h"

static bool is_year(const uint8_t *d)
{
    unsigned v = d[0] * 1000u + d[1] * 100u + d[2] * 10u + d[3];
    return v >= 1900 && v <= 2100;
}

/* 2015-12-22 04, 12/27/1986, 27.12.1986 */
static bool is_date(const tut_number_stretch *s)
{
    const tut_number_run *r = s->r;
    if (s->to == s->from)
        return s->total == 8 && is_year(s->digits);
    size_t first = tut_number_group_len(r, s->from), second = tut_number_group_len(r, s->from + 1);
    char sign = r->groups[s->from + 1].before;
    if (sign == '/')
        return true;
    if (first == 4 && second <= 2 && is_year(s->digits) && (sign == '-' || sign == '.'))
        return true;
    if (first == 4 && second == 4 && is_year(s->digits) &&
        is_year(r->digits + r->groups[s->from + 1].first))
        return true;
    return s->to - s->from >= 2 && first <= 2 && second <= 2 && (sign == '.' || sign == '-') &&
           tut_number_group_len(r, s->from + 2) == 4 &&
           is_year(r->digits + r->groups[s->from + 2].first);
}

/* Area and exchange of the North American plan. */
static bool is_american(const tut_number_stretch *s, size_t from)
{
    const tut_number_run *r = s->r;
    if (s->to != from + 2 || tut_number_group_len(r, from) != 3 ||
        tut_number_group_len(r, from + 1) != 3 || tut_number_group_len(r, from + 2) != 4)
        return false;
    return r->digits[r->groups[from].first] >= 2;
}

/* With extension: "x123" and the like belong to it. */
static size_t with_extension(tut_str t, size_t end)
{
    size_t at = end;
    if (at < t.len && t.data[at] == ' ')
        at++;
    if (at + 1 < t.len && (t.data[at] == 'x' || t.data[at] == 'X') &&
        tut_is_digit(t.data[at + 1])) {
        at++;
        while (at < t.len && tut_is_digit(t.data[at]) && at - end < 9)
            at++;
        return at < t.len && tut_is_word(t.data[at]) ? end : at;
    }
    return end;
}

static bool is_international(const tut_number_stretch *s)
{
    const tut_number_run *r = s->r;
    size_t begin = s->begin;
    tut_str t = r->v->text;
    bool has_plus = tut_number_sign_before(s) == '+' ||
                    (tut_number_sign_before(s) == '(' && begin > 1 && t.data[begin - 2] == '+');
    if (has_plus) {
        size_t sign = tut_number_sign_before(s) == '+' ? begin - 1 : begin - 2;
        bool starts = sign == 0 || !(tut_is_word(t.data[sign - 1]) || t.data[sign - 1] == '+');
        return starts && s->digits[0] != 0 && s->total >= (s->from == s->to ? 11u : 10u) &&
               s->total <= 15;
    }
    return s->digits[0] == 0 && s->digits[1] == 0 && s->digits[2] != 0 && s->to > s->from &&
           s->total >= 12 && s->total <= 16 && is_american(s, s->from + 1);
}

/* The groups of a telephone number: none of one digit but the first two. */
static bool is_phone_written(const tut_number_stretch *s)
{
    const tut_number_run *r = s->r;
    for (size_t i = s->from; i <= s->to; i++) {
        size_t len = tut_number_group_len(r, i);
        if (len == 1 && i > s->from + 1)
            return false;
        if (i > s->from && r->groups[i].before == '/')
            return false;
        if (i > s->from && r->groups[i].before == '.' && !tut_number_one_sign(s))
            return false;
    }
    if (s->from < s->to && r->groups[s->from + 1].before == '.')
        return s->to - s->from >= 2 && tut_number_group_len(r, s->to) >= 2 &&
               tut_number_group_len(r, s->from) <= 3 && tut_number_group_len(r, s->from + 1) <= 3;
    return s->to - s->from < 7;
}

static bool is_phone(tut_number_stretch *s, tut_text_proof *ret_proof)
{
    tut_str t = s->r->v->text;
    size_t end = with_extension(t, s->end);
    bool is_bounded = end > s->end || ((s->end == t.len || !tut_is_word(t.data[s->end])) &&
                                       !(s->end + 1 < t.len && t.data[s->end] == '.' &&
                                         tut_is_digit(t.data[s->end + 1])));
    char before = tut_number_sign_before(s);
    if (!is_bounded || tut_is_word(before) || before == '.' || before == '/' || before == '=' ||
        before == '-' || before == '#' || before == '$' || is_date(s) || !is_phone_written(s))
        return false;
    *ret_proof = TUT_TEXT_BY_SHAPE;
    if (is_international(s) && (s->r->has_letters || s->to > s->from))
        return true;
    bool is_bare = s->from == s->to;
    char sign = is_bare ? '\0' : s->r->groups[s->from + 1].before;
    if (is_american(s, s->from) && (sign == ')' || (sign == '-' && tut_number_one_sign(s))) &&
        s->r->digits[s->r->groups[s->from + 1].first] >= 2 && s->r->has_letters)
        return true;
    *ret_proof = TUT_TEXT_BY_CONTEXT;
    return s->total >= (is_bare ? 8u : 7u) && s->total <= 15 &&
           tut_number_has_word(s, TUT_NUMBER_PHONES);
}

bool tut_number_try_phone(const tut_number_walk *w, tut_number_stretch *s)
{
    tut_text_proof proof;
    if (!(w->classes >> TUT_TEXT_CONTACT & 1u) || s->total < 7 || s->total > 16 ||
        !is_phone(s, &proof))
        return false;
    tut_str t = s->r->v->text;
    size_t begin = s->begin;
    bool is_open = begin > 0 && t.data[begin - 1] == '(';
    begin -= is_open;
    begin -= begin > 0 && t.data[begin - 1] == '+';
    tut_text_found f = {.id = "phone",
                        .label = "Telephone number",
                        .type = TUT_TEXT_CONTACT,
                        .proof = proof,
                        .begin = begin,
                        .end = with_extension(t, s->end)};
    w->found(w->ctx, &f);
    return true;
}
