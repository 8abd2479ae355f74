#include "text/rule.h"

#include "text/shape.h"

const tut_text_rule tut_text_rules[] = {
#define TOKEN(id_, label_, shape_, check_)                                                         \
    {.kind = TUT_RULE_TOKEN,                                                                       \
     .id = id_,                                                                                    \
     .label = label_,                                                                              \
     .type = TUT_TEXT_PROVIDER_KEY,                                                                \
     .shape = shape_,                                                                              \
     .check = check_},
#define NEAR(id_, label_, words_, shape_)                                                          \
    {.kind = TUT_RULE_NEAR,                                                                        \
     .id = id_,                                                                                    \
     .label = label_,                                                                              \
     .type = TUT_TEXT_PROVIDER_KEY,                                                                \
     .trigger = words_,                                                                            \
     .is_caseless = true,                                                                          \
     .shape = shape_},
#include "text/rules_secret.def"
#undef TOKEN
#undef NEAR
#define PATTERN(id_, label_, class_, trigger_, is_caseless_, verify_)                              \
    {.kind = TUT_RULE_PATTERN,                                                                     \
     .id = id_,                                                                                    \
     .label = label_,                                                                              \
     .type = TUT_TEXT_##class_,                                                                    \
     .trigger = trigger_,                                                                          \
     .is_caseless = is_caseless_,                                                                  \
     .verify = verify_},
#include "text/rules_text.def"
#undef PATTERN
};
const size_t tut_text_rules_count = sizeof(tut_text_rules) / sizeof(tut_text_rules[0]);

/* Behind a name with the word: what else the name has, its closing quote, and a sign that gives. */
#define GIVES "[\\w.-]{0,20}[\"'\\]`]{0,2}[ \\t]{0,4}(?::=|=>|=|:|>|,)"

void tut_text_rule_expression(const tut_text_rule *r, tut_buf *out)
{
    if (r->kind == TUT_RULE_TOKEN)
        tut_shape_trigger(r->shape, out);
    else if (r->kind == TUT_RULE_NEAR)
        tut_buf_printf(out, "(?:%s)" GIVES, r->trigger);
    else
        tut_buf_add_z(out, r->trigger);
}

void tut_text_rules_write(tut_buf *out)
{
    for (size_t i = 0; i < tut_text_rules_count; i++) {
        const tut_text_rule *r = &tut_text_rules[i];
        tut_buf_printf(out, "%s\t%s\t%s\t", r->id, r->label, r->shape ? r->shape : "");
        tut_text_rule_expression(r, out);
        tut_buf_add_byte(out, '\n');
    }
    tut_text_numbers_write(out);
}

static const char *const class_names[] = {
    [TUT_TEXT_PROVIDER_KEY] = "provider-key", [TUT_TEXT_PRIVATE_KEY] = "private-key",
    [TUT_TEXT_GENERIC] = "generic",           [TUT_TEXT_FINANCIAL] = "financial",
    [TUT_TEXT_IDENTIFIER] = "identifier",     [TUT_TEXT_CONTACT] = "contact",
    [TUT_TEXT_NETWORK] = "network",
};

const char *tut_text_class_name(tut_text_class c)
{
    return (size_t)c < TUT_TEXT_CLASS_COUNT ? class_names[c] : "unknown";
}

/* --- the shapes --- */
enum { LEAST_BITS_FROM = 16, VALUE_SPACE = 12 };

/* The part behind the prefix: a key is made by a machine, and is no stand-in for one. */
static bool is_made(tut_str key, const char *shape)
{
    size_t prefix = 0;
    tut_shape_part part;
    while (tut_shape_next(&shape, &part) && !part.class)
        prefix++;
    tut_str body = {key.data + prefix, key.len - prefix};
    if (tut_judge_is_placeholder(body))
        return false;
    return body.len < LEAST_BITS_FROM || tut_judge_entropy(body) >= 2.6;
}

static bool verify_token(const tut_text_rule *r, const tut_text_view *v, size_t end,
                         tut_text_found *f)
{
    size_t lead = tut_shape_lead(r->shape);
    size_t len;
    if (lead > end)
        return false;
    size_t begin = end - lead;
    tut_str rest = {v->text.data + begin, v->text.len - begin};
    if (!tut_shape_match(r->shape, rest, !v->is_binary, &len))
        return false;
    if (r->shape[0] == '%' && r->shape[1] == 'd') { /* the beginning is of no fixed length */
        for (int i = 0; i < 3 && begin > 0 && tut_is_digit(v->text.data[begin - 1]); i++, len++)
            begin--;
    }
    bool is_open = v->is_binary && r->shape[0] != '%'; /* a length may stand before it */
    if (!is_open && !tut_judge_starts(v->text, begin))
        return false;
    tut_str key = {v->text.data + begin, len};
    if (!is_made(key, r->shape))
        return false;
    f->begin = begin;
    f->end = begin + len;
    if (r->check && r->check(key))
        f->proof = TUT_TEXT_BY_CHECKSUM;
    return true;
}

static bool verify_near(const tut_text_rule *r, const tut_text_view *v, size_t end,
                        tut_text_found *f)
{
    size_t at = end, len;
    while (at < v->text.len && at < end + VALUE_SPACE && strchr(" \t\"'`=>(:", v->text.data[at]) &&
           v->text.data[at] != '\0')
        at++;
    tut_str rest = {v->text.data + at, v->text.len - at};
    if (!tut_shape_match(r->shape, rest, true, &len))
        return false;
    tut_str value = {rest.data, len};
    bool goes_on = len < rest.len && (tut_is_word(rest.data[len]) || rest.data[len] == '-' ||
                                      rest.data[len] == '/' || rest.data[len] == '+');
    if (goes_on || !tut_judge_is_random(value, 3.0) || tut_judge_is_placeholder(value))
        return false;
    f->begin = at;
    f->end = at + len;
    f->proof = TUT_TEXT_BY_CONTEXT;
    return true;
}

bool tut_text_rule_verify(const tut_text_rule *r, const tut_text_view *v, size_t end,
                          tut_text_found *f)
{
    *f = (tut_text_found){.id = r->id, .label = r->label, .type = r->type};
    switch (r->kind) {
    case TUT_RULE_TOKEN:
        return verify_token(r, v, end, f);
    case TUT_RULE_NEAR:
        return !v->is_binary && verify_near(r, v, end, f);
    case TUT_RULE_PATTERN:
        return r->verify(v, end, f);
    }
    return false;
}
