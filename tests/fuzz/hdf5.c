/* HDF5 files. */
#include "fuzz/examine.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_examine("hdf5", data, size, true);
    return 0;
}
