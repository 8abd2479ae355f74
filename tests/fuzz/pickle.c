/* The pickle machine, joblib and legacy PyTorch on any bytes; sniffing too. Whatever is inside is
 * examined as a member up to a small depth, as the scan engine does it. */
#include <stdlib.h>

#include "formats/format.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct fuzz {
    tut_budget budget;
    unsigned depth;
} fuzz;

static void demand(bool claim)
{
    if (!claim)
        abort();
}

static void on_fact(void *ctx, const char *key, tut_str value)
{
    (void)ctx;
    demand(key && (value.data || value.len == 0));
}

static void on_observe(void *ctx, const char *rule, uint64_t offset, tut_str detail)
{
    (void)ctx, (void)offset;
    demand(rule && detail.data);
}

static void on_pickle(void *ctx, const tut_pickle_event *e)
{
    (void)ctx;
    demand(e->opcode && e->module.data && e->name.data);
    /* Every byte of the texts must be readable. */
    unsigned sum = 0;
    for (size_t i = 0; i < e->arguments.len; i++)
        sum += (unsigned char)e->arguments.data[i];
    for (size_t i = 0; i < e->name.len; i++)
        sum += (unsigned char)e->name.data[i];
    demand(sum < UINT32_MAX);
}

static tut_status on_member(void *ctx, tut_str name, const tut_source *source, tut_stream *stream,
                            uint64_t size, tut_error *err);

static const tut_exam_ops ops = {
    .fact = on_fact, .observe = on_observe, .pickle = on_pickle, .member = on_member};

static void examine(fuzz *f, const tut_source *source, const char *format)
{
    tut_error err = {0};
    TUT_AUTO(tut_stream) stream = NULL;
    if (!tut_is_ok(tut_stream_open_source(source, &stream)))
        return;
    tut_exam x = {.stream = stream,
                  .source = source,
                  .size = source->size,
                  .budget = &f->budget,
                  .content = true,
                  .ops = &ops,
                  .ctx = f};
    tut_status status = tut_format_by_name(format)->examine(&x, &err);
    demand(status.code != TUT_BUG && status.code < TUT_CODE_COUNT);
}

static tut_status on_member(void *ctx, tut_str name, const tut_source *source, tut_stream *stream,
                            uint64_t size, tut_error *err)
{
    fuzz *f = ctx;
    (void)name, (void)stream, (void)size, (void)err;
    if (f->depth >= 3 || !source)
        return TUT_SUCCESS;
    f->depth++;
    examine(f, source, "pickle");
    f->depth--;
    return TUT_SUCCESS;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const formats[] = {"pickle", "joblib", "torch-legacy"};
    tut_source source = tut_source_memory(tut_span_of(data, size));
    tut_sniff s = {.head = tut_span_of(data, size < 4096 ? size : 4096),
                   .size = size,
                   .name = TUT_LIT("x.pkl"),
                   .path = TUT_LIT("x.pkl")};
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        fuzz f = {0};
        tut_budget_init(&f.budget);
        f.budget.steps_left = 1u << 20;
        uint64_t heap = f.budget.heap_left;
        (void)tut_format_by_name(formats[i])->sniff(&s);
        examine(&f, &source, formats[i]);
        demand(f.budget.heap_left == heap);
    }
    return 0;
}
