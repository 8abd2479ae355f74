#include "assess/threat_view.h"

#include <string.h>

#include "base/json_write.h"
#include "base/map.h"

const char *const tut_view_levels[TUT_VIEW_LEVELS] = {"low", "medium", "elevated", "high",
                                                      "critical"};
const char *const tut_view_likelihoods[TUT_VIEW_SCALE] = {"rare", "unlikely", "possible", "likely",
                                                          "frequent"};
const char *const tut_view_impacts[TUT_VIEW_SCALE] = {"negligible", "minor", "moderate", "major",
                                                      "severe"};
const char *const tut_view_states[] = {"open", "treated", "accepted", "tolerated", NULL};

static tut_status malformed(const char *what, tut_error *err)
{
    return tut_fail(err, TUT_MALFORMED, "the recorded threat model cannot be read: %s", what);
}

static tut_status nomem(tut_error *err)
{
    return tut_fail(err, TUT_NOMEM, "memory ran out");
}

/* --- elements --- */

bool tut_view_is(const tut_view_element *e, const char *on)
{
    return tut_str_eq_z(e->on, on);
}

/* The document leaves out what is as the rules take it where nothing is said; these words are what
 * people would miss. */
static const struct {
    const char *on, *attribute, *word;
} unsaid[] = {
    {"component", "kind", "model"},    {"component", "trust", "internal"},
    {"boundary", "trust", "internal"}, {"flow", "auth", "none"},
    {"flow", "encryption", "none"},
};

tut_str tut_view_word(const tut_view_element *e, const char *attribute)
{
    tut_str said = tut_json_get_text(e->attributes, attribute);
    for (size_t i = 0; i < sizeof(unsaid) / sizeof(unsaid[0]) && said.len == 0; i++)
        if (tut_view_is(e, unsaid[i].on) && strcmp(attribute, unsaid[i].attribute) == 0)
            return tut_str_of(unsaid[i].word);
    return said;
}

bool tut_view_flag(const tut_view_element *e, const char *attribute)
{
    return tut_json_get_bool(e->attributes, attribute, false);
}

/* An element is known by what it is and its id: a flow and a component may share one. */
static const char *name_of(tut_arena *arena, tut_str on, tut_str id)
{
    char *name = tut_arena_take(arena, on.len + id.len + 2, 1);
    if (!name)
        return NULL;
    memcpy(name, on.data, on.len);
    name[on.len] = ' ';
    memcpy(name + on.len + 1, id.data, id.len);
    return name;
}

static size_t find(tut_threat_view *v, const tut_map *names, const char *on, tut_str id)
{
    const char *name = id.len ? name_of(&v->arena, tut_str_of(on), id) : NULL;
    return name ? tut_map_get(names, tut_str_of(name)) : SIZE_MAX;
}

static tut_status read_elements(tut_threat_view *v, tut_map *names, tut_error *err)
{
    const tut_json_value *list = tut_json_get(v->root, "elements");
    v->count = tut_json_count(list);
    v->elements = tut_arena_take(&v->arena, v->count + 1, sizeof(*v->elements));
    if (!v->elements)
        return nomem(err);
    for (size_t i = 0; i < v->count; i++) {
        const tut_json_value *json = tut_json_item(list, (uint32_t)i);
        tut_view_element *e = &v->elements[i];
        *e = (tut_view_element){.on = tut_json_get_text(json, "on"),
                                .id = tut_json_get_text(json, "id"),
                                .attributes = tut_json_get(json, "attributes"),
                                .residual = -1,
                                .inherent = -1};
        if (e->on.len == 0 || e->id.len == 0)
            return malformed("an element without a name", err);
        if (tut_view_is(e, "component"))
            e->kind = tut_view_word(e, "kind");
        const char *name = name_of(&v->arena, e->on, e->id);
        if (!name)
            return nomem(err);
        TUT_TRY(tut_map_put(names, tut_str_of(name), i, NULL, err));
    }
    return TUT_SUCCESS;
}

static void link_elements(tut_threat_view *v, const tut_map *names)
{
    const tut_json_value *list = tut_json_get(v->root, "elements");
    for (size_t i = 0; i < v->count; i++) {
        const tut_json_value *json = tut_json_item(list, (uint32_t)i);
        tut_view_element *e = &v->elements[i];
        e->from = find(v, names, "component", tut_json_get_text(json, "from"));
        e->to = find(v, names, "component", tut_json_get_text(json, "to"));
        e->holder = find(v, names, "component", tut_json_get_text(json, "holder"));
        e->boundary = find(v, names, "boundary", tut_json_get_text(json, "boundary"));
        e->asset = find(v, names, "asset", tut_json_get_text(json, "asset"));
    }
}

/* --- risks --- */

static tut_status read_size(const tut_json_value *json, const char *key, tut_view_size *ret,
                            tut_error *err)
{
    const tut_json_value *size = tut_json_get(json, key);
    tut_str word = tut_json_get_text(size, "level");
    int64_t likelihood = tut_json_get_int(size, "likelihood", 0);
    int64_t impact = tut_json_get_int(size, "impact", 0);
    *ret = (tut_view_size){.likelihood = (int)likelihood, .impact = (int)impact, .level = -1};
    for (int i = 0; i < TUT_VIEW_LEVELS; i++)
        if (tut_str_eq_z(word, tut_view_levels[i]))
            ret->level = i;
    if (likelihood < 1 || likelihood > TUT_VIEW_SCALE || impact < 1 || impact > TUT_VIEW_SCALE ||
        ret->level < 0)
        return malformed("a risk without its size", err);
    return TUT_SUCCESS;
}

static void count_at(tut_view_element *e, const tut_view_risk *r)
{
    e->risks++;
    e->open += tut_str_eq_z(r->state, "open");
    if (r->residual.level > e->residual)
        e->residual = r->residual.level;
    if (r->inherent.level > e->inherent)
        e->inherent = r->inherent.level;
}

static tut_status read_risks(tut_threat_view *v, const tut_map *names, tut_error *err)
{
    const tut_json_value *list = tut_json_get(v->root, "risks");
    v->risk_count = tut_json_count(list);
    v->risks = tut_arena_take(&v->arena, v->risk_count + 1, sizeof(*v->risks));
    if (!v->risks)
        return nomem(err);
    for (size_t i = 0; i < v->risk_count; i++) {
        const tut_json_value *json = tut_json_item(list, (uint32_t)i);
        tut_view_risk *r = &v->risks[i];
        *r = (tut_view_risk){.id = tut_json_get_text(json, "id"),
                             .rule = tut_json_get_text(json, "rule"),
                             .element = tut_json_get_text(json, "element"),
                             .on = tut_json_get_text(json, "on"),
                             .title = tut_json_get_text(json, "title"),
                             .threat = tut_json_get_text(json, "threat"),
                             .state = tut_json_get_text(json, "state"),
                             .json = json};
        if (r->id.len == 0)
            return malformed("a risk without a name", err);
        TUT_TRY(read_size(json, "inherent", &r->inherent, err));
        TUT_TRY(read_size(json, "residual", &r->residual, err));
        const char *name = name_of(&v->arena, r->on, r->element);
        if (!name)
            return nomem(err);
        r->at = tut_map_get(names, tut_str_of(name));
        if (r->at != SIZE_MAX)
            count_at(&v->elements[r->at], r);
    }
    return TUT_SUCCESS;
}

int tut_view_level_at(int likelihood, int impact)
{
    static const int up_to[TUT_VIEW_LEVELS - 1] = {3, 6, 10, 16};
    int level = 0;
    while (level < TUT_VIEW_LEVELS - 1 && likelihood * impact > up_to[level])
        level++;
    return level;
}

size_t tut_view_cell(const tut_threat_view *v, bool is_residual, int likelihood, int impact)
{
    size_t count = 0;
    for (size_t i = 0; i < v->risk_count; i++) {
        const tut_view_size *s = is_residual ? &v->risks[i].residual : &v->risks[i].inherent;
        count += s->likelihood == likelihood && s->impact == impact;
    }
    return count;
}

static void draw_with(tut_view_element *e, const tut_view_element *other)
{
    e->drawn_risks += other->risks;
    e->drawn_open += other->open;
    if (other->residual > e->drawn)
        e->drawn = other->residual;
}

static void gather_drawn(tut_threat_view *v)
{
    for (size_t i = 0; i < v->count; i++)
        v->elements[i].drawn = -1;
    for (size_t i = 0; i < v->count; i++) {
        tut_view_element *e = &v->elements[i];
        draw_with(e, e);
        if (tut_view_is(e, "component") && e->asset != SIZE_MAX)
            draw_with(e, &v->elements[e->asset]);
        if (e->holder != SIZE_MAX)
            draw_with(&v->elements[e->holder], e);
    }
}

size_t tut_view_in_state(const tut_threat_view *v, const char *state)
{
    size_t count = 0;
    for (size_t i = 0; i < v->risk_count; i++)
        count += tut_str_eq_z(v->risks[i].state, state);
    return count;
}

/* --- model failures --- */

static void add_failure(tut_threat_view *v, tut_str what, const char *why)
{
    v->failures[v->failure_count++] = (tut_view_failure){what, why};
}

static tut_status mark_carried(const tut_threat_view *v, const tut_map *names, bool *is_used,
                               tut_error *err)
{
    TUT_CLEAN(tut_buf) name = TUT_BUF_INIT;
    for (size_t i = 0; i < v->count; i++) {
        const tut_view_element *e = &v->elements[i];
        const tut_json_value *data = tut_json_get(e->attributes, "data");
        if (e->asset != SIZE_MAX)
            is_used[e->asset] = true;
        for (uint32_t k = 0; k < tut_json_count(data); k++) {
            tut_buf_clear(&name);
            tut_buf_add_z(&name, "asset ");
            tut_buf_add_str(&name, tut_json_text(tut_json_item(data, k)));
            TUT_TRY(tut_buf_check(&name, err));
            size_t at = tut_map_get(names, tut_buf_str(&name));
            if (at != SIZE_MAX)
                is_used[at] = true;
        }
    }
    return TUT_SUCCESS;
}

static void check_element(tut_threat_view *v, const tut_view_element *e, bool is_used)
{
    if (tut_view_is(e, "component") && !tut_view_flag(e, "owned"))
        add_failure(v, e->id, "nobody owns this component");
    if (tut_view_is(e, "flow") && (e->from == SIZE_MAX || e->to == SIZE_MAX))
        add_failure(v, e->id, "this flow dangles: an end of it is no component");
    if (tut_view_is(e, "boundary") && tut_json_get_int(e->attributes, "members", 0) == 0)
        add_failure(v, e->id, "nothing lies in this boundary");
    if (tut_view_is(e, "asset") && tut_str_eq_z(tut_view_word(e, "kind"), "dataset") && !is_used &&
        !tut_view_flag(e, "feeds_model"))
        add_failure(v, e->id,
                    "no component holds this data, no flow carries it, and it trains no "
                    "model");
}

/* What Threagile calls model failures, and what the engine itself could not look at. */
static tut_status find_failures(tut_threat_view *v, const tut_map *names, tut_error *err)
{
    const tut_json_value *gaps = tut_json_get(v->root, "gaps");
    TUT_AUTO_FREE bool *is_used = tut_alloc_array(v->count + 1, sizeof(*is_used));
    v->failures = tut_arena_take(&v->arena, v->count + tut_json_count(gaps) + 1,
                                 sizeof(*v->failures));
    if (!v->failures || !is_used)
        return nomem(err);
    for (uint32_t i = 0; i < tut_json_count(gaps); i++) {
        const tut_json_value *gap = tut_json_item(gaps, i);
        char *why = tut_arena_copy(&v->arena, tut_json_get_text(gap, "why"));
        if (!why)
            return nomem(err);
        add_failure(v, tut_json_get_text(gap, "what"), why);
    }
    TUT_TRY(mark_carried(v, names, is_used, err));
    for (size_t i = 0; i < v->count; i++)
        check_element(v, &v->elements[i], is_used[i]);
    return TUT_SUCCESS;
}

/* --- the whole --- */

static tut_status read_all(tut_threat_view *v, tut_span body, tut_map *names, tut_error *err)
{
    TUT_TRY(tut_json_parse(body, NULL, &v->doc, err));
    v->root = tut_json_root(v->doc);
    v->summary = tut_json_get(v->root, "summary");
    if (!tut_str_eq_z(tut_json_get_text(v->root, "schema"), "tutela.threats/1") || !v->summary)
        return malformed("it is not tutela.threats/1", err);
    TUT_TRY(read_elements(v, names, err));
    link_elements(v, names);
    TUT_TRY(read_risks(v, names, err));
    gather_drawn(v);
    return find_failures(v, names, err);
}

tut_status tut_threat_view_new(tut_span body, tut_threat_view **ret_view, tut_error *err)
{
    TUT_AUTO(tut_threat_view) v = tut_alloc_array(1, sizeof(*v));
    tut_map names = TUT_MAP_INIT;
    if (!v)
        return nomem(err);
    tut_arena_init(&v->arena, 0);
    tut_status status = read_all(v, body, &names, err);
    tut_map_done(&names);
    TUT_TRY(status);
    *ret_view = tut_move(&v);
    return TUT_SUCCESS;
}

void tut_threat_view_free(tut_threat_view *v)
{
    if (!v)
        return;
    tut_json_doc_free(v->doc);
    tut_arena_done(&v->arena);
    tut_free(v);
}

void tut_view_join(const tut_json_value *list, tut_buf *out)
{
    for (uint32_t i = 0; i < tut_json_count(list); i++) {
        tut_buf_add_z(out, i ? ", " : "");
        tut_buf_add_str(out, tut_json_text(tut_json_item(list, i)));
    }
}

/* --- the JSON report --- */

static void put_size(tut_json *j, const char *key, const tut_view_size *s)
{
    tut_json_key(j, key);
    tut_json_object(j);
    tut_json_put_z(j, "level", tut_view_levels[s->level]);
    tut_json_put_int(j, "likelihood", s->likelihood);
    tut_json_put_int(j, "impact", s->impact);
    tut_json_end_object(j);
}

static void put_risk(tut_json *j, const tut_view_risk *r)
{
    tut_json_object(j);
    tut_json_put_str(j, "id", r->id);
    tut_json_put_str(j, "rule", r->rule);
    tut_json_put_str(j, "element", r->element);
    tut_json_put_str(j, "threat", r->threat);
    tut_json_put_str(j, "title", r->title);
    tut_json_put_str(j, "state", r->state);
    put_size(j, "inherent", &r->inherent);
    put_size(j, "residual", &r->residual);
    tut_json_end_object(j);
}

static void put_failures(tut_json *j, const tut_threat_view *v)
{
    tut_json_key(j, "failures");
    tut_json_array(j);
    for (size_t i = 0; i < v->failure_count; i++) {
        tut_json_object(j);
        tut_json_put_str(j, "what", v->failures[i].what);
        tut_json_put_z(j, "why", v->failures[i].why);
        tut_json_end_object(j);
    }
    tut_json_end_array(j);
}

tut_status tut_threat_view_json(tut_span body, struct tut_json *j, tut_error *err)
{
    TUT_AUTO(tut_threat_view) v = NULL;
    tut_json_key(j, "threats");
    if (body.len == 0) {
        tut_json_null(j);
        return TUT_SUCCESS;
    }
    tut_error why = {0};
    tut_status status = tut_threat_view_new(body, &v, &why);
    if (status.code == TUT_NOMEM)
        return nomem(err);
    tut_json_object(j);
    if (!tut_is_ok(status)) { /* the rest of the report stands without it */
        tut_json_put_z(j, "problem", why.text);
        tut_json_end_object(j);
        return TUT_SUCCESS;
    }
    tut_json_put_str(j, "catalogue", tut_json_get_text(v->summary, "catalogue"));
    tut_json_put_u64(j, "elements", v->count);
    for (size_t i = 0; tut_view_states[i]; i++)
        tut_json_put_u64(j, tut_view_states[i], tut_view_in_state(v, tut_view_states[i]));
    put_failures(j, v);
    tut_json_key(j, "risks");
    tut_json_array(j);
    for (size_t i = 0; i < v->risk_count; i++)
        put_risk(j, &v->risks[i]);
    tut_json_end_array(j);
    tut_json_end_object(j);
    return TUT_SUCCESS;
}
