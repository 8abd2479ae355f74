/*
 * marshal, as Python/marshal.c has it:
 *
 *   object = type:1 (its high bit: remember for later references) content
 *   code   = 'c' { number:4 } code consts names locals free|kinds cell|file file|name name|qualname
 *            line:4 table [exceptions]
 *
 * There are 4 numbers in Python 2, 5 up to 3.7 and from 3.11 on, 6 between. From 3.11 on the fifth
 * object is bytes (kinds of locals), where a tuple was before.
 */
#include "formats/marshal.h"

#include <string.h>

#include "base/buf.h"
#include "base/reader.h"

enum {
    DEPTH = 128,
    REFS = 4096,
    LONGEST = 1 << 24, /* bytes of one string of code */
    FLAG_REF = 0x80,
    SMALL_NUMBER = 1 << 16
};

typedef enum text_role { ROLE_NONE, ROLE_NAMES, ROLE_TEXTS } text_role;

typedef struct level {
    bool is_code, is_dict;
    bool has_kinds; /* code of Python 3.11 and later */
    uint64_t left;  /* objects that follow; of code: its field at hand is (fields - left) */
    unsigned field;
    text_role role;
} level;

typedef struct reference {
    uint8_t type;
    tut_str text;
} reference;

typedef struct marshal {
    tut_reader r;
    tut_budget *budget;
    tut_marshal_use *use;
    level stack[DEPTH];
    size_t depth;
    reference *refs; /* by index; only texts keep their content */
    size_t ref_count;
    reference interned[256]; /* Python 2's */
    size_t interned_count;
} marshal;

/* --- recognising --- */

static uint32_t u32(const uint8_t *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

/* How many numbers stand before the string of code; 0: this is no code object. */
static unsigned numbers_of(tut_span head)
{
    static const unsigned counts[] = {5, 6, 4};
    if (head.len < 1 || (head.data[0] & 0x7f) != 'c')
        return 0;
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        size_t at = 1 + 4u * counts[i];
        if (head.len < at + 6 || (head.data[at] & 0x7f) != 's')
            continue;
        uint32_t len = u32(head.data + at + 1);
        bool is_small = len > 0 && len < LONGEST;
        for (unsigned n = 0; n + 1 < counts[i] && is_small; n++) /* the last one is flags */
            is_small = u32(head.data + 1 + (size_t)4 * n) < SMALL_NUMBER;
        if (is_small)
            return counts[i];
    }
    return 0;
}

bool tut_marshal_is_code(tut_span head)
{
    return numbers_of(head) > 0;
}

/* --- reading --- */

static void keep(marshal *m, text_role role, tut_str text)
{
    tut_marshal_use *u = m->use;
    tut_str *list = role == ROLE_NAMES ? u->names : u->texts;
    size_t *count = role == ROLE_NAMES ? &u->name_count : &u->text_count;
    size_t most = role == ROLE_NAMES ? TUT_MARSHAL_NAMES : TUT_MARSHAL_TEXTS;
    if (role == ROLE_NONE || text.len == 0)
        return;
    for (size_t i = 0; i < *count; i++)
        if (tut_str_eq(list[i], text))
            return;
    if (*count == most)
        u->is_whole = false;
    else
        list[(*count)++] = text;
}

/* What the object that is about to be read is part of. */
static text_role role_here(const marshal *m)
{
    enum { CONSTS = 1, NAMES = 2 };
    if (m->depth == 0)
        return ROLE_NONE;
    const level *top = &m->stack[m->depth - 1];
    if (!top->is_code)
        return top->role;
    return top->field == CONSTS ? ROLE_TEXTS : top->field == NAMES ? ROLE_NAMES : ROLE_NONE;
}

static bool open_level(marshal *m, level l)
{
    if (m->depth == DEPTH)
        return false;
    m->stack[m->depth++] = l;
    return true;
}

static void set_reference(marshal *m, size_t index, uint8_t type, tut_str text)
{
    if (index < REFS)
        m->refs[index] = (reference){type, text};
}

static tut_status read_text(marshal *m, uint8_t type, size_t ref, bool is_short, bool is_bytes)
{
    uint8_t small = 0;
    uint32_t len = 0;
    tut_span bytes;
    if (is_short) {
        TUT_TRY(tut_reader_u8(&m->r, &small));
        len = small;
    } else {
        TUT_TRY(tut_reader_u32le(&m->r, &len));
    }
    TUT_TRY(tut_reader_bytes(&m->r, len, &bytes));
    tut_str text = tut_str_from(bytes);
    set_reference(m, ref, type, text);
    if (type == 't' && m->interned_count < sizeof(m->interned) / sizeof(m->interned[0]))
        m->interned[m->interned_count++] = (reference){type, text};
    text_role role = role_here(m);
    if (!is_bytes || role == ROLE_NAMES || len < 4096)
        keep(m, role, text);
    return TUT_SUCCESS;
}

/* *ret_type: of what was referred to, 0 when that is not known. */
static tut_status read_reference(marshal *m, bool is_interned, uint8_t *ret_type)
{
    uint32_t index = 0;
    TUT_TRY(tut_reader_u32le(&m->r, &index));
    *ret_type = 0;
    if (is_interned && index < m->interned_count)
        keep(m, role_here(m), m->interned[index].text);
    if (is_interned || index >= m->ref_count || index >= REFS)
        return TUT_SUCCESS;
    keep(m, role_here(m), m->refs[index].text);
    *ret_type = m->refs[index].type;
    return TUT_SUCCESS;
}

static tut_status open_sequence(marshal *m, bool is_short, bool is_dict)
{
    uint8_t small = 0;
    uint32_t count = 0;
    text_role role = role_here(m);
    if (is_short) {
        TUT_TRY(tut_reader_u8(&m->r, &small));
        count = small;
    } else if (!is_dict) {
        TUT_TRY(tut_reader_u32le(&m->r, &count));
    }
    if (count > tut_reader_left(&m->r))
        return (tut_status){TUT_TRUNCATED};
    bool is_open = open_level(
        m, (level){.left = is_dict ? UINT64_MAX : count, .is_dict = is_dict, .role = role});
    return is_open ? TUT_SUCCESS : (tut_status){TUT_MALFORMED};
}

static tut_status open_code(marshal *m)
{
    enum { FIELDS = 9 };
    tut_span head = {m->r.data + m->r.pos - 1, tut_reader_left(&m->r) + 1};
    unsigned numbers = numbers_of(head);
    if (numbers == 0)
        return (tut_status){TUT_MALFORMED};
    TUT_TRY(tut_reader_skip(&m->r, (size_t)4 * numbers));
    return open_level(m, (level){.is_code = true, .left = FIELDS}) ? TUT_SUCCESS
                                                                   : (tut_status){TUT_MALFORMED};
}

static tut_status read_long(marshal *m)
{
    uint32_t digits = 0;
    TUT_TRY(tut_reader_u32le(&m->r, &digits));
    uint32_t count = digits >> 31 ? 0u - digits : digits;
    return tut_reader_skip(&m->r, 2ull * count);
}

static tut_status read_float_text(marshal *m, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        uint8_t len = 0;
        TUT_TRY(tut_reader_u8(&m->r, &len));
        TUT_TRY(tut_reader_skip(&m->r, len));
    }
    return TUT_SUCCESS;
}

/* *ret_type becomes the type that decides a code's layout. */
static tut_status read_content(marshal *m, size_t ref, uint8_t *type)
{
    switch (*type) {
    case '0':
    case 'N':
    case 'F':
    case 'T':
    case 'S':
    case '.':
        return TUT_SUCCESS;
    case 'i':
        return tut_reader_skip(&m->r, 4);
    case 'I':
    case 'g':
        return tut_reader_skip(&m->r, 8);
    case 'y':
        return tut_reader_skip(&m->r, 16);
    case 'f':
        return read_float_text(m, 1);
    case 'x':
        return read_float_text(m, 2);
    case 'l':
        return read_long(m);
    case 's':
        return read_text(m, *type, ref, false, true);
    case 't':
    case 'u':
    case 'a':
    case 'A':
        return read_text(m, *type, ref, false, false);
    case 'z':
    case 'Z':
        return read_text(m, *type, ref, true, false);
    case 'r':
    case 'R':
        return read_reference(m, *type == 'R', type);
    case '(':
    case '[':
    case '<':
    case '>':
        return open_sequence(m, false, false);
    case ')':
        return open_sequence(m, true, false);
    case '{':
        return open_sequence(m, false, true);
    case ':':
        return open_level(m, (level){.left = 3}) ? TUT_SUCCESS : (tut_status){TUT_MALFORMED};
    case 'c':
        return open_code(m);
    default:
        return (tut_status){TUT_MALFORMED};
    }
}

/* The field that was begun last decides, once the fifth is reached, which layout this is; between
 * the eighth and the ninth stands the first line's number. */
static tut_status step_code(marshal *m, level *code, uint8_t type)
{
    enum { FIFTH = 4, EIGHTH = 7 };
    if (code->field == FIFTH && type == 's') {
        code->has_kinds = true;
        code->left++; /* the table of exceptions */
    }
    (void)m;
    code->field++;
    code->left--;
    return TUT_SUCCESS;
}

static tut_status read_object(marshal *m)
{
    enum { NINTH = 8 };
    uint8_t type = 0;
    level *outer = m->depth ? &m->stack[m->depth - 1] : NULL;
    if (outer && outer->is_code && outer->field == NINTH)
        TUT_TRY(tut_reader_skip(&m->r, 4));
    TUT_TRY(tut_reader_u8(&m->r, &type));
    size_t ref = SIZE_MAX;
    if (type & FLAG_REF)
        ref = m->ref_count++;
    type &= 0x7f;
    if (ref != SIZE_MAX)
        set_reference(m, ref, type, (tut_str){"", 0});
    if (outer && outer->is_dict && type == '0') {
        outer->left = 0;
        return TUT_SUCCESS;
    }
    /* `outer` stays where it is: levels live in an array. */
    TUT_TRY(read_content(m, ref, &type));
    if (!outer)
        return TUT_SUCCESS;
    if (outer->is_code)
        return step_code(m, outer, type);
    if (!outer->is_dict)
        outer->left--;
    return TUT_SUCCESS;
}

static tut_status read_all(marshal *m, tut_error *err)
{
    bool is_first = true;
    while (is_first || m->depth > 0) {
        TUT_TRY(tut_budget_steps(m->budget, 1, err));
        if (!is_first && m->stack[m->depth - 1].left == 0) {
            m->depth--;
            continue;
        }
        is_first = false;
        tut_status status = read_object(m);
        if (!tut_is_ok(status)) {
            m->use->is_whole = false;
            return TUT_SUCCESS;
        }
    }
    return TUT_SUCCESS;
}

tut_status tut_marshal_read(tut_span bytes, tut_budget *budget, tut_marshal_use *ret,
                            tut_error *err)
{
    TUT_AUTO_FREE marshal *m = tut_alloc_array(1, sizeof(*m));
    TUT_AUTO_FREE reference *refs = tut_alloc_array(REFS, sizeof(*refs));
    *ret = (tut_marshal_use){.is_whole = true};
    if (!m || !refs)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    m->r = tut_reader_of(bytes);
    m->budget = budget;
    m->use = ret;
    m->refs = refs;
    return read_all(m, err);
}

tut_status tut_marshal_report(tut_exam *x, tut_span bytes, const char *rule, const char *where,
                              tut_error *err)
{
    TUT_AUTO_FREE tut_marshal_use *use = tut_alloc_array(1, sizeof(*use));
    if (!use)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    TUT_TRY(tut_marshal_read(bytes, x->budget, use, err));
    const tut_python_event event = {.rule = rule,
                                    .where = tut_str_of(where),
                                    .offset = TUT_NO_OFFSET,
                                    .names = use->names,
                                    .name_count = use->name_count,
                                    .texts = use->texts,
                                    .text_count = use->text_count};
    tut_exam_python(x, &event);
    return TUT_SUCCESS;
}
