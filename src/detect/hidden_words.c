#include "detect/hidden_internal.h"

enum {
    LETTERS_LEAST = 10, /* spaced ones in a row */
    ROT_LEAST = 3,
    ROT_AROUND = 24,
    TAG_MAX = 256, /* bytes */
    COMMENT_MAX = 1024,
    CHAIN_MAX = 4096 /* of tags one behind the other */
};

/* Tokens are about this many bytes each. */
static size_t tokens_in(size_t max)
{
    return max / 4 + 1;
}

/* --- rot13 --- */
static void write_rot13(tut_hidden *h)
{
    const tut_hidden_search *f = &h->search;
    const tut_tokens *t = f->tokens;
    size_t first = f->first > ROT_AROUND ? f->first - ROT_AROUND : 0;
    size_t last = t->count - f->last > ROT_AROUND ? f->last + ROT_AROUND : t->count - 1;
    tut_buf *to = hidden_piece_begin(h, TUT_HIDDEN_ROT13,
                                     tut_plain_origin_of(f->plain, t->items[first].at));
    size_t end = t->items[last].at + t->items[last].len;
    for (size_t i = t->items[first].at; to && to->failed == TUT_OK && i < end; i++) {
        uint8_t c = f->plain->text.data[i], low = c | 0x20;
        if ((uint8_t)(low - 'a') < 26)
            c = (uint8_t)(c + (low < 'n' ? 13 : -13));
        tut_buf_add_byte(to, c);
    }
    if (to)
        hidden_piece_end(h, true);
}

bool hidden_seek_rot13(tut_hidden *h, size_t max)
{
    tut_hidden_search *f = &h->search;
    const tut_tokens *t = f->tokens;
    if (t->turned < ROT_LEAST)
        return true;
    size_t stop = t->count - f->at > tokens_in(max) ? f->at + tokens_in(max) : t->count;
    for (; f->at < stop; f->at++) {
        if (!(t->items[f->at].flags & TUT_TOKEN_ROT))
            continue;
        f->first = f->count++ ? f->first : f->at;
        f->last = f->at;
    }
    if (f->at < t->count)
        return false;
    write_rot13(h);
    return true;
}

/* --- letters with spaces between --- */
/* Letters without borders of words: the longest word that is known, again and again. */
static void add_split(tut_buf *to, const char *letters, size_t count, const tut_lexicon *lexicon)
{
    for (size_t i = 0; i < count;) {
        size_t best = 1;
        for (size_t len = 2; i + len <= count && len <= 16; len++)
            if (tut_lexicon_find(lexicon, tut_word_hash(letters + i, len)) != TUT_SYM_OTHER)
                best = len;
        tut_buf_add(to, letters + i, best);
        if (best > 1)
            tut_buf_add_byte(to, ' ');
        i += best;
    }
}

static bool is_letter(const tut_token *t)
{
    return t->len == 1 && (t->flags & TUT_TOKEN_WORD);
}

static void add_letters(tut_hidden *h, size_t begin, size_t end)
{
    const tut_tokens *t = h->search.tokens;
    const tut_lexicon *lexicon = h->search.lexicon;
    const uint8_t *p = h->search.plain->text.data;
    char letters[256];
    size_t count = 0;
    tut_buf *to = hidden_piece_begin(h, TUT_HIDDEN_SPACED,
                                     tut_plain_origin_of(h->search.plain, t->items[begin].at));
    for (size_t i = begin; to && to->failed == TUT_OK && i < end; i++) {
        size_t at = t->items[i].at;
        bool is_border = i > begin && at - t->items[i - 1].at > 2;
        if (!is_letter(&t->items[i]))
            continue;
        if (is_border || count == sizeof(letters)) {
            add_split(to, letters, count, lexicon);
            if (is_border)
                tut_buf_add_byte(to, ' ');
            count = 0;
        }
        letters[count++] = (char)(p[at] | 0x20);
    }
    if (!to)
        return;
    add_split(to, letters, count, lexicon);
    hidden_piece_end(h, true);
}

bool hidden_seek_spaced(tut_hidden *h, size_t max)
{
    tut_hidden_search *f = &h->search; /* count: letters in a row, first: where the row begins */
    const tut_tokens *t = f->tokens;
    if (t->letters < LETTERS_LEAST)
        return true;
    size_t stop = t->count - f->at > tokens_in(max) ? f->at + tokens_in(max) : t->count;
    for (; f->at < stop; f->at++) {
        const tut_token *k = &t->items[f->at];
        bool is_between = f->count && k->len == 1 && !(k->flags & TUT_TOKEN_WORD) &&
                          (k->symbol == TUT_SYM_RULER || k->symbol == TUT_SYM_STOP);
        if (is_letter(k) || is_between) {
            f->first = f->count ? f->first : f->at;
            f->count += is_letter(k);
            continue;
        }
        if (f->count >= LETTERS_LEAST)
            add_letters(h, f->first, f->at);
        f->count = 0;
    }
    if (f->at < t->count)
        return false;
    if (f->count >= LETTERS_LEAST)
        add_letters(h, f->first, t->count);
    return true;
}

/* --- markup --- */
/* End of the tag or comment that begins at `at`, or `at` where none does. */
static size_t tag_end(tut_str s, size_t at)
{
    if (s.len - at < 3 || s.data[at] != '<')
        return at;
    tut_str rest = {s.data + at, s.len - at};
    bool is_comment = tut_str_starts(rest, TUT_LIT("<!--"));
    uint8_t next = (uint8_t)s.data[at + 1];
    if (!is_comment && next != '/' && next != '!' && (uint8_t)((next | 0x20) - 'a') >= 26)
        return at;
    size_t found, most = is_comment ? COMMENT_MAX : TAG_MAX;
    rest.len = rest.len > most ? most : rest.len;
    if (!tut_str_find(rest, is_comment ? TUT_LIT("-->") : TUT_LIT(">"), &found))
        return at;
    return at + found + (is_comment ? 3 : 1);
}

static bool is_word_byte(uint8_t c)
{
    return (uint8_t)((c | 0x20) - 'a') < 26;
}

/* Only where a tag stands inside a word: else the words are read as they are. */
bool hidden_seek_torn(tut_hidden *h, size_t max)
{
    tut_hidden_search *f = &h->search;
    tut_str s = f->text;
    size_t stop = s.len - f->at > max ? f->at + max : s.len;
    while (f->at < stop && f->count < 2) {
        const char *found = memchr(s.data + f->at, '<', stop - f->at);
        if (!found) {
            f->at = stop;
            break;
        }
        size_t at = (size_t)(found - s.data), past = tag_end(s, at), next;
        while (past > at && past < s.len && past - at < CHAIN_MAX &&
               (next = tag_end(s, past)) > past)
            past = next;
        f->count += past > at && at > 0 && past < s.len && is_word_byte((uint8_t)s.data[at - 1]) &&
                    is_word_byte((uint8_t)s.data[past]);
        f->at = past > at ? past : at + 1;
    }
    return f->count >= 2 || f->at >= s.len;
}

bool hidden_seek_markup(tut_hidden *h, size_t max)
{
    tut_hidden_search *f = &h->search;
    tut_str s = f->text;
    if (f->count < 2 || (!f->open && !(f->open = hidden_piece_begin(h, TUT_HIDDEN_MARKUP, 0))))
        return true;
    size_t stop = s.len - f->at > max ? f->at + max : s.len;
    while (f->at < stop && f->open->failed == TUT_OK) {
        size_t past = s.data[f->at] == '<' ? tag_end(s, f->at) : f->at;
        if (past == f->at)
            tut_buf_add_byte(f->open, (uint8_t)s.data[f->at++]);
        else
            f->at = past;
    }
    if (f->at < s.len && f->open->failed == TUT_OK)
        return false;
    hidden_piece_end(h, true);
    return true;
}

/* --- what a page does not show --- */
bool tut_hidden_is_invisible(tut_str text, uint64_t at)
{
    static const char *const marks[] = {"display:none",        "display: none", "visibility:hidden",
                                        "visibility: hidden",  "font-size:0",   "font-size: 0",
                                        "opacity:0",           "opacity: 0",    " hidden>",
                                        "color:white",         "color: white",  "color=\"white\"",
                                        "aria-hidden=\"true\""};
    enum { BEFORE = 300 };
    if (at > text.len)
        return false;
    size_t begin = at > BEFORE ? (size_t)at - BEFORE : 0;
    tut_str before = {text.data + begin, (size_t)at - begin};
    size_t found, last = 0;
    bool is_open = false;
    for (tut_str rest = before; tut_str_find(rest, TUT_LIT("<"), &found);) {
        last = (size_t)(rest.data - before.data) + found;
        is_open = true;
        rest = (tut_str){rest.data + found + 1, rest.len - found - 1};
    }
    if (!is_open)
        return tut_str_find(before, TUT_LIT("[//]: # ("), &found);
    tut_str tag = {before.data + last, before.len - last};
    if (tut_str_starts(tag, TUT_LIT("<!--")))
        return !tut_str_find(tag, TUT_LIT("-->"), &found);
    for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
        if (tut_str_find(tag, tut_str_of(marks[i]), &found))
            return true;
    return false;
}
