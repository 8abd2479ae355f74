#include "probe/policy.h"

#include <math.h>
#include <string.h>

static const tut_field probe_fields[] = {
    {"targets", TUT_FIELD_OTHER, 0, 0, false, NULL},
    {"bounds", TUT_FIELD_OTHER, 0, 0, false, NULL},
};

static const tut_field target_fields[] = {
    TUT_FIELD(TEXT, tut_probe_target, id, true, NULL),
    TUT_FIELD(TEXT, tut_probe_target, asset, false, NULL),
    TUT_FIELD(TEXT, tut_probe_target, at, true, NULL),
    TUT_FIELD(TEXT, tut_probe_target, guard, false, NULL),
    TUT_FIELD(TEXT, tut_probe_target, model, false, NULL),
    TUT_FIELD(TEXT, tut_probe_target, key_file, false, NULL),
    TUT_FIELD(TEXT, tut_probe_target, guard_key_file, false, NULL),
    TUT_FIELD(TEXT, tut_probe_target, reference_at, false, NULL),
    TUT_FIELD(TEXT, tut_probe_target, reference_model, false, NULL),
    TUT_FIELD(TEXT, tut_probe_target, reference_key_file, false, NULL),
    TUT_FIELD(TEXT, tut_probe_target, members, false, NULL),
    TUT_FIELD(TEXT, tut_probe_target, others, false, NULL),
    TUT_FIELD(TEXT, tut_probe_target, label, false, NULL),
    TUT_FIELD(TEXT, tut_probe_target, references, false, NULL),
    TUT_FIELD(TEXTS, tut_probe_target, columns, false, NULL),
    TUT_FIELD(TEXTS, tut_probe_target, probes, false, NULL),
    TUT_FIELD(TEXTS, tut_probe_target, fixed, false, NULL),
    TUT_FIELD(TEXTS, tut_probe_target, shape, false, NULL),
    TUT_FIELD(TEXT, tut_probe_target, canaries, false, NULL),
    TUT_FIELD(TEXT, tut_probe_target, system_prompt, false, NULL),
    TUT_FIELD(TEXT, tut_probe_target, tools, false, NULL),
    TUT_FIELD(TEXT, tut_probe_target, questions, false, NULL),
    TUT_FIELD(TEXT, tut_probe_target, tool_result, false, NULL),
    TUT_FIELD(TEXT, tut_probe_target, documents, false, NULL),
    TUT_FIELD(TEXT, tut_probe_target, other_documents, false, NULL),
    TUT_FIELD(TEXT, tut_probe_target, flood_key_file, false, NULL),
    TUT_FIELD(TEXT, tut_probe_target, ca_file, false, NULL),
    {"norm", TUT_FIELD_WORD, offsetof(tut_probe_target, norm_word), 0, false, "linf l2 l0"},
    TUT_FIELD(TEXT, tut_probe_target, failure_command, false, NULL),
    TUT_FIELD(REAL, tut_probe_target, scale, false, NULL),
    TUT_FIELD(REAL, tut_probe_target, size, false, NULL),
    TUT_FIELD(REAL, tut_probe_target, low, false, NULL),
    TUT_FIELD(REAL, tut_probe_target, high, false, NULL),
    TUT_FIELD(REAL, tut_probe_target, per_second, false, NULL),
    TUT_FIELD(REAL, tut_probe_target, money, false, NULL),
    TUT_FIELD(REAL, tut_probe_target, price_query, false, NULL),
    TUT_FIELD(REAL, tut_probe_target, price_million, false, NULL),
    TUT_FIELD(COUNT, tut_probe_target, queries, false, NULL),
    TUT_FIELD(COUNT, tut_probe_target, concurrency, false, NULL),
    TUT_FIELD(COUNT, tut_probe_target, rows, false, NULL),
    TUT_FIELD(COUNT, tut_probe_target, models, false, NULL),
};

typedef struct bound_line {
    tut_str probe, metric;
    double at_most, at_least;
} bound_line;

static const tut_field bound_fields[] = {
    TUT_FIELD(TEXT, bound_line, probe, true, NULL),
    TUT_FIELD(TEXT, bound_line, metric, true, NULL),
    TUT_FIELD(REAL, bound_line, at_most, false, NULL),
    TUT_FIELD(REAL, bound_line, at_least, false, NULL),
};

bool tut_place_is_url(tut_str place)
{
    return tut_str_starts(place, TUT_LIT("http://")) || tut_str_starts(place, TUT_LIT("https://"));
}

static bool is_command(tut_str place)
{
    return tut_str_starts(place, TUT_LIT("command:"));
}

static tut_status check_path(tut_schema *s, const tut_yaml_node *n, const char *key, tut_str path)
{
    if (path.len == 0 || tut_place_is_url(path) || is_command(path) ||
        tut_system_path_is_below(path))
        return TUT_SUCCESS;
    return tut_schema_fail_node(s, tut_yaml_get(s->system->yaml, n, key),
                                "%s is a file below the folder of tutela.yaml", key);
}

static tut_status check_target(tut_schema *s, const tut_yaml_node *n, const tut_probe_policy *p,
                               const tut_probe_target *t)
{
    const tut_yaml *y = s->system->yaml;
    const struct {
        const char *key;
        tut_str path;
    } paths[] = {{"at", t->at},
                 {"key_file", t->key_file},
                 {"reference_at", t->reference_at},
                 {"reference_key_file", t->reference_key_file},
                 {"others", t->others},
                 {"guard_key_file", t->guard_key_file},
                 {"members", t->members},
                 {"references", t->references},
                 {"canaries", t->canaries},
                 {"system_prompt", t->system_prompt},
                 {"tools", t->tools},
                 {"questions", t->questions},
                 {"tool_result", t->tool_result},
                 {"documents", t->documents},
                 {"other_documents", t->other_documents},
                 {"flood_key_file", t->flood_key_file},
                 {"ca_file", t->ca_file}};
    if (t->id.len == 0 || t->at.len == 0 || tut_probe_target_of(p, t->id))
        return tut_schema_fail_node(s, n,
                                    "a target has an id of its own, and says where it is: at");
    for (size_t i = 0; i < TUT_COUNT(paths); i++)
        TUT_TRY(check_path(s, n, paths[i].key, paths[i].path));
    if (t->guard.len && !tut_place_is_url(t->guard))
        return tut_schema_fail_node(s, tut_yaml_get(y, n, "guard"),
                                    "guard is the address of the same model behind the guard");
    for (size_t i = 0; i < t->shape.count; i++) {
        uint64_t length = 0;
        if (t->shape.count > 8 || !tut_str_u64(t->shape.items[i], &length) || length == 0)
            return tut_schema_fail_node(s, tut_yaml_get(y, n, "shape"),
                                        "a shape is at most 8 whole numbers, channels first");
    }
    const tut_asset *a = t->asset.len ? tut_system_asset(s->system, t->asset) : NULL;
    if (t->asset.len && (!a || a->kind != TUT_KIND_MODEL))
        return tut_schema_fail_node(s, tut_yaml_get(y, n, "asset"), "no model \"%.*s\" is declared",
                                    (int)t->asset.len, t->asset.data);
    for (size_t i = 0; i < t->probes.count; i++) {
        tut_probe_kind kind;
        if (!tut_probe_kind_parse(t->probes.items[i], &kind))
            return tut_schema_fail_node(s, tut_yaml_get(y, n, "probes"),
                                        "there is no probe \"%.*s\"; tutela probe lists them",
                                        (int)t->probes.items[i].len, t->probes.items[i].data);
    }
    if (t->size < 0 || t->scale < 0 || t->low > t->high || t->per_second < 0 || t->money < 0 ||
        t->price_query < 0 || t->price_million < 0)
        return tut_schema_fail_node(s, n, "a number of this target is below what makes sense");
    return TUT_SUCCESS;
}

static tut_status open_list(tut_schema *s, const tut_yaml_node *probe, const char *key,
                            const tut_yaml_node **ret_list)
{
    *ret_list = tut_yaml_get(s->system->yaml, probe, key);
    if (tut_schema_is_absent(*ret_list)) {
        *ret_list = NULL;
        return TUT_SUCCESS;
    }
    return tut_schema_sequence(s, *ret_list, key);
}

static tut_status read_targets(tut_schema *s, const tut_yaml_node *probe, tut_probe_policy *p)
{
    const tut_yaml *y = s->system->yaml;
    const tut_yaml_node *list;
    TUT_TRY(open_list(s, probe, "targets", &list));
    if (!list)
        return TUT_SUCCESS;
    p->targets = tut_arena_take(&s->system->arena, list->count + 1u, sizeof(*p->targets));
    if (!p->targets)
        return tut_fail(s->err, TUT_NOMEM, "memory ran out");
    for (const tut_yaml_node *n = tut_yaml_first(y, list); n; n = tut_yaml_next(y, n)) {
        tut_probe_target *t = &p->targets[p->target_count];
        TUT_TRY(tut_schema_read(s, n, target_fields, TUT_COUNT(target_fields), t, "a target",
                                "probe.targets"));
        t->node = n;
        TUT_TRY(check_target(s, n, p, t));
        p->target_count++;
    }
    return TUT_SUCCESS;
}

static tut_status take_bound(tut_schema *s, const tut_yaml_node *n, tut_probe_policy *p)
{
    bound_line line = {.at_most = NAN, .at_least = NAN};
    TUT_TRY(tut_schema_read(s, n, bound_fields, TUT_COUNT(bound_fields), &line, "a bound",
                            "probe.bounds"));
    tut_bound *b = tut_bounds_find(&p->bounds, line.probe, line.metric);
    tut_probe_kind kind;
    if (!tut_probe_kind_parse(line.probe, &kind) || line.metric.len == 0)
        return tut_schema_fail_node(s, n, "a bound names a probe and one of its measures");
    if (isnan(line.at_most) == isnan(line.at_least))
        return tut_schema_fail_node(s, n, "a bound has either at_most or at_least");
    bool is_most = !isnan(line.at_most);
    if (b && b->is_most != is_most)
        return tut_schema_fail_node(s, n, "%s of %s is bounded by %s", b->metric, b->probe,
                                    b->is_most ? "at_most" : "at_least");
    if (!b && p->bounds.count == TUT_BOUNDS_MOST)
        return tut_schema_fail_node(s, n, "there are at most %d bounds", TUT_BOUNDS_MOST);
    if (!b) { /* a measure that we do not judge by ourselves */
        b = &p->bounds.items[p->bounds.count];
        *b = (tut_bound){.probe = tut_probe_about_of(kind)->name,
                         .metric = tut_arena_copy(&s->system->arena, line.metric),
                         .is_most = is_most,
                         .about = "as tutela.yaml says"};
        if (!b->metric)
            return tut_fail(s->err, TUT_NOMEM, "memory ran out");
        p->bounds.count++;
    }
    b->is_wanted = true;
    b->value = is_most ? line.at_most : line.at_least;
    return TUT_SUCCESS;
}

static tut_status read_bounds(tut_schema *s, const tut_yaml_node *probe, tut_probe_policy *p)
{
    const tut_yaml *y = s->system->yaml;
    const tut_yaml_node *list;
    TUT_TRY(open_list(s, probe, "bounds", &list));
    for (const tut_yaml_node *n = list ? tut_yaml_first(y, list) : NULL; n; n = tut_yaml_next(y, n))
        TUT_TRY(take_bound(s, n, p));
    return TUT_SUCCESS;
}

tut_status tut_probe_policy_read(tut_system *system, tut_probe_policy *ret_policy,
                                 tut_buf *ret_shown, tut_error *err)
{
    tut_error local = {0};
    tut_probe_policy p = {.bounds = tut_bounds_default()};
    tut_schema s = {
        .file = system->file, .system = system, .shown = ret_shown, .err = err ? err : &local};
    const tut_yaml_node *probe = tut_yaml_get(system->yaml, tut_yaml_root(system->yaml), "probe");
    if (!tut_schema_is_absent(probe)) {
        TUT_TRY(tut_schema_read(&s, probe, probe_fields, TUT_COUNT(probe_fields), &p, "probe",
                                "probe"));
        TUT_TRY(read_targets(&s, probe, &p));
        TUT_TRY(read_bounds(&s, probe, &p));
    }
    *ret_policy = p;
    return TUT_SUCCESS;
}

const tut_probe_target *tut_probe_target_of(const tut_probe_policy *p, tut_str id)
{
    for (size_t i = 0; i < p->target_count; i++)
        if (tut_str_eq(p->targets[i].id, id))
            return &p->targets[i];
    return NULL;
}

/* A service that talks: an address of a chat or completions interface. */
static bool talks(const tut_probe_target *t)
{
    return tut_place_is_url(t->at) && tut_str_ends(t->at, TUT_LIT("/completions"));
}

bool tut_probe_target_wants(const tut_probe_target *t, tut_probe_kind kind)
{
    for (size_t i = 0; i < t->probes.count; i++)
        if (tut_str_eq_z(t->probes.items[i], tut_probe_about_of(kind)->name))
            return true;
    if (t->probes.count)
        return false;
    switch (kind) {
    case TUT_PROBE_EVALUATION:
    case TUT_PROBE_MEMBERSHIP:
    case TUT_PROBE_EXTRACTION:
    case TUT_PROBE_EVASION:
        return true;
    case TUT_PROBE_LEAKAGE:
    case TUT_PROBE_INJECTION:
        return talks(t);
    case TUT_PROBE_INVERSION: /* of texts: leakage */
    case TUT_PROBE_BACKDOOR:
        return !talks(t);
    case TUT_PROBE_LOAD:
    case TUT_PROBE_ODD_INPUT:
        return tut_place_is_url(t->at);
    case TUT_PROBE_KINDS:
        break;
    }
    return false;
}
