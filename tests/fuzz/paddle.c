/* PaddlePaddle programs and parameters, and Caffe nets, by the first byte. */
#include "fuzz/examine.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const formats[] = {"paddle", "paddle-parameters", "caffe"};
    if (size > 0)
        fuzz_examine(formats[data[0] % 3], data + 1, size - 1, true);
    return 0;
}
