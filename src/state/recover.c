#include "state/recover.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/fs.h"
#include "ledger/log_anchor.h"
#include "ledger/log_restore.h"
#include "state/place.h"

typedef struct recovering {
    tut_recovery *r;
    tut_place place;
    char *fresh, *mirror;
    char stamp[TUT_TIME_TEXT];
    tut_log_copy copy;
    bool accepts;
    int lock_fd;
    tut_error *err;
} recovering;

void tut_recovery_done(tut_recovery *r)
{
    tut_free(r->origin);
    tut_free(r->kept);
    tut_free(r->anchor);
    *r = (tut_recovery){0};
}

static void recovering_done(recovering *w)
{
    if (w->lock_fd >= 0)
        (void)close(w->lock_fd);
    tut_log_copy_done(&w->copy);
    tut_place_done(&w->place);
    tut_free(w->fresh);
    tut_free(w->mirror);
}

static tut_status nomem(const recovering *w)
{
    return tut_fail(w->err, TUT_NOMEM, "memory ran out");
}

/* --- places --- */

/* "20261128T120000Z": in names of files. */
static void stamp_of(tut_time now, char out[TUT_TIME_TEXT])
{
    char text[TUT_TIME_TEXT];
    size_t len = 0;
    tut_time_rfc3339(now, text);
    for (const char *c = text; *c; c++)
        if (*c != '-' && *c != ':')
            out[len++] = *c;
    out[len] = '\0';
}

static tut_status find_place(recovering *w, const char *state_dir)
{
    TUT_TRY(tut_place_find(state_dir, w->r->log, &w->place, w->err));
    if (!w->place.keys) {
        tut_error_set_path(w->err, state_dir);
        return tut_fail(w->err, TUT_STORE,
                        "the keys of this log (%s) are not in this user's key directory, so a copy "
                        "cannot be told from a forgery; bring them back first",
                        w->place.origin);
    }
    w->r->origin = tut_strdup(w->place.log_origin);
    return w->r->origin ? TUT_SUCCESS : nomem(w);
}

static bool holds_a_log(const char *dir)
{
    TUT_AUTO_FREE char *checkpoint = tut_fs_join(dir, "checkpoint");
    TUT_AUTO_FREE char *journal = tut_fs_join(dir, "journal");
    return (checkpoint && tut_fs_exists(checkpoint)) || (journal && tut_fs_exists(journal));
}

/* The log itself, or the ledger, state or system that holds it. */
static tut_status find_mirror(recovering *w, const char *mirror)
{
    static const char *const below[] = {"", "/", "/ledger/", "/.tutela/ledger/"};
    for (size_t i = 0; i < sizeof(below) / sizeof(below[0]); i++) {
        TUT_AUTO_FREE char *dir = i == 0 ? tut_strdup(mirror)
                                         : tut_asprintf("%s%s%s", mirror, below[i], w->r->log);
        if (!dir)
            return nomem(w);
        if (holds_a_log(dir)) {
            w->mirror = tut_move(&dir);
            return TUT_SUCCESS;
        }
    }
    tut_error_set_path(w->err, mirror);
    return tut_fail(w->err, TUT_USAGE, "holds no checkpoint of a log, here or in ledger/%s",
                    w->r->log);
}

/* The sequencer's own lock: none may write while its log is exchanged. */
static tut_status lock(recovering *w)
{
    TUT_AUTO_FREE char *path = tut_asprintf("%s/ledger/lock", w->place.state);
    TUT_AUTO_FREE char *dir = tut_asprintf("%s/ledger", w->place.state);
    if (!path || !dir)
        return nomem(w);
    TUT_TRY(tut_fs_mkdirs(dir, 0700, w->err));
    w->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (w->lock_fd < 0) {
        tut_error_set_path(w->err, path);
        return tut_fail_errno(w->err, errno, "cannot be opened");
    }
    if (flock(w->lock_fd, LOCK_EX | LOCK_NB) == 0)
        return TUT_SUCCESS;
    tut_error_set_path(w->err, dir);
    return tut_fail(w->err, TUT_DENIED,
                    "another process writes this ledger; stop tutela ledger serve first");
}

/* --- is the copy to be taken --- */

static tut_status check_anchor(recovering *w, bool *ret_keeps)
{
    tut_anchor a = TUT_ANCHOR_NONE;
    tut_sha256 root;
    tut_error why = {0};
    *ret_keeps = true;
    tut_status status = tut_anchor_open(w->place.anchor, w->r->origin, false, &a, &why);
    if (!tut_is_ok(status) && !w->accepts) {
        tut_error_set_path(w->err, why.path);
        return tut_fail(w->err, status.code, "%s; --accept-divergence sets it aside", why.text);
    }
    if (tut_is_ok(status) && !a.exists)
        return TUT_SUCCESS;
    bool is_shorter = tut_is_ok(status) && a.size > w->copy.size;
    w->r->lost = is_shorter ? a.size - w->copy.size : 0;
    if (tut_is_ok(status) && !is_shorter) {
        tut_log_copy_root_at(&w->copy, a.size, &root);
        if (tut_sha256_eq(&root, &a.root))
            return TUT_SUCCESS;
    }
    *ret_keeps = false;
    if (w->accepts)
        return TUT_SUCCESS;
    tut_error_set_path(w->err, w->mirror);
    if (is_shorter)
        return tut_fail(w->err, TUT_STORE,
                        "the copy has %" PRIu64 " entries, and %" PRIu64
                        " were signed here: %" PRIu64
                        " would be lost; --accept-divergence takes it",
                        w->copy.size, a.size, w->r->lost);
    return tut_fail(w->err, TUT_STORE,
                    "the copy is another history than the one that was signed here; "
                    "--accept-divergence takes it");
}

static void count(void *ctx, const char *name, const char *detail)
{
    (void)name;
    (void)detail;
    ++*(size_t *)ctx;
}

/* Whole, signed, no shorter than the copy, and a continuation of it. */
static tut_status is_here_whole(recovering *w, bool *ret_whole)
{
    TUT_AUTO(tut_log) log = NULL;
    tut_log_options options = {.dir = w->place.dir,
                               .origin = w->r->origin,
                               .verifiers = &w->place.verifier,
                               .verifier_count = 1};
    size_t wrong = 0;
    tut_sha256 root;
    *ret_whole = false;
    tut_status status = tut_fs_is_dir(w->place.dir) ? tut_log_open(&options, false, &log, NULL)
                                                    : (tut_status){TUT_STORE};
    if (tut_is_ok(status))
        status = tut_log_verify(log, count, &wrong, NULL);
    if (tut_is_ok(status) && wrong == 0 && tut_log_size(log) >= w->copy.size)
        status = tut_log_root_at(log, w->copy.size, &root, NULL);
    else if (tut_is_ok(status))
        return TUT_SUCCESS;
    if (status.code == TUT_NOMEM)
        return nomem(w);
    *ret_whole = tut_is_ok(status) && tut_sha256_eq(&root, &w->copy.root);
    return TUT_SUCCESS;
}

/* --- the exchange --- */

static tut_status rename_to(recovering *w, const char *from, const char *to)
{
    if (rename(from, to) == 0)
        return TUT_SUCCESS;
    tut_error_set_path(w->err, from);
    return tut_fail_errno(w->err, errno, "cannot be renamed to %s", to);
}

/* A name that is not taken. */
static tut_status aside(recovering *w, const char *path, char **ret)
{
    for (unsigned n = 0; n < 1000; n++) {
        TUT_AUTO_FREE char *to = n == 0 ? tut_asprintf("%s.damaged-%s", path, w->stamp)
                                        : tut_asprintf("%s.damaged-%s.%u", path, w->stamp, n);
        if (!to)
            return nomem(w);
        if (!tut_fs_exists(to)) {
            *ret = tut_move(&to);
            return TUT_SUCCESS;
        }
    }
    return tut_fail(w->err, TUT_LIMIT, "too many damaged logs lie beside %s", path);
}

static tut_status exchange(recovering *w)
{
    TUT_TRY(tut_log_copy_write(&w->copy, w->fresh, w->r->origin, w->err));
    if (tut_fs_exists(w->place.dir)) {
        TUT_TRY(aside(w, w->place.dir, &w->r->kept));
        TUT_TRY(rename_to(w, w->place.dir, w->r->kept));
    }
    if (w->r->kept)
        TUT_TRY(tut_rotations_copy(w->r->kept, w->fresh, w->err));
    TUT_TRY(tut_rotations_copy(w->mirror, w->fresh, w->err));
    TUT_TRY(rename_to(w, w->fresh, w->place.dir));
    return tut_fs_sync_all(w->place.dir, w->err);
}

/* With the anchor as well. */
static bool continues_anchor(const recovering *w)
{
    TUT_AUTO(tut_log) log = NULL;
    return tut_is_ok(tut_place_open(&w->place, &log, NULL));
}

static tut_status recover(recovering *w)
{
    bool is_whole;
    bool keeps_anchor;
    TUT_TRY(tut_log_copy_read(w->mirror, w->r->origin, &w->place.verifier, 1, &w->copy, w->err));
    TUT_TRY(lock(w));
    TUT_TRY(is_here_whole(w, &is_whole));
    if (is_whole && continues_anchor(w)) {
        tut_error_set_path(w->err, w->place.dir);
        return tut_fail(w->err, TUT_USAGE,
                        "is whole and has all that the copy has: there is nothing to recover");
    }
    TUT_TRY(check_anchor(w, &keeps_anchor));
    if (!is_whole)
        TUT_TRY(exchange(w));
    if (!keeps_anchor) {
        TUT_TRY(aside(w, w->place.anchor, &w->r->anchor));
        TUT_TRY(rename_to(w, w->place.anchor, w->r->anchor));
    }
    w->r->size = w->copy.size;
    w->r->root = w->copy.root;
    return TUT_SUCCESS;
}

tut_status tut_recover(const char *state_dir, const char *log, const char *mirror,
                       bool accept_divergence, tut_time now, tut_recovery *ret, tut_error *err)
{
    tut_recovery r = {.log = log};
    __attribute__((cleanup(recovering_done)))
    recovering w = {.r = &r, .accepts = accept_divergence, .lock_fd = -1, .err = err};
    stamp_of(now, w.stamp);
    w.fresh = tut_asprintf("%s/ledger/%s.new-%ld", state_dir, log, (long)getpid());
    if (!w.fresh)
        return nomem(&w);
    tut_status status = find_place(&w, state_dir);
    if (tut_is_ok(status))
        status = find_mirror(&w, mirror);
    if (tut_is_ok(status))
        status = recover(&w);
    if (!tut_is_ok(status)) {
        tut_recovery_done(&r);
        return status;
    }
    *ret = r;
    return TUT_SUCCESS;
}
