/* What a person should know of a policy's clients before it is put in force. */
#include <stdio.h>

#include "guard/access.h"

enum { SOON_DAYS = 14, LONG_DAYS = 400, REMARK = 256 };

typedef struct telling {
    tut_access_remark remark;
    void *ctx;
    tut_str client;
} telling;

static void tell(const telling *t, bool is_serious, const char *fmt, ...) TUT_PRINTF(3, 4);
static void tell(const telling *t, bool is_serious, const char *fmt, ...)
{
    char text[REMARK];
    va_list ap;
    int n = snprintf(text, sizeof(text), "client %.*s: ", (int)t->client.len, t->client.data);
    size_t at = n > 0 && (size_t)n < sizeof(text) ? (size_t)n : 0;
    va_start(ap, fmt);
    (void)vsnprintf(text + at, sizeof(text) - at, fmt, ap);
    va_end(ap);
    t->remark(t->ctx, is_serious, text);
}

static void check_key(const telling *t, const tut_guard_client_key *k, tut_time now)
{
    char hex[TUT_SHA256_HEX], day[TUT_TIME_TEXT];
    tut_sha256_hex(&k->sha256, hex);
    hex[12] = '\0';
    if (!k->has_expires) {
        tell(t, false, "key %s never expires", hex);
        return;
    }
    tut_time_date(k->expires, day);
    if (k->expires <= now)
        tell(t, false, "key %s expired on %s; take it out", hex, day);
    else if (k->expires - now < (tut_time)SOON_DAYS * TUT_DAY_SECONDS)
        tell(t, false, "key %s expires on %s; add its successor", hex, day);
    else if (k->expires - now > (tut_time)LONG_DAYS * TUT_DAY_SECONDS)
        tell(t, false, "key %s is valid until %s, for more than a year", hex, day);
}

static bool has_valid_key(const tut_guard_client_access *a, tut_time now)
{
    for (size_t i = 0; i < a->key_count; i++)
        if (!a->keys[i].has_expires || a->keys[i].expires > now)
            return true;
    return false;
}

static void check_client(const telling *t, const tut_guard_client *c, tut_time now)
{
    const tut_guard_client_access *a = &c->access;
    const tut_guard_quota *q = &c->quota;
    bool has_token = a->subjects.count || a->claim_count;
    for (size_t i = 0; i < a->key_count; i++)
        check_key(t, &a->keys[i], now);
    if (a->is_open)
        tell(t, true, "open: whoever reaches the guard is this client, without a key");
    else if (!has_token && a->certificates.count == 0 && a->key_count == 0)
        tell(t, true, "nobody can be it: it has no key, token or certificate (`tutela guard key`)");
    else if (!has_token && a->certificates.count == 0 && !has_valid_key(a, now))
        tell(t, true, "nobody can be it any more: all its keys have expired");
    if (!q->requests.limit && !q->tokens.limit && !q->cost.limit && !q->concurrent)
        tell(t, false, "no quota: it may ask as much as it likes");
}

void tut_access_check(const tut_guard_policy *p, tut_time now, tut_access_remark remark, void *ctx)
{
    if (p->client_count == 0)
        remark(ctx, true, "no clients: whoever reaches the guard may ask, without a key");
    for (size_t i = 0; i < p->client_count; i++) {
        telling t = {remark, ctx, p->clients[i].id};
        check_client(&t, &p->clients[i], now);
    }
}
