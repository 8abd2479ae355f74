/* A text that may hold something encoded: in memory, and ahead in a stream. */
#include "formats/encoded.h"
#include "fuzz/examine.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    tut_budget budget;
    tut_error err = {0};
    tut_source source = tut_source_memory(tut_span_of(data, size));
    TUT_AUTO(tut_stream) stream = NULL;
    tut_budget_init(&budget);
    budget.bytes_left = 4u << 20;
    if (!tut_is_ok(tut_stream_open_source(&source, &stream)))
        return 0;
    tut_exam x = {.stream = stream, .budget = &budget, .ops = &fuzz_ops};
    TUT_IGNORE(tut_encoded_look(&x, tut_str_from(tut_span_of(data, size)), 0, false, &err));
    TUT_IGNORE(tut_encoded_look_ahead(&x, size, true, &err));
    return 0;
}
