/*
 * Findings: the verdict of each provision. OSCAL knows satisfied and not satisfied; only "met" is
 * the first. What is partly met, not checked or not applicable is not satisfied for another reason,
 * and a prop says which. Risks: what is not met, with the threats that it leaves open.
 */
#include "assess/oscal_results.h"

#define ATLAS "https://atlas.mitre.org"

enum { MOST_THREATS = 64 };

/* Another verdict or other evidence is another finding. */
static tut_uuid finding_id(tut_oscal *o, const tut_oscal_facts *f, const tut_control *c)
{
    TUT_CLEAN(tut_buf) evidence = TUT_BUF_INIT;
    for (size_t i = 0; i < c->evidence_count; i++) {
        const tut_oscal_used *used = tut_oscal_find_used(f, c->evidence[i].record);
        tut_buf_add(&evidence, used->observation.bytes, TUT_UUID_BYTES);
        tut_buf_add_byte(&evidence, (uint8_t)c->evidence[i].use);
    }
    if (tut_is_ok(o->status))
        o->status = tut_buf_check(&evidence, o->err);
    return TUT_OSCAL_ID(o, "finding", tut_str_of(o->a->log_origin), c->clause->id,
                        tut_oscal_digest_part(&o->a->tool_catalogue),
                        tut_str_of(tut_control_verdict_name(c->verdict)), tut_buf_str(&evidence));
}

static tut_uuid risk_id(tut_oscal *o, const tut_uuid *finding)
{
    return TUT_OSCAL_ID(o, "risk",
                        tut_str_from(tut_span_of(finding->bytes, sizeof(finding->bytes))));
}

static void put_reasons(tut_oscal *o, const char *key, const tut_control *c)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    for (size_t i = 0; i < c->reason_count; i++) {
        tut_buf_add_z(&text, i ? " " : "");
        tut_oscal_add_markup(&text, tut_str_of(c->reasons[i]));
    }
    if (text.len == 0)
        tut_buf_add_z(&text, "All that counts for it holds.");
    tut_oscal_put_buf(o, key, &text);
}

static void put_target(tut_oscal *o, const tut_control *c)
{
    char statement[TUT_OSCAL_CONTROL_MAX];
    tut_oscal_control_id(c->clause, "_smt", statement);
    tut_json_key(o->j, "target");
    tut_json_object(o->j);
    tut_json_put_z(o->j, "type", "statement-id");
    tut_json_put_z(o->j, "target-id", statement);
    tut_json_key(o->j, "status");
    tut_json_object(o->j);
    tut_json_put_z(o->j, "state", c->verdict == TUT_CONTROL_MET ? "satisfied" : "not-satisfied");
    tut_json_put_z(o->j, "reason",
                   c->verdict == TUT_CONTROL_MET       ? "pass"
                   : c->verdict == TUT_CONTROL_NOT_MET ? "fail"
                                                       : "other");
    tut_json_put_z(o->j, "remarks", tut_control_verdict_label(c->verdict));
    tut_json_end_object(o->j);
    tut_json_end_object(o->j);
}

static void put_finding_props(tut_oscal *o, const tut_control *c)
{
    tut_json_key(o->j, "props");
    tut_json_array(o->j);
    tut_oscal_prop_z(o, "verdict", tut_control_verdict_name(c->verdict));
    tut_oscal_prop_z(o, "stale", c->is_stale ? "yes" : "no");
    if (c->refresh.len)
        tut_oscal_prop_full(o, TUT_OSCAL_NS, "refresh", c->refresh,
                            c->is_refresh_available ? "available" : "not-yet", TUT_LIT(""));
    tut_json_end_array(o->j);
}

/* Why a record that was looked at does not hold the provision up. */
static void put_uses(tut_oscal *o, const tut_oscal_facts *f, const tut_control *c)
{
    bool is_open = false;
    for (size_t i = 0; i < c->evidence_count; i++) {
        const tut_evidence_use *use = &c->evidence[i];
        if (use->use == TUT_USE_COUNTS)
            continue;
        if (!is_open) {
            tut_json_key(o->j, "links");
            tut_json_array(o->j);
            is_open = true;
        }
        tut_oscal_link_ref(o, tut_use_name(use->use),
                           &tut_oscal_find_used(f, use->record)->observation, tut_str_of(use->why));
    }
    if (is_open)
        tut_json_end_array(o->j);
}

/* Each record once; contradicting_only for risks. */
static void put_related(tut_oscal *o, const tut_oscal_facts *f, const tut_control *c,
                        bool contradicting_only)
{
    bool is_open = false;
    size_t mark = 1 + 2 * (size_t)(c - o->a->controls) + contradicting_only;
    for (size_t i = 0; i < c->evidence_count; i++) {
        tut_oscal_used *used = tut_oscal_find_used(f, c->evidence[i].record);
        if (used->listed == mark ||
            (contradicting_only && c->evidence[i].use != TUT_USE_CONTRADICTS))
            continue;
        if (!is_open) {
            tut_json_key(o->j, "related-observations");
            tut_json_array(o->j);
            is_open = true;
        }
        used->listed = mark;
        tut_json_object(o->j);
        tut_oscal_put_uuid(o, "observation-uuid", &used->observation);
        tut_json_end_object(o->j);
    }
    if (is_open)
        tut_json_end_array(o->j);
}

static void put_finding(tut_oscal *o, const tut_oscal_facts *f, const tut_control *c)
{
    tut_uuid id = finding_id(o, f, c);
    TUT_CLEAN(tut_buf) title = TUT_BUF_INIT;
    tut_oscal_add_markup(&title, c->clause->id);
    tut_buf_printf(&title, " %s", tut_control_verdict_label(c->verdict));
    tut_json_object(o->j);
    tut_oscal_put_uuid(o, "uuid", &id);
    tut_oscal_put_buf(o, "title", &title);
    put_reasons(o, "description", c);
    put_target(o, c);
    put_finding_props(o, c);
    put_uses(o, f, c);
    put_related(o, f, c, false);
    if (c->verdict == TUT_CONTROL_NOT_MET) {
        tut_uuid risk = risk_id(o, &id);
        tut_json_key(o->j, "related-risks");
        tut_json_array(o->j);
        tut_json_object(o->j);
        tut_oscal_put_uuid(o, "risk-uuid", &risk);
        tut_json_end_object(o->j);
        tut_json_end_array(o->j);
    }
    tut_json_end_object(o->j);
}

void tut_oscal_put_findings(tut_oscal *o, const tut_oscal_facts *f)
{
    tut_json_key(o->j, "findings");
    tut_json_array(o->j);
    for (size_t i = 0; i < TUT_CLAUSE_COUNT; i++)
        put_finding(o, f, &o->a->controls[i]);
    tut_json_end_array(o->j);
}

/* --- risks --- */
typedef struct threats {
    tut_str ids[MOST_THREATS];
    size_t count;
} threats;

static void add_threat(threats *t, tut_str id)
{
    for (size_t i = 0; i < t->count; i++)
        if (tut_str_eq(t->ids[i], id))
            return;
    if (t->count < MOST_THREATS && id.len)
        t->ids[t->count++] = id;
}

/* Takes the next word off a space separated list. */
static bool next_word(tut_str *list, tut_str *ret_word)
{
    size_t end;
    *list = tut_str_trim(*list);
    if (list->len == 0)
        return false;
    if (!tut_str_find(*list, TUT_LIT(" "), &end))
        end = list->len;
    *ret_word = (tut_str){list->data, end};
    *list = (tut_str){list->data + end, list->len - end};
    return true;
}

static bool names_clause(const tut_report_finding *finding, tut_str clause)
{
    tut_str list = tut_str_of(finding->clauses);
    tut_str word;
    while (next_word(&list, &word))
        if (tut_str_eq(word, clause))
            return true;
    return false;
}

/* Those that the provision is against, and those of what was found in the files. */
static void gather_threats(const tut_assessment *a, const tut_clause *clause, threats *t)
{
    for (size_t i = 0; i < TUT_THREAT_COUNT; i++)
        if (clause->threats & (1u << i))
            add_threat(t, tut_str_of(tut_threat_atlas[i]));
    for (size_t i = 0; i < a->finding_count; i++) {
        tut_str list = tut_str_of(a->findings[i].threats);
        tut_str word;
        if (!names_clause(&a->findings[i], clause->id))
            continue;
        while (next_word(&list, &word))
            if (tut_str_starts(word, TUT_LIT("AML.T")))
                add_threat(t, word);
    }
}

static void put_threats(tut_oscal *o, const tut_clause *clause)
{
    threats t = {.count = 0};
    gather_threats(o->a, clause, &t);
    if (t.count == 0)
        return;
    tut_json_key(o->j, "threat-ids");
    tut_json_array(o->j);
    for (size_t i = 0; i < t.count; i++) {
        char url[96];
        snprintf(url, sizeof(url), ATLAS "/techniques/%.*s", (int)t.ids[i].len, t.ids[i].data);
        tut_json_object(o->j);
        tut_json_put_z(o->j, "system", ATLAS);
        tut_json_put_z(o->j, "id", url);
        tut_json_put_z(o->j, "href", url);
        tut_json_end_object(o->j);
    }
    tut_json_end_array(o->j);
}

void tut_oscal_begin_facets(tut_oscal *o, const tut_oscal_facts *f)
{
    tut_json_key(o->j, "characterizations");
    tut_json_array(o->j);
    tut_json_object(o->j);
    tut_json_key(o->j, "origin");
    tut_json_object(o->j);
    tut_json_key(o->j, "actors");
    tut_json_array(o->j);
    tut_json_object(o->j);
    tut_json_put_z(o->j, "type", "tool");
    tut_oscal_put_uuid(o, "actor-uuid", &f->tool);
    tut_json_end_object(o->j);
    tut_json_end_array(o->j);
    tut_json_end_object(o->j);
    tut_json_key(o->j, "facets");
    tut_json_array(o->j);
}

void tut_oscal_end_facets(tut_oscal *o)
{
    tut_json_end_array(o->j);
    tut_json_end_object(o->j);
    tut_json_end_array(o->j);
}

static void put_severity(tut_oscal *o, const tut_oscal_facts *f, const tut_clause *clause)
{
    tut_oscal_begin_facets(o, f);
    tut_json_object(o->j);
    tut_json_put_z(o->j, "name", "severity");
    tut_json_put_z(o->j, "system", TUT_OSCAL_NS);
    tut_json_put_z(o->j, "value", clause->modality == TUT_SHALL ? "high" : "low");
    tut_json_end_object(o->j);
    tut_oscal_end_facets(o);
}

static void put_remediation(tut_oscal *o, const tut_uuid *risk, const tut_control *c)
{
    if (c->refresh.len == 0)
        return;
    tut_uuid id = TUT_OSCAL_ID(
        o, "remediation", tut_str_from(tut_span_of(risk->bytes, sizeof(risk->bytes))), c->refresh);
    tut_json_key(o->j, "remediations");
    tut_json_array(o->j);
    tut_json_object(o->j);
    tut_oscal_put_uuid(o, "uuid", &id);
    tut_json_put_z(o->j, "lifecycle", "recommendation");
    tut_json_put_z(o->j, "title", "The command that would move it");
    tut_oscal_put_markup(o, "description", c->refresh);
    tut_json_end_object(o->j);
    tut_json_end_array(o->j);
}

static void put_risk(tut_oscal *o, const tut_oscal_facts *f, const tut_control *c)
{
    tut_uuid finding = finding_id(o, f, c);
    tut_uuid id = risk_id(o, &finding);
    TUT_CLEAN(tut_buf) title = TUT_BUF_INIT;
    tut_oscal_add_markup(&title, c->clause->id);
    tut_buf_add_z(&title, " is not met");
    tut_json_object(o->j);
    tut_oscal_put_uuid(o, "uuid", &id);
    tut_oscal_put_buf(o, "title", &title);
    put_reasons(o, "description", c);
    tut_oscal_put_markup(o, "statement", c->clause->summary);
    tut_json_put_z(o->j, "status", "open");
    put_threats(o, c->clause);
    put_severity(o, f, c->clause);
    put_remediation(o, &id, c);
    put_related(o, f, c, true);
    tut_json_end_object(o->j);
}

/* Of the provisions that are not met, and of the threat model as recorded; one that cannot be read
 * is told in the report, and costs the rest of the document nothing. */
void tut_oscal_put_risks(tut_oscal *o, const tut_oscal_facts *f)
{
    TUT_AUTO(tut_threat_view) model = NULL;
    tut_error why = {0};
    if (o->a->threat_model.len)
        TUT_IGNORE(tut_threat_view_new(tut_buf_span(&o->a->threat_model), &model, &why));
    if (o->a->counts[TUT_CONTROL_NOT_MET] == 0 && (!model || model->risk_count == 0))
        return;
    tut_json_key(o->j, "risks");
    tut_json_array(o->j);
    for (size_t i = 0; i < TUT_CLAUSE_COUNT; i++)
        if (o->a->controls[i].verdict == TUT_CONTROL_NOT_MET)
            put_risk(o, f, &o->a->controls[i]);
    tut_oscal_put_model_risks(o, f, model);
    tut_json_end_array(o->j);
}
