/* Carries out the rows of evasion_text_ways.def. */
#include <strings.h>

#include "probe/evasion_text.h"
#include "probe/injection_internal.h"

static const struct {
    const char *name;
    tut_text_reach reach;
} ways[TUT_TEXT_WAYS] = {
#define TEXT_WAY(symbol, name, reach, source) [TUT_TEXT_##symbol] = {name, TUT_REACH_##reach},
#include "probe/evasion_text_ways.def"
#undef TEXT_WAY
};

static const struct {
    const char *word, *other;
} same[] = {
#define SAME(word, other) {word, other},
#include "probe/evasion_text_words.def"
#undef SAME
};

/* Rows of a keyboard: neighbours stand side by side. */
static const char *const keys[] = {"qwertyuiop", "asdfghjkl", "zxcvbnm"};

const char *tut_text_way_name(tut_text_way way)
{
    return ways[way].name;
}

tut_text_reach tut_text_way_reach(tut_text_way way)
{
    return ways[way].reach;
}

tut_text_plan tut_text_plan_none(void)
{
    tut_text_plan p;
    memset(p.of_word, TUT_TEXT_WAYS, sizeof(p.of_word));
    p.of_whole = TUT_TEXT_WAYS;
    return p;
}

/* --- words --- */

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

static char upper(char c)
{
    return c >= 'a' && c <= 'z' ? (char)(c - 32) : c;
}

void tut_text_split(tut_str text, tut_text_words *ret)
{
    *ret = (tut_text_words){.text = text};
    for (size_t at = 0; at < text.len && ret->count < TUT_TEXT_WORDS;) {
        size_t end = at;
        while (end < text.len && !is_blank(text.data[end]))
            end++;
        if (end > at)
            ret->words[ret->count++] = (tut_str){text.data + at, end - at};
        at = end + 1;
    }
}

/* Letters of the word, without the signs around it. */
static tut_str core_of(tut_str word)
{
    while (word.len && !is_letter(word.data[0]) && (uint8_t)word.data[0] < 0x80)
        word.data++, word.len--;
    while (word.len && !is_letter(word.data[word.len - 1]) &&
           (uint8_t)word.data[word.len - 1] < 0x80)
        word.len--;
    return word;
}

static bool is_kept(tut_str word)
{
    static const char signs[] = "0123456789_@/\\";
    for (size_t i = 0; i < word.len; i++)
        if (memchr(signs, word.data[i], sizeof(signs) - 1))
            return true;
    return false;
}

/* NULL: it has no other. */
static const char *other_of(tut_str core)
{
    for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
        if (tut_str_ieq(core, tut_str_of(same[i].word)))
            return same[i].other;
        if (tut_str_ieq(core, tut_str_of(same[i].other)))
            return same[i].word;
    }
    return NULL;
}

/* Where two letters of ASCII stand side by side, behind the first: one behind is turned by a
 * reader's eye, the first is not. 0: nowhere. */
static size_t choose_pair(tut_str core, tut_seeded *r)
{
    size_t fits = 0, chosen = 0;
    for (size_t i = core.len > 3 ? 1 : 0; i + 1 < core.len; i++)
        if (is_letter(core.data[i]) && is_letter(core.data[i + 1]) &&
            tut_seeded_below(r, ++fits) == 0)
            chosen = i + 1;
    return chosen;
}

/* Words that turn a sentence round are not moved. */
static bool is_movable(tut_str word)
{
    static const char *const fixed[] = {"not", "no", "never", "nicht", "kein", "ne", "pas", "non"};
    tut_str core = core_of(word);
    for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
        if (tut_str_ieq(core, tut_str_of(fixed[i])))
            return false;
    return core.len == word.len && core.len > 0 && !is_kept(word) &&
           !tut_str_ends(core, TUT_LIT("n't"));
}

bool tut_text_can(const tut_text_words *w, size_t word, tut_text_way way)
{
    tut_str core = core_of(w->words[word]);
    tut_seeded any = tut_seeded_of(1);
    if (ways[way].reach == TUT_REACH_WHOLE || core.len == 0 || is_kept(w->words[word]))
        return false;
    if (way == TUT_TEXT_SYNONYM)
        return other_of(core) != NULL;
    if (way == TUT_TEXT_ORDER)
        return word + 1 < w->count && is_movable(w->words[word]) && is_movable(w->words[word + 1]);
    return core.len >= 3 && choose_pair(core, &any) > 0;
}

/* --- one word --- */

static char neighbour_of(char c, tut_seeded *r)
{
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        const char *at = strchr(keys[i], lower(c));
        if (!at || !*at)
            continue;
        bool is_left = at[1] == 0 || (at > keys[i] && tut_seeded_below(r, 2) == 0);
        char other = is_left ? at[-1] : at[1];
        return c == lower(c) ? other : upper(other);
    }
    return c;
}

static void write_other(tut_str core, tut_buf *out)
{
    const char *other = other_of(core);
    bool is_capital = core.data[0] != lower(core.data[0]);
    tut_buf_add_byte(out, (uint8_t)(is_capital ? upper(other[0]) : other[0]));
    tut_buf_add_z(out, other + 1);
}

static void write_core(tut_str core, tut_text_way way, tut_seeded *r, tut_buf *out)
{
    size_t at = choose_pair(core, r);
    const char *c = core.data + at;
    if (way == TUT_TEXT_SYNONYM) {
        write_other(core, out);
        return;
    }
    if (way == TUT_TEXT_TWINS || way == TUT_TEXT_UNSEEN) {
        tut_injection_encode(way == TUT_TEXT_TWINS ? TUT_WAY_HOMOGLYPH : TUT_WAY_ZERO_WIDTH, core,
                             out);
        return;
    }
    if (way == TUT_TEXT_SWAP) {
        tut_buf_add(out, core.data, at - 1);
        tut_buf_add_byte(out, (uint8_t)c[0]);
        tut_buf_add_byte(out, (uint8_t)c[-1]);
        tut_buf_add(out, c + 1, core.len - at - 1);
        return;
    }
    tut_buf_add(out, core.data, at);
    if (way == TUT_TEXT_TWICE)
        tut_buf_add_byte(out, (uint8_t)c[-1]);
    if (way == TUT_TEXT_SPACE)
        tut_buf_add_byte(out, ' ');
    if (way == TUT_TEXT_KEY)
        tut_buf_add_byte(out, (uint8_t)neighbour_of(c[0], r));
    size_t left_out = way == TUT_TEXT_KEY || way == TUT_TEXT_DROP;
    tut_buf_add(out, c + left_out, core.len - at - left_out);
}

static void write_word(const tut_text_words *w, size_t i, tut_text_way way, uint64_t seed,
                       tut_buf *out)
{
    tut_str word = w->words[i], core = core_of(word);
    tut_seeded r = tut_seeded_of(seed ^ tut_random_mix(i * TUT_TEXT_WAYS + way + 1));
    size_t lead = (size_t)(core.data - word.data);
    tut_buf_add(out, word.data, lead);
    write_core(core, way, &r, out);
    tut_buf_add(out, core.data + core.len, word.len - lead - core.len);
}

/* --- the whole --- */

static bool is_sign(char c)
{
    return memchr(".,;:!?\"()", c, 10) != NULL;
}

/* Of the words; a sign within an address or a number stays. */
static void write_plain(tut_str text, tut_text_way way, tut_buf *out)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        bool is_end = i + 1 == text.len || is_blank(text.data[i + 1]);
        if (way == TUT_TEXT_SIGNS && is_sign(c) && is_end)
            continue;
        if (way == TUT_TEXT_UPPER || way == TUT_TEXT_LOWER)
            c = way == TUT_TEXT_UPPER ? upper(c) : lower(c);
        tut_buf_add_byte(out, (uint8_t)c);
        if (way == TUT_TEXT_BLANKS && c == ' ')
            tut_buf_add_z(out, "  ");
    }
}

static void write_whole(tut_str text, tut_text_way way, tut_buf *out)
{
    if (way == TUT_TEXT_POLITE)
        tut_buf_add_z(out, "Hello! ");
    write_plain(text, way, out);
    if (way == TUT_TEXT_POLITE)
        tut_buf_add_z(out, " Thank you.");
    if (way == TUT_TEXT_BLANKS)
        tut_buf_add_z(out, "  \n");
}

static void write_words(const tut_text_words *w, const tut_text_plan *plan, uint64_t seed,
                        tut_buf *out)
{
    const char *at = w->text.data, *end = at + w->text.len;
    for (size_t i = 0; i < w->count; i++) {
        tut_text_way way = plan->of_word[i];
        tut_str word = w->words[i];
        tut_buf_add(out, at, (size_t)(word.data - at));
        at = word.data + word.len;
        if (way == TUT_TEXT_WAYS) {
            tut_buf_add_str(out, word);
        } else if (way == TUT_TEXT_ORDER) {
            tut_str next = w->words[++i];
            tut_buf_add_str(out, next);
            tut_buf_add(out, at, (size_t)(next.data - at));
            tut_buf_add_str(out, word);
            at = next.data + next.len;
        } else {
            write_word(w, i, way, seed, out);
        }
    }
    tut_buf_add(out, at, (size_t)(end - at));
}

void tut_text_write(const tut_text_words *w, const tut_text_plan *plan, uint64_t seed, tut_buf *out)
{
    TUT_CLEAN(tut_buf) words = TUT_BUF_INIT;
    if (plan->of_whole == TUT_TEXT_WAYS) {
        write_words(w, plan, seed, out);
        return;
    }
    write_words(w, plan, seed, &words);
    write_whole(tut_buf_str(&words), plan->of_whole, out);
    out->failed = out->failed || words.failed;
}

void tut_text_without(const tut_text_words *w, size_t word, tut_buf *out)
{
    const char *gone = w->words[word].data, *next = gone + w->words[word].len;
    const char *end = w->text.data + w->text.len;
    tut_buf_add(out, w->text.data, (size_t)(gone - w->text.data));
    tut_buf_add(out, next, (size_t)(end - next));
}
