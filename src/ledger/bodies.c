/* Bodies: what a record's digest names. A body is whole and synced before its record is written;
 * one wait for the disk serves all bodies of an append. */
#include "ledger/bodies.h"

#include "base/fs.h"
#include "base/limits.h"
#include "crypto/openssl.h"
#include "ledger/body_seal.h"
#include "ledger/ledger_internal.h"

static tut_status body_path(const tut_ledger *l, const tut_sha256 *digest, char **ret_path,
                            tut_error *err)
{
    char hex[TUT_SHA256_HEX];
    tut_sha256_hex(digest, hex);
    *ret_path = tut_fs_join(l->bodies, hex);
    return *ret_path ? TUT_SUCCESS : tut_fail(err, TUT_NOMEM, "memory ran out");
}

static tut_status check_put(const tut_ledger *l, tut_span body, tut_error *err)
{
    if (!l->is_writing)
        return tut_fail(err, TUT_USAGE, "the records are open for reading only");
    if (body.len > TUT_LIMIT_BODY_BYTES)
        return tut_fail(err, TUT_LIMIT,
                        "%zu bytes are too many to be kept as evidence (at most %u)", body.len,
                        TUT_LIMIT_BODY_BYTES);
    return TUT_SUCCESS;
}

/* A body that is there but damaged is written anew: the bytes at hand are the right ones. */
static bool is_kept(const tut_ledger *l, const tut_sha256 *digest, const char *path)
{
    TUT_CLEAN(tut_buf) known = TUT_BUF_INIT;
    bool is_good = tut_fs_exists(path) && tut_is_ok(tut_ledger_get_body(l, digest, &known, NULL));
    tut_wipe(known.data, known.len);
    return is_good;
}

tut_status tut_ledger_put_body(tut_ledger *l, tut_span body, tut_sha256 *ret_digest, tut_error *err)
{
    TUT_TRY(check_put(l, body, err));
    tut_sha256 digest;
    TUT_TRY(tut_sha256_of(body, &digest, err));
    TUT_AUTO_FREE char *path = NULL;
    TUT_TRY(body_path(l, &digest, &path, err));
    if (!is_kept(l, &digest, path)) {
        l->has_unsynced_bodies = true;
        TUT_TRY(tut_fs_write_unsynced(path, body, 0600, err));
    }
    *ret_digest = digest;
    return TUT_SUCCESS;
}

/* --- sealed bodies --- */

/* The first of the month's secrets that was not erased. */
static tut_status period_of(const tut_ledger *l, tut_time at, char ret_period[TUT_PERIOD_NAME],
                            tut_error *err)
{
    char month[TUT_PERIOD_NAME];
    unsigned n = 0;
    TUT_TRY(tut_seal_period(at, month, err));
    do
        TUT_TRY(tut_seal_period_nth(month, n++, ret_period, err));
    while (l->keys && tut_keystore_is_erased(l->keys, ret_period));
    return TUT_SUCCESS;
}

static tut_status find_secret(const tut_ledger *l, const char *period, bool create,
                              uint8_t ret_secret[TUT_PERIOD_SECRET], tut_error *err)
{
    if (!l->keys)
        return tut_fail(err, TUT_DENIED,
                        "the body is encrypted, and the keys of this log are not here");
    tut_error why = {0};
    tut_status status = tut_keystore_period(l->keys, period, create, ret_secret, &why);
    if (tut_is_ok(status))
        return TUT_SUCCESS;
    if (!create &&
        (tut_keystore_is_erased(l->keys, period) || !tut_keystore_has_period(l->keys, period)))
        return tut_fail(err, TUT_STORE,
                        "was erased: the key of its period, %s, is no longer there, so nobody can "
                        "read it",
                        period);
    tut_error_set_path(err, why.path);
    return tut_fail(err, status.code, "%s", why.text);
}

static tut_status write_sealed(tut_ledger *l, const uint8_t *secret, const char *period,
                               tut_span body, tut_sha256 *ret_digest, tut_error *err)
{
    tut_sha256 name;
    TUT_TRY(tut_seal_name(secret, body, &name, err));
    TUT_AUTO_FREE char *path = NULL;
    TUT_TRY(body_path(l, &name, &path, err));
    if (!is_kept(l, &name, path)) {
        TUT_CLEAN(tut_buf) sealed = TUT_BUF_INIT;
        TUT_TRY(tut_seal_close(secret, period, &name, body, &sealed, err));
        l->has_unsynced_bodies = true;
        TUT_TRY(tut_fs_write_unsynced(path, tut_buf_span(&sealed), 0600, err));
    }
    *ret_digest = name;
    return TUT_SUCCESS;
}

tut_status tut_ledger_put_personal_body(tut_ledger *l, tut_time at, tut_span body,
                                        tut_sha256 *ret_digest, tut_error *err)
{
    char period[TUT_PERIOD_NAME];
    uint8_t secret[TUT_PERIOD_SECRET];
    TUT_TRY(check_put(l, body, err));
    TUT_TRY(period_of(l, at, period, err));
    TUT_TRY(find_secret(l, period, true, secret, err));
    tut_status status = write_sealed(l, secret, period, body, ret_digest, err);
    tut_wipe(secret, sizeof(secret));
    return status;
}

tut_status tut_ledger_keyed_digest(const tut_ledger *l, tut_time at, tut_span bytes,
                                   tut_sha256 *ret_digest, tut_error *err)
{
    char period[TUT_PERIOD_NAME];
    uint8_t secret[TUT_PERIOD_SECRET];
    TUT_TRY(period_of(l, at, period, err));
    TUT_TRY(find_secret(l, period, true, secret, err));
    tut_status status = tut_seal_name(secret, bytes, ret_digest, err);
    tut_wipe(secret, sizeof(secret));
    return status;
}

/* --- reading --- */

static tut_status read_file(const char *path, tut_buf *bytes, tut_error *err)
{
    tut_error why = {0};
    if (tut_is_ok(tut_fs_read(path, TUT_LIMIT_BODY_BYTES + TUT_SEAL_OVERHEAD, bytes, &why)))
        return TUT_SUCCESS;
    return tut_fail(err, TUT_STORE,
                    "what a record names cannot be read: %s; restore the state from a backup, or "
                    "move it away and assess anew",
                    why.text);
}

static tut_status open_sealed(const tut_ledger *l, const char *period, const tut_sha256 *name,
                              tut_span sealed, tut_buf *out, tut_error *err)
{
    uint8_t secret[TUT_PERIOD_SECRET];
    TUT_TRY(find_secret(l, period, false, secret, err));
    tut_status status = tut_seal_open(secret, name, sealed, out, err);
    tut_wipe(secret, sizeof(secret));
    return status;
}

/* The plain digest decides first, so that a plain body may begin like a sealed one. `out` may be
 * NULL: only whether it is personal is asked then. */
static tut_status get(const tut_ledger *l, const char *path, const tut_sha256 *digest,
                      bool *ret_is_personal, tut_buf *out, tut_error *err)
{
    TUT_CLEAN(tut_buf) bytes = TUT_BUF_INIT;
    TUT_TRY(read_file(path, &bytes, err));
    char period[TUT_PERIOD_NAME];
    tut_sha256 found;
    TUT_TRY(tut_sha256_of(tut_buf_span(&bytes), &found, err));
    bool is_plain = tut_sha256_eq(&found, digest);
    if (!is_plain && !tut_seal_is(tut_buf_span(&bytes), period))
        return tut_fail(err, TUT_STORE, "is not what was recorded; its bytes were altered");
    *ret_is_personal = !is_plain;
    if (!out)
        return TUT_SUCCESS;
    if (!is_plain)
        return open_sealed(l, period, digest, tut_buf_span(&bytes), out, err);
    tut_buf_add(out, bytes.data, bytes.len);
    return tut_buf_check(out, err);
}

static tut_status get_given(const tut_ledger *l, const tut_sha256 *digest, bool *ret_is_personal,
                            tut_buf *out, tut_error *err)
{
    TUT_CLEAN(tut_buf) bytes = TUT_BUF_INIT;
    tut_buf *to = out ? out : &bytes;
    size_t start = to->len;
    tut_sha256 found;
    *ret_is_personal = false;
    TUT_TRY(l->source->body(l->source->ctx, digest, to, err));
    TUT_TRY(tut_buf_check(to, err));
    TUT_TRY(tut_sha256_of(tut_span_of(to->data + start, to->len - start), &found, err));
    if (tut_sha256_eq(&found, digest))
        return TUT_SUCCESS;
    to->len = start;
    return tut_fail(err, TUT_STORE, "is not what was recorded; its bytes were altered");
}

static tut_status get_named(const tut_ledger *l, const tut_sha256 *digest, bool *ret_is_personal,
                            tut_buf *out, tut_error *err)
{
    TUT_AUTO_FREE char *path = NULL;
    if (l->source)
        return get_given(l, digest, ret_is_personal, out, err);
    TUT_TRY(body_path(l, digest, &path, err));
    tut_status status = get(l, path, digest, ret_is_personal, out, err);
    if (!tut_is_ok(status))
        tut_error_set_path(err, path);
    return status;
}

tut_status tut_ledger_get_body(const tut_ledger *l, const tut_sha256 *digest, tut_buf *out,
                               tut_error *err)
{
    bool is_personal = false;
    return get_named(l, digest, &is_personal, out, err);
}

tut_status tut_ledger_body_is_personal(const tut_ledger *l, const tut_sha256 *digest,
                                       bool *ret_is_personal, tut_error *err)
{
    bool is_personal = false;
    TUT_TRY(get_named(l, digest, &is_personal, NULL, err));
    *ret_is_personal = is_personal;
    return TUT_SUCCESS;
}

static tut_status append_read(tut_ledger *l, const tut_record *who, const tut_sha256 *digest,
                              tut_error *err)
{
    char hex[TUT_SHA256_HEX];
    tut_sha256_hex(digest, hex);
    TUT_AUTO_FREE char *name = tut_asprintf("body/%s", hex);
    if (!name)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    tut_subject subject = {.name = name, .digest = *digest};
    tut_record r = {.type = TUT_RECORD_EVENT,
                    .at = who->at,
                    .check = TUT_BODY_READ_EVENT,
                    .subjects = &subject,
                    .subject_count = 1,
                    .actor = who->actor,
                    .statement = who->statement ? who->statement : "",
                    .tool_binary = who->tool_binary,
                    .tool_catalogue = who->tool_catalogue,
                    .tool_rules = who->tool_rules};
    return tut_ledger_append(l, &r, 1, err);
}

tut_status tut_ledger_read_body(tut_ledger *l, const tut_record *who, const tut_sha256 *digest,
                                tut_buf *out, tut_error *err)
{
    TUT_CLEAN(tut_buf) body = TUT_BUF_INIT;
    bool is_personal = false;
    TUT_TRY(get_named(l, digest, &is_personal, &body, err));
    tut_status status = is_personal ? append_read(l, who, digest, err) : TUT_SUCCESS;
    if (tut_is_ok(status)) {
        tut_buf_add(out, body.data, body.len);
        status = tut_buf_check(out, err);
    }
    tut_wipe(body.data, body.len);
    return status;
}
