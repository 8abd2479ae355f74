/* tutela.hold/1: a hold as a document, written and read. */
#include "guard/hold_internal.h"

static void put_time_ms(tut_json *j, const char *key, const char *key_ms, int64_t ms)
{
    tut_json_put_time(j, key, ms / 1000);
    tut_json_put_int(j, key_ms, ms);
}

static void put_hex(tut_json *j, const char *key, const uint8_t *bytes, size_t len)
{
    TUT_CLEAN(tut_buf) hex = TUT_BUF_INIT;
    tut_buf_add_hex(&hex, bytes, len);
    tut_json_put_str(j, key, tut_buf_str(&hex));
}

static void put_reasons(const tut_hold *h, tut_json *j)
{
    tut_json_key(j, "reasons");
    tut_json_array(j);
    for (size_t i = 0; i < h->reason_count; i++) {
        tut_json_object(j);
        tut_json_put_str(j, "check", h->reasons[i].check);
        tut_json_put_str(j, "where", h->reasons[i].where);
        tut_json_put_str(j, "detail", h->reasons[i].detail);
        tut_json_end_object(j);
    }
    tut_json_end_array(j);
}

static void put_sources(const tut_hold *h, tut_json *j)
{
    tut_json_key(j, "sources");
    tut_json_array(j);
    for (size_t i = 0; i < h->source_count; i++) {
        tut_json_object(j);
        tut_json_put_str(j, "role", h->sources[i].role);
        tut_json_put_str(j, "where", h->sources[i].where);
        tut_json_put_str(j, "text", h->sources[i].text);
        tut_json_put_bool(j, "cut", h->sources[i].is_cut);
        tut_json_end_object(j);
    }
    tut_json_end_array(j);
}

void tut_hold_members(const tut_hold *h, tut_json *j)
{
    tut_json_put_z(j, "kind", tut_hold_kind_name(h->kind));
    put_time_ms(j, "at", "at_ms", h->at_ms);
    put_time_ms(j, "expires", "expires_ms", h->expires_ms);
    tut_json_key(j, "digest");
    tut_json_sha256(j, h->digest.bytes);
    tut_json_key(j, "policy");
    tut_json_sha256(j, h->policy.bytes);
    put_hex(j, "nonce", h->nonce, sizeof(h->nonce));
    tut_json_put_u64(j, "people", h->people);
    tut_json_put_str(j, "route", h->route);
    tut_json_put_or_null(j, "client", h->client);
    tut_json_put_or_null(j, "person", h->person);
    tut_json_put_or_null(j, "model", h->model);
    tut_json_put_or_null(j, "tool", h->tool);
    tut_json_put_or_null(j, "tool_class", h->tool_class);
    tut_json_put_str(j, "what", h->what);
    tut_json_put_u64(j, "what_bytes", h->what_bytes);
    tut_json_put_bool(j, "cut", h->is_cut);
    put_reasons(h, j);
    put_sources(h, j);
}

tut_status tut_hold_json(const tut_hold *h, tut_buf *out, tut_error *err)
{
    TUT_AUTO(tut_json) j = NULL;
    TUT_TRY(tut_json_new(out, &j));
    tut_json_object(j);
    tut_json_put_z(j, "schema", TUT_HOLD_SCHEMA);
    tut_json_put_z(j, "id", h->id);
    tut_hold_members(h, j);
    tut_json_end_object(j);
    return tut_json_finish(j, err);
}

/* --- reading --- */

static tut_status bad(const char *key, tut_error *err)
{
    return tut_fail(err, TUT_MALFORMED, "a hold's \"%s\" is missing or not what it should be", key);
}

static bool hex_of(tut_str text, uint8_t *to, size_t len)
{
    if (text.len != 2 * len)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        const char *digits = "0123456789abcdef";
        const char *d = text.data[i] ? strchr(digits, text.data[i]) : NULL;
        if (!d)
            return false;
        to[i / 2] = (uint8_t)(to[i / 2] << 4 | (d - digits));
    }
    return true;
}

bool tut_hold_nonce_of(tut_str text, uint8_t ret_nonce[TUT_HOLD_NONCE])
{
    return hex_of(text, ret_nonce, TUT_HOLD_NONCE);
}

static tut_status take(tut_hold *h, const tut_json_value *v, const char *key, size_t most,
                       tut_str *ret_text, tut_error *err)
{
    const tut_json_value *member = tut_json_get(v, key);
    if (member && member->type != TUT_JSON_STRING && member->type != TUT_JSON_NULL)
        return bad(key, err);
    tut_str text = member && member->type == TUT_JSON_STRING ? member->as.string : TUT_LIT("");
    if (text.len > most)
        return bad(key, err);
    char *copy = tut_arena_copy(&h->arena, text);
    if (!copy)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    *ret_text = (tut_str){copy, text.len};
    return TUT_SUCCESS;
}

enum { NAME_MOST = 1024 };

static tut_status take_list(tut_hold *h, const tut_json_value *v, const char *key, size_t most,
                            size_t size, void **ret_items, const tut_json_value **ret_list,
                            tut_error *err)
{
    const tut_json_value *list = tut_json_get(v, key);
    if (!list || list->type != TUT_JSON_ARRAY || list->count > most)
        return bad(key, err);
    *ret_items = tut_arena_take(&h->arena, list->count + 1u, size);
    if (!*ret_items)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    *ret_list = list;
    return TUT_SUCCESS;
}

static tut_status take_reasons(tut_hold *h, const tut_json_value *v, tut_error *err)
{
    const tut_json_value *list;
    void *items;
    TUT_TRY(take_list(h, v, "reasons", TUT_HOLD_REASONS, sizeof(*h->reasons), &items, &list, err));
    h->reasons = items;
    for (uint32_t i = 0; i < list->count; i++) {
        const tut_json_value *item = tut_json_item(list, i);
        tut_hold_reason *r = &h->reasons[h->reason_count++];
        TUT_TRY(take(h, item, "check", NAME_MOST, &r->check, err));
        TUT_TRY(take(h, item, "where", NAME_MOST, &r->where, err));
        TUT_TRY(take(h, item, "detail", NAME_MOST, &r->detail, err));
    }
    return TUT_SUCCESS;
}

static tut_status take_sources(tut_hold *h, const tut_json_value *v, tut_error *err)
{
    const tut_json_value *list;
    void *items;
    TUT_TRY(take_list(h, v, "sources", TUT_HOLD_SOURCES, sizeof(*h->sources), &items, &list, err));
    h->sources = items;
    for (uint32_t i = 0; i < list->count; i++) {
        const tut_json_value *item = tut_json_item(list, i);
        tut_hold_source *s = &h->sources[h->source_count++];
        TUT_TRY(take(h, item, "role", NAME_MOST, &s->role, err));
        TUT_TRY(take(h, item, "where", NAME_MOST, &s->where, err));
        /* each byte that is no UTF-8 is three of them in the document */
        TUT_TRY(take(h, item, "text", (size_t)3 * TUT_HOLD_SOURCE_BYTES, &s->text, err));
        s->is_cut = tut_json_get_bool(item, "cut", false);
    }
    return TUT_SUCCESS;
}

static tut_status take_head(tut_hold *h, const tut_json_value *v, tut_error *err)
{
    tut_str id = tut_json_get_text(v, "id"), kind = tut_json_get_text(v, "kind");
    if (!tut_hold_is_id(id))
        return bad("id", err);
    tut_str_copy(h->id, sizeof(h->id), id);
    while (!tut_str_eq_z(kind, tut_hold_kind_name(h->kind)))
        if (h->kind++ == TUT_HOLD_ANSWER)
            return bad("kind", err);
    h->at_ms = tut_json_get_int(v, "at_ms", 0);
    h->expires_ms = tut_json_get_int(v, "expires_ms", 0);
    if (h->at_ms <= 0 || h->expires_ms <= h->at_ms || h->expires_ms > (int64_t)1 << 53)
        return bad("expires_ms", err);
    if (!tut_is_ok(
            tut_sha256_parse(tut_json_get_text(tut_json_get(v, "digest"), "sha256"), &h->digest)))
        return bad("digest", err);
    if (!tut_is_ok(
            tut_sha256_parse(tut_json_get_text(tut_json_get(v, "policy"), "sha256"), &h->policy)))
        return bad("policy", err);
    if (!tut_hold_nonce_of(tut_json_get_text(v, "nonce"), h->nonce))
        return bad("nonce", err);
    int64_t people = tut_json_get_int(v, "people", 0);
    if (people < 1 || people > TUT_HOLD_PEOPLE_MAX)
        return bad("people", err);
    h->people = (unsigned)people;
    return TUT_SUCCESS;
}

static tut_status read_hold(const tut_json_value *v, tut_hold *h, tut_error *err)
{
    if (!tut_str_eq_z(tut_json_get_text(v, "schema"), TUT_HOLD_SCHEMA))
        return bad("schema", err);
    TUT_TRY(take_head(h, v, err));
    TUT_TRY(take(h, v, "route", NAME_MOST, &h->route, err));
    TUT_TRY(take(h, v, "client", NAME_MOST, &h->client, err));
    TUT_TRY(take(h, v, "person", NAME_MOST, &h->person, err));
    TUT_TRY(take(h, v, "model", NAME_MOST, &h->model, err));
    TUT_TRY(take(h, v, "tool", NAME_MOST, &h->tool, err));
    TUT_TRY(take(h, v, "tool_class", NAME_MOST, &h->tool_class, err));
    TUT_TRY(take(h, v, "what", (size_t)3 * TUT_HOLD_WHAT_BYTES, &h->what, err));
    int64_t bytes = tut_json_get_int(v, "what_bytes", -1);
    if (bytes < 0)
        return bad("what_bytes", err);
    h->what_bytes = (uint64_t)bytes;
    h->is_cut = tut_json_get_bool(v, "cut", false);
    TUT_TRY(take_reasons(h, v, err));
    return take_sources(h, v, err);
}

tut_status tut_hold_parse(tut_span json, tut_hold *ret_hold, tut_error *err)
{
    TUT_AUTO(tut_json_doc) doc = NULL;
    TUT_CLEAN(tut_hold) h = {0};
    if (json.len > TUT_HOLD_FILE_BYTES)
        return tut_fail(err, TUT_LIMIT, "a hold has at most %d bytes", TUT_HOLD_FILE_BYTES);
    TUT_TRY(tut_json_parse(json, &(tut_json_options){.max_depth = 8}, &doc, err));
    tut_arena_init(&h.arena, 0);
    TUT_TRY(read_hold(tut_json_root(doc), &h, err));
    *ret_hold = h;
    h = (tut_hold){0};
    return TUT_SUCCESS;
}
