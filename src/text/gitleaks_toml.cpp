/* TOML to a plain list: every string with its length, every list with its count. */
#define TOML_EXCEPTIONS 0
#define TOML_HEADER_ONLY 1
#define TOML_ENABLE_FORMATTERS 0
#include <toml++/toml.h>

extern "C" {
#include "base/limits.h"
#include "text/gitleaks.h"
}

namespace
{

void put(tut_buf *out, std::string_view s)
{
    tut_buf_add_sized(out, tut_str{s.data(), s.size()});
}

std::string_view text_of(const toml::table &t, std::string_view key)
{
    const auto *s = t[key].as_string();
    return s ? std::string_view(**s) : std::string_view();
}

/* Strings of the list of this name; what is no string is passed over. */
void put_list(tut_buf *out, const toml::table &t, std::string_view key)
{
    const toml::array *list = t[key].as_array();
    uint32_t count = 0;
    if (list)
        for (const auto &item : *list)
            count += item.is_string();
    tut_buf_add_u32le(out, count);
    if (list)
        for (const auto &item : *list)
            if (item.is_string())
                put(out, **item.as_string());
}

void put_allow(tut_buf *out, const toml::table &t)
{
    std::string_view condition = text_of(t, "condition");
    tut_buf_add_byte(out, condition == "AND" || condition == "and" || condition == "&&");
    std::string_view target = text_of(t, "regexTarget");
    tut_buf_add_byte(out, target == "match" ? 1 : target == "line" ? 2 : 0);
    put_list(out, t, "regexes");
    put_list(out, t, "paths");
    put_list(out, t, "stopwords");
    put_list(out, t, "targetRules");
}

/* [allowlist], as it was, and [[allowlists]], as it is. */
void put_allows(tut_buf *out, const toml::table &t)
{
    const toml::table *one = t["allowlist"].as_table();
    const toml::array *many = t["allowlists"].as_array();
    uint32_t count = one ? 1 : 0;
    if (many)
        for (const auto &item : *many)
            count += item.is_table();
    tut_buf_add_u32le(out, count);
    if (one)
        put_allow(out, *one);
    if (many)
        for (const auto &item : *many)
            if (item.is_table())
                put_allow(out, *item.as_table());
}

void put_rule(tut_buf *out, const toml::table &t)
{
    put(out, text_of(t, "id"));
    put(out, text_of(t, "description"));
    put(out, text_of(t, "regex"));
    put(out, text_of(t, "path"));
    int64_t group = t["secretGroup"].value_or(int64_t{0});
    double entropy = t["entropy"].value_or(0.0);
    tut_buf_add_u32le(out, group < 0 || group > 64 ? 0 : static_cast<uint32_t>(group));
    bool is_usable = entropy > 0 && entropy < 8;
    tut_buf_add_u32le(out, is_usable ? static_cast<uint32_t>(entropy * 1000) : 0);
    put_list(out, t, "keywords");
    put_allows(out, t);
}

} // namespace

tut_status tut_gitleaks_parse(tut_str toml, tut_buf *out, tut_error *err)
{
    if (toml.len > TUT_LIMIT_RULE_FILE_BYTES)
        return tut_fail(err, TUT_LIMIT, "a rule file of %zu bytes; at most %u are read", toml.len,
                        TUT_LIMIT_RULE_FILE_BYTES);
    toml::parse_result result = toml::parse(std::string_view(toml.data, toml.len));
    if (!result) {
        const toml::parse_error &why = result.error();
        return tut_fail(err, TUT_MALFORMED, "line %u: %.200s", why.source().begin.line,
                        std::string(why.description()).c_str());
    }
    const toml::table &root = result.table();
    const toml::array *rules = root["rules"].as_array();
    uint32_t count = 0;
    if (rules)
        for (const auto &item : *rules)
            count += item.is_table();
    if (count == 0)
        return tut_fail(err, TUT_MALFORMED, "no [[rules]] in it: is it a gitleaks rule file?");
    tut_buf_add_u32le(out, count);
    for (const auto &item : *rules)
        if (item.is_table())
            put_rule(out, *item.as_table());
    put_allows(out, root);
    const toml::table *extend = root["extend"].as_table();
    const toml::table none;
    put_list(out, extend ? *extend : none, "disabledRules");
    return tut_buf_check(out, err);
}
