/* One format's examine() over fuzzed bytes: members are read a little, nothing is kept. */
#ifndef TESTS_FUZZ_EXAMINE_H
#define TESTS_FUZZ_EXAMINE_H

#include "formats/format.h"

static void fuzz_fact(void *ctx, const char *key, tut_str value)
{
    (void)ctx;
    (void)key;
    (void)value;
}

static void fuzz_observe(void *ctx, const char *rule, uint64_t offset, tut_str detail)
{
    (void)ctx;
    (void)rule;
    (void)offset;
    (void)detail;
}

static void fuzz_pickle(void *ctx, const tut_pickle_event *event)
{
    (void)ctx;
    (void)event;
}

static void fuzz_package(void *ctx, const tut_package *package)
{
    (void)ctx;
    if (!package->type || package->name.len == 0)
        __builtin_trap();
}

static tut_status fuzz_member(void *ctx, tut_str name, const tut_source *source, tut_stream *stream,
                              uint64_t size, tut_error *err)
{
    (void)ctx;
    (void)size;
    uint8_t byte = name.len ? (uint8_t)name.data[name.len - 1] : 0;
    size_t got = 0;
    tut_span some = {0};
    if (source)
        return tut_source_read_some(source, 0, &byte, 1, &got, err);
    return tut_stream_peek_some(stream, 4096, &some);
}

static tut_status fuzz_sibling(void *ctx, const char *rel, tut_source *ret, tut_error *err)
{
    (void)ctx;
    (void)ret;
    return tut_fail(err, TUT_IO, "no file %s here", rel);
}

/* Names and places are read, so that what is beyond their ends shows. */
static void fuzz_tensor(void *ctx, const tut_tensor *tensor)
{
    volatile char last = 0;
    (void)ctx;
    for (size_t i = 0; i < tensor->name.len; i++)
        last = tensor->name.data[i];
    for (size_t i = 0; i < tensor->shape.len; i++)
        last = tensor->shape.data[i];
    (void)last;
    if (!tensor->dtype || tensor->begin > tensor->end)
        __builtin_trap();
}

static void fuzz_python(void *ctx, const tut_python_event *event)
{
    volatile char last = 0;
    (void)ctx;
    for (size_t i = 0; i < event->name_count; i++)
        last = event->names[i].len ? event->names[i].data[event->names[i].len - 1] : 0;
    for (size_t i = 0; i < event->text_count; i++)
        last = event->texts[i].len ? event->texts[i].data[event->texts[i].len - 1] : 0;
    (void)last;
}

static inline void fuzz_reference(void *ctx, const tut_reference *reference)
{
    (void)ctx;
    volatile char last = 0;
    const tut_str texts[] = {reference->name, reference->shown, reference->argument};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        for (size_t k = 0; k < texts[i].len; k++)
            last = texts[i].data[k];
    (void)last;
}

static const tut_exam_ops fuzz_ops = {.fact = fuzz_fact,
                                      .observe = fuzz_observe,
                                      .pickle = fuzz_pickle,
                                      .reference = fuzz_reference,
                                      .package = fuzz_package,
                                      .member = fuzz_member,
                                      .sibling = fuzz_sibling,
                                      .tensor = fuzz_tensor,
                                      .python = fuzz_python};

/* The budget is small, so that a bomb costs a fuzzer milliseconds. */
static inline void fuzz_examine_named(const char *format, tut_str name, const uint8_t *data,
                                      size_t size, bool content)
{
    const tut_format *f = tut_format_by_name(format);
    tut_source source = tut_source_memory(tut_span_of(data, size));
    tut_budget budget;
    tut_budget_init(&budget);
    budget.bytes_left = 4u << 20;
    TUT_AUTO(tut_stream) stream = NULL;
    if (!f || !tut_is_ok(tut_stream_open_source(&source, &stream)))
        return;
    tut_exam x = {.stream = stream,
                  .source = &source,
                  .size = size,
                  .name = name,
                  .budget = &budget,
                  .content = content,
                  .ops = &fuzz_ops};
    tut_error err = {0};
    TUT_IGNORE(f->examine(&x, &err));
}

static inline void fuzz_examine(const char *format, const uint8_t *data, size_t size, bool content)
{
    fuzz_examine_named(format, TUT_LIT("fuzzed"), data, size, content);
}

typedef struct fuzz_bytes {
    const uint8_t *data;
    size_t left;
} fuzz_bytes;

static inline tut_status fuzz_pull(void *ctx, uint8_t *to, size_t cap, size_t *ret_got,
                                   tut_error *err)
{
    fuzz_bytes *bytes = ctx;
    (void)err;
    size_t n = cap < bytes->left ? cap : bytes->left;
    memcpy(to, bytes->data, n);
    bytes->data += n;
    bytes->left -= n;
    *ret_got = n;
    return TUT_SUCCESS;
}

static inline void fuzz_keep(void *ctx)
{
    (void)ctx;
}

/* The same as a decoder gives it: once, from the beginning to the end. */
static inline void fuzz_examine_stream(const char *format, const uint8_t *data, size_t size)
{
    const tut_format *f = tut_format_by_name(format);
    fuzz_bytes bytes = {data, size};
    tut_budget budget;
    tut_budget_init(&budget);
    budget.bytes_left = 4u << 20;
    TUT_AUTO(tut_stream) stream = NULL;
    if (!f || !tut_is_ok(tut_stream_open_pull((tut_pull){fuzz_pull, fuzz_keep, &bytes}, &stream)))
        return;
    tut_exam x = {.stream = stream,
                  .size = UINT64_MAX,
                  .name = TUT_LIT("fuzzed"),
                  .budget = &budget,
                  .content = true,
                  .is_member = true,
                  .ops = &fuzz_ops};
    tut_error err = {0};
    TUT_IGNORE(f->examine(&x, &err));
}

#endif
