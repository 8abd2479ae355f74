/*
 * An index or a manifest of a layout that others may have written: what is read can be written, and
 * is then read as the same; no name of a version leads anywhere but below its asset. A first byte
 * that is no '{' is a reply of the cage's worker instead, as one that was taken over would send it.
 */
#include "crypto/oms.h"
#include "store/tensors.h"
#include "store/version.h"

static void check_names(const tut_version *v)
{
    for (size_t i = 0; i < v->count; i++)
        if (!tut_oms_name_ok(v->files[i].name) || v->files[i].mode > 0777 ||
            tut_version_find(v, v->files[i].name) != &v->files[i])
            __builtin_trap();
}

static void check_version(tut_oci_doc *doc)
{
    TUT_AUTO(tut_version) v = NULL;
    TUT_AUTO(tut_version) again = NULL;
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) reply = TUT_BUF_INIT;
    tut_oci_doc *other = NULL;
    if (!tut_is_ok(tut_version_of(doc, &v, NULL)))
        return;
    check_names(v);
    if (!tut_is_ok(tut_version_write(v, &out, NULL)) ||
        !tut_is_ok(tut_oci_job(NULL, NULL, tut_buf_span(&out), &reply, NULL)) ||
        !tut_is_ok(tut_oci_decode(tut_buf_span(&reply), &other, NULL)) ||
        !tut_is_ok(tut_version_of(other, &again, NULL)) || again->count != v->count ||
        again->number != v->number || !tut_str_eq(again->asset, v->asset))
        __builtin_trap();
}

static void read_reply(tut_span bytes)
{
    TUT_AUTO(tut_oci_doc) doc = NULL;
    TUT_CLEAN(tut_tensor_list) tensors = {0};
    TUT_AUTO(tut_version) v = NULL;
    if (tut_is_ok(tut_oci_decode(bytes, &doc, NULL)) &&
        tut_is_ok(tut_version_of(tut_move(&doc), &v, NULL)))
        check_names(v);
    if (tut_is_ok(tut_tensors_decode(bytes, &tensors, NULL)))
        for (size_t i = 0; i < tensors.count; i++)
            if (tensors.items[i].begin > tensors.items[i].end)
                __builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    TUT_CLEAN(tut_buf) reply = TUT_BUF_INIT;
    TUT_AUTO(tut_oci_doc) doc = NULL;
    tut_span bytes = tut_span_of(data, size);
    if (size > 0 && data[0] != '{') {
        read_reply(bytes);
        return 0;
    }
    if (!tut_is_ok(tut_oci_job(NULL, NULL, bytes, &reply, NULL)))
        return 0;
    /* the worker's own reply is never refused */
    if (!tut_is_ok(tut_oci_decode(tut_buf_span(&reply), &doc, NULL)))
        __builtin_trap();
    check_version(tut_move(&doc));
    return 0;
}
