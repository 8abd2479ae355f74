/* The threat model as JSON, tutela.threats/1: what is kept in the log and written as
 * threat-model.json. docs/threats.md has its keys. */
#include "assess/threat_picture.h"
#include "govern/threat_coverage.h"
#include "govern/threat_internal.h"

static const char *const counted_names[] = {"counted", "claimed", "not_in_place"};

static void put_list(tut_json *j, const char *key, const tut_str_list *list)
{
    tut_json_key(j, key);
    tut_json_array(j);
    for (size_t i = 0; i < list->count; i++)
        tut_json_str(j, list->items[i]);
    tut_json_end_array(j);
}

static void put_digest(tut_json *j, const char *key, const tut_sha256 *digest)
{
    tut_json_key(j, key);
    tut_json_sha256(j, digest->bytes);
}

static void put_size(tut_json *j, const char *key, const tut_risk_size *s)
{
    tut_json_key(j, key);
    tut_json_object(j);
    tut_json_put_z(j, "level", tut_risk_level_names[s->level]);
    tut_json_put_int(j, "likelihood", s->likelihood);
    tut_json_put_int(j, "impact", s->impact);
    tut_json_end_object(j);
}

static void put_mitigation(tut_json *j, const tut_risk_mitigation *m)
{
    tut_json_object(j);
    tut_json_put_str(j, "control", m->mitigation->control);
    tut_json_put_str(j, "title", m->mitigation->title);
    tut_json_put_or_null(j, "atlas", m->mitigation->atlas);
    tut_json_put_str(j, "reduces", m->mitigation->reduces);
    tut_json_put_u64(j, "by", m->mitigation->by);
    tut_json_put_str(j, "proof", m->mitigation->proof);
    tut_json_put_bool(j, "counted", m->counted == TUT_COUNTED);
    tut_json_put_z(j, "state", counted_names[m->counted]);
    tut_json_put_z(j, "why", m->why);
    tut_json_key(j, "entry");
    if (m->record)
        tut_json_u64(j, m->record->index);
    else
        tut_json_null(j);
    tut_json_end_object(j);
}

static void put_treatment(tut_json *j, const tut_threat_treatment *t)
{
    tut_json_key(j, "treatment");
    if (!t) {
        tut_json_null(j);
        return;
    }
    tut_json_object(j);
    tut_json_put_str(j, "treatment", t->treatment);
    tut_json_put_or_null(j, "cost", t->cost);
    tut_json_put_or_null(j, "owner", t->owner);
    tut_json_put_or_null(j, "by", t->by);
    tut_json_put_or_null(j, "note", t->note);
    tut_json_end_object(j);
}

static void put_acceptance(tut_json *j, const tut_acceptance *a)
{
    tut_json_key(j, "acceptance");
    if (!a->record) {
        tut_json_null(j);
        return;
    }
    tut_json_object(j);
    tut_json_put_z(j, "by", a->by);
    tut_json_put_z(j, "reason", a->reason);
    tut_json_put_time(j, "expires", a->expires);
    tut_json_put_bool(j, "counts", a->counts);
    tut_json_put_z(j, "why", a->why);
    tut_json_put_u64(j, "entry", a->record->index);
    tut_json_end_object(j);
}

static void put_risk(tut_json *j, const tut_risk *r)
{
    TUT_CLEAN(tut_buf) way = TUT_BUF_INIT;
    const tut_threat_element *e = r->element;
    const tut_threat_element *end = e->links[TUT_THREAT_FROM]     ? e->links[TUT_THREAT_FROM]
                                    : e->links[TUT_THREAT_HOLDER] ? e->links[TUT_THREAT_HOLDER]
                                                                  : e;
    tut_threat_way(end->source ? end : NULL, &way);
    tut_json_object(j);
    tut_json_put_z(j, "id", r->id);
    tut_json_put_str(j, "rule", r->rule->id);
    tut_json_put_u64(j, "rule_version", r->rule->version);
    tut_json_put_z(j, "element", e->id);
    tut_json_put_z(j, "on", tut_threat_on_names[e->on]);
    tut_json_put_str(j, "title", r->rule->title);
    tut_json_put_str(j, "threat", r->rule->threat);
    put_list(j, "atlas", &r->rule->atlas);
    put_list(j, "llm", &r->rule->llm);
    put_list(j, "ml", &r->rule->ml);
    put_list(j, "clauses", &r->rule->clauses);
    tut_json_put_str(j, "description", r->rule->description);
    tut_json_put_str(j, "advice", r->rule->advice);
    tut_json_put_or_null(j, "way", tut_buf_str(&way));
    put_digest(j, "digest", &r->digest);
    put_size(j, "inherent", &r->inherent);
    put_size(j, "residual", &r->residual);
    tut_json_put_z(j, "tolerated", tut_risk_level_names[r->tolerated]);
    tut_json_put_z(j, "state", tut_risk_state_names[r->state]);
    tut_json_put_z(j, "why", r->why);
    tut_json_key(j, "mitigations");
    tut_json_array(j);
    for (size_t i = 0; i < r->mitigation_count; i++)
        put_mitigation(j, &r->mitigations[i]);
    tut_json_end_array(j);
    put_treatment(j, r->treatment);
    put_acceptance(j, &r->acceptance);
    tut_json_end_object(j);
}

static void put_element(tut_json *j, const tut_threat_element *e)
{
    tut_json_object(j);
    tut_json_put_z(j, "on", tut_threat_on_names[e->on]);
    tut_json_put_z(j, "id", e->id);
    put_digest(j, "digest", &e->digest);
    for (size_t i = TUT_THREAT_ASSET; i < TUT_THREAT_LINK_COUNT; i++)
        if (e->links[i])
            tut_json_put_z(j, tut_threat_link_names[i], e->links[i]->id);
    tut_json_key(j, "attributes");
    tut_threat_attributes_json(e, j);
    if (e->before)
        tut_json_put_z(j, "untrusted_by", e->before->id);
    tut_json_end_object(j);
}

static void put_coverage(tut_json *j, const tut_threats *t)
{
    tut_json_key(j, "coverage");
    tut_json_array(j);
    tut_coverage c;
    for (size_t i = 0; tut_coverage_at(t, i, &c); i++) {
        tut_json_object(j);
        tut_json_put_str(j, "threat", c.threat);
        tut_json_put_u64(j, "rules", c.rules);
        tut_json_put_u64(j, "looked_at", c.looked_at);
        tut_json_put_u64(j, "risks", c.risks);
        tut_json_end_object(j);
    }
    tut_json_end_array(j);
}

static void put_summary(tut_json *j, const tut_threats *t, const tut_threat_sources *from)
{
    tut_json_key(j, "summary");
    tut_json_object(j);
    put_digest(j, "system", &from->system->digest);
    put_digest(j, "model", &t->digest);
    put_digest(j, "rules", &t->rules->digest);
    tut_json_put_str(j, "catalogue", t->rules->catalogue);
    tut_json_put_u64(j, "elements", t->model->count);
    tut_json_put_u64(j, "rule_count", t->rules->count);
    tut_json_put_u64(j, "risks", t->count);
    for (size_t i = 0; i < TUT_RISK_STATE_COUNT; i++)
        tut_json_put_u64(j, tut_risk_state_names[i], t->by_state[i]);
    tut_json_key(j, "tolerance");
    tut_json_object(j);
    for (size_t i = 0; i < TUT_THREAT_SCALE; i++)
        tut_json_put_z(j, tut_impact_names[i], tut_risk_level_names[t->policy.tolerated[i]]);
    tut_json_end_object(j);
    tut_json_put_u64(j, "review_days", t->policy.review_days);
    tut_json_end_object(j);
}

static tut_status put_gaps(tut_json *j, const tut_threats *t, const tut_threat_sources *from,
                           tut_error *err)
{
    TUT_CLEAN(tut_gaps) gaps = {0};
    TUT_TRY(tut_gaps_find(t, from->system, &gaps, err));
    tut_json_key(j, "gaps");
    tut_json_array(j);
    for (size_t i = 0; i < gaps.count; i++) {
        tut_json_object(j);
        tut_json_put_z(j, "what", gaps.items[i].what);
        tut_json_put_z(j, "why", gaps.items[i].why);
        tut_json_put_bool(j, "decides", gaps.items[i].decides);
        tut_json_end_object(j);
    }
    tut_json_end_array(j);
    return TUT_SUCCESS;
}

/* generated 0: a body, which says the same of the same system whenever it is made. picture: where
 * things stand in it, as JSON; or empty. */
static tut_status write(const tut_threats *t, const tut_threat_sources *from, tut_time generated,
                        const tut_risk *only, tut_str picture, tut_buf *out, tut_error *err)
{
    TUT_AUTO(tut_json) j = NULL;
    TUT_TRY(tut_json_new(out, &j));
    if (generated) {
        tut_json_head(j, "tutela.threats/1", generated);
    } else {
        tut_json_object(j);
        tut_json_put_z(j, "schema", "tutela.threats/1");
    }
    put_summary(j, t, from);
    put_coverage(j, t);
    TUT_TRY(put_gaps(j, t, from, err));
    tut_json_key(j, "elements");
    tut_json_array(j);
    for (size_t i = 0; i < t->model->count; i++)
        put_element(j, &t->model->elements[i]);
    tut_json_end_array(j);
    tut_json_key(j, "risks");
    tut_json_array(j);
    for (size_t i = 0; i < t->count; i++)
        if (!only || only == &t->risks[i])
            put_risk(j, &t->risks[i]);
    tut_json_end_array(j);
    if (picture.len) {
        tut_json_key(j, "picture");
        tut_json_raw(j, picture);
    }
    tut_json_end_object(j);
    TUT_TRY(tut_json_finish(j, err));
    if (generated)
        tut_buf_add_z(out, "\n");
    return tut_buf_check(out, err);
}

tut_status tut_threats_body(const tut_threats *t, const tut_threat_sources *from, tut_buf *out,
                            tut_error *err)
{
    return write(t, from, 0, NULL, TUT_LIT(""), out, err);
}

tut_status tut_threats_body_with_picture(const tut_threats *t, const tut_threat_sources *from,
                                         tut_buf *out, tut_error *err)
{
    TUT_CLEAN(tut_buf) plain = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) picture = TUT_BUF_INIT;
    TUT_AUTO(tut_threat_view) v = NULL;
    TUT_AUTO(tut_threat_view) before = NULL;
    tut_error ignored = {0};
    TUT_TRY(tut_threats_body(t, from, &plain, err));
    TUT_TRY(tut_threat_view_new(tut_buf_span(&plain), &v, err));
    if (from->assessment && from->assessment->threat_model.len)
        TUT_IGNORE(
            tut_threat_view_new(tut_buf_span(&from->assessment->threat_model), &before, &ignored));
    TUT_TRY(tut_threat_place(v, before, &picture, err));
    return write(t, from, 0, NULL, tut_buf_str(&picture), out, err);
}

tut_status tut_threats_json(const tut_threats *t, const tut_threat_sources *from,
                            const tut_risk *only, tut_buf *out, tut_error *err)
{
    return write(t, from, tut_time_generated(), only, TUT_LIT(""), out, err);
}
