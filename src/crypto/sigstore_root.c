/*
 * dev.sigstore.trustroot.v1.TrustedRoot, as JSON:
 *
 *   { "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
 *     "tlogs": [LOG], "ctlogs": [LOG],
 *     "certificateAuthorities": [AUTHORITY], "timestampAuthorities": [AUTHORITY] }
 *   LOG = { "baseUrl", "hashAlgorithm": "SHA2_256", "logId": {"keyId": b64},
 *           "publicKey": {"rawBytes": b64 SPKI, "keyDetails", "validFor": RANGE} }
 *   AUTHORITY = { "certChain": {"certificates": [{"rawBytes": b64 DER}]}, "validFor": RANGE }
 *   RANGE = { "start": RFC 3339, "end"?: RFC 3339 }
 */
#include "base/limits.h"
#include "crypto/sigstore_internal.h"

const tut_json_value *tut_sig_get(const tut_json_value *object, const char *key)
{
    const tut_json_value *v = tut_json_get(object, key);
    return v && v->type != TUT_JSON_NULL ? v : NULL;
}

tut_status tut_sig_number(const tut_json_value *object, const char *key, uint64_t *ret_value,
                          tut_error *err)
{
    const tut_json_value *v = tut_sig_get(object, key);
    uint64_t n;
    if (v && v->type == TUT_JSON_INT && v->as.integer >= 0)
        n = (uint64_t)v->as.integer;
    else if (!v || v->type != TUT_JSON_STRING || !tut_str_u64(v->as.string, &n) || n > INT64_MAX)
        return tut_fail(err, TUT_MALFORMED, "%s is missing or no number from 0 on", key);
    *ret_value = n;
    return TUT_SUCCESS;
}

tut_status tut_sig_bytes(const tut_json_value *object, const char *key, size_t max_bytes,
                         tut_buf *out, tut_error *err)
{
    tut_str text = tut_json_get_text(object, key);
    if (text.len == 0)
        return tut_fail(err, TUT_MALFORMED, "%s is missing or empty", key);
    if (text.len / 4 > max_bytes / 3 + 1)
        return tut_fail(err, TUT_LIMIT, "%s is too large (at most %zu bytes)", key, max_bytes);
    tut_status s = tut_base64_read(text, true, out);
    if (s.code == TUT_NOMEM)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    if (!tut_is_ok(s))
        return tut_fail(err, TUT_MALFORMED, "%s is no base64", key);
    return TUT_SUCCESS;
}

tut_status tut_sig_digest(const tut_json_value *object, const char *key, tut_sha256 *ret_digest,
                          tut_error *err)
{
    TUT_CLEAN(tut_buf) bytes = TUT_BUF_INIT;
    TUT_TRY(tut_sig_bytes(object, key, TUT_SHA256_BYTES, &bytes, err));
    if (bytes.len != TUT_SHA256_BYTES)
        return tut_fail(err, TUT_MALFORMED, "%s is no SHA-256", key);
    memcpy(ret_digest->bytes, bytes.data, TUT_SHA256_BYTES);
    return TUT_SUCCESS;
}

/* Without a start nobody said from when on it counts: refused, not taken as for ever. */
static tut_status read_range(const tut_json_value *v, tut_sig_range *range, tut_error *err)
{
    tut_str end = tut_json_get_text(v, "end");
    range->to = INT64_MAX;
    if (!tut_is_ok(tut_time_parse(tut_json_get_text(v, "start"), &range->from)))
        return tut_fail(err, TUT_MALFORMED, "validFor has no start");
    if (tut_sig_get(v, "end") && !tut_is_ok(tut_time_parse(end, &range->to)))
        return tut_fail(err, TUT_MALFORMED, "the end of validFor is no time");
    return TUT_SUCCESS;
}

static tut_status read_log(const tut_json_value *v, tut_sig_log *log, tut_error *err)
{
    const tut_json_value *key = tut_sig_get(v, "publicKey");
    if (!tut_str_eq_z(tut_json_get_text(v, "hashAlgorithm"), "SHA2_256"))
        return tut_fail(err, TUT_UNSUPPORTED, "hashAlgorithm is not SHA2_256");
    tut_str_copy(log->url, sizeof(log->url), tut_json_get_text(v, "baseUrl"));
    TUT_TRY(tut_sig_digest(tut_sig_get(v, "logId"), "keyId", &log->id, err));
    TUT_TRY(read_range(tut_sig_get(key, "validFor"), &log->valid, err));
    /* Bare PKCS#1 keys are those of retired test logs. The log is kept, so that what it signed is
     * refused by its name. */
    if (tut_str_starts(tut_json_get_text(key, "keyDetails"), TUT_LIT("PKCS1_RSA")))
        return TUT_SUCCESS;
    TUT_CLEAN(tut_buf) spki = TUT_BUF_INIT;
    TUT_TRY(tut_sig_bytes(key, "rawBytes", TUT_LIMIT_CERTIFICATE_BYTES, &spki, err));
    return tut_pubkey_from_der(tut_buf_span(&spki), &log->key, err);
}

static tut_status read_authority(const tut_json_value *v, tut_sig_authority *a, tut_error *err)
{
    const tut_json_value *certs = tut_sig_get(tut_sig_get(v, "certChain"), "certificates");
    uint32_t count = tut_json_count(certs);
    if (count == 0 || count > TUT_SIG_CHAIN_MAX)
        return tut_fail(err, TUT_MALFORMED, "a chain has %u certificates (1 to %d are possible)",
                        count, TUT_SIG_CHAIN_MAX);
    for (uint32_t i = 0; i < count; i++) {
        a->der_count = i + 1;
        TUT_TRY(tut_sig_bytes(tut_json_item(certs, i), "rawBytes", TUT_LIMIT_CERTIFICATE_BYTES,
                              &a->ders[i], err));
    }
    return read_range(tut_sig_get(v, "validFor"), &a->valid, err);
}

/* The reader's words get their place in front: "certificateAuthorities[1]: ...". */
static tut_status at_place(tut_status s, const tut_error *why, const char *list, uint32_t i,
                           tut_error *err)
{
    if (tut_is_ok(s))
        return s;
    return tut_fail(err, s.code, "the trusted root cannot be used: %s[%u]: %s", list, i, why->text);
}

static tut_status read_logs(const tut_json_value *root, const char *name, tut_sig_log **ret_logs,
                            size_t *ret_count, tut_error *err)
{
    const tut_json_value *list = tut_sig_get(root, name);
    uint32_t count = tut_json_count(list);
    if (count > TUT_SIG_LOGS_MAX)
        return tut_fail(err, TUT_LIMIT, "the trusted root has more than %d %s", TUT_SIG_LOGS_MAX,
                        name);
    if (count == 0)
        return TUT_SUCCESS;
    *ret_logs = tut_alloc_array(count, sizeof(**ret_logs));
    if (!*ret_logs)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    *ret_count = count;
    for (uint32_t i = 0; i < count; i++) {
        tut_error why = {0};
        tut_status s = read_log(tut_json_item(list, i), &(*ret_logs)[i], &why);
        TUT_TRY(at_place(s, &why, name, i, err));
    }
    return TUT_SUCCESS;
}

static tut_status read_authorities(const tut_json_value *root, const char *name,
                                   tut_sig_authority **ret_list, size_t *ret_count, tut_error *err)
{
    const tut_json_value *list = tut_sig_get(root, name);
    uint32_t count = tut_json_count(list);
    if (count > TUT_SIG_AUTHORITIES_MAX)
        return tut_fail(err, TUT_LIMIT, "the trusted root has more than %d %s",
                        TUT_SIG_AUTHORITIES_MAX, name);
    if (count == 0)
        return TUT_SUCCESS;
    *ret_list = tut_alloc_array(count, sizeof(**ret_list));
    if (!*ret_list)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    *ret_count = count;
    for (uint32_t i = 0; i < count; i++) {
        tut_error why = {0};
        tut_status s = read_authority(tut_json_item(list, i), &(*ret_list)[i], &why);
        TUT_TRY(at_place(s, &why, name, i, err));
    }
    return TUT_SUCCESS;
}

static tut_status read_lists(const tut_json_value *v, tut_sig_root *root, tut_error *err)
{
    if (!tut_str_starts(tut_json_get_text(v, "mediaType"),
                        TUT_LIT("application/vnd.dev.sigstore.trustedroot")))
        return tut_fail(err, TUT_MALFORMED,
                        "this is no Sigstore trusted root: mediaType is missing or another's");
    TUT_TRY(read_logs(v, "tlogs", &root->tlogs, &root->tlog_count, err));
    TUT_TRY(read_logs(v, "ctlogs", &root->ctlogs, &root->ctlog_count, err));
    TUT_TRY(read_authorities(v, "certificateAuthorities", &root->cas, &root->ca_count, err));
    return read_authorities(v, "timestampAuthorities", &root->tsas, &root->tsa_count, err);
}

tut_status tut_sig_root_read(tut_span json, tut_sig_root *ret_root, tut_error *err)
{
    if (json.len > TUT_LIMIT_TRUSTED_ROOT_BYTES)
        return tut_fail(err, TUT_LIMIT, "a trusted root of %zu bytes is too large (at most %u)",
                        json.len, TUT_LIMIT_TRUSTED_ROOT_BYTES);
    TUT_AUTO(tut_json_doc) doc = NULL;
    tut_error why = {0};
    tut_status s = tut_json_parse(json, NULL, &doc, &why);
    if (!tut_is_ok(s))
        return tut_fail(err, s.code, "the trusted root cannot be read: %s", why.text);
    tut_sig_root root = {0};
    s = read_lists(tut_json_root(doc), &root, err);
    if (!tut_is_ok(s)) {
        tut_sig_root_done(&root);
        return s;
    }
    *ret_root = root;
    return TUT_SUCCESS;
}

static void free_logs(tut_sig_log *logs, size_t count)
{
    for (size_t i = 0; i < count; i++)
        tut_pubkey_free(logs[i].key);
    tut_free(logs);
}

static void free_authorities(tut_sig_authority *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < list[i].der_count; k++)
            tut_buf_done(&list[i].ders[k]);
    }
    tut_free(list);
}

void tut_sig_root_done(tut_sig_root *root)
{
    free_logs(root->tlogs, root->tlog_count);
    free_logs(root->ctlogs, root->ctlog_count);
    free_authorities(root->cas, root->ca_count);
    free_authorities(root->tsas, root->tsa_count);
    *root = (tut_sig_root){0};
}

const tut_sig_log *tut_sig_find_log(const tut_sig_log *logs, size_t count, const tut_sha256 *id)
{
    for (size_t i = 0; i < count; i++) {
        if (tut_sha256_eq(&logs[i].id, id))
            return &logs[i];
    }
    return NULL;
}

tut_status tut_sig_log_verify(const tut_sig_log *log, tut_span bytes, tut_span signature,
                              tut_error *err)
{
    if (!log->key)
        return tut_fail(err, TUT_UNSUPPORTED, "keys like that of the log %s are not supported",
                        log->url);
    return tut_pubkey_verify(log->key, bytes, signature, err);
}
