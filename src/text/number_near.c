/*
 * The words that say what a number is. Those of all rules are looked up at once, by the first two
 * letters of each word near the number, and a rule asks for the bit of its own list.
 */
#include <pthread.h>
#include <string.h>

#include "text/number.h"

/* Separated by '|', lower case, each of two bytes or more. */
static const char phone_words[] =
    "phone|tel|telephone|mobile|cell:|cell phone|cellphone|cell no|my "
    "cell|fax|desk|office|whatsapp|sms|hotline|call me|call us|"
    "someone call|reach me|reach us|text me|dial |answering at|messages to|on my registered|"
    "contact number|contact me|telefon|handy|téléphone|portable|móvil|telefono|teléfono|celular|"
    "cellulare|telefoon|mobiel|puhelin|telefone|ring me";

static const char *const lists[TUT_NUMBER_LISTS] = {
#define NUMBER(id, label, class, least, most, check, groups, alone, words) words,
#include "text/rules_number.def"
#undef NUMBER
#define WORD(id, label, class, form, check, alone, words) words,
#include "text/rules_word.def"
#undef WORD
    phone_words};

_Static_assert(TUT_NUMBER_LISTS <= 64, "a bit for each list");

enum { OTHER = 26, KINDS, WORDS_MAX = 512 };

typedef struct near_word {
    const char *text;
    uint16_t len, next;
    uint64_t lists;
} near_word;

static pthread_once_t once = PTHREAD_ONCE_INIT;
static near_word words[WORDS_MAX]; /* from 1 on */
static uint16_t heads[KINDS][KINDS];

static size_t kind_of(char c)
{
    return c >= 'a' && c <= 'z' ? (size_t)(c - 'a') : OTHER;
}

static void add_word(const char *text, size_t len, uint64_t list)
{
    static uint16_t count;
    uint16_t *head = &heads[kind_of(text[0])][kind_of(text[1])];
    for (uint16_t i = *head; i; i = words[i].next) {
        if (words[i].len == len && memcmp(words[i].text, text, len) == 0) {
            words[i].lists |= list;
            return;
        }
    }
    if (count + 1 == WORDS_MAX)
        return;
    words[++count] = (near_word){.text = text, .len = (uint16_t)len, .next = *head, .lists = list};
    *head = count;
}

static void make_table(void)
{
    for (unsigned i = 0; i < TUT_NUMBER_LISTS; i++) {
        for (const char *at = lists[i]; *at;) {
            size_t len = strcspn(at, "|");
            if (len > 1)
                add_word(at, len, UINT64_C(1) << i);
            at += len;
            at += *at == '|';
        }
    }
}

/* A short word must end there, too. */
static bool is_at(const near_word *w, tut_str text)
{
    return w->len <= text.len && memcmp(w->text, text.data, w->len) == 0 &&
           (w->len > 3 || w->len == text.len || !tut_is_letter(text.data[w->len]));
}

enum { BEFORE = 80, AFTER = 24 };

/* In at most BEFORE bytes. */
static uint64_t lists_in(tut_str window)
{
    char low[BEFORE];
    bool was_word = false;
    uint64_t found = 0;
    for (size_t i = 0; i < window.len; i++) {
        char c = window.data[i];
        low[i] = c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
    }
    for (size_t i = 0; i + 1 < window.len; i++) {
        bool is_start = !was_word;
        was_word = tut_is_letter(low[i]) || tut_is_digit(low[i]);
        if (!is_start)
            continue;
        for (uint16_t k = heads[kind_of(low[i])][kind_of(low[i + 1])]; k; k = words[k].next) {
            if (is_at(&words[k], (tut_str){low + i, window.len - i}))
                found |= words[k].lists;
        }
    }
    return found;
}

uint64_t tut_number_lists_near(tut_str text, size_t begin, size_t end)
{
    size_t from = begin, lines = 0, to = end;
    (void)pthread_once(&once, make_table);
    while (from > 0 && begin - from < BEFORE) {
        lines += text.data[from - 1] == '\n';
        if (lines > 1 && begin - from > 2)
            break;
        from--;
    }
    while (to < text.len && to - end < AFTER && text.data[to] != '\n')
        to++;
    return lists_in((tut_str){text.data + from, begin - from}) |
           lists_in((tut_str){text.data + end, to - end});
}

bool tut_number_has_word(tut_number_stretch *s, unsigned list)
{
    if (!s->r->has_letters)
        return false;
    if (!s->is_near_known)
        s->near = tut_number_lists_near(s->r->v->text, s->begin, s->end);
    s->is_near_known = true;
    return s->near >> list & 1u;
}
