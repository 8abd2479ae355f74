#include "state/audit.h"

#include "ledger/people.h"
#include "ledger/sequencer.h"
#include "state/audit_internal.h"

enum { DETAIL_CHARS = 600 };

void tut_audit_free(tut_audit *audit)
{
    if (!audit)
        return;
    for (size_t i = 0; i < audit->count; i++)
        tut_free(audit->checks[i].detail);
    tut_free(audit->checks);
    tut_free(audit->origin);
    tut_free(audit->rests_on);
    tut_records_free(audit->records);
    tut_free(audit);
}

static void auditing_done(tut_auditing *a)
{
    if (!a->is_given)
        tut_log_free(a->log);
    tut_place_done(&a->evidence);
    tut_place_done(&a->traffic);
    tut_places_done(&a->own);
    tut_places_done(&a->decisive);
    tut_relevant_free(a->relevant);
    tut_people_free(a->people);
    tut_free(a->said);
    tut_audit_free(a->audit);
}

void tut_finding_add(tut_finding *f, const char *fmt, ...)
{
    va_list ap;
    if (f->count++ >= TUT_AUDIT_SHOWN)
        return;
    if (f->count > 1)
        tut_buf_add_z(&f->text, "; ");
    va_start(ap, fmt);
    tut_buf_vprintf(&f->text, fmt, ap);
    va_end(ap);
}

void tut_finding_done(tut_finding *f)
{
    tut_buf_done(&f->text);
}

tut_status tut_audit_conclude(tut_auditing *a, const char *name, const tut_finding *f,
                              const char *sound, ...)
{
    tut_audit *audit = a->audit;
    TUT_CLEAN(tut_buf) line = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) safe = TUT_BUF_INIT;
    bool holds = f->count == 0;
    if (holds) {
        va_list ap;
        va_start(ap, sound);
        tut_buf_vprintf(&line, sound, ap);
        va_end(ap);
    } else {
        tut_buf_add_str(&line, tut_buf_str(&f->text));
        if (f->count > TUT_AUDIT_SHOWN)
            tut_buf_printf(&line, "; and %llu more",
                           (unsigned long long)(f->count - TUT_AUDIT_SHOWN));
    }
    TUT_TRY(tut_buf_check(&f->text, a->err));
    tut_buf_add_escaped(&safe, tut_buf_str(&line), DETAIL_CHARS);
    TUT_TRY(tut_buf_check(&line, a->err));
    TUT_TRY(tut_buf_check(&safe, a->err));
    TUT_TRY(tut_grow(&audit->checks, audit->count, &audit->capacity, sizeof(*audit->checks)));
    char *detail = tut_buf_steal(&safe);
    if (!detail)
        return tut_fail(a->err, TUT_NOMEM, "memory ran out");
    audit->checks[audit->count++] =
        (tut_audit_check){.name = name, .holds = holds, .detail = detail};
    audit->holds = audit->holds && holds;
    return TUT_SUCCESS;
}

static tut_status find_places(tut_auditing *a)
{
    const char *state = a->options->state_dir;
    TUT_TRY(tut_place_find(state, tut_log_names[TUT_LOG_EVIDENCE], &a->evidence, a->err));
    TUT_TRY(tut_place_find(state, tut_log_names[TUT_LOG_TRAFFIC], &a->traffic, a->err));
    a->beside = tut_beside_dir(a->evidence.dir);
    a->audit->origin = tut_strdup(a->evidence.log_origin);
    if (!a->audit->origin)
        return tut_fail(a->err, TUT_NOMEM, "memory ran out");
    return a->options->key ? tut_place_trust(&a->evidence, a->options->key, a->err) : TUT_SUCCESS;
}

/* What takes no state. */
static tut_status run_given(tut_auditing *a)
{
    TUT_TRY(tut_audit_take_given(a));
    TUT_TRY(tut_audit_entries(a));
    TUT_TRY(tut_audit_keys(a));
    TUT_TRY(tut_audit_vouched(a));
    TUT_TRY(tut_audit_records(a));
    return tut_audit_trust(a);
}

static tut_status run(tut_auditing *a)
{
    if (a->options->given)
        return run_given(a);
    TUT_TRY(find_places(a));
    TUT_TRY(tut_audit_checkpoint(a));
    TUT_TRY(tut_audit_tree(a));
    TUT_TRY(tut_audit_entries(a));
    TUT_TRY(tut_audit_keys(a));
    TUT_TRY(tut_audit_anchor(a));
    if (a->options->saved)
        TUT_TRY(tut_audit_saved(a));
    TUT_TRY(tut_audit_vouched(a));
    TUT_TRY(tut_audit_records(a));
    TUT_TRY(tut_audit_index(a));
    TUT_TRY(tut_audit_traffic(a));
    return tut_audit_trust(a);
}

tut_status tut_audit_run(const tut_audit_options *options, tut_audit **ret_audit, tut_error *err)
{
    __attribute__((cleanup(auditing_done))) tut_auditing a = {.options = options, .err = err};
    a.audit = tut_alloc_array(1, sizeof(*a.audit));
    if (!a.audit)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    a.audit->holds = true;
    TUT_TRY(tut_merkle_start(err));
    TUT_TRY(run(&a));
    *ret_audit = tut_move(&a.audit);
    return TUT_SUCCESS;
}
