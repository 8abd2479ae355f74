/*
 * Services: those that the description calls assets, and the running parts with the data that flows
 * between them. A part that is a person's own (a user's client) is no service; its flows name it.
 */
#include "bom/cyclonedx_internal.h"

#define TUT_CDX_PART "part/"

static bool is_service(const tut_component *c)
{
    return !tut_str_eq_z(c->kind, "user-client") && !tut_str_eq_z(c->kind, "human-review");
}

static tut_str attribute(const tut_component *c, const char *key)
{
    for (size_t i = 0; i < c->attribute_count; i++)
        if (tut_str_eq_z(c->attributes[i].key, key))
            return c->attributes[i].value;
    return (tut_str){"", 0};
}

static void put_provider(tut_cdx *x, const tut_bom_asset *a)
{
    const char *source;
    tut_cdx_organisation(x, "provider", tut_bom_producer(x->bom, a, &source));
}

static void put_asset(tut_cdx *x, const tut_bom_asset *a)
{
    TUT_CLEAN(tut_buf) url = TUT_BUF_INIT;
    tut_json *j = x->j;
    tut_json_object(j);
    tut_json_put_z(j, "bom-ref", a->ref);
    tut_json_put_str(j, "name", a->name.len ? a->name : tut_str_of(a->ref));
    if (a->version.len <= TUT_CDX_VERSION_MAX)
        tut_cdx_put(x, "version", a->version);
    tut_cdx_put(x, "description", a->description);
    put_provider(x, a);
    if (tut_bom_url(a->url, &url)) {
        tut_json_key(j, "endpoints");
        tut_json_array(j);
        tut_json_str(j, tut_bom_said(&x->properties, &url));
        tut_json_end_array(j);
    }
    tut_cdx_licences(x, a->licence, tut_bom_known(x->bom, a, "licence"));
    tut_cdx_references(x, a);
    tut_cdx_properties(x, a);
    tut_json_end_object(j);
}

/* --- flows --- */

/* The greatest sensitivity of what flows, as far as the description says. */
static tut_str classify(const tut_bom *bom, const tut_flow *f)
{
    static const char *const order[] = {"public", "internal", "confidential", "personal"};
    int worst = -1;
    for (size_t i = 0; i < f->data.count; i++) {
        const tut_asset *a = tut_system_asset(bom->system, f->data.items[i]);
        for (int k = 0; a && k < 4; k++)
            if (tut_str_eq_z(a->sensitivity, order[k]) && k > worst)
                worst = k;
    }
    return tut_str_of(worst < 0 ? "not known" : order[worst]);
}

/* "#part/guard": a place in this document. */
static void put_ends(tut_cdx *x, const char *key, tut_str part)
{
    tut_buf_clear(&x->text);
    tut_buf_add_z(&x->text, "#" TUT_CDX_PART);
    tut_bom_escape(part, &x->text);
    tut_json_key(x->j, key);
    tut_json_array(x->j);
    tut_json_str(x->j, tut_bom_said(&x->properties, &x->text));
    tut_json_end_array(x->j);
}

static void put_flow(tut_cdx *x, const tut_flow *f, bool is_in)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    for (size_t i = 0; i < f->data.count; i++) {
        tut_buf_add_z(&text, i ? ", " : "carries ");
        tut_buf_add_str(&text, f->data.items[i]);
    }
    if (f->auth.len) {
        tut_buf_add_z(&text, text.len ? "; auth " : "auth ");
        tut_buf_add_str(&text, f->auth);
    }
    if (f->encryption.len) {
        tut_buf_add_z(&text, text.len ? "; encryption " : "encryption ");
        tut_buf_add_str(&text, f->encryption);
    }
    if (f->crosses)
        tut_buf_add_z(&text, text.len ? "; crosses a trust boundary" : "crosses a trust boundary");
    tut_cdx_item(x);
    tut_json_object(x->j);
    tut_json_put_z(x->j, "flow", is_in ? "inbound" : "outbound");
    tut_json_put_str(x->j, "classification", classify(x->bom, f));
    tut_cdx_put(x, "name", f->id);
    tut_cdx_put(x, "description", tut_bom_said(&x->properties, &text));
    if (f->from.len)
        put_ends(x, "source", f->from);
    if (f->to.len)
        put_ends(x, "destination", f->to);
    tut_json_end_object(x->j);
}

static void put_flows(tut_cdx *x, const tut_component *c, bool *ret_crosses)
{
    const tut_system *s = x->bom->system;
    *ret_crosses = false;
    tut_cdx_begin_list(x, "data");
    for (size_t i = 0; i < s->flow_count; i++) {
        const tut_flow *f = &s->flows[i];
        bool is_in = tut_str_eq(f->to, c->id), is_out = tut_str_eq(f->from, c->id);
        *ret_crosses |= (is_in || is_out) && f->crosses;
        if (is_in)
            put_flow(x, f, true);
        if (is_out)
            put_flow(x, f, false);
    }
    tut_cdx_end_list(x);
}

/* --- running parts --- */

static void put_part(tut_cdx *x, const tut_component *c)
{
    tut_json *j = x->j;
    bool crosses;
    tut_str auth = attribute(c, "api.auth");
    TUT_CLEAN(tut_buf) ref = TUT_BUF_INIT;
    tut_buf_add_z(&ref, TUT_CDX_PART);
    tut_buf_add_str(&ref, c->id);
    tut_json_object(j);
    tut_json_put_str(j, "bom-ref", tut_bom_said(&x->properties, &ref));
    tut_json_put_str(j, "name", c->id);
    tut_cdx_put(x, "group", c->kind);
    if (auth.len)
        tut_json_put_bool(j, "authenticated", !tut_str_eq_z(auth, "none"));
    tut_cdx_put(x, "trustZone", c->boundary);
    put_flows(x, c, &crosses);
    tut_json_put_bool(j, "x-trust-boundary", crosses);
    tut_json_key(j, "properties");
    tut_json_array(j);
    tut_bom_property_z(&x->properties, "declared:", "asset", c->asset);
    tut_bom_property_z(&x->properties, "declared:", "owner", c->owner);
    for (size_t i = 0; i < c->attribute_count; i++)
        tut_bom_property(&x->properties, "declared:", c->attributes[i].key, c->attributes[i].value);
    tut_json_end_array(j);
    tut_json_end_object(j);
}

void tut_cdx_services(tut_cdx *x)
{
    const tut_bom *bom = x->bom;
    const tut_system *s = bom->system;
    tut_json_key(x->j, "services");
    tut_json_array(x->j);
    for (size_t i = 0; i < bom->asset_count; i++)
        if (bom->assets[i].kind == TUT_KIND_SERVICE)
            put_asset(x, &bom->assets[i]);
    for (size_t i = 0; s && i < s->component_count; i++)
        if (is_service(&s->components[i]))
            put_part(x, &s->components[i]);
    tut_json_end_array(x->j);
}

/* A running part depends on the asset that it runs. */
void tut_cdx_part_dependencies(tut_cdx *x)
{
    const tut_system *s = x->bom->system;
    for (size_t i = 0; s && i < s->component_count; i++) {
        const tut_component *c = &s->components[i];
        if (!is_service(c))
            continue;
        tut_buf_clear(&x->text);
        tut_buf_add_z(&x->text, TUT_CDX_PART);
        tut_buf_add_str(&x->text, c->id);
        tut_json_object(x->j);
        tut_json_put_str(x->j, "ref", tut_bom_said(&x->properties, &x->text));
        tut_json_key(x->j, "dependsOn");
        tut_json_array(x->j);
        if (tut_bom_has(x->bom, c->asset))
            tut_json_str(x->j, c->asset);
        tut_json_end_array(x->j);
        tut_json_end_object(x->j);
    }
}

void tut_cdx_part_refs(tut_cdx *x)
{
    const tut_system *s = x->bom->system;
    for (size_t i = 0; s && i < s->component_count; i++) {
        if (!is_service(&s->components[i]))
            continue;
        tut_buf_clear(&x->text);
        tut_buf_add_z(&x->text, TUT_CDX_PART);
        tut_buf_add_str(&x->text, s->components[i].id);
        tut_json_str(x->j, tut_bom_said(&x->properties, &x->text));
    }
}
