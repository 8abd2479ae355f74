/* A trusted root, a NUL, and a bundle: `test_sigstore --seeds DIR` wrote the seeds. */
#include <string.h>

#include "crypto/sigstore.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *end = size ? memchr(data, 0, size) : NULL;
    if (!end)
        return 0;
    size_t root_len = (size_t)(end - data);
    tut_span root = tut_span_of(data, root_len);
    tut_span bundle = tut_span_of(end + 1, size - root_len - 1);
    tut_span artifact = tut_span_of("{\"a\":1}", 7);
    tut_json_doc *doc = NULL;
    if (!tut_is_ok(tut_json_parse(bundle, NULL, &doc, NULL)))
        return 0;
    tut_sigstore_policy policy = {.artifact = &artifact};
    tut_sigstore_result result;
    tut_error err = {0};
    if (tut_is_ok(tut_sigstore_verify(tut_json_root(doc), root, &policy, &result, &err))) {
        if (!result.identity[0] || !result.issuer[0] || result.at <= 0)
            __builtin_trap(); /* whoever signed has a name, and did so at a time */
        tut_sigstore_result_done(&result);
    } else if (!err.text[0]) {
        __builtin_trap(); /* a refusal says why */
    }
    tut_json_doc_free(doc);
    return 0;
}
