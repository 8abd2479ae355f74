/* Documents of due diligence: any text, read as each kind of form. */
#include "assess/form.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const checks[] = {"bom.due-diligence", "supplier.due-diligence"};
    for (size_t i = 0; i < 2; i++) {
        tut_form form;
        tut_error err = {0};
        tut_str text = {(const char *)data, size};
        if (tut_is_ok(tut_form_read(tut_form_of(tut_str_of(checks[i])), text, &form, &err)) &&
            !form.has_until)
            __builtin_trap();
    }
    return 0;
}
