/* One expression while it is compiled; used by threat_lang.c and threat_operand.c alone. */
#ifndef TUT_GOVERN_THREAT_COMPILE_H
#define TUT_GOVERN_THREAT_COMPILE_H

#include "govern/threat_lang.h"

typedef enum tut_compile_token_kind {
    TUT_TOKEN_END,
    TUT_TOKEN_NAME,
    TUT_TOKEN_NUMBER,
    TUT_TOKEN_TEXT,
    TUT_TOKEN_SIGN
} tut_compile_token_kind;

typedef struct tut_compile_token {
    tut_compile_token_kind kind;
    tut_str text; /* as written; of a TUT_TOKEN_TEXT without its quotes */
    size_t at, width;
    int64_t number;
} tut_compile_token;

typedef struct tut_compile_value { /* what a value on the stack will be */
    tut_threat_type type;
    const char *words;
    tut_str name; /* as written, for messages */
    size_t at, width;
} tut_compile_value;

typedef struct tut_compile_pending {
    enum tut_threat_op op;
    uint8_t function; /* of a bracket: TUT_OP_MAX, TUT_OP_MIN, or TUT_OP_BRACKET for none */
    size_t base;      /* of a function: operands below its own */
    size_t at, width;
} tut_compile_pending;

typedef struct tut_compile_state {
    tut_str text;
    size_t pos;
    tut_threat_on on;
    tut_threat_yields yields;
    tut_threat_code *code;
    tut_threat_fault *fault;
    tut_compile_value operands[TUT_THREAT_STACK_MAX];
    size_t operand_count;
    tut_compile_pending pendings[TUT_THREAT_STACK_MAX];
    size_t pending_count;
    tut_compile_token now;
    bool has_failed;
} tut_compile_state;

/* The first failure stays; false always. */
bool tut_compile_fail(tut_compile_state *c, size_t at, size_t width, const char *fmt, ...)
    TUT_PRINTF(4, 5);
bool tut_compile_advance(tut_compile_state *c); /* to the next token */
bool tut_compile_is_sign(const tut_compile_state *c, const char *sign);
bool tut_compile_is_name(const tut_compile_state *c, const char *name);
bool tut_compile_expect(tut_compile_state *c, const char *sign);
bool tut_compile_emit(tut_compile_state *c, tut_threat_step step);
bool tut_compile_push(tut_compile_state *c, tut_compile_value o);
bool tut_compile_pend(tut_compile_state *c, tut_compile_pending p);
tut_compile_value *tut_compile_top(tut_compile_state *c);
bool tut_compile_is_word(const tut_compile_value *o);
bool tut_compile_wants_flag(tut_compile_state *c, const tut_compile_value *o);
bool tut_compile_wants_number(tut_compile_state *c, const tut_compile_value *o);
/* One operand, or what leads to one ("not", "(", "max("); *ret_is_whole: it is there. */
bool tut_compile_operand(tut_compile_state *c, bool *ret_is_whole);

#endif
