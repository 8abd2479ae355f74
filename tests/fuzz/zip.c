/* Zip archives, at both depths. */
#include "fuzz/examine.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_examine("torch-zip", data, size, true);
    fuzz_examine("zip", data, size, false);
    return 0;
}
