/* One exchange by its number, from the end of the log backwards. */
#include "base/cage.h"
#include "guard/exchange.h"
#include "guard/traffic.h"
#include "ledger/entry.h"

typedef struct finding {
    tut_str id;
    uint64_t index;
    char found[TUT_EXCHANGE_ID]; /* "": none yet */
    bool is_ambiguous;
} finding;

/* Parsed only where the digits stand somewhere in it. */
static tut_status look(void *ctx, uint64_t index, tut_span bytes, tut_error *err)
{
    finding *f = ctx;
    tut_arena arena;
    tut_entry e = {0};
    size_t at;
    if (!tut_str_find(tut_str_from(bytes), f->id, &at))
        return TUT_SUCCESS;
    tut_arena_init(&arena, 0);
    tut_status status = tut_entry_parse(bytes, &arena, &e, err);
    if (tut_is_ok(status) && tut_str_eq_z(e.head.kind, TUT_EXCHANGE_KIND)) {
        const tut_json_value *event = tut_json_get(tut_json_root(e.outer), "event");
        tut_str id = tut_json_get_text(event, "id");
        if (tut_str_starts(id, f->id)) {
            f->is_ambiguous = f->is_ambiguous || (f->found[0] && !tut_str_eq_z(id, f->found));
            tut_str_copy(f->found, sizeof(f->found), id);
            f->index = index;
        }
    }
    tut_entry_done(&e);
    tut_arena_done(&arena);
    return status;
}

tut_status tut_traffic_find(tut_log *log, tut_str id, uint64_t *ret_index, tut_error *err)
{
    finding f = {.id = id};
    uint64_t least = tut_log_pruned(log), end = tut_log_size(log);
    if (id.len < TUT_TRAFFIC_DIGITS || id.len >= TUT_EXCHANGE_ID)
        return tut_fail(
            err, TUT_USAGE,
            "an exchange is named by its X-Tutela-Id, or by its first 8 digits or more");
    while (end > least && !f.found[0]) {
        uint64_t begin = (end - 1) / TUT_LOG_TILE_WIDTH * TUT_LOG_TILE_WIDTH;
        begin = begin < least ? least : begin;
        TUT_TRY(tut_log_each(log, begin, end, look, &f, err));
        end = begin;
        if (tut_interrupted())
            return tut_fail(err, TUT_CANCELLED, "interrupted");
    }
    if (!f.found[0])
        return tut_fail(err, TUT_USAGE, "the traffic log has no exchange %.*s", (int)id.len,
                        id.data);
    if (f.is_ambiguous)
        return tut_fail(err, TUT_USAGE, "several exchanges begin with %.*s; give more digits",
                        (int)id.len, id.data);
    *ret_index = f.index;
    return TUT_SUCCESS;
}
