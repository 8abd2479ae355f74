/* A list of chunks: what is read is written again, and is then what is read. */
#include <stdlib.h>
#include <string.h>

#include "data/chunk_list.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const tut_sha256 digest;
    TUT_CLEAN(tut_chunks) c = {0};
    TUT_CLEAN(tut_chunks) again = {0};
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    (void)tut_chunk_list_is(tut_span_of(data, size));
    if (!tut_is_ok(tut_chunk_list_read(tut_span_of(data, size), &c, NULL)))
        return 0;
    if (!tut_is_ok(tut_chunk_list_write(&c, &digest, (tut_time){0}, &text, NULL)) ||
        !tut_is_ok(tut_chunk_list_read(tut_buf_span(&text), &again, NULL)))
        abort();
    if (c.count != again.count || c.size != again.size || !tut_sha256_eq(&c.root, &again.root))
        abort();
    return 0;
}
