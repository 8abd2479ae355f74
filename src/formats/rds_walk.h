/* The stack of what is yet to be read of R's items: rds_walk.c, rds_code.c (bytecode), rds_call.c.
 */
#ifndef TUT_FORMATS_RDS_WALK_H
#define TUT_FORMATS_RDS_WALK_H

#include "formats/rds.h"

enum {
    RDS_T_NIL = 0,
    RDS_T_SYMBOL = 1,
    RDS_T_LIST = 2,
    RDS_T_CLOSURE = 3,
    RDS_T_ENVIRONMENT = 4,
    RDS_T_PROMISE = 5,
    RDS_T_CALL = 6,
    RDS_T_SPECIAL = 7,
    RDS_T_BUILTIN = 8,
    RDS_T_CHAR = 9,
    RDS_T_LOGICAL = 10,
    RDS_T_INTEGER = 13,
    RDS_T_REAL = 14,
    RDS_T_COMPLEX = 15,
    RDS_T_STRINGS = 16,
    RDS_T_DOTS = 17,
    RDS_T_ANY = 18,
    RDS_T_VECTOR = 19,
    RDS_T_EXPRESSION = 20,
    RDS_T_CODE = 21,
    RDS_T_POINTER = 22,
    RDS_T_WEAK = 23,
    RDS_T_RAW = 24,
    RDS_T_S4 = 25,
    RDS_T_ALTREP = 238,
    RDS_T_ATTR_LIST = 239,
    RDS_T_ATTR_CALL = 240,
    RDS_T_BASE_ENV = 241,
    RDS_T_EMPTY_ENV = 242,
    RDS_T_CODE_REF = 243,
    RDS_T_CODE_DEF = 244,
    RDS_T_GENERIC = 245,
    RDS_T_CLASS = 246,
    RDS_T_PERSISTENT = 247,
    RDS_T_PACKAGE = 248,
    RDS_T_NAMESPACE = 249,
    RDS_T_BASE_NAMESPACE = 250,
    RDS_T_MISSING = 251,
    RDS_T_UNBOUND = 252,
    RDS_T_GLOBAL = 253,
    RDS_T_NIL_VALUE = 254,
    RDS_T_REFERENCE = 255
};

enum { RDS_HAS_ATTRIBUTES = 0x200, RDS_HAS_TAG = 0x400 };

typedef enum tut_rds_role {
    RDS_AS_VALUE,
    RDS_AS_ATTRIBUTES,
    RDS_AS_FRAME,    /* variables of a function's environment: promises are at home here */
    RDS_AS_BINDINGS, /* of a workspace */
    RDS_AS_ALTREP
} tut_rds_role;

typedef enum tut_rds_op {
    RDS_READ_ITEM,
    RDS_READ_ITEMS,   /* `left` of them */
    RDS_READ_STRINGS, /* the texts of a vector */
    RDS_READ_CDR,     /* of the chain below */
    RDS_CHAIN,        /* a list, call or dots that is being read; at its end a call is judged */
    RDS_AFTER_TAG,    /* of the chain below the CDR below */
    RDS_AFTER_CAR,
    RDS_AFTER_PROMISE_VALUE,
    RDS_END_PROMISE,
    RDS_END_CLOSURE,
    RDS_CODE_BODY,
    RDS_CODE_CONSTANTS, /* the count comes first */
    RDS_CODE_CONSTANT,  /* `left` of them */
    RDS_CODE_LANGUAGE,  /* its type comes first */
    RDS_CODE_CALL,      /* a chain as bytecode has it */
    RDS_CODE_AFTER_CAR
} tut_rds_op;

struct tut_rds_task {
    uint8_t op, role;
    uint8_t head, result, tag; /* tut_rds_name: of a chain */
    bool is_call, is_told;
    bool is_live, is_frame; /* promise: what is counted up */
    uint32_t index;
    uint64_t left, at;
};

TUT_MUST tut_status tut_rds_push(tut_rds *r, tut_rds_task task, tut_error *err);
TUT_MUST tut_status tut_rds_push_op(tut_rds *r, tut_rds_op what, tut_rds_role as, tut_error *err);
/* Observes r.bad-item, and fails. */
TUT_MUST tut_status tut_rds_malformed(tut_rds *r, const char *why, tut_error *err);
void tut_rds_set_last(tut_rds *r, int type, tut_rds_name name, bool is_text);

/* rds_code.c */
TUT_MUST tut_status tut_rds_open_code(tut_rds *r, tut_error *err);
TUT_MUST tut_status tut_rds_code_body(tut_rds *r, tut_error *err);
TUT_MUST tut_status tut_rds_code_constants(tut_rds *r, tut_error *err);
TUT_MUST tut_status tut_rds_code_constant(tut_rds *r, tut_rds_task *t, tut_error *err);
TUT_MUST tut_status tut_rds_code_part(tut_rds *r, tut_rds_role as, tut_error *err);

/* rds_call.c: a part of the chain below was read; the chain is read to its end */
void tut_rds_after_car(tut_rds *r);
void tut_rds_end_chain(tut_rds *r);

#endif
