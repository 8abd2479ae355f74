/* A sealed body, as it may lie on the disk. What opens is what was sealed; nothing else does. */
#include <string.h>

#include "ledger/body_seal.h"

static const char sealed_text[] = "my name is Ada";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t secret[TUT_PERIOD_SECRET] = {7};
    static tut_sha256 name;
    static bool is_named;
    char period[TUT_PERIOD_NAME];
    tut_span text = tut_span_of(sealed_text, strlen(sealed_text));
    tut_span file = tut_span_of(data, size);
    if (!is_named && !tut_is_ok(tut_seal_name(secret, text, &name, NULL)))
        return 0;
    is_named = true;
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    bool opens = tut_is_ok(tut_seal_open(secret, &name, file, &out, NULL));
    if (opens != (out.len > 0))
        __builtin_trap();
    if (opens && (!tut_seal_is(file, period) || out.len != text.len ||
                  memcmp(out.data, text.data, text.len) != 0))
        __builtin_trap();
    return 0;
}
