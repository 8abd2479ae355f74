/*
 * The items of R's serialisation, in the order in which R reads them.
 *
 *   item   = flags:int content             flags: type, 0x100 object, 0x200 attributes, 0x400 tag
 *   symbol = item (a text)                                      counted as a reference
 *   list, call, function, promise, dots = [ attributes ] [ tag ] car cdr
 *            function: environment, arguments, body; promise: environment, value, expression
 *   environment = locked:int enclosing frame table attributes   counted as a reference
 *   vector = length values [ attributes ]      text = length:int bytes
 *   code   = count:int body;  body = item n:int { type:int ( body | language | item ) }
 *   language (of code) = 243 index:int | type parts: see read_code_language
 *   altrep = item (class, package, type) item (state) attributes
 *
 * There is no recursion: what is yet to be read stands on a stack of tasks.
 */
#include <inttypes.h>

#include "base/alloc.h"
#include "formats/blob.h"
#include "formats/rds.h"

enum {
    T_NIL = 0,
    T_SYMBOL = 1,
    T_LIST = 2,
    T_CLOSURE = 3,
    T_ENVIRONMENT = 4,
    T_PROMISE = 5,
    T_CALL = 6,
    T_SPECIAL = 7,
    T_BUILTIN = 8,
    T_CHAR = 9,
    T_LOGICAL = 10,
    T_INTEGER = 13,
    T_REAL = 14,
    T_COMPLEX = 15,
    T_STRINGS = 16,
    T_DOTS = 17,
    T_ANY = 18,
    T_VECTOR = 19,
    T_EXPRESSION = 20,
    T_CODE = 21,
    T_POINTER = 22,
    T_WEAK = 23,
    T_RAW = 24,
    T_S4 = 25,
    T_ALTREP = 238,
    T_ATTR_LIST = 239,
    T_ATTR_CALL = 240,
    T_BASE_ENV = 241,
    T_EMPTY_ENV = 242,
    T_CODE_REF = 243,
    T_CODE_DEF = 244,
    T_GENERIC = 245,
    T_CLASS = 246,
    T_PERSISTENT = 247,
    T_PACKAGE = 248,
    T_NAMESPACE = 249,
    T_BASE_NAMESPACE = 250,
    T_MISSING = 251,
    T_UNBOUND = 252,
    T_GLOBAL = 253,
    T_NIL_VALUE = 254,
    T_REFERENCE = 255
};

enum { HAS_ATTRIBUTES = 0x200, HAS_TAG = 0x400 };

typedef enum role {
    AS_VALUE,
    AS_ATTRIBUTES,
    AS_FRAME,    /* variables of a function's environment: promises are at home here */
    AS_BINDINGS, /* of a workspace */
    AS_ALTREP
} role;

typedef enum op {
    READ_ITEM,
    READ_ITEMS,   /* `left` of them */
    READ_STRINGS, /* the texts of a vector */
    READ_CDR,     /* of the chain below */
    CHAIN,        /* a list, call or dots that is being read; at its end a call is judged */
    AFTER_TAG,    /* of the chain below the CDR below */
    AFTER_CAR,
    AFTER_PROMISE_VALUE,
    END_PROMISE,
    END_CLOSURE,
    CODE_BODY,
    CODE_CONSTANTS, /* the count comes first */
    CODE_CONSTANT,  /* `left` of them */
    CODE_LANGUAGE,  /* its type comes first */
    CODE_CALL,      /* a chain as bytecode has it */
    CODE_AFTER_CAR
} op;

struct tut_rds_task {
    uint8_t op, role;
    uint8_t head, result, tag; /* tut_rds_name: of a chain */
    bool is_call, is_told;
    bool is_live, is_frame; /* promise: what is counted up */
    uint32_t index;
    uint64_t left, at;
};

static tut_status push(tut_rds *r, tut_rds_task task, tut_error *err)
{
    if (r->depth == TUT_RDS_TASKS) {
        tut_exam_observe(r->x, "r.depth", tut_stream_pos(r->x->stream), "nested far too deeply");
        return tut_fail(err, TUT_LIMIT, "nested deeper than R itself can read");
    }
    r->tasks[r->depth++] = task;
    return TUT_SUCCESS;
}

static tut_status push_op(tut_rds *r, op what, role as, tut_error *err)
{
    return push(r, (tut_rds_task){.op = (uint8_t)what, .role = (uint8_t)as}, err);
}

static void set_last(tut_rds *r, int type, tut_rds_name name, bool is_text)
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

static tut_status malformed(tut_rds *r, const char *why, tut_error *err)
{
    tut_exam_observe(r->x, "r.bad-item", tut_stream_pos(r->x->stream), "%s", why);
    return tut_fail_at(err, TUT_MALFORMED, tut_stream_pos(r->x->stream), "%s", why);
}

/* --- texts and names --- */
static tut_status read_char(tut_rds *r, tut_str *ret, tut_error *err)
{
    int32_t flags = 0, len = 0;
    TUT_TRY(tut_rds_int(r, &flags, err));
    if ((flags & 0xff) != T_CHAR)
        return malformed(r, "no text where one is due", err);
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
    set_last(r, T_SYMBOL, name, false);
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
    set_last(r, T_STRINGS, name, true);
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
        return malformed(r, "a name with names of its own", err);
    for (int32_t i = 0; i < count; i++) {
        TUT_TRY(tut_budget_steps(r->x->budget, 1, err));
        TUT_TRY(read_char(r, &text, err));
        bool is_new = i == 0 && type == T_NAMESPACE && r->package_count < TUT_RDS_PACKAGES;
        for (size_t p = 0; p < r->package_count && is_new; p++)
            is_new = !tut_str_eq_z(text, r->packages[p]);
        if (is_new)
            tut_str_copy(r->packages[r->package_count++], sizeof(r->packages[0]), text);
    }
    if (type == T_PERSISTENT)
        tut_exam_observe(r->x, "r.persistent", tut_stream_pos(r->x->stream),
                         "an object that a function of the reader is to find");
    set_last(r, type, TUT_RDS_PLAIN, false);
    return add_ref(r, TUT_RDS_PLAIN, err);
}

/* A builtin or special function, by name. */
static tut_status read_builtin(tut_rds *r, int type, tut_error *err)
{
    int32_t len = 0;
    tut_str text;
    TUT_TRY(tut_rds_int(r, &len, err));
    if (len < 0)
        return malformed(r, "a function without a name", err);
    TUT_TRY(tut_rds_text(r, (uint64_t)len, &text, err));
    tut_rds_name name = tut_rds_name_of(text);
    keep_head(r, text, name);
    set_last(r, type, name, false);
    return TUT_SUCCESS;
}

static tut_status read_reference(tut_rds *r, uint32_t flags, tut_error *err)
{
    int32_t index = (int32_t)(flags >> 8);
    if (index == 0)
        TUT_TRY(tut_rds_int(r, &index, err));
    if (index < 1 || (uint64_t)index > r->ref_count)
        return malformed(r, "a reference to what was not there yet", err);
    set_last(r, T_SYMBOL, (tut_rds_name)r->refs[index - 1], false);
    return TUT_SUCCESS;
}

/* --- lists and calls --- */
/* The parts of one cell, to be read before what is on the stack. */
static tut_status push_cell(tut_rds *r, uint32_t flags, tut_error *err)
{
    role inner = (role)r->tasks[r->depth - 1].role;
    TUT_TRY(push_op(r, READ_CDR, inner, err));
    TUT_TRY(push_op(r, AFTER_CAR, inner, err));
    TUT_TRY(push_op(r, READ_ITEM, inner, err));
    if (flags & HAS_TAG) {
        TUT_TRY(push_op(r, AFTER_TAG, inner, err));
        TUT_TRY(push_op(r, READ_ITEM, AS_VALUE, err));
    }
    return flags & HAS_ATTRIBUTES ? push_op(r, READ_ITEM, AS_ATTRIBUTES, err) : TUT_SUCCESS;
}

static tut_status open_chain(tut_rds *r, uint32_t flags, int type, role as, tut_error *err)
{
    tut_rds_task chain = {.op = CHAIN,
                          .role = (uint8_t)as,
                          .is_call = type == T_CALL,
                          .at = tut_stream_pos(r->x->stream)};
    TUT_TRY(push(r, chain, err));
    return push_cell(r, flags, err);
}

static bool is_grave(tut_rds_name name)
{
    return name >= TUT_RDS_EXECUTES && name <= TUT_RDS_DEFERS;
}

/* The function was read, or an argument. */
static void note_call_part(tut_rds *r, tut_rds_task *chain)
{
    tut_rds_name name = r->last_name;
    if (chain->index == 0) {
        chain->head = (uint8_t)name;
        if (tut_rds_name_text(name))
            r->preview[0] = '\0';
        return;
    }
    if (chain->head == TUT_RDS_COLONS && chain->index == 2)
        chain->result = (uint8_t)name;
    if (chain->index == 1 && r->last_is_text && is_grave((tut_rds_name)chain->head))
        tut_str_copy(r->preview, sizeof(r->preview), tut_str_of(r->text));
    if (chain->head == TUT_RDS_INDIRECT && is_grave(name) && !chain->is_told) {
        chain->is_told = true;
        r->preview[0] = '\0';
        tut_rds_called(r, name, chain->at, "by its name: ");
    }
    if (chain->head == TUT_RDS_EVAL && r->last_type == T_CALL && name == TUT_RDS_PARSE &&
        !chain->is_told && r->live_promises == 0) {
        chain->is_told = true;
        tut_exam_observe(r->x, "r.eval-text", chain->at, "text is made code of and evaluated");
    }
}

static void note_altrep_part(tut_rds *r, tut_rds_task *chain)
{
    if (chain->index != 0)
        return;
    if (r->last_name == TUT_RDS_ALTREP_FILE)
        tut_exam_observe(r->x, "r.altrep-file", chain->at, "a vector that maps a file into memory");
    else if (r->last_name != TUT_RDS_ALTREP)
        tut_exam_observe(r->x, "r.altrep-class", chain->at,
                         "a vector of a class that a package makes");
}

static void note_binding(tut_rds *r, const tut_rds_task *chain)
{
    bool is_function = r->last_type == T_CLOSURE;
    if (!is_function)
        return;
    if (chain->tag == TUT_RDS_STARTUP)
        tut_exam_observe(r->x, "r.startup-function", chain->at,
                         "the workspace brings a function that R runs when it starts or ends");
    else if (chain->tag != TUT_RDS_PLAIN && chain->tag != TUT_RDS_COLONS)
        tut_exam_observe(r->x, "r.masking-function", chain->at,
                         "the workspace brings a function by the name of one that R has");
}

static void after_car(tut_rds *r)
{
    r->depth--;
    tut_rds_task *chain = &r->tasks[r->depth - 2];
    if (chain->is_call)
        note_call_part(r, chain);
    else if (chain->role == AS_ALTREP)
        note_altrep_part(r, chain);
    else if (chain->role == AS_BINDINGS)
        note_binding(r, chain);
    chain->index++;
    chain->tag = TUT_RDS_PLAIN;
}

/* The whole call is read: what it was is what its holder sees. */
static void end_chain(tut_rds *r)
{
    tut_rds_task chain = r->tasks[--r->depth];
    if (!chain.is_call) {
        set_last(r, T_LIST, TUT_RDS_PLAIN, false);
        return;
    }
    if (chain.head != TUT_RDS_COLONS && chain.head != TUT_RDS_PLAIN) {
        tut_rds_called(r, (tut_rds_name)chain.head, chain.at, "a call of ");
        r->preview[0] = '\0';
    }
    bool is_name = chain.head == TUT_RDS_COLONS || chain.head == TUT_RDS_PARSE;
    set_last(r, T_CALL,
             is_name ? (tut_rds_name)(chain.head == TUT_RDS_PARSE ? TUT_RDS_PARSE : chain.result)
                     : TUT_RDS_PLAIN,
             false);
}

/* --- functions, promises, environments --- */
static tut_status open_closure(tut_rds *r, uint32_t flags, tut_error *err)
{
    r->functions++;
    TUT_TRY(push_op(r, END_CLOSURE, AS_VALUE, err));
    TUT_TRY(push_op(r, READ_ITEM, AS_VALUE, err)); /* body */
    TUT_TRY(push_op(r, READ_ITEM, AS_VALUE, err)); /* arguments */
    if (flags & HAS_TAG)
        TUT_TRY(push_op(r, READ_ITEM, AS_VALUE, err));
    return flags & HAS_ATTRIBUTES ? push_op(r, READ_ITEM, AS_ATTRIBUTES, err) : TUT_SUCCESS;
}

static tut_status open_promise(tut_rds *r, uint32_t flags, role as, tut_error *err)
{
    r->promises++;
    tut_rds_task end = {.op = END_PROMISE, .role = (uint8_t)as, .at = tut_stream_pos(r->x->stream)};
    TUT_TRY(push(r, end, err));
    TUT_TRY(push_op(r, READ_ITEM, AS_VALUE, err)); /* expression */
    TUT_TRY(push_op(r, AFTER_PROMISE_VALUE, AS_VALUE, err));
    TUT_TRY(push_op(r, READ_ITEM, AS_VALUE, err)); /* value */
    if (flags & HAS_TAG)
        TUT_TRY(push_op(r, READ_ITEM, AS_VALUE, err));
    return flags & HAS_ATTRIBUTES ? push_op(r, READ_ITEM, AS_ATTRIBUTES, err) : TUT_SUCCESS;
}

/* Where no function keeps its arguments a promise is evaluated by whoever touches the object. */
static void after_promise_value(tut_rds *r)
{
    r->depth--;
    tut_rds_task *end = &r->tasks[r->depth - 2];
    bool is_evaluated = r->last_type != T_UNBOUND;
    if (end->role != AS_FRAME)
        tut_exam_observe(r->x, "r.promise", end->at, "%s promise in the place of a value",
                         is_evaluated ? "an evaluated" : "a");
    end->is_live = !is_evaluated && end->role != AS_FRAME;
    end->is_frame = !is_evaluated && end->role == AS_FRAME;
    r->live_promises += end->is_live;
    r->frame_promises += end->is_frame;
    /* The expression may be a mere name, which is then what is called. */
}

static void end_promise(tut_rds *r)
{
    const tut_rds_task *end = &r->tasks[--r->depth];
    r->live_promises -= end->is_live;
    r->frame_promises -= end->is_frame;
    set_last(r, T_PROMISE, TUT_RDS_PLAIN, false);
}

static tut_status open_environment(tut_rds *r, tut_error *err)
{
    int32_t locked = 0;
    r->environments++;
    TUT_TRY(tut_rds_int(r, &locked, err));
    TUT_TRY(add_ref(r, TUT_RDS_PLAIN, err));
    TUT_TRY(push_op(r, READ_ITEM, AS_ATTRIBUTES, err));
    TUT_TRY(push_op(r, READ_ITEM, AS_FRAME, err)); /* table */
    TUT_TRY(push_op(r, READ_ITEM, AS_FRAME, err));
    return push_op(r, READ_ITEM, AS_VALUE, err); /* enclosing */
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
static tut_status open_vector(tut_rds *r, op what, role as, tut_error *err)
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
    set_last(r, T_VECTOR, TUT_RDS_PLAIN, false);
    return push(r, t, err);
}

/* --- bytecode --- */
static tut_status open_code(tut_rds *r, tut_error *err)
{
    int32_t count = 0;
    r->code++;
    TUT_TRY(
        tut_rds_int(r, &count, err)); /* of shared pieces, which are told apart by their index */
    return push_op(r, CODE_BODY, AS_VALUE, err);
}

static tut_status read_code_body(tut_rds *r, tut_error *err)
{
    r->depth--;
    TUT_TRY(push_op(r, CODE_CONSTANTS, AS_VALUE, err));
    return push_op(r, READ_ITEM, AS_VALUE, err);
}

static tut_status read_code_constants(tut_rds *r, tut_error *err)
{
    int32_t count = 0;
    r->depth--;
    TUT_TRY(tut_rds_int(r, &count, err));
    if (count < 0)
        return malformed(r, "bytecode with a negative number of constants", err);
    return push(r, (tut_rds_task){.op = CODE_CONSTANT, .left = (uint64_t)count}, err);
}

static bool is_code_language(int type)
{
    return type == T_CALL || type == T_LIST || type == T_CODE_DEF || type == T_CODE_REF ||
           type == T_ATTR_CALL || type == T_ATTR_LIST;
}

/* A piece of language whose type was read: parts are language in turn, with a type each. */
static tut_status read_code_language(tut_rds *r, int32_t type, tut_error *err)
{
    int32_t index = 0;
    if (type == T_CODE_REF) {
        set_last(r, T_LIST, TUT_RDS_PLAIN, false);
        return tut_rds_int(r, &index, err);
    }
    if (!is_code_language(type)) { /* this "type" is a mark only: an item follows */
        return push_op(r, READ_ITEM, AS_VALUE, err);
    }
    if (type == T_CODE_DEF) {
        TUT_TRY(tut_rds_int(r, &index, err));
        TUT_TRY(tut_rds_int(r, &type, err));
    }
    bool has_attributes = type == T_ATTR_CALL || type == T_ATTR_LIST;
    tut_rds_task chain = {.op = CODE_CALL,
                          .is_call = type == T_CALL || type == T_ATTR_CALL,
                          .at = tut_stream_pos(r->x->stream)};
    TUT_TRY(push(r, chain, err));
    TUT_TRY(push_op(r, CODE_LANGUAGE, AS_ATTRIBUTES, err)); /* cdr */
    TUT_TRY(push_op(r, CODE_AFTER_CAR, AS_VALUE, err));
    TUT_TRY(push_op(r, CODE_LANGUAGE, AS_VALUE, err)); /* car */
    TUT_TRY(push_op(r, READ_ITEM, AS_VALUE, err));     /* tag */
    return has_attributes ? push_op(r, READ_ITEM, AS_ATTRIBUTES, err) : TUT_SUCCESS;
}

static tut_status read_code_constant(tut_rds *r, tut_rds_task *t, tut_error *err)
{
    int32_t type = 0;
    if (t->left == 0) {
        r->depth--;
        set_last(r, T_CODE, TUT_RDS_PLAIN, false);
        return TUT_SUCCESS;
    }
    t->left--;
    TUT_TRY(tut_rds_int(r, &type, err));
    if (type == T_CODE)
        return push_op(r, CODE_BODY, AS_VALUE, err);
    return read_code_language(r, type, err);
}

/* The rest of a call is a chain of its own here; its cells belong to the call that it began. */
static tut_status read_code_part(tut_rds *r, role as, tut_error *err)
{
    int32_t type = 0;
    r->depth--;
    TUT_TRY(tut_rds_int(r, &type, err));
    bool is_rest = as == AS_ATTRIBUTES && type == T_LIST && r->depth > 0 &&
                   r->tasks[r->depth - 1].op == CODE_CALL;
    if (!is_rest)
        return read_code_language(r, type, err);
    TUT_TRY(push_op(r, CODE_LANGUAGE, AS_ATTRIBUTES, err));
    TUT_TRY(push_op(r, CODE_AFTER_CAR, AS_VALUE, err));
    TUT_TRY(push_op(r, CODE_LANGUAGE, AS_VALUE, err));
    return push_op(r, READ_ITEM, AS_VALUE, err); /* tag */
}

/* --- items --- */
static tut_status read_other(tut_rds *r, int32_t type, tut_error *err)
{
    switch (type) {
    case T_NIL_VALUE:
    case T_NIL:
    case T_EMPTY_ENV:
    case T_BASE_ENV:
    case T_GLOBAL:
    case T_UNBOUND:
    case T_MISSING:
    case T_BASE_NAMESPACE:
        set_last(r, type, TUT_RDS_PLAIN, false);
        return TUT_SUCCESS;
    case T_SYMBOL:
        return read_symbol(r, err);
    case T_PACKAGE:
    case T_NAMESPACE:
    case T_PERSISTENT:
        return read_names(r, type, err);
    case T_ENVIRONMENT:
        return open_environment(r, err);
    default:
        return malformed(r, "an item of a type that R does not have", err);
    }
}

/* What has its attributes behind it. */
static tut_status read_vector(tut_rds *r, int32_t type, role as, tut_error *err)
{
    tut_str text;
    int32_t len = 0;
    set_last(r, type, TUT_RDS_PLAIN, false);
    switch (type) {
    case T_CHAR:
        TUT_TRY(tut_rds_int(r, &len, err));
        return len < 0 ? TUT_SUCCESS : tut_rds_text(r, (uint64_t)len, &text, err);
    case T_LOGICAL:
    case T_INTEGER:
        return read_numbers(r, 4, 1, err);
    case T_REAL:
        return read_numbers(r, 8, 1, err);
    case T_COMPLEX:
        return read_numbers(r, 16, 2, err);
    case T_RAW:
        return read_raw(r, err);
    case T_STRINGS:
        return open_vector(r, READ_STRINGS, AS_VALUE, err);
    case T_VECTOR:
    case T_EXPRESSION:
        return open_vector(r, READ_ITEMS, as == AS_FRAME ? AS_FRAME : AS_VALUE, err);
    case T_SPECIAL:
    case T_BUILTIN:
        return read_builtin(r, type, err);
    case T_CODE:
        return open_code(r, err);
    case T_POINTER:
        r->pointers++;
        TUT_TRY(add_ref(r, TUT_RDS_PLAIN, err));
        TUT_TRY(push_op(r, READ_ITEM, AS_VALUE, err));
        return push_op(r, READ_ITEM, AS_VALUE, err);
    case T_WEAK:
        return add_ref(r, TUT_RDS_PLAIN, err);
    default: /* S4: attributes only */
        return TUT_SUCCESS;
    }
}

static bool has_attributes_behind(int32_t type)
{
    return (type >= T_SPECIAL && type <= T_STRINGS) || (type >= T_VECTOR && type <= T_S4);
}

/* Its flags are read. */
static tut_status read_content(tut_rds *r, uint32_t flags, role as, tut_error *err)
{
    int32_t type = (int32_t)(flags & 0xff);
    r->items++;
    if (type == T_REFERENCE)
        return read_reference(r, flags, err);
    if (type == T_LIST || type == T_CALL || type == T_DOTS)
        return open_chain(r, flags, type, type == T_CALL ? AS_VALUE : as, err);
    if (type == T_CLOSURE)
        return open_closure(r, flags, err);
    if (type == T_PROMISE)
        return open_promise(r, flags, as, err);
    if (type == T_ALTREP && r->version >= 3) {
        TUT_TRY(push_op(r, READ_ITEM, AS_ATTRIBUTES, err));
        TUT_TRY(push_op(r, READ_ITEM, AS_VALUE, err));
        return push_op(r, READ_ITEM, AS_ALTREP, err);
    }
    if (!has_attributes_behind(type) || type == 11 || type == 12)
        return read_other(r, type, err);
    if (flags & HAS_ATTRIBUTES)
        TUT_TRY(push_op(r, READ_ITEM, AS_ATTRIBUTES, err));
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

static tut_status read_item(tut_rds *r, role as, tut_error *err)
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
    if ((flags & 0xff) == T_LIST || (flags & 0xff) == T_DOTS)
        return push_cell(r, flags, err);
    return read_content(r, flags, AS_VALUE, err);
}

static tut_status step(tut_rds *r, tut_error *err)
{
    tut_rds_task *t = &r->tasks[r->depth - 1];
    role as = (role)t->role;
    switch ((op)t->op) {
    case READ_ITEM:
        r->depth--;
        return read_item(r, as, err);
    case READ_ITEMS:
        if (t->left == 0) {
            r->depth--;
            set_last(r, T_VECTOR, TUT_RDS_PLAIN, false);
            return TUT_SUCCESS;
        }
        t->left--;
        return read_item(r, as, err);
    case READ_STRINGS:
        return read_strings(r, t, err);
    case READ_CDR:
        return read_cdr(r, err);
    case CHAIN:
    case CODE_CALL:
        end_chain(r);
        return TUT_SUCCESS;
    case AFTER_TAG:
        r->depth--;
        /* below are the CAR's item, AFTER_CAR, the CDR, and the chain */
        r->tasks[r->depth - 4].tag = (uint8_t)r->last_name;
        return TUT_SUCCESS;
    case AFTER_CAR:
    case CODE_AFTER_CAR:
        after_car(r);
        return TUT_SUCCESS;
    case AFTER_PROMISE_VALUE:
        after_promise_value(r);
        return TUT_SUCCESS;
    case END_PROMISE:
        end_promise(r);
        return TUT_SUCCESS;
    case END_CLOSURE:
        r->depth--;
        set_last(r, T_CLOSURE, TUT_RDS_PLAIN, false);
        return TUT_SUCCESS;
    case CODE_BODY:
        return read_code_body(r, err);
    case CODE_CONSTANTS:
        return read_code_constants(r, err);
    case CODE_CONSTANT:
        return read_code_constant(r, t, err);
    case CODE_LANGUAGE:
        return read_code_part(r, as, err);
    }
    return TUT_SUCCESS;
}

tut_status tut_rds_walk(tut_rds *r, tut_error *err)
{
    r->tasks = tut_alloc_array(TUT_RDS_TASKS, sizeof(*r->tasks));
    if (!r->tasks)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    TUT_TRY(push_op(r, READ_ITEM, r->is_workspace ? AS_BINDINGS : AS_VALUE, err));
    while (r->depth > 0)
        TUT_TRY(step(r, err));
    return TUT_SUCCESS;
}
