/* A proof file from somebody: parsed, written back (but for its extra data), checked. */
#include "ledger/proof.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    tut_proof proof;
    tut_proof again;
    TUT_CLEAN(tut_buf) back = TUT_BUF_INIT;
    tut_str bytes = tut_str_from(tut_span_of(data, size));
    if (!tut_is_ok(tut_proof_parse(bytes, &proof, NULL)))
        return 0;
    tut_proof_write(&proof, &back);
    if (!tut_str_ends(bytes, proof.checkpoint) ||
        !tut_is_ok(tut_proof_parse(tut_buf_str(&back), &again, NULL)) ||
        again.number != proof.number || again.count != proof.count)
        __builtin_trap();
    if (tut_is_ok(tut_proof_check(&proof, tut_span_of(data, size), NULL, 0, NULL, NULL)))
        __builtin_trap(); /* nobody's signature is no proof */
    return 0;
}
