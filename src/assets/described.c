/* Assets without a file: known by what is declared about them. */
#include "assets/system.h"

bool tut_asset_is_described(const tut_asset *a)
{
    if (a->path.len > 0)
        return false;
    return a->kind == TUT_KIND_SERVICE || (a->url.len > 0 && !a->has_digest);
}

tut_status tut_asset_described_digest(const tut_asset *a, tut_sha256 *ret_digest, tut_error *err)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    TUT_AUTO(tut_json) j = NULL;
    TUT_TRY(tut_json_new(&text, &j));
    tut_json_object(j);
    tut_json_put_z(j, "kind", tut_asset_kind_name(a->kind));
    tut_json_put_or_null(j, "supplier", a->supplier);
    tut_json_put_or_null(j, "url", a->url);
    tut_json_put_or_null(j, "version", a->version);
    tut_json_end_object(j);
    TUT_TRY(tut_json_finish(j, err));
    return tut_sha256_of(tut_buf_span(&text), ret_digest, err);
}
