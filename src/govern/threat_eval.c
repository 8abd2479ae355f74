/* Steps over one element: a stack of numbers and no branches, so that every expression has an
 * answer after as many steps as it has. */
#include "govern/threat_internal.h"
#include "govern/threat_lang.h"

static const tut_threat_element *reach(const tut_threat_step *s, const tut_threat_element *e)
{
    for (size_t i = 0; e && i < 2 && s->links[i] != TUT_THREAT_SELF; i++)
        e = e->links[s->links[i]];
    return e;
}

/* Where nothing is linked, what rules take something unknown for. */
static int64_t value_of(const tut_threat_step *s, const tut_threat_element *e)
{
    const tut_threat_element *at = reach(s, e);
    return at ? at->values[s->attribute].number : s->number;
}

static bool is_text(const tut_threat_step *s, const tut_threat_element *e)
{
    const tut_threat_element *at = reach(s, e);
    return tut_str_eq(at ? at->values[s->attribute].text : (tut_str){"", 0}, s->text);
}

static bool holds(const tut_threat_step *s, const tut_threat_element *e)
{
    const tut_threat_element *at = reach(s, e);
    const tut_str_list *list = at ? &at->values[s->attribute].list : NULL;
    for (size_t i = 0; list && i < list->count; i++)
        if (tut_str_eq(list->items[i], s->text))
            return true;
    return false;
}

static int64_t combine(uint8_t op, int64_t a, int64_t b)
{
    switch (op) {
    case TUT_OP_OR:
        return a || b;
    case TUT_OP_AND:
        return a && b;
    case TUT_OP_EQ:
        return a == b;
    case TUT_OP_NE:
        return a != b;
    case TUT_OP_LT:
        return a < b;
    case TUT_OP_LE:
        return a <= b;
    case TUT_OP_GT:
        return a > b;
    case TUT_OP_GE:
        return a >= b;
    case TUT_OP_ADD:
        return a + b;
    case TUT_OP_SUBTRACT:
        return a - b;
    case TUT_OP_MAX:
        return a > b ? a : b;
    case TUT_OP_MIN:
        return a < b ? a : b;
    default:
        return 0;
    }
}

/* How many values an operation takes from the stack. */
static size_t takes(uint8_t op)
{
    switch (op) {
    case TUT_OP_PUSH:
    case TUT_OP_VALUE:
    case TUT_OP_IS_TEXT:
    case TUT_OP_HOLDS:
        return 0;
    case TUT_OP_IN:
    case TUT_OP_NOT:
    case TUT_OP_NEGATE:
        return 1;
    default:
        return 2;
    }
}

int64_t tut_threat_eval(const tut_threat_code *code, const tut_threat_element *e)
{
    int64_t stack[TUT_THREAT_STACK_MAX] = {0};
    size_t depth = 0;
    for (size_t i = 0; i < code->count; i++) {
        const tut_threat_step *s = &code->steps[i];
        if (depth < takes(s->op) || depth - takes(s->op) == TUT_THREAT_STACK_MAX)
            return 0; /* the compiler makes no such code */
        switch (s->op) {
        case TUT_OP_PUSH:
            stack[depth++] = s->number;
            break;
        case TUT_OP_VALUE:
            stack[depth++] = value_of(s, e);
            break;
        case TUT_OP_IS_TEXT:
            stack[depth++] = is_text(s, e);
            break;
        case TUT_OP_HOLDS:
            stack[depth++] = holds(s, e);
            break;
        case TUT_OP_IN:
            stack[depth - 1] = (int64_t)((uint64_t)s->number >> (uint64_t)stack[depth - 1] & 1u);
            break;
        case TUT_OP_NOT:
            stack[depth - 1] = !stack[depth - 1];
            break;
        case TUT_OP_NEGATE:
            stack[depth - 1] = -stack[depth - 1];
            break;
        default:
            depth--;
            stack[depth - 1] = combine(s->op, stack[depth - 1], stack[depth]);
            break;
        }
    }
    return depth ? stack[0] : 0;
}
