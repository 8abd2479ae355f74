#include "state/records.h"

#include "ledger/ledger_given.h"
#include "state/relevant.h"

static tut_status open_ready(tut_ledger *ledger, tut_index **ret_index, char *note, tut_error *err)
{
    tut_log *log;
    TUT_AUTO(tut_index) index = NULL;
    TUT_TRY(tut_ledger_log(ledger, &log, err));
    if (log) {
        TUT_TRY(tut_index_open(tut_ledger_state_dir(ledger), &index, err));
        TUT_TRY(tut_index_ready(index, log, note, err));
    }
    *ret_index = tut_move(&index);
    return TUT_SUCCESS;
}

static tut_status find(tut_ledger *ledger, tut_time until, tut_places *chosen, char *note,
                       tut_error *err)
{
    TUT_AUTO(tut_index) index = NULL;
    tut_log *log = NULL;
    if (tut_ledger_is_given(ledger)) {
        TUT_TRY(tut_ledger_log(ledger, &log, err));
        return log ? tut_relevant_of_log(log, until, chosen, err) : TUT_SUCCESS;
    }
    TUT_TRY(open_ready(ledger, &index, note, err));
    return index ? tut_index_relevant(index, until, chosen, err) : TUT_SUCCESS;
}

typedef tut_status (*reading)(tut_ledger *l, const uint64_t *places, size_t count, tut_time until,
                              tut_records **ret_records, tut_error *err);

static tut_status read_relevant(tut_ledger *ledger, tut_time until, reading read,
                                tut_records **ret_records, tut_error *err)
{
    tut_places chosen = {0};
    char note[TUT_INDEX_WHY_MAX] = "";
    TUT_AUTO(tut_records) records = NULL;
    tut_status status = find(ledger, until, &chosen, note, err);
    if (tut_is_ok(status))
        status = read(ledger, chosen.items, chosen.count, until, &records, err);
    tut_places_done(&chosen);
    TUT_TRY(status);
    tut_str_copy(records->note, sizeof(records->note), tut_str_of(note));
    *ret_records = tut_move(&records);
    return TUT_SUCCESS;
}

tut_status tut_state_read(tut_ledger *ledger, tut_time until, tut_records **ret_records,
                          tut_error *err)
{
    return read_relevant(ledger, until, tut_ledger_read_some, ret_records, err);
}

tut_status tut_state_events(tut_ledger *ledger, tut_time until, tut_records **ret_records,
                            tut_error *err)
{
    return read_relevant(ledger, until, tut_ledger_read_events, ret_records, err);
}

/* --- some of them --- */

static tut_status find_ledgers_own(tut_ledger *ledger, tut_places *all, tut_error *err)
{
    TUT_AUTO(tut_index) index = NULL;
    TUT_TRY(open_ready(ledger, &index, NULL, err));
    return index ? tut_index_of_the_ledger(index, all, err) : TUT_SUCCESS;
}

tut_status tut_state_read_at(tut_ledger *ledger, const uint64_t *places, size_t count,
                             tut_records **ret_records, tut_error *err)
{
    tut_places all = {0};
    tut_status status = find_ledgers_own(ledger, &all, err);
    if (tut_is_ok(status))
        status = tut_places_join(&all, places, count, err);
    if (tut_is_ok(status))
        status = tut_ledger_read_some(ledger, all.items, all.count, INT64_MAX, ret_records, err);
    tut_places_done(&all);
    return status;
}

tut_status tut_state_people(tut_ledger *ledger, tut_records **ret_records, tut_error *err)
{
    return tut_state_read_at(ledger, NULL, 0, ret_records, err);
}

tut_status tut_state_search(tut_ledger *ledger, const tut_index_query *query,
                            tut_places *ret_places, char note[TUT_INDEX_WHY_MAX], tut_error *err)
{
    TUT_AUTO(tut_index) index = NULL;
    TUT_TRY(open_ready(ledger, &index, note, err));
    if (!index || !query) {
        *ret_places = (tut_places){0};
        return TUT_SUCCESS;
    }
    return tut_index_search(index, query, ret_places, err);
}

const tut_record *tut_records_at(const tut_records *records, uint64_t place)
{
    size_t low = 0;
    size_t high = records->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (records->items[middle].index < place)
            low = middle + 1;
        else
            high = middle;
    }
    return low < records->count && records->items[low].index == place ? &records->items[low] : NULL;
}
