/* The parent's side of a comparison: which files, what the rows mean. */
#include "scan/baseline.h"

#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/reader.h"
#include "scan/report.h"
#include "scan/weights.h"

const char *tut_tensor_change_name(tut_tensor_change c)
{
    static const char *const names[] = {"same", "changed", "reshaped", "added", "removed"};
    return names[c];
}

void tut_baseline_free(tut_baseline *b)
{
    if (!b)
        return;
    for (size_t i = 0; i < b->count; i++) {
        tut_free(b->rows[i].name);
        tut_free(b->rows[i].before);
        tut_free(b->rows[i].after);
    }
    tut_free(b->rows);
    tut_free(b->path);
    tut_free(b);
}

/* --- the reply --- */

static tut_status get_text(tut_reader *r, char **ret, tut_error *err)
{
    tut_str text;
    TUT_TRY(tut_reader_sized(r, &text));
    bool is_sound = text.len <= 1024 && tut_utf8_valid(text);
    for (size_t i = 0; is_sound && i < text.len; i++)
        is_sound = (uint8_t)text.data[i] >= 0x20 && text.data[i] != 0x7f;
    if (!is_sound)
        return tut_fail(err, TUT_MALFORMED, "a worker's reply holds text that is no line");
    *ret = tut_strndup(text.data, text.len);
    return *ret ? TUT_SUCCESS : tut_fail(err, TUT_NOMEM, "memory ran out");
}

static tut_status get_double(tut_reader *r, double *ret, tut_error *err)
{
    uint64_t bits;
    TUT_TRY(tut_reader_u64le(r, &bits));
    memcpy(ret, &bits, sizeof(*ret));
    return isnan(*ret) ? tut_fail(err, TUT_MALFORMED, "a worker's reply measures nothing")
                       : TUT_SUCCESS;
}

static tut_status get_row(tut_reader *r, tut_baseline_row *row, tut_error *err)
{
    uint8_t change, rounded;
    TUT_TRY(get_text(r, &row->name, err));
    TUT_TRY(get_text(r, &row->before, err));
    TUT_TRY(get_text(r, &row->after, err));
    TUT_TRY(tut_reader_u8(r, &change));
    TUT_TRY(tut_reader_u64le(r, &row->numbers));
    TUT_TRY(tut_reader_u64le(r, &row->differing));
    TUT_TRY(tut_reader_u64le(r, &row->flipped));
    TUT_TRY(get_double(r, &row->greatest, err));
    TUT_TRY(get_double(r, &row->relative, err));
    TUT_TRY(get_double(r, &row->cosine, err));
    TUT_TRY(tut_reader_u8(r, &rounded));
    if (change >= TUT_TENSOR_CHANGES)
        return tut_fail(err, TUT_MALFORMED, "a worker's reply names a change that is none");
    row->change = (tut_tensor_change)change;
    row->was_rounded = rounded != 0;
    return TUT_SUCCESS;
}

/* Other shapes first, then what came and went, then by how much it changed. */
static int compare_rows(const void *a, const void *b)
{
    static const int weight[TUT_TENSOR_CHANGES] = {
        [TUT_TENSOR_RESHAPED] = 3, [TUT_TENSOR_REMOVED] = 2, [TUT_TENSOR_ADDED] = 2};
    const tut_baseline_row *x = a, *y = b;
    if (weight[x->change] != weight[y->change])
        return weight[x->change] > weight[y->change] ? -1 : 1;
    if (x->relative > y->relative || x->relative < y->relative)
        return x->relative > y->relative ? -1 : 1;
    return strcmp(x->name, y->name);
}

tut_status tut_baseline_decode(tut_span bytes, tut_baseline *b, tut_error *err)
{
    tut_reader r = tut_reader_of(bytes);
    uint32_t count;
    TUT_TRY(tut_reader_u32le(&r, &count));
    for (uint32_t i = 0; i < count; i++) {
        TUT_TRY(tut_grow(&b->rows, b->count, &b->capacity, sizeof(*b->rows)));
        b->rows[b->count] = (tut_baseline_row){0};
        TUT_TRY(get_row(&r, &b->rows[b->count++], err));
        b->counts[b->rows[i].change]++;
    }
    TUT_TRY(tut_reader_u64le(&r, &b->counts[TUT_TENSOR_SAME]));
    TUT_TRY(tut_reader_u64le(&r, &b->left_out));
    if (tut_reader_left(&r) > 0)
        return tut_fail(err, TUT_MALFORMED, "a worker's reply goes on after its end");
    if (b->count > 1)
        qsort(b->rows, b->count, sizeof(*b->rows), compare_rows);
    return TUT_SUCCESS;
}

/* --- what it means --- */

TUT_PRINTF(3, 4)
static tut_status say(tut_file_report *f, const char *rule, const char *fmt, ...)
{
    TUT_CLEAN(tut_buf) line = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) place = TUT_BUF_INIT;
    va_list ap;
    va_start(ap, fmt);
    tut_buf_vprintf(&line, fmt, ap);
    va_end(ap);
    tut_buf_add_escaped(&place, tut_str_of(f->rel), TUT_ERROR_PATH_MAX);
    tut_finding_seed seed = {.rule = rule,
                             .severity = -1,
                             .message = tut_buf_str(&line),
                             .location = tut_buf_str(&place),
                             .offset = TUT_NO_OFFSET};
    return tut_report_add(f, &seed);
}

/* Only low bits differ, in many numbers, and neither side is merely rounded: training moves
 * numbers, and carries into higher bits. */
static bool is_rewritten(const tut_baseline_row *row)
{
    enum { LEAST = 64 };
    const tut_numeric kind = tut_numeric_of(row->after[0] == 'F' && row->after[1] == '3'   ? "F32"
                                            : row->after[0] == 'F' && row->after[1] == '6' ? "F64"
                                            : row->after[0] == 'F'                         ? "F16"
                                            : row->after[0] == 'B'                         ? "BF16"
                                                                                           : "");
    unsigned mantissa = tut_numeric_kinds[kind].mantissa_bits;
    return row->change == TUT_TENSOR_CHANGED && mantissa > 0 && row->differing >= LEAST &&
           row->flipped >> (mantissa * 3 / 4) == 0 && !row->was_rounded;
}

static tut_status judge_low_bits(tut_file_report *f, const tut_baseline *b)
{
    size_t count = 0;
    const tut_baseline_row *first = NULL;
    for (size_t i = 0; i < b->count; i++) {
        if (!is_rewritten(&b->rows[i]))
            continue;
        count++;
        first = first ? first : &b->rows[i];
    }
    if (count == 0 || !first)
        return TUT_SUCCESS;
    return say(f, "weights.low-bits-rewritten",
               "%zu tensor%s differ in low bits alone, %s in %" PRIu64 " of %" PRIu64
               " numbers (bits %#" PRIx64 ")",
               count, count == 1 ? "" : "s", first->name, first->differing, first->numbers,
               first->flipped);
}

/* A few tensors changed a lot, and all others hardly: an edit, where training touches all. */
static tut_status judge_spread(tut_file_report *f, const tut_baseline *b)
{
    enum { LEAST = 8 };
    static const double much = 0.02, hardly = 0.001;
    uint64_t compared = b->counts[TUT_TENSOR_SAME] + b->counts[TUT_TENSOR_CHANGED], large = 0;
    uint64_t between = 0;
    const tut_baseline_row *worst = NULL;
    for (size_t i = 0; i < b->count; i++) {
        const tut_baseline_row *row = &b->rows[i];
        if (row->change != TUT_TENSOR_CHANGED)
            continue;
        worst = worst ? worst : row;
        large += row->relative >= much;
        between += row->relative < much && row->relative > hardly;
    }
    if (compared < LEAST || large == 0 || between > 0 ||
        large > (compared < 32 ? 2 : compared / 16))
        return TUT_SUCCESS;
    return say(f, "weights.localised-change",
               "%" PRIu64 " of %" PRIu64 " tensors changed by 2 %% or more, and the others hardly; "
               "%s by %.3g %%",
               large, compared, worst->name, 100 * worst->relative);
}

static tut_status judge(tut_file_report *f, const tut_baseline *b)
{
    if (b->counts[TUT_TENSOR_RESHAPED] > 0)
        TUT_TRY(say(f, "weights.reshaped",
                    "%" PRIu64 " tensor%s of another shape or type, %s: %s before, %s now",
                    b->counts[TUT_TENSOR_RESHAPED],
                    b->counts[TUT_TENSOR_RESHAPED] == 1 ? " is" : "s are", b->rows[0].name,
                    b->rows[0].before, b->rows[0].after));
    if (b->counts[TUT_TENSOR_ADDED] + b->counts[TUT_TENSOR_REMOVED] > 0)
        TUT_TRY(say(f, "weights.other-tensors",
                    "%" PRIu64 " tensors were added and %" PRIu64 " removed",
                    b->counts[TUT_TENSOR_ADDED], b->counts[TUT_TENSOR_REMOVED]));
    TUT_TRY(judge_low_bits(f, b));
    TUT_TRY(judge_spread(f, b));
    tut_report_sort(f);
    return TUT_SUCCESS;
}

/* --- running it --- */

static tut_status on_done(void *ctx, void *tag, tut_cage_outcome outcome, tut_span reply,
                          const tut_error *error, tut_error *err)
{
    tut_baseline *b = tag;
    (void)ctx;
    if (outcome == TUT_CAGE_DONE)
        return tut_baseline_decode(reply, b, err);
    return tut_fail(err, error && error->code ? error->code : TUT_IO, "%s cannot be compared: %s",
                    b->path, error && error->text[0] ? error->text : "its worker ended");
}

static tut_status compare_file(tut_file_report *f, int dirfd, const char *sibling,
                               tut_cage_mode sandbox, tut_baseline *b, tut_error *err)
{
    TUT_AUTO(tut_cage) cage = NULL;
    TUT_CLEAN(tut_buf) argument = TUT_BUF_INIT;
    struct stat at;
    int fd = open(f->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &at) != 0 || !S_ISREG(at.st_mode)) {
        if (fd >= 0)
            (void)close(fd);
        return tut_fail(err, TUT_IO, "%s cannot be opened again", f->path);
    }
    tut_buf_add_sized(&argument, tut_str_of(f->rel));
    tut_buf_add_sized(&argument, tut_str_of(sibling));
    tut_cage_options options = {.mode = sandbox, .workers = 1};
    tut_cage_request request = {.fd = fd,
                                .size = 2 * (uint64_t)at.st_size,
                                .sibling_dirfd = dirfd,
                                .argument = tut_buf_span(&argument),
                                .tag = b};
    tut_status status = tut_buf_check(&argument, err);
    if (tut_is_ok(status))
        status = tut_cage_open(tut_baseline_job, &options, &cage, err);
    if (tut_is_ok(status))
        status = tut_cage_submit(cage, &request, on_done, NULL, err);
    if (tut_is_ok(status))
        status = tut_cage_drain(cage, on_done, NULL, err);
    (void)close(fd);
    return status;
}

static tut_status compare_one(tut_file_report *f, int dirfd, const char *old, const char *sibling,
                              tut_cage_mode sandbox, tut_error *err)
{
    tut_baseline *b = tut_alloc_array(1, sizeof(*b));
    if (!b)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    f->baseline = b; /* owned from here on */
    b->path = tut_strdup(old);
    if (!b->path)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    TUT_TRY(compare_file(f, dirfd, sibling, sandbox, b, err));
    return judge(f, b);
}

static bool is_model(const tut_file_report *f)
{
    return f->has_model && f->status <= TUT_SCAN_INCOMPLETE;
}

static tut_status compare_with_file(tut_scan *scan, const char *old, tut_cage_mode sandbox,
                                    tut_error *err)
{
    const char *slash = strrchr(old, '/');
    TUT_AUTO_FREE char *dir = slash ? tut_strndup(old, (size_t)(slash - old) + 1) : tut_strdup(".");
    tut_file_report *one = NULL;
    for (size_t i = 0; i < scan->count; i++) {
        if (!is_model(&scan->files[i]))
            continue;
        if (one)
            return tut_fail(err, TUT_USAGE,
                            "--baseline %s is one file, and several are scanned; "
                            "give the directory of the earlier ones",
                            old);
        one = &scan->files[i];
    }
    if (!dir)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    if (!one)
        return TUT_SUCCESS;
    int dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dirfd < 0)
        return tut_fail(err, TUT_IO, "%s cannot be opened", dir);
    tut_status status = compare_one(one, dirfd, old, slash ? slash + 1 : old, sandbox, err);
    (void)close(dirfd);
    return status;
}

static tut_status compare_with_directory(tut_scan *scan, const char *old, int dirfd,
                                         tut_cage_mode sandbox, tut_error *err)
{
    size_t compared = 0;
    for (size_t i = 0; i < scan->count; i++) {
        tut_file_report *f = &scan->files[i];
        struct stat at;
        if (!is_model(f))
            continue;
        TUT_AUTO_FREE char *path = tut_asprintf("%s/%s", old, f->rel);
        if (!path)
            return tut_fail(err, TUT_NOMEM, "memory ran out");
        if (fstatat(dirfd, f->rel, &at, 0) != 0) {
            TUT_TRY(say(f, "weights.other-tensors", "there is no earlier file of this name"));
            continue;
        }
        TUT_TRY(compare_one(f, dirfd, path, f->rel, sandbox, err));
        compared++;
    }
    return compared || scan->count == 0
               ? TUT_SUCCESS
               : tut_fail(err, TUT_IO, "%s holds no file of the names that are scanned", old);
}

tut_status tut_baseline_compare(tut_scan *scan, const char *old, tut_cage_mode sandbox,
                                tut_error *err)
{
    struct stat at;
    if (stat(old, &at) != 0)
        return tut_fail(err, TUT_IO, "%s: there is no such file", old);
    if (!S_ISDIR(at.st_mode))
        return compare_with_file(scan, old, sandbox, err);
    int dirfd = open(old, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dirfd < 0)
        return tut_fail(err, TUT_IO, "%s cannot be opened", old);
    tut_status status = compare_with_directory(scan, old, dirfd, sandbox, err);
    (void)close(dirfd);
    return status;
}

void tut_baseline_json(const tut_baseline *b, tut_json *j)
{
    tut_json_object(j);
    tut_json_put_z(j, "path", b->path);
    for (int c = 0; c < TUT_TENSOR_CHANGES; c++)
        tut_json_put_u64(j, tut_tensor_change_name((tut_tensor_change)c), b->counts[c]);
    tut_json_put_u64(j, "left_out", b->left_out);
    tut_json_key(j, "tensors");
    tut_json_array(j);
    for (size_t i = 0; i < b->count; i++) {
        const tut_baseline_row *row = &b->rows[i];
        tut_json_object(j);
        tut_json_put_z(j, "name", row->name);
        tut_json_put_z(j, "change", tut_tensor_change_name(row->change));
        tut_json_put_z(j, "before", row->before[0] ? row->before : NULL);
        tut_json_put_z(j, "after", row->after[0] ? row->after : NULL);
        tut_json_put_u64(j, "numbers", row->numbers);
        tut_json_put_u64(j, "differing", row->differing);
        tut_json_key(j, "greatest");
        tut_json_real(j, row->greatest);
        tut_json_key(j, "relative");
        tut_json_real(j, row->relative);
        tut_json_key(j, "cosine");
        tut_json_real(j, row->cosine);
        tut_json_end_object(j);
    }
    tut_json_end_array(j);
    tut_json_end_object(j);
}
