/* A submission -> the bytes of an entry. Everything in a submission is the word of a peer; what is
 * composed here is read back before it counts, so that no log holds what its readers refuse. */
#include "base/json.h"
#include "ledger/entry.h"
#include "ledger/sequencer_internal.h"

static tut_status check_head(const tut_entry_head *head, tut_error *err)
{
    tut_error why = {0};
    if (!tut_is_ok(tut_entry_check(head, &why)))
        return tut_fail(err, TUT_MALFORMED, "%s", why.text);
    if (head->seq > TUT_SEQ_SEQ_MAX)
        return tut_fail(err, TUT_MALFORMED, "the sequence number is above 2^53 - 1");
    return TUT_SUCCESS;
}

static tut_status check_size(size_t len, tut_error *err)
{
    if (len <= TUT_LOG_ENTRY_MAX)
        return TUT_SUCCESS;
    return tut_fail(err, TUT_LIMIT,
                    "the entry would have %zu bytes (at most %u); keep its content as a body and "
                    "name the digest",
                    len, (unsigned)TUT_LOG_ENTRY_MAX);
}

/* It is put into the entry as it is, so nothing may stand around it: no space, no byte order mark.
 * What is in it shows when the entry is read back. */
static tut_status check_payload(tut_span payload, tut_error *err)
{
    TUT_TRY(check_size(payload.len, err));
    if (payload.len >= 2 && payload.data[0] == '{' && payload.data[payload.len - 1] == '}')
        return TUT_SUCCESS;
    return tut_fail(err, TUT_MALFORMED, "the payload is not exactly one JSON object");
}

static tut_status parse_whole(tut_span bytes, size_t payload_len, tut_error *err)
{
    tut_arena arena;
    tut_entry entry = {0};
    tut_arena_init(&arena, 0);
    tut_status status = tut_entry_parse(bytes, &arena, &entry, err);
    if (tut_is_ok(status) && entry.payload.len != payload_len)
        status = tut_fail(err, TUT_MALFORMED, "it is more than one JSON object");
    if (tut_is_ok(status))
        tut_entry_done(&entry);
    tut_arena_done(&arena);
    return status;
}

/* The guard's events come by the ten thousand a second and are no Statements of ours: for those it
 * is enough that the entry is JSON with its six keys, each once, for all around the payload was put
 * there by us. */
static tut_status read_back(tut_span bytes, const tut_seq_item *item, tut_error *err)
{
    static const tut_json_options options = {.max_depth = TUT_ENTRY_DEPTH};
    enum { KEYS = 6 };
    TUT_AUTO(tut_json_doc) doc = NULL;
    if (item->is_dsse)
        return parse_whole(bytes, item->payload.len, err);
    TUT_TRY(tut_json_parse(bytes, &options, &doc, err));
    if (tut_json_count(tut_json_root(doc)) != KEYS)
        return tut_fail(err, TUT_MALFORMED, "it is more than one JSON object");
    const tut_json_value *event = tut_json_get(tut_json_root(doc), "event");
    if (tut_json_get(event, "predicateType"))
        return parse_whole(bytes, item->payload.len, err);
    return TUT_SUCCESS;
}

tut_status tut_seq_entry_add(const tut_seq_item *item, const tut_seq_peer_id *peer, tut_time at,
                             tut_buf *out, tut_error *err)
{
    size_t before = out->len;
    tut_entry_head head = {.at = at,
                           .kind = item->kind,
                           .producer = item->producer,
                           .seq = item->seq,
                           .uid = peer->uid,
                           .gid = peer->gid,
                           .pid = peer->pid,
                           .is_dsse = item->is_dsse};
    TUT_TRY(check_head(&head, err));
    TUT_TRY(check_payload(item->payload, err));
    tut_entry_compose(&head, tut_str_from(item->payload), out);
    TUT_TRY(tut_buf_check(out, err));
    tut_error why = {0};
    tut_status status = check_size(out->len - before, err);
    if (!tut_is_ok(status)) {
        out->len = before;
        return status;
    }
    status = read_back(tut_span_of(out->data + before, out->len - before), item, &why);
    if (!tut_is_ok(status)) {
        out->len = before;
        return tut_fail(err, status.code, "the payload: %s", why.text);
    }
    return status;
}
