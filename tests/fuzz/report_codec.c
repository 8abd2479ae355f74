/* A worker's reply, read by its parent: hostile bytes by assumption. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "scan/report.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    tut_file_report r = {0};
    if (tut_is_ok(tut_report_decode(tut_span_of(data, size), &r, NULL))) {
        /* What was taken can be sent again and means the same. */
        TUT_CLEAN(tut_buf) again = TUT_BUF_INIT;
        tut_file_report second = {0};
        tut_report_encode(&r, &again);
        if (!tut_is_ok(tut_report_decode(tut_buf_span(&again), &second, NULL)) ||
            second.finding_count != r.finding_count || second.fact_count != r.fact_count)
            abort();
        tut_file_report_done(&second);
    }
    tut_file_report_done(&r);
    return 0;
}
