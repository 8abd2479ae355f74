/* A baseline: what is read is written again, and is then what is read. */
#include <stdlib.h>

#include "data/schema.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void write_again(const tut_profile *p, const tut_data_schema *s, tut_buf *out)
{
    if (!tut_is_ok(tut_data_schema_write(p, s, (tut_time){0}, out, NULL)))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    TUT_AUTO(tut_profile) p = NULL;
    TUT_AUTO(tut_profile) q = NULL;
    TUT_AUTO(tut_data_schema) s = NULL;
    TUT_AUTO(tut_data_schema) t = NULL;
    TUT_CLEAN(tut_buf) first = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) second = TUT_BUF_INIT;
    if (!tut_is_ok(tut_data_schema_read(tut_span_of(data, size), &p, &s, NULL)))
        return 0;
    write_again(p, s, &first);
    if (!tut_is_ok(tut_data_schema_read(tut_buf_span(&first), &q, &t, NULL)))
        abort();
    write_again(q, t, &second);
    if (!tut_str_eq(tut_buf_str(&first), tut_buf_str(&second)))
        abort();
    for (size_t i = 0; i < tut_profile_columns(p); i++) {
        double shares[16];
        double low;
        double high;
        if (!tut_is_ok(
                tut_profile_histogram(tut_profile_column_at(p, i), 16, shares, &low, &high, NULL)))
            abort();
    }
    if (!tut_is_ok(tut_profile_merge(q, p, NULL)))
        abort();
    return 0;
}
