/* assessment-results.json: one result, what it rests on, and what it was judged with. */
#include "assess/oscal_results.h"

static void put_grade(tut_oscal *o, const char *name, char grade)
{
    tut_oscal_prop(o, name, grade ? (tut_str){&grade, 1} : TUT_LIT("none"));
}

static void put_counts(tut_oscal *o)
{
    for (size_t v = 0; v < TUT_CONTROL_VERDICT_COUNT; v++)
        tut_oscal_prop_u64(o, tut_control_verdict_name((tut_control_verdict)v), o->a->counts[v]);
}

static void put_log_props(tut_oscal *o)
{
    const tut_assessment *a = o->a;
    if (!a->log_origin[0]) {
        tut_oscal_prop_z(o, "log-origin", "none: nothing is recorded");
        return;
    }
    tut_oscal_prop_z(o, "log-origin", a->log_origin);
    tut_oscal_prop_u64(o, "log-size", a->records->log_size);
    tut_oscal_prop_sha256(o, "log-root", &a->log_root);
    tut_oscal_prop_z(o, "log-trust", tut_trust_name(a->log_trust));
    if (a->log_proven.is_there) {
        tut_oscal_prop_time(o, "log-proven-time", a->log_proven.at);
        tut_oscal_prop_u64(o, "log-proven-size", a->log_proven.size);
    }
}

static void begin_part(tut_oscal *o, const char *name, const char *title)
{
    tut_json_object(o->j);
    tut_json_put_z(o->j, "name", name);
    tut_json_put_z(o->j, "ns", TUT_OSCAL_NS);
    tut_json_put_z(o->j, "title", title);
    tut_json_key(o->j, "props");
    tut_json_array(o->j);
}

static void end_part(tut_oscal *o)
{
    tut_json_end_array(o->j);
    tut_json_end_object(o->j);
}

static void put_grade_part(tut_oscal *o)
{
    const tut_assessment *a = o->a;
    char score[32];
    begin_part(o, "grade", "The grade");
    put_grade(o, "grade", a->grade);
    put_grade(o, "grade-without-caps", a->grade_without_caps);
    snprintf(score, sizeof(score), "%.2f", a->score);
    tut_oscal_prop_z(o, "score", score);
    put_counts(o);
    for (size_t i = 0; i < a->cap_count; i++)
        if (a->caps[i].applies)
            tut_oscal_prop_full(o, TUT_OSCAL_NS, "cap", (tut_str){&a->caps[i].grade, 1},
                                a->caps[i].bit ? "bit" : "held-anyway",
                                tut_str_of(a->caps[i].reason));
    end_part(o);
}

static void put_attestation(tut_oscal *o)
{
    tut_json_key(o->j, "attestations");
    tut_json_array(o->j);
    tut_json_object(o->j);
    tut_json_key(o->j, "parts");
    tut_json_array(o->j);
    begin_part(o, "tool", "What judged: program, catalogue and rules by their digests");
    tut_oscal_prop_z(o, "version", TUTELA_VERSION);
    tut_oscal_prop_sha256(o, "binary-sha256", &o->a->tool_binary);
    tut_oscal_prop_sha256(o, "catalogue-sha256", &o->a->tool_catalogue);
    tut_oscal_prop_sha256(o, "rules-sha256", &o->a->tool_rules);
    tut_oscal_prop_z(o, "sandbox", o->a->sandbox);
    end_part(o);
    begin_part(o, "log", "The evidence log that the verdicts were derived from");
    put_log_props(o);
    end_part(o);
    put_grade_part(o);
    tut_json_end_array(o->j);
    tut_json_end_object(o->j);
    tut_json_end_array(o->j);
}

/* What was not checked is said as loudly as what was. */
static void put_result_props(tut_oscal *o)
{
    tut_json_key(o->j, "props");
    tut_json_array(o->j);
    put_grade(o, "grade", o->a->grade);
    put_counts(o);
    for (size_t i = 0; i < o->a->unchecked_count; i++)
        tut_oscal_prop_full(o, TUT_OSCAL_NS, "unchecked", tut_str_of(o->a->unchecked[i].what), NULL,
                            tut_str_of(o->a->unchecked[i].why));
    tut_json_end_array(o->j);
}

/* From the first moment that any evidence speaks of. */
static tut_time observed_from(const tut_oscal_facts *f, tut_time evaluated_at)
{
    tut_time from = evaluated_at;
    for (size_t i = 0; i < f->used_count; i++)
        if (f->used[i].record->from < from)
            from = f->used[i].record->from;
    return from;
}

static void put_period(tut_oscal *o, const tut_oscal_facts *f)
{
    tut_time end = o->a->evaluated_at;
    bool is_said = tut_oscal_put_time(o, "start", observed_from(f, end)) ||
                   tut_oscal_put_time(o, "start", end);
    is_said = tut_oscal_put_time(o, "end", end) && is_said;
    if (!is_said && tut_is_ok(o->status))
        o->status = tut_fail(o->err, TUT_USAGE,
                             "OSCAL cannot say the time of this assessment (1900 to 2999)");
}

static void put_result(tut_oscal *o, const tut_oscal_facts *f, const tut_uuid *id)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    tut_json_key(o->j, "results");
    tut_json_array(o->j);
    tut_json_object(o->j);
    tut_oscal_put_uuid(o, "uuid", id);
    tut_json_put_z(o->j, "title", "The 72 provisions of ETSI EN 304 223 V2.1.1");
    tut_buf_add_z(&text, "Verdicts recomputed from the records of the evidence log. ");
    tut_oscal_add_markup(&text, tut_str_of(o->a->grade_sentence));
    tut_oscal_put_buf(o, "description", &text);
    put_period(o, f);
    put_result_props(o);
    tut_oscal_put_local_definitions(o, f);
    tut_json_key(o->j, "reviewed-controls");
    tut_json_object(o->j);
    tut_json_key(o->j, "control-selections");
    tut_json_array(o->j);
    tut_json_object(o->j);
    tut_json_put_z(o->j, "description", "Every provision; none is left out.");
    tut_json_key(o->j, "include-all");
    tut_json_object(o->j);
    tut_json_end_object(o->j);
    tut_json_end_object(o->j);
    tut_json_end_array(o->j);
    tut_json_end_object(o->j);
    put_attestation(o);
    tut_oscal_put_observations(o, f);
    tut_oscal_put_risks(o, f);
    tut_oscal_put_findings(o, f);
    tut_json_end_object(o->j);
    tut_json_end_array(o->j);
}

static tut_uuid plan_resource(tut_oscal *o)
{
    return TUT_OSCAL_ID(o, "resource", TUT_LIT("plan"),
                        tut_oscal_digest_part(&o->a->tool_catalogue));
}

static void put_plan(tut_oscal *o)
{
    tut_uuid id = plan_resource(o);
    tut_json_object(o->j);
    tut_oscal_put_uuid(o, "uuid", &id);
    tut_json_put_z(o->j, "title", "The plan: the control rows of the catalogue");
    tut_json_put_z(o->j, "description",
                   "There is no plan of this assessment alone. Which evidence counts, how old it "
                   "may be and who must have signed it is in the catalog, as the objectives and "
                   "methods of each provision.");
    tut_json_key(o->j, "rlinks");
    tut_json_array(o->j);
    tut_json_object(o->j);
    tut_json_put_z(o->j, "href", "catalog.json");
    tut_json_end_object(o->j);
    tut_json_end_array(o->j);
    tut_json_end_object(o->j);
}

static void put_log(tut_oscal *o)
{
    if (!o->a->log_origin[0])
        return;
    tut_uuid id = TUT_OSCAL_ID(o, "resource", TUT_LIT("log"), tut_str_of(o->a->log_origin),
                               tut_oscal_digest_part(&o->a->log_root));
    tut_json_object(o->j);
    tut_oscal_put_uuid(o, "uuid", &id);
    tut_json_put_z(o->j, "title", "The evidence log");
    tut_json_put_z(o->j, "description",
                   "A Merkle log (C2SP tlog-tiles); its checkpoint signs the size and the root.");
    tut_json_key(o->j, "props");
    tut_json_array(o->j);
    put_log_props(o);
    tut_json_end_array(o->j);
    tut_json_key(o->j, "rlinks");
    tut_json_array(o->j);
    tut_json_object(o->j);
    tut_json_put_z(o->j, "href", "../../../ledger/evidence/checkpoint");
    tut_json_end_object(o->j);
    tut_json_end_array(o->j);
    tut_json_end_object(o->j);
}

static void put_bill(tut_oscal *o, const char *href, const char *media_type)
{
    tut_json_object(o->j);
    tut_json_put_z(o->j, "href", href);
    tut_json_put_z(o->j, "media-type", media_type);
    tut_json_end_object(o->j);
}

/* Written in the same run as this document. */
static void put_bills(tut_oscal *o, const tut_oscal_facts *f)
{
    tut_json_object(o->j);
    tut_oscal_put_uuid(o, "uuid", &f->bills);
    tut_json_put_z(o->j, "title", "The bills of materials of the system");
    tut_json_key(o->j, "rlinks");
    tut_json_array(o->j);
    put_bill(o, "../bom.cdx.json", "application/vnd.cyclonedx+json");
    put_bill(o, "../bom.spdx.json", "application/spdx+json");
    tut_json_end_array(o->j);
    tut_json_end_object(o->j);
}

static void put_back_matter(tut_oscal *o, const tut_oscal_facts *f)
{
    tut_json_key(o->j, "back-matter");
    tut_json_object(o->j);
    tut_json_key(o->j, "resources");
    tut_json_array(o->j);
    put_plan(o);
    put_log(o);
    put_bills(o, f);
    tut_oscal_put_catalog_resource(o);
    tut_oscal_put_standard_resource(o);
    tut_oscal_put_evidence_resources(o, f);
    tut_json_end_array(o->j);
    tut_json_end_object(o->j);
}

static tut_status compose(tut_oscal *o, const tut_oscal_facts *f, tut_buf *out)
{
    const tut_assessment *a = o->a;
    char at[TUT_TIME_TEXT];
    char size[24];
    tut_time_rfc3339(a->evaluated_at, at);
    snprintf(size, sizeof(size), "%llu",
             (unsigned long long)(a->records ? a->records->log_size : 0));
    tut_str origin = tut_str_of(a->log_origin);
    tut_str root = tut_oscal_digest_part(&a->log_root);
    tut_str catalogue = tut_oscal_digest_part(&a->tool_catalogue);
    tut_str binary = tut_oscal_digest_part(&a->tool_binary);
    tut_uuid id = TUT_OSCAL_ID(o, "assessment-results", origin, root, tut_str_of(size),
                               tut_str_of(at), catalogue, binary);
    tut_uuid result = TUT_OSCAL_ID(o, "result", origin, root, tut_str_of(size), tut_str_of(at),
                                   catalogue, binary);
    tut_uuid plan = plan_resource(o);
    tut_oscal_begin(o, TUT_OSCAL_RESULTS, &id,
                    "Assessment of an AI system against ETSI EN 304 223 V2.1.1", tut_str_of(at));
    tut_oscal_put_roles(o);
    tut_oscal_put_parties(o, f);
    tut_json_end_object(o->j);
    tut_json_key(o->j, "import-ap");
    tut_json_object(o->j);
    tut_oscal_put_ref(o, "href", &plan);
    tut_json_end_object(o->j);
    put_result(o, f, &result);
    put_back_matter(o, f);
    return tut_oscal_end(o, out);
}

tut_status tut_oscal_results(const tut_assessment *a, tut_buf *out, tut_error *err)
{
    TUT_AUTO(tut_json) j = NULL;
    tut_oscal_facts facts;
    TUT_TRY(tut_json_new(out, &j));
    tut_oscal o = {.a = a, .j = j, .status = TUT_SUCCESS, .err = err};
    TUT_TRY(tut_oscal_facts_init(&facts, &o));
    tut_status status = compose(&o, &facts, out);
    tut_oscal_facts_done(&facts);
    return status;
}
