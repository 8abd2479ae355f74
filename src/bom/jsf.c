/*
 * JSON Signature Format 0.82, as CycloneDX has it: the signature is a member of the object that it
 * signs, over the canonical form (RFC 8785) of that object without the signature's own value.
 *
 *   signature = {"algorithm", "keyId", "publicKey": JWK, "value": base64url}
 *
 * ECDSA signatures are R and S side by side, each as long as the curve's order (RFC 7518).
 */
#include "bom/cyclonedx_internal.h"
#include "crypto/base64.h"
#include "crypto/der.h"

typedef struct algorithm {
    tut_key_type type;
    const char *name, *curve;
    size_t bytes; /* of a coordinate, of R, of S */
} algorithm;

static const algorithm algorithms[] = {
    {TUT_KEY_ED25519, "Ed25519", "Ed25519", 32},
    {TUT_KEY_P256, "ES256", "P-256", 32},
    {TUT_KEY_P384, "ES384", "P-384", 48},
    {TUT_KEY_P521, "ES512", "P-521", 66},
};

static const algorithm *algorithm_of(tut_key_type type)
{
    for (size_t i = 0; i < sizeof(algorithms) / sizeof(algorithms[0]); i++)
        if (algorithms[i].type == type)
            return &algorithms[i];
    return NULL;
}

static void add_base64url(tut_buf *out, tut_span bytes)
{
    size_t from = out->len;
    tut_base64_add(out, bytes);
    while (out->len > from && out->data[out->len - 1] == '=')
        out->len--;
    for (size_t i = from; i < out->len; i++) {
        if (out->data[i] == '+')
            out->data[i] = '-';
        else if (out->data[i] == '/')
            out->data[i] = '_';
    }
}

static tut_status put_bytes(tut_json *j, const char *key, tut_span bytes, tut_error *err)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    add_base64url(&text, bytes);
    tut_json_put_str(j, key, tut_buf_str(&text));
    return tut_buf_check(&text, err);
}

tut_status tut_jsf_header(const tut_key *key, tut_buf *out, tut_error *err)
{
    const tut_pubkey *public = tut_key_public(key);
    const algorithm *a = algorithm_of(tut_pubkey_type(public));
    if (!a)
        return tut_fail(err, TUT_UNSUPPORTED, "a bill is signed with Ed25519 or ECDSA, not %s",
                        tut_key_type_name(tut_pubkey_type(public)));
    tut_span der = tut_pubkey_der(public);
    bool is_raw = a->type == TUT_KEY_ED25519;
    /* The uncompressed point ends the SPKI: 04 X Y. */
    size_t need = is_raw ? a->bytes : 2 * a->bytes;
    if (der.len < need + 1 || (!is_raw && der.data[der.len - need - 1] != 0x04))
        return tut_fail(err, TUT_UNSUPPORTED, "the key is not written as an uncompressed point");
    const uint8_t *point = der.data + der.len - need;
    TUT_AUTO(tut_json) j = NULL;
    TUT_TRY(tut_json_new(out, &j));
    tut_json_object(j);
    tut_json_put_z(j, "algorithm", a->name);
    tut_json_put_z(j, "keyId", tut_pubkey_id(public));
    tut_json_key(j, "publicKey");
    tut_json_object(j);
    tut_json_put_z(j, "kty", is_raw ? "OKP" : "EC");
    tut_json_put_z(j, "crv", a->curve);
    TUT_TRY(put_bytes(j, "x", (tut_span){point, a->bytes}, err));
    if (!is_raw)
        TUT_TRY(put_bytes(j, "y", (tut_span){point + a->bytes, a->bytes}, err));
    tut_json_end_object(j);
    tut_json_end_object(j);
    return tut_json_finish(j, err);
}

/* A DER integer, right-aligned in so many bytes. */
static tut_status take_integer(tut_reader *r, size_t bytes, uint8_t *ret_bytes)
{
    tut_reader content;
    TUT_TRY(tut_der_expect(r, TUT_DER_INTEGER, &content));
    tut_span n = tut_der_rest(&content);
    while (n.len && n.data[0] == 0)
        n = (tut_span){n.data + 1, n.len - 1};
    if (n.len > bytes)
        return (tut_status){TUT_MALFORMED};
    memset(ret_bytes, 0, bytes);
    memcpy(ret_bytes + bytes - n.len, n.data, n.len);
    return TUT_SUCCESS;
}

static tut_status side_by_side(tut_span der, size_t bytes, uint8_t *ret_both)
{
    tut_reader all = tut_reader_of(der), pair;
    TUT_TRY(tut_der_expect(&all, TUT_DER_SEQUENCE, &pair));
    TUT_TRY(take_integer(&pair, bytes, ret_both));
    return take_integer(&pair, bytes, ret_both + bytes);
}

tut_status tut_jsf_sign(const tut_key *key, tut_span canonical, tut_buf *out, tut_error *err)
{
    const algorithm *a = algorithm_of(tut_pubkey_type(tut_key_public(key)));
    TUT_CLEAN(tut_buf) signature = TUT_BUF_INIT;
    uint8_t both[2 * 66];
    TUT_TRY(tut_key_sign(key, canonical, &signature, err));
    if (a->type == TUT_KEY_ED25519) {
        add_base64url(out, tut_buf_span(&signature));
        return tut_buf_check(out, err);
    }
    if (!tut_is_ok(side_by_side(tut_buf_span(&signature), a->bytes, both)))
        return tut_fail(err, TUT_CRYPTO, "the key made a signature that is none");
    add_base64url(out, (tut_span){both, 2 * a->bytes});
    return tut_buf_check(out, err);
}
