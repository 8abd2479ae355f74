/* tutela ledger erase: the personal bodies of a month, by deleting their key. */
#include <string.h>

#include "assess/tool.h"
#include "base/json_write.h"
#include "cmd/people_act.h"
#include "ledger/bodies.h"

static const tut_option options[] = {
    {"--period", TUT_OPTION_VALUE, "YYYYMM", "the month, in UTC"},
    {"--now", TUT_OPTION_FLAG, NULL, "also a month that is not over yet"},
    {"--reason", TUT_OPTION_VALUE, "TEXT", "why; it is part of the log"},
    TUT_SIGNER_OPTIONS,
    {NULL, TUT_OPTION_FLAG, NULL, NULL},
};

/* What is still being written is not erased by mistake. */
static tut_status check_month(const tut_args *args, tut_error *err)
{
    char present[TUT_PERIOD_NAME];
    const char *month = tut_args_get(args, "--period");
    if (!month)
        return tut_fail(err, TUT_USAGE, "--period YYYYMM says which month");
    TUT_TRY(tut_seal_period(tut_time_now(), present, err));
    if (strlen(month) == TUT_SEAL_PERIOD && strcmp(month, present) >= 0 &&
        !tut_args_has(args, "--now"))
        return tut_fail(err, TUT_USAGE,
                        "the month %s is not over; with --now what was kept in it so far is erased",
                        month);
    return TUT_SUCCESS;
}

static tut_status check_root(const tut_people_act *a, tut_error *err)
{
    const tut_act act = {.roles = TUT_PERSON_ROOT, .index = a->records->log_size};
    const char *why = NULL;
    const char *id = tut_pubkey_id(tut_key_public(a->signer));
    if (tut_people_may_sign(a->records->people, id, &act, NULL, &why))
        return TUT_SUCCESS;
    return tut_fail(err, TUT_DENIED, "nothing was erased: only a root may say so (%s)", why);
}

static tut_status write_data(const tut_args *args, const tut_erasure *plan, tut_buf *out,
                             tut_error *err)
{
    TUT_AUTO(tut_json) j = NULL;
    const char *reason = tut_args_get(args, "--reason");
    TUT_TRY(tut_json_new(out, &j));
    tut_json_object(j);
    tut_json_put_z(j, "period", plan->month);
    tut_json_put_u64(j, "bodies", plan->bodies);
    if (reason)
        tut_json_put_z(j, "reason", reason);
    tut_json_end_object(j);
    return tut_json_finish(j, err);
}

/* The entry first: what is gone without one cannot be told from a loss. */
static tut_status record(tut_people_act *a, const tut_erasure *plan, tut_error *err)
{
    TUT_CLEAN(tut_buf) data = TUT_BUF_INIT;
    TUT_AUTO_FREE char *statement =
        tut_asprintf("The key of the personal bodies of %s is deleted; %llu cannot be read any "
                     "more.",
                     plan->month, (unsigned long long)plan->bodies);
    char names[TUT_SEAL_MONTH_SECRETS][TUT_PERIOD_NAME + 8];
    tut_subject subjects[TUT_SEAL_MONTH_SECRETS];
    tut_tool_digests tool;
    if (!statement)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (size_t i = 0; i < plan->count; i++) {
        (void)snprintf(names[i], sizeof(names[i]), "period/%s", plan->periods[i]);
        subjects[i] = (tut_subject){.name = names[i], .digest = plan->fingerprints[i]};
    }
    TUT_TRY(tut_tool_get_digests(&tool, err));
    TUT_TRY(write_data(a->args, plan, &data, err));
    const char *id = tut_pubkey_id(tut_key_public(a->signer));
    tut_record r = {.type = TUT_RECORD_EVENT,
                    .at = tut_time_now(),
                    .check = TUT_PERIOD_ERASED_EVENT,
                    .subjects = subjects,
                    .subject_count = plan->count,
                    .actor = tut_people_by_key(a->records->people, id, NULL)->name,
                    .statement = statement,
                    .data_key = "erasure",
                    .data = tut_buf_str(&data),
                    .tool_binary = tool.binary,
                    .tool_catalogue = tool.catalogue,
                    .tool_rules = tool.rules};
    const tut_key *signers[] = {a->signer};
    TUT_TRY(tut_ledger_append_signed(a->ledger, &r, signers, 1, err));
    a->index = r.index;
    return TUT_SUCCESS;
}

static tut_status erase(tut_people_act *a, const tut_args *args, tut_erasure *plan, tut_error *err)
{
    TUT_TRY(check_month(args, err));
    TUT_TRY(tut_people_act_open(a, args, true, err));
    TUT_TRY(tut_people_act_signer(a, err));
    TUT_TRY(check_root(a, err));
    TUT_TRY(tut_ledger_erasure_plan(a->ledger, tut_args_get(args, "--period"), plan, err));
    TUT_TRY(record(a, plan, err));
    return tut_ledger_erase(a->ledger, plan, err);
}

static tut_status tell(const tut_people_act *a, const tut_erasure *plan, tut_buf *out,
                       tut_error *err)
{
    unsigned long long bodies = plan->bodies;
    if (strcmp(a->args->format, "json") != 0) {
        tut_buf_printf(out, "Erased %s: %llu %s can no longer be read: entry %llu.\n", plan->month,
                       bodies, bodies == 1 ? "body" : "bodies", (unsigned long long)a->index);
        return tut_buf_check(out, err);
    }
    TUT_AUTO(tut_json) j = NULL;
    TUT_TRY(tut_json_new(out, &j));
    tut_json_head(j, "tutela.ledger/1", tut_time_generated());
    tut_json_key(j, "summary");
    tut_json_object(j);
    tut_json_put_z(j, "origin", tut_ledger_log_origin(a->ledger));
    tut_json_put_u64(j, "index", a->index);
    tut_json_put_z(j, "period", plan->month);
    tut_json_put_u64(j, "bodies", plan->bodies);
    tut_json_end_object(j);
    tut_json_end_object(j);
    TUT_TRY(tut_json_finish(j, err));
    tut_buf_add_z(out, "\n");
    return tut_buf_check(out, err);
}

static int run(const tut_args *args)
{
    __attribute__((cleanup(tut_people_act_done))) tut_people_act a = {.args = args};
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    tut_erasure plan = {.count = 0};
    tut_error err = {0};
    tut_status status = erase(&a, args, &plan, &err);
    if (tut_is_ok(status))
        status = tell(&a, &plan, &out, &err);
    return tut_is_ok(status) ? tut_cmd_output(&out, TUT_EXIT_OK) : tut_cmd_fail(&err);
}

const tut_command tut_cmd_ledger_erase = {
    .name = "ledger erase",
    .arguments = "",
    .summary = "Erase the personal bodies of a month, wherever copies lie, by deleting their key",
    .help =
        "Prompts, answers and documents about people are kept encrypted under the key of their "
        "month. A root says in the log that the month is erased; then the key is overwritten and "
        "deleted, and nobody can read these bodies again. The log stays whole. Copies of the key "
        "in backups of the key directory have to be deleted too: nothing here reaches them.\n"
        "Example: tutela ledger erase --period 202601 --by Ada --signing-key ada.key",
    .formats = "table json",
    .options = options,
    .run = run,
};
