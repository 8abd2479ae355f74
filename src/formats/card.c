/*
 * Model cards and data sheets: Markdown that describes an asset.
 *
 *   card = [ "---" newline YAML newline "---" newline ] Markdown
 *
 * A card is told by its front matter, or by its name; a README without front matter is no asset.
 */
#include <string.h>

#include "formats/card_prose.h"
#include "formats/conf.h"
#include "formats/text.h"

enum { FRONT_MATTER_MAX = 256 << 10 }; /* evaluation results of many tasks come to 100 KiB */

static const char known_keys[] =
    "license licence license_name datasets base_model library_name pipeline_tag model-index "
    "model_name dataset_info task_categories";

static bool is_fence(tut_str line)
{
    return line.len >= 3 && memcmp(line.data, "---", 3) == 0 && tut_str_trim(line).len == 3;
}

/* The lines between the fences, as far as text goes, and what follows them. False: no front
 * matter. */
static bool front_matter(tut_str text, tut_str *ret_yaml, tut_str *ret_prose)
{
    tut_str rest = text, line;
    if (!tut_text_next_line(&rest, &line, NULL) || !is_fence(line))
        return false;
    tut_str yaml = rest;
    for (tut_str before = rest; tut_text_next_line(&rest, &line, NULL); before = rest) {
        if (is_fence(line)) {
            yaml.len = (size_t)(before.data - yaml.data);
            break;
        }
    }
    *ret_prose = rest;
    *ret_yaml = yaml;
    return true;
}

static tut_match sniff(const tut_sniff *s)
{
    if (!tut_sniff_text(s) || tut_text_is_hidden(s) ||
        !tut_sniff_ext(s, ".md .markdown .mdx .txt .rst"))
        return TUT_MATCH_NONE;
    tut_str yaml, prose;
    if (front_matter(tut_text_head(s), &yaml, &prose) && tut_text_has_key(yaml, known_keys, ':'))
        return TUT_MATCH_WEAK;
    bool is_named = tut_text_has_word(s, "card modelcard datacard datasetcard systemcard "
                                         "datasheet factsheet");
    return is_named ? TUT_MATCH_WEAK : TUT_MATCH_NONE;
}

static tut_str without_mark(tut_str text)
{
    bool is_marked = text.len >= 3 && memcmp(text.data, "\xef\xbb\xbf", 3) == 0;
    return is_marked ? (tut_str){text.data + 3, text.len - 3} : text;
}

static tut_status read_front(tut_exam *x, tut_str yaml, tut_error *err)
{
    TUT_AUTO(tut_stream) stream = NULL;
    tut_source source = tut_source_memory(tut_span_of(yaml.data, yaml.len));
    TUT_TRY(tut_stream_open_source(&source, &stream));
    tut_exam inner = *x;
    inner.stream = stream;
    inner.source = &source;
    inner.size = source.size;
    TUT_AUTO(tut_conf) c = tut_conf_new(&inner, TUT_CONF_CARD, err);
    if (!c)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    tut_status status = tut_conf_read_yaml(c);
    tut_conf_finish(c);
    return status;
}

static tut_status examine(tut_exam *x, tut_error *err)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    bool is_whole = false;
    TUT_TRY(tut_text_hold(x, FRONT_MATTER_MAX, &text, &is_whole, err));
    tut_str yaml = {"", 0}, prose = without_mark(tut_buf_str(&text));
    tut_status status = TUT_SUCCESS;
    if (front_matter(prose, &yaml, &prose) && yaml.len)
        status = read_front(x, yaml, err);
    tut_card_prose(x, prose);
    return status;
}

extern const tut_format tut_format_card;
const tut_format tut_format_card = {
    .name = "model-card",
    .label = "Model card",
    .kind = TUT_KIND_DOCUMENT,
    .sniff = sniff,
    .examine = examine,
    .extensions = ".md .markdown .mdx .txt .rst",
    .reads = "front matter, results, sections of prose",
    .rules = "data",
};
