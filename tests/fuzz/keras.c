/* Keras' configurations, in any encoding. */
#include "fuzz/examine.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_examine("keras-config", data, size, true);
    return 0;
}
