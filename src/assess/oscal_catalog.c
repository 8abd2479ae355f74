/*
 * catalog.json: phases hold principles, principles hold the provisions. A control has its statement
 * (and the further sentences of the provision as items), when it applies, and for each want of its
 * row an objective and the method that assesses it.
 */
#include "assess/oscal_internal.h"
#include "assets/system.h"

#define NS_RMF "http://csrc.nist.gov/ns/rmf" /* where OSCAL defines the prop "method" */

static const char *const phase_ids[TUT_PHASE_COUNT] = {"secure-design", "secure-development",
                                                       "secure-deployment", "secure-maintenance",
                                                       "secure-end-of-life"};
static const char *const phase_titles[TUT_PHASE_COUNT] = {"Secure design", "Secure development",
                                                          "Secure deployment", "Secure maintenance",
                                                          "Secure end of life"};
static const char *const modality_words[] = {"shall", "should", "can"};

static void put_control_props(tut_oscal *o, const tut_clause *c, size_t ordinal)
{
    char text[32];
    tut_json_key(o->j, "props");
    tut_json_array(o->j);
    tut_oscal_prop_full(o, NULL, "label", c->id, NULL, TUT_LIT(""));
    snprintf(text, sizeof(text), "en304223-%03zu", ordinal);
    tut_oscal_prop_full(o, NULL, "sort-id", tut_str_of(text), NULL, TUT_LIT(""));
    tut_oscal_prop_z(o, "modality", modality_words[c->modality]);
    tut_oscal_prop_set(o, "role", c->roles, tut_role_names, TUT_ROLE_COUNT);
    tut_oscal_prop_set(o, "serves", c->serves, tut_role_names, TUT_ROLE_COUNT);
    tut_oscal_prop_set(o, "threat", c->threats, tut_threat_names, TUT_THREAT_COUNT);
    for (size_t i = 0; i < TUT_THREAT_COUNT; i++)
        if (c->threats & (1u << i))
            tut_oscal_prop_z(o, "atlas-technique", tut_threat_atlas[i]);
    tut_oscal_prop_set(o, "attribute", c->attributes, tut_attribute_names, TUT_ATTRIBUTE_COUNT);
    snprintf(text, sizeof(text), "P%u", c->seed);
    tut_oscal_prop_full(o, TUT_OSCAL_NS, "seed-principle", tut_str_of(text), NULL,
                        tut_str_of(tut_seed_titles[c->seed - 1]));
    tut_oscal_prop(o, "uk-code", c->uk_id);
    tut_oscal_prop(o, "evidence-kind", c->evidence_kind);
    tut_oscal_prop_z(o, "gate", c->is_gate ? "yes" : "no");
    tut_json_end_array(o->j);
}

/* "shall: Operators tell end-users." */
static void put_item(tut_oscal *o, const tut_clause *c, size_t i)
{
    char suffix[32];
    char id[TUT_OSCAL_CONTROL_MAX];
    size_t colon;
    tut_str text = c->secondary[i];
    snprintf(suffix, sizeof(suffix), "_smt.%zu", i + 1);
    tut_oscal_control_id(c, suffix, id);
    tut_json_object(o->j);
    tut_json_put_z(o->j, "id", id);
    tut_json_put_z(o->j, "name", "item");
    if (tut_str_find(text, TUT_LIT(": "), &colon)) {
        tut_json_key(o->j, "props");
        tut_json_array(o->j);
        tut_oscal_prop(o, "modality", (tut_str){text.data, colon});
        tut_json_end_array(o->j);
        text = (tut_str){text.data + colon + 2, text.len - colon - 2};
    }
    tut_oscal_put_markup(o, "prose", text);
    tut_json_end_object(o->j);
}

static void put_statement(tut_oscal *o, const tut_clause *c)
{
    char id[TUT_OSCAL_CONTROL_MAX];
    tut_oscal_control_id(c, "_smt", id);
    tut_json_object(o->j);
    tut_json_put_z(o->j, "id", id);
    tut_json_put_z(o->j, "name", "statement");
    tut_oscal_put_markup(o, "prose", c->summary);
    if (c->secondary_count) {
        tut_json_key(o->j, "parts");
        tut_json_array(o->j);
        for (size_t i = 0; i < c->secondary_count; i++)
            put_item(o, c, i);
        tut_json_end_array(o->j);
    }
    tut_json_end_object(o->j);
}

static void put_condition(tut_oscal *o, const tut_clause *c)
{
    if (c->applies_when.len == 0)
        return;
    char id[TUT_OSCAL_CONTROL_MAX];
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    tut_oscal_control_id(c, "_gdn", id);
    tut_buf_add_z(&text, "Applies if ");
    tut_oscal_add_markup(&text, c->applies_when);
    tut_buf_add_z(&text, ".");
    tut_json_object(o->j);
    tut_json_put_z(o->j, "id", id);
    tut_json_put_z(o->j, "name", "guidance");
    tut_json_put_z(o->j, "class", "applies-when");
    tut_oscal_put_buf(o, "prose", &text);
    tut_json_end_object(o->j);
}

static void put_objective_props(tut_oscal *o, const tut_want *w)
{
    tut_json_key(o->j, "props");
    tut_json_array(o->j);
    tut_oscal_prop(o, "check", w->check);
    tut_oscal_prop_z(o, "scope", tut_scope_name(w->scope));
    for (int kind = 0; w->kinds >> kind; kind++)
        if (w->kinds & (1u << kind))
            tut_oscal_prop_z(o, "asset-kind", tut_asset_kind_name((tut_asset_kind)kind));
    tut_oscal_prop_u64(o, "max-age-days", w->max_age_days);
    tut_oscal_prop(o, "least", w->least);
    if (w->signers)
        tut_oscal_prop_u64(o, "signers", w->signers);
    tut_oscal_prop_set(o, "signer-role", w->signer_roles, tut_signer_role_names,
                       TUT_PERSON_ROLE_COUNT);
    tut_oscal_prop_z(o, "implementation", w->is_available ? "implemented" : "planned");
    tut_json_end_array(o->j);
}

static void put_objective(tut_oscal *o, const tut_clause *c, size_t i)
{
    char suffix[32];
    char id[TUT_OSCAL_CONTROL_MAX];
    char statement[1 + TUT_OSCAL_CONTROL_MAX] = "#";
    snprintf(suffix, sizeof(suffix), "_obj.%zu", i + 1);
    tut_oscal_control_id(c, suffix, id);
    tut_oscal_control_id(c, "_smt", statement + 1);
    tut_json_object(o->j);
    tut_json_put_z(o->j, "id", id);
    tut_json_put_z(o->j, "name", "assessment-objective");
    put_objective_props(o, &c->wants[i]);
    tut_oscal_put_markup(o, "prose", c->wants[i].what);
    tut_json_key(o->j, "links");
    tut_json_array(o->j);
    tut_oscal_link(o, "assessment-for", statement, TUT_LIT(""));
    tut_json_end_array(o->j);
    tut_json_end_object(o->j);
}

static void put_method(tut_oscal *o, const tut_clause *c, size_t i)
{
    char suffix[32];
    char id[TUT_OSCAL_CONTROL_MAX];
    char objective[1 + TUT_OSCAL_CONTROL_MAX] = "#";
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    snprintf(suffix, sizeof(suffix), "_obj.%zu", i + 1);
    tut_oscal_control_id(c, suffix, objective + 1);
    snprintf(suffix, sizeof(suffix), "_asm.%zu", i + 1);
    tut_oscal_control_id(c, suffix, id);
    tut_json_object(o->j);
    tut_json_put_z(o->j, "id", id);
    tut_json_put_z(o->j, "name", "assessment-method");
    tut_json_key(o->j, "props");
    tut_json_array(o->j);
    tut_oscal_prop_full(o, NS_RMF, "method", tut_str_of(tut_method_name(c->wants[i].method)), NULL,
                        TUT_LIT(""));
    tut_json_end_array(o->j);
    tut_json_key(o->j, "links");
    tut_json_array(o->j);
    tut_oscal_link(o, "assessment-for", objective, TUT_LIT(""));
    tut_json_end_array(o->j);
    tut_json_key(o->j, "parts");
    tut_json_array(o->j);
    tut_json_object(o->j);
    tut_json_put_z(o->j, "name", "assessment-objects");
    tut_buf_add_z(&text, "Evidence of the check ");
    tut_oscal_add_markup(&text, c->wants[i].check);
    tut_buf_add_z(&text, ", recorded by: ");
    tut_oscal_add_markup(&text, c->wants[i].command);
    tut_oscal_put_buf(o, "prose", &text);
    tut_json_end_object(o->j);
    tut_json_end_array(o->j);
    tut_json_end_object(o->j);
}

/* The sentence without its full stop. */
static tut_str title_of(const tut_clause *c)
{
    tut_str s = c->summary;
    return s.len && s.data[s.len - 1] == '.' ? (tut_str){s.data, s.len - 1} : s;
}

static void put_control(tut_oscal *o, const tut_clause *c, size_t ordinal)
{
    char id[TUT_OSCAL_CONTROL_MAX];
    tut_uuid standard = tut_oscal_standard_resource(o);
    tut_oscal_control_id(c, "", id);
    tut_json_object(o->j);
    tut_json_put_z(o->j, "id", id);
    tut_json_put_z(o->j, "class", modality_words[c->modality]);
    tut_oscal_put_markup(o, "title", title_of(c));
    put_control_props(o, c, ordinal);
    tut_json_key(o->j, "links");
    tut_json_array(o->j);
    tut_oscal_link_ref(o, "reference", &standard, TUT_LIT(""));
    tut_json_end_array(o->j);
    tut_json_key(o->j, "parts");
    tut_json_array(o->j);
    put_statement(o, c);
    put_condition(o, c);
    for (size_t i = 0; i < c->want_count; i++) {
        put_objective(o, c, i);
        put_method(o, c, i);
    }
    tut_json_end_array(o->j);
    tut_json_end_object(o->j);
}

/* Clauses of one principle stand together; *at is the first, and behind the last afterwards. */
static void put_principle(tut_oscal *o, const tut_clause *clauses, size_t *at)
{
    unsigned principle = clauses[*at].principle;
    tut_str clause = clauses[*at].id;
    size_t dash;
    char text[64];
    if (tut_str_find(clause, TUT_LIT("-"), &dash))
        clause.len = dash;
    tut_json_object(o->j);
    snprintf(text, sizeof(text), "en304223-%.*s", (int)clause.len, clause.data);
    tut_json_put_z(o->j, "id", text);
    tut_json_put_z(o->j, "class", "principle");
    tut_oscal_put_markup(o, "title", tut_str_of(tut_principle_titles[principle - 1]));
    tut_json_key(o->j, "props");
    tut_json_array(o->j);
    tut_oscal_prop_full(o, NULL, "label", clause, NULL, TUT_LIT(""));
    tut_oscal_prop_u64(o, "principle", principle);
    tut_json_end_array(o->j);
    tut_json_key(o->j, "controls");
    tut_json_array(o->j);
    for (; *at < TUT_CLAUSE_COUNT && clauses[*at].principle == principle; (*at)++)
        put_control(o, &clauses[*at], *at + 1);
    tut_json_end_array(o->j);
    tut_json_end_object(o->j);
}

static void put_groups(tut_oscal *o, const tut_clause *clauses)
{
    tut_json_key(o->j, "groups");
    tut_json_array(o->j);
    for (size_t at = 0; at < TUT_CLAUSE_COUNT;) {
        tut_phase phase = clauses[at].phase;
        tut_json_object(o->j);
        tut_json_put_z(o->j, "id", phase_ids[phase]);
        tut_json_put_z(o->j, "class", "phase");
        tut_json_put_z(o->j, "title", phase_titles[phase]);
        tut_json_key(o->j, "groups");
        tut_json_array(o->j);
        while (at < TUT_CLAUSE_COUNT && clauses[at].phase == phase)
            put_principle(o, clauses, &at);
        tut_json_end_array(o->j);
        tut_json_end_object(o->j);
    }
    tut_json_end_array(o->j);
}

tut_status tut_oscal_catalog(const tut_assessment *a, tut_buf *out, tut_error *err)
{
    const tut_clause *clauses;
    char version[64];
    TUT_AUTO(tut_json) j = NULL;
    TUT_TRY(tut_catalogue_load(&clauses, err));
    TUT_TRY(tut_json_new(out, &j));
    tut_oscal o = {.a = a, .j = j, .status = TUT_SUCCESS, .err = err};
    tut_oscal_build_version(a, version);
    tut_uuid id = TUT_OSCAL_ID(&o, "catalog", tut_str_of(version));
    tut_oscal_begin(&o, TUT_OSCAL_CATALOG, &id,
                    "ETSI EN 304 223 V2.1.1: the 72 provisions, paraphrased by Tutela",
                    tut_str_of(version));
    tut_json_put_z(j, "remarks",
                   "Own words only; the standard's text is not repeated. Clause numbers are the "
                   "standard's. Threats, attributes, kinds of evidence and gates are Tutela's "
                   "judgement.");
    tut_json_end_object(j);
    put_groups(&o, clauses);
    tut_json_key(j, "back-matter");
    tut_json_object(j);
    tut_json_key(j, "resources");
    tut_json_array(j);
    tut_oscal_put_standard_resource(&o);
    tut_json_end_array(j);
    tut_json_end_object(j);
    return tut_oscal_end(&o, out);
}
