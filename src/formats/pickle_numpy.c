/*
 * NumPy in pickles: the state of a type, and the arrays whose bytes lie in the stream.
 *
 * The state of a type:
 *
 *   dtype('V16', False, True).__setstate__((3, '|', subarray, names, fields, size, alignment,
 * flags)) fields   = { name: (dtype, offset[, title]) } subarray = (dtype, shape)
 *
 * NumPy believes it. A field that holds objects while the flags deny it makes NumPy take bytes of
 * the file for addresses; a field beyond the size makes it read and write beside the array. The
 * names in such a file are all harmless. (numpy/core/src/multiarray/descriptor.c,
 * arraydescr_setstate)
 */
#include <inttypes.h>

#include "base/buf.h"
#include "formats/pickle_call.h"

enum { FLAG_HAS_OBJECT = 1, STATE_SIZE = 5, STATE_FLAGS = 7, FIELDS_MAX = 4096 };

static bool is_dtype(const tut_pmachine *m, tut_pval v)
{
    tut_pnames names;
    if (tut_pv_type(&m->heap, v) != TUT_PVAL_OBJECT)
        return false;
    tut_pcall_names(m, tut_pv_first(&m->heap, v), &names);
    return tut_pname_is(&names, "numpy", "dtype");
}

/* 'i8', '|V16', b'O8': its letter and its number, 0 where there is none. */
static char letter_of(const tut_pmachine *m, tut_pval dtype, int64_t *ret_number)
{
    tut_str text;
    tut_pval name = tut_pv_item(&m->heap, tut_pv_second(&m->heap, dtype), 0);
    *ret_number = 0;
    if (!tut_pv_get_text(&m->heap, name, TUT_PVAL_STR, &text) &&
        !tut_pv_get_text(&m->heap, name, TUT_PVAL_BYTES, &text))
        return '\0';
    size_t at = text.len > 0 && strchr("|<>=", text.data[0]) ? 1 : 0;
    if (at >= text.len)
        return '\0';
    for (size_t i = at + 1; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9' || *ret_number > INT32_MAX / 10)
            return '\0';
        *ret_number = *ret_number * 10 + (text.data[i] - '0');
    }
    return text.data[at];
}

static bool state_number(const tut_pmachine *m, tut_pval state, size_t i, int64_t *ret)
{
    return tut_pv_type(&m->heap, state) == TUT_PVAL_TUPLE &&
           tut_pv_get_int(&m->heap, tut_pv_item(&m->heap, state, i), ret);
}

static bool holds_objects(const tut_pmachine *m, tut_pval dtype)
{
    int64_t number;
    if (!is_dtype(m, dtype))
        return false;
    if (letter_of(m, dtype, &number) == 'O')
        return true;
    return state_number(m, tut_pv_state(&m->heap, dtype), STATE_FLAGS, &number) &&
           (number & FLAG_HAS_OBJECT);
}

/* Bytes of one element; false: not known. */
static bool size_of(const tut_pmachine *m, tut_pval dtype, int64_t *ret)
{
    if (!is_dtype(m, dtype))
        return false;
    if (state_number(m, tut_pv_state(&m->heap, dtype), STATE_SIZE, ret) && *ret >= 0)
        return true;
    char letter = letter_of(m, dtype, ret);
    if (letter == 'U')
        *ret *= 4;
    return letter != '\0' && *ret > 0;
}

static const char *wrong_field(const tut_pmachine *m, tut_pval field, int64_t size, int64_t flags)
{
    int64_t offset, bytes;
    tut_pval dtype = tut_pv_item(&m->heap, field, 0);
    if (holds_objects(m, dtype) && !(flags & FLAG_HAS_OBJECT))
        return "a field holds objects, and the flags deny it";
    if (!tut_pv_get_int(&m->heap, tut_pv_item(&m->heap, field, 1), &offset))
        return NULL;
    if (offset < 0)
        return "a field begins before the element";
    if (size >= 0 && size_of(m, dtype, &bytes) && (offset > size || bytes > size - offset))
        return "a field reaches beyond the element";
    return NULL;
}

void tut_pnumpy_built(tut_pmachine *m, tut_pval object, tut_pval state)
{
    enum { STATE_SUBARRAY = 2, STATE_FIELDS = 4 };
    int64_t size, flags, number;
    const char *why = NULL;
    size_t count;
    bool is_whole;
    if (!is_dtype(m, object) || !state_number(m, state, STATE_FLAGS, &flags) ||
        !state_number(m, state, STATE_SIZE, &size))
        return;
    tut_pval base = tut_pv_item(&m->heap, tut_pv_item(&m->heap, state, STATE_SUBARRAY), 0);
    if ((letter_of(m, object, &number) == 'O' || holds_objects(m, base)) &&
        !(flags & FLAG_HAS_OBJECT))
        why = "it holds objects, and the flags deny it";
    tut_pval fields = tut_pv_item(&m->heap, state, STATE_FIELDS);
    const tut_pval *items = tut_pv_type(&m->heap, fields) == TUT_PVAL_DICT
                                ? tut_pv_items(&m->heap, fields, &count, &is_whole)
                                : NULL;
    for (size_t i = 1; items && !why && i < count && i < FIELDS_MAX; i += 2)
        why = wrong_field(m, items[i], size, flags);
    if (why)
        tut_pm_observe(m, "pickle.forged-dtype", "a numpy.dtype lies about itself: %s", why);
}

/* --- arrays --- */

/* Little-endian numbers by kind and size. */
static const char *dtype_of(const tut_pmachine *m, tut_pval dtype, int64_t size)
{
    static const struct {
        char letter;
        uint8_t bytes;
        const char *dtype;
    } rows[] = {{'f', 8, "F64"}, {'f', 4, "F32"}, {'f', 2, "F16"},
                {'i', 1, "I8"},  {'u', 1, "U8"},  {'c', 8, "C64"}};
    int64_t number;
    tut_str order;
    char letter = letter_of(m, dtype, &number);
    tut_pval state = tut_pv_state(&m->heap, dtype);
    if (tut_pv_get_text(&m->heap, tut_pv_item(&m->heap, state, 1), TUT_PVAL_STR, &order) &&
        tut_str_eq_z(order, ">"))
        return "other";
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].letter == letter && rows[i].bytes == size)
            return rows[i].dtype;
    return "other";
}

/* False: a dimension is not known, or the whole would not fit. */
static bool read_shape(const tut_pmachine *m, tut_pval shape, tut_buf *text, uint64_t *ret_count)
{
    size_t count;
    bool is_whole;
    const tut_pval *dims = tut_pv_items(&m->heap, shape, &count, &is_whole);
    *ret_count = 1;
    if (tut_pv_type(&m->heap, shape) != TUT_PVAL_TUPLE || !is_whole || count > 32)
        return false;
    for (size_t i = 0; i < count; i++) {
        int64_t n;
        if (!tut_pv_get_int(&m->heap, dims[i], &n) || n < 0 ||
            __builtin_mul_overflow(*ret_count, (uint64_t)n, ret_count))
            return false;
        tut_buf_printf(text, "%s%" PRId64, i > 0 ? ", " : "[", n);
    }
    tut_buf_add_z(text, count > 0 ? "]" : "[]");
    return true;
}

static void tell(tut_pmachine *m, tut_pval dtype, tut_pval shape)
{
    TUT_CLEAN(tut_buf) name = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) dims = TUT_BUF_INIT;
    int64_t size;
    uint64_t count, bytes;
    if (!m->x || m->is_candidate || !m->x->ops->tensor || !m->x->source || m->raw_len == 0 ||
        !size_of(m, dtype, &size) || !read_shape(m, shape, &dims, &count) ||
        __builtin_mul_overflow(count, (uint64_t)size, &bytes) || bytes != m->raw_len)
        return;
    tut_buf_printf(&name, "array at %" PRIu64, m->raw_begin);
    const tut_tensor told = {.name = tut_buf_str(&name),
                             .dtype = dtype_of(m, dtype, size),
                             .shape = tut_buf_str(&dims),
                             .begin = m->raw_begin,
                             .end = m->raw_begin + m->raw_len};
    m->raw_len = 0;
    m->x->ops->tensor(m->x->ctx, &told);
}

void tut_pnumpy_tell_state(tut_pmachine *m, tut_pval object, tut_pval state)
{
    enum { STATE_SHAPE = 1, STATE_DTYPE, STATE_ORDER, STATE_BYTES, STATE_ITEMS };
    tut_pnames names;
    size_t count;
    bool is_whole;
    (void)tut_pv_items(&m->heap, state, &count, &is_whole);
    if (tut_pv_type(&m->heap, state) != TUT_PVAL_TUPLE || count != STATE_ITEMS ||
        tut_pv_type(&m->heap, tut_pv_item(&m->heap, state, STATE_BYTES)) != TUT_PVAL_BYTES)
        return;
    tut_pcall_names(m, tut_pv_first(&m->heap, object), &names);
    if (tut_pname_is(&names, "numpy.core.multiarray", "_reconstruct") ||
        tut_pname_is(&names, "numpy._core.multiarray", "_reconstruct"))
        tell(m, tut_pv_item(&m->heap, state, STATE_DTYPE),
             tut_pv_item(&m->heap, state, STATE_SHAPE));
}

void tut_pnumpy_tell_buffer(tut_pmachine *m, const tut_pnames *names, tut_pval arguments)
{
    enum { ARGUMENT_BYTES, ARGUMENT_DTYPE, ARGUMENT_SHAPE };
    if ((tut_pname_is(names, "numpy.core.numeric", "_frombuffer") ||
         tut_pname_is(names, "numpy._core.numeric", "_frombuffer")) &&
        tut_pv_type(&m->heap, tut_pv_item(&m->heap, arguments, ARGUMENT_BYTES)) == TUT_PVAL_BYTES)
        tell(m, tut_pv_item(&m->heap, arguments, ARGUMENT_DTYPE),
             tut_pv_item(&m->heap, arguments, ARGUMENT_SHAPE));
}
