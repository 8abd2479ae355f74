/* The inventory for machines: the contract's array, and the graph for Graphviz. */
#include "assets/packages.h"
#include "base/limits.h"

/* What the files of an asset say of themselves: each fact once, in their order. */
static void facts_json(const tut_inventory *inv, const tut_inventory_item *item, tut_json *j)
{
    const char *kept[TUT_LIMIT_FACTS][2];
    size_t count = 0;
    tut_json_key(j, "facts");
    tut_json_array(j);
    for (size_t m = 0; item->members && m < item->files && count < TUT_LIMIT_FACTS; m++) {
        const tut_found_file *f = &inv->found[item->members[m]];
        for (size_t i = 0; i < f->fact_count && count < TUT_LIMIT_FACTS; i++) {
            size_t k = 0;
            while (k < count && (strcmp(kept[k][0], f->fact_keys[i]) != 0 ||
                                 strcmp(kept[k][1], f->fact_values[i]) != 0))
                k++;
            if (k < count)
                continue;
            kept[count][0] = f->fact_keys[i];
            kept[count++][1] = f->fact_values[i];
            tut_json_object(j);
            tut_json_put_z(j, "key", f->fact_keys[i]);
            tut_json_put_z(j, "value", f->fact_values[i]);
            tut_json_end_object(j);
        }
    }
    tut_json_end_array(j);
}

static void put_time_or_null(tut_json *j, const char *key, bool has, tut_time at)
{
    tut_json_key(j, key);
    if (has)
        tut_json_time(j, at);
    else
        tut_json_null(j);
}

static void put_digest_or_null(tut_json *j, bool has, const tut_sha256 *digest)
{
    tut_json_key(j, "digest");
    if (has)
        tut_json_sha256(j, digest->bytes);
    else
        tut_json_null(j);
}

static void sources_json(const tut_asset *a, tut_json *j)
{
    tut_json_key(j, "sources");
    tut_json_array(j);
    for (size_t i = 0; i < a->source_count; i++) {
        const tut_data_source *s = &a->sources[i];
        tut_json_object(j);
        tut_json_put_or_null(j, "url", s->url);
        put_time_or_null(j, "collected_at", s->has_collected_at, s->collected_at);
        put_digest_or_null(j, s->has_digest, &s->digest);
        tut_json_end_object(j);
    }
    tut_json_end_array(j);
}

/* The files of an asset that is more than one. */
static void parts_json(const tut_inventory *inv, const tut_inventory_item *item, tut_json *j)
{
    size_t count = item->files > 1 ? item->files : 0;
    size_t shown = count < TUT_LIMIT_PARTS_SHOWN ? count : TUT_LIMIT_PARTS_SHOWN;
    tut_json_key(j, "parts");
    tut_json_array(j);
    for (size_t i = 0; i < shown; i++) {
        const tut_found_file *f = &inv->found[item->members[i]];
        tut_json_object(j);
        tut_json_put_z(j, "path", f->rel);
        tut_json_put_u64(j, "size", f->size);
        put_digest_or_null(j, f->has_digest, &f->digest);
        tut_json_end_object(j);
    }
    tut_json_end_array(j);
    tut_json_put_u64(j, "parts_left_out", count - shown);
}

static void item_json(const tut_inventory *inv, const tut_inventory_item *item, tut_json *j)
{
    static const tut_asset none;
    const tut_asset *a = item->declared ? item->declared : &none;
    tut_json_object(j);
    tut_json_put_z(j, "id", item->id);
    tut_json_put_z(j, "kind", tut_asset_kind_name(item->kind));
    tut_json_put_z(j, "name", item->name);
    tut_json_put_or_null(j, "path", tut_str_of(item->path));
    put_digest_or_null(j, item->has_digest, &item->digest);
    tut_json_put_u64(j, "size", item->size);
    tut_json_put_u64(j, "files", item->files);
    tut_json_put_or_null(j, "origin", a->origin);
    tut_json_put_or_null(j, "owner", a->owner);
    tut_json_put_or_null(j, "licence", a->licence);
    tut_json_put_or_null(j, "sensitivity", a->sensitivity);
    tut_json_put_or_null(j, "url", a->url);
    tut_json_put_or_null(j, "version", a->version);
    tut_json_put_or_null(j, "supplier", a->supplier);
    tut_json_put_or_null(j, "description", a->description);
    put_time_or_null(j, "collected_at", a->has_collected_at, a->collected_at);
    put_time_or_null(j, "released_at", a->has_released_at, a->released_at);
    sources_json(a, j);
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
    facts_json(inv, item, j);
    parts_json(inv, item, j);
    tut_packages_json(inv, item, j);
    tut_json_end_object(j);
}

void tut_inventory_json(const tut_inventory *inv, const tut_system *system, tut_json *j)
{
    (void)system;
    tut_json_array(j);
    for (size_t i = 0; i < inv->count; i++)
        item_json(inv, &inv->items[i], j);
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
