/* Requests of every protocol: the first byte says which. */
#include "fuzz/guard_world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    guard_open_world();
    if (size < 1)
        return 0;
    tut_guard_request *r = guard_ask((char)data[0], tut_span_of(data + 1, size - 1));
    for (size_t i = 0; i < r->segment_count; i++)
        if (r->segments[i].role == TUT_ROLE_NONE || r->segments[i].text.len == 0)
            abort();
    if (r->decision.action == TUT_GUARD_BLOCK && r->decision.status < 400)
        abort();
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    bool is_changed = false;
    tut_error err = {0};
    tut_status status = tut_guard_request_forward(r, &out, &is_changed, &err);
    /* a key of which something was put away may be another one then: it does not go on */
    if (!tut_is_ok(status) && status.code != TUT_MALFORMED)
        abort();
    if (tut_is_ok(status) && is_changed && r->doc) {
        tut_json_doc *doc = NULL;
        if (!tut_is_ok(tut_json_parse(tut_buf_span(&out), NULL, &doc, NULL)))
            abort();
        tut_json_doc_free(doc);
    }
    tut_guard_request_free(r);
    return 0;
}
