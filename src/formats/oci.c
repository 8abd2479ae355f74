/*
 * Indexes and manifests of OCI and Docker images, in which models are handed on as layers (ORAS,
 * ModelKit, Ollama, Docker's model runner):
 *
 *   index    = { "schemaVersion": 2, "manifests": [ descriptor ] }
 *   manifest = { "schemaVersion": 2, "config": descriptor, "layers": [ descriptor ] }
 *   descriptor = { "mediaType", "digest": "sha256:HEX", "size", "annotations": { title } }
 *
 * Layers lie in files that are called by their digest; here they get names for people.
 */
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "formats/format.h"

enum { MANIFEST_BYTES = 4 << 20, HEX = 64 };

static bool mentions(tut_span bytes, const char *text)
{
    return bytes.len > 0 && memmem(bytes.data, bytes.len, text, strlen(text)) != NULL;
}

static tut_match sniff(const tut_sniff *s)
{
    if (s->head.len == 0 || s->head.data[0] != '{' || !mentions(s->head, "\"schemaVersion\"") ||
        !mentions(s->head, "\"sha256:"))
        return TUT_MATCH_NONE;
    bool has_list = mentions(s->head, "\"layers\"") || mentions(s->head, "\"manifests\"");
    return has_list ? TUT_MATCH_SURE : TUT_MATCH_NONE;
}

/* A digest as files are called by it. */
static bool is_digest(tut_str digest)
{
    static const size_t prefix = sizeof("sha256:") - 1;
    if (digest.len != prefix + HEX || !tut_str_starts(digest, TUT_LIT("sha256:")))
        return false;
    for (size_t i = prefix; i < digest.len; i++) {
        char c = digest.data[i];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
            return false;
    }
    return true;
}

static void tell_descriptor(tut_exam *x, const tut_json_value *v, const char *what)
{
    tut_str digest = tut_json_get_text(v, "digest");
    const tut_json_value *notes = tut_json_get(v, "annotations");
    tut_str title = tut_json_get_text(notes, "org.opencontainers.image.title");
    if (title.len == 0)
        title = tut_json_get_text(notes, "org.cncf.model.filepath");
    if (title.len == 0)
        title = tut_json_get_text(notes, "org.opencontainers.image.ref.name");
    if (title.len == 0)
        title = tut_json_get_text(v, "mediaType");
    if (!is_digest(digest)) {
        tut_exam_observe(x, "image.digest-form", TUT_NO_OFFSET, "a %s has the digest '%.*s'", what,
                         (int)(digest.len < 100 ? digest.len : 100), digest.data);
        return;
    }
    tut_exam_factf(x, "image.part", "%.*s %.*s", (int)digest.len, digest.data,
                   (int)(title.len < 256 ? title.len : 256), title.data);
}

static void tell_list(tut_exam *x, const tut_json_value *root, const char *key, const char *what)
{
    const tut_json_value *list = tut_json_get(root, key);
    if (!list || list->type != TUT_JSON_ARRAY)
        return;
    for (uint32_t i = 0; i < tut_json_count(list); i++)
        tell_descriptor(x, tut_json_item(list, i), what);
}

static tut_status read_all(tut_exam *x, tut_buf *text, tut_error *err)
{
    for (;;) {
        tut_span some = {0};
        TUT_TRY(tut_stream_peek_some(x->stream, TUT_LIMIT_PEEK_BYTES, &some));
        if (some.len == 0)
            return TUT_SUCCESS;
        if (text->len + some.len > MANIFEST_BYTES)
            return tut_fail(err, TUT_LIMIT, "the manifest is too large");
        tut_buf_add(text, some.data, some.len);
        TUT_TRY(tut_buf_check(text, err));
        TUT_TRY(tut_stream_skip(x->stream, some.len));
    }
}

static tut_status examine(tut_exam *x, tut_error *err)
{
    TUT_CLEAN(tut_buf) text;
    TUT_AUTO(tut_json_doc) doc = NULL;
    tut_json_options options = {.allow_duplicates = true};
    tut_str first;
    tut_buf_init(&text, MANIFEST_BYTES);
    TUT_TRY(read_all(x, &text, err));
    TUT_TRY(tut_json_parse(tut_buf_span(&text), &options, &doc, err));
    const tut_json_value *root = tut_json_root(doc);
    if (tut_json_duplicates(doc, &first) > 0)
        tut_exam_observe(x, "image.duplicate-key", TUT_NO_OFFSET, "'%.*s' occurs twice",
                         (int)(first.len < 80 ? first.len : 80), first.data);
    if (tut_json_get(root, "layers") && tut_json_get(root, "manifests"))
        tut_exam_observe(x, "image.two-kinds", TUT_NO_OFFSET,
                         "it lists layers and manifests: an index to some readers, a manifest to "
                         "others");
    tell_list(x, root, "manifests", "manifest");
    if (tut_json_get(root, "config"))
        tell_descriptor(x, tut_json_get(root, "config"), "configuration");
    tell_list(x, root, "layers", "layer");
    return TUT_SUCCESS;
}

extern const tut_format tut_format_oci;
const tut_format tut_format_oci = {
    .name = "image-manifest",
    .label = "Image manifest",
    .kind = TUT_KIND_CONFIG,
    .sniff = sniff,
    .examine = examine,
    .extensions = ".json .manifest",
    .reads = "the layers of an image of containers or models, and what they are called",
    .rules = "image",
};
