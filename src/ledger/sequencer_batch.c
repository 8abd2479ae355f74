/*
 * The batch: entries that share one wait for the disk, and the answers that follow from it, in the
 * order in which the peers asked.
 */
#include "ledger/rotation.h"
#include "ledger/sequencer_server.h"

void tut_seq_batch_done(tut_seq_batch *batch)
{
    for (size_t i = 0; i < batch->answer_count; i++)
        tut_free(batch->answers[i].text);
    tut_buf_done(&batch->bytes);
    for (size_t log = 0; log < TUT_LOG_COUNT; log++)
        tut_free(batch->places[log]);
    tut_free(batch->answers);
    tut_free(batch->spans);
    *batch = (tut_seq_batch){0};
}

bool tut_seq_batch_is_empty(const tut_seq_batch *batch)
{
    return batch->answer_count == 0;
}

bool tut_seq_batch_is_full(const tut_seq_batch *batch)
{
    return batch->bytes.len >= TUT_LIMIT_SEQUENCER_BATCH_BYTES ||
           batch->answer_count >= TUT_LIMIT_SEQUENCER_BATCH_ITEMS ||
           batch->counts[TUT_LOG_EVIDENCE] + batch->counts[TUT_LOG_TRAFFIC] >=
               TUT_LIMIT_SEQUENCER_BATCH_ITEMS;
}

void tut_seq_batch_forget(tut_seq_batch *batch, const tut_seq_peer *peer)
{
    for (size_t i = 0; i < batch->answer_count; i++)
        if (batch->answers[i].peer == peer)
            batch->answers[i].peer = NULL;
}

/* --- taking in --- */

static tut_status check_access(const tut_seq_access *access, const tut_seq_peer *peer, tut_str kind,
                               tut_error *err)
{
    if (tut_str_eq(kind, TUT_LIT(TUT_SEQ_OWN_KIND)))
        return tut_fail(err, TUT_DENIED, "\"%s\" is what the sequencer alone writes",
                        TUT_SEQ_OWN_KIND);
    if (tut_str_eq(kind, TUT_LIT(TUT_ROTATED_KIND)) != access->is_rotating)
        return tut_fail(err, TUT_DENIED,
                        access->is_rotating
                            ? "the log key is being changed; try again in a moment"
                            : "the log key is changed by tutela people rotate log alone");
    if (tut_seq_access_allows(access, peer->id.uid, kind))
        return TUT_SUCCESS;
    return tut_fail(err, TUT_DENIED,
                    "uid %lu may not append \"%.*s\" here; the access table beside the log key "
                    "says who may",
                    (unsigned long)peer->id.uid, (int)kind.len, kind.data);
}

static tut_status add_item(tut_seq_batch *batch, const tut_seq_peer *peer, tut_log_name log,
                           const tut_seq_item *item, tut_time at, tut_error *err)
{
    tut_seq_place place = {.at = batch->bytes.len};
    TUT_TRY(tut_seq_entry_add(item, &peer->id, at, &batch->bytes, err));
    place.len = batch->bytes.len - place.at;
    if (!tut_is_ok(tut_grow(&batch->places[log], batch->counts[log], &batch->capacities[log],
                            sizeof(*batch->places[log]))))
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    batch->places[log][batch->counts[log]++] = place;
    return TUT_SUCCESS;
}

/* *ret_refused: the message is well formed, but its entries may not be written. */
static tut_status add_items(tut_seq_batch *batch, const tut_seq_peer *peer, tut_log_name log,
                            size_t count, tut_reader *body, const tut_seq_access *access,
                            tut_error *ret_refused, tut_error *err)
{
    tut_time at = tut_time_now();
    for (size_t i = 0; i < count; i++) {
        tut_seq_item item;
        TUT_TRY(tut_seq_get_item(body, &item, err));
        if (ret_refused->code != TUT_OK)
            continue; /* the rest of the message must hold all the same */
        tut_status status = check_access(access, peer, item.kind, ret_refused);
        if (tut_is_ok(status))
            status = add_item(batch, peer, log, &item, at, ret_refused);
        ret_refused->code = status.code;
    }
    return tut_seq_get_end(body, err);
}

static tut_status add_answer(tut_seq_batch *batch, tut_seq_answer answer, const char *text,
                             tut_error *err)
{
    if (!tut_is_ok(tut_grow(&batch->answers, batch->answer_count, &batch->answer_capacity,
                            sizeof(*batch->answers))))
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    if (answer.code != TUT_OK)
        answer.text = tut_strdup(text);
    batch->answers[batch->answer_count++] = answer;
    answer.peer->pending++;
    return TUT_SUCCESS;
}

tut_status tut_seq_batch_add(tut_seq_batch *batch, tut_seq_peer *peer, tut_reader *body,
                             const tut_seq_access *access, tut_error *err)
{
    tut_log_name log = TUT_LOG_EVIDENCE;
    size_t count;
    tut_error refused = {0};
    TUT_TRY(tut_seq_get_append(body, &log, &count, err));
    size_t first = batch->counts[log];
    size_t bytes = batch->bytes.len;
    tut_status status = add_items(batch, peer, log, count, body, access, &refused, err);
    bool is_kept = tut_is_ok(status) && refused.code == TUT_OK;
    if (tut_is_ok(status))
        status = add_answer(batch,
                            (tut_seq_answer){.peer = peer,
                                             .log = log,
                                             .first = first,
                                             .count = is_kept ? count : 0,
                                             .code = refused.code},
                            refused.text, err);
    if (!is_kept || !tut_is_ok(status)) { /* all of a message or none */
        batch->counts[log] = first;
        batch->bytes.len = bytes;
        batch->bytes.failed = TUT_OK;
    }
    return status;
}

/* --- writing --- */

static tut_status gather(tut_seq_batch *batch, tut_log_name log, tut_error *err)
{
    size_t count = batch->counts[log];
    if (count > batch->span_capacity) {
        tut_span *spans = tut_realloc_array(batch->spans, count, sizeof(*spans));
        if (!spans)
            return tut_fail(err, TUT_NOMEM, "memory ran out");
        batch->spans = spans;
        batch->span_capacity = count;
    }
    for (size_t i = 0; i < count; i++)
        batch->spans[i] = tut_span_of(batch->bytes.data + batch->places[log][i].at,
                                      batch->places[log][i].len);
    return TUT_SUCCESS;
}

static tut_status write_log(tut_seq_batch *batch, tut_seq_logs *logs, tut_log_name log,
                            uint64_t *ret_first, tut_error *err)
{
    if (batch->counts[log] == 0)
        return TUT_SUCCESS;
    TUT_TRY(gather(batch, log, err));
    return tut_seq_logs_append(logs, log, batch->spans, batch->counts[log], ret_first, err);
}

static void put_answer(const tut_seq_answer *a, uint64_t first, const tut_error *failed)
{
    tut_buf *out = &a->peer->out;
    if (a->code != TUT_OK) {
        tut_seq_put_error(out, TUT_SEQ_REFUSED, a->code, a->text ? a->text : "memory ran out");
        return;
    }
    if (failed->code != TUT_OK) {
        tut_seq_put_error(out, TUT_SEQ_REFUSED, failed->code, failed->text);
        return;
    }
    size_t start = tut_seq_open(out, TUT_SEQ_APPENDED);
    tut_buf_add_u32le(out, (uint32_t)a->count);
    for (size_t i = 0; i < a->count; i++)
        tut_buf_add_u64le(out, first + a->first + i);
    tut_seq_close(out, start);
}

void tut_seq_batch_commit(tut_seq_batch *batch, tut_seq_logs *logs)
{
    uint64_t first[TUT_LOG_COUNT] = {0};
    tut_error failed[TUT_LOG_COUNT] = {{0}};
    for (size_t log = 0; log < TUT_LOG_COUNT; log++)
        failed[log].code =
            write_log(batch, logs, (tut_log_name)log, &first[log], &failed[log]).code;
    for (size_t i = 0; i < batch->answer_count; i++) {
        tut_seq_answer *a = &batch->answers[i];
        if (a->peer) {
            a->peer->pending--;
            put_answer(a, first[a->log], &failed[a->log]);
        }
        tut_free(a->text);
    }
    batch->answer_count = 0;
    batch->since_ms = 0;
    for (size_t log = 0; log < TUT_LOG_COUNT; log++)
        batch->counts[log] = 0;
    if (batch->bytes.cap > 2 * (size_t)TUT_LIMIT_SEQUENCER_BATCH_BYTES)
        tut_buf_done(&batch->bytes);
    tut_buf_clear(&batch->bytes);
}
