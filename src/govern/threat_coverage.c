#include "govern/threat_coverage.h"

#include <string.h>

#include "govern/threat_internal.h"

enum { WANTED = 9 }; /* the first words of tut_threat_words are those of the catalogue's rows */

bool tut_coverage_at(const tut_threats *t, size_t n, tut_coverage *ret)
{
    const char *at = tut_threat_words;
    for (size_t i = 0; i < n && *at; i++) {
        at += strcspn(at, " ");
        at += *at == ' ';
    }
    if (!*at)
        return false;
    tut_coverage c = {.threat = {at, strcspn(at, " ")}, .is_wanted = n < WANTED};
    for (size_t i = 0; i < t->rules->count; i++) {
        if (!tut_str_eq(t->rules->items[i].threat, c.threat))
            continue;
        c.rules++;
        c.looked_at += t->looked_at[i];
        c.risks += t->found[i];
    }
    *ret = c;
    return true;
}

/* --- gaps --- */

void tut_gaps_done(tut_gaps *g)
{
    for (size_t i = 0; i < g->count; i++)
        tut_free(g->items[i].what);
    tut_free(g->items);
    *g = (tut_gaps){0};
}

static tut_status add(tut_gaps *g, tut_str what, const char *why, bool decides, tut_error *err)
{
    TUT_TRY(tut_grow(&g->items, g->count, &g->capacity, sizeof(*g->items)));
    char *copy = tut_strndup(what.data, what.len);
    if (!copy)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    g->items[g->count++] = (tut_gap){copy, why, decides};
    return TUT_SUCCESS;
}

/* What runs, and what that depends on; and what was made of a model that runs. */
static tut_status reach_run(const tut_threat_model *m, const tut_system *s, bool *reached,
                            tut_error *err)
{
    TUT_AUTO_FREE size_t *queue = tut_alloc_array(s->asset_count + 1, sizeof(*queue));
    size_t head = 0, tail = 0;
    const tut_threat_element *assets = &m->elements[m->first[TUT_THREAT_ON_ASSET]];
    if (!queue)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (size_t i = 0; i < s->asset_count; i++)
        if (assets[i].values[TUT_AT_ASSET_RUN].number) {
            reached[i] = true;
            queue[tail++] = i;
        }
    while (head < tail) {
        const tut_str_list *needs = &s->assets[queue[head++]].depends_on;
        for (size_t i = 0; i < needs->count; i++) {
            size_t at = tut_map_get(&s->by_id, needs->items[i]);
            if (at == SIZE_MAX || reached[at])
                continue;
            reached[at] = true;
            queue[tail++] = at;
        }
    }
    for (size_t i = 0; i < s->asset_count; i++)
        for (size_t k = 0; k < s->assets[i].depends_on.count && !reached[i]; k++) {
            size_t at = tut_map_get(&s->by_id, s->assets[i].depends_on.items[k]);
            reached[i] = at != SIZE_MAX && s->assets[at].kind == TUT_KIND_MODEL &&
                         assets[at].values[TUT_AT_ASSET_RUN].number;
        }
    return TUT_SUCCESS;
}

static tut_status find_unplaced(const tut_threats *t, const tut_system *s, tut_gaps *g,
                                tut_error *err)
{
    TUT_AUTO_FREE bool *reached = tut_alloc_array(s->asset_count + 1, sizeof(*reached));
    if (!reached)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    TUT_TRY(reach_run(t->model, s, reached, err));
    for (size_t i = 0; i < s->asset_count; i++)
        if (s->assets[i].kind == TUT_KIND_MODEL && !reached[i])
            TUT_TRY(add(g, tut_str_of(s->assets[i].id),
                        "no component names this model, so who reaches it is not known", true,
                        err));
    return TUT_SUCCESS;
}

static bool is_about_graph(tut_str path)
{
    return tut_str_starts(path, TUT_LIT("component")) || tut_str_starts(path, TUT_LIT("flows")) ||
           tut_str_starts(path, TUT_LIT("boundaries"));
}

static tut_status find_lone(const tut_threats *t, const tut_system *s, tut_gaps *g, tut_error *err)
{
    const tut_threat_model *m = t->model;
    TUT_AUTO_FREE bool *joined = tut_alloc_array(s->component_count + 1, sizeof(*joined));
    if (!joined)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (size_t i = m->first[TUT_THREAT_ON_FLOW]; i < m->first[TUT_THREAT_ON_FLOW + 1]; i++)
        for (size_t k = TUT_THREAT_FROM; k <= TUT_THREAT_TO; k++)
            if (m->elements[i].links[k])
                joined[m->elements[i].links[k] - m->elements] = true;
    for (size_t i = 0; i < s->component_count; i++) {
        if (!joined[i])
            TUT_TRY(add(g, s->components[i].id,
                        "no flow leads to this component or from it, so nothing reaches it here",
                        false, err));
        if (!m->elements[i].links[TUT_THREAT_BOUNDARY])
            TUT_TRY(add(g, s->components[i].id,
                        "this component lies in no boundary, so its trust is taken for internal",
                        false, err));
    }
    return TUT_SUCCESS;
}

tut_status tut_gaps_find(const tut_threats *t, const tut_system *system, tut_gaps *ret,
                         tut_error *err)
{
    TUT_CLEAN(tut_gaps) g = {0};
    if (system->component_count == 0)
        TUT_TRY(add(&g, TUT_LIT("components"), "none is described, so there is nothing to model",
                    true, err));
    else
        TUT_TRY(find_unplaced(t, system, &g, err));
    for (size_t i = 0; i < system->todo.count; i++)
        if (is_about_graph(system->todo.items[i]))
            TUT_TRY(add(&g, system->todo.items[i], "is still to be said", true, err));
    TUT_TRY(find_lone(t, system, &g, err));
    *ret = g;
    g = (tut_gaps){0};
    return TUT_SUCCESS;
}
