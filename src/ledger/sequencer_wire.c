/*
 * The messages between clients and the sequencer as bytes, little-endian (docs/ledger.md):
 *
 *   frame    = length:u32 type:u8 body        length counts type and body
 *   APPEND   = log:u8 count:u32 item*         item = form:u8 seq:u64 kind producer payload
 *   text and payloads are sized: u32 length, then the bytes
 */
#include <string.h>

#include "ledger/sequencer_internal.h"

const char *const tut_log_names[TUT_LOG_COUNT] = {"evidence", "traffic"};

enum { LENGTH_BYTES = 4, FORM_EVENT = 0, FORM_DSSE = 1 };

tut_seq_outcome tut_seq_frame_next(tut_span bytes, size_t most, tut_seq_frame *ret_frame)
{
    tut_reader r = tut_reader_of(bytes);
    tut_seq_frame frame = {0};
    uint32_t length;
    if (!tut_is_ok(tut_reader_u32le(&r, &length))) {
        *ret_frame = frame;
        return TUT_SEQ_MORE;
    }
    if (length < 1 || length - 1 > most)
        return TUT_SEQ_BAD;
    frame.used = LENGTH_BYTES + (size_t)length;
    if (!tut_is_ok(tut_reader_take(&r, length, &frame.body)) ||
        !tut_is_ok(tut_reader_u8(&frame.body, &frame.type))) {
        *ret_frame = frame;
        return TUT_SEQ_MORE;
    }
    *ret_frame = frame;
    return TUT_SEQ_WHOLE;
}

/* --- writing --- */

size_t tut_seq_open(tut_buf *out, tut_seq_type type)
{
    size_t start = out->len;
    tut_buf_add_u32le(out, 0);
    tut_buf_add_byte(out, (uint8_t)type);
    return start;
}

void tut_seq_close(tut_buf *out, size_t start)
{
    if (out->failed != TUT_OK)
        return;
    uint32_t length = (uint32_t)(out->len - start - LENGTH_BYTES);
    for (unsigned i = 0; i < LENGTH_BYTES; i++)
        out->data[start + i] = (uint8_t)(length >> (8 * i));
}

void tut_seq_put_append(tut_buf *out, tut_log_name log, size_t count)
{
    tut_buf_add_byte(out, (uint8_t)log);
    tut_buf_add_u32le(out, (uint32_t)count);
}

void tut_seq_put_item(tut_buf *out, const tut_seq_item *item)
{
    tut_buf_add_byte(out, item->is_dsse ? FORM_DSSE : FORM_EVENT);
    tut_buf_add_u64le(out, item->seq);
    tut_buf_add_sized(out, item->kind);
    tut_buf_add_sized(out, item->producer);
    tut_buf_add_sized(out, tut_str_from(item->payload));
}

void tut_seq_put_error(tut_buf *out, tut_seq_type type, tut_code code, const char *text)
{
    size_t start = tut_seq_open(out, type);
    tut_buf_add_sized(out, tut_str_of(tut_code_name(code)));
    tut_buf_add_sized(out, tut_str_of(text));
    tut_seq_close(out, start);
}

/* --- reading --- */

static tut_status cut_off(tut_error *err, const char *what)
{
    return tut_fail(err, TUT_MALFORMED, "the message ends within its %s", what);
}

tut_status tut_seq_get_log(tut_reader *body, tut_log_name *ret_log, tut_error *err)
{
    uint8_t log;
    if (!tut_is_ok(tut_reader_u8(body, &log)))
        return cut_off(err, "log");
    if (log >= TUT_LOG_COUNT)
        return tut_fail(err, TUT_MALFORMED, "there is no log %u", log);
    *ret_log = (tut_log_name)log;
    return TUT_SUCCESS;
}

tut_status tut_seq_get_append(tut_reader *body, tut_log_name *ret_log, size_t *ret_count,
                              tut_error *err)
{
    tut_log_name log = TUT_LOG_EVIDENCE;
    uint32_t count;
    TUT_TRY(tut_seq_get_log(body, &log, err));
    if (!tut_is_ok(tut_reader_u32le(body, &count)))
        return cut_off(err, "count");
    if (count < 1 || count > TUT_LIMIT_SEQUENCER_ITEMS)
        return tut_fail(err, TUT_MALFORMED, "%u entries in one message (1 to %u)", count,
                        TUT_LIMIT_SEQUENCER_ITEMS);
    *ret_log = log;
    *ret_count = count;
    return TUT_SUCCESS;
}

tut_status tut_seq_get_item(tut_reader *body, tut_seq_item *ret_item, tut_error *err)
{
    uint8_t form;
    tut_seq_item item = {0};
    tut_str payload;
    if (!tut_is_ok(tut_reader_u8(body, &form)) || !tut_is_ok(tut_reader_u64le(body, &item.seq)) ||
        !tut_is_ok(tut_reader_sized(body, &item.kind)) ||
        !tut_is_ok(tut_reader_sized(body, &item.producer)) ||
        !tut_is_ok(tut_reader_sized(body, &payload)))
        return cut_off(err, "entries");
    if (form != FORM_EVENT && form != FORM_DSSE)
        return tut_fail(err, TUT_MALFORMED, "there is no form %u of an entry", form);
    item.is_dsse = form == FORM_DSSE;
    item.payload = tut_span_of(payload.data, payload.len);
    *ret_item = item;
    return TUT_SUCCESS;
}

tut_status tut_seq_get_end(const tut_reader *body, tut_error *err)
{
    return tut_reader_left(body) == 0
               ? TUT_SUCCESS
               : tut_fail(err, TUT_MALFORMED, "%zu bytes follow the end of the message",
                          tut_reader_left(body));
}

static bool find_code(tut_str name, tut_code *ret_code)
{
    for (int code = TUT_OK + 1; code < TUT_CODE_COUNT; code++) {
        if (tut_str_eq_z(name, tut_code_name((tut_code)code))) {
            *ret_code = (tut_code)code;
            return true;
        }
    }
    return false;
}

tut_status tut_seq_get_error(tut_reader *body, tut_error *ret_error)
{
    tut_str name, text;
    tut_error error = {0};
    TUT_TRY(tut_reader_sized(body, &name));
    TUT_TRY(tut_reader_sized(body, &text));
    if (!find_code(name, &error.code) || tut_reader_left(body) > 0)
        return tut_fail(NULL, TUT_MALFORMED, "no error");
    tut_str_copy(error.text, sizeof(error.text), text);
    *ret_error = error;
    return TUT_SUCCESS;
}
