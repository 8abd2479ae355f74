/* What the worker says of a dataset is hostile: it is taken whole, or not at all. The first two
 * bytes are the length of the head; the records follow it. */
#include <math.h>
#include <stdlib.h>

#include "probe/sample_internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    TUT_AUTO(tut_sample) s = NULL;
    sample_asked asked = {.names = NULL};
    TUT_IGNORE(sample_asked_read(tut_span_of(data, size), &asked));
    sample_asked_done(&asked);
    if (size < 2)
        return 0;
    size_t head = (size_t)data[0] | (size_t)data[1] << 8;
    if (head > size - 2)
        head = size - 2;
    tut_source records = tut_source_memory(tut_span_of(data + 2 + head, size - 2 - head));
    tut_error err = {0};
    if (!tut_is_ok(sample_take(tut_span_of(data + 2, head), &records, &s, &err))) {
        if (s || !err.text[0])
            abort();
        return 0;
    }
    for (size_t i = 0; i < s->count; i++)
        if ((s->labels && s->labels[i] >= s->classes) || !isfinite(s->rows[i * s->width]))
            abort();
    return 0;
}
