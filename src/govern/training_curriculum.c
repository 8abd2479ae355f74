/* The curriculum: what is taught to whom, examined by the program and signed by people. */
#include <stdarg.h>
#include <stdio.h>

#include "assess/form.h"
#include "assess/tool.h"
#include "base/fs.h"
#include "base/json_write.h"
#include "govern/training_check.h"

/* The threats of EN 304 223 by the techniques of ATLAS that teach them (each by one of these). */
static const struct {
    const char *name, *techniques;
} threats[] = {
    {"data poisoning", "AML.T0020 AML.T0019 AML.T0059 AML.T0010.002 AML.T0070"},
    {"model inversion", "AML.T0024.001"},
    {"membership inference", "AML.T0024.000"},
    {"indirect prompt injection", "AML.T0051.001"},
    {"model obfuscation", "AML.T0018.002 AML.T0018.001 AML.T0010.003 AML.T0058"},
    {"adversarial examples", "AML.T0015 AML.T0043"},
};

/* Its roles: by modules about a role, whose ids begin so. */
static const struct {
    const char *name, *beginning;
} roles[] = {
    {"Developer", "role-developer"},
    {"System Operator", "role-operator"},
    {"Data Custodian", "role-custodian"},
    {"End-user", "role-end-user"},
    {"Affected entity", "role-affected-entity"},
};

static const tut_form_section document_sections[] = {
    {"Scope", "audience;participants;who is trained", "Who is trained, and who is not."},
    {"Topics", "content;contents;curriculum", "What is taught, by role, and why that suffices."},
    {"Refresh", "refreshing;schedule;update;updates;review",
     "How often it is taken again and reviewed, and what new threats change."},
    {"Responsible", "responsibility;responsibilities;owner", "Who keeps it up to date."},
};
static const tut_form_kind document_kind = {.check = "train.curriculum",
                                            .title = "Training curriculum",
                                            .wants_until = true,
                                            .sections = document_sections,
                                            .section_count = sizeof(document_sections) /
                                                             sizeof(document_sections[0])};

void tut_curriculum_done(tut_curriculum *c)
{
    for (size_t i = 0; i < c->problem_count; i++)
        tut_free(c->problems[i]);
    tut_free(c->problems);
    tut_buf_done(&c->listing);
}

typedef struct examining {
    const tut_system *system;
    const tut_training *t;
    const tut_training_policy *policy;
    tut_time at;
    tut_curriculum *c;
    bool has_document;
    tut_sha256 document;
    tut_error *err;
} examining;

static tut_status problem(examining *x, const char *fmt, ...) TUT_PRINTF(2, 3);
static tut_status problem(examining *x, const char *fmt, ...)
{
    tut_curriculum *c = x->c;
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    va_list ap;
    va_start(ap, fmt);
    tut_buf_vprintf(&text, fmt, ap);
    va_end(ap);
    if (!tut_is_ok(tut_grow(&c->problems, c->problem_count, &c->problem_capacity, sizeof(char *))))
        return tut_fail(x->err, TUT_NOMEM, "memory ran out");
    c->problems[c->problem_count] = tut_buf_steal(&text);
    if (!c->problems[c->problem_count])
        return tut_fail(x->err, TUT_NOMEM, "memory ran out");
    c->problem_count++;
    return TUT_SUCCESS;
}

/* --- what it is made of --- */

static bool is_assigned(const tut_training *t, const tut_training_module *m)
{
    return tut_training_is_for(t, m, (1u << TUT_PERSON_ROLE_COUNT) - 1);
}

static bool teaches(const tut_training_module *m, const char *techniques)
{
    for (size_t i = 0; i < m->atlas.count; i++) {
        tut_str id = m->atlas.items[i];
        for (const char *at = techniques; *at;) {
            size_t len = strcspn(at, " ");
            if (tut_str_eq(id, (tut_str){at, len}))
                return true;
            at += len + (at[len] == ' ');
        }
    }
    return false;
}

static bool is_about_role(const tut_training_module *m, const char *beginning)
{
    return m->about == TUT_TRAINING_ROLE && tut_str_starts(m->id, tut_str_of(beginning));
}

static tut_status check_module(examining *x, const tut_training_module *m)
{
    char day[TUT_TIME_TEXT];
    tut_time due = tut_training_review_due(m);
    tut_str id = m->id, catalogue = x->policy->threat_catalogue;
    tut_time_date(due, day);
    x->c->modules++;
    if (tut_training_has_two(x->t, m))
        TUT_TRY(problem(x, "The content of %.*s was changed without raising its version.",
                        (int)id.len, id.data));
    if (x->at >= due)
        return problem(x, "The content of %.*s was due for review on %s.", (int)id.len, id.data,
                       day);
    if (x->c->holds_until == 0 || due < x->c->holds_until)
        x->c->holds_until = due;
    if (m->atlas.count && tut_training_version_cmp(m->atlas_version, catalogue) < 0)
        return problem(x,
                       "%.*s was reviewed against ATLAS %.*s, and the catalogue of threats is at "
                       "%.*s.",
                       (int)id.len, id.data, (int)m->atlas_version.len, m->atlas_version.data,
                       (int)catalogue.len, catalogue.data);
    return TUT_SUCCESS;
}

static tut_status check_topics(examining *x)
{
    const tut_training_bank *bank = tut_training_bank_of(x->t);
    for (size_t i = 0; i < sizeof(threats) / sizeof(threats[0]); i++) {
        bool is_taught = false;
        for (size_t k = 0; k < bank->count && !is_taught; k++)
            is_taught = is_assigned(x->t, bank->items[k]) &&
                        teaches(bank->items[k], threats[i].techniques);
        if (!is_taught)
            TUT_TRY(problem(x, "No module that is assigned to anybody teaches %s (%s).",
                            threats[i].name, threats[i].techniques));
    }
    for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++) {
        bool is_taught = false;
        for (size_t k = 0; k < bank->count && !is_taught; k++)
            is_taught = is_assigned(x->t, bank->items[k]) &&
                        is_about_role(bank->items[k], roles[i].beginning);
        if (!is_taught)
            TUT_TRY(problem(x,
                            "No module that is assigned to anybody is about the role %s (about: "
                            "role, id %s...).",
                            roles[i].name, roles[i].beginning));
    }
    return TUT_SUCCESS;
}

static tut_status check_document(examining *x)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    tut_str path = x->policy->curriculum;
    tut_form form = {.has_until = false};
    tut_error why = {0};
    if (path.len == 0)
        return TUT_SUCCESS;
    TUT_AUTO_FREE char *rel = tut_strndup(path.data, path.len);
    if (!rel)
        return tut_fail(x->err, TUT_NOMEM, "memory ran out");
    tut_status status = tut_fs_read_beneath(x->system->dir, rel, TUT_FORM_BYTES, &text, &why);
    if (!tut_is_ok(status))
        return status.code == TUT_NOMEM ? tut_fail(x->err, TUT_NOMEM, "memory ran out")
                                        : problem(x, "%s cannot be read: %s.", rel, why.text);
    TUT_TRY(tut_sha256_of(tut_buf_span(&text), &x->document, x->err));
    x->has_document = true;
    if (!tut_is_ok(tut_form_read(&document_kind, tut_buf_str(&text), &form, &why)))
        return problem(x, "%s %s.", rel, why.text);
    if (form.until <= x->at)
        return problem(x, "%s was accepted until a day that is past.", rel);
    if (x->c->holds_until == 0 || form.until < x->c->holds_until)
        x->c->holds_until = form.until;
    return TUT_SUCCESS;
}

/* --- the listing --- */

static void put_module(tut_json *j, const examining *x, const tut_training_module *m)
{
    tut_json_object(j);
    tut_json_put_str(j, "id", m->id);
    tut_json_put_u64(j, "version", m->version);
    tut_json_key(j, "content");
    tut_json_sha256(j, m->digest.bytes);
    tut_json_put_z(j, "about", tut_training_about_name(m->about));
    tut_json_put_time(j, "reviewed", m->reviewed);
    tut_json_put_time(j, "review_due", tut_training_review_due(m));
    tut_json_put_u64(j, "minutes", m->minutes);
    tut_json_put_u64(j, "questions", m->question_count);
    tut_json_put_u64(j, "drawn", m->draw);
    tut_json_put_real(j, "pass", m->pass);
    tut_json_put_or_null(j, "atlas_version", m->atlas_version);
    tut_json_key(j, "atlas");
    tut_json_array(j);
    for (size_t i = 0; i < m->atlas.count; i++)
        tut_json_str(j, m->atlas.items[i]);
    tut_json_end_array(j);
    tut_json_key(j, "for");
    tut_json_array(j);
    for (uint32_t i = 0; i < TUT_PERSON_ROLE_COUNT; i++)
        if (tut_training_is_for(x->t, m, 1u << i))
            tut_json_z(j, tut_person_roles[i]);
    tut_json_end_array(j);
    tut_json_end_object(j);
}

static void put_taught(tut_json *j, const examining *x, const char *name, const char *techniques,
                       const char *beginning)
{
    const tut_training_bank *bank = tut_training_bank_of(x->t);
    tut_json_key(j, name);
    tut_json_array(j);
    for (size_t i = 0; i < bank->count; i++) {
        const tut_training_module *m = bank->items[i];
        if (is_assigned(x->t, m) &&
            (techniques ? teaches(m, techniques) : is_about_role(m, beginning)))
            tut_json_str(j, m->id);
    }
    tut_json_end_array(j);
}

static void put_listing(tut_json *j, const examining *x)
{
    const tut_training_bank *bank = tut_training_bank_of(x->t);
    tut_json_put_z(j, "schema", "tutela.curriculum/1");
    tut_json_put_str(j, "threat_catalogue", x->policy->threat_catalogue);
    tut_json_put_u64(j, "valid_days", x->policy->valid_days);
    tut_json_put_u64(j, "grace_days", x->policy->grace_days);
    tut_json_key(j, "document");
    if (x->has_document)
        tut_json_sha256(j, x->document.bytes);
    else
        tut_json_null(j);
    tut_json_key(j, "modules");
    tut_json_array(j);
    for (size_t i = 0; i < bank->count; i++)
        if (is_assigned(x->t, bank->items[i]))
            put_module(j, x, bank->items[i]);
    tut_json_end_array(j);
    tut_json_key(j, "threats");
    tut_json_object(j);
    for (size_t i = 0; i < sizeof(threats) / sizeof(threats[0]); i++)
        put_taught(j, x, threats[i].name, threats[i].techniques, NULL);
    tut_json_end_object(j);
    tut_json_key(j, "roles");
    tut_json_object(j);
    for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++)
        put_taught(j, x, roles[i].name, NULL, roles[i].beginning);
    tut_json_end_object(j);
    tut_json_key(j, "problems");
    tut_json_array(j);
    for (size_t i = 0; i < x->c->problem_count; i++)
        tut_json_z(j, x->c->problems[i]);
    tut_json_end_array(j);
}

static tut_status examine(examining *x)
{
    TUT_AUTO(tut_json) j = NULL;
    const tut_training_bank *bank = tut_training_bank_of(x->t);
    for (size_t i = 0; i < bank->count; i++)
        if (is_assigned(x->t, bank->items[i]))
            TUT_TRY(check_module(x, bank->items[i]));
    TUT_TRY(check_topics(x));
    TUT_TRY(check_document(x));
    TUT_TRY(tut_json_new(&x->c->listing, &j));
    tut_json_object(j);
    put_listing(j, x);
    tut_json_end_object(j);
    TUT_TRY(tut_json_finish(j, x->err));
    return tut_sha256_of(tut_buf_span(&x->c->listing), &x->c->digest, x->err);
}

tut_status tut_curriculum_examine(const tut_system *system, const tut_training *t, tut_time at,
                                  tut_curriculum *ret, tut_error *err)
{
    tut_curriculum c = {.modules = 0};
    examining x = {.system = system,
                   .t = t,
                   .policy = tut_training_policy_of(t),
                   .at = at,
                   .c = &c,
                   .err = err};
    tut_status status = examine(&x);
    if (tut_is_ok(status))
        *ret = c;
    else
        tut_curriculum_done(&c);
    return status;
}

/* --- signed --- */

static bool is_examination(const tut_record *r, const tut_curriculum *c, tut_time at)
{
    return r->type == TUT_RECORD_EVIDENCE && !r->doubt && r->result == TUT_RESULT_PASS &&
           r->method == TUT_METHOD_EXAMINE && strncmp(r->check, "train.curriculum/", 17) == 0 &&
           r->subject_count == 1 && tut_sha256_eq(&r->subjects[0].digest, &c->digest) &&
           r->expires > at;
}

size_t tut_curriculum_signers(const tut_curriculum *c, const tut_records *records, tut_time at,
                              tut_buf *names)
{
    enum { MOST = 16 };
    const char *seen[MOST];
    size_t count = 0;
    for (size_t i = 0; i < records->count && count < MOST; i++) {
        const tut_record *r = &records->items[i];
        for (size_t k = 0; is_examination(r, c, at) && k < r->signer_count && count < MOST; k++) {
            const tut_record_signer *s = &r->signers[k];
            bool is_new = s->counts && !s->is_tool && (s->roles & TUT_CURRICULUM_ROLES);
            for (size_t n = 0; n < count && is_new; n++)
                is_new = strcmp(seen[n], s->name) != 0;
            if (!is_new)
                continue;
            seen[count++] = s->name;
            if (names)
                tut_buf_printf(names, "%s%s", names->len ? ", " : "", s->name);
        }
    }
    return count;
}

tut_status tut_curriculum_sign(tut_ledger *ledger, const tut_curriculum *c, const char *person,
                               const tut_key *key, tut_time at, uint64_t *ret_index, tut_error *err)
{
    enum { HOLDS_DAYS = 365 };
    static const char *const clauses[] = {"5.1.1-1"};
    char statement[160];
    const tut_subject subject = {.name = TUT_GOVERN_ORGANISATION, .digest = c->digest};
    tut_time end = at + (tut_time)HOLDS_DAYS * TUT_DAY_SECONDS;
    bool is_good = c->problem_count == 0;
    (void)snprintf(statement, sizeof(statement),
                   is_good ? "The curriculum, %zu modules, was examined: threats, roles, reviews."
                           : "The curriculum, %zu modules, was examined, and something lacks.",
                   c->modules);
    tut_record r = {.type = TUT_RECORD_EVIDENCE,
                    .at = at,
                    .from = at,
                    .to = at,
                    .expires = is_good && c->holds_until && c->holds_until < end ? c->holds_until
                                                                                 : end,
                    .check = "train.curriculum/1",
                    .method = TUT_METHOD_EXAMINE,
                    .result = is_good ? TUT_RESULT_PASS : TUT_RESULT_FAIL,
                    .clauses = clauses,
                    .clause_count = 1,
                    .subjects = &subject,
                    .subject_count = 1,
                    .actor = person,
                    .statement = statement};
    TUT_TRY(tut_tool_append(ledger, &r, tut_buf_span(&c->listing), key, err));
    *ret_index = r.index;
    return TUT_SUCCESS;
}
