#include "crypto/sigstore.h"

#include "crypto/sigstore_internal.h"

enum { TIMES_MAX = TUT_SIG_STAMPS_MAX + TUT_SIG_ENTRIES_MAX };

typedef struct verification {
    tut_sig_bundle bundle;
    tut_sig_root root;
    tut_pubkey *leaf_key; /* owned; NULL for a bundle by key */
    const tut_pubkey *key;
    tut_time times[TIMES_MAX];
    size_t time_count;
    tut_sigstore_result result;
} verification;

static void verification_done(verification *v)
{
    tut_sig_bundle_done(&v->bundle);
    tut_sig_root_done(&v->root);
    tut_pubkey_free(v->leaf_key);
    tut_sigstore_result_done(&v->result);
}

static tut_status read_signer(verification *v, const tut_sigstore_policy *policy, tut_error *err)
{
    if (!v->bundle.by_key) {
        TUT_TRY(tut_sig_read_leaf(&v->bundle, &v->result, &v->leaf_key, err));
        v->key = v->leaf_key;
        return TUT_SUCCESS;
    }
    if (!policy->key)
        return tut_fail(err, TUT_DENIED,
                        "the bundle is signed by a key without a certificate, and no key to verify "
                        "it by was given");
    v->key = policy->key;
    return TUT_SUCCESS;
}

static void note_time(verification *v, tut_time at, tut_sigstore_time source)
{
    if (v->time_count == 0 || at < v->result.at) {
        v->result.at = at;
        v->result.source = source;
    }
    if (v->time_count < TIMES_MAX)
        v->times[v->time_count++] = at;
}

static tut_status collect_times(verification *v, tut_error *err)
{
    tut_time stamps[TUT_SIG_STAMPS_MAX];
    size_t count = 0;
    TUT_TRY(tut_sig_check_stamps(&v->bundle, &v->root, stamps, &count, err));
    for (size_t i = 0; i < count; i++)
        note_time(v, stamps[i], TUT_SIGSTORE_TIME_AUTHORITY);
    for (size_t i = 0; i < v->bundle.entry_count; i++) {
        bool has_time;
        tut_time at;
        TUT_TRY(
            tut_sig_check_entry(&v->bundle.entries[i], &v->bundle, &v->root, &has_time, &at, err));
        if (has_time)
            note_time(v, at, TUT_SIGSTORE_TIME_LOG);
    }
    if (v->time_count == 0 && !v->bundle.by_key)
        return tut_fail(err, TUT_CRYPTO,
                        "nothing in the bundle proves when it was signed: no time-stamp, and no "
                        "signed entry timestamp");
    return TUT_SUCCESS;
}

/* A log without a promised time is held to have been in use at the other trusted times: its entry
 * was made within seconds of them. */
static tut_status check_logs_in_use(const verification *v, tut_error *err)
{
    for (size_t i = 0; i < v->bundle.entry_count; i++) {
        const tut_sig_entry *e = &v->bundle.entries[i];
        const tut_sig_log *log = tut_sig_find_log(v->root.tlogs, v->root.tlog_count, &e->log_id);
        for (size_t k = 0; log && e->promise.len == 0 && k < v->time_count; k++) {
            if (!tut_sig_within(&log->valid, v->times[k]))
                return tut_fail(err, TUT_CRYPTO,
                                "the entry was logged when the trusted root did not have %s in use",
                                log->url);
        }
    }
    return TUT_SUCCESS;
}

static tut_status check_entries(verification *v, tut_error *err)
{
    const tut_sig_entry *first = &v->bundle.entries[0];
    for (size_t i = 0; i < v->bundle.entry_count; i++)
        TUT_TRY(tut_sig_check_body(&v->bundle.entries[i], &v->bundle, v->key, err));
    const tut_sig_log *log = tut_sig_find_log(v->root.tlogs, v->root.tlog_count, &first->log_id);
    tut_str_copy(v->result.log, sizeof(v->result.log), tut_str_of(log ? log->url : ""));
    v->result.log_index = first->log_index;
    return TUT_SUCCESS;
}

static tut_status check_signature(const verification *v, tut_error *err)
{
    const tut_sig_bundle *b = &v->bundle;
    if (b->has_digest) {
        tut_sha256 digest;
        TUT_TRY(tut_sha256_of(tut_buf_span(&b->signed_bytes), &digest, err));
        if (!tut_sha256_eq(&digest, &b->digest))
            return tut_fail(err, TUT_CRYPTO, "messageDigest is that of another file");
    }
    tut_error why = {0};
    tut_status s = tut_pubkey_verify(v->key, tut_buf_span(&b->signed_bytes),
                                     tut_buf_span(&b->signature), &why);
    if (!tut_is_ok(s))
        return tut_fail(err, s.code, "the signature does not verify by the signer's key: %s",
                        why.text);
    return TUT_SUCCESS;
}

static tut_status check_demand(const char *demanded, const char *found, const char *what,
                               tut_error *err)
{
    if (!demanded || strcmp(demanded, found) == 0)
        return TUT_SUCCESS;
    return tut_fail(err, TUT_DENIED, "signed by another %s: \"%s\", not \"%s\"", what,
                    found[0] ? found : "none", demanded);
}

static tut_status keep_payload(verification *v, tut_error *err)
{
    if (!v->bundle.is_envelope)
        return TUT_SUCCESS;
    tut_sigstore_result *r = &v->result;
    r->payload = v->bundle.envelope.payload;
    v->bundle.envelope.payload = TUT_BUF_INIT;
    tut_buf_add_str(&r->payload_type, v->bundle.envelope.type);
    return tut_buf_z(&r->payload_type) ? TUT_SUCCESS : tut_buf_check(&r->payload_type, err);
}

static tut_status verify(verification *v, const tut_sigstore_policy *policy, tut_error *err)
{
    TUT_TRY(read_signer(v, policy, err));
    TUT_TRY(check_signature(v, err));
    TUT_TRY(check_entries(v, err));
    TUT_TRY(collect_times(v, err));
    TUT_TRY(check_logs_in_use(v, err));
    if (!v->bundle.by_key)
        TUT_TRY(tut_sig_check_leaf(&v->bundle, &v->root, v->times, v->time_count, err));
    TUT_TRY(check_demand(policy->identity, v->result.identity, "identity", err));
    TUT_TRY(check_demand(policy->issuer, v->result.issuer, "issuer of identities", err));
    return keep_payload(v, err);
}

tut_status tut_sigstore_verify(const tut_json_value *bundle, tut_span trusted_root_json,
                               const tut_sigstore_policy *policy, tut_sigstore_result *ret_result,
                               tut_error *err)
{
    TUT_CLEAN(verification) v = {0};
    tut_ossl_start();
    TUT_TRY(tut_sig_root_read(trusted_root_json, &v.root, err));
    TUT_TRY(tut_sig_bundle_read(bundle, policy->artifact, &v.bundle, err));
    TUT_TRY(verify(&v, policy, err));
    *ret_result = v.result;
    v.result = (tut_sigstore_result){0};
    return TUT_SUCCESS;
}

void tut_sigstore_result_done(tut_sigstore_result *result)
{
    tut_buf_done(&result->payload);
    tut_buf_done(&result->payload_type);
    *result = (tut_sigstore_result){0};
}
