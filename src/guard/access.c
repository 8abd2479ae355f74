#include "guard/access.h"

#include <stdio.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "base/limits.h"
#include "crypto/openssl.h"
#include "guard/jwt.h"
#include "guard/key.h"
#include "guard/quota.h"

enum {
    LOOK_EACH_MS = 1000, /* at the file of keys */
    REMEMBERED = 256     /* tokens */
};

typedef struct remembered { /* a token that was found good */
    tut_sha256 digest;
    tut_who who;
    tut_time good_until; /* 0: none */
} remembered;

struct tut_access {
    const tut_guard_policy *policy;
    char *jwks_path; /* NULL: no tokens */
    tut_jwks *jwks;  /* NULL: none could be read so far */
    uint64_t looked_ms;
    struct timespec mtime;
    off_t size;
    ino_t inode;
    char problem[TUT_ERROR_TEXT_MAX];
    remembered *tokens; /* REMEMBERED */
};

static const char *const how_names[] = {"anybody", "open", "key", "token", "certificate"};

const char *tut_access_how_name(tut_access_how how)
{
    return how_names[how];
}

const char *tut_access_problem(const tut_access *a)
{
    return a->problem[0] ? a->problem : NULL;
}

void tut_access_free(tut_access *a)
{
    if (!a)
        return;
    tut_jwks_free(a->jwks);
    if (a->tokens)
        tut_wipe(a->tokens, REMEMBERED * sizeof(*a->tokens));
    tut_free(a->tokens);
    tut_free(a->jwks_path);
    tut_free(a);
}

/* --- the keys of the issuer, from a file that may be replaced --- */
static tut_status read_keys(tut_access *a, const struct stat *st, tut_error *err)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    tut_jwks *jwks = NULL;
    if (st->st_mode & 022)
        return tut_fail(err, TUT_DENIED, "others may write %s: chmod go-w", a->jwks_path);
    TUT_TRY(tut_fs_read(a->jwks_path, TUT_LIMIT_JWKS_BYTES, &text, err));
    TUT_TRY(tut_jwks_parse(tut_buf_span(&text), &jwks, err));
    if (jwks->count == 0) {
        tut_jwks_free(jwks);
        return tut_fail(err, TUT_MALFORMED, "no key of it can check signatures");
    }
    tut_jwks_free(a->jwks);
    a->jwks = jwks;
    tut_wipe(a->tokens, REMEMBERED * sizeof(*a->tokens)); /* their key may be gone */
    return TUT_SUCCESS;
}

static void look_at_keys(tut_access *a, uint64_t now_ms)
{
    struct stat st;
    tut_error err = {0};
    if (!a->jwks_path || (a->looked_ms && now_ms - a->looked_ms < LOOK_EACH_MS))
        return;
    a->looked_ms = now_ms ? now_ms : 1;
    if (stat(a->jwks_path, &st) != 0) {
        (void)snprintf(a->problem, sizeof(a->problem), "there is no %s", a->jwks_path);
        return;
    }
    a->problem[0] = '\0';
    if (a->jwks && st.st_size == a->size && st.st_ino == a->inode &&
        st.st_mtim.tv_sec == a->mtime.tv_sec && st.st_mtim.tv_nsec == a->mtime.tv_nsec)
        return;
    if (tut_is_ok(read_keys(a, &st, &err))) {
        a->size = st.st_size;
        a->inode = st.st_ino;
        a->mtime = st.st_mtim;
    } else {
        (void)snprintf(a->problem, sizeof(a->problem), "%s", err.text);
    }
}

tut_status tut_access_new(const tut_guard_policy *policy, const char *dir, tut_access **ret_access,
                          tut_error *err)
{
    char name[TUT_ERROR_PATH_MAX];
    const tut_str jwks = policy->access.jwt.jwks;
    TUT_AUTO(tut_access) a = tut_alloc_array(1, sizeof(*a));
    if (a)
        a->tokens = tut_alloc_array(REMEMBERED, sizeof(*a->tokens));
    if (a && jwks.len) {
        tut_str_copy(name, sizeof(name), jwks);
        a->jwks_path = name[0] == '/' ? tut_strdup(name) : tut_fs_join(dir, name);
    }
    if (!a || !a->tokens || (jwks.len && !a->jwks_path))
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    a->policy = policy;
    look_at_keys(a, tut_live_now_ms());
    *ret_access = tut_move(&a);
    return TUT_SUCCESS;
}

/* --- one way after another; each says why not --- */
typedef struct asking {
    tut_access *a;
    const tut_credentials *shown;
    uint64_t now_ms;
    tut_time now;
    tut_who who;
    char *why;
} asking;

static bool no(asking *q, const char *fmt, ...) TUT_PRINTF(2, 3);
static bool no(asking *q, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(q->why, TUT_ACCESS_WHY, fmt, ap);
    va_end(ap);
    return false;
}

/* All that a caller shows is one client's. */
static bool settle(asking *q, const tut_guard_client *client, tut_access_how how)
{
    tut_error err = {0};
    if (q->who.client && q->who.client != client)
        return no(q, "two clients at once: %.*s by %s, %.*s by %s", (int)q->who.client->id.len,
                  q->who.client->id.data, how_names[q->who.how], (int)client->id.len,
                  client->id.data, how_names[how]);
    q->who.client = client;
    q->who.how = how;
    if (!tut_is_ok(tut_quota_key(client, tut_str_of(q->who.subject), &q->who.quota_key, &err)))
        return no(q, "%s", err.text);
    return true;
}

/* Every hash of the policy is compared to its end, so that how long it takes says nothing. */
static const tut_guard_client_key *find_key(const tut_guard_policy *p, const tut_sha256 *digest,
                                            const tut_guard_client **ret_client)
{
    const tut_guard_client_key *found = NULL;
    uint64_t asked[TUT_SHA256_BYTES / 8];
    memcpy(asked, digest->bytes, sizeof(asked));
    for (size_t i = 0; i < p->client_count; i++) {
        const tut_guard_client_access *a = &p->clients[i].access;
        for (size_t k = 0; k < a->key_count; k++) {
            uint64_t had[TUT_SHA256_BYTES / 8], differs = 0;
            memcpy(had, a->keys[k].sha256.bytes, sizeof(had));
            for (size_t w = 0; w < TUT_COUNT(had); w++)
                differs |= had[w] ^ asked[w];
            if (differs == 0) {
                found = &a->keys[k];
                *ret_client = &p->clients[i];
            }
        }
    }
    return found;
}

static bool by_key(asking *q, tut_str key)
{
    const tut_guard_client *client = NULL;
    tut_sha256 digest;
    tut_error err = {0};
    char hex[TUT_SHA256_HEX], day[TUT_TIME_TEXT];
    if (tut_guard_key_look(key) == TUT_GUARD_KEY_MISTYPED)
        return no(q, "the key was not copied whole: its check digits do not fit");
    if (!tut_is_ok(tut_sha256_of(tut_span_of(key.data, key.len), &digest, &err)))
        return no(q, "%s", err.text);
    const tut_guard_client_key *found = find_key(q->a->policy, &digest, &client);
    if (!found)
        return no(q, "no client has this key");
    tut_sha256_hex(&digest, hex);
    hex[12] = '\0';
    if (found->has_not_before && q->now < found->not_before) {
        tut_time_date(found->not_before, day);
        return no(q, "key %s of %.*s is valid from %s only", hex, (int)client->id.len,
                  client->id.data, day);
    }
    if (found->has_expires && q->now >= found->expires) {
        tut_time_date(found->expires, day);
        return no(q, "key %s of %.*s expired on %s", hex, (int)client->id.len, client->id.data,
                  day);
    }
    if (q->who.key && q->who.key != found)
        return no(q, "two keys at once");
    q->who.key = found;
    memcpy(q->who.id, hex, sizeof("0123456789ab"));
    return settle(q, client, TUT_ACCESS_KEY);
}

/* --- tokens --- */
static bool fits(const tut_guard_client_access *a, const tut_jwt *jwt)
{
    if (a->subjects.count == 0 && a->claim_count == 0)
        return false;
    if (a->subjects.count && !tut_guard_is_listed(&a->subjects, jwt->subject))
        return false;
    for (size_t i = 0; i < a->claim_count; i++)
        if (!tut_jwt_claims(jwt, a->claims[i].name, a->claims[i].value))
            return false;
    return true;
}

/* A token that is bound to a certificate (RFC 8705) counts with that only; other bindings cannot be
 * checked here. */
static bool is_bound_elsewhere(const tut_jwt *jwt, tut_str certificate)
{
    const tut_json_value *cnf = tut_json_get(tut_json_root(jwt->doc), "cnf");
    TUT_CLEAN(tut_buf) bytes = TUT_BUF_INIT;
    tut_sha256 digest;
    if (!cnf)
        return false;
    return tut_json_count(cnf) != 1 || !tut_is_ok(tut_sha256_parse(certificate, &digest)) ||
           !tut_is_ok(tut_base64url_read(tut_json_get_text(cnf, "x5t#S256"), &bytes)) ||
           bytes.len != TUT_SHA256_BYTES || memcmp(bytes.data, digest.bytes, bytes.len) != 0;
}

static bool find_client(asking *q, const tut_jwt *jwt)
{
    const tut_guard_policy *p = q->a->policy;
    if (is_bound_elsewhere(jwt, q->shown->certificate))
        return no(q, "the token is bound to a key that was not shown with it");
    for (size_t i = 0; i < p->client_count; i++) {
        if (!fits(&p->clients[i].access, jwt))
            continue;
        tut_str_copy(q->who.subject, sizeof(q->who.subject), jwt->subject);
        tut_str_copy(q->who.id, sizeof(q->who.id), tut_str_of(jwt->kid));
        return settle(q, &p->clients[i], TUT_ACCESS_TOKEN);
    }
    return no(q, "the token is good, and no client has its subject or claims");
}

static bool by_new_token(asking *q, tut_str token, remembered *place, const tut_sha256 *digest)
{
    const tut_guard_jwt *rules = &q->a->policy->access.jwt;
    tut_error err = {0};
    tut_jwt jwt = {0};
    if (!q->a->jwks)
        return no(q, "tokens cannot be checked: %s", q->a->problem);
    if (!tut_is_ok(tut_jwt_verify(token, q->a->jwks, rules, q->now, &jwt, &err)))
        return no(q, "%s", err.text);
    bool is_known = find_client(q, &jwt);
    bool is_bound = tut_json_get(tut_json_root(jwt.doc), "cnf") != NULL;
    if (is_known && !is_bound)
        *place = (remembered){*digest, q->who, jwt.expires + (tut_time)rules->leeway};
    tut_jwt_done(&jwt);
    return is_known;
}

static bool by_token(asking *q, tut_str token)
{
    tut_sha256 digest;
    tut_error err = {0};
    look_at_keys(q->a, q->now_ms);
    if (!tut_is_ok(tut_sha256_of(tut_span_of(token.data, token.len), &digest, &err)))
        return no(q, "%s", err.text);
    remembered *place = &q->a->tokens[digest.bytes[0] % REMEMBERED];
    if (place->good_until <= q->now || !tut_sha256_eq(&place->digest, &digest))
        return by_new_token(q, token, place, &digest);
    const tut_guard_client *client = place->who.client;
    if (q->who.client && q->who.client != client)
        return settle(q, client, TUT_ACCESS_TOKEN); /* says why not */
    q->who = place->who;
    return true;
}

/* --- certificates --- */
static bool has_certificate(const tut_guard_client_access *a, const tut_credentials *shown)
{
    for (size_t i = 0; i < a->certificates.count; i++) {
        tut_str c = a->certificates.items[i];
        bool is_digest = tut_str_starts(c, TUT_LIT("sha256:"));
        if (is_digest && tut_str_ieq((tut_str){c.data + 7, c.len - 7}, shown->certificate))
            return true;
        if (!is_digest && tut_str_eq(c, shown->certificate_subject))
            return true;
    }
    return false;
}

/* One that no client is named by says nothing: it may be wanted of everybody who connects. */
static bool by_certificate(asking *q)
{
    const tut_guard_policy *p = q->a->policy;
    if (q->shown->certificate.len == 0)
        return true;
    for (size_t i = 0; i < p->client_count; i++) {
        if (!has_certificate(&p->clients[i].access, q->shown))
            continue;
        tut_str_copy(q->who.subject, sizeof(q->who.subject), q->shown->certificate_subject);
        tut_str_copy(q->who.id, 13, q->shown->certificate);
        return settle(q, &p->clients[i], TUT_ACCESS_CERTIFICATE);
    }
    return true;
}

/* --- all of them --- */
/* "Bearer X" */
static bool by_authorization(asking *q, tut_str header)
{
    size_t space = 0;
    while (space < header.len && header.data[space] != ' ')
        space++;
    tut_str scheme = {header.data, space};
    tut_str secret = tut_str_trim((tut_str){header.data + space, header.len - space});
    if (!tut_str_ieq(scheme, TUT_LIT("Bearer")) || secret.len == 0)
        return no(q, "the authorization is no bearer's key or token");
    bool is_token = q->a->jwks_path && tut_str_starts(secret, TUT_LIT("ey")) &&
                    memchr(secret.data, '.', secret.len);
    return is_token ? by_token(q, secret) : by_key(q, secret);
}

static bool by_nothing(asking *q)
{
    const tut_guard_policy *p = q->a->policy;
    for (size_t i = 0; i < p->client_count; i++)
        if (p->clients[i].access.is_open)
            return settle(q, &p->clients[i], TUT_ACCESS_OPEN);
    return no(q, "no key, token or certificate of a client was shown");
}

bool tut_access_who(tut_access *a, const tut_credentials *shown, uint64_t now_ms, tut_who *ret_who,
                    char why[TUT_ACCESS_WHY])
{
    asking q = {
        .a = a, .shown = shown, .now_ms = now_ms, .now = (tut_time)(now_ms / 1000), .why = why};
    tut_error err = {0};
    why[0] = '\0';
    if (a->policy->client_count == 0) {
        if (!tut_is_ok(tut_quota_key(NULL, (tut_str){"", 0}, &q.who.quota_key, &err)))
            return no(&q, "%s", err.text);
        *ret_who = q.who;
        return true;
    }
    bool is_good = by_certificate(&q);
    if (is_good && shown->authorization.len)
        is_good = by_authorization(&q, shown->authorization);
    if (is_good && shown->api_key.len)
        is_good = by_key(&q, shown->api_key);
    if (is_good && !q.who.client)
        is_good = by_nothing(&q);
    if (is_good)
        *ret_who = q.who;
    return is_good;
}

bool tut_access_may(const tut_who *who, tut_str route)
{
    return !who->key || who->key->scopes.count == 0 ||
           tut_guard_is_listed(&who->key->scopes, route);
}
