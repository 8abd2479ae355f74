#include "cmd/threats_picture.h"

#include "assess/html_threats.h"
#include "assess/threat_picture.h"
#include "base/fs.h"

/* The same document that evidence keeps, so that page, diagram and report show one thing. */
static tut_status view_of(const tut_threats_act *a, tut_threat_view **ret_view, tut_error *err)
{
    TUT_CLEAN(tut_buf) body = TUT_BUF_INIT;
    TUT_TRY(tut_threats_body_with_picture(a->threats, &a->from, &body, err));
    return tut_threat_view_new(tut_buf_span(&body), ret_view, err);
}

tut_status tut_threats_dot(const tut_threats_act *a, tut_buf *out, tut_error *err)
{
    TUT_AUTO(tut_threat_view) v = NULL;
    TUT_TRY(view_of(a, &v, err));
    return tut_threat_dot(v, out, err);
}

tut_status tut_threats_svg(const tut_threats_act *a, tut_buf *out, tut_error *err)
{
    TUT_AUTO(tut_threat_view) v = NULL;
    TUT_TRY(view_of(a, &v, err));
    return tut_threat_svg(v, TUT_PICTURE_ALONE, out, err);
}

static tut_status write_page(const tut_threats_act *a, const char *file, tut_error *err)
{
    TUT_CLEAN(tut_buf) page = TUT_BUF_INIT;
    TUT_AUTO(tut_threat_view) v = NULL;
    TUT_AUTO_FREE char *name = tut_strndup(a->system->name.data, a->system->name.len);
    if (!name)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    TUT_TRY(view_of(a, &v, err));
    TUT_TRY(tut_threat_page(v, name, a->from.at, &page, err));
    return tut_fs_write(file, tut_buf_span(&page), 0644, err);
}

tut_status tut_threats_pictures(const tut_threats_act *a, tut_error *err)
{
    TUT_CLEAN(tut_buf) svg = TUT_BUF_INIT;
    const char *picture = tut_args_get(a->args, "--svg"), *page = tut_args_get(a->args, "--html");
    if (picture) {
        TUT_TRY(tut_threats_svg(a, &svg, err));
        TUT_TRY(tut_fs_write(picture, tut_buf_span(&svg), 0644, err));
    }
    return page ? write_page(a, page, err) : TUT_SUCCESS;
}
