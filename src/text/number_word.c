/* Letters and digits: IBAN, codice fiscale, licences. */
#include <string.h>

#include "text/number.h"

enum { WORD_MAX = 40, UUID_LEN = 36 };

typedef struct word_rule {
    const char *id, *label;
    tut_text_class type;
    const char *form;
    tut_check_word check;
    tut_number_alone alone;
    const char *words;
} word_rule;

static const word_rule word_rules[] = {
#define WORD(id, label, class, form, check, alone, words)                                          \
    {id, label, TUT_TEXT_##class, form, check, alone, words},
#include "text/rules_word.def"
#undef WORD
};

enum { WORD_RULES = sizeof(word_rules) / sizeof(word_rules[0]) };

static char upper(char c)
{
    return c >= 'a' && c <= 'z' ? (char)(c & ~0x20) : c;
}

static bool is_hex(char c)
{
    return tut_is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* RFC 9562: 8-4-4-4-12 hexadecimal digits. */
static bool is_uuid_at(tut_str t, size_t at)
{
    if (at + UUID_LEN > t.len)
        return false;
    for (size_t i = 0; i < UUID_LEN; i++) {
        bool is_dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (is_dash ? t.data[at + i] != '-' : !is_hex(t.data[at + i]))
            return false;
    }
    return true;
}

/* Its groups have the lengths of an account's, and one in a hundred passes the check digits. */
static bool is_in_uuid(tut_str t, size_t at)
{
    static const size_t groups[] = {0, 9, 14, 19};
    for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++)
        if (at >= groups[i] && is_uuid_at(t, at - groups[i]))
            return true;
    return at >= 4 && is_uuid_at(t, at - 4); /* the second half of its first group */
}

bool tut_number_try_iban(const tut_number_walk *w, const tut_number_run *r)
{
    tut_str t = r->v->text;
    size_t digits = r->groups[0].begin, begin = digits - 2, n = 0, at = begin;
    char word[WORD_MAX];
    char country[2] = {upper(t.data[begin]), upper(t.data[begin + 1])};
    size_t length = tut_check_iban_length((tut_str){country, 2});
    if (length == 0 || tut_number_group_len(r, 0) < 2 || !(w->classes >> TUT_TEXT_FINANCIAL & 1u))
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
        !tut_check_iban((tut_str){word, n}) || is_in_uuid(t, begin))
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
bool tut_number_try_words(const tut_number_walk *w, const tut_number_run *r, size_t begin)
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
        if (rule->alone != ANY &&
            !(tut_number_lists_near(t, begin, end) >> (TUT_NUMBER_RULES + i) & 1u))
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
bool tut_number_try_hetu(const tut_number_walk *w, const tut_number_run *r)
{
    tut_str t = r->v->text;
    size_t begin = r->groups[0].begin;
    if (tut_number_group_len(r, 0) != 6 || begin + 11 > t.len ||
        !(w->classes >> TUT_TEXT_IDENTIFIER & 1u) ||
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

void tut_number_words_write(tut_buf *out)
{
    for (size_t i = 0; i < WORD_RULES; i++)
        tut_buf_printf(out, "%s\t%s\t%s\n", word_rules[i].id, word_rules[i].form,
                       word_rules[i].words);
}
