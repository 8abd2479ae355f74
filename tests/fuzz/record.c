/* One entry of the log, as somebody may have written it by hand. */
#include "ledger/entry.h"
#include "ledger/record_internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    tut_arena arena;
    tut_entry e;
    tut_arena_init(&arena, 64u << 20);
    if (tut_is_ok(tut_entry_parse(tut_span_of(data, size), &arena, &e, NULL))) {
        TUT_CLEAN(tut_buf) again = TUT_BUF_INIT;
        tut_entry_compose(&e.head, e.payload, &again);
        if (!tut_str_eq(tut_buf_str(&again), (tut_str){(const char *)data, size}))
            __builtin_trap(); /* one entry, one spelling */
        if (e.has_record && !tut_is_ok(tut_record_check(&e.record, NULL)))
            __builtin_trap(); /* what is read must be fit to be written */
        tut_entry_done(&e);
    }
    tut_arena_done(&arena);
    return 0;
}
