#include "probe/sample.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/reader.h"
#include "probe/sample_internal.h"

enum { TASK_MS = 600000, CHUNK_BYTES = 1 << 20 };

/* --- what the worker is told --- */
void sample_ask(const tut_sample_wish *wish, bool is_label_file, tut_buf *to)
{
    double scale = wish->scale > 0 || wish->scale < 0 ? wish->scale : 1;
    tut_buf_add_sized(to, tut_str_of(wish->path));
    tut_buf_add_sized(to, tut_str_of(wish->label));
    tut_buf_add_byte(to, is_label_file);
    tut_buf_add_u64le(to, wish->most);
    tut_buf_add_u64le(to, wish->seed);
    tut_buf_add(to, &scale, sizeof(scale));
    tut_buf_add_u32le(to, (uint32_t)wish->name_count);
    for (size_t i = 0; i < wish->name_count; i++)
        tut_buf_add_sized(to, tut_str_of(wish->names[i]));
}

static tut_status take_real(tut_reader *r, double *ret)
{
    uint64_t bits = 0;
    TUT_TRY(tut_reader_u64le(r, &bits));
    memcpy(ret, &bits, sizeof(bits));
    return TUT_SUCCESS;
}

tut_status sample_asked_read(tut_span bytes, sample_asked *ret)
{
    tut_reader r = tut_reader_of(bytes);
    uint8_t is_file = 0;
    TUT_TRY(tut_reader_sized(&r, &ret->path));
    TUT_TRY(tut_reader_sized(&r, &ret->label));
    TUT_TRY(tut_reader_u8(&r, &is_file));
    ret->is_label_file = is_file != 0;
    TUT_TRY(tut_reader_u64le(&r, &ret->most));
    TUT_TRY(tut_reader_u64le(&r, &ret->seed));
    TUT_TRY(take_real(&r, &ret->scale));
    TUT_TRY(tut_reader_u32le(&r, &ret->name_count));
    if (ret->name_count > SAMPLE_COLUMNS_MAX)
        return (tut_status){TUT_LIMIT};
    ret->names = tut_alloc_array(ret->name_count + 1, sizeof(*ret->names));
    if (!ret->names)
        return (tut_status){TUT_NOMEM};
    for (uint32_t i = 0; i < ret->name_count; i++)
        TUT_TRY(tut_reader_sized(&r, &ret->names[i]));
    return TUT_SUCCESS;
}

void sample_asked_done(sample_asked *a)
{
    tut_free(a->names);
    a->names = NULL;
}

/* --- what it answered --- */
void tut_sample_free(tut_sample *s)
{
    if (!s)
        return;
    tut_free(s->rows);
    tut_free(s->labels);
    tut_free(s->numbers);
    tut_free(s->columns);
    tut_free(s->class_names);
    tut_free(s);
}

static tut_status take_columns(tut_reader *r, tut_sample *s)
{
    s->columns = tut_alloc_array(s->width, sizeof(*s->columns));
    if (!s->columns)
        return (tut_status){TUT_NOMEM};
    for (size_t i = 0; i < s->width; i++) {
        tut_sample_column *c = &s->columns[i];
        tut_str name;
        uint8_t bits = 0;
        TUT_TRY(tut_reader_sized(r, &name));
        TUT_TRY(take_real(r, &c->least));
        TUT_TRY(take_real(r, &c->most));
        TUT_TRY(tut_reader_u8(r, &bits));
        if (!isfinite(c->least) || !isfinite(c->most) || bits > 3)
            return (tut_status){TUT_MALFORMED};
        tut_str_copy(c->name, sizeof(c->name), name);
        c->is_whole = bits & 1;
        c->is_bool = bits >> 1;
    }
    return TUT_SUCCESS;
}

typedef struct renaming { /* from a class in the order of first sight to its number */
    uint32_t to[SAMPLE_CLASSES_MAX];
    uint32_t count;
} renaming;

static tut_status take_classes(tut_reader *r, tut_sample *s, renaming *names)
{
    uint32_t count = 0;
    TUT_TRY(tut_reader_u32le(r, &count));
    if (count == 0 || count > SAMPLE_CLASSES_MAX)
        return (tut_status){TUT_MALFORMED};
    s->classes = count;
    s->class_names = tut_alloc_array(count, sizeof(*s->class_names));
    if (!s->class_names)
        return (tut_status){TUT_NOMEM};
    for (uint32_t i = 0; i < count; i++) {
        tut_str name;
        TUT_TRY(tut_reader_sized(r, &name));
        tut_str_copy(s->class_names[i], sizeof(s->class_names[i]), name);
    }
    TUT_TRY(tut_reader_u32le(r, &names->count));
    if (names->count > SAMPLE_CLASSES_MAX)
        return (tut_status){TUT_MALFORMED};
    for (uint32_t i = 0; i < names->count; i++) {
        TUT_TRY(tut_reader_u32le(r, &names->to[i]));
        if (names->to[i] >= count)
            return (tut_status){TUT_MALFORMED};
    }
    return TUT_SUCCESS;
}

static tut_status make_room(tut_sample *s, bool has_labels, tut_error *err)
{
    if (s->count > SAMPLE_BYTES_MAX / (s->width * sizeof(float)))
        return tut_fail(err, TUT_LIMIT,
                        "%zu rows of %zu numbers are more than is attacked in one go: draw fewer "
                        "with --rows",
                        s->count, s->width);
    s->rows = tut_alloc_array(s->count * s->width, sizeof(*s->rows));
    s->numbers = tut_alloc_array(s->count, sizeof(*s->numbers));
    s->labels = has_labels ? tut_alloc_array(s->count, sizeof(*s->labels)) : NULL;
    if (!s->rows || !s->numbers || (has_labels && !s->labels))
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    return TUT_SUCCESS;
}

static tut_status take_record(tut_sample *s, size_t at, const renaming *names, tut_reader *r)
{
    uint32_t class = 0;
    tut_span values;
    float *row = s->rows + at * s->width;
    TUT_TRY(tut_reader_u64le(r, &s->numbers[at]));
    TUT_TRY(tut_reader_u32le(r, &class));
    TUT_TRY(tut_reader_bytes(r, s->width * sizeof(float), &values));
    memcpy(row, values.data, values.len);
    for (size_t i = 0; i < s->width; i++)
        if (!isfinite(row[i]))
            return (tut_status){TUT_MALFORMED};
    if (!s->labels)
        return TUT_SUCCESS;
    if (class >= names->count)
        return (tut_status){TUT_MALFORMED};
    s->labels[at] = names->to[class];
    return TUT_SUCCESS;
}

static tut_status take_records(tut_sample *s, const tut_source *records, const renaming *names,
                               tut_error *err)
{
    size_t each = 12 + s->width * sizeof(float);
    size_t at_once = CHUNK_BYTES / each + 1;
    TUT_AUTO_FREE uint8_t *chunk = tut_alloc_array(at_once, each);
    if (!chunk)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (size_t done = 0; done < s->count;) {
        size_t n = s->count - done < at_once ? s->count - done : at_once;
        TUT_TRY(tut_source_read(records, (uint64_t)done * each, chunk, n * each, err));
        tut_reader r = tut_reader_of(tut_span_of(chunk, n * each));
        for (size_t i = 0; i < n; i++)
            TUT_TRY(take_record(s, done + i, names, &r));
        done += n;
    }
    return TUT_SUCCESS;
}

typedef struct numbered {
    uint64_t number;
    size_t from;
} numbered;

static int by_number(const void *a, const void *b)
{
    const numbered *x = a, *y = b;
    if (x->number != y->number)
        return x->number < y->number ? -1 : 1;
    return (x->from > y->from) - (x->from < y->from);
}

/* A drawn sample comes in the order of its slots; the file's is the one that people know. */
static tut_status put_in_order(tut_sample *s, tut_error *err)
{
    TUT_AUTO_FREE numbered *order = tut_alloc_array(s->count + 1, sizeof(*order));
    float *rows = tut_alloc_array(s->count * s->width, sizeof(*rows));
    uint32_t *labels = s->labels ? tut_alloc_array(s->count, sizeof(*labels)) : NULL;
    if (!order || !rows || (s->labels && !labels)) {
        tut_free(rows);
        tut_free(labels);
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    }
    for (size_t i = 0; i < s->count; i++)
        order[i] = (numbered){s->numbers[i], i};
    qsort(order, s->count, sizeof(*order), by_number);
    for (size_t i = 0; i < s->count; i++) {
        s->numbers[i] = order[i].number;
        memcpy(rows + i * s->width, s->rows + order[i].from * s->width, s->width * sizeof(*rows));
        if (labels)
            labels[i] = s->labels[order[i].from];
    }
    tut_free(s->rows);
    tut_free(s->labels);
    s->rows = rows;
    s->labels = labels;
    return TUT_SUCCESS;
}

static bool is_in_order(const tut_sample *s)
{
    for (size_t i = 1; i < s->count; i++)
        if (s->numbers[i - 1] >= s->numbers[i])
            return false;
    return true;
}

static tut_status take_head(tut_reader *r, tut_sample *s, bool *ret_has_labels, renaming *names)
{
    uint64_t count = 0;
    uint32_t width = 0;
    uint8_t has_labels = 0;
    TUT_TRY(tut_reader_u64le(r, &count));
    TUT_TRY(tut_reader_u32le(r, &width));
    TUT_TRY(tut_reader_u64le(r, &s->left_out));
    TUT_TRY(tut_reader_u64le(r, &s->whole));
    TUT_TRY(tut_reader_u8(r, &has_labels));
    if (count == 0 || width == 0 || width > SAMPLE_COLUMNS_MAX || has_labels > 1)
        return (tut_status){TUT_MALFORMED};
    s->count = count;
    s->width = width;
    *ret_has_labels = has_labels;
    TUT_TRY(take_columns(r, s));
    if (has_labels)
        TUT_TRY(take_classes(r, s, names));
    return tut_reader_left(r) == 0 ? TUT_SUCCESS : (tut_status){TUT_MALFORMED};
}

static tut_status take_all(tut_reader *r, const tut_source *records, tut_sample *s, renaming *names,
                           tut_error *err)
{
    bool has_labels = false;
    TUT_TRY(take_head(r, s, &has_labels, names));
    if (s->count > records->size / (12 + s->width * sizeof(float)))
        return (tut_status){TUT_TRUNCATED};
    TUT_TRY(make_room(s, has_labels, err));
    TUT_TRY(take_records(s, records, names, err));
    return is_in_order(s) ? TUT_SUCCESS : put_in_order(s, err);
}

tut_status sample_take(tut_span head, const tut_source *records, tut_sample **ret_sample,
                       tut_error *err)
{
    tut_reader r = tut_reader_of(head);
    tut_error why = {.code = TUT_OK};
    TUT_AUTO_FREE renaming *names = tut_alloc_array(1, sizeof(*names));
    TUT_AUTO(tut_sample) s = tut_alloc_array(1, sizeof(*s));
    if (!s || !names)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    tut_status status = take_all(&r, records, s, names, &why);
    if (!tut_is_ok(status))
        return tut_fail(err, status.code, "%s",
                        why.text[0] ? why.text : "the worker that read the data gave no answer");
    *ret_sample = tut_move(&s);
    return TUT_SUCCESS;
}

/* --- the call --- */
typedef struct answer {
    tut_buf head;
    tut_status status;
} answer;

static tut_status keep(void *ctx, void *tag, tut_cage_outcome outcome, tut_span reply,
                       const tut_error *error, tut_error *err)
{
    answer *a = ctx;
    (void)tag;
    a->status = TUT_SUCCESS;
    if (outcome == TUT_CAGE_DONE) {
        tut_buf_add(&a->head, reply.data, reply.len);
        return TUT_SUCCESS;
    }
    tut_code code = outcome == TUT_CAGE_FAILED    ? error->code
                    : outcome == TUT_CAGE_TIMEOUT ? TUT_LIMIT
                                                  : TUT_BUG;
    a->status = tut_fail(err, code, "%s", error->text);
    if (error->path[0])
        tut_error_set_path(err, error->path);
    return a->status;
}

typedef struct files {
    int rows, label, out; /* -1: none */
    uint64_t size;
} files;

static tut_status ask(const tut_sample_wish *wish, const files *f, answer *a, tut_error *err)
{
    TUT_CLEAN(tut_buf) asked = TUT_BUF_INIT;
    TUT_AUTO(tut_cage) cage = NULL;
    const tut_cage_options options = {.mode = wish->sandbox, .workers = 1, .task_ms = TASK_MS};
    const tut_cage_lent lent[] = {{.name = sample_lent_rows, .fd = f->rows},
                                  {.name = sample_lent_out, .fd = f->out, .is_writable = true},
                                  {.name = sample_lent_label, .fd = f->label}};
    sample_ask(wish, f->label >= 0, &asked);
    TUT_TRY(tut_buf_check(&asked, err));
    TUT_TRY(tut_cage_open(sample_job, &options, &cage, err));
    const tut_cage_request request = {.fd = -1,
                                      .size = f->size,
                                      .sibling_dirfd = -1,
                                      .lent = lent,
                                      .lent_count = f->label >= 0 ? 3 : 2,
                                      .argument = tut_buf_span(&asked)};
    TUT_TRY(tut_cage_submit(cage, &request, keep, a, err));
    TUT_TRY(tut_cage_drain(cage, keep, a, err));
    return a->status;
}

static tut_status open_file(const char *path, int *ret_fd, uint64_t *size, tut_error *err)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return tut_fail_errno(err, errno, "%s", path);
    *ret_fd = fd;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
        return tut_fail(err, TUT_USAGE, "%s is no file", path);
    *size += (uint64_t)st.st_size;
    return TUT_SUCCESS;
}

/* "labels.npy" where there is such a file; else it is a column. */
static bool is_file_name(const char *label)
{
    return label && (strchr(label, '/') || strchr(label, '.')) && tut_fs_exists(label);
}

static tut_status read_files(const tut_sample_wish *wish, files *f, tut_sample **ret_sample,
                             tut_error *err)
{
    answer a = {.head = TUT_BUF_INIT, .status = {TUT_BUG}};
    tut_source records;
    TUT_TRY(open_file(wish->path, &f->rows, &f->size, err));
    if (is_file_name(wish->label))
        TUT_TRY(open_file(wish->label, &f->label, &f->size, err));
    TUT_TRY(tut_fs_open_nameless(&f->out, err));
    tut_status s = ask(wish, f, &a, err);
    if (tut_is_ok(s))
        s = tut_source_file(f->out, &records, err);
    if (tut_is_ok(s))
        s = sample_take(tut_buf_span(&a.head), &records, ret_sample, err);
    tut_buf_done(&a.head);
    return s;
}

tut_status tut_sample_read(const tut_sample_wish *wish, tut_sample **ret_sample, tut_error *err)
{
    files f = {-1, -1, -1, 0};
    tut_status s = read_files(wish, &f, ret_sample, err);
    if (!tut_is_ok(s))
        tut_error_set_path(err, wish->path);
    const int fds[] = {f.rows, f.label, f.out};
    for (size_t i = 0; i < 3; i++)
        if (fds[i] >= 0)
            (void)close(fds[i]);
    return s;
}
