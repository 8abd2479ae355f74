/* Holds and decisions on the disk, and what has been decided so far. */
#include <dirent.h>
#include <stdio.h>
#include <unistd.h>

#include "base/fs.h"
#include "guard/hold_internal.h"

char *tut_hold_path(const char *dir, const char *id, const char *suffix)
{
    return tut_asprintf("%s/holds/%s%s", dir, id, suffix);
}

static void close_dir(DIR **d)
{
    if (*d)
        (void)closedir(*d);
}

static size_t count_waiting(const char *holds)
{
    __attribute__((cleanup(close_dir))) DIR *d = opendir(holds);
    size_t count = 0;
    for (struct dirent *e; d && (e = readdir(d));)
        count += tut_str_ends(tut_str_of(e->d_name), TUT_LIT(".json"));
    return count;
}

/* Without waiting for the disk: who waits is gone after a crash, and nothing passes without it. */
tut_status tut_hold_write(const char *dir, const tut_hold *h, tut_error *err)
{
    TUT_AUTO_FREE char *holds = tut_fs_join(dir, "holds");
    TUT_AUTO_FREE char *path = tut_hold_path(dir, h->id, ".json");
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    if (!holds || !path)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    TUT_TRY(tut_fs_mkdirs(holds, 0700, err));
    if (count_waiting(holds) >= TUT_HOLD_MOST)
        return tut_fail(err, TUT_LIMIT, "%d holds wait for a person already", TUT_HOLD_MOST);
    tut_buf_init(&text, TUT_HOLD_FILE_BYTES);
    TUT_TRY(tut_hold_json(h, &text, err));
    TUT_TRY(tut_buf_check(&text, err));
    return tut_fs_write_unsynced(path, tut_buf_span(&text), 0600, err);
}

tut_status tut_hold_withdraw(const char *dir, const tut_hold *h, tut_error *err)
{
    TUT_AUTO_FREE char *path = tut_hold_path(dir, h->id, ".gone");
    if (!path)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    return tut_fs_write_unsynced(path, tut_span_of("", 0), 0600, err);
}

tut_status tut_hold_read(const char *dir, const char *id, tut_hold *ret_hold, tut_error *err)
{
    TUT_AUTO_FREE char *path = NULL;
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    TUT_CLEAN(tut_hold) h = {0};
    if (!tut_hold_is_id(tut_str_of(id)))
        return tut_fail(err, TUT_USAGE, "\"%.40s\" is no id of a hold (32 hex digits)", id);
    if (!(path = tut_hold_path(dir, id, ".json")))
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    if (!tut_fs_exists(path))
        return tut_fail(err, TUT_USAGE, "nothing with the id %s waits", id);
    TUT_TRY(tut_fs_read(path, TUT_HOLD_FILE_BYTES, &text, err));
    tut_status status = tut_hold_parse(tut_buf_span(&text), &h, err);
    if (tut_is_ok(status) && strcmp(h.id, id) != 0)
        status = tut_fail(err, TUT_MALFORMED, "this is the hold %s, under another name", h.id);
    if (!tut_is_ok(status)) {
        tut_error_set_path(err, path);
        return status;
    }
    *ret_hold = h;
    h = (tut_hold){0};
    return TUT_SUCCESS;
}

/* --- decisions --- */

static char *decision_path(const char *dir, const tut_hold *h, unsigned n)
{
    char suffix[32];
    (void)snprintf(suffix, sizeof(suffix), ".decision.%u", n);
    return tut_hold_path(dir, h->id, suffix);
}

tut_status tut_hold_put_decision(const char *dir, const tut_hold *h, tut_span envelope,
                                 tut_error *err)
{
    TUT_AUTO_FREE char *temporary = tut_asprintf("%s/holds/.%s.%ld", dir, h->id, (long)getpid());
    if (!temporary)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    TUT_TRY(tut_fs_write(temporary, envelope, 0600, err));
    for (unsigned n = 1; n <= TUT_HOLD_DECISIONS; n++) {
        TUT_AUTO_FREE char *path = decision_path(dir, h, n);
        /* a link is made whole or not at all, and never over another decision */
        if (path && link(temporary, path) == 0) {
            (void)unlink(temporary);
            return TUT_SUCCESS;
        }
    }
    (void)unlink(temporary);
    return tut_fail(err, TUT_LIMIT, "%d decisions about this hold are there already",
                    TUT_HOLD_DECISIONS);
}

static bool has_approved(const tut_hold_look *look, const char *name)
{
    for (size_t i = 0; i < look->by_count; i++)
        if (tut_str_ieq(tut_str_of(look->by[i]), tut_str_of(name)))
            return true;
    return false;
}

static void ignore(tut_hold_look *look, const char *why)
{
    if (look->ignored++ == 0)
        tut_str_copy(look->why, sizeof(look->why), tut_str_of(why));
}

static void take_decision(const tut_hold *h, const tut_hold_decision *d, int64_t now_ms,
                          tut_hold_look *look)
{
    if (now_ms / 1000 > d->expires) {
        ignore(look, "the decision's time is over");
    } else if (!d->is_approval) {
        look->state = TUT_HOLD_DENIED;
        look->by_count = 1;
        tut_str_copy(look->by[0], sizeof(look->by[0]), tut_str_of(d->by));
        tut_str_copy(look->reason, sizeof(look->reason), tut_str_of(d->reason));
    } else if (has_approved(look, d->by)) {
        ignore(look, "the same person approved before");
    } else if (look->by_count < h->people && look->by_count < TUT_HOLD_PEOPLE_MAX) {
        tut_str_copy(look->by[look->by_count++], sizeof(look->by[0]), tut_str_of(d->by));
        tut_str_copy(look->reason, sizeof(look->reason), tut_str_of(d->reason));
    }
}

static tut_status read_decision(const char *path, const tut_hold *h, const tut_approvers *who,
                                int64_t now_ms, tut_hold_look *look, tut_error *err)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    tut_hold_decision d;
    tut_error why = {0};
    tut_status status = tut_fs_read(path, TUT_HOLD_DECISION_BYTES, &text, &why);
    if (!tut_is_ok(status) && status.code != TUT_LIMIT) {
        if (err)
            *err = why; /* it might have been a denial */
        return status;
    }
    if (tut_is_ok(status))
        status = tut_hold_check(tut_buf_span(&text), h, who, &d, &why);
    if (status.code == TUT_NOMEM)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    if (tut_is_ok(status))
        take_decision(h, &d, now_ms, look);
    else
        ignore(look, why.text);
    return TUT_SUCCESS;
}

tut_status tut_hold_look_at(const char *dir, const tut_hold *h, const tut_approvers *who,
                            int64_t now_ms, tut_hold_look *ret_look, tut_error *err)
{
    tut_hold_look look = {.state = TUT_HOLD_WAITING};
    if (now_ms > h->expires_ms) { /* nothing is read, so nothing can go wrong */
        *ret_look = (tut_hold_look){.state = TUT_HOLD_EXPIRED};
        return TUT_SUCCESS;
    }
    for (unsigned n = 1; n <= TUT_HOLD_DECISIONS && look.state == TUT_HOLD_WAITING; n++) {
        TUT_AUTO_FREE char *path = decision_path(dir, h, n);
        if (!path)
            return tut_fail(err, TUT_NOMEM, "memory ran out");
        if (tut_fs_exists(path))
            TUT_TRY(read_decision(path, h, who, now_ms, &look, err));
    }
    if (look.state == TUT_HOLD_WAITING && look.by_count >= h->people && h->people > 0)
        look.state = TUT_HOLD_APPROVED;
    *ret_look = look;
    return TUT_SUCCESS;
}
