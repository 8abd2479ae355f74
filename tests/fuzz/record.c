/* One line of the journal, as somebody may have written it by hand. */
#include "ledger/record_internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    tut_arena arena;
    tut_record r;
    tut_arena_init(&arena, 64u << 20);
    if (tut_is_ok(tut_record_parse(tut_span_of(data, size), &arena, &r, NULL)) &&
        !tut_is_ok(tut_record_check(&r, NULL)))
        __builtin_trap(); /* what is read must be fit to be written */
    tut_arena_done(&arena);
    return 0;
}
