/* The worker's side of a sample: the rows of a dataset, those that are wanted. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <unistd.h>

#include "base/reader.h"
#include "data/decimal.h"
#include "probe/sample_internal.h"
#include "stats/random.h"

enum { PENDING_BYTES = 256 << 10 };

const char *const sample_lent_rows = "rows", *const sample_lent_label = "label",
                  *const sample_lent_out = "out";

typedef struct column {
    char name[96];
    size_t place; /* in the batch; SIZE_MAX: it has not come yet */
    double least, most;
    bool has_fraction, has_other; /* than 0 and 1 */
    uint64_t numbers, texts, gaps;
} column;

typedef struct reading {
    const sample_asked *asked;
    sample_classes *classes;
    tut_buf given; /* u32 a row: the classes from a file of labels */
    column *columns;
    size_t width, columns_seen;
    size_t label; /* place of its column; SIZE_MAX: none */
    float *row;
    int out;
    tut_buf pending; /* records that are not in the file yet, from record `written` on */
    uint64_t written, kept, whole, left_out;
    uint64_t random;
} reading;

/* --- which columns --- */
static bool has_label(const reading *r)
{
    return r->asked->label.len > 0;
}

static bool has_label_column(const reading *r)
{
    return has_label(r) && !r->asked->is_label_file;
}

static size_t place_of(const tut_batch *b, tut_str name)
{
    for (size_t i = 0; i < b->column_count; i++)
        if (tut_str_eq(b->names[i], name))
            return i;
    return SIZE_MAX;
}

static void name_column(column *c, tut_str name, size_t place)
{
    TUT_CLEAN(tut_buf) shown = TUT_BUF_INIT;
    tut_buf_add_escaped(&shown, name, 60);
    tut_str_copy(c->name, sizeof(c->name), tut_buf_str(&shown));
    c->place = place;
    c->least = INFINITY;
    c->most = -INFINITY;
}

static tut_status take_columns(reading *r, const tut_batch *b, tut_error *err)
{
    bool are_named = r->asked->name_count > 0;
    size_t most = are_named ? r->asked->name_count : b->column_count;
    r->columns = tut_alloc_array(most + 1, sizeof(*r->columns));
    r->row = tut_alloc_array(most + 1, sizeof(*r->row));
    if (!r->columns || !r->row)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (size_t i = 0; i < most; i++) {
        tut_str name = are_named ? r->asked->names[i] : b->names[i];
        if (are_named || i != r->label)
            name_column(&r->columns[r->width++], name, are_named ? SIZE_MAX : i);
    }
    if (r->width == 0)
        return tut_fail(err, TUT_MALFORMED, "beside the label there is no column");
    return TUT_SUCCESS;
}

/* Columns of JSON may come late: rows before had nothing there, and are left out. */
static tut_status resolve(reading *r, const tut_batch *b, tut_error *err)
{
    if (r->columns_seen == b->column_count)
        return TUT_SUCCESS;
    if (has_label_column(r))
        r->label = place_of(b, r->asked->label);
    if (r->columns && r->asked->name_count == 0)
        return tut_fail(err, TUT_UNSUPPORTED,
                        "the rows have different columns: say which ones count with --columns");
    if (!r->columns)
        TUT_TRY(take_columns(r, b, err));
    for (uint32_t i = 0; i < r->asked->name_count; i++)
        r->columns[i].place = place_of(b, r->asked->names[i]);
    r->columns_seen = b->column_count;
    return TUT_SUCCESS;
}

static tut_status want_column(const tut_batch *b, size_t place, tut_str name, tut_error *err)
{
    char asked[96];
    const char *nearest = NULL;
    TUT_AUTO_FREE const char **names = tut_alloc_array(b->column_count + 1, sizeof(*names));
    tut_arena arena;
    if (place != SIZE_MAX)
        return TUT_SUCCESS;
    tut_arena_init(&arena, 0);
    tut_str_copy(asked, sizeof(asked), name);
    for (size_t i = 0; names && i < b->column_count; i++) {
        const char *copy = tut_arena_copy(&arena, b->names[i]);
        names[i] = copy ? copy : "";
    }
    if (names)
        nearest = tut_str_nearest(name, names, b->column_count);
    tut_status s = tut_fail(err, TUT_USAGE, "there is no column %s%s%s", asked,
                            nearest ? "; is it " : "", nearest ? nearest : "");
    tut_arena_done(&arena);
    return s;
}

/* --- rows --- */
static tut_status write_at(const reading *r, uint64_t record, tut_span bytes, tut_error *err)
{
    off_t at = (off_t)(record * (12 + 4 * r->width));
    while (bytes.len > 0) {
        ssize_t wrote = pwrite(r->out, bytes.data, bytes.len, at);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote <= 0)
            return tut_fail_errno(err, errno, "cannot write to the scratch file");
        at += wrote;
        bytes.data += wrote;
        bytes.len -= (size_t)wrote;
    }
    return TUT_SUCCESS;
}

static tut_status flush(reading *r, tut_error *err)
{
    TUT_TRY(tut_buf_check(&r->pending, err));
    TUT_TRY(write_at(r, r->written, tut_buf_span(&r->pending), err));
    r->written = r->kept;
    tut_buf_clear(&r->pending);
    return TUT_SUCCESS;
}

static void add_record(const reading *r, uint64_t number, uint32_t class, tut_buf *to)
{
    tut_buf_add_u64le(to, number);
    tut_buf_add_u32le(to, class);
    tut_buf_add(to, r->row, r->width * sizeof(*r->row));
}

/* A sample without knowing how many there are (Vitter's algorithm R, 1985). */
static tut_status keep_row(reading *r, uint64_t number, uint32_t class, tut_error *err)
{
    uint64_t seen = r->whole++;
    if (r->asked->most == 0 || seen < r->asked->most) {
        add_record(r, number, class, &r->pending);
        r->kept++;
        return r->pending.len < PENDING_BYTES ? TUT_SUCCESS : flush(r, err);
    }
    uint64_t slot = tut_random_below(&r->random, seen + 1);
    if (slot >= r->asked->most)
        return TUT_SUCCESS;
    TUT_TRY(flush(r, err));
    add_record(r, number, class, &r->pending);
    TUT_TRY(tut_buf_check(&r->pending, err));
    tut_status status = write_at(r, slot, tut_buf_span(&r->pending), err);
    tut_buf_clear(&r->pending);
    return status;
}

static bool take_cell(column *c, const tut_batch *b, size_t row, double scale, float *ret)
{
    const tut_cells *cells = c->place != SIZE_MAX ? &b->cells[c->place] : NULL;
    uint8_t kind = cells ? cells->kinds[row] : TUT_CELL_NONE;
    bool is_number = kind == TUT_CELL_NUMBER || kind == TUT_CELL_INTEGER || kind == TUT_CELL_BOOL;
    float value = is_number ? (float)(cells->numbers[row] * scale) : NAN;
    c->texts += kind == TUT_CELL_TEXT || kind == TUT_CELL_NESTED;
    c->gaps += !isfinite(value);
    c->numbers += is_number;
    *ret = value;
    return isfinite(value);
}

static void note_row(reading *r)
{
    for (size_t i = 0; i < r->width; i++) {
        column *c = &r->columns[i];
        double v = r->row[i];
        c->least = fmin(c->least, v);
        c->most = fmax(c->most, v);
        c->has_fraction |= !tut_decimal_is_whole(v);
        c->has_other |= v < 0 || (v > 0 && v < 1) || v > 1;
    }
}

static tut_status class_of(reading *r, const tut_batch *b, size_t row, uint32_t *ret,
                           tut_error *err)
{
    uint64_t number = b->first + row;
    *ret = UINT32_MAX;
    if (r->asked->is_label_file) {
        if (number < r->given.len / sizeof(*ret))
            memcpy(ret, r->given.data + number * sizeof(*ret), sizeof(*ret));
        return TUT_SUCCESS;
    }
    if (r->label == SIZE_MAX)
        return TUT_SUCCESS;
    return sample_classes_of(r->classes, &b->cells[r->label], row, ret, err);
}

static tut_status take_batch(reading *r, const tut_batch *b, tut_error *err)
{
    for (size_t i = 0; i < b->count; i++) {
        bool is_whole = true;
        uint32_t class = 0;
        for (size_t k = 0; k < r->width; k++)
            is_whole &= take_cell(&r->columns[k], b, i, r->asked->scale, &r->row[k]);
        TUT_TRY(class_of(r, b, i, &class, err));
        if (!is_whole || (has_label(r) && class == UINT32_MAX)) {
            r->left_out++;
            continue;
        }
        note_row(r);
        TUT_TRY(keep_row(r, b->first + i, class, err));
    }
    return TUT_SUCCESS;
}

/* --- what can be said only at the end --- */
static tut_status check_texts(const reading *r, tut_error *err)
{
    const column *first = NULL, *worst = &r->columns[0];
    size_t others = 0;
    char more[48] = "";
    for (size_t i = 0; i < r->width; i++) {
        const column *c = &r->columns[i];
        bool is_text = c->numbers == 0 && c->texts > 0;
        if (c->gaps > worst->gaps)
            worst = c;
        others += first && is_text;
        if (is_text && !first)
            first = c;
    }
    if (others)
        (void)snprintf(more, sizeof(more), " and %zu more are", others);
    if (first)
        return tut_fail(err, TUT_UNSUPPORTED,
                        "column %s%s text: choose columns of numbers with --columns, or encode "
                        "texts as the model takes them",
                        first->name, others ? more : " is");
    if (r->whole == 0)
        return tut_fail(err, TUT_UNSUPPORTED,
                        "no row is whole: column %s has no number in %llu of %llu rows%s",
                        worst->name, (unsigned long long)worst->gaps,
                        (unsigned long long)r->left_out, has_label(r) ? ", or no label" : "");
    return TUT_SUCCESS;
}

static void write_head(const reading *r, tut_buf *out)
{
    tut_buf_add_u64le(out, r->kept);
    tut_buf_add_u32le(out, (uint32_t)r->width);
    tut_buf_add_u64le(out, r->left_out);
    tut_buf_add_u64le(out, r->whole + r->left_out);
    tut_buf_add_byte(out, has_label(r));
    for (size_t i = 0; i < r->width; i++) {
        const column *c = &r->columns[i];
        tut_buf_add_sized(out, tut_str_of(c->name));
        tut_buf_add(out, &c->least, sizeof(c->least));
        tut_buf_add(out, &c->most, sizeof(c->most));
        tut_buf_add_byte(out, (uint8_t)((c->has_fraction ? 0 : 1) | (c->has_other ? 0 : 2)));
    }
    if (has_label(r))
        sample_classes_write(r->classes, out);
}

static tut_status read_rows(reading *r, tut_rows *rows, tut_buf *out, tut_error *err)
{
    const tut_batch *b = NULL, *last = NULL;
    for (;;) {
        TUT_TRY(tut_rows_next(rows, &b, err));
        if (!b)
            break;
        last = b;
        TUT_TRY(resolve(r, b, err));
        if (b->first == 0 && has_label_column(r))
            TUT_TRY(want_column(b, r->label, r->asked->label, err));
        for (uint32_t i = 0; b->first == 0 && i < r->asked->name_count; i++)
            TUT_TRY(want_column(b, r->columns[i].place, r->asked->names[i], err));
        TUT_TRY(take_batch(r, b, err));
    }
    if (!last)
        return tut_fail(err, TUT_MALFORMED, "there are no rows");
    uint64_t count = r->whole + r->left_out, given = r->given.len / sizeof(uint32_t);
    if (r->asked->is_label_file && count != given)
        return tut_fail(err, TUT_USAGE, "%llu rows, but %llu labels", (unsigned long long)count,
                        (unsigned long long)given);
    TUT_TRY(check_texts(r, err));
    TUT_TRY(flush(r, err));
    write_head(r, out);
    return TUT_SUCCESS;
}

static tut_status read_labels(reading *r, tut_rows *rows, tut_error *err)
{
    const tut_batch *b = NULL;
    for (;;) {
        TUT_TRY(tut_rows_next(rows, &b, err));
        if (!b)
            return tut_buf_check(&r->given, err);
        if (b->column_count != 1)
            return tut_fail(err, TUT_USAGE, "a file of labels has one column, this has %zu",
                            b->column_count);
        for (size_t i = 0; i < b->count; i++) {
            uint32_t class = 0;
            TUT_TRY(sample_classes_of(r->classes, &b->cells[0], i, &class, err));
            tut_buf_add(&r->given, &class, sizeof(class));
        }
    }
}

static tut_status open_lent(tut_cage_task *task, const char *lent, const char *name,
                            tut_source *source, tut_rows **ret, tut_error *err)
{
    int fd = -1;
    TUT_TRY(tut_cage_file(task, lent, &fd, err));
    TUT_TRY(tut_source_file(fd, source, err));
    return tut_rows_open(source, name, ret, err);
}

static tut_status read_lent(tut_cage_task *task, reading *r, bool is_label, tut_buf *out,
                            tut_error *err)
{
    char name[512];
    tut_source source;
    TUT_AUTO(tut_rows) rows = NULL;
    tut_str_copy(name, sizeof(name), is_label ? r->asked->label : r->asked->path);
    tut_status s = open_lent(task, is_label ? sample_lent_label : sample_lent_rows, name, &source,
                             &rows, err);
    if (tut_is_ok(s))
        s = is_label ? read_labels(r, rows, err) : read_rows(r, rows, out, err);
    if (!tut_is_ok(s))
        tut_error_set_path(err, name);
    return s;
}

static tut_status work(tut_cage_task *task, const sample_asked *asked, tut_buf *out, tut_error *err)
{
    reading r = {.asked = asked, .label = SIZE_MAX, .random = asked->seed};
    r.classes = tut_alloc_array(1, sizeof(*r.classes));
    tut_status s = r.classes ? tut_cage_file(task, sample_lent_out, &r.out, err)
                             : tut_fail(err, TUT_NOMEM, "memory ran out");
    if (tut_is_ok(s) && asked->is_label_file)
        s = read_lent(task, &r, true, out, err);
    if (tut_is_ok(s))
        s = read_lent(task, &r, false, out, err);
    if (r.classes)
        sample_classes_done(r.classes);
    tut_free(r.classes);
    tut_free(r.columns);
    tut_free(r.row);
    tut_buf_done(&r.given);
    tut_buf_done(&r.pending);
    return s;
}

tut_status sample_job(tut_cage_task *task, const tut_source *bytes, tut_span argument, tut_buf *out,
                      tut_error *err)
{
    sample_asked asked = {.names = NULL};
    (void)bytes;
    tut_status s = sample_asked_read(argument, &asked);
    if (tut_is_ok(s))
        s = work(task, &asked, out, err);
    sample_asked_done(&asked);
    return s;
}
