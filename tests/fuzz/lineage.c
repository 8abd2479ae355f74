/* Recorded inventories, and what is asked of them: a line with the question, then JSON. */
#include "assets/lineage.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void walk(const tut_question *q, tut_span text)
{
    tut_error err = {0};
    const tut_moment at = {.is_there = true, .index = 3, .at = 7};
    TUT_AUTO(tut_json_doc) doc = NULL;
    TUT_CLEAN(tut_lineage) l;
    TUT_CLEAN(tut_walk) w = {0};
    tut_lineage_init(&l, q, &err);
    if (!tut_is_ok(tut_json_parse(text, NULL, &doc, &err)) ||
        !tut_is_ok(tut_lineage_take(&l, tut_json_root(doc), &at, true)) ||
        !tut_is_ok(tut_lineage_source(&l, TUT_LIT("dataset/a"), TUT_LIT("https://x.example"))) ||
        !tut_is_ok(tut_graph_freeze(&l.graph, &err)) ||
        !tut_is_ok(tut_graph_walk(&l.graph, l.seeds, l.seed_count, TUT_WALK_USERS, &w, &err)))
        return;
    for (size_t i = 0; i < w.count; i++)
        if (w.from[w.nodes[i]] == TUT_NODE_NONE || !l.nodes[w.nodes[i]].name)
            __builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char asked[256];
    const uint8_t *end = size ? memchr(data, '\n', size) : NULL;
    size_t len = end ? (size_t)(end - data) : 0;
    if (!end || len >= sizeof(asked) || memchr(data, '\0', len))
        return 0;
    memcpy(asked, data, len);
    asked[len] = '\0';
    tut_question q;
    tut_error err = {0};
    if (tut_is_ok(tut_question_parse(asked, &q, &err)))
        walk(&q, tut_span_of(end + 1, size - len - 1));
    (void)tut_url_matches(tut_str_of(asked), tut_str_from(tut_span_of(end, size - len)));
    return 0;
}
