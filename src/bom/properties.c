/*
 * What the formats have no field for, as pairs that both can carry: CycloneDX as properties, SPDX
 * as its extension for those. The names say where a value comes from.
 *
 *   tutela:file:KEY       measured, or what the file says of itself (docs/facts.md)
 *   tutela:declared:KEY   what tutela.yaml says
 *   tutela:log:KEY        what the evidence log says
 *   tutela:inventory:KEY  how both compare
 *   tutela:source:FIELD   which of them filled a field of the format
 *   tutela:g7:ELEMENT     where an element of the G7 list is, or that it is not known
 */
#include <stdio.h>

#include "bom/bom_internal.h"

tut_str tut_bom_said(tut_bom_properties *p, const tut_buf *text)
{
    if (text->failed && !p->failed)
        p->failed = text->failed;
    return tut_buf_str(text);
}

tut_status tut_bom_check(const tut_bom_properties *p, tut_error *err)
{
    return p->failed ? tut_fail(err, p->failed, TUT_BOM_MEMORY) : TUT_SUCCESS;
}

void tut_bom_property(tut_bom_properties *p, const char *space, tut_str key, tut_str value)
{
    if (!value.len)
        return;
    tut_buf_clear(&p->text);
    tut_buf_printf(&p->text, "tutela:%s", space);
    tut_buf_add_str(&p->text, key);
    tut_json_object(p->j);
    /* Keys in their order: these are most of a bill's objects, and need no sorting then. */
    tut_json_put_str(p->j, p->is_spdx ? "extension_cdxPropName" : "name",
                     tut_bom_said(p, &p->text));
    tut_json_put_str(p->j, p->is_spdx ? "extension_cdxPropValue" : "value", value);
    if (p->is_spdx)
        tut_json_put_z(p->j, "type", "extension_CdxPropertyEntry");
    tut_json_end_object(p->j);
}

void tut_bom_property_z(tut_bom_properties *p, const char *space, const char *key, tut_str value)
{
    tut_bom_property(p, space, tut_str_of(key), value);
}

static void put_number(tut_bom_properties *p, const char *key, uint64_t value)
{
    char text[24];
    snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
    tut_bom_property_z(p, "file:", key, tut_str_of(text));
}

/* Which of the format's fields were filled from where. */
static void put_origins(tut_bom_properties *p, const tut_bom_asset *a)
{
    const char *source;
    bool is_there = !tut_str_eq_z(a->state, "missing");
    if (a->has_digest)
        tut_bom_property_z(p, "source:", "hashes", tut_str_of(is_there ? "file" : "tutela.yaml"));
    if (a->has_digest && a->files > 1)
        tut_bom_property_z(p, "source:", "hashes:of",
                           TUT_LIT("the lines \"HEX  PATH\" of its files"));
    if (tut_bom_licence_kind_of(a->licence) != TUT_BOM_LICENCE_NONE)
        tut_bom_property_z(p, "source:", "licenses:concluded", TUT_LIT("tutela.yaml"));
    if (tut_bom_licence_kind_of(tut_bom_known(p->bom, a, "licence")) != TUT_BOM_LICENCE_NONE)
        tut_bom_property_z(p, "source:", "licenses:declared", TUT_LIT("file"));
    if (tut_bom_producer(p->bom, a, &source).len)
        tut_bom_property_z(p, "source:", "supplier", tut_str_of(source));
    if (a->version.len)
        tut_bom_property_z(p, "source:", "version", TUT_LIT("tutela.yaml"));
    if (a->description.len || tut_bom_known(p->bom, a, "card.summary").len)
        tut_bom_property_z(p, "source:", "description",
                           a->description.len ? TUT_LIT("tutela.yaml") : TUT_LIT("file"));
}

static void put_unknown(tut_bom_properties *p, const tut_bom_asset *a)
{
    if (a->kind != TUT_KIND_MODEL && a->kind != TUT_KIND_DATASET)
        return;
    tut_g7_about about = a->kind == TUT_KIND_MODEL ? TUT_G7_MODELS : TUT_G7_DATASETS;
    for (size_t i = 0; i < TUT_G7_COUNT; i++)
        if (tut_g7_elements[i].about == about && !tut_g7_elements[i].is_known(p->bom, a))
            tut_bom_property_z(p, "g7:", tut_g7_elements[i].id, TUT_LIT("not known"));
}

static void put_attributes(tut_bom_properties *p, const tut_bom_asset *a)
{
    const tut_system *s = p->bom->system;
    for (size_t i = 0; s && i < s->component_count; i++)
        for (size_t k = 0;
             tut_str_eq(s->components[i].asset, a->id) && k < s->components[i].attribute_count; k++)
            tut_bom_property(p, "declared:", s->components[i].attributes[k].key,
                             s->components[i].attributes[k].value);
}

void tut_bom_asset_properties(tut_bom_properties *p, const tut_bom_asset *a)
{
    tut_bom_property_z(p, "inventory:", "kind", tut_str_of(tut_asset_kind_name(a->kind)));
    tut_bom_property_z(p, "inventory:", "state", a->state);
    tut_bom_property_z(p, "inventory:", "problem", a->problem);
    if (a->has_changed)
        tut_bom_property_z(p, "inventory:", "evidence",
                           TUT_LIT("none is about these bytes: they are new or have changed since "
                                   "the evidence was collected"));
    tut_bom_property_z(p, "declared:", "origin", a->origin);
    tut_bom_property_z(p, "declared:", "owner", a->owner);
    tut_bom_property_z(p, "declared:", "sensitivity", a->sensitivity);
    tut_bom_property_z(p, "declared:", "url", a->url);
    tut_bom_property_z(p, "declared:", "collected-at", a->collected_at);
    tut_bom_property_z(p, "declared:", "released-at", a->released_at);
    if (a->is_shared)
        tut_bom_property_z(p, "declared:", "shared", TUT_LIT("true"));
    put_attributes(p, a);
    tut_bom_property_z(p, "file:", "format", a->format);
    if (a->files) {
        put_number(p, "size", a->size);
        put_number(p, "files", a->files);
        if (a->parts_left_out)
            put_number(p, "files:left-out", a->parts_left_out);
        if (a->packages_left_out)
            put_number(p, "packages:left-out", a->packages_left_out);
    }
    tut_bom_property_z(p, "file:", "signature", a->signature);
    for (size_t i = 0; i < a->fact_count; i++)
        tut_bom_property(p, "file:", a->facts[i].key, a->facts[i].value);
    put_origins(p, a);
    put_unknown(p, a);
}

/* --- the system --- */

static void put_flow(tut_bom_properties *p, const tut_flow *f)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    tut_buf_add_str(&text, f->id);
    tut_buf_add_z(&text, ": ");
    tut_buf_add_str(&text, f->from);
    tut_buf_add_z(&text, " to ");
    tut_buf_add_str(&text, f->to);
    for (size_t i = 0; i < f->data.count; i++) {
        tut_buf_add_z(&text, i ? ", " : " carries ");
        tut_buf_add_str(&text, f->data.items[i]);
    }
    tut_bom_property_z(p, "declared:", "flow", tut_bom_said(p, &text));
}

void tut_bom_system_properties(tut_bom_properties *p)
{
    const tut_system *s = p->bom->system;
    if (!s)
        return;
    for (size_t i = 0; i < s->role_count; i++) {
        TUT_CLEAN(tut_buf) key = TUT_BUF_INIT;
        tut_buf_add_z(&key, "role:");
        tut_buf_add_str(&key, s->roles[i].key);
        tut_bom_property(p, "declared:", tut_bom_said(p, &key), s->roles[i].value);
    }
    for (size_t i = 0; i < s->owners.count; i++)
        tut_bom_property_z(p, "declared:", "owner", s->owners.items[i]);
    for (size_t i = 0; i < s->contacts.count; i++)
        tut_bom_property_z(p, "declared:", "contact", s->contacts.items[i]);
    for (size_t i = 0; i < s->hardware.count; i++)
        tut_bom_property_z(p, "declared:", "hardware", s->hardware.items[i]);
    tut_bom_property_z(p, "declared:", "url", s->url);
    if (s->has_released_at) {
        char at[TUT_TIME_TEXT];
        tut_time_rfc3339(s->released_at, at);
        tut_bom_property_z(p, "declared:", "released-at", tut_str_of(at));
    }
    for (size_t i = 0; p->is_spdx && i < s->flow_count; i++)
        put_flow(p, &s->flows[i]);
}

/* --- the document --- */

/* All 50 elements: where each is, or that it is not known. */
static void put_g7(tut_bom_properties *p)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    for (size_t i = 0; i < TUT_G7_COUNT; i++) {
        tut_g7_state state = tut_g7_judge(p->bom, &tut_g7_elements[i]);
        tut_buf_clear(&text);
        tut_g7_text(&tut_g7_elements[i], &state, p->is_spdx, &text);
        tut_bom_property_z(p, "g7:", tut_g7_elements[i].id, tut_bom_said(p, &text));
    }
}

/* CycloneDX has declarations for this. */
static void put_controls(tut_bom_properties *p, const tut_bom_conformity *c)
{
    static const char *const words[] = {"met", "partly met", "not met", "not checked",
                                        "not applicable"};
    char at[TUT_TIME_TEXT];
    tut_time_rfc3339(c->evaluated_at, at);
    tut_bom_property_z(p, "log:", "evaluated-at", tut_str_of(at));
    for (size_t i = 0; i < c->claim_count; i++) {
        TUT_CLEAN(tut_buf) key = TUT_BUF_INIT;
        tut_buf_add_z(&key, "control:");
        tut_buf_add_str(&key, c->claims[i].id);
        tut_bom_property(p, "log:", tut_bom_said(p, &key), tut_str_of(words[c->claims[i].verdict]));
    }
}

void tut_bom_document_properties(tut_bom_properties *p)
{
    const tut_bom *bom = p->bom;
    char number[24], hex[TUT_SHA256_HEX];
    put_g7(p);
    if (bom->system) {
        tut_sha256_hex(&bom->system->digest, hex);
        tut_bom_property_z(p, "file:", "tutela.yaml:sha256", tut_str_of(hex));
    }
    if (!bom->conformity || !bom->conformity->log_origin[0])
        return;
    snprintf(number, sizeof(number), "%llu", (unsigned long long)bom->conformity->log_size);
    tut_sha256_hex(&bom->conformity->log_root, hex);
    tut_bom_property_z(p, "log:", "origin", tut_str_of(bom->conformity->log_origin));
    tut_bom_property_z(p, "log:", "size", tut_str_of(number));
    tut_bom_property_z(p, "log:", "root:sha256", tut_str_of(hex));
    if (p->is_spdx)
        put_controls(p, bom->conformity);
}
