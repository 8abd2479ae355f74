#include "cmd/vouching.h"

#include "base/fs.h"

/* Without a description there is nothing to be said; whether the command needs one it says itself.
 */
static tut_status load(const tut_args *args, tut_system **ret_system, tut_error *err)
{
    TUT_AUTO_FREE char *dir = NULL;
    TUT_AUTO_FREE char *state = NULL;
    TUT_TRY(tut_cmd_locate(args, NULL, &dir, &state, err));
    return state ? tut_system_load(args->system ? args->system : dir, ret_system, NULL, err)
                 : TUT_SUCCESS;
}

tut_status tut_vouching_given(const tut_args *args, tut_vouchers *v, tut_error *err)
{
    static const char *const options[TUT_VOUCHER_COUNT] = {"--policy", "--ca"};
    for (size_t i = 0; i < TUT_VOUCHER_COUNT; i++) {
        const char *path = tut_args_get(args, options[i]);
        if (path)
            TUT_TRY(tut_vouchers_read(v, (tut_voucher)i, path, err));
    }
    return TUT_SUCCESS;
}

tut_status tut_vouching_described(const tut_args *args, tut_vouchers *v, tut_error *err)
{
    TUT_AUTO(tut_system) system = NULL;
    if (v->policy && v->trust)
        return TUT_SUCCESS;
    TUT_TRY(load(args, &system, err));
    for (size_t i = 0; system && i < TUT_VOUCHER_COUNT; i++)
        TUT_TRY(tut_vouchers_of(v, (tut_voucher)i, system, err));
    return TUT_SUCCESS;
}

tut_status tut_vouching_one(const tut_args *args, tut_voucher which, tut_vouchers *v,
                            tut_error *err)
{
    TUT_AUTO(tut_system) system = NULL;
    TUT_TRY(tut_vouching_given(args, v, err));
    if (which == TUT_VOUCHER_WITNESSES ? v->policy != NULL : v->trust != NULL)
        return TUT_SUCCESS;
    TUT_TRY(load(args, &system, err));
    return system ? tut_vouchers_of(v, which, system, err) : TUT_SUCCESS;
}
