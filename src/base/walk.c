/*
 * Walking a tree: openat from descriptors already held, O_NOFOLLOW, an explicit stack, one sorted
 * listing for each directory on the way down. Names are bytes; nothing here asks for UTF-8.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cage.h"
#include "base/fs.h"
#include "base/fs_internal.h"
#include "base/limits.h"

/* Other tools' state and caches, which no AI system consists of. */
static const char *const skipped_dirs[] = {".git", ".tutela", "node_modules", "__pycache__",
                                           ".venv"};

bool tut_walk_skips(const char *name)
{
    for (size_t i = 0; i < sizeof(skipped_dirs) / sizeof(skipped_dirs[0]); i++)
        if (strcmp(name, skipped_dirs[i]) == 0)
            return true;
    return false;
}

typedef struct walk_item {
    size_t name; /* offset in the frame's names */
    uint64_t size;
    dev_t dev;
    ino_t ino;
    mode_t mode;
    int problem; /* errno of the look at it, or 0 */
} walk_item;

typedef struct walk_frame {
    int fd;
    dev_t dev;
    ino_t ino;
    size_t rel_len; /* length of this directory's own relative path with its '/' */
    tut_buf names;  /* NUL-ended, one after the other */
    walk_item *items;
    size_t count, capacity, next;
} walk_frame;

typedef struct walk {
    tut_walk_visit visit;
    void *ctx;
    tut_error *err;
    char *root; /* canonical, for telling where links lead; NULL when it could not be found */
    tut_buf rel;
    size_t listed;
    bool is_full;
    walk_frame frames[TUT_LIMIT_WALK_DEPTH + 1];
    size_t depth; /* frames in use */
} walk;

static const char *frame_name(const walk_frame *f, const walk_item *item)
{
    return (const char *)f->names.data + item->name;
}

static void frame_done(walk_frame *f)
{
    tut_fs_close(f->fd);
    tut_buf_done(&f->names);
    tut_free(f->items);
    *f = (walk_frame){.fd = -1};
}

/* Byte order of full paths: a directory compares as its name and a slash. */
static int compare_items(const void *a, const void *b, void *frame)
{
    const walk_item *x = a, *y = b;
    const char *p = frame_name(frame, x), *q = frame_name(frame, y);
    size_t i = 0;
    while (p[i] && p[i] == q[i])
        i++;
    int c = p[i] ? (unsigned char)p[i] : (S_ISDIR(x->mode) ? '/' : 0);
    int d = q[i] ? (unsigned char)q[i] : (S_ISDIR(y->mode) ? '/' : 0);
    return c - d;
}

/* item: NULL where nothing is known about the entry but its name. */
static tut_status report(walk *w, tut_walk_kind kind, const walk_item *item, const char *problem)
{
    const char *rel = tut_buf_z(&w->rel);
    if (!rel)
        return tut_buf_check(&w->rel, w->err);
    tut_walk_entry entry = {.kind = kind, .rel = rel, .problem = problem};
    if (item) {
        entry.size = kind == TUT_WALK_FILE ? item->size : 0;
        entry.dev = item->dev;
        entry.ino = item->ino;
    }
    return w->visit(w->ctx, &entry, w->err);
}

static tut_status add_item(walk *w, walk_frame *f, const char *name)
{
    TUT_TRY(tut_grow(&f->items, f->count, &f->capacity, sizeof(*f->items)));
    walk_item *item = &f->items[f->count];
    *item = (walk_item){.name = f->names.len};
    struct stat st;
    if (fstatat(f->fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
        item->size = (uint64_t)st.st_size;
        item->dev = st.st_dev;
        item->ino = st.st_ino;
        item->mode = st.st_mode;
    } else {
        item->problem = errno;
    }
    if (S_ISDIR(item->mode) && tut_walk_skips(name))
        return TUT_SUCCESS;
    tut_buf_add(&f->names, name, strlen(name) + 1);
    f->count++;
    w->listed++;
    return tut_buf_check(&f->names, w->err);
}

/* Fills the frame; *ret_problem is the errno that ended the listing early, or 0. */
static tut_status list_dir(walk *w, walk_frame *f, int *ret_problem)
{
    int copy = fcntl(f->fd, F_DUPFD_CLOEXEC, 0);
    DIR *dir = copy < 0 ? NULL : fdopendir(copy);
    if (!dir) {
        *ret_problem = errno;
        tut_fs_close(copy);
        return TUT_SUCCESS;
    }
    tut_status status = TUT_SUCCESS;
    while (tut_is_ok(status) && !w->is_full) {
        errno = 0;
        const struct dirent *d = readdir(dir);
        if (!d) {
            *ret_problem = errno;
            break;
        }
        if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0)
            continue;
        if (w->listed >= TUT_LIMIT_WALK_FILES)
            w->is_full = true;
        else
            status = add_item(w, f, d->d_name);
    }
    (void)closedir(dir);
    if (f->count > 1)
        qsort_r(f->items, f->count, sizeof(*f->items), compare_items, f);
    return status;
}

static bool is_on_the_way(const walk *w, const walk_item *item)
{
    for (size_t i = 0; i < w->depth; i++)
        if (w->frames[i].dev == item->dev && w->frames[i].ino == item->ino)
            return true;
    return false;
}

/* Takes the open directory fd as the next frame. */
static tut_status push(walk *w, int fd)
{
    walk_frame *f = &w->frames[w->depth];
    *f = (walk_frame){.fd = fd, .rel_len = w->rel.len};
    struct stat st;
    int problem = 0;
    w->depth++;
    if (fstat(fd, &st) == 0) {
        f->dev = st.st_dev;
        f->ino = st.st_ino;
        TUT_TRY(list_dir(w, f, &problem));
    } else {
        problem = errno;
    }
    if (problem == 0)
        return TUT_SUCCESS;
    if (w->rel.len > 0)
        w->rel.len--; /* the entry's name is without the slash */
    else
        tut_buf_add_byte(&w->rel, '.');
    TUT_TRY(report(w, TUT_WALK_UNREADABLE, NULL, strerror(problem)));
    w->rel.len = f->rel_len;
    return TUT_SUCCESS;
}

static tut_status enter_dir(walk *w, const walk_frame *parent, const walk_item *item)
{
    if (is_on_the_way(w, item))
        return report(w, TUT_WALK_LINK_BROKEN, item, "this directory contains itself");
    if (w->depth > TUT_LIMIT_WALK_DEPTH)
        return report(w, TUT_WALK_LIMIT, item, "too deep; not walked from here");
    int fd = openat(parent->fd, frame_name(parent, item),
                    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return report(w, TUT_WALK_UNREADABLE, item, strerror(errno));
    tut_buf_add_byte(&w->rel, '/');
    return push(w, fd);
}

static bool has_skipped_component(const char *below_root)
{
    char name[NAME_MAX + 1];
    for (const char *p = below_root; *p;) {
        size_t len = strcspn(p, "/");
        if (len > 0 && len <= NAME_MAX) {
            memcpy(name, p, len);
            name[len] = '\0';
            if (tut_walk_skips(name))
                return true;
        }
        p += len;
        p += *p == '/';
    }
    return false;
}

/* Where the link leads decides; it is never followed. */
static tut_status visit_link(walk *w, const walk_item *item)
{
    const char *rel = tut_buf_z(&w->rel);
    if (!w->root || !rel)
        return report(w, TUT_WALK_LINK_OUT, item, "where it leads could not be found out");
    TUT_AUTO_FREE char *path = tut_fs_join(w->root, rel);
    if (!path)
        return tut_fail(w->err, TUT_NOMEM, "no memory for a path");
    char real[PATH_MAX];
    if (!realpath(path, real)) {
        bool is_broken = errno == ENOENT || errno == ELOOP || errno == ENOTDIR;
        return report(w, is_broken ? TUT_WALK_LINK_BROKEN : TUT_WALK_UNREADABLE, item,
                      errno == ELOOP ? "the link is part of a loop"
                      : is_broken    ? "the link leads to nothing"
                                     : strerror(errno));
    }
    size_t root_len = strcmp(w->root, "/") == 0 ? 0 : strlen(w->root);
    if (strncmp(real, w->root, root_len) != 0 || (real[root_len] != '/' && real[root_len] != '\0'))
        return report(w, TUT_WALK_LINK_OUT, item, "the link leads out of the tree");
    if (has_skipped_component(real + root_len))
        return report(w, TUT_WALK_LINK_OUT, item,
                      "the link leads into a directory that is passed over");
    return TUT_SUCCESS;
}

static tut_status visit_item(walk *w, const walk_frame *f, const walk_item *item)
{
    if (item->problem == ENOENT)
        return TUT_SUCCESS; /* gone since it was listed */
    if (item->problem)
        return report(w, TUT_WALK_UNREADABLE, NULL, strerror(item->problem));
    if (S_ISDIR(item->mode))
        return enter_dir(w, f, item);
    if (S_ISLNK(item->mode))
        return visit_link(w, item);
    if (!S_ISREG(item->mode))
        return report(w, TUT_WALK_SPECIAL, item, "a device, socket or pipe; not opened");
    if (faccessat(f->fd, frame_name(f, item), R_OK, AT_EACCESS | AT_SYMLINK_NOFOLLOW) != 0)
        return report(w, TUT_WALK_UNREADABLE, item, strerror(errno));
    return report(w, TUT_WALK_FILE, item, NULL);
}

static tut_status run(walk *w)
{
    while (w->depth > 0) {
        walk_frame *f = &w->frames[w->depth - 1];
        if (tut_interrupted())
            return tut_fail(w->err, TUT_CANCELLED, "interrupted");
        w->rel.len = f->rel_len;
        if (f->next == f->count) {
            frame_done(f);
            w->depth--;
            continue;
        }
        const walk_item *item = &f->items[f->next++];
        tut_buf_add_z(&w->rel, frame_name(f, item));
        TUT_TRY(tut_buf_check(&w->rel, w->err));
        TUT_TRY(visit_item(w, f, item));
    }
    if (!w->is_full)
        return TUT_SUCCESS;
    tut_buf_clear(&w->rel);
    tut_buf_add_byte(&w->rel, '.');
    return report(w, TUT_WALK_LIMIT, NULL, "too many files; the rest was not walked");
}

tut_status tut_walk(const char *root, tut_walk_visit visit, void *ctx, tut_error *err)
{
    int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        tut_status status = tut_fail_errno(err, errno, "cannot read the directory %s", root);
        tut_error_set_path(err, root);
        return status;
    }
    TUT_AUTO_FREE walk *w = tut_alloc_array(1, sizeof(*w));
    if (!w) {
        tut_fs_close(fd);
        return tut_fail(err, TUT_NOMEM, "no memory to walk %s", root);
    }
    *w = (walk){.visit = visit, .ctx = ctx, .err = err, .root = realpath(root, NULL)};
    tut_status status = push(w, fd);
    if (tut_is_ok(status))
        status = run(w);
    while (w->depth > 0)
        frame_done(&w->frames[--w->depth]);
    tut_buf_done(&w->rel);
    free(w->root); /* from realpath */
    return status;
}
