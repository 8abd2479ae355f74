/* The sections gates: and design: of a description, and its system card: any text. */
#include "govern/gate.h"
#include "assess/design.h"
#include "govern/documents.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A gate never waits for one that does not exist, nor wants nothing. */
static void check(const tut_gates *gates)
{
    for (size_t i = 0; i < gates->count; i++) {
        const tut_gate *g = &gates->items[i];
        if (g->want_count == 0)
            __builtin_trap();
        for (size_t k = 0; k < g->after.count; k++)
            if (!tut_gates_find(gates, g->after.items[k]))
                __builtin_trap();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    TUT_AUTO(tut_system) system = NULL;
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) says = TUT_BUF_INIT;
    tut_gates gates;
    tut_design design;
    tut_error err = {0};
    tut_buf_add_z(&text,
                  "schema: tutela.system/1\nsystem:\n  name: n\n  version: \"1\"\n  purpose: "
                  "p\nassets:\n  - id: model/a\n    path: a\n");
    tut_buf_add(&text, data, size);
    if (!tut_is_ok(tut_system_parse_here(".", "tutela.yaml", tut_buf_str(&text), &system, &err)))
        return 0;
    if (tut_is_ok(tut_gates_read(system, &gates, NULL, &err)))
        check(&gates);
    if (tut_is_ok(tut_design_read(system, &design, NULL, &err))) {
        tut_str paths[TUT_DESIGN_DOCUMENTS_MAX];
        if (tut_design_documents(&design, paths) > TUT_DESIGN_DOCUMENTS_MAX)
            __builtin_trap();
    }
    TUT_IGNORE(tut_card_compare(system, (tut_str){(const char *)data, size}, &says, &err));
    return 0;
}
