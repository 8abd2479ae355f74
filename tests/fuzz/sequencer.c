/* What a client may send: messages one after the other, into the batch. What gets in must be an
 * entry that the readers of the log take, and a refused message must leave nothing. */
#include "ledger/sequencer_server.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MOST = 1 << 20 };

static void check_entries(const tut_seq_batch *batch)
{
    for (size_t log = 0; log < TUT_LOG_COUNT; log++) {
        for (size_t i = 0; i < batch->counts[log]; i++) {
            const tut_seq_place *place = &batch->places[log][i];
            tut_arena arena;
            tut_entry entry;
            if (place->len > TUT_LOG_ENTRY_MAX || place->at + place->len > batch->bytes.len)
                __builtin_trap();
            tut_arena_init(&arena, 0);
            if (!tut_is_ok(tut_entry_parse(tut_span_of(batch->bytes.data + place->at, place->len),
                                           &arena, &entry, NULL)))
                __builtin_trap();
            tut_entry_done(&entry);
            tut_arena_done(&arena);
        }
    }
}

static void take(tut_seq_batch *batch, tut_seq_peer *peer, tut_seq_frame *frame,
                 const tut_seq_access *access)
{
    tut_error err = {0};
    size_t bytes = batch->bytes.len;
    size_t answers = batch->answer_count;
    if (frame->type != TUT_SEQ_APPEND)
        return;
    if (!tut_is_ok(tut_seq_batch_add(batch, peer, &frame->body, access, &err))) {
        if (batch->bytes.len != bytes || batch->answer_count != answers || err.text[0] == '\0')
            __builtin_trap();
        return;
    }
    if (batch->answer_count != answers + 1)
        __builtin_trap();
    if (batch->answers[answers].code != TUT_OK && batch->bytes.len != bytes)
        __builtin_trap();
}

/* The same bytes as a client's reader sees them. */
static void take_as_client(tut_seq_frame frame)
{
    tut_error error;
    if (tut_is_ok(tut_seq_get_error(&frame.body, &error)) &&
        (error.code == TUT_OK || error.code >= TUT_CODE_COUNT))
        __builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const tut_seq_peer_id id = {.uid = 1, .gid = 2, .pid = 3};
    tut_seq_access access = {0};
    tut_seq_batch batch = {0};
    tut_seq_peer peer = {.fd = -1, .id = id};
    if (!tut_is_ok(tut_seq_access_parse(TUT_LIT("1 *"), &access, NULL)))
        return 0;
    for (size_t at = 0; at < size && !tut_seq_batch_is_full(&batch);) {
        tut_seq_frame frame;
        if (tut_seq_frame_next(tut_span_of(data + at, size - at), MOST, &frame) != TUT_SEQ_WHOLE)
            break;
        if (frame.used == 0 || frame.used > size - at)
            __builtin_trap();
        take_as_client(frame);
        take(&batch, &peer, &frame, &access);
        at += frame.used;
    }
    check_entries(&batch);
    tut_seq_batch_done(&batch);
    tut_seq_access_done(&access);
    return 0;
}
