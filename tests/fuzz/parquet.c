/* Parquet as rows: the reader, and what makes cells of it. */
#include "fuzz/rows_read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size >= 4 && (memcmp(data, "PAR1", 4) == 0 || memcmp(data, "PARE", 4) == 0))
        fuzz_rows("x.parquet", data, size);
    return 0;
}
