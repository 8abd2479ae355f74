/* Checks, limits and tensors of a policy. */
#include <stdio.h>

#include "base/limits.h"
#include "guard/policy_fields.h"

typedef struct check_row {
    const char *name;
    tut_guard_action otherwise;
    const char *allowed;
    const char *keys;
} check_row;

static const check_row rows[TUT_CHECK_COUNT] = {
#define GUARD_CHECK(id, name, otherwise, allowed, keys, about)                                     \
    {name, TUT_GUARD_##otherwise, allowed, keys},
#include "guard/checks.def"
#undef GUARD_CHECK
};

static const double otherwise_threshold = 0.9, otherwise_low = 0.5;
enum { OTHERWISE_WORDS = 12, WORDS_LEAST = 6, WORDS_MOST = 1000 };

const char *tut_guard_check_name(tut_guard_check c)
{
    return rows[c].name;
}

typedef struct check_words {
    tut_str action, threshold, flag_at, taint_at, words;
} check_words;

static const tut_field check_fields[] = {
    TUT_FIELD(TEXT, check_words, action, false, NULL),
    TUT_FIELD(TEXT, check_words, threshold, false, NULL),
    TUT_FIELD(TEXT, check_words, flag_at, false, NULL),
    TUT_FIELD(TEXT, check_words, taint_at, false, NULL),
    TUT_FIELD(TEXT, check_words, words, false, NULL),
};

static bool word_is_in(const char *words, tut_str word)
{
    for (const char *at = words; *at;) {
        size_t len = strcspn(at, " ");
        if (tut_str_eq((tut_str){at, len}, word))
            return true;
        at += len + (at[len] == ' ');
    }
    return false;
}

static tut_status read_check(tut_schema *s, const tut_yaml_node *node, const check_row *row,
                             tut_guard_setting *setting)
{
    check_words words = {0};
    if (node->type == TUT_YAML_SCALAR)
        words.action = node->text;
    else
        TUT_TRY(tut_schema_read(s, node, check_fields, TUT_COUNT(check_fields), &words, row->name,
                                "guard.checks"));
    if (words.action.len && (!word_is_in(row->allowed, words.action) ||
                             !tut_guard_action_parse(words.action, &setting->action)))
        return tut_schema_fail_node(s, node, "check %s can be one of: %s", row->name, row->allowed);
    const struct {
        const char *key;
        tut_str text;
        double *to;
    } scores[] = {{"threshold", words.threshold, &setting->threshold},
                  {"flag_at", words.flag_at, &setting->low},
                  {"taint_at", words.taint_at, &setting->low}};
    for (size_t i = 0; i < TUT_COUNT(scores); i++) {
        if (scores[i].text.len == 0)
            continue;
        if (!word_is_in(row->keys, tut_str_of(scores[i].key)))
            return tut_schema_fail_node(s, node, "check %s has no %s", row->name, scores[i].key);
        if (!tut_schema_number(scores[i].text, scores[i].to) || *scores[i].to < 0 ||
            *scores[i].to > 1)
            return tut_schema_fail_node(s, node, "the %s of %s is a number from 0 to 1",
                                        scores[i].key, row->name);
    }
    if (setting->low > setting->threshold)
        return tut_schema_fail_node(s, node, "the lower score of %s is above its threshold",
                                    row->name);
    uint64_t count = 0;
    if (words.words.len &&
        (!word_is_in(row->keys, TUT_LIT("words")) || !tut_str_u64(words.words, &count) ||
         count < WORDS_LEAST || count > WORDS_MOST))
        return tut_schema_fail_node(s, node, "words: of prompt_leak, a number from %d to %d",
                                    WORDS_LEAST, WORDS_MOST);
    if (words.words.len)
        setting->words = (unsigned)count;
    setting->is_set = true;
    return TUT_SUCCESS;
}

tut_status tut_guard_read_checks(tut_schema *s, const tut_yaml_node *node,
                                 tut_guard_setting *settings, const char *where)
{
    const tut_yaml *y = s->system->yaml;
    const char *names[TUT_CHECK_COUNT];
    for (size_t i = 0; i < TUT_CHECK_COUNT; i++)
        names[i] = rows[i].name;
    if (tut_schema_is_absent(node))
        return TUT_SUCCESS;
    TUT_TRY(tut_schema_mapping(s, node, where));
    for (const tut_yaml_node *n = tut_yaml_first(y, node); n; n = tut_yaml_next(y, n)) {
        size_t i = 0;
        while (i < TUT_CHECK_COUNT && !tut_str_eq_z(n->key, rows[i].name))
            i++;
        if (i == TUT_CHECK_COUNT) {
            const char *near = tut_str_nearest(n->key, names, TUT_CHECK_COUNT);
            return tut_schema_fail(s, n->key_line, n->key_column, (uint32_t)n->key.len,
                                   "unknown check \"%.*s\" in %s%s%s%s", (int)n->key.len,
                                   n->key.data, where, near ? "; did you mean \"" : "",
                                   near ? near : "", near ? "\"?" : "");
        }
        TUT_TRY(read_check(s, n, &rows[i], &settings[i]));
    }
    return TUT_SUCCESS;
}

void tut_guard_default_checks(tut_guard_setting *settings, const tut_guard_setting *above)
{
    for (size_t i = 0; i < TUT_CHECK_COUNT; i++)
        settings[i] = above ? above[i]
                            : (tut_guard_setting){.action = rows[i].otherwise,
                                                  .threshold = otherwise_threshold,
                                                  .low = otherwise_low,
                                                  .words = OTHERWISE_WORDS};
}

static const tut_field limit_fields[] = {
    TUT_FIELD(COUNT, tut_guard_limits, body_bytes, false, NULL),
    TUT_FIELD(COUNT, tut_guard_limits, answer_bytes, false, NULL),
    TUT_FIELD(COUNT, tut_guard_limits, event_bytes, false, NULL),
    TUT_FIELD(COUNT, tut_guard_limits, held_bytes, false, NULL),
    TUT_FIELD(COUNT, tut_guard_limits, depth, false, NULL),
    TUT_FIELD(COUNT, tut_guard_limits, tokens, false, NULL),
};

tut_status tut_guard_read_limits(tut_schema *s, const tut_yaml_node *node, tut_guard_limits *limits,
                                 const char *where)
{
    if (tut_schema_is_absent(node))
        return TUT_SUCCESS;
    TUT_TRY(tut_schema_read(s, node, limit_fields, TUT_COUNT(limit_fields), limits, where, where));
    if (limits->body_bytes > TUT_LIMIT_JSON_BYTES || limits->answer_bytes > TUT_LIMIT_JSON_BYTES ||
        limits->event_bytes > TUT_LIMIT_JSON_BYTES || limits->held_bytes > TUT_LIMIT_JSON_BYTES)
        return tut_schema_fail_node(s, node, "at most %u bytes are read at once",
                                    TUT_LIMIT_JSON_BYTES);
    if (limits->depth > TUT_LIMIT_GUARD_DEPTH)
        return tut_schema_fail_node(s, node, "the greatest depth is %u", TUT_LIMIT_GUARD_DEPTH);
    return TUT_SUCCESS;
}

static void or_default(uint32_t *limit, uint32_t otherwise)
{
    if (*limit == 0)
        *limit = otherwise;
}

void tut_guard_default_limits(tut_guard_limits *l)
{
    or_default(&l->body_bytes, TUT_LIMIT_GUARD_BODY_BYTES);
    or_default(&l->answer_bytes, TUT_LIMIT_GUARD_BODY_BYTES);
    or_default(&l->event_bytes, TUT_LIMIT_GUARD_EVENT_BYTES);
    or_default(&l->held_bytes, TUT_LIMIT_GUARD_HELD_BYTES);
    or_default(&l->depth, TUT_LIMIT_GUARD_DEPTH);
}

static const char datatypes[] =
    "BOOL UINT8 UINT16 UINT32 UINT64 INT8 INT16 INT32 INT64 FP16 FP32 FP64 BF16 BYTES";

static const tut_field tensor_fields[] = {
    TUT_FIELD(TEXT, tut_guard_tensor, name, true, NULL),
    TUT_FIELD(WORD, tut_guard_tensor, datatype, true, datatypes),
    {"shape", TUT_FIELD_TEXTS, offsetof(tut_guard_tensor, shape_texts), 0, false, NULL},
    {"min", TUT_FIELD_TEXT, offsetof(tut_guard_tensor, min_text), 0, false, NULL},
    {"max", TUT_FIELD_TEXT, offsetof(tut_guard_tensor, max_text), 0, false, NULL},
    TUT_FIELD(TEXT, tut_guard_tensor, baseline, false, NULL),
    TUT_FIELD(TEXT, tut_guard_tensor, column, false, NULL),
    TUT_FIELD(TEXTS, tut_guard_tensor, columns, false, NULL),
    TUT_FIELD(TEXTS, tut_guard_tensor, without, false, NULL),
};

static tut_status read_tensor(tut_schema *s, const tut_yaml_node *node, tut_guard_tensor *t)
{
    TUT_TRY(tut_schema_read(s, node, tensor_fields, TUT_COUNT(tensor_fields), t, "a tensor",
                            "guard.routes.tensors"));
    if (!t->name.len || !t->datatype.len)
        return tut_schema_fail_node(s, node, "a tensor has a name and a datatype");
    if (t->shape_texts.count > TUT_COUNT(t->shape))
        return tut_schema_fail_node(s, node, "a shape has at most %zu dimensions",
                                    TUT_COUNT(t->shape));
    for (size_t i = 0; i < t->shape_texts.count; i++) {
        uint64_t n = 0;
        bool is_any = tut_str_eq_z(t->shape_texts.items[i], "-1");
        if (!is_any && (!tut_str_u64(t->shape_texts.items[i], &n) || n > INT32_MAX))
            return tut_schema_fail_node(s, node, "a dimension is a whole number, or -1 for any");
        t->shape[i] = is_any ? -1 : (int64_t)n;
    }
    t->has_min = t->min_text.len > 0;
    t->has_max = t->max_text.len > 0;
    if ((t->has_min && !tut_schema_number(t->min_text, &t->min)) ||
        (t->has_max && !tut_schema_number(t->max_text, &t->max)) ||
        (t->has_min && t->has_max && t->min > t->max))
        return tut_schema_fail_node(s, node, "min and max are numbers, min not above max");
    return TUT_SUCCESS;
}

tut_status tut_guard_read_tensors(tut_schema *s, const tut_yaml_node *node,
                                  const tut_json_value *kept, tut_guard_bounding *b,
                                  tut_guard_route *route)
{
    const tut_yaml *y = s->system->yaml;
    if (tut_schema_is_absent(node))
        return TUT_SUCCESS;
    TUT_TRY(tut_schema_sequence(s, node, "tensors"));
    route->tensors = tut_arena_take(&s->system->arena, node->count + 1u, sizeof(*route->tensors));
    if (!route->tensors)
        return tut_fail(s->err, TUT_NOMEM, "memory ran out");
    for (const tut_yaml_node *n = tut_yaml_first(y, node); n; n = tut_yaml_next(y, n)) {
        tut_guard_tensor *t = &route->tensors[route->tensor_count];
        TUT_TRY(read_tensor(s, n, t));
        TUT_TRY(
            tut_guard_read_bounds(s, n, tut_json_item(kept, (uint32_t)route->tensor_count), b, t));
        route->tensor_count++;
    }
    return TUT_SUCCESS;
}
