/* The detector over any bytes, in every role, whole and as weights. */
#include <stdlib.h>

#include "detect/detect.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static tut_model *model;
static tut_detector *detector;

static void must(bool is_so)
{
    if (!is_so)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!detector)
        must(tut_is_ok(tut_model_builtin(&model, NULL)) &&
             tut_is_ok(tut_detector_new(model, &detector, NULL)));
    if (size == 0)
        return 0;
    tut_detect_role role = (tut_detect_role)(data[0] % TUT_DETECT_COUNT);
    tut_str text = {(const char *)data + 1, size - 1};
    tut_detect_verdict v, again;
    must(tut_is_ok(tut_detect(detector, role, text, &v, NULL)));
    must(v.score >= 0 && v.score <= 1 && v.reason_count <= TUT_DETECT_REASONS);
    must(v.action == TUT_ACTION_ALLOW || v.reason_count > 0);
    for (size_t i = 0; i < v.reason_count; i++)
        must(v.reasons[i].at <= text.len && v.reasons[i].text[TUT_DETECT_TEXT - 1] == '\0');
    bool is_done = false; /* in steps it comes to the same */
    must(tut_is_ok(tut_detect_begin(detector, role, text, NULL)));
    while (!is_done)
        must(tut_is_ok(tut_detect_step(detector, 1 + data[0] / 4, &is_done, NULL)));
    must(tut_is_ok(tut_detect_end(detector, &again, NULL)));
    must(v.score == again.score && v.action == again.action); /* nothing is left from before */
    tut_model *read = NULL;
    if (data[0] == 'T' && tut_is_ok(tut_model_read(tut_span_of(data, size), &read, NULL)))
        tut_model_free(read);
    return 0;
}
