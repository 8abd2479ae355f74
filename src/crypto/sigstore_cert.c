/*
 * The signing certificate: issued for minutes by a certificate authority of the trusted root, to
 * somebody whom an issuer of identities vouched for. Valid then is what counts, not now.
 */
#include "crypto/sigstore_internal.h"

static tut_status read_cert(const tut_sig_bundle *b, X509 **ret_cert, tut_error *err)
{
    return tut_ossl_cert(tut_buf_span(&b->leaf), ret_cert, err);
}

/* ---- the chain ---- */

static tut_status load_authority(const tut_sig_authority *a, STACK_OF(X509) * anchors,
                                 STACK_OF(X509) * others, tut_error *err)
{
    for (size_t i = 0; i < a->der_count; i++) {
        TUT_OSSL(X509) cert = NULL;
        TUT_TRY(tut_ossl_cert(tut_buf_span(&a->ders[i]), &cert, err));
        if (sk_X509_push(i + 1 == a->der_count ? anchors : others, cert) <= 0)
            return tut_fail(err, TUT_NOMEM, "memory ran out");
        cert = NULL;
    }
    return TUT_SUCCESS;
}

/* On success *ret_issuer is who issued the leaf, with a reference of its own. */
static tut_status chain_to(X509 *leaf, const tut_sig_authority *a, tut_time at, X509 **ret_issuer,
                           tut_error *err)
{
    TUT_OSSL_CERTS anchors = sk_X509_new_null();
    TUT_OSSL_CERTS others = sk_X509_new_null();
    TUT_OSSL(X509_STORE_CTX) ctx = X509_STORE_CTX_new();
    TUT_OSSL(X509_STORE) store = NULL;
    if (!anchors || !others || !ctx)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    TUT_TRY(load_authority(a, anchors, others, err));
    TUT_TRY(tut_ossl_store(anchors, at, &store, err));
    if (X509_STORE_CTX_init(ctx, store, leaf, others) != 1)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    if (X509_verify_cert(ctx) != 1) {
        const char *why = X509_verify_cert_error_string(X509_STORE_CTX_get_error(ctx));
        ERR_clear_error();
        return tut_fail(err, TUT_CRYPTO, "%s", why);
    }
    STACK_OF(X509) *chain = X509_STORE_CTX_get0_chain(ctx);
    X509 *issuer = sk_X509_num(chain) > 1 ? sk_X509_value(chain, 1) : NULL;
    if (!issuer || X509_up_ref(issuer) != 1)
        return tut_fail(err, TUT_CRYPTO, "it was issued by nobody but itself");
    *ret_issuer = issuer;
    return TUT_SUCCESS;
}

static tut_status chain_at(X509 *leaf, const tut_sig_root *root, tut_time at, X509 **ret_issuer,
                           tut_error *err)
{
    char text[TUT_TIME_TEXT];
    tut_error why = {0};
    tut_str_copy(why.text, sizeof(why.text),
                 TUT_LIT("the trusted root has no certificate authority in use then"));
    for (size_t i = 0; i < root->ca_count; i++) {
        if (!tut_sig_within(&root->cas[i].valid, at))
            continue;
        tut_error mine = {0};
        tut_status s = chain_to(leaf, &root->cas[i], at, ret_issuer, &mine);
        if (tut_is_ok(s) || s.code != TUT_CRYPTO)
            return tut_is_ok(s) ? s : tut_fail(err, s.code, "%s", mine.text);
        why = mine;
    }
    tut_time_rfc3339(at, text);
    return tut_fail(err, TUT_CRYPTO, "the signing certificate does not verify as of %s: %s", text,
                    why.text);
}

static tut_status check_use(X509 *leaf, tut_error *err)
{
    uint32_t flags = X509_get_extension_flags(leaf);
    if (flags & (EXFLAG_INVALID | EXFLAG_CA))
        return tut_fail(err, TUT_CRYPTO,
                        "the signing certificate is an authority's, or its extensions are damaged");
    if (!(flags & EXFLAG_XKUSAGE) || !(X509_get_extended_key_usage(leaf) & XKU_CODE_SIGN) ||
        !(X509_get_key_usage(leaf) & KU_DIGITAL_SIGNATURE))
        return tut_fail(err, TUT_CRYPTO, "the signing certificate is not one for signing code");
    return TUT_SUCCESS;
}

tut_status tut_sig_check_leaf(const tut_sig_bundle *b, const tut_sig_root *root,
                              const tut_time *times, size_t count, tut_error *err)
{
    TUT_OSSL(X509) leaf = NULL;
    TUT_TRY(read_cert(b, &leaf, err));
    TUT_TRY(check_use(leaf, err));
    for (size_t i = 0; i < count; i++) {
        TUT_OSSL(X509) issuer = NULL;
        TUT_TRY(chain_at(leaf, root, times[i], &issuer, err));
        if (i == 0)
            TUT_TRY(tut_sig_check_scts(leaf, issuer, root, err));
    }
    return TUT_SUCCESS;
}

/* ---- whom it names ---- */

#define FULCIO_ISSUER_V1 "1.3.6.1.4.1.57264.1.1" /* the bare text */
#define FULCIO_ISSUER_V2 "1.3.6.1.4.1.57264.1.8" /* DER of a UTF8String */
#define FULCIO_USERNAME "1.3.6.1.4.1.57264.1.7"  /* otherName in the subject's names */

/* Names are shown to people and compared as C text: no NUL, no cut. */
static tut_status take_text(const unsigned char *data, int len, const char *what,
                            char out[TUT_SIGSTORE_TEXT], tut_error *err)
{
    tut_str text = {(const char *)data, len > 0 ? (size_t)len : 0};
    if (text.len == 0 || text.len >= TUT_SIGSTORE_TEXT || memchr(text.data, 0, text.len) ||
        !tut_utf8_valid(text))
        return tut_fail(err, TUT_MALFORMED,
                        "the signing certificate's %s is empty, too long or no text", what);
    tut_str_copy(out, TUT_SIGSTORE_TEXT, text);
    return TUT_SUCCESS;
}

static const ASN1_STRING *text_of(const GENERAL_NAME *name)
{
    int type;
    const void *value = GENERAL_NAME_get0_value(name, &type);
    if (type == GEN_EMAIL || type == GEN_URI)
        return value;
    if (type != GEN_OTHERNAME)
        return NULL;
    ASN1_OBJECT *oid;
    ASN1_TYPE *other;
    char text[64];
    if (GENERAL_NAME_get0_otherName(name, &oid, &other) != 1 ||
        OBJ_obj2txt(text, sizeof(text), oid, 1) <= 0 || strcmp(text, FULCIO_USERNAME) != 0 ||
        other->type != V_ASN1_UTF8STRING)
        return NULL;
    return other->value.utf8string;
}

static tut_status read_identity(X509 *leaf, char out[TUT_SIGSTORE_TEXT], tut_error *err)
{
    TUT_OSSL(GENERAL_NAMES) names = X509_get_ext_d2i(leaf, NID_subject_alt_name, NULL, NULL);
    const ASN1_STRING *text = names && sk_GENERAL_NAME_num(names) == 1
                                  ? text_of(sk_GENERAL_NAME_value(names, 0))
                                  : NULL;
    ERR_clear_error();
    if (!text)
        return tut_fail(err, TUT_MALFORMED,
                        "the signing certificate does not name exactly one identity (e-mail "
                        "address, URI or user name)");
    return take_text(ASN1_STRING_get0_data(text), ASN1_STRING_length(text), "identity", out, err);
}

static const ASN1_OCTET_STRING *extension(const X509 *leaf, const char *oid)
{
    ASN1_OBJECT *wanted = OBJ_txt2obj(oid, 1);
    int at = wanted ? X509_get_ext_by_OBJ(leaf, wanted, -1) : -1;
    ASN1_OBJECT_free(wanted);
    return at < 0 ? NULL : X509_EXTENSION_get_data(X509_get_ext(leaf, at));
}

static tut_status read_issuer(const X509 *leaf, char out[TUT_SIGSTORE_TEXT], tut_error *err)
{
    const ASN1_OCTET_STRING *value = extension(leaf, FULCIO_ISSUER_V2);
    if (!value) {
        value = extension(leaf, FULCIO_ISSUER_V1);
        if (!value)
            return tut_fail(err, TUT_MALFORMED,
                            "the signing certificate does not say who vouched for its identity");
        return take_text(ASN1_STRING_get0_data(value), ASN1_STRING_length(value), "issuer", out,
                         err);
    }
    const unsigned char *at = ASN1_STRING_get0_data(value);
    const unsigned char *end = at + ASN1_STRING_length(value);
    TUT_OSSL(ASN1_UTF8STRING) text = d2i_ASN1_UTF8STRING(NULL, &at, end - at);
    ERR_clear_error();
    if (!text || at != end)
        return tut_fail(err, TUT_MALFORMED, "the signing certificate's issuer is no text");
    return take_text(ASN1_STRING_get0_data(text), ASN1_STRING_length(text), "issuer", out, err);
}

tut_status tut_sig_read_leaf(const tut_sig_bundle *b, tut_sigstore_result *result,
                             tut_pubkey **ret_key, tut_error *err)
{
    TUT_OSSL(X509) leaf = NULL;
    TUT_TRY(read_cert(b, &leaf, err));
    TUT_TRY(read_identity(leaf, result->identity, err));
    TUT_TRY(read_issuer(leaf, result->issuer, err));
    unsigned char *der = NULL;
    int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(leaf), &der);
    if (len <= 0)
        return tut_fail(err, TUT_CRYPTO, "the signing certificate's key cannot be read");
    tut_status s = tut_pubkey_from_der(tut_span_of(der, (size_t)len), ret_key, err);
    OPENSSL_free(der);
    return s;
}
