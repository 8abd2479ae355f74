#include "formats/part.h"

#include <string.h>

#include "base/limits.h"

static tut_status read_part(void *ctx, uint8_t *to, size_t cap, size_t *ret_got, tut_error *err)
{
    tut_part *p = ctx;
    tut_span some = {0};
    *ret_got = 0;
    size_t n = cap < TUT_LIMIT_PEEK_BYTES ? cap : TUT_LIMIT_PEEK_BYTES;
    if (n > p->left)
        n = (size_t)p->left;
    if (n == 0)
        return TUT_SUCCESS;
    TUT_TRY(tut_stream_peek_some(p->outer, n, &some));
    if (some.len == 0) {
        const char *why = NULL;
        tut_code code = tut_stream_failure(p->outer, &why);
        return tut_fail(err, code == TUT_OK ? TUT_TRUNCATED : code, "%s",
                        why ? why : "the archive ends inside a member");
    }
    memcpy(to, some.data, some.len);
    p->left -= some.len;
    *ret_got = some.len;
    return tut_stream_skip(p->outer, some.len);
}

static void keep(void *ctx)
{
    (void)ctx; /* the caller's, who asks what is left */
}

tut_status tut_part_open(tut_part *part, tut_stream **ret)
{
    return tut_stream_open_pull((tut_pull){read_part, keep, part}, ret);
}
