/* The statement: what was signed. Read top to bottom as the schemas of v1.0 nest. */
#include <stdlib.h>

#include "base/limits.h"
#include "crypto/oms.h"
#include "crypto/oms_internal.h"

static tut_status malformed(tut_error *err, const char *what)
{
    return tut_fail(err, TUT_MALFORMED, "the signed statement is no model signature: %s", what);
}

static bool has_only(const tut_json_value *object, const char *const *keys, size_t count)
{
    for (uint32_t i = 0; i < tut_json_count(object); i++) {
        tut_str key = tut_json_item(object, i)->key;
        size_t k = 0;
        while (k < count && !tut_str_eq_z(key, keys[k]))
            k++;
        if (k == count)
            return false;
    }
    return true;
}

static const tut_json_value *typed(const tut_json_value *object, const char *key,
                                   tut_json_type type)
{
    const tut_json_value *v = tut_json_get(object, key);
    return v && v->type == type ? v : NULL;
}

bool tut_oms_name_ok(tut_str name)
{
    if (name.len == 0 || memchr(name.data, '\0', name.len) || !tut_utf8_valid(name))
        return false;
    for (size_t at = 0; at <= name.len;) {
        const char *slash = memchr(name.data + at, '/', name.len - at);
        size_t len = slash ? (size_t)(slash - name.data) - at : name.len - at;
        tut_str part = {name.data + at, len};
        if (len == 0 || tut_str_eq_z(part, ".") || tut_str_eq_z(part, ".."))
            return false;
        at += len + 1;
    }
    return true;
}

/* --- serialization --- */

/* The reference wrote 8.0 where the schema wants 8. */
static bool read_size(const tut_json_value *v, uint64_t *ret_size)
{
    if (v && v->type == TUT_JSON_INT && v->as.integer > 0) {
        *ret_size = (uint64_t)v->as.integer;
        return true;
    }
    if (v && v->type == TUT_JSON_REAL && v->as.real >= 1 && v->as.real <= 9007199254740992.0 &&
        v->as.real == (double)(uint64_t)v->as.real) {
        *ret_size = (uint64_t)v->as.real;
        return true;
    }
    return false;
}

static tut_status read_ignored(const tut_json_value *serialization, tut_oms_statement *s,
                               tut_error *err)
{
    const tut_json_value *list = tut_json_get(serialization, "ignore_paths");
    if (!list)
        return TUT_SUCCESS;
    if (list->type != TUT_JSON_ARRAY)
        return malformed(err, "ignore_paths is no list");
    if (list->count > TUT_LIMIT_OMS_IGNORED)
        return tut_fail(err, TUT_LIMIT, "the signature leaves out more than %u paths",
                        TUT_LIMIT_OMS_IGNORED);
    s->ignore = tut_alloc_array(list->count ? list->count : 1, sizeof(*s->ignore));
    if (!s->ignore)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (uint32_t i = 0; i < list->count; i++) {
        const tut_json_value *path = tut_json_item(list, i);
        if (path->type != TUT_JSON_STRING || !tut_oms_name_ok(path->as.string))
            return malformed(err, "ignore_paths has an entry that is no relative path");
        s->ignore[s->ignore_count++] = path->as.string;
    }
    return TUT_SUCCESS;
}

static tut_status read_serialization(const tut_json_value *v, tut_oms_statement *s, tut_error *err)
{
    static const char *const keys[] = {"method", "hash_type", "allow_symlinks", "ignore_paths",
                                       "shard_size"};
    const tut_json_value *method = typed(v, "method", TUT_JSON_STRING);
    const tut_json_value *hash = typed(v, "hash_type", TUT_JSON_STRING);
    const tut_json_value *links = typed(v, "allow_symlinks", TUT_JSON_BOOL);
    const tut_json_value *size = tut_json_get(v, "shard_size");
    if (!v || v->type != TUT_JSON_OBJECT || !method || !hash || !links ||
        !has_only(v, keys, sizeof(keys) / sizeof(keys[0])))
        return malformed(err, "serialization must have method, hash_type and allow_symlinks");
    if (!tut_hash_find(hash->as.string, &s->hash))
        return tut_fail(err, TUT_UNSUPPORTED,
                        "the files were hashed with \"%.*s\"; sha256 and blake2b are supported",
                        (int)(hash->as.string.len < 32 ? hash->as.string.len : 32),
                        hash->as.string.data);
    s->allow_symlinks = links->as.boolean;
    if (tut_str_eq_z(method->as.string, "shards")) {
        s->method = TUT_OMS_SHARDS;
        if (!read_size(size, &s->shard_size))
            return malformed(err, "shard_size is no positive whole number");
    } else if (!tut_str_eq_z(method->as.string, "files")) {
        return tut_fail(err, TUT_UNSUPPORTED,
                        "the method of the signature is neither files nor "
                        "shards");
    } else if (size) {
        return malformed(err, "shard_size stands in a signature over files");
    }
    return read_ignored(v, s, err);
}

/* --- resources --- */

/* "path:start:end"; the path may hold colons, so the last two fields count. */
static bool split_shard(tut_str name, tut_oms_resource *r)
{
    uint64_t ends[2];
    for (int i = 1; i >= 0; i--) {
        size_t at = name.len;
        while (at > 0 && name.data[at - 1] != ':')
            at--;
        tut_str digits = {name.data + at, name.len - at};
        if (at == 0 || (digits.len > 1 && digits.data[0] == '0') || !tut_str_u64(digits, &ends[i]))
            return false;
        name.len = at - 1;
    }
    r->name = name;
    r->start = ends[0];
    r->end = ends[1];
    return r->start < r->end;
}

/* "sha256", and of shards also the reference's "sha256-sharded-N". */
static bool is_algorithm(const tut_oms_statement *s, tut_str algorithm)
{
    const char *hash = tut_hash_name(s->hash);
    if (tut_str_eq_z(algorithm, hash))
        return true;
    char sharded[64];
    tut_buf b;
    tut_buf_init(&b, sizeof(sharded));
    tut_buf_printf(&b, "%s-sharded-%llu", hash, (unsigned long long)s->shard_size);
    bool is_equal = s->method == TUT_OMS_SHARDS && tut_str_eq(algorithm, tut_buf_str(&b));
    tut_buf_done(&b);
    return is_equal;
}

static tut_status read_resource(const tut_json_value *v, tut_oms_statement *s,
                                tut_oms_resource *ret_resource, tut_error *err)
{
    tut_oms_resource r = {0};
    const tut_json_value *name = typed(v, "name", TUT_JSON_STRING);
    const tut_json_value *algorithm = typed(v, "algorithm", TUT_JSON_STRING);
    const tut_json_value *digest = typed(v, "digest", TUT_JSON_STRING);
    if (v->type != TUT_JSON_OBJECT || !name || !algorithm || !digest)
        return malformed(err, "a resource lacks name, algorithm or digest");
    r.name = name->as.string;
    if (s->method == TUT_OMS_SHARDS && !split_shard(r.name, &r))
        return malformed(err, "the name of a shard does not end in :start:end");
    /* The reference calls the only file of a model ".". */
    if (!tut_oms_name_ok(r.name) && !tut_str_eq_z(r.name, "."))
        return malformed(err, "a resource's name is no relative path in UTF-8 without . and ..");
    if (!is_algorithm(s, algorithm->as.string))
        return malformed(err, "a resource's algorithm is not the hash_type");
    if (!tut_is_ok(tut_hash_parse(s->hash, digest->as.string, &r.digest)))
        return malformed(err, "a resource's digest is not in hexadecimal or has the wrong length");
    *ret_resource = r;
    return TUT_SUCCESS;
}

static int by_place(const void *a, const void *b)
{
    const tut_oms_resource *x = *(const tut_oms_resource *const *)a;
    const tut_oms_resource *y = *(const tut_oms_resource *const *)b;
    int order = tut_str_cmp(x->name, y->name);
    return order ? order : x->start < y->start ? -1 : x->start > y->start;
}

/* Shards of a file lie end to end from 0, all of the same size but the last. */
static bool follows(const tut_oms_statement *s, const tut_oms_resource *before,
                    const tut_oms_resource *r)
{
    bool is_same = before && tut_str_eq(before->name, r->name);
    if (s->method == TUT_OMS_FILES)
        return !is_same;
    uint64_t start = is_same ? before->end : 0;
    bool is_whole = !is_same || before->end - before->start == s->shard_size;
    return r->start == start && is_whole && r->end - r->start <= s->shard_size;
}

static tut_status check_resources(tut_oms_statement *s, tut_error *err)
{
    TUT_AUTO_FREE const tut_oms_resource **order = tut_alloc_array(s->count, sizeof(*order));
    if (!order)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (size_t i = 0; i < s->count; i++)
        order[i] = &s->resources[i];
    qsort(order, s->count, sizeof(*order), by_place);
    for (size_t i = 0; i < s->count; i++) {
        if (!follows(s, i > 0 ? order[i - 1] : NULL, order[i]))
            return malformed(err, s->method == TUT_OMS_FILES
                                      ? "a file is listed twice"
                                      : "the shards of a file do not lie end to end");
        if (tut_str_eq_z(order[i]->name, ".") &&
            !tut_str_eq(order[0]->name, order[s->count - 1]->name))
            return malformed(err, "a resource is called \".\" beside others");
    }
    for (size_t i = 1; s->method == TUT_OMS_FILES && i < s->count; i++)
        s->is_unsorted = s->is_unsorted ||
                         tut_str_cmp(s->resources[i - 1].name, s->resources[i].name) > 0;
    return TUT_SUCCESS;
}

static tut_status read_resources(const tut_json_value *v, tut_oms_statement *s, tut_error *err)
{
    if (!v || v->type != TUT_JSON_ARRAY)
        return malformed(err, "resources is no list");
    if (v->count == 0)
        return malformed(err, "it lists no file, and an empty model cannot be signed");
    s->resources = tut_alloc_array(v->count, sizeof(*s->resources));
    if (!s->resources)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (; s->count < v->count; s->count++)
        TUT_TRY(
            read_resource(tut_json_item(v, (uint32_t)s->count), s, &s->resources[s->count], err));
    return check_resources(s, err);
}

tut_status tut_oms_root_of(const tut_oms_statement *s, tut_sha256 *ret_root, tut_error *err)
{
    TUT_AUTO(tut_hasher) h = NULL;
    TUT_TRY(tut_hasher_new(&h, err));
    for (size_t i = 0; i < s->count; i++)
        TUT_TRY(tut_hasher_add(h, tut_span_of(s->resources[i].digest.bytes, tut_hash_size(s->hash)),
                               err));
    return tut_hasher_finish(h, ret_root, err);
}

/* --- subject --- */
static tut_status read_subject(const tut_json_value *subjects, tut_oms_statement *s, tut_error *err)
{
    const tut_json_value *subject = tut_json_item(subjects, 0);
    if (!subjects || subjects->type != TUT_JSON_ARRAY || subjects->count != 1)
        return malformed(err, "it must have exactly one subject");
    const tut_json_value *name = typed(subject, "name", TUT_JSON_STRING);
    const tut_json_value *digest = typed(subject, "digest", TUT_JSON_OBJECT);
    const tut_json_value *sha256 = typed(digest, "sha256", TUT_JSON_STRING);
    tut_hash root;
    if (subject->type != TUT_JSON_OBJECT || !name || name->as.string.len == 0 || !sha256 ||
        !tut_is_ok(tut_hash_parse(TUT_HASH_SHA256, sha256->as.string, &root)))
        return malformed(err, "the subject lacks its name or its SHA-256");
    TUT_TRY(tut_oms_root_of(s, &s->root, err));
    if (memcmp(s->root.bytes, root.bytes, TUT_SHA256_BYTES) != 0)
        return malformed(err, "its root digest is not that of the files it lists");
    s->subject = name->as.string;
    return TUT_SUCCESS;
}

static tut_status read_predicate(const tut_json_value *v, tut_oms_statement *s, tut_error *err)
{
    static const char *const keys[] = {"resources", "serialization"};
    if (!v || v->type != TUT_JSON_OBJECT || !has_only(v, keys, 2))
        return malformed(err, "the predicate must have resources and serialization, and no more");
    TUT_TRY(read_serialization(tut_json_get(v, "serialization"), s, err));
    return read_resources(tut_json_get(v, "resources"), s, err);
}

/* Version 0.2.0: files in subject[], always SHA-256, nothing else. */
static tut_status read_old(const tut_json_value *subjects, tut_oms_statement *s, tut_error *err)
{
    s->is_old = true;
    s->subject = TUT_LIT("");
    if (!subjects || subjects->type != TUT_JSON_ARRAY || subjects->count == 0)
        return malformed(err, "it lists no file, and an empty model cannot be signed");
    s->resources = tut_alloc_array(subjects->count, sizeof(*s->resources));
    if (!s->resources)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (; s->count < subjects->count; s->count++) {
        const tut_json_value *v = tut_json_item(subjects, (uint32_t)s->count);
        const tut_json_value *name = typed(v, "name", TUT_JSON_STRING);
        const tut_json_value *sha256 = typed(typed(v, "digest", TUT_JSON_OBJECT), "sha256",
                                             TUT_JSON_STRING);
        tut_oms_resource *r = &s->resources[s->count];
        if (v->type != TUT_JSON_OBJECT || !name || !sha256 ||
            (!tut_oms_name_ok(name->as.string) && !tut_str_eq_z(name->as.string, ".")) ||
            !tut_is_ok(tut_hash_parse(TUT_HASH_SHA256, sha256->as.string, &r->digest)))
            return malformed(err, "a subject lacks a sound name or its SHA-256");
        r->name = name->as.string;
    }
    TUT_TRY(check_resources(s, err));
    return tut_oms_root_of(s, &s->root, err);
}

static tut_status read_statement(tut_oms_statement *s, tut_error *err)
{
    static const char *const keys[] = {"_type", "subject", "predicateType", "predicate"};
    const tut_json_value *v = tut_json_root(s->doc);
    if (v->type != TUT_JSON_OBJECT || !has_only(v, keys, sizeof(keys) / sizeof(keys[0])))
        return malformed(err, "it is no in-toto statement");
    const tut_json_value *type = typed(v, "_type", TUT_JSON_STRING);
    const tut_json_value *predicate = typed(v, "predicateType", TUT_JSON_STRING);
    if (!type || !tut_str_eq_z(type->as.string, "https://in-toto.io/Statement/v1") || !predicate)
        return malformed(err, "it is no in-toto statement of version 1");
    if (tut_str_eq_z(predicate->as.string, TUT_OMS_PREDICATE_OLD))
        return read_old(tut_json_get(v, "subject"), s, err);
    if (!tut_str_eq_z(predicate->as.string, TUT_OMS_PREDICATE))
        return tut_fail(err, TUT_UNSUPPORTED,
                        "the signed statement is of another kind: predicate \"%.*s\"",
                        (int)(predicate->as.string.len < 200 ? predicate->as.string.len : 200),
                        predicate->as.string.data);
    TUT_TRY(read_predicate(tut_json_get(v, "predicate"), s, err));
    return read_subject(tut_json_get(v, "subject"), s, err);
}

tut_status tut_oms_statement_read(tut_span payload, tut_oms_statement **ret_statement,
                                  tut_error *err)
{
    TUT_AUTO(tut_oms_statement) s = tut_alloc_array(1, sizeof(*s));
    if (!s)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    if (payload.len > TUT_LIMIT_OMS_BYTES)
        return tut_fail(err, TUT_LIMIT, "the signed statement has more than %u bytes",
                        TUT_LIMIT_OMS_BYTES);
    TUT_TRY(tut_json_parse(payload, NULL, &s->doc, err));
    TUT_TRY(read_statement(s, err));
    *ret_statement = tut_move(&s);
    return TUT_SUCCESS;
}

void tut_oms_statement_free(tut_oms_statement *s)
{
    if (!s)
        return;
    tut_free(s->resources);
    tut_free(s->ignore);
    tut_json_doc_free(s->doc);
    tut_free(s);
}
