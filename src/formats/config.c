/* Configurations: JSON, YAML, TOML, INI; the index of a model in shards; our own tutela.yaml. */
#include "formats/conf.h"

#include <string.h>

#include "formats/dataset.h"
#include "formats/text.h"

/* --- recognising --- */
static tut_match sniff_tutela(const tut_sniff *s)
{
    bool fits = tut_text_named(s, "tutela.yaml") && tut_sniff_text(s) &&
                tut_text_has_key(tut_text_head(s), "schema", ':');
    return fits ? TUT_MATCH_WEAK : TUT_MATCH_NONE;
}

static bool starts_json(const tut_sniff *s)
{
    tut_str head = tut_str_trim(tut_text_head(s));
    if (head.len == 0 || (head.data[0] != '{' && head.data[0] != '['))
        return false;
    char close = head.data[0] == '{' ? '}' : ']';
    tut_str rest = tut_str_trim((tut_str){head.data + 1, head.len - 1});
    if (rest.len == 0 || rest.data[0] == close)
        return true;
    return close == ']' || rest.data[0] == '"' || rest.data[0] == '/';
}

static tut_match sniff_json(const tut_sniff *s)
{
    bool is_named = tut_sniff_ext(s, ".json .json5 .jsonc .webmanifest");
    if (!tut_sniff_text(s) || tut_text_is_hidden(s) || !starts_json(s))
        return TUT_MATCH_NONE;
    if (is_named)
        return TUT_MATCH_WEAK;
    tut_str head = tut_str_trim(tut_text_head(s));
    bool is_object = head.data[0] == '{' && memchr(head.data, ':', head.len);
    return is_object && tut_text_has_no_ending(s) ? TUT_MATCH_WEAK : TUT_MATCH_NONE;
}

static tut_match sniff_index(const tut_sniff *s)
{
    size_t at;
    if (!tut_sniff_text(s) || !starts_json(s) || !tut_sniff_ext(s, ".json"))
        return TUT_MATCH_NONE;
    bool is_named = tut_sniff_ext(s, ".safetensors.index.json .bin.index.json .pt.index.json");
    bool says_so = tut_str_find(tut_text_head(s), TUT_LIT("\"weight_map\""), &at);
    return is_named || says_so ? TUT_MATCH_WEAK : TUT_MATCH_NONE;
}

static tut_match sniff_yaml(const tut_sniff *s)
{
    size_t at;
    bool is_wide = tut_sniff_magic(s, "\xff\xfe", 2) || tut_sniff_magic(s, "\xfe\xff", 2) ||
                   tut_sniff_magic(s, "\0\0\xfe\xff", 4);
    bool is_named = tut_sniff_ext(s, ".yaml .yml");
    bool is_json = tut_sniff_ext(s, ".json"); /* which YAML is as well */
    if ((!tut_sniff_text(s) && !(is_wide && (is_named || is_json))) || tut_text_is_hidden(s))
        return TUT_MATCH_NONE;
    if (is_named || is_wide)
        return TUT_MATCH_WEAK;
    tut_str head = tut_text_head(s);
    bool says_so = tut_str_starts(head, TUT_LIT("%YAML")) ||
                   tut_str_find(head, TUT_LIT("!!python/"), &at);
    return says_so &&
                   (tut_text_has_no_ending(s) || tut_sniff_ext(s, ".json .txt .conf .cfg .config"))
               ? TUT_MATCH_WEAK
               : TUT_MATCH_NONE;
}

static tut_match sniff_toml(const tut_sniff *s)
{
    bool fits = tut_sniff_text(s) && !tut_text_is_hidden(s) && tut_sniff_ext(s, ".toml");
    return fits ? TUT_MATCH_WEAK : TUT_MATCH_NONE;
}

static tut_match sniff_ini(const tut_sniff *s)
{
    bool fits = tut_text_any(s) && !tut_text_is_hidden(s) &&
                tut_sniff_ext(s, ".ini .cfg .conf .properties");
    return fits ? TUT_MATCH_WEAK : TUT_MATCH_NONE;
}

/* --- reading --- */
typedef tut_status (*conf_reader)(tut_conf *c);

static bool is_named(const tut_exam *x, const char *names)
{
    tut_sniff s = {.name = x->name};
    return tut_text_named(&s, names);
}

static tut_conf_role role_of(const tut_exam *x)
{
    if (is_named(x, "tokenizer.json tokenizer_config.json vocab.json added_tokens.json "
                    "special_tokens_map.json merges.json vocabulary.json"))
        return TUT_CONF_VOCABULARY;
    return TUT_CONF_PLAIN;
}

static tut_status read_with(tut_exam *x, conf_reader reader, tut_conf_role role, tut_error *err)
{
    TUT_AUTO(tut_conf) c = tut_conf_new(x, role, err);
    if (!c)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    tut_sniff s = {.name = x->name};
    tut_span head;
    TUT_TRY(tut_stream_peek_some(x->stream, 4096, &head));
    c->lists_tools = tut_text_has_word(&s, "tools functions") ||
                     (reader == tut_conf_read_json && tut_dataset_is_tools(tut_str_from(head)));
    tut_status status = reader(c);
    tut_conf_finish(c);
    return status;
}

static tut_status examine_json(tut_exam *x, tut_error *err)
{
    return read_with(x, tut_conf_read_json, role_of(x), err);
}

static tut_status examine_index(tut_exam *x, tut_error *err)
{
    return read_with(x, tut_conf_read_json, TUT_CONF_INDEX, err);
}

static tut_status examine_yaml(tut_exam *x, tut_error *err)
{
    return read_with(x, tut_conf_read_yaml, TUT_CONF_PLAIN, err);
}

static tut_status examine_lines(tut_exam *x, tut_error *err)
{
    return read_with(x, tut_conf_read_lines, TUT_CONF_PLAIN, err);
}

#define CONFIG(id, name_, label_, kind_, sniff_, examine_, endings, reads_, rules_)                \
    extern const tut_format tut_format_##id;                                                       \
    const tut_format tut_format_##id = {.name = (name_),                                           \
                                        .label = (label_),                                         \
                                        .kind = (kind_),                                           \
                                        .sniff = (sniff_),                                         \
                                        .examine = (examine_),                                     \
                                        .extensions = (endings),                                   \
                                        .reads = (reads_),                                         \
                                        .rules = (rules_)};

CONFIG(tutela, "tutela", "Tutela's description", TUT_KIND_CONFIG, sniff_tutela, NULL, ".yaml", NULL,
       NULL)
CONFIG(index, "shard-index", "Shard index", TUT_KIND_MODEL, sniff_index, examine_index, ".json",
       "names of shards", "data")
CONFIG(json, "json", "JSON", TUT_KIND_CONFIG, sniff_json, examine_json, ".json .json5 .jsonc",
       "names of code, remote code, Hydra targets, templates, tools, references", "data coreml")
CONFIG(yaml, "yaml", "YAML", TUT_KIND_CONFIG, sniff_yaml, examine_yaml, ".yaml .yml",
       "Python tags, names of code, remote code, Hydra targets, Keras' lambdas, tools, references",
       "data keras")
CONFIG(toml, "toml", "TOML", TUT_KIND_CONFIG, sniff_toml, examine_lines, ".toml",
       "names of code, remote code, references", "data")
CONFIG(ini, "ini", "INI", TUT_KIND_CONFIG, sniff_ini, examine_lines, ".ini .cfg .conf .properties",
       "names of code, remote code, references", "data")
