/* An entry's bytes -> what it says, and back. */
#include "ledger/entry.h"

#include "base/json_write.h"
#include "ledger/log.h"
#include "ledger/record_internal.h"

static bool is_kind_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
}

static bool is_producer_char(char c)
{
    return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

static bool is_all(tut_str s, size_t most, bool (*is_char)(char))
{
    if (s.len == 0 || s.len > most)
        return false;
    for (size_t i = 0; i < s.len; i++)
        if (!is_char(s.data[i]))
            return false;
    return true;
}

tut_status tut_entry_check(const tut_entry_head *head, tut_error *err)
{
    if (!is_all(head->kind, TUT_ENTRY_KIND_MAX, is_kind_char))
        return tut_fail(err, TUT_USAGE,
                        "the kind of a record is 1 to %d of a-z, 0-9, dot, dash and underscore",
                        TUT_ENTRY_KIND_MAX);
    if (!is_all(head->producer, TUT_ENTRY_PRODUCER_MAX, is_producer_char))
        return tut_fail(err, TUT_USAGE,
                        "the producer of a record is 1 to %d printable ASCII characters",
                        TUT_ENTRY_PRODUCER_MAX);
    if (head->seq > INT64_MAX)
        return tut_fail(err, TUT_USAGE, "the sequence number of a record is out of range");
    return TUT_SUCCESS;
}

/* Written straight, for the sequencer does it tens of thousands of times a second; the characters
 * of kind and producer need no escapes. */
static void add_before(const tut_entry_head *head, tut_buf *out)
{
    char at[TUT_TIME_TEXT];
    tut_time_rfc3339(head->at, at);
    tut_buf_add_z(out, "{\"at\":\"");
    tut_buf_add_z(out, at);
    tut_buf_add_z(out, head->is_dsse ? "\",\"dsse\":" : "\",\"event\":");
}

static void add_after(const tut_entry_head *head, tut_buf *out)
{
    tut_buf_add_z(out, ",\"kind\":\"");
    tut_buf_add_str(out, head->kind);
    tut_buf_add_z(out, "\",\"peer\":{\"gid\":");
    tut_json_add_int(out, head->gid);
    tut_buf_add_z(out, ",\"pid\":");
    tut_json_add_int(out, head->pid);
    tut_buf_add_z(out, ",\"uid\":");
    tut_json_add_int(out, head->uid);
    tut_buf_add_z(out, "},\"producer\":\"");
    tut_buf_add_str(out, head->producer);
    tut_buf_add_z(out, "\",\"seq\":");
    tut_json_add_int(out, (int64_t)head->seq); /* tut_entry_check: it fits */
    tut_buf_add_z(out, "}");
}

void tut_entry_compose(const tut_entry_head *head, tut_str payload, tut_buf *out)
{
    add_before(head, out);
    tut_buf_add_str(out, payload);
    add_after(head, out);
}

static tut_status bad(tut_error *err, const char *what)
{
    return tut_fail(err, TUT_MALFORMED, "%s of the entry is missing or wrong", what);
}

static tut_status read_number(const tut_json_value *object, const char *key, int64_t *ret,
                              tut_error *err)
{
    const tut_json_value *v = tut_json_get(object, key);
    if (!v || v->type != TUT_JSON_INT || v->as.integer < 0)
        return bad(err, key);
    *ret = v->as.integer;
    return TUT_SUCCESS;
}

static tut_status read_head(const tut_json_value *root, tut_entry_head *head, tut_error *err)
{
    const tut_json_value *at = tut_json_get(root, "at");
    const tut_json_value *peer = tut_json_get(root, "peer");
    int64_t seq;
    if (!at || at->type != TUT_JSON_STRING ||
        !tut_is_ok(tut_time_parse(tut_json_text(at), &head->at)))
        return bad(err, "at");
    head->kind = tut_json_get_text(root, "kind");
    head->producer = tut_json_get_text(root, "producer");
    TUT_TRY(read_number(root, "seq", &seq, err));
    TUT_TRY(read_number(peer, "uid", &head->uid, err));
    TUT_TRY(read_number(peer, "gid", &head->gid, err));
    TUT_TRY(read_number(peer, "pid", &head->pid, err));
    head->seq = (uint64_t)seq;
    head->is_dsse = tut_json_get(root, "dsse") != NULL;
    if (!tut_is_ok(tut_entry_check(head, NULL)))
        return bad(err, "kind or producer");
    return TUT_SUCCESS;
}

/* The payload is what lies between the parts that the fields determine; so nothing can hide in
 * another spelling, an unknown key or white space. */
static tut_status cut_payload(tut_str bytes, tut_entry *e, tut_error *err)
{
    TUT_CLEAN(tut_buf) before = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) after = TUT_BUF_INIT;
    add_before(&e->head, &before);
    add_after(&e->head, &after);
    TUT_TRY(tut_buf_check(&before, err));
    TUT_TRY(tut_buf_check(&after, err));
    if (bytes.len < before.len + after.len || !tut_str_starts(bytes, tut_buf_str(&before)) ||
        !tut_str_ends(bytes, tut_buf_str(&after)))
        return tut_fail(err, TUT_MALFORMED, "the entry is not in its canonical form");
    e->payload = (tut_str){bytes.data + before.len, bytes.len - before.len - after.len};
    if (e->payload.len < 2 || e->payload.data[0] != '{' ||
        e->payload.data[e->payload.len - 1] != '}')
        return tut_fail(err, TUT_MALFORMED, "the entry is not in its canonical form");
    return TUT_SUCCESS;
}

static bool is_statement(const tut_json_value *v)
{
    tut_str type = tut_json_get_text(v, "predicateType");
    return tut_str_eq_z(type, TUT_RECORD_EVIDENCE_TYPE) ||
           tut_str_eq_z(type, TUT_RECORD_EVENT_TYPE);
}

static tut_status read_statement(const tut_json_value *v, tut_arena *arena, tut_entry *e,
                                 tut_error *err)
{
    e->predicate = tut_json_get(v, "predicate");
    if (!is_statement(v))
        return TUT_SUCCESS;
    TUT_TRY(tut_record_read(v, arena, &e->record, err));
    const char *slash = strchr(e->record.check, '/');
    tut_str kind = {e->record.check,
                    slash ? (size_t)(slash - e->record.check) : strlen(e->record.check)};
    if (!tut_str_eq(kind, e->head.kind))
        return tut_fail(err, TUT_MALFORMED, "the entry's kind is not that of its statement");
    e->has_record = true;
    return TUT_SUCCESS;
}

static tut_status read_payload(tut_arena *arena, tut_entry *e, tut_error *err)
{
    static const tut_json_options options = {.max_depth = TUT_ENTRY_DEPTH};
    const tut_json_value *root = tut_json_root(e->outer);
    if (!e->head.is_dsse) {
        e->statement = e->payload;
        return read_statement(tut_json_get(root, "event"), arena, e, err);
    }
    TUT_TRY(tut_dsse_read(tut_json_get(root, "dsse"), &e->envelope, err));
    e->statement = tut_buf_str(&e->envelope.payload);
    TUT_TRY(tut_json_parse(tut_buf_span(&e->envelope.payload), &options, &e->inner, err));
    return read_statement(tut_json_root(e->inner), arena, e, err);
}

static tut_status parse(tut_span bytes, tut_arena *arena, tut_entry *e, tut_error *err)
{
    static const tut_json_options options = {.max_depth = TUT_ENTRY_DEPTH};
    if (bytes.len > TUT_LOG_ENTRY_MAX)
        return tut_fail(err, TUT_LIMIT, "the entry is longer than %d bytes", TUT_LOG_ENTRY_MAX);
    TUT_TRY(tut_json_parse(bytes, &options, &e->outer, err));
    const tut_json_value *root = tut_json_root(e->outer);
    if (tut_json_count(root) != 6)
        return bad(err, "a key");
    TUT_TRY(read_head(root, &e->head, err));
    TUT_TRY(cut_payload(tut_str_from(bytes), e, err));
    return read_payload(arena, e, err);
}

tut_status tut_entry_parse(tut_span bytes, tut_arena *arena, tut_entry *ret, tut_error *err)
{
    tut_entry e = {0};
    tut_status status = parse(bytes, arena, &e, err);
    if (!tut_is_ok(status)) {
        tut_entry_done(&e);
        return status;
    }
    *ret = e;
    return TUT_SUCCESS;
}

void tut_entry_done(tut_entry *e)
{
    if (e->head.is_dsse)
        tut_dsse_done(&e->envelope);
    tut_json_doc_free(e->outer);
    tut_json_doc_free(e->inner);
    *e = (tut_entry){0};
}
