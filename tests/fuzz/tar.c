/* Tar archives, with random access and out of a decoder. */
#include "fuzz/examine.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_examine("tar", data, size, true);
    fuzz_examine_stream("tar", data, size);
    return 0;
}
