/* What is beside the graph in a SavedModel: Keras configurations, and the files of its assets. */
#include <string.h>

#include "formats/relpath.h"
#include "formats/tf_internal.h"

enum { METADATA_MAX = 16u << 20, METADATA_COUNT = 10000 };

/* A JSON text is an artefact of its own: whoever reads Keras configurations reads it. */
tut_status tut_tf_metadata(tut_tf *t, uint64_t len, tut_error *err)
{
    tut_exam *x = t->x;
    uint64_t at = tut_stream_pos(x->stream);
    const tut_str name = TUT_LIT("keras_metadata.json");
    tut_source source;
    if (len < 3 || !x->ops->member)
        return tut_proto_skip(&t->p, len, err);
    if (++t->metadata_count > METADATA_COUNT || len > METADATA_MAX)
        return tut_fail_at(err, TUT_LIMIT, at, "more Keras metadata than any model has");
    if (x->source) {
        TUT_TRY(tut_source_slice(x->source, at, len, &source));
        TUT_TRY(x->ops->member(x->ctx, name, &source, NULL, len, err));
        return tut_proto_skip(&t->p, len, err);
    }
    TUT_CLEAN(tut_buf) held;
    tut_buf_init(&held, METADATA_MAX);
    TUT_TRY(tut_budget_heap(x->budget, len, err));
    while (held.len < len) {
        tut_span some = {0};
        size_t left = (size_t)len - held.len;
        TUT_TRY(tut_stream_peek_some(x->stream, left < 4096 ? left : 4096, &some));
        if (some.len == 0)
            break;
        tut_buf_add(&held, some.data, some.len);
        TUT_TRY(tut_stream_skip(x->stream, some.len));
    }
    tut_status status = tut_buf_check(&held, err);
    source = tut_source_memory(tut_buf_span(&held));
    if (tut_is_ok(status))
        status = x->ops->member(x->ctx, name, &source, NULL, held.len, err);
    tut_budget_heap_return(x->budget, len);
    TUT_TRY(status);
    return held.len == len ? TUT_SUCCESS : tut_proto_cut(&t->p, err);
}

tut_status tut_tf_asset_file(tut_tf *t, uint64_t len, tut_error *err)
{
    char name[1024];
    uint64_t at = tut_stream_pos(t->x->stream);
    TUT_TRY(tut_proto_text(&t->p, len, name, sizeof(name), err));
    tut_str text = {name, len < sizeof(name) ? (size_t)len : sizeof(name) - 1};
    const char *why = tut_relpath_unsafe(text);
    t->asset_count++;
    if (why)
        tut_exam_observe(t->x, "tf.asset-path", at, "the file name of an asset %s: %.*s", why,
                         (int)(text.len < 200 ? text.len : 200), text.data);
    else
        tut_exam_factf(t->x, "tf.asset", "%s", name);
    return TUT_SUCCESS;
}
