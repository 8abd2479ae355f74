/* What is known of assets (as described, and as the last scan found them), of boundaries, and of
 * the system as a whole. */
#include "assess/catalogue.h"
#include "assets/attributes.h"
#include "formats/format.h"
#include "govern/threat_internal.h"

enum { SENSITIVITY_PERSONAL = 3 };

static const char asset_kinds[] = "none model dataset prompt config code service document";
static const char origins[] =
    "unknown first-party supplier public licensed user synthetic generated";
static const char sensitivities[] = "public internal confidential personal";
static const char splits[] = "none train validation test";

static void take_word(tut_threat_element *e, size_t place, const char *words, tut_str said)
{
    int64_t at = tut_threat_word(words, said);
    if (said.len && at >= 0)
        e->values[place].number = at;
}

static bool is_outside(tut_str origin)
{
    return origin.len == 0 || tut_str_eq_z(origin, "supplier") || tut_str_eq_z(origin, "public") ||
           tut_str_eq_z(origin, "licensed") || tut_str_eq_z(origin, "user");
}

static bool is_pinned_at_source(const tut_asset *a)
{
    for (size_t i = 0; i < a->source_count; i++)
        if (!a->sources[i].has_digest)
            return false;
    return a->url.len == 0 && a->source_count > 0;
}

static bool is_dated(const tut_asset *a)
{
    for (size_t i = 0; i < a->source_count; i++)
        if (!a->sources[i].has_collected_at)
            return false;
    return a->url.len ? a->has_collected_at : a->source_count > 0;
}

static void describe_asset(tut_threat_element *e)
{
    const tut_asset *a = e->asset;
    take_word(e, TUT_AT_ASSET_KIND, asset_kinds, tut_str_of(tut_asset_kind_name(a->kind)));
    take_word(e, TUT_AT_ASSET_ORIGIN, origins, a->origin);
    take_word(e, TUT_AT_ASSET_SENSITIVITY, sensitivities, a->sensitivity);
    take_word(e, TUT_AT_ASSET_SPLIT, splits, a->split);
    bool has_address = a->url.len || a->source_count;
    *tut_threat_number(e, TUT_AT_ASSET_EXTERNAL) = is_outside(a->origin);
    *tut_threat_number(e, TUT_AT_ASSET_PINNED) = a->has_digest;
    *tut_threat_number(e, TUT_AT_ASSET_HAS_FILE) = a->path.len > 0;
    *tut_threat_number(e, TUT_AT_ASSET_HAS_LICENCE) = a->licence.len > 0;
    *tut_threat_number(e, TUT_AT_ASSET_HAS_PROVENANCE) = has_address && is_dated(a);
    *tut_threat_number(e, TUT_AT_ASSET_MUTABLE_SOURCE) = has_address && !is_pinned_at_source(a);
    *tut_threat_number(e, TUT_AT_ASSET_SHARED) = a->is_shared;
    *tut_threat_number(e, TUT_AT_ASSET_HAS_SUPPLIER) = a->supplier.len > 0 ||
                                                       tut_str_eq_z(a->origin, "supplier");
    e->has_bytes = a->has_digest;
    e->bytes = a->digest;
}

/* --- as found --- */

static bool has_word(const char *words, const char *word)
{
    return tut_threat_word(words, tut_str_of(word)) >= 0;
}

static void take_found(tut_threat_element *e, const tut_asset_summary *found)
{
    const tut_format *format = tut_format_by_name(found->format);
    e->has_bytes = tut_is_ok(tut_sha256_parse(tut_str_of(found->digest), &e->bytes));
    *tut_threat_number(e, TUT_AT_ASSET_CHANGED) = strcmp(found->state, "changed") == 0;
    *tut_threat_number(e, TUT_AT_ASSET_MISSING) = strcmp(found->state, "missing") == 0;
    *tut_threat_number(e, TUT_AT_ASSET_RUNS_CODE) = format && format->rules &&
                                                    has_word(format->rules, "pickle");
}

static bool speaks_of(const tut_report_finding *f, const char *technique)
{
    return strstr(f->threats, technique) != NULL;
}

static void take_finding(tut_threat_element *e, const tut_report_finding *f)
{
    int64_t severity = (int64_t)f->severity + 1; /* none, info, low ... */
    int64_t *worst = tut_threat_number(e, TUT_AT_ASSET_FINDINGS);
    if (*worst < severity)
        *worst = severity;
    if (f->severity < TUT_SEVERITY_MEDIUM)
        return;
    if (speaks_of(f, "AML.T0018") || speaks_of(f, "AML.T0011.000"))
        *tut_threat_number(e, TUT_AT_ASSET_HIDDEN_FUNCTION) = 1;
    if (speaks_of(f, "AML.T0020"))
        *tut_threat_number(e, TUT_AT_ASSET_POISONED) = 1;
}

static void take_scan(tut_threat_building *b)
{
    const tut_assessment *a = b->assessment;
    for (size_t i = 0; a && i < a->asset_count; i++) {
        size_t at = tut_map_get(&b->system->by_id, tut_str_of(a->assets[i].id));
        if (at != SIZE_MAX)
            take_found(&b->assets[at], &a->assets[i]);
    }
    for (size_t i = 0; a && i < a->finding_count; i++) {
        size_t at = tut_map_get(&b->system->by_id, tut_str_of(a->findings[i].asset));
        if (at != SIZE_MAX)
            take_finding(&b->assets[at], &a->findings[i]);
    }
}

/* --- what depends on what --- */

static void take_data(tut_threat_element *model, tut_threat_element *data)
{
    int64_t level = data->values[TUT_AT_ASSET_SENSITIVITY].number;
    int64_t *worst = tut_threat_number(model, TUT_AT_ASSET_TRAINED_ON);
    if (*worst < level)
        *worst = level;
    if (data->values[TUT_AT_ASSET_EXTERNAL].number)
        *tut_threat_number(model, TUT_AT_ASSET_TRAINED_ON_EXTERNAL) = 1;
    *tut_threat_number(data, TUT_AT_ASSET_FEEDS_MODEL) = 1;
}

/* Everything that the model depends on, also through other models: each asset once. `seen` holds
 * the number of the model that came by last. */
static void follow(tut_threat_building *b, size_t model, size_t *seen, size_t *queue)
{
    size_t head = 0, tail = 0;
    queue[tail++] = model;
    seen[model] = model + 1;
    while (head < tail) {
        const tut_asset *a = b->assets[queue[head++]].asset;
        for (size_t i = 0; i < a->depends_on.count; i++) {
            size_t at = tut_map_get(&b->system->by_id, a->depends_on.items[i]);
            if (at == SIZE_MAX || seen[at] == model + 1)
                continue;
            seen[at] = model + 1;
            queue[tail++] = at;
            if (b->assets[at].asset->kind == TUT_KIND_DATASET)
                take_data(&b->assets[model], &b->assets[at]);
        }
    }
}

static tut_status follow_all(tut_threat_building *b)
{
    size_t count = b->system->asset_count;
    size_t *room = tut_arena_take(&b->m->arena, 2 * count + 1, sizeof(*room));
    if (!room)
        return tut_fail(b->err, TUT_NOMEM, "memory ran out");
    for (size_t i = 0; i < count; i++) {
        if (b->assets[i].asset->kind == TUT_KIND_MODEL)
            follow(b, i, room, room + count);
        if (tut_str_eq_z(b->assets[i].asset->split, "train"))
            *tut_threat_number(&b->assets[i], TUT_AT_ASSET_FEEDS_MODEL) = 1;
    }
    return TUT_SUCCESS;
}

tut_status tut_threat_facts_of_assets(tut_threat_building *b)
{
    for (size_t i = 0; i < b->system->asset_count; i++)
        describe_asset(&b->assets[i]);
    take_scan(b);
    return follow_all(b);
}

/* --- places --- */

static void take_component(tut_threat_element *asset, const tut_threat_element *c)
{
    static const char *const sources[] = {"exposed", "untrusted"};
    static const size_t places[] = {TUT_AT_ASSET_EXPOSED, TUT_AT_ASSET_UNTRUSTED};
    for (size_t i = 0; i < 2; i++)
        if (c->values[tut_component_place(sources[i])].number)
            *tut_threat_number(asset, places[i]) = 1;
    int64_t encrypted = c->values[tut_component_place("storage.encrypted")].number;
    int64_t *all = tut_threat_number(asset, TUT_AT_ASSET_ENCRYPTED);
    *all = asset->values[TUT_AT_ASSET_RUN].number ? *all && encrypted : encrypted;
    *tut_threat_number(asset, TUT_AT_ASSET_RUN) = 1;
    if (c->values[TUT_AT_COMPONENT_ZONE].number == 1)
        *tut_threat_number(asset, TUT_AT_ASSET_IN_PRODUCTION) = 1;
    if (tut_str_eq_z(tut_component_attribute(c->component, "lifecycle"), "retired"))
        *tut_threat_number(asset, TUT_AT_ASSET_RETIRED) = 1;
}

static bool is_kind(const tut_threat_element *c, const char *kind)
{
    return tut_str_eq_z(c->component->kind, kind);
}

static bool serves(const tut_threat_element *c)
{
    return is_kind(c, "inference-gateway") || is_kind(c, "agent") || is_kind(c, "user-client");
}

static void raise_to(int64_t *level, int64_t at_least)
{
    if (*level < at_least)
        *level = at_least;
}

static void settle_boundary(tut_threat_building *b, tut_threat_element *e)
{
    bool trains = false, is_serving = false;
    *tut_threat_number(e, TUT_AT_BOUNDARY_SENSITIVITY) = TUT_SENSITIVITY_PUBLIC;
    for (size_t i = 0; i < b->system->component_count; i++) {
        const tut_threat_element *c = &b->components[i];
        if (c->links[TUT_THREAT_BOUNDARY] != e)
            continue;
        *tut_threat_number(e, TUT_AT_BOUNDARY_MEMBERS) += 1;
        *tut_threat_number(e, TUT_AT_BOUNDARY_MODELS) += is_kind(c, "model") || is_kind(c, "agent");
        raise_to(tut_threat_number(e, TUT_AT_BOUNDARY_SENSITIVITY),
                 c->values[TUT_AT_COMPONENT_SENSITIVITY].number);
        trains = trains || is_kind(c, "training-job") || is_kind(c, "labelling");
        is_serving = is_serving || serves(c);
    }
    *tut_threat_number(e, TUT_AT_BOUNDARY_MIXES) = trains && is_serving;
}

/* What comes in from below meets a gateway: it comes from one, or ends at one. */
static void settle_entries(tut_threat_building *b)
{
    for (size_t i = 0; i < b->system->boundary_count; i++)
        *tut_threat_number(&b->boundaries[i], TUT_AT_BOUNDARY_HAS_GATEWAY) = 1;
    for (size_t i = 0; i < b->system->flow_count; i++) {
        const tut_threat_element *f = &b->flows[i];
        const tut_threat_element *to = f->links[TUT_THREAT_TO];
        const tut_threat_element *in = to ? to->links[TUT_THREAT_BOUNDARY] : NULL;
        if (!in || !f->values[TUT_AT_FLOW_FROM_BELOW].number)
            continue;
        tut_threat_element *e = &b->boundaries[in - b->boundaries];
        *tut_threat_number(e, TUT_AT_BOUNDARY_ENTERED) = 1;
        if (!is_kind(to, "inference-gateway") &&
            !is_kind(f->links[TUT_THREAT_FROM], "inference-gateway"))
            *tut_threat_number(e, TUT_AT_BOUNDARY_HAS_GATEWAY) = 0;
    }
}

static const struct {
    const char *kind;
    size_t place;
    bool counts; /* else it is a flag */
} kind_facts[] = {
    {"agent", TUT_AT_SYSTEM_AGENTS, true},
    {"agent", TUT_AT_SYSTEM_MODELS, true},
    {"model", TUT_AT_SYSTEM_MODELS, true},
    {"human-review", TUT_AT_SYSTEM_HAS_HUMAN_REVIEW, false},
    {"log", TUT_AT_SYSTEM_HAS_LOG, false},
    {"inference-gateway", TUT_AT_SYSTEM_HAS_GATEWAY, false},
    {"update-server", TUT_AT_SYSTEM_HAS_UPDATE_SERVER, false},
    {"evaluation", TUT_AT_SYSTEM_HAS_EVALUATION, false},
};

static void take_whole(tut_threat_element *s, const tut_threat_element *c)
{
    for (size_t i = 0; i < sizeof(kind_facts) / sizeof(kind_facts[0]); i++) {
        if (!is_kind(c, kind_facts[i].kind))
            continue;
        int64_t *number = tut_threat_number(s, kind_facts[i].place);
        *number = kind_facts[i].counts ? *number + 1 : 1;
    }
    static const struct {
        const char *name;
        size_t place;
    } flags[] = {{"decides_about_persons", TUT_AT_SYSTEM_DECIDES},
                 {"generative", TUT_AT_SYSTEM_GENERATIVE},
                 {"learns_from_feedback", TUT_AT_SYSTEM_LEARNS},
                 {"model.continual_learning", TUT_AT_SYSTEM_LEARNS}};
    for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
        if (c->values[tut_component_place(flags[i].name)].number)
            *tut_threat_number(s, flags[i].place) = 1;
    if (c->values[TUT_AT_COMPONENT_EXPOSED].number && (is_kind(c, "model") || is_kind(c, "agent")))
        *tut_threat_number(s, TUT_AT_SYSTEM_EXPOSED) = 1;
}

static void settle_whole(tut_threat_building *b)
{
    tut_threat_element *s = b->whole;
    int64_t models = 0;
    *tut_threat_number(s, TUT_AT_SYSTEM_COMPONENTS) = (int64_t)b->system->component_count;
    for (size_t i = 0; i < b->system->component_count; i++)
        take_whole(s, &b->components[i]);
    for (size_t i = 0; i < b->system->asset_count; i++) {
        const tut_threat_element *a = &b->assets[i];
        models += a->asset->kind == TUT_KIND_MODEL;
        *tut_threat_number(s, TUT_AT_SYSTEM_DATASETS) += a->asset->kind == TUT_KIND_DATASET;
        *tut_threat_number(s, TUT_AT_SYSTEM_SERVICES) += a->asset->kind == TUT_KIND_SERVICE;
        *tut_threat_number(s, TUT_AT_SYSTEM_EXTERNAL_ASSETS) +=
            a->values[TUT_AT_ASSET_EXTERNAL].number;
        raise_to(tut_threat_number(s, TUT_AT_SYSTEM_SENSITIVITY),
                 a->values[TUT_AT_ASSET_SENSITIVITY].number);
    }
    raise_to(tut_threat_number(s, TUT_AT_SYSTEM_MODELS), models);
    const tut_yaml *y = b->system->yaml;
    bool has_guard = tut_yaml_get(y, tut_yaml_root(y), "guard") != NULL;
    *tut_threat_number(s, TUT_AT_SYSTEM_HAS_GUARD) = has_guard;
    if (has_guard)
        *tut_threat_number(s, TUT_AT_SYSTEM_HAS_LOG) = 1;
}

void tut_threat_facts_of_places(tut_threat_building *b)
{
    for (size_t i = 0; i < b->system->component_count; i++) {
        const tut_threat_element *asset = b->components[i].links[TUT_THREAT_ASSET];
        if (asset)
            take_component(&b->assets[asset - b->assets], &b->components[i]);
    }
    for (size_t i = 0; i < b->system->boundary_count; i++)
        settle_boundary(b, &b->boundaries[i]);
    settle_entries(b);
    settle_whole(b);
}
