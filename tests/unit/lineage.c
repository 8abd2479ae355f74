/* The graph and what is asked of it: circles, diamonds, many edges, versions over time, addresses.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "assets/lineage.h"
#include "base/buf.h"

/* --- the graph --- */

static void make(tut_graph *g, uint32_t nodes, const tut_edge *edges, size_t count)
{
    uint32_t node;
    for (uint32_t i = 0; i < nodes; i++)
        assert_true(tut_is_ok(tut_graph_node(g, &node, NULL)));
    for (size_t i = 0; i < count; i++)
        assert_true(tut_is_ok(tut_graph_edge(g, edges[i].from, edges[i].to, NULL)));
    assert_true(tut_is_ok(tut_graph_freeze(g, NULL)));
}

static void a_diamond_is_walked_once_and_by_the_shortest_way(void **state)
{
    (void)state;
    /* 0 uses 1 and 2, both use 3; 0 uses 4, which uses 5, which uses 3 */
    static const tut_edge edges[] = {{0, 4}, {4, 5}, {5, 3}, {0, 1}, {0, 2}, {1, 3}, {2, 3}};
    TUT_CLEAN(tut_graph) g = {0};
    TUT_CLEAN(tut_walk) up = {0};
    TUT_CLEAN(tut_walk) down = {0};
    make(&g, 7, edges, 7);
    uint32_t seed = 3;
    assert_true(tut_is_ok(tut_graph_walk(&g, &seed, 1, TUT_WALK_USERS, &down, NULL)));
    assert_int_equal(down.count, 6);
    assert_int_equal(down.distance[0], 2);
    assert_int_equal(down.distance[4], 2);
    assert_true(down.from[0] == 1 || down.from[0] == 2);
    assert_int_equal(down.from[6], TUT_NODE_NONE);
    seed = 0;
    assert_true(tut_is_ok(tut_graph_walk(&g, &seed, 1, TUT_WALK_USED, &up, NULL)));
    assert_int_equal(up.count, 6);
    assert_int_equal(up.distance[3], 2);
}

static void circles_and_self_edges_end(void **state)
{
    (void)state;
    static const tut_edge edges[] = {{0, 1}, {1, 2}, {2, 0}, {2, 2}, {1, 2}};
    TUT_CLEAN(tut_graph) g = {0};
    TUT_CLEAN(tut_walk) w = {0};
    make(&g, 3, edges, 5);
    const uint32_t seeds[] = {1, 1, 0};
    assert_true(tut_is_ok(tut_graph_walk(&g, seeds, 3, TUT_WALK_USERS, &w, NULL)));
    assert_int_equal(w.count, 3);
    assert_int_equal(w.distance[2], 1);
    assert_int_equal(w.from[1], 1);
}

static void what_is_not_there_is_refused(void **state)
{
    (void)state;
    TUT_CLEAN(tut_graph) g = {0};
    TUT_CLEAN(tut_walk) w = {0};
    uint32_t node, far = 9;
    assert_true(tut_is_ok(tut_graph_node(&g, &node, NULL)));
    assert_int_equal(tut_graph_edge(&g, 0, 1, NULL).code, TUT_BUG);
    assert_int_equal(tut_graph_walk(&g, &far, 1, TUT_WALK_USERS, &w, NULL).code, TUT_BUG);
    assert_true(tut_is_ok(tut_graph_freeze(&g, NULL)));
    assert_true(tut_is_ok(tut_graph_walk(&g, &far, 1, TUT_WALK_USERS, &w, NULL)));
    assert_int_equal(w.count, 0);
}

/* 100,000 edges over 20,000 nodes, all reached: the figure of the bench, with room for valgrind. */
static void a_hundred_thousand_edges_are_walked_at_once(void **state)
{
    (void)state;
    enum { NODES = 20000, EDGES = 100000 };
    TUT_CLEAN(tut_graph) g = {0};
    TUT_CLEAN(tut_walk) w = {0};
    uint32_t node, seed = 0;
    for (size_t i = 0; i < NODES; i++)
        assert_true(tut_is_ok(tut_graph_node(&g, &node, NULL)));
    for (uint32_t i = 1; i < NODES; i++)
        assert_true(tut_is_ok(tut_graph_edge(&g, i, i - 1, NULL)));
    for (uint32_t i = 0; i <= EDGES - NODES; i++) /* and a crowd at one node */
        assert_true(
            tut_is_ok(tut_graph_edge(&g, (i * 7919u) % NODES, i % 2 ? 0 : i % NODES, NULL)));
    assert_int_equal(g.edge_count, EDGES);
    clock_t start = clock();
    assert_true(tut_is_ok(tut_graph_freeze(&g, NULL)));
    assert_true(tut_is_ok(tut_graph_walk(&g, &seed, 1, TUT_WALK_USERS, &w, NULL)));
    double took = (double)(clock() - start) / CLOCKS_PER_SEC;
    assert_int_equal(w.count, NODES);
    if (took > 2.0)
        fail_msg("%.3f s", took);
}

/* --- questions --- */

static void questions_are_told_apart(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int kind; /* -1: refused */
    } cases[] = {
        {"7a1e3ec29dbdf7ea361a7ce03503fb7514116bdc31a3746770ad05f9b3b320a8", TUT_ASK_DIGEST},
        {"sha256:7A1E3EC29DBDF7EA", TUT_ASK_DIGEST},
        {"7a1e3ec29dbdf7e", -1},
        {"12", TUT_ASK_ENTRY},
        {"#12", TUT_ASK_ENTRY},
        {"traffic:3", TUT_ASK_ENTRY},
        {"model/a.b", TUT_ASK_ASSET},
        {"https://x.example/a", TUT_ASK_URL},
        {"x.example", TUT_ASK_URL},
        {"pkg:pypi/numpy@1.0", TUT_ASK_PACKAGE},
        {"word", -1},
        {"", -1},
        {"  ", -1},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        tut_question q;
        tut_error err = {0};
        tut_status status = tut_question_parse(cases[i].text, &q, &err);
        if (cases[i].kind < 0)
            assert_int_equal(status.code, TUT_USAGE);
        else if (!tut_is_ok(status) || (int)q.kind != cases[i].kind)
            fail_msg("%s: %s", cases[i].text, tut_is_ok(status) ? "another kind" : err.text);
    }
}

static void an_address_means_what_lies_below_it(void **state)
{
    (void)state;
    static const struct {
        const char *asked, *url;
        bool matches;
    } cases[] = {
        {"https://evil.example/data", "https://evil.example/data/a.csv", true},
        {"https://evil.example/data/", "http://EVIL.example:80/data", true},
        {"https://evil.example/data", "https://evil.example/database", false},
        {"https://evil.example/data", "https://evil.example/data?x=1", true},
        {"evil.example", "https://user@www.evil.example/x", true},
        {"evil.example", "https://cdn.evil.example/x", true},
        {"evil.example", "https://notevil.example/x", false},
        {"evil.example", "https://evil.example.org/x", false},
        {"s3://bucket/a", "https://bucket/a", false},
        {"s3://bucket/a", "s3://bucket/a/b", true},
        {"https:///x", "https:///x", false},
        {"https://evil.example/a", "https://other.example/a", false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        if (tut_url_matches(tut_str_of(cases[i].asked), tut_str_of(cases[i].url)) !=
            cases[i].matches)
            fail_msg("%s and %s", cases[i].asked, cases[i].url);
}

/* --- lineage --- */

#define D1 "1111111111111111111111111111111111111111111111111111111111111111"
#define D2 "2222222222222222222222222222222222222222222222222222222222222222"
#define D3 "3333333333333333333333333333333333333333333333333333333333333333"
#define D4 "4444444444444444444444444444444444444444444444444444444444444444"
#define ASSET(id, digest, more) "{\"id\":\"" id "\",\"digest\":{\"sha256\":\"" digest "\"}" more "}"

static const char *const before = "[" ASSET(
    "dataset/web", D1,
    ",\"url\":\"https://crawl.example/2024\",\"collected_at\":\"2024-01-01\","
    "\"parts\":[{\"path\":\"web/a.txt\",\"digest\":{\"sha256\":\"" D4
    "\"}}]") "," ASSET("model/m", D2, ",\"depends_on\":[\"dataset/web\",\"model/none\"]") "]";
static const char *const after =
    "[" ASSET("dataset/web", D3, ",\"sources\":[{\"url\":\"https://clean.example/\"}]") "," ASSET(
        "model/m", D2, ",\"depends_on\":[\"dataset/web\"]") ",{\"id\":5},7,{\"id\":\"\"}]";

static void take(tut_lineage *l, const char *text, uint64_t index, bool is_now)
{
    TUT_AUTO(tut_json_doc) doc = NULL;
    const tut_moment at = {.is_there = !is_now, .index = index, .at = (tut_time)index * 1000};
    assert_true(tut_is_ok(tut_json_parse(tut_span_of(text, strlen(text)), NULL, &doc, NULL)));
    assert_true(tut_is_ok(tut_lineage_take(l, tut_json_root(doc), &at, is_now)));
}

/* Names of what is reached, "dataset/web@1 model/m@2 ". */
static void trace(const char *asked, tut_walk_way way, char *names, size_t cap)
{
    tut_question q;
    TUT_CLEAN(tut_lineage) l;
    TUT_CLEAN(tut_walk) w = {0};
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    assert_true(tut_is_ok(tut_question_parse(asked, &q, NULL)));
    tut_lineage_init(&l, &q, NULL);
    take(&l, after, 0, true);
    take(&l, after, 9, false);
    take(&l, before, 5, false);
    assert_true(tut_is_ok(tut_graph_freeze(&l.graph, NULL)));
    assert_true(tut_is_ok(tut_graph_walk(&l.graph, l.seeds, l.seed_count, way, &w, NULL)));
    for (size_t i = 0; i < w.count; i++) {
        const tut_lineage_node *n = &l.nodes[w.nodes[i]];
        tut_buf_printf(&out, "%s@%x%s ", n->name, n->has_digest ? n->digest.bytes[0] >> 4 : 0,
                       n->is_now ? "+" : "");
    }
    tut_str_copy(names, cap, tut_buf_str(&out));
}

static void an_address_leads_to_what_was_made_then(void **state)
{
    (void)state;
    char names[512];
    trace("crawl.example", TUT_WALK_USERS, names, sizeof(names));
    assert_string_equal(names, "https://crawl.example/2024@0 dataset/web@1 model/m@2+ ");
    trace("clean.example", TUT_WALK_USERS, names, sizeof(names));
    assert_string_equal(names, "https://clean.example/@0+ dataset/web@3+ model/m@2+ ");
    trace(D4, TUT_WALK_USERS, names, sizeof(names)); /* a file in an earlier version */
    assert_string_equal(names, "dataset/web@1 model/m@2+ ");
    trace("model/m", TUT_WALK_USED, names, sizeof(names));
    assert_non_null(strstr(names, "dataset/web@1 "));
    assert_non_null(strstr(names, "https://crawl.example/2024@0"));
    trace("unknown.example", TUT_WALK_USERS, names, sizeof(names));
    assert_string_equal(names, "");
}

static void memory_that_runs_out_is_an_error_at_every_step(void **state)
{
    (void)state;
    tut_question q;
    assert_true(tut_is_ok(tut_question_parse("crawl.example", &q, NULL)));
    TUT_AUTO(tut_json_doc) doc = NULL;
    assert_true(tut_is_ok(tut_json_parse(tut_span_of(before, strlen(before)), NULL, &doc, NULL)));
    for (uint64_t n = 1;; n++) {
        TUT_CLEAN(tut_lineage) l;
        TUT_CLEAN(tut_walk) w = {0};
        tut_error err = {0};
        const tut_moment at = {.is_there = true, .index = 1};
        tut_lineage_init(&l, &q, &err);
        tut_alloc_fail_after(n);
        tut_status status = tut_lineage_take(&l, tut_json_root(doc), &at, false);
        if (tut_is_ok(status))
            status = tut_graph_freeze(&l.graph, &err);
        if (tut_is_ok(status))
            status = tut_graph_walk(&l.graph, l.seeds, l.seed_count, TUT_WALK_USERS, &w, &err);
        tut_alloc_fail_after(0);
        if (tut_is_ok(status)) {
            assert_int_equal(w.count, 3);
            assert_true(n > 10);
            break;
        }
        assert_int_equal(status.code, TUT_NOMEM);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_diamond_is_walked_once_and_by_the_shortest_way),
        cmocka_unit_test(circles_and_self_edges_end),
        cmocka_unit_test(what_is_not_there_is_refused),
        cmocka_unit_test(a_hundred_thousand_edges_are_walked_at_once),
        cmocka_unit_test(questions_are_told_apart),
        cmocka_unit_test(an_address_means_what_lies_below_it),
        cmocka_unit_test(an_address_leads_to_what_was_made_then),
        cmocka_unit_test(memory_that_runs_out_is_an_error_at_every_step),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
