/*
 * The pass over numbers, with any list of tensors: input = count, then for each tensor kind, begin
 * and length (little endian, 1, 2 and 2 bytes), then the file.
 */
#include <stddef.h>
#include <stdint.h>

#include "scan/rule.h"
#include "scan/weights.h"

enum { TENSORS = 24 };

static void ignore_line(void *ctx, const char *location, const char *rule, int severity,
                        uint64_t offset, tut_str line)
{
    (void)ctx;
    (void)location;
    (void)severity;
    (void)offset;
    if (!tut_rule_find(tut_str_of(rule)) || line.len == 0)
        __builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const dtypes[] = {"F64", "F32", "F16", "BF16", "I8", "U8", "Q8_0", "I64"};
    size_t at = 1;
    if (size < 1)
        return 0;
    size_t count = data[0] % TENSORS;
    if (size < 1 + 5 * count)
        return 0;
    tut_source file = tut_source_memory(tut_span_of(data + 1 + 5 * count, size - 1 - 5 * count));
    tut_weights w;
    tut_weights_init(&w);
    w.say = ignore_line;
    bool is_good = true;
    for (size_t i = 0; i < count; i++, at += 5) {
        uint64_t begin = data[at + 1] | (uint64_t)data[at + 2] << 8;
        tut_tensor t = {.name = TUT_LIT("w"),
                        .dtype = dtypes[data[at] % 8],
                        .shape = TUT_LIT("[3, 70000000000000000000, 4]"),
                        .begin = begin,
                        .end = begin + (data[at + 3] | (uint64_t)data[at + 4] << 8)};
        is_good = is_good && tut_is_ok(tut_weights_add(&w, TUT_LIT("f"), i % 2, &t, i % 3));
    }
    if (is_good && !tut_is_ok(tut_weights_pass(&w, &file, NULL, NULL)))
        __builtin_trap(); /* memory does not shrink */
    tut_weights_done(&w);
    return 0;
}
