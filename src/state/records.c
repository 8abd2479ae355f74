#include "state/records.h"

#include "state/index.h"

static tut_status find(tut_ledger *ledger, tut_time until, tut_places *chosen, char *note,
                       tut_error *err)
{
    tut_log *log;
    TUT_AUTO(tut_index) index = NULL;
    TUT_TRY(tut_ledger_log(ledger, &log, err));
    if (!log)
        return TUT_SUCCESS;
    TUT_TRY(tut_index_open(tut_ledger_state_dir(ledger), &index, err));
    TUT_TRY(tut_index_ready(index, log, note, err));
    return tut_index_relevant(index, until, chosen, err);
}

tut_status tut_state_read(tut_ledger *ledger, tut_time until, tut_records **ret_records,
                          tut_error *err)
{
    tut_places chosen = {0};
    char note[TUT_INDEX_WHY_MAX] = "";
    TUT_AUTO(tut_records) records = NULL;
    tut_status status = find(ledger, until, &chosen, note, err);
    if (tut_is_ok(status))
        status = tut_ledger_read_some(ledger, chosen.items, chosen.count, until, &records, err);
    tut_places_done(&chosen);
    TUT_TRY(status);
    tut_str_copy(records->note, sizeof(records->note), tut_str_of(note));
    *ret_records = tut_move(&records);
    return TUT_SUCCESS;
}
