/* Elements of arrays to cells. */
#include <math.h>

#include "data/rows_array.h"
#include "data/rows_input.h"
#include "data/rows_value.h"

bool array_has_text(const array_field *f, bool is_wide_table)
{
    bool is_int = f->kind == ARRAY_INT || f->kind == ARRAY_UINT;
    return f->kind == ARRAY_UTF32 || f->kind == ARRAY_BYTES || f->kind == ARRAY_TIME ||
           (is_int && f->size == 8 && !is_wide_table);
}

static uint64_t bits_at(const uint8_t *at, unsigned size, bool is_big)
{
    uint64_t bits = 0;
    for (unsigned i = 0; i < size; i++)
        bits |= (uint64_t)at[is_big ? size - 1 - i : i] << (8 * i);
    return bits;
}

/* --- numbers --- */

static void small_integers(const array_field *f, const uint8_t *at, size_t stride, size_t n,
                           const tut_cells *to)
{
    const unsigned unused = (64 - 8 * f->size) & 63;
    memset(to->kinds, TUT_CELL_INTEGER, n);
    if (f->kind == ARRAY_UINT && f->size == 1) {
        for (size_t i = 0; i < n; i++)
            to->numbers[i] = at[i * stride];
        return;
    }
    for (size_t i = 0; i < n; i++) {
        uint64_t bits = bits_at(at + i * stride, f->size, f->is_big);
        int64_t value = (int64_t)(bits << unused) >> unused;
        to->numbers[i] = f->kind == ARRAY_INT ? (double)value : (double)bits;
    }
}

static tut_status large_integers(tut_rows *r, const array_field *f, const uint8_t *at,
                                 size_t stride, size_t n, const tut_cells *to, tut_error *err)
{
    char *text = to->texts ? rows_keep(r, n * ROWS_INT_TEXT) : NULL;
    if (to->texts && !text)
        return rows_no_memory(err);
    for (size_t i = 0; i < n; i++) {
        uint64_t bits = bits_at(at + i * stride, 8, f->is_big);
        bool is_negative = f->kind == ARRAY_INT && bits >> 63;
        uint64_t size = is_negative ? 0 - bits : bits;
        to->numbers[i] = is_negative ? -(double)size : (double)size;
        to->kinds[i] = size <= (uint64_t)1 << 53 ? TUT_CELL_INTEGER : TUT_CELL_NUMBER;
        if (!text)
            continue;
        to->texts[i] = (tut_str){text, rows_put_int(text, size, is_negative)};
        text += to->texts[i].len;
    }
    return TUT_SUCCESS;
}

static double real_at(const array_field *f, const uint8_t *at)
{
    uint64_t bits = bits_at(at, f->size, f->is_big);
    if (f->size == 8) {
        double value;
        memcpy(&value, &bits, sizeof(value));
        return value;
    }
    if (f->size == 2)
        return rows_half((uint16_t)bits);
    float value;
    uint32_t low = (uint32_t)bits;
    memcpy(&value, &low, sizeof(value));
    return (double)value;
}

static void reals(const array_field *f, const uint8_t *at, size_t stride, size_t n,
                  const tut_cells *to)
{
    if (f->size == 8 && !f->is_big) {
        for (size_t i = 0; i < n; i++)
            memcpy(&to->numbers[i], at + i * stride, 8);
    } else if (f->size == 4 && !f->is_big) {
        for (size_t i = 0; i < n; i++) {
            float value;
            memcpy(&value, at + i * stride, 4);
            to->numbers[i] = (double)value;
        }
    } else {
        for (size_t i = 0; i < n; i++)
            to->numbers[i] = real_at(f, at + i * stride);
    }
    rows_number_kinds(to->kinds, to->numbers, n);
}

/* --- texts --- */

static void put_text(const tut_cells *to, size_t i, const char *text, size_t len)
{
    to->kinds[i] = TUT_CELL_TEXT;
    to->numbers[i] = NAN;
    to->texts[i] = rows_cut((tut_str){text, len});
}

/* NumPy fills texts up with NUL; one inside is part of the text. */
static tut_status utf32(tut_rows *r, const array_field *f, const uint8_t *at, const tut_cells *to,
                        size_t i, uint64_t row, tut_error *err)
{
    size_t count = f->size / 4, len = 0, bad = 0;
    while (count > 0 && bits_at(at + 4 * (count - 1), 4, f->is_big) == 0)
        count--;
    char *text = rows_keep(r, 4 * count + 1);
    if (!text)
        return rows_no_memory(err);
    for (size_t k = 0; k < count; k++) {
        uint32_t c = (uint32_t)bits_at(at + 4 * k, 4, f->is_big);
        bool is_bad = c > 0x10ffff || (c >= 0xd800 && c < 0xe000);
        bad += is_bad;
        len += tut_utf8_put(is_bad ? 0xfffd : c, text + len);
    }
    if (bad > 0)
        rows_defect(r, TUT_ROWS_ENCODING, row, UINT64_MAX, "%zu code points that do not exist",
                    bad);
    put_text(to, i, text, len);
    return TUT_SUCCESS;
}

static tut_status bytes(tut_rows *r, const array_field *f, const uint8_t *at, const tut_cells *to,
                        size_t i, uint64_t row, tut_error *err)
{
    size_t len = f->size, n = 0;
    while (len > 0 && at[len - 1] == 0)
        len--;
    const tut_str raw = {(const char *)at, len};
    bool is_valid = rows_utf8_valid(raw.data, raw.len);
    char *text = rows_keep(r, (is_valid ? 1 : 3) * len + 1);
    if (!text)
        return rows_no_memory(err);
    if (!is_valid)
        rows_defect(r, TUT_ROWS_ENCODING, row, UINT64_MAX, "bytes that are not UTF-8");
    for (size_t k = 0; k < len;) {
        uint32_t c;
        size_t step = is_valid ? len : tut_utf8_len((tut_str){raw.data + k, len - k}, &c);
        memcpy(text + n, step ? raw.data + k : "\xef\xbf\xbd", step ? step : 3);
        n += step ? step : 3;
        k += step ? step : 1;
    }
    put_text(to, i, text, n);
    return TUT_SUCCESS;
}

static size_t put_time(char *to, const char *unit, int64_t value)
{
    static const struct {
        const char *unit;
        int64_t seconds;
        unsigned digits;
    } units[] = {{"h", 3600, 0}, {"m", 60, 0}, {"s", 1, 0},
                 {"ms", 0, 3},   {"us", 0, 6}, {"ns", 0, 9}};
    enum { FAR = 1 << 30 }; /* days that a calendar of 64-bit seconds is sure to hold */
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        int64_t ms;
        if (strcmp(unit, units[i].unit) != 0)
            continue;
        if (units[i].digits > 0)
            return rows_put_timestamp(to, value, units[i].digits, false);
        if (__builtin_mul_overflow(value, units[i].seconds * 1000, &ms))
            return 0;
        return rows_put_timestamp(to, ms, 3, false);
    }
    return value > -FAR && value < FAR ? rows_put_date(to, value) : 0;
}

static tut_status time_at(tut_rows *r, const array_field *f, const uint8_t *at, const tut_cells *to,
                          size_t i, tut_error *err)
{
    int64_t value = (int64_t)bits_at(at, 8, f->is_big);
    size_t len = 0;
    if (value == INT64_MIN) { /* NaT */
        rows_no_cells(to, i, i + 1);
        return TUT_SUCCESS;
    }
    char *text = rows_keep(r, ROWS_TIME_TEXT);
    if (!text)
        return rows_no_memory(err);
    len = put_time(text, f->unit, value);
    if (len == 0) /* no calendar goes so far */
        len = rows_put_int(text, value < 0 ? 0 - (uint64_t)value : (uint64_t)value, value < 0);
    put_text(to, i, text, len);
    return TUT_SUCCESS;
}

static tut_status texts(tut_rows *r, const array_field *f, const uint8_t *at, size_t stride,
                        size_t n, const tut_cells *to, size_t row, tut_error *err)
{
    if (!to->texts) {
        rows_no_cells(to, 0, n);
        return TUT_SUCCESS;
    }
    for (size_t i = 0; i < n; i++, at += stride) {
        const uint64_t table_row = r->batch.first + row + i;
        if (f->kind == ARRAY_TIME)
            TUT_TRY(time_at(r, f, at, to, i, err));
        else if (f->kind == ARRAY_UTF32)
            TUT_TRY(utf32(r, f, at, to, i, table_row, err));
        else
            TUT_TRY(bytes(r, f, at, to, i, table_row, err));
    }
    return TUT_SUCCESS;
}

tut_status array_cells(tut_rows *r, const array_field *f, const uint8_t *at, size_t stride,
                       size_t n, const tut_cells *cells, size_t row, tut_error *err)
{
    const tut_cells to = {.kinds = cells->kinds + row,
                          .numbers = cells->numbers + row,
                          .texts = cells->texts ? cells->texts + row : NULL};
    switch (f->kind) {
    case ARRAY_BOOL:
        memset(to.kinds, TUT_CELL_BOOL, n);
        for (size_t i = 0; i < n; i++)
            to.numbers[i] = at[i * stride] != 0;
        return TUT_SUCCESS;
    case ARRAY_INT:
    case ARRAY_UINT:
        if (f->size == 8)
            return large_integers(r, f, at, stride, n, &to, err);
        small_integers(f, at, stride, n, &to);
        return TUT_SUCCESS;
    case ARRAY_FLOAT:
        reals(f, at, stride, n, &to);
        return TUT_SUCCESS;
    case ARRAY_UTF32:
    case ARRAY_BYTES:
    case ARRAY_TIME:
        return texts(r, f, at, stride, n, &to, row, err);
    case ARRAY_UNREAD:
        break;
    }
    rows_no_cells(&to, 0, n);
    return TUT_SUCCESS;
}
