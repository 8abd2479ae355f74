#include "cmd/guard_bodies.h"

#include <stdio.h>

#include "base/fs.h"
#include "base/limits.h"
#include "guard/bodies.h"
#include "guard/inforce.h"

#define ERASED_EVENT "guard.bodies_erased"

static bool keeps_any(const tut_guard_policy *p)
{
    for (size_t i = 0; i < p->route_count; i++)
        if (p->routes[i].seals_bodies)
            return true;
    return false;
}

tut_status tut_guard_bodies_prepare(const tut_guard_here *h, const tut_keystore *keys,
                                    tut_error *err)
{
    return keeps_any(&h->policy) ? tut_bodies_prepare(h->dir, keys, tut_time_now(), err)
                                 : TUT_SUCCESS;
}

/* --- the end of a day's time --- */
static tut_status say(const tut_guard_here *h, const tut_bodies_old *old, unsigned retention_days,
                      tut_error *err)
{
    TUT_CLEAN(tut_buf) data = TUT_BUF_INIT;
    TUT_AUTO_FREE char *statement =
        tut_asprintf("The key of the bodies of %s is deleted, as they were to be kept for %u days: "
                     "nobody can read them any more.",
                     old->day, retention_days);
    tut_buf_printf(&data, "{\"bytes\":%llu,\"day\":\"%s\",\"files\":%llu,\"retention_days\":%u}",
                   (unsigned long long)old->bytes, old->day, (unsigned long long)old->files,
                   retention_days);
    TUT_TRY(tut_buf_check(&data, err));
    if (!statement)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    TUT_TRY(tut_guard_here_say_as(h, NULL, NULL, ERASED_EVENT, statement, tut_buf_str(&data), NULL,
                                  err));
    return tut_bodies_say(h->dir, old, err);
}

static tut_status erase_old(const tut_guard_here *h, const tut_keystore *keys,
                            unsigned retention_days, tut_error *err)
{
    for (;;) {
        tut_bodies_old old;
        TUT_TRY(tut_bodies_find_old(h->dir, tut_time_now(), retention_days, &old, err));
        if (!old.day[0])
            return TUT_SUCCESS;
        if (!old.is_said && (old.files > 0 || tut_keystore_has_period(keys, old.day)))
            TUT_TRY(say(h, &old, retention_days, err));
        TUT_TRY(tut_bodies_erase(h->dir, keys, old.day, err));
    }
}

/* The policy that is in force now, whatever it was when this process began. */
static tut_status read_policy(const tut_guard_here *h, tut_system **ret_system,
                              tut_guard_policy *ret_policy, tut_error *err)
{
    tut_sha256 version;
    (void)tut_live_policy(h->live, &version);
    return tut_inforce_read(h->dir, h->system_dir, &version, ret_system, ret_policy, err);
}

tut_status tut_guard_bodies_tend(void *ctx, tut_error *err)
{
    const tut_guard_bodies *b = ctx;
    TUT_AUTO(tut_system) system = NULL;
    TUT_AUTO_FREE char *folder = tut_fs_join(b->here->dir, "bodies");
    tut_guard_policy policy = {0};
    TUT_TRY(read_policy(b->here, &system, &policy, err));
    if (keeps_any(&policy))
        TUT_TRY(tut_bodies_prepare(b->here->dir, b->keys, tut_time_now(), err));
    return folder && tut_fs_is_dir(folder)
               ? erase_old(b->here, b->keys, policy.server.retention_days, err)
               : TUT_SUCCESS;
}
