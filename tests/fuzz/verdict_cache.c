/* An entry of the verdict cache: whoever can write there is this user, but disks and crashes are
 * nobody's friends. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "scan/report.h"
#include "scan/verdict_cache.h"

/* Bytes behind a good checksum, so that the reader behind it is reached as well. */
static void decode(tut_span bytes)
{
    tut_verdict_entry e;
    tut_file_report r = {0};
    if (!tut_is_ok(tut_verdict_entry_decode(bytes, &e)))
        return;
    TUT_CLEAN(tut_buf) again = TUT_BUF_INIT;
    tut_verdict_entry_encode(&e, &again);
    if (again.len != bytes.len || memcmp(again.data, bytes.data, bytes.len) != 0)
        abort();
    TUT_IGNORE(tut_report_decode(e.reply, &r, NULL));
    tut_file_report_done(&r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    TUT_CLEAN(tut_buf) sealed = TUT_BUF_INIT;
    tut_sha256 sum;
    decode(tut_span_of(data, size));
    if (!tut_is_ok(tut_sha256_of(tut_span_of(data, size), &sum, NULL)))
        return 0;
    tut_buf_add(&sealed, data, size);
    tut_buf_add(&sealed, sum.bytes, sizeof(sum.bytes));
    decode(tut_buf_span(&sealed));
    return 0;
}
