/* The header of 7z archives behind its checksums, which chance does not guess. */
#include "formats/sevenzip_internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    tut_budget budget;
    tut_budget_init(&budget);
    tut_source source = tut_source_memory(tut_span_of(data, size));
    tut_exam x = {.budget = &budget};
    tut_sevenzip z = {.x = &x, .src = &source};
    bool is_encoded = false;
    tut_error err = {0};
    TUT_IGNORE(tut_sevenzip_read_header(&z, tut_span_of(data, size), &is_encoded, &err));
    for (size_t i = 0; i < z.file_count; i++) {
        if (z.files[i].name.len > size)
            __builtin_trap();
    }
    tut_sevenzip_done(&z);
    return 0;
}
