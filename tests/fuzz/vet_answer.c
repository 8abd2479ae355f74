/* What a worker answers about datasets is hostile: it decodes whole, or not at all. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "data/sanitise_internal.h"
#include "data/vet_internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    tut_reader r = tut_reader_of(tut_span_of(data, size));
    tut_vet_dataset d = {.path = "x"};
    if (tut_is_ok(tut_vet_answer_read(&r, &d, NULL))) {
        TUT_CLEAN(tut_buf) again = TUT_BUF_INIT;
        tut_vet_dataset second = {.path = "x"};
        tut_vet_answer(&d, &again);
        r = tut_reader_of(tut_buf_span(&again));
        if (!tut_is_ok(tut_vet_answer_read(&r, &second, NULL)) || tut_reader_left(&r) != 0 ||
            second.found.count != d.found.count || second.rows != d.rows)
            abort();
        tut_vet_dataset_done(&second);
    }
    tut_vet_dataset_done(&d);
    sanitise_reply *reply = tut_alloc_array(1, sizeof(*reply));
    if (reply)
        TUT_IGNORE(tut_sanitise_reply_get(tut_span_of(data, size), reply, NULL));
    tut_free(reply);
    __attribute__((cleanup(tut_vet_asked_done))) vet_asked asked = {0};
    TUT_IGNORE(tut_vet_asked_read(tut_span_of(data, size), &asked, NULL));
    return 0;
}
