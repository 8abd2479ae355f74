/* Datasets as JSON lines and lists. */
#include <stdlib.h>

#include "fuzz/rows_read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    rows_input_window = ROWS_WINDOW;
    uint64_t count = fuzz_rows("x.json", data, size);
    rows_input_window = 256; /* windows must not matter */
    if (fuzz_rows("x.json", data, size) != count)
        abort();
    return 0;
}
