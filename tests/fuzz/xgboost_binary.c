/* Files of the format xgboost-binary. */
#include "fuzz/examine.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_examine("xgboost-binary", data, size, true);
    return 0;
}
