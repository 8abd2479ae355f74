/* Lock files: the first byte chooses the tool whose name the rest goes by. */
#include "fuzz/examine.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const names[] = {
    "requirements.txt", "poetry.lock",  "uv.lock",           "pylock.toml",    "Cargo.lock",
    "yarn.lock",        "Pipfile.lock", "package-lock.json", "pnpm-lock.yaml", "environment.yml",
    "conda-linux.lock", "status",       "dpkg.list",
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 0)
        fuzz_examine_named("lock", tut_str_of(names[data[0] % (sizeof(names) / sizeof(names[0]))]),
                           data + 1, size - 1, true);
    return 0;
}
