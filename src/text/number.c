/*
 * The walk over the digits. Numbers of people and accounts have no literal to look for, so digits
 * themselves are: a run of groups, "(555) 010-4477 x12", is read once, and every rule whose length
 * fits is asked. What has no letters near it and no form of its own is left at once, so a table of
 * measurements costs little.
 */
#include <string.h>

#include "text/block.h"
#include "text/rule.h"

enum { GROUPS = 12, DIGITS = 40, PREFIX = 6, WORD_MAX = 40 };

typedef struct group {
    size_t begin, end; /* in the text */
    size_t first;      /* of its digits in run.digits */
    char before;       /* the sign between it and the one before; ')' for ") " and ")-" */
} group;

typedef struct run {
    const tut_text_view *v;
    group groups[GROUPS];
    size_t count;
    uint8_t digits[DIGITS];
    size_t total;
    size_t next;      /* where the walk goes on */
    bool has_letters; /* somewhere near */
} run;

typedef struct walk {
    const tut_text_view *v;
    unsigned classes;
    tut_number_fn found;
    void *ctx;
} walk;

typedef enum alone { ANY, GROUPED, NEVER, CARD } alone;

typedef struct number_rule {
    const char *id, *label;
    tut_text_class type;
    uint8_t least, most;
    tut_check_digits check;
    const char *groups;
    alone alone;
    const char *words;
} number_rule;

typedef struct word_rule {
    const char *id, *label;
    tut_text_class type;
    const char *form;
    tut_check_word check;
    alone alone;
    const char *words;
} word_rule;

static const number_rule number_rules[] = {
#define NUMBER(id, label, class, least, most, check, groups, alone, words)                         \
    {id, label, TUT_TEXT_##class, least, most, check, groups, alone, words},
#include "text/rules_number.def"
#undef NUMBER
};
static const word_rule word_rules[] = {
#define WORD(id, label, class, form, check, alone, words)                                          \
    {id, label, TUT_TEXT_##class, form, check, alone, words},
#include "text/rules_word.def"
#undef WORD
};
enum {
    NUMBER_RULES = sizeof(number_rules) / sizeof(number_rules[0]),
    WORD_RULES = sizeof(word_rules) / sizeof(word_rules[0])
};

static const char phone_words[] =
    "phone|tel|telephone|mobile|cell:|cell phone|cellphone|cell no|my "
    "cell|fax|desk|office|whatsapp|sms|hotline|call me|call us|"
    "someone call|reach me|reach us|text me|dial |answering at|messages to|on my registered|"
    "contact number|contact me|telefon|handy|téléphone|portable|móvil|telefono|teléfono|celular|"
    "cellulare|telefoon|mobiel|puhelin|telefone|ring me";

/* --- a stretch of a run: groups from..to, both in --- */
typedef struct stretch {
    const run *r;
    size_t from, to;
    size_t begin, end; /* in the text */
    const uint8_t *digits;
    size_t total;
} stretch;

static stretch stretch_of(const run *r, size_t from, size_t to)
{
    stretch s = {.r = r, .from = from, .to = to};
    s.begin = r->groups[from].begin;
    s.end = r->groups[to].end;
    s.digits = r->digits + r->groups[from].first;
    s.total = (to + 1 < r->count ? r->groups[to + 1].first : r->total) - r->groups[from].first;
    return s;
}

static size_t group_len(const run *r, size_t i)
{
    return r->groups[i].end - r->groups[i].begin;
}

/* Is it written as one of the forms: "3-2-4 9"? */
static bool is_written(const stretch *s, const char *forms)
{
    while (*forms) {
        size_t i = s->from;
        const char *at = forms;
        bool fits = true;
        for (;;) {
            size_t n = 0;
            while (tut_is_digit(*at))
                n = n * 10 + (size_t)(*at++ - '0');
            fits = fits && i <= s->to && group_len(s->r, i) == n;
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
static bool is_free(const stretch *s)
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

static bool one_sign(const stretch *s)
{
    for (size_t i = s->from + 1; i <= s->to; i++) {
        if (s->r->groups[i].before != s->r->groups[s->from + 1].before)
            return false;
    }
    return true;
}

static bool has_word(const stretch *s, const char *words)
{
    return s->r->has_letters && tut_judge_has_word(s->r->v->text, s->begin, s->end, words);
}

static bool all_groups_of(const stretch *s, size_t len)
{
    for (size_t i = s->from; i <= s->to; i++) {
        if (group_len(s->r, i) != len)
            return false;
    }
    return true;
}

/* Sixteen digits in fours, fifteen as 4-6-5, or unbroken. */
static bool is_card_written(const stretch *s)
{
    if (s->from == s->to)
        return true;
    char sign = s->r->groups[s->from + 1].before;
    if (!one_sign(s) || (sign != ' ' && sign != '-'))
        return false;
    if (s->total == 16)
        return all_groups_of(s, 4);
    return (s->total == 15 && s->to - s->from == 2 && group_len(s->r, s->from) == 4 &&
            group_len(s->r, s->from + 1) == 6) ||
           (s->total == 14 && s->to - s->from == 2 && group_len(s->r, s->from) == 4 &&
            group_len(s->r, s->from + 1) == 6);
}

/* What shops and manuals print as an example. */
static bool is_sample_card(const stretch *s)
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
static bool stands_alone(const stretch *s)
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

static bool believe(const number_rule *n, const stretch *s)
{
    bool is_one = s->from == s->to;
    bool is_grouped = !is_one && n->groups[0] && is_written(s, n->groups);
    if (n->alone == CARD) {
        if (!is_card_written(s) || is_sample_card(s))
            return false;
        bool is_usual = s->total == 16 || s->total == 15 || !is_one;
        return (is_usual && tut_check_issuer(s->digits, s->total) && stands_alone(s)) ||
               has_word(s, n->words);
    }
    if (!is_one && !is_grouped)
        return false;
    return (n->alone == GROUPED && is_grouped) || has_word(s, n->words);
}

static bool try_numbers(const walk *w, const stretch *s)
{
    for (size_t i = 0; i < NUMBER_RULES; i++) {
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

/* --- telephone --- */
static bool is_year(const uint8_t *d)
{
    unsigned v = d[0] * 1000u + d[1] * 100u + d[2] * 10u + d[3];
    return v >= 1900 && v <= 2100;
}

/* 2015-12-22 04, 12/27/1986, 27.12.1986 */
static bool is_date(const stretch *s)
{
    const run *r = s->r;
    if (s->to == s->from)
        return s->total == 8 && is_year(s->digits);
    size_t first = group_len(r, s->from), second = group_len(r, s->from + 1);
    char sign = r->groups[s->from + 1].before;
    if (sign == '/')
        return true;
    if (first == 4 && second <= 2 && is_year(s->digits) && (sign == '-' || sign == '.'))
        return true;
    if (first == 4 && second == 4 && is_year(s->digits) &&
        is_year(r->digits + r->groups[s->from + 1].first))
        return true;
    return s->to - s->from >= 2 && first <= 2 && second <= 2 && (sign == '.' || sign == '-') &&
           group_len(r, s->from + 2) == 4 && is_year(r->digits + r->groups[s->from + 2].first);
}

static char before_run(const stretch *s)
{
    return s->begin > 0 ? s->r->v->text.data[s->begin - 1] : '\0';
}

/* Area and exchange of the North American plan. */
static bool is_american(const stretch *s, size_t from)
{
    const run *r = s->r;
    if (s->to != from + 2 || group_len(r, from) != 3 || group_len(r, from + 1) != 3 ||
        group_len(r, from + 2) != 4)
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

static bool is_international(const stretch *s)
{
    const run *r = s->r;
    size_t begin = s->begin;
    tut_str t = r->v->text;
    bool has_plus = before_run(s) == '+' ||
                    (before_run(s) == '(' && begin > 1 && t.data[begin - 2] == '+');
    if (has_plus) {
        size_t sign = before_run(s) == '+' ? begin - 1 : begin - 2;
        bool starts = sign == 0 || !(tut_is_word(t.data[sign - 1]) || t.data[sign - 1] == '+');
        return starts && s->digits[0] != 0 && s->total >= (s->from == s->to ? 11u : 10u) &&
               s->total <= 15;
    }
    return s->digits[0] == 0 && s->digits[1] == 0 && s->digits[2] != 0 && s->to > s->from &&
           s->total >= 12 && s->total <= 16 && is_american(s, s->from + 1);
}

/* The groups of a telephone number: none of one digit but the first two. */
static bool is_phone_written(const stretch *s)
{
    const run *r = s->r;
    for (size_t i = s->from; i <= s->to; i++) {
        size_t len = group_len(r, i);
        if (len == 1 && i > s->from + 1)
            return false;
        if (i > s->from && r->groups[i].before == '/')
            return false;
        if (i > s->from && r->groups[i].before == '.' && !one_sign(s))
            return false;
    }
    if (s->from < s->to && r->groups[s->from + 1].before == '.')
        return s->to - s->from >= 2 && group_len(r, s->to) >= 2 && group_len(r, s->from) <= 3 &&
               group_len(r, s->from + 1) <= 3;
    return s->to - s->from < 7;
}

static bool is_phone(const stretch *s, tut_text_proof *ret_proof)
{
    tut_str t = s->r->v->text;
    size_t end = with_extension(t, s->end);
    bool is_bounded = end > s->end || ((s->end == t.len || !tut_is_word(t.data[s->end])) &&
                                       !(s->end + 1 < t.len && t.data[s->end] == '.' &&
                                         tut_is_digit(t.data[s->end + 1])));
    char before = before_run(s);
    if (!is_bounded || tut_is_word(before) || before == '.' || before == '/' || before == '=' ||
        before == '-' || before == '#' || before == '$' || is_date(s) || !is_phone_written(s))
        return false;
    *ret_proof = TUT_TEXT_BY_SHAPE;
    if (is_international(s) && (s->r->has_letters || s->to > s->from))
        return true;
    bool is_bare = s->from == s->to;
    char sign = is_bare ? '\0' : s->r->groups[s->from + 1].before;
    if (is_american(s, s->from) && (sign == ')' || (sign == '-' && one_sign(s))) &&
        s->r->digits[s->r->groups[s->from + 1].first] >= 2 && s->r->has_letters)
        return true;
    *ret_proof = TUT_TEXT_BY_CONTEXT;
    return s->total >= (is_bare ? 8u : 7u) && s->total <= 15 && has_word(s, phone_words);
}

static bool try_phone(const walk *w, const stretch *s)
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

/* --- IPv4 --- */
static bool try_ipv4(const walk *w, const run *r)
{
    tut_str t = r->v->text;
    if (r->count < 4 || !(w->classes >> TUT_TEXT_NETWORK & 1u))
        return false;
    stretch s = stretch_of(r, 0, 3);
    for (size_t i = 0; i < 4; i++) {
        unsigned v = 0;
        if ((i > 0 && r->groups[i].before != '.') || group_len(r, i) > 3)
            return false;
        for (size_t k = 0; k < group_len(r, i); k++)
            v = v * 10 + r->digits[r->groups[i].first + k];
        if (v > 255 || (group_len(r, i) > 1 && r->digits[r->groups[i].first] == 0))
            return false;
    }
    bool goes_on = (r->count > 4 && r->groups[4].before == '.') ||
                   (s.end < t.len && (tut_is_word(t.data[s.end]) || t.data[s.end] == '-'));
    char before = before_run(&s);
    /* 0., 127. and the like are nobody's; versions have small parts */
    if (goes_on || tut_is_word(before) || before == '.' || before == '-' || s.digits[0] == 0 ||
        s.total < 7)
        return false;
    tut_text_found f = {.id = "ipv4",
                        .label = "IPv4 address",
                        .type = TUT_TEXT_NETWORK,
                        .begin = s.begin,
                        .end = s.end};
    w->found(w->ctx, &f);
    return true;
}

/* --- letters and digits: IBAN, codice fiscale, licences --- */
static char upper(char c)
{
    return c >= 'a' && c <= 'z' ? (char)(c & ~0x20) : c;
}

static bool try_iban(const walk *w, const run *r)
{
    tut_str t = r->v->text;
    size_t digits = r->groups[0].begin, begin = digits - 2, n = 0, at = begin;
    char word[WORD_MAX];
    char country[2] = {upper(t.data[begin]), upper(t.data[begin + 1])};
    size_t length = tut_check_iban_length((tut_str){country, 2});
    if (length == 0 || group_len(r, 0) < 2 || !(w->classes >> TUT_TEXT_FINANCIAL & 1u))
        return false;
    while (at < t.len && n < length) {
        char c = t.data[at];
        if (tut_is_letter(c) || tut_is_digit(c))
            word[n++] = upper(c);
        else if ((c != ' ' && c != '-') || n % 4 != 0)
            break;
        at++;
    }
    if (n != length || (at < t.len && tut_is_word(t.data[at])) ||
        !tut_check_iban((tut_str){word, n}))
        return false;
    tut_text_found f = {.id = "iban",
                        .label = "Bank account number (IBAN)",
                        .type = TUT_TEXT_FINANCIAL,
                        .proof = TUT_TEXT_BY_CHECKSUM,
                        .begin = begin,
                        .end = at};
    w->found(w->ctx, &f);
    return true;
}

static bool has_form(tut_str word, const char *form)
{
    if (word.len != strlen(form))
        return false;
    for (size_t i = 0; i < word.len; i++) {
        char c = word.data[i];
        if (form[i] == 'L' ? !tut_is_letter(c) : form[i] == '9' && !tut_is_digit(c))
            return false;
    }
    return true;
}

/* One word of letters and digits around the first group; blanks between groups are left out. */
static bool try_words(const walk *w, const run *r, size_t begin)
{
    tut_str t = r->v->text;
    char word[WORD_MAX];
    size_t n = 0, at = begin, plain_end = 0, plain = 0;
    while (at < t.len && n < WORD_MAX) {
        char c = t.data[at];
        if (tut_is_letter(c) || tut_is_digit(c))
            word[n++] = upper(c);
        else if (c != ' ' || at - begin > 12 || at + 1 == t.len || !tut_is_digit(t.data[at + 1]))
            break;
        else if (plain == 0) {
            plain = n;
            plain_end = at;
        }
        at++;
    }
    if (at < t.len && tut_is_word(t.data[at]))
        return false;
    for (size_t i = 0; i < WORD_RULES; i++) {
        const word_rule *rule = &word_rules[i];
        bool is_plain = plain > 0 && has_form((tut_str){word, plain}, rule->form);
        tut_str all = {word, is_plain ? plain : n};
        size_t end = is_plain ? plain_end : at;
        if (!(w->classes >> rule->type & 1u) || !has_form(all, rule->form) ||
            (rule->check && !rule->check(all)))
            continue;
        if (rule->alone != ANY && !tut_judge_has_word(t, begin, end, rule->words))
            continue;
        tut_text_found f = {.id = rule->id,
                            .label = rule->label,
                            .type = rule->type,
                            .proof = rule->check ? TUT_TEXT_BY_CHECKSUM : TUT_TEXT_BY_CONTEXT,
                            .begin = begin,
                            .end = end};
        w->found(w->ctx, &f);
        return true;
    }
    return false;
}

/* 131052-308T */
static bool try_hetu(const walk *w, const run *r)
{
    tut_str t = r->v->text;
    size_t begin = r->groups[0].begin;
    if (group_len(r, 0) != 6 || begin + 11 > t.len || !(w->classes >> TUT_TEXT_IDENTIFIER & 1u) ||
        (begin + 11 < t.len && tut_is_word(t.data[begin + 11])) ||
        (begin > 0 && tut_is_word(t.data[begin - 1])) ||
        !tut_check_fi_hetu((tut_str){t.data + begin, 11}) || tut_is_digit(t.data[begin + 10]))
        return false;
    tut_text_found f = {.id = "fi-hetu",
                        .label = "Finnish personal identity code",
                        .type = TUT_TEXT_IDENTIFIER,
                        .proof = TUT_TEXT_BY_CHECKSUM,
                        .begin = begin,
                        .end = begin + 11};
    w->found(w->ctx, &f);
    return true;
}

/* --- the walk --- */
enum { BLOCK = 32, FEWEST = 4 };

/* No number that a rule asks for has fewer digits than FEWEST in its first BLOCK bytes, so where
 * two blocks have fewer none begins in the first of them. */
static bool is_sparse(const char *at)
{
    uint64_t bits = (uint64_t)tut_block_digits(at) | (uint64_t)tut_block_digits(at + 16) << 16 |
                    (uint64_t)tut_block_digits(at + 32) << 32 |
                    (uint64_t)tut_block_digits(at + 48) << 48;
    for (int i = 1; i < FEWEST && bits != 0; i++)
        bits &= bits - 1;
    return bits == 0;
}

/* *dense_to: up to there blocks are known not to be sparse. */
static size_t next_digit(tut_str t, size_t at, size_t *dense_to)
{
    for (;;) {
        while (at >= *dense_to && t.len - at >= 2 * (size_t)BLOCK) {
            if (is_sparse(t.data + at))
                at += BLOCK;
            else
                *dense_to = at + BLOCK;
        }
        size_t stop = *dense_to > at && *dense_to < t.len ? *dense_to : t.len;
        while (at + 16 <= t.len && at < stop) {
            uint32_t bits = tut_block_digits(t.data + at);
            if (bits)
                return at + (size_t)__builtin_ctz(bits);
            at += 16;
        }
        while (at < stop && !tut_is_digit(t.data[at]))
            at++;
        if (at < stop || stop == t.len)
            return at;
    }
}

/* The sign between two groups at `at`: one of " -./", or brackets around an area code; its width,
 * or 0 where the run ends. */
static size_t sign_at(tut_str t, size_t at, char *ret_sign)
{
    static const char *const wide[] = {") ", ")-", " (", "(", ")", "-(", ") - "};
    if (at + 1 >= t.len)
        return 0;
    char c = t.data[at];
    if ((c == ' ' || c == '-' || c == '.' || c == '/') && tut_is_digit(t.data[at + 1])) {
        *ret_sign = c;
        return 1;
    }
    bool is_bracket = c == ')' || c == '(' || ((c == ' ' || c == '-') && t.data[at + 1] == '(');
    if (!is_bracket)
        return 0;
    for (size_t i = 0; i < sizeof(wide) / sizeof(wide[0]); i++) {
        size_t len = strlen(wide[i]);
        if (at + len < t.len && memcmp(t.data + at, wide[i], len) == 0 &&
            tut_is_digit(t.data[at + len])) {
            *ret_sign = ')';
            return len;
        }
    }
    return 0;
}

static void read_run(run *r, size_t at)
{
    tut_str t = r->v->text;
    char sign = '\0';
    r->count = r->total = 0;
    for (;;) {
        group *g = &r->groups[r->count];
        *g = (group){.begin = at, .first = r->total, .before = sign};
        while (at < t.len && tut_is_digit(t.data[at])) {
            if (r->total < DIGITS)
                r->digits[r->total++] = (uint8_t)(t.data[at] - '0');
            at++;
        }
        g->end = at;
        r->count++;
        r->next = at;
        size_t width = r->count < GROUPS && r->total < DIGITS ? sign_at(t, at, &sign) : 0;
        if (width == 0)
            return;
        at += width;
    }
}

static bool letters_near(const run *r)
{
    tut_str t = r->v->text;
    size_t begin = r->groups[0].begin, from = begin > 80 ? begin - 80 : 0;
    size_t to = r->next + 16 < t.len ? r->next + 16 : t.len;
    unsigned seen = 0;
    for (size_t i = begin; i-- > from;)
        if ((seen = tut_is_letter(t.data[i]) ? seen + 1 : 0) == 2)
            return true;
    seen = 0;
    for (size_t i = r->next; i < to; i++)
        if ((seen = tut_is_letter(t.data[i]) ? seen + 1 : 0) == 2)
            return true;
    return false;
}

/* Longest stretch first; between stretches blanks must stand. *ret_to: its last group. */
static bool try_from(const walk *w, const run *r, size_t from, size_t *ret_to)
{
    for (size_t to = r->count; to-- > from;) {
        if (to + 1 < r->count && r->groups[to + 1].before != ' ')
            continue;
        stretch s = stretch_of(r, from, to);
        if (s.total < 7)
            return false;
        if (s.total > 19)
            continue;
        if (try_numbers(w, &s) || try_phone(w, &s)) {
            *ret_to = to;
            return true;
        }
    }
    return false;
}

static void try_run(const walk *w, run *r)
{
    if (try_ipv4(w, r) || r->total < 7)
        return;
    r->has_letters = letters_near(r);
    size_t begin = r->groups[0].begin;
    bool has_plus = begin > 0 && r->v->text.data[begin - 1] == '+';
    bool has_form = has_plus || (r->count == 3 && r->groups[1].before == '-');
    if (!r->has_letters && r->total < 13 && !has_form)
        return;
    for (size_t from = 0; from < r->count; from++) {
        size_t to;
        if (from > 0 && r->groups[from].before != ' ' && r->groups[from].before != ')')
            continue;
        if (try_from(w, r, from, &to))
            from = to;
    }
}

/* Letters directly before the first group make a word of it. */
static size_t letters_before(const run *r)
{
    const char *c = r->v->text.data;
    size_t begin = r->groups[0].begin, n = 0;
    while (n < begin && n <= PREFIX && tut_is_letter(c[begin - 1 - n]))
        n++;
    bool is_bounded = n == begin || !tut_is_word(c[begin - 1 - n]);
    return n > 0 && n <= PREFIX && is_bounded ? n : 0;
}

static bool is_letter_behind(const run *r)
{
    tut_str t = r->v->text;
    size_t end = r->groups[0].end;
    return end < t.len && tut_is_letter(t.data[end]);
}

/* A few digits and no more beside them: most of those that text has. *ret_end: behind them. */
static bool is_short(tut_str t, size_t at, size_t *ret_end)
{
    size_t end = at + 1;
    while (end < t.len && tut_is_digit(t.data[end]))
        end++;
    char next = end < t.len ? t.data[end] : '\n', after = end + 1 < t.len ? t.data[end + 1] : '\n';
    bool goes_on = next == '(' || next == ')' ||
                   ((next == ' ' || next == '-' || next == '.' || next == '/') &&
                    (tut_is_digit(after) || after == '(' || after == ' '));
    bool is_word = at > 0 && tut_is_letter(t.data[at - 1]) && end - at >= 2;
    *ret_end = end;
    return !goes_on && !is_word && end - at < 6;
}

/* The forms of words begin so: one letter and seven digits or more, six letters and two digits, …;
 * two letters and two digits may be those of an account. */
static bool may_be_word(size_t letters, size_t digits)
{
    static const uint8_t least[PREFIX + 1] = {0, 7, 2, 255, 6, 4, 2};
    return letters <= PREFIX && digits >= least[letters];
}

void tut_text_numbers(const tut_text_view *v, unsigned classes, tut_number_fn found, void *ctx)
{
    walk w = {.v = v, .classes = classes, .found = found, .ctx = ctx};
    run r = {.v = v};
    size_t end = v->text.len;
    size_t dense_to = 0;
    for (size_t at = next_digit(v->text, 0, &dense_to); at < end;
         at = next_digit(v->text, r.next, &dense_to)) {
        if (is_short(v->text, at, &r.next))
            continue;
        read_run(&r, at);
        size_t letters = letters_before(&r);
        bool is_word = letters > 0 && may_be_word(letters, r.groups[0].end - at);
        if (is_word && letters == 2 && try_iban(&w, &r)) {
            while (r.next < end && (tut_is_word(v->text.data[r.next])))
                r.next++;
            continue;
        }
        if (is_word && try_words(&w, &r, at - letters))
            continue;
        if (letters == 0 && r.groups[0].end - at == 8 && is_letter_behind(&r) &&
            try_words(&w, &r, at))
            continue;
        if (letters == 0 && r.groups[0].end - at == 6 && try_hetu(&w, &r))
            continue;
        try_run(&w, &r);
    }
}

void tut_text_numbers_write(tut_buf *out)
{
    for (size_t i = 0; i < NUMBER_RULES; i++)
        tut_buf_printf(out, "%s\t%u-%u\t%s\t%s\n", number_rules[i].id, number_rules[i].least,
                       number_rules[i].most, number_rules[i].groups, number_rules[i].words);
    for (size_t i = 0; i < WORD_RULES; i++)
        tut_buf_printf(out, "%s\t%s\t%s\n", word_rules[i].id, word_rules[i].form,
                       word_rules[i].words);
}
