#include "store/signature.h"

#include <stdlib.h>

#include "assets/manifest.h"
#include "base/limits.h"
#include "crypto/oms.h"

const char *tut_signed_word(tut_signed_state state)
{
    static const char *const words[] = {[TUT_SIGNED_NOT] = "unsigned",
                                        [TUT_SIGNED_VALID] = "valid",
                                        [TUT_SIGNED_INVALID] = "invalid",
                                        [TUT_SIGNED_UNKNOWN] = "unknown"};
    return words[state];
}

static const tut_version_file *signature_of(const tut_version *v)
{
    for (size_t i = 0; i < v->count; i++)
        if (v->files[i].is_signature)
            return &v->files[i];
    return NULL;
}

/* --- files --- */

static tut_status refuse(tut_error *why, const char *what, tut_str name)
{
    TUT_CLEAN(tut_buf) shown = TUT_BUF_INIT;
    tut_buf_add_escaped(&shown, name, 200);
    const char *text = tut_buf_z(&shown);
    return tut_fail(why, TUT_CRYPTO, "%s %s", text ? text : "a file", what);
}

static tut_status compare_one(const tut_version_file *f, const tut_oms_resource *r, tut_error *why)
{
    return memcmp(f->digest.bytes, r->digest.bytes, TUT_SHA256_BYTES) == 0
               ? TUT_SUCCESS
               : refuse(why, "is not as it was signed", f->name);
}

static int by_name(const void *a, const void *b)
{
    return tut_str_cmp(((const tut_oms_resource *)a)->name, ((const tut_oms_resource *)b)->name);
}

/* A copy, for statements may come in any order. */
static tut_status sort(const tut_oms_statement *s, tut_oms_resource **ret, tut_error *err)
{
    tut_oms_resource *sorted = tut_alloc_array(s->count + 1, sizeof(*sorted));
    if (!sorted)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    memcpy(sorted, s->resources, s->count * sizeof(*sorted));
    qsort(sorted, s->count, sizeof(*sorted), by_name);
    *ret = sorted;
    return TUT_SUCCESS;
}

static bool is_ignored(const tut_oms_statement *s, tut_str name)
{
    for (size_t i = 0; i < s->ignore_count; i++)
        if (tut_manifest_covers(s->ignore[i], name))
            return true;
    return false;
}

static tut_status compare_directory(const tut_version *v, const tut_oms_statement *s,
                                    tut_error *why)
{
    TUT_AUTO_FREE tut_oms_resource *sorted = NULL;
    TUT_TRY(sort(s, &sorted, why));
    for (size_t i = 0; i < s->count; i++) {
        const tut_version_file *f = tut_version_find(v, sorted[i].name);
        if (!f)
            return refuse(why, "was signed, and is not in the version", sorted[i].name);
        TUT_TRY(compare_one(f, &sorted[i], why));
    }
    for (size_t i = 0; i < v->count; i++) {
        const tut_oms_resource wanted = {.name = v->files[i].name};
        if (!v->files[i].is_signature && !is_ignored(s, wanted.name) &&
            !bsearch(&wanted, sorted, s->count, sizeof(*sorted), by_name))
            return refuse(why, "is in the version, and was not signed", wanted.name);
    }
    return TUT_SUCCESS;
}

/* A single file, signed by itself or with the directory that it lies in. */
static tut_status compare_file(const tut_version *v, const tut_oms_statement *s, tut_error *why)
{
    const tut_version_file *file = NULL;
    for (size_t i = 0; i < v->count; i++)
        if (!v->files[i].is_signature)
            file = &v->files[i];
    if (!file)
        return tut_fail(why, TUT_CRYPTO, "it has no file that could be signed");
    for (size_t i = 0; i < s->count; i++) {
        bool is_dot = s->count == 1 && tut_str_eq_z(s->resources[i].name, ".");
        if (is_dot || tut_str_eq(s->resources[i].name, file->name))
            return compare_one(file, &s->resources[i], why);
    }
    return refuse(why, "is not what was signed", file->name);
}

static bool is_comparable(const tut_oms_statement *s)
{
    return s->method == TUT_OMS_FILES && s->hash == TUT_HASH_SHA256;
}

/* --- the signature --- */

typedef struct looking {
    const tut_people *people;
    tut_act act;
    tut_signed_by *result;
} looking;

static tut_status find_key(const looking *l, const tut_oms_bundle *b, const tut_pubkey **ret_key,
                           tut_error *why)
{
    const char *reason = "the signature does not name the key that signed it";
    const tut_person_key *key = NULL;
    tut_signed_by *r = l->result;
    if (b->mode != TUT_OMS_KEY || b->hint.len != sizeof(r->key_id) - 1)
        return tut_fail(why, TUT_CRYPTO, "%s", reason);
    tut_str_copy(r->key_id, sizeof(r->key_id), b->hint);
    bool may = tut_people_may_sign(l->people, r->key_id, &l->act, &r->person, &reason);
    (void)tut_people_by_key(l->people, r->key_id, &key);
    if (!may || !key)
        return tut_fail(why, TUT_CRYPTO, "%s", reason);
    *ret_key = key->key;
    return TUT_SUCCESS;
}

static tut_status judge(const looking *l, const tut_version *v, tut_span bytes, tut_error *why)
{
    TUT_AUTO(tut_oms_bundle) bundle = NULL;
    TUT_AUTO(tut_oms_statement) s = NULL;
    const tut_pubkey *key;
    TUT_TRY(tut_oms_bundle_read(bytes, &bundle, why));
    TUT_TRY(find_key(l, bundle, &key, why));
    TUT_TRY(tut_oms_verify_key(bundle, key, &s, why));
    if (!is_comparable(s)) {
        l->result->state = TUT_SIGNED_UNKNOWN;
        return tut_fail(why, TUT_UNSUPPORTED,
                        "it is signed by other digests than SHA-256 of whole files; restoring it "
                        "tells whether they hold");
    }
    l->result->state = TUT_SIGNED_INVALID;
    return v->layout == TUT_LAYOUT_DIRECTORY ? compare_directory(v, s, why)
                                             : compare_file(v, s, why);
}

tut_status tut_version_signed_by(const tut_store *s, const tut_version *v, const tut_people *people,
                                 uint64_t log_size, uint32_t roles, tut_signed_by *ret,
                                 tut_error *err)
{
    tut_signed_by r = {.state = TUT_SIGNED_NOT};
    const looking l = {.people = people, .act = {.roles = roles, .index = log_size}, .result = &r};
    const tut_version_file *file = signature_of(v);
    TUT_CLEAN(tut_buf) bytes = TUT_BUF_INIT;
    tut_error why = {0};
    if (file && v->layout != TUT_LAYOUT_FILES) {
        r.state = TUT_SIGNED_INVALID;
        tut_status status = tut_blob_read(s, &file->blob, TUT_LIMIT_OMS_BYTES, &bytes, &why);
        if (tut_is_ok(status))
            status = judge(&l, v, tut_buf_span(&bytes), &why);
        if (status.code == TUT_NOMEM || status.code == TUT_CANCELLED)
            return tut_fail(err, status.code, "%s", why.text);
        if (tut_is_ok(status))
            r.state = TUT_SIGNED_VALID;
        else
            tut_str_copy(r.why, sizeof(r.why), tut_str_of(why.text));
    }
    *ret = r;
    return TUT_SUCCESS;
}
