/* A description with its threats: section, whatever it holds: a model and its risks, or a reason.
 */
#include <stdlib.h>

#include "govern/threat.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char head[] = "schema: tutela.system/1\nsystem:\n  name: f\n";
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) body = TUT_BUF_INIT;
    TUT_AUTO(tut_system) system = NULL;
    TUT_AUTO(tut_threats) t = NULL;
    tut_threat_policy policy;
    tut_error err = {0};
    tut_buf_add_z(&text, head);
    tut_buf_add(&text, data, size);
    if (!tut_is_ok(tut_system_parse_here(".", "t", tut_buf_str(&text), &system, &err)) ||
        !tut_is_ok(tut_threat_policy_read(system, &policy, NULL, &err)) || policy.rules.count)
        return 0; /* files of rules: threat_rules.c */
    const tut_threat_sources from = {.system = system, .at = 1};
    tut_status status = tut_threats_new(&from, &t, &err);
    if (!tut_is_ok(status)) {
        if (!err.text[0])
            abort();
        return 0;
    }
    if (!tut_is_ok(tut_threats_body(t, &from, &body, &err)))
        abort();
    for (size_t i = 0; i < t->count; i++)
        if (t->risks[i].residual.level > t->risks[i].inherent.level)
            abort();
    return 0;
}
