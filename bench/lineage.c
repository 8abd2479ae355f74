/*
 * Figures of tracing, beside a floor measured in the same run: what one look at each edge costs, in
 * the order in which they lie. Prints one line a figure; exit 1 when a target is missed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "assets/lineage.h"
#include "base/buf.h"

enum { ASSETS = 20000, EACH = 5, EDGES = ASSETS * EACH };

static void must(tut_status s, const tut_error *err)
{
    if (tut_is_ok(s))
        return;
    (void)fprintf(stderr, "bench_lineage: %s\n", err->text);
    exit(2);
}

static double now(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Each asset but the first uses the one before it and four others, anywhere before it: all of them
 * lead to the first, which comes from the address that is asked for. */
static void write_inventory(tut_buf *out)
{
    uint64_t random = 88172645463325252u;
    tut_buf_add_byte(out, '[');
    for (unsigned i = 0; i < ASSETS; i++) {
        tut_buf_printf(out, "%s{\"id\":\"model/m%u\",\"digest\":{\"sha256\":\"%064x\"}",
                       i ? "," : "", i, i + 1);
        if (i == 0)
            tut_buf_add_z(out, ",\"url\":\"https://poisoned.example/data\"");
        tut_buf_add_z(out, ",\"depends_on\":[");
        for (unsigned k = 0; i > 0 && k < EACH; k++) {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            tut_buf_printf(out, "%s\"model/m%u\"", k ? "," : "",
                           k == 0 ? i - 1 : (unsigned)(random % i));
        }
        tut_buf_add_z(out, "]}");
    }
    tut_buf_add_byte(out, ']');
}

static double look_at_edges(const tut_graph *g)
{
    static volatile uint32_t sink;
    double start = now();
    uint32_t sum = 0;
    for (size_t i = 0; i < g->edge_count; i++)
        sum += g->edges[i].from ^ g->edges[i].to;
    sink = sum;
    (void)sink;
    return now() - start;
}

int main(void)
{
    tut_question q;
    tut_error err = {0};
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    TUT_AUTO(tut_json_doc) doc = NULL;
    TUT_CLEAN(tut_lineage) l;
    TUT_CLEAN(tut_walk) w = {0};
    const tut_moment at = {.is_there = true, .index = 1, .at = 1};
    write_inventory(&text);
    must(tut_question_parse("poisoned.example", &q, &err), &err);
    tut_lineage_init(&l, &q, &err);
    double start = now();
    must(tut_json_parse(tut_buf_span(&text), NULL, &doc, &err), &err);
    must(tut_lineage_take(&l, tut_json_root(doc), &at, true), &err);
    double taken = now() - start;
    start = now();
    must(tut_graph_freeze(&l.graph, &err), &err);
    must(tut_graph_walk(&l.graph, l.seeds, l.seed_count, TUT_WALK_USERS, &w, &err), &err);
    double took = now() - start;
    double floor = look_at_edges(&l.graph);
    bool ok = took <= 0.1 && w.count == ASSETS + 1;
    printf(
        "%-44s %7.4f s            <= 0.1 s         %-6s %6.1f x one look at each edge (%.6f s)\n",
        "trace over 100,000 edges, all reached", took, ok ? "ok" : "MISSED", took / floor, floor);
    printf("%-44s %7.4f s            %.1f MB of JSON\n", "  reading that inventory before", taken,
           (double)text.len / 1e6);
    return ok ? 0 : 1;
}
