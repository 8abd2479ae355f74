/* Files beside models: the first byte says which is read. */
#include "fuzz/examine.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const formats[] = {"coreml-data", "coreml-weights", "coreml-program",
                                          "tf-checkpoint-state"};
    if (size > 0)
        fuzz_examine(formats[data[0] % 4], data + 1, size - 1, true);
    return 0;
}
