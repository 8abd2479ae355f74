/* bench_threats [COMPONENTS]: all shipped rules over a system of so many components (1000), with as
 * many assets and twice as many flows, from the parsed description to sorted risks. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "govern/threat.h"

static const char *const kinds[] = {"agent",        "model",       "rag-index",
                                    "tool",         "data-source", "inference-gateway",
                                    "training-job", "user-client"};

static void describe(unsigned count, tut_buf *out)
{
    tut_buf_add_z(out, "schema: tutela.system/1\nsystem: {name: s, version: \"1\", purpose: p}\n"
                       "assets:\n");
    for (unsigned i = 0; i < count; i++)
        tut_buf_printf(out, "  - {id: %s/a%u, path: a%u, origin: %s, sensitivity: %s%s}\n",
                       i % 2 ? "model" : "dataset", i, i, i % 3 ? "public" : "first-party",
                       i % 5 ? "internal" : "personal", i % 2 ? ", depends_on: [dataset/a0]" : "");
    tut_buf_add_z(out, "components:\n");
    for (unsigned i = 0; i < count; i++)
        tut_buf_printf(out,
                       "  - {id: c%u, kind: %s, asset: %s/a%u, boundary: b%u, api: {returns: "
                       "logits}, agent: {tools: [x, y], side_effects: external}}\n",
                       i, kinds[i % 8], i % 2 ? "model" : "dataset", i, i % 10);
    tut_buf_add_z(out, "flows:\n");
    for (unsigned i = 0; i < 2 * count; i++)
        tut_buf_printf(out, "  - {id: f%u, from: c%u, to: c%u}\n", i, i % count,
                       (i * 7 + 1) % count);
    tut_buf_add_z(out, "boundaries:\n");
    for (unsigned i = 0; i < 10; i++)
        tut_buf_printf(out, "  - {id: b%u, trust: %s, inside: []}\n", i,
                       i % 3 ? "internal" : "public");
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static tut_status measure(tut_system *system, tut_error *err)
{
    enum { RUNS = 9 };
    double best = 1e9, body = 1e9;
    size_t risks = 0, elements = 0, rules = 0, bytes = 0;
    for (int i = 0; i < RUNS; i++) {
        TUT_AUTO(tut_threats) t = NULL;
        TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
        const tut_threat_sources from = {.system = system, .at = 1};
        double start = now();
        TUT_TRY(tut_threats_new(&from, &t, err));
        double took = now() - start;
        start = now();
        TUT_TRY(tut_threats_body(t, &from, &out, err));
        double wrote = now() - start;
        best = took < best ? took : best;
        body = wrote < body ? wrote : body;
        risks = t->count;
        elements = t->model->count;
        rules = t->rules->count;
        bytes = out.len;
    }
    printf(
        "%zu rules, %zu elements, %zu risks: %.1f ms (rules read, model, risks); JSON of %.1f MB "
        "in %.1f ms\n",
        rules, elements, risks, best * 1e3, (double)bytes / 1e6, body * 1e3);
    return TUT_SUCCESS;
}

int main(int argc, char **argv)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    TUT_AUTO(tut_system) system = NULL;
    tut_error err = {0};
    describe(argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 1000, &text);
    if (!tut_is_ok(tut_system_parse(".", "t", tut_buf_str(&text), &system, NULL, &err)) ||
        !tut_is_ok(measure(system, &err))) {
        fprintf(stderr, "%s: %s\n", err.path, err.text);
        return 1;
    }
    return 0;
}
