/* TensorFlow's graphs: the first byte says which message is read. */
#include "fuzz/examine.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const formats[] = {"tf-saved-model", "tf-graph", "tf-meta-graph",
                                          "keras-metadata"};
    if (size > 0)
        fuzz_examine(formats[data[0] % 4], data + 1, size - 1, true);
    return 0;
}
