#include "guard/jwks_fetch.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cage.h"
#include "base/fs.h"
#include "base/limits.h"
#include "guard/jwks.h"
#include "ledger/post.h"

enum { ASK_MS = 10000, LOOK_MS = 500, PLAN_BYTES = 8192, AGAIN_S = 30, HTTP_OK = 200 };

tut_status tut_jwks_fetch(const char *url, const char *file, bool *ret_is_new, tut_error *err)
{
    TUT_CLEAN(tut_posted) posted = {0};
    TUT_CLEAN(tut_buf) before = TUT_BUF_INIT;
    TUT_AUTO(tut_jwks) keys = NULL;
    const tut_post get = {.url = url, .method = "GET", .timeout_ms = ASK_MS};
    *ret_is_new = false;
    TUT_TRY(tut_post_send(&get, &posted, err));
    if (posted.status != HTTP_OK)
        return tut_fail(err, TUT_IO, "%s answers %d", url, posted.status);
    TUT_TRY(tut_jwks_parse(tut_buf_span(&posted.body), &keys, err));
    if (keys->count == 0)
        return tut_fail(err, TUT_MALFORMED, "%s: no key of it can check signatures", url);
    if (tut_is_ok(tut_fs_read(file, TUT_LIMIT_JWKS_BYTES, &before, NULL)) &&
        tut_str_eq(tut_buf_str(&before), tut_buf_str(&posted.body)))
        return TUT_SUCCESS;
    *ret_is_new = true;
    return tut_fs_write(file, tut_buf_span(&posted.body), 0644, err);
}

/* --- the plan: three lines --- */
typedef struct plan {
    char url[2048], file[4096];
    uint64_t each_s;
} plan;

tut_status tut_jwks_plan(const tut_guard_policy *p, const char *dir, const char *system_dir,
                         tut_error *err)
{
    const tut_guard_jwt *jwt = &p->access.jwt;
    TUT_AUTO_FREE char *path = tut_fs_join(dir, "keys");
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    if (!path)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    if (!jwt->jwks_url.len) {
        (void)unlink(path);
        return TUT_SUCCESS;
    }
    tut_buf_printf(&text, "%.*s\n", (int)jwt->jwks_url.len, jwt->jwks_url.data);
    if (jwt->jwks.data[0] != '/')
        tut_buf_printf(&text, "%s/", system_dir);
    tut_buf_printf(&text, "%.*s\n%u\n", (int)jwt->jwks.len, jwt->jwks.data, jwt->refresh);
    TUT_TRY(tut_buf_check(&text, err));
    return tut_fs_write(path, tut_buf_span(&text), 0600, err);
}

bool tut_jwks_is_planned(const char *dir)
{
    TUT_AUTO_FREE char *path = tut_fs_join(dir, "keys");
    return path && tut_fs_exists(path);
}

static bool next_line(tut_str *rest, char *to, size_t cap)
{
    const char *end = memchr(rest->data, '\n', rest->len);
    if (!end || (size_t)(end - rest->data) >= cap)
        return false;
    size_t len = (size_t)(end - rest->data);
    tut_str_copy(to, cap, (tut_str){rest->data, len});
    *rest = (tut_str){end + 1, rest->len - len - 1};
    return len > 0;
}

static bool read_plan(const char *dir, plan *ret)
{
    TUT_AUTO_FREE char *path = tut_fs_join(dir, "keys");
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    char seconds[16];
    if (!path || !tut_is_ok(tut_fs_read(path, PLAN_BYTES, &text, NULL)))
        return false;
    tut_str rest = tut_buf_str(&text);
    return next_line(&rest, ret->url, sizeof(ret->url)) &&
           next_line(&rest, ret->file, sizeof(ret->file)) &&
           next_line(&rest, seconds, sizeof(seconds)) &&
           tut_str_u64(tut_str_of(seconds), &ret->each_s);
}

void tut_jwks_keep_fresh(const char *dir)
{
    plan p = {.each_s = 0}, last = {.each_s = 0};
    uint64_t due = 0;
    bool is_told = false;
    while (!tut_interrupted() && read_plan(dir, &p)) {
        bool is_other = strcmp(p.url, last.url) != 0 || strcmp(p.file, last.file) != 0 ||
                        p.each_s != last.each_s;
        bool is_new = false;
        tut_error err = {0};
        if (!is_other && tut_clock_ms() < due) {
            (void)usleep(LOOK_MS * 1000);
            continue;
        }
        last = p;
        bool is_fine = tut_is_ok(tut_jwks_fetch(p.url, p.file, &is_new, &err));
        if (!is_fine && !is_told)
            (void)fprintf(stderr, "keys: %s; those of before stay in use\n", err.text);
        else if (is_fine && is_told)
            (void)fprintf(stderr, "keys: %s answers again\n", p.url);
        is_told = !is_fine;
        uint64_t wait_s = is_fine || p.each_s < AGAIN_S ? p.each_s : AGAIN_S;
        due = tut_clock_ms() + wait_s * 1000;
    }
}
