#include "store/stage.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "crypto/openssl.h"
#include "store/data_key.h"

static tut_status nomem(tut_error *err)
{
    return tut_fail(err, TUT_NOMEM, "memory ran out");
}

/* --- places --- */

tut_str tut_version_base(const tut_version *v)
{
    if (v->layout == TUT_LAYOUT_DIRECTORY)
        return tut_str_eq_z(v->path, ".") ? TUT_LIT("") : v->path;
    const char *slash = v->path.len ? memrchr(v->path.data, '/', v->path.len) : NULL;
    return slash ? (tut_str){v->path.data, (size_t)(slash - v->path.data)} : TUT_LIT("");
}

char *tut_version_rel(const tut_version *v, tut_str name)
{
    tut_str base = tut_version_base(v);
    return base.len ? tut_asprintf("%.*s/%.*s", (int)base.len, base.data, (int)name.len, name.data)
                    : tut_strndup(name.data, name.len);
}

static tut_status step_into(int *fd, const char *name, bool make, tut_error *err)
{
    if (make && mkdirat(*fd, name, 0777) != 0 && errno != EEXIST)
        return tut_fail_errno(err, errno, "the directory %s cannot be made", name);
    int next = openat(*fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (next < 0)
        return errno == ELOOP || errno == ENOTDIR
                   ? tut_fail(err, TUT_UNSUPPORTED,
                              "%s is a link or a file where a directory belongs", name)
                   : tut_fail_errno(err, errno, "the directory %s cannot be opened", name);
    close(*fd);
    *fd = next;
    return TUT_SUCCESS;
}

tut_status tut_stage_dirs(int at, tut_str rel, bool make, int *ret_fd, tut_error *err)
{
    int fd = openat(at, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    tut_status status = fd < 0 ? tut_fail_errno(err, errno, "the directory cannot be opened")
                               : TUT_SUCCESS;
    while (tut_is_ok(status) && rel.len > 0) {
        const char *slash = memchr(rel.data, '/', rel.len);
        size_t len = slash ? (size_t)(slash - rel.data) : rel.len;
        char name[NAME_MAX + 1];
        if (len > NAME_MAX) {
            status = tut_fail(err, TUT_LIMIT, "a component of the path is too long");
            break;
        }
        tut_str_copy(name, sizeof(name), (tut_str){rel.data, len});
        status = step_into(&fd, name, make, err);
        size_t used = slash ? len + 1 : len;
        rel = (tut_str){rel.data + used, rel.len - used};
    }
    if (!tut_is_ok(status)) {
        if (fd >= 0)
            close(fd);
        return status;
    }
    *ret_fd = fd;
    return TUT_SUCCESS;
}

/* --- the stage --- */

tut_status tut_stage_make(const char *path, tut_stage *ret_stage, tut_error *err)
{
    TUT_AUTO_FREE char *copy = tut_strdup(path);
    if (!copy)
        return nomem(err);
    if (mkdir(path, 0700) != 0) {
        tut_error_set_path(err, path);
        return errno == EEXIST ? tut_fail(err, TUT_STORE, "is there already")
                               : tut_fail_errno(err, errno, "cannot be made");
    }
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return tut_fail_errno(err, errno, "%s cannot be opened", path);
    *ret_stage = (tut_stage){.path = tut_move(&copy), .fd = fd};
    return TUT_SUCCESS;
}

void tut_stage_done(tut_stage *s)
{
    if (s->path)
        close(s->fd);
    tut_free(s->path);
    *s = (tut_stage){.fd = -1};
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st;
    (void)type;
    (void)at;
    (void)remove(path);
    return 0;
}

void tut_stage_remove(const char *path)
{
    (void)nftw(path, remove_one, 32, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

/* --- filling --- */

static tut_status compare(const tut_version_file *f, uint64_t size, const tut_sha256 *plain,
                          tut_error *err)
{
    if (size != f->size || !tut_sha256_eq(plain, &f->digest))
        return tut_fail(err, TUT_STORE, "is not what the version says it is");
    return TUT_SUCCESS;
}

static tut_status write_open(const tut_staging *how, const tut_version_file *f, const uint8_t *key,
                             int fd, tut_error *err)
{
    uint64_t size;
    tut_sha256 plain;
    const tut_blob_out out = {.blob = f->blob,
                              .key = f->is_sealed ? key : NULL,
                              .asset = how->version->asset,
                              .name = f->name,
                              .fd = fd,
                              .progress = how->progress,
                              .ctx = how->ctx};
    TUT_TRY(tut_blob_copy_out(how->store, &out, &size, &plain, err));
    TUT_TRY(compare(f, size, &plain, err));
    if (fchmod(fd, f->mode & 0777u) != 0)
        return tut_fail_errno(err, errno, "its mode cannot be set");
    return TUT_SUCCESS;
}

static tut_status write_file(const tut_stage *s, const tut_staging *how, const tut_version_file *f,
                             const uint8_t *key, tut_error *err)
{
    int dir;
    TUT_AUTO_FREE char *rel = tut_version_rel(how->version, f->name);
    if (!rel)
        return nomem(err);
    const char *slash = strrchr(rel, '/');
    tut_str parent = {rel, slash ? (size_t)(slash - rel) : 0};
    TUT_TRY(tut_stage_dirs(s->fd, parent, true, &dir, err));
    int fd = openat(dir, slash ? slash + 1 : rel,
                    O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    tut_status status = fd < 0 ? tut_fail_errno(err, errno, "cannot be written")
                               : write_open(how, f, key, fd, err);
    if (fd >= 0)
        close(fd);
    close(dir);
    if (!tut_is_ok(status))
        tut_error_set_path(err, rel);
    return status;
}

static tut_status fill(const tut_stage *s, tut_staging *how, const uint8_t *key, tut_error *err)
{
    const tut_version *v = how->version;
    for (size_t i = 0; i < v->count; i++) {
        const tut_version_file *f = &v->files[i];
        if (how->only && !f->is_signature && !tut_str_eq_z(f->name, how->only))
            continue;
        TUT_TRY(write_file(s, how, f, key, err));
        how->files += !f->is_signature;
        how->bytes += f->is_signature ? 0 : f->size;
    }
    return TUT_SUCCESS;
}

tut_status tut_stage_fill(const tut_stage *s, tut_staging *how, tut_error *err)
{
    uint8_t key[TUT_CIPHER_KEY];
    if (how->version->has_key)
        TUT_TRY(tut_data_key_of(how->origin, how->version, key, err));
    how->files = 0;
    how->bytes = 0;
    tut_status status = fill(s, how, how->version->has_key ? key : NULL, err);
    tut_wipe(key, sizeof(key));
    return status;
}

/* --- verifying --- */

static tut_status nobodys(tut_verify_result *r, const char *why, tut_error *err)
{
    char *text = tut_arena_copy(&r->arena, tut_str_of(why));
    if (!text)
        return nomem(err);
    TUT_TRY(tut_grow(&r->reasons, r->reason_count, &r->reason_capacity, sizeof(*r->reasons)));
    r->reasons[r->reason_count++] = text;
    r->verdict = TUT_VERIFY_UNSIGNED;
    return TUT_SUCCESS;
}

tut_status tut_stage_verify(const tut_stage *s, const tut_version *v, const char *only,
                            const tut_records *records, uint32_t roles,
                            tut_verify_result *ret_result, const tut_person **ret_person,
                            tut_error *err)
{
    const char *list[] = {only};
    bool is_dir = v->layout == TUT_LAYOUT_DIRECTORY;
    tut_verify_options options = {.only = list, .only_count = is_dir && only ? 1 : 0};
    *ret_person = NULL;
    if (v->layout == TUT_LAYOUT_FILES)
        return nobodys(ret_result,
                       "it is of several files that no one signature speaks of; declare and sign "
                       "their directory",
                       err);
    TUT_AUTO_FREE char *path = tut_asprintf("%s/%.*s", s->path, (int)v->path.len, v->path.data);
    if (!path)
        return nomem(err);
    return tut_verify_by_people(path, records->people, records->log_size, roles, &options,
                                ret_result, ret_person, err);
}
