#include "govern/documents.h"

#include <string.h>

#include "assess/form.h"
#include "assess/tool.h"
#include "base/fs.h"

tut_status tut_document_read(const tut_system *system, tut_str path, tut_buf *out,
                             tut_sha256 *ret_digest, tut_error *err)
{
    TUT_AUTO_FREE char *below = tut_strndup(path.data, path.len);
    size_t before = out->len;
    if (!below)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    TUT_TRY(tut_fs_read_beneath(system->dir, below, TUT_FORM_BYTES, out, err));
    return tut_sha256_of(tut_span_of(out->data + before, out->len - before), ret_digest, err);
}

static const tut_record *latest(const tut_records *records, const char *subject)
{
    for (size_t i = records->count; i > 0; i--) {
        const tut_record *r = &records->items[i - 1];
        if (r->type == TUT_RECORD_EVENT && strcmp(r->check, TUT_EVENT_DOCUMENT) == 0 && !r->doubt &&
            strcmp(r->subjects[0].name, subject) == 0)
            return r;
    }
    return NULL;
}

tut_status tut_document_version(tut_ledger *ledger, const tut_records *records, tut_str path,
                                tut_span text, bool *ret_is_new, tut_error *err)
{
    TUT_AUTO_FREE char *name = tut_asprintf(TUT_SUBJECT_DESIGN "%.*s", (int)path.len, path.data);
    tut_subject subject = {.name = name};
    if (!name)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    TUT_TRY(tut_sha256_of(text, &subject.digest, err));
    const tut_record *last = latest(records, name);
    bool is_new = !last || !tut_sha256_eq(&last->subjects[0].digest, &subject.digest);
    if (ret_is_new)
        *ret_is_new = is_new;
    if (!is_new)
        return TUT_SUCCESS;
    tut_record r = {.type = TUT_RECORD_EVENT,
                    .at = tut_time_now(),
                    .check = TUT_EVENT_DOCUMENT,
                    .subjects = &subject,
                    .subject_count = 1,
                    .actor = "tool",
                    .statement = last ? "The document differs from the version last recorded."
                                      : "The document was recorded for the first time.",
                    .has_body = true};
    return tut_tool_append(ledger, &r, text, NULL, err);
}

/* --- examining --- */

typedef struct document { /* what a path is, by the section `design:` */
    tut_str path;
    bool is_record, is_documentation, is_maintenance, is_card;
} document;

static document document_of(const tut_design *d, tut_str path)
{
    document doc = {.path = path,
                    .is_record = tut_str_eq(d->record, path),
                    .is_maintenance = tut_str_eq(d->maintenance, path),
                    .is_card = tut_str_eq(d->card, path)};
    for (size_t i = 0; i < d->documents.count; i++)
        doc.is_documentation = doc.is_documentation || tut_str_eq(d->documents.items[i], path);
    return doc;
}

typedef struct examining {
    const tut_gate_view *v;
    document doc;
    tut_buf text;
    tut_sha256 digest;
    const tut_person *person;
    const tut_key *key;
    tut_ledger *ledger;
    tut_examination *ret;
    tut_error *err;
} examining;

static tut_status lacks(const examining *x, const tut_form_kind *kind, const tut_error *why)
{
    tut_error_set_path(x->err, NULL);
    return tut_fail(x->err, TUT_USAGE, "%.*s, as %s, %s; tutela gate template %s prints the form",
                    (int)x->doc.path.len, x->doc.path.data, kind->title, why->text, kind->name);
}

static tut_status read_form(const examining *x, const char *name, tut_str text)
{
    tut_form form;
    tut_error why = {0};
    const tut_form_kind *kind = tut_form_named(name);
    tut_status status = tut_form_read(kind, text, &form, &why);
    return tut_is_ok(status) ? status : lacks(x, kind, &why);
}

/* Documentation may be spread over several files: together they say everything. */
static tut_status read_documentation(examining *x)
{
    TUT_CLEAN(tut_buf) all = TUT_BUF_INIT;
    tut_sha256 digest;
    for (size_t i = 0; i < x->v->design.documents.count; i++) {
        TUT_TRY(tut_document_read(x->v->system, x->v->design.documents.items[i], &all, &digest,
                                  x->err));
        tut_buf_add_z(&all, "\n");
    }
    TUT_TRY(tut_buf_check(&all, x->err));
    return read_form(x, "documentation", tut_buf_str(&all));
}

static const tut_clause *clause_wanting(const char *check, const tut_want **ret_want)
{
    const tut_clause *clauses;
    if (!tut_is_ok(tut_catalogue_load(&clauses, NULL)))
        return NULL;
    for (size_t i = 0; i < TUT_CLAUSE_COUNT; i++)
        for (size_t k = 0; k < clauses[i].want_count; k++)
            if (tut_str_eq_z(clauses[i].wants[k].check, check)) {
                *ret_want = &clauses[i].wants[k];
                return &clauses[i];
            }
    return NULL;
}

static tut_status append(examining *x, const char *check, const tut_clause *clause,
                         const tut_want *want)
{
    tut_time now = tut_time_now();
    TUT_AUTO_FREE char *name = tut_asprintf(TUT_SUBJECT_DESIGN "%.*s", (int)x->doc.path.len,
                                            x->doc.path.data);
    TUT_AUTO_FREE char *id = tut_strndup(clause->id.data, clause->id.len);
    TUT_AUTO_FREE char *versioned = tut_asprintf("%s/1", check);
    TUT_AUTO_FREE char *statement = tut_asprintf("%.*s holds its sections; %s stands behind it.",
                                                 (int)x->doc.path.len, x->doc.path.data,
                                                 x->person->name);
    if (!name || !id || !versioned || !statement)
        return tut_fail(x->err, TUT_NOMEM, "memory ran out");
    const char *clauses[] = {id};
    const tut_subject subject = {.name = name, .digest = x->digest};
    tut_record r = {.type = TUT_RECORD_EVIDENCE,
                    .at = now,
                    .from = now,
                    .to = now,
                    .expires = now + (tut_time)want->max_age_days * TUT_DAY_SECONDS,
                    .check = versioned,
                    .method = TUT_METHOD_EXAMINE,
                    .result = TUT_RESULT_PASS,
                    .clauses = clauses,
                    .clause_count = 1,
                    .subjects = &subject,
                    .subject_count = 1,
                    .actor = x->person->name,
                    .statement = statement};
    TUT_TRY(tut_tool_append(x->ledger, &r, tut_buf_span(&x->text), x->key, x->err));
    tut_examination *ret = x->ret;
    if (ret->until == 0 || r.expires < ret->until)
        ret->until = r.expires;
    ret->items[ret->count++] =
        (tut_examined){.check = check, .clause = clause->id, .index = r.index};
    return TUT_SUCCESS;
}

/* Only where the provision wants somebody in one of the person's roles. */
static tut_status stand_behind(examining *x, const char *check, uint32_t *wanted)
{
    const tut_want *want = NULL;
    const tut_clause *clause = clause_wanting(check, &want);
    if (!clause)
        return tut_fail(x->err, TUT_BUG, "no provision wants the check %s", check);
    *wanted |= want->signer_roles;
    if (!(x->person->roles & want->signer_roles))
        return TUT_SUCCESS;
    return append(x, check, clause, want);
}

static bool has_custodians_part(const examining *x)
{
    tut_form form;
    return tut_is_ok(
        tut_form_read(tut_form_named("custodian"), tut_buf_str(&x->text), &form, NULL));
}

static tut_status refuse_role(const examining *x, uint32_t wanted)
{
    TUT_CLEAN(tut_buf) roles = TUT_BUF_INIT;
    for (size_t i = 0; i < TUT_PERSON_ROLE_COUNT; i++)
        if (wanted & (1u << i))
            tut_buf_printf(&roles, "%s%s", roles.len ? ", " : "", tut_person_roles[i]);
    TUT_TRY(tut_buf_check(&roles, x->err));
    return tut_fail(x->err, TUT_DENIED, "%s has no role in which %.*s is signed: %s",
                    x->person->name, (int)x->doc.path.len, x->doc.path.data, tut_buf_z(&roles));
}

static tut_status examine(examining *x)
{
    uint32_t wanted = 0;
    TUT_TRY(tut_document_read(x->v->system, x->doc.path, &x->text, &x->digest, x->err));
    if (x->doc.is_record)
        TUT_TRY(read_form(x, "design", tut_buf_str(&x->text)));
    if (x->doc.is_documentation)
        TUT_TRY(read_documentation(x));
    if (x->doc.is_maintenance)
        TUT_TRY(read_form(x, "maintenance", tut_buf_str(&x->text)));
    TUT_TRY(tut_document_version(x->ledger, x->v->records, x->doc.path, tut_buf_span(&x->text),
                                 NULL, x->err));
    if (x->doc.is_record)
        TUT_TRY(stand_behind(x, "gate.design-record", &wanted));
    if (x->doc.is_record && has_custodians_part(x))
        TUT_TRY(stand_behind(x, "gate.custodian-part", &wanted));
    if (x->doc.is_documentation || x->doc.is_maintenance)
        TUT_TRY(stand_behind(x, "gate.design-documents", &wanted));
    return x->ret->count ? TUT_SUCCESS : refuse_role(x, wanted);
}

tut_status tut_document_examine(const tut_gate_view *v, const char *state_dir, const char *path,
                                const tut_key *key, tut_examination *ret, tut_error *err)
{
    __attribute__((cleanup(tut_ledger_close_auto))) tut_ledger *ledger = NULL;
    examining x = {.v = v, .key = key, .ret = ret, .err = err, .text = TUT_BUF_INIT};
    *ret = (tut_examination){0};
    while (path[0] == '.' && path[1] == '/')
        path += 2;
    x.doc = document_of(&v->design, tut_str_of(path));
    if (x.doc.is_card && !x.doc.is_record && !x.doc.is_documentation && !x.doc.is_maintenance)
        return tut_fail(err, TUT_USAGE,
                        "the system card is held against the description by tutela assess; nobody "
                        "signs it");
    if (!x.doc.is_record && !x.doc.is_documentation && !x.doc.is_maintenance)
        return tut_fail(err, TUT_USAGE,
                        "tutela.yaml does not name \"%s\" under design: (record, documents, "
                        "maintenance)",
                        path);
    TUT_TRY(tut_gate_may_sign(v, key, 0, &x.person, err));
    TUT_TRY(tut_ledger_open(state_dir, true, &ledger, err));
    x.ledger = ledger;
    tut_status status = examine(&x);
    tut_buf_done(&x.text);
    return status;
}
