/* From text to steps: operators by precedence, with their own stacks (Dijkstra's shunting yard), so
 * that no depth of brackets reaches the machine's stack. */
#include "govern/threat_lang.h"

#include <ctype.h>
#include <stdio.h>

#include "assets/schema.h"
#include "govern/threat_internal.h"

static const uint8_t strength[] = {
    [TUT_OP_OR] = 1,     [TUT_OP_AND] = 2, [TUT_OP_NOT] = 3,      [TUT_OP_EQ] = 4,
    [TUT_OP_NE] = 4,     [TUT_OP_LT] = 4,  [TUT_OP_LE] = 4,       [TUT_OP_GT] = 4,
    [TUT_OP_GE] = 4,     [TUT_OP_ADD] = 5, [TUT_OP_SUBTRACT] = 5, [TUT_OP_NEGATE] = 6,
    [TUT_OP_BRACKET] = 0};

typedef enum token_kind { END, NAME, NUMBER, TEXT, SIGN } token_kind;

typedef struct token {
    token_kind kind;
    tut_str text; /* as written; of a TEXT without its quotes */
    size_t at, width;
    int64_t number;
} token;

typedef struct operand { /* what a value on the stack will be */
    tut_threat_type type;
    const char *words;
    tut_str name; /* as written, for messages */
    size_t at, width;
} operand;

typedef struct pending {
    enum tut_threat_op op;
    uint8_t function; /* of a bracket: TUT_OP_MAX, TUT_OP_MIN, or TUT_OP_BRACKET for none */
    size_t base;      /* of a function: operands below its own */
    size_t at, width;
} pending;

typedef struct compiling {
    tut_str text;
    size_t pos;
    tut_threat_on on;
    tut_threat_yields yields;
    tut_threat_code *code;
    tut_threat_fault *fault;
    operand operands[TUT_THREAT_STACK_MAX];
    size_t operand_count;
    pending pendings[TUT_THREAT_STACK_MAX];
    size_t pending_count;
    token now;
    bool has_failed;
} compiling;

static bool fail(compiling *c, size_t at, size_t width, const char *fmt, ...) TUT_PRINTF(4, 5);
static bool fail(compiling *c, size_t at, size_t width, const char *fmt, ...)
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

static bool read_number(compiling *c, token *t)
{
    uint64_t number;
    if (!tut_str_u64(t->text, &number) || number > 1000000)
        return fail(c, t->at, t->width, "numbers are whole and at most 1000000");
    t->kind = NUMBER;
    t->number = (int64_t)number;
    return true;
}

static bool read_text(compiling *c, token *t)
{
    size_t end = t->at + 1;
    while (end < c->text.len && c->text.data[end] != '"')
        end++;
    if (end == c->text.len)
        return fail(c, t->at, 1, "the text does not end: a \" is missing");
    t->kind = TEXT;
    t->text = (tut_str){c->text.data + t->at + 1, end - t->at - 1};
    t->width = end + 1 - t->at;
    return true;
}

static bool advance(compiling *c)
{
    while (c->pos < c->text.len && isspace((unsigned char)c->text.data[c->pos]))
        c->pos++;
    token t = {.kind = END, .at = c->pos, .width = 1};
    if (c->pos < c->text.len) {
        char ch = c->text.data[c->pos];
        bool is_double = c->pos + 1 < c->text.len && c->text.data[c->pos + 1] == '=' &&
                         strchr("=!<>", ch);
        t.kind = SIGN;
        t.width = is_double ? 2 : 1;
        if (isalnum((unsigned char)ch)) {
            t.kind = NAME;
            t.width = name_len(c->text, c->pos);
        }
        t.text = (tut_str){c->text.data + c->pos, t.width};
        if (isdigit((unsigned char)ch) && !read_number(c, &t))
            return false;
        if (ch == '"' && !read_text(c, &t))
            return false;
    }
    c->pos = t.at + (t.kind == END ? 0 : t.width);
    c->now = t;
    return true;
}

static bool is_sign(const compiling *c, const char *sign)
{
    return c->now.kind == SIGN && tut_str_eq_z(c->now.text, sign);
}

static bool is_name(const compiling *c, const char *name)
{
    return c->now.kind == NAME && tut_str_eq_z(c->now.text, name);
}

static bool expect_sign(compiling *c, const char *sign)
{
    if (!is_sign(c, sign))
        return fail(c, c->now.at, c->now.width, "a \"%s\" is missing here", sign);
    return advance(c);
}

/* --- steps --- */

static bool emit(compiling *c, tut_threat_step step)
{
    if (c->code->count == TUT_THREAT_CODE_MAX)
        return fail(c, 0, c->text.len, "the expression has more than %d steps; split the rule",
                    TUT_THREAT_CODE_MAX);
    c->code->steps[c->code->count++] = step;
    return true;
}

static bool push_operand(compiling *c, operand o)
{
    if (c->operand_count == TUT_THREAT_STACK_MAX)
        return fail(c, o.at, o.width, "the expression is nested too deep");
    c->operands[c->operand_count++] = o;
    return true;
}

static bool push_pending(compiling *c, pending p)
{
    if (c->pending_count == TUT_THREAT_STACK_MAX)
        return fail(c, p.at, p.width, "the expression is nested too deep");
    c->pendings[c->pending_count++] = p;
    return true;
}

static operand *top(compiling *c)
{
    return &c->operands[c->operand_count - 1];
}

static bool wants_flag(compiling *c, const operand *o)
{
    int len = (int)o->name.len;
    switch (o->type) {
    case TUT_THREAT_FLAG:
        return true;
    case TUT_THREAT_TEXT:
        return fail(c, o->at, o->width, "%.*s is a text, not true or false; write %.*s != \"\"",
                    len, o->name.data, len, o->name.data);
    case TUT_THREAT_LIST:
        return fail(c, o->at, o->width, "%.*s is a list, not true or false; write count(%.*s) > 0",
                    len, o->name.data, len, o->name.data);
    case TUT_THREAT_WORD:
    case TUT_THREAT_LEVEL:
        return fail(c, o->at, o->width,
                    "%.*s is a word, not true or false; compare it with one of: %s", len,
                    o->name.data, o->words);
    case TUT_THREAT_NUMBER:
        break;
    }
    return fail(c, o->at, o->width, "a number is no condition; compare it");
}

static bool wants_number(compiling *c, const operand *o)
{
    if (o->type == TUT_THREAT_FLAG || o->type == TUT_THREAT_NUMBER || o->type == TUT_THREAT_LEVEL)
        return true;
    return fail(c, o->at, o->width, "%.*s is no number%s", (int)o->name.len, o->name.data,
                o->type == TUT_THREAT_LIST ? "; count(...) says how many" : "");
}

static bool apply_unary(compiling *c, const pending *p)
{
    operand *o = top(c);
    if (p->op == TUT_OP_NOT ? !wants_flag(c, o) : !wants_number(c, o))
        return false;
    *o = (operand){.type = p->op == TUT_OP_NOT ? TUT_THREAT_FLAG : TUT_THREAT_NUMBER,
                   .name = o->name,
                   .at = o->at,
                   .width = o->width};
    return emit(c, (tut_threat_step){.op = (uint8_t)p->op});
}

static bool is_word(const operand *o)
{
    return o->type == TUT_THREAT_WORD || o->type == TUT_THREAT_LEVEL;
}

static bool check_compared(compiling *c, const pending *p, const operand *a, const operand *b)
{
    bool is_ordering = p->op != TUT_OP_EQ && p->op != TUT_OP_NE;
    if (is_word(a) && is_word(b) && strcmp(a->words, b->words) == 0) {
        if (is_ordering && a->type != TUT_THREAT_LEVEL)
            return fail(c, p->at, p->width, "the words of %.*s have no order; use ==, != or in",
                        (int)a->name.len, a->name.data);
        return true;
    }
    if (a->type == TUT_THREAT_WORD || b->type == TUT_THREAT_WORD)
        return fail(c, p->at, p->width, "a word cannot be compared with that");
    return wants_number(c, a) && wants_number(c, b);
}

static bool apply_binary(compiling *c, const pending *p)
{
    operand *a = &c->operands[c->operand_count - 2];
    operand *b = &c->operands[c->operand_count - 1];
    tut_threat_type result = TUT_THREAT_FLAG;
    if (p->op == TUT_OP_AND || p->op == TUT_OP_OR) {
        if (!wants_flag(c, a) || !wants_flag(c, b))
            return false;
    } else if (p->op >= TUT_OP_EQ && p->op <= TUT_OP_GE) {
        if (!check_compared(c, p, a, b))
            return false;
    } else {
        if (!wants_number(c, a) || !wants_number(c, b))
            return false;
        result = TUT_THREAT_NUMBER;
    }
    *a = (operand){.type = result, .name = a->name, .at = a->at, .width = b->at + b->width - a->at};
    c->operand_count--;
    return emit(c, (tut_threat_step){.op = (uint8_t)p->op});
}

static bool apply(compiling *c)
{
    pending p = c->pendings[--c->pending_count];
    bool is_unary = p.op == TUT_OP_NOT || p.op == TUT_OP_NEGATE;
    return is_unary ? apply_unary(c, &p) : apply_binary(c, &p);
}

static bool apply_down_to(compiling *c, uint8_t weakest)
{
    while (c->pending_count && c->pendings[c->pending_count - 1].op != TUT_OP_BRACKET &&
           strength[c->pendings[c->pending_count - 1].op] >= weakest)
        if (!apply(c))
            return false;
    return true;
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

static bool unknown_name(compiling *c, const token *t, tut_str rest, tut_threat_on on)
{
    enum { NAMES_MAX = 128 };
    const char *names[NAMES_MAX];
    const tut_threat_attribute *rows;
    size_t row_count, count = 0;
    size_t at = t->at + (size_t)(rest.data - t->text.data);
    if (!tut_is_ok(tut_threat_attributes(on, &rows, &row_count, NULL)))
        return fail(c, at, rest.len, "unknown attribute");
    for (size_t i = 0; i < row_count && count < NAMES_MAX; i++)
        names[count++] = rows[i].name;
    const char *near = tut_str_nearest(rest, names, count);
    return fail(c, at, rest.len, "a%s %s has no attribute \"%.*s\"%s%s%s",
                on == TUT_THREAT_ON_ASSET ? "n" : "", tut_threat_on_names[on], (int)rest.len,
                rest.data, near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
}

static bool resolve(compiling *c, const token *t, tut_threat_step *step, operand *ret)
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
    *ret = (operand){rows[place].type, rows[place].words, t->text, t->at, t->width};
    return true;
}

/* --- operands --- */

static bool constant(const compiling *c, tut_str name, int64_t *ret)
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
static bool take_text(compiling *c)
{
    token text = c->now;
    tut_threat_step step = {.op = TUT_OP_HOLDS};
    operand list;
    if (!advance(c))
        return false;
    if (!is_name(c, "in"))
        return fail(c, text.at, text.width,
                    "a text stands behind == or !=, or before \"in\" and a list");
    if (!advance(c))
        return false;
    token path = c->now;
    if (path.kind != NAME)
        return fail(c, path.at, path.width, "the name of a list is missing here");
    if (!resolve(c, &path, &step, &list))
        return false;
    if (list.type != TUT_THREAT_LIST)
        return fail(c, path.at, path.width, "%.*s is no list", (int)path.text.len, path.text.data);
    step.text = text.text;
    return advance(c) && emit(c, step) &&
           push_operand(c, (operand){TUT_THREAT_FLAG, NULL, path.text, text.at, text.width});
}

static bool take_count(compiling *c)
{
    tut_threat_step step = {.op = TUT_OP_VALUE};
    operand list;
    if (!advance(c) || !expect_sign(c, "("))
        return false;
    token path = c->now;
    if (path.kind != NAME)
        return fail(c, path.at, path.width, "the name of a list is missing here");
    if (!resolve(c, &path, &step, &list))
        return false;
    if (list.type != TUT_THREAT_LIST)
        return fail(c, path.at, path.width, "%.*s is no list to be counted", (int)path.text.len,
                    path.text.data);
    return advance(c) && expect_sign(c, ")") && emit(c, step) &&
           push_operand(c, (operand){TUT_THREAT_NUMBER, NULL, path.text, path.at, path.width});
}

/* A word of the set that the other side of the comparison has. */
static bool take_word(compiling *c, const operand *other)
{
    char nearest[512];
    token t = c->now;
    int64_t place = t.kind == NAME ? tut_threat_word(other->words, t.text) : -1;
    if (place >= 0)
        return advance(c) && emit(c, (tut_threat_step){.op = TUT_OP_PUSH, .number = place}) &&
               push_operand(c, (operand){other->type, other->words, t.text, t.at, t.width});
    tut_threat_step step = {.op = TUT_OP_VALUE};
    operand o;
    tut_threat_fault kept = *c->fault;
    if (t.kind == NAME && resolve(c, &t, &step, &o) && is_word(&o) &&
        strcmp(o.words, other->words) == 0)
        return advance(c) && emit(c, step) && push_operand(c, o);
    c->has_failed = false;
    *c->fault = kept;
    const char *near = t.kind == NAME
                           ? tut_schema_nearest_word(other->words, t.text, nearest, sizeof(nearest))
                           : NULL;
    return fail(
        c, t.at, t.width, "%.*s is never that; %s%s%s", (int)other->name.len, other->name.data,
        near ? "did you mean \"" : "it is one of: ", near ? near : other->words, near ? "\"?" : "");
}

static const operand *compared_word(compiling *c)
{
    if (!c->pending_count || !c->operand_count)
        return NULL;
    enum tut_threat_op op = c->pendings[c->pending_count - 1].op;
    return op >= TUT_OP_EQ && op <= TUT_OP_GE && is_word(top(c)) ? top(c) : NULL;
}

static bool open_bracket(compiling *c, uint8_t function, const token *t)
{
    return push_pending(c, (pending){.op = TUT_OP_BRACKET,
                                     .function = function,
                                     .base = c->operand_count,
                                     .at = t->at,
                                     .width = t->width});
}

/* One operand, or what leads to one ("not", "(", "max("); *ret_is_whole: it is there. */
static bool take_operand(compiling *c, bool *ret_is_whole)
{
    token t = c->now;
    int64_t number;
    tut_threat_step step = {.op = TUT_OP_VALUE};
    operand o;
    const operand *word = compared_word(c);
    *ret_is_whole = true;
    if (word)
        return take_word(c, word);
    if (t.kind == NUMBER)
        return advance(c) && emit(c, (tut_threat_step){.op = TUT_OP_PUSH, .number = t.number}) &&
               push_operand(c, (operand){TUT_THREAT_NUMBER, NULL, t.text, t.at, t.width});
    if (t.kind == TEXT)
        return take_text(c);
    *ret_is_whole = false;
    if (is_sign(c, "("))
        return open_bracket(c, TUT_OP_BRACKET, &t) && advance(c);
    if (is_sign(c, "-") || is_name(c, "not"))
        return push_pending(c, (pending){.op = is_sign(c, "-") ? TUT_OP_NEGATE : TUT_OP_NOT,
                                         .at = t.at,
                                         .width = t.width}) &&
               advance(c);
    if (is_name(c, "max") || is_name(c, "min"))
        return open_bracket(c, is_name(c, "max") ? TUT_OP_MAX : TUT_OP_MIN, &t) && advance(c) &&
               expect_sign(c, "(");
    *ret_is_whole = true;
    if (is_name(c, "count"))
        return take_count(c);
    if (t.kind != NAME)
        return fail(c, t.at, t.width,
                    t.kind == END ? "the expression ends too early"
                                  : "an attribute or a number is missing here");
    if (constant(c, t.text, &number)) {
        bool is_flag = tut_str_eq_z(t.text, "true") || tut_str_eq_z(t.text, "false");
        return advance(c) && emit(c, (tut_threat_step){.op = TUT_OP_PUSH, .number = number}) &&
               push_operand(c, (operand){is_flag ? TUT_THREAT_FLAG : TUT_THREAT_NUMBER, NULL,
                                         t.text, t.at, t.width});
    }
    return resolve(c, &t, &step, &o) && advance(c) && emit(c, step) && push_operand(c, o);
}

/* --- operators --- */

/* WORD in (a, b) */
static bool take_set(compiling *c)
{
    operand *o = top(c);
    uint64_t set = 0;
    char nearest[512];
    if (!is_word(o))
        return fail(c, o->at, o->width, "only a word can be one of several; \"text\" in a list");
    if (!expect_sign(c, "("))
        return false;
    for (;;) {
        int64_t place = c->now.kind == NAME ? tut_threat_word(o->words, c->now.text) : -1;
        if (place < 0 || place > 63) {
            const char *near = c->now.kind == NAME
                                   ? tut_schema_nearest_word(o->words, c->now.text, nearest,
                                                             sizeof(nearest))
                                   : NULL;
            return fail(c, c->now.at, c->now.width, "%.*s is never that; %s%s%s", (int)o->name.len,
                        o->name.data,
                        near ? "did you mean \"" : "it is one of: ", near ? near : o->words,
                        near ? "\"?" : "");
        }
        set |= 1ull << place;
        if (!advance(c))
            return false;
        if (!is_sign(c, ","))
            break;
        if (!advance(c))
            return false;
    }
    *o = (operand){TUT_THREAT_FLAG, NULL, o->name, o->at, o->width};
    return expect_sign(c, ")") &&
           emit(c, (tut_threat_step){.op = TUT_OP_IN, .number = (int64_t)set});
}

/* PATH == "text": the step that was emitted last becomes the comparison. */
static bool compare_text(compiling *c, enum tut_threat_op op, const token *sign)
{
    operand *o = top(c);
    tut_threat_step *last = &c->code->steps[c->code->count - 1];
    if (op != TUT_OP_EQ && op != TUT_OP_NE)
        return fail(c, sign->at, sign->width, "texts have no order; use == or !=");
    if (c->now.kind != TEXT)
        return fail(c, c->now.at, c->now.width, "%.*s is compared with a text in quotes",
                    (int)o->name.len, o->name.data);
    last->op = TUT_OP_IS_TEXT;
    last->text = c->now.text;
    *o = (operand){TUT_THREAT_FLAG, NULL, o->name, o->at, o->width};
    return advance(c) && (op == TUT_OP_EQ || emit(c, (tut_threat_step){.op = TUT_OP_NOT}));
}

static bool close_bracket(compiling *c, bool is_comma)
{
    token t = c->now;
    if (!apply_down_to(c, 0))
        return false;
    if (!c->pending_count)
        return fail(c, t.at, t.width, "nothing was opened that this \"%.*s\" could belong to",
                    (int)t.text.len, t.text.data);
    pending *p = &c->pendings[c->pending_count - 1];
    if (is_comma && p->function == TUT_OP_BRACKET)
        return fail(c, t.at, t.width, "a comma separates what max, min and in compare");
    if (p->function != TUT_OP_BRACKET) {
        if (!wants_number(c, top(c)))
            return false;
        if (c->operand_count - p->base == 2) {
            c->operand_count--;
            if (!emit(c, (tut_threat_step){.op = p->function}))
                return false;
        }
        *top(c) = (operand){TUT_THREAT_NUMBER, NULL, top(c)->name, top(c)->at, top(c)->width};
    }
    if (!is_comma)
        c->pending_count--;
    return advance(c);
}

static const struct {
    const char *sign;
    enum tut_threat_op op;
} signs[] = {{"==", TUT_OP_EQ}, {"!=", TUT_OP_NE},  {"<", TUT_OP_LT},  {"<=", TUT_OP_LE},
             {">", TUT_OP_GT},  {">=", TUT_OP_GE},  {"+", TUT_OP_ADD}, {"-", TUT_OP_SUBTRACT},
             {"or", TUT_OP_OR}, {"and", TUT_OP_AND}};

static bool find_operator(const compiling *c, enum tut_threat_op *ret)
{
    for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++)
        if ((c->now.kind == SIGN || c->now.kind == NAME) &&
            tut_str_eq_z(c->now.text, signs[i].sign)) {
            *ret = signs[i].op;
            return true;
        }
    return false;
}

static bool take_binary(compiling *c, bool *ret_wants_operand)
{
    enum tut_threat_op op;
    token sign = c->now;
    if (!find_operator(c, &op))
        return fail(c, sign.at, sign.width, "and, or, in or a comparison is missing here");
    if (!apply_down_to(c, (uint8_t)(strength[op] + (strength[op] == 4))))
        return false;
    if (strength[op] == 4 && c->pending_count &&
        strength[c->pendings[c->pending_count - 1].op] == 4)
        return fail(c, sign.at, sign.width, "comparisons cannot be chained; join two with and");
    if (!advance(c))
        return false;
    if (strength[op] == 4 && top(c)->type == TUT_THREAT_TEXT)
        return compare_text(c, op, &sign);
    *ret_wants_operand = true;
    return push_pending(c, (pending){.op = op, .at = sign.at, .width = sign.width});
}

/* What follows an operand; *ret_wants_operand: another one has to come then. */
static bool take_operator(compiling *c, bool *ret_wants_operand)
{
    *ret_wants_operand = false;
    if (is_sign(c, ")"))
        return close_bracket(c, false);
    if (is_sign(c, ",")) {
        *ret_wants_operand = true;
        return close_bracket(c, true);
    }
    bool is_negated = is_name(c, "not");
    token t = c->now;
    if (is_negated && !advance(c))
        return false;
    if (is_name(c, "in"))
        return apply_down_to(c, 5) && advance(c) && take_set(c) &&
               (!is_negated || emit(c, (tut_threat_step){.op = TUT_OP_NOT}));
    if (is_negated)
        return fail(c, t.at, t.width, "and, or, in or a comparison is missing here");
    return take_binary(c, ret_wants_operand);
}

static bool finish(compiling *c)
{
    if (!apply_down_to(c, 0))
        return false;
    if (c->pending_count)
        return fail(c, c->pendings[c->pending_count - 1].at, 1, "this bracket is not closed");
    const operand *o = top(c);
    if (c->yields == TUT_THREAT_CONDITION)
        return wants_flag(c, o);
    if (o->type != TUT_THREAT_NUMBER)
        return fail(c, o->at, o->width, "a number from 1 to 5 is wanted here, or its word");
    return true;
}

bool tut_threat_compile(tut_str text, tut_threat_on on, tut_threat_yields yields,
                        tut_threat_code *ret_code, tut_threat_fault *ret_fault)
{
    compiling c = {.text = text, .on = on, .yields = yields, .code = ret_code, .fault = ret_fault};
    bool wants_operand = true;
    ret_code->count = 0;
    if (text.len > TUT_THREAT_TEXT_MAX)
        return fail(&c, 0, 1, "an expression has at most %d bytes; split the rule",
                    TUT_THREAT_TEXT_MAX);
    if (!advance(&c))
        return false;
    while (wants_operand || c.now.kind != END) {
        bool is_whole = true;
        if (wants_operand ? !take_operand(&c, &is_whole) : !take_operator(&c, &is_whole))
            return false;
        wants_operand = wants_operand ? !is_whole : is_whole;
    }
    return finish(&c);
}
