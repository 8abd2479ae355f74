/* tutela.approvers/1: who may decide about holds, as the people of the log had it. */
#include "base/fs.h"
#include "guard/hold_internal.h"
#include "ledger/people.h"

enum { FILE_BYTES = 1 << 20, PEOPLE = 1024 };

void tut_approvers_free(tut_approvers *who)
{
    if (!who)
        return;
    for (size_t i = 0; i < who->count; i++) {
        for (size_t k = 0; k < who->items[i].key_count; k++)
            tut_pubkey_free(who->items[i].keys[k]);
        tut_free(who->items[i].keys);
    }
    tut_free(who->items);
    tut_arena_done(&who->arena);
    tut_free(who);
}

const tut_approver *tut_approvers_by_key(const tut_approvers *who, tut_str key_id,
                                         const tut_pubkey **ret_key)
{
    for (size_t i = 0; i < who->count; i++) {
        for (size_t k = 0; k < who->items[i].key_count; k++) {
            if (!tut_str_eq_z(key_id, tut_pubkey_id(who->items[i].keys[k])))
                continue;
            if (ret_key)
                *ret_key = who->items[i].keys[k];
            return &who->items[i];
        }
    }
    return NULL;
}

/* --- reading --- */

static tut_status read_key(tut_approvers *who, tut_approver *a, const tut_json_value *pem,
                           tut_error *err)
{
    tut_str text = tut_json_text(pem);
    TUT_AUTO(tut_pubkey) key = NULL;
    TUT_TRY(tut_pubkey_from_pem(tut_span_of(text.data, text.len), &key, err));
    if (tut_approvers_by_key(who, tut_str_of(tut_pubkey_id(key)), NULL))
        return tut_fail(err, TUT_MALFORMED, "a key of an approver is named twice");
    a->keys[a->key_count++] = tut_move(&key);
    return TUT_SUCCESS;
}

static tut_status read_one(tut_approvers *who, const tut_json_value *v, tut_error *err)
{
    tut_str name = tut_json_get_text(v, "name");
    const tut_json_value *keys = tut_json_get(v, "keys");
    if (name.len == 0 || name.len > TUT_PERSON_NAME_MAX || !keys || keys->type != TUT_JSON_ARRAY ||
        keys->count > TUT_PERSON_KEYS_MAX)
        return tut_fail(err, TUT_MALFORMED, "an approver has a name and up to %d keys",
                        TUT_PERSON_KEYS_MAX);
    for (size_t i = 0; i < who->count; i++)
        if (tut_str_ieq(who->items[i].name, name))
            return tut_fail(err, TUT_MALFORMED, "an approver is named twice");
    if (!tut_is_ok(tut_grow(&who->items, who->count, &who->capacity, sizeof(*who->items))))
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    tut_approver *a = &who->items[who->count];
    char *copy = tut_arena_copy(&who->arena, name);
    *a = (tut_approver){.name = {copy, name.len},
                        .keys = tut_alloc_array(keys->count + 1u, sizeof(*a->keys))};
    if (!copy || !a->keys) {
        tut_free(a->keys);
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    }
    who->count++;
    for (uint32_t i = 0; i < keys->count; i++)
        TUT_TRY(read_key(who, a, tut_json_item(keys, i), err));
    return TUT_SUCCESS;
}

static tut_status new_approvers(tut_approvers **ret_who, tut_error *err)
{
    tut_approvers *who = tut_alloc_array(1, sizeof(*who));
    if (!who)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    tut_arena_init(&who->arena, 0);
    *ret_who = who;
    return TUT_SUCCESS;
}

tut_status tut_approvers_parse(tut_span json, tut_approvers **ret_who, tut_error *err)
{
    TUT_AUTO(tut_json_doc) doc = NULL;
    TUT_AUTO(tut_approvers) who = NULL;
    if (json.len > FILE_BYTES)
        return tut_fail(err, TUT_LIMIT, "the list of approvers has at most %d bytes", FILE_BYTES);
    TUT_TRY(tut_json_parse(json, &(tut_json_options){.max_depth = 8}, &doc, err));
    const tut_json_value *v = tut_json_root(doc), *items = tut_json_get(v, "items");
    if (!tut_str_eq_z(tut_json_get_text(v, "schema"), TUT_APPROVERS_SCHEMA) || !items ||
        items->type != TUT_JSON_ARRAY || items->count > PEOPLE)
        return tut_fail(err, TUT_MALFORMED, "this is no list of approvers (%s)",
                        TUT_APPROVERS_SCHEMA);
    TUT_TRY(new_approvers(&who, err));
    for (uint32_t i = 0; i < items->count; i++)
        TUT_TRY(read_one(who, tut_json_item(items, i), err));
    *ret_who = tut_move(&who);
    return TUT_SUCCESS;
}

tut_status tut_approvers_read(const char *dir, tut_approvers **ret_who, tut_error *err)
{
    TUT_AUTO_FREE char *path = tut_fs_join(dir, "approvers.json");
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    if (!path)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    if (!tut_fs_exists(path))
        return new_approvers(ret_who, err);
    TUT_TRY(tut_fs_read(path, FILE_BYTES, &text, err));
    tut_status status = tut_approvers_parse(tut_buf_span(&text), ret_who, err);
    if (!tut_is_ok(status))
        tut_error_set_path(err, path);
    return status;
}

/* --- writing --- */

/* A key counts while it is in force and has one of the roles. */
static bool counts(const tut_person_key *k, uint32_t roles)
{
    return k->until == UINT64_MAX && (k->roles & roles) != 0;
}

static void put_person(const tut_person *p, uint32_t roles, tut_json *j)
{
    tut_json_object(j);
    tut_json_put_z(j, "name", p->name);
    tut_json_key(j, "keys");
    tut_json_array(j);
    for (size_t i = 0; i < p->key_count; i++)
        if (counts(&p->keys[i], roles))
            tut_json_str(j, tut_pubkey_pem(p->keys[i].key));
    tut_json_end_array(j);
    tut_json_end_object(j);
}

static bool may_approve(const tut_person *p, const tut_act *act)
{
    for (size_t i = 0; i < p->key_count; i++)
        if (counts(&p->keys[i], act->roles))
            return p->is_active &&
                   (!act->lacks_training || !act->lacks_training(act->training, p, act->index));
    return false;
}

tut_status tut_approvers_json(const struct tut_people *people, const tut_act *act, tut_buf *out,
                              tut_error *err)
{
    TUT_AUTO(tut_json) j = NULL;
    TUT_TRY(tut_json_new(out, &j));
    tut_json_object(j);
    tut_json_put_z(j, "schema", TUT_APPROVERS_SCHEMA);
    tut_json_key(j, "items");
    tut_json_array(j);
    for (size_t i = 0; i < people->count; i++)
        if (may_approve(&people->items[i], act))
            put_person(&people->items[i], act->roles, j);
    tut_json_end_array(j);
    tut_json_end_object(j);
    return tut_json_finish(j, err);
}

tut_status tut_approvers_write(const char *dir, const struct tut_people *people, const tut_act *act,
                               tut_error *err)
{
    TUT_AUTO_FREE char *path = tut_fs_join(dir, "approvers.json");
    TUT_CLEAN(tut_buf) now = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) was = TUT_BUF_INIT;
    if (!path)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    TUT_TRY(tut_approvers_json(people, act, &now, err));
    if (tut_fs_exists(path) && tut_is_ok(tut_fs_read(path, FILE_BYTES, &was, NULL)) &&
        tut_str_eq(tut_buf_str(&now), tut_buf_str(&was)))
        return TUT_SUCCESS;
    TUT_TRY(tut_fs_mkdirs(dir, 0700, err));
    return tut_fs_write(path, tut_buf_span(&now), 0600, err);
}
