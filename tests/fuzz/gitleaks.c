/* Rule files: TOML to the list; and the list as hostile bytes. The first byte says which. */
#include "text/gitleaks.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    TUT_CLEAN(tut_buf) list = TUT_BUF_INIT;
    TUT_AUTO(tut_text_user) user = NULL;
    tut_span bytes = {data + 1, size - 1};
    if (data[0] % 2 == 0) {
        if (!tut_is_ok(tut_gitleaks_parse(tut_str_from(bytes), &list, NULL)) || size > 512)
            return 0;
        bytes = tut_buf_span(&list);
    }
    tut_span none = {0};
    TUT_IGNORE(tut_text_user_new(bytes, none, &user, NULL));
    return 0;
}
