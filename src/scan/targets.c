#include "scan/targets.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "scan/exam.h"

void tut_targets_init(tut_targets *t)
{
    *t = (tut_targets){.dirfd = -1};
}

static void target_done(tut_target *target)
{
    tut_free(target->path);
    tut_free(target->rel);
    tut_free(target->problem);
}

void tut_targets_done(tut_targets *t)
{
    for (size_t i = 0; i < t->count; i++)
        target_done(&t->items[i]);
    for (size_t i = 0; i < t->root_count; i++)
        close(t->roots[i]);
    if (t->dirfd >= 0)
        close(t->dirfd);
    tut_free(t->items);
    tut_free(t->roots);
    tut_free(t->dir);
    tut_targets_init(t);
}

/* Takes path; copies the rest. */
static tut_status add(tut_targets *t, char *path, const char *rel, size_t root, uint64_t size,
                      const char *problem, tut_error *err)
{
    tut_target made = {.path = path,
                       .rel = tut_strdup(rel),
                       .root = root,
                       .size = size,
                       .fd = -1,
                       .problem = problem ? tut_strdup(problem) : NULL};
    if (!made.path || !made.rel || (problem && !made.problem) ||
        !tut_is_ok(tut_grow(&t->items, t->count, &t->capacity, sizeof(*t->items)))) {
        target_done(&made);
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    }
    t->items[t->count++] = made;
    return TUT_SUCCESS;
}

/* --- directories --- */
typedef struct walk_context {
    tut_targets *targets;
    const char *root_path;
    size_t root;
} walk_context;

static const char *last_component(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash && slash[1] ? slash + 1 : path;
}

static tut_status on_entry(void *ctx, const tut_walk_entry *entry, tut_error *err)
{
    walk_context *w = ctx;
    bool is_link = entry->kind == TUT_WALK_LINK_OUT || entry->kind == TUT_WALK_LINK_BROKEN;
    bool is_odd = is_link || entry->kind == TUT_WALK_SPECIAL;
    if (is_link)
        w->targets->links_out++;
    /* What is no file and is not called like a model was never meant to be read. */
    if (is_odd && !tut_name_is_model(tut_str_of(last_component(entry->rel))))
        return TUT_SUCCESS;
    const char *problem = entry->kind == TUT_WALK_FILE ? NULL
                          : entry->problem             ? entry->problem
                                                       : "cannot be read";
    TUT_TRY(add(w->targets, tut_fs_join(w->root_path, entry->rel), entry->rel, w->root, entry->size,
                problem, err));
    w->targets->items[w->targets->count - 1].is_link = is_link;
    return TUT_SUCCESS;
}

static tut_status add_directory(tut_targets *t, const char *path, tut_error *err)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return add(t, tut_strdup(path), last_component(path), TUT_TARGET_DIRECT, 0,
                   errno == EACCES ? "cannot be read (permission denied)" : "cannot be opened",
                   err);
    tut_status grown = tut_grow(&t->roots, t->root_count, &t->root_capacity, sizeof(*t->roots));
    if (!tut_is_ok(grown)) {
        close(fd);
        return grown;
    }
    t->roots[t->root_count++] = fd;
    walk_context w = {.targets = t, .root_path = path, .root = t->root_count - 1};
    tut_error why = {0};
    tut_status walked = tut_walk(path, on_entry, &w, &why);
    if (tut_is_ok(walked))
        return TUT_SUCCESS;
    if (walked.code == TUT_CANCELLED || walked.code == TUT_NOMEM) {
        if (err)
            *err = why;
        return walked;
    }
    return add(t, tut_strdup(path), last_component(path), TUT_TARGET_DIRECT, 0, why.text, err);
}

/* --- single paths --- */
static const char *kind_problem(mode_t mode)
{
    if (S_ISREG(mode))
        return NULL;
    if (S_ISFIFO(mode))
        return "is a pipe, not a file; tutela scan - reads one";
    if (S_ISSOCK(mode))
        return "is a socket, not a file";
    return "is a device, not a file";
}

static tut_status add_path(tut_targets *t, const char *path, tut_error *err)
{
    struct stat st;
    if (strcmp(path, "-") == 0)
        return add(t, tut_strdup("-"), "-", TUT_TARGET_DIRECT, 0, NULL, err);
    if (stat(path, &st) != 0) {
        const char *problem = errno == ENOENT   ? "no such file or directory"
                              : errno == EACCES ? "cannot be read (permission denied)"
                              : errno == ELOOP  ? "is part of a loop of links"
                                                : "cannot be looked at";
        return add(t, tut_strdup(path), last_component(path), TUT_TARGET_DIRECT, 0, problem, err);
    }
    if (S_ISDIR(st.st_mode))
        return add_directory(t, path, err);
    return add(t, tut_strdup(path), last_component(path), TUT_TARGET_DIRECT, (uint64_t)st.st_size,
               kind_problem(st.st_mode), err);
}

/* A path that was named stands before the same path that a walk found. */
static int compare_targets(const void *a, const void *b)
{
    const tut_target *left = a;
    const tut_target *right = b;
    int order = strcmp(left->path, right->path);
    if (order != 0)
        return order;
    if (left->root != right->root)
        return left->root > right->root ? -1 : 1;
    return 0;
}

static void drop_doubles(tut_targets *t)
{
    size_t kept = 0;
    for (size_t i = 0; i < t->count; i++) {
        if (kept > 0 && strcmp(t->items[kept - 1].path, t->items[i].path) == 0)
            target_done(&t->items[i]);
        else
            t->items[kept++] = t->items[i];
    }
    t->count = kept;
}

tut_status tut_targets_collect(tut_targets *t, const char *const *paths, size_t count,
                               tut_error *err)
{
    for (size_t i = 0; i < count; i++)
        TUT_TRY(add_path(t, paths[i], err));
    if (t->count > 1)
        qsort(t->items, t->count, sizeof(*t->items), compare_targets);
    drop_doubles(t);
    return TUT_SUCCESS;
}

tut_status tut_targets_add_open(tut_targets *t, int fd, const char *name, tut_error *err)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return tut_fail_errno(err, errno, "the descriptor is not open");
    TUT_TRY(add(t, tut_strdup(name), last_component(name), TUT_TARGET_DIRECT, (uint64_t)st.st_size,
                kind_problem(st.st_mode), err));
    t->items[t->count - 1].fd = fd;
    return TUT_SUCCESS;
}

/* --- opening --- */
static tut_status open_again(int fd, int *ret_fd, tut_error *err)
{
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (copy < 0)
        return tut_fail_errno(err, errno, "the descriptor cannot be read");
    *ret_fd = copy;
    return TUT_SUCCESS;
}

static tut_status open_regular(const char *path, int *ret_fd, tut_error *err)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return errno == EACCES || errno == EPERM
                   ? tut_fail(err, TUT_DENIED, "cannot be read (permission denied)")
                   : tut_fail_errno(err, errno, "cannot be read");
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        close(fd);
        return tut_fail(err, TUT_IO, "is not a regular file any more");
    }
    *ret_fd = fd;
    return TUT_SUCCESS;
}

/* The directory of the file at hand stays open while files of the same directory follow. */
static int directory_of(tut_targets *t, const char *path)
{
    const char *slash = strrchr(path, '/');
    size_t len = !slash ? 0 : slash == path ? 1 : (size_t)(slash - path);
    char *dir = slash ? tut_strndup(path, len) : tut_strdup(".");
    if (dir && t->dir && t->dirfd >= 0 && strcmp(dir, t->dir) == 0) {
        tut_free(dir);
        return t->dirfd;
    }
    if (t->dirfd >= 0)
        close(t->dirfd);
    tut_free(t->dir);
    t->dir = dir;
    t->dirfd = dir ? open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
    return t->dirfd;
}

tut_status tut_targets_open(tut_targets *t, const tut_target *target, int *ret_fd, int *ret_dirfd,
                            tut_error *err)
{
    *ret_dirfd = -1;
    if (target->fd >= 0)
        return open_again(target->fd, ret_fd, err);
    if (strcmp(target->path, "-") == 0)
        return tut_spool_stdin(ret_fd, err);
    if (target->root == TUT_TARGET_DIRECT)
        TUT_TRY(open_regular(target->path, ret_fd, err));
    else
        TUT_TRY(tut_fs_open_beneath(t->roots[target->root], target->rel, ret_fd, err));
    *ret_dirfd = directory_of(t, target->path);
    return TUT_SUCCESS;
}
