#include "state/records.h"

#include "state/index.h"

typedef struct chosen {
    uint64_t *items;
    size_t count, capacity;
} chosen;

static tut_status choose(void *ctx, const tut_row *row, tut_error *err)
{
    chosen *c = ctx;
    if (!tut_is_ok(tut_grow(&c->items, c->count, &c->capacity, sizeof(*c->items))))
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    c->items[c->count++] = row->index;
    return TUT_SUCCESS;
}

static tut_status find(tut_ledger *ledger, tut_time until, chosen *c, char *note, tut_error *err)
{
    tut_log *log;
    TUT_AUTO(tut_index) index = NULL;
    TUT_TRY(tut_ledger_log(ledger, &log, err));
    if (!log)
        return TUT_SUCCESS;
    TUT_TRY(tut_index_open(tut_ledger_state_dir(ledger), &index, err));
    TUT_TRY(tut_index_ready(index, log, note, err));
    return tut_index_relevant(index, until, choose, c, err);
}

tut_status tut_state_read(tut_ledger *ledger, tut_time until, tut_records **ret_records,
                          tut_error *err)
{
    chosen c = {0};
    char note[TUT_INDEX_WHY_MAX] = "";
    TUT_AUTO(tut_records) records = NULL;
    tut_status status = find(ledger, until, &c, note, err);
    if (tut_is_ok(status))
        status = tut_ledger_read_some(ledger, c.items, c.count, until, &records, err);
    tut_free(c.items);
    TUT_TRY(status);
    tut_str_copy(records->note, sizeof(records->note), tut_str_of(note));
    *ret_records = tut_move(&records);
    return TUT_SUCCESS;
}
