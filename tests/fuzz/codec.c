/* Every decoder over the same bytes, and detection. */
#include "formats/codec.h"
#include "base/limits.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void decode(tut_codec codec, const tut_source *source)
{
    tut_budget budget;
    tut_budget_init(&budget);
    budget.bytes_left = 1u << 20;
    TUT_AUTO(tut_stream) in = NULL;
    TUT_AUTO(tut_stream) out = NULL;
    if (tut_is_ok(tut_stream_open_source(source, &in)) &&
        tut_is_ok(tut_codec_open(codec, in, &budget, &out, NULL)))
        TUT_IGNORE(tut_stream_skip(out, UINT64_MAX));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    tut_span bytes = tut_span_of(data, size);
    tut_source source = tut_source_memory(bytes);
    tut_codec found = TUT_CODEC_STORED;
    if (size == 0)
        return 0;
    if (tut_codec_detect(bytes, &found))
        decode(found, &source);
    decode((tut_codec)(data[size - 1] % TUT_CODEC_COUNT), &source);
    return 0;
}
