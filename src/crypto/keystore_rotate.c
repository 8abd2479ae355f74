/*
 * A machine key that takes another one's place, and secrets that are erased.
 *
 * The new key waits as NAME.next.key (or .uri) with NAME.next.vkey (or .pub). Whether it counts is
 * the log's word, not ours; then the switch goes
 *
 *   1. NAME.key is linked as NAME.key.N (a key of the other kind is renamed to it)
 *   2. NAME.next.key becomes NAME.key
 *   3. NAME.vkey is linked as NAME.vkey.N, and NAME.next.vkey becomes NAME.vkey
 *
 * and can go on from wherever it was cut short.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/limits.h"
#include "crypto/keystore_internal.h"
#include "crypto/openssl.h"
#include "crypto/private_file.h"

enum { OLD_MAX = 10000 /* keys kept; a daily rotation for 27 years */, WIPES = 2 };

static tut_status no_memory(tut_error *err)
{
    return tut_fail(err, TUT_NOMEM, "memory ran out");
}

static tut_status failed(const char *path, const char *what, tut_error *err)
{
    int saved = errno;
    tut_error_set_path(err, path);
    return tut_fail_errno(err, saved, "%s", what);
}

static tut_status next_name(const char *name, char **ret, tut_error *err)
{
    if (strcmp(name, "log") != 0 && strcmp(name, "tool") != 0)
        return tut_fail(err, TUT_USAGE, "only the keys of log and tool are rotated here");
    *ret = tut_asprintf("%s.next", name);
    return *ret ? TUT_SUCCESS : no_memory(err);
}

static tut_status sync_dir(const char *dir, tut_error *err)
{
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool is_synced = fd >= 0 && (fsync(fd) == 0 || errno == EINVAL);
    tut_status status = is_synced
                            ? TUT_SUCCESS
                            : failed(dir, "the disk did not confirm what was changed here", err);
    if (fd >= 0)
        (void)close(fd);
    return status;
}

/* --- the key that waits --- */

bool tut_keystore_has_next(const tut_keystore *s, const char *name)
{
    TUT_AUTO_FREE char *next = NULL;
    TUT_AUTO_FREE char *path = NULL;
    return tut_is_ok(next_name(name, &next, NULL)) &&
           tut_is_ok(tut_keystore_file(s, next, tut_keystore_public_ending(next), &path, NULL)) &&
           tut_fs_exists(path);
}

static tut_status remove_one(const char *path, tut_error *err)
{
    if (unlink(path) == 0 || errno == ENOENT)
        return TUT_SUCCESS;
    return failed(path, "cannot be removed", err);
}

/* The public half first: without it nobody takes the rest for a key that waits. */
tut_status tut_keystore_drop_next(const tut_keystore *s, const char *name, tut_error *err)
{
    TUT_AUTO_FREE char *next = NULL;
    TUT_TRY(next_name(name, &next, err));
    const char *endings[] = {tut_keystore_public_ending(next), ".key", ".uri"};
    for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
        TUT_AUTO_FREE char *path = NULL;
        TUT_TRY(tut_keystore_file(s, next, endings[i], &path, err));
        TUT_TRY(remove_one(path, err));
    }
    return sync_dir(s->dir, err);
}

static tut_status check_type(const char *name, const tut_key *key, tut_error *err)
{
    tut_key_type type = tut_pubkey_type(tut_key_public(key));
    if (strcmp(name, "log") == 0 && type != TUT_KEY_ED25519)
        return tut_fail(err, TUT_USAGE, "logs are signed with Ed25519; the new key is %s",
                        tut_key_type_name(type));
    return TUT_SUCCESS;
}

static bool is_in_force(const tut_keystore *s, const char *name, const tut_key *key)
{
    TUT_AUTO(tut_pubkey) known = NULL;
    return tut_is_ok(tut_keystore_public(s, name, &known, NULL)) &&
           tut_pubkey_eq(known, tut_key_public(key));
}

/* The key's own bytes, so that a passphrase stays what it is. */
static tut_status copy_private(const char *from, const char *to, tut_error *err)
{
    tut_buf bytes = TUT_BUF_INIT;
    tut_status status = tut_private_file_read(from, "the private key", TUT_LIMIT_KEY_FILE_BYTES,
                                              &bytes, err);
    if (tut_is_ok(status))
        status = tut_private_file_create(to, tut_buf_span(&bytes), err);
    tut_secret_wipe(&bytes);
    return status;
}

static tut_status write_uri(const char *uri, const char *to, tut_error *err)
{
    TUT_AUTO_FREE char *line = tut_asprintf("%s\n", uri);
    if (!line)
        return no_memory(err);
    return tut_private_file_create(to, tut_span_of(line, strlen(line)), err);
}

tut_status tut_keystore_adopt_next(const tut_keystore *s, const char *name, const char *spec,
                                   const tut_secret_source *secret, tut_key **ret_key,
                                   tut_error *err)
{
    TUT_AUTO_FREE char *next = NULL;
    TUT_AUTO_FREE char *path = NULL;
    TUT_AUTO(tut_key) key = NULL;
    bool is_token = tut_str_starts(tut_str_of(spec), TUT_LIT("pkcs11:"));
    TUT_TRY(next_name(name, &next, err));
    if (tut_str_starts(tut_str_of(spec), TUT_LIT("ssh-agent:")))
        return tut_fail(err, TUT_USAGE,
                        "the key of a machine lies in a file or a token, not in "
                        "the agent of whoever is logged in");
    TUT_TRY(tut_key_open(spec, secret, &key, err));
    TUT_TRY(check_type(name, key, err));
    if (is_in_force(s, name, key))
        return tut_fail(err, TUT_USAGE, "the new key of %s is the one that it has already", name);
    TUT_TRY(tut_keystore_file(s, next, is_token ? ".uri" : ".key", &path, err));
    TUT_TRY(is_token ? write_uri(spec, path, err) : copy_private(spec, path, err));
    TUT_TRY(tut_keystore_write_public(s, next, tut_key_public(key), err));
    *ret_key = tut_move(&key);
    return TUT_SUCCESS;
}

/* --- the switch --- */

static bool is_same_file(const char *path, const struct stat *as)
{
    struct stat st;
    return lstat(path, &st) == 0 && st.st_dev == as->st_dev && st.st_ino == as->st_ino;
}

/* Where the file is kept: the first number that none of the endings has taken, or where a switch
 * that was cut short has linked it already (*ret_is_kept). */
static tut_status place_of_old(const tut_keystore *s, const char *name, const char *path,
                               const char *ending, const char *other, char **ret_place,
                               bool *ret_is_kept, tut_error *err)
{
    struct stat st;
    if (lstat(path, &st) != 0)
        return failed(path, "cannot be read", err);
    for (unsigned n = 1; n <= OLD_MAX; n++) {
        TUT_AUTO_FREE char *place = tut_asprintf("%s/%s%s.%u", s->dir, name, ending, n);
        TUT_AUTO_FREE char *beside = tut_asprintf("%s/%s%s.%u", s->dir, name, other, n);
        if (!place || !beside)
            return no_memory(err);
        *ret_is_kept = is_same_file(place, &st);
        if (!*ret_is_kept && (tut_fs_exists(place) || tut_fs_exists(beside)))
            continue;
        *ret_place = tut_move(&place);
        return TUT_SUCCESS;
    }
    return tut_fail(err, TUT_LIMIT, "%d old keys lie in %s; remove some", OLD_MAX, s->dir);
}

/* `path` is kept under a number. It goes from its own name when `moves`. */
static tut_status keep_old(const tut_keystore *s, const char *name, const char *ending,
                           const char *other, bool moves, tut_error *err)
{
    TUT_AUTO_FREE char *path = NULL;
    TUT_AUTO_FREE char *place = NULL;
    bool is_kept = false;
    TUT_TRY(tut_keystore_file(s, name, ending, &path, err));
    if (!tut_fs_exists(path))
        return TUT_SUCCESS;
    TUT_TRY(place_of_old(s, name, path, ending, other, &place, &is_kept, err));
    if (!is_kept && link(path, place) != 0)
        return failed(path, "cannot be kept under another name", err);
    return moves ? remove_one(path, err) : TUT_SUCCESS;
}

static tut_status take_place(const char *from, const char *to, tut_error *err)
{
    return rename(from, to) == 0 ? TUT_SUCCESS : failed(from, "cannot take its new name", err);
}

/* The key of one kind (file or URI), where it waits. */
static tut_status switch_private(const tut_keystore *s, const char *name, const char *next,
                                 const char *ending, const char *other, tut_error *err)
{
    TUT_AUTO_FREE char *from = NULL;
    TUT_AUTO_FREE char *to = NULL;
    TUT_TRY(tut_keystore_file(s, next, ending, &from, err));
    TUT_TRY(tut_keystore_file(s, name, ending, &to, err));
    if (!tut_fs_exists(from))
        return TUT_SUCCESS;
    TUT_TRY(keep_old(s, name, ending, other, false, err));
    TUT_TRY(keep_old(s, name, other, ending, true, err));
    TUT_TRY(take_place(from, to, err));
    return sync_dir(s->dir, err);
}

tut_status tut_keystore_switch(const tut_keystore *s, const char *name, tut_error *err)
{
    TUT_AUTO_FREE char *next = NULL;
    TUT_AUTO_FREE char *from = NULL;
    TUT_AUTO_FREE char *to = NULL;
    TUT_TRY(next_name(name, &next, err));
    const char *ending = tut_keystore_public_ending(next);
    TUT_TRY(tut_keystore_file(s, next, ending, &from, err));
    TUT_TRY(tut_keystore_file(s, name, ending, &to, err));
    if (!tut_fs_exists(from))
        return tut_fail(err, TUT_BUG, "no key waits to take the place of %s", name);
    TUT_TRY(switch_private(s, name, next, ".key", ".uri", err));
    TUT_TRY(switch_private(s, name, next, ".uri", ".key", err));
    TUT_TRY(keep_old(s, name, ending, ending, false, err));
    TUT_TRY(take_place(from, to, err));
    return sync_dir(s->dir, err);
}

tut_status tut_keystore_lock(const tut_keystore *s, int *ret_fd, tut_error *err)
{
    int fd = open(s->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return failed(s->dir, "cannot be opened", err);
    if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
        *ret_fd = fd;
        return TUT_SUCCESS;
    }
    tut_status status = errno == EWOULDBLOCK
                            ? tut_fail(err, TUT_STORE,
                                       "another key of this log is being rotated; try again")
                            : failed(s->dir, "cannot be locked", err);
    (void)close(fd);
    return status;
}

/* --- secrets of periods --- */

static bool has_period_file(const tut_keystore *s, const char *period, const char *ending)
{
    TUT_AUTO_FREE char *file = NULL;
    if (!tut_is_ok(tut_keystore_period_file(s, period, &file, NULL)))
        return false;
    TUT_AUTO_FREE char *path = tut_asprintf("%s%s", file, ending);
    return path && tut_fs_exists(path);
}

bool tut_keystore_has_period(const tut_keystore *s, const char *period)
{
    return has_period_file(s, period, "");
}

bool tut_keystore_is_erased(const tut_keystore *s, const char *period)
{
    return has_period_file(s, period, ".erased");
}

/* Over the bytes where they lie. A file system that writes elsewhere (copy on write, flash) keeps
 * the old ones for a while: that is why it is the secret that is erased, and not the bodies. */
static tut_status overwrite(const char *path, tut_error *err)
{
    uint8_t noise[TUT_PERIOD_SECRET];
    int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return failed(path, "cannot be erased", err);
    bool is_done = true;
    for (int i = 0; i < WIPES && is_done; i++)
        is_done = getrandom(noise, sizeof(noise), 0) == (ssize_t)sizeof(noise) &&
                  pwrite(fd, noise, sizeof(noise), 0) == (ssize_t)sizeof(noise) && fsync(fd) == 0;
    tut_status status = is_done ? TUT_SUCCESS : failed(path, "cannot be overwritten", err);
    (void)close(fd);
    return status;
}

tut_status tut_keystore_erase_period(const tut_keystore *s, const char *period, tut_error *err)
{
    TUT_AUTO_FREE char *path = NULL;
    TUT_TRY(tut_keystore_period_file(s, period, &path, err));
    TUT_AUTO_FREE char *said = tut_asprintf("%s.erased", path);
    TUT_AUTO_FREE char *dir = tut_fs_join(s->dir, "period");
    if (!said || !dir)
        return no_memory(err);
    if (!tut_fs_exists(path)) {
        tut_error_set_path(err, path);
        return tut_fail(err, TUT_STORE, "is not there: the period has no secret, or no longer");
    }
    TUT_TRY(tut_fs_write(said, tut_span_of("", 0), 0600, err));
    TUT_TRY(overwrite(path, err));
    TUT_TRY(remove_one(path, err));
    return sync_dir(dir, err);
}
