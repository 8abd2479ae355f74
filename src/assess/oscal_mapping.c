/*
 * mapping-collection.json: one mapping for each framework, one map for each provision and thing of
 * the framework. What nobody has mapped is listed as a gap, so that silence is not taken for
 * "nothing there". A framework that is forthcoming is named, and nothing is claimed of it.
 */
#include "assess/oscal_internal.h"

static tut_uuid framework_resource(tut_oscal *o, const tut_framework *f)
{
    return TUT_OSCAL_ID(o, "resource", f->key, f->version);
}

static void put_confidence(tut_oscal *o, tut_str category)
{
    tut_json_key(o->j, "confidence-score");
    tut_json_object(o->j);
    tut_json_put_str(o->j, "category", category);
    tut_json_end_object(o->j);
}

static void put_item(tut_oscal *o, const char *key, tut_str id, tut_str remarks)
{
    tut_json_key(o->j, key);
    tut_json_array(o->j);
    tut_json_object(o->j);
    tut_json_put_z(o->j, "type", "control");
    tut_oscal_put_text(o, "id-ref", id);
    if (remarks.len)
        tut_oscal_put_markup(o, "remarks", remarks);
    tut_json_end_object(o->j);
    tut_json_end_array(o->j);
}

static void put_map(tut_oscal *o, const tut_framework *f, const tut_clause *c, const tut_mapping *m)
{
    char control[TUT_OSCAL_CONTROL_MAX];
    tut_uuid id = TUT_OSCAL_ID(o, "map", f->key, f->version, c->id, m->target->id);
    tut_oscal_control_id(c, "", control);
    tut_json_object(o->j);
    tut_oscal_put_uuid(o, "uuid", &id);
    tut_json_put_z(o->j, "relationship", tut_relationship_name(m->relationship));
    tut_json_put_str(o->j, "matching-rationale", f->rationale);
    put_confidence(o, m->confidence);
    put_item(o, "sources", tut_str_of(control), TUT_LIT(""));
    put_item(o, "targets", m->target->id, m->target->title);
    tut_json_end_object(o->j);
}

static void put_gaps(tut_oscal *o, const tut_framework *f, const tut_clause *clauses, size_t index)
{
    size_t gaps = 0;
    for (size_t i = 0; i < TUT_CLAUSE_COUNT; i++)
        gaps += clauses[i].crosswalk[index].count == 0;
    if (gaps == 0)
        return;
    tut_uuid id = TUT_OSCAL_ID(o, "gap-summary", f->key, f->version);
    tut_json_key(o->j, "source-gap-summary");
    tut_json_object(o->j);
    tut_oscal_put_uuid(o, "uuid", &id);
    tut_json_key(o->j, "unmapped-controls");
    tut_json_array(o->j);
    tut_json_object(o->j);
    tut_json_key(o->j, "with-ids");
    tut_json_array(o->j);
    for (size_t i = 0; i < TUT_CLAUSE_COUNT; i++) {
        char control[TUT_OSCAL_CONTROL_MAX];
        tut_oscal_control_id(&clauses[i], "", control);
        if (clauses[i].crosswalk[index].count == 0)
            tut_json_z(o->j, control);
    }
    tut_json_end_array(o->j);
    tut_json_end_object(o->j);
    tut_json_end_array(o->j);
    tut_json_end_object(o->j);
}

/* ns NULL: of a type that OSCAL defines. */
static void put_side(tut_oscal *o, const char *key, const char *ns, const char *type,
                     const tut_uuid *resource)
{
    tut_json_key(o->j, key);
    tut_json_object(o->j);
    if (ns)
        tut_json_put_z(o->j, "ns", ns);
    tut_json_put_z(o->j, "type", type);
    tut_oscal_put_ref(o, "href", resource);
    tut_json_end_object(o->j);
}

static void put_mapping(tut_oscal *o, const tut_framework *f, const tut_clause *clauses,
                        size_t index)
{
    tut_uuid id = TUT_OSCAL_ID(o, "mapping", f->key, f->version);
    tut_uuid source = tut_oscal_catalog_resource(o);
    tut_uuid target = framework_resource(o, f);
    tut_json_object(o->j);
    tut_oscal_put_uuid(o, "uuid", &id);
    tut_json_put_z(o->j, "method", "hybrid");
    tut_json_put_str(o->j, "matching-rationale", f->rationale);
    tut_json_put_z(o->j, "status", "complete");
    tut_oscal_put_markup(o, "mapping-description", f->basis);
    put_confidence(o, f->confidence);
    put_side(o, "source-resource", NULL, "catalog", &source);
    put_side(o, "target-resource", TUT_OSCAL_NS, "framework", &target);
    tut_json_key(o->j, "maps");
    tut_json_array(o->j);
    for (size_t i = 0; i < TUT_CLAUSE_COUNT; i++)
        for (size_t k = 0; k < clauses[i].crosswalk[index].count; k++)
            put_map(o, f, &clauses[i], &clauses[i].crosswalk[index].maps[k]);
    tut_json_end_array(o->j);
    put_gaps(o, f, clauses, index);
    tut_json_end_object(o->j);
}

static void put_framework(tut_oscal *o, const tut_framework *f)
{
    tut_uuid id = framework_resource(o, f);
    TUT_CLEAN(tut_buf) citation = TUT_BUF_INIT;
    tut_json_object(o->j);
    tut_oscal_put_uuid(o, "uuid", &id);
    tut_oscal_put_markup(o, "title", f->title);
    tut_oscal_put_markup(o, "description", f->basis);
    tut_json_key(o->j, "props");
    tut_json_array(o->j);
    tut_oscal_prop(o, "framework", f->key);
    tut_oscal_prop_z(o, "mapping", f->is_forthcoming ? "none-claimed" : "claimed");
    tut_json_end_array(o->j);
    tut_oscal_add_markup(&citation, f->publisher);
    tut_buf_add_z(&citation, ", ");
    tut_oscal_add_markup(&citation, f->version);
    tut_buf_add_z(&citation, ", ");
    tut_oscal_add_markup(&citation, f->title);
    tut_json_key(o->j, "citation");
    tut_json_object(o->j);
    tut_oscal_put_buf(o, "text", &citation);
    tut_json_end_object(o->j);
    tut_json_key(o->j, "rlinks");
    tut_json_array(o->j);
    tut_json_object(o->j);
    tut_json_put_str(o->j, "href", f->href);
    tut_json_end_object(o->j);
    tut_json_end_array(o->j);
    tut_json_end_object(o->j);
}

static void put_provenance(tut_oscal *o)
{
    tut_json_key(o->j, "provenance");
    tut_json_object(o->j);
    tut_json_put_z(o->j, "method", "hybrid");
    tut_json_put_z(o->j, "matching-rationale", "semantic");
    tut_json_put_z(o->j, "status", "complete");
    tut_json_put_z(
        o->j, "mapping-description",
        "The judgement of Tutela's authors, provision by provision; no legal equivalence "
        "is claimed, and meeting one side proves nothing of the other. Each map says how "
        "the two relate and how sure we are; each mapping says what was compared. Where "
        "no map could be defended there is none, and the provision is listed as a gap.");
    tut_json_end_object(o->j);
}

tut_status tut_oscal_mapping(const tut_assessment *a, tut_buf *out, tut_error *err)
{
    const tut_clause *clauses;
    char version[64];
    TUT_AUTO(tut_json) j = NULL;
    TUT_TRY(tut_catalogue_load(&clauses, err));
    TUT_TRY(tut_json_new(out, &j));
    const tut_framework *frameworks = tut_catalogue_frameworks();
    tut_oscal o = {.a = a, .j = j, .status = TUT_SUCCESS, .err = err};
    tut_oscal_build_version(a, version);
    tut_uuid id = TUT_OSCAL_ID(&o, "mapping-collection", tut_str_of(version));
    tut_oscal_begin(&o, TUT_OSCAL_MAPPING, &id,
                    "ETSI EN 304 223 V2.1.1 compared with other frameworks", tut_str_of(version));
    tut_json_end_object(j);
    put_provenance(&o);
    tut_json_key(j, "mappings");
    tut_json_array(j);
    for (size_t i = 0; i < TUT_FRAMEWORK_COUNT; i++)
        if (!frameworks[i].is_forthcoming)
            put_mapping(&o, &frameworks[i], clauses, i);
    tut_json_end_array(j);
    tut_json_key(j, "back-matter");
    tut_json_object(j);
    tut_json_key(j, "resources");
    tut_json_array(j);
    tut_oscal_put_catalog_resource(&o);
    tut_oscal_put_standard_resource(&o);
    for (size_t i = 0; i < TUT_FRAMEWORK_COUNT; i++)
        put_framework(&o, &frameworks[i]);
    tut_json_end_array(j);
    tut_json_end_object(j);
    return tut_oscal_end(&o, out);
}
