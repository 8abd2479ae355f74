/*
 * Tools that a model may call, by where they stand.
 *
 *   tools    = a list under "tools" or "functions", or the whole document: [{"name": ...}],
 *              [{"type": "function", "function": {"name": ...}}]
 *   OpenAPI  = {"openapi": ..., "paths": {PATH: {METHOD: {"operationId": ...}}}}
 *   MCP      = {"mcpServers": {NAME: {...}}}
 */
#include <stdio.h>
#include <string.h>

#include "formats/conf.h"
#include "formats/text.h"

static void give_tool(tut_conf *c, tut_str name)
{
    if (c->tools++ < TUT_CONF_TOOLS)
        tut_text_fact(c->x, "tool.name", name);
}

static bool is_method(tut_str key)
{
    static const char *const methods[] = {"get",     "put",  "post",  "delete",
                                          "options", "head", "patch", "trace"};
    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
        if (tut_str_eq_z(key, methods[i]))
            return true;
    }
    return false;
}

/* An operation whose id comes later, or never, goes by method and path. */
static void keep_operation(tut_conf *c, tut_str name)
{
    if (c->operations > TUT_CONF_TOOLS)
        return;
    uint32_t len = (uint32_t)name.len;
    tut_buf_add(&c->operation_names, &len, sizeof(len));
    tut_buf_add_str(&c->operation_names, name);
}

static void end_operation(tut_conf *c)
{
    if (c->operation[0])
        keep_operation(c, tut_str_of(c->operation));
    c->operation[0] = '\0';
}

static void open_operation(tut_conf *c, tut_str method)
{
    tut_str path = tut_conf_key_at(c, 2);
    char upper[8] = "";
    end_operation(c);
    c->operations++;
    for (size_t i = 0; i < method.len && i + 1 < sizeof(upper); i++) {
        upper[i] = (char)(method.data[i] - 'a' + 'A');
        upper[i + 1] = '\0';
    }
    (void)snprintf(c->operation, sizeof(c->operation), "%s %.*s", upper, (int)path.len, path.data);
}

/* The container is open already. */
void tut_conf_open_tools(tut_conf *c, tut_str key)
{
    tut_conf_level *level = &c->levels[c->depth - 1];
    bool is_list = tut_str_eq_z(key, "tools") || tut_str_eq_z(key, "functions") ||
                   (c->depth == 1 && c->lists_tools);
    level->is_tool_list = !level->is_map && is_list;
    if (c->depth == 4 && level->is_map && is_method(key) &&
        tut_str_eq_z(tut_conf_key_at(c, 1), "paths"))
        open_operation(c, key);
    if (c->depth == 3 && level->is_map && key.len > 0 &&
        tut_str_eq_z(tut_conf_key_at(c, 1), "mcpServers")) {
        c->servers++;
        tut_text_fact(c->x, "mcp.server", key);
    }
}

void tut_conf_note_tools(tut_conf *c, tut_str key, tut_str text)
{
    if (c->depth == 1 && (tut_str_eq_z(key, "openapi") || tut_str_eq_z(key, "swagger")))
        c->is_openapi = true;
    if (c->depth == 4 && c->operation[0] && tut_str_eq_z(key, "operationId")) {
        tut_str_copy(c->operation, sizeof(c->operation), text);
        end_operation(c);
    }
    if (!tut_str_eq_z(key, "name") || text.len == 0 || c->depth < 2)
        return;
    size_t item = c->depth - 1;
    if (tut_str_eq_z(tut_conf_key_at(c, item), "function"))
        item--;
    if (item == 0 || !c->levels[item - 1].is_tool_list || c->levels[item].is_named)
        return;
    c->levels[item].is_named = true;
    give_tool(c, text);
}

void tut_conf_finish_tools(tut_conf *c)
{
    end_operation(c);
    if (c->is_openapi) {
        uint64_t operations = c->operations;
        tut_conf_set names = {.texts = c->operation_names};
        tut_str name;
        for (size_t at = 0; tut_conf_set_next(&names, &at, &name);)
            give_tool(c, name);
        if (operations > c->tools)
            c->tools = operations;
    }
    if (c->tools)
        tut_text_count(c->x, "tools", c->tools);
    if (c->servers)
        tut_text_count(c->x, "mcp.servers", c->servers);
}
