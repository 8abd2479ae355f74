/* The threat model as recorded, read back; its picture and tables. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "assess/html_threats.h"
#include "assess/threat_picture.h"
#include "base/json_write.h"
#include "govern/threat.h"

static const char description[] =
    "schema: tutela.system/1\nsystem: {name: s, version: \"1\", purpose: p}\n"
    "assets:\n"
    "  - {id: model/m, path: m.onnx, origin: public}\n"
    "  - {id: dataset/unused, path: d.csv, origin: first-party}\n"
    "  - {id: dataset/carried, path: e.csv, origin: first-party}\n"
    "components:\n"
    "  - {id: user, kind: user-client, boundary: out, owner: o}\n"
    "  - {id: bot, kind: agent, asset: model/m, boundary: in, owner: o, agent: {tools: [pay]}}\n"
    "  - {id: \"<b>&\\\"x\", kind: log, boundary: in}\n"
    "flows:\n"
    "  - {id: ask, from: user, to: bot, data: [dataset/carried], auth: token, encryption: tls}\n"
    "  - {id: told, from: bot, to: \"<b>&\\\"x\"}\n"
    "boundaries:\n"
    "  - {id: out, trust: public, inside: []}\n"
    "  - {id: in, inside: []}\n"
    "  - {id: empty, inside: []}\n"
    "threats:\n  claims:\n    - {control: due-diligence, on: model/m, note: n}\n";

typedef struct world {
    tut_system *system;
    tut_threats *threats;
    tut_buf body;
    tut_threat_view *view;
} world;

static int setup(void **state)
{
    world *w = calloc(1, sizeof(*w));
    tut_error err = {0};
    assert_non_null(w);
    if (!tut_is_ok(tut_system_parse_here(".", "t", tut_str_of(description), &w->system, &err)))
        fail_msg("%s", err.text);
    tut_threat_sources from = {.system = w->system, .at = 1000000000};
    if (!tut_is_ok(tut_threats_new(&from, &w->threats, &err)) ||
        !tut_is_ok(tut_threats_body(w->threats, &from, &w->body, &err)) ||
        !tut_is_ok(tut_threat_view_new(tut_buf_span(&w->body), &w->view, &err)))
        fail_msg("%s", err.text);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    world *w = *state;
    tut_threat_view_free(w->view);
    tut_threats_free(w->threats);
    tut_system_free(w->system);
    tut_buf_done(&w->body);
    free(w);
    return 0;
}

static const tut_view_element *element(const tut_threat_view *v, const char *on, const char *id)
{
    for (size_t i = 0; i < v->count; i++)
        if (tut_view_is(&v->elements[i], on) && tut_str_eq_z(v->elements[i].id, id))
            return &v->elements[i];
    fail_msg("no %s %s", on, id);
    return NULL;
}

static bool has(const tut_buf *b, const char *needle)
{
    return memmem(b->data, b->len, needle, strlen(needle)) != NULL;
}

/* --- reading --- */

static void what_was_judged_is_read_back(void **state)
{
    world *w = *state;
    const tut_threat_view *v = w->view;
    assert_int_equal(v->risk_count, w->threats->count);
    assert_true(v->risk_count > 5);
    for (size_t i = 0; i < v->risk_count; i++) {
        const tut_risk *r = &w->threats->risks[i];
        assert_true(tut_str_eq_z(v->risks[i].id, r->id));
        assert_int_equal(v->risks[i].residual.level, r->residual.level);
        assert_int_equal(v->risks[i].inherent.likelihood, r->inherent.likelihood);
        assert_true(v->risks[i].at != SIZE_MAX);
    }
    assert_int_equal(tut_view_in_state(v, "open"), w->threats->by_state[TUT_RISK_OPEN]);
    const tut_view_element *bot = element(v, "component", "bot");
    assert_true(tut_str_eq_z(bot->kind, "agent"));
    assert_true(tut_str_eq_z(v->elements[bot->boundary].id, "in"));
    assert_true(tut_str_eq_z(v->elements[bot->asset].id, "model/m"));
    const tut_view_element *ask = element(v, "flow", "ask");
    assert_ptr_equal(&v->elements[ask->to], bot);
    assert_true(tut_view_flag(ask, "crosses"));
    assert_false(tut_view_flag(element(v, "flow", "told"), "crosses"));
    assert_true(tut_str_eq_z(tut_view_word(element(v, "flow", "told"), "auth"), "none"));
}

static void words_and_levels_are_those_of_the_engine(void **state)
{
    (void)state;
    assert_int_equal(TUT_VIEW_LEVELS, TUT_RISK_LEVEL_COUNT);
    for (size_t i = 0; i < TUT_VIEW_LEVELS; i++)
        assert_string_equal(tut_view_levels[i], tut_risk_level_names[i]);
    for (int i = 1; i <= TUT_VIEW_SCALE; i++) {
        assert_string_equal(tut_view_likelihoods[i - 1], tut_likelihood_names[i - 1]);
        assert_string_equal(tut_view_impacts[i - 1], tut_impact_names[i - 1]);
        for (int k = 1; k <= TUT_VIEW_SCALE; k++)
            assert_int_equal(tut_view_level_at(i, k), tut_risk_size_of(i, k).level);
    }
    for (size_t i = 0; i < TUT_RISK_STATE_COUNT; i++)
        assert_string_equal(tut_view_states[i], tut_risk_state_names[i]);
    assert_null(tut_view_states[TUT_RISK_STATE_COUNT]);
}

static void each_risk_stands_in_one_cell(void **state)
{
    world *w = *state;
    for (int which = 0; which < 2; which++) {
        size_t sum = 0;
        for (int l = 1; l <= TUT_VIEW_SCALE; l++)
            for (int i = 1; i <= TUT_VIEW_SCALE; i++)
                sum += tut_view_cell(w->view, which, l, i);
        assert_int_equal(sum, w->view->risk_count);
    }
}

static void a_component_is_drawn_with_its_asset_and_permissions(void **state)
{
    world *w = *state;
    const tut_view_element *bot = element(w->view, "component", "bot");
    const tut_view_element *model = element(w->view, "asset", "model/m");
    const tut_view_element *pay = element(w->view, "permission", "bot/pay");
    assert_true(model->risks > 0 && pay->risks > 0);
    assert_int_equal(bot->drawn_risks, bot->risks + model->risks + pay->risks);
    assert_true(bot->drawn >= bot->residual && bot->drawn >= model->residual);
    assert_int_equal(model->drawn_risks, model->risks);
}

static bool fails(const tut_threat_view *v, const char *what, const char *why)
{
    for (size_t i = 0; i < v->failure_count; i++)
        if (tut_str_eq_z(v->failures[i].what, what) && strstr(v->failures[i].why, why))
            return true;
    return false;
}

static void failures_of_the_model_are_found(void **state)
{
    world *w = *state;
    assert_true(fails(w->view, "<b>&\"x", "nobody owns"));
    assert_false(fails(w->view, "bot", "nobody owns"));
    assert_true(fails(w->view, "dataset/unused", "no component holds"));
    assert_false(fails(w->view, "dataset/carried", "no component holds"));
    assert_true(fails(w->view, "empty", "nothing lies"));
    assert_false(fails(w->view, "in", "nothing lies"));
}

static void a_flow_without_an_end_dangles(void **state)
{
    static const char body[] =
        "{\"schema\":\"tutela.threats/1\",\"summary\":{},\"risks\":[],\"elements\":[{\"on\":"
        "\"component\",\"id\":\"a\",\"attributes\":{\"owned\":true}},{\"on\":\"flow\",\"id\":\"f\","
        "\"from\":\"a\",\"attributes\":{}}]}";
    TUT_AUTO(tut_threat_view) v = NULL;
    TUT_CLEAN(tut_buf) dot = TUT_BUF_INIT;
    (void)state;
    assert_true(tut_is_ok(tut_threat_view_new(tut_span_of(body, sizeof(body) - 1), &v, NULL)));
    assert_true(fails(v, "f", "dangles"));
    assert_true(tut_is_ok(tut_threat_dot(v, &dot, NULL)));
    assert_false(has(&dot, "->"));
}

static void what_is_no_model_is_refused(void **state)
{
    static const char *const bodies[] = {
        "",
        "[]",
        "{}",
        "{\"schema\":\"tutela.threats/1\"}",
        "{\"schema\":\"tutela.threats/2\",\"summary\":{}}",
        "{\"schema\":\"tutela.threats/1\",\"summary\":{},\"elements\":[{\"on\":\"flow\"}]}",
        "{\"schema\":\"tutela.threats/1\",\"summary\":{},\"risks\":[{}]}",
        ("{\"schema\":\"tutela.threats/1\",\"summary\":{},\"risks\":[{\"id\":\"a@b\",\"inherent\":"
         "{\"level\":\"low\",\"likelihood\":6,\"impact\":1},\"residual\":{\"level\":\"low\","
         "\"likelihood\":1,\"impact\":1}}]}"),
        ("{\"schema\":\"tutela.threats/1\",\"summary\":{},\"risks\":[{\"id\":\"a@b\",\"inherent\":"
         "{\"level\":\"dire\",\"likelihood\":1,\"impact\":1}}]}")};
    world *w = *state;
    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        TUT_AUTO(tut_threat_view) v = NULL;
        tut_error err = {0};
        tut_status s = tut_threat_view_new(tut_span_of(bodies[i], strlen(bodies[i])), &v, &err);
        if (s.code != TUT_MALFORMED)
            fail_msg("%s: %d", bodies[i], (int)s.code);
    }
    for (size_t len = 0; len < w->body.len; len += 97) {
        TUT_AUTO(tut_threat_view) v = NULL;
        assert_false(tut_is_ok(tut_threat_view_new(tut_span_of(w->body.data, len), &v, NULL)));
    }
}

static void memory_may_run_out_at_any_point(void **state)
{
    world *w = *state;
    bool is_done = false;
    for (uint64_t n = 1; !is_done && n < 2000; n++) {
        TUT_AUTO(tut_threat_view) v = NULL;
        tut_alloc_fail_after(n);
        tut_status s = tut_threat_view_new(tut_buf_span(&w->body), &v, NULL);
        tut_alloc_fail_after(0);
        is_done = tut_is_ok(s);
        assert_true(is_done || s.code == TUT_NOMEM);
    }
    assert_true(is_done);
}

/* --- the graph --- */

static void the_graph_is_the_same_each_time_and_holds_no_names_of_ours_but_labels(void **state)
{
    world *w = *state;
    TUT_CLEAN(tut_buf) one = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) two = TUT_BUF_INIT;
    assert_true(tut_is_ok(tut_threat_dot(w->view, &one, NULL)));
    assert_true(tut_is_ok(tut_threat_dot(w->view, &two, NULL)));
    assert_int_equal(one.len, two.len);
    assert_memory_equal(one.data, two.data, one.len);
    assert_true(has(&one, "subgraph cluster_0") && has(&one, "subgraph cluster_1"));
    assert_true(has(&one, "n0 -> n1 [id=\"e0\", style=dashed"));
    assert_true(has(&one, "n1 -> n2 [id=\"e1\""));
    assert_true(has(&one, "auth token, tls") && has(&one, "auth none, plain"));
    assert_true(has(&one, "&lt;b&gt;&amp;&quot;x"));
    assert_false(has(&one, "<b>&"));
}

static const char layout[] =
    "{\"bb\":\"0,0,400,200\",\"objects\":[{\"name\":\"cluster_0\",\"bb\":\"5,100,150,190\"},"
    "{\"name\":\"cluster_1\",\"bb\":\"200,10,390,190\"},"
    "{\"name\":\"n0\",\"pos\":\"75,130\",\"width\":\"1.5\",\"height\":\"0.75\"},"
    "{\"name\":\"n1\",\"pos\":\"300,130\",\"width\":\"1.5\",\"height\":\"0.75\"},"
    "{\"name\":\"n2\",\"pos\":\"300,50\",\"width\":\"1.5\",\"height\":\"0.75\"}],"
    "\"edges\":[{\"id\":\"e0\",\"pos\":\"e,246,130 129,130 160,130 200,130 236,130\",\"lp\":"
    "\"187,140\"},{\"id\":\"e1\",\"pos\":\"e,300,77 300,103 300,98 300,92 300,87\",\"lp\":"
    "\"320,90\"}]}";

static tut_status read_layout(tut_str json, tut_layout **ret)
{
    return tut_layout_read(json, false, 3, 3, 2, ret, NULL);
}

static void a_layout_is_read_with_the_origin_above(void **state)
{
    TUT_AUTO(tut_layout) l = NULL;
    TUT_AUTO(tut_layout) caged = NULL;
    (void)state;
    assert_true(tut_is_ok(read_layout(tut_str_of(layout), &l)));
    assert_true(l->width > 399.9 && l->width < 400.1);
    assert_true(l->nodes[0].x > 20.9 && l->nodes[0].x < 21.1);
    assert_true(l->nodes[0].y > 42.9 && l->nodes[0].y < 43.1);
    assert_true(l->clusters[1].is_there && !l->clusters[2].is_there);
    assert_int_equal(l->edges[0].count, 14);
    assert_true(l->edges[1].has_label);
    assert_true(tut_is_ok(tut_layout_read(tut_str_of(layout), true, 3, 3, 2, &caged, NULL)));
    assert_int_equal(caged->point_count, l->point_count);
    assert_memory_equal(caged->points, l->points, l->point_count * sizeof(*l->points));
}

static void a_bad_layout_is_refused_or_lacks_something(void **state)
{
    char text[sizeof(layout)];
    (void)state;
    for (size_t len = 0; len + 1 < sizeof(layout); len++) {
        TUT_AUTO(tut_layout) l = NULL;
        assert_false(tut_is_ok(read_layout((tut_str){layout, len}, &l)));
    }
    for (size_t at = 0; at + 1 < sizeof(layout); at++)
        for (int bit = 0; bit < 8; bit++) {
            TUT_AUTO(tut_layout) l = NULL;
            memcpy(text, layout, sizeof(text));
            text[at] = (char)(text[at] ^ (1 << bit));
            tut_status s = read_layout((tut_str){text, sizeof(text) - 1}, &l);
            if (tut_is_ok(s)) {
                assert_true(l->point_count <= 28);
                assert_true(l->nodes[2].is_there);
            }
        }
    TUT_AUTO(tut_layout) few = NULL;
    assert_false(tut_is_ok(tut_layout_read(tut_str_of(layout), false, 4, 3, 2, &few, NULL)));
    assert_false(tut_is_ok(tut_layout_read(tut_str_of(layout), false, 2, 3, 2, &few, NULL)));
}

/* --- the picture --- */

static void the_picture_says_in_words_what_it_shows(void **state)
{
    world *w = *state;
    TUT_AUTO(tut_layout) l = NULL;
    TUT_CLEAN(tut_buf) alone = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) within = TUT_BUF_INIT;
    assert_true(tut_is_ok(read_layout(tut_str_of(layout), &l)));
    assert_true(tut_is_ok(tut_threat_draw(w->view, l, TUT_PICTURE_ALONE, &alone, NULL)));
    assert_true(tut_is_ok(tut_threat_draw(w->view, l, TUT_PICTURE_IN_PAGE, &within, NULL)));
    const tut_view_element *bot = element(w->view, "component", "bot");
    char words[64];
    snprintf(words, sizeof(words), ">%s, %zu open<", tut_view_levels[bot->drawn], bot->drawn_open);
    assert_true(has(&alone, words));
    snprintf(words, sizeof(words), "tm-n tm-r%d", bot->drawn);
    assert_true(has(&alone, words));
    assert_true(has(&alone, "flow ask from user to bot, crosses a trust boundary"));
    assert_true(has(&alone, "prefers-color-scheme:dark") && has(&alone, "role=\"img\""));
    assert_true(has(&alone, "&lt;b&gt;&amp;&quot;x") && !has(&alone, "<b>"));
    assert_false(has(&alone, "href") || has(&alone, "<script"));
    assert_true(has(&within, "href=\"#t-e-1\"") && !has(&within, "<style"));
}

/* The model with its picture, as it is recorded; before: a body recorded earlier, or NULL. */
static tut_threat_view *recorded(world *w, const tut_buf *before, tut_buf *body)
{
    tut_assessment a = {.threat_model = before ? *before : TUT_BUF_INIT};
    tut_threat_sources from = {
        .system = w->system, .assessment = before ? &a : NULL, .at = 1000000000};
    tut_threat_view *v = NULL;
    tut_error err = {0};
    if (!tut_is_ok(tut_threats_body_with_picture(w->threats, &from, body, &err)) ||
        !tut_is_ok(tut_threat_view_new(tut_buf_span(body), &v, &err)))
        fail_msg("%s", err.text);
    return v;
}

static char *set_path(const char *path)
{
    const char *was = getenv("PATH");
    char *kept = strdup(was ? was : "");
    assert_non_null(kept);
    assert_int_equal(setenv("PATH", path, 1), 0);
    return kept;
}

static void without_graphviz_the_page_says_so_and_has_its_tables(void **state)
{
    world *w = *state;
    tut_error err = {0};
    TUT_CLEAN(tut_buf) body = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) svg = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) page = TUT_BUF_INIT;
    char *kept = set_path("/nonexistent");
    TUT_AUTO(tut_threat_view) v = recorded(w, NULL, &body);
    tut_status s = tut_threat_svg(v, TUT_PICTURE_ALONE, &svg, &err);
    assert_int_equal(s.code, TUT_UNSUPPORTED);
    assert_non_null(strstr(err.text, "Graphviz is not installed"));
    assert_int_equal(svg.len, 0);
    assert_true(tut_is_ok(tut_threat_page(v, "s<i>", 1000000000, &page, NULL)));
    free(set_path(kept));
    free(kept);
    assert_true(has(&page, "The diagram is missing: Graphviz is not installed"));
    assert_true(has(&page, "Table of flows") && has(&page, "Risk matrix"));
    assert_true(has(&page, "Claimed, not counted") && has(&page, "due-diligence"));
    assert_true(has(&page, "Model failures") && has(&page, "s&lt;i&gt;"));
    assert_false(has(&page, "<script") || has(&page, "<b>&\""));
    s = tut_threat_svg(w->view, TUT_PICTURE_ALONE, &svg, &err); /* recorded without one */
    assert_int_equal(s.code, TUT_UNSUPPORTED);
}

/* A model of the same graph, with places of ours: nobody asks Graphviz. */
static void places_are_recorded_and_taken_over(void **state)
{
    world *w = *state;
    TUT_CLEAN(tut_buf) dot = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) before = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) body = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) svg = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) again = TUT_BUF_INIT;
    tut_sha256 of;
    char hex[TUT_SHA256_HEX];
    assert_true(tut_is_ok(tut_threat_dot(w->view, &dot, NULL)));
    assert_true(tut_is_ok(tut_sha256_of(tut_buf_span(&dot), &of, NULL)));
    tut_sha256_hex(&of, hex);
    tut_buf_add(&before, w->body.data, w->body.len - 1);
    tut_buf_printf(&before,
                   ",\"picture\":{\"of\":{\"sha256\":\"%s\"},\"width\":4000,\"height\":2000,"
                   "\"components\":[210,430,1080,540,2460,430,1080,540,2460,1230,1080,540],"
                   "\"boundaries\":[50,100,1450,900,2000,100,1900,1800,0,0,0,0],\"flows\":[{"
                   "\"label\":[1870,600],\"way\":[1290,700,1600,700,2000,700,2360,700,2360,700,"
                   "2460,700,2460,700]},{\"way\":[]}]}}",
                   hex);
    char *kept = set_path("/nonexistent");
    TUT_AUTO(tut_threat_view) v = recorded(w, &before, &body);
    free(set_path(kept));
    free(kept);
    tut_error err = {0};
    if (!tut_is_ok(tut_threat_svg(v, TUT_PICTURE_ALONE, &svg, &err)))
        fail_msg("%s", err.text);
    assert_true(has(&svg, ">bot<") && has(&svg, "flow ask from user to bot"));
    assert_false(has(&svg, "flow told")); /* not drawn */
    assert_true(tut_is_ok(tut_threat_svg(v, TUT_PICTURE_ALONE, &again, NULL)));
    assert_int_equal(svg.len, again.len);
    assert_memory_equal(svg.data, again.data, svg.len);
}

/* Once it took too long: whoever assesses each hour does not wait for it each time. */
static void what_took_too_long_is_not_tried_again(void **state)
{
    world *w = *state;
    TUT_CLEAN(tut_buf) dot = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) before = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) body = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) svg = TUT_BUF_INIT;
    tut_sha256 of;
    tut_error err = {0};
    char hex[TUT_SHA256_HEX];
    assert_true(tut_is_ok(tut_threat_dot(w->view, &dot, NULL)));
    assert_true(tut_is_ok(tut_sha256_of(tut_buf_span(&dot), &of, NULL)));
    tut_sha256_hex(&of, hex);
    tut_buf_add(&before, w->body.data, w->body.len - 1);
    tut_buf_printf(&before,
                   ",\"picture\":{\"of\":{\"sha256\":\"%s\"},\"problem\":\"too slow\",\"tried\":"
                   "true}}",
                   hex);
    TUT_AUTO(tut_threat_view) v = recorded(w, &before, &body);
    assert_int_equal(tut_threat_svg(v, TUT_PICTURE_ALONE, &svg, &err).code, TUT_UNSUPPORTED);
    assert_string_equal(err.text, "too slow");
    assert_true(has(&body, "\"tried\":true"));
}

static void places_of_something_else_are_refused(void **state)
{
    static const char *const pictures[] = {
        "{}",
        "3",
        "{\"width\":1,\"height\":1,\"components\":[],\"boundaries\":[],\"flows\":[]}",
        "{\"width\":1e99,\"height\":1}",
        ("{\"width\":1,\"height\":1,\"components\":[0,0,1,1,0,0,1,1,0,0,1,1],\"boundaries\":[0,0,1,"
         "1,0,0,1,1,0,0,1,1],\"flows\":[{\"way\":[1,2,3]},{}]}"),
        ("{\"width\":1,\"height\":1,\"components\":[0,0,1,1,0,0,1,1,0,0,1,\"x\"],\"boundaries\":["
         "0,0,1,1,0,0,1,1,0,0,1,1],\"flows\":[{},{}]}")};
    world *w = *state;
    for (size_t i = 0; i < sizeof(pictures) / sizeof(pictures[0]); i++) {
        TUT_CLEAN(tut_buf) body = TUT_BUF_INIT;
        TUT_CLEAN(tut_buf) svg = TUT_BUF_INIT;
        TUT_AUTO(tut_threat_view) v = NULL;
        tut_buf_add(&body, w->body.data, w->body.len - 1);
        tut_buf_printf(&body, ",\"picture\":%s}", pictures[i]);
        assert_true(tut_is_ok(tut_threat_view_new(tut_buf_span(&body), &v, NULL)));
        assert_int_equal(tut_threat_svg(v, TUT_PICTURE_ALONE, &svg, NULL).code, TUT_MALFORMED);
    }
}

static void a_width_of_text_grows_with_it(void **state)
{
    (void)state;
    assert_true(tut_text_width(TUT_LIT("iii"), 10) < tut_text_width(TUT_LIT("WWW"), 10));
    assert_true(tut_text_width(TUT_LIT("W"), 10) > 9.4 && tut_text_width(TUT_LIT("W"), 10) < 9.5);
    assert_true(tut_text_width(TUT_LIT("\xe6\xbc\xa2"), 10) > 10);
    assert_true(tut_text_width(TUT_LIT("\xff"), 10) > 5);
}

static void the_json_report_has_a_row_a_risk_or_says_what_is_wrong(void **state)
{
    world *w = *state;
    static const char *const bodies[] = {NULL, "", "{}"};
    static const char *const found[] = {"\"risks\":[{", "{\"threats\":null}", "\"problem\":\""};
    for (size_t i = 0; i < 3; i++) {
        TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
        TUT_AUTO(tut_json) j = NULL;
        tut_span body = bodies[i] ? tut_span_of(bodies[i], strlen(bodies[i]))
                                  : tut_buf_span(&w->body);
        assert_true(tut_is_ok(tut_json_new(&out, &j)));
        tut_json_object(j);
        assert_true(tut_is_ok(tut_threat_view_json(body, j, NULL)));
        tut_json_end_object(j);
        assert_true(tut_is_ok(tut_json_finish(j, NULL)));
        assert_true(has(&out, found[i]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_judged_is_read_back),
        cmocka_unit_test(words_and_levels_are_those_of_the_engine),
        cmocka_unit_test(each_risk_stands_in_one_cell),
        cmocka_unit_test(a_component_is_drawn_with_its_asset_and_permissions),
        cmocka_unit_test(failures_of_the_model_are_found),
        cmocka_unit_test(a_flow_without_an_end_dangles),
        cmocka_unit_test(what_is_no_model_is_refused),
        cmocka_unit_test(memory_may_run_out_at_any_point),
        cmocka_unit_test(the_graph_is_the_same_each_time_and_holds_no_names_of_ours_but_labels),
        cmocka_unit_test(a_layout_is_read_with_the_origin_above),
        cmocka_unit_test(a_bad_layout_is_refused_or_lacks_something),
        cmocka_unit_test(the_picture_says_in_words_what_it_shows),
        cmocka_unit_test(without_graphviz_the_page_says_so_and_has_its_tables),
        cmocka_unit_test(places_are_recorded_and_taken_over),
        cmocka_unit_test(what_took_too_long_is_not_tried_again),
        cmocka_unit_test(places_of_something_else_are_refused),
        cmocka_unit_test(a_width_of_text_grows_with_it),
        cmocka_unit_test(the_json_report_has_a_row_a_risk_or_says_what_is_wrong),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
