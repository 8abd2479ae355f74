/* Roots in PEM, a request and a response, each but the last behind its u32le length: `test_tsp
 * --seeds DIR` wrote the seeds. */
#include "crypto/tsp.h"
#include "base/reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    tut_reader r = tut_reader_of(tut_span_of(data, size));
    tut_str pem, request;
    tut_span response;
    tut_tsp_trust *trust = NULL;
    tut_tsp_token token;
    tut_error err = {0};
    tut_time at;
    if (!tut_is_ok(tut_reader_sized(&r, &pem)) || !tut_is_ok(tut_reader_sized(&r, &request)) ||
        !tut_is_ok(tut_reader_bytes(&r, tut_reader_left(&r), &response)))
        return 0;
    TUT_IGNORE(tut_tsp_trust_from_pem(tut_span_of(pem.data, pem.len), &trust, NULL));
    tut_span message = tut_span_of("example.com/log\n1\nAAAA\n", 23);
    tut_status s = tut_tsp_verify(response, tut_span_of(request.data, request.len), message, trust,
                                  &token, &err);
    if (tut_is_ok(s) ? token.is_trusted != (trust != NULL) : !err.text[0])
        __builtin_trap();
    TUT_IGNORE(tut_tsp_claimed_time(response, &at, NULL));
    tut_tsp_trust_free(trust);
    return 0;
}
