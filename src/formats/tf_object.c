/* What is beside the graph in a SavedModel: Keras configurations, and the files of its assets. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "formats/keras_config.h"
#include "formats/relpath.h"
#include "formats/tf_internal.h"

enum { METADATA_MAX = 16u << 20, METADATA_COUNT = 10000 };

static tut_status hold(tut_tf *t, uint64_t len, tut_buf *held, tut_error *err)
{
    while (held->len < len) {
        tut_span some = {0};
        size_t left = (size_t)len - held->len;
        TUT_TRY(tut_stream_peek_some(t->x->stream, left < 4096 ? left : 4096, &some));
        if (some.len == 0)
            return tut_proto_cut(&t->p, err);
        tut_buf_add(held, some.data, some.len);
        TUT_TRY(tut_stream_skip(t->x->stream, some.len));
    }
    return tut_buf_check(held, err);
}

/* Configuration of a layer or model, which Keras revives when it loads the SavedModel. */
tut_status tut_tf_metadata(tut_tf *t, uint64_t len, tut_error *err)
{
    uint64_t at = tut_stream_pos(t->x->stream);
    TUT_CLEAN(tut_buf) held;
    tut_buf_init(&held, METADATA_MAX);
    if (len < 3)
        return tut_proto_skip(&t->p, len, err);
    if (++t->metadata_count > METADATA_COUNT || len > METADATA_MAX)
        return tut_fail_at(err, TUT_LIMIT, at, "more Keras metadata than any model has");
    TUT_TRY(tut_budget_heap(t->x->budget, len, err));
    tut_status status = hold(t, len, &held, err);
    char where[64];
    (void)snprintf(where, sizeof(where), "Keras object %" PRIu64, t->metadata_count);
    if (tut_is_ok(status))
        status = tut_keras_config_examine(t->x, tut_buf_span(&held), where, err);
    tut_budget_heap_return(t->x->budget, len);
    /* What is no JSON was told of; the rest of the graph is read all the same. */
    return status.code == TUT_MALFORMED ? TUT_SUCCESS : status;
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
