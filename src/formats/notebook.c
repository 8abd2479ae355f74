/* Notebooks: code by what they run. */
#include "formats/conf.h"
#include "formats/text.h"

static tut_match sniff_notebook(const tut_sniff *s)
{
    tut_str head = tut_str_trim(tut_text_head(s));
    size_t at;
    if (!tut_sniff_text(s) || tut_text_is_hidden(s) || !tut_sniff_ext(s, ".ipynb") ||
        head.len == 0 || head.data[0] != '{')
        return TUT_MATCH_NONE;
    bool fits = tut_str_find(head, TUT_LIT("\"cells\""), &at) ||
                tut_str_find(head, TUT_LIT("\"nbformat\""), &at) ||
                tut_str_find(head, TUT_LIT("\"metadata\""), &at) ||
                tut_str_find(head, TUT_LIT("\"worksheets\""), &at);
    return fits ? TUT_MATCH_WEAK : TUT_MATCH_NONE;
}

static tut_status examine_notebook(tut_exam *x, tut_error *err)
{
    TUT_AUTO(tut_conf) c = tut_conf_new(x, TUT_CONF_NOTEBOOK, err);
    if (!c)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    tut_status status = tut_conf_read_json(c);
    tut_conf_finish(c);
    tut_status code = tut_conf_finish_notebook(c);
    return tut_is_ok(status) ? code : status;
}

extern const tut_format tut_format_notebook;
const tut_format tut_format_notebook = {
    .name = "notebook",
    .label = "Notebook",
    .kind = TUT_KIND_CODE,
    .sniff = sniff_notebook,
    .examine = examine_notebook,
    .extensions = ".ipynb",
    .reads = "code cells counted, language, what their code calls",
    .rules = "code",
};
