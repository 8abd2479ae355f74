/*
 * The language of rules: one expression about one element.
 *
 *   expression = operand (OPERATOR operand)*
 *   operand    = "not" operand | "-" operand | "(" expression ")" | NUMBER | constant | path
 *              | "max" "(" expression ("," expression)* ")" | "min" "(" ... ")" | "count" "(" path
 * ")" path       = (link ".")* attribute            from.kind, to.asset.sensitivity, system.models
 *   OPERATOR   = "or" | "and" | "==" "!=" "<" "<=" ">" ">=" "in" | "+" "-"     weakest first
 *
 * A word is compared with words of its own set, a level also by order; a text with "text". `in`
 * takes words in brackets, or asks a list for a text: "audio" in model.modality_enabled. In sums
 * and comparisons a flag is 0 or 1 and a level its place from 0 on.
 *
 * Everything is typed when it is read: an unknown attribute, word or type that does not fit is an
 * error with place and suggestion, never a silent false. There are no loops, no calls and no
 * recursion: an expression is a list of at most TUT_THREAT_CODE_MAX steps over a stack of numbers.
 */
#ifndef TUT_GOVERN_THREAT_LANG_H
#define TUT_GOVERN_THREAT_LANG_H

#include "govern/threat.h"

enum { TUT_THREAT_TEXT_MAX = 1024, TUT_THREAT_CODE_MAX = 128, TUT_THREAT_STACK_MAX = 32 };

enum tut_threat_op {
    TUT_OP_PUSH,
    TUT_OP_VALUE,
    TUT_OP_IS_TEXT, /* value's text == step's */
    TUT_OP_HOLDS,   /* value's list has the step's text */
    TUT_OP_IN,      /* top of the stack is one of the set's bits */
    TUT_OP_NOT,
    TUT_OP_NEGATE,
    TUT_OP_OR,
    TUT_OP_AND,
    TUT_OP_EQ,
    TUT_OP_NE,
    TUT_OP_LT,
    TUT_OP_LE,
    TUT_OP_GT,
    TUT_OP_GE,
    TUT_OP_ADD,
    TUT_OP_SUBTRACT,
    TUT_OP_MAX,
    TUT_OP_MIN,
    TUT_OP_BRACKET /* only while compiling: "(", and "max(", whose text says which */
};

typedef struct tut_threat_step {
    uint8_t op;
    uint8_t links[2]; /* tut_threat_link, one after the other */
    uint16_t attribute;
    int64_t number; /* constant, or set of words as bits */
    tut_str text;
} tut_threat_step;

struct tut_threat_code {
    tut_threat_step steps[TUT_THREAT_CODE_MAX];
    size_t count;
};

typedef struct tut_threat_fault { /* where and why an expression is none */
    size_t at, width;             /* bytes of the text */
    char text[300];
} tut_threat_fault;

typedef enum tut_threat_yields {
    TUT_THREAT_CONDITION,
    TUT_THREAT_LIKELIHOOD,
    TUT_THREAT_IMPACT
} tut_threat_yields;

/* false: ret_fault says why. The text must outlive the code. */
bool tut_threat_compile(tut_str text, tut_threat_on on, tut_threat_yields yields,
                        tut_threat_code *ret_code, tut_threat_fault *ret_fault);
/* Total: every element of the kind that the code was compiled for has an answer. */
int64_t tut_threat_eval(const tut_threat_code *code, const tut_threat_element *e);
/* Kind of what is reached by this link from an element of this kind; COUNT: there is no such. */
tut_threat_on tut_threat_reached(tut_threat_on on, tut_threat_link link);

#endif
