/* Python's marshalled code: what is listed lies inside the input. */
#include "formats/marshal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const tut_str *list, size_t count, const uint8_t *data, size_t size)
{
    for (size_t i = 0; i < count; i++) {
        const uint8_t *at = (const uint8_t *)list[i].data;
        if (at < data || at > data + size || list[i].len > (size_t)(data + size - at))
            __builtin_trap();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    tut_budget budget;
    tut_marshal_use use;
    tut_budget_init(&budget);
    budget.steps_left = 1u << 20;
    (void)tut_marshal_is_code(tut_span_of(data, size));
    TUT_IGNORE(tut_marshal_read(tut_span_of(data, size), &budget, &use, NULL));
    check(use.names, use.name_count, data, size);
    check(use.texts, use.text_count, data, size);
    return 0;
}
