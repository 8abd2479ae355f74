#include "assets/schema.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"

enum { WORDS_MAX = 48, WHERE_MAX = 256 };

tut_status tut_schema_fail(tut_schema *s, uint32_t line, uint32_t column, uint32_t width,
                           const char *fmt, ...)
{
    char message[TUT_ERROR_TEXT_MAX];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(message, sizeof(message), fmt, ap);
    va_end(ap);
    if (s->shown)
        tut_yaml_show(s->file, tut_yaml_source(s->system->yaml), line, column, width, message,
                      s->shown);
    char path[TUT_ERROR_PATH_MAX];
    snprintf(path, sizeof(path), "%s:%u:%u", s->file, line, column);
    tut_error_set_path(s->err, path);
    return tut_fail(s->err, TUT_MALFORMED, "%s", message);
}

tut_status tut_schema_fail_node(tut_schema *s, const tut_yaml_node *node, const char *fmt, ...)
{
    char message[TUT_ERROR_TEXT_MAX];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(message, sizeof(message), fmt, ap);
    va_end(ap);
    uint32_t width = node->type == TUT_YAML_SCALAR ? node->end - node->start : 1;
    return tut_schema_fail(s, node->line, node->column, width, "%s", message);
}

bool tut_schema_is_absent(const tut_yaml_node *node)
{
    if (!node)
        return true;
    if (node->type != TUT_YAML_SCALAR || node->is_quoted)
        return false;
    tut_str t = node->text;
    return t.len == 0 || tut_str_eq_z(t, "~") || tut_str_eq_z(t, "null") || tut_str_eq_z(t, "TODO");
}

tut_status tut_schema_todo(tut_schema *s, const char *where, const char *key)
{
    tut_str_list *todo = &s->system->todo;
    if (todo->count == s->todo_capacity) {
        size_t capacity = s->todo_capacity ? s->todo_capacity * 2 : 16;
        tut_str *items = tut_arena_take(&s->system->arena, capacity, sizeof(*items));
        if (!items)
            return tut_fail(s->err, TUT_NOMEM, "memory ran out");
        if (todo->count)
            memcpy(items, todo->items, todo->count * sizeof(*items));
        todo->items = items;
        s->todo_capacity = capacity;
    }
    char path[WHERE_MAX];
    int n = snprintf(path, sizeof(path), "%s%s%s", where, *where ? "." : "", key);
    char *copy = tut_arena_copy(&s->system->arena,
                                (tut_str){path, n < WHERE_MAX ? (size_t)n : WHERE_MAX - 1});
    if (!copy)
        return tut_fail(s->err, TUT_NOMEM, "memory ran out");
    todo->items[todo->count++] = tut_str_of(copy);
    return TUT_SUCCESS;
}

/* Splits "a b c" in place of a copy. */
static size_t split_words(const char *words, char *copy, size_t cap,
                          const char *ret_words[WORDS_MAX])
{
    tut_str_copy(copy, cap, tut_str_of(words));
    size_t count = 0;
    for (char *at = copy; *at && count < WORDS_MAX;) {
        ret_words[count++] = at;
        at += strcspn(at, " ");
        if (*at)
            *at++ = '\0';
    }
    return count;
}

const char *tut_schema_nearest_word(const char *words, tut_str text, char *buf, size_t cap)
{
    const char *list[WORDS_MAX];
    size_t count = split_words(words, buf, cap, list);
    return tut_str_nearest(text, list, count);
}

tut_status tut_schema_mapping(tut_schema *s, const tut_yaml_node *node, const char *what)
{
    if (node->type != TUT_YAML_MAPPING)
        return tut_schema_fail_node(s, node, "%s must be a mapping of keys and values", what);
    return TUT_SUCCESS;
}

tut_status tut_schema_sequence(tut_schema *s, const tut_yaml_node *node, const char *what)
{
    if (node->type != TUT_YAML_SEQUENCE)
        return tut_schema_fail_node(s, node, "%s must be a list, one \"- item\" a line", what);
    return TUT_SUCCESS;
}

tut_status tut_schema_texts(tut_schema *s, const tut_yaml_node *node, const char *what,
                            const char *where, tut_str_list *ret_list)
{
    const tut_yaml *y = s->system->yaml;
    if (node->type == TUT_YAML_MAPPING)
        return tut_schema_fail_node(s, node, "%s must be a list of texts", what);
    size_t count = node->type == TUT_YAML_SEQUENCE ? node->count : 1;
    tut_str *items = tut_arena_take(&s->system->arena, count ? count : 1, sizeof(*items));
    if (!items)
        return tut_fail(s->err, TUT_NOMEM, "memory ran out");
    size_t kept = 0;
    const tut_yaml_node *child = node->type == TUT_YAML_SEQUENCE ? tut_yaml_first(y, node) : node;
    for (; child; child = node->type == TUT_YAML_SEQUENCE ? tut_yaml_next(y, child) : NULL) {
        if (child->type != TUT_YAML_SCALAR)
            return tut_schema_fail_node(s, child, "%s must be a list of texts", what);
        if (tut_schema_is_absent(child)) {
            if (tut_str_eq_z(child->text, "TODO"))
                TUT_TRY(tut_schema_todo(s, where, ""));
            continue;
        }
        items[kept++] = child->text;
    }
    *ret_list = (tut_str_list){items, kept};
    return TUT_SUCCESS;
}

static tut_status read_word(tut_schema *s, const tut_yaml_node *node, const tut_field *f,
                            tut_str *ret_word)
{
    char copy[512];
    const char *list[WORDS_MAX];
    size_t count = split_words(f->words, copy, sizeof(copy), list);
    for (size_t i = 0; i < count; i++)
        if (tut_str_eq_z(node->text, list[i])) {
            *ret_word = node->text;
            return TUT_SUCCESS;
        }
    const char *nearest = tut_str_nearest(node->text, list, count);
    if (nearest)
        return tut_schema_fail_node(s, node, "%s cannot be \"%.*s\"; did you mean \"%s\"?", f->key,
                                    (int)node->text.len, node->text.data, nearest);
    return tut_schema_fail_node(s, node, "%s cannot be \"%.*s\"; it is one of: %s", f->key,
                                (int)node->text.len, node->text.data, f->words);
}

static tut_status read_digest(tut_schema *s, const tut_yaml_node *node, tut_sha256 *ret_digest)
{
    tut_str prefix = TUT_LIT("sha256:");
    tut_str hex = node->text;
    if (tut_str_starts(hex, prefix))
        hex = (tut_str){hex.data + prefix.len, hex.len - prefix.len};
    if (!tut_is_ok(tut_sha256_parse(hex, ret_digest)))
        return tut_schema_fail_node(s, node, "a digest is \"sha256:\" and 64 hexadecimal digits");
    return TUT_SUCCESS;
}

static tut_status read_flag(tut_schema *s, const tut_yaml_node *node, const char *key,
                            bool *ret_flag)
{
    if (!node->is_quoted && tut_str_eq_z(node->text, "true"))
        *ret_flag = true;
    else if (!node->is_quoted && tut_str_eq_z(node->text, "false"))
        *ret_flag = false;
    else
        return tut_schema_fail_node(s, node, "%s must be true or false", key);
    return TUT_SUCCESS;
}

bool tut_schema_number(tut_str text, double *ret)
{
    char copy[64];
    char *end = NULL;
    if (text.len == 0 || text.len >= sizeof(copy) || !strchr("+-.0123456789", text.data[0]))
        return false;
    tut_str_copy(copy, sizeof(copy), text);
    double v = strtod(copy, &end);
    if (*end || !isfinite(v))
        return false;
    *ret = v;
    return true;
}

static tut_status read_scalar(tut_schema *s, const tut_yaml_node *node, const tut_field *f,
                              uint8_t *object)
{
    void *member = object + f->offset;
    uint64_t number;
    switch (f->type) {
    case TUT_FIELD_TEXT:
        *(tut_str *)member = node->text;
        return TUT_SUCCESS;
    case TUT_FIELD_WORD:
        return read_word(s, node, f, member);
    case TUT_FIELD_FLAG:
        return read_flag(s, node, f->key, member);
    case TUT_FIELD_COUNT:
        if (!tut_str_u64(node->text, &number) || number > UINT32_MAX)
            return tut_schema_fail_node(s, node, "%s must be a whole number", f->key);
        *(uint32_t *)member = (uint32_t)number;
        return TUT_SUCCESS;
    case TUT_FIELD_REAL:
        if (!tut_schema_number(node->text, member))
            return tut_schema_fail_node(s, node, "%s must be a number", f->key);
        return TUT_SUCCESS;
    case TUT_FIELD_DIGEST:
        TUT_TRY(read_digest(s, node, member));
        *(bool *)(object + f->has_offset) = true;
        return TUT_SUCCESS;
    case TUT_FIELD_TIME:
        if (!tut_is_ok(tut_time_parse(node->text, member)))
            return tut_schema_fail_node(s, node, "%s must be a date such as 2027-05-31", f->key);
        *(bool *)(object + f->has_offset) = true;
        return TUT_SUCCESS;
    case TUT_FIELD_TEXTS:
    case TUT_FIELD_OTHER:
        break;
    }
    return tut_fail(s->err, TUT_BUG, "field %s has no reader", f->key);
}

static tut_status unknown_key(tut_schema *s, const tut_yaml_node *child, const tut_field *fields,
                              size_t count, const char *what)
{
    const char *known[WORDS_MAX];
    size_t n = 0;
    for (size_t i = 0; i < count && n < WORDS_MAX; i++)
        known[n++] = fields[i].key;
    const char *nearest = tut_str_nearest(child->key, known, n);
    uint32_t width = (uint32_t)child->key.len;
    if (nearest)
        return tut_schema_fail(s, child->key_line, child->key_column, width,
                               "unknown key \"%.*s\" in %s; did you mean \"%s\"?",
                               (int)child->key.len, child->key.data, what, nearest);
    return tut_schema_fail(s, child->key_line, child->key_column, width,
                           "unknown key \"%.*s\" in %s", (int)child->key.len, child->key.data,
                           what);
}

static tut_status read_field(tut_schema *s, const tut_yaml_node *child, const tut_field *f,
                             void *object, const char *where)
{
    char path[WHERE_MAX];
    if (f->type == TUT_FIELD_OTHER)
        return TUT_SUCCESS;
    if (tut_schema_is_absent(child)) {
        if (tut_str_eq_z(child->text, "TODO"))
            TUT_TRY(tut_schema_todo(s, where, f->key));
        return TUT_SUCCESS;
    }
    if (f->type == TUT_FIELD_TEXTS) {
        snprintf(path, sizeof(path), "%s%s%s", where, *where ? "." : "", f->key);
        return tut_schema_texts(s, child, f->key, path,
                                (tut_str_list *)(void *)((uint8_t *)object + f->offset));
    }
    if (child->type != TUT_YAML_SCALAR)
        return tut_schema_fail_node(s, child, "%s must be a single value", f->key);
    return read_scalar(s, child, f, object);
}

tut_status tut_schema_read(tut_schema *s, const tut_yaml_node *node, const tut_field *fields,
                           size_t count, void *object, const char *what, const char *where)
{
    const tut_yaml *y = s->system->yaml;
    TUT_TRY(tut_schema_mapping(s, node, what));
    for (const tut_yaml_node *child = tut_yaml_first(y, node); child;
         child = tut_yaml_next(y, child)) {
        size_t i = 0;
        while (i < count && !tut_str_eq_z(child->key, fields[i].key))
            i++;
        if (i == count)
            return unknown_key(s, child, fields, count, what);
        TUT_TRY(read_field(s, child, &fields[i], object, where));
    }
    for (size_t i = 0; i < count; i++)
        if (fields[i].is_required && !tut_yaml_get(y, node, fields[i].key))
            TUT_TRY(tut_schema_todo(s, where, fields[i].key));
    return TUT_SUCCESS;
}
