/* Times that authorities of the trusted root gave to the signature. */
#include "crypto/sigstore_internal.h"
#include "crypto/tsp.h"

static tut_status check_by(const tut_sig_authority *a, tut_span stamp, tut_span signature,
                           tut_time *ret_time, tut_error *err)
{
    tut_span ders[TUT_SIG_CHAIN_MAX];
    TUT_AUTO(tut_tsp_trust) trust = NULL;
    tut_tsp_token token;
    for (size_t i = 0; i < a->der_count; i++)
        ders[i] = tut_buf_span(&a->ders[i]);
    TUT_TRY(tut_tsp_trust_from_chain(ders, a->der_count, &trust, err));
    TUT_TRY(tut_tsp_verify(stamp, (tut_span){0}, signature, trust, &token, err));
    if (!tut_sig_within(&a->valid, token.at)) {
        char at[TUT_TIME_TEXT];
        tut_time_rfc3339(token.at, at);
        return tut_fail(err, TUT_CRYPTO,
                        "its time, %s, is not one at which the trusted root has that authority in "
                        "use",
                        at);
    }
    *ret_time = token.at;
    return TUT_SUCCESS;
}

static tut_status check_one(const tut_sig_root *root, tut_span stamp, tut_span signature,
                            tut_time *ret_time, tut_error *err)
{
    tut_error why = {0};
    tut_code code = TUT_CRYPTO;
    tut_str_copy(why.text, sizeof(why.text),
                 TUT_LIT("the trusted root has no time-stamp authorities"));
    for (size_t i = 0; i < root->tsa_count; i++) {
        tut_error mine = {0};
        tut_status s = check_by(&root->tsas[i], stamp, signature, ret_time, &mine);
        if (tut_is_ok(s))
            return s;
        /* Of several reasons the one of the authority that did sign says most: it was tried as far
         * as its time. */
        if (i == 0 || mine.code != TUT_CRYPTO || strstr(mine.text, "in use"))
            why = mine;
        code = s.code;
    }
    return tut_fail(err, code, "an RFC 3161 time-stamp does not verify: %s", why.text);
}

tut_status tut_sig_check_stamps(const tut_sig_bundle *b, const tut_sig_root *root, tut_time *times,
                                size_t *ret_count, tut_error *err)
{
    for (size_t i = 0; i < b->stamp_count; i++)
        TUT_TRY(check_one(root, tut_buf_span(&b->stamps[i]), tut_buf_span(&b->signature), &times[i],
                          err));
    *ret_count = b->stamp_count;
    return TUT_SUCCESS;
}
