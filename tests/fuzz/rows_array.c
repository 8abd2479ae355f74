/* Arrays as rows: npy, npz and idx. */
#include "fuzz/rows_read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const magics[] = {"\x93NUMPY", "PK"};
    bool is_ours = size >= 4 && data[0] == 0 && data[1] == 0;
    for (size_t i = 0; i < 2; i++)
        is_ours |= size >= 8 && memcmp(data, magics[i], strlen(magics[i])) == 0;
    if (is_ours)
        fuzz_rows("x.npz", data, size);
    return 0;
}
