/*
 * component-definition.json: what Tutela itself does for which provision, from the control rows. A
 * check that this version lacks is planned and said to be; it implements nothing.
 */
#include "assess/oscal_internal.h"

static const char *status_of(const tut_clause *c)
{
    size_t available = 0;
    for (size_t i = 0; i < c->want_count; i++)
        available += c->wants[i].is_available;
    return available == 0 ? "planned" : available == c->want_count ? "implemented" : "partial";
}

static bool has_available(const tut_clause *c)
{
    return strcmp(status_of(c), "planned") != 0;
}

static void put_checks(tut_oscal *o, const tut_clause *c)
{
    tut_json_key(o->j, "props");
    tut_json_array(o->j);
    tut_oscal_prop_z(o, "implementation-status", status_of(c));
    for (size_t i = 0; i < c->want_count; i++) {
        const tut_want *w = &c->wants[i];
        TUT_CLEAN(tut_buf) remarks = TUT_BUF_INIT;
        tut_buf_printf(&remarks, "%s; %.*s", tut_method_name(w->method), (int)w->command.len,
                       w->command.data);
        tut_oscal_prop_full(o, TUT_OSCAL_NS, "check", w->check,
                            w->is_available ? "implemented" : "planned", tut_buf_str(&remarks));
    }
    tut_json_end_array(o->j);
}

static void add_sentence(tut_buf *out, const tut_want *w)
{
    tut_buf_add_z(out, out->len ? " " : "");
    tut_buf_add_z(out, w->is_available ? "Checked: " : "Planned, not in this version: ");
    tut_oscal_add_markup(out, w->what);
    tut_buf_add_z(out, " (");
    tut_oscal_add_markup(out, w->check);
    tut_buf_printf(out, ", %s).", tut_method_name(w->method));
}

static void put_requirement(tut_oscal *o, const tut_clause *c, tut_str version)
{
    char control[TUT_OSCAL_CONTROL_MAX];
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    tut_uuid id = TUT_OSCAL_ID(o, "implemented-requirement", c->id, version);
    tut_oscal_control_id(c, "", control);
    for (size_t i = 0; i < c->want_count; i++)
        add_sentence(&text, &c->wants[i]);
    tut_json_object(o->j);
    tut_oscal_put_uuid(o, "uuid", &id);
    tut_json_put_z(o->j, "control-id", control);
    tut_oscal_put_buf(o, "description", &text);
    put_checks(o, c);
    tut_json_key(o->j, "responsible-roles");
    tut_json_array(o->j);
    for (size_t i = 0; i < TUT_ROLE_COUNT; i++) {
        char role[32];
        if (!(c->roles & (1u << i)))
            continue;
        tut_oscal_role_id(i, role);
        tut_json_object(o->j);
        tut_json_put_z(o->j, "role-id", role);
        tut_json_end_object(o->j);
    }
    tut_json_end_array(o->j);
    tut_json_end_object(o->j);
}

static void put_implementations(tut_oscal *o, const tut_clause *clauses, tut_str version)
{
    tut_uuid id = TUT_OSCAL_ID(o, "control-implementation", version);
    tut_uuid source = tut_oscal_catalog_resource(o);
    size_t checked = 0;
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    for (size_t i = 0; i < TUT_CLAUSE_COUNT; i++)
        checked += has_available(&clauses[i]);
    tut_buf_printf(&text,
                   "Of the %d provisions, this version of Tutela collects evidence for %zu. A "
                   "check shows how things are; doing what a provision asks remains with the roles "
                   "that it names.",
                   TUT_CLAUSE_COUNT, checked);
    tut_json_key(o->j, "control-implementations");
    tut_json_array(o->j);
    tut_json_object(o->j);
    tut_oscal_put_uuid(o, "uuid", &id);
    tut_oscal_put_ref(o, "source", &source);
    tut_oscal_put_buf(o, "description", &text);
    tut_json_key(o->j, "implemented-requirements");
    tut_json_array(o->j);
    for (size_t i = 0; i < TUT_CLAUSE_COUNT; i++)
        put_requirement(o, &clauses[i], version);
    tut_json_end_array(o->j);
    tut_json_end_object(o->j);
    tut_json_end_array(o->j);
}

static void put_component(tut_oscal *o, const tut_clause *clauses, tut_str version)
{
    tut_uuid id = TUT_OSCAL_ID(o, "component", TUT_LIT("tutela"), version);
    tut_json_key(o->j, "components");
    tut_json_array(o->j);
    tut_json_object(o->j);
    tut_oscal_put_uuid(o, "uuid", &id);
    tut_json_put_z(o->j, "type", "software");
    tut_json_put_z(o->j, "title", "Tutela");
    tut_json_put_z(o->j, "description",
                   "Checks AI systems against ETSI EN 304 223 and proves the result from a "
                   "tamper-evident ledger.");
    tut_json_key(o->j, "props");
    tut_json_array(o->j);
    tut_oscal_prop_full(o, NULL, "version", TUT_LIT(TUTELA_VERSION), NULL, TUT_LIT(""));
    tut_oscal_prop_sha256(o, "binary-sha256", &o->a->tool_binary);
    tut_oscal_prop_sha256(o, "catalogue-sha256", &o->a->tool_catalogue);
    tut_oscal_prop_sha256(o, "rules-sha256", &o->a->tool_rules);
    tut_json_end_array(o->j);
    put_implementations(o, clauses, version);
    tut_json_end_object(o->j);
    tut_json_end_array(o->j);
}

tut_status tut_oscal_components(const tut_assessment *a, tut_buf *out, tut_error *err)
{
    const tut_clause *clauses;
    char version[64];
    TUT_AUTO(tut_json) j = NULL;
    TUT_TRY(tut_catalogue_load(&clauses, err));
    TUT_TRY(tut_json_new(out, &j));
    tut_oscal o = {.a = a, .j = j, .status = TUT_SUCCESS, .err = err};
    tut_oscal_build_version(a, version);
    tut_uuid id = TUT_OSCAL_ID(&o, "component-definition", tut_str_of(version),
                               tut_oscal_digest_part(&a->tool_binary),
                               tut_oscal_digest_part(&a->tool_rules));
    tut_oscal_begin(&o, TUT_OSCAL_COMPONENTS, &id,
                    "Tutela: what it checks of ETSI EN 304 223 V2.1.1", tut_str_of(version));
    tut_oscal_put_roles(&o);
    tut_json_end_object(j);
    put_component(&o, clauses, tut_str_of(version));
    tut_json_key(j, "back-matter");
    tut_json_object(j);
    tut_json_key(j, "resources");
    tut_json_array(j);
    tut_oscal_put_catalog_resource(&o);
    tut_oscal_put_standard_resource(&o);
    tut_json_end_array(j);
    tut_json_end_object(j);
    return tut_oscal_end(&o, out);
}
