/* Prompts: text that is handed to a model. Nothing but its name or folder tells it from a document,
 * so those decide, and only among text. */
#include <string.h>

#include "formats/template.h"
#include "formats/text.h"

#define TEMPLATES ".prompt .prompty .j2 .jinja .jinja2 .mustache .hbs .tmpl .tpl"
#define TEXTS ".md .markdown .txt .text .rst .xml"

/* Files about files, wherever they stand. */
static const char about[] = "README.md README.txt README.rst README CHANGELOG.md CONTRIBUTING.md "
                            "LICENSE.md LICENSE.txt SECURITY.md CODE_OF_CONDUCT.md INDEX.md";

/* "system.md", "system_prompt.txt", "system-message.en.md" */
static bool is_named_prompt(const tut_sniff *s)
{
    if (tut_text_named(s, "system.md system.txt system.jinja system.j2"))
        return true;
    if (tut_text_has_word(s, "prompt prompts systemprompt"))
        return true;
    return tut_text_has_word(s, "system") &&
           tut_text_has_word(s, "message instruction instructions persona");
}

#define JINJA ".j2 .jinja .jinja2 .template"

/* A template that goes over the messages of a conversation, whatever it is called. */
static bool is_chat_template(const tut_sniff *s)
{
    size_t at;
    tut_str head = tut_text_head(s);
    return tut_sniff_ext(s, JINJA) && tut_str_find(head, TUT_LIT("{%"), &at) &&
           (tut_str_find(head, TUT_LIT("messages"), &at) ||
            tut_str_find(head, TUT_LIT("message.content"), &at));
}

static tut_match sniff(const tut_sniff *s)
{
    if (!tut_sniff_text(s) || tut_text_is_hidden(s) || tut_text_named(s, about))
        return TUT_MATCH_NONE;
    if (tut_sniff_ext(s, ".prompt .prompty"))
        return TUT_MATCH_WEAK;
    if (is_chat_template(s))
        return TUT_MATCH_WEAK;
    bool is_template = tut_sniff_ext(s, TEMPLATES);
    if (!is_template && !tut_sniff_ext(s, TEXTS) && !tut_text_has_no_ending(s))
        return TUT_MATCH_NONE;
    if (tut_text_in_folder(s, "prompts prompt prompt_templates prompt-templates system_prompts"))
        return TUT_MATCH_WEAK;
    if (is_template && tut_text_has_word(s, "chat_template chat"))
        return TUT_MATCH_WEAK;
    return is_named_prompt(s) && !tut_text_has_no_ending(s) ? TUT_MATCH_WEAK : TUT_MATCH_NONE;
}

static bool count_line(void *ctx, tut_str line, bool is_cut)
{
    uint64_t *lines = ctx;
    (void)line;
    (void)is_cut;
    (*lines)++;
    return true;
}

/* By its ending, or by the tags in a template of an ending that other languages have too. */
static bool is_jinja(const tut_exam *x)
{
    tut_sniff s = {.name = x->name};
    tut_span head = {0};
    size_t at;
    if (tut_sniff_ext(&s, JINJA))
        return true;
    return tut_sniff_ext(&s, TEMPLATES) &&
           tut_is_ok(tut_stream_peek_some(x->stream, TUT_LIMIT_PEEK_BYTES, &head)) &&
           tut_str_find(tut_str_from(head), TUT_LIT("{%"), &at);
}

static tut_status examine(tut_exam *x, tut_error *err)
{
    uint64_t lines = 0;
    if (is_jinja(x)) {
        tut_text_fact(x, "prompt.template", TUT_LIT("jinja"));
        TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
        bool is_whole = false;
        TUT_TRY(tut_text_hold(x, TUT_LIMIT_TEMPLATE_BYTES, &text, &is_whole, err));
        TUT_TRY(tut_template_check(x, tut_buf_str(&text), 0, err));
        tut_str rest = tut_buf_str(&text);
        for (tut_str line; tut_text_next_line(&rest, &line, NULL);)
            lines++;
    }
    TUT_TRY(tut_text_each_line(x, count_line, &lines, err));
    tut_text_count(x, "lines", lines);
    return TUT_SUCCESS;
}

extern const tut_format tut_format_prompt;
const tut_format tut_format_prompt = {
    .name = "prompt",
    .label = "Prompt",
    .kind = TUT_KIND_PROMPT,
    .sniff = sniff,
    .examine = examine,
    .extensions = TEMPLATES " .template " TEXTS,
    .reads = "templates: expressions that climb out, hidden instructions",
    .rules = "data",
};
