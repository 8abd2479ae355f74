#include "store/fsck.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/openssl.h"
#include "store/data_key.h"

const char *tut_store_fault_word(tut_store_fault_kind kind)
{
    static const char *const words[] = {[TUT_FAULT_DAMAGED] = "damaged",
                                        [TUT_FAULT_MISSING] = "missing",
                                        [TUT_FAULT_FOREIGN] = "foreign",
                                        [TUT_FAULT_LEFT] = "left"};
    return words[kind];
}

void tut_fsck_done(tut_fsck *f)
{
    for (size_t i = 0; i < f->count; i++) {
        tut_free(f->faults[i].what);
        tut_free(f->faults[i].why);
    }
    tut_free(f->faults);
    *f = (tut_fsck){0};
}

typedef struct check {
    tut_store *s;
    const tut_known_versions *known;
    const tut_fsck_options *options;
    tut_manifest *manifest; /* of blobs/sha256 */
    bool *is_named;         /* of its files */
    tut_fsck *result;
    tut_error *err;
} check;

static tut_status nomem(check *c)
{
    return tut_fail(c->err, TUT_NOMEM, "memory ran out");
}

static tut_status add(check *c, tut_store_fault_kind kind, const char *what, const char *why)
{
    tut_fsck *f = c->result;
    TUT_TRY(tut_grow(&f->faults, f->count, &f->capacity, sizeof(*f->faults)));
    tut_store_fault fault = {.kind = kind, .what = tut_strdup(what), .why = tut_strdup(why)};
    f->faults[f->count++] = fault;
    if (!fault.what || !fault.why)
        return nomem(c);
    size_t *counts[] = {&f->damaged, &f->missing, &f->foreign, &f->left};
    (*counts[kind])++;
    return TUT_SUCCESS;
}

/* --- bytes --- */

static tut_status list_blobs(tut_store *s, tut_manifest **ret_manifest, tut_error *err)
{
    const tut_manifest_options options = {0};
    TUT_AUTO_FREE char *path = tut_asprintf("%s/blobs/sha256", s->dir);
    if (!path)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    return tut_manifest_list(path, &options, ret_manifest, err);
}

static tut_status hash_blobs(tut_manifest *m, const tut_fsck_options *options, tut_error *err)
{
    const tut_hash_options hash = {
        .kind = TUT_HASH_SHA256, .progress = options->progress, .progress_ctx = options->ctx};
    TUT_AUTO_FREE char *cache = options->use_cache ? tut_cache_file(m->path, TUT_HASH_SHA256)
                                                   : NULL;
    tut_clock_ns started = tut_clock_now();
    if (cache)
        (void)tut_cache_apply(cache, TUT_HASH_SHA256, m);
    TUT_TRY(tut_manifest_hash(m, &hash, err));
    if (cache)
        tut_cache_keep(cache, TUT_HASH_SHA256, m, started);
    return TUT_SUCCESS;
}

static bool is_sound(const tut_manifest_file *f)
{
    char hex[TUT_HASH_HEX_MAX];
    tut_hash_hex(TUT_HASH_SHA256, &f->digest, hex);
    return f->is_hashed && tut_str_eq_z(f->name, hex);
}

tut_status tut_store_check_blobs(tut_store *s, const tut_blob *blobs, size_t count,
                                 const tut_fsck_options *options, bool *sound, tut_error *err)
{
    TUT_AUTO(tut_manifest) m = NULL;
    char hex[TUT_SHA256_HEX];
    TUT_TRY(list_blobs(s, &m, err));
    for (size_t i = 0; i < m->count; i++)
        m->files[i].is_wanted = false;
    for (size_t i = 0; i < count; i++) {
        tut_sha256_hex(&blobs[i].digest, hex);
        tut_manifest_file *f = tut_manifest_find(m, tut_str_of(hex));
        if (f)
            f->is_wanted = f->stamp.size == blobs[i].size;
    }
    TUT_TRY(hash_blobs(m, options, err));
    for (size_t i = 0; i < count; i++) {
        tut_sha256_hex(&blobs[i].digest, hex);
        const tut_manifest_file *f = tut_manifest_find(m, tut_str_of(hex));
        sound[i] = f && f->stamp.size == blobs[i].size && is_sound(f);
    }
    return TUT_SUCCESS;
}

static tut_status check_bytes(check *c)
{
    const tut_manifest *m = c->manifest;
    for (size_t i = 0; i < m->odd_count; i++)
        TUT_TRY(add(c, TUT_FAULT_DAMAGED, m->odd[i].name.data, tut_odd_text(m->odd[i].kind)));
    for (size_t i = 0; i < m->count; i++) {
        tut_sha256 digest;
        tut_str name = m->files[i].name;
        if (!tut_is_ok(tut_sha256_parse(name, &digest)))
            TUT_TRY(add(c, TUT_FAULT_DAMAGED, name.data, "is no name of a blob"));
        else if (!is_sound(&m->files[i]))
            TUT_TRY(add(c, TUT_FAULT_DAMAGED, name.data, "its bytes are not those of its digest"));
        c->result->blobs++;
        c->result->bytes += m->files[i].stamp.size;
    }
    return TUT_SUCCESS;
}

/* --- what versions name --- */

static tut_status check_blob(check *c, const char *tag, const tut_version_file *f)
{
    char hex[TUT_SHA256_HEX];
    tut_sha256_hex(&f->blob.digest, hex);
    tut_manifest_file *file = tut_manifest_find(c->manifest, tut_str_of(hex));
    if (file)
        c->is_named[file - c->manifest->files] = true;
    if (file && file->stamp.size == f->blob.size)
        return TUT_SUCCESS;
    TUT_AUTO_FREE char *why = tut_asprintf("%s needs it for %.*s, and %s", tag, (int)f->name.len,
                                           f->name.data,
                                           file ? "it has another size" : "it is not there");
    return why ? add(c, file ? TUT_FAULT_DAMAGED : TUT_FAULT_MISSING, hex, why) : nomem(c);
}

static tut_status check_key(check *c, const char *tag, const tut_version *v)
{
    uint8_t key[TUT_CIPHER_KEY];
    tut_error why = {0};
    if (!v->has_key || !c->options->origin)
        return TUT_SUCCESS;
    tut_status status = tut_data_key_of(c->options->origin, v, key, &why);
    tut_wipe(key, sizeof(key));
    return tut_is_ok(status) ? TUT_SUCCESS : add(c, TUT_FAULT_DAMAGED, tag, why.text);
}

static void name_blob(check *c, const tut_sha256 *digest)
{
    char hex[TUT_SHA256_HEX];
    tut_sha256_hex(digest, hex);
    const tut_manifest_file *f = tut_manifest_find(c->manifest, tut_str_of(hex));
    if (f)
        c->is_named[f - c->manifest->files] = true;
}

/* A parent that is itself, or comes later, is none. */
static tut_status check_parent(check *c, const tut_known_version *k, const tut_version *v)
{
    const tut_known_version *parent = v->has_parent ? tut_known_manifest(c->known, &v->parent)
                                                    : NULL;
    bool is_first = !v->has_parent && v->number == 1;
    bool is_only = !v->has_parent && k->number > 1; /* all before it were pruned */
    if (is_first || is_only ||
        (parent && parent->index < k->index && parent->number < k->number &&
         strcmp(parent->asset, k->asset) == 0))
        return TUT_SUCCESS;
    return add(c, TUT_FAULT_DAMAGED, k->tag, "the version before, that it names, is not the one");
}

static tut_status check_version(check *c, const tut_known_version *k)
{
    TUT_AUTO(tut_version) v = NULL;
    tut_error why = {0};
    char digest[TUT_SHA256_HEX];
    tut_sha256_hex(&k->manifest, digest);
    c->result->versions++;
    name_blob(c, &k->manifest);
    tut_status status = tut_version_load(c->s, &k->manifest, &v, &why);
    if (status.code == TUT_NOMEM || status.code == TUT_CANCELLED)
        return tut_fail(c->err, status.code, "%s", why.text);
    if (!tut_is_ok(status)) {
        bool is_there = tut_manifest_find(c->manifest, tut_str_of(digest)) != NULL;
        return add(c, is_there ? TUT_FAULT_DAMAGED : TUT_FAULT_MISSING, k->tag, why.text);
    }
    if (!tut_str_eq_z(v->asset, k->asset) || !tut_sha256_eq(&v->digest, &k->digest))
        TUT_TRY(add(c, TUT_FAULT_DAMAGED, k->tag, "it is not about what the log says"));
    const tut_oci_descriptor *tag = tut_store_tag(c->s, tut_str_of(k->tag));
    bool has_index = !c->s->is_index_missing && !c->s->index_problem[0];
    if (has_index && (!tag || !tut_sha256_eq(&tag->digest, &k->manifest)))
        TUT_TRY(add(c, TUT_FAULT_MISSING, k->tag, "index.json does not name it"));
    TUT_TRY(check_parent(c, k, v));
    TUT_TRY(check_key(c, k->tag, v));
    for (size_t i = 0; i < v->count; i++)
        TUT_TRY(check_blob(c, k->tag, &v->files[i]));
    return TUT_SUCCESS;
}

static tut_status check_tags(check *c)
{
    if (c->s->is_index_missing)
        TUT_TRY(add(c, TUT_FAULT_MISSING, "index.json", "the next snapshot makes it anew"));
    if (c->s->index_problem[0])
        TUT_TRY(add(c, TUT_FAULT_DAMAGED, "index.json", c->s->index_problem));
    for (size_t i = 0; i < c->s->tag_count; i++) {
        const tut_oci_descriptor *d = &c->s->tags[i];
        char digest[TUT_SHA256_HEX + 7];
        tut_oci_digest_text(&d->digest, digest);
        tut_str name = tut_oci_get(&d->annotations, TUT_OCI_REF_NAME);
        const tut_known_version *k = tut_known_manifest(c->known, &d->digest);
        if (k && !k->is_pruned)
            continue;
        TUT_AUTO_FREE char *what = name.len ? tut_strndup(name.data, name.len) : tut_strdup(digest);
        if (!what)
            return nomem(c);
        TUT_TRY(k ? add(c, TUT_FAULT_LEFT, what, "the version was pruned")
                  : add(c, TUT_FAULT_FOREIGN, what,
                        "the log does not know it: a snapshot that was cut short, or put there by "
                        "another tool"));
    }
    return TUT_SUCCESS;
}

static tut_status check_left(check *c)
{
    tut_sha256 empty;
    TUT_TRY(tut_sha256_of(tut_span_of("{}", 2), &empty, c->err));
    name_blob(c, &empty);
    for (size_t i = 0; i < c->manifest->count; i++)
        if (!c->is_named[i])
            TUT_TRY(add(c, TUT_FAULT_LEFT, c->manifest->files[i].name.data,
                        "no version that the log knows names it"));
    return TUT_SUCCESS;
}

static tut_status run(check *c)
{
    TUT_TRY(list_blobs(c->s, &c->manifest, c->err));
    TUT_TRY(hash_blobs(c->manifest, c->options, c->err));
    c->is_named = tut_alloc_array(c->manifest->count + 1, sizeof(*c->is_named));
    if (!c->is_named)
        return nomem(c);
    TUT_TRY(check_bytes(c));
    for (size_t i = 0; i < c->known->count; i++)
        if (!c->known->items[i].is_pruned)
            TUT_TRY(check_version(c, &c->known->items[i]));
    TUT_TRY(check_tags(c));
    return check_left(c);
}

tut_status tut_store_fsck(tut_store *s, const tut_known_versions *known,
                          const tut_fsck_options *options, tut_fsck *ret_fsck, tut_error *err)
{
    TUT_CLEAN(tut_fsck) result = {0};
    check c = {.s = s, .known = known, .options = options, .result = &result, .err = err};
    tut_status status = run(&c);
    tut_manifest_free(c.manifest);
    tut_free(c.is_named);
    TUT_TRY(status);
    *ret_fsck = result;
    result = (tut_fsck){0};
    return TUT_SUCCESS;
}
