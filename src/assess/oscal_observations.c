/*
 * Observations: one for each record that a control lists. The evidence itself is a resource of
 * back-matter with its digest and its place in the log, and the observation points to it.
 */
#include "assess/oscal_results.h"
#include "ledger/people.h"

static void put_actor(tut_oscal *o, const char *type, const tut_uuid *id, const tut_record *r,
                      const tut_record_signer *signer)
{
    tut_json_object(o->j);
    tut_json_put_z(o->j, "type", type);
    tut_oscal_put_uuid(o, "actor-uuid", id);
    tut_json_key(o->j, "props");
    tut_json_array(o->j);
    tut_oscal_prop_z(o, "tier", tut_tier_name(r->tier));
    if (signer) {
        tut_oscal_prop_z(o, "key", signer->key_id);
        tut_oscal_prop_full(o, TUT_OSCAL_NS, "signature",
                            tut_str_of(signer->counts ? "counts" : "does-not-count"), NULL,
                            tut_str_of(signer->why));
        tut_oscal_prop_set(o, "role", signer->roles, tut_person_roles, TUT_PERSON_ROLE_COUNT);
    }
    tut_json_end_array(o->j);
    tut_json_end_object(o->j);
}

static void put_origins(tut_oscal *o, const tut_oscal_facts *f, const tut_record *r)
{
    tut_json_key(o->j, "origins");
    tut_json_array(o->j);
    tut_json_object(o->j);
    tut_json_key(o->j, "actors");
    tut_json_array(o->j);
    size_t written = 0;
    for (size_t i = 0; i < r->signer_count; i++) {
        const tut_record_signer *s = &r->signers[i];
        tut_uuid person = s->is_tool ? f->tool : tut_oscal_signer_id(o, s);
        /* The tool's key only carries what a person says. */
        if (s->is_tool && strcmp(r->actor, "tool") != 0)
            continue;
        put_actor(o, s->is_tool ? "tool" : "party", &person, r, s);
        written++;
    }
    if (tut_oscal_is_by_name(r)) {
        tut_uuid person = tut_oscal_named_id(o, r->actor);
        put_actor(o, "party", &person, r, NULL);
    } else if (written == 0) {
        put_actor(o, "tool", &f->tool, r, NULL);
    }
    tut_json_end_array(o->j);
    tut_json_end_object(o->j);
    tut_json_end_array(o->j);
}

static void put_subjects(tut_oscal *o, const tut_oscal_facts *f, const tut_record *r)
{
    if (r->subject_count == 0)
        return;
    tut_json_key(o->j, "subjects");
    tut_json_array(o->j);
    for (size_t i = 0; i < r->subject_count; i++) {
        const tut_oscal_subject *s = tut_oscal_find_subject(f, tut_str_of(r->subjects[i].name),
                                                            &r->subjects[i].digest);
        tut_json_object(o->j);
        tut_oscal_put_uuid(o, "subject-uuid", &s->id);
        tut_json_put_z(o->j, "type", "inventory-item");
        tut_oscal_put_markup(o, "title", s->name);
        tut_json_end_object(o->j);
    }
    tut_json_end_array(o->j);
}

/* Where it is found again: the log's name and the place in it. */
static void put_place(tut_oscal *o, const tut_record *r)
{
    tut_oscal_prop_z(o, "log-origin", r->origin);
    tut_oscal_prop_u64(o, "log-index", r->index);
}

/* An expiry that OSCAL cannot say stands here alone. */
static void put_props(tut_oscal *o, const tut_record *r)
{
    tut_json_key(o->j, "props");
    tut_json_array(o->j);
    tut_oscal_prop_z(o, "check", r->check);
    tut_oscal_prop_z(o, "result", tut_result_name(r->result));
    tut_oscal_prop_z(o, "tier", tut_tier_name(r->tier));
    put_place(o, r);
    tut_oscal_prop_time(o, "period-from", r->from);
    tut_oscal_prop_time(o, "period-to", r->to);
    if (!tut_oscal_can_say(r->expires))
        tut_oscal_prop_time(o, "expires", r->expires);
    tut_oscal_prop_z(o, "doubt", r->doubt);
    tut_json_end_array(o->j);
}

static void add_title(tut_buf *out, const tut_record *r)
{
    tut_oscal_add_markup(out, tut_str_of(r->check));
    if (r->subject_count == 0)
        return;
    tut_buf_add_z(out, " about ");
    tut_oscal_add_markup(out, tut_str_of(r->subjects[0].name));
    if (r->subject_count > 1)
        tut_buf_printf(out, " and %zu more", r->subject_count - 1);
}

static void put_description(tut_oscal *o, const tut_record *r)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    tut_buf_printf(&text, "Result: %s.", tut_result_name(r->result));
    if (r->statement && r->statement[0]) {
        tut_buf_add_byte(&text, ' ');
        tut_oscal_add_markup(&text, tut_str_of(r->statement));
    }
    tut_oscal_put_buf(o, "description", &text);
}

static void put_observation(tut_oscal *o, const tut_oscal_facts *f, const tut_oscal_used *used)
{
    const tut_record *r = used->record;
    TUT_CLEAN(tut_buf) title = TUT_BUF_INIT;
    add_title(&title, r);
    tut_json_object(o->j);
    tut_oscal_put_uuid(o, "uuid", &used->observation);
    tut_oscal_put_buf(o, "title", &title);
    put_description(o, r);
    put_props(o, r);
    tut_json_key(o->j, "methods");
    tut_json_array(o->j);
    tut_json_z(o->j, tut_method_name(r->method));
    tut_json_end_array(o->j);
    tut_json_key(o->j, "types");
    tut_json_array(o->j);
    tut_json_z(o->j, "control-objective");
    tut_json_end_array(o->j);
    put_origins(o, f, r);
    put_subjects(o, f, r);
    tut_json_key(o->j, "relevant-evidence");
    tut_json_array(o->j);
    tut_json_object(o->j);
    tut_oscal_put_ref(o, "href", &used->evidence);
    tut_json_put_z(o->j, "description",
                   r->has_body ? "The content of the record, by its digest"
                               : "The record itself; it names no content");
    tut_json_end_object(o->j);
    tut_json_end_array(o->j);
    if (!tut_oscal_put_time(o, "collected", r->at))
        tut_oscal_put_time(o, "collected", o->a->evaluated_at);
    tut_oscal_put_time(o, "expires", r->expires);
    tut_json_end_object(o->j);
}

void tut_oscal_put_observations(tut_oscal *o, const tut_oscal_facts *f)
{
    if (f->used_count == 0)
        return;
    tut_json_key(o->j, "observations");
    tut_json_array(o->j);
    for (size_t i = 0; i < f->used_count; i++)
        put_observation(o, f, &f->used[i]);
    tut_json_end_array(o->j);
}

static void put_body(tut_oscal *o, const tut_sha256 *digest)
{
    char hex[TUT_SHA256_HEX];
    char href[32 + TUT_SHA256_HEX];
    tut_sha256_hex(digest, hex);
    /* From STATE/reports/TIME/oscal. */
    snprintf(href, sizeof(href), "../../../bodies/%s", hex);
    tut_json_key(o->j, "rlinks");
    tut_json_array(o->j);
    tut_json_object(o->j);
    tut_json_put_z(o->j, "href", href);
    tut_json_key(o->j, "hashes");
    tut_json_array(o->j);
    tut_json_object(o->j);
    tut_json_put_z(o->j, "algorithm", "SHA-256");
    tut_json_put_z(o->j, "value", hex);
    tut_json_end_object(o->j);
    tut_json_end_array(o->j);
    tut_json_end_object(o->j);
    tut_json_end_array(o->j);
}

void tut_oscal_put_evidence_resources(tut_oscal *o, const tut_oscal_facts *f)
{
    for (size_t i = 0; i < f->used_count; i++) {
        const tut_record *r = f->used[i].record;
        TUT_CLEAN(tut_buf) title = TUT_BUF_INIT;
        add_title(&title, r);
        tut_json_object(o->j);
        tut_oscal_put_uuid(o, "uuid", &f->used[i].evidence);
        tut_oscal_put_buf(o, "title", &title);
        tut_json_key(o->j, "props");
        tut_json_array(o->j);
        put_place(o, r);
        tut_json_end_array(o->j);
        if (r->has_body)
            put_body(o, &r->body);
        tut_json_end_object(o->j);
    }
}
