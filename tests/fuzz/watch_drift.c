/* What a worker says of a comparison: taken for hostile, shown without harm. */
#include <stdlib.h>

#include "watch/drift.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    TUT_AUTO(tut_drift) d = NULL;
    TUT_CLEAN(tut_buf) page = TUT_BUF_INIT;
    static const char *const names[] = {"a", "b"};
    tut_error err = {0};
    if (!tut_is_ok(tut_drift_read(tut_span_of(data, size), &d, &err))) {
        if (!err.text[0])
            abort();
        return 0;
    }
    if (!tut_is_ok(tut_drift_html(d, names, &page, NULL)))
        abort();
    return 0;
}
