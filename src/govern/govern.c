#include "govern/govern.h"

#include <string.h>

#include "crypto/hash.h"
#include "state/records.h"

static tut_status (*const steps[])(tut_governing *g) = {
#define GOVERN_STEP(symbol) tut_govern_step_##symbol,
#include "govern/steps.def"
#undef GOVERN_STEP
    NULL,
};

/* The subject as attest.c will name it. */
static tut_subject subject_of(const tut_governing *g, const tut_attestation *a)
{
    return a->asset ? (tut_subject){a->asset, a->digest}
                    : (tut_subject){"tutela.yaml", g->system->digest};
}

static bool is_of_check(const tut_record *r, const char *check)
{
    size_t len = strlen(check);
    return r->type == TUT_RECORD_EVIDENCE && strncmp(r->check, check, len) == 0 &&
           r->check[len] == '/';
}

/* The newest evidence of this check about this subject, at whatever digest; or NULL. */
static const tut_record *newest_of(const tut_governing *g, const tut_attestation *a)
{
    tut_subject subject = subject_of(g, a);
    for (size_t i = g->records->count; i > 0; i--) {
        const tut_record *r = &g->records->items[i - 1];
        if (is_of_check(r, a->check) && r->subject_count == 1 &&
            strcmp(r->subjects[0].name, subject.name) == 0)
            return r;
    }
    return NULL;
}

static bool says_the_same(const tut_governing *g, const tut_record *r, const tut_attestation *a,
                          const tut_sha256 *body)
{
    tut_subject subject = subject_of(g, a);
    return !r->doubt && r->result == a->result && r->at > g->at - TUT_DAY_SECONDS &&
           tut_sha256_eq(&r->subjects[0].digest, &subject.digest) &&
           strcmp(r->statement, a->statement) == 0 && r->has_body == (a->body.len > 0) &&
           (!r->has_body || tut_sha256_eq(&r->body, body));
}

tut_status tut_govern_attest(tut_governing *g, const tut_attestation *a, uint64_t *ret_index)
{
    tut_sha256 body = {{0}};
    if (a->body.len > 0)
        TUT_TRY(tut_sha256_of(a->body, &body, g->err));
    const tut_record *last = newest_of(g, a);
    if (!last || !says_the_same(g, last, a, &body))
        return tut_attest_to(g->ledger, g->system, a, ret_index, g->err);
    if (ret_index)
        *ret_index = last->index;
    return TUT_SUCCESS;
}

tut_status tut_govern_collect(const char *dir_or_file, const char *state_dir, tut_error *err)
{
    TUT_AUTO(tut_system) system = NULL;
    TUT_AUTO(tut_records) records = NULL;
    __attribute__((cleanup(tut_ledger_close_auto))) tut_ledger *ledger = NULL;
    if (!steps[0])
        return TUT_SUCCESS;
    TUT_TRY(tut_system_load(dir_or_file, &system, NULL, err));
    TUT_TRY(tut_ledger_open(state_dir, true, &ledger, err));
    tut_governing g = {.system = system, .ledger = ledger, .at = tut_time_now(), .err = err};
    TUT_TRY(tut_state_read(ledger, g.at, &records, err));
    g.records = records;
    for (size_t i = 0; steps[i]; i++)
        TUT_TRY(steps[i](&g));
    return TUT_SUCCESS;
}
