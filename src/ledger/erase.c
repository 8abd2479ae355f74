/* Erasing the personal bodies of a month: their secret goes, and what was sealed under it is noise,
 * wherever copies of it lie. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fs.h"
#include "crypto/openssl.h"
#include "ledger/bodies.h"
#include "ledger/body_seal.h"
#include "ledger/ledger_internal.h"

/* Under which secret the body is sealed, by its head; false for plain ones. */
static bool period_of_file(int dirfd, const char *name, char ret_period[TUT_PERIOD_NAME])
{
    uint8_t head[TUT_SEAL_OVERHEAD];
    int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return false;
    ssize_t n = read(fd, head, sizeof(head));
    (void)close(fd);
    return n == (ssize_t)sizeof(head) && tut_seal_is(tut_span_of(head, sizeof(head)), ret_period);
}

static bool is_among(const tut_erasure *e, const char *period)
{
    for (size_t i = 0; i < e->count; i++)
        if (strcmp(e->periods[i], period) == 0)
            return true;
    return false;
}

static tut_status count_bodies(const tut_ledger *l, tut_erasure *e, tut_error *err)
{
    char period[TUT_PERIOD_NAME];
    const struct dirent *entry;
    DIR *d = opendir(l->bodies);
    if (!d && errno == ENOENT)
        return TUT_SUCCESS;
    if (!d) {
        int saved = errno;
        tut_error_set_path(err, l->bodies);
        return tut_fail_errno(err, saved, "cannot be read");
    }
    while ((entry = readdir(d)) != NULL)
        e->bodies += strlen(entry->d_name) == TUT_SHA256_HEX - 1 &&
                     period_of_file(dirfd(d), entry->d_name, period) && is_among(e, period);
    (void)closedir(d);
    return TUT_SUCCESS;
}

/* Read past the mark of an erasure that was cut short, which is why this one is made. */
static tut_status add_period(const tut_ledger *l, const char *period, tut_erasure *e,
                             tut_error *err)
{
    uint8_t secret[TUT_PERIOD_SECRET];
    tut_sha256 *mark = &e->fingerprints[e->count];
    tut_str_copy(e->periods[e->count], sizeof(e->periods[0]), tut_str_of(period));
    if (tut_keystore_is_erased(l->keys, period)) {
        *mark = (tut_sha256){{0}};
        e->count++;
        return TUT_SUCCESS;
    }
    TUT_TRY(tut_keystore_period(l->keys, period, false, secret, err));
    tut_status status = tut_seal_name(secret, tut_span_of(period, strlen(period)), mark, err);
    tut_wipe(secret, sizeof(secret));
    e->count += tut_is_ok(status);
    return status;
}

tut_status tut_ledger_erasure_plan(const tut_ledger *l, const char *month, tut_erasure *ret,
                                   tut_error *err)
{
    tut_erasure e = {.count = 0};
    if (!l->keys)
        return tut_fail(err, TUT_DENIED, "the keys of this log are not here");
    for (unsigned n = 0; n < TUT_SEAL_MONTH_SECRETS; n++) {
        char period[TUT_PERIOD_NAME];
        TUT_TRY(tut_seal_period_nth(month, n, period, err));
        if (tut_keystore_has_period(l->keys, period))
            TUT_TRY(add_period(l, period, &e, err));
    }
    if (e.count == 0)
        return tut_fail(err, TUT_USAGE,
                        "the month %s has no secret here: nothing personal was kept in it, or it "
                        "was erased",
                        month);
    tut_str_copy(e.month, sizeof(e.month), tut_str_of(month));
    TUT_TRY(count_bodies(l, &e, err));
    *ret = e;
    return TUT_SUCCESS;
}

tut_status tut_ledger_erase(const tut_ledger *l, const tut_erasure *plan, tut_error *err)
{
    for (size_t i = 0; i < plan->count; i++)
        TUT_TRY(tut_keystore_erase_period(l->keys, plan->periods[i], err));
    return TUT_SUCCESS;
}
