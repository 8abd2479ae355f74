/* The access table. */
#include "ledger/sequencer_internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    tut_seq_access access;
    tut_error err = {0};
    if (!tut_is_ok(tut_seq_access_parse(tut_str_from(tut_span_of(data, size)), &access, &err))) {
        if (err.text[0] == '\0')
            __builtin_trap();
        return 0;
    }
    for (size_t i = 0; i < access.count; i++) {
        const tut_seq_rule *rule = &access.rules[i];
        tut_str kind = rule->kind[0] ? tut_str_of(rule->kind) : TUT_LIT("any");
        if (!tut_seq_access_allows(&access, rule->is_any ? 12345 : rule->uid, kind))
            __builtin_trap(); /* a line allows at least what it says */
    }
    tut_seq_access_done(&access);
    return 0;
}
