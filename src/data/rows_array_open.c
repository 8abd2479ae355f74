/*
 *   npy = "\x93NUMPY" major 0 length header elements     (see formats/npy_header.h)
 *   idx = 0 0 type rank { u32be length } elements        (big endian)
 *   type of idx: 8 u8, 9 i8, 11 i16, 12 i32, 13 f32, 14 f64
 */
#include <stdio.h>

#include "base/limits.h"
#include "data/rows_array.h"
#include "formats/npy_header.h"

enum { PREFIX_BYTES = 8, IDX_DIMS = 8, FIELDS_MAX = 4096, WIDE_TABLE = 16 };

static const char magic[] = "\x93NUMPY";

bool array_is_npy(tut_span head)
{
    return head.len >= PREFIX_BYTES && memcmp(head.data, magic, sizeof(magic) - 1) == 0;
}

static unsigned idx_width(uint8_t type)
{
    static const uint8_t widths[] = {1, 1, 0, 2, 4, 4, 8};
    return type >= 8 && type <= 14 ? widths[type - 8] : 0;
}

bool array_is_idx(tut_span head)
{
    return head.len >= 4 && head.data[0] == 0 && head.data[1] == 0 && idx_width(head.data[2]) > 0 &&
           head.data[3] >= 1 && head.data[3] <= IDX_DIMS &&
           head.len >= 4 + 4 * (size_t)head.data[3];
}

/* --- types of npy --- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static void unread(array_field *f, const char *why)
{
    f->kind = ARRAY_UNREAD;
    f->why = why;
}

/* "[ns]" and the like; "[25s]", "[Y]" and none at all are not read. */
static void read_unit(array_field *f, tut_str rest)
{
    static const char *const units[] = {"[D]", "[h]", "[m]", "[s]", "[ms]", "[us]", "[ns]"};
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (tut_str_eq_z(rest, units[i])) {
            tut_str_copy(f->unit, sizeof(f->unit), (tut_str){units[i] + 1, rest.len - 2});
            return;
        }
    }
    unread(f, "times in a unit that is not read");
}

static void mean(array_field *f, char kind, tut_str rest)
{
    const uint32_t n = f->size;
    bool is_int = n == 1 || n == 2 || n == 4 || n == 8;
    if ((kind == '?' || kind == 'b') && n == 1)
        f->kind = ARRAY_BOOL;
    else if ((kind == 'i' && is_int) || (kind == 'm' && n == 8))
        f->kind = ARRAY_INT; /* a span of time is as many of its unit */
    else if (kind == 'u' && is_int)
        f->kind = ARRAY_UINT;
    else if (kind == 'f' && (n == 2 || n == 4 || n == 8))
        f->kind = ARRAY_FLOAT;
    else if (kind == 'U')
        f->kind = ARRAY_UTF32;
    else if (kind == 'S' || kind == 'a')
        f->kind = ARRAY_BYTES;
    else if (kind == 'M' && n == 8)
        f->kind = ARRAY_TIME;
    else
        unread(f, kind == 'c'   ? "complex numbers are not read"
                  : kind == 'f' ? "floating point numbers of that width are not read"
                                : "elements of that type are not read");
    if (f->kind == ARRAY_TIME)
        read_unit(f, rest);
}

/* "<f8": byte order, kind, bytes (of U: characters), unit. */
static void read_type(tut_str type, array_field *f)
{
    size_t at = 0;
    uint64_t size = 0;
    bool has_order = type.len > 0 && memchr("<>|=", type.data[0], 4);
    f->is_big = has_order && type.data[0] == '>';
    at += has_order;
    char kind = at < type.len ? type.data[at++] : '\0';
    for (; at < type.len && is_digit(type.data[at]) && size < UINT32_MAX; at++)
        size = size * 10 + (uint64_t)(type.data[at] - '0');
    size = kind == '?' ? 1 : kind == 'U' ? size * 4 : size;
    f->size = size <= UINT32_MAX ? (uint32_t)size : 0;
    mean(f, kind, (tut_str){type.data + at, type.len - at});
    if (size == 0 || size > UINT32_MAX)
        unread(f, "elements of no size, or of more than 4 GiB");
}

/* --- fields: the header's grammar is known to hold --- */

typedef struct walk {
    tut_str text;
    size_t at;
} walk;

static char look(walk *w)
{
    while (w->at < w->text.len && memchr(" \t\r\n", w->text.data[w->at], 4))
        w->at++;
    return w->at < w->text.len ? w->text.data[w->at] : '\0';
}

static bool take(walk *w, char c)
{
    bool is_it = look(w) == c && c;
    w->at += is_it;
    return is_it;
}

static tut_str quoted(walk *w)
{
    char quote = look(w);
    size_t start = ++w->at;
    while (w->at < w->text.len && w->text.data[w->at] != quote)
        w->at += w->text.data[w->at] == '\\' ? 2 : 1;
    size_t end = w->at < w->text.len ? w->at : w->text.len;
    w->at = end + 1;
    return (tut_str){w->text.data + (start < end ? start : end), start < end ? end - start : 0};
}

/* Over one type, whatever it is made of. */
static tut_str whole_type(walk *w)
{
    size_t start, depth = 0;
    (void)look(w);
    start = w->at;
    do {
        char c = look(w);
        if (c == '\'' || c == '"') {
            (void)quoted(w);
            continue;
        }
        depth += c == '[' || c == '(';
        depth -= depth > 0 && (c == ']' || c == ')');
        w->at++;
    } while (depth > 0 && w->at < w->text.len);
    size_t end = w->at < w->text.len ? w->at : w->text.len;
    return (tut_str){w->text.data + (start < end ? start : end), start < end ? end - start : 0};
}

static uint64_t count_of(walk *w)
{
    uint64_t product = 1;
    bool is_tuple = take(w, '(');
    while (is_digit(look(w))) {
        uint64_t n = 0;
        for (; w->at < w->text.len && is_digit(w->text.data[w->at]); w->at++)
            if (__builtin_mul_overflow(n, 10u, &n) ||
                __builtin_add_overflow(n, (uint64_t)(w->text.data[w->at] - '0'), &n))
                n = UINT64_MAX / 16;
        (void)take(w, 'L');
        if (__builtin_mul_overflow(product, n, &product))
            product = UINT64_MAX;
        if (!is_tuple || !take(w, ','))
            break;
    }
    (void)(is_tuple && take(w, ')'));
    return product;
}

/* What a type made of others takes; the header's own parser counts it. */
static tut_status nested_bytes(tut_str type, uint64_t *ret_bytes, tut_error *err)
{
    tut_npy_header h;
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    tut_buf_add_z(&text, "{'descr': ");
    tut_buf_add_str(&text, type);
    tut_buf_add_z(&text, ", 'fortran_order': False, 'shape': ()}");
    TUT_TRY(tut_buf_check(&text, err));
    TUT_TRY(tut_npy_header_parse(tut_buf_str(&text), &h, err));
    *ret_bytes = h.item_bytes;
    return TUT_SUCCESS;
}

/* NULL: *ret_status says why. */
static array_field *add_field(array *a, tut_status *ret_status, tut_error *err)
{
    if (a->field_count == FIELDS_MAX) {
        *ret_status = tut_fail(err, TUT_LIMIT, "elements of more than %d fields", FIELDS_MAX);
        return NULL;
    }
    if (!tut_is_ok(tut_grow(&a->fields, a->field_count, &a->field_capacity, sizeof(*a->fields)))) {
        *ret_status = tut_fail(err, TUT_NOMEM, "memory ran out");
        return NULL;
    }
    array_field *f = &a->fields[a->field_count++];
    *f = (array_field){.count = 1};
    return f;
}

/* "(" name "," type [ "," shape ] ")" */
static tut_status take_field(array *a, walk *w, uint64_t *io_offset, tut_error *err)
{
    tut_status status;
    array_field *f = add_field(a, &status, err);
    uint64_t bytes = 0;
    if (!f)
        return status;
    (void)take(w, '(');
    bool has_title = take(w, '(');
    f->name = quoted(w);
    if (has_title && take(w, ','))
        f->name = quoted(w);
    (void)(has_title && take(w, ')'));
    (void)take(w, ',');
    char first = look(w);
    tut_str type = whole_type(w);
    if (first == '\'' || first == '"') {
        read_type((tut_str){type.data + 1, type.len > 1 ? type.len - 2 : 0}, f);
        bytes = f->size;
    } else {
        TUT_TRY(nested_bytes(type, &bytes, err));
        unread(f, "fields inside a field are not read");
    }
    if (take(w, ',') && look(w) != ')')
        f->count = count_of(w);
    (void)take(w, ',');
    (void)take(w, ')');
    f->offset = *io_offset;
    if (__builtin_mul_overflow(bytes, f->count, &bytes) ||
        __builtin_add_overflow(*io_offset, bytes, io_offset))
        return tut_fail(err, TUT_MALFORMED, "the type's size overflows");
    return TUT_SUCCESS;
}

static tut_status read_fields(array *a, tut_str descr, tut_error *err)
{
    walk w = {.text = descr};
    uint64_t offset = 0;
    tut_status status;
    if (look(&w) != '[') {
        array_field *f = add_field(a, &status, err);
        if (!f)
            return status;
        if (look(&w) == '(') { /* one array for an element: NumPy folds it into the shape */
            unread(f, "an element that is an array is not read");
            return TUT_SUCCESS;
        }
        read_type(quoted(&w), f);
        return TUT_SUCCESS;
    }
    a->has_fields = true;
    w.at++;
    while (look(&w) == '(') {
        TUT_TRY(take_field(a, &w, &offset, err));
        (void)take(&w, ',');
    }
    return TUT_SUCCESS;
}

/* --- headers --- */

static tut_status cut(tut_error *err)
{
    return tut_fail(err, TUT_TRUNCATED, "the array is cut off before its first element");
}

static tut_status take_bytes(tut_stream *s, size_t n, tut_buf *to, tut_error *err)
{
    while (n > 0) {
        size_t part = n < TUT_LIMIT_PEEK_BYTES ? n : TUT_LIMIT_PEEK_BYTES;
        const uint8_t *raw;
        if (!tut_is_ok(tut_stream_take(s, part, &raw)))
            return cut(err);
        tut_buf_add(to, raw, part);
        n -= part;
    }
    return tut_buf_check(to, err);
}

static tut_status read_npy(array *a, tut_error *err)
{
    const uint8_t *raw;
    tut_npy_header h;
    if (!tut_is_ok(tut_stream_take(a->stream, PREFIX_BYTES, &raw)))
        return cut(err);
    if (!array_is_npy(tut_span_of(raw, PREFIX_BYTES)))
        return tut_fail(err, TUT_MALFORMED, "this is no npy file");
    uint8_t major = raw[6];
    if (major < 1 || major > 3)
        return tut_fail(err, TUT_UNSUPPORTED, "npy version %u is not read", major);
    size_t width = major == 1 ? 2 : 4, len = 0;
    if (!tut_is_ok(tut_stream_take(a->stream, width, &raw)))
        return cut(err);
    for (size_t i = 0; i < width; i++)
        len |= (size_t)raw[i] << (8 * i);
    if (len > TUT_LIMIT_NPY_HEADER)
        return tut_fail(err, TUT_LIMIT, "an npy header of %zu bytes", len);
    TUT_TRY(take_bytes(a->stream, len, &a->header, err));
    TUT_TRY(tut_npy_header_parse(tut_buf_str(&a->header), &h, err));
    if (h.has_object)
        return tut_fail(err, TUT_UNSUPPORTED,
                        "the elements are Python objects: reading them would run a pickle");
    if (h.is_odd)
        return tut_fail(err, TUT_UNSUPPORTED, "a type as NumPy never writes it");
    TUT_TRY(read_fields(a, h.descr, err));
    a->item_bytes = h.item_bytes;
    a->is_fortran = h.is_fortran;
    a->rank = h.dim_count;
    memcpy(a->dims, h.dims, sizeof(a->dims));
    return TUT_SUCCESS;
}
_Static_assert((int)ARRAY_DIMS == (int)TUT_NPY_DIMS_MAX, "dims are copied");

static tut_status read_idx(array *a, tut_error *err)
{
    const uint8_t *raw;
    tut_status status;
    if (!tut_is_ok(tut_stream_take(a->stream, 4, &raw)))
        return cut(err);
    uint8_t type = raw[2];
    a->rank = raw[3];
    if (!tut_is_ok(tut_stream_take(a->stream, 4 * a->rank, &raw)))
        return cut(err);
    for (size_t i = 0; i < a->rank; i++, raw += 4)
        a->dims[i] = (uint64_t)raw[0] << 24 | (uint64_t)raw[1] << 16 | (uint64_t)raw[2] << 8 |
                     raw[3];
    array_field *f = add_field(a, &status, err);
    if (!f)
        return status;
    f->is_big = true;
    f->size = idx_width(type);
    f->kind = type == 8 ? ARRAY_UINT : type < 13 ? ARRAY_INT : ARRAY_FLOAT;
    a->item_bytes = f->size;
    return TUT_SUCCESS;
}

static tut_status measure(array *a, tut_error *err)
{
    uint64_t all = 0;
    a->count = a->rank > 0 ? a->dims[0] : 1;
    a->inner = 1;
    for (size_t i = 1; i < a->rank; i++) {
        if (__builtin_mul_overflow(a->inner, a->dims[i], &a->inner))
            a->inner = UINT64_MAX;
    }
    if (__builtin_mul_overflow(a->inner, a->item_bytes, &a->row_bytes) ||
        __builtin_mul_overflow(a->row_bytes, a->count, &all) || all > INT64_MAX)
        return tut_fail(err, TUT_MALFORMED, "the shape says more bytes than any memory has");
    if (a->row_bytes == 0)
        a->count = 0; /* any number of rows would be nothing */
    a->is_fortran = a->is_fortran && a->inner > 1;
    return TUT_SUCCESS;
}

/* --- opening --- */

tut_status array_open(array *a, tut_rows *r, tut_stream *stream, const tut_source *whole,
                      bool is_npy, tut_error *err)
{
    a->rows_object = r;
    a->stream = stream;
    a->is_npy = is_npy;
    TUT_TRY(is_npy ? read_npy(a, err) : read_idx(a, err));
    if (a->field_count == 1 && a->fields[0].kind == ARRAY_UNREAD)
        return tut_fail(err, TUT_UNSUPPORTED, "%s", a->fields[0].why);
    TUT_TRY(measure(a, err));
    if (!a->is_fortran)
        return TUT_SUCCESS;
    uint64_t at = tut_stream_pos(stream);
    if (!whole)
        return tut_fail(err, TUT_UNSUPPORTED,
                        "an array in Fortran's order inside a compressed file; unpack it first");
    return tut_source_slice(whole, at, whole->size > at ? whole->size - at : 0, &a->source);
}

void array_done(array *a)
{
    tut_buf_done(&a->header);
    tut_buf_done(&a->row);
    tut_free(a->fields);
    tut_free(a->columns);
    *a = (array){0};
}

/* --- columns --- */

/* "3.name.1": the element of the row, the field, the value of the field; or "value". */
static void name_column(const array *a, tut_str prefix, const array_field *f, uint64_t element,
                        uint64_t value, tut_buf *out)
{
    const char *dot = "";
    tut_buf_clear(out);
    tut_buf_add_str(out, prefix);
    dot = prefix.len ? "." : "";
    if (a->rank > 1) {
        tut_buf_printf(out, "%s%llu", dot, (unsigned long long)element);
        dot = ".";
    }
    if (a->has_fields) {
        tut_buf_add_z(out, dot);
        tut_buf_add_str(out, f->name);
        dot = ".";
    }
    if (f->count > 1)
        tut_buf_printf(out, "%s%llu", dot, (unsigned long long)value);
    if (out->len == 0)
        tut_buf_add_z(out, "value");
    for (size_t i = 0; !tut_utf8_valid(tut_buf_str(out)) && i < out->len; i++)
        out->data[i] = out->data[i] < 0x80 ? out->data[i] : '?';
}

static tut_status add_column(array *a, tut_str prefix, size_t field, uint64_t element,
                             uint64_t value, tut_error *err)
{
    const array_field *f = &a->fields[field];
    tut_rows *r = a->rows_object;
    TUT_CLEAN(tut_buf) name = TUT_BUF_INIT;
    array_column *c = &a->columns[a->column_count];
    *c = (array_column){
        .field = field, .element = element, .offset = f->offset + value * (uint64_t)f->size};
    name_column(a, prefix, f, element, value, &name);
    TUT_TRY(tut_buf_check(&name, err));
    r->no_texts = !array_has_text(f, a->inner > WIDE_TABLE || f->count > WIDE_TABLE);
    TUT_TRY(rows_column_add(r, tut_buf_str(&name), &c->column, err));
    a->column_count++;
    uint64_t end = element * a->item_bytes + c->offset + f->size;
    a->need_bytes = end > a->need_bytes ? end : a->need_bytes;
    return TUT_SUCCESS;
}

static tut_status add_element(array *a, tut_str prefix, uint64_t element, tut_error *err)
{
    for (size_t i = 0; i < a->field_count; i++) {
        const array_field *f = &a->fields[i];
        for (uint64_t k = 0; k < f->count && f->kind != ARRAY_UNREAD; k++) {
            if (a->rows_object->column_count == TUT_ROWS_COLUMNS) {
                a->left_out += f->count - k;
                break;
            }
            TUT_TRY(add_column(a, prefix, i, element, k, err));
        }
    }
    return TUT_SUCCESS;
}

static void tell_unread(const array *a)
{
    for (size_t i = 0; i < a->field_count; i++) {
        const array_field *f = &a->fields[i];
        int len = f->name.len < 30 ? (int)f->name.len : 30;
        bool is_padding = f->name.len == 0 && a->has_fields;
        if (f->why && !is_padding)
            rows_defect(a->rows_object, TUT_ROWS_UNREAD, UINT64_MAX, UINT64_MAX, "%.*s: %s", len,
                        f->name.data, f->why);
    }
}

tut_status array_add_columns(array *a, tut_str prefix, tut_error *err)
{
    tell_unread(a);
    a->columns = tut_alloc_array(TUT_ROWS_COLUMNS, sizeof(*a->columns));
    if (!a->columns)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    uint64_t e = 0;
    for (; e < a->inner && a->row_bytes > 0 && a->left_out == 0; e++)
        TUT_TRY(add_element(a, prefix, e, err));
    if (a->left_out > 0)
        rows_defect(a->rows_object, TUT_ROWS_UNREAD, UINT64_MAX, UINT64_MAX,
                    "only the first %d of the %llu elements of a row", TUT_ROWS_COLUMNS,
                    (unsigned long long)a->inner);
    return TUT_SUCCESS;
}
