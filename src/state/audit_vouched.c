/* What others vouch for: kept cosignatures and time-stamps, and what the whole ledger rests on. */
#include "ledger/vouched.h"
#include "state/audit_internal.h"

typedef struct sources {
    tut_finding findings[2]; /* by tut_vouched_source */
} sources;

static void sources_done(sources *s)
{
    tut_finding_done(&s->findings[TUT_VOUCHED_WITNESSES]);
    tut_finding_done(&s->findings[TUT_VOUCHED_TIMESTAMPS]);
}

static void found(void *ctx, tut_vouched_source source, bool is_damage, const char *text)
{
    sources *s = ctx;
    (void)is_damage;
    tut_finding_add(&s->findings[source], "%s", text);
}

static tut_status conclude_witnesses(tut_auditing *a, const tut_finding *f, const tut_vouched *v)
{
    char at[TUT_TIME_TEXT];
    unsigned long long size = v->cosigned_size;
    if (f->count == 0 && v->witnessed.is_there) {
        tut_time_people(v->witnessed.at, at);
        return tut_audit_conclude(a, "witnesses", f,
                                  "the policy's quorum had seen the first %llu entries by %s",
                                  (unsigned long long)v->witnessed.size, at);
    }
    if (f->count == 0 && v->cosigned == 0)
        return tut_audit_conclude(a, "witnesses", f, "no cosignatures are kept");
    return tut_audit_conclude(a, "witnesses", f,
                              "the log contains the %llu entries that were cosigned, by witnesses "
                              "that nobody vouched for here (--policy)",
                              size);
}

static tut_status conclude_timestamps(tut_auditing *a, const tut_finding *f, const tut_vouched *v)
{
    char at[TUT_TIME_TEXT];
    if (f->count == 0 && v->timestamped.is_there) {
        tut_time_people(v->timestamped.at, at);
        return tut_audit_conclude(
            a, "timestamps", f, "%zu %s; the log had its first %llu entries by %s", v->stamped,
            v->stamped == 1 ? "verifies" : "verify", (unsigned long long)v->timestamped.size, at);
    }
    if (f->count == 0 && v->stamped == 0)
        return tut_audit_conclude(a, "timestamps", f, "none are kept");
    return tut_audit_conclude(a, "timestamps", f,
                              "%zu kept, of trees that the log contains; whose they are is not "
                              "verified (--ca)",
                              v->stamped);
}

tut_status tut_audit_vouched(tut_auditing *a)
{
    __attribute__((cleanup(sources_done))) sources s = {0};
    tut_vouched v = {0};
    tut_error why = {0};
    tut_vouched_options options = {.beside = &a->beside,
                                   .log = a->log,
                                   .policy = a->options->policy,
                                   .trust = a->options->authorities,
                                   .until = INT64_MAX,
                                   .found = found,
                                   .ctx = &s};
    tut_status status = tut_vouched_look(&options, &v, &why);
    if (status.code == TUT_NOMEM)
        return tut_fail(a->err, TUT_NOMEM, "memory ran out");
    if (!tut_is_ok(status)) {
        tut_finding_add(&s.findings[TUT_VOUCHED_WITNESSES], "not looked at: %s", why.text);
        tut_finding_add(&s.findings[TUT_VOUCHED_TIMESTAMPS], "not looked at: %s", why.text);
    }
    if (a->options->unread && !a->options->policy)
        tut_finding_add(&s.findings[TUT_VOUCHED_WITNESSES], "who is believed cannot be told: %s",
                        a->options->unread);
    if (a->options->unread && !a->options->authorities)
        tut_finding_add(&s.findings[TUT_VOUCHED_TIMESTAMPS], "who is believed cannot be told: %s",
                        a->options->unread);
    TUT_TRY(conclude_witnesses(a, &s.findings[TUT_VOUCHED_WITNESSES], &v));
    TUT_TRY(conclude_timestamps(a, &s.findings[TUT_VOUCHED_TIMESTAMPS], &v));
    a->vouched = v;
    return TUT_SUCCESS;
}

/* --- what it rests on --- */

static bool has_held(const tut_audit *audit, const char *name)
{
    for (size_t i = 0; i < audit->count; i++)
        if (strcmp(audit->checks[i].name, name) == 0)
            return audit->checks[i].holds;
    return false;
}

static void say_keys(const tut_auditing *a, bool by_key, bool by_saved, tut_buf *out)
{
    if (by_key && by_saved)
        tut_buf_add_z(out, "anchored by the given key and the saved checkpoint");
    else if (by_key)
        tut_buf_add_z(out, "anchored by the given key");
    else if (by_saved)
        tut_buf_add_z(out, "anchored by the saved checkpoint");
    else if (a->evidence.keys)
        tut_buf_add_z(out, "anchored by nothing but this machine's own key");
    else
        tut_buf_add_z(out, "anchored by nothing: the log vouches for itself");
}

static void say_others(const tut_auditing *a, tut_buf *out)
{
    const tut_proven *p = &a->vouched.proven;
    const char *who = a->vouched.trust == TUT_TRUST_WITNESSED ? "a quorum of witnesses had seen"
                                                              : "a time-stamp shows";
    char at[TUT_TIME_TEXT];
    tut_time_people(p->at, at);
    if (p->size == a->audit->size)
        tut_buf_printf(out, "%s all %llu entries by %s", who, (unsigned long long)p->size, at);
    else
        tut_buf_printf(out, "%s the first %llu of %llu entries by %s", who,
                       (unsigned long long)p->size, (unsigned long long)a->audit->size, at);
}

/* What does not hold anchors nothing. */
tut_status tut_audit_trust(tut_auditing *a)
{
    tut_audit *audit = a->audit;
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    bool is_signed = has_held(audit, "checkpoint") && has_held(audit, "root") &&
                     has_held(audit, "keys");
    bool by_key = a->options->key && is_signed;
    bool by_saved = a->options->saved && is_signed && has_held(audit, "saved");
    audit->trust = by_key || by_saved ? TUT_TRUST_KEY : TUT_TRUST_OWN_KEY;
    if (is_signed && a->vouched.trust > audit->trust) {
        audit->trust = a->vouched.trust;
        audit->proven = a->vouched.proven;
        say_others(a, &text);
    } else {
        say_keys(a, by_key, by_saved, &text);
        audit->is_unvouched = !by_key && !by_saved && !a->evidence.keys;
    }
    TUT_TRY(tut_buf_check(&text, a->err));
    audit->rests_on = tut_buf_steal(&text);
    return audit->rests_on ? TUT_SUCCESS : tut_fail(a->err, TUT_NOMEM, "memory ran out");
}
