/*
 * Tables as text (RFC 4180 and its cousins):
 *
 *   file   = record { end record } [ end ]
 *   record = field { delimiter field }
 *   field  = [spaces] quote { any | quote quote } quote [spaces] | { any but delimiter and end }
 *   end    = CRLF | LF | CR
 *
 * The bytes that can end a field are found 64 at a time; in between nothing is looked at but what
 * becomes a number. Lines without anything are no records; there are no comments.
 */
#include <math.h>

#include "base/limits.h"
#include "data/decimal.h"
#include "data/rows_csv.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

typedef struct csv {
    rows_input in;
    csv_dialect dialect;
    size_t at;        /* of the next field, in the window */
    size_t block;     /* of the 64 bytes that mask is of */
    uint64_t mask;    /* of what may end a field and was not yet passed */
    size_t literal;   /* a quote that stands there is a character; SIZE_MAX: none */
    bool is_skipping; /* in the rest of a record that was cut */
    bool is_cut;      /* the row at hand */
} csv;

enum {
    PENDING = 0x80, /* a kind until the batch is full */
    SETTLED = 0xff, /* instead of a count of digits: the cell needs nothing more */
    AT_ONCE = 256   /* cells of a column */
};

typedef enum field_end { FIELD, RECORD, OUT, OUT_IN_QUOTES } field_end;

typedef struct field {
    const char *data;
    size_t len;
    bool is_quoted, has_doubled, is_broken;
} field;

/* --- what may end a field --- */

#if defined(__SSE2__)
static inline uint64_t specials(const char *at, char delimiter, char quote)
{
    uint64_t bits = 0;
    const __m128i d = _mm_set1_epi8(delimiter);
    const __m128i q = _mm_set1_epi8(quote);
    const __m128i n = _mm_set1_epi8('\n');
    const __m128i r = _mm_set1_epi8('\r');
    for (unsigned i = 0; i < 4; i++) {
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)(at + (size_t)16 * i));
        __m128i a = _mm_or_si128(_mm_cmpeq_epi8(v, d), _mm_cmpeq_epi8(v, q));
        __m128i b = _mm_or_si128(_mm_cmpeq_epi8(v, n), _mm_cmpeq_epi8(v, r));
        bits |= (uint64_t)(uint32_t)_mm_movemask_epi8(_mm_or_si128(a, b)) << 16 * i;
    }
    return bits;
}
#else
static inline uint64_t specials(const char *at, char delimiter, char quote)
{
    uint64_t bits = 0;
    for (unsigned i = 0; i < 64; i++) {
        char c = at[i];
        bits |= (uint64_t)(c == delimiter || c == quote || c == '\n' || c == '\r') << i;
    }
    return bits;
}
#endif

static inline uint64_t mask_at(const csv *c, size_t at)
{
    return specials(c->in.data + at, c->dialect.delimiter, c->dialect.quote);
}

static void seek(csv *c, size_t at)
{
    c->at = c->block = at;
    c->mask = mask_at(c, at);
}

/* The next of them, and it is passed; the window's end without one. */
static inline size_t next_special(csv *c)
{
    while (c->mask == 0) {
        c->block += 64;
        if (c->block >= c->in.end) {
            c->block = c->in.end;
            return c->in.end;
        }
        c->mask = mask_at(c, c->block);
    }
    size_t at = c->block + (size_t)__builtin_ctzll(c->mask);
    c->mask &= c->mask - 1;
    return at;
}

/* --- fields --- */

static inline field_end end_at(csv *c, size_t at)
{
    const char *data = c->in.data;
    if (at >= c->in.end) {
        c->at = c->in.end;
        return c->in.is_end || c->is_cut ? RECORD : OUT;
    }
    c->at = at + 1;
    if (data[at] == c->dialect.delimiter)
        return FIELD;
    if (data[at] == '\r') {
        if (at + 1 == c->in.end && !c->in.is_end)
            return OUT; /* a "\n" may follow */
        if (at + 1 < c->in.end && data[at + 1] == '\n')
            c->at = next_special(c) + 1;
    }
    return RECORD;
}

static inline size_t next_end(csv *c)
{
    size_t at = next_special(c);
    while (at < c->in.end && c->in.data[at] == c->dialect.quote)
        at = next_special(c);
    return at;
}

/* open: of the quote. */
static field_end quoted_field(csv *c, size_t open, field *f)
{
    const char *data = c->in.data;
    size_t end = c->in.end;
    size_t at;
    (void)next_special(c); /* the quote itself */
    for (;;) {
        at = next_special(c);
        if (at >= end)
            return OUT_IN_QUOTES;
        if (data[at] != c->dialect.quote)
            continue;
        if (at + 1 == end && !c->in.is_end)
            return OUT_IN_QUOTES;
        if (at + 1 == end || data[at + 1] != c->dialect.quote)
            break;
        f->has_doubled = true;
        (void)next_special(c);
    }
    size_t close = at;
    at = next_end(c);
    *f = (field){data + open + 1, close - open - 1, true, f->has_doubled, false};
    for (size_t i = close + 1; i < at; i++)
        f->is_broken |= data[i] != ' ' && data[i] != '\t';
    if (f->is_broken)
        *f = (field){data + open, at - open, .is_broken = true};
    return end_at(c, at);
}

static inline field_end take_field(csv *c, field *f)
{
    const char *data = c->in.data;
    size_t from = c->at;
    *f = (field){0};
    while (data[from] == ' ')
        from++; /* the padding ends it */
    if (__builtin_expect(from < c->in.end && data[from] == c->dialect.quote, 0) &&
        from != c->literal)
        return quoted_field(c, from, f);
    size_t at = next_end(c);
    from = from < at ? from : at;
    f->data = data + from;
    f->len = at - from;
    return end_at(c, at);
}

/* --- cells --- */

static tut_status undouble(csv *c, field *f, tut_error *err)
{
    char *to = rows_keep(c->in.rows, f->len);
    if (!to)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    size_t len = 0;
    for (size_t i = 0; i < f->len; i++) {
        to[len++] = f->data[i];
        i += f->data[i] == c->dialect.quote; /* its twin */
    }
    f->data = to;
    f->len = len;
    return TUT_SUCCESS;
}

static tut_str trimmed(const char *from, size_t len)
{
    const char *end = from + len;
    while (from < end && (*from == ' ' || *from == '\t'))
        from++;
    while (end > from && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    return (tut_str){from, (size_t)(end - from)};
}

static tut_str cut_text(csv *c, tut_str text, uint64_t row)
{
    if (text.len <= TUT_ROWS_CELL_BYTES)
        return text;
    rows_defect(c->in.rows, TUT_ROWS_LONG, row, UINT64_MAX, "a cell of %zu bytes", text.len);
    return rows_cut(text);
}

static tut_status text_of(csv *c, field *f, bool is_plain, tut_str *ret_text, tut_error *err)
{
    tut_rows *r = c->in.rows;
    uint64_t row = rows_row_number(r) - (r->batch.count > 0);
    if (f->is_broken)
        rows_defect(r, TUT_ROWS_QUOTE, row, UINT64_MAX, "text behind a closing quote");
    if (f->has_doubled)
        TUT_TRY(undouble(c, f, err));
    tut_str text = f->is_quoted ? (tut_str){f->data, f->len} : trimmed(f->data, f->len);
    if (!is_plain)
        TUT_TRY(rows_input_text(&c->in, text, row, &text, err));
    *ret_text = cut_text(c, text, row);
    return TUT_SUCCESS;
}

static tut_status careful_cell(csv *c, size_t column, field *f, bool is_plain, tut_error *err)
{
    tut_str text;
    double number;
    TUT_TRY(text_of(c, f, is_plain, &text, err));
    tut_cell_kind kind = rows_look(text, &number);
    rows_set(c->in.rows, column, kind, number, text);
    return TUT_SUCCESS;
}

/* What most cells are: their look is told when the batch is full, a column at a time, where the
 * processor sees the same again and again. */
static inline tut_status set_cell(csv *c, size_t column, field *f, bool is_plain, tut_error *err)
{
    if (__builtin_expect(!is_plain || f->is_quoted || f->is_broken, 0))
        return careful_cell(c, column, f, is_plain, err);
    const tut_cells *cells = &c->in.rows->cells[column];
    size_t row = c->in.rows->batch.count - 1;
    cells->kinds[row] = PENDING;
    cells->texts[row] = (tut_str){f->data, f->len};
    return TUT_SUCCESS;
}

static void settle_text(csv *c, const tut_cells *cells, size_t row)
{
    tut_str text = trimmed(cells->texts[row].data, cells->texts[row].len);
    text = cut_text(c, text, c->in.rows->batch.first + row);
    cells->texts[row] = text;
    cells->kinds[row] = (uint8_t)rows_look(text, &cells->numbers[row]);
}

/* Numbers of which the digits are known: all with the same count of them behind the point, as a
 * column usually has. */
static void scale_alike(uint8_t *kinds, double *numbers, size_t count, unsigned part)
{
    const double whole = 0x1.8p52; /* what is added to it is rounded to a whole number */
    double scale = tut_decimal_tens[part];
    for (size_t i = 0; i < count; i++) {
        double x = numbers[i] / scale;
        numbers[i] = x;
        kinds[i] = (uint8_t)(TUT_CELL_NUMBER + (x + whole - whole == x));
    }
}

static void scale(uint8_t *kinds, double *numbers, const uint8_t *parts, size_t count)
{
    bool are_alike = true;
    for (size_t i = 0; i < count; i++)
        are_alike &= parts[i] == parts[0];
    if (are_alike && parts[0] != SETTLED) {
        scale_alike(kinds, numbers, count, parts[0]);
        return;
    }
    for (size_t i = 0; i < count; i++)
        if (parts[i] != SETTLED)
            scale_alike(kinds + i, numbers + i, 1, parts[i]);
}

/* One cell that is pending; returns how many of its digits are behind the point, or SETTLED. */
static inline unsigned settle_cell(csv *c, const tut_cells *cells, size_t row)
{
    tut_str text = cells->texts[row];
    double *number = &cells->numbers[row];
    unsigned part;
    bool is_whole;
    bool may_be = text.data[0] <= '9'; /* an empty field begins with what ends it */
    if (may_be && __builtin_expect(tut_decimal_short(text, number, &part), 1))
        return part;
    if (may_be && tut_decimal_long(text, number, &is_whole))
        cells->kinds[row] = (uint8_t)(TUT_CELL_NUMBER + is_whole);
    else
        settle_text(c, cells, row);
    return SETTLED;
}

static void settle_column(csv *c, const tut_cells *cells, size_t count)
{
    uint8_t parts[AT_ONCE];
    for (size_t from = 0; from < count;) {
        size_t n = count - from < AT_ONCE ? count - from : AT_ONCE;
        for (size_t i = 0; i < n; i++) {
            bool is_pending = cells->kinds[from + i] == PENDING;
            parts[i] = (uint8_t)(is_pending ? settle_cell(c, cells, from + i) : SETTLED);
        }
        scale(cells->kinds + from, cells->numbers + from, parts, n);
        from += n;
    }
}

_Static_assert(TUT_CELL_INTEGER == TUT_CELL_NUMBER + 1, "told apart by adding");

static void settle(csv *c)
{
    tut_rows *r = c->in.rows;
    for (size_t i = 0; i < r->column_count; i++)
        settle_column(c, &r->cells[i], r->batch.count);
}

/* --- records --- */

static void ragged(csv *c, size_t fields)
{
    tut_rows *r = c->in.rows;
    for (size_t i = fields; i < r->column_count; i++)
        rows_set(r, i, TUT_CELL_NONE, NAN, (tut_str){"", 0});
    rows_defect(r, TUT_ROWS_RAGGED, rows_row_number(r) - 1, r->offsets[r->batch.count - 1],
                "%zu fields instead of %zu", fields, r->column_count);
}

static void skip_empty_lines(csv *c)
{
    while (c->at < c->in.end && (c->in.data[c->at] == '\n' || c->in.data[c->at] == '\r'))
        c->at = next_special(c) + 1;
}

/* The cells of a row that was begun. */
static tut_status fill_row(csv *c, field_end *ret_end, tut_error *err)
{
    size_t columns = c->in.rows->column_count;
    bool is_plain = rows_input_is_plain(&c->in, c->at);
    size_t count = 0;
    field f;
    field_end end;
    do {
        end = take_field(c, &f);
        if (end == OUT || end == OUT_IN_QUOTES)
            break;
        if (count < columns)
            TUT_TRY(set_cell(c, count, &f, is_plain, err));
        count++;
    } while (end == FIELD);
    *ret_end = end;
    bool is_trailing = count == columns + 1 && end == RECORD && f.len == 0 && !f.is_quoted;
    if (end == RECORD && count != columns && !is_trailing)
        ragged(c, count);
    return TUT_SUCCESS;
}

/* A record as most are: no quotes, as many fields as columns, and all of it in the window. What it
 * works with stays in registers. False: nothing has happened. */
static bool plain_row(csv *c)
{
    tut_rows *r = c->in.rows;
    const char *data = c->in.data;
    const tut_cells *cells = r->cells;
    size_t end = c->in.end;
    size_t columns = r->column_count;
    size_t row = r->batch.count - 1;
    size_t from = c->at;
    size_t block = c->block;
    uint64_t mask = c->mask;
    char delimiter = c->dialect.delimiter;
    for (size_t i = 0; i < columns; i++) {
        while (mask == 0) {
            block += 64;
            if (block >= end)
                return false;
            mask = mask_at(c, block);
        }
        size_t at = block + (size_t)__builtin_ctzll(mask);
        while (data[from] == ' ')
            from++;
        bool is_last = i + 1 == columns;
        bool is_crlf = is_last && data[at] == '\r' && data[at + 1] == '\n' && mask & (mask - 1);
        if (from > at || data[at + is_crlf] != (is_last ? '\n' : delimiter))
            return false;
        mask &= mask - 1;
        mask &= mask - is_crlf;
        cells[i].kinds[row] = PENDING;
        cells[i].texts[row] = (tut_str){data + from, at - from};
        from = at + 1 + is_crlf;
    }
    c->at = from;
    c->block = block;
    c->mask = mask;
    return true;
}

/* A record that does not end within what can be held: its quote is a character then, or it is cut
 * here. */
static void give_up(csv *c, size_t start, field_end end)
{
    tut_rows *r = c->in.rows;
    if (end == OUT_IN_QUOTES) {
        rows_defect(r, TUT_ROWS_QUOTE, rows_row_number(r), UINT64_MAX, "a quote is not closed");
        size_t from = c->at;
        while (c->in.data[from] == ' ')
            from++;
        c->literal = from;
    } else {
        c->is_cut = c->is_skipping = true;
        rows_defect(r, TUT_ROWS_LONG, rows_row_number(r), UINT64_MAX,
                    "a record of more than %u MiB", ROWS_WINDOW_MAX >> 20);
    }
    seek(c, start);
}

/* Rows until the batch is full or the window has no whole record. */
static tut_status take_rows(csv *c, tut_error *err)
{
    tut_rows *r = c->in.rows;
    for (;;) {
        skip_empty_lines(c);
        size_t start = c->at;
        if (start >= c->in.end || !rows_row_begin_unset(r, rows_input_offset(&c->in, start)))
            return TUT_SUCCESS;
        if (rows_input_is_plain(&c->in, start) && plain_row(c))
            continue;
        field_end end;
        TUT_TRY(fill_row(c, &end, err));
        if (end == RECORD && !c->is_cut)
            continue;
        if (end == RECORD) {
            c->is_cut = false;
            return TUT_SUCCESS;
        }
        rows_row_drop(r);
        if (!c->in.is_end && !rows_input_is_full(&c->in, start)) {
            seek(c, start);
            return TUT_SUCCESS;
        }
        give_up(c, start, end);
    }
}

/* The rest of a record that was cut. */
static tut_status skip_record(csv *c, tut_error *err)
{
    while (c->is_skipping) {
        size_t at = next_special(c);
        if (at < c->in.end) {
            c->is_skipping = c->in.data[at] != '\n' && c->in.data[at] != '\r';
            c->at = at + 1;
            continue;
        }
        if (c->in.is_end)
            return TUT_SUCCESS;
        c->in.begin = c->in.end;
        TUT_TRY(rows_input_fill(&c->in, err));
        seek(c, 0);
    }
    return TUT_SUCCESS;
}

static tut_status next_csv(tut_rows *r, tut_error *err)
{
    csv *c = r->ctx;
    TUT_TRY(skip_record(c, err));
    for (;;) {
        TUT_TRY(take_rows(c, err));
        if (r->batch.count > 0 || c->in.is_end) {
            settle(c);
            return TUT_SUCCESS;
        }
        size_t moved = c->in.begin = c->at;
        TUT_TRY(rows_input_fill(&c->in, err));
        c->literal = c->literal >= moved && c->literal != SIZE_MAX ? c->literal - moved : SIZE_MAX;
        seek(c, 0);
    }
}

/* --- the beginning --- */

static tut_status name_columns(csv *c, tut_error *err)
{
    tut_rows *r = c->in.rows;
    field f;
    field_end end = FIELD;
    if (c->dialect.header_short)
        TUT_TRY(csv_add_name(r, (tut_str){"", 0}, err));
    skip_empty_lines(c);
    bool is_plain = rows_input_is_plain(&c->in, c->at);
    while (end == FIELD) {
        tut_str name;
        end = take_field(c, &f);
        if (end == OUT || end == OUT_IN_QUOTES) {
            rows_defect(r, TUT_ROWS_CUT, UINT64_MAX, UINT64_MAX, "the header has no end");
            c->at = c->in.end;
            f = (field){.data = ""};
        }
        TUT_TRY(text_of(c, &f, is_plain, &name, err));
        if (end == FIELD || name.len || r->column_count < c->dialect.columns)
            TUT_TRY(csv_add_name(r, tut_str_trim(name), err));
    }
    return TUT_SUCCESS;
}

static void close_csv(void *ctx)
{
    csv *c = ctx;
    if (c)
        rows_input_done(&c->in);
    tut_free(c);
}

static tut_status open_csv(tut_rows *r, tut_error *err)
{
    csv *c = r->ctx = tut_alloc_array(1, sizeof(*c));
    if (!c)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    TUT_TRY(rows_input_open(r, &c->in, err));
    TUT_TRY(rows_input_fill(&c->in, err));
    size_t head = c->in.end < TUT_LIMIT_PEEK_BYTES ? c->in.end : TUT_LIMIT_PEEK_BYTES;
    c->dialect = csv_sniff((tut_str){c->in.data, head}, c->in.is_end && head == c->in.end);
    c->literal = SIZE_MAX;
    r->facts.delimiter = c->dialect.delimiter;
    r->facts.quote = c->dialect.quote;
    r->facts.has_header = c->dialect.has_header;
    seek(c, 0);
    if (c->dialect.has_header)
        return name_columns(c, err);
    size_t columns = c->dialect.columns ? c->dialect.columns : 1;
    for (size_t i = 0; i < columns; i++)
        TUT_TRY(csv_add_name(r, (tut_str){"", 0}, err));
    return TUT_SUCCESS;
}

const rows_format rows_csv = {
    .name = "csv",
    .is_it = csv_is_it,
    .open = open_csv,
    .next = next_csv,
    .free = close_csv,
};
