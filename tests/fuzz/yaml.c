/* The YAML reader in both modes; what strict mode accepts survives the codec, and each scalar reads
 * back after quoting. */
#include <stdlib.h>

#include "base/yaml_internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool claim)
{
    if (!claim)
        abort();
}

static void check_codec(const tut_yaml *y, tut_str text)
{
    TUT_CLEAN(tut_buf) once = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) twice = TUT_BUF_INIT;
    TUT_AUTO(tut_yaml) again = NULL;
    tut_yaml_encode(y, &once);
    demand(tut_is_ok(tut_yaml_decode(text, tut_buf_span(&once), &again, NULL)));
    tut_yaml_encode(again, &twice);
    demand(tut_str_eq(tut_buf_str(&once), tut_buf_str(&twice)));
}

static void check_quote(tut_str text)
{
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    TUT_AUTO(tut_yaml) y = NULL;
    if (!tut_utf8_valid(text))
        return;
    tut_buf_add_z(&out, "- ");
    tut_yaml_quote(&out, text);
    tut_buf_add_byte(&out, '\n');
    demand(tut_is_ok(tut_yaml_parse(tut_buf_str(&out), false, &y, NULL)));
    demand(tut_str_eq(tut_yaml_first(y, tut_yaml_root(y))->text, text));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    tut_str text = {(const char *)data, size};
    for (int is_lenient = 0; is_lenient < 2; is_lenient++) {
        TUT_AUTO(tut_yaml) y = NULL;
        tut_error err = {0};
        tut_status s = tut_yaml_parse(text, is_lenient, &y, &err);
        if (!tut_is_ok(s)) {
            demand(err.text[0] && (!err.has_offset || err.offset <= size));
            TUT_CLEAN(tut_buf) shown = TUT_BUF_INIT;
            tut_yaml_show("f", text, 1 + (uint32_t)size % 5, 1 + (uint32_t)size % 9, 3, err.text,
                          &shown);
            continue;
        }
        if (!is_lenient)
            check_codec(y, text);
    }
    check_quote(text);
    return 0;
}
