#include <math.h>

#include "detect/detect_internal.h"

static void raise_margin(tut_margin *m, float value, size_t first, size_t last)
{
    if (value <= m->value)
        return;
    m->value = value;
    m->first = first;
    m->last = last;
}

/* Of data each of the two counts by the highest there is. */
static void raise_data(tut_detector *d, tut_logit which, float logit, tut_stretch part)
{
    tut_margin *m = &d->margin;
    if (logit <= m->logits[which])
        return;
    m->logits[which] = logit;
    float own = (logit - d->model->middle[which]) / d->model->spread[which];
    m->value = tut_model_joined(d->model, TUT_FROM_DATA, m->logits);
    if (own <= m->own)
        return;
    m->own = own;
    m->first = part.first;
    m->last = part.first + part.count - 1;
}

/* --- a part of the text on its own --- */
static bool logit_of_part(tut_detector *d, tut_provenance from, tut_stretch part, float *ret_logit)
{
    tut_head head = from == TUT_FROM_USER ? TUT_HEAD_STRETCH : TUT_HEAD_SEGMENT;
    tut_bag *b = &d->bags[head];
    tut_segment g = {(uint32_t)part.first, (uint32_t)part.count};
    bool is_done = from == TUT_FROM_USER
                       ? tut_feature_stretch(b, d->tokens.items + part.first, part.count)
                       : tut_feature_segment(b, &d->segments, &d->tokens, &g);
    *ret_logit = is_done ? tut_model_logit(d->model, head, b) : TUT_LOGIT_NONE;
    return is_done;
}

/* Moves the ends of a part to where it is highest: an attack comes to be looked at without what
 * stands around it, and so alike wherever it stands. Within [low, high). */
static void climb(tut_detector *d, tut_provenance from, size_t low, size_t high, tut_stretch *part,
                  float *logit)
{
    static const size_t steps[] = {6, 3, 1};
    enum { STEPS = sizeof(steps) / sizeof(steps[0]), MOVES = 4, AGAIN = 3 };
    for (size_t k = 0; k < (size_t)STEPS * AGAIN; k++) {
        size_t step = steps[k / AGAIN];
        bool is_better = false;
        for (int move = 0; move < MOVES; move++) {
            size_t first = part->first, end = first + part->count;
            float other;
            bool is_wider = move % 2;
            if (is_wider && (move < 2 ? first < low + step : end + step > high))
                continue;
            first = move < 2 ? is_wider ? first - step : first + step : first;
            end = move < 2 ? end : is_wider ? end + step : end - step;
            if (end < first + TUT_STRETCH_LEAST || end - first > TUT_STRETCH_MOST)
                continue;
            tut_stretch p = {first, end - first};
            if (!logit_of_part(d, from, p, &other) || other <= *logit)
                continue;
            *part = p;
            *logit = other;
            is_better = true;
        }
        if (!is_better)
            k += AGAIN - 1 - k % AGAIN; /* in smaller steps */
    }
}

/* Above it a part is worth a closer look; of sentences of documents more are. */
static const float worth_a_look[TUT_PROVENANCES] = {-1.5f, 1};

/* What stands about there, in three widths; the ends of the best one then move. */
static void look_at_place(tut_detector *d, tut_provenance from, size_t low, size_t high,
                          tut_stretch about, tut_stretch *best, float *best_logit)
{
    static const size_t around[] = {0, 4, 10};
    float logit;
    for (size_t k = 0; k < sizeof(around) / sizeof(around[0]); k++) {
        size_t first = about.first > low + around[k] ? about.first - around[k] : low;
        size_t end = about.first + about.count + around[k];
        end = end < high ? end : high;
        tut_stretch p = {first, end - first};
        if (!logit_of_part(d, from, p, &logit) || logit <= *best_logit)
            continue;
        *best_logit = logit;
        *best = p;
    }
    if (*best_logit > worth_a_look[from])
        climb(d, from, low, high, best, best_logit);
}

/* --- user text --- */
size_t tut_margin_stretches(tut_detector *d, size_t from, size_t count,
                            tut_stretch found[TUT_STRETCH_MANY], float logits[TUT_STRETCH_MANY])
{
    tut_stretch about[TUT_STRETCH_MANY];
    size_t n = tut_stretch_find(d->spans, d->tokens.items + from, count, about);
    for (size_t i = 0; i < n; i++) {
        about[i].first += from;
        logits[i] = TUT_LOGIT_NONE;
        found[i] = about[i];
        look_at_place(d, TUT_FROM_USER, 0, d->tokens.count, about[i], &found[i], &logits[i]);
    }
    return n;
}

/* What each of them says is on its own scale: much of one, or something of several. */
static void look_at_window(tut_detector *d, size_t from, size_t count)
{
    float logits[TUT_LOGITS] = {0}, near[TUT_STRETCH_MANY];
    tut_stretch found[TUT_STRETCH_MANY];
    const tut_token *t = d->tokens.items + from;
    tut_bag *words = &d->bags[TUT_HEAD_WORDS], *symbols = &d->bags[TUT_HEAD_SYMBOLS];
    size_t best = 0;
    if (!tut_feature_words(words, t, count, d->spans) || !tut_feature_symbols(symbols, t, count))
        return;
    logits[TUT_LOGIT_WORDS] = tut_model_logit(d->model, TUT_HEAD_WORDS, words);
    logits[TUT_LOGIT_SYMBOLS] = tut_model_logit(d->model, TUT_HEAD_SYMBOLS, symbols);
    logits[TUT_LOGIT_MIXED] = tut_model_mixed(d->model, symbols);
    size_t n = tut_margin_stretches(d, from, count, found, near);
    if (n == 0)
        return;
    for (size_t i = 1; i < n; i++)
        best = near[i] > near[best] ? i : best;
    logits[TUT_LOGIT_STRETCH] = near[best];
    float value = tut_model_joined(d->model, TUT_FROM_USER, logits);
    if (value > d->margin.value)
        memcpy(d->margin.logits, logits, sizeof(logits));
    raise_margin(&d->margin, value, found[best].first, found[best].first + found[best].count - 1);
}

/* --- data --- */
/* One in so many segments: whoever fills a text with what is worth a look does not make it dear. */
static size_t parts_most(const tut_detector *d)
{
    enum { AT_ONCE = 64, ONE_IN = 4 };
    return AT_ONCE + d->segments.count / ONE_IN;
}

/* An order in the midst of what has no end, or of what reads like an attack, is looked at on its
 * own too: of most sentences a part is what they do not say. */
bool tut_margin_part(tut_detector *d, const tut_segment *g, float logit, tut_segment *ret_part,
                     float *ret_logit)
{
    enum { RUN_ON = 24 };
    tut_stretch about, part = {g->first, g->count};
    bool is_guess = tut_stretch_guess(d->tokens.items + g->first, g->count, &about);
    bool is_run_on = g->count > RUN_ON && logit > worth_a_look[TUT_FROM_DATA];
    if ((!is_run_on && !is_guess) || g->count <= TUT_STRETCH_LEAST || d->parts > parts_most(d))
        return false;
    d->parts++;
    if (!is_guess)
        about = (tut_stretch){0, g->count < TUT_STRETCH_SEEN ? g->count : TUT_STRETCH_SEEN};
    about.first += g->first;
    logit = TUT_LOGIT_NONE; /* whatever it says as a whole */
    look_at_place(d, TUT_FROM_DATA, g->first, g->first + g->count, about, &part, &logit);
    *ret_part = (tut_segment){(uint32_t)part.first, (uint32_t)part.count};
    *ret_logit = logit;
    return part.count < g->count;
}

/* An order to forget what was said is one to whoever reads it, whatever else the text asks for. */
static void look_within(tut_detector *d, const tut_segment *g)
{
    enum { AROUND = 16 }; /* such an order is often two sentences */
    tut_stretch about, part;
    float logit = TUT_LOGIT_NONE;
    if (d->parts > parts_most(d) ||
        !tut_stretch_guess(d->tokens.items + g->first, g->count, &about))
        return;
    about.first += g->first;
    size_t low = g->first > AROUND ? g->first - AROUND : 0, high = g->first + g->count + AROUND;
    high = high < d->tokens.count ? high : d->tokens.count;
    look_at_place(d, TUT_FROM_USER, low, high, about, &part, &logit);
    if (logit > TUT_LOGIT_NONE && part.count >= TUT_STRETCH_LEAST)
        raise_data(d, TUT_LOGIT_WITHIN, logit, part);
}

static bool look_at_segment(tut_detector *d, const tut_segment *g)
{
    tut_segment part;
    tut_stretch whole = {g->first, g->count};
    float logit;
    if (!logit_of_part(d, TUT_FROM_DATA, whole, &logit))
        return false;
    raise_data(d, TUT_LOGIT_SEGMENT, logit, whole);
    if (tut_margin_part(d, g, logit, &part, &logit))
        raise_data(d, TUT_LOGIT_SEGMENT, logit, (tut_stretch){part.first, part.count});
    look_within(d, g);
    return true;
}

/* --- step by step --- */
void tut_margin_begin(tut_detector *d)
{
    d->margin = (tut_margin){.value = TUT_LOGIT_NONE, .own = TUT_LOGIT_NONE};
    for (int k = 0; k < TUT_LOGITS; k++)
        d->margin.logits[k] = TUT_LOGIT_NONE;
    d->at = d->parts = 0;
    tut_segments_begin(&d->segments);
}

static size_t tokens_in(size_t bytes) /* about */
{
    return bytes / 4 + 1;
}

bool tut_margin_step_user(tut_detector *d, size_t max_bytes)
{
    size_t count = d->tokens.count, done = 0;
    d->margin.length = count;
    while (d->at < count && done < tokens_in(max_bytes)) {
        size_t left = count - d->at;
        look_at_window(d, d->at, left < TUT_WINDOW_TOKENS ? left : TUT_WINDOW_TOKENS);
        d->at = left <= TUT_WINDOW_TOKENS ? count : d->at + TUT_WINDOW_HOP;
        done += TUT_WINDOW_TOKENS;
    }
    return d->at == count;
}

bool tut_margin_step_data(tut_detector *d, size_t max_bytes)
{
    size_t done = 0;
    d->margin.length = d->segments.count;
    for (; d->at < d->segments.count && done < tokens_in(max_bytes); d->at++) {
        const size_t dearer = 24; /* a segment that parts of are looked at */
        const tut_segment *g = &d->segments.items[d->at];
        size_t parts = d->parts;
        if (!look_at_segment(d, g))
            break;
        done += g->count * (d->parts > parts ? dearer : 1);
    }
    return d->at == d->segments.count;
}

/* --- at once, for fitting --- */
tut_status tut_detect_tokens(tut_detector *d, tut_str text, tut_error *err)
{
    bool is_done;
    TUT_TRY(tut_plain_make(&d->plain, text, err));
    tut_tokens_begin(&d->tokens, &d->model->lexicon, tut_buf_str(&d->plain.text));
    return tut_tokens_step(&d->tokens, SIZE_MAX, &is_done, err);
}

tut_status tut_detect_segments(tut_detector *d, tut_error *err)
{
    bool is_done;
    tut_segments_begin(&d->segments);
    return tut_segments_step(&d->segments, &d->tokens, SIZE_MAX, &is_done, err);
}

tut_status tut_detect_margin(tut_detector *d, tut_provenance from, tut_margin *ret_margin,
                             tut_error *err)
{
    bool is_done;
    tut_margin_begin(d);
    if (from == TUT_FROM_USER) {
        (void)tut_margin_step_user(d, SIZE_MAX);
    } else {
        TUT_TRY(tut_segments_step(&d->segments, &d->tokens, SIZE_MAX, &is_done, err));
        (void)tut_margin_step_data(d, SIZE_MAX);
    }
    *ret_margin = d->margin;
    return TUT_SUCCESS;
}
