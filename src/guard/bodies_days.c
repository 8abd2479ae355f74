/* The days of sealed bodies: their keys are made ahead, and deleted when their time is over. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "crypto/openssl.h"
#include "guard/bodies_seal.h"

static tut_status prepare_day(const char *dir, const tut_keystore *keys, tut_time at,
                              tut_error *err)
{
    char day[TUT_BODIES_DAY];
    uint8_t secret[TUT_PERIOD_SECRET], public[TUT_BODIES_KEY];
    TUT_TRY(tut_bodies_day_of(at, day, err));
    TUT_AUTO_FREE char *folder = tut_asprintf("%s/bodies/%s", dir, day);
    TUT_AUTO_FREE char *path = tut_asprintf("%s/bodies/%s/key", dir, day);
    if (!folder || !path)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    if (tut_fs_exists(path) || tut_keystore_is_erased(keys, day))
        return TUT_SUCCESS;
    TUT_TRY(tut_keystore_period(keys, day, true, secret, err));
    tut_status status = tut_bodies_public(secret, public, err);
    tut_wipe(secret, sizeof(secret));
    TUT_TRY(status);
    TUT_TRY(tut_fs_mkdirs(folder, 0700, err));
    return tut_fs_write(path, tut_span_of(public, sizeof(public)), 0600, err);
}

tut_status tut_bodies_prepare(const char *dir, const tut_keystore *keys, tut_time now,
                              tut_error *err)
{
    TUT_TRY(prepare_day(dir, keys, now, err));
    return prepare_day(dir, keys, now + TUT_DAY_SECONDS, err);
}

/* --- the end of a day's time --- */
static bool is_day(const char *name, tut_time *ret_begin)
{
    char text[16];
    if (strlen(name) != TUT_BODIES_DAY - 1 || strspn(name, "0123456789") != TUT_BODIES_DAY - 1)
        return false;
    (void)snprintf(text, sizeof(text), "%.4s-%.2s-%.2s", name, name + 4, name + 6);
    return tut_is_ok(tut_time_parse(tut_str_of(text), ret_begin));
}

static void measure(const char *path, tut_bodies_old *old)
{
    DIR *d = opendir(path);
    const struct dirent *entry;
    struct stat st;
    while (d && (entry = readdir(d)) != NULL) {
        if (strcmp(entry->d_name, "said") == 0)
            old->is_said = true;
        if (!tut_str_ends(tut_str_of(entry->d_name), TUT_LIT(".sealed")) ||
            fstatat(dirfd(d), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0)
            continue;
        old->files++;
        old->bytes += (uint64_t)st.st_size;
    }
    if (d)
        (void)closedir(d);
}

tut_status tut_bodies_find_old(const char *dir, tut_time now, unsigned retention_days,
                               tut_bodies_old *ret, tut_error *err)
{
    TUT_AUTO_FREE char *folder = tut_fs_join(dir, "bodies");
    tut_bodies_old old = {0};
    if (!folder)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    DIR *d = opendir(folder);
    const struct dirent *entry;
    while (d && (entry = readdir(d)) != NULL) {
        tut_time begin;
        bool is_over = is_day(entry->d_name, &begin) &&
                       begin + (tut_time)(retention_days + 1) * TUT_DAY_SECONDS <= now;
        if (is_over && (old.day[0] == '\0' || strcmp(entry->d_name, old.day) < 0))
            memcpy(old.day, entry->d_name, TUT_BODIES_DAY);
    }
    if (d)
        (void)closedir(d);
    TUT_AUTO_FREE char *path = tut_fs_join(folder, old.day);
    if (!path)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    if (old.day[0])
        measure(path, &old);
    *ret = old;
    return TUT_SUCCESS;
}

tut_status tut_bodies_say(const char *dir, const tut_bodies_old *old, tut_error *err)
{
    TUT_AUTO_FREE char *path = tut_asprintf("%s/bodies/%s/said", dir, old->day);
    if (!path)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    return tut_fs_write(path, tut_span_of("", 0), 0600, err);
}

tut_status tut_bodies_erase(const char *dir, const tut_keystore *keys, const char *day,
                            tut_error *err)
{
    TUT_AUTO_FREE char *path = tut_asprintf("%s/bodies/%s", dir, day);
    if (!path)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    if (tut_keystore_has_period(keys, day))
        TUT_TRY(tut_keystore_erase_period(keys, day, err));
    DIR *d = opendir(path);
    const struct dirent *entry;
    while (d && (entry = readdir(d)) != NULL)
        if (entry->d_name[0] != '.')
            (void)unlinkat(dirfd(d), entry->d_name, 0);
    if (d)
        (void)closedir(d);
    if (rmdir(path) != 0 && errno != ENOENT)
        return tut_fail_errno(err, errno, "%s cannot be removed", path);
    return TUT_SUCCESS;
}
