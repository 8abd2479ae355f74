/*
 * Order: tags first, on the disk, then blobs. A crash in between leaves blobs that the next run
 * takes. While the lock is held no snapshot is under way, so a draft is one that a crash left;
 * other tools know no lock, which is what the grace is for.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/time.h"
#include "store/fsck.h"
#include "store/stage.h"

typedef struct collector {
    tut_store *s;
    const tut_known_versions *known;
    int64_t before; /* what changed since then stays */
    bool dry;
    tut_sha256 *named; /* sorted */
    size_t count, capacity;
    tut_gc result;
    tut_error *err;
} collector;

static int by_bytes(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(tut_sha256));
}

static tut_status name(collector *g, const tut_sha256 *digest)
{
    TUT_TRY(tut_grow(&g->named, g->count, &g->capacity, sizeof(*g->named)));
    g->named[g->count++] = *digest;
    return TUT_SUCCESS;
}

/* A manifest that cannot be read names nobody knows what: then nothing is taken away. */
static tut_status name_all(collector *g)
{
    tut_sha256 empty;
    TUT_TRY(tut_sha256_of(tut_span_of("{}", 2), &empty, g->err));
    TUT_TRY(name(g, &empty));
    for (size_t i = 0; i < g->known->count; i++) {
        const tut_known_version *k = &g->known->items[i];
        TUT_AUTO(tut_version) v = NULL;
        if (k->is_pruned)
            continue;
        tut_status status = tut_version_load(g->s, &k->manifest, &v, g->err);
        if (status.code == TUT_STORE || status.code == TUT_MALFORMED)
            return tut_fail(g->err, TUT_STORE,
                            "the manifest of %s is missing or damaged, so that nobody knows which "
                            "files it needs; tutela store fsck says more, tutela store prune gives "
                            "it up",
                            k->tag);
        TUT_TRY(status);
        TUT_TRY(name(g, &k->manifest));
        for (size_t f = 0; f < v->count; f++)
            TUT_TRY(name(g, &v->files[f].blob.digest));
    }
    qsort(g->named, g->count, sizeof(*g->named), by_bytes);
    return TUT_SUCCESS;
}

static bool is_named(const collector *g, const tut_sha256 *digest)
{
    return bsearch(digest, g->named, g->count, sizeof(*g->named), by_bytes) != NULL;
}

/* What another tool put there a moment ago, it may be about to use. */
static bool is_young(const collector *g, int at, const char *file)
{
    struct stat st;
    return fstatat(at, file, &st, AT_SYMLINK_NOFOLLOW) != 0 || st.st_ctim.tv_sec > g->before;
}

static tut_status drop_tags(collector *g)
{
    size_t kept = 0;
    for (size_t i = 0; i < g->s->tag_count; i++) {
        const tut_oci_descriptor *d = &g->s->tags[i];
        char hex[TUT_SHA256_HEX];
        tut_sha256_hex(&d->digest, hex);
        const tut_known_version *k = tut_known_manifest(g->known, &d->digest);
        bool stays = (k && !k->is_pruned) || (!k && is_young(g, g->s->blobs, hex) &&
                                              faccessat(g->s->blobs, hex, F_OK, 0) == 0);
        g->result.tags += !stays;
        if (stays || g->dry)
            g->s->tags[kept++] = *d;
    }
    g->s->tag_count = kept;
    return g->result.tags > 0 && !g->dry ? tut_store_save(g->s, g->err) : TUT_SUCCESS;
}

static void remove_file(collector *g, int at, const char *file)
{
    struct stat st;
    if (fstatat(at, file, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return;
    if (!g->dry && unlinkat(at, file, 0) != 0)
        return;
    g->result.bytes += (uint64_t)st.st_size;
    if (at == g->s->blobs)
        g->result.blobs++;
    else
        g->result.drafts++;
}

static void visit_blob(collector *g, const char *file)
{
    tut_sha256 digest;
    bool is_digest = tut_is_ok(tut_sha256_parse(tut_str_of(file), &digest));
    if (is_digest && is_named(g, &digest))
        return;
    if (is_young(g, g->s->blobs, file))
        g->result.kept_young++;
    else
        remove_file(g, g->s->blobs, file);
}

/* A directory is where a drill restores to, and a drill takes no lock. */
static void visit_draft(collector *g, int at, const char *file)
{
    struct stat st;
    bool is_dir = fstatat(at, file, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
    if (!is_dir) {
        remove_file(g, at, file);
        return;
    }
    TUT_AUTO_FREE char *path = tut_asprintf("%s/tmp/%s", g->s->dir, file);
    if (!path || is_young(g, at, file))
        return;
    if (!g->dry)
        tut_stage_remove(path);
    g->result.drafts++;
}

static tut_status each(collector *g, int at, bool is_blobs)
{
    int fd = openat(at, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    if (!dir) {
        if (fd >= 0)
            close(fd);
        return tut_fail_errno(g->err, errno, "the store cannot be listed");
    }
    for (const struct dirent *e; (e = readdir(dir)) != NULL;) {
        if (e->d_name[0] == '.' && (!e->d_name[1] || strcmp(e->d_name, "..") == 0))
            continue;
        if (is_blobs)
            visit_blob(g, e->d_name);
        else
            visit_draft(g, at, e->d_name);
    }
    closedir(dir);
    return TUT_SUCCESS;
}

static tut_status collect(collector *g)
{
    TUT_TRY(name_all(g));
    TUT_TRY(drop_tags(g));
    TUT_TRY(each(g, g->s->blobs, true));
    int tmp = openat(g->s->dirfd, "tmp", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (tmp < 0)
        return tut_fail_errno(g->err, errno, "the directory tmp of the store cannot be opened");
    tut_status status = each(g, tmp, false);
    close(tmp);
    return status;
}

tut_status tut_store_gc(tut_store *s, const tut_known_versions *known, int64_t grace, bool dry,
                        tut_gc *ret_gc, tut_error *err)
{
    collector g = {
        .s = s, .known = known, .before = tut_time_now() - grace, .dry = dry, .err = err};
    tut_status status = collect(&g);
    tut_free(g.named);
    TUT_TRY(status);
    *ret_gc = g.result;
    return TUT_SUCCESS;
}
