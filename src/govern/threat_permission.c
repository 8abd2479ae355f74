/* What is granted: the tools that an agent may call, and the routes of the guard that each client
 * may use. Each is an element, so that rules assess it (5.1.2-6). */
#include "assets/attributes.h"
#include "govern/threat_internal.h"
#include "guard/policy.h"

static tut_status add(tut_threat_building *b, tut_threat_element **items, size_t *count,
                      size_t *capacity, tut_str holder, tut_str what)
{
    TUT_CLEAN(tut_buf) id = TUT_BUF_INIT;
    if (*count == *capacity) {
        size_t grown = *capacity ? *capacity * 2 : 16;
        tut_threat_element *more = tut_arena_take(&b->m->arena, grown, sizeof(*more));
        if (!more)
            return tut_fail(b->err, TUT_NOMEM, "memory ran out");
        if (*count)
            memcpy(more, *items, *count * sizeof(*more));
        *items = more;
        *capacity = grown;
    }
    tut_buf_add_str(&id, holder);
    tut_buf_add_byte(&id, '/');
    tut_buf_add_str(&id, what);
    TUT_TRY(tut_buf_check(&id, b->err));
    return tut_threat_start(b, &(*items)[(*count)++], TUT_THREAT_ON_PERMISSION, tut_buf_str(&id));
}

static const tut_guard_tool *tool_of(const tut_guard_policy *p, tut_str name)
{
    for (size_t i = 0; i < p->tool_count; i++)
        if (tut_str_eq(p->tools[i].name, name))
            return &p->tools[i];
    return NULL;
}

static void describe_tool(tut_threat_element *e, const tut_component *c, const tut_guard_tool *tool)
{
    e->component = c; /* until components have places */
    if (!tool)
        return;
    *tut_threat_number(e, TUT_AT_PERMISSION_CLASS) = (int64_t)tool->type;
    *tut_threat_number(e, TUT_AT_PERMISSION_HELD) = tut_str_eq_z(tool->approval, "hold");
}

static bool may_use(const tut_guard_client *c, tut_str route)
{
    for (size_t i = 0; i < c->routes.count; i++)
        if (tut_str_eq(c->routes.items[i], route))
            return true;
    return c->routes.count == 0;
}

static bool has_quota(const tut_system *s)
{
    const tut_yaml *y = s->yaml;
    const tut_yaml_node *guard = tut_yaml_get(y, tut_yaml_root(y), "guard");
    return guard && tut_yaml_get(y, guard, "quota");
}

tut_status tut_threat_permissions(tut_threat_building *b, tut_threat_element **ret_items,
                                  size_t *ret_count)
{
    const tut_system *s = b->system;
    tut_threat_element *items = NULL;
    size_t count = 0, capacity = 0;
    tut_guard_policy p = {.tool_count = 0};
    bool has_guard = tut_yaml_get(s->yaml, tut_yaml_root(s->yaml), "guard") != NULL;
    if (has_guard)
        TUT_TRY(tut_guard_policy_read(b->system, &p, NULL, b->err));
    for (size_t i = 0; i < s->component_count; i++) {
        const tut_component *c = &s->components[i];
        for (size_t k = 0; k < c->attribute_count; k++) {
            if (!tut_str_eq_z(c->attributes[k].key, "agent.tools"))
                continue;
            TUT_TRY(add(b, &items, &count, &capacity, c->id, c->attributes[k].value));
            describe_tool(&items[count - 1], c, tool_of(&p, c->attributes[k].value));
        }
    }
    for (size_t i = 0; i < p.client_count; i++)
        for (size_t k = 0; k < p.route_count; k++) {
            if (!may_use(&p.clients[i], p.routes[k].id))
                continue;
            TUT_TRY(add(b, &items, &count, &capacity, p.clients[i].id, p.routes[k].id));
            tut_threat_element *e = &items[count - 1];
            *tut_threat_number(e, TUT_AT_PERMISSION_KIND) = 1;
            *tut_threat_number(e, TUT_AT_PERMISSION_CLASS) = TUT_TOOL_READ;
            *tut_threat_number(e, TUT_AT_PERMISSION_UNNAMED) = p.clients[i].routes.count == 0;
            *tut_threat_number(e, TUT_AT_PERMISSION_LIMITED) = has_quota(s);
        }
    *ret_items = items;
    *ret_count = count;
    return TUT_SUCCESS;
}

void tut_threat_permissions_settle(tut_threat_building *b)
{
    for (size_t i = 0; i < b->permission_count; i++) {
        tut_threat_element *e = &b->permissions[i];
        if (!e->component)
            continue;
        size_t at = (size_t)(e->component - b->system->components);
        e->links[TUT_THREAT_HOLDER] = &b->components[at];
        *tut_threat_number(e, TUT_AT_PERMISSION_UNTRUSTED) =
            b->components[at].values[TUT_AT_COMPONENT_UNTRUSTED].number;
    }
}
