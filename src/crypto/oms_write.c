/* Writing statements and bundles. The JSON is canonical (keys sorted, no white space), so the same
 * model, key and options give the same payload. */
#include "base/limits.h"
#include "crypto/oms_internal.h"

static void write_resources(tut_json *j, const tut_oms_statement *s)
{
    char hex[TUT_HASH_HEX_MAX];
    tut_json_key(j, "resources");
    tut_json_array(j);
    for (size_t i = 0; i < s->count; i++) {
        tut_hash_hex(s->hash, &s->resources[i].digest, hex);
        tut_json_object(j);
        tut_json_put_z(j, "algorithm", tut_hash_name(s->hash));
        tut_json_put_z(j, "digest", hex);
        tut_json_put_str(j, "name", s->resources[i].name);
        tut_json_end_object(j);
    }
    tut_json_end_array(j);
}

static void write_serialization(tut_json *j, const tut_oms_statement *s)
{
    tut_json_key(j, "serialization");
    tut_json_object(j);
    tut_json_put_z(j, "method", "files");
    tut_json_put_z(j, "hash_type", tut_hash_name(s->hash));
    tut_json_put_bool(j, "allow_symlinks", s->allow_symlinks);
    tut_json_key(j, "ignore_paths");
    tut_json_array(j);
    for (size_t i = 0; i < s->ignore_count; i++)
        tut_json_str(j, s->ignore[i]);
    tut_json_end_array(j);
    tut_json_end_object(j);
}

static void write_subject(tut_json *j, const tut_oms_statement *s)
{
    tut_json_key(j, "subject");
    tut_json_array(j);
    tut_json_object(j);
    tut_json_put_str(j, "name", s->subject);
    tut_json_key(j, "digest");
    tut_json_sha256(j, s->root.bytes);
    tut_json_end_object(j);
    tut_json_end_array(j);
}

/* What a reader would refuse is not signed. */
static tut_status check(const tut_oms_statement *s, tut_error *err)
{
    if (s->count == 0)
        return tut_fail(err, TUT_USAGE, "no file is left to sign");
    if (s->method != TUT_OMS_FILES || s->is_old || s->subject.len == 0)
        return tut_fail(err, TUT_BUG, "only statements over files are written");
    for (size_t i = 0; i < s->count; i++) {
        if (!tut_oms_name_ok(s->resources[i].name) ||
            (i > 0 && tut_str_cmp(s->resources[i - 1].name, s->resources[i].name) >= 0))
            return tut_fail(err, TUT_BUG, "the files of a statement are not sound and in order");
    }
    tut_sha256 root;
    TUT_TRY(tut_oms_root_of(s, &root, err));
    if (!tut_sha256_eq(&root, &s->root))
        return tut_fail(err, TUT_BUG, "the root of a statement is not that of its files");
    return TUT_SUCCESS;
}

tut_status tut_oms_statement_write(const tut_oms_statement *s, tut_buf *out, tut_error *err)
{
    TUT_AUTO(tut_json) j = NULL;
    TUT_TRY(check(s, err));
    TUT_TRY(tut_json_new(out, &j));
    tut_json_object(j);
    tut_json_put_z(j, "_type", "https://in-toto.io/Statement/v1");
    tut_json_put_z(j, "predicateType", TUT_OMS_PREDICATE);
    write_subject(j, s);
    tut_json_key(j, "predicate");
    tut_json_object(j);
    write_resources(j, s);
    write_serialization(j, s);
    tut_json_end_object(j);
    tut_json_end_object(j);
    TUT_TRY(tut_json_finish(j, err));
    if (out->len > TUT_LIMIT_OMS_BYTES / 4 * 3 - 65536)
        return tut_fail(err, TUT_LIMIT,
                        "the signature would have more than %u bytes, which no "
                        "reader takes; sign fewer files at once",
                        TUT_LIMIT_OMS_BYTES);
    return TUT_SUCCESS;
}

static tut_status add_base64(tut_json *j, const char *key, tut_span bytes, tut_error *err)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    tut_base64_add(&text, bytes);
    TUT_TRY(tut_buf_check(&text, err));
    tut_json_put_str(j, key, tut_buf_str(&text));
    return TUT_SUCCESS;
}

static tut_status write_material(tut_json *j, const tut_key *key, const tut_span *chain,
                                 size_t chain_count, tut_error *err)
{
    tut_json_key(j, "verificationMaterial");
    tut_json_object(j);
    tut_json_key(j, chain_count > 0 ? "x509CertificateChain" : "publicKey");
    tut_json_object(j);
    if (chain_count == 0) {
        tut_json_put_z(j, "hint", tut_pubkey_id(tut_key_public(key)));
    } else {
        tut_json_key(j, "certificates");
        tut_json_array(j);
        for (size_t i = 0; i < chain_count; i++) {
            tut_json_object(j);
            TUT_TRY(add_base64(j, "rawBytes", chain[i], err));
            tut_json_end_object(j);
        }
        tut_json_end_array(j);
    }
    tut_json_end_object(j);
    tut_json_key(j, "tlogEntries");
    tut_json_array(j);
    tut_json_end_array(j);
    tut_json_end_object(j);
    return TUT_SUCCESS;
}

tut_status tut_oms_bundle_write(tut_span payload, const tut_key *key, const tut_span *chain,
                                size_t chain_count, tut_buf *out, tut_error *err)
{
    TUT_AUTO(tut_json) j = NULL;
    TUT_TRY(tut_oms_key_ok(tut_key_public(key), err));
    TUT_TRY(tut_json_new(out, &j));
    tut_json_object(j);
    tut_json_put_z(j, "mediaType", TUT_OMS_MEDIA_TYPE);
    TUT_TRY(write_material(j, key, chain, chain_count, err));
    tut_json_key(j, "dsseEnvelope");
    TUT_TRY(tut_dsse_write(j, TUT_DSSE_INTOTO, payload, &key, 1, err));
    tut_json_end_object(j);
    return tut_json_finish(j, err);
}
