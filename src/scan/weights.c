#include "scan/weights_internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "formats/payload.h"

enum { BLOCK = 256 << 10, HEAD = 4096, NAME_SHOWN = 120 };

void tut_weights_init(tut_weights *w)
{
    *w = (tut_weights){0};
    tut_arena_init(&w->text, (size_t)TUT_LIMIT_TENSORS * 256);
}

void tut_weights_done(tut_weights *w)
{
    tut_arena_done(&w->text);
    tut_free(w->tensors);
    tut_free(w->storages);
    *w = (tut_weights){0};
}

/* "[4, 16]": what does not fit is no shape that anything here makes use of. */
static void read_shape(tut_weights_tensor *t, tut_str shape)
{
    uint64_t n = 0;
    bool has_digit = false;
    for (size_t i = 0; i < shape.len; i++) {
        char c = shape.data[i];
        if (c >= '0' && c <= '9') {
            has_digit = true;
            if (__builtin_mul_overflow(n, 10u, &n) || __builtin_add_overflow(n, c - '0', &n))
                n = UINT64_MAX;
            continue;
        }
        if (has_digit && t->dim_count < TUT_WEIGHTS_DIMS)
            t->dims[t->dim_count++] = n;
        else if (has_digit)
            t->dim_count = TUT_WEIGHTS_DIMS + 1;
        has_digit = false;
        n = 0;
    }
    if (t->dim_count > TUT_WEIGHTS_DIMS)
        t->dim_count = 0;
}

static const char *keep(tut_weights *w, tut_str text, size_t max_chars)
{
    TUT_CLEAN(tut_buf) escaped = TUT_BUF_INIT;
    tut_buf_add_escaped(&escaped, text, max_chars);
    return tut_arena_copy(&w->text, tut_buf_str(&escaped));
}

tut_status tut_weights_add(tut_weights *w, tut_str location, bool is_parameter,
                           const tut_tensor *tensor, uint64_t base)
{
    tut_weights_tensor t = {.dtype = tensor->dtype,
                            .kind = tut_numeric_of(tensor->dtype),
                            .is_parameter = is_parameter};
    if (tensor->end <= tensor->begin || __builtin_add_overflow(base, tensor->begin, &t.begin) ||
        __builtin_add_overflow(base, tensor->end, &t.end))
        return TUT_SUCCESS;
    if (w->count >= TUT_LIMIT_TENSORS) {
        w->dropped++;
        return TUT_SUCCESS;
    }
    TUT_TRY(tut_grow(&w->tensors, w->count, &w->capacity, sizeof(*w->tensors)));
    const tut_weights_tensor *last = w->count ? &w->tensors[w->count - 1] : NULL;
    bool is_same_place = last && tut_str_eq_z(location, last->location);
    t.location = is_same_place ? last->location : tut_arena_copy(&w->text, location);
    t.name = keep(w, tensor->name, NAME_SHOWN);
    if (!t.location || !t.name)
        return (tut_status){TUT_NOMEM};
    read_shape(&t, tensor->shape);
    w->tensors[w->count++] = t;
    return TUT_SUCCESS;
}

void tut_weights_say(tut_weights *w, size_t tensor, const char *rule, int severity, uint64_t offset,
                     const char *fmt, ...)
{
    TUT_CLEAN(tut_buf) line = TUT_BUF_INIT;
    va_list ap;
    va_start(ap, fmt);
    tut_buf_vprintf(&line, fmt, ap);
    va_end(ap);
    if (w->say)
        w->say(w->ctx, w->tensors[tensor].location, rule, severity, offset, tut_buf_str(&line));
}

/* --- the pass --- */

static int compare(const void *a, const void *b)
{
    const tut_weights_tensor *x = a, *y = b;
    if (x->begin != y->begin)
        return x->begin < y->begin ? -1 : 1;
    if (x->end != y->end)
        return x->end > y->end ? -1 : 1;
    return strcmp(x->name, y->name);
}

/* A program or an archive at the very start of a tensor's bytes. */
static void check_head(tut_weights_run *r, size_t tensor)
{
    tut_weights *w = r->w;
    const tut_weights_tensor *t = &w->tensors[tensor];
    uint8_t head[HEAD];
    size_t got = 0, want = t->end - t->begin < HEAD ? (size_t)(t->end - t->begin) : HEAD;
    if (!tut_is_ok(tut_source_read_some(r->source, t->begin, head, want, &got, NULL)))
        return;
    const char *what = tut_payload_name(tut_span_of(head, got));
    if (!what)
        return;
    tut_weights_say(w, tensor, "data.hidden-payload", -1, t->begin, "tensor %s begins with %s",
                    t->name, what);
    if (w->hit_count < TUT_WEIGHTS_HITS)
        w->hits[w->hit_count++] = (tut_weights_hit){t->begin, t->end, t->location};
}

/* The tensor at hand, and how far it is read. */
typedef struct cursor {
    size_t tensor;
    bool is_begun;
    uint64_t done_to; /* bytes before are some tensor's already: two may share them */
} cursor;

/* Feeds what the block [at, at + len) holds of tensors. */
static void feed_block(tut_weights_run *r, cursor *c, uint64_t at, const uint8_t *bytes, size_t len)
{
    const tut_weights *w = r->w;
    while (c->tensor < w->count) {
        const tut_weights_tensor *t = &w->tensors[c->tensor];
        uint64_t from = t->begin > at ? t->begin : at, to = at + len < t->end ? at + len : t->end;
        if (t->begin >= at + len)
            return;
        if (!c->is_begun && t->begin < c->done_to) { /* tied to one that was read */
            c->tensor++;
            continue;
        }
        if (!c->is_begun) {
            tut_weights_begin(r, c->tensor);
            check_head(r, c->tensor);
            c->is_begun = true;
        }
        if (to > from)
            tut_weights_feed(r, c->tensor, from, bytes + (from - at), (size_t)(to - from));
        if (t->end > at + len)
            return;
        tut_weights_end(r, c->tensor);
        c->done_to = t->end;
        c->is_begun = false;
        c->tensor++;
    }
}

static tut_status read_all(tut_weights_run *r, tut_hasher *hasher, uint8_t *block, tut_error *err)
{
    cursor c = {0};
    for (uint64_t at = 0; at < r->source->size;) {
        uint64_t left = r->source->size - at;
        size_t n = left < BLOCK ? (size_t)left : BLOCK;
        TUT_TRY(tut_source_read(r->source, at, block, n, err));
        if (hasher)
            TUT_TRY(tut_hasher_add(hasher, tut_span_of(block, n), err));
        feed_block(r, &c, at, block, n);
        at += n;
    }
    tut_weights_window_flush(r);
    return TUT_SUCCESS;
}

tut_status tut_weights_pass(tut_weights *w, const tut_source *source, tut_hasher *hasher,
                            tut_error *err)
{
    TUT_AUTO_FREE tut_weights_run *r = tut_alloc_array(1, sizeof(*r));
    TUT_AUTO_FREE uint8_t *block = tut_realloc_array(NULL, BLOCK, 1);
    if (!r || !block)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    r->w = w;
    r->source = source;
    r->deep_left = TUT_WEIGHTS_DEEP_MAX;
    r->starts_left = TUT_WEIGHTS_STARTS_MAX;
    tut_weights_match_storages(w);
    if (w->count > 1)
        qsort(w->tensors, w->count, sizeof(*w->tensors), compare);
    tut_status status = tut_flatness_init(&r->part);
    if (tut_is_ok(status))
        status = tut_flatness_init(&r->whole);
    if (tut_is_ok(status))
        status = read_all(r, hasher, block, err);
    else
        status = tut_fail(err, TUT_NOMEM, "memory ran out");
    tut_flatness_done(&r->part);
    tut_flatness_done(&r->whole);
    if (tut_is_ok(status)) {
        tut_weights_sum_up(w);
        tut_weights_look_for_hints(w, source);
    }
    return status;
}
