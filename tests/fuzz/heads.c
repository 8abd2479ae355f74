/* The file of heads, as somebody may have written it: what is read is written back byte for byte.
 */
#include "ledger/heads_internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    TUT_AUTO(tut_heads) h = NULL;
    TUT_CLEAN(tut_buf) back = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) line = TUT_BUF_INIT;
    uint64_t entries = 0;
    if (!tut_is_ok(tut_heads_new(NULL, &h, NULL)) ||
        !tut_is_ok(tut_heads_read(h, tut_span_of(data, size), &entries, NULL)))
        return 0;
    if (!tut_is_ok(tut_heads_line(h, &line, NULL)))
        return 0;
    tut_heads_write(h, entries, &back);
    if (back.len != size || memcmp(back.data, data, size) != 0)
        __builtin_trap();
    return 0;
}
