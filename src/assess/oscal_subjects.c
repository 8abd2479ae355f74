/* The local definitions of the result: the system, its assets by digest, the tool; the parties. */
#include "assess/oscal_results.h"

static void put_status(tut_oscal *o, const char *state, const char *remarks)
{
    tut_json_key(o->j, "status");
    tut_json_object(o->j);
    tut_json_put_z(o->j, "state", state);
    if (remarks)
        tut_json_put_z(o->j, "remarks", remarks);
    tut_json_end_object(o->j);
}

static void put_system(tut_oscal *o, const tut_oscal_facts *f)
{
    tut_str name = tut_str_of(o->a->system_name);
    tut_json_object(o->j);
    tut_oscal_put_uuid(o, "uuid", &f->system);
    tut_json_put_z(o->j, "type", "this-system");
    tut_oscal_put_markup(o, "title", name.len ? name : TUT_LIT("(no system is described)"));
    tut_json_put_z(o->j, "description",
                   "The AI system as tutela.yaml described it when it was last recorded.");
    if (o->a->system_version && o->a->system_version[0]) {
        tut_json_key(o->j, "props");
        tut_json_array(o->j);
        tut_oscal_prop_full(o, NULL, "version", tut_str_of(o->a->system_version), NULL,
                            TUT_LIT(""));
        tut_json_end_array(o->j);
    }
    tut_json_key(o->j, "links");
    tut_json_array(o->j);
    tut_oscal_link_ref(o, "bill-of-materials", &f->bills, TUT_LIT(""));
    tut_json_end_array(o->j);
    put_status(o, "other", "Whether it is in service is not known to Tutela.");
    tut_json_end_object(o->j);
}

static void put_item_props(tut_oscal *o, const tut_oscal_subject *s)
{
    const char *why;
    tut_json_key(o->j, "props");
    tut_json_array(o->j);
    tut_oscal_prop_full(o, NULL, "asset-id", s->name, NULL, TUT_LIT(""));
    if (s->digest)
        tut_oscal_prop_sha256(o, "sha256", s->digest);
    if (!s->asset) {
        tut_oscal_prop_z(o, "state", "not-in-the-inventory-at-this-digest");
        tut_json_end_array(o->j);
        return;
    }
    tut_oscal_prop_z(o, "state", s->asset->state);
    tut_oscal_prop_z(o, "asset-kind", s->asset->kind);
    tut_oscal_prop_z(o, "path", s->asset->path);
    tut_oscal_prop_z(o, "format", s->asset->format);
    tut_oscal_prop_z(o, "detail", s->asset->detail);
    tut_oscal_prop_u64(o, "size-bytes", s->asset->size);
    bool is_cleared = tut_asset_is_cleared(s->asset, &why);
    tut_oscal_prop_full(o, TUT_OSCAL_NS, "cleared", tut_str_of(is_cleared ? "yes" : "no"), NULL,
                        tut_str_of(why));
    tut_json_end_array(o->j);
}

/* What it depends on, as far as that is in the inventory. */
static void put_dependencies(tut_oscal *o, const tut_oscal_facts *f, const tut_asset_summary *asset)
{
    bool is_open = false;
    for (size_t i = 0; asset && i < asset->depends_count; i++) {
        size_t at = tut_map_get(&f->current, tut_str_of(asset->depends_on[i]));
        if (at == SIZE_MAX)
            continue;
        if (!is_open) {
            tut_json_key(o->j, "links");
            tut_json_array(o->j);
            is_open = true;
        }
        tut_oscal_link_ref(o, "depends-on", &f->subjects[at].id, f->subjects[at].name);
    }
    if (is_open)
        tut_json_end_array(o->j);
}

static void put_item(tut_oscal *o, const tut_oscal_facts *f, const tut_oscal_subject *s)
{
    tut_json_object(o->j);
    tut_oscal_put_uuid(o, "uuid", &s->id);
    tut_oscal_put_markup(o, "description", s->name);
    put_item_props(o, s);
    put_dependencies(o, f, s->asset);
    tut_json_key(o->j, "implemented-components");
    tut_json_array(o->j);
    tut_json_object(o->j);
    tut_oscal_put_uuid(o, "component-uuid", &f->system);
    tut_json_end_object(o->j);
    tut_json_end_array(o->j);
    tut_json_end_object(o->j);
}

static void put_assessment_assets(tut_oscal *o, const tut_oscal_facts *f)
{
    tut_json_key(o->j, "assessment-assets");
    tut_json_object(o->j);
    tut_json_key(o->j, "components");
    tut_json_array(o->j);
    tut_json_object(o->j);
    tut_oscal_put_uuid(o, "uuid", &f->tool);
    tut_json_put_z(o->j, "type", "software");
    tut_json_put_z(o->j, "title", "Tutela");
    tut_json_put_z(o->j, "description", "The program that judged, by its digest.");
    tut_json_key(o->j, "props");
    tut_json_array(o->j);
    tut_oscal_prop_full(o, NULL, "version", TUT_LIT(TUTELA_VERSION), NULL, TUT_LIT(""));
    tut_oscal_prop_sha256(o, "binary-sha256", &o->a->tool_binary);
    tut_json_end_array(o->j);
    put_status(o, "operational", NULL);
    tut_json_end_object(o->j);
    tut_json_end_array(o->j);
    tut_json_key(o->j, "assessment-platforms");
    tut_json_array(o->j);
    tut_json_object(o->j);
    tut_oscal_put_uuid(o, "uuid", &f->platform);
    tut_json_put_z(o->j, "title", "The machine on which Tutela ran");
    tut_json_key(o->j, "uses-components");
    tut_json_array(o->j);
    tut_json_object(o->j);
    tut_oscal_put_uuid(o, "component-uuid", &f->tool);
    tut_json_end_object(o->j);
    tut_json_end_array(o->j);
    tut_json_end_object(o->j);
    tut_json_end_array(o->j);
    tut_json_end_object(o->j);
}

void tut_oscal_put_local_definitions(tut_oscal *o, const tut_oscal_facts *f)
{
    tut_json_key(o->j, "local-definitions");
    tut_json_object(o->j);
    tut_json_key(o->j, "components");
    tut_json_array(o->j);
    put_system(o, f);
    tut_json_end_array(o->j);
    if (f->subject_count) {
        tut_json_key(o->j, "inventory-items");
        tut_json_array(o->j);
        for (size_t i = 0; i < f->subject_count; i++)
            put_item(o, f, &f->subjects[i]);
        tut_json_end_array(o->j);
    }
    put_assessment_assets(o, f);
    tut_json_end_object(o->j);
}

static void put_party(tut_oscal *o, const tut_oscal_party *p)
{
    tut_json_object(o->j);
    tut_oscal_put_uuid(o, "uuid", &p->id);
    tut_json_put_z(o->j, "type", "person");
    tut_oscal_put_text(
        o, "name", p->name ? tut_str_of(p->name) : TUT_LIT("somebody whom the log does not know"));
    tut_json_key(o->j, "props");
    tut_json_array(o->j);
    tut_oscal_prop_z(o, "key", p->key_id ? p->key_id : "none: a name that somebody typed");
    tut_json_end_array(o->j);
    tut_json_end_object(o->j);
}

void tut_oscal_put_parties(tut_oscal *o, const tut_oscal_facts *f)
{
    if (f->party_count == 0)
        return;
    tut_json_key(o->j, "parties");
    tut_json_array(o->j);
    for (size_t i = 0; i < f->party_count; i++)
        put_party(o, &f->parties[i]);
    tut_json_end_array(o->j);
}
