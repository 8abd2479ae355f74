/* 7z archives, and the JSON that comes in archives: schemas of skops, manifests of TorchServe and
 * of images. */
#include "fuzz/examine.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 2 && data[0] == '7' && data[1] == 'z') {
        fuzz_examine("7z", data, size, true);
        return 0;
    }
    fuzz_examine("skops-schema", data, size, true);
    fuzz_examine("image-manifest", data, size, true);
    fuzz_examine("torchserve-manifest", data, size, true);
    fuzz_examine("rar", data, size, true);
    return 0;
}
