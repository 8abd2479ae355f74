/* What the entries say: who signed them, the people, the bodies that they name, and the index. */
#include "ledger/people.h"
#include "state/audit_internal.h"

enum { AT_ONCE = 4096 }; /* entries */

typedef struct saying {
    tut_auditing *a;
    tut_ledger *ledger;
    tut_finding signatures, people, bodies;
    uint64_t evidence, without_force, lost, body_count, sealed;
} saying;

static void saying_done(saying *s)
{
    if (!s->a->is_given)
        tut_ledger_close(s->ledger);
    tut_finding_done(&s->signatures);
    tut_finding_done(&s->people);
    tut_finding_done(&s->bodies);
}

/* A known key that is no longer in force, or was not yet, is how things go: such a record counts
 * for nothing, and the log is none the worse. A signature that is none, or nobody's, is something
 * else.
 */
static bool is_out_of_force(const tut_record_signer *s)
{
    return s->name && !s->counts && !s->is_bad;
}

static void judge_signers(saying *s, const tut_record *r)
{
    unsigned long long at = r->index;
    bool is_out = r->signer_count > 0;
    s->evidence += r->type == TUT_RECORD_EVIDENCE;
    for (size_t i = 0; i < r->signer_count; i++) {
        const tut_record_signer *signer = &r->signers[i];
        is_out = is_out && is_out_of_force(signer);
        if (!signer->counts && !is_out_of_force(signer))
            tut_finding_add(&s->signatures, "entry %llu (%s): %s", at, r->check, signer->why);
    }
    s->without_force += is_out && r->type == TUT_RECORD_EVIDENCE;
    if (r->doubt == tut_doubt_log_key)
        s->lost++;
    else if (r->doubt && !r->is_outlived && (r->signer_count == 0 || r->doubt != r->signers[0].why))
        tut_finding_add(&s->signatures, "entry %llu (%s): %s", at, r->check, r->doubt);
}

/* Sealed bodies whose key is not here: elsewhere for auditors, and nowhere once they were erased on
 * purpose. That is told, and is no damage. */
static const tut_str erased = {"was erased", 10};

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
    bool is_sealed = status.code == TUT_DENIED || tut_str_starts(tut_str_of(why.text), erased);
    s->sealed += !tut_is_ok(status) && is_sealed;
    if (!tut_is_ok(status) && !is_sealed)
        tut_finding_add(&s->bodies, "entry %llu (%s): %s: %s", (unsigned long long)r->index,
                        r->check, why.path, why.text);
    return TUT_SUCCESS;
}

/* Some entries at a time, so that a log of any length fits; the events about people and keys are
 * read with each, for they say what the signatures of the others are worth. */
static tut_status judge_some(saying *s, const uint64_t *places, size_t count)
{
    tut_places all = {0};
    TUT_AUTO(tut_records) records = NULL;
    tut_auditing *a = s->a;
    tut_status status = tut_places_join(&all, places, count, a->err);
    if (tut_is_ok(status))
        status = tut_places_join(&all, a->own.items, a->own.count, a->err);
    if (tut_is_ok(status))
        status = tut_ledger_read_some(s->ledger, all.items, all.count, INT64_MAX, &records, a->err);
    tut_places_done(&all);
    TUT_TRY(status);
    size_t next = 0;
    for (size_t i = 0; i < records->count; i++) {
        const tut_record *r = &records->items[i];
        while (next < count && places[next] < r->index)
            next++;
        if (next == count || places[next] != r->index)
            continue;
        judge_signers(s, r);
        if (!a->is_given)
            TUT_TRY(judge_body(s, r));
    }
    return TUT_SUCCESS;
}

/* Where no event about people came after `then`, signers stand now as they did. */
static bool has_same_people(const tut_auditing *a)
{
    return a->own.count == 0 || a->own.items[a->own.count - 1] < a->options->then_size;
}

static tut_status judge_decisive(saying *s, bool *ret_done)
{
    tut_auditing *a = s->a;
    const tut_audit_options *o = a->options;
    *ret_done = o->given_then && has_same_people(a);
    if (!o->given_then)
        return TUT_SUCCESS;
    TUT_TRY(tut_ledger_read_some(o->given_then, a->decisive.items, a->decisive.count, o->then,
                                 &a->audit->records, a->err));
    for (size_t i = 0; *ret_done && i < a->audit->records->count; i++)
        judge_signers(s, &a->audit->records->items[i]);
    return TUT_SUCCESS;
}

/* The others, some at a time. `done`: records that were judged, or NULL. */
static tut_status judge_others(saying *s, const tut_records *done)
{
    uint64_t places[AT_ONCE];
    uint64_t size = s->a->audit->size;
    size_t count = 0;
    size_t next = 0;
    for (uint64_t at = 0; at < size; at++) {
        while (done && next < done->count && done->items[next].index < at)
            next++;
        if (!done || next >= done->count || done->items[next].index != at)
            places[count++] = at;
        if (count == AT_ONCE)
            TUT_TRY(judge_some(s, places, count));
        if (count == AT_ONCE)
            count = 0;
    }
    return count ? judge_some(s, places, count) : TUT_SUCCESS;
}

static tut_status judge(saying *s)
{
    tut_auditing *a = s->a;
    bool is_done = false;
    if (a->is_given)
        s->ledger = a->options->given;
    else
        TUT_TRY(tut_ledger_open(a->options->state_dir, false, &s->ledger, a->err));
    TUT_TRY(judge_decisive(s, &is_done));
    for (size_t i = 0; a->people && i < a->people->problem_count; i++)
        tut_finding_add(&s->people, "%s", a->people->problems[i]);
    return judge_others(s, is_done ? a->audit->records : NULL);
}

static tut_status conclude(tut_auditing *a, const saying *s)
{
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) sealed = TUT_BUF_INIT;
    if (s->without_force)
        tut_buf_printf(&out, "; of %llu records no key was in force, so they count for nothing",
                       (unsigned long long)s->without_force);
    if (s->lost)
        tut_buf_printf(&out,
                       "; %llu events stand where the log's key was in other hands, so they "
                       "count for nothing",
                       (unsigned long long)s->lost);
    if (s->sealed)
        tut_buf_printf(&sealed, "; %llu are sealed and their key is not here",
                       (unsigned long long)s->sealed);
    const char *of_force = tut_buf_z(&out);
    const char *of_seals = tut_buf_z(&sealed);
    if (!of_force || !of_seals)
        return tut_fail(a->err, TUT_NOMEM, "memory ran out");
    TUT_TRY(tut_audit_conclude(a, "signatures", &s->signatures,
                               "the %llu records of evidence carry the signatures they name%s",
                               (unsigned long long)s->evidence, of_force));
    TUT_TRY(
        tut_audit_conclude(a, "people", &s->people, "every event about people and keys counts"));
    if (a->is_given)
        return TUT_SUCCESS;
    return tut_audit_conclude(a, "bodies", &s->bodies, "all %llu that records name are whole%s",
                              (unsigned long long)s->body_count, of_seals);
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
    return conclude(a, &s);
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
