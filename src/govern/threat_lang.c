/* From text to steps: operators by precedence, with their own stacks (Dijkstra's shunting yard), so
 * that no depth of brackets reaches the machine's stack. */
#include "assets/schema.h"
#include "govern/threat_compile.h"
#include "govern/threat_internal.h"

static const uint8_t strength[] = {
    [TUT_OP_OR] = 1,     [TUT_OP_AND] = 2, [TUT_OP_NOT] = 3,      [TUT_OP_EQ] = 4,
    [TUT_OP_NE] = 4,     [TUT_OP_LT] = 4,  [TUT_OP_LE] = 4,       [TUT_OP_GT] = 4,
    [TUT_OP_GE] = 4,     [TUT_OP_ADD] = 5, [TUT_OP_SUBTRACT] = 5, [TUT_OP_NEGATE] = 6,
    [TUT_OP_BRACKET] = 0};

/* --- applying --- */

static bool apply_unary(tut_compile_state *c, const tut_compile_pending *p)
{
    tut_compile_value *o = tut_compile_top(c);
    if (p->op == TUT_OP_NOT ? !tut_compile_wants_flag(c, o) : !tut_compile_wants_number(c, o))
        return false;
    *o = (tut_compile_value){.type = p->op == TUT_OP_NOT ? TUT_THREAT_FLAG : TUT_THREAT_NUMBER,
                             .name = o->name,
                             .at = o->at,
                             .width = o->width};
    return tut_compile_emit(c, (tut_threat_step){.op = (uint8_t)p->op});
}

static bool check_compared(tut_compile_state *c, const tut_compile_pending *p,
                           const tut_compile_value *a, const tut_compile_value *b)
{
    bool is_ordering = p->op != TUT_OP_EQ && p->op != TUT_OP_NE;
    if (tut_compile_is_word(a) && tut_compile_is_word(b) && strcmp(a->words, b->words) == 0) {
        if (is_ordering && a->type != TUT_THREAT_LEVEL)
            return tut_compile_fail(c, p->at, p->width,
                                    "the words of %.*s have no order; use ==, != or in",
                                    (int)a->name.len, a->name.data);
        return true;
    }
    if (a->type == TUT_THREAT_WORD || b->type == TUT_THREAT_WORD)
        return tut_compile_fail(c, p->at, p->width, "a word cannot be compared with that");
    return tut_compile_wants_number(c, a) && tut_compile_wants_number(c, b);
}

static bool apply_binary(tut_compile_state *c, const tut_compile_pending *p)
{
    tut_compile_value *a = &c->operands[c->operand_count - 2];
    tut_compile_value *b = &c->operands[c->operand_count - 1];
    tut_threat_type result = TUT_THREAT_FLAG;
    if (p->op == TUT_OP_AND || p->op == TUT_OP_OR) {
        if (!tut_compile_wants_flag(c, a) || !tut_compile_wants_flag(c, b))
            return false;
    } else if (p->op >= TUT_OP_EQ && p->op <= TUT_OP_GE) {
        if (!check_compared(c, p, a, b))
            return false;
    } else {
        if (!tut_compile_wants_number(c, a) || !tut_compile_wants_number(c, b))
            return false;
        result = TUT_THREAT_NUMBER;
    }
    *a = (tut_compile_value){
        .type = result, .name = a->name, .at = a->at, .width = b->at + b->width - a->at};
    c->operand_count--;
    return tut_compile_emit(c, (tut_threat_step){.op = (uint8_t)p->op});
}

static bool apply(tut_compile_state *c)
{
    tut_compile_pending p = c->pendings[--c->pending_count];
    bool is_unary = p.op == TUT_OP_NOT || p.op == TUT_OP_NEGATE;
    return is_unary ? apply_unary(c, &p) : apply_binary(c, &p);
}

static bool apply_down_to(tut_compile_state *c, uint8_t weakest)
{
    while (c->pending_count && c->pendings[c->pending_count - 1].op != TUT_OP_BRACKET &&
           strength[c->pendings[c->pending_count - 1].op] >= weakest)
        if (!apply(c))
            return false;
    return true;
}

/* --- operators --- */

/* WORD in (a, b) */
static bool take_set(tut_compile_state *c)
{
    tut_compile_value *o = tut_compile_top(c);
    uint64_t set = 0;
    char nearest[512];
    if (!tut_compile_is_word(o))
        return tut_compile_fail(c, o->at, o->width,
                                "only a word can be one of several; \"text\" in a list");
    if (!tut_compile_expect(c, "("))
        return false;
    for (;;) {
        int64_t place = c->now.kind == TUT_TOKEN_NAME ? tut_threat_word(o->words, c->now.text) : -1;
        if (place < 0 || place > 63) {
            const char *near = c->now.kind == TUT_TOKEN_NAME
                                   ? tut_schema_nearest_word(o->words, c->now.text, nearest,
                                                             sizeof(nearest))
                                   : NULL;
            return tut_compile_fail(
                c, c->now.at, c->now.width, "%.*s is never that; %s%s%s", (int)o->name.len,
                o->name.data, near ? "did you mean \"" : "it is one of: ", near ? near : o->words,
                near ? "\"?" : "");
        }
        set |= 1ull << place;
        if (!tut_compile_advance(c))
            return false;
        if (!tut_compile_is_sign(c, ","))
            break;
        if (!tut_compile_advance(c))
            return false;
    }
    *o = (tut_compile_value){TUT_THREAT_FLAG, NULL, o->name, o->at, o->width};
    return tut_compile_expect(c, ")") &&
           tut_compile_emit(c, (tut_threat_step){.op = TUT_OP_IN, .number = (int64_t)set});
}

/* PATH == "text": the step that was emitted last becomes the comparison. */
static bool compare_text(tut_compile_state *c, enum tut_threat_op op, const tut_compile_token *sign)
{
    tut_compile_value *o = tut_compile_top(c);
    tut_threat_step *last = &c->code->steps[c->code->count - 1];
    if (op != TUT_OP_EQ && op != TUT_OP_NE)
        return tut_compile_fail(c, sign->at, sign->width, "texts have no order; use == or !=");
    if (c->now.kind != TUT_TOKEN_TEXT)
        return tut_compile_fail(c, c->now.at, c->now.width,
                                "%.*s is compared with a text in quotes", (int)o->name.len,
                                o->name.data);
    last->op = TUT_OP_IS_TEXT;
    last->text = c->now.text;
    *o = (tut_compile_value){TUT_THREAT_FLAG, NULL, o->name, o->at, o->width};
    return tut_compile_advance(c) &&
           (op == TUT_OP_EQ || tut_compile_emit(c, (tut_threat_step){.op = TUT_OP_NOT}));
}

static bool close_bracket(tut_compile_state *c, bool is_comma)
{
    tut_compile_token t = c->now;
    if (!apply_down_to(c, 0))
        return false;
    if (!c->pending_count)
        return tut_compile_fail(c, t.at, t.width,
                                "nothing was opened that this \"%.*s\" could belong to",
                                (int)t.text.len, t.text.data);
    tut_compile_pending *p = &c->pendings[c->pending_count - 1];
    if (is_comma && p->function == TUT_OP_BRACKET)
        return tut_compile_fail(c, t.at, t.width, "a comma separates what max, min and in compare");
    if (p->function != TUT_OP_BRACKET) {
        if (!tut_compile_wants_number(c, tut_compile_top(c)))
            return false;
        if (c->operand_count - p->base == 2) {
            c->operand_count--;
            if (!tut_compile_emit(c, (tut_threat_step){.op = p->function}))
                return false;
        }
        *tut_compile_top(c) = (tut_compile_value){TUT_THREAT_NUMBER, NULL, tut_compile_top(c)->name,
                                                  tut_compile_top(c)->at,
                                                  tut_compile_top(c)->width};
    }
    if (!is_comma)
        c->pending_count--;
    return tut_compile_advance(c);
}

static const struct {
    const char *sign;
    enum tut_threat_op op;
} signs[] = {{"==", TUT_OP_EQ}, {"!=", TUT_OP_NE},  {"<", TUT_OP_LT},  {"<=", TUT_OP_LE},
             {">", TUT_OP_GT},  {">=", TUT_OP_GE},  {"+", TUT_OP_ADD}, {"-", TUT_OP_SUBTRACT},
             {"or", TUT_OP_OR}, {"and", TUT_OP_AND}};

static bool find_operator(const tut_compile_state *c, enum tut_threat_op *ret)
{
    for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++)
        if ((c->now.kind == TUT_TOKEN_SIGN || c->now.kind == TUT_TOKEN_NAME) &&
            tut_str_eq_z(c->now.text, signs[i].sign)) {
            *ret = signs[i].op;
            return true;
        }
    return false;
}

static bool take_binary(tut_compile_state *c, bool *ret_wants_operand)
{
    enum tut_threat_op op;
    tut_compile_token sign = c->now;
    if (!find_operator(c, &op))
        return tut_compile_fail(c, sign.at, sign.width,
                                "and, or, in or a comparison is missing here");
    if (!apply_down_to(c, (uint8_t)(strength[op] + (strength[op] == 4))))
        return false;
    if (strength[op] == 4 && c->pending_count &&
        strength[c->pendings[c->pending_count - 1].op] == 4)
        return tut_compile_fail(c, sign.at, sign.width,
                                "comparisons cannot be chained; join two with and");
    if (!tut_compile_advance(c))
        return false;
    if (strength[op] == 4 && tut_compile_top(c)->type == TUT_THREAT_TEXT)
        return compare_text(c, op, &sign);
    *ret_wants_operand = true;
    return tut_compile_pend(c, (tut_compile_pending){.op = op, .at = sign.at, .width = sign.width});
}

/* What follows an operand; *ret_wants_operand: another one has to come then. */
static bool take_operator(tut_compile_state *c, bool *ret_wants_operand)
{
    *ret_wants_operand = false;
    if (tut_compile_is_sign(c, ")"))
        return close_bracket(c, false);
    if (tut_compile_is_sign(c, ",")) {
        *ret_wants_operand = true;
        return close_bracket(c, true);
    }
    bool is_negated = tut_compile_is_name(c, "not");
    tut_compile_token t = c->now;
    if (is_negated && !tut_compile_advance(c))
        return false;
    if (tut_compile_is_name(c, "in"))
        return apply_down_to(c, 5) && tut_compile_advance(c) && take_set(c) &&
               (!is_negated || tut_compile_emit(c, (tut_threat_step){.op = TUT_OP_NOT}));
    if (is_negated)
        return tut_compile_fail(c, t.at, t.width, "and, or, in or a comparison is missing here");
    return take_binary(c, ret_wants_operand);
}

static bool finish(tut_compile_state *c)
{
    if (!apply_down_to(c, 0))
        return false;
    if (c->pending_count)
        return tut_compile_fail(c, c->pendings[c->pending_count - 1].at, 1,
                                "this bracket is not closed");
    const tut_compile_value *o = tut_compile_top(c);
    if (c->yields == TUT_THREAT_CONDITION)
        return tut_compile_wants_flag(c, o);
    if (o->type != TUT_THREAT_NUMBER)
        return tut_compile_fail(c, o->at, o->width,
                                "a number from 1 to 5 is wanted here, or its word");
    return true;
}

bool tut_threat_compile(tut_str text, tut_threat_on on, tut_threat_yields yields,
                        tut_threat_code *ret_code, tut_threat_fault *ret_fault)
{
    tut_compile_state c = {
        .text = text, .on = on, .yields = yields, .code = ret_code, .fault = ret_fault};
    bool wants_operand = true;
    ret_code->count = 0;
    if (text.len > TUT_THREAT_TEXT_MAX)
        return tut_compile_fail(&c, 0, 1, "an expression has at most %d bytes; split the rule",
                                TUT_THREAT_TEXT_MAX);
    if (!tut_compile_advance(&c))
        return false;
    while (wants_operand || c.now.kind != TUT_TOKEN_END) {
        bool is_whole = true;
        if (wants_operand ? !tut_compile_operand(&c, &is_whole) : !take_operator(&c, &is_whole))
            return false;
        wants_operand = wants_operand ? !is_whole : is_whole;
    }
    return finish(&c);
}
