/* The file of a change of the log's key, from whoever publishes the log: it leads from the key of
 * the seeds to the one that they name, or nowhere. */
#include "ledger/rotation.h"

static const char vkey[] = "tutela-883a2d8b2bdb60e9aaf6209fd5a584de/evidence"
                           "+393ce6ef+AYPqyfRtJReEY+pwAyJEnJ/A1MbXROMMCSx0/ZH0zOW+";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static tut_verifier before;
    tut_rotation r;
    if (!before.key && !tut_is_ok(tut_verifier_parse(tut_str_of(vkey), &before, NULL)))
        __builtin_trap();
    tut_str bytes = tut_str_from(tut_span_of(data, size));
    if (!tut_is_ok(tut_rotation_read(bytes, &before, &r, NULL)))
        return 0;
    if (r.size != 4 || r.entry.len == 0 || tut_pubkey_eq(r.next.key, before.key))
        __builtin_trap(); /* the old key signed one such checkpoint, and no other */
    tut_rotation_done(&r);
    return 0;
}
