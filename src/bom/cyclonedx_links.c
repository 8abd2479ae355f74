/* What depends on what, leaves included, and of which of it the bill knows all. */
#include "bom/cyclonedx_internal.h"

static void open_node(tut_cdx *x, const char *ref)
{
    tut_json_object(x->j);
    tut_json_put_z(x->j, "ref", ref);
    tut_json_key(x->j, "dependsOn");
    tut_json_array(x->j);
}

static void close_node(tut_cdx *x)
{
    tut_json_end_array(x->j);
    tut_json_end_object(x->j);
}

void tut_cdx_dependencies(tut_cdx *x)
{
    const tut_bom *bom = x->bom;
    tut_json_key(x->j, "dependencies");
    tut_json_array(x->j);
    open_node(x, TUT_BOM_SYSTEM_REF);
    for (size_t i = 0; i < bom->asset_count; i++)
        tut_json_z(x->j, bom->assets[i].ref);
    tut_cdx_part_refs(x);
    close_node(x);
    for (size_t i = 0; i < bom->asset_count; i++) {
        const tut_bom_asset *a = &bom->assets[i];
        open_node(x, a->ref);
        for (size_t k = 0; k < a->edge_count; k++)
            if (a->edges[k].to != SIZE_MAX)
                tut_json_z(x->j, bom->assets[a->edges[k].to].ref);
        for (size_t k = 0; k < a->package_count; k++)
            tut_json_z(x->j, bom->packages[a->packages[k]].ref);
        close_node(x);
    }
    for (size_t i = 0; i < bom->package_count; i++) {
        open_node(x, bom->packages[i].ref);
        close_node(x);
    }
    tut_cdx_part_dependencies(x);
    tut_json_end_array(x->j);
}

static void open_composition(tut_cdx *x, const char *aggregate, const char *list)
{
    tut_json_object(x->j);
    tut_json_put_z(x->j, "aggregate", aggregate);
    tut_json_key(x->j, list);
    tut_json_array(x->j);
}

/* A file that names something which is not here, or more packages than are listed, leaves its
 * asset's dependencies incomplete. */
static bool has_loose_end(const tut_bom_asset *a)
{
    for (size_t k = 0; k < a->edge_count; k++)
        if (a->edges[k].to == SIZE_MAX)
            return true;
    return a->packages_left_out > 0;
}

static void put_loose_ends(tut_cdx *x)
{
    bool has_any = false;
    for (size_t i = 0; i < x->bom->asset_count; i++) {
        if (!has_loose_end(&x->bom->assets[i]))
            continue;
        if (!has_any)
            open_composition(x, "incomplete", "dependencies");
        has_any = true;
        tut_json_z(x->j, x->bom->assets[i].ref);
    }
    if (has_any)
        close_node(x);
}

/* Nobody but its maker can say that a model or a data set depends on nothing else; a lock file says
 * what is installed, not what pulls in what. */
static void put_unknown(tut_cdx *x)
{
    const tut_bom *bom = x->bom;
    if (bom->asset_count + bom->package_count == 0)
        return;
    open_composition(x, "unknown", "dependencies");
    for (size_t i = 0; i < bom->asset_count; i++)
        if (!has_loose_end(&bom->assets[i]))
            tut_json_z(x->j, bom->assets[i].ref);
    for (size_t i = 0; i < bom->package_count; i++)
        tut_json_z(x->j, bom->packages[i].ref);
    close_node(x);
}

void tut_cdx_compositions(tut_cdx *x)
{
    tut_json_key(x->j, "compositions");
    tut_json_array(x->j);
    open_composition(x, x->bom->is_complete ? "complete" : "incomplete", "assemblies");
    tut_json_z(x->j, TUT_BOM_SYSTEM_REF);
    close_node(x);
    put_loose_ends(x);
    put_unknown(x);
    tut_json_end_array(x->j);
}
