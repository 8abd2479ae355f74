/*
 * What spreads along flows, each by one walk in breadth over components: what outsiders wrote, who
 * can reach what, and what an agent can set off. A walk visits a component once, so its cost is
 * that of the flows, and the way it found is a shortest one.
 */
#include <string.h>

#include "assets/attributes.h"
#include "govern/threat_internal.h"

static bool is_kind(const tut_threat_element *c, const char *kind)
{
    return tut_str_eq_z(c->component->kind, kind);
}

static bool comes_from_users(tut_str origin)
{
    return tut_str_eq_z(origin, "public") || tut_str_eq_z(origin, "user");
}

/* Whoever writes to the system from outside, and sources that anybody can write to. */
static bool is_source(const tut_threat_element *c)
{
    if (is_kind(c, "user-client") ||
        tut_str_eq_z(tut_component_attribute(c->component, "untrusted_content"), "true"))
        return true;
    const tut_threat_element *asset = c->links[TUT_THREAT_ASSET];
    bool holds_data = is_kind(c, "data-source") || is_kind(c, "dataset-store") ||
                      is_kind(c, "rag-index") || is_kind(c, "vector-store");
    return holds_data &&
           (comes_from_users(tut_component_attribute(c->component, "dataset.origin")) ||
            (asset && comes_from_users(asset->asset->origin)));
}

static size_t place_of(const tut_threat_building *b, const tut_threat_element *c)
{
    return (size_t)(c - b->components);
}

/* Of components: trust and zone of their boundary. */
static void settle_trust(tut_threat_building *b)
{
    static const char trusts[] = "public partner internal restricted";
    static const char zones[] = "unstated production training development";
    for (size_t i = 0; i < b->system->boundary_count; i++)
        b->boundaries[i].values[TUT_AT_BOUNDARY_TRUST].number = TUT_TRUST_INTERNAL;
    for (size_t i = 0; i < b->system->component_count; i++) {
        const tut_threat_element *c = &b->components[i];
        size_t at = c->links[TUT_THREAT_BOUNDARY]
                        ? (size_t)(c->links[TUT_THREAT_BOUNDARY] - b->boundaries)
                        : SIZE_MAX;
        if (at != SIZE_MAX && is_source(c))
            b->boundaries[at].values[TUT_AT_BOUNDARY_TRUST].number = TUT_TRUST_PUBLIC;
    }
    for (size_t i = 0; i < b->system->boundary_count; i++) {
        const tut_boundary *said = b->boundaries[i].boundary;
        if (said->trust.len)
            b->boundaries[i].values[TUT_AT_BOUNDARY_TRUST].number = tut_threat_word(trusts,
                                                                                    said->trust);
        if (said->zone.len)
            b->boundaries[i].values[TUT_AT_BOUNDARY_ZONE].number = tut_threat_word(zones,
                                                                                   said->zone);
    }
    for (size_t i = 0; i < b->system->component_count; i++) {
        tut_threat_element *c = &b->components[i];
        const tut_threat_element *in = c->links[TUT_THREAT_BOUNDARY];
        *tut_threat_number(c,
                           TUT_AT_COMPONENT_TRUST) = in ? in->values[TUT_AT_BOUNDARY_TRUST].number
                                                     : is_source(c) ? TUT_TRUST_PUBLIC
                                                                    : TUT_TRUST_INTERNAL;
        if (in)
            *tut_threat_number(c, TUT_AT_COMPONENT_ZONE) = in->values[TUT_AT_BOUNDARY_ZONE].number;
    }
}

/* People who review pass on only what they read. */
static void spread_untrusted(tut_threat_building *b)
{
    size_t head = 0, tail = 0;
    for (size_t i = 0; i < b->system->component_count; i++) {
        tut_threat_element *c = &b->components[i];
        if (!is_source(c))
            continue;
        *tut_threat_number(c, TUT_AT_COMPONENT_UNTRUSTED) = 1;
        c->source = c;
        b->queue[tail++] = i;
    }
    while (head < tail) {
        tut_threat_element *c = &b->components[b->queue[head++]];
        if (is_kind(c, "human-review"))
            continue;
        for (size_t f = b->out_first[place_of(b, c)]; f != SIZE_MAX; f = b->out_next[f]) {
            size_t at = place_of(b, b->flows[f].links[TUT_THREAT_TO]);
            tut_threat_element *to = &b->components[at];
            if (*tut_threat_number(to, TUT_AT_COMPONENT_UNTRUSTED))
                continue;
            *tut_threat_number(to, TUT_AT_COMPONENT_UNTRUSTED) = 1;
            to->source = c->source;
            to->before = c;
            b->queue[tail++] = at;
        }
    }
}

enum { NO_BAR = 0 }; /* kind is the first attribute, and bars nothing */

/*
 * Reached, over however many flows, from where trust is lower than here; where `bar` is the place
 * of an attribute, only by ways on which no component has it, its end included. Each component is
 * marked once, whichever level of trust comes by first.
 */
static void spread_from_below(tut_threat_building *b, size_t bar, bool *reached)
{
    for (int64_t trust = TUT_TRUST_PUBLIC; trust < TUT_TRUST_RESTRICTED; trust++) {
        size_t head = 0, tail = 0;
        for (size_t i = 0; i < b->system->component_count; i++)
            if (b->components[i].values[TUT_AT_COMPONENT_TRUST].number == trust &&
                (bar == NO_BAR || !b->components[i].values[bar].number))
                b->queue[tail++] = i;
        while (head < tail) {
            size_t from = b->queue[head++];
            for (size_t f = b->out_first[from]; f != SIZE_MAX; f = b->out_next[f]) {
                size_t at = place_of(b, b->flows[f].links[TUT_THREAT_TO]);
                const tut_threat_value *values = b->components[at].values;
                if (reached[at] || values[TUT_AT_COMPONENT_TRUST].number <= trust ||
                    (bar != NO_BAR && values[bar].number))
                    continue;
                reached[at] = true;
                b->queue[tail++] = at;
            }
        }
    }
}

/* Of those that are exposed: do all ways lead over one that limits, that is watched? */
static void settle_barred(tut_threat_building *b, size_t bar, size_t place, bool *reached)
{
    memset(reached, 0, b->system->component_count * sizeof(*reached));
    spread_from_below(b, bar, reached);
    for (size_t i = 0; i < b->system->component_count; i++) {
        tut_threat_element *c = &b->components[i];
        bool is_exposed = c->values[TUT_AT_COMPONENT_EXPOSED].number != 0;
        c->values[place].number = c->values[bar].number || (is_exposed && !reached[i]);
    }
}

static tut_status spread_exposure(tut_threat_building *b)
{
    bool *reached = tut_arena_take(&b->m->arena, b->system->component_count + 1, sizeof(*reached));
    if (!reached)
        return tut_fail(b->err, TUT_NOMEM, "memory ran out");
    spread_from_below(b, NO_BAR, reached);
    for (size_t i = 0; i < b->system->component_count; i++)
        b->components[i].values[TUT_AT_COMPONENT_EXPOSED].number = reached[i];
    settle_barred(b, tut_component_place("api.rate_limit"), TUT_AT_COMPONENT_LIMITED, reached);
    settle_barred(b, tut_component_place("monitored"), TUT_AT_COMPONENT_WATCHED, reached);
    settle_barred(b, TUT_AT_COMPONENT_HAS_LOG, TUT_AT_COMPONENT_RECORDED, reached);
    return TUT_SUCCESS;
}

static int64_t own_effects(const tut_threat_element *c)
{
    int64_t said = c->values[tut_component_place("agent.side_effects")].number;
    if (!is_kind(c, "tool"))
        return said;
    int64_t privileges = c->values[tut_component_place("tool.privileges")].number;
    return privileges > said ? privileges : said; /* read, write, admin: none, internal, external */
}

static bool may_set_off(const tut_threat_element *c)
{
    return is_kind(c, "agent") || is_kind(c, "tool") || is_kind(c, "model");
}

/* Against the flows, the worst first: what calls a tool can do what the tool does. */
static void spread_effects(tut_threat_building *b)
{
    for (int64_t effects = TUT_EFFECTS_EXTERNAL; effects > TUT_EFFECTS_NONE; effects--) {
        size_t head = 0, tail = 0;
        for (size_t i = 0; i < b->system->component_count; i++) {
            int64_t *has = tut_threat_number(&b->components[i], TUT_AT_COMPONENT_EFFECTS);
            if (*has == TUT_EFFECTS_NONE && own_effects(&b->components[i]) == effects) {
                *has = effects;
                b->queue[tail++] = i;
            }
        }
        while (head < tail) {
            size_t to = b->queue[head++];
            if (!may_set_off(&b->components[to]))
                continue;
            for (size_t f = b->in_first[to]; f != SIZE_MAX; f = b->in_next[f]) {
                size_t at = place_of(b, b->flows[f].links[TUT_THREAT_FROM]);
                int64_t *has = tut_threat_number(&b->components[at], TUT_AT_COMPONENT_EFFECTS);
                if (*has != TUT_EFFECTS_NONE || !may_set_off(&b->components[at]))
                    continue;
                *has = effects;
                b->queue[tail++] = at;
            }
        }
    }
}

/* --- what a component sees of its flows --- */

static const tut_threat_element *data_of(const tut_threat_building *b, tut_str id)
{
    size_t at = tut_map_get(&b->system->by_id, id);
    return at == SIZE_MAX ? NULL : &b->assets[at];
}

static void raise_to(int64_t *level, int64_t at_least)
{
    if (*level < at_least)
        *level = at_least;
}

static void settle_sensitivity(tut_threat_building *b)
{
    size_t personal = tut_component_place("dataset.personal");
    for (size_t i = 0; i < b->system->component_count; i++) {
        tut_threat_element *c = &b->components[i];
        int64_t *level = tut_threat_number(c, TUT_AT_COMPONENT_SENSITIVITY);
        const tut_threat_element *asset = c->links[TUT_THREAT_ASSET];
        if (asset)
            *level = asset->values[TUT_AT_ASSET_SENSITIVITY].number;
        if (c->values[personal].number)
            raise_to(level, 3);
    }
    for (size_t i = 0; i < b->system->flow_count; i++) {
        tut_threat_element *f = &b->flows[i];
        int64_t *level = tut_threat_number(f, TUT_AT_FLOW_SENSITIVITY);
        bool has_data = false;
        for (size_t k = 0; k < f->flow->data.count; k++) {
            const tut_threat_element *asset = data_of(b, f->flow->data.items[k]);
            if (asset && !has_data)
                *level = asset->values[TUT_AT_ASSET_SENSITIVITY].number;
            else if (asset)
                raise_to(level, asset->values[TUT_AT_ASSET_SENSITIVITY].number);
            has_data = has_data || asset;
        }
        const tut_threat_element *from = f->links[TUT_THREAT_FROM];
        const tut_threat_element *to = f->links[TUT_THREAT_TO];
        if (!has_data && from)
            *level = from->values[TUT_AT_COMPONENT_SENSITIVITY].number;
        if (has_data && to)
            raise_to(
                tut_threat_number(&b->components[place_of(b, to)], TUT_AT_COMPONENT_SENSITIVITY),
                *level);
    }
}

static void settle_flow(tut_threat_building *b, tut_threat_element *f)
{
    const tut_threat_element *from = f->links[TUT_THREAT_FROM];
    const tut_threat_element *to = f->links[TUT_THREAT_TO];
    if (!from || !to)
        return;
    tut_threat_element *at = &b->components[place_of(b, to)];
    int64_t from_trust = from->values[TUT_AT_COMPONENT_TRUST].number;
    int64_t to_trust = to->values[TUT_AT_COMPONENT_TRUST].number;
    *tut_threat_number(f, TUT_AT_FLOW_FROM_BELOW) = from_trust < to_trust;
    *tut_threat_number(f, TUT_AT_FLOW_TO_BELOW) = to_trust < from_trust;
    *tut_threat_number(f, TUT_AT_FLOW_UNTRUSTED) =
        from->values[TUT_AT_COMPONENT_UNTRUSTED].number && !is_kind(from, "human-review");
    if (from_trust < to_trust)
        *tut_threat_number(at, TUT_AT_COMPONENT_FED_FROM_BELOW) = 1;
    if (is_kind(from, "agent"))
        *tut_threat_number(at, TUT_AT_COMPONENT_TOLD_BY_AGENT) = 1;
    if (f->flow->crosses && f->values[TUT_AT_FLOW_AUTH].number == 0 &&
        at->values[tut_component_place("api.auth")].number == 0)
        *tut_threat_number(at, TUT_AT_COMPONENT_UNAUTHENTICATED) = 1;
}

static void settle_ways_in(tut_threat_building *b, tut_threat_element *c)
{
    size_t crossing = 0, through_gateway = 0;
    for (size_t f = b->in_first[place_of(b, c)]; f != SIZE_MAX; f = b->in_next[f]) {
        bool is_gateway = is_kind(b->flows[f].links[TUT_THREAT_FROM], "inference-gateway");
        crossing += b->flows[f].flow->crosses;
        through_gateway += b->flows[f].flow->crosses && is_gateway;
    }
    *tut_threat_number(c, TUT_AT_COMPONENT_BEHIND_GATEWAY) = crossing > 0 &&
                                                             through_gateway == crossing;
}

static void settle_ways_out(tut_threat_building *b, tut_threat_element *c)
{
    int64_t *tools = tut_threat_number(c, TUT_AT_COMPONENT_TOOL_COUNT);
    *tools = c->values[tut_component_place("agent.tools")].number;
    *tut_threat_number(c,
                       TUT_AT_COMPONENT_HAS_LOG) = c->values[tut_component_place("logged")].number;
    *tut_threat_number(c, TUT_AT_COMPONENT_REVIEWED) =
        c->values[tut_component_place("agent.human_approval")].number;
    for (size_t f = b->out_first[place_of(b, c)]; f != SIZE_MAX; f = b->out_next[f]) {
        const tut_threat_element *to = b->flows[f].links[TUT_THREAT_TO];
        *tut_threat_number(c, TUT_AT_COMPONENT_CONSUMERS) += 1;
        *tools += is_kind(to, "tool");
        if (is_kind(to, "log"))
            *tut_threat_number(c, TUT_AT_COMPONENT_HAS_LOG) = 1;
        if (is_kind(to, "human-review"))
            *tut_threat_number(c, TUT_AT_COMPONENT_REVIEWED) = 1;
    }
}

static bool has_item(const tut_str_list *list, tut_str item)
{
    for (size_t i = 0; i < list->count; i++)
        if (tut_str_eq(list->items[i], item))
            return true;
    return false;
}

static void settle_function(tut_threat_element *c)
{
    const tut_str_list *enabled = &c->values[tut_component_place("model.modality_enabled")].list;
    const tut_str_list *used = &c->values[tut_component_place("model.modality_used")].list;
    for (size_t i = 0; i < enabled->count; i++)
        *tut_threat_number(c, TUT_AT_COMPONENT_SUPERFLUOUS) += !has_item(used, enabled->items[i]);
    bool returns_text = tut_str_eq_z(tut_component_attribute(c->component, "api.returns"), "text");
    bool is_generator = tut_str_eq_z(tut_component_attribute(c->component, "model.task"),
                                     "generative");
    *tut_threat_number(c, TUT_AT_COMPONENT_GENERATIVE) = is_kind(c, "agent") || is_generator ||
                                                         (returns_text && is_kind(c, "model"));
}

tut_status tut_threat_spread(tut_threat_building *b)
{
    settle_trust(b);
    settle_sensitivity(b);
    spread_untrusted(b);
    spread_effects(b);
    for (size_t i = 0; i < b->system->flow_count; i++)
        settle_flow(b, &b->flows[i]);
    for (size_t i = 0; i < b->system->component_count; i++) {
        settle_ways_in(b, &b->components[i]);
        settle_ways_out(b, &b->components[i]);
        settle_function(&b->components[i]);
    }
    return spread_exposure(b);
}
