/*
 * Where to cut: what the check of texts finds in the cells is looked for in the bytes of its row,
 * as it is and as JSON writes it, and wherever it stands there it goes.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json_write.h"
#include "base/limits.h"
#include "data/check_text.h"
#include "data/rows.h"
#include "data/sanitise_internal.h"
#include "data/vet_internal.h"
#include "formats/codec.h"
#include "text/unseen.h"

typedef struct value {   /* to be cut out of a row */
    uint64_t begin, end; /* of the row; end UINT64_MAX: not known yet */
    char *text;          /* owned */
    size_t len;
    uint16_t kind;
    bool is_number;
} value;

typedef struct work {
    tut_cage_task *task;
    const tut_source *plain;
    const tut_batch *batch;
    bool is_json, is_array;
    sanitise_reply reply;
    value *values;
    size_t count, capacity;
    sanitise_cut *cuts; /* of one region */
    size_t cut_count, cut_capacity;
    uint64_t cursor; /* up to here the cuts are made */
    char *raw;       /* of the region */
    size_t raw_len, raw_capacity;
    tut_buf escaped;
    int cuts_fd;
    bool has_no_memory;
} work;

static void work_done(work *w)
{
    for (size_t i = 0; i < w->count; i++)
        tut_free(w->values[i].text);
    tut_free(w->values);
    tut_free(w->cuts);
    tut_free(w->raw);
    tut_buf_done(&w->escaped);
}

/* --- what is found in the cells --- */

static uint16_t kind_of(work *w, const char *id)
{
    size_t k = 0;
    while (k < w->reply.kind_count && strcmp(w->reply.kinds[k], id) != 0)
        k++;
    if (k == SANITISE_KINDS)
        return SANITISE_KINDS - 1;
    if (k == w->reply.kind_count) {
        tut_str_copy(w->reply.kinds[k], TUT_TEXT_ID, tut_str_of(id));
        w->reply.kind_count++;
    }
    return (uint16_t)k;
}

static void keep_value(void *ctx, const tut_text_place *at, const tut_text_match *m)
{
    work *w = ctx;
    const tut_cells *cells = &w->batch->cells[at->column];
    if (m->type == TUT_TEXT_NETWORK || w->has_no_memory)
        return;
    if (w->count == w->capacity) {
        size_t capacity = w->capacity ? 2 * w->capacity : 64;
        value *more = tut_realloc_array(w->values, capacity, sizeof(*more));
        if (!more) {
            w->has_no_memory = true;
            return;
        }
        w->values = more;
        w->capacity = capacity;
    }
    value *v = &w->values[w->count];
    *v = (value){.begin = w->batch->offsets[at->row], .end = UINT64_MAX};
    v->len = at->end - at->begin;
    v->text = tut_alloc_array(v->len + 1, 1);
    if (!v->text) {
        w->has_no_memory = true;
        return;
    }
    memcpy(v->text, cells->texts[at->row].data + at->begin, v->len);
    v->kind = kind_of(w, m->id);
    v->is_number = w->is_json && cells->kinds[at->row] != TUT_CELL_TEXT &&
                   cells->kinds[at->row] != TUT_CELL_NESTED;
    w->count++;
}

/* --- cuts of one region --- */

static tut_status add_cut(work *w, uint64_t begin, uint64_t end, uint16_t kind, bool is_number,
                          tut_error *err)
{
    if (w->cut_count == w->cut_capacity) {
        size_t capacity = w->cut_capacity ? 2 * w->cut_capacity : 64;
        sanitise_cut *more = tut_realloc_array(w->cuts, capacity, sizeof(*more));
        if (!more)
            return tut_fail(err, TUT_NOMEM, "memory ran out");
        w->cuts = more;
        w->cut_capacity = capacity;
    }
    w->cuts[w->cut_count++] = (sanitise_cut){begin, end, kind, is_number};
    return TUT_SUCCESS;
}

static tut_status cut_everywhere(work *w, const value *v, tut_str text, uint64_t end,
                                 size_t *ret_times, tut_error *err)
{
    tut_str row = {w->raw + (v->begin - w->cursor), (size_t)(end - v->begin)};
    size_t from = 0, at;
    while (text.len > 0 && tut_str_find((tut_str){row.data + from, row.len - from}, text, &at)) {
        uint64_t begin = v->begin + from + at;
        TUT_TRY(add_cut(w, begin, begin + text.len, v->kind, v->is_number, err));
        from += at + text.len;
        ++*ret_times;
    }
    return TUT_SUCCESS;
}

static tut_status cut_value(work *w, const value *v, uint64_t end, tut_error *err)
{
    size_t times = 0;
    tut_str text = {v->text, v->len};
    TUT_TRY(cut_everywhere(w, v, text, end, &times, err));
    if (w->is_json) {
        tut_buf_clear(&w->escaped);
        tut_json_add_inside(&w->escaped, text);
        TUT_TRY(tut_buf_check(&w->escaped, err));
        if (!tut_str_eq(tut_buf_str(&w->escaped), text))
            TUT_TRY(cut_everywhere(w, v, tut_buf_str(&w->escaped), end, &times, err));
    }
    if (times > 0)
        return TUT_SUCCESS;
    if (w->is_array)
        return tut_fail(err, TUT_UNSUPPORTED,
                        "a value at byte %llu is written in a way that cannot be cut out of a JSON "
                        "array; write the records one a line",
                        (unsigned long long)v->begin);
    return add_cut(w, v->begin, end, SANITISE_ROW, false, err);
}

static int hex_of(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

static bool escape_at(tut_str t, size_t at, uint32_t *ret)
{
    uint32_t c = 0;
    if (t.len - at < 6 || t.data[at] != '\\' || t.data[at + 1] != 'u')
        return false;
    for (size_t i = at + 2; i < at + 6; i++) {
        int digit = hex_of(t.data[i]);
        if (digit < 0)
            return false;
        c = c << 4 | (uint32_t)digit;
    }
    *ret = c;
    return true;
}

/* "\u200b" and its like; what stands beyond the basic plane takes two of them. */
static tut_status cut_escapes(work *w, tut_str t, tut_error *err)
{
    for (size_t at = 0; at < t.len;) {
        const char *found = memchr(t.data + at, '\\', t.len - at);
        uint32_t c, low;
        size_t len = 6;
        if (!found)
            return TUT_SUCCESS;
        at = (size_t)(found - t.data);
        if (!escape_at(t, at, &c)) {
            at += 2;
            continue;
        }
        if (c >= 0xd800 && c < 0xdc00 && escape_at(t, at + 6, &low) && low >= 0xdc00 &&
            low < 0xe000) {
            c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
            len = 12;
        }
        if (tut_unseen_always(c))
            TUT_TRY(add_cut(w, w->cursor + at, w->cursor + at + len, SANITISE_UNSEEN, false, err));
        at += len;
    }
    return TUT_SUCCESS;
}

static tut_status cut_unseen(work *w, tut_error *err)
{
    tut_str t = {w->raw, w->raw_len};
    for (tut_unseen u = {.text = t}; tut_unseen_next(&u) > 0;) {
        if (w->cursor + u.at == 0 && u.len == 3)
            continue; /* a byte order mark where it belongs */
        TUT_TRY(
            add_cut(w, w->cursor + u.at, w->cursor + u.at + u.len, SANITISE_UNSEEN, false, err));
    }
    return w->is_json ? cut_escapes(w, t, err) : TUT_SUCCESS;
}

static int by_begin(const void *a, const void *b)
{
    const sanitise_cut *left = a, *right = b;
    if (left->begin != right->begin)
        return left->begin < right->begin ? -1 : 1;
    return left->end != right->end ? (left->end > right->end ? -1 : 1)
                                   : (int)left->kind - (int)right->kind;
}

/* Cuts that overlap become one, of the first's kind: a row that goes takes all with it. */
static size_t join(sanitise_cut *c, size_t count)
{
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        if (n > 0 && c[i].begin < c[n - 1].end) {
            c[n - 1].end = c[i].end > c[n - 1].end ? c[i].end : c[n - 1].end;
            if (c[i].kind == SANITISE_ROW || c[n - 1].kind == SANITISE_UNSEEN)
                c[n - 1].kind = c[i].kind;
            continue;
        }
        c[n++] = c[i];
    }
    return n;
}

static tut_status write_cuts(work *w, tut_error *err)
{
    if (w->cut_count == 0)
        return TUT_SUCCESS;
    qsort(w->cuts, w->cut_count, sizeof(*w->cuts), by_begin);
    size_t count = join(w->cuts, w->cut_count);
    for (size_t i = 0; i < count; i++) {
        uint8_t bytes[SANITISE_CUT_BYTES];
        tut_sanitise_cut_put(&w->cuts[i], bytes);
        ssize_t n = pwrite(w->cuts_fd, bytes, sizeof(bytes),
                           (off_t)(w->reply.cuts * SANITISE_CUT_BYTES));
        if (n != (ssize_t)sizeof(bytes))
            return tut_fail(err, TUT_IO, "there is no room for the places to cut");
        w->reply.cuts++;
    }
    w->cut_count = 0;
    return TUT_SUCCESS;
}

static tut_status read_region(work *w, size_t len, tut_error *err)
{
    if (len > w->raw_capacity) {
        char *more = tut_realloc_array(w->raw, len, 1);
        if (!more)
            return tut_fail(err, TUT_NOMEM, "memory ran out");
        w->raw = more;
        w->raw_capacity = len;
    }
    w->raw_len = len;
    return tut_source_read(w->plain, w->cursor, w->raw, len, err);
}

/* Everything up to `end`, where a row ends. */
static tut_status cut_region(work *w, uint64_t end, tut_error *err)
{
    size_t left = 0;
    if (end <= w->cursor)
        return TUT_SUCCESS;
    if (end - w->cursor > TUT_LIMIT_MEMBER_BYTES)
        return tut_fail(err, TUT_LIMIT, "a row is larger than %llu MiB",
                        (unsigned long long)TUT_LIMIT_MEMBER_BYTES >> 20);
    TUT_TRY(read_region(w, (size_t)(end - w->cursor), err));
    for (size_t i = 0; i < w->count; i++) {
        value *v = &w->values[i];
        if (v->end <= end) {
            TUT_TRY(cut_value(w, v, v->end, err));
            tut_free(v->text);
        } else {
            w->values[left++] = *v;
        }
    }
    w->count = left;
    TUT_TRY(cut_unseen(w, err));
    TUT_TRY(write_cuts(w, err));
    w->cursor = end;
    return TUT_SUCCESS;
}

/* Rows end where the next begins. */
static void end_rows(work *w, const tut_batch *b, size_t from)
{
    for (size_t i = 0; i < from; i++)
        w->values[i].end = w->values[i].end == UINT64_MAX ? b->offsets[0] : w->values[i].end;
    for (size_t i = from; i < w->count; i++) {
        size_t low = 0, high = b->count; /* the first row behind it */
        while (low < high) {
            size_t middle = low + (high - low) / 2;
            if (b->offsets[middle] <= w->values[i].begin)
                low = middle + 1;
            else
                high = middle;
        }
        if (low < b->count)
            w->values[i].end = b->offsets[low];
    }
}

/* --- the file --- */

static tut_status can_be_cut(const tut_rows_facts *f, tut_error *err)
{
    static const char *const formats[] = {"csv", "json", "jsonl", "text"};
    bool is_cut = false;
    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
        is_cut |= strcmp(f->format, formats[i]) == 0;
    if (!is_cut)
        return tut_fail(err, TUT_UNSUPPORTED,
                        "%s cannot be cut; write the dataset as CSV or JSON lines first",
                        f->format);
    if (strncmp(f->encoding, "utf-16", 6) == 0)
        return tut_fail(err, TUT_UNSUPPORTED, "UTF-16 cannot be cut; write the dataset in UTF-8");
    return TUT_SUCCESS;
}

static tut_status read_rows(work *w, const char *name, const tut_text_tools *tools, tut_error *err)
{
    TUT_AUTO(tut_rows) rows = NULL;
    TUT_AUTO(tut_text_check) check = NULL;
    tut_text_tools mine = *tools;
    mine.place = keep_value;
    mine.ctx = w;
    TUT_TRY(tut_text_check_new(&mine, &check, err));
    TUT_TRY(tut_rows_open(w->plain, name, &rows, err));
    const tut_rows_facts *f = tut_rows_about(rows);
    TUT_TRY(can_be_cut(f, err));
    w->is_json = f->format[0] == 'j';
    w->is_array = strcmp(f->format, "json") == 0;
    for (;;) {
        size_t before = w->count;
        TUT_TRY(tut_rows_next(rows, &w->batch, err));
        if (!w->batch)
            break;
        if (!w->batch->offsets)
            return tut_fail(err, TUT_UNSUPPORTED, "%s cannot be cut", f->format);
        TUT_TRY(tut_text_check_add(check, w->batch, TUT_DETECT_DOCUMENT, err));
        if (w->has_no_memory)
            return tut_fail(err, TUT_NOMEM, "memory ran out");
        end_rows(w, w->batch, before);
        TUT_TRY(cut_region(w, w->batch->offsets[w->batch->count - 1], err));
    }
    for (size_t i = 0; i < w->count; i++)
        w->values[i].end = w->plain->size;
    return cut_region(w, w->plain->size, err);
}

static tut_status unpack(const tut_source *packed, tut_codec codec, int to, uint64_t *ret_bytes,
                         tut_error *err)
{
    TUT_AUTO(tut_stream) in = NULL;
    TUT_AUTO(tut_stream) out = NULL;
    tut_budget budget;
    const char *why;
    tut_budget_init(&budget);
    tut_codec_bound_layers(&budget, packed->size);
    TUT_TRY(tut_stream_open_source(packed, &in));
    TUT_TRY(tut_codec_open(codec, in, &budget, &out, err));
    for (*ret_bytes = 0;;) {
        tut_span got;
        TUT_TRY(tut_stream_peek_some(out, TUT_LIMIT_PEEK_BYTES, &got));
        if (got.len == 0)
            break;
        ssize_t n = pwrite(to, got.data, got.len, (off_t)*ret_bytes);
        if (n != (ssize_t)got.len)
            return tut_fail(err, TUT_IO, "there is no room for the dataset unpacked");
        *ret_bytes += got.len;
        TUT_TRY(tut_stream_skip(out, got.len));
    }
    tut_code failure = tut_stream_failure(out, &why);
    return failure == TUT_OK ? TUT_SUCCESS : tut_fail(err, failure, "%s", why);
}

static tut_status open_plain(work *w, tut_source *plain, tut_error *err)
{
    uint8_t head[4096];
    size_t got;
    tut_codec codec;
    int fd = -1;
    TUT_TRY(tut_cage_sibling(w->task, SANITISE_IN, plain, err));
    TUT_TRY(tut_source_read_some(plain, 0, head, sizeof(head), &got, err));
    if (!tut_codec_detect(tut_span_of(head, got), &codec))
        return TUT_SUCCESS;
    TUT_TRY(tut_cage_file(w->task, SANITISE_PLAIN, &fd, err));
    TUT_TRY(unpack(plain, codec, fd, &w->reply.plain_bytes, err));
    w->reply.is_plain = true;
    return tut_source_file(fd, plain, err);
}

tut_status tut_sanitise_job(tut_cage_task *task, const tut_source *bytes, tut_span argument,
                            tut_buf *out, tut_error *err)
{
    __attribute__((cleanup(work_done))) work w = {.task = task, .cuts_fd = -1};
    TUT_AUTO(tut_text_scanner) scanner = NULL;
    tut_source plain;
    char name[256];
    (void)bytes;
    tut_str_copy(name, sizeof(name), tut_str_from(argument));
    if (!tut_vet_shared.text)
        return tut_fail(err, TUT_UNSUPPORTED, "personal data cannot be looked for here");
    TUT_TRY(tut_text_scanner_new(tut_vet_shared.text, &scanner, err));
    TUT_TRY(tut_cage_file(task, SANITISE_CUTS, &w.cuts_fd, err));
    TUT_TRY(open_plain(&w, &plain, err));
    w.plain = &plain;
    const tut_text_tools tools = {.scanner = scanner};
    TUT_TRY(read_rows(&w, name, &tools, err));
    tut_sanitise_reply_put(&w.reply, out);
    return tut_buf_check(out, err);
}
