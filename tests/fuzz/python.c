/* Python source, as a module and as the cells of a notebook. */
#include "formats/python_code.h"
#include "fuzz/examine.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    tut_budget budget;
    tut_budget_init(&budget);
    tut_exam x = {.budget = &budget, .ops = &fuzz_ops};
    tut_error err = {0};
    if (size > 0)
        TUT_IGNORE(tut_python_examine(&x, tut_str_from(tut_span_of(data + 1, size - 1)),
                                      data[0] & 1, &err));
    return 0;
}
