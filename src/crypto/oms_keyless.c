/* Keyless mode: Sigstore says who signed and when; OMS says what. */
#include "crypto/oms.h"
#include "crypto/sigstore_internal.h"

tut_status tut_oms_check_trusted_root(tut_span trusted_root_json, tut_error *err)
{
    TUT_CLEAN(tut_sig_root) root = {0};
    return tut_sig_root_read(trusted_root_json, &root, err);
}

tut_status tut_oms_verify_keyless(const tut_oms_bundle *b, tut_span trusted_root_json,
                                  const tut_sigstore_policy *policy,
                                  tut_sigstore_result *ret_result,
                                  tut_oms_statement **ret_statement, tut_error *err)
{
    TUT_CLEAN(tut_sigstore_result) result = {0};
    if (b->mode != TUT_OMS_KEYLESS)
        return tut_fail(err, TUT_CRYPTO, "was not made through Sigstore; verify it with %s",
                        b->mode == TUT_OMS_KEY ? "--key" : "--certificate-root");
    tut_status status = tut_sigstore_verify(tut_json_root(b->doc), trusted_root_json, policy,
                                            &result, err);
    /* DENIED is for files and rights; here it says that somebody else signed. */
    if (status.code == TUT_DENIED) {
        if (err)
            err->code = TUT_CRYPTO;
        return (tut_status){TUT_CRYPTO};
    }
    TUT_TRY(status);
    if (!tut_str_eq_z(tut_buf_str(&result.payload_type), TUT_DSSE_INTOTO))
        return tut_fail(err, TUT_MALFORMED,
                        "is no model signature: its payload is no in-toto "
                        "statement");
    TUT_TRY(tut_oms_statement_read(tut_buf_span(&result.payload), ret_statement, err));
    *ret_result = result;
    result = (tut_sigstore_result){0};
    return TUT_SUCCESS;
}
