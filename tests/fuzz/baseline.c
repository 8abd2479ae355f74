/* A worker's rows about two files, as the parent reads them; what it takes it can also print. */
#include <stddef.h>
#include <stdint.h>

#include "scan/baseline.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    tut_baseline *b = tut_alloc_array(1, sizeof(*b));
    if (!b)
        return 0;
    b->path = tut_strdup("old");
    if (b->path && tut_is_ok(tut_baseline_decode(tut_span_of(data, size), b, NULL))) {
        TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
        TUT_AUTO(tut_json) j = NULL;
        if (tut_is_ok(tut_json_new(&out, &j)))
            tut_baseline_json(b, j);
    }
    tut_baseline_free(b);
    return 0;
}
