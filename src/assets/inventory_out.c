/* The inventory for machines: the contract's array, and the graph for Graphviz. */
#include "assets/system.h"

static void item_json(const tut_inventory_item *item, tut_json *j)
{
    static const tut_asset none;
    const tut_asset *a = item->declared ? item->declared : &none;
    tut_json_object(j);
    tut_json_put_z(j, "id", item->id);
    tut_json_put_z(j, "kind", tut_asset_kind_name(item->kind));
    tut_json_put_z(j, "name", item->name);
    tut_json_put_or_null(j, "path", tut_str_of(item->path));
    tut_json_key(j, "digest");
    if (item->has_digest)
        tut_json_sha256(j, item->digest.bytes);
    else
        tut_json_null(j);
    tut_json_put_u64(j, "size", item->size);
    tut_json_put_u64(j, "files", item->files);
    tut_json_put_or_null(j, "origin", a->origin);
    tut_json_put_or_null(j, "owner", a->owner);
    tut_json_put_or_null(j, "licence", a->licence);
    tut_json_put_or_null(j, "sensitivity", a->sensitivity);
    tut_json_put_or_null(j, "url", a->url);
    tut_json_put_bool(j, "shared", a->is_shared);
    tut_json_put_z(j, "format", item->format ? item->format->name : NULL);
    tut_json_put_z(j, "detail", item->detail);
    tut_json_put_z(j, "signature", item->signature);
    tut_json_put_z(j, "state", tut_asset_state_name(item->state));
    tut_json_put_z(j, "problem", item->problem);
    tut_json_key(j, "depends_on");
    tut_json_array(j);
    for (size_t i = 0; i < item->depends_count; i++)
        tut_json_z(j, item->depends_on[i]);
    tut_json_end_array(j);
    tut_json_key(j, "inferred");
    tut_json_array(j);
    for (size_t i = 0; i < item->depends_count; i++)
        if (item->is_inferred[i])
            tut_json_z(j, item->depends_on[i]);
    tut_json_end_array(j);
    tut_json_end_object(j);
}

void tut_inventory_json(const tut_inventory *inv, const tut_system *system, tut_json *j)
{
    (void)system;
    tut_json_array(j);
    for (size_t i = 0; i < inv->count; i++)
        item_json(&inv->items[i], j);
    tut_json_end_array(j);
}

/* A quoted identifier of the DOT language: only the quote and the backslash need care. */
static void dot_text(tut_buf *out, tut_str text)
{
    TUT_CLEAN(tut_buf) safe = TUT_BUF_INIT;
    tut_buf_add_escaped(&safe, text, 200);
    tut_buf_add_byte(out, '"');
    for (size_t i = 0; i < safe.len; i++) {
        if (safe.data[i] == '"' || safe.data[i] == '\\')
            tut_buf_add_byte(out, '\\');
        tut_buf_add_byte(out, safe.data[i]);
    }
    tut_buf_add_byte(out, '"');
}

static const char *dot_shape(tut_asset_kind kind)
{
    switch (kind) {
    case TUT_KIND_MODEL:
        return "box3d";
    case TUT_KIND_DATASET:
        return "cylinder";
    case TUT_KIND_SERVICE:
        return "component";
    case TUT_KIND_PROMPT:
    case TUT_KIND_DOCUMENT:
        return "note";
    case TUT_KIND_NONE:
    case TUT_KIND_CONFIG:
    case TUT_KIND_CODE:
        break;
    }
    return "box";
}

void tut_inventory_dot(const tut_inventory *inv, const char *title, tut_buf *out)
{
    tut_buf_add_z(out, "digraph ");
    dot_text(out, tut_str_of(title));
    tut_buf_add_z(out, " {\n  rankdir=LR;\n  node [fontname=\"sans-serif\"];\n");
    for (size_t i = 0; i < inv->count; i++) {
        const tut_inventory_item *item = &inv->items[i];
        tut_buf_add_z(out, "  ");
        dot_text(out, tut_str_of(item->id));
        tut_buf_printf(out, " [shape=%s", dot_shape(item->kind));
        if (item->state != TUT_ASSET_DECLARED)
            tut_buf_printf(out, ", style=dashed, xlabel=\"%s\"", tut_asset_state_name(item->state));
        tut_buf_add_z(out, "];\n");
    }
    for (size_t i = 0; i < inv->count; i++)
        for (size_t k = 0; k < inv->items[i].depends_count; k++) {
            tut_buf_add_z(out, "  ");
            dot_text(out, tut_str_of(inv->items[i].id));
            tut_buf_add_z(out, " -> ");
            dot_text(out, tut_str_of(inv->items[i].depends_on[k]));
            tut_buf_add_z(out, inv->items[i].is_inferred[k] ? " [style=dotted];\n" : ";\n");
        }
    tut_buf_add_z(out, "}\n");
}
