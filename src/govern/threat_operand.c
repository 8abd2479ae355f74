/* Operands of an expression: tokens, paths, words, and what leads to them. */
#include <ctype.h>
#include <stdio.h>

#include "assets/schema.h"
#include "govern/threat_compile.h"
#include "govern/threat_internal.h"

bool tut_compile_fail(tut_compile_state *c, size_t at, size_t width, const char *fmt, ...)
{
    va_list ap;
    if (c->has_failed)
        return false;
    c->has_failed = true;
    c->fault->at = at;
    c->fault->width = width ? width : 1;
    va_start(ap, fmt);
    vsnprintf(c->fault->text, sizeof(c->fault->text), fmt, ap);
    va_end(ap);
    return false;
}

/* --- tokens --- */

static bool is_name_char(char ch)
{
    return isalnum((unsigned char)ch) || ch == '_' || ch == '.';
}

/* A dash belongs to a name where letters or digits are on both sides: rag-index, but a - b. */
static size_t name_len(tut_str text, size_t at)
{
    size_t end = at;
    while (end < text.len) {
        bool is_dash = text.data[end] == '-' && end > at && end + 1 < text.len &&
                       isalnum((unsigned char)text.data[end + 1]) &&
                       isalnum((unsigned char)text.data[end - 1]);
        if (!is_name_char(text.data[end]) && !is_dash)
            break;
        end++;
    }
    return end - at;
}

static bool read_number(tut_compile_state *c, tut_compile_token *t)
{
    uint64_t number;
    if (!tut_str_u64(t->text, &number) || number > 1000000)
        return tut_compile_fail(c, t->at, t->width, "numbers are whole and at most 1000000");
    t->kind = TUT_TOKEN_NUMBER;
    t->number = (int64_t)number;
    return true;
}

static bool read_text(tut_compile_state *c, tut_compile_token *t)
{
    size_t end = t->at + 1;
    while (end < c->text.len && c->text.data[end] != '"')
        end++;
    if (end == c->text.len)
        return tut_compile_fail(c, t->at, 1, "the text does not end: a \" is missing");
    t->kind = TUT_TOKEN_TEXT;
    t->text = (tut_str){c->text.data + t->at + 1, end - t->at - 1};
    t->width = end + 1 - t->at;
    return true;
}

bool tut_compile_advance(tut_compile_state *c)
{
    while (c->pos < c->text.len && isspace((unsigned char)c->text.data[c->pos]))
        c->pos++;
    tut_compile_token t = {.kind = TUT_TOKEN_END, .at = c->pos, .width = 1};
    if (c->pos < c->text.len) {
        char ch = c->text.data[c->pos];
        bool is_double = c->pos + 1 < c->text.len && c->text.data[c->pos + 1] == '=' &&
                         strchr("=!<>", ch);
        t.kind = TUT_TOKEN_SIGN;
        t.width = is_double ? 2 : 1;
        if (isalnum((unsigned char)ch)) {
            t.kind = TUT_TOKEN_NAME;
            t.width = name_len(c->text, c->pos);
        }
        t.text = (tut_str){c->text.data + c->pos, t.width};
        if (isdigit((unsigned char)ch) && !read_number(c, &t))
            return false;
        if (ch == '"' && !read_text(c, &t))
            return false;
    }
    c->pos = t.at + (t.kind == TUT_TOKEN_END ? 0 : t.width);
    c->now = t;
    return true;
}

bool tut_compile_is_sign(const tut_compile_state *c, const char *sign)
{
    return c->now.kind == TUT_TOKEN_SIGN && tut_str_eq_z(c->now.text, sign);
}

bool tut_compile_is_name(const tut_compile_state *c, const char *name)
{
    return c->now.kind == TUT_TOKEN_NAME && tut_str_eq_z(c->now.text, name);
}

bool tut_compile_expect(tut_compile_state *c, const char *sign)
{
    if (!tut_compile_is_sign(c, sign))
        return tut_compile_fail(c, c->now.at, c->now.width, "a \"%s\" is missing here", sign);
    return tut_compile_advance(c);
}

/* --- steps --- */

bool tut_compile_emit(tut_compile_state *c, tut_threat_step step)
{
    if (c->code->count == TUT_THREAT_CODE_MAX)
        return tut_compile_fail(c, 0, c->text.len,
                                "the expression has more than %d steps; split the rule",
                                TUT_THREAT_CODE_MAX);
    c->code->steps[c->code->count++] = step;
    return true;
}

bool tut_compile_push(tut_compile_state *c, tut_compile_value o)
{
    if (c->operand_count == TUT_THREAT_STACK_MAX)
        return tut_compile_fail(c, o.at, o.width, "the expression is nested too deep");
    c->operands[c->operand_count++] = o;
    return true;
}

bool tut_compile_pend(tut_compile_state *c, tut_compile_pending p)
{
    if (c->pending_count == TUT_THREAT_STACK_MAX)
        return tut_compile_fail(c, p.at, p.width, "the expression is nested too deep");
    c->pendings[c->pending_count++] = p;
    return true;
}

tut_compile_value *tut_compile_top(tut_compile_state *c)
{
    return &c->operands[c->operand_count - 1];
}

bool tut_compile_wants_flag(tut_compile_state *c, const tut_compile_value *o)
{
    int len = (int)o->name.len;
    switch (o->type) {
    case TUT_THREAT_FLAG:
        return true;
    case TUT_THREAT_TEXT:
        return tut_compile_fail(c, o->at, o->width,
                                "%.*s is a text, not true or false; write %.*s != \"\"", len,
                                o->name.data, len, o->name.data);
    case TUT_THREAT_LIST:
        return tut_compile_fail(c, o->at, o->width,
                                "%.*s is a list, not true or false; write count(%.*s) > 0", len,
                                o->name.data, len, o->name.data);
    case TUT_THREAT_WORD:
    case TUT_THREAT_LEVEL:
        return tut_compile_fail(c, o->at, o->width,
                                "%.*s is a word, not true or false; compare it with one of: %s",
                                len, o->name.data, o->words);
    case TUT_THREAT_NUMBER:
        break;
    }
    return tut_compile_fail(c, o->at, o->width, "a number is no condition; compare it");
}

bool tut_compile_wants_number(tut_compile_state *c, const tut_compile_value *o)
{
    if (o->type == TUT_THREAT_FLAG || o->type == TUT_THREAT_NUMBER || o->type == TUT_THREAT_LEVEL)
        return true;
    return tut_compile_fail(c, o->at, o->width, "%.*s is no number%s", (int)o->name.len,
                            o->name.data,
                            o->type == TUT_THREAT_LIST ? "; count(...) says how many" : "");
}

bool tut_compile_is_word(const tut_compile_value *o)
{
    return o->type == TUT_THREAT_WORD || o->type == TUT_THREAT_LEVEL;
}

/* --- paths --- */

tut_threat_on tut_threat_reached(tut_threat_on on, tut_threat_link link)
{
    switch (link) {
    case TUT_THREAT_SELF:
        return on;
    case TUT_THREAT_SYSTEM:
        return on == TUT_THREAT_ON_SYSTEM ? TUT_THREAT_ON_COUNT : TUT_THREAT_ON_SYSTEM;
    case TUT_THREAT_ASSET:
        return on == TUT_THREAT_ON_COMPONENT ? TUT_THREAT_ON_ASSET : TUT_THREAT_ON_COUNT;
    case TUT_THREAT_BOUNDARY:
        return on == TUT_THREAT_ON_COMPONENT ? TUT_THREAT_ON_BOUNDARY : TUT_THREAT_ON_COUNT;
    case TUT_THREAT_FROM:
    case TUT_THREAT_TO:
        return on == TUT_THREAT_ON_FLOW ? TUT_THREAT_ON_COMPONENT : TUT_THREAT_ON_COUNT;
    case TUT_THREAT_HOLDER:
        return on == TUT_THREAT_ON_PERMISSION ? TUT_THREAT_ON_COMPONENT : TUT_THREAT_ON_COUNT;
    case TUT_THREAT_LINK_COUNT:
        break;
    }
    return TUT_THREAT_ON_COUNT;
}

static bool unknown_name(tut_compile_state *c, const tut_compile_token *t, tut_str rest,
                         tut_threat_on on)
{
    enum { NAMES_MAX = 128 };
    const char *names[NAMES_MAX];
    const tut_threat_attribute *rows;
    size_t row_count, count = 0;
    size_t at = t->at + (size_t)(rest.data - t->text.data);
    if (!tut_is_ok(tut_threat_attributes(on, &rows, &row_count, NULL)))
        return tut_compile_fail(c, at, rest.len, "unknown attribute");
    for (size_t i = 0; i < row_count && count < NAMES_MAX; i++)
        names[count++] = rows[i].name;
    const char *near = tut_str_nearest(rest, names, count);
    return tut_compile_fail(c, at, rest.len, "a%s %s has no attribute \"%.*s\"%s%s%s",
                            on == TUT_THREAT_ON_ASSET ? "n" : "", tut_threat_on_names[on],
                            (int)rest.len, rest.data, near ? "; did you mean \"" : "",
                            near ? near : "", near ? "\"?" : "");
}

static bool resolve(tut_compile_state *c, const tut_compile_token *t, tut_threat_step *step,
                    tut_compile_value *ret)
{
    tut_threat_on on = c->on;
    tut_str rest = t->text;
    size_t hops = 0;
    for (size_t i = TUT_THREAT_SYSTEM; i < TUT_THREAT_LINK_COUNT && hops < 2; i++) {
        size_t len = strlen(tut_threat_link_names[i]);
        tut_threat_on next = tut_threat_reached(on, (tut_threat_link)i);
        if (next == TUT_THREAT_ON_COUNT || rest.len <= len || rest.data[len] != '.' ||
            memcmp(rest.data, tut_threat_link_names[i], len) != 0)
            continue;
        step->links[hops++] = (uint8_t)i;
        on = next;
        rest = (tut_str){rest.data + len + 1, rest.len - len - 1};
        i = TUT_THREAT_SYSTEM - 1;
    }
    const tut_threat_attribute *rows;
    size_t count;
    size_t place = tut_threat_attribute_find(on, rest);
    if (place == SIZE_MAX || !tut_is_ok(tut_threat_attributes(on, &rows, &count, NULL)))
        return unknown_name(c, t, rest, on);
    step->attribute = (uint16_t)place;
    step->number = rows[place].absent;
    *ret = (tut_compile_value){rows[place].type, rows[place].words, t->text, t->at, t->width};
    return true;
}

/* --- operands --- */

static bool constant(const tut_compile_state *c, tut_str name, int64_t *ret)
{
    if (tut_str_eq_z(name, "true") || tut_str_eq_z(name, "false")) {
        *ret = tut_str_eq_z(name, "true");
        return true;
    }
    const char *const *names = c->yields == TUT_THREAT_LIKELIHOOD ? tut_likelihood_names
                               : c->yields == TUT_THREAT_IMPACT   ? tut_impact_names
                                                                  : NULL;
    for (int i = 0; names && i < TUT_THREAT_SCALE; i++)
        if (tut_str_eq_z(name, names[i])) {
            *ret = i + 1;
            return true;
        }
    return false;
}

/* "text" in LIST */
static bool take_text(tut_compile_state *c)
{
    tut_compile_token text = c->now;
    tut_threat_step step = {.op = TUT_OP_HOLDS};
    tut_compile_value list = {.width = 0};
    if (!tut_compile_advance(c))
        return false;
    if (!tut_compile_is_name(c, "in"))
        return tut_compile_fail(c, text.at, text.width,
                                "a text stands behind == or !=, or before \"in\" and a list");
    if (!tut_compile_advance(c))
        return false;
    tut_compile_token path = c->now;
    if (path.kind != TUT_TOKEN_NAME)
        return tut_compile_fail(c, path.at, path.width, "the name of a list is missing here");
    if (!resolve(c, &path, &step, &list))
        return false;
    if (list.type != TUT_THREAT_LIST)
        return tut_compile_fail(c, path.at, path.width, "%.*s is no list", (int)path.text.len,
                                path.text.data);
    step.text = text.text;
    return tut_compile_advance(c) && tut_compile_emit(c, step) &&
           tut_compile_push(
               c, (tut_compile_value){TUT_THREAT_FLAG, NULL, path.text, text.at, text.width});
}

static bool take_count(tut_compile_state *c)
{
    tut_threat_step step = {.op = TUT_OP_VALUE};
    tut_compile_value list = {.width = 0};
    if (!tut_compile_advance(c) || !tut_compile_expect(c, "("))
        return false;
    tut_compile_token path = c->now;
    if (path.kind != TUT_TOKEN_NAME)
        return tut_compile_fail(c, path.at, path.width, "the name of a list is missing here");
    if (!resolve(c, &path, &step, &list))
        return false;
    if (list.type != TUT_THREAT_LIST)
        return tut_compile_fail(c, path.at, path.width, "%.*s is no list to be counted",
                                (int)path.text.len, path.text.data);
    return tut_compile_advance(c) && tut_compile_expect(c, ")") && tut_compile_emit(c, step) &&
           tut_compile_push(
               c, (tut_compile_value){TUT_THREAT_NUMBER, NULL, path.text, path.at, path.width});
}

/* A word of the set that the other side of the comparison has. */
static bool take_word(tut_compile_state *c, const tut_compile_value *other)
{
    char nearest[512];
    tut_compile_token t = c->now;
    int64_t place = t.kind == TUT_TOKEN_NAME ? tut_threat_word(other->words, t.text) : -1;
    if (place >= 0)
        return tut_compile_advance(c) &&
               tut_compile_emit(c, (tut_threat_step){.op = TUT_OP_PUSH, .number = place}) &&
               tut_compile_push(
                   c, (tut_compile_value){other->type, other->words, t.text, t.at, t.width});
    tut_threat_step step = {.op = TUT_OP_VALUE};
    tut_compile_value o = {.width = 0};
    tut_threat_fault kept = *c->fault;
    if (t.kind == TUT_TOKEN_NAME && resolve(c, &t, &step, &o) && tut_compile_is_word(&o) &&
        strcmp(o.words, other->words) == 0)
        return tut_compile_advance(c) && tut_compile_emit(c, step) && tut_compile_push(c, o);
    c->has_failed = false;
    *c->fault = kept;
    const char *near = t.kind == TUT_TOKEN_NAME
                           ? tut_schema_nearest_word(other->words, t.text, nearest, sizeof(nearest))
                           : NULL;
    return tut_compile_fail(
        c, t.at, t.width, "%.*s is never that; %s%s%s", (int)other->name.len, other->name.data,
        near ? "did you mean \"" : "it is one of: ", near ? near : other->words, near ? "\"?" : "");
}

static const tut_compile_value *compared_word(tut_compile_state *c)
{
    if (!c->pending_count || !c->operand_count)
        return NULL;
    enum tut_threat_op op = c->pendings[c->pending_count - 1].op;
    return op >= TUT_OP_EQ && op <= TUT_OP_GE && tut_compile_is_word(tut_compile_top(c))
               ? tut_compile_top(c)
               : NULL;
}

static bool open_bracket(tut_compile_state *c, uint8_t function, const tut_compile_token *t)
{
    return tut_compile_pend(c, (tut_compile_pending){.op = TUT_OP_BRACKET,
                                                     .function = function,
                                                     .base = c->operand_count,
                                                     .at = t->at,
                                                     .width = t->width});
}

/* One operand, or what leads to one ("not", "(", "max("); *ret_is_whole: it is there. */
bool tut_compile_operand(tut_compile_state *c, bool *ret_is_whole)
{
    tut_compile_token t = c->now;
    int64_t number;
    tut_threat_step step = {.op = TUT_OP_VALUE};
    tut_compile_value o = {.width = 0};
    const tut_compile_value *word = compared_word(c);
    *ret_is_whole = true;
    if (word)
        return take_word(c, word);
    if (t.kind == TUT_TOKEN_NUMBER)
        return tut_compile_advance(c) &&
               tut_compile_emit(c, (tut_threat_step){.op = TUT_OP_PUSH, .number = t.number}) &&
               tut_compile_push(
                   c, (tut_compile_value){TUT_THREAT_NUMBER, NULL, t.text, t.at, t.width});
    if (t.kind == TUT_TOKEN_TEXT)
        return take_text(c);
    *ret_is_whole = false;
    if (tut_compile_is_sign(c, "("))
        return open_bracket(c, TUT_OP_BRACKET, &t) && tut_compile_advance(c);
    if (tut_compile_is_sign(c, "-") || tut_compile_is_name(c, "not"))
        return tut_compile_pend(c, (tut_compile_pending){.op = tut_compile_is_sign(c, "-")
                                                                   ? TUT_OP_NEGATE
                                                                   : TUT_OP_NOT,
                                                         .at = t.at,
                                                         .width = t.width}) &&
               tut_compile_advance(c);
    if (tut_compile_is_name(c, "max") || tut_compile_is_name(c, "min"))
        return open_bracket(c, tut_compile_is_name(c, "max") ? TUT_OP_MAX : TUT_OP_MIN, &t) &&
               tut_compile_advance(c) && tut_compile_expect(c, "(");
    *ret_is_whole = true;
    if (tut_compile_is_name(c, "count"))
        return take_count(c);
    if (t.kind != TUT_TOKEN_NAME)
        return tut_compile_fail(c, t.at, t.width,
                                t.kind == TUT_TOKEN_END
                                    ? "the expression ends too early"
                                    : "an attribute or a number is missing here");
    if (constant(c, t.text, &number)) {
        bool is_flag = tut_str_eq_z(t.text, "true") || tut_str_eq_z(t.text, "false");
        return tut_compile_advance(c) &&
               tut_compile_emit(c, (tut_threat_step){.op = TUT_OP_PUSH, .number = number}) &&
               tut_compile_push(c,
                                (tut_compile_value){is_flag ? TUT_THREAT_FLAG : TUT_THREAT_NUMBER,
                                                    NULL, t.text, t.at, t.width});
    }
    return resolve(c, &t, &step, &o) && tut_compile_advance(c) && tut_compile_emit(c, step) &&
           tut_compile_push(c, o);
}
