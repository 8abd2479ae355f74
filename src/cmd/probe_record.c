#include "cmd/probe_record.h"

#include <stdio.h>
#include <string.h>

#include "assess/attest.h"
#include "cmd/signer.h"
#include "guard/policy.h"
#include "state/records.h"

static tut_result result_of(const tut_probe_run *r)
{
    switch (r->outcome) {
    case TUT_OUTCOME_PASS:
        return TUT_RESULT_PASS;
    case TUT_OUTCOME_FAIL:
        return TUT_RESULT_FAIL;
    case TUT_OUTCOME_OPEN:
        return TUT_RESULT_NOT_CHECKED;
    case TUT_OUTCOME_UNMEASURED:
        return r->does_not_apply ? TUT_RESULT_NOT_APPLICABLE : TUT_RESULT_NOT_CHECKED;
    }
    return TUT_RESULT_ERROR;
}

/* The asset that was attacked: the one that the target names, else the one whose very bytes were
 * run. */
static const tut_asset *asset_of(const tut_probe_here *h, const tut_probe_job *job,
                                 const tut_probe_run *r)
{
    const tut_target_facts *f = &r->targets[TUT_WAY_STRAIGHT];
    if (!h->system)
        return NULL;
    if (job->target.asset.len)
        return tut_system_asset(h->system, job->target.asset);
    for (size_t i = 0; f->has_digest && i < h->system->asset_count; i++) {
        const tut_asset *a = &h->system->assets[i];
        if (a->kind == TUT_KIND_MODEL && a->has_digest &&
            memcmp(a->digest.bytes, f->digest, sizeof(f->digest)) == 0)
            return a;
    }
    return NULL;
}

static void put_policy(const tut_probe_here *h, const tut_probe_run *r, tut_json *j)
{
    tut_guard_policy guard;
    tut_json_key(j, "guard_policy");
    if (r->is_guarded && h->system &&
        tut_is_ok(tut_guard_policy_read(h->system, &guard, NULL, NULL)))
        tut_json_sha256(j, guard.version.bytes);
    else
        tut_json_null(j);
}

tut_status tut_probe_document(const tut_probe_here *h, const tut_probe_job *job,
                              const tut_probe_run *r, const tut_probe_gate *gate, tut_buf *out,
                              tut_error *err)
{
    const tut_asset *asset = asset_of(h, job, r);
    TUT_AUTO(tut_json) j = NULL;
    TUT_TRY(tut_json_new(out, &j));
    tut_json_head(j, "tutela.probe/1", tut_time_generated());
    tut_json_put_z(j, "asset", asset ? asset->id : NULL);
    tut_json_key(j, "asset_digest");
    if (asset && asset->has_digest)
        tut_json_sha256(j, asset->digest.bytes);
    else
        tut_json_null(j);
    /* A file was hashed as it was read; an endpoint says nothing of what it runs. */
    tut_json_put_z(j, "bound_by",
                   !asset                                    ? NULL
                   : r->targets[TUT_WAY_STRAIGHT].has_digest ? "digest"
                                                             : "declaration");
    put_policy(h, r, j);
    tut_json_put_z(j, "authorised_by", job->order.authorised_by);
    tut_probe_run_json(r, j);
    if (gate && gate->path)
        tut_probe_gate_json(gate, r, j);
    tut_json_end_object(j);
    TUT_TRY(tut_json_finish(j, err));
    tut_buf_add_z(out, "\n");
    return tut_buf_check(out, err);
}

/* --- who stands behind it --- */

typedef struct signer {
    tut_records *records;
    tut_key *key;
    const char *by;
} signer;

static void signer_done(signer *s)
{
    tut_key_free(s->key);
    tut_records_free(s->records);
}

/* Independent is who tests and does not build. */
static tut_status find_tester(const tut_args *args, const tut_probe_here *h, signer *s,
                              tut_error *err)
{
    s->by = tut_args_get(args, "--by");
    if (!s->by)
        return TUT_SUCCESS;
    TUT_TRY(tut_signer_find(args, h->state, &s->by, &s->records, &s->key, err));
    if (!s->key)
        return tut_fail(err, TUT_DENIED,
                        "%s has no key that counts here; tutela people enrol gives one, with the "
                        "role tester",
                        s->by);
    const tut_person *p = tut_people_find(s->records->people, tut_str_of(s->by));
    if (!p || !(p->roles & TUT_PERSON_TESTER) || (p->roles & TUT_PERSON_DEVELOPER))
        return tut_fail(err, TUT_DENIED,
                        "%s is not enrolled as an independent tester (role tester, and not "
                        "developer)",
                        s->by);
    return TUT_SUCCESS;
}

/* An option that makes an attack weaker than tutela.yaml asks for: only what fails then proves
 * anything. */
static const char *find_narrowing(const tut_args *args)
{
    static const char *const options[] = {"--attack",  "--norm",          "--size",    "--range",
                                          "--steps",   "--queries-a-row", "--rows",    "--models",
                                          "--queries", "--money",         "--columns", "--scale"};
    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
        if (tut_args_has(args, options[i]))
            return options[i];
    return NULL;
}

/* --- appending --- */

static void say(const tut_args *args, tut_buf *out, uint64_t index, const char *check,
                tut_result result)
{
    if (strcmp(args->format, "json") != 0)
        tut_buf_printf(out, "Recorded as entry %llu: %s, %s.\n", (unsigned long long)index, check,
                       tut_result_name(result));
}

static tut_status append(const tut_args *args, const tut_probe_here *h, const tut_attestation *a,
                         tut_buf *out, tut_error *err)
{
    uint64_t index = 0;
    TUT_TRY(tut_attest(args->system ? args->system : h->dir, h->state, a, &index, err));
    say(args, out, index, a->check, a->result);
    return TUT_SUCCESS;
}

static const char *find_bar(const tut_probe_here *h, const tut_probe_job *job,
                            const tut_asset *asset, const tut_probe_run *r)
{
    const tut_probe_about *about = tut_probe_about_of(r->kind);
    const tut_target_facts *f = &r->targets[TUT_WAY_STRAIGHT];
    if (!h->state)
        return "no tutela.yaml is here";
    if (!about->check)
        return "no provision asks for this probe by itself";
    if (r->kind == TUT_PROBE_ODD_INPUT && strcmp(f->kind, "command") == 0)
        return "the program that answers lines is not the service that users reach";
    if (!about->is_per_model)
        return job->is_declared ? NULL : "the target is not one of tutela.yaml's";
    if (!asset)
        return "the target is no model of tutela.yaml";
    if (!asset->has_digest)
        return "the model has no digest in tutela.yaml";
    if (f->has_digest && memcmp(asset->digest.bytes, f->digest, sizeof(f->digest)) != 0)
        return "what was attacked is not what tutela.yaml pins; tutela assess says what changed";
    return NULL;
}

/* Evidence takes the place of what the log holds of the same check and subject: what proves nothing
 * must not. */
static void find_weakness(const tut_args *args, const tut_probe_run *r, tut_buf *ret)
{
    const char *narrowing = find_narrowing(args);
    if (r->outcome == TUT_OUTCOME_FAIL)
        return;
    if (r->outcome == TUT_OUTCOME_UNMEASURED && !r->does_not_apply)
        tut_buf_printf(ret, "nothing was measured (%s)", r->reason);
    else if (tut_interrupted())
        tut_buf_add_z(ret, "interrupted; the same command goes on where it stopped");
    else if (narrowing)
        tut_buf_printf(ret, "narrowed by %s; run without it for evidence", narrowing);
    else if (r->gap)
        tut_buf_printf(ret, "narrowed by %s", r->gap);
}

tut_status tut_probe_record(const tut_args *args, const tut_probe_here *h, const tut_probe_job *job,
                            const tut_probe_run *r, tut_buf *out, tut_buf *remarks, tut_error *err)
{
    const tut_probe_about *about = tut_probe_about_of(r->kind);
    const tut_asset *asset = asset_of(h, job, r);
    const char *bar = find_bar(h, job, asset, r);
    const char *option = find_narrowing(args);
    const char *narrowing = option ? option : r->gap;
    TUT_CLEAN(tut_buf) body = TUT_BUF_INIT, why = TUT_BUF_INIT;
    char statement[400];
    if (tut_args_has(args, "--no-record"))
        return TUT_SUCCESS;
    if (bar)
        tut_buf_add_z(&why, bar);
    else
        find_weakness(args, r, &why);
    TUT_TRY(tut_buf_check(&why, err));
    if (why.len) {
        tut_buf_printf(remarks, "Nothing was recorded: %.*s.\n", (int)why.len,
                       (const char *)why.data);
        return tut_buf_check(remarks, err);
    }
    TUT_TRY(tut_probe_document(h, job, r, NULL, &body, err));
    (void)snprintf(statement, sizeof(statement), "%s: %s%s%s%s%s%s.", about->title,
                   tut_outcome_name(r->outcome), r->reason[0] ? ": " : "", r->reason,
                   narrowing ? "; narrowed by " : "", narrowing ? narrowing : "",
                   asset && !r->targets[TUT_WAY_STRAIGHT].has_digest
                       ? "; that the endpoint serves this very model is declared"
                       : "");
    tut_attestation a = {.check = about->check,
                         .result = result_of(r),
                         .statement = statement,
                         .body = tut_buf_span(&body),
                         .from = r->from,
                         .to = r->to};
    if (about->is_per_model) {
        a.asset = asset->id;
        a.digest = asset->digest;
    }
    signer s = {.key = NULL};
    tut_status status = find_tester(args, h, &s, err);
    if (tut_is_ok(status))
        status = append(args, h, &a, out, err);
    if (tut_is_ok(status) && s.key) {
        a.check = "probe.independent";
        a.asset = NULL;
        /* That somebody independent tested is so whichever way it came out. */
        a.result = TUT_RESULT_PASS;
        a.by = s.by;
        a.signer = s.key;
        status = append(args, h, &a, out, err);
    }
    signer_done(&s);
    return status;
}
