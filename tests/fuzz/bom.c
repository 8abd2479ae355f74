/* An inventory as somebody may have written it by hand: whatever is in it, the bills are JSON, and
 * the same twice. */
#include "bom/bom.h"
#include "bom/g7.h"

static void must_parse(const tut_buf *text)
{
    TUT_AUTO(tut_json_doc) doc = NULL;
    if (!tut_is_ok(tut_json_parse(tut_buf_span(text), NULL, &doc, NULL)))
        __builtin_trap();
    if (tut_json_root(doc)->type != TUT_JSON_OBJECT)
        __builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    TUT_AUTO(tut_bom) bom = NULL;
    TUT_CLEAN(tut_buf) cyclonedx = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) again = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) spdx = TUT_BUF_INIT;
    tut_bom_input input = {.inventory = tut_span_of(data, size), .at = 1700000000};
    if (!tut_is_ok(tut_bom_new(&input, &bom, NULL)))
        return 0;
    if (!tut_is_ok(tut_bom_cyclonedx(bom, TUT_BOM_CYCLONEDX_16, NULL, &cyclonedx, NULL)) ||
        !tut_is_ok(tut_bom_cyclonedx(bom, TUT_BOM_CYCLONEDX_16, NULL, &again, NULL)) ||
        !tut_is_ok(tut_bom_spdx(bom, &spdx, NULL)))
        __builtin_trap();
    must_parse(&cyclonedx);
    must_parse(&spdx);
    if (!tut_str_eq(tut_buf_str(&cyclonedx), tut_buf_str(&again)))
        __builtin_trap();
    return 0;
}
