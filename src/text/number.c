/*
 * The walk over the digits. Numbers of people and accounts have no literal to look for, so digits
 * themselves are: a run of groups, "(555) 010-4477 x12", is read once, and every rule whose length
 * fits is asked. What has no letters near it and no form of its own is left at once, so a table of
 * measurements costs little.
 */
#include <string.h>

#include "text/block.h"
#include "text/number.h"

static tut_number_stretch stretch_of(const tut_number_run *r, size_t from, size_t to)
{
    tut_number_stretch s = {.r = r, .from = from, .to = to};
    s.begin = r->groups[from].begin;
    s.end = r->groups[to].end;
    s.digits = r->digits + r->groups[from].first;
    s.total = (to + 1 < r->count ? r->groups[to + 1].first : r->total) - r->groups[from].first;
    return s;
}

/* --- IPv4 --- */
static bool try_ipv4(const tut_number_walk *w, const tut_number_run *r)
{
    tut_str t = r->v->text;
    if (r->count < 4 || !(w->classes >> TUT_TEXT_NETWORK & 1u))
        return false;
    tut_number_stretch s = stretch_of(r, 0, 3);
    for (size_t i = 0; i < 4; i++) {
        unsigned v = 0;
        if ((i > 0 && r->groups[i].before != '.') || tut_number_group_len(r, i) > 3)
            return false;
        for (size_t k = 0; k < tut_number_group_len(r, i); k++)
            v = v * 10 + r->digits[r->groups[i].first + k];
        if (v > 255 || (tut_number_group_len(r, i) > 1 && r->digits[r->groups[i].first] == 0))
            return false;
    }
    bool goes_on = (r->count > 4 && r->groups[4].before == '.') ||
                   (s.end < t.len && (tut_is_word(t.data[s.end]) || t.data[s.end] == '-'));
    char before = tut_number_sign_before(&s);
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

/* --- where one may begin --- */
enum { BEFORE = 8, STEP = 40, REACH = TUT_BLOCK - STEP, FEWEST = 4 };

typedef struct seek {
    tut_str t;
    size_t next;    /* up to there marks have been made */
    size_t base;    /* of the marks */
    uint64_t marks; /* those not yet gone to */
} seek;

/* No number that a rule asks for has fewer digits than FEWEST in its first REACH bytes, so where a
 * block has fewer none begins in its first STEP. */
static bool is_sparse(uint64_t digits)
{
    for (int i = 1; i < FEWEST && digits != 0; i++)
        digits &= digits - 1;
    return digits == 0;
}

/* A bit for the first of every run of digits that may be a number or its first group: six digits or
 * more; fewer with a sign and more behind them; or what letters before make a word of. Of the forms
 * of words one letter needs seven digits, two need two (those of an account), four need six, five
 * four, and six two. */
static uint64_t marks_of(const char *at)
{
    uint64_t digit = tut_block_digits(at), letter = tut_block_letters(at);
    uint64_t dash = tut_block_is(at, '-'), gap = tut_block_is(at, ' ') | dash;
    uint64_t bracket = tut_block_of(at, 0, '(', ')'), sign = tut_block_of(at, 0, '-', '/') | gap;
    uint64_t joins = (sign & digit >> 1) | (gap & bracket >> 1) |
                     (bracket & (digit >> 1 | (gap >> 1 & (digit | dash) >> 2)));
    uint64_t pair = digit & digit >> 1, four = pair & pair >> 2;
    uint64_t joined = digit & joins >> 1; /* the last of a run, then those before it */
    joined |= digit & joined >> 1;
    joined |= pair & joined >> 2;
    joined |= four & joined >> 4;
    uint64_t two = letter << 1 & letter << 2, five = two & two << 2 & letter << 5;
    uint64_t word = (pair & two & ~(letter << 3)) | (four & five) |
                    (pair & five & letter << 6 & ~(letter << 7));
    return ((four & pair >> 4) | joined | word) & ~(digit << 1);
}

/* Those of the STEP bytes from `base` on; BEFORE more are looked at, for the letters. */
static uint64_t marks_at(tut_str t, size_t base)
{
    char edge[TUT_BLOCK] = {0};
    const char *at = edge;
    size_t before = base < BEFORE ? base : BEFORE, left = t.len - base;
    size_t behind = left < TUT_BLOCK - BEFORE ? left : TUT_BLOCK - BEFORE;
    if (before + behind == TUT_BLOCK)
        at = t.data + base - BEFORE;
    else
        memcpy(edge + BEFORE - before, t.data + base - before, before + behind);
    return marks_of(at) >> BEFORE & ((UINT64_C(1) << STEP) - 1);
}

/* The next run from `floor` on that may be or begin a number. */
static bool next_number(seek *s, size_t floor, size_t *ret_at)
{
    for (;;) {
        while (s->marks) {
            *ret_at = s->base + (size_t)__builtin_ctzll(s->marks);
            s->marks &= s->marks - 1;
            if (*ret_at >= floor)
                return true;
        }
        s->base = s->next < floor ? floor : s->next;
        while (s->base + TUT_BLOCK <= s->t.len && is_sparse(tut_block_digits(s->t.data + s->base)))
            s->base += STEP;
        if (s->base >= s->t.len)
            return false;
        s->marks = marks_at(s->t, s->base);
        s->next = s->base + STEP;
    }
}

/* --- the walk --- */
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

static void read_run(tut_number_run *r, size_t at)
{
    tut_str t = r->v->text;
    char sign = '\0';
    r->count = r->total = 0;
    for (;;) {
        tut_number_group *g = &r->groups[r->count];
        *g = (tut_number_group){.begin = at, .first = r->total, .before = sign};
        while (at < t.len && tut_is_digit(t.data[at])) {
            if (r->total < TUT_NUMBER_DIGITS)
                r->digits[r->total++] = (uint8_t)(t.data[at] - '0');
            at++;
        }
        g->end = at;
        r->count++;
        r->next = at;
        size_t width = r->count < TUT_NUMBER_GROUPS && r->total < TUT_NUMBER_DIGITS
                           ? sign_at(t, at, &sign)
                           : 0;
        if (width == 0)
            return;
        at += width;
    }
}

static bool letters_near(const tut_number_run *r)
{
    tut_str t = r->v->text;
    size_t begin = r->groups[0].begin, from = begin > 80 ? begin - 80 : 0;
    size_t to = r->next + 16 < t.len ? r->next + 16 : t.len;
    unsigned seen = 0;
    if (begin - from == 80 && r->next + TUT_BLOCK <= t.len) {
        uint64_t first = tut_block_letters(t.data + from),
                 behind = tut_block_letters(t.data + to - 16) & 0xffff;
        uint64_t last = tut_block_letters(t.data + begin - TUT_BLOCK);
        return ((first & first >> 1) | (last & last >> 1) | (behind & behind >> 1)) != 0;
    }
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
static bool try_from(const tut_number_walk *w, const tut_number_run *r, size_t from, size_t *ret_to)
{
    for (size_t to = r->count; to-- > from;) {
        if (to + 1 < r->count && r->groups[to + 1].before != ' ')
            continue;
        tut_number_stretch s = stretch_of(r, from, to);
        if (s.total < 7)
            return false;
        if (s.total > 19)
            continue;
        if (tut_number_try(w, &s) || tut_number_try_phone(w, &s)) {
            *ret_to = to;
            return true;
        }
    }
    return false;
}

static void try_run(const tut_number_walk *w, tut_number_run *r)
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
static size_t letters_before(const tut_number_run *r)
{
    const char *c = r->v->text.data;
    size_t begin = r->groups[0].begin, n = 0;
    while (n < begin && n <= TUT_NUMBER_PREFIX && tut_is_letter(c[begin - 1 - n]))
        n++;
    bool is_bounded = n == begin || !tut_is_word(c[begin - 1 - n]);
    return n > 0 && n <= TUT_NUMBER_PREFIX && is_bounded ? n : 0;
}

static bool is_letter_behind(const tut_number_run *r)
{
    tut_str t = r->v->text;
    size_t end = r->groups[0].end;
    return end < t.len && tut_is_letter(t.data[end]);
}

/* The forms of words begin so: one letter and seven digits or more, six letters and two digits, …;
 * two letters and two digits may be those of an account. */
static bool may_be_word(size_t letters, size_t digits)
{
    static const uint8_t least[TUT_NUMBER_PREFIX + 1] = {0, 7, 2, 255, 6, 4, 2};
    return letters <= TUT_NUMBER_PREFIX && digits >= least[letters];
}

void tut_text_numbers(const tut_text_view *v, unsigned classes, tut_number_fn found, void *ctx)
{
    tut_number_walk w = {.v = v, .classes = classes, .found = found, .ctx = ctx};
    tut_number_run r = {.v = v};
    seek next = {.t = v->text};
    size_t end = v->text.len, at;
    while (next_number(&next, r.next, &at)) {
        read_run(&r, at);
        size_t letters = letters_before(&r);
        bool is_word = letters > 0 && may_be_word(letters, r.groups[0].end - at);
        if (is_word && letters == 2 && tut_number_try_iban(&w, &r)) {
            while (r.next < end && (tut_is_word(v->text.data[r.next])))
                r.next++;
            continue;
        }
        if (is_word && tut_number_try_words(&w, &r, at - letters))
            continue;
        if (letters == 0 && r.groups[0].end - at == 8 && is_letter_behind(&r) &&
            tut_number_try_words(&w, &r, at))
            continue;
        if (letters == 0 && r.groups[0].end - at == 6 && tut_number_try_hetu(&w, &r))
            continue;
        try_run(&w, &r);
    }
}

void tut_text_numbers_write(tut_buf *out)
{
    tut_number_rules_write(out);
    tut_number_words_write(out);
}
