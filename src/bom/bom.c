/* The model's life, and what more than one writer asks of it. */
#include "bom/bom_internal.h"

static const char *const spec_names[] = {"cyclonedx-1.6", "cyclonedx-1.7", "spdx-3.0.1"};

const char *tut_bom_spec_name(tut_bom_spec spec)
{
    return spec_names[spec];
}

bool tut_bom_spec_find(const char *name, tut_bom_spec *ret_spec)
{
    for (size_t i = 0; i < sizeof(spec_names) / sizeof(spec_names[0]); i++) {
        if (strcmp(name, spec_names[i]) == 0) {
            *ret_spec = (tut_bom_spec)i;
            return true;
        }
    }
    return false;
}

void tut_bom_free(tut_bom *bom)
{
    if (!bom)
        return;
    tut_json_doc_free(bom->doc_);
    tut_map_done(&bom->by_id_);
    tut_arena_done(&bom->arena_);
    tut_free(bom);
}

/* Everything found is declared, there, and as it was last accepted. */
static bool is_complete(const tut_bom *bom)
{
    const tut_json_value *unread = tut_json_get(tut_json_root(bom->doc_), "unread");
    for (size_t i = 0; i < bom->asset_count; i++)
        if (!tut_str_eq_z(bom->assets[i].state, "declared"))
            return false;
    return bom->asset_count > 0 && tut_json_count(unread) == 0;
}

static tut_status note_changes(tut_bom *bom, tut_error *err)
{
    const tut_bom_conformity *c = bom->conformity;
    TUT_AUTO_FREE bool *is_same = tut_alloc_array(bom->asset_count + 1, sizeof(*is_same));
    if (!is_same)
        return tut_fail(err, TUT_NOMEM, TUT_BOM_MEMORY);
    for (size_t i = 0; c && i < c->recorded_count; i++) {
        size_t at = tut_map_get(&bom->by_id_, tut_str_of(c->recorded[i].name));
        if (at != SIZE_MAX)
            is_same[at] = tut_sha256_eq(&bom->assets[at].digest, &c->recorded[i].digest);
    }
    for (size_t i = 0; c && i < bom->asset_count; i++) {
        bom->assets[i].has_changed = bom->assets[i].has_digest && !is_same[i];
        bom->changed += bom->assets[i].has_changed;
    }
    return TUT_SUCCESS;
}

tut_status tut_bom_new(const tut_bom_input *input, tut_bom **ret_bom, tut_error *err)
{
    TUT_AUTO(tut_bom) bom = tut_alloc_array(1, sizeof(*bom));
    if (!bom)
        return tut_fail(err, TUT_NOMEM, TUT_BOM_MEMORY);
    tut_arena_init(&bom->arena_, 0);
    bom->system = input->system;
    bom->conformity = input->conformity;
    bom->at = input->at;
    bom->is_signed = input->is_signed;
    TUT_TRY(tut_bom_read(bom, input->inventory, err));
    TUT_TRY(tut_bom_link(bom, err));
    TUT_TRY(tut_bom_packages(bom, err));
    bom->is_complete = is_complete(bom);
    TUT_TRY(note_changes(bom, err));
    TUT_TRY(tut_bom_number(bom, err));
    *ret_bom = tut_move(&bom);
    return TUT_SUCCESS;
}

tut_str tut_bom_fact_of(const tut_bom_asset *a, const char *key)
{
    for (size_t i = 0; i < a->fact_count; i++)
        if (tut_str_eq_z(a->facts[i].key, key) && a->facts[i].value.len)
            return a->facts[i].value;
    return (tut_str){"", 0};
}

tut_str tut_bom_known(const tut_bom *bom, const tut_bom_asset *a, const char *key)
{
    tut_str own = tut_bom_fact_of(a, key);
    if (own.len || a->card == SIZE_MAX)
        return own;
    return tut_bom_fact_of(&bom->assets[a->card], key);
}

tut_str tut_bom_role(const tut_bom *bom, const char *role)
{
    const tut_system *s = bom->system;
    for (size_t i = 0; s && i < s->role_count; i++)
        if (tut_str_eq_z(s->roles[i].key, role))
            return s->roles[i].value;
    return (tut_str){"", 0};
}

tut_str tut_bom_producer(const tut_bom *bom, const tut_bom_asset *a, const char **ret_source)
{
    tut_str said = tut_bom_known(bom, a, "model.author");
    *ret_source = "tutela.yaml";
    if (a->supplier.len)
        return a->supplier;
    if (said.len) {
        *ret_source = "file";
        return said;
    }
    return tut_str_eq_z(a->origin, "first-party") ? tut_bom_role(bom, "developer")
                                                  : (tut_str){"", 0};
}

tut_str tut_bom_attribute(const tut_bom *bom, const tut_bom_asset *a, const char *key)
{
    const tut_system *s = bom->system;
    for (size_t i = 0; s && i < s->component_count; i++) {
        const tut_component *c = &s->components[i];
        for (size_t k = 0; tut_str_eq(c->asset, a->id) && k < c->attribute_count; k++)
            if (tut_str_eq_z(c->attributes[k].key, key))
                return c->attributes[k].value;
    }
    return (tut_str){"", 0};
}

tut_str tut_bom_architecture(const tut_bom *bom, const tut_bom_asset *a)
{
    static const char *const keys[] = {"architecture", "gguf.architecture",
                                       "safetensors.architecture"};
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        tut_str said = tut_bom_known(bom, a, keys[i]);
        if (said.len)
            return said;
    }
    return (tut_str){"", 0};
}

bool tut_bom_has(const tut_bom *bom, tut_str id)
{
    return tut_map_get(&bom->by_id_, id) != SIZE_MAX;
}
