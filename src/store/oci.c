#include "store/oci.h"

#include "base/json.h"
#include "base/limits.h"
#include "base/reader.h"

enum { TAG_INDEX = 'I', TAG_MANIFEST = 'M' };

bool tut_oci_digest(tut_str text, tut_sha256 *ret_digest)
{
    static const char prefix[] = "sha256:";
    if (!tut_str_starts(text, TUT_LIT("sha256:")))
        return false;
    tut_str hex = {text.data + sizeof(prefix) - 1, text.len - (sizeof(prefix) - 1)};
    for (size_t i = 0; i < hex.len; i++)
        if (hex.data[i] >= 'A' && hex.data[i] <= 'F')
            return false;
    return tut_is_ok(tut_sha256_parse(hex, ret_digest));
}

void tut_oci_digest_text(const tut_sha256 *digest, char out[TUT_SHA256_HEX + 7])
{
    memcpy(out, "sha256:", 7);
    tut_sha256_hex(digest, out + 7);
}

tut_str tut_oci_get(const tut_oci_annotations *annotations, const char *key)
{
    for (size_t i = 0; i < annotations->count; i++)
        if (tut_str_eq_z(annotations->items[i].key, key))
            return annotations->items[i].value;
    return TUT_LIT("");
}

/* --- JSON to table: inside the cage --- */

typedef struct encoding {
    tut_buf *out;
    tut_error *err;
} encoding;

static tut_status refuse(encoding *e, const char *what)
{
    return tut_fail(e->err, TUT_MALFORMED, "%s", what);
}

static tut_status encode_text(encoding *e, const tut_json_value *v, const char *key, bool must)
{
    const tut_json_value *text = tut_json_get(v, key);
    if (!text && !must) {
        tut_buf_add_sized(e->out, TUT_LIT(""));
        return TUT_SUCCESS;
    }
    tut_str s = tut_json_text(text);
    if (!text || text->type != TUT_JSON_STRING || (must && s.len == 0) || memchr(s.data, 0, s.len))
        return tut_fail(e->err, TUT_MALFORMED, "%s is not a text", key);
    tut_buf_add_sized(e->out, s);
    return TUT_SUCCESS;
}

static tut_status encode_annotations(encoding *e, const tut_json_value *v)
{
    const tut_json_value *map = tut_json_get(v, "annotations");
    uint32_t count = tut_json_count(map);
    if (map && map->type != TUT_JSON_OBJECT && map->type != TUT_JSON_NULL)
        return refuse(e, "annotations are not an object");
    if (count > TUT_LIMIT_OCI_ANNOTATIONS)
        return tut_fail(e->err, TUT_LIMIT, "more than %u annotations", TUT_LIMIT_OCI_ANNOTATIONS);
    tut_buf_add_u32le(e->out, count);
    for (uint32_t i = 0; i < count; i++) {
        const tut_json_value *item = tut_json_item(map, i);
        tut_str s = tut_json_text(item);
        if (item->type != TUT_JSON_STRING || memchr(s.data, 0, s.len) ||
            (item->key.len && memchr(item->key.data, 0, item->key.len)))
            return refuse(e, "an annotation is not a text");
        tut_buf_add_sized(e->out, item->key);
        tut_buf_add_sized(e->out, s);
    }
    return TUT_SUCCESS;
}

static tut_status encode_descriptor(encoding *e, const tut_json_value *v)
{
    tut_sha256 digest;
    const tut_json_value *size = tut_json_get(v, "size");
    if (!v || v->type != TUT_JSON_OBJECT)
        return refuse(e, "a descriptor is not an object");
    TUT_TRY(encode_text(e, v, "mediaType", true));
    TUT_TRY(encode_text(e, v, "artifactType", false));
    tut_str text = tut_json_get_text(v, "digest");
    if (!tut_oci_digest(text, &digest))
        return tut_fail(e->err, TUT_MALFORMED,
                        "\"%.*s\" is not a digest of the form sha256:HEX (64 lower-case digits)",
                        (int)(text.len < 80 ? text.len : 80), text.data);
    if (!size || size->type != TUT_JSON_INT || size->as.integer < 0)
        return refuse(e, "a descriptor's size is not a number of bytes");
    tut_buf_add(e->out, digest.bytes, sizeof(digest.bytes));
    tut_buf_add_u64le(e->out, (uint64_t)size->as.integer);
    return encode_annotations(e, v);
}

static tut_status encode_list(encoding *e, const tut_json_value *list, const char *name,
                              uint32_t most)
{
    uint32_t count = tut_json_count(list);
    if (!list || list->type != TUT_JSON_ARRAY)
        return tut_fail(e->err, TUT_MALFORMED, "%s is not a list", name);
    if (count > most)
        return tut_fail(e->err, TUT_LIMIT, "%s names %u, and %u is the most that is read", name,
                        count, most);
    tut_buf_add_u32le(e->out, count);
    for (uint32_t i = 0; i < count; i++)
        TUT_TRY(encode_descriptor(e, tut_json_item(list, i)));
    return TUT_SUCCESS;
}

static tut_status encode_manifest(encoding *e, const tut_json_value *root)
{
    const tut_json_value *subject = tut_json_get(root, "subject");
    bool has_subject = subject && subject->type != TUT_JSON_NULL;
    TUT_TRY(encode_descriptor(e, tut_json_get(root, "config")));
    tut_buf_add_byte(e->out, has_subject);
    if (has_subject)
        TUT_TRY(encode_descriptor(e, subject));
    return encode_list(e, tut_json_get(root, "layers"), "layers", TUT_LIMIT_OCI_LAYERS);
}

tut_status tut_oci_job(tut_cage_task *task, const tut_source *bytes, tut_span argument,
                       tut_buf *out, tut_error *err)
{
    (void)task;
    (void)bytes;
    TUT_AUTO(tut_json_doc) doc = NULL;
    encoding e = {.out = out, .err = err};
    TUT_TRY(tut_json_parse(argument, NULL, &doc, err));
    const tut_json_value *root = tut_json_root(doc);
    if (root->type != TUT_JSON_OBJECT || tut_json_get_int(root, "schemaVersion", 0) != 2)
        return refuse(&e, "is no OCI document of schema version 2");
    bool is_index = tut_json_get(root, "manifests") != NULL;
    if (is_index && (tut_json_get(root, "layers") || tut_json_get(root, "config")))
        return refuse(&e, "is an index and a manifest at once");
    tut_buf_add_byte(out, is_index ? TAG_INDEX : TAG_MANIFEST);
    TUT_TRY(encode_text(&e, root, "mediaType", false));
    TUT_TRY(encode_text(&e, root, "artifactType", false));
    TUT_TRY(is_index ? encode_list(&e, tut_json_get(root, "manifests"), "manifests",
                                   TUT_LIMIT_OCI_MANIFESTS)
                     : encode_manifest(&e, root));
    TUT_TRY(encode_annotations(&e, root));
    return tut_buf_check(out, err);
}

/* --- table to struct --- */

static tut_status decode_annotations(tut_reader *r, tut_oci_doc *doc, tut_oci_annotations *ret)
{
    uint32_t count;
    TUT_TRY(tut_reader_u32le(r, &count));
    if (count > TUT_LIMIT_OCI_ANNOTATIONS)
        return (tut_status){TUT_LIMIT};
    ret->items = tut_arena_take(&doc->arena, count + 1u, sizeof(*ret->items));
    if (!ret->items)
        return (tut_status){TUT_NOMEM};
    for (; ret->count < count; ret->count++) {
        TUT_TRY(tut_reader_sized(r, &ret->items[ret->count].key));
        TUT_TRY(tut_reader_sized(r, &ret->items[ret->count].value));
    }
    return TUT_SUCCESS;
}

static tut_status decode_descriptor(tut_reader *r, tut_oci_doc *doc, tut_oci_descriptor *ret)
{
    tut_span digest;
    TUT_TRY(tut_reader_sized(r, &ret->media_type));
    TUT_TRY(tut_reader_sized(r, &ret->artifact_type));
    TUT_TRY(tut_reader_bytes(r, TUT_SHA256_BYTES, &digest));
    memcpy(ret->digest.bytes, digest.data, TUT_SHA256_BYTES);
    TUT_TRY(tut_reader_u64le(r, &ret->size));
    return decode_annotations(r, doc, &ret->annotations);
}

static tut_status decode_list(tut_reader *r, tut_oci_doc *doc)
{
    uint32_t count;
    TUT_TRY(tut_reader_u32le(r, &count));
    /* each takes more bytes than this in the reply: the count is not believed by itself */
    if (count > tut_reader_left(r) / TUT_SHA256_BYTES)
        return (tut_status){TUT_MALFORMED};
    doc->items = tut_arena_take(&doc->arena, count + 1u, sizeof(*doc->items));
    if (!doc->items)
        return (tut_status){TUT_NOMEM};
    for (; doc->count < count; doc->count++)
        TUT_TRY(decode_descriptor(r, doc, &doc->items[doc->count]));
    return TUT_SUCCESS;
}

static tut_status decode(tut_reader *r, tut_oci_doc *doc)
{
    uint8_t tag;
    uint8_t has_subject = 0;
    TUT_TRY(tut_reader_u8(r, &tag));
    if (tag != TAG_INDEX && tag != TAG_MANIFEST)
        return (tut_status){TUT_MALFORMED};
    doc->is_index = tag == TAG_INDEX;
    TUT_TRY(tut_reader_sized(r, &doc->media_type));
    TUT_TRY(tut_reader_sized(r, &doc->artifact_type));
    if (!doc->is_index) {
        TUT_TRY(decode_descriptor(r, doc, &doc->config));
        TUT_TRY(tut_reader_u8(r, &has_subject));
        doc->has_subject = has_subject != 0;
        if (doc->has_subject)
            TUT_TRY(decode_descriptor(r, doc, &doc->subject));
    }
    TUT_TRY(decode_list(r, doc));
    TUT_TRY(decode_annotations(r, doc, &doc->annotations));
    return tut_reader_left(r) == 0 ? TUT_SUCCESS : (tut_status){TUT_MALFORMED};
}

tut_status tut_oci_decode(tut_span reply, tut_oci_doc **ret_doc, tut_error *err)
{
    TUT_AUTO(tut_oci_doc) doc = tut_alloc_array(1, sizeof(*doc));
    if (!doc)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    tut_arena_init(&doc->arena, 0);
    tut_buf_add(&doc->reply, reply.data, reply.len);
    TUT_TRY(tut_buf_check(&doc->reply, err));
    tut_reader r = tut_reader_of(tut_buf_span(&doc->reply));
    tut_status status = decode(&r, doc);
    if (status.code == TUT_NOMEM)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    if (!tut_is_ok(status))
        return tut_fail(err, TUT_BUG, "the reader of OCI documents answered with nonsense");
    *ret_doc = tut_move(&doc);
    return TUT_SUCCESS;
}

void tut_oci_doc_free(tut_oci_doc *doc)
{
    if (!doc)
        return;
    tut_buf_done(&doc->reply);
    tut_arena_done(&doc->arena);
    tut_free(doc);
}

/* --- struct to JSON --- */

void tut_oci_put(tut_json *j, const tut_oci_descriptor *d)
{
    char digest[TUT_SHA256_HEX + 7];
    tut_oci_digest_text(&d->digest, digest);
    tut_json_object(j);
    tut_json_put_str(j, "mediaType", d->media_type);
    tut_json_put_z(j, "digest", digest);
    tut_json_put_u64(j, "size", d->size);
    if (d->artifact_type.len)
        tut_json_put_str(j, "artifactType", d->artifact_type);
    if (d->annotations.count > 0) {
        tut_json_key(j, "annotations");
        tut_json_object(j);
        for (size_t i = 0; i < d->annotations.count; i++) {
            tut_json_key_str(j, d->annotations.items[i].key);
            tut_json_str(j, d->annotations.items[i].value);
        }
        tut_json_end_object(j);
    }
    tut_json_end_object(j);
}
