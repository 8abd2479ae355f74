/* Events about people and machine keys: words, and reading the shape described in the header. */
#include "ledger/people_event.h"

#include "base/limits.h"

static const char *const kind_words[TUT_PEOPLE_OTHER] = {
#define X(name, word) word,
    TUT_PEOPLE_EVENTS(X)
#undef X
};

const char *const tut_person_roles[TUT_PERSON_ROLE_COUNT] = {
    "developer", "operator", "custodian", "approver", "trainer", "tester", "auditor", "root",
};

const char *tut_people_kind_name(tut_people_kind kind)
{
    return kind < TUT_PEOPLE_OTHER ? kind_words[kind] : "";
}

tut_people_kind tut_people_kind_of(tut_str word)
{
    for (int i = 0; i < TUT_PEOPLE_OTHER; i++)
        if (tut_str_eq_z(word, kind_words[i]))
            return (tut_people_kind)i;
    return TUT_PEOPLE_OTHER;
}

uint32_t tut_person_role(tut_str word)
{
    for (int i = 0; i < TUT_PERSON_ROLE_COUNT; i++)
        if (tut_str_eq_z(word, tut_person_roles[i]))
            return 1u << i;
    return 0;
}

/* Text that is shown as it is needs no escapes: no controls, no marks that reorder, valid UTF-8. */
static tut_status check_plain(tut_str text, bool *ret_is_plain, tut_error *err)
{
    TUT_CLEAN(tut_buf) shown = TUT_BUF_INIT;
    tut_buf_add_escaped(&shown, text, SIZE_MAX);
    TUT_TRY(tut_buf_check(&shown, err));
    *ret_is_plain = tut_str_eq(tut_buf_str(&shown), text);
    return TUT_SUCCESS;
}

tut_status tut_person_check_name(tut_str name, tut_error *err)
{
    static const char *const reserved[] = {"tool", "log", "root", "none"};
    if (name.len == 0 || name.len > TUT_PERSON_NAME_MAX)
        return tut_fail(err, TUT_USAGE, "a person's name has 1 to %d bytes", TUT_PERSON_NAME_MAX);
    bool is_plain;
    TUT_TRY(check_plain(name, &is_plain, err));
    if (tut_str_trim(name).len != name.len || name.data[0] == '.' || name.data[0] == '-' ||
        memchr(name.data, '/', name.len) || memchr(name.data, '\\', name.len) || !is_plain)
        return tut_fail(err, TUT_USAGE,
                        "a person's name is printable text without slashes, that does not begin "
                        "with a dot, a dash or a blank, or end in one");
    for (size_t i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++)
        if (tut_str_ieq(name, tut_str_of(reserved[i])))
            return tut_fail(err, TUT_USAGE, "\"%s\" is a name that the program keeps for itself",
                            reserved[i]);
    return TUT_SUCCESS;
}

/* --- reading --- */

typedef struct event_reader {
    tut_arena *arena;
    tut_people_read *out; /* owns the keys */
    tut_error *err;
} event_reader;

static tut_status bad(const event_reader *rd, const char *what)
{
    return tut_fail(rd->err, TUT_MALFORMED, "%s is missing or wrong", what);
}

static tut_status only_known(const event_reader *rd, const tut_json_value *object,
                             const char *const *known)
{
    if (!object || object->type != TUT_JSON_OBJECT)
        return bad(rd, known[0]);
    for (uint32_t i = 0; i < object->count; i++) {
        size_t k = 1;
        while (known[k] && !tut_str_eq_z(object->as.items[i].key, known[k]))
            k++;
        if (!known[k])
            return tut_fail(rd->err, TUT_MALFORMED, "%s holds a key that is not known here",
                            known[0]);
    }
    return TUT_SUCCESS;
}

static tut_status read_key(const event_reader *rd, const tut_json_value *v,
                           const tut_pubkey **ret_key)
{
    if (!v || v->type != TUT_JSON_STRING)
        return bad(rd, "a key");
    tut_people_read *out = rd->out;
    TUT_AUTO(tut_pubkey) key = NULL;
    tut_str pem = tut_json_text(v);
    TUT_TRY(tut_pubkey_from_pem(tut_span_of(pem.data, pem.len), &key, rd->err));
    if (tut_pubkey_type(key) == TUT_KEY_RSA)
        return tut_fail(rd->err, TUT_UNSUPPORTED,
                        "a key is RSA; people and machines sign with "
                        "Ed25519 or ECDSA");
    /* Another spelling of the same key would have another name. */
    if (!tut_str_eq(tut_pubkey_pem(key), pem))
        return tut_fail(rd->err, TUT_MALFORMED, "a key is not in the usual form of PEM");
    TUT_TRY(tut_grow(&out->owned, out->owned_count, &out->owned_capacity, sizeof(*out->owned)));
    *ret_key = key;
    out->owned[out->owned_count++] = tut_move(&key);
    return TUT_SUCCESS;
}

static tut_status read_keys(const event_reader *rd, const tut_json_value *list, size_t least,
                            const tut_pubkey **keys, size_t *ret_count)
{
    uint32_t count = tut_json_count(list);
    if (!list || list->type != TUT_JSON_ARRAY || count < least || count > TUT_PERSON_KEYS_MAX)
        return bad(rd, "the list of keys");
    for (uint32_t i = 0; i < count; i++)
        TUT_TRY(read_key(rd, tut_json_item(list, i), &keys[i]));
    *ret_count = count;
    return TUT_SUCCESS;
}

static tut_status read_roles(const event_reader *rd, const tut_json_value *list,
                             uint32_t *ret_roles)
{
    uint32_t roles = 0;
    if (!list || list->type != TUT_JSON_ARRAY)
        return bad(rd, "the list of roles");
    for (uint32_t i = 0; i < list->count; i++) {
        uint32_t role = tut_person_role(tut_json_text(tut_json_item(list, i)));
        if (role == 0 || (roles & role))
            return bad(rd, "a role");
        roles |= role;
    }
    *ret_roles = roles;
    return TUT_SUCCESS;
}

static tut_status read_index(const event_reader *rd, const tut_json_value *object, const char *key,
                             bool *ret_has, uint64_t *ret_index)
{
    const tut_json_value *v = tut_json_get(object, key);
    if (!v)
        return TUT_SUCCESS;
    if (v->type != TUT_JSON_INT || v->as.integer < 0)
        return bad(rd, key);
    *ret_has = true;
    *ret_index = (uint64_t)v->as.integer;
    return TUT_SUCCESS;
}

static tut_status read_name(const event_reader *rd, const tut_json_value *object, tut_str *ret_name)
{
    tut_str name = tut_json_get_text(object, "name");
    tut_error why = {0};
    tut_status status = tut_person_check_name(name, &why);
    if (!tut_is_ok(status))
        return tut_fail(rd->err, status.code == TUT_NOMEM ? TUT_NOMEM : TUT_MALFORMED, "%s",
                        why.text);
    *ret_name = name;
    return TUT_SUCCESS;
}

static tut_status read_reason(const event_reader *rd, const tut_json_value *object, bool is_wanted,
                              tut_str *ret_reason)
{
    const tut_json_value *v = tut_json_get(object, "reason");
    tut_str reason = tut_json_text(v);
    if (!v && !is_wanted)
        return TUT_SUCCESS;
    if (!v || v->type != TUT_JSON_STRING || reason.len == 0 || reason.len > TUT_PERSON_REASON_MAX)
        return bad(rd, "reason");
    bool is_plain;
    TUT_TRY(check_plain(reason, &is_plain, rd->err));
    if (!is_plain)
        return bad(rd, "reason");
    *ret_reason = reason;
    return TUT_SUCCESS;
}

static tut_status read_new_person(const event_reader *rd, const tut_json_value *v, bool may_follow,
                                  tut_people_change *c)
{
    static const char *const first[] = {"person", "name", "roles", "keys", NULL};
    static const char *const later[] = {"person", "name", "roles", "keys", "after", NULL};
    TUT_TRY(only_known(rd, v, may_follow ? later : first));
    TUT_TRY(read_name(rd, v, &c->name));
    TUT_TRY(read_roles(rd, tut_json_get(v, "roles"), &c->roles));
    TUT_TRY(read_keys(rd, tut_json_get(v, "keys"), 1, c->keys, &c->key_count));
    return read_index(rd, v, "after", &c->has_after, &c->after);
}

/* What follows an earlier change: rotations and revocations. */
static tut_status read_following(const event_reader *rd, const tut_json_value *v,
                                 const char *const *known, tut_people_change *c)
{
    TUT_TRY(only_known(rd, v, known));
    TUT_TRY(read_index(rd, v, "after", &c->has_after, &c->after));
    if (!c->has_after)
        return bad(rd, "after");
    TUT_TRY(read_index(rd, v, "from_index", &c->has_from, &c->from));
    bool is_revocation = c->kind == TUT_PEOPLE_REVOKED;
    TUT_TRY(read_reason(rd, v, is_revocation, &c->reason));
    if (!is_revocation)
        TUT_TRY(read_keys(rd, tut_json_get(v, "keys"), 1, c->keys, &c->key_count));
    return TUT_SUCCESS;
}

static tut_status read_roots(const event_reader *rd, const tut_json_value *list,
                             tut_people_change *c)
{
    if (!list || list->type != TUT_JSON_ARRAY || list->count > TUT_LIMIT_PEOPLE_ROOTS)
        return bad(rd, "the list of roots");
    tut_people_change *roots = tut_arena_take(rd->arena, list->count + 1u, sizeof(*roots));
    if (!roots)
        return tut_fail(rd->err, TUT_NOMEM, "memory ran out");
    for (uint32_t i = 0; i < list->count; i++) {
        roots[i].kind = TUT_PEOPLE_ROOT;
        TUT_TRY(read_new_person(rd, tut_json_item(list, i), false, &roots[i]));
        roots[i].roles |= TUT_PERSON_ROOT;
    }
    c->roots = roots;
    c->root_count = list->count;
    return TUT_SUCCESS;
}

static tut_status read_genesis(const event_reader *rd, const tut_json_value *v,
                               tut_people_change *c)
{
    static const char *const known[] = {"genesis", "log", "tool", "roots", NULL};
    TUT_TRY(only_known(rd, v, known));
    TUT_TRY(read_keys(rd, tut_json_get(v, "log"), 1, c->log_keys, &c->log_key_count));
    TUT_TRY(read_keys(rd, tut_json_get(v, "tool"), 1, c->keys, &c->key_count));
    return read_roots(rd, tut_json_get(v, "roots"), c);
}

static tut_status read_change(const event_reader *rd, const tut_json_value *predicate,
                              tut_people_change *c)
{
    static const char *const rotated[] = {"person", "name",       "keys", "after",
                                          "reason", "from_index", NULL};
    static const char *const revoked[] = {"person", "name", "after", "reason", "from_index", NULL};
    static const char *const machine[] = {"machine", "keys", "after", "reason", "from_index", NULL};
    const tut_json_value *person = tut_json_get(predicate, "person");
    switch (c->kind) {
    case TUT_PEOPLE_GENESIS:
        return read_genesis(rd, tut_json_get(predicate, "genesis"), c);
    case TUT_PEOPLE_ROOT:
        TUT_TRY(read_new_person(rd, person, false, c));
        c->roles |= TUT_PERSON_ROOT;
        return TUT_SUCCESS;
    case TUT_PEOPLE_ENROLLED:
        return read_new_person(rd, person, true, c);
    case TUT_PEOPLE_ROTATED:
    case TUT_PEOPLE_REVOKED:
        TUT_TRY(read_following(rd, person, c->kind == TUT_PEOPLE_ROTATED ? rotated : revoked, c));
        return read_name(rd, person, &c->name);
    case TUT_PEOPLE_TOOL_ROTATED:
    case TUT_PEOPLE_LOG_ROTATED:
        return read_following(rd, tut_json_get(predicate, "machine"), machine, c);
    case TUT_PEOPLE_OTHER:
        break;
    }
    return bad(rd, "the kind of the event");
}

tut_status tut_people_change_read(tut_people_kind kind, const tut_json_value *predicate,
                                  tut_arena *arena, tut_people_read *ret, tut_error *err)
{
    tut_people_read r = {.change.kind = kind};
    event_reader rd = {.arena = arena, .out = &r, .err = err};
    tut_status status = read_change(&rd, predicate, &r.change);
    if (!tut_is_ok(status)) {
        tut_people_read_done(&r);
        return status;
    }
    *ret = r;
    return TUT_SUCCESS;
}

void tut_people_read_done(tut_people_read *r)
{
    for (size_t i = 0; i < r->owned_count; i++)
        tut_pubkey_free(r->owned[i]);
    tut_free(r->owned);
    *r = (tut_people_read){0};
}
