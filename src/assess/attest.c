#include "assess/attest.h"

#include "assess/collect_internal.h"
#include "assess/evaluate_internal.h"
#include "assess/tool.h"
#include "state/records.h"

static const tut_want *want_of(const tut_clause *clause, const char *check)
{
    for (size_t i = 0; i < clause->want_count; i++)
        if (tut_str_eq_z(clause->wants[i].check, check))
            return &clause->wants[i];
    return NULL;
}

tut_status tut_attest_wants(const char *check, const char *ids[TUT_CLAUSE_COUNT], size_t *ret_count,
                            uint32_t *ret_days, tut_arena *arena, tut_error *err)
{
    const tut_clause *clauses;
    size_t count = 0;
    uint32_t days = 0;
    TUT_TRY(tut_catalogue_load(&clauses, err));
    for (size_t i = 0; i < TUT_CLAUSE_COUNT; i++) {
        const tut_want *want = want_of(&clauses[i], check);
        if (!want)
            continue;
        if (!days || want->max_age_days < days)
            days = want->max_age_days;
        ids[count] = tut_arena_copy(arena, clauses[i].id);
        if (!ids[count++])
            return tut_fail(err, TUT_NOMEM, "memory ran out");
    }
    if (count == 0)
        return tut_fail(err, TUT_USAGE, "no provision wants the check \"%s\"", check);
    *ret_count = count;
    *ret_days = days;
    return TUT_SUCCESS;
}

static tut_status append(tut_ledger *ledger, const tut_system *system, const tut_attestation *a,
                         tut_arena *arena, uint64_t *ret_index, tut_error *err)
{
    const char *ids[TUT_CLAUSE_COUNT];
    uint32_t days = 0;
    TUT_AUTO_FREE char *check = tut_asprintf("%s/1", a->check);
    TUT_CLEAN(tut_buf) key = TUT_BUF_INIT;
    const tut_subject subject = {.name = a->asset ? a->asset : TUT_SUBJECT_SYSTEM,
                                 .digest = a->asset ? a->digest : system->digest};
    tut_time now = tut_time_now();
    tut_record record = {.type = TUT_RECORD_EVIDENCE,
                         .at = now,
                         .from = a->from ? a->from : now,
                         .to = a->to ? a->to : now,
                         .check = check,
                         .method = TUT_METHOD_TEST,
                         .result = a->result,
                         .clauses = ids,
                         .subjects = &subject,
                         .subject_count = 1,
                         .actor = "tool",
                         .statement = a->statement};
    if (!check)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    TUT_TRY(tut_attest_wants(a->check, ids, &record.clause_count, &days, arena, err));
    if (a->valid_days && a->valid_days < days)
        days = a->valid_days;
    record.expires = record.to + (tut_time)days * TUT_DAY_SECONDS;
    if (a->key_id) {
        tut_buf_printf(&key, "{\"key\":\"%s\"}", a->key_id);
        TUT_TRY(tut_buf_check(&key, err));
        record.data_key = TUT_RECORD_RESTS_ON;
        record.data = tut_buf_str(&key);
    }
    if (a->signer) {
        tut_record signed_record = record;
        signed_record.actor = a->by;
        TUT_TRY(tut_tool_append(ledger, &signed_record, a->body, a->signer, err));
    }
    TUT_TRY(tut_tool_append(ledger, &record, a->body, NULL, err));
    if (ret_index)
        *ret_index = record.index;
    return TUT_SUCCESS;
}

tut_status tut_attest_to(tut_ledger *ledger, const tut_system *system, const tut_attestation *a,
                         uint64_t *ret_index, tut_error *err)
{
    tut_arena arena;
    tut_arena_init(&arena, 0);
    tut_status status = append(ledger, system, a, &arena, ret_index, err);
    tut_arena_done(&arena);
    return status;
}

tut_status tut_attest(const char *dir_or_file, const char *state_dir, const tut_attestation *a,
                      uint64_t *ret_index, tut_error *err)
{
    TUT_AUTO(tut_system) system = NULL;
    __attribute__((cleanup(tut_ledger_close_auto))) tut_ledger *ledger = NULL;
    TUT_TRY(tut_system_load(dir_or_file, &system, NULL, err));
    TUT_TRY(tut_ledger_open(state_dir, true, &ledger, err));
    return tut_attest_to(ledger, system, a, ret_index, err);
}

static bool is_same(const tut_record *r, const tut_system *system, const tut_attestation *a)
{
    size_t len = strlen(a->check);
    return r->type == TUT_RECORD_EVIDENCE && !r->doubt && strncmp(r->check, a->check, len) == 0 &&
           r->check[len] == '/' && r->result == a->result && r->subject_count == 1 &&
           tut_sha256_eq(&r->subjects[0].digest, &system->digest);
}

static tut_status find_recent(const char *state_dir, const tut_system *system,
                              const tut_attestation *a, uint64_t *ret_index, bool *ret_found,
                              tut_error *err)
{
    __attribute__((cleanup(tut_ledger_close_auto))) tut_ledger *ledger = NULL;
    TUT_AUTO(tut_records) records = NULL;
    TUT_CLEAN(tut_places) places = {0};
    TUT_AUTO_FREE char *kind = tut_asprintf("%s*", a->check);
    tut_time now = tut_time_now();
    const tut_index_query query = {.kind = kind, .from = now - TUT_DAY_SECONDS, .to = now};
    if (!kind)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    TUT_TRY(tut_ledger_open(state_dir, false, &ledger, err));
    TUT_TRY(tut_state_search(ledger, &query, &places, NULL, err));
    if (places.count == 0)
        return TUT_SUCCESS;
    TUT_TRY(tut_state_read_at(ledger, places.items, places.count, &records, err));
    for (size_t i = places.count; i > 0 && !*ret_found; i--) {
        const tut_record *r = tut_records_at(records, places.items[i - 1]);
        *ret_found = r && is_same(r, system, a);
        if (*ret_found)
            *ret_index = r->index;
    }
    return TUT_SUCCESS;
}

tut_status tut_attest_daily(const char *dir_or_file, const char *state_dir,
                            const tut_attestation *a, uint64_t *ret_index, bool *ret_is_new,
                            tut_error *err)
{
    TUT_AUTO(tut_system) system = NULL;
    bool is_there = false;
    TUT_TRY(tut_system_load(dir_or_file, &system, NULL, err));
    TUT_TRY(find_recent(state_dir, system, a, ret_index, &is_there, err));
    *ret_is_new = !is_there;
    return is_there ? TUT_SUCCESS : tut_attest(dir_or_file, state_dir, a, ret_index, err);
}
