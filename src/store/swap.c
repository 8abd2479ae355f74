#include "store/swap.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "assets/manifest.h"
#include "assets/match.h"
#include "base/fs.h"

static tut_status nomem(tut_error *err)
{
    return tut_fail(err, TUT_NOMEM, "memory ran out");
}

/* One name below two directories: it goes from the stage into its place, and back what was there.
 */
typedef struct place {
    int to, from; /* directories that hold it: in place, and on the stage */
    const char *name;
} place;

static tut_status without_exchange(tut_swap *s, const place *p, tut_error *err)
{
    TUT_AUTO_FREE char *aside = tut_asprintf("%.200s.before", p->name);
    if (!aside)
        return nomem(err);
    s->is_not_atomic = true;
    if (renameat2(p->to, p->name, p->from, aside, RENAME_NOREPLACE) != 0)
        return tut_fail_errno(err, errno, "what is there cannot be moved away");
    if (renameat(p->from, p->name, p->to, p->name) == 0)
        return TUT_SUCCESS;
    int saved = errno;
    if (renameat2(p->from, aside, p->to, p->name, RENAME_NOREPLACE) != 0)
        s->kept++; /* what was there lies on the stage, which then must stay */
    return tut_fail_errno(err, saved, "cannot be put in its place");
}

static tut_status exchange(tut_swap *s, const place *p, tut_error *err)
{
    struct stat st;
    if (fstatat(p->to, p->name, &st, AT_SYMLINK_NOFOLLOW) != 0) {
        if (errno != ENOENT)
            return tut_fail_errno(err, errno, "cannot be examined");
        return renameat2(p->from, p->name, p->to, p->name, RENAME_NOREPLACE) == 0
                   ? TUT_SUCCESS
                   : tut_fail_errno(err, errno, "cannot be put in its place");
    }
    if (!s->may_replace)
        return tut_fail(err, TUT_STORE, "is there already, and is not written over");
    tut_status status = TUT_SUCCESS;
    if (renameat2(p->from, p->name, p->to, p->name, RENAME_EXCHANGE) != 0)
        status = errno == EINVAL || errno == ENOSYS
                     ? without_exchange(s, p, err)
                     : tut_fail_errno(err, errno, "cannot be put in its place");
    s->kept += tut_is_ok(status);
    return status;
}

/* Opens both directories that hold `rel`. */
static tut_status with_place(tut_swap *s, int root, const char *rel,
                             tut_status (*act)(tut_swap *s, const place *p, tut_error *err),
                             tut_error *err)
{
    const char *slash = strrchr(rel, '/');
    tut_str parent = {rel, slash ? (size_t)(slash - rel) : 0};
    place p = {.to = -1, .from = -1, .name = slash ? slash + 1 : rel};
    tut_status status = tut_stage_dirs(root, parent, true, &p.to, err);
    if (tut_is_ok(status))
        status = tut_stage_dirs(s->stage->fd, parent, true, &p.from, err);
    if (tut_is_ok(status))
        status = act(s, &p, err);
    if (tut_is_ok(status) && fsync(p.to) != 0 && errno != EINVAL)
        status = tut_fail_errno(err, errno, "is in place, but the disk did not confirm it");
    if (p.to >= 0)
        close(p.to);
    if (p.from >= 0)
        close(p.from);
    if (!tut_is_ok(status))
        tut_error_set_path(err, rel);
    return status;
}

static tut_status take_out(tut_swap *s, const place *p, tut_error *err)
{
    if (renameat2(p->to, p->name, p->from, p->name, RENAME_NOREPLACE) != 0)
        return tut_fail_errno(err, errno, "cannot be moved away");
    s->kept++;
    return TUT_SUCCESS;
}

/* --- whole, or file by file --- */

static bool is_skipped(tut_str name)
{
    const char *at = name.data;
    for (size_t left = name.len; left > 0;) {
        char part[256];
        const char *slash = memchr(at, '/', left);
        size_t len = slash ? (size_t)(slash - at) : left;
        tut_str_copy(part, sizeof(part), (tut_str){at, len});
        if (tut_walk_skips(part))
            return true;
        len += slash != NULL;
        at += len;
        left -= len;
    }
    return false;
}

static bool is_own(const tut_swap *s, const char *rel)
{
    const tut_asset *a = tut_match_declared(s->system, rel);
    return a && tut_str_eq_z(s->version->asset, a->id);
}

static bool holds_others(const tut_swap *s)
{
    tut_str path = s->version->path;
    if (tut_str_eq_z(path, "."))
        return true;
    for (size_t i = 0; i < s->system->asset_count; i++) {
        const tut_asset *a = &s->system->assets[i];
        if (a->path.len > path.len && tut_str_starts(a->path, path) &&
            a->path.data[path.len] == '/')
            return true;
    }
    return false;
}

/* The files of the directory as it is, or NULL where there is none. */
static tut_status list(const tut_swap *s, tut_manifest **ret_manifest, tut_error *err)
{
    static const char *const ignore[] = {".tutela", ".git"};
    const tut_manifest_options options = {.ignore = ignore, .ignore_count = 2};
    TUT_AUTO_FREE char *path = tut_asprintf("%s/%.*s", s->root, (int)s->version->path.len,
                                            s->version->path.data);
    if (!path)
        return nomem(err);
    *ret_manifest = NULL;
    return tut_fs_is_dir(path) ? tut_manifest_list(path, &options, ret_manifest, err) : TUT_SUCCESS;
}

static bool is_mixed(const tut_swap *s, const tut_manifest *m)
{
    TUT_AUTO_FREE char *git = tut_asprintf("%s/.git", m->path);
    if (holds_others(s) || m->odd_count > 0 || !git || tut_fs_exists(git))
        return true;
    for (size_t i = 0; i < m->count; i++)
        if (is_skipped(m->files[i].name))
            return true;
    return false;
}

static tut_status swap_files(tut_swap *s, int root, tut_error *err)
{
    const tut_version *v = s->version;
    for (size_t i = 0; i < v->count; i++) {
        const tut_version_file *f = &v->files[i];
        TUT_AUTO_FREE char *rel = tut_version_rel(v, f->name);
        if (!rel)
            return nomem(err);
        if (s->only && !tut_str_eq_z(f->name, s->only))
            continue;
        TUT_TRY(with_place(s, root, rel, exchange, err));
    }
    return TUT_SUCCESS;
}

static tut_status take_out_others(tut_swap *s, int root, const tut_manifest *m, tut_error *err)
{
    for (size_t i = 0; m && i < m->count; i++) {
        tut_str name = m->files[i].name;
        TUT_AUTO_FREE char *rel = tut_version_rel(s->version, name);
        if (!rel)
            return nomem(err);
        if (!tut_version_find(s->version, name) && !is_skipped(name) && is_own(s, rel))
            TUT_TRY(with_place(s, root, rel, take_out, err));
    }
    return TUT_SUCCESS;
}

static tut_status swap_directory(tut_swap *s, int root, tut_error *err)
{
    TUT_AUTO(tut_manifest) m = NULL;
    TUT_TRY(list(s, &m, err));
    if (!m || !is_mixed(s, m)) {
        TUT_AUTO_FREE char *rel = tut_strndup(s->version->path.data, s->version->path.len);
        return rel ? with_place(s, root, rel, exchange, err) : nomem(err);
    }
    if (!s->may_replace) {
        tut_error_set_path(err, m->path);
        return tut_fail(err, TUT_STORE, "is there already, and is not written over");
    }
    s->is_by_file = true;
    TUT_TRY(swap_files(s, root, err));
    return take_out_others(s, root, m, err);
}

tut_status tut_swap_in(tut_swap *s, tut_error *err)
{
    int root = open(s->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (root < 0)
        return tut_fail_errno(err, errno, "%s cannot be opened", s->root);
    bool is_whole = s->version->layout == TUT_LAYOUT_DIRECTORY && !s->only &&
                    !tut_str_eq_z(s->version->path, ".");
    tut_status status = is_whole ? swap_directory(s, root, err) : TUT_SUCCESS;
    if (!is_whole) {
        TUT_AUTO(tut_manifest) m = NULL;
        s->is_by_file = s->version->count > 1;
        if (!s->only && s->version->layout == TUT_LAYOUT_DIRECTORY)
            status = list(s, &m, err);
        if (tut_is_ok(status))
            status = swap_files(s, root, err);
        if (tut_is_ok(status))
            status = take_out_others(s, root, m, err);
    }
    close(root);
    return status;
}
