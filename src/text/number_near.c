/*
 * The words that say what a number is. Those of all rules are looked up at once, by the first two
 * letters of each word near the number, and a rule asks for the bit of its own list.
 */
#include <pthread.h>
#include <string.h>

#include "text/block.h"
#include "text/number.h"

/* Separated by '|', lower case, each of two bytes or more, the first no ASCII sign. */
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

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

static size_t kind_of(char c)
{
    return tut_is_letter(c) ? (size_t)(lower(c) - 'a') : OTHER;
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
    if (w->len > text.len)
        return false;
    for (size_t i = 0; i < w->len; i++) {
        if (lower(text.data[i]) != w->text[i])
            return false;
    }
    return w->len > 3 || w->len == text.len || !tut_is_letter(text.data[w->len]);
}

static uint64_t lists_at(tut_str text)
{
    uint64_t found = 0;
    if (text.len < 2)
        return 0;
    for (uint16_t k = heads[kind_of(text.data[0])][kind_of(text.data[1])]; k; k = words[k].next)
        found |= is_at(&words[k], text) ? words[k].lists : 0;
    return found;
}

enum { BEFORE = 80, AFTER = 24 };

/* In at most two blocks. */
static uint64_t lists_in(tut_str window)
{
    char text[2 * TUT_BLOCK] = {0};
    uint64_t found = 0, was_word = 0;
    memcpy(text, window.data, window.len);
    for (size_t base = 0; base < window.len; base += TUT_BLOCK) {
        uint64_t letter = tut_block_letters(text + base);
        uint64_t word = letter | tut_block_digits(text + base);
        uint64_t starts = (letter | tut_block_of(text + base, 0, 0x80, 0xff)) &
                          ~(word << 1 | was_word);
        was_word = word >> (TUT_BLOCK - 1);
        for (; starts; starts &= starts - 1) {
            size_t at = base + (size_t)__builtin_ctzll(starts);
            found |= lists_at((tut_str){text + at, window.len - at});
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
