/*
 * The prose of a model card: what stands under the headings by which cards are read.
 *
 *   summary     the first paragraph
 *   use         "Intended use", "Uses", "Use cases"
 *   limitation  "Limitations", "Limits", "Risks", "Failure modes", "Bias"
 *   training    "Training data", "Training procedure"
 *
 * A section ends with the next heading. What the template of a card left to be filled in is nothing
 * said.
 */
#include "formats/card_prose.h"

#include <string.h>

#include "formats/text.h"

static const struct section {
    const char *fact;
    const char *const words[5]; /* parts of a heading, lower case */
} sections[] = {
    {"card.use", {"intended use", "use case", "direct use", "uses"}},
    {"card.limitation", {"limit", "risk", "failure mode", "bias", "out-of-scope"}},
    {"card.training", {"training data", "training procedure", "training detail"}},
};

enum { SECTIONS = sizeof(sections) / sizeof(sections[0]), HEADING_MAX = 120 };

/* The text behind the hashes; false: no heading. */
static bool heading(tut_str line, tut_str *ret_text)
{
    size_t n = 0;
    while (n < line.len && line.data[n] == '#')
        n++;
    if (n == 0 || n > 6 || n >= line.len || line.data[n] != ' ')
        return false;
    *ret_text = tut_str_trim((tut_str){line.data + n, line.len - n});
    return true;
}

static const struct section *section_of(tut_str title)
{
    char folded[HEADING_MAX];
    tut_str_copy(folded, sizeof(folded), title);
    for (char *p = folded; *p; p++)
        if (*p >= 'A' && *p <= 'Z')
            *p = (char)(*p - 'A' + 'a');
    for (size_t i = 0; i < SECTIONS; i++)
        for (size_t k = 0; k < 5 && sections[i].words[k]; k++)
            if (strstr(folded, sections[i].words[k]))
                return &sections[i];
    return NULL;
}

static void give(tut_exam *x, const char *fact, tut_buf *text)
{
    size_t at;
    tut_str said = tut_str_trim(tut_buf_str(text));
    bool is_blank = said.len == 0 || tut_str_find(said, TUT_LIT("More Information Needed"), &at);
    if (fact && !is_blank)
        tut_text_fact(x, fact, said);
    tut_buf_clear(text);
}

/* Lines that are no prose: code, tables, comments, pictures and badges. */
static bool is_prose(tut_str line, bool *in_code, bool *in_comment)
{
    tut_str text = tut_str_trim(line);
    size_t at;
    if (tut_str_starts(text, TUT_LIT("```"))) {
        *in_code = !*in_code;
        return false;
    }
    if (!*in_code && tut_str_starts(text, TUT_LIT("<!--")))
        *in_comment = true;
    bool is_comment = *in_comment;
    if (*in_comment && tut_str_find(text, TUT_LIT("-->"), &at))
        *in_comment = false;
    return !*in_code && !is_comment && !tut_str_starts(text, TUT_LIT("|")) &&
           !tut_str_starts(text, TUT_LIT("![")) && !tut_str_starts(text, TUT_LIT("[![")) &&
           !tut_str_starts(text, TUT_LIT("<"));
}

void tut_card_prose(tut_exam *x, tut_str text)
{
    TUT_CLEAN(tut_buf) held = TUT_BUF_INIT;
    const char *fact = "card.summary";
    bool in_code = false, in_comment = false, has_summary = false;
    for (tut_str rest = text, line; tut_text_next_line(&rest, &line, NULL);) {
        tut_str title;
        if (!is_prose(line, &in_code, &in_comment))
            continue;
        if (heading(line, &title)) {
            const struct section *s = section_of(title);
            has_summary |= held.len > 0;
            give(x, fact, &held);
            fact = s ? s->fact : has_summary ? NULL : "card.summary";
            continue;
        }
        bool is_gap = tut_str_trim(line).len == 0;
        bool is_summary = fact && strcmp(fact, "card.summary") == 0;
        if (is_gap && is_summary && held.len) { /* the first paragraph is enough */
            give(x, fact, &held);
            has_summary = true;
            fact = NULL;
        }
        if (!fact || is_gap || held.len >= TUT_LIMIT_FACT_BYTES)
            continue;
        tut_str said = tut_str_trim(line);
        if (held.len)
            tut_buf_add_byte(&held, ' ');
        tut_buf_add(&held, said.data,
                    said.len < TUT_LIMIT_FACT_BYTES ? said.len : TUT_LIMIT_FACT_BYTES);
    }
    give(x, fact, &held);
}
