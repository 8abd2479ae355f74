/* Training, looked at by `assess`. */
#include <stdio.h>

#include "assess/tool.h"
#include "govern/training_check.h"
#include "govern/training_quiz.h"

/* Evidence ends when what it says would be another thing by time alone. */
static tut_status attest(tut_governing *g, const tut_training_finding *f)
{
    tut_time left = f->holds_until > g->at ? f->holds_until - g->at : 0;
    tut_attestation a = {.check = f->check,
                         .result = f->result,
                         .statement = f->statement,
                         .body = tut_buf_span(&f->body)};
    if (f->result == TUT_RESULT_PASS && f->holds_until)
        a.valid_days = left / TUT_DAY_SECONDS > 3660 ? 3660
                       : left < TUT_DAY_SECONDS      ? 1
                                                     : (uint32_t)(left / TUT_DAY_SECONDS);
    return tut_govern_attest(g, &a, NULL);
}

static bool is_on_record(const tut_governing *g, const char *name, const tut_sha256 *digest)
{
    for (size_t i = 0; i < g->records->count; i++) {
        const tut_record *r = &g->records->items[i];
        if (r->type == TUT_RECORD_EVENT && !r->doubt && r->subject_count == 1 &&
            strcmp(r->check, TUT_TRAIN_MODULE) == 0 && strcmp(r->subjects[0].name, name) == 0 &&
            tut_sha256_eq(&r->subjects[0].digest, digest))
            return true;
    }
    return false;
}

/* From when on a version is in use: the time to take it begins. Another content under a version
 * that is on record is not noted: it goes back, or its version rises. */
static tut_status note_modules(tut_governing *g, const tut_training *t)
{
    const tut_training_bank *bank = tut_training_bank_of(t);
    tut_arena arena;
    tut_tool_digests tool;
    tut_status status = TUT_SUCCESS;
    size_t count = 0;
    TUT_TRY(tut_tool_get_digests(&tool, g->err));
    TUT_AUTO_FREE tut_record *records = tut_alloc_array(bank->count + 1, sizeof(*records));
    TUT_AUTO_FREE tut_subject *subjects = tut_alloc_array(bank->count + 1, sizeof(*subjects));
    if (!records || !subjects)
        return tut_fail(g->err, TUT_NOMEM, "memory ran out");
    tut_arena_init(&arena, 0);
    for (size_t i = 0; i < bank->count && tut_is_ok(status); i++) {
        TUT_AUTO_FREE char *name = tut_training_subject("training", bank->items[i]);
        if (name && (is_on_record(g, name, &bank->items[i]->digest) ||
                     tut_training_has_two(t, bank->items[i])))
            continue;
        const char *kept = name ? tut_arena_copy(&arena, tut_str_of(name)) : NULL;
        if (!kept)
            status = tut_fail(g->err, TUT_NOMEM, "memory ran out");
        subjects[count] = (tut_subject){kept, bank->items[i]->digest};
        records[count] = (tut_record){.type = TUT_RECORD_EVENT,
                                      .at = g->at,
                                      .check = TUT_TRAIN_MODULE,
                                      .subjects = &subjects[count],
                                      .subject_count = 1,
                                      .actor = "tool",
                                      .statement = "This version of the module is in use.",
                                      .tool_binary = tool.binary,
                                      .tool_catalogue = tool.catalogue,
                                      .tool_rules = tool.rules};
        count++;
    }
    if (tut_is_ok(status) && count)
        status = tut_ledger_append(g->ledger, records, count, g->err);
    tut_arena_done(&arena);
    return status;
}

/* That the curriculum is still what two people examined, and no review of it is due. */
static tut_status look_at_curriculum(tut_governing *g, const tut_training *t)
{
    TUT_CLEAN(tut_curriculum) c = {.modules = 0};
    TUT_CLEAN(tut_training_finding) f = {.check = "train.refresh"};
    TUT_TRY(tut_curriculum_examine(g->system, t, g->at, &c, g->err));
    size_t signers = tut_curriculum_signers(&c, g->records, g->at, NULL);
    tut_buf_add_str(&f.body, tut_buf_str(&c.listing));
    TUT_TRY(tut_buf_check(&f.body, g->err));
    f.holds_until = c.holds_until;
    if (c.problem_count) {
        f.result = TUT_RESULT_FAIL;
        (void)snprintf(f.statement, sizeof(f.statement), "%s%s", c.problems[0],
                       c.problem_count > 1 ? " There is more: tutela train review." : "");
    } else if (signers < 2) {
        f.result = TUT_RESULT_NOT_CHECKED;
        (void)snprintf(f.statement, sizeof(f.statement),
                       "The curriculum as it is now was examined by %zu of two people.", signers);
    } else {
        f.result = TUT_RESULT_PASS;
        (void)snprintf(f.statement, sizeof(f.statement),
                       "The %zu modules of the curriculum are as they were examined, reviewed in "
                       "time and against the catalogue of threats.",
                       c.modules);
    }
    return attest(g, &f);
}

tut_status tut_govern_step_training(tut_governing *g)
{
    TUT_AUTO(tut_training) t = NULL;
    TUT_CLEAN(tut_training_finding) covered = {.check = NULL};
    TUT_CLEAN(tut_training_finding) coding = {.check = NULL};
    tut_training_policy policy;
    TUT_TRY(tut_training_policy_read(g->system, &policy, NULL, g->err));
    if (!policy.node)
        return TUT_SUCCESS;
    TUT_TRY(tut_training_load(g->system, g->records, g->at, &t, g->err));
    TUT_TRY(tut_training_verify(t, g->ledger, g->err));
    TUT_TRY(note_modules(g, t));
    TUT_TRY(tut_training_cover(t, g->records->people, g->at, &covered, g->err));
    TUT_TRY(attest(g, &covered));
    TUT_TRY(tut_training_cover_coding(t, g->records->people, g->at, &coding, g->err));
    TUT_TRY(attest(g, &coding));
    return look_at_curriculum(g, t);
}
