/* Listing: every file below the root, each name once, without recursion. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "assets/manifest_internal.h"
#include "base/cage.h"
#include "base/limits.h"

typedef struct frame {
    DIR *dir;
    size_t rel_len; /* of "a/b/", the prefix of names in this directory */
    dev_t dev;
    ino_t ino;
} frame;

typedef struct walk {
    tut_manifest *m;
    tut_str *ignore; /* sorted */
    size_t ignore_count;
    tut_buf rel;
    frame frames[TUT_LIMIT_WALK_DEPTH];
    size_t depth;
    uint64_t seen; /* entries of any kind: followed links can multiply directories */
    tut_error *err;
} walk;

static int by_bytes(const void *a, const void *b)
{
    return tut_str_cmp(*(const tut_str *)a, *(const tut_str *)b);
}

static int by_name(const void *a, const void *b)
{
    return tut_str_cmp(((const tut_manifest_file *)a)->name, ((const tut_manifest_file *)b)->name);
}

static int odd_by_name(const void *a, const void *b)
{
    return tut_str_cmp(((const tut_odd_file *)a)->name, ((const tut_odd_file *)b)->name);
}

static tut_status blame(walk *w, tut_status status)
{
    tut_manifest_file here = {.name = tut_str_of(tut_buf_z(&w->rel))};
    tut_manifest_blame(w->m, &here, w->err);
    return status;
}

static tut_status copy_name(walk *w, tut_str *ret_name)
{
    char *name = tut_arena_copy(&w->m->arena, tut_buf_str(&w->rel));
    if (!name)
        return tut_fail(w->err, TUT_NOMEM, "memory ran out");
    *ret_name = (tut_str){name, w->rel.len};
    return TUT_SUCCESS;
}

static tut_status add_odd(walk *w, tut_odd_kind kind)
{
    tut_manifest *m = w->m;
    tut_odd_file odd = {.kind = kind};
    TUT_TRY(copy_name(w, &odd.name));
    TUT_TRY(tut_grow(&m->odd, m->odd_count, &m->odd_capacity, sizeof(*m->odd)));
    m->odd[m->odd_count++] = odd;
    return TUT_SUCCESS;
}

static tut_status add_file(walk *w, const struct stat *st)
{
    tut_manifest *m = w->m;
    if (!tut_utf8_valid(tut_buf_str(&w->rel)))
        return add_odd(w, TUT_ODD_NAME);
    tut_manifest_file file = {.is_wanted = true};
    TUT_TRY(copy_name(w, &file.name));
    tut_stamp_of(st, &file.stamp);
    TUT_TRY(tut_grow(&m->files, m->count, &m->capacity, sizeof(*m->files)));
    m->files[m->count++] = file;
    m->bytes += file.stamp.size;
    return TUT_SUCCESS;
}

static bool is_ancestor(const walk *w, const struct stat *st)
{
    for (size_t i = 0; i < w->depth; i++)
        if (w->frames[i].dev == st->st_dev && w->frames[i].ino == st->st_ino)
            return true;
    return false;
}

/* Takes fd. */
static tut_status push(walk *w, int fd, size_t rel_len)
{
    struct stat st;
    if (w->depth == TUT_LIMIT_WALK_DEPTH) {
        close(fd);
        return blame(w, tut_fail(w->err, TUT_LIMIT, "lies deeper than %u directories",
                                 TUT_LIMIT_WALK_DEPTH));
    }
    if (fstat(fd, &st) != 0 || is_ancestor(w, &st)) {
        /* only a link, or a bind mount, leads back to a directory that is being read */
        close(fd);
        return TUT_SUCCESS;
    }
    DIR *dir = fdopendir(fd);
    if (!dir) {
        close(fd);
        return blame(w, tut_fail(w->err, TUT_NOMEM, "memory ran out"));
    }
    w->frames[w->depth++] =
        (frame){.dir = dir, .rel_len = rel_len, .dev = st.st_dev, .ino = st.st_ino};
    return TUT_SUCCESS;
}

static tut_status enter(walk *w, int parent, const char *name, int no_follow)
{
    int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | no_follow);
    if (fd < 0)
        return blame(w, tut_fail_errno(w->err, errno, "the directory cannot be read"));
    tut_buf_add_byte(&w->rel, '/');
    TUT_TRY(tut_buf_check(&w->rel, w->err));
    return push(w, fd, w->rel.len);
}

static tut_status visit_link(walk *w, int parent, const char *name)
{
    struct stat st;
    if (!w->m->follows_links || fstatat(parent, name, &st, 0) != 0)
        return add_odd(w, TUT_ODD_LINK);
    if (S_ISDIR(st.st_mode))
        return enter(w, parent, name, 0);
    return S_ISREG(st.st_mode) ? add_file(w, &st) : add_odd(w, TUT_ODD_SPECIAL);
}

static tut_status visit(walk *w, int parent, const char *name)
{
    struct stat st;
    tut_str rel = tut_buf_str(&w->rel);
    if (w->ignore_count > 0 &&
        bsearch(&rel, w->ignore, w->ignore_count, sizeof(*w->ignore), by_bytes))
        return TUT_SUCCESS;
    if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) != 0) {
        if (errno == ENOENT)
            return TUT_SUCCESS; /* gone since it was listed */
        return blame(w, tut_fail_errno(w->err, errno, "cannot be examined"));
    }
    if (S_ISREG(st.st_mode))
        return add_file(w, &st);
    if (S_ISDIR(st.st_mode))
        return enter(w, parent, name, O_NOFOLLOW);
    return S_ISLNK(st.st_mode) ? visit_link(w, parent, name) : add_odd(w, TUT_ODD_SPECIAL);
}

static tut_status run(walk *w)
{
    while (w->depth > 0) {
        frame *f = &w->frames[w->depth - 1];
        w->rel.len = f->rel_len;
        errno = 0;
        const struct dirent *entry = readdir(f->dir);
        if (!entry) {
            if (errno != 0)
                return blame(w, tut_fail_errno(w->err, errno, "the directory cannot be read"));
            closedir(f->dir);
            w->depth--;
            continue;
        }
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (tut_interrupted())
            return tut_fail(w->err, TUT_CANCELLED, "interrupted");
        if (++w->seen > TUT_LIMIT_WALK_FILES)
            return tut_fail(w->err, TUT_LIMIT, "more than %u files and directories lie below it",
                            TUT_LIMIT_WALK_FILES);
        tut_buf_add_z(&w->rel, entry->d_name);
        TUT_TRY(tut_buf_check(&w->rel, w->err));
        TUT_TRY(visit(w, dirfd(f->dir), entry->d_name));
    }
    return TUT_SUCCESS;
}

static tut_status sort_ignored(walk *w, const tut_manifest_options *options)
{
    w->ignore = tut_alloc_array(options->ignore_count ? options->ignore_count : 1,
                                sizeof(*w->ignore));
    if (!w->ignore)
        return tut_fail(w->err, TUT_NOMEM, "memory ran out");
    for (size_t i = 0; i < options->ignore_count; i++)
        w->ignore[i] = tut_str_of(options->ignore[i]);
    w->ignore_count = options->ignore_count;
    if (w->ignore_count > 1)
        qsort(w->ignore, w->ignore_count, sizeof(*w->ignore), by_bytes);
    return TUT_SUCCESS;
}

static tut_status list_dir(tut_manifest *m, const tut_manifest_options *options, tut_error *err)
{
    TUT_AUTO_FREE walk *w = tut_alloc_array(1, sizeof(*w));
    if (!w)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    w->m = m;
    w->err = err;
    tut_status status = sort_ignored(w, options);
    int fd = tut_is_ok(status) ? openat(m->dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    if (tut_is_ok(status))
        status = fd < 0 ? tut_fail_errno(err, errno, "the directory cannot be read")
                        : push(w, fd, 0);
    if (tut_is_ok(status))
        status = run(w);
    while (w->depth > 0)
        closedir(w->frames[--w->depth].dir);
    tut_buf_done(&w->rel);
    tut_free(w->ignore);
    TUT_TRY(status);
    if (m->count > 1)
        qsort(m->files, m->count, sizeof(*m->files), by_name);
    if (m->odd_count > 1)
        qsort(m->odd, m->odd_count, sizeof(*m->odd), odd_by_name);
    return TUT_SUCCESS;
}

static tut_status list_file(tut_manifest *m, const char *name, const struct stat *st,
                            tut_error *err)
{
    char *copy = tut_arena_copy(&m->arena, tut_str_of(name));
    if (!copy)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    if (!tut_utf8_valid(tut_str_of(name)))
        return tut_fail(err, TUT_UNSUPPORTED, "has a name that is not UTF-8; rename it");
    TUT_TRY(tut_grow(&m->files, 0, &m->capacity, sizeof(*m->files)));
    m->files[0] = (tut_manifest_file){.name = tut_str_of(copy), .is_wanted = true};
    tut_stamp_of(st, &m->files[0].stamp);
    m->count = 1;
    m->bytes = m->files[0].stamp.size;
    return TUT_SUCCESS;
}

/* "models/llama" and "models/llama/" are called llama; "." and ".." as what they are. */
static tut_status name_base(tut_manifest *m, tut_error *err)
{
    TUT_AUTO_FREE char *copy = tut_strdup(m->path);
    if (!copy)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    const char *last = basename(copy);
    if (strcmp(last, ".") == 0 || strcmp(last, "..") == 0) {
        char *real = realpath(m->path, NULL);
        if (real)
            m->base = tut_strdup(basename(real));
        free(real);
    } else {
        m->base = tut_strdup(last);
    }
    return m->base ? TUT_SUCCESS : tut_fail(err, TUT_NOMEM, "memory ran out");
}

static tut_status open_root(tut_manifest *m, struct stat *st, tut_error *err)
{
    if (stat(m->path, st) != 0)
        return tut_fail_errno(err, errno, "cannot be read");
    if (!S_ISDIR(st->st_mode) && !S_ISREG(st->st_mode))
        return tut_fail(err, TUT_UNSUPPORTED, "is neither a file nor a directory");
    m->is_single = S_ISREG(st->st_mode);
    TUT_TRY(name_base(m, err));
    TUT_AUTO_FREE char *copy = tut_strdup(m->path);
    if (!copy)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    const char *dir = m->is_single ? dirname(copy) : m->path;
    m->dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (m->dirfd < 0)
        return tut_fail_errno(err, errno, "the directory %s cannot be read", dir);
    return TUT_SUCCESS;
}

tut_status tut_manifest_list(const char *path, const tut_manifest_options *options,
                             tut_manifest **ret_manifest, tut_error *err)
{
    TUT_AUTO(tut_manifest) m = tut_alloc_array(1, sizeof(*m));
    struct stat st;
    if (!m)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    m->dirfd = -1;
    m->follows_links = options->allow_symlinks;
    m->path = tut_strdup(path);
    tut_status status = m->path ? open_root(m, &st, err)
                                : tut_fail(err, TUT_NOMEM, "memory ran out");
    if (tut_is_ok(status))
        status = m->is_single ? list_file(m, m->base, &st, err) : list_dir(m, options, err);
    if (!tut_is_ok(status)) {
        tut_error_set_path(err, path);
        return status;
    }
    *ret_manifest = tut_move(&m);
    return TUT_SUCCESS;
}
