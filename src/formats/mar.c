/*
 * MAR-INF/MANIFEST.json of a TorchServe archive: what the server opens and runs when a worker
 * starts.
 *
 *   manifest = { "runtime", "model": { "modelName", "serializedFile", "handler", "modelFile",
 *                "requirementsFile", "extensions" ... }, "archiverVersion" }
 *
 * A handler is a file of the archive, or the name of one that the server has. Names are joined to
 * the directory that the archive was unpacked to.
 */
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "formats/format.h"
#include "formats/member_name.h"

enum { MANIFEST_BYTES = 1 << 20 };

static bool mentions(tut_span bytes, const char *text)
{
    return bytes.len > 0 && memmem(bytes.data, bytes.len, text, strlen(text)) != NULL;
}

static tut_match sniff(const tut_sniff *s)
{
    bool is_named = tut_str_ieq(s->name, TUT_LIT("MANIFEST.json"));
    bool is_ours = is_named && mentions(s->head, "\"model\"") &&
                   (mentions(s->head, "\"handler\"") || mentions(s->head, "\"modelName\""));
    return is_ours ? TUT_MATCH_SURE : TUT_MATCH_NONE;
}

static void check_path(tut_exam *x, const tut_json_value *model, const char *key)
{
    tut_str path = tut_json_get_text(model, key);
    if (path.len == 0)
        return;
    if (tut_member_leads_out(path))
        tut_exam_observe(x, "mar.unsafe-path", TUT_NO_OFFSET,
                         "'%s' is '%.*s', which leads out of the archive", key,
                         (int)(path.len < 160 ? path.len : 160), path.data);
    tut_exam_factf(x, "mar.file", "%s %.*s", key, (int)(path.len < 160 ? path.len : 160),
                   path.data);
}

static tut_status examine_text(tut_exam *x, tut_span text, tut_error *err)
{
    static const char *const paths[] = {"serializedFile", "handler", "modelFile",
                                        "requirementsFile", "configFile"};
    TUT_AUTO(tut_json_doc) doc = NULL;
    tut_json_options options = {.allow_duplicates = true};
    tut_str first;
    TUT_TRY(tut_json_parse(text, &options, &doc, err));
    const tut_json_value *model = tut_json_get(tut_json_root(doc), "model");
    if (tut_json_duplicates(doc, &first) > 0)
        tut_exam_observe(x, "mar.duplicate-key", TUT_NO_OFFSET, "'%.*s' occurs twice",
                         (int)(first.len < 80 ? first.len : 80), first.data);
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
        check_path(x, model, paths[i]);
    tut_str requirements = tut_json_get_text(model, "requirementsFile");
    if (requirements.len > 0)
        tut_exam_observe(x, "mar.installs-packages", TUT_NO_OFFSET,
                         "'%.*s' is installed by pip when a worker starts, where the server allows "
                         "it",
                         (int)(requirements.len < 160 ? requirements.len : 160), requirements.data);
    return TUT_SUCCESS;
}

static tut_status examine(tut_exam *x, tut_error *err)
{
    TUT_CLEAN(tut_buf) text;
    tut_buf_init(&text, MANIFEST_BYTES);
    for (;;) {
        tut_span some = {0};
        TUT_TRY(tut_stream_peek_some(x->stream, TUT_LIMIT_PEEK_BYTES, &some));
        if (some.len == 0)
            return examine_text(x, tut_buf_span(&text), err);
        if (text.len + some.len > MANIFEST_BYTES)
            return tut_fail(err, TUT_LIMIT, "the manifest is too large");
        tut_buf_add(&text, some.data, some.len);
        TUT_TRY(tut_buf_check(&text, err));
        TUT_TRY(tut_stream_skip(x->stream, some.len));
    }
}

extern const tut_format tut_format_mar_manifest;
const tut_format tut_format_mar_manifest = {
    .name = "torchserve-manifest",
    .label = "TorchServe manifest",
    .kind = TUT_KIND_CONFIG,
    .sniff = sniff,
    .examine = examine,
    .extensions = ".json",
    .reads = "files that the server opens and runs, packages that it installs",
    .rules = "mar",
};
