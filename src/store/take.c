/*
 * A file whose digest is known, and whose blob the version before has, is not written again. The
 * digest is known from the cache (assets/manifest.h says when that may be trusted), or by hashing
 * where the size is that of before: cheaper than writing. Every other file is hashed and copied in
 * one pass. That none changed meanwhile is seen by its times and size.
 */
#include "store/take.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "assets/match.h"
#include "assets/sign.h"
#include "base/cage.h"
#include "base/fs.h"
#include "base/limits.h"
#include "crypto/openssl.h"
#include "store/data_key.h"

void tut_take_done(tut_take *t)
{
    tut_version_free(t->version);
    tut_version_free(t->parent);
    tut_manifest_free(t->manifest);
    tut_free(t->members);
    tut_wipe(t->key, sizeof(t->key));
}

static tut_status nomem(tut_take *t)
{
    return tut_fail(t->err, TUT_NOMEM, "memory ran out");
}

/* --- which files --- */

static tut_status list_members(tut_take *t)
{
    for (size_t i = 0; i < t->census->found->count; i++) {
        if (t->census->owner[i] != t->asset)
            continue;
        TUT_TRY(tut_grow(&t->members, t->member_count, &t->member_capacity, sizeof(*t->members)));
        t->members[t->member_count++] = i;
    }
    return TUT_SUCCESS;
}

/* Where names begin: "" for the directory of the system itself. */
static tut_str base_of(const tut_take *t)
{
    tut_str path = t->version->path;
    if (t->version->layout == TUT_LAYOUT_DIRECTORY)
        return tut_str_eq_z(path, ".") ? TUT_LIT("") : path;
    const char *slash = path.len ? memrchr(path.data, '/', path.len) : NULL;
    return slash ? (tut_str){path.data, (size_t)(slash - path.data)} : TUT_LIT("");
}

static tut_status name_of(tut_take *t, const char *rel, tut_str *ret_name)
{
    tut_str base = base_of(t);
    tut_str name = tut_str_of(rel);
    if (base.len > 0) {
        if (!tut_str_starts(name, base) || name.len <= base.len + 1 || rel[base.len] != '/')
            return tut_fail(t->err, TUT_UNSUPPORTED,
                            "%s belongs to it and lies outside its directory; declare a directory "
                            "that holds them all",
                            rel);
        name = (tut_str){rel + base.len + 1, name.len - base.len - 1};
    }
    *ret_name = name;
    return TUT_SUCCESS;
}

static tut_status list_files(tut_take *t)
{
    static const char *const ignore[] = {".tutela", ".git"};
    const tut_manifest_options options = {.ignore = ignore, .ignore_count = 2};
    tut_str at = t->version->layout == TUT_LAYOUT_FILES ? base_of(t) : t->version->path;
    TUT_AUTO_FREE char *rel = tut_strndup(at.len ? at.data : ".", at.len ? at.len : 1);
    TUT_AUTO_FREE char *path = rel ? tut_fs_join(t->system->dir, rel) : NULL;
    if (!path)
        return nomem(t);
    return tut_manifest_list(path, &options, &t->manifest, t->err);
}

static tut_status find_layout(tut_take *t)
{
    TUT_AUTO_FREE char *rel = tut_strndup(t->version->path.data, t->version->path.len);
    TUT_AUTO_FREE char *path = rel ? tut_fs_join(t->system->dir, rel) : NULL;
    if (!path)
        return nomem(t);
    t->version->layout = tut_fs_is_dir(path)    ? TUT_LAYOUT_DIRECTORY
                         : t->member_count == 1 ? TUT_LAYOUT_FILE
                                                : TUT_LAYOUT_FILES;
    return TUT_SUCCESS;
}

static const char *signature_name(const tut_take *t, char **place)
{
    const tut_found *found = t->census->found;
    if (t->version->layout == TUT_LAYOUT_DIRECTORY)
        return "model.sig";
    if (t->version->layout == TUT_LAYOUT_FILES)
        return NULL;
    *place = tut_asprintf("%s.sig", found->files[t->members[0]].rel);
    const char *slash = *place ? strrchr(*place, '/') : NULL;
    return slash ? slash + 1 : *place;
}

/* --- the files --- */

static tut_status add_file(tut_take *t, const tut_version_file *file)
{
    tut_version *v = t->version;
    char *name = tut_arena_copy(&v->arena, file->name);
    if (!name)
        return nomem(t);
    v->files[v->count] = *file;
    v->files[v->count++].name = (tut_str){name, file->name.len};
    return TUT_SUCCESS;
}

/* What was read again because the caller trusts no times is not held against the blob's either. */
static bool is_sound(const tut_take *t, const tut_blob *blob)
{
    return t->options->no_cache ? tut_is_ok(tut_blob_check(t->store, blob, NULL))
                                : tut_blob_is_there(t->store, blob);
}

static const tut_version_file *known_file(const tut_take *t, tut_str name, uint64_t size)
{
    const tut_version_file *f = t->parent ? tut_version_find(t->parent, name) : NULL;
    return f && f->size == size && !f->is_signature && f->is_sealed == t->version->has_key &&
                   is_sound(t, &f->blob)
               ? f
               : NULL;
}

static tut_status copy(tut_take *t, tut_manifest_file *f, tut_version_file *file)
{
    int fd;
    struct stat st;
    tut_stamp after;
    tut_sha256 plain;
    TUT_TRY(tut_manifest_open(t->manifest, f, &fd, t->err));
    tut_blob_copy from = {.fd = fd,
                          .size = f->stamp.size,
                          .key = t->version->has_key ? t->key : NULL,
                          .asset = tut_str_of(t->asset->id),
                          .name = file->name,
                          .progress = t->options->progress,
                          .ctx = t->options->ctx};
    tut_status status = tut_blob_copy_in(t->store, &from, &file->blob, &plain, t->err);
    if (tut_is_ok(status) && fstat(fd, &st) != 0)
        status = tut_fail_errno(t->err, errno, "cannot be examined");
    close(fd);
    TUT_TRY(status);
    tut_stamp_of(&st, &after);
    if (!tut_stamp_eq(&after, &f->stamp))
        return tut_fail(t->err, TUT_IO, "changed while it was being read");
    file->digest = plain;
    memcpy(f->digest.bytes, plain.bytes, sizeof(plain.bytes));
    f->is_hashed = true;
    t->result->stored++;
    t->result->stored_bytes += f->stamp.size;
    return TUT_SUCCESS;
}

static tut_status find_mode(tut_take *t, const tut_manifest_file *f, uint32_t *ret_mode)
{
    struct stat st;
    if (fstatat(t->manifest->dirfd, f->name.data, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return tut_fail_errno(t->err, errno, "cannot be examined");
    *ret_mode = (uint32_t)st.st_mode & 0777u;
    return TUT_SUCCESS;
}

static tut_status take_file(tut_take *t, tut_str name, tut_manifest_file *f)
{
    const tut_version_file *before = f->is_wanted ? tut_version_find(t->parent, name) : NULL;
    tut_version_file file = {.name = name, .size = f->stamp.size, .is_sealed = t->version->has_key};
    TUT_TRY(find_mode(t, f, &file.mode));
    if (before && f->is_hashed &&
        memcmp(f->digest.bytes, before->digest.bytes, TUT_SHA256_BYTES) == 0) {
        file.blob = before->blob;
        file.digest = before->digest;
    } else {
        TUT_TRY(copy(t, f, &file));
    }
    t->result->bytes += file.size;
    t->result->files++;
    return add_file(t, &file);
}

/* Wanted are those that may be what they were; the others are hashed while they are copied. */
static tut_status hash_known(tut_take *t, const char *cache)
{
    const tut_hash_options options = {.kind = TUT_HASH_SHA256};
    for (size_t i = 0; i < t->manifest->count; i++)
        t->manifest->files[i].is_wanted = false;
    for (size_t i = 0; i < t->member_count; i++) {
        tut_str name;
        TUT_TRY(name_of(t, t->census->found->files[t->members[i]].rel, &name));
        tut_manifest_file *f = tut_manifest_find(t->manifest, name);
        if (f)
            f->is_wanted = known_file(t, name, f->stamp.size) != NULL;
    }
    if (cache)
        (void)tut_cache_apply(cache, TUT_HASH_SHA256, t->manifest);
    return tut_manifest_hash(t->manifest, &options, t->err);
}

/* The digest of the asset, as the inventory computes it. */
static tut_status find_digest(tut_take *t)
{
    size_t count = 0;
    bool has = false;
    const tut_found *found = t->census->found;
    TUT_AUTO_FREE tut_found_file *files = tut_alloc_array(t->member_count, sizeof(*files));
    TUT_AUTO_FREE const tut_found_file **list = tut_alloc_array(t->member_count, sizeof(*list));
    if (!files || !list)
        return nomem(t);
    for (size_t i = 0; i < t->member_count; i++) {
        if (!tut_census_counts(t->census, t->members[i]))
            continue;
        tut_str name;
        files[count] = found->files[t->members[i]];
        TUT_TRY(name_of(t, files[count].rel, &name));
        const tut_manifest_file *f = tut_manifest_find(t->manifest, name);
        files[count].has_digest = f && f->is_hashed;
        if (f)
            memcpy(files[count].digest.bytes, f->digest.bytes, TUT_SHA256_BYTES);
        list[count] = &files[count];
        count++;
    }
    TUT_TRY(tut_match_digest(list, count, &has, &t->version->digest, t->err));
    return has ? TUT_SUCCESS : tut_fail(t->err, TUT_USAGE, "has no files of its own");
}

static tut_status take_signature(tut_take *t)
{
    TUT_AUTO_FREE char *place = NULL;
    TUT_CLEAN(tut_buf) bytes = TUT_BUF_INIT;
    struct stat st;
    const char *name = signature_name(t, &place);
    tut_str base = base_of(t);
    if (!name)
        return TUT_SUCCESS;
    TUT_AUTO_FREE char *rel = base.len ? tut_asprintf("%.*s/%s", (int)base.len, base.data, name)
                                       : tut_strdup(name);
    TUT_AUTO_FREE char *path = rel ? tut_fs_join(t->system->dir, rel) : NULL;
    if (!path)
        return nomem(t);
    if (lstat(path, &st) != 0 || !S_ISREG(st.st_mode))
        return TUT_SUCCESS;
    tut_version_file file = {.name = tut_str_of(name), .mode = 0644, .is_signature = true};
    TUT_TRY(tut_fs_read_beneath(t->system->dir, rel, TUT_LIMIT_OMS_BYTES, &bytes, t->err));
    TUT_TRY(tut_blob_put(t->store, tut_buf_span(&bytes), &file.blob, t->err));
    file.digest = file.blob.digest;
    file.size = file.blob.size;
    t->result->has_signature = true;
    return add_file(t, &file);
}

static int by_name(const void *a, const void *b)
{
    return tut_str_cmp(((const tut_version_file *)a)->name, ((const tut_version_file *)b)->name);
}

static tut_status take_members(tut_take *t)
{
    TUT_AUTO_FREE char *place = NULL;
    const char *signature = signature_name(t, &place);
    t->version->files = tut_arena_take(&t->version->arena, t->member_count + 1,
                                       sizeof(*t->version->files));
    if (!t->version->files)
        return nomem(t);
    for (size_t i = 0; i < t->member_count; i++) {
        tut_str name;
        const char *rel = t->census->found->files[t->members[i]].rel;
        TUT_TRY(name_of(t, rel, &name));
        if (signature && tut_str_eq_z(name, signature))
            continue;
        tut_manifest_file *f = tut_manifest_find(t->manifest, name);
        tut_status status = f ? take_file(t, name, f)
                              : tut_fail(t->err, TUT_IO,
                                         "is gone since, or has a name that is not UTF-8");
        if (!tut_is_ok(status)) {
            tut_error_set_path(t->err, rel);
            return status;
        }
    }
    TUT_TRY(take_signature(t));
    if (t->version->count > 1)
        qsort(t->version->files, t->version->count, sizeof(*t->version->files), by_name);
    return TUT_SUCCESS;
}

static bool is_confidential(const tut_asset *a)
{
    return tut_str_eq_z(a->sensitivity, "confidential") || tut_str_eq_z(a->sensitivity, "personal");
}

static tut_status take(tut_take *t)
{
    tut_version *v = t->version;
    v->asset = tut_str_of(t->asset->id);
    v->kind = tut_str_of(tut_asset_kind_name(t->asset->kind));
    v->path = t->asset->path;
    while (v->path.len > 1 && v->path.data[v->path.len - 1] == '/')
        v->path.len--;
    TUT_TRY(list_members(t));
    if (t->member_count == 0)
        return tut_fail(t->err, TUT_USAGE, "has no files here");
    if (t->member_count >= TUT_LIMIT_OCI_LAYERS)
        return tut_fail(t->err, TUT_LIMIT, "has more than %u files; declare it in parts",
                        TUT_LIMIT_OCI_LAYERS - 1);
    TUT_TRY(find_layout(t));
    TUT_TRY(list_files(t));
    t->result->is_sealed = is_confidential(t->asset);
    t->result->has_plain_past = t->result->is_sealed && t->parent && !t->parent->has_key;
    if (t->result->is_sealed)
        TUT_TRY(tut_data_key_for(t->origin, t->parent, v, t->key, t->err));
    TUT_AUTO_FREE char *cache = t->options->no_cache
                                    ? NULL
                                    : tut_cache_file(t->manifest->path, TUT_HASH_SHA256);
    tut_clock_ns started = tut_clock_now();
    TUT_TRY(hash_known(t, cache));
    TUT_TRY(take_members(t));
    if (cache)
        tut_cache_keep(cache, TUT_HASH_SHA256, t->manifest, started);
    return find_digest(t);
}

tut_status tut_take_files(tut_take *t)
{
    t->version = tut_alloc_array(1, sizeof(*t->version));
    if (!t->version)
        return nomem(t);
    tut_arena_init(&t->version->arena, 0);
    return take(t);
}
