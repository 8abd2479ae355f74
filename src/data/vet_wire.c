/* What is asked of the worker, and what it answers, as bytes. */
#include <math.h>
#include <string.h>

#include "data/vet_internal.h"

enum { MOST_INPUTS = 4096, MOST_FILES = 100000, ROWS_MOST = 50000 };

static void put_text(tut_buf *b, const char *text)
{
    tut_buf_add_sized(b, tut_str_of(text));
}

static void put_real(tut_buf *b, double v)
{
    uint64_t bits;
    memcpy(&bits, &v, sizeof(bits));
    tut_buf_add_u64le(b, bits);
}

static tut_status get_real(tut_reader *r, double *ret)
{
    uint64_t bits;
    TUT_TRY(tut_reader_u64le(r, &bits));
    memcpy(ret, &bits, sizeof(*ret));
    return TUT_SUCCESS;
}

/* A text of the worker's, into a field of fixed size; what is not printable was never sent. */
static tut_status get_text(tut_reader *r, char *to, size_t cap)
{
    tut_str s;
    TUT_TRY(tut_reader_sized(r, &s));
    if (s.len >= cap || memchr(s.data, 0, s.len) || !tut_utf8_valid(s))
        return (tut_status){TUT_MALFORMED};
    tut_str_copy(to, cap, s);
    return TUT_SUCCESS;
}

static tut_status get_copy(tut_reader *r, size_t most, char **ret)
{
    tut_str s;
    TUT_TRY(tut_reader_sized(r, &s));
    if (s.len > most || !tut_utf8_valid(s))
        return (tut_status){TUT_MALFORMED};
    *ret = tut_alloc_array(s.len + 1, 1);
    if (!*ret)
        return (tut_status){TUT_NOMEM};
    tut_str_copy(*ret, s.len + 1, s);
    return TUT_SUCCESS;
}

/* --- the question --- */

void tut_vet_ask(const vet_asking *inputs, size_t count, unsigned checks, tut_buf *out)
{
    tut_buf_add_u32le(out, checks);
    tut_buf_add_u32le(out, (uint32_t)count);
    for (size_t i = 0; i < count; i++) {
        const tut_vet_input *in = inputs[i].input;
        const vet_place *places = inputs[i].places;
        tut_buf_add_u32le(out, (uint32_t)in->file_count);
        tut_buf_add_u32le(out, (uint32_t)in->split);
        put_text(out, in->path);
        put_text(out, in->label);
        put_text(out, in->source);
        tut_buf_add_byte(out, (uint8_t)((in->labels ? 1 : 0) | (in->against ? 2 : 0) |
                                        (in->wants_baseline ? 4 : 0) |
                                        (in->wants_examples ? 8 : 0) | (in->activations ? 16 : 0)));
        tut_buf_add_sized(out, tut_str_from(in->baseline));
        for (size_t k = 0; k < in->file_count; k++) {
            const char *slash = strrchr(in->files[k], '/');
            put_text(out, slash ? slash + 1 : in->files[k]);
            tut_buf_add_u64le(out, places ? places[k].start : 0);
            tut_buf_add_u64le(out, places ? places[k].size : UINT64_MAX);
        }
    }
}

void tut_vet_asked_done(vet_asked *a)
{
    tut_arena_done(&a->arena);
}

static tut_status read_input(tut_reader *r, vet_asked *a, struct vet_asked_input *in)
{
    uint32_t split;
    uint8_t has_labels;
    TUT_TRY(tut_reader_u32le(r, &in->file_count));
    TUT_TRY(tut_reader_u32le(r, &split));
    tut_str path;
    TUT_TRY(tut_reader_sized(r, &path));
    TUT_TRY(tut_reader_sized(r, &in->label));
    TUT_TRY(tut_reader_sized(r, &in->source));
    TUT_TRY(tut_reader_u8(r, &has_labels));
    TUT_TRY(tut_reader_sized(r, &in->baseline));
    if (split > TUT_SPLIT_TEST || in->file_count > MOST_FILES)
        return (tut_status){TUT_MALFORMED};
    in->split = (tut_split)split;
    in->has_labels = has_labels & 1;
    in->has_against = has_labels & 2;
    in->wants_baseline = has_labels & 4;
    in->wants_examples = has_labels & 8;
    in->has_activations = has_labels & 16;
    in->path = tut_arena_copy(&a->arena, path);
    if (!in->path)
        return (tut_status){TUT_NOMEM};
    in->files = tut_arena_take(&a->arena, in->file_count + 1, sizeof(*in->files));
    if (!in->files)
        return (tut_status){TUT_NOMEM};
    for (uint32_t k = 0; k < in->file_count; k++) {
        tut_str name;
        TUT_TRY(tut_reader_sized(r, &name));
        TUT_TRY(tut_reader_u64le(r, &in->files[k].start));
        TUT_TRY(tut_reader_u64le(r, &in->files[k].size));
        in->files[k].name = tut_arena_copy(&a->arena, name);
        if (!in->files[k].name)
            return (tut_status){TUT_NOMEM};
    }
    return TUT_SUCCESS;
}

tut_status tut_vet_asked_read(tut_span argument, vet_asked *ret, tut_error *err)
{
    tut_reader r = tut_reader_of(argument);
    uint32_t count = 0, checks = 0;
    *ret = (vet_asked){0};
    tut_arena_init(&ret->arena, 0);
    tut_status status = tut_reader_u32le(&r, &checks);
    if (tut_is_ok(status))
        status = tut_reader_u32le(&r, &count);
    if (tut_is_ok(status) && count > MOST_INPUTS)
        status = (tut_status){TUT_MALFORMED};
    if (tut_is_ok(status)) {
        ret->items = tut_arena_take(&ret->arena, count + 1, sizeof(*ret->items));
        status = ret->items ? TUT_SUCCESS : (tut_status){TUT_NOMEM};
    }
    for (uint32_t i = 0; i < count && tut_is_ok(status); i++)
        status = read_input(&r, ret, &ret->items[i]);
    ret->checks = checks;
    ret->count = count;
    return tut_is_ok(status) ? status : tut_fail(err, status.code, "what is asked makes no sense");
}

/* --- the answer --- */

static void put_rows(tut_buf *out, const uint64_t *rows, size_t count)
{
    tut_buf_add_u32le(out, (uint32_t)count);
    for (size_t i = 0; i < count; i++)
        tut_buf_add_u64le(out, rows[i]);
}

static tut_status read_rows(tut_reader *r, uint64_t rows[TUT_VET_CHANGED], size_t *ret_count)
{
    uint32_t count;
    TUT_TRY(tut_reader_u32le(r, &count));
    if (count > TUT_VET_CHANGED)
        return (tut_status){TUT_MALFORMED};
    for (uint32_t i = 0; i < count; i++)
        TUT_TRY(tut_reader_u64le(r, &rows[i]));
    *ret_count = count;
    return TUT_SUCCESS;
}

static void put_change(tut_buf *out, const tut_vet_change *c)
{
    tut_buf_add_byte(out, c->is_known);
    tut_buf_add_u64le(out, c->added);
    tut_buf_add_u64le(out, c->removed);
    tut_buf_add_u64le(out, c->kept);
    put_rows(out, c->added_rows, c->added_shown);
    put_rows(out, c->removed_rows, c->removed_shown);
}

static tut_status read_change(tut_reader *r, tut_vet_change *c)
{
    uint8_t is_known;
    TUT_TRY(tut_reader_u8(r, &is_known));
    c->is_known = is_known;
    TUT_TRY(tut_reader_u64le(r, &c->added));
    TUT_TRY(tut_reader_u64le(r, &c->removed));
    TUT_TRY(tut_reader_u64le(r, &c->kept));
    TUT_TRY(read_rows(r, c->added_rows, &c->added_shown));
    return read_rows(r, c->removed_rows, &c->removed_shown);
}

static void put_example(const tut_vet_example *e, tut_buf *out)
{
    tut_buf_add_u64le(out, e->row);
    put_text(out, e->text);
    tut_buf_add_u32le(out, e->width);
    tut_buf_add_u32le(out, e->height);
    if (e->pixels)
        tut_buf_add(out, e->pixels, (size_t)e->width * e->height);
}

static tut_status read_example(tut_reader *r, tut_vet_example *e)
{
    uint32_t width, height;
    tut_span pixels;
    TUT_TRY(tut_reader_u64le(r, &e->row));
    TUT_TRY(get_copy(r, (size_t)2 * TUT_VET_EXCERPT, &e->text));
    TUT_TRY(tut_reader_u32le(r, &width));
    TUT_TRY(tut_reader_u32le(r, &height));
    if (width > TUT_VET_SIDE || height > TUT_VET_SIDE)
        return (tut_status){TUT_MALFORMED};
    e->width = width;
    e->height = height;
    if (width == 0 || height == 0)
        return TUT_SUCCESS;
    TUT_TRY(tut_reader_bytes(r, (uint64_t)width * height, &pixels));
    e->pixels = tut_alloc_array(pixels.len, 1);
    if (!e->pixels)
        return (tut_status){TUT_NOMEM};
    memcpy(e->pixels, pixels.data, pixels.len);
    return TUT_SUCCESS;
}

static tut_status read_examples(tut_reader *r, tut_vet_dataset *d)
{
    uint32_t count;
    TUT_TRY(tut_reader_u32le(r, &count));
    if (count > TUT_VET_EXAMPLES)
        return (tut_status){TUT_MALFORMED};
    d->examples = tut_alloc_array(count + 1u, sizeof(*d->examples));
    if (!d->examples)
        return (tut_status){TUT_NOMEM};
    for (uint32_t i = 0; i < count; i++) {
        d->example_count = i + 1;
        TUT_TRY(read_example(r, &d->examples[i]));
    }
    return TUT_SUCCESS;
}

/* rows_left: of all findings of one answer, which has a limit. */
static void put_finding(const tut_data_finding *f, size_t *rows_left, tut_buf *out)
{
    size_t rows = f->row_count < *rows_left ? f->row_count : *rows_left;
    *rows_left -= rows;
    put_text(out, f->rule);
    put_text(out, f->column);
    put_text(out, f->message);
    tut_buf_add_u64le(out, f->count);
    put_real(out, f->score);
    put_real(out, f->p);
    put_real(out, f->q);
    tut_buf_add_u32le(out, (uint32_t)rows);
    for (size_t i = 0; i < rows; i++) {
        tut_buf_add_u64le(out, f->rows[i].row);
        put_real(out, f->rows[i].score);
        put_real(out, f->rows[i].p);
        put_real(out, f->rows[i].q);
        put_text(out, f->rows[i].note);
    }
}

void tut_vet_answer(const tut_vet_dataset *d, tut_buf *out)
{
    size_t rows_left = ROWS_MOST;
    tut_buf_add_byte(out, (uint8_t)d->status);
    put_text(out, d->problem);
    put_text(out, d->format);
    put_text(out, d->compression);
    put_text(out, d->encoding);
    put_text(out, d->layout);
    put_text(out, d->dialect);
    tut_buf_add_u64le(out, d->rows);
    tut_buf_add_u64le(out, d->columns);
    tut_buf_add_u32le(out, d->checks);
    put_text(out, d->profile);
    put_text(out, d->baseline);
    const uint64_t numbers[] = {d->exact, d->near, d->leaked, d->unverified};
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        tut_buf_add_u64le(out, numbers[i]);
    tut_buf_add_u32le(out, (uint32_t)d->kind_count);
    for (size_t i = 0; i < d->kind_count; i++) {
        put_text(out, d->kinds[i].id);
        put_text(out, d->kinds[i].label);
        tut_buf_add_byte(out, (uint8_t)d->kinds[i].type);
        tut_buf_add_u64le(out, d->kinds[i].count);
        tut_buf_add_u64le(out, d->kinds[i].rows);
    }
    tut_buf_add_u32le(out, (uint32_t)d->note_count);
    for (size_t i = 0; i < d->note_count; i++)
        put_text(out, d->notes[i]);
    put_change(out, &d->change);
    tut_buf_add_u32le(out, (uint32_t)d->example_count);
    for (size_t i = 0; i < d->example_count; i++)
        put_example(&d->examples[i], out);
    tut_buf_add_u64le(out, d->found.left_out);
    tut_buf_add_u32le(out, (uint32_t)d->found.count);
    for (size_t i = 0; i < d->found.count; i++)
        put_finding(&d->found.items[i], &rows_left, out);
}

static tut_status read_row(tut_reader *r, tut_data_finding *f, tut_error *err)
{
    tut_data_row row = {0};
    TUT_TRY(tut_reader_u64le(r, &row.row));
    TUT_TRY(get_real(r, &row.score));
    TUT_TRY(get_real(r, &row.p));
    TUT_TRY(get_real(r, &row.q));
    TUT_TRY(get_text(r, row.note, sizeof(row.note)));
    return tut_data_found_row(f, row.row, row.score, row.p, row.q, row.note, err);
}

static tut_status read_finding(tut_reader *r, tut_data_findings *found, tut_error *err)
{
    tut_str id;
    char column[TUT_DATA_COLUMN], message[TUT_DATA_MESSAGE];
    tut_data_finding *f;
    uint64_t count;
    uint32_t rows;
    TUT_TRY(tut_reader_sized(r, &id));
    const tut_rule *rule = tut_rule_find(id);
    if (!rule || !tut_str_starts(id, TUT_LIT("dataset.")))
        return (tut_status){TUT_MALFORMED};
    TUT_TRY(get_text(r, column, sizeof(column)));
    TUT_TRY(get_text(r, message, sizeof(message)));
    TUT_TRY(tut_data_found(found, rule->id, tut_str_of(column), &f, err, "%s", message));
    TUT_TRY(tut_reader_u64le(r, &count));
    TUT_TRY(get_real(r, &f->score));
    TUT_TRY(get_real(r, &f->p));
    TUT_TRY(get_real(r, &f->q));
    TUT_TRY(tut_reader_u32le(r, &rows));
    if (rows > TUT_DATA_ROWS_SHOWN)
        return (tut_status){TUT_MALFORMED};
    for (uint32_t i = 0; i < rows; i++)
        TUT_TRY(read_row(r, f, err));
    f->count = count;
    return TUT_SUCCESS;
}

static tut_status read_kinds(tut_reader *r, tut_vet_dataset *d)
{
    uint32_t count;
    TUT_TRY(tut_reader_u32le(r, &count));
    if (count > TUT_VET_KINDS)
        return (tut_status){TUT_MALFORMED};
    for (uint32_t i = 0; i < count; i++) {
        tut_vet_kind *k = &d->kinds[i];
        uint8_t type;
        TUT_TRY(get_text(r, k->id, sizeof(k->id)));
        TUT_TRY(get_text(r, k->label, sizeof(k->label)));
        TUT_TRY(tut_reader_u8(r, &type));
        TUT_TRY(tut_reader_u64le(r, &k->count));
        TUT_TRY(tut_reader_u64le(r, &k->rows));
        if (type >= TUT_TEXT_CLASS_COUNT)
            return (tut_status){TUT_MALFORMED};
        k->type = (tut_text_class)type;
        d->kind_count = i + 1;
    }
    return TUT_SUCCESS;
}

static tut_status read_words(tut_reader *r, tut_vet_dataset *d)
{
    uint8_t status;
    TUT_TRY(tut_reader_u8(r, &status));
    if (status > TUT_VET_ERROR)
        return (tut_status){TUT_MALFORMED};
    d->status = (tut_vet_status)status;
    TUT_TRY(get_text(r, d->problem, sizeof(d->problem)));
    TUT_TRY(get_text(r, d->format, sizeof(d->format)));
    TUT_TRY(get_text(r, d->compression, sizeof(d->compression)));
    TUT_TRY(get_text(r, d->encoding, sizeof(d->encoding)));
    TUT_TRY(get_text(r, d->layout, sizeof(d->layout)));
    TUT_TRY(get_text(r, d->dialect, sizeof(d->dialect)));
    TUT_TRY(tut_reader_u64le(r, &d->rows));
    TUT_TRY(tut_reader_u64le(r, &d->columns));
    uint32_t checks;
    TUT_TRY(tut_reader_u32le(r, &checks));
    d->checks = checks & TUT_VET_ALL;
    TUT_TRY(get_copy(r, TUT_VET_PROFILE_BYTES, &d->profile));
    return get_copy(r, TUT_VET_BASELINE_BYTES, &d->baseline);
}

static tut_status read_notes(tut_reader *r, tut_vet_dataset *d)
{
    uint32_t count;
    TUT_TRY(tut_reader_u32le(r, &count));
    if (count > TUT_VET_NOTES)
        return (tut_status){TUT_MALFORMED};
    for (uint32_t i = 0; i < count; i++) {
        TUT_TRY(get_copy(r, 512, &d->notes[i]));
        d->note_count = i + 1;
    }
    return TUT_SUCCESS;
}

static tut_status read_all(tut_reader *r, tut_vet_dataset *d, tut_error *err)
{
    uint64_t *const numbers[] = {&d->exact, &d->near, &d->leaked, &d->unverified};
    uint32_t count;
    uint64_t left_out;
    TUT_TRY(read_words(r, d));
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        TUT_TRY(tut_reader_u64le(r, numbers[i]));
    TUT_TRY(read_kinds(r, d));
    TUT_TRY(read_notes(r, d));
    TUT_TRY(read_change(r, &d->change));
    TUT_TRY(read_examples(r, d));
    TUT_TRY(tut_reader_u64le(r, &left_out));
    TUT_TRY(tut_reader_u32le(r, &count));
    if (count > TUT_DATA_FOUND)
        return (tut_status){TUT_MALFORMED};
    for (uint32_t i = 0; i < count; i++)
        TUT_TRY(read_finding(r, &d->found, err));
    d->found.left_out = left_out;
    return TUT_SUCCESS;
}

tut_status tut_vet_answer_read(tut_reader *r, tut_vet_dataset *d, tut_error *err)
{
    tut_status status = read_all(r, d, err);
    return tut_is_ok(status) ? status
                             : tut_fail(err, status.code, "the worker's answer makes no sense");
}
