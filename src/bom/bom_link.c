/* What belongs to what: ids become positions, every asset gets a ref of its own, and a model finds
 * the card that describes it. */
#include "bom/bom_internal.h"

/* Names that differ only in bytes that are no UTF-8 are one text in the document; the second one's
 * ref says which asset it is. */
static tut_status name_ref(tut_bom *bom, size_t at, tut_error *err)
{
    TUT_CLEAN(tut_buf) ref = TUT_BUF_INIT;
    tut_bom_asset *a = &bom->assets[at];
    bool is_taken = a->id.len == 0 || tut_map_get(&bom->by_id_, a->id) != at;
    tut_buf_add_str(&ref, a->id);
    if (is_taken)
        tut_buf_printf(&ref, "#%zu", at);
    while (is_taken && !ref.failed && tut_map_get(&bom->by_id_, tut_buf_str(&ref)) != SIZE_MAX)
        tut_buf_add_byte(&ref, '#');
    TUT_TRY(tut_buf_check(&ref, err));
    a->ref = tut_arena_copy(&bom->arena_, tut_buf_str(&ref));
    return a->ref ? TUT_SUCCESS : tut_fail(err, TUT_NOMEM, TUT_BOM_MEMORY);
}

static tut_status name_refs(tut_bom *bom, tut_error *err)
{
    for (size_t i = 0; i < bom->asset_count; i++)
        TUT_TRY(tut_map_put(&bom->by_id_, bom->assets[i].id, i, NULL, err));
    for (size_t i = 0; i < bom->asset_count; i++)
        TUT_TRY(name_ref(bom, i, err));
    return TUT_SUCCESS;
}

/* Each target once, and nothing is a part of itself. `seen`: by target, the last asset + 1 that
 * named it. */
static void resolve(tut_bom *bom, size_t *seen)
{
    for (size_t i = 0; i < bom->asset_count; i++) {
        tut_bom_asset *a = &bom->assets[i];
        size_t kept = 0;
        for (size_t k = 0; k < a->edge_count; k++) {
            tut_bom_edge e = a->edges[k];
            e.to = tut_map_get(&bom->by_id_, e.id);
            if (e.to == i || (e.to != SIZE_MAX && seen[e.to] == i + 1))
                continue;
            a->edges[kept++] = e;
            if (e.to != SIZE_MAX) {
                seen[e.to] = i + 1;
                bom->assets[e.to].used_by++;
            }
        }
        a->edge_count = kept;
    }
}

static bool is_card(const tut_bom_asset *a)
{
    return a->kind == TUT_KIND_DOCUMENT && tut_str_eq_z(a->format, "model-card");
}

static tut_str folder(tut_str path)
{
    const char *slash = path.len ? memrchr(path.data, '/', path.len) : NULL;
    return (tut_str){path.data, slash ? (size_t)(slash - path.data) : 0};
}

/* The card lies in the model's folder, or in the folder that is the model. */
static bool lies_with(const tut_bom_asset *card, const tut_bom_asset *model)
{
    tut_str at = folder(card->path);
    return tut_str_eq(at, model->path) || (at.len && tut_str_eq(at, folder(model->path)));
}

static bool depends(const tut_bom_asset *a, size_t on)
{
    for (size_t k = 0; k < a->edge_count; k++)
        if (a->edges[k].to == on)
            return true;
    return false;
}

/* A card describes the models that it and they name, else those it lies with, else, where it is the
 * only card, the one line of models that is there: a model and what was made from it. */
static void give_card(tut_bom *bom, size_t at, bool is_only)
{
    tut_bom_asset *card = &bom->assets[at];
    bool is_given = false;
    for (int round = 0; round < 3 && !is_given && (round < 2 || is_only); round++) {
        for (size_t i = 0; i < bom->asset_count; i++) {
            tut_bom_asset *a = &bom->assets[i];
            if (a->kind != TUT_KIND_MODEL || a->card != SIZE_MAX)
                continue;
            bool is_its = round == 0   ? depends(a, at)
                          : round == 1 ? lies_with(card, a)
                                       : folder(card->path).len == 0;
            if (is_its)
                a->card = at;
            is_given |= is_its;
        }
    }
}

static bool made_from_model(const tut_bom *bom, const tut_bom_asset *a)
{
    for (size_t k = 0; k < a->edge_count; k++)
        if (a->edges[k].to != SIZE_MAX && bom->assets[a->edges[k].to].kind == TUT_KIND_MODEL)
            return true;
    return false;
}

static void give_cards(tut_bom *bom)
{
    size_t cards = 0, roots = 0;
    for (size_t i = 0; i < bom->asset_count; i++) {
        cards += is_card(&bom->assets[i]);
        roots += bom->assets[i].kind == TUT_KIND_MODEL && !made_from_model(bom, &bom->assets[i]);
    }
    for (size_t i = 0; cards && i < bom->asset_count; i++)
        if (is_card(&bom->assets[i]))
            give_card(bom, i, cards == 1 && roots == 1);
}

tut_status tut_bom_link(tut_bom *bom, tut_error *err)
{
    TUT_AUTO_FREE size_t *seen = tut_alloc_array(bom->asset_count + 1, sizeof(*seen));
    if (!seen)
        return tut_fail(err, TUT_NOMEM, TUT_BOM_MEMORY);
    TUT_TRY(name_refs(bom, err));
    resolve(bom, seen);
    give_cards(bom);
    return TUT_SUCCESS;
}
