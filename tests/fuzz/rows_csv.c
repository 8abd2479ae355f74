/* Datasets as CSV and plain text. */
#include "fuzz/rows_read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    rows_input_window = ROWS_WINDOW;
    (void)fuzz_rows("x.csv", data, size);
    rows_input_window = 256; /* the dialect may be another then: less of it is seen */
    (void)fuzz_rows("x.csv", data, size);
    return 0;
}
