/* A file of threat rules, whatever it holds: read or refused with a place, and each rule has an
 * answer about each element. */
#include <stdlib.h>

#include "govern/threat.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char description[] =
    "schema: tutela.system/1\nsystem: {name: f, version: \"1\", purpose: p}\n"
    "assets:\n  - {id: model/m, path: m.onnx, origin: public}\n"
    "components:\n  - {id: u, kind: user-client, boundary: out}\n"
    "  - {id: x, kind: agent, asset: model/m, boundary: in, agent: {tools: [a, b]}}\n"
    "flows:\n  - {id: f, from: u, to: x}\n"
    "boundaries:\n  - {id: out, trust: public, inside: []}\n  - {id: in, inside: []}\n";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static tut_system *system;
    static tut_threat_model *model;
    tut_threat_rules *rules = NULL;
    TUT_CLEAN(tut_buf) shown = TUT_BUF_INIT;
    tut_error err = {0};
    if (!system &&
        (!tut_is_ok(tut_system_parse_here(".", "t", tut_str_of(description), &system, &err)) ||
         !tut_is_ok(tut_threat_model_new(system, NULL, &model, &err))))
        abort();
    if (!tut_is_ok(tut_threat_rules_new(&rules, &err)))
        abort();
    tut_status status = tut_threat_rules_add(rules, "r.yaml", (tut_str){(const char *)data, size},
                                             false, &shown, &err);
    if (!tut_is_ok(status) && !err.text[0])
        abort();
    if (tut_is_ok(status)) {
        tut_threats t = {.count = 0};
        tut_arena_init(&t.arena, 0);
        if (!tut_is_ok(tut_threats_evaluate(model, rules, &t, &err)))
            abort();
        for (size_t i = 0; i < t.count; i++)
            if (t.risks[i].inherent.likelihood < 1 || t.risks[i].inherent.likelihood > 5 ||
                t.risks[i].inherent.impact < 1 || t.risks[i].inherent.impact > 5)
                abort();
        tut_free(t.risks);
        tut_arena_done(&t.arena);
    }
    tut_threat_rules_free(rules);
    return 0;
}
