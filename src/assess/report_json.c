/* tutela.assessment/1: the assessment as one JSON object. A pure function of the assessment. */
#include "assess/assessment.h"
#include "assess/threat_view.h"

static const char *const phase_words[TUT_PHASE_COUNT] = {"secure_design", "secure_development",
                                                         "secure_deployment", "secure_maintenance",
                                                         "secure_end_of_life"};
static const char *const modality_words[] = {"shall", "should", "can"};

static void put_words(tut_json *j, const char *key, uint32_t bits, const char *const *words,
                      size_t count)
{
    tut_json_key(j, key);
    tut_json_array(j);
    for (size_t i = 0; i < count; i++)
        if (bits & (1u << i))
            tut_json_z(j, words[i]);
    tut_json_end_array(j);
}

static void put_digest(tut_json *j, const char *key, const tut_sha256 *digest)
{
    tut_json_key(j, key);
    tut_json_sha256(j, digest->bytes);
}

static void put_grade(tut_json *j, const char *key, char grade)
{
    tut_json_key(j, key);
    if (grade)
        tut_json_str(j, (tut_str){&grade, 1});
    else
        tut_json_null(j);
}

static void put_caps(const tut_assessment *a, tut_json *j)
{
    tut_json_key(j, "caps");
    tut_json_array(j);
    for (size_t i = 0; i < a->cap_count; i++) {
        if (!a->caps[i].applies)
            continue;
        tut_json_object(j);
        put_grade(j, "grade", a->caps[i].grade);
        tut_json_put_bool(j, "bit", a->caps[i].bit);
        tut_json_put_z(j, "reason", a->caps[i].reason);
        tut_json_end_object(j);
    }
    tut_json_end_array(j);
}

static void put_tool(const tut_assessment *a, tut_json *j)
{
    tut_json_key(j, "tool");
    tut_json_object(j);
    put_digest(j, "binary", &a->tool_binary);
    put_digest(j, "catalogue", &a->tool_catalogue);
    put_digest(j, "rules", &a->tool_rules);
    tut_json_end_object(j);
}

static void put_log(const tut_assessment *a, tut_json *j)
{
    tut_json_key(j, "log");
    if (!a->log_origin[0]) {
        tut_json_null(j);
        return;
    }
    tut_json_object(j);
    tut_json_put_z(j, "origin", a->log_origin);
    tut_json_put_u64(j, "size", a->records->log_size);
    put_digest(j, "root", &a->log_root);
    tut_json_put_z(j, "trust", tut_trust_name(a->log_trust));
    if (a->log_proven.is_there) {
        tut_json_put_time(j, "proven_time", a->log_proven.at);
        tut_json_put_u64(j, "proven_size", a->log_proven.size);
    } else {
        tut_json_put_or_null(j, "proven_time", TUT_LIT(""));
        tut_json_put_or_null(j, "proven_size", TUT_LIT(""));
    }
    tut_json_end_object(j);
}

static void put_summary(const tut_assessment *a, tut_json *j)
{
    tut_json_key(j, "summary");
    tut_json_object(j);
    tut_json_put_z(j, "system", a->system_name);
    tut_json_put_z(j, "version", a->system_version);
    tut_json_put_z(j, "standard", "ETSI EN 304 223 V2.1.1");
    put_grade(j, "grade", a->grade);
    put_grade(j, "grade_without_caps", a->grade_without_caps);
    tut_json_put_z(j, "sentence", a->grade_sentence);
    tut_json_key(j, "score");
    tut_json_real(j, a->score);
    put_caps(a, j);
    tut_json_key(j, "counts");
    tut_json_object(j);
    for (size_t v = 0; v < TUT_CONTROL_VERDICT_COUNT; v++)
        tut_json_put_u64(j, tut_control_verdict_name((tut_control_verdict)v), a->counts[v]);
    tut_json_end_object(j);
    tut_json_put_u64(j, "findings", a->finding_count);
    tut_json_put_u64(j, "suppressed", a->accepted_count);
    tut_json_put_u64(j, "assets", a->asset_count);
    tut_json_put_u64(j, "unchecked", a->unchecked_count);
    tut_json_put_u64(j, "records", a->records ? a->records->log_size : 0);
    tut_json_put_z(j, "sandbox", a->sandbox);
    put_log(a, j);
    put_tool(a, j);
    tut_json_end_object(j);
}

static void put_signers(const tut_record *r, tut_json *j)
{
    tut_json_key(j, "signers");
    tut_json_array(j);
    for (size_t i = 0; i < r->signer_count; i++) {
        const tut_record_signer *s = &r->signers[i];
        tut_json_object(j);
        tut_json_put_z(j, "name", s->name);
        tut_json_put_z(j, "key", s->key_id);
        tut_json_put_bool(j, "counts", s->counts);
        tut_json_put_z(j, "why", s->why);
        tut_json_end_object(j);
    }
    tut_json_end_array(j);
}

static void put_evidence(const tut_evidence_use *use, tut_json *j)
{
    const tut_record *r = use->record;
    tut_json_object(j);
    tut_json_put_u64(j, "index", r->index);
    tut_json_put_z(j, "check", r->check);
    tut_json_put_z(j, "method", tut_method_name(r->method));
    tut_json_put_z(j, "result", tut_result_name(r->result));
    tut_json_put_z(j, "use", tut_use_name(use->use));
    tut_json_put_z(j, "why", use->why);
    tut_json_put_time(j, "at", r->at);
    tut_json_put_time(j, "expires", r->expires);
    tut_json_put_z(j, "actor", r->actor);
    tut_json_put_z(j, "tier", tut_tier_name(r->tier));
    put_signers(r, j);
    tut_json_put_z(j, "statement", r->statement);
    tut_json_put_z(j, "origin", r->origin);
    tut_json_key(j, "subjects");
    tut_json_array(j);
    for (size_t i = 0; i < r->subject_count; i++) {
        tut_json_object(j);
        tut_json_put_z(j, "name", r->subjects[i].name);
        put_digest(j, "digest", &r->subjects[i].digest);
        tut_json_end_object(j);
    }
    tut_json_end_array(j);
    tut_json_key(j, "body");
    if (r->has_body)
        tut_json_sha256(j, r->body.bytes);
    else
        tut_json_null(j);
    tut_json_end_object(j);
}

static void put_control(const tut_control *c, tut_json *j)
{
    const tut_clause *clause = c->clause;
    char seed[8];
    snprintf(seed, sizeof(seed), "P%u", clause->seed);
    tut_json_object(j);
    tut_json_put_str(j, "id", clause->id);
    tut_json_put_u64(j, "principle", clause->principle);
    tut_json_put_z(j, "seed_principle", seed);
    tut_json_put_z(j, "phase", phase_words[clause->phase]);
    tut_json_put_z(j, "modality", modality_words[clause->modality]);
    put_words(j, "roles", clause->roles, tut_role_names, TUT_ROLE_COUNT);
    put_words(j, "serves", clause->serves, tut_role_names, TUT_ROLE_COUNT);
    put_words(j, "threats", clause->threats, tut_threat_names, TUT_THREAT_COUNT);
    tut_json_put_str(j, "summary", clause->summary);
    tut_json_put_str(j, "applies_when", clause->applies_when);
    tut_json_put_str(j, "evidence_kind", clause->evidence_kind);
    tut_json_put_z(j, "verdict", tut_control_verdict_name(c->verdict));
    tut_json_put_bool(j, "stale", c->is_stale);
    tut_json_key(j, "reasons");
    tut_json_array(j);
    for (size_t i = 0; i < c->reason_count; i++)
        tut_json_z(j, c->reasons[i]);
    tut_json_end_array(j);
    tut_json_key(j, "evidence");
    tut_json_array(j);
    for (size_t i = 0; i < c->evidence_count; i++)
        put_evidence(&c->evidence[i], j);
    tut_json_end_array(j);
    tut_json_key(j, "refresh");
    if (c->refresh.len)
        tut_json_str(j, c->refresh);
    else
        tut_json_null(j);
    tut_json_put_bool(j, "refresh_available", c->is_refresh_available);
    tut_json_end_object(j);
}

static void put_idle(void *ctx, tut_str text)
{
    tut_json_str(ctx, text);
}

static void put_findings(tut_json *j, const char *key, const tut_report_finding *findings,
                         size_t count)
{
    tut_json_key(j, key);
    tut_json_array(j);
    for (size_t i = 0; i < count; i++) {
        const tut_report_finding *f = &findings[i];
        tut_json_object(j);
        tut_json_put_z(j, "asset", f->asset);
        tut_json_put_z(j, "rule", f->rule);
        tut_json_put_z(j, "severity", tut_severity_name(f->severity));
        tut_json_put_z(j, "confidence", f->confidence);
        tut_json_put_z(j, "title", f->title);
        tut_json_put_z(j, "message", f->message);
        tut_json_put_z(j, "location", f->location);
        tut_json_key(j, "offset");
        if (f->has_offset)
            tut_json_u64(j, f->offset);
        else
            tut_json_null(j);
        tut_json_put_words(j, "threats", f->threats);
        tut_json_put_words(j, "clauses", f->clauses);
        tut_json_put_z(j, "fix", f->fix);
        if (f->accepted)
            tut_json_put_z(j, "accepted", f->accepted);
        tut_json_end_object(j);
    }
    tut_json_end_array(j);
}

static void put_assets(const tut_assessment *a, tut_json *j)
{
    tut_json_key(j, "assets");
    tut_json_array(j);
    for (size_t i = 0; i < a->asset_count; i++) {
        const tut_asset_summary *s = &a->assets[i];
        tut_json_object(j);
        tut_json_put_z(j, "id", s->id);
        tut_json_put_z(j, "kind", s->kind);
        tut_json_put_z(j, "path", s->path);
        tut_json_put_z(j, "state", s->state);
        tut_json_put_z(j, "format", s->format);
        tut_json_put_z(j, "detail", s->detail);
        tut_json_put_u64(j, "size", s->size);
        tut_sha256 digest;
        tut_json_key(j, "digest");
        if (tut_is_ok(tut_sha256_parse(tut_str_of(s->digest), &digest)))
            tut_json_sha256(j, digest.bytes);
        else
            tut_json_null(j);
        tut_json_key(j, "depends_on");
        tut_json_array(j);
        for (size_t k = 0; k < s->depends_count; k++)
            tut_json_z(j, s->depends_on[k]);
        tut_json_end_array(j);
        const char *why;
        tut_json_put_bool(j, "cleared", tut_asset_is_cleared(s, &why));
        tut_json_put_z(j, "cleared_why", why);
        tut_json_end_object(j);
    }
    tut_json_end_array(j);
}

static void put_rest(const tut_assessment *a, tut_json *j)
{
    tut_json_key(j, "unchecked");
    tut_json_array(j);
    for (size_t i = 0; i < a->unchecked_count; i++) {
        tut_json_object(j);
        tut_json_put_z(j, "what", a->unchecked[i].what);
        tut_json_put_z(j, "why", a->unchecked[i].why);
        tut_json_end_object(j);
    }
    tut_json_end_array(j);
    tut_json_key(j, "next");
    tut_json_array(j);
    for (size_t i = 0; i < a->next_count; i++) {
        tut_json_object(j);
        tut_json_put_z(j, "command", a->next[i].command);
        tut_json_put_z(j, "title", a->next[i].title);
        tut_json_put_z(j, "why", a->next[i].why);
        tut_json_put_words(j, "clauses", a->next[i].clauses);
        tut_json_end_object(j);
    }
    tut_json_end_array(j);
}

tut_status tut_report_json(const tut_assessment *a, tut_buf *out, tut_error *err)
{
    TUT_AUTO(tut_json) j = NULL;
    TUT_TRY(tut_json_new(out, &j));
    tut_json_head(j, "tutela.assessment/1", a->generated);
    tut_json_put_time(j, "evaluated_at", a->evaluated_at);
    put_summary(a, j);
    tut_json_key(j, "controls");
    tut_json_array(j);
    for (size_t i = 0; i < TUT_CLAUSE_COUNT; i++)
        put_control(&a->controls[i], j);
    tut_json_end_array(j);
    put_findings(j, "findings", a->findings, a->finding_count);
    put_findings(j, "suppressed", a->accepted, a->accepted_count);
    tut_json_key(j, "lists_without_effect");
    tut_json_array(j);
    tut_assessment_idle_entries(a, put_idle, j);
    tut_json_end_array(j);
    tut_overrides_json(a->overrides, a->override_count, j);
    put_assets(a, j);
    TUT_TRY(tut_threat_view_json(tut_buf_span(&a->threat_model), j, err));
    put_rest(a, j);
    tut_json_end_object(j);
    TUT_TRY(tut_json_finish(j, err));
    tut_buf_add_z(out, "\n");
    return tut_buf_check(out, err);
}

tut_status tut_report_clause_json(const tut_assessment *a, const tut_clause *clause, tut_buf *out,
                                  tut_error *err)
{
    TUT_AUTO(tut_json) j = NULL;
    TUT_TRY(tut_json_new(out, &j));
    tut_json_head(j, "tutela.clauses/1", a->generated);
    tut_json_put_time(j, "evaluated_at", a->evaluated_at);
    tut_json_key(j, "summary");
    tut_json_object(j);
    tut_json_put_u64(j, "clauses", 1);
    tut_json_end_object(j);
    tut_json_key(j, "controls");
    tut_json_array(j);
    for (size_t i = 0; i < TUT_CLAUSE_COUNT; i++)
        if (tut_str_eq(a->controls[i].clause->id, clause->id))
            put_control(&a->controls[i], j);
    tut_json_end_array(j);
    tut_json_end_object(j);
    TUT_TRY(tut_json_finish(j, err));
    tut_buf_add_z(out, "\n");
    return tut_buf_check(out, err);
}
