/* Records that collecting puts together before they are appended at once. */
#include "assess/collect_internal.h"
#include "state/records.h"

tut_status tut_batch_init(tut_batch *b, const tut_collection *c, tut_ledger *ledger, tut_error *err)
{
    *b = (tut_batch){.c = c, .ledger = ledger, .err = err};
    tut_arena_init(&b->arena, 0);
    TUT_TRY(tut_tool_get_digests(&b->tool, err));
    return tut_state_events(ledger, INT64_MAX, &b->known, err);
}

void tut_batch_done(tut_batch *b)
{
    tut_records_free(b->known);
    tut_free(b->records);
    tut_arena_done(&b->arena);
}

tut_status tut_batch_add(tut_batch *b, const char *name, const tut_sha256 *digest,
                         tut_record **ret_record)
{
    tut_subject *subject = tut_arena_take(&b->arena, 1, sizeof(*subject));
    if (!subject)
        return tut_fail(b->err, TUT_NOMEM, "memory ran out");
    TUT_TRY(tut_grow(&b->records, b->count, &b->capacity, sizeof(*b->records)));
    tut_record *r = &b->records[b->count++];
    *subject = (tut_subject){.name = name, .digest = *digest};
    *r = (tut_record){.at = b->c->to,
                      .from = b->c->from,
                      .to = b->c->to,
                      .expires = b->c->to + (tut_time)TUT_COLLECT_EXPIRY_DAYS * TUT_DAY_SECONDS,
                      .subjects = subject,
                      .subject_count = 1,
                      .actor = "tool",
                      .statement = "",
                      .tool_binary = b->tool.binary,
                      .tool_catalogue = b->tool.catalogue,
                      .tool_rules = b->tool.rules};
    *ret_record = r;
    return TUT_SUCCESS;
}

/* The clauses whose rows want this check; of an asset only those that want its kind. */
static tut_status clauses_of(tut_batch *b, const char *check, tut_asset_kind kind, tut_record *r)
{
    const tut_clause *clauses;
    TUT_TRY(tut_catalogue_load(&clauses, b->err));
    const char **ids = tut_arena_take(&b->arena, TUT_CLAUSE_COUNT, sizeof(*ids));
    if (!ids)
        return tut_fail(b->err, TUT_NOMEM, "memory ran out");
    size_t count = 0;
    for (size_t i = 0; i < TUT_CLAUSE_COUNT; i++) {
        if (!tut_clause_wants(&clauses[i], check, kind))
            continue;
        ids[count] = tut_arena_copy(&b->arena, clauses[i].id);
        if (!ids[count++])
            return tut_fail(b->err, TUT_NOMEM, "memory ran out");
    }
    r->clauses = ids;
    r->clause_count = count;
    return TUT_SUCCESS;
}

bool tut_clause_wants(const tut_clause *clause, const char *check, tut_asset_kind kind)
{
    for (size_t w = 0; w < clause->want_count; w++) {
        const tut_want *want = &clause->wants[w];
        if (tut_str_eq_z(want->check, check) &&
            (want->kinds == 0 || kind == TUT_KIND_NONE || (want->kinds & (1u << kind))))
            return true;
    }
    return false;
}

bool tut_batch_wants(const tut_inventory_item *item, const char *check)
{
    const tut_clause *clauses;
    if (!item->has_digest || item->files == 0 || !tut_is_ok(tut_catalogue_load(&clauses, NULL)))
        return false;
    for (size_t i = 0; i < TUT_CLAUSE_COUNT; i++)
        if (tut_clause_wants(&clauses[i], check, item->kind))
            return true;
    return false;
}

tut_status tut_batch_evidence(tut_batch *b, const char *name, const tut_sha256 *digest,
                              const char *check, tut_asset_kind kind, tut_record **ret_record)
{
    tut_record *r;
    TUT_TRY(tut_batch_add(b, name, digest, &r));
    TUT_CLEAN(tut_buf) versioned = TUT_BUF_INIT;
    tut_buf_printf(&versioned, "%s/1", check);
    r->type = TUT_RECORD_EVIDENCE;
    r->check = tut_arena_copy(&b->arena, tut_buf_str(&versioned));
    if (!r->check)
        return tut_fail(b->err, TUT_NOMEM, "memory ran out");
    TUT_TRY(clauses_of(b, check, kind, r));
    *ret_record = r;
    return TUT_SUCCESS;
}

tut_status tut_batch_state(tut_batch *b, tut_record *r, tut_str statement)
{
    TUT_CLEAN(tut_buf) safe = TUT_BUF_INIT;
    tut_buf_add_escaped(&safe, statement, 1000);
    r->statement = tut_arena_copy(&b->arena, tut_buf_str(&safe));
    return r->statement ? TUT_SUCCESS : tut_fail(b->err, TUT_NOMEM, "memory ran out");
}

tut_status tut_batch_rests_on(tut_batch *b, tut_record *r, const char *key_id)
{
    if (!key_id)
        return TUT_SUCCESS;
    TUT_CLEAN(tut_buf) data = TUT_BUF_INIT;
    tut_buf_printf(&data, "{\"key\":\"%s\"}", key_id);
    TUT_TRY(tut_buf_check(&data, b->err));
    char *copy = tut_arena_copy(&b->arena, tut_buf_str(&data));
    if (!copy)
        return tut_fail(b->err, TUT_NOMEM, "memory ran out");
    r->data_key = TUT_RECORD_RESTS_ON;
    r->data = tut_str_of(copy);
    return TUT_SUCCESS;
}

tut_status tut_batch_body(tut_batch *b, tut_record *r, tut_span body)
{
    r->has_body = true;
    return tut_ledger_put_body(b->ledger, body, &r->body, b->err);
}

tut_status tut_batch_append(tut_batch *b)
{
    TUT_TRY(tut_ledger_append(b->ledger, b->records, b->count, b->err));
    b->count = 0;
    return TUT_SUCCESS;
}
