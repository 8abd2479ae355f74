/*
 * A word has ended: what it makes of the text. All that is decided here depends on the text alone,
 * at the ends of its words, and never on where a piece of it ended.
 */
#include "guard/span.h"
#include "guard/text_internal.h"

enum {
    DIGITS = 5,     /* no number that a rule asks for has fewer in words that follow one another */
    WORD_MOST = 10, /* nor does a shorter word with a digit hold a key */
    PROSE_MOST = 16,
    CAPITALS = 2, /* "AB 12 34 56 C": letters that begin a number */
    BATCH = 64    /* so far apart are two looks at a text, whatever it is made of */
};

static bool is_space(uint8_t c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static unsigned digits_of(tut_str word)
{
    unsigned n = 0;
    for (size_t i = 0; i < word.len; i++)
        n += word.data[i] >= '0' && word.data[i] <= '9';
    return n;
}

/* --- what a word is --- */
static void need_from(tut_guard_text *t, size_t place, bool is_number)
{
    if (t->need == SIZE_MAX)
        t->kinds_held = t->kinds_before;
    if (t->need == SIZE_MAX && is_number) {
        t->waits = TUT_WAIT_NUMBER;
        t->check_at = t->seen + TUT_TEXT_NUMBER_NEAR;
    }
    t->need = place < t->need ? place : t->need;
}

/* "GB29 NWBK 6016": an account, whose groups may be letters alone. */
static bool begins_account(tut_str word)
{
    size_t at = 0;
    while (at < word.len && strchr("\"'(*`:", word.data[at]))
        at++;
    for (size_t i = 0; i < 4; i++) {
        if (at + i >= word.len)
            return false;
        char c = word.data[at + i];
        bool is_digit = c >= '0' && c <= '9', is_letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
        if (i < 2 ? !is_letter : !is_digit)
            return false;
    }
    return true;
}

/* Words with digits that follow one another, with nothing but signs between, may be one number. */
static void note_digits(tut_guard_text *t, tut_str word, size_t bare)
{
    if (t->cluster == SIZE_MAX) {
        t->cluster = t->word;
        t->digits = 0;
    }
    t->digits += digits_of(word);
    if (t->digits > DIGITS || bare >= WORD_MOST || (t->kinds & TUT_KIND_ESCAPE) ||
        begins_account(word))
        need_from(t, t->cluster, true);
}

static void note_word(tut_guard_text *t, size_t end)
{
    tut_str word = {(const char *)t->held.data + t->word, end - t->word};
    size_t bare = word.len - ((t->kinds & TUT_KIND_SPACE) != 0);
    unsigned of_signs = TUT_KIND_SIGN | TUT_KIND_SPACE | TUT_KIND_DASH | TUT_KIND_SLASH |
                        TUT_KIND_CLOSE | TUT_KIND_CANARY;
    unsigned of_capitals = TUT_KIND_CAPITAL | TUT_KIND_SPACE | TUT_KIND_CLOSE | TUT_KIND_CANARY;
    if (t->kinds & TUT_KIND_DIGIT) {
        note_digits(t, word, bare);
    } else if (t->cluster != SIZE_MAX && !(t->kinds & ~of_signs)) {
        /* goes on */
    } else if (bare > 0 && bare <= CAPITALS && !(t->kinds & ~of_capitals)) {
        t->cluster = t->word;
        t->digits = 0;
    } else {
        t->cluster = SIZE_MAX;
    }
    if (tut_guard_word_is_hot(word, t->kinds))
        need_from(t, t->word, false);
}

/* --- runs of the system text --- */
static void keep_leak(tut_guard_text *t, size_t end)
{
    size_t begin = t->leak.begin > t->gone ? t->leak.begin : t->gone;
    tut_text_range *last = t->leak_count ? &t->leaks[t->leak_count - 1] : NULL;
    if (last && (t->is_leaking || t->leak_count == TUT_GUARD_LEAKS)) {
        last->end = end;
        last->words = t->leak.run > last->words ? t->leak.run : last->words;
        return;
    }
    t->leaks[t->leak_count++] = (tut_text_range){.begin = begin, .end = end, .words = t->leak.run};
    need_from(t, begin, false);
}

static void note_leak(tut_guard_text *t, size_t end)
{
    const tut_guard_setting *s = &t->look->checks[TUT_CHECK_PROMPT_LEAK];
    tut_str word = {(const char *)t->held.data + t->word, end - t->word};
    if (!tut_leak_step(t->look->leak, &t->leak, word, t->word))
        return;
    if (t->leak.run == 0)
        t->is_leaking = false;
    /* Of scripts without spaces each character is a word. */
    size_t begin = t->leak.begin > end ? end : t->leak.begin;
    bool is_long = t->leak.run >= s->words &&
                   (t->is_leaking || end - begin >= (size_t)4 * s->words);
    if (!is_long)
        return;
    if (s->action != TUT_GUARD_REDACT || !t->look->is_changing) {
        if (!t->is_leaking)
            tut_guard_add(t->look->decision, "prompt_leak", s->action, tut_text_where(t),
                          "%u words in a row of the system text", s->words);
    } else {
        while (end > t->word && is_space(t->held.data[end - 1]))
            end--;
        keep_leak(t, end);
    }
    t->is_leaking = true;
}

/* --- what waits --- */
static size_t number_start(const tut_guard_text *t, size_t end)
{
    size_t start = end, near = TUT_TEXT_NUMBER_NEAR;
    size_t stop = end > t->gone + near ? end - near : t->gone;
    size_t at = end;
    while (at > stop) {
        size_t word_end = at;
        while (at > t->gone && is_space(t->held.data[at - 1]))
            at--;
        while (at > t->gone && !is_space(t->held.data[at - 1]))
            at--;
        if (digits_of((tut_str){(const char *)t->held.data + at, word_end - at}))
            start = at;
    }
    return start < t->cluster ? start : t->cluster;
}

static size_t key_start(const tut_guard_text *t, size_t end)
{
    static const char *const marks[][2] = {{"-----BEGIN", "-----END"},
                                           {"PuTTY-User-Key-File", "Private-Lines:"}};
    tut_str text = {(const char *)t->held.data + t->gone, end - t->gone};
    size_t start = end;
    for (size_t i = 0; (t->kinds_held & TUT_KIND_DASH) && i < TUT_COUNT(marks); i++) {
        tut_str rest = text;
        size_t at, closing;
        while (tut_str_find(rest, tut_str_of(marks[i][0]), &at)) {
            tut_str body = {rest.data + at, rest.len - at};
            if (!tut_str_find(body, tut_str_of(marks[i][1]), &closing)) {
                size_t begin = t->gone + (size_t)(body.data - text.data);
                start = begin < start ? begin : start;
                break;
            }
            rest = (tut_str){body.data + closing, body.len - closing};
        }
    }
    return start;
}

/* The longest end of the text that a canary begins with. */
static size_t canary_start(const tut_guard_text *t, size_t end)
{
    uint16_t most = 0;
    if (!t->canaries_open)
        return end;
    for (size_t i = 0; i < t->look->kinds->canary_count; i++) {
        bool is_whole = t->canaries[i] == t->look->kinds->canaries[i].len;
        if (!is_whole && t->canaries[i] > most)
            most = t->canaries[i];
    }
    return end - most > t->gone ? end - most : t->gone;
}

static size_t link_start(const tut_guard_text *t, size_t end)
{
    tut_str text = {(const char *)t->held.data, end};
    tut_link link;
    if (t->look->checks[TUT_CHECK_LINKS].action == TUT_GUARD_ALLOW ||
        !(t->kinds_held & TUT_KIND_BRACKET))
        return end;
    for (size_t at = t->gone; tut_link_next(text, at, &link); at = link.end) {
        if (link.is_open)
            return link.begin;
    }
    return end;
}

static size_t leak_start(const tut_guard_text *t, size_t end)
{
    const tut_guard_setting *s = &t->look->checks[TUT_CHECK_PROMPT_LEAK];
    if (!t->leak.run || s->action != TUT_GUARD_REDACT || !t->look->is_changing)
        return end;
    return t->leak.begin > t->gone ? t->leak.begin : t->gone;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

typedef struct place {
    size_t at;
    tut_text_wait why;
} place;

static place first_waiting(const tut_guard_text *t, size_t end)
{
    place p = {number_start(t, end), TUT_WAIT_NUMBER};
    size_t key = key_start(t, end), link = link_start(t, end);
    size_t canary = least(canary_start(t, end), leak_start(t, end));
    if (key < p.at)
        p = (place){key, TUT_WAIT_KEY};
    if (link < p.at)
        p = (place){link, TUT_WAIT_LINK};
    if (canary < p.at)
        p = (place){canary, TUT_WAIT_CANARY};
    return p;
}

/* Whether what keeps the first of the held bytes may have ended with this word. */
static bool may_go(const tut_guard_text *t, size_t end)
{
    if (end - t->gone >= TUT_GUARD_HELD)
        return true;
    switch (t->waits) {
    case TUT_WAIT_NUMBER:
        return end >= t->check_at;
    case TUT_WAIT_KEY:
        return (t->kinds & (TUT_KIND_DASH | TUT_KIND_COLON)) != 0;
    case TUT_WAIT_LINK:
        return ((t->kinds | t->kinds_before) & TUT_KIND_CLOSE) || end - t->gone >= TUT_LINK_MOST;
    case TUT_WAIT_CANARY:
        return least(canary_start(t, end), leak_start(t, end)) > t->gone;
    case TUT_WAIT_NOT:
        break;
    }
    return true;
}

/* --- handing on --- */
void tut_text_send(tut_guard_text *t, tut_buf *out)
{
    if (t->gone > t->sent)
        tut_buf_add(out, t->held.data + t->sent, t->gone - t->sent);
    t->sent = t->gone;
}

static void hand_on(tut_guard_text *t, size_t to, const tut_guard_spans *spans, tut_buf *out)
{
    for (size_t i = 0; i < spans->count && t->gone < to; i++) {
        const tut_guard_span *s = &spans->items[i];
        if (s->end <= t->gone || s->begin >= to || !s->label[0])
            continue;
        if (s->begin > t->gone)
            tut_buf_add(out, t->held.data + t->gone, s->begin - t->gone);
        tut_buf_add_z(out, s->label);
        t->look->decision->redactions++;
        t->gone = s->end;
    }
    if (to > t->gone) {
        tut_buf_add(out, t->held.data + t->gone, to - t->gone);
        t->gone = to;
    }
    t->sent = t->gone;
    size_t kept = 0;
    for (size_t i = 0; i < t->leak_count; i++)
        if (t->leaks[i].end > t->gone)
            t->leaks[kept++] = t->leaks[i];
    t->leak_count = kept;
    t->is_leaking = t->is_leaking &&
                    (kept > 0 || t->look->checks[TUT_CHECK_PROMPT_LEAK].action != TUT_GUARD_REDACT);
}

/* The span across a place, or NULL. */
static const tut_guard_span *across(const tut_guard_spans *spans, size_t at)
{
    for (size_t i = 0; i < spans->count; i++)
        if (spans->items[i].begin < at && spans->items[i].end > at)
            return &spans->items[i];
    return NULL;
}

/* Where what has to wait begins, now that it is known what there is. */
static size_t hold_from(tut_guard_text *t, size_t end, size_t hold, const tut_guard_spans *spans)
{
    bool is_full = end - t->gone >= TUT_GUARD_HELD;
    if (is_full) /* half of it goes on, and the word at the end may not be whole */
        hold = end - TUT_GUARD_HELD / 2;
    const tut_guard_span *span = across(spans, hold);
    if (span && span->begin > t->gone + (is_full ? TUT_GUARD_HELD / 4 : 0))
        return span->begin;
    if (span && is_full) { /* longer than can be held: it is put away, and its rest with it */
        t->is_dropping = span->end == end && span->label[0];
        return span->end;
    }
    return span ? t->gone : hold;
}

static void forget_all(tut_guard_text *t)
{
    t->held.len = t->gone = t->sent = t->word = t->seen = t->next = 0;
    t->cluster = SIZE_MAX;
    t->leak_count = 0;
    t->leak = (tut_leak_run){0};
}

static tut_status look(tut_guard_text *t, size_t end, bool is_last, place first, tut_buf *out,
                       tut_error *err)
{
    TUT_CLEAN(tut_guard_spans)
    spans = {.leaks = t->leaks, .leak_count = t->leak_count, .has_no_canary = !t->has_canary};
    size_t from = t->gone > TUT_TEXT_CONTEXT ? t->gone - TUT_TEXT_CONTEXT : 0;
    bool has_link = (t->kinds_held & TUT_KIND_BRACKET) ||
                    ((t->kinds_held & TUT_KIND_COLON) && (t->kinds_held & TUT_KIND_SLASH));
    tut_text_send(t, out);
    TUT_TRY(tut_guard_find(t->look, (tut_str){(const char *)t->held.data, end}, from,
                           has_link ? t->gone : end, &spans, err));
    size_t hold = is_last ? end : hold_from(t, end, first.at, &spans);
    if (spans.count)
        tut_guard_tell(t->look, &spans, t->gone, hold, tut_text_where(t).data);
    if (tut_text_is_stopped(t))
        return tut_buf_check(out, err);
    hand_on(t, hold, &spans, out);
    t->next = end + BATCH;
    if (t->is_dropping)
        forget_all(t);
    t->need = t->gone < end && !t->is_dropping ? t->gone : SIZE_MAX;
    t->has_canary = t->has_canary && t->need != SIZE_MAX;
    t->waits = t->need == SIZE_MAX ? TUT_WAIT_NOT : first.why;
    t->check_at = t->gone + TUT_TEXT_NUMBER_NEAR;
    if (t->check_at <= end)
        t->check_at = end + BATCH / 2;
    return tut_buf_check(out, err);
}

/* A short word of letters where nothing waits and nothing has begun: most words are. */
static bool is_prose(const tut_guard_text *t, size_t end)
{
    unsigned odd = TUT_KIND_DIGIT | TUT_KIND_AT | TUT_KIND_BRACKET | TUT_KIND_COLON |
                   TUT_KIND_DASH | TUT_KIND_ESCAPE;
    return t->need == SIZE_MAX && t->cluster == SIZE_MAX && !t->canaries_open &&
           (t->kinds & TUT_KIND_LETTER) && !(t->kinds & odd) && end - t->word <= PROSE_MOST &&
           end > t->word;
}

tut_status tut_text_settle(tut_guard_text *t, size_t end, bool is_last, tut_buf *out,
                           tut_error *err)
{
    bool has_prose = !is_last && is_prose(t, end);
    if (!has_prose && end > t->word)
        note_word(t, end);
    if (t->look->leak && end > t->word) {
        note_leak(t, end);
        if (tut_text_is_stopped(t)) {
            tut_text_send(t, out);
            return tut_buf_check(out, err);
        }
    }
    if (has_prose && t->leak.run == 0) {
        t->gone = end;
        return TUT_SUCCESS;
    }
    t->kinds_held |= t->kinds;
    size_t free = least(least(t->cluster, end), least(canary_start(t, end), leak_start(t, end)));
    if (is_last)
        free = end;
    free = least(free, t->need);
    t->gone = free > t->gone ? free : t->gone;
    if (is_last) {
        if (t->need != SIZE_MAX)
            return look(t, end, true, (place){end, TUT_WAIT_NOT}, out, err);
        tut_text_send(t, out);
        return tut_buf_check(out, err);
    }
    bool is_full = end - t->gone >= TUT_GUARD_HELD;
    if (!is_full && (t->need == SIZE_MAX || end < t->next || !may_go(t, end)))
        return TUT_SUCCESS;
    place first = first_waiting(t, end);
    bool is_few = first.why == TUT_WAIT_NUMBER && first.at < end && first.at - t->gone < BATCH;
    if (is_full || (first.at > t->gone && !is_few))
        return look(t, end, false, first, out, err);
    t->waits = first.why;
    t->check_at = end + BATCH;
    t->next = end + BATCH / 2;
    return TUT_SUCCESS;
}
