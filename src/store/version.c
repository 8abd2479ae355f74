/* A version as manifest, and back. */
#include "store/version.h"

#include <stdio.h>
#include <stdlib.h>

#include "assets/match.h"
#include "base/fs.h"
#include "base/limits.h"
#include "crypto/base64.h"
#include "crypto/oms.h"

enum { SHOWN = 120 };

const char *tut_layout_name(tut_layout layout)
{
    static const char *const names[] = {[TUT_LAYOUT_FILE] = "file",
                                        [TUT_LAYOUT_FILES] = "files",
                                        [TUT_LAYOUT_DIRECTORY] = "directory"};
    return names[layout];
}

void tut_version_free(tut_version *v)
{
    if (!v)
        return;
    tut_oci_doc_free(v->doc);
    tut_arena_done(&v->arena);
    tut_free(v);
}

const tut_version_file *tut_version_find(const tut_version *v, tut_str name)
{
    size_t low = 0;
    size_t high = v->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = tut_str_cmp(v->files[middle].name, name);
        if (order == 0)
            return &v->files[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

uint64_t tut_version_bytes(const tut_version *v)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < v->count; i++)
        sum += v->files[i].size; /* each is below 2^63, and the blobs exist: no sum of real ones
                                    comes near 2^64 */
    return sum;
}

/* --- writing --- */

static void put_digest(tut_json *j, const char *key, const tut_sha256 *digest)
{
    char text[TUT_SHA256_HEX + 7];
    tut_oci_digest_text(digest, text);
    tut_json_put_z(j, key, text);
}

static void put_number(tut_json *j, const char *key, uint64_t n)
{
    char text[24];
    (void)snprintf(text, sizeof(text), "%llu", (unsigned long long)n);
    tut_json_put_z(j, key, text);
}

static void put_layer(tut_json *j, const tut_version_file *f)
{
    char mode[8];
    (void)snprintf(mode, sizeof(mode), "%04o", f->mode & 0777u);
    tut_json_object(j);
    tut_json_put_z(j, "mediaType",
                   f->is_signature ? TUT_OMS_MEDIA_TYPE
                   : f->is_sealed  ? TUT_FILE_SEALED_TYPE
                                   : TUT_FILE_TYPE);
    put_digest(j, "digest", &f->blob.digest);
    tut_json_put_u64(j, "size", f->blob.size);
    tut_json_key(j, "annotations");
    tut_json_object(j);
    tut_json_put_str(j, TUT_OCI_TITLE, f->name);
    tut_json_put_z(j, "tutela.mode", mode);
    if (f->is_sealed) {
        put_digest(j, "tutela.digest", &f->digest);
        put_number(j, "tutela.size", f->size);
    }
    tut_json_end_object(j);
    tut_json_end_object(j);
}

static tut_status put_annotations(tut_json *j, const tut_version *v, tut_error *err)
{
    char created[TUT_TIME_TEXT];
    TUT_CLEAN(tut_buf) wrapped = TUT_BUF_INIT;
    tut_time_rfc3339(v->created, created);
    tut_json_object(j);
    tut_json_put_z(j, TUT_OCI_CREATED, created);
    tut_json_put_str(j, "tutela.asset", v->asset);
    tut_json_put_str(j, "tutela.kind", v->kind);
    tut_json_put_str(j, "tutela.path", v->path);
    tut_json_put_z(j, "tutela.layout", tut_layout_name(v->layout));
    put_number(j, "tutela.version", v->number);
    put_digest(j, "tutela.digest", &v->digest);
    if (v->has_parent)
        put_digest(j, "tutela.parent", &v->parent);
    if (v->has_key) {
        tut_base64_add(&wrapped, tut_span_of(v->wrapped, sizeof(v->wrapped)));
        tut_json_put_z(j, "tutela.key.id", v->key_id);
        tut_json_put_z(j, "tutela.key.algorithm", "A256KW");
        tut_json_put_str(j, "tutela.key.wrapped", tut_buf_str(&wrapped));
    }
    tut_json_end_object(j);
    return tut_buf_check(&wrapped, err);
}

tut_status tut_version_write(const tut_version *v, tut_buf *out, tut_error *err)
{
    TUT_AUTO(tut_json) j = NULL;
    tut_oci_descriptor config = {.media_type = tut_str_of(TUT_OCI_EMPTY), .size = 2};
    TUT_TRY(tut_sha256_of(tut_span_of("{}", 2), &config.digest, err));
    TUT_TRY(tut_json_new(out, &j));
    tut_json_object(j);
    tut_json_put_int(j, "schemaVersion", 2);
    tut_json_put_z(j, "mediaType", TUT_OCI_MANIFEST);
    tut_json_put_z(j, "artifactType", TUT_VERSION_TYPE);
    tut_json_key(j, "config");
    tut_oci_put(j, &config);
    tut_json_key(j, "layers");
    tut_json_array(j);
    for (size_t i = 0; i < v->count; i++)
        put_layer(j, &v->files[i]);
    tut_json_end_array(j);
    tut_json_key(j, "annotations");
    TUT_TRY(put_annotations(j, v, err));
    tut_json_end_object(j);
    return tut_json_finish(j, err);
}

/* --- reading --- */

static tut_status bad(tut_error *err, const char *what, tut_str value)
{
    TUT_CLEAN(tut_buf) shown = TUT_BUF_INIT;
    tut_buf_add_escaped(&shown, value, SHOWN);
    const char *text = tut_buf_z(&shown);
    return tut_fail(err, TUT_MALFORMED, "%s: \"%s\"", what, text ? text : "");
}

/* No file of an asset lies in a directory that the walk passes over: .git, .tutela and so on. */
static bool is_skipped(tut_str name)
{
    const char *at = name.data;
    const char *end = name.data + name.len;
    for (const char *slash; at < end && (slash = memchr(at, '/', (size_t)(end - at)));
         at = slash + 1) {
        char part[256];
        tut_str_copy(part, sizeof(part), (tut_str){at, (size_t)(slash - at)});
        if (tut_walk_skips(part))
            return true;
    }
    return false;
}

static bool read_mode(tut_str text, uint32_t *ret_mode)
{
    uint32_t mode = 0;
    if (text.len != 4 || text.data[0] != '0')
        return false;
    for (size_t i = 1; i < 4; i++) {
        if (text.data[i] < '0' || text.data[i] > '7')
            return false;
        mode = mode * 8 + (uint32_t)(text.data[i] - '0');
    }
    *ret_mode = mode;
    return true;
}

static tut_status read_sealed(const tut_oci_descriptor *d, tut_version_file *f, tut_error *err)
{
    uint64_t plain;
    tut_str size = tut_oci_get(&d->annotations, "tutela.size");
    if (!tut_oci_digest(tut_oci_get(&d->annotations, "tutela.digest"), &f->digest))
        return bad(err, "a sealed file does not name its plain digest", f->name);
    if (!tut_str_u64(size, &f->size) || !tut_cipher_plain_bytes(d->size, &plain) ||
        plain != f->size)
        return bad(err, "a sealed file is not as large as it says", f->name);
    return TUT_SUCCESS;
}

static tut_status read_layer(const tut_oci_descriptor *d, tut_version_file *f, tut_error *err)
{
    *f = (tut_version_file){.name = tut_oci_get(&d->annotations, TUT_OCI_TITLE),
                            .blob = {.digest = d->digest, .size = d->size},
                            .digest = d->digest,
                            .size = d->size};
    if (!tut_oms_name_ok(f->name))
        return bad(err, "a file's name is no path below the asset", f->name);
    if (is_skipped(f->name))
        return bad(err, "a file lies where no asset has files", f->name);
    if (!read_mode(tut_oci_get(&d->annotations, "tutela.mode"), &f->mode))
        return bad(err, "a file's mode is none", f->name);
    f->is_signature = tut_str_eq_z(d->media_type, TUT_OMS_MEDIA_TYPE);
    f->is_sealed = tut_str_eq_z(d->media_type, TUT_FILE_SEALED_TYPE);
    if (f->is_sealed)
        return read_sealed(d, f, err);
    if (!f->is_signature && !tut_str_eq_z(d->media_type, TUT_FILE_TYPE))
        return bad(err, "a layer is of a type that no version has", d->media_type);
    return TUT_SUCCESS;
}

static int by_name(const void *a, const void *b)
{
    return tut_str_cmp(((const tut_version_file *)a)->name, ((const tut_version_file *)b)->name);
}

/* Neither twice, nor a file and a directory at once. */
static tut_status check_names(const tut_version *v, tut_error *err)
{
    for (size_t i = 1; i < v->count; i++) {
        tut_str before = v->files[i - 1].name;
        tut_str name = v->files[i].name;
        if (tut_str_eq(before, name))
            return bad(err, "two files have one name", name);
    }
    for (size_t i = 0; i < v->count; i++) {
        tut_str name = v->files[i].name;
        for (size_t k = 0; k < name.len; k++)
            if (name.data[k] == '/' && tut_version_find(v, (tut_str){name.data, k}))
                return bad(err, "a file lies below another file", name);
    }
    return TUT_SUCCESS;
}

static tut_status read_key(tut_version *v, const tut_oci_annotations *a, tut_error *err)
{
    tut_str id = tut_oci_get(a, "tutela.key.id");
    TUT_CLEAN(tut_buf) wrapped = TUT_BUF_INIT;
    if (id.len == 0)
        return TUT_SUCCESS;
    tut_str_copy(v->key_id, sizeof(v->key_id), id);
    if (id.len != sizeof(v->key_id) - 1 ||
        strspn(v->key_id, "0123456789abcdef") != sizeof(v->key_id) - 1)
        return bad(err, "tutela.key.id is none", id);
    if (!tut_str_eq_z(tut_oci_get(a, "tutela.key.algorithm"), "A256KW"))
        return bad(err, "tutela.key.algorithm is not known",
                   tut_oci_get(a, "tutela.key.algorithm"));
    TUT_TRY(tut_base64_read(tut_oci_get(a, "tutela.key.wrapped"), false, &wrapped));
    if (wrapped.len != sizeof(v->wrapped))
        return bad(err, "tutela.key.wrapped is no wrapped key", id);
    memcpy(v->wrapped, wrapped.data, sizeof(v->wrapped));
    v->has_key = true;
    return TUT_SUCCESS;
}

static bool read_layout(tut_str word, tut_layout *ret)
{
    for (int i = TUT_LAYOUT_FILE; i <= TUT_LAYOUT_DIRECTORY; i++)
        if (tut_str_eq_z(word, tut_layout_name((tut_layout)i))) {
            *ret = (tut_layout)i;
            return true;
        }
    return false;
}

static tut_status read_annotations(tut_version *v, const tut_oci_annotations *a, tut_error *err)
{
    tut_str parent = tut_oci_get(a, "tutela.parent");
    v->asset = tut_oci_get(a, "tutela.asset");
    v->kind = tut_oci_get(a, "tutela.kind");
    v->path = tut_oci_get(a, "tutela.path");
    v->has_parent = parent.len > 0;
    if (v->asset.len == 0)
        return tut_fail(err, TUT_MALFORMED, "is no version of an asset");
    if (!tut_oms_name_ok(v->path) && !tut_str_eq_z(v->path, "."))
        return bad(err, "tutela.path is no path below the system", v->path);
    if (!read_layout(tut_oci_get(a, "tutela.layout"), &v->layout))
        return bad(err, "tutela.layout is not known", tut_oci_get(a, "tutela.layout"));
    if (!tut_str_u64(tut_oci_get(a, "tutela.version"), &v->number) || v->number == 0)
        return bad(err, "tutela.version is no number", tut_oci_get(a, "tutela.version"));
    if (!tut_oci_digest(tut_oci_get(a, "tutela.digest"), &v->digest))
        return bad(err, "tutela.digest is none", tut_oci_get(a, "tutela.digest"));
    if (v->has_parent && !tut_oci_digest(parent, &v->parent))
        return bad(err, "tutela.parent is no digest", parent);
    if (!tut_is_ok(tut_time_parse(tut_oci_get(a, TUT_OCI_CREATED), &v->created)))
        return bad(err, "it does not say when it was made", tut_oci_get(a, TUT_OCI_CREATED));
    return read_key(v, a, err);
}

static tut_status make_sense(tut_version *v, tut_error *err)
{
    const tut_oci_doc *doc = v->doc;
    uint64_t sum = 0;
    if (doc->is_index || !tut_str_eq_z(doc->artifact_type, TUT_VERSION_TYPE))
        return tut_fail(err, TUT_MALFORMED, "is no version of an asset");
    TUT_TRY(read_annotations(v, &doc->annotations, err));
    v->files = tut_arena_take(&v->arena, doc->count + 1, sizeof(*v->files));
    if (!v->files)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (; v->count < doc->count; v->count++) {
        tut_version_file *f = &v->files[v->count];
        TUT_TRY(read_layer(&doc->items[v->count], f, err));
        if (f->is_sealed && !v->has_key)
            return bad(err, "a file is sealed, and no key is named", f->name);
        if (__builtin_add_overflow(sum, f->size, &sum) || sum > INT64_MAX)
            return tut_fail(err, TUT_LIMIT, "its files have more than 2^63 bytes");
    }
    if (v->count > 1)
        qsort(v->files, v->count, sizeof(*v->files), by_name);
    return check_names(v, err);
}

tut_status tut_version_of(tut_oci_doc *doc, tut_version **ret_version, tut_error *err)
{
    TUT_AUTO(tut_version) v = tut_alloc_array(1, sizeof(*v));
    if (!v) {
        tut_oci_doc_free(doc);
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    }
    tut_arena_init(&v->arena, 0);
    v->doc = doc;
    TUT_TRY(make_sense(v, err));
    *ret_version = tut_move(&v);
    return TUT_SUCCESS;
}

/* The size stands nowhere but on the disk: the digest is what counts. */
static tut_status find_size(const tut_store *s, tut_blob *blob, tut_error *err)
{
    char hex[TUT_SHA256_HEX];
    tut_sha256_hex(&blob->digest, hex);
    return tut_store_blob_size(s, hex, &blob->size, err);
}

tut_status tut_version_load(tut_store *s, const tut_sha256 *manifest, tut_version **ret_version,
                            tut_error *err)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    tut_oci_doc *doc = NULL;
    tut_blob blob = {.digest = *manifest};
    char name[TUT_SHA256_HEX + 7];
    tut_oci_digest_text(manifest, name);
    tut_status status = find_size(s, &blob, err);
    if (tut_is_ok(status))
        status = tut_blob_read(s, &blob, TUT_LIMIT_OCI_MANIFEST_BYTES, &text, err);
    if (tut_is_ok(status))
        status = tut_store_parse(s, tut_buf_span(&text), &doc, err);
    if (tut_is_ok(status))
        status = tut_version_of(doc, ret_version, err);
    if (!tut_is_ok(status)) {
        tut_error_set_path(err, name);
        return status;
    }
    (*ret_version)->manifest = blob;
    return TUT_SUCCESS;
}

/* --- tags --- */

enum { TAG_MOST = 100 };

tut_status tut_version_tag(const char *asset, uint64_t number, char **ret_tag, tut_error *err)
{
    TUT_CLEAN(tut_buf) tag = TUT_BUF_INIT;
    size_t slashes = 0;
    bool is_lossy = false;
    for (const char *c = asset; *c && tag.len < TAG_MOST; c++) {
        bool is_plain = (*c >= 'a' && *c <= 'z') || (*c >= '0' && *c <= '9') ||
                        (*c >= 'A' && *c <= 'Z') || *c == '_' || *c == '.' || *c == '-';
        slashes += *c == '/';
        is_lossy |= !is_plain && !(*c == '/' && slashes == 1);
        tut_buf_add_byte(&tag, (uint8_t)(is_plain ? *c : '-'));
    }
    if (is_lossy || tag.len == TAG_MOST) {
        tut_sha256 digest;
        TUT_TRY(tut_sha256_of(tut_span_of(asset, strlen(asset)), &digest, err));
        tut_buf_add_byte(&tag, '-');
        tut_buf_add_hex(&tag, digest.bytes, 6);
    }
    tut_buf_printf(&tag, "-v%llu", (unsigned long long)number);
    char *text = tut_buf_steal(&tag);
    if (!text)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    *ret_tag = text;
    return TUT_SUCCESS;
}
