/* Entries read back as records. The log gives out no entry that it has not proved to be in the tree
 * that was signed; what is left is to find out who signed each. */
#include "base/cage.h"
#include "ledger/ledger_internal.h"
#include "ledger/read_signers.h"

enum { TOGETHER = 4096 }; /* entries whose signatures are verified in one go */

typedef struct reading {
    tut_ledger *ledger;
    tut_log *log;
    tut_records *records;
    tut_arena *arena;
    tut_signing signing;
    size_t capacity, entry_capacity;
    tut_time until;
    bool only_events; /* evidence is passed over, and its signatures with it */
    tut_error *err;
} reading;

static tut_status nomem(const reading *rd)
{
    return tut_fail(rd->err, TUT_NOMEM, "memory ran out");
}

void tut_records_free(tut_records *r)
{
    if (!r)
        return;
    tut_people_free(r->people);
    if (r->owner_) {
        tut_arena_done(r->owner_);
        tut_free(r->owner_);
    }
    tut_free(r->items);
    tut_free(r);
}

static tut_status damaged(const reading *rd, uint64_t index, const tut_error *why)
{
    if (why->code == TUT_NOMEM)
        return nomem(rd);
    tut_error_set_path(rd->err, rd->ledger->evidence);
    return tut_fail(rd->err, TUT_STORE, "entry %llu: %s", (unsigned long long)index, why->text);
}

static tut_status keep(reading *rd, uint64_t index, tut_entry *entry)
{
    tut_records *records = rd->records;
    TUT_TRY(tut_grow(&records->items, records->count, &rd->capacity, sizeof(*records->items)));
    TUT_TRY(tut_grow(&rd->signing.entries, records->count, &rd->entry_capacity,
                     sizeof(*rd->signing.entries)));
    tut_record *r = &records->items[records->count];
    *r = entry->record;
    r->index = index;
    r->recorded_at = entry->head.at;
    r->uid = entry->head.uid;
    TUT_TRY(tut_signers_keep(&rd->signing, records->count, entry, rd->err));
    records->count++;
    return records->count - rd->signing.taken < TOGETHER ? TUT_SUCCESS
                                                         : tut_signers_take(&rd->signing, rd->err);
}

static tut_status take(reading *rd, uint64_t index)
{
    tut_error why = {0};
    TUT_CLEAN(tut_buf) bytes = TUT_BUF_INIT;
    tut_status status = tut_log_entry(rd->log, index, &bytes, &why);
    if (!tut_is_ok(status))
        return damaged(rd, index, &why);
    /* The entry's views must outlive the buffer: they point into the arena's copy. */
    char *copy = tut_arena_copy(rd->arena, tut_buf_str(&bytes));
    if (!copy)
        return nomem(rd);
    tut_entry entry = {0};
    status = tut_entry_parse(tut_span_of(copy, bytes.len), rd->arena, &entry, &why);
    if (!tut_is_ok(status))
        return damaged(rd, index, &why);
    if (entry.head.at <= rd->until) {
        status = tut_people_apply(rd->records->people, index, &entry, NULL, rd->err);
        bool is_wanted = entry.has_record && entry.record.at <= rd->until &&
                         !(rd->only_events && entry.record.type == TUT_RECORD_EVIDENCE);
        if (tut_is_ok(status) && is_wanted)
            status = keep(rd, index, &entry);
    }
    tut_entry_done(&entry);
    return status;
}

/* --- reading --- */

static tut_status begin(reading *rd)
{
    tut_records *records = tut_alloc_array(1, sizeof(*records));
    rd->arena = tut_alloc_array(1, sizeof(*rd->arena));
    rd->records = records;
    if (!records || !rd->arena)
        return nomem(rd);
    tut_arena_init(rd->arena, 0);
    records->owner_ = rd->arena;
    TUT_TRY(tut_people_new(&records->people, rd->err));
    TUT_TRY(tut_ledger_log(rd->ledger, &rd->log, rd->err));
    if (!rd->log)
        return TUT_SUCCESS;
    records->log_size = tut_log_size(rd->log);
    tut_log_root(rd->log, &records->log_root);
    return TUT_SUCCESS;
}

static void set_signing(reading *rd)
{
    const tut_ledger *l = rd->ledger;
    rd->signing = (tut_signing){.records = rd->records,
                                .log_origin = l->log_origin,
                                .arena = rd->arena,
                                .checked = l->source ? l->source->checked : NULL};
}

static tut_status read_all(reading *rd, const uint64_t *indexes, size_t count)
{
    TUT_TRY(begin(rd));
    set_signing(rd);
    for (size_t i = 0; rd->log && i < count; i++) {
        if (tut_interrupted())
            return tut_fail(rd->err, TUT_CANCELLED, "interrupted");
        TUT_TRY(take(rd, indexes ? indexes[i] : i));
    }
    return tut_signers_find(&rd->signing, rd->err);
}

static tut_status read(tut_ledger *l, const uint64_t *indexes, size_t count, tut_time until,
                       bool only_events, tut_records **ret_records, tut_error *err)
{
    reading rd = {.ledger = l, .until = until, .only_events = only_events, .err = err};
    tut_status status = read_all(&rd, indexes, count);
    for (size_t i = 0; rd.records && i < rd.records->count; i++)
        tut_entry_done(&rd.signing.entries[i].entry);
    tut_free(rd.signing.entries);
    if (!tut_is_ok(status)) {
        if (rd.records && !rd.records->owner_)
            tut_free(rd.arena);
        tut_records_free(rd.records);
        return status;
    }
    *ret_records = rd.records;
    return TUT_SUCCESS;
}

tut_status tut_ledger_read_some(tut_ledger *l, const uint64_t *indexes, size_t count,
                                tut_time until, tut_records **ret_records, tut_error *err)
{
    return read(l, indexes, count, until, false, ret_records, err);
}

tut_status tut_ledger_read_events(tut_ledger *l, const uint64_t *indexes, size_t count,
                                  tut_time until, tut_records **ret_records, tut_error *err)
{
    return read(l, indexes, count, until, true, ret_records, err);
}

tut_status tut_ledger_read(tut_ledger *l, tut_time until, tut_records **ret_records, tut_error *err)
{
    tut_log *log;
    TUT_TRY(tut_ledger_log(l, &log, err));
    return read(l, NULL, log ? (size_t)tut_log_size(log) : 0, until, false, ret_records, err);
}
