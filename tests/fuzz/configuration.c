/* Notebooks, YAML with its tags, and the files that Python runs by itself: the first byte says
 * which. */
#include "fuzz/examine.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const formats[] = {"notebook", "yaml", "python-path", "bytecode", "prompt"};
    static const char *const names[] = {"n.ipynb", "c.yaml", "p.pth", "m.pyc",
                                        "chat_template.jinja"};
    if (size == 0)
        return 0;
    size_t which = data[0] % (sizeof(formats) / sizeof(formats[0]));
    fuzz_examine_named(formats[which], tut_str_of(names[which]), data + 1, size - 1, true);
    return 0;
}
