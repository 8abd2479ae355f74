/* A Threagile model, whatever it holds: read or refused with a place; what was read loads again as
 * a tutela.yaml. */
#include <stdlib.h>

#include "assets/system.h"
#include "govern/threagile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    tut_threagile *t = NULL;
    tut_system *system = NULL;
    TUT_CLEAN(tut_buf) shown = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    tut_error err = {0};
    tut_status status = tut_threagile_read("m.yaml", (tut_str){(const char *)data, size}, false, &t,
                                           &shown, &err);
    if (!tut_is_ok(status)) {
        if (!err.text[0])
            abort();
        return 0;
    }
    tut_buf_add_z(&text, "schema: tutela.system/1\n"
                         "system: {name: s, version: \"1\", purpose: p}\n");
    if (!tut_is_ok(tut_threagile_yaml(t, "m.yaml", &text, &err)) ||
        !tut_is_ok(tut_system_parse_here(".", "t", tut_buf_str(&text), &system, &err)) ||
        system->component_count != t->component_count || system->flow_count != t->flow_count)
        abort();
    tut_system_free(system);
    tut_threagile_free(t);
    return 0;
}
