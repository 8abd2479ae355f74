/* The guard: section of a description, whatever it holds: read or refused with a place. */
#include <stdlib.h>

#include "guard/policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char head[] = "schema: tutela.system/1\nsystem:\n  name: f\n";
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) shown = TUT_BUF_INIT;
    tut_system *system = NULL;
    tut_guard_policy p;
    tut_error err = {0};
    tut_buf_add_z(&text, head);
    tut_buf_add(&text, data, size);
    if (tut_is_ok(tut_system_parse(".", "t", tut_buf_str(&text), &system, NULL, &err))) {
        tut_status status = tut_guard_policy_read(system, &p, &shown, &err);
        if (!tut_is_ok(status) && !err.text[0])
            abort();
        if (tut_is_ok(status) && p.route_count == 0)
            abort();
    }
    tut_system_free(system);
    return 0;
}
