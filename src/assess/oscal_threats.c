/* The risks of the recorded threat model as risks of assessment-results: what the rules found, what
 * is left of it, which controls count, and what was decided. */
#include "assess/oscal_results.h"

#define ATLAS "https://atlas.mitre.org"

/* OSCAL's own words for a risk's status. */
static const struct {
    const char *state, *status;
} statuses[] = {{"open", "open"},
                {"treated", "remediating"},
                {"accepted", "deviation-approved"},
                {"tolerated", "deviation-approved"}};

static tut_uuid part_id(tut_oscal *o, const char *kind, const tut_uuid *risk, tut_str part)
{
    return TUT_OSCAL_ID(o, kind, tut_str_from(tut_span_of(risk->bytes, sizeof(risk->bytes))), part);
}

static void put_props(tut_oscal *o, const tut_view_risk *r)
{
    tut_json_key(o->j, "props");
    tut_json_array(o->j);
    tut_oscal_prop(o, "risk", r->id);
    tut_oscal_prop(o, "rule", r->rule);
    tut_oscal_prop(o, "element", r->element);
    tut_oscal_prop(o, "threat", r->threat);
    tut_oscal_prop(o, "state", r->state);
    tut_json_end_array(o->j);
}

static void put_threat_ids(tut_oscal *o, const tut_json_value *atlas)
{
    if (tut_json_count(atlas) == 0)
        return;
    tut_json_key(o->j, "threat-ids");
    tut_json_array(o->j);
    for (uint32_t i = 0; i < tut_json_count(atlas); i++) {
        char url[96];
        tut_str id = tut_json_text(tut_json_item(atlas, i));
        snprintf(url, sizeof(url), ATLAS "/techniques/%.*s", (int)(id.len < 40 ? id.len : 40),
                 id.data);
        tut_json_object(o->j);
        tut_json_put_z(o->j, "system", ATLAS);
        tut_json_put_z(o->j, "id", url);
        tut_json_put_z(o->j, "href", url);
        tut_json_end_object(o->j);
    }
    tut_json_end_array(o->j);
}

static void put_facet(tut_oscal *o, const char *name, const char *value, const char *state)
{
    tut_json_object(o->j);
    tut_json_put_z(o->j, "name", name);
    tut_json_put_z(o->j, "system", TUT_OSCAL_NS);
    tut_json_put_z(o->j, "value", value);
    tut_json_key(o->j, "props");
    tut_json_array(o->j);
    tut_oscal_prop_full(o, NULL, "state", tut_str_of(state), NULL, TUT_LIT(""));
    tut_json_end_array(o->j);
    tut_json_end_object(o->j);
}

static void put_facets(tut_oscal *o, const tut_view_size *s, const char *state)
{
    put_facet(o, "likelihood", tut_view_likelihoods[s->likelihood - 1], state);
    put_facet(o, "impact", tut_view_impacts[s->impact - 1], state);
    put_facet(o, "risk", tut_view_levels[s->level], state);
}

static void put_sizes(tut_oscal *o, const tut_oscal_facts *f, const tut_view_risk *r)
{
    tut_oscal_begin_facets(o, f);
    put_facets(o, &r->inherent, "initial");
    put_facets(o, &r->residual, "adjusted");
    tut_oscal_end_facets(o);
}

/* Only what is proved: a claim is no mitigating factor. */
static void put_mitigating(tut_oscal *o, const tut_uuid *risk, const tut_json_value *list)
{
    bool is_open = false;
    for (uint32_t i = 0; i < tut_json_count(list); i++) {
        const tut_json_value *m = tut_json_item(list, i);
        if (!tut_json_get_bool(m, "counted", false))
            continue;
        tut_str control = tut_json_get_text(m, "control");
        tut_uuid id = part_id(o, "mitigating-factor", risk, control);
        TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
        if (!is_open) {
            tut_json_key(o->j, "mitigating-factors");
            tut_json_array(o->j);
        }
        is_open = true;
        tut_oscal_add_markup(&text, control);
        tut_buf_add_z(&text, ": ");
        tut_oscal_add_markup(&text, tut_json_get_text(m, "title"));
        tut_json_object(o->j);
        tut_oscal_put_uuid(o, "uuid", &id);
        tut_oscal_put_buf(o, "description", &text);
        tut_json_key(o->j, "props");
        tut_json_array(o->j);
        tut_oscal_prop(o, "check", tut_json_get_text(m, "proof"));
        tut_json_end_array(o->j);
        tut_json_end_object(o->j);
    }
    if (is_open)
        tut_json_end_array(o->j);
}

static void put_advice(tut_oscal *o, const tut_uuid *risk, tut_str advice)
{
    tut_uuid id = part_id(o, "remediation", risk, advice);
    if (advice.len == 0)
        return;
    tut_json_key(o->j, "remediations");
    tut_json_array(o->j);
    tut_json_object(o->j);
    tut_oscal_put_uuid(o, "uuid", &id);
    tut_json_put_z(o->j, "lifecycle", "recommendation");
    tut_json_put_z(o->j, "title", "What to do");
    tut_oscal_put_markup(o, "description", advice);
    tut_json_end_object(o->j);
    tut_json_end_array(o->j);
}

static void put_deadline(tut_oscal *o, const tut_json_value *acceptance)
{
    tut_time expires;
    if (acceptance && tut_json_get_bool(acceptance, "counts", false) &&
        tut_is_ok(tut_time_parse(tut_json_get_text(acceptance, "expires"), &expires)))
        (void)tut_oscal_put_time(o, "deadline", expires);
}

static void put_risk(tut_oscal *o, const tut_oscal_facts *f, const tut_view_risk *r)
{
    TUT_CLEAN(tut_buf) title = TUT_BUF_INIT;
    tut_str sha256 = tut_json_get_text(tut_json_get(r->json, "digest"), "sha256");
    tut_uuid id = TUT_OSCAL_ID(o, "threat-risk", tut_str_of(o->a->log_origin), r->id, sha256);
    const char *status = "open";
    for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++)
        if (tut_str_eq_z(r->state, statuses[i].state))
            status = statuses[i].status;
    tut_oscal_add_markup(&title, r->title);
    tut_buf_add_z(&title, ": ");
    tut_oscal_add_markup(&title, r->element);
    tut_json_object(o->j);
    tut_oscal_put_uuid(o, "uuid", &id);
    tut_oscal_put_buf(o, "title", &title);
    tut_oscal_put_markup(o, "description", tut_json_get_text(r->json, "description"));
    tut_oscal_put_markup(o, "statement", tut_json_get_text(r->json, "why"));
    tut_json_put_z(o->j, "status", status);
    put_props(o, r);
    put_threat_ids(o, tut_json_get(r->json, "atlas"));
    put_sizes(o, f, r);
    put_mitigating(o, &id, tut_json_get(r->json, "mitigations"));
    put_deadline(o, tut_json_get(r->json, "acceptance"));
    put_advice(o, &id, tut_json_get_text(r->json, "advice"));
    tut_json_end_object(o->j);
}

void tut_oscal_put_model_risks(tut_oscal *o, const tut_oscal_facts *f, const tut_threat_view *v)
{
    for (size_t i = 0; v && i < v->risk_count; i++)
        put_risk(o, f, &v->risks[i]);
}
