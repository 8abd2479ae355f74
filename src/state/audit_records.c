/* What the entries say: who signed them, the people, the bodies that they name, and the index. */
#include "ledger/people.h"
#include "state/audit_internal.h"
#include "state/index.h"

typedef struct saying {
    tut_auditing *a;
    tut_ledger *ledger;
    tut_finding signatures, people, bodies;
    uint64_t evidence, body_count, unreadable;
} saying;

static void saying_done(saying *s)
{
    tut_ledger_close(s->ledger);
    tut_finding_done(&s->signatures);
    tut_finding_done(&s->people);
    tut_finding_done(&s->bodies);
}

static void judge_signers(saying *s, const tut_record *r)
{
    unsigned long long at = r->index;
    s->evidence += r->type == TUT_RECORD_EVIDENCE;
    if (r->doubt)
        tut_finding_add(&s->signatures, "entry %llu (%s): %s", at, r->check, r->doubt);
    else
        for (size_t i = 0; i < r->signer_count; i++)
            if (!r->signers[i].counts)
                tut_finding_add(&s->signatures, "entry %llu (%s): %s", at, r->check,
                                r->signers[i].why);
}

static tut_status judge_body(saying *s, const tut_record *r)
{
    TUT_CLEAN(tut_buf) body = TUT_BUF_INIT;
    tut_error why = {0};
    if (!r->has_body)
        return TUT_SUCCESS;
    s->body_count++;
    tut_status status = tut_ledger_get_body(s->ledger, &r->body, &body, &why);
    if (status.code == TUT_NOMEM)
        return tut_fail(s->a->err, TUT_NOMEM, "memory ran out");
    if (!tut_is_ok(status))
        tut_finding_add(&s->bodies, "entry %llu (%s): %s: %s", (unsigned long long)r->index,
                        r->check, why.path, why.text);
    return TUT_SUCCESS;
}

static tut_status judge(saying *s)
{
    TUT_AUTO(tut_records) records = NULL;
    TUT_TRY(tut_ledger_open(s->a->options->state_dir, false, &s->ledger, s->a->err));
    TUT_TRY(tut_ledger_read(s->ledger, INT64_MAX, &records, s->a->err));
    for (size_t i = 0; i < records->count; i++) {
        judge_signers(s, &records->items[i]);
        TUT_TRY(judge_body(s, &records->items[i]));
    }
    for (size_t i = 0; i < records->people->problem_count; i++)
        tut_finding_add(&s->people, "%s", records->people->problems[i]);
    return TUT_SUCCESS;
}

tut_status tut_audit_records(tut_auditing *a)
{
    __attribute__((cleanup(saying_done))) saying s = {.a = a};
    tut_error why = {0};
    tut_error *err = a->err;
    a->err = &why;
    tut_status status = judge(&s);
    a->err = err;
    if (status.code == TUT_NOMEM || status.code == TUT_CANCELLED)
        return tut_fail(err, status.code, "%s", why.text);
    if (!tut_is_ok(status)) {
        tut_finding_add(&s.signatures, "not checked: %s", why.text);
        tut_finding_add(&s.people, "not checked: %s", why.text);
        tut_finding_add(&s.bodies, "not checked: %s", why.text);
    }
    TUT_TRY(tut_audit_conclude(a, "signatures", &s.signatures,
                               "%llu records of evidence are signed by keys in force",
                               (unsigned long long)s.evidence));
    TUT_TRY(tut_audit_conclude(a, "people", &s.people, "every event about people and keys counts"));
    return tut_audit_conclude(a, "bodies", &s.bodies, "all %llu that records name are whole",
                              (unsigned long long)s.body_count);
}

tut_status tut_audit_index(tut_auditing *a)
{
    TUT_CLEAN(tut_finding) f = {0};
    TUT_AUTO(tut_index) index = NULL;
    char note[TUT_INDEX_WHY_MAX] = "";
    tut_error why = {0};
    if (!a->log) {
        tut_finding_add(&f, "not compared, as the log cannot be opened");
        return tut_audit_conclude(a, "index", &f, "%s", "");
    }
    tut_status status = tut_index_open(a->options->state_dir, &index, &why);
    if (tut_is_ok(status))
        status = tut_index_ready(index, a->log, note, &why);
    if (status.code == TUT_NOMEM || status.code == TUT_CANCELLED)
        return tut_fail(a->err, status.code, "%s", why.text);
    if (!tut_is_ok(status))
        tut_finding_add(&f, "not made: %s", why.text);
    else if (note[0])
        tut_finding_add(&f, "it was not what was signed, and was made anew: %s", note);
    return tut_audit_conclude(a, "index", &f, "agrees with what was signed");
}
