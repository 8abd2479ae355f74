/* What others vouch for of the log that the verdicts rest on: kept cosignatures and time-stamps up
 * to the stated time, judged by those who were believed then. */
#include "ledger/vouched.h"
#include "assess/evaluate_internal.h"
#include "ledger/ledger_given.h"

/* A log that contains the newest trees that were cosigned or stamped contains what those contained.
 * `ledger verify` looks at all. For a quorum it takes some more: its members may have been asked at
 * different times. */
enum { NEWEST = 8, NEWEST_BELIEVED = 32 };

const char *const tut_voucher_events[TUT_VOUCHER_COUNT] = {"system.witnesses",
                                                           "system.authorities"};
const char *const tut_voucher_subjects[TUT_VOUCHER_COUNT] = {"policy.witnesses",
                                                             "policy.timestamp_ca"};

const tut_record *tut_latest_event(const tut_records *records, const char *event)
{
    for (size_t i = records->count; i > 0; i--) {
        const tut_record *r = &records->items[i - 1];
        if (r->type == TUT_RECORD_EVENT && r->has_body && !r->doubt && r->subject_count > 0 &&
            strcmp(r->check, event) == 0)
            return r;
    }
    return NULL;
}

/* The first thing that is damage is told; one is enough. */
typedef struct first {
    char text[TUT_ERROR_TEXT_MAX];
} first;

static void keep_first(void *ctx, tut_vouched_source source, bool is_damage, const char *text)
{
    first *f = ctx;
    (void)source;
    if (is_damage && !f->text[0])
        tut_str_copy(f->text, sizeof(f->text), tut_str_of(text));
}

static tut_status look(tut_ledger *ledger, const tut_vouchers *believed, tut_time until, first *f,
                       tut_vouched *ret_vouched, tut_error *err)
{
    tut_vouched_options options = {.policy = believed ? believed->policy : NULL,
                                   .trust = believed ? believed->trust : NULL,
                                   .until = until,
                                   .most = believed ? NEWEST_BELIEVED : NEWEST,
                                   .found = keep_first,
                                   .ctx = f};
    tut_beside beside = tut_ledger_beside(ledger);
    TUT_TRY(tut_ledger_log(ledger, &options.log, err));
    options.beside = &beside;
    options.is_part = tut_ledger_is_part(ledger);
    return tut_vouched_look(&options, ret_vouched, err);
}

tut_status tut_vouched_damage(tut_ledger *ledger, tut_time until, tut_error *err)
{
    first f = {.text = ""};
    tut_vouched v = {0};
    TUT_TRY(look(ledger, NULL, until, &f, &v, err));
    return v.is_damaged ? tut_fail(err, TUT_STORE, "%s", f.text) : TUT_SUCCESS;
}

const tut_record *tut_assessment_voucher(const tut_assessment *a, tut_voucher which)
{
    bool is_named = a->system && tut_voucher_file(a->system, which).len > 0;
    return is_named ? tut_latest_event(a->records, tut_voucher_events[which]) : NULL;
}

/* As they were recorded, when the description names any. */
static tut_status believe(tut_evaluation *e, tut_voucher which, tut_vouchers *v)
{
    TUT_CLEAN(tut_buf) bytes = TUT_BUF_INIT;
    tut_error why = {0};
    const tut_record *r = tut_assessment_voucher(e->a, which);
    if (!r)
        return TUT_SUCCESS;
    tut_status s = tut_ledger_get_body(e->ledger, &r->body, &bytes, &why);
    if (tut_is_ok(s))
        s = tut_vouchers_take(v, which, tut_buf_span(&bytes), tut_voucher_subjects[which], &why);
    if (tut_is_ok(s))
        return s;
    if (s.code == TUT_NOMEM)
        return tut_fail(e->err, TUT_NOMEM, "memory ran out");
    if (!e->damage)
        e->damage = tut_asprintf("record %llu: %s", (unsigned long long)r->index, why.text);
    return e->damage ? TUT_SUCCESS : tut_fail(e->err, TUT_NOMEM, "memory ran out");
}

tut_status tut_vouched_load(tut_evaluation *e)
{
    TUT_CLEAN(tut_vouchers) believed = {0};
    first f = {.text = ""};
    tut_vouched v = {0};
    if (!e->ledger || !e->a->log_origin || !e->a->log_origin[0])
        return TUT_SUCCESS;
    TUT_TRY(believe(e, TUT_VOUCHER_WITNESSES, &believed));
    TUT_TRY(believe(e, TUT_VOUCHER_AUTHORITIES, &believed));
    if (!believed.policy && !believed.trust)
        return TUT_SUCCESS;
    TUT_TRY(look(e->ledger, &believed, e->a->evaluated_at, &f, &v, e->err));
    e->a->is_log_unvouched = v.trust == TUT_TRUST_OWN_KEY;
    e->a->log_trust = v.trust;
    e->a->log_proven = v.proven;
    return TUT_SUCCESS;
}
