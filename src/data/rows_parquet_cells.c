/* Stored values to cells: one loop for each type and what it means. */
#include <math.h>

#include "data/rows_input.h"
#include "data/rows_parquet.h"

enum {
    WORDS_MAX = 1 << 16 /* entries of a dictionary that become cells once; of a larger one, those
                           that are used, each time */
};

bool parquet_has_text(const tut_parquet_leaf *l)
{
    switch (l->type) {
    case TUT_PARQUET_BOOLEAN:
    case TUT_PARQUET_FLOAT:
    case TUT_PARQUET_DOUBLE:
        return false;
    case TUT_PARQUET_FIXED:
        return l->meaning != TUT_PARQUET_FLOAT16;
    case TUT_PARQUET_INT32:
    case TUT_PARQUET_INT64:
    case TUT_PARQUET_INT96:
    case TUT_PARQUET_BYTE_ARRAY:
        break;
    }
    return true;
}

/* --- numbers --- */

static void doubles(const uint8_t *raw, size_t n, const tut_cells *to)
{
    memcpy(to->numbers, raw, n * sizeof(double));
    rows_number_kinds(to->kinds, to->numbers, n);
}

static void floats(const uint8_t *raw, size_t n, const tut_cells *to)
{
    for (size_t i = 0; i < n; i++) {
        float f;
        memcpy(&f, raw + i * sizeof(f), sizeof(f));
        to->numbers[i] = (double)f;
    }
    rows_number_kinds(to->kinds, to->numbers, n);
}

static void halves(const uint8_t *raw, size_t n, const tut_cells *to)
{
    for (size_t i = 0; i < n; i++)
        to->numbers[i] = rows_half((uint16_t)(raw[2 * i] | raw[2 * i + 1] << 8));
    rows_number_kinds(to->kinds, to->numbers, n);
}

static void booleans(const uint8_t *raw, size_t n, const tut_cells *to)
{
    memset(to->kinds, TUT_CELL_BOOL, n);
    for (size_t i = 0; i < n; i++)
        to->numbers[i] = raw[i];
}

static void integer(int64_t value, bool is_unsigned, size_t i, const tut_cells *to, char **io_text)
{
    bool is_negative = !is_unsigned && value < 0;
    uint64_t magnitude = is_negative ? 0 - (uint64_t)value : (uint64_t)value;
    size_t len = rows_put_int(*io_text, magnitude, is_negative);
    to->kinds[i] = magnitude <= (uint64_t)1 << 53 ? TUT_CELL_INTEGER : TUT_CELL_NUMBER;
    to->numbers[i] = is_unsigned ? (double)magnitude : (double)value;
    to->texts[i] = (tut_str){*io_text, len};
    *io_text += len;
}

static int64_t int32_at(const uint8_t *raw, size_t i)
{
    int32_t value;
    memcpy(&value, raw + i * sizeof(value), sizeof(value));
    return value;
}

static int64_t int64_at(const uint8_t *raw, size_t i)
{
    int64_t value;
    memcpy(&value, raw + i * sizeof(value), sizeof(value));
    return value;
}

static void integers(const tut_parquet_leaf *l, const uint8_t *raw, size_t n, const tut_cells *to,
                     char *text)
{
    bool is_unsigned = l->meaning == TUT_PARQUET_INTEGER && !l->is_signed;
    if (l->type == TUT_PARQUET_INT64) {
        for (size_t i = 0; i < n; i++)
            integer(int64_at(raw, i), is_unsigned, i, to, &text);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        int64_t value = int32_at(raw, i);
        integer(is_unsigned ? value & UINT32_MAX : value, is_unsigned, i, to, &text);
    }
}

/* --- values that become texts --- */

static void put(const tut_cells *to, size_t i, char *text, size_t len)
{
    to->kinds[i] = TUT_CELL_TEXT;
    to->numbers[i] = NAN;
    to->texts[i] = (tut_str){text, len};
}

static size_t put_time(const tut_parquet_leaf *l, const uint8_t *raw, size_t i, char *text)
{
    int64_t value = l->type == TUT_PARQUET_INT32 ? int32_at(raw, i) : int64_at(raw, i);
    if (l->meaning == TUT_PARQUET_DATE)
        return rows_put_date(text, value);
    if (l->meaning == TUT_PARQUET_TIME)
        return rows_put_time(text, value, l->digits);
    return rows_put_timestamp(text, value, l->digits, l->is_utc);
}

static size_t put_fixed(const tut_parquet_leaf *l, const uint8_t *raw, size_t i, char *text)
{
    const uint8_t *value = raw + i * l->width;
    if (l->type == TUT_PARQUET_INT96)
        return rows_put_int96(text, value);
    if (l->type != TUT_PARQUET_FIXED)
        return put_time(l, raw, i, text);
    if (l->meaning == TUT_PARQUET_UUID)
        return rows_put_uuid(text, value);
    if (l->meaning == TUT_PARQUET_INTERVAL)
        return rows_put_interval(text, value);
    return rows_put_bytes(text, tut_span_of(value, l->width));
}

static void fixed_texts(const tut_parquet_leaf *l, const uint8_t *raw, size_t n,
                        const tut_cells *to, char *text)
{
    for (size_t i = 0; i < n; i++) {
        size_t len = put_fixed(l, raw, i, text);
        put(to, i, text, len);
        text += len;
    }
}

/* The bytes of a decimal, big endian, whatever it is stored as. */
static tut_span decimal_bytes(const tut_parquet_leaf *l, const tut_parquet_run *run, size_t i,
                              uint8_t turned[8])
{
    if (l->type == TUT_PARQUET_BYTE_ARRAY)
        return tut_span_of(run->texts[i].data, run->texts[i].len);
    const uint8_t *raw = run->fixed + i * l->width;
    if (l->type == TUT_PARQUET_FIXED)
        return tut_span_of(raw, l->width);
    for (size_t k = 0; k < l->width; k++)
        turned[k] = raw[l->width - 1 - k];
    return tut_span_of(turned, l->width);
}

/* The nearest double of the digits is what strtod gives; its text is short and ours. */
static void decimals(const tut_parquet_leaf *l, const tut_parquet_run *run, size_t n,
                     const tut_cells *to, char *text)
{
    for (size_t i = 0; i < n; i++) {
        uint8_t turned[8];
        char digits[ROWS_DECIMAL_TEXT + 1];
        tut_span raw = decimal_bytes(l, run, i, turned);
        size_t len = rows_put_decimal(digits, raw.data, raw.len, l->scale);
        if (len == 0) { /* too wide for a number of ours */
            len = rows_put_bytes(text, raw);
            put(to, i, text, len);
            text += len;
            continue;
        }
        double value = NAN;
        (void)rows_look((tut_str){digits, len}, &value);
        memcpy(text, digits, len);
        to->kinds[i] = (uint8_t)rows_number_kind(value);
        to->numbers[i] = value;
        to->texts[i] = (tut_str){text, len};
        text += len;
    }
}

/* --- texts --- */

typedef struct text_sight {
    bool is_ascii, has_nul;
} text_sight;

static text_sight look_at(tut_str s)
{
    const uint64_t ones = 0x0101010101010101u, tops = 0x8080808080808080u;
    uint64_t any = 0, nul = 0, word;
    size_t at = 0;
    for (; at + 8 <= s.len; at += 8) {
        memcpy(&word, s.data + at, 8);
        any |= word;
        nul |= (word - ones) & ~word;
    }
    word = ones;
    memcpy(&word, s.data + at, s.len - at);
    any |= word;
    nul |= (word - ones) & ~word;
    return (text_sight){.is_ascii = (any & tops) == 0, .has_nul = (nul & tops) != 0};
}

/* U+FFFD for each byte that is not UTF-8. */
static tut_status mend(tut_str raw, const parquet_target *t, tut_str *ret, tut_error *err)
{
    static const char sign[] = "\xef\xbf\xbd";
    char *to = tut_arena_take(t->arena, raw.len, 3);
    if (!to)
        return rows_no_memory(err);
    size_t n = 0;
    for (size_t at = 0; at < raw.len;) {
        uint32_t c;
        size_t len = tut_utf8_len((tut_str){raw.data + at, raw.len - at}, &c);
        memcpy(to + n, len ? raw.data + at : sign, len ? len : 3);
        n += len ? len : 3;
        at += len ? len : 1;
    }
    *ret = (tut_str){to, n};
    return TUT_SUCCESS;
}

static tut_status show_bytes(tut_str raw, const parquet_target *t, tut_str *ret, tut_error *err)
{
    char *to = tut_arena_take(t->arena, 1, ROWS_BYTES_TEXT);
    if (!to)
        return rows_no_memory(err);
    *ret = (tut_str){to, rows_put_bytes(to, tut_span_of(raw.data, raw.len))};
    return TUT_SUCCESS;
}

static uint64_t row_of(const parquet_target *t, size_t i)
{
    return t->row == UINT64_MAX ? UINT64_MAX : t->row + i;
}

/* A text that is not plain ASCII of a common length. */
static tut_status odd_text(parquet_rows *x, const tut_parquet_leaf *l, text_sight sight, size_t i,
                           const parquet_target *t, tut_error *err)
{
    tut_str *io = &t->to.texts[i];
    const uint64_t row = row_of(t, i);
    bool is_said_text = l->meaning == TUT_PARQUET_STRING || l->meaning == TUT_PARQUET_ENUM ||
                        l->meaning == TUT_PARQUET_JSON;
    bool is_valid = sight.is_ascii || rows_utf8_valid(io->data, io->len);
    if (!is_said_text && (sight.has_nul || !is_valid))
        return show_bytes(*io, t, io, err);
    if (sight.has_nul)
        rows_defect(x->rows, TUT_ROWS_NUL, row, UINT64_MAX, "in a text of %zu bytes", io->len);
    if (io->len > TUT_ROWS_CELL_BYTES) {
        rows_defect(x->rows, TUT_ROWS_LONG, row, UINT64_MAX, "%zu bytes", io->len);
        *io = rows_cut(*io);
    }
    if (is_valid)
        return TUT_SUCCESS;
    rows_defect(x->rows, TUT_ROWS_ENCODING, row, UINT64_MAX, "bytes that are not UTF-8");
    TUT_TRY(mend(*io, t, io, err));
    *io = rows_cut(*io);
    return TUT_SUCCESS;
}

static tut_status byte_arrays(parquet_rows *x, const tut_parquet_leaf *l, const tut_str *texts,
                              size_t n, const parquet_target *t, tut_error *err)
{
    const bool is_text = l->meaning != TUT_PARQUET_BSON && l->meaning != TUT_PARQUET_OTHER;
    for (size_t i = 0; i < n; i++) {
        tut_str s = texts[i];
        t->to.kinds[i] = TUT_CELL_TEXT;
        t->to.numbers[i] = NAN;
        t->to.texts[i] = s;
        if (!is_text) {
            TUT_TRY(show_bytes(s, t, &t->to.texts[i], err));
            continue;
        }
        text_sight sight = look_at(s);
        if (!sight.is_ascii || sight.has_nul || s.len > TUT_ROWS_CELL_BYTES)
            TUT_TRY(odd_text(x, l, sight, i, t, err));
    }
    return TUT_SUCCESS;
}

/* --- all of them --- */

/* Bytes that the text of a value takes at most. */
static size_t text_room(const tut_parquet_leaf *l)
{
    bool is_int = l->type == TUT_PARQUET_INT32 || l->type == TUT_PARQUET_INT64;
    if (l->meaning == TUT_PARQUET_DECIMAL)
        return is_int ? ROWS_DECIMAL_TEXT : ROWS_BYTES_TEXT;
    if (l->meaning == TUT_PARQUET_DATE || l->meaning == TUT_PARQUET_TIME ||
        l->meaning == TUT_PARQUET_TIMESTAMP)
        return ROWS_TIME_TEXT;
    return is_int ? ROWS_INT_TEXT : ROWS_BYTES_TEXT;
}

static tut_status convert(parquet_rows *x, const tut_parquet_leaf *l, const tut_parquet_run *run,
                          size_t n, const parquet_target *t, tut_error *err)
{
    char *text = NULL;
    if (l->meaning == TUT_PARQUET_NOTHING) {
        rows_no_cells(&t->to, 0, n);
        return TUT_SUCCESS;
    }
    bool makes_text = parquet_has_text(l) &&
                      (l->type != TUT_PARQUET_BYTE_ARRAY || l->meaning == TUT_PARQUET_DECIMAL);
    if (makes_text && n > 0) {
        text = tut_arena_take(t->arena, n, text_room(l));
        if (!text)
            return rows_no_memory(err);
    }
    if (l->meaning == TUT_PARQUET_DECIMAL && text)
        decimals(l, run, n, &t->to, text);
    else if (l->type == TUT_PARQUET_BYTE_ARRAY)
        return byte_arrays(x, l, run->texts, n, t, err);
    else if (l->type == TUT_PARQUET_DOUBLE)
        doubles(run->fixed, n, &t->to);
    else if (l->type == TUT_PARQUET_FLOAT)
        floats(run->fixed, n, &t->to);
    else if (l->meaning == TUT_PARQUET_FLOAT16)
        halves(run->fixed, n, &t->to);
    else if (l->type == TUT_PARQUET_BOOLEAN)
        booleans(run->fixed, n, &t->to);
    else if ((l->type == TUT_PARQUET_INT32 || l->type == TUT_PARQUET_INT64) &&
             (l->meaning == TUT_PARQUET_RAW || l->meaning == TUT_PARQUET_INTEGER ||
              l->meaning == TUT_PARQUET_OTHER))
        integers(l, run->fixed, n, &t->to, text);
    else
        fixed_texts(l, run->fixed, n, &t->to, text);
    return TUT_SUCCESS;
}

/* --- dictionaries --- */

void parquet_words_done(parquet_rows *x, parquet_words *w)
{
    tut_free(w->cells.numbers);
    tut_free(w->cells.kinds);
    tut_free(w->cells.texts);
    tut_arena_done(&w->texts);
    tut_budget_heap_return(&x->rows->budget, w->heap);
    *w = (parquet_words){0};
}

/* False: there is no room for it. */
static bool words_room(parquet_rows *x, const tut_parquet_leaf *l, parquet_words *w, size_t n)
{
    bool has_text = parquet_has_text(l);
    uint64_t heap = n * (uint64_t)(sizeof(double) + 1 + (has_text ? sizeof(tut_str) : 0) +
                                   (l->type == TUT_PARQUET_BYTE_ARRAY ? 0 : text_room(l)));
    if (n > WORDS_MAX || !tut_is_ok(tut_budget_heap(&x->rows->budget, heap, NULL)))
        return false;
    w->heap = heap;
    w->cells = (tut_cells){.kinds = tut_alloc_array(n + 1, 1),
                           .numbers = tut_alloc_array(n + 1, sizeof(double)),
                           .texts = has_text ? tut_alloc_array(n + 1, sizeof(tut_str)) : NULL};
    w->count = n;
    return w->cells.kinds && w->cells.numbers && (w->cells.texts || !has_text);
}

/* The dictionary as cells; *ret_has: false where it is too large for that. */
static tut_status open_words(parquet_rows *x, parquet_column_state *s, const tut_parquet_leaf *l,
                             const tut_parquet_run *run, bool *ret_has, tut_error *err)
{
    parquet_words *w = &s->words;
    *ret_has = true;
    if (w->number == run->dictionary)
        return TUT_SUCCESS;
    parquet_words_done(x, w);
    *ret_has = words_room(x, l, w, run->items);
    if (!*ret_has) {
        parquet_words_done(x, w);
        return TUT_SUCCESS;
    }
    tut_arena_init(&w->texts, 0);
    const parquet_target t = {.to = w->cells, .arena = &w->texts, .row = UINT64_MAX};
    TUT_TRY(convert(x, l, run, run->items, &t, err));
    w->number = run->dictionary;
    return TUT_SUCCESS;
}

static void look_up(const parquet_words *w, const uint32_t *indices, size_t n, const tut_cells *to)
{
    for (size_t i = 0; i < n; i++) {
        to->kinds[i] = w->cells.kinds[indices[i]];
        to->numbers[i] = w->cells.numbers[indices[i]];
    }
    if (!to->texts)
        return;
    for (size_t i = 0; i < n; i++)
        to->texts[i] = w->cells.texts[indices[i]];
}

/* The values that the indices stand for, side by side. */
static tut_status gather(parquet_rows *x, const tut_parquet_leaf *l, tut_parquet_run *run,
                         tut_error *err)
{
    if (run->texts) {
        for (size_t i = 0; i < run->values; i++)
            x->gathered_texts[i] = run->texts[run->indices[i]];
        run->texts = x->gathered_texts;
        return TUT_SUCCESS;
    }
    tut_buf_clear(&x->gathered);
    for (size_t i = 0; i < run->values; i++)
        tut_buf_add(&x->gathered, run->fixed + (size_t)run->indices[i] * l->width, l->width);
    TUT_TRY(tut_buf_check(&x->gathered, err));
    run->fixed = x->gathered.data;
    return TUT_SUCCESS;
}

tut_status parquet_cells(parquet_rows *x, parquet_column_state *s, const tut_parquet_run *run,
                         const parquet_target *t, tut_error *err)
{
    const tut_parquet_leaf *l = &tut_parquet_about(x->file)->leaves[s->leaf];
    if (run->values == 0)
        return TUT_SUCCESS;
    if (!run->indices)
        return convert(x, l, run, run->values, t, err);
    bool has_words = false;
    TUT_TRY(open_words(x, s, l, run, &has_words, err));
    if (has_words) {
        look_up(&s->words, run->indices, run->values, &t->to);
        return TUT_SUCCESS;
    }
    tut_parquet_run values = *run;
    TUT_TRY(gather(x, l, &values, err));
    return convert(x, l, &values, run->values, t, err);
}
