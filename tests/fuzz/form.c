/* Documents of due diligence and of the design: any text, read as each kind of form. */
#include "assess/form.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_as(const tut_form_kind *kind, tut_str text)
{
    tut_form form;
    tut_error err = {0};
    if (tut_is_ok(tut_form_read(kind, text, &form, &err)) && kind->wants_until && !form.has_until)
        __builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const checks[] = {"bom.due-diligence", "supplier.due-diligence"};
    static const char *const names[] = {"design",      "custodian", "documentation",
                                        "maintenance", "card",      "intended-use"};
    tut_str text = {(const char *)data, size};
    for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++)
        read_as(tut_form_of(tut_str_of(checks[i])), text);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        read_as(tut_form_named(names[i]), text);
    return 0;
}
