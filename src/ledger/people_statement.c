/* Events about people and machine keys: writing the shape described in people_event.h. */
#include "base/json_write.h"
#include "ledger/people_event.h"

static void put_keys(tut_json *j, const char *name, const tut_pubkey *const *keys, size_t count)
{
    tut_json_key(j, name);
    tut_json_array(j);
    for (size_t i = 0; i < count; i++)
        tut_json_str(j, tut_pubkey_pem(keys[i]));
    tut_json_end_array(j);
}

/* A root's own role is told by the kind of the event, so it is not written twice. */
static void put_roles(tut_json *j, uint32_t roles, bool is_root_event)
{
    tut_json_key(j, "roles");
    tut_json_array(j);
    for (int i = 0; i < TUT_PERSON_ROLE_COUNT; i++)
        if ((roles & (1u << i)) && !(is_root_event && (1u << i) == TUT_PERSON_ROOT))
            tut_json_z(j, tut_person_roles[i]);
    tut_json_end_array(j);
}

static void put_person(tut_json *j, const tut_people_change *c)
{
    bool is_new = c->kind == TUT_PEOPLE_ROOT || c->kind == TUT_PEOPLE_ENROLLED;
    tut_json_object(j);
    if (c->name.len > 0)
        tut_json_put_str(j, "name", c->name);
    if (is_new)
        put_roles(j, c->roles, c->kind == TUT_PEOPLE_ROOT);
    if (c->kind != TUT_PEOPLE_REVOKED)
        put_keys(j, "keys", c->keys, c->key_count);
    if (c->has_after)
        tut_json_put_u64(j, "after", c->after);
    if (c->has_from)
        tut_json_put_u64(j, "from_index", c->from);
    if (c->reason.len > 0)
        tut_json_put_str(j, "reason", c->reason);
    tut_json_end_object(j);
}

static void put_genesis(tut_json *j, const tut_people_change *c)
{
    tut_json_object(j);
    put_keys(j, "log", c->log_keys, c->log_key_count);
    put_keys(j, "tool", c->keys, c->key_count);
    tut_json_key(j, "roots");
    tut_json_array(j);
    for (size_t i = 0; i < c->root_count; i++)
        put_person(j, &c->roots[i]);
    tut_json_end_array(j);
    tut_json_end_object(j);
}

static tut_status put_data(const tut_people_change *c, tut_buf *out, tut_error *err)
{
    TUT_AUTO(tut_json) j = NULL;
    TUT_TRY(tut_json_new(out, &j));
    if (c->kind == TUT_PEOPLE_GENESIS)
        put_genesis(j, c);
    else
        put_person(j, c);
    return tut_json_finish(j, err);
}

/* What the event does, in one sentence for people. */
static void put_sentence(const tut_people_change *c, tut_buf *out)
{
    int len = (int)c->name.len;
    const char *name = c->name.data;
    switch (c->kind) {
    case TUT_PEOPLE_GENESIS:
        tut_buf_printf(out, "The log begins; %zu roots of trust are named", c->root_count);
        break;
    case TUT_PEOPLE_ROOT:
        tut_buf_printf(out, "%.*s becomes the first root of trust", len, name);
        break;
    case TUT_PEOPLE_ENROLLED:
        tut_buf_printf(out, "%.*s is enrolled", len, name);
        break;
    case TUT_PEOPLE_ROTATED:
        tut_buf_printf(out, "%.*s signs with new keys", len, name);
        break;
    case TUT_PEOPLE_REVOKED:
        tut_buf_printf(out, "%.*s is revoked", len, name);
        break;
    case TUT_PEOPLE_TOOL_ROTATED:
        tut_buf_add_z(out, "The tool signs with new keys");
        break;
    case TUT_PEOPLE_LOG_ROTATED:
        tut_buf_add_z(out, "The log is signed with new keys");
        break;
    case TUT_PEOPLE_OTHER:
        break;
    }
}

static tut_status name_subject(const tut_people_change *c, tut_arena *arena, const char **ret_name,
                               tut_error *err)
{
    TUT_CLEAN(tut_buf) name = TUT_BUF_INIT;
    if (c->name.len == 0) {
        tut_buf_add_z(&name, c->kind == TUT_PEOPLE_LOG_ROTATED ? "key/log" : "key/tool");
    } else {
        tut_buf_add_z(&name, "person/");
        tut_buf_add_str(&name, c->name);
    }
    TUT_TRY(tut_buf_check(&name, err));
    *ret_name = tut_arena_copy(arena, tut_buf_str(&name));
    return *ret_name ? TUT_SUCCESS : tut_fail(err, TUT_NOMEM, "memory ran out");
}

/* The subject is who the event is about, pinned by the keys it names: a key's id is its digest. */
static tut_status set_subjects(const tut_people_change *c, tut_arena *arena, tut_record *r,
                               tut_error *err)
{
    tut_subject *subjects = tut_arena_take(arena, c->key_count, sizeof(*subjects));
    const char *name;
    if (!subjects)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    TUT_TRY(name_subject(c, arena, &name, err));
    for (size_t i = 0; i < c->key_count; i++) {
        subjects[i].name = name;
        tut_str id = tut_str_of(tut_pubkey_id(c->keys[i]));
        if (!tut_is_ok(tut_sha256_parse(id, &subjects[i].digest)))
            return tut_fail(err, TUT_BUG, "a key's id is no digest");
    }
    r->subjects = subjects;
    r->subject_count = c->key_count;
    return TUT_SUCCESS;
}

static const char *data_key_of(tut_people_kind kind)
{
    if (kind == TUT_PEOPLE_GENESIS)
        return "genesis";
    return kind == TUT_PEOPLE_TOOL_ROTATED || kind == TUT_PEOPLE_LOG_ROTATED ? "machine" : "person";
}

/* What no reader would take is not written. */
static tut_status read_back(const tut_people_change *c, tut_str data, tut_error *err)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    tut_buf_printf(&text, "{\"%s\":", data_key_of(c->kind));
    tut_buf_add_str(&text, data);
    tut_buf_add_z(&text, "}");
    TUT_TRY(tut_buf_check(&text, err));
    TUT_CLEAN(tut_arena) arena = {0};
    TUT_AUTO(tut_json_doc) doc = NULL;
    TUT_CLEAN(tut_people_read) read = {0};
    TUT_TRY(tut_json_parse(tut_buf_span(&text), NULL, &doc, err));
    tut_error why = {0};
    tut_status status = tut_people_change_read(c->kind, tut_json_root(doc), &arena, &read, &why);
    if (tut_is_ok(status))
        return TUT_SUCCESS;
    return tut_fail(err, status.code == TUT_NOMEM ? TUT_NOMEM : TUT_USAGE, "%s", why.text);
}

tut_status tut_people_record(const tut_people_change *change, tut_arena *arena, tut_record *record,
                             tut_error *err)
{
    if (change->key_count < 1 || change->key_count > TUT_PERSON_KEYS_MAX)
        return tut_fail(err, TUT_USAGE, "an event about people names 1 to %d keys",
                        TUT_PERSON_KEYS_MAX);
    TUT_CLEAN(tut_buf) data = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) sentence = TUT_BUF_INIT;
    tut_record r = *record;
    TUT_TRY(put_data(change, &data, err));
    TUT_TRY(read_back(change, tut_buf_str(&data), err));
    TUT_TRY(set_subjects(change, arena, &r, err));
    put_sentence(change, &sentence);
    TUT_TRY(tut_buf_check(&sentence, err));
    r.type = TUT_RECORD_EVENT;
    r.check = tut_people_kind_name(change->kind);
    r.statement = tut_arena_copy(arena, tut_buf_str(&sentence));
    r.data_key = data_key_of(change->kind);
    r.data = (tut_str){tut_arena_copy(arena, tut_buf_str(&data)), data.len};
    if (!r.statement || !r.data.data)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    *record = r;
    return TUT_SUCCESS;
}
