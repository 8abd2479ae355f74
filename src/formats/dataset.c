/*
 * Data sets as text: JSON lines, arrays of JSON records, and plain text in a data folder.
 *
 *   jsonl   = object newline { object newline }
 *   records = "[" object { "," object } "]"
 */
#include "formats/dataset.h"

#include <string.h>

#include "formats/json_pull.h"
#include "formats/text.h"

#define LINES ".jsonl .ndjson .jsonlines"

static tut_str after_space(tut_str s)
{
    while (s.len > 0 &&
           (s.data[0] == ' ' || s.data[0] == '\n' || s.data[0] == '\r' || s.data[0] == '\t'))
        s = (tut_str){s.data + 1, s.len - 1};
    return s;
}

static bool starts_object(tut_str s)
{
    s = after_space(s);
    if (s.len < 2 || s.data[0] != '{')
        return false;
    s = after_space((tut_str){s.data + 1, s.len - 1});
    return s.len > 0 && (s.data[0] == '"' || s.data[0] == '}');
}

bool tut_dataset_is_tools(tut_str head)
{
    static const char *const keys[] = {"\"input_schema\"", "\"inputSchema\"", "\"parameters\""};
    size_t at = 0;
    if (!tut_str_find(head, TUT_LIT("\"name\""), &at))
        return false;
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        if (tut_str_find(head, tut_str_of(keys[i]), &at))
            return true;
    return false;
}

bool tut_dataset_is_records(const tut_sniff *s)
{
    tut_str head = after_space(tut_text_head(s));
    if (!tut_sniff_text(s) || head.len < 2 || head.data[0] != '[')
        return false;
    return starts_object((tut_str){head.data + 1, head.len - 1}) && !tut_dataset_is_tools(head);
}

static tut_match sniff_records(const tut_sniff *s)
{
    bool is_named = tut_sniff_ext(s, ".json .txt") || tut_text_has_no_ending(s);
    bool is_modules = tut_text_named(s,
                                     "modules.json"); /* says what a sentence encoder is made of */
    return is_named && !is_modules && tut_dataset_is_records(s) ? TUT_MATCH_WEAK : TUT_MATCH_NONE;
}

/* Every line that is there as a whole is an object. *ret_whole: how many. */
static bool is_object_lines(const tut_sniff *s, size_t *ret_whole)
{
    tut_str rest = tut_text_head(s), line;
    bool is_ended = false;
    *ret_whole = 0;
    while (tut_text_next_line(&rest, &line, &is_ended)) {
        line = tut_str_trim(line);
        if (line.len == 0)
            continue;
        bool is_whole = is_ended || s->size == s->head.len;
        if (line.data[0] != '{' || (is_whole && !starts_object(line)) ||
            (is_whole && line.data[line.len - 1] != '}'))
            return false;
        *ret_whole += is_whole;
    }
    return true;
}

static tut_match sniff_jsonl(const tut_sniff *s)
{
    size_t whole = 0;
    if (!tut_sniff_text(s) || tut_text_is_hidden(s) || !is_object_lines(s, &whole))
        return TUT_MATCH_NONE;
    if (tut_sniff_ext(s, LINES)) /* one line may be longer than what is seen of it */
        return whole > 0 || starts_object(tut_text_head(s)) ? TUT_MATCH_WEAK : TUT_MATCH_NONE;
    bool is_named = tut_sniff_ext(s, ".json .txt") || tut_text_has_no_ending(s);
    return is_named && whole > 1 ? TUT_MATCH_WEAK : TUT_MATCH_NONE;
}

static bool count_line(void *ctx, tut_str line, bool is_cut)
{
    uint64_t *rows = ctx;
    (void)is_cut;
    *rows += starts_object(line);
    return true;
}

static tut_status examine_jsonl(tut_exam *x, tut_error *err)
{
    uint64_t rows = 0;
    if (!x->content)
        return TUT_SUCCESS;
    TUT_TRY(tut_text_each_line(x, count_line, &rows, err));
    tut_text_count(x, "rows", rows);
    return TUT_SUCCESS;
}

/* Objects right in the array, and the keys of the first one. */
static tut_status count_records(tut_exam *x, tut_json_pull *p, uint64_t *rows, uint64_t *columns,
                                tut_error *err)
{
    for (tut_json_token token = TUT_TOKEN_NULL; token != TUT_TOKEN_END;) {
        TUT_TRY(tut_budget_steps(x->budget, 1, err));
        TUT_TRY(tut_json_pull_next(p, &token, err));
        *rows += token == TUT_TOKEN_OBJECT && p->depth == 2;
        *columns += token == TUT_TOKEN_KEY && p->depth == 2 && *rows == 1;
    }
    return TUT_SUCCESS;
}

static tut_status examine_records(tut_exam *x, tut_error *err)
{
    uint64_t rows = 0, columns = 0;
    tut_json_pull pull;
    tut_error why = {0};
    if (!x->content)
        return TUT_SUCCESS;
    tut_json_pull_init(&pull, x->stream, UINT64_MAX, TUT_JSON_PULL_DEPTH);
    pull.text_cap = 0;
    tut_status status = count_records(x, &pull, &rows, &columns, &why);
    tut_json_pull_done(&pull);
    if (status.code == TUT_MALFORMED || status.code == TUT_TRUNCATED) {
        tut_text_fact(x, "data.broken", tut_str_of(why.text[0] ? why.text : "it ends too early"));
        return TUT_SUCCESS;
    }
    if (!tut_is_ok(status))
        return tut_fail(err, status.code, "%s", why.text);
    tut_text_count(x, "rows", rows);
    tut_text_count(x, "columns", columns);
    return TUT_SUCCESS;
}

/* Text in a folder of data: a corpus. */
static tut_match sniff_corpus(const tut_sniff *s)
{
    bool is_placed = tut_text_in_folder(s, "data dataset datasets corpus corpora");
    bool is_about = tut_text_has_word(s, "readme license licence notice changelog copying authors");
    bool is_named = tut_sniff_ext(s, ".txt .text .md .rst .xml");
    return is_placed && is_named && !is_about && tut_text_any(s) && !tut_text_is_hidden(s)
               ? TUT_MATCH_WEAK
               : TUT_MATCH_NONE;
}

static bool count_any(void *ctx, tut_str line, bool is_cut)
{
    uint64_t *lines = ctx;
    (void)line;
    (void)is_cut;
    ++*lines;
    return true;
}

static tut_status examine_corpus(tut_exam *x, tut_error *err)
{
    uint64_t lines = 0;
    if (!x->content)
        return TUT_SUCCESS;
    TUT_TRY(tut_text_each_line(x, count_any, &lines, err));
    tut_text_count(x, "lines", lines);
    return TUT_SUCCESS;
}

extern const tut_format tut_format_jsonl, tut_format_json_records, tut_format_corpus;

const tut_format tut_format_jsonl = {.name = "jsonl",
                                     .label = "JSON lines",
                                     .kind = TUT_KIND_DATASET,
                                     .sniff = sniff_jsonl,
                                     .examine = examine_jsonl,
                                     .extensions = LINES " .json .txt",
                                     .reads = "rows"};
const tut_format tut_format_json_records = {.name = "json-records",
                                            .label = "JSON records",
                                            .kind = TUT_KIND_DATASET,
                                            .sniff = sniff_records,
                                            .examine = examine_records,
                                            .extensions = ".json .txt",
                                            .reads = "rows, columns"};
const tut_format tut_format_corpus = {.name = "corpus",
                                      .label = "Text",
                                      .kind = TUT_KIND_DATASET,
                                      .sniff = sniff_corpus,
                                      .examine = examine_corpus,
                                      .extensions = ".txt .text .md .rst .xml",
                                      .reads = "lines"};
