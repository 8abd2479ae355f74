/* Any bytes under several names: recognition, members, policy and report, as a worker does it. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "scan/exam.h"

static void examine(const uint8_t *data, size_t size, const char *name, bool content)
{
    tut_source bytes = tut_source_memory(tut_span_of(data, size));
    tut_exam_request request = {.content = content, .rel = tut_str_of(name)};
    tut_file_report r = {0};
    if (tut_is_ok(tut_exam_file(NULL, &bytes, &request, &r, NULL))) {
        /* What is not complete carries a reason, and what a worker sends its parent understands. */
        if (r.status != TUT_SCAN_COMPLETE && !r.problem)
            abort();
        if (r.status == TUT_SCAN_INCOMPLETE && tut_file_verdict(&r) == TUT_VERDICT_CLEAN)
            abort();
        TUT_CLEAN(tut_buf) wire = TUT_BUF_INIT;
        tut_file_report got = {0};
        tut_report_encode(&r, &wire);
        if (!tut_is_ok(tut_report_decode(tut_buf_span(&wire), &got, NULL)))
            abort();
        tut_file_report_done(&got);
    }
    tut_file_report_done(&r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    examine(data, size, "dir/model.pt", true);
    examine(data, size, "rows.json", false);
    return 0;
}
