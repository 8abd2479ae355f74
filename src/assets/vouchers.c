#include "assets/vouchers.h"

#include "base/fs.h"
#include "base/limits.h"

static const size_t most_bytes[TUT_VOUCHER_COUNT] = {TUT_LIMIT_WITNESS_POLICY_BYTES,
                                                     TUT_LIMIT_PEM_BYTES};

void tut_vouchers_done(tut_vouchers *v)
{
    tut_witness_policy_free(v->policy);
    tut_tsp_trust_free(v->trust);
    for (size_t i = 0; i < TUT_VOUCHER_COUNT; i++)
        tut_buf_done(&v->bytes[i]);
    *v = (tut_vouchers){0};
}

tut_str tut_voucher_file(const tut_system *system, tut_voucher which)
{
    return which == TUT_VOUCHER_WITNESSES ? system->witnesses : system->timestamp_ca;
}

static tut_status take_witnesses(tut_vouchers *v, tut_span bytes, tut_error *err)
{
    TUT_AUTO(tut_witness_policy) policy = NULL;
    TUT_TRY(tut_witness_policy_read(bytes, &policy, err));
    tut_witness_policy_free(v->policy);
    v->policy = tut_move(&policy);
    return TUT_SUCCESS;
}

static tut_status take_authorities(tut_vouchers *v, tut_span bytes, tut_error *err)
{
    TUT_AUTO(tut_tsp_trust) trust = NULL;
    TUT_TRY(tut_tsp_trust_from_pem(bytes, &trust, err));
    tut_tsp_trust_free(v->trust);
    v->trust = tut_move(&trust);
    return TUT_SUCCESS;
}

tut_status tut_vouchers_take(tut_vouchers *v, tut_voucher which, tut_span bytes, const char *path,
                             tut_error *err)
{
    TUT_CLEAN(tut_buf) copy = TUT_BUF_INIT;
    tut_buf_add(&copy, bytes.data, bytes.len);
    TUT_TRY(tut_buf_check(&copy, err));
    tut_status s = which == TUT_VOUCHER_WITNESSES ? take_witnesses(v, bytes, err)
                                                  : take_authorities(v, bytes, err);
    if (!tut_is_ok(s)) {
        tut_error_set_path(err, path);
        return s;
    }
    tut_buf_done(&v->bytes[which]);
    v->bytes[which] = copy;
    copy = (tut_buf)TUT_BUF_INIT;
    return TUT_SUCCESS;
}

tut_status tut_vouchers_read(tut_vouchers *v, tut_voucher which, const char *path, tut_error *err)
{
    TUT_CLEAN(tut_buf) bytes = TUT_BUF_INIT;
    TUT_TRY(tut_fs_read(path, most_bytes[which], &bytes, err));
    return tut_vouchers_take(v, which, tut_buf_span(&bytes), path, err);
}

tut_status tut_vouchers_of(tut_vouchers *v, tut_voucher which, const tut_system *system,
                           tut_error *err)
{
    TUT_CLEAN(tut_buf) bytes = TUT_BUF_INIT;
    tut_str file = tut_voucher_file(system, which);
    bool is_taken = which == TUT_VOUCHER_WITNESSES ? v->policy != NULL : v->trust != NULL;
    if (is_taken || file.len == 0)
        return TUT_SUCCESS;
    TUT_AUTO_FREE char *rel = tut_strndup(file.data, file.len);
    if (!rel)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    TUT_TRY(tut_fs_read_beneath(system->dir, rel, most_bytes[which], &bytes, err));
    return tut_vouchers_take(v, which, tut_buf_span(&bytes), rel, err);
}
