#include "store/tensors.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/reader.h"
#include "formats/format.h"

enum { HEAD = 4096, COMPARED = 1 << 20 };

static const char *const known[] = {"safetensors", "gguf"};

/* --- in the cage --- */

typedef struct telling {
    tut_buf *out;
    size_t count;
} telling;

static void tell(void *ctx, const tut_tensor *t)
{
    telling *l = ctx;
    if (l->count++ >= TUT_LIMIT_TENSORS)
        return;
    tut_buf_add_sized(l->out, t->name);
    tut_buf_add_sized(l->out, tut_str_of(t->dtype));
    tut_buf_add_sized(l->out, t->shape);
    tut_buf_add_u64le(l->out, t->begin);
    tut_buf_add_u64le(l->out, t->end);
}

static tut_status pass_over(void *ctx, tut_str name, const tut_source *source, tut_stream *stream,
                            uint64_t size_or_max, tut_error *err)
{
    (void)ctx;
    (void)name;
    (void)source;
    (void)stream;
    (void)size_or_max;
    (void)err;
    return TUT_SUCCESS;
}

static tut_status no_sibling(void *ctx, const char *rel, tut_source *ret_source, tut_error *err)
{
    (void)ctx;
    (void)ret_source;
    return tut_fail(err, TUT_IO, "%s is not looked at", rel);
}

static tut_status examine(const tut_format *format, const tut_source *bytes, telling *l,
                          tut_error *err)
{
    static const tut_exam_ops ops = {.member = pass_over, .sibling = no_sibling, .tensor = tell};
    TUT_AUTO(tut_stream) stream = NULL;
    tut_budget budget;
    tut_budget_init(&budget);
    TUT_TRY(tut_stream_open_source(bytes, &stream));
    tut_exam x = {.stream = stream,
                  .source = bytes,
                  .size = bytes->size,
                  .name = TUT_LIT("model"),
                  .budget = &budget,
                  .ops = &ops,
                  .ctx = l};
    return format->examine(&x, err);
}

tut_status tut_tensors_job(tut_cage_task *task, const tut_source *bytes, tut_span argument,
                           tut_buf *out, tut_error *err)
{
    uint8_t head[HEAD];
    size_t got = 0;
    telling l = {.out = out};
    (void)task;
    (void)argument;
    TUT_TRY(tut_source_read_some(bytes, 0, head, sizeof(head), &got, err));
    const tut_sniff sniff = {.head = {head, got}, .size = bytes->size};
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        const tut_format *format = tut_format_by_name(known[i]);
        if (!format || format->sniff(&sniff) < TUT_MATCH_STRONG)
            continue;
        tut_buf_add_byte(out, (uint8_t)(i + 1));
        TUT_TRY(examine(format, bytes, &l, err));
        if (l.count > TUT_LIMIT_TENSORS)
            return tut_fail(err, TUT_LIMIT, "names more than %u tensors", TUT_LIMIT_TENSORS);
        return tut_buf_check(out, err);
    }
    tut_buf_add_byte(out, 0);
    return tut_buf_check(out, err);
}

/* --- the reply --- */

static int by_name(const void *a, const void *b)
{
    return tut_str_cmp(((const tut_layout_tensor *)a)->name, ((const tut_layout_tensor *)b)->name);
}

static tut_status decode_one(tut_reader *r, tut_layout_tensor *t)
{
    TUT_TRY(tut_reader_sized(r, &t->name));
    TUT_TRY(tut_reader_sized(r, &t->dtype));
    TUT_TRY(tut_reader_sized(r, &t->shape));
    TUT_TRY(tut_reader_u64le(r, &t->begin));
    TUT_TRY(tut_reader_u64le(r, &t->end));
    return t->begin <= t->end ? TUT_SUCCESS : (tut_status){TUT_MALFORMED};
}

static tut_status decode(tut_reader *r, tut_tensor_list *l)
{
    uint8_t format;
    enum { LEAST = 3 * 4 + 2 * 8 };
    TUT_TRY(tut_reader_u8(r, &format));
    if (format > sizeof(known) / sizeof(known[0]))
        return (tut_status){TUT_MALFORMED};
    l->format = format ? known[format - 1] : NULL;
    size_t most = tut_reader_left(r) / LEAST;
    if (most > TUT_LIMIT_TENSORS)
        most = TUT_LIMIT_TENSORS;
    l->items = tut_arena_take(&l->arena, most + 1, sizeof(*l->items));
    if (!l->items)
        return (tut_status){TUT_NOMEM};
    while (tut_reader_left(r) > 0) {
        if (l->count == most)
            return (tut_status){TUT_MALFORMED};
        TUT_TRY(decode_one(r, &l->items[l->count]));
        l->count++;
    }
    if (l->count > 1)
        qsort(l->items, l->count, sizeof(*l->items), by_name);
    return TUT_SUCCESS;
}

void tut_tensor_list_done(tut_tensor_list *l)
{
    tut_buf_done(&l->reply);
    tut_arena_done(&l->arena);
    *l = (tut_tensor_list){0};
}

tut_status tut_tensors_decode(tut_span reply, tut_tensor_list *ret_list, tut_error *err)
{
    TUT_CLEAN(tut_tensor_list) l = {0};
    tut_buf_add(&l.reply, reply.data, reply.len);
    TUT_TRY(tut_buf_check(&l.reply, err));
    tut_reader r = tut_reader_of(tut_buf_span(&l.reply));
    tut_status status = decode(&r, &l);
    if (status.code == TUT_NOMEM)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    if (!tut_is_ok(status))
        return tut_fail(err, TUT_BUG, "the reader of tensors answered with nonsense");
    *ret_list = l;
    l = (tut_tensor_list){0};
    return TUT_SUCCESS;
}

tut_status tut_tensors_read(int fd, tut_tensor_list *ret_list, tut_error *err)
{
    TUT_CLEAN(tut_buf) reply = TUT_BUF_INIT;
    TUT_TRY(tut_cage_call(tut_tensors_job, NULL, fd, (tut_span){0}, &reply, err));
    return tut_tensors_decode(tut_buf_span(&reply), ret_list, err);
}

/* --- comparing --- */

const char *tut_tensor_change_word(tut_tensor_change_kind kind)
{
    static const char *const words[] = {[TUT_TENSOR_ADDED] = "added",
                                        [TUT_TENSOR_REMOVED] = "removed",
                                        [TUT_TENSOR_RESHAPED] = "reshaped",
                                        [TUT_TENSOR_CHANGED] = "changed"};
    return words[kind];
}

void tut_tensor_diff_done(tut_tensor_diff *d)
{
    tut_tensor_list_done(&d->before);
    tut_tensor_list_done(&d->after);
    tut_free(d->changes);
    *d = (tut_tensor_diff){0};
}

static tut_status read_at(int fd, uint64_t at, uint8_t *to, size_t len, tut_error *err)
{
    size_t done = 0;
    while (done < len) {
        ssize_t n = pread(fd, to + done, len - done, (off_t)(at + done));
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return tut_fail_errno(err, n < 0 ? errno : EIO, "a tensor cannot be read");
        done += (size_t)n;
    }
    return TUT_SUCCESS;
}

static tut_status is_equal(int before, int after, const tut_layout_tensor *a,
                           const tut_layout_tensor *b, uint8_t *room, bool *ret_is_equal,
                           tut_error *err)
{
    uint64_t left = a->end - a->begin;
    *ret_is_equal = left == b->end - b->begin;
    for (uint64_t done = 0; *ret_is_equal && done < left;) {
        size_t len = left - done < COMPARED ? (size_t)(left - done) : COMPARED;
        if (tut_interrupted())
            return tut_fail(err, TUT_CANCELLED, "interrupted");
        TUT_TRY(read_at(before, a->begin + done, room, len, err));
        TUT_TRY(read_at(after, b->begin + done, room + COMPARED, len, err));
        *ret_is_equal = memcmp(room, room + COMPARED, len) == 0;
        done += len;
    }
    return TUT_SUCCESS;
}

static tut_status add(tut_tensor_diff *d, tut_tensor_change_kind kind, const tut_layout_tensor *a,
                      const tut_layout_tensor *b, tut_error *err)
{
    if (!tut_is_ok(tut_grow(&d->changes, d->count, &d->capacity, sizeof(*d->changes))))
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    d->changes[d->count++] = (tut_tensor_change){.kind = kind, .before = a, .after = b};
    return TUT_SUCCESS;
}

static tut_status compare_pair(tut_tensor_diff *d, int before, int after,
                               const tut_layout_tensor *a, const tut_layout_tensor *b,
                               uint8_t *room, tut_error *err)
{
    bool is_same = false;
    if (!tut_str_eq(a->dtype, b->dtype) || !tut_str_eq(a->shape, b->shape))
        return add(d, TUT_TENSOR_RESHAPED, a, b, err);
    TUT_TRY(is_equal(before, after, a, b, room, &is_same, err));
    d->same += is_same;
    return is_same ? TUT_SUCCESS : add(d, TUT_TENSOR_CHANGED, a, b, err);
}

static tut_status compare(tut_tensor_diff *d, int before, int after, tut_error *err)
{
    size_t i = 0;
    size_t k = 0;
    TUT_AUTO_FREE uint8_t *room = tut_alloc_array(2, COMPARED);
    if (!room)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    while (i < d->before.count || k < d->after.count) {
        const tut_layout_tensor *a = i < d->before.count ? &d->before.items[i] : NULL;
        const tut_layout_tensor *b = k < d->after.count ? &d->after.items[k] : NULL;
        int order = !a ? 1 : !b ? -1 : tut_str_cmp(a->name, b->name);
        if (order < 0)
            TUT_TRY(add(d, TUT_TENSOR_REMOVED, a, NULL, err));
        else if (order > 0)
            TUT_TRY(add(d, TUT_TENSOR_ADDED, NULL, b, err));
        else
            TUT_TRY(compare_pair(d, before, after, a, b, room, err));
        i += order <= 0;
        k += order >= 0;
    }
    return TUT_SUCCESS;
}

tut_status tut_tensor_compare(int before, int after, tut_tensor_diff *ret_diff, tut_error *err)
{
    TUT_CLEAN(tut_tensor_diff) d = {0};
    TUT_TRY(tut_tensors_read(before, &d.before, err));
    TUT_TRY(tut_tensors_read(after, &d.after, err));
    if (d.before.format && d.before.format == d.after.format)
        TUT_TRY(compare(&d, before, after, err));
    *ret_diff = d;
    d = (tut_tensor_diff){0};
    return TUT_SUCCESS;
}
