/*
 * The items of R's serialisation, in the order in which R reads them.
 *
 *   item   = flags:int content             flags: type, 0x100 object, 0x200 attributes, 0x400 tag
 *   symbol = item (a text)                                      counted as a reference
 *   list, call, function, promise, dots = [ attributes ] [ tag ] car cdr
 *            function: environment, arguments, body; promise: environment, value, expression
 *   environment = locked:int enclosing frame table attributes   counted as a reference
 *   vector = length values [ attributes ]      text = length:int bytes
 *   altrep = item (class, package, type) item (state) attributes
 *
 * There is no recursion: what is yet to be read stands on a stack of tasks.
 */
#include <inttypes.h>

#include "base/alloc.h"
#include "formats/blob.h"
#include "formats/rds_walk.h"

tut_status tut_rds_push(tut_rds *r, tut_rds_task task, tut_error *err)
{
    if (r->depth == TUT_RDS_TASKS) {
        tut_exam_observe(r->x, "r.depth", tut_stream_pos(r->x->stream), "nested far too deeply");
        return tut_fail(err, TUT_LIMIT, "nested deeper than R itself can read");
    }
    TUT_TRY(tut_grow(&r->tasks, r->depth, &r->task_capacity, sizeof(*r->tasks)));
    r->tasks[r->depth++] = task;
    return TUT_SUCCESS;
}

tut_status tut_rds_push_op(tut_rds *r, tut_rds_op what, tut_rds_role as, tut_error *err)
{
    return tut_rds_push(r, (tut_rds_task){.op = (uint8_t)what, .role = (uint8_t)as}, err);
}

void tut_rds_set_last(tut_rds *r, int type, tut_rds_name name, bool is_text)
{
    r->last_type = type;
    r->last_name = name;
    r->last_is_text = is_text;
}

static tut_status add_ref(tut_rds *r, tut_rds_name name, tut_error *err)
{
    if (r->ref_count == r->ref_capacity) {
        uint64_t more = r->ref_count < 64 ? 64 : r->ref_count;
        TUT_TRY(tut_budget_heap(r->x->budget, more, err));
        r->charged += more;
        TUT_TRY(tut_grow(&r->refs, r->ref_count, &r->ref_capacity, sizeof(*r->refs)));
    }
    r->refs[r->ref_count++] = (uint8_t)name;
    return TUT_SUCCESS;
}

tut_status tut_rds_malformed(tut_rds *r, const char *why, tut_error *err)
{
    tut_exam_observe(r->x, "r.bad-item", tut_stream_pos(r->x->stream), "%s", why);
    return tut_fail_at(err, TUT_MALFORMED, tut_stream_pos(r->x->stream), "%s", why);
}

/* --- texts and names --- */
static tut_status read_char(tut_rds *r, tut_str *ret, tut_error *err)
{
    int32_t flags = 0, len = 0;
    TUT_TRY(tut_rds_int(r, &flags, err));
    if ((flags & 0xff) != RDS_T_CHAR)
        return tut_rds_malformed(r, "no text where one is due", err);
    TUT_TRY(tut_rds_int(r, &len, err));
    *ret = (tut_str){"", 0};
    return len < 0 ? TUT_SUCCESS : tut_rds_text(r, (uint64_t)len, ret, err);
}

static void keep_head(tut_rds *r, tut_str text, tut_rds_name name)
{
    if (tut_rds_name_text(name))
        tut_str_copy(r->head, sizeof(r->head), text);
}

static tut_status read_symbol(tut_rds *r, tut_error *err)
{
    tut_str text;
    TUT_TRY(read_char(r, &text, err));
    tut_rds_name name = tut_rds_name_of(text);
    keep_head(r, text, name);
    tut_rds_set_last(r, RDS_T_SYMBOL, name, false);
    return add_ref(r, name, err);
}

static tut_status read_strings(tut_rds *r, tut_rds_task *t, tut_error *err)
{
    tut_str text = {"", 0};
    bool is_single = t->left == 1;
    while (t->left > 0) {
        t->left--;
        TUT_TRY(tut_budget_steps(r->x->budget, 1, err));
        TUT_TRY(read_char(r, &text, err));
    }
    tut_rds_name name = is_single ? tut_rds_name_of(text) : TUT_RDS_PLAIN;
    keep_head(r, text, name);
    /* The text lies in r->text; what is read next writes over it. */
    memmove(r->text, text.data, text.len);
    r->text[text.len < sizeof(r->text) ? text.len : sizeof(r->text) - 1] = '\0';
    tut_rds_set_last(r, RDS_T_STRINGS, name, true);
    r->depth--;
    return TUT_SUCCESS;
}

/* A row of texts that names a package, a namespace or what a hook is to find. */
static tut_status read_names(tut_rds *r, int type, tut_error *err)
{
    int32_t zero = 0, count = 0;
    tut_str text;
    TUT_TRY(tut_rds_int(r, &zero, err));
    TUT_TRY(tut_rds_int(r, &count, err));
    if (zero != 0 || count < 0)
        return tut_rds_malformed(r, "a name with names of its own", err);
    for (int32_t i = 0; i < count; i++) {
        TUT_TRY(tut_budget_steps(r->x->budget, 1, err));
        TUT_TRY(read_char(r, &text, err));
        bool is_new = i == 0 && type == RDS_T_NAMESPACE && r->package_count < TUT_RDS_PACKAGES;
        for (size_t p = 0; p < r->package_count && is_new; p++)
            is_new = !tut_str_eq_z(text, r->packages[p]);
        if (is_new)
            tut_str_copy(r->packages[r->package_count++], sizeof(r->packages[0]), text);
    }
    if (type == RDS_T_PERSISTENT)
        tut_exam_observe(r->x, "r.persistent", tut_stream_pos(r->x->stream),
                         "an object that a function of the reader is to find");
    tut_rds_set_last(r, type, TUT_RDS_PLAIN, false);
    return add_ref(r, TUT_RDS_PLAIN, err);
}

/* A builtin or special function, by name. */
static tut_status read_builtin(tut_rds *r, int type, tut_error *err)
{
    int32_t len = 0;
    tut_str text;
    TUT_TRY(tut_rds_int(r, &len, err));
    if (len < 0)
        return tut_rds_malformed(r, "a function without a name", err);
    TUT_TRY(tut_rds_text(r, (uint64_t)len, &text, err));
    tut_rds_name name = tut_rds_name_of(text);
    keep_head(r, text, name);
    tut_rds_set_last(r, type, name, false);
    return TUT_SUCCESS;
}

static tut_status read_reference(tut_rds *r, uint32_t flags, tut_error *err)
{
    int32_t index = (int32_t)(flags >> 8);
    if (index == 0)
        TUT_TRY(tut_rds_int(r, &index, err));
    if (index < 1 || (uint64_t)index > r->ref_count)
        return tut_rds_malformed(r, "a reference to what was not there yet", err);
    tut_rds_set_last(r, RDS_T_SYMBOL, (tut_rds_name)r->refs[index - 1], false);
    return TUT_SUCCESS;
}

/* --- lists and calls --- */
/* The parts of one cell, to be read before what is on the stack. */
static tut_status push_cell(tut_rds *r, uint32_t flags, tut_error *err)
{
    tut_rds_role inner = (tut_rds_role)r->tasks[r->depth - 1].role;
    TUT_TRY(tut_rds_push_op(r, RDS_READ_CDR, inner, err));
    TUT_TRY(tut_rds_push_op(r, RDS_AFTER_CAR, inner, err));
    TUT_TRY(tut_rds_push_op(r, RDS_READ_ITEM, inner, err));
    if (flags & RDS_HAS_TAG) {
        TUT_TRY(tut_rds_push_op(r, RDS_AFTER_TAG, inner, err));
        TUT_TRY(tut_rds_push_op(r, RDS_READ_ITEM, RDS_AS_VALUE, err));
    }
    return flags & RDS_HAS_ATTRIBUTES ? tut_rds_push_op(r, RDS_READ_ITEM, RDS_AS_ATTRIBUTES, err)
                                      : TUT_SUCCESS;
}

static tut_status open_chain(tut_rds *r, uint32_t flags, int type, tut_rds_role as, tut_error *err)
{
    tut_rds_task chain = {.op = RDS_CHAIN,
                          .role = (uint8_t)as,
                          .is_call = type == RDS_T_CALL,
                          .at = tut_stream_pos(r->x->stream)};
    TUT_TRY(tut_rds_push(r, chain, err));
    return push_cell(r, flags, err);
}

/* --- functions, promises, environments --- */
static tut_status open_closure(tut_rds *r, uint32_t flags, tut_error *err)
{
    r->functions++;
    TUT_TRY(tut_rds_push_op(r, RDS_END_CLOSURE, RDS_AS_VALUE, err));
    TUT_TRY(tut_rds_push_op(r, RDS_READ_ITEM, RDS_AS_VALUE, err)); /* body */
    TUT_TRY(tut_rds_push_op(r, RDS_READ_ITEM, RDS_AS_VALUE, err)); /* arguments */
    if (flags & RDS_HAS_TAG)
        TUT_TRY(tut_rds_push_op(r, RDS_READ_ITEM, RDS_AS_VALUE, err));
    return flags & RDS_HAS_ATTRIBUTES ? tut_rds_push_op(r, RDS_READ_ITEM, RDS_AS_ATTRIBUTES, err)
                                      : TUT_SUCCESS;
}

static tut_status open_promise(tut_rds *r, uint32_t flags, tut_rds_role as, tut_error *err)
{
    r->promises++;
    tut_rds_task end = {
        .op = RDS_END_PROMISE, .role = (uint8_t)as, .at = tut_stream_pos(r->x->stream)};
    TUT_TRY(tut_rds_push(r, end, err));
    TUT_TRY(tut_rds_push_op(r, RDS_READ_ITEM, RDS_AS_VALUE, err)); /* expression */
    TUT_TRY(tut_rds_push_op(r, RDS_AFTER_PROMISE_VALUE, RDS_AS_VALUE, err));
    TUT_TRY(tut_rds_push_op(r, RDS_READ_ITEM, RDS_AS_VALUE, err)); /* value */
    if (flags & RDS_HAS_TAG)
        TUT_TRY(tut_rds_push_op(r, RDS_READ_ITEM, RDS_AS_VALUE, err));
    return flags & RDS_HAS_ATTRIBUTES ? tut_rds_push_op(r, RDS_READ_ITEM, RDS_AS_ATTRIBUTES, err)
                                      : TUT_SUCCESS;
}

/* Where no function keeps its arguments a promise is evaluated by whoever touches the object. */
static void after_promise_value(tut_rds *r)
{
    r->depth--;
    tut_rds_task *end = &r->tasks[r->depth - 2];
    bool is_evaluated = r->last_type != RDS_T_UNBOUND;
    if (end->role != RDS_AS_FRAME)
        tut_exam_observe(r->x, "r.promise", end->at, "%s promise in the place of a value",
                         is_evaluated ? "an evaluated" : "a");
    end->is_live = !is_evaluated && end->role != RDS_AS_FRAME;
    end->is_frame = !is_evaluated && end->role == RDS_AS_FRAME;
    r->live_promises += end->is_live;
    r->frame_promises += end->is_frame;
    /* The expression may be a mere name, which is then what is called. */
}

static void end_promise(tut_rds *r)
{
    const tut_rds_task *end = &r->tasks[--r->depth];
    r->live_promises -= end->is_live;
    r->frame_promises -= end->is_frame;
    tut_rds_set_last(r, RDS_T_PROMISE, TUT_RDS_PLAIN, false);
}

static tut_status open_environment(tut_rds *r, tut_error *err)
{
    int32_t locked = 0;
    r->environments++;
    TUT_TRY(tut_rds_int(r, &locked, err));
    TUT_TRY(add_ref(r, TUT_RDS_PLAIN, err));
    TUT_TRY(tut_rds_push_op(r, RDS_READ_ITEM, RDS_AS_ATTRIBUTES, err));
    TUT_TRY(tut_rds_push_op(r, RDS_READ_ITEM, RDS_AS_FRAME, err)); /* table */
    TUT_TRY(tut_rds_push_op(r, RDS_READ_ITEM, RDS_AS_FRAME, err));
    return tut_rds_push_op(r, RDS_READ_ITEM, RDS_AS_VALUE, err); /* enclosing */
}

/* --- vectors --- */
static tut_status read_raw(tut_rds *r, tut_error *err)
{
    uint64_t len = 0;
    TUT_TRY(tut_rds_length(r, &len, err));
    if (r->form == TUT_RDS_ASCII ||
        (r->x->size != UINT64_MAX && len > r->x->size - tut_stream_pos(r->x->stream)))
        return tut_rds_skip_values(r, len, 1, 1, err);
    return tut_blob_look(r->x, len, "raw", err);
}

static tut_status read_numbers(tut_rds *r, uint32_t bytes, uint32_t words, tut_error *err)
{
    uint64_t len = 0;
    TUT_TRY(tut_rds_length(r, &len, err));
    return tut_rds_skip_values(r, len, bytes, words, err);
}

/* `what` for as many as the length says; each takes a word at least. */
static tut_status open_vector(tut_rds *r, tut_rds_op what, tut_rds_role as, tut_error *err)
{
    tut_rds_task t = {.op = (uint8_t)what, .role = (uint8_t)as};
    TUT_TRY(tut_rds_length(r, &t.left, err));
    uint64_t at = tut_stream_pos(r->x->stream);
    uint64_t least = r->form == TUT_RDS_ASCII ? 2 : 4, need = 0;
    if (r->x->size != UINT64_MAX &&
        (__builtin_mul_overflow(least, t.left, &need) || need > r->x->size - at + least)) {
        tut_exam_observe(r->x, "r.bad-length", at,
                         "a length of %" PRIu64 ", where %" PRIu64 " bytes are left", t.left,
                         r->x->size - at);
        return tut_fail_at(err, TUT_TRUNCATED, at, "a vector longer than what is left");
    }
    tut_rds_set_last(r, RDS_T_VECTOR, TUT_RDS_PLAIN, false);
    return tut_rds_push(r, t, err);
}

/* --- items --- */
static tut_status read_other(tut_rds *r, int32_t type, tut_error *err)
{
    switch (type) {
    case RDS_T_NIL_VALUE:
    case RDS_T_NIL:
    case RDS_T_EMPTY_ENV:
    case RDS_T_BASE_ENV:
    case RDS_T_GLOBAL:
    case RDS_T_UNBOUND:
    case RDS_T_MISSING:
    case RDS_T_BASE_NAMESPACE:
        tut_rds_set_last(r, type, TUT_RDS_PLAIN, false);
        return TUT_SUCCESS;
    case RDS_T_SYMBOL:
        return read_symbol(r, err);
    case RDS_T_PACKAGE:
    case RDS_T_NAMESPACE:
    case RDS_T_PERSISTENT:
        return read_names(r, type, err);
    case RDS_T_ENVIRONMENT:
        return open_environment(r, err);
    default:
        return tut_rds_malformed(r, "an item of a type that R does not have", err);
    }
}

/* What has its attributes behind it. */
static tut_status read_vector(tut_rds *r, int32_t type, tut_rds_role as, tut_error *err)
{
    tut_str text;
    int32_t len = 0;
    tut_rds_set_last(r, type, TUT_RDS_PLAIN, false);
    switch (type) {
    case RDS_T_CHAR:
        TUT_TRY(tut_rds_int(r, &len, err));
        return len < 0 ? TUT_SUCCESS : tut_rds_text(r, (uint64_t)len, &text, err);
    case RDS_T_LOGICAL:
    case RDS_T_INTEGER:
        return read_numbers(r, 4, 1, err);
    case RDS_T_REAL:
        return read_numbers(r, 8, 1, err);
    case RDS_T_COMPLEX:
        return read_numbers(r, 16, 2, err);
    case RDS_T_RAW:
        return read_raw(r, err);
    case RDS_T_STRINGS:
        return open_vector(r, RDS_READ_STRINGS, RDS_AS_VALUE, err);
    case RDS_T_VECTOR:
    case RDS_T_EXPRESSION:
        return open_vector(r, RDS_READ_ITEMS, as == RDS_AS_FRAME ? RDS_AS_FRAME : RDS_AS_VALUE,
                           err);
    case RDS_T_SPECIAL:
    case RDS_T_BUILTIN:
        return read_builtin(r, type, err);
    case RDS_T_CODE:
        return tut_rds_open_code(r, err);
    case RDS_T_POINTER:
        r->pointers++;
        TUT_TRY(add_ref(r, TUT_RDS_PLAIN, err));
        TUT_TRY(tut_rds_push_op(r, RDS_READ_ITEM, RDS_AS_VALUE, err));
        return tut_rds_push_op(r, RDS_READ_ITEM, RDS_AS_VALUE, err);
    case RDS_T_WEAK:
        return add_ref(r, TUT_RDS_PLAIN, err);
    default: /* S4: attributes only */
        return TUT_SUCCESS;
    }
}

static bool has_attributes_behind(int32_t type)
{
    return (type >= RDS_T_SPECIAL && type <= RDS_T_STRINGS) ||
           (type >= RDS_T_VECTOR && type <= RDS_T_S4);
}

/* Its flags are read. */
static tut_status read_content(tut_rds *r, uint32_t flags, tut_rds_role as, tut_error *err)
{
    int32_t type = (int32_t)(flags & 0xff);
    r->items++;
    if (type == RDS_T_REFERENCE)
        return read_reference(r, flags, err);
    if (type == RDS_T_LIST || type == RDS_T_CALL || type == RDS_T_DOTS)
        return open_chain(r, flags, type, type == RDS_T_CALL ? RDS_AS_VALUE : as, err);
    if (type == RDS_T_CLOSURE)
        return open_closure(r, flags, err);
    if (type == RDS_T_PROMISE)
        return open_promise(r, flags, as, err);
    if (type == RDS_T_ALTREP && r->version >= 3) {
        TUT_TRY(tut_rds_push_op(r, RDS_READ_ITEM, RDS_AS_ATTRIBUTES, err));
        TUT_TRY(tut_rds_push_op(r, RDS_READ_ITEM, RDS_AS_VALUE, err));
        return tut_rds_push_op(r, RDS_READ_ITEM, RDS_AS_ALTREP, err);
    }
    if (!has_attributes_behind(type) || type == 11 || type == 12)
        return read_other(r, type, err);
    if (flags & RDS_HAS_ATTRIBUTES)
        TUT_TRY(tut_rds_push_op(r, RDS_READ_ITEM, RDS_AS_ATTRIBUTES, err));
    return read_vector(r, type, as, err);
}

static tut_status read_flags(tut_rds *r, uint32_t *ret, tut_error *err)
{
    int32_t raw = 0;
    TUT_TRY(tut_budget_steps(r->x->budget, 1, err));
    TUT_TRY(tut_rds_int(r, &raw, err));
    *ret = (uint32_t)raw;
    return TUT_SUCCESS;
}

static tut_status read_item(tut_rds *r, tut_rds_role as, tut_error *err)
{
    uint32_t flags = 0;
    TUT_TRY(read_flags(r, &flags, err));
    return read_content(r, flags, as, err);
}

/* Lists end in nothing, the state of an ALTREP vector in whatever it is a pair with. */
static tut_status read_cdr(tut_rds *r, tut_error *err)
{
    uint32_t flags = 0;
    r->depth--;
    TUT_TRY(read_flags(r, &flags, err));
    if ((flags & 0xff) == RDS_T_LIST || (flags & 0xff) == RDS_T_DOTS)
        return push_cell(r, flags, err);
    return read_content(r, flags, RDS_AS_VALUE, err);
}

static tut_status step(tut_rds *r, tut_error *err)
{
    tut_rds_task *t = &r->tasks[r->depth - 1];
    tut_rds_role as = (tut_rds_role)t->role;
    switch ((tut_rds_op)t->op) {
    case RDS_READ_ITEM:
        r->depth--;
        return read_item(r, as, err);
    case RDS_READ_ITEMS:
        if (t->left == 0) {
            r->depth--;
            tut_rds_set_last(r, RDS_T_VECTOR, TUT_RDS_PLAIN, false);
            return TUT_SUCCESS;
        }
        t->left--;
        return read_item(r, as, err);
    case RDS_READ_STRINGS:
        return read_strings(r, t, err);
    case RDS_READ_CDR:
        return read_cdr(r, err);
    case RDS_CHAIN:
    case RDS_CODE_CALL:
        tut_rds_end_chain(r);
        return TUT_SUCCESS;
    case RDS_AFTER_TAG:
        r->depth--;
        /* below are the CAR's item, RDS_AFTER_CAR, the CDR, and the chain */
        r->tasks[r->depth - 4].tag = (uint8_t)r->last_name;
        return TUT_SUCCESS;
    case RDS_AFTER_CAR:
    case RDS_CODE_AFTER_CAR:
        tut_rds_after_car(r);
        return TUT_SUCCESS;
    case RDS_AFTER_PROMISE_VALUE:
        after_promise_value(r);
        return TUT_SUCCESS;
    case RDS_END_PROMISE:
        end_promise(r);
        return TUT_SUCCESS;
    case RDS_END_CLOSURE:
        r->depth--;
        tut_rds_set_last(r, RDS_T_CLOSURE, TUT_RDS_PLAIN, false);
        return TUT_SUCCESS;
    case RDS_CODE_BODY:
        return tut_rds_code_body(r, err);
    case RDS_CODE_CONSTANTS:
        return tut_rds_code_constants(r, err);
    case RDS_CODE_CONSTANT:
        return tut_rds_code_constant(r, t, err);
    case RDS_CODE_LANGUAGE:
        return tut_rds_code_part(r, as, err);
    }
    return TUT_SUCCESS;
}

tut_status tut_rds_walk(tut_rds *r, tut_error *err)
{
    TUT_TRY(
        tut_rds_push_op(r, RDS_READ_ITEM, r->is_workspace ? RDS_AS_BINDINGS : RDS_AS_VALUE, err));
    while (r->depth > 0)
        TUT_TRY(step(r, err));
    return TUT_SUCCESS;
}
