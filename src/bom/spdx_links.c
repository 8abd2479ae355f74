/* Relationships: what contains, depends on, was trained on or licensed under what. */
#include "bom/spdx_internal.h"

#define ASSET "asset/"
#define PACKAGE "package/"

static void open_relation(tut_spdx *x, const char *type, const char *space, const char *from)
{
    tut_spdx_open_number(x, "Relationship", "relation/", x->relations++);
    tut_json_put_z(x->j, "relationshipType", type);
    tut_json_key(x->j, "from");
    tut_spdx_id(x, space, tut_str_of(from));
    tut_json_key(x->j, "to");
    tut_json_array(x->j);
}

/* completeness: NULL where nothing can be said of it. */
static void close_relation(tut_spdx *x, const char *completeness)
{
    tut_json_end_array(x->j);
    if (completeness)
        tut_json_put_z(x->j, "completeness", completeness);
    tut_spdx_close(x);
}

static void put_contents(tut_spdx *x)
{
    const tut_bom *bom = x->bom;
    if (!bom->asset_count)
        return;
    open_relation(x, "contains", "system", "");
    for (size_t i = 0; i < bom->asset_count; i++)
        tut_spdx_id(x, ASSET, tut_str_of(bom->assets[i].ref));
    close_relation(x, bom->is_complete ? "complete" : "incomplete");
}

static void put_parts(tut_spdx *x, const tut_bom_asset *a)
{
    if (!a->part_count)
        return;
    open_relation(x, "contains", ASSET, a->ref);
    for (size_t i = 0; i < a->part_count; i++) {
        TUT_CLEAN(tut_buf) ref = TUT_BUF_INIT;
        tut_buf_printf(&ref, "%s/%zu", a->ref, i);
        tut_spdx_id(x, "file/", tut_bom_said(&x->properties, &ref));
    }
    close_relation(x, a->parts_left_out ? "incomplete" : "complete");
}

/* What it depends on as far as is known; that there is nothing else, only its maker could say. */
static void put_dependencies(tut_spdx *x, const tut_bom_asset *a)
{
    size_t count = a->package_count;
    for (size_t i = 0; i < a->edge_count; i++)
        count += a->edges[i].to != SIZE_MAX;
    open_relation(x, "dependsOn", ASSET, a->ref);
    for (size_t i = 0; i < a->edge_count; i++)
        if (a->edges[i].to != SIZE_MAX)
            tut_spdx_id(x, ASSET, tut_str_of(x->bom->assets[a->edges[i].to].ref));
    for (size_t i = 0; i < a->package_count; i++)
        tut_spdx_id(x, PACKAGE, tut_str_of(x->bom->packages[a->packages[i]].ref));
    if (!count)
        tut_json_z(x->j, TUT_SPDX_NOBODY);
    close_relation(x, "noAssertion");
}

/* --- what a card says of its model's data --- */

/* A metric that a card states was measured on a data set which it names behind " on ". */
static bool measures_on(const tut_bom_asset *card, const tut_bom_asset *dataset)
{
    for (size_t i = 0; i < card->fact_count; i++) {
        size_t at;
        tut_str value = card->facts[i].value, name = dataset->name;
        if (!tut_str_eq_z(card->facts[i].key, "card.metric") ||
            !tut_str_find(value, TUT_LIT(" on "), &at))
            continue;
        tut_str where = {value.data + at + 4, value.len - at - 4};
        if (name.len && tut_str_starts(where, name) &&
            (where.len == name.len || where.data[name.len] == ' '))
            return true;
    }
    return false;
}

static bool names_dataset(const tut_bom_asset *card, const tut_bom_asset *dataset)
{
    for (size_t i = 0; i < card->fact_count; i++) {
        tut_str said = card->facts[i].value;
        const char *slash = said.len ? memrchr(said.data, '/', said.len) : NULL;
        tut_str last = slash ? (tut_str){slash + 1, said.len - (size_t)(slash + 1 - said.data)}
                             : said;
        if (tut_str_eq_z(card->facts[i].key, "refers.dataset") &&
            (tut_str_eq(last, dataset->name) || tut_str_eq(said, dataset->id) ||
             tut_str_eq(said, dataset->url) || tut_str_eq(said, dataset->path)))
            return true;
    }
    return false;
}

/* The data sets of the system of which the card says this. */
static void put_data(tut_spdx *x, const tut_bom_asset *a, const char *type, const char *fact,
                     bool (*is_one)(const tut_bom_asset *card, const tut_bom_asset *dataset))
{
    const tut_bom_asset *card = &x->bom->assets[a->card];
    bool has_any = false;
    for (size_t i = 0; tut_bom_fact_of(card, fact).len && i < x->bom->asset_count; i++) {
        const tut_bom_asset *dataset = &x->bom->assets[i];
        if (dataset->kind != TUT_KIND_DATASET || !is_one(card, dataset))
            continue;
        if (!has_any)
            open_relation(x, type, ASSET, a->ref);
        has_any = true;
        tut_spdx_id(x, ASSET, tut_str_of(dataset->ref));
    }
    if (has_any)
        close_relation(x, "noAssertion");
}

/* --- licences --- */

/* What the file's maker declares and what the system's people conclude; the profiles for models and
 * data want one of each. */
static void put_licence(tut_spdx *x, const tut_bom_asset *a, const char *type, tut_str text)
{
    bool is_wanted = a->kind == TUT_KIND_MODEL || a->kind == TUT_KIND_DATASET;
    size_t number = text.len ? tut_map_get(&x->licences, text) : SIZE_MAX;
    if (number == SIZE_MAX && !is_wanted)
        return;
    open_relation(x, type, ASSET, a->ref);
    if (number == SIZE_MAX)
        tut_json_z(x->j, TUT_SPDX_NO_LICENCE);
    else
        tut_spdx_id_number(x, "licence/", number);
    close_relation(x, NULL);
}

void tut_spdx_relations(tut_spdx *x)
{
    put_contents(x);
    for (size_t i = 0; i < x->bom->asset_count; i++) {
        const tut_bom_asset *a = &x->bom->assets[i];
        put_parts(x, a);
        put_dependencies(x, a);
        if (a->kind == TUT_KIND_MODEL && a->card != SIZE_MAX) {
            put_data(x, a, "trainedOn", "refers.dataset", names_dataset);
            put_data(x, a, "testedOn", "card.metric", measures_on);
        }
        put_licence(x, a, "hasConcludedLicense", a->licence);
        put_licence(x, a, "hasDeclaredLicense", tut_bom_known(x->bom, a, "licence"));
    }
}
