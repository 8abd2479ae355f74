#include "detect/feature.h"

enum { WORDS, RUNS, MIXED, PLACES, SETS, AROUND };
enum { GAP = 4, PLACES_SEEN = 6 };

void tut_segments_done(tut_segments *s)
{
    tut_free(s->items);
    *s = (tut_segments){0};
}

/* --- the document --- */
static tut_status add_segment(tut_segments *s, const tut_token *t, size_t end, tut_error *err)
{
    size_t first = s->first, count = end - first;
    if (count < 2)
        return TUT_SUCCESS;
    if (s->count == s->capacity &&
        !tut_is_ok(tut_grow(&s->items, s->count, &s->capacity, sizeof(*s->items))))
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    s->items[s->count++] = (tut_segment){(uint32_t)first, (uint32_t)count};
    s->stops += t[end - 1].symbol == TUT_SYM_STOP;
    s->asks += t[end - 1].symbol == TUT_SYM_ASKING;
    s->caps += (t[first].flags & TUT_TOKEN_CAPITAL) != 0;
    s->tokens += count;
    return TUT_SUCCESS;
}

/* A sentence that goes on in the next line. */
static bool is_wrapped(const tut_token *a, const tut_token *b, size_t words)
{
    enum { LINE_WORDS = 6 };
    bool is_inside = (a->flags & TUT_TOKEN_WORD) || a->symbol == TUT_SYM_COMMA;
    return is_inside && words >= LINE_WORDS && !(b->flags & TUT_TOKEN_BLANK) &&
           (b->flags & (TUT_TOKEN_WORD | TUT_TOKEN_CAPITAL)) == TUT_TOKEN_WORD;
}

/* Before token i a segment ends; words: of the open piece. */
static bool is_border_at(const tut_token *t, size_t i, size_t words)
{
    const tut_token *a = &t[i - 1], *b = &t[i];
    if (b->flags & TUT_TOKEN_NEWLINE)
        return !is_wrapped(a, b, words);
    bool is_end = a->symbol == TUT_SYM_STOP || a->symbol == TUT_SYM_ASKING ||
                  a->symbol == TUT_SYM_CALLING;
    if (is_end &&
        ((b->flags & TUT_TOKEN_SPACE) || b->symbol == TUT_SYM_QUOTE || b->symbol == TUT_SYM_ANGLE))
        return words > 1;
    bool is_cell = b->symbol == TUT_SYM_ANGLE || b->symbol == TUT_SYM_OPENING ||
                   b->symbol == TUT_SYM_CLOSING || b->symbol == TUT_SYM_MARK ||
                   (b->symbol == TUT_SYM_QUOTE && b->len == 1);
    return is_cell && words > 3;
}

static bool begins_mail(uint32_t hash)
{
    static const char *const heads[] = {"from", "to", "subject", "cc", "dear", "regards"};
    for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
        if (tut_word_hash(heads[i], strlen(heads[i])) == hash)
            return true;
    }
    return false;
}

static tut_document_type type_of(const tut_segments *s, size_t n)
{
    const uint32_t *counts = s->symbols;
    uint32_t quotes = counts[TUT_SYM_QUOTE], braces = counts[TUT_SYM_OPENING];
    if (s->mail >= 2)
        return TUT_DOCUMENT_MAIL;
    if (counts[TUT_SYM_MARK] * 12ul > n &&
        counts[TUT_SYM_RULER] + counts[TUT_SYM_NUMBER] > n / 20 && s->code * 30ul < n)
        return TUT_DOCUMENT_TABLE;
    if (quotes * 8ul > n && counts[TUT_SYM_COLON] * 16ul > n)
        return TUT_DOCUMENT_DATA;
    if (s->code * 20ul > n || braces * 14ul > n)
        return TUT_DOCUMENT_CODE;
    return TUT_DOCUMENT_PROSE;
}

static void count_token(tut_segments *s, const tut_token *t, size_t i)
{
    uint8_t *seen = &s->words[t[i].hash % TUT_WORD_COUNTS];
    s->symbols[t[i].symbol]++;
    *seen = (uint8_t)(*seen + (*seen < UINT8_MAX));
    if (i < 60)
        s->mail += (t[i].flags & TUT_TOKEN_NEWLINE) && begins_mail(t[i].hash);
    if (i > 0) /* f( and a.b */
        s->code += (t[i].flags & (TUT_TOKEN_SPACE | TUT_TOKEN_WORD)) == TUT_TOKEN_WORD &&
                   (t[i - 1].symbol == TUT_SYM_OPENING || t[i - 1].symbol == TUT_SYM_STOP);
}

void tut_segments_begin(tut_segments *s)
{
    s->count = s->at = s->first = s->open_words = 0;
    s->tokens = s->stops = s->asks = s->caps = s->mail = s->code = 0;
    memset(s->symbols, 0, sizeof(s->symbols));
    memset(s->words, 0, sizeof(s->words));
}

static void end_survey(tut_segments *s, size_t tokens)
{
    float n = s->count ? (float)s->count : 1;
    s->type = type_of(s, tokens);
    s->mean_tokens = (float)s->tokens / n;
    s->stopped = (float)s->stops / n;
    s->asking = (float)s->asks / n;
    s->capitals = (float)s->caps / n;
}

tut_status tut_segments_step(tut_segments *s, const tut_tokens *t, size_t max_tokens,
                             bool *ret_is_done, tut_error *err)
{
    size_t stop = t->count - s->at > max_tokens ? s->at + max_tokens : t->count;
    for (; s->at < stop; s->at++) {
        size_t i = s->at;
        bool is_border = i > s->first && is_border_at(t->items, i, s->open_words);
        bool is_cut = !is_border && i - s->first == TUT_SEGMENT_TOKENS;
        if (is_border || is_cut) {
            TUT_TRY(add_segment(s, t->items, i, err));
            s->first = is_cut ? i - TUT_SEGMENT_OVERLAP : i;
            s->open_words = is_cut ? TUT_SEGMENT_OVERLAP : 0;
        }
        s->open_words += (t->items[i].flags & TUT_TOKEN_WORD) != 0;
        count_token(s, t->items, i);
    }
    *ret_is_done = s->at == t->count;
    if (!*ret_is_done)
        return TUT_SUCCESS;
    TUT_TRY(add_segment(s, t->items, t->count, err));
    end_survey(s, t->count);
    return TUT_SUCCESS;
}

/* --- a segment --- */
static uint32_t name_of(const tut_token *t) /* the symbol where it has one, else the word */
{
    return tut_symbol_is_class(t->symbol) ? t->symbol : t->hash;
}

static void add_grams(tut_bag *b, const tut_token *t, size_t count)
{
    uint32_t before = 0, pair = 0;
    tut_bag_group words = tut_bag_open(b, WORDS);
    for (size_t i = 0; i < count; i++) {
        uint32_t one = t[i].hash, two = tut_hash_mix(before, one),
                 three = tut_hash_mix(pair, one + 1);
        tut_bag_put(&words, one);
        if (i > 0)
            tut_bag_put(&words, two);
        if (i > 1)
            tut_bag_put(&words, three);
        before = one;
        pair = two;
    }
    tut_bag_close(b, WORDS, &words);
}

static void add_mixed(tut_bag *b, const tut_token *t, size_t count)
{
    tut_bag_group g = tut_bag_open(b, MIXED);
    for (size_t i = 0; i < count; i++) {
        bool is_class = tut_symbol_is_class(t[i].symbol);
        bool was_class = i > 0 && tut_symbol_is_class(t[i - 1].symbol);
        if (i > 0 && is_class != was_class)
            tut_bag_put(&g, tut_hash_mix(name_of(&t[i - 1]) + 7, name_of(&t[i])));
        if (i > 1 && (is_class || was_class || tut_symbol_is_class(t[i - 2].symbol)))
            tut_bag_put(&g, tut_hash_mix(tut_hash_mix(name_of(&t[i - 2]) + 9, name_of(&t[i - 1])),
                                         name_of(&t[i])));
    }
    tut_bag_close(b, MIXED, &g);
}

static void add_symbol_runs(tut_bag *b, const tut_token *t, size_t count)
{
    tut_bag_group g = tut_bag_open(b, RUNS);
    uint32_t last = 0; /* a byte each, the newest lowest */
    unsigned held = 0;
    for (size_t i = 0; i < count; i++) {
        uint8_t s = t[i].symbol;
        if (!(s == TUT_SYM_OTHER && (uint8_t)last == s)) {
            last = last << 8 | s;
            held += held < 4;
            uint32_t hash = s;
            for (unsigned k = 1; k < held; k++) {
                hash = tut_hash_mix(hash, (uint8_t)(last >> 8 * k) + 64 * k);
                tut_bag_put(&g, hash);
            }
        }
        if (!tut_symbol_is_class(s))
            continue;
        for (size_t k = i > GAP ? i - GAP : 0; k < i; k++)
            if (tut_symbol_is_class(t[k].symbol))
                tut_bag_put(&g, 0x5000u + ((uint32_t)t[k].symbol << 6 | s));
    }
    tut_bag_close(b, RUNS, &g);
}

static void add_places(tut_bag *b, const tut_token *t, size_t count)
{
    tut_bag_group g = tut_bag_open(b, PLACES);
    for (size_t i = 0; i < count && i < PLACES_SEEN; i++) {
        tut_bag_put(&g, tut_hash_mix(t[i].hash, 100 + (uint32_t)i));
        tut_bag_put(&g, tut_hash_mix(t[i].symbol, 200 + (uint32_t)i));
    }
    if (count > 1) {
        tut_bag_put(&g, tut_hash_mix(t[0].hash, 300 + t[1].symbol));
        tut_bag_put(&g, tut_hash_mix(t[1].hash, 400 + t[0].symbol));
    }
    tut_bag_put(&g, tut_hash_mix(t[count - 1].hash, 500));
    tut_bag_close(b, PLACES, &g);
}

/* 0: no order; 1: begins with a verb in its base form; 2: such a verb second, behind a symbol. */
static uint32_t order_of(const tut_token *t, size_t count)
{
    for (size_t i = 0; i < 2 && i < count; i++) {
        uint8_t s = t[i].symbol;
        if (s == TUT_SYM_IMPERATIVE || s == TUT_SYM_ACTION || s == TUT_SYM_OVERRIDE ||
            s == TUT_SYM_REVEAL || s == TUT_SYM_RESPOND || s == TUT_SYM_ENCODE)
            return (uint32_t)i + 1;
    }
    return 0;
}

static uint32_t level(float share) /* 0 to 5 */
{
    return share <= 0     ? 0
           : share < 0.1f ? 1
           : share < 0.3f ? 2
           : share < 0.6f ? 3
           : share < 0.9f ? 4
                          : 5;
}

static void add_sets(tut_bag *b, const tut_token *t, size_t count, uint32_t type, uint32_t order,
                     uint32_t final)
{
    uint64_t set = 0;
    for (size_t i = 0; i < count; i++)
        if (tut_symbol_is_class(t[i].symbol))
            set |= 1ull << t[i].symbol;
    tut_bag_group g = tut_bag_open(b, SETS);
    for (uint64_t rest = set; rest; rest &= rest - 1) {
        uint32_t s = (uint32_t)__builtin_ctzll(rest);
        tut_bag_put_new(&g, 0x1000 + s);
        tut_bag_put_new(&g, 0x1200 + (s << 3 | type));
        tut_bag_put_new(&g, 0x1400 + (s << 2 | order));
        tut_bag_put_new(&g, 0x1600 + (s << 2 | (final & 3)));
        for (uint64_t others = rest & (rest - 1); others; others &= others - 1)
            tut_bag_put_new(&g, s << 6 | (uint32_t)__builtin_ctzll(others));
    }
    tut_bag_close(b, SETS, &g);
}

typedef struct around {
    uint32_t length, final, order, overlap, upper, type, alone, relative, stopped, you, shouted;
} around;

static around look_around(const tut_segments *s, const tut_tokens *tokens, const tut_segment *g)
{
    const tut_token *t = &tokens->items[g->first];
    size_t content = 0, elsewhere = 0, words = 0, shouted = 0;
    around a = {.type = s->type, .order = order_of(t, g->count)};
    for (size_t i = 0; i < g->count; i++) {
        words += (t[i].flags & TUT_TOKEN_WORD) != 0;
        shouted += (t[i].flags & TUT_TOKEN_SHOUTED) != 0;
        a.you |= t[i].symbol == TUT_SYM_YOU || t[i].symbol == TUT_SYM_YOUR;
        if (t[i].len < 4 || t[i].symbol != TUT_SYM_OTHER)
            continue;
        content++;
        elsewhere += s->words[t[i].hash % TUT_WORD_COUNTS] > 1;
    }
    uint8_t last = t[g->count - 1].symbol;
    a.final = last == TUT_SYM_STOP      ? 1
              : last == TUT_SYM_ASKING  ? 2
              : last == TUT_SYM_CALLING ? 3
              : last == TUT_SYM_COLON   ? 4
              : last == TUT_SYM_COMMA   ? 5
                                        : 0;
    a.length = words < 3 ? 0 : words < 6 ? 1 : words < 10 ? 2 : words < 16 ? 3 : words < 30 ? 4 : 5;
    a.overlap = content == 0 ? 6 : level((float)elsewhere / (float)content);
    a.upper = (t[0].flags & TUT_TOKEN_CAPITAL) != 0;
    a.shouted = level((float)shouted / (float)(words ? words : 1));
    a.relative = level((float)g->count / (s->mean_tokens * 3 + 1));
    a.stopped = a.final == 1 && s->stopped < 0.1f   ? 1
                : a.final == 1 && s->stopped < 0.3f ? 2
                : a.final == 2 && s->asking < 0.1f  ? 3
                                                    : 0;
    bool begins = t[0].flags & TUT_TOKEN_NEWLINE;
    bool ends = g->first + g->count == tokens->count ||
                (tokens->items[g->first + g->count].flags & TUT_TOKEN_NEWLINE);
    a.alone = (uint32_t)begins << 1 | ends;
    return a;
}

static void add_around(tut_bag *b, const around *a, const tut_segments *s, const tut_tokens *tokens,
                       const tut_segment *g)
{
    uint32_t values[] = {
        a->length, a->final,    a->order,   a->overlap, a->upper << 2 | level(s->capitals) / 2,
        a->alone,  a->relative, a->stopped, a->you,     a->shouted};
    enum { VALUES = sizeof(values) / sizeof(values[0]) };
    uint32_t before = g->first ? tokens->items[g->first - 1].symbol : TUT_SYM_STOP;
    size_t end = g->first + g->count;
    uint32_t behind = end < tokens->count ? tokens->items[end].symbol : 0;
    tut_bag_group to = tut_bag_open(b, AROUND);
    tut_bag_put(&to, tut_hash_mix(a->type, 31));
    for (uint32_t i = 0; i < VALUES; i++) {
        uint32_t one = tut_hash_mix(values[i] + i * 16, 32);
        tut_bag_put(&to, one);
        tut_bag_put(&to, tut_hash_mix(one, a->type + 40));
        if (i != 2) /* with the order, which says most */
            tut_bag_put(&to, tut_hash_mix(one, a->order + 50));
    }
    tut_bag_put(&to, tut_hash_mix(a->overlap * 8 + a->length, 60));
    tut_bag_put(&to, tut_hash_mix(a->overlap * 8 + a->you, 61));
    tut_bag_put(&to, tut_hash_mix((a->overlap * 8 + a->order) * 8 + a->type, 62));
    tut_bag_put(&to, tut_hash_mix(before * 8 + a->type, 63));
    tut_bag_put(&to, tut_hash_mix(behind * 8 + a->type, 64));
    tut_bag_put(&to, tut_hash_mix(before * 4 + a->order, 65));
    tut_bag_close(b, AROUND, &to);
}

enum { A_TOKEN = 12, IN_ALL = 44 * 44 / 2 + 4 * 44 + 64 };

bool tut_feature_segment(tut_bag *b, const tut_segments *s, const tut_tokens *tokens,
                         const tut_segment *g)
{
    const tut_token *t = &tokens->items[g->first];
    around a = look_around(s, tokens, g);
    if (!tut_bag_begin(b, A_TOKEN * (size_t)g->count + IN_ALL))
        return false;
    add_grams(b, t, g->count);
    add_mixed(b, t, g->count);
    add_symbol_runs(b, t, g->count);
    add_places(b, t, g->count);
    add_sets(b, t, g->count, a.type, a.order, a.final);
    add_around(b, &a, s, tokens, g);
    return true;
}

bool tut_feature_stretch(tut_bag *b, const tut_token *t, size_t count)
{
    if (!tut_bag_begin(b, A_TOKEN * count + IN_ALL))
        return false;
    add_grams(b, t, count);
    add_mixed(b, t, count);
    add_symbol_runs(b, t, count);
    add_sets(b, t, count, 0, order_of(t, count), 0);
    return true;
}
