/*
 *   header = "{" pair { "," pair } [","] "}" {blank}
 *   pair   = "'descr'" ":" descr | "'fortran_order'" ":" ("True"|"False") | "'shape'" ":" shape
 *   descr  = string | "[" [ field { "," field } [","] ] "]" | "(" descr "," shape ")"
 *   field  = "(" name "," descr [ "," shape ] [","] ")"
 *   name   = string | "(" string "," string ")"
 *   shape  = integer | "(" [ integer { "," integer } [","] ] ")"
 *
 * Each key once. Integers may end in L, as Python 2 wrote them. Only names of fields may hold
 * escapes.
 */
#include "formats/npy_header.h"

#include "base/reader.h"

enum { NESTING_MAX = 32 };

typedef struct parser {
    tut_str text;
    size_t at;
    tut_npy_header *header;
    tut_error *err;
} parser;

static tut_status wrong(const parser *p, const char *what)
{
    return tut_fail_at(p->err, TUT_MALFORMED, p->at, "%s", what);
}

static char look(parser *p)
{
    while (p->at < p->text.len && (p->text.data[p->at] == ' ' || p->text.data[p->at] == '\n' ||
                                   p->text.data[p->at] == '\t' || p->text.data[p->at] == '\r'))
        p->at++;
    return p->at < p->text.len ? p->text.data[p->at] : '\0';
}

static bool take(parser *p, char c)
{
    if (look(p) != c || p->at >= p->text.len)
        return false;
    p->at++;
    return true;
}

static tut_status expect(parser *p, char c, const char *what)
{
    return take(p, c) ? TUT_SUCCESS : wrong(p, what);
}

static bool take_word(parser *p, const char *word)
{
    (void)look(p);
    tut_str rest = {p->text.data + p->at, p->text.len - p->at};
    tut_str wanted = tut_str_of(word);
    if (!tut_str_starts(rest, wanted))
        return false;
    p->at += wanted.len;
    return true;
}

static tut_status string(parser *p, bool allow_escapes, tut_str *ret)
{
    char quote = look(p);
    if (quote != '\'' && quote != '"')
        return wrong(p, "a string is missing");
    size_t start = ++p->at;
    for (; p->at < p->text.len && p->text.data[p->at] != quote; p->at++) {
        if (p->text.data[p->at] == '\n' || (p->text.data[p->at] == '\\' && !allow_escapes))
            return wrong(p, "an escape or line break in a string");
        if (p->text.data[p->at] == '\\')
            p->at++;
    }
    if (p->at >= p->text.len)
        return wrong(p, "a string does not end");
    *ret = (tut_str){p->text.data + start, p->at - start};
    p->at++;
    return TUT_SUCCESS;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static tut_status integer(parser *p, uint64_t *ret)
{
    if (!is_digit(look(p)))
        return wrong(p, "a whole number is missing");
    uint64_t v = 0;
    for (; p->at < p->text.len && is_digit(p->text.data[p->at]); p->at++) {
        if (__builtin_mul_overflow(v, 10u, &v) ||
            __builtin_add_overflow(v, (uint64_t)(p->text.data[p->at] - '0'), &v))
            return wrong(p, "a number beyond 64 bits");
    }
    if (p->at < p->text.len && p->text.data[p->at] == 'L')
        p->at++;
    *ret = v;
    return TUT_SUCCESS;
}

/* dims may be NULL: then only the product counts (for a field's own shape). */
static tut_status shape(parser *p, uint64_t *dims, size_t *ret_count, uint64_t *ret_product)
{
    size_t count = 0;
    uint64_t product = 1, dim = 0;
    bool is_tuple = take(p, '('), has_more = true;
    if (is_tuple && take(p, ')'))
        has_more = false;
    while (has_more) {
        if (count >= TUT_NPY_DIMS_MAX)
            return tut_fail_at(p->err, TUT_LIMIT, p->at, "more than %d dimensions",
                               TUT_NPY_DIMS_MAX);
        TUT_TRY(integer(p, &dim));
        if (dims)
            dims[count] = dim;
        count++;
        if (__builtin_mul_overflow(product, dim, &product))
            product = UINT64_MAX;
        if (!is_tuple)
            break;
        bool comma = take(p, ',');
        if (take(p, ')')) {
            if (!comma && count == 1)
                return wrong(p, "a number in brackets is no tuple");
            has_more = false;
        } else if (!comma) {
            return wrong(p, "a comma or closing bracket is missing in a shape");
        }
    }
    if (ret_count)
        *ret_count = count;
    *ret_product = product;
    return TUT_SUCCESS;
}

/* --- types --- */

/* "<f8", "|V16", "<M8[ns]", "|O": byte order, kind, size, unit. Anything else is odd. */
static uint64_t type_bytes(parser *p, tut_str type)
{
    size_t at = 0;
    if (type.len > 0 && memchr("<>|=", type.data[0], 4))
        at++;
    char kind = at < type.len ? type.data[at++] : '\0';
    bool is_kind = kind && strchr("?biufcmMOSaUV", kind);
    uint64_t size = 0;
    size_t digits = 0;
    for (; at < type.len && is_digit(type.data[at]) && digits < 18; at++, digits++)
        size = size * 10 + (uint64_t)(type.data[at] - '0');
    if ((kind == 'm' || kind == 'M') && at < type.len && type.data[at] == '[') {
        const char *end = memchr(type.data + at, ']', type.len - at);
        at = end ? (size_t)(end - type.data) + 1 : type.len + 1;
    }
    if (kind == 'O')
        p->header->has_object = true;
    if (!is_kind || at != type.len || (digits == 0 && kind != 'O' && kind != '?')) {
        p->header->is_odd = true;
        if (type.len > 0 && (memchr(type.data, 'O', type.len) || memchr(type.data, 'o', type.len)))
            p->header->has_object = true;
        return 0;
    }
    if (kind == 'O')
        return 8;
    if (kind == '?')
        return 1;
    return kind == 'U' ? size * 4 : size;
}

typedef struct frame {
    enum { LIST, FIELD, SUB } kind;
    uint64_t bytes;
} frame;

typedef struct type_machine {
    frame stack[NESTING_MAX];
    size_t depth;
    bool is_done;
} type_machine;

static tut_status push(parser *p, type_machine *t, int kind)
{
    if (t->depth >= NESTING_MAX)
        return tut_fail_at(p->err, TUT_LIMIT, p->at, "a type nested more than %d deep",
                           NESTING_MAX);
    t->stack[t->depth++] = (frame){.kind = kind, .bytes = 0};
    return TUT_SUCCESS;
}

/* "(" name ",": what comes before a field's type. */
static tut_status open_field(parser *p, type_machine *t)
{
    tut_str name = {0};
    TUT_TRY(expect(p, '(', "a field is missing"));
    TUT_TRY(push(p, t, FIELD));
    if (take(p, '(')) {
        TUT_TRY(string(p, true, &name));
        TUT_TRY(expect(p, ',', "a title without a name"));
        TUT_TRY(string(p, true, &name));
        TUT_TRY(expect(p, ')', "a title and name that do not end"));
    } else {
        TUT_TRY(string(p, true, &name));
    }
    return expect(p, ',', "a field without a type");
}

static uint64_t times(uint64_t a, uint64_t b)
{
    uint64_t v = 0;
    return __builtin_mul_overflow(a, b, &v) ? UINT64_MAX : v;
}

static uint64_t plus(uint64_t a, uint64_t b)
{
    uint64_t v = 0;
    return __builtin_add_overflow(a, b, &v) ? UINT64_MAX : v;
}

/* A type of `bytes` is complete: closes what ends with it. */
static tut_status complete(parser *p, type_machine *t, uint64_t bytes)
{
    for (;;) {
        if (t->depth == 0) {
            p->header->item_bytes = bytes;
            t->is_done = true;
            return TUT_SUCCESS;
        }
        frame *top = &t->stack[--t->depth];
        uint64_t product = 1;
        bool comma = take(p, ',');
        if (top->kind == SUB && !comma)
            return wrong(p, "a type in brackets without a shape");
        if (comma && look(p) != ')') {
            TUT_TRY(shape(p, NULL, NULL, &product));
            (void)take(p, ',');
        }
        TUT_TRY(expect(p, ')', "a field does not end"));
        bytes = times(bytes, product);
        if (top->kind == SUB)
            continue;
        frame *list = &t->stack[t->depth - 1];
        list->bytes = plus(list->bytes, bytes);
        comma = take(p, ',');
        if (!take(p, ']'))
            return comma ? open_field(p, t) : wrong(p, "a list of fields does not end");
        bytes = list->bytes;
        t->depth--;
    }
}

static tut_status parse_type(parser *p)
{
    type_machine t = {0};
    while (!t.is_done) {
        tut_str type = {0};
        if (take(p, '[')) {
            TUT_TRY(push(p, &t, LIST));
            if (look(p) != ']') {
                TUT_TRY(open_field(p, &t));
                continue;
            }
            p->at++;
            t.depth--;
            TUT_TRY(complete(p, &t, 0));
        } else if (take(p, '(')) {
            TUT_TRY(push(p, &t, SUB));
        } else {
            TUT_TRY(string(p, false, &type));
            TUT_TRY(complete(p, &t, type_bytes(p, type)));
        }
    }
    return TUT_SUCCESS;
}

/* --- the dictionary --- */

enum { HAS_DESCR = 1, HAS_ORDER = 2, HAS_SHAPE = 4, HAS_ALL = 7 };

static tut_status pair(parser *p, unsigned *has)
{
    tut_str key = {0};
    TUT_TRY(string(p, false, &key));
    TUT_TRY(expect(p, ':', "a key without a value"));
    (void)look(p);
    size_t start = p->at;
    unsigned bit = tut_str_eq_z(key, "descr")           ? HAS_DESCR
                   : tut_str_eq_z(key, "fortran_order") ? HAS_ORDER
                   : tut_str_eq_z(key, "shape")         ? HAS_SHAPE
                                                        : 0;
    if (bit == 0 || (*has & bit))
        return wrong(p, bit ? "a key occurs twice" : "a key that does not belong here");
    *has |= bit;
    if (bit == HAS_ORDER) {
        p->header->is_fortran = take_word(p, "True");
        return p->header->is_fortran || take_word(p, "False")
                   ? TUT_SUCCESS
                   : wrong(p, "fortran_order is neither True nor False");
    }
    tut_str *written = bit == HAS_DESCR ? &p->header->descr : &p->header->shape;
    if (bit == HAS_SHAPE) {
        uint64_t product = 0;
        if (look(p) != '(')
            return wrong(p, "the shape is no tuple");
        TUT_TRY(shape(p, p->header->dims, &p->header->dim_count, &product));
    } else {
        TUT_TRY(parse_type(p));
    }
    *written = (tut_str){p->text.data + start, p->at - start};
    return TUT_SUCCESS;
}

tut_status tut_npy_header_parse(tut_str text, tut_npy_header *ret_header, tut_error *err)
{
    tut_npy_header header = {0};
    parser p = {.text = text, .header = &header, .err = err};
    unsigned has = 0;
    TUT_TRY(expect(&p, '{', "no dictionary"));
    while (!take(&p, '}')) {
        TUT_TRY(pair(&p, &has));
        if (!take(&p, ',') && look(&p) != '}')
            return wrong(&p, "a comma or closing brace is missing");
    }
    if (look(&p) != '\0' || p.at < text.len)
        return wrong(&p, "something follows the dictionary");
    if (has != HAS_ALL)
        return wrong(&p, "descr, fortran_order or shape is missing");
    *ret_header = header;
    return TUT_SUCCESS;
}

bool tut_npy_header_bytes(const tut_npy_header *h, uint64_t *ret_bytes)
{
    uint64_t elements = 1;
    bool is_empty = false;
    for (size_t i = 0; i < h->dim_count; i++)
        is_empty |= h->dims[i] == 0;
    for (size_t i = 0; i < h->dim_count && !is_empty; i++) {
        if (__builtin_mul_overflow(elements, h->dims[i], &elements))
            return false;
    }
    uint64_t bytes = 0;
    if (!is_empty && __builtin_mul_overflow(elements, h->item_bytes, &bytes))
        return false;
    *ret_bytes = bytes;
    return bytes <= INT64_MAX;
}
