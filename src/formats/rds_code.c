/*
 * Bytecode in R's serialisation. Its constants hold the source as language, and what it calls.
 *
 *   code     = count:int body                 body = item (instructions) n:int { constant }
 *   constant = type:int ( body | language | item )
 *   language = 243 index:int | 244 index:int type cell | type cell | other-type item
 *   cell     = [ attributes ] tag language (car) language (cdr)     types 239, 240: with attributes
 */
#include "formats/rds_walk.h"

tut_status tut_rds_open_code(tut_rds *r, tut_error *err)
{
    int32_t count = 0;
    r->code++;
    TUT_TRY(
        tut_rds_int(r, &count, err)); /* of shared pieces, which are told apart by their index */
    return tut_rds_push_op(r, RDS_CODE_BODY, RDS_AS_VALUE, err);
}

tut_status tut_rds_code_body(tut_rds *r, tut_error *err)
{
    r->depth--;
    TUT_TRY(tut_rds_push_op(r, RDS_CODE_CONSTANTS, RDS_AS_VALUE, err));
    return tut_rds_push_op(r, RDS_READ_ITEM, RDS_AS_VALUE, err);
}

tut_status tut_rds_code_constants(tut_rds *r, tut_error *err)
{
    int32_t count = 0;
    r->depth--;
    TUT_TRY(tut_rds_int(r, &count, err));
    if (count < 0)
        return tut_rds_malformed(r, "bytecode with a negative number of constants", err);
    return tut_rds_push(r, (tut_rds_task){.op = RDS_CODE_CONSTANT, .left = (uint64_t)count}, err);
}

static bool is_code_language(int type)
{
    return type == RDS_T_CALL || type == RDS_T_LIST || type == RDS_T_CODE_DEF ||
           type == RDS_T_CODE_REF || type == RDS_T_ATTR_CALL || type == RDS_T_ATTR_LIST;
}

/* A piece of language whose type was read: parts are language in turn, with a type each. */
static tut_status read_code_language(tut_rds *r, int32_t type, tut_error *err)
{
    int32_t index = 0;
    if (type == RDS_T_CODE_REF) {
        tut_rds_set_last(r, RDS_T_LIST, TUT_RDS_PLAIN, false);
        return tut_rds_int(r, &index, err);
    }
    if (!is_code_language(type)) { /* this "type" is a mark only: an item follows */
        return tut_rds_push_op(r, RDS_READ_ITEM, RDS_AS_VALUE, err);
    }
    if (type == RDS_T_CODE_DEF) {
        TUT_TRY(tut_rds_int(r, &index, err));
        TUT_TRY(tut_rds_int(r, &type, err));
    }
    bool has_attributes = type == RDS_T_ATTR_CALL || type == RDS_T_ATTR_LIST;
    tut_rds_task chain = {.op = RDS_CODE_CALL,
                          .is_call = type == RDS_T_CALL || type == RDS_T_ATTR_CALL,
                          .at = tut_stream_pos(r->x->stream)};
    TUT_TRY(tut_rds_push(r, chain, err));
    TUT_TRY(tut_rds_push_op(r, RDS_CODE_LANGUAGE, RDS_AS_ATTRIBUTES, err)); /* cdr */
    TUT_TRY(tut_rds_push_op(r, RDS_CODE_AFTER_CAR, RDS_AS_VALUE, err));
    TUT_TRY(tut_rds_push_op(r, RDS_CODE_LANGUAGE, RDS_AS_VALUE, err)); /* car */
    TUT_TRY(tut_rds_push_op(r, RDS_READ_ITEM, RDS_AS_VALUE, err));     /* tag */
    return has_attributes ? tut_rds_push_op(r, RDS_READ_ITEM, RDS_AS_ATTRIBUTES, err) : TUT_SUCCESS;
}

tut_status tut_rds_code_constant(tut_rds *r, tut_rds_task *t, tut_error *err)
{
    int32_t type = 0;
    if (t->left == 0) {
        r->depth--;
        tut_rds_set_last(r, RDS_T_CODE, TUT_RDS_PLAIN, false);
        return TUT_SUCCESS;
    }
    t->left--;
    TUT_TRY(tut_rds_int(r, &type, err));
    if (type == RDS_T_CODE)
        return tut_rds_push_op(r, RDS_CODE_BODY, RDS_AS_VALUE, err);
    return read_code_language(r, type, err);
}

/* The rest of a call is a chain of its own here; its cells belong to the call that it began. */
tut_status tut_rds_code_part(tut_rds *r, tut_rds_role as, tut_error *err)
{
    int32_t type = 0;
    r->depth--;
    TUT_TRY(tut_rds_int(r, &type, err));
    bool is_rest = as == RDS_AS_ATTRIBUTES && type == RDS_T_LIST && r->depth > 0 &&
                   r->tasks[r->depth - 1].op == RDS_CODE_CALL;
    if (!is_rest)
        return read_code_language(r, type, err);
    TUT_TRY(tut_rds_push_op(r, RDS_CODE_LANGUAGE, RDS_AS_ATTRIBUTES, err));
    TUT_TRY(tut_rds_push_op(r, RDS_CODE_AFTER_CAR, RDS_AS_VALUE, err));
    TUT_TRY(tut_rds_push_op(r, RDS_CODE_LANGUAGE, RDS_AS_VALUE, err));
    return tut_rds_push_op(r, RDS_READ_ITEM, RDS_AS_VALUE, err); /* tag */
}
