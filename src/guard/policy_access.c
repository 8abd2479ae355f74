/* guard.clients[].keys, jwt, certificate, quota; guard.jwt, quota, prices, load -> the policy. */
#include "guard/policy_access.h"

#include "base/limits.h"
#include "guard/policy_fields.h"

enum {
    WEEK_MS = 7 * TUT_DAY_SECONDS * 1000,
    LEEWAY_MOST = 300,
    LEEWAY = 30,
    REFRESH = 300,
    REFRESH_LEAST = 1,
    REFRESH_MOST = TUT_DAY_SECONDS,
    URL_MOST = 2000
};

/* --- texts --- */
static tut_status fail_at_key(tut_schema *s, const tut_yaml_node *map, const char *key,
                              const char *what)
{
    const tut_yaml_node *at = tut_yaml_get(s->system->yaml, map, key);
    return tut_schema_fail_node(s, at ? at : map, "%s", what);
}

/* "2.50" in millionths; false: no number, more than six digits behind the point, or too much. */
static bool read_millionths(tut_str text, uint64_t *ret)
{
    size_t point = 0;
    uint64_t whole = 0, part = 0;
    while (point < text.len && text.data[point] != '.')
        point++;
    if (!tut_str_u64((tut_str){text.data, point}, &whole) || whole > 1000000)
        return false;
    size_t digits = point < text.len ? text.len - point - 1 : 0;
    if (point < text.len &&
        (digits > 6 || !tut_str_u64((tut_str){text.data + point + 1, digits}, &part)))
        return false;
    for (; digits < 6; digits++)
        part *= 10;
    *ret = whole * 1000000 + part;
    return true;
}

/* "min", "10min" */
static bool read_window(tut_str text, uint32_t *ret_ms)
{
    static const struct {
        const char *name;
        uint32_t ms;
    } units[] = {{"s", 1000},    {"second", 1000},  {"min", 60000},    {"minute", 60000},
                 {"h", 3600000}, {"hour", 3600000}, {"day", 86400000}, {"week", WEEK_MS}};
    size_t digits = 0;
    uint64_t count = 1;
    while (digits < text.len && text.data[digits] >= '0' && text.data[digits] <= '9')
        digits++;
    if (digits && (!tut_str_u64((tut_str){text.data, digits}, &count) || count == 0))
        return false;
    tut_str unit = tut_str_trim((tut_str){text.data + digits, text.len - digits});
    for (size_t i = 0; i < TUT_COUNT(units); i++)
        if (tut_str_eq_z(unit, units[i].name) && count <= WEEK_MS / units[i].ms) {
            *ret_ms = (uint32_t)count * units[i].ms;
            return true;
        }
    return false;
}

/* "60/min"; empty or "none": no limit. */
static bool read_rate(tut_str text, bool is_money, tut_guard_rate *ret_rate)
{
    const uint64_t most = (1ull << 40) - 1; /* what one span of the counters holds */
    tut_guard_rate r = {0};
    size_t slash;
    *ret_rate = r;
    if (text.len == 0 || tut_str_eq_z(text, "none"))
        return true;
    if (!tut_str_find(text, TUT_LIT("/"), &slash))
        return false;
    tut_str amount = tut_str_trim((tut_str){text.data, slash});
    tut_str window = tut_str_trim((tut_str){text.data + slash + 1, text.len - slash - 1});
    bool is_read = is_money ? read_millionths(amount, &r.limit) : tut_str_u64(amount, &r.limit);
    if (!is_read || r.limit == 0 || r.limit > most || !read_window(window, &r.window_ms))
        return false;
    *ret_rate = r;
    return true;
}

/* --- quotas --- */
static const tut_field quota_fields[] = {
    {"requests", TUT_FIELD_TEXT, offsetof(tut_guard_quota, requests_text), 0, false, NULL},
    {"tokens", TUT_FIELD_TEXT, offsetof(tut_guard_quota, tokens_text), 0, false, NULL},
    {"cost", TUT_FIELD_TEXT, offsetof(tut_guard_quota, cost_text), 0, false, NULL},
    {"per", TUT_FIELD_WORD, offsetof(tut_guard_quota, per_word), 0, false, "client subject"},
    TUT_FIELD(COUNT, tut_guard_quota, concurrent, false, NULL),
};

/* q: what holds where this says nothing. */
static tut_status read_quota(tut_schema *s, const tut_yaml_node *node, tut_guard_quota *q,
                             const char *where)
{
    static const char how[] = "a quota is an amount and a time, such as 60/min, 100000/hour, "
                              "5.00/day or 500/10min, of at most a week";
    if (tut_schema_is_absent(node))
        return TUT_SUCCESS;
    TUT_TRY(tut_schema_read(s, node, quota_fields, TUT_COUNT(quota_fields), q, "quota", where));
    if (!read_rate(q->requests_text, false, &q->requests))
        return fail_at_key(s, node, "requests", how);
    if (!read_rate(q->tokens_text, false, &q->tokens))
        return fail_at_key(s, node, "tokens", how);
    if (!read_rate(q->cost_text, true, &q->cost))
        return fail_at_key(s, node, "cost", how);
    if (q->concurrent > UINT16_MAX)
        return fail_at_key(s, node, "concurrent", "at most 65,535 at once");
    if (q->per_word.len)
        q->is_per_subject = tut_str_eq_z(q->per_word, "subject");
    return TUT_SUCCESS;
}

static const tut_field price_fields[] = {
    TUT_FIELD(TEXT, tut_guard_price, model, true, NULL),
    {"in", TUT_FIELD_TEXT, offsetof(tut_guard_price, in_text), 0, true, NULL},
    {"out", TUT_FIELD_TEXT, offsetof(tut_guard_price, out_text), 0, false, NULL},
};

static tut_status read_prices(tut_schema *s, const tut_yaml_node *list, tut_guard_access *a)
{
    const tut_yaml *y = s->system->yaml;
    if (tut_schema_is_absent(list))
        return TUT_SUCCESS;
    TUT_TRY(tut_schema_sequence(s, list, "prices"));
    a->prices = tut_arena_take(&s->system->arena, list->count + 1u, sizeof(*a->prices));
    if (!a->prices)
        return tut_fail(s->err, TUT_NOMEM, "memory ran out");
    for (const tut_yaml_node *n = tut_yaml_first(y, list); n; n = tut_yaml_next(y, n)) {
        tut_guard_price *p = &a->prices[a->price_count];
        TUT_TRY(tut_schema_read(s, n, price_fields, TUT_COUNT(price_fields), p, "a price",
                                "guard.prices"));
        if (!p->model.len || !read_millionths(p->in_text, &p->in) ||
            (p->out_text.len && !read_millionths(p->out_text, &p->out)))
            return tut_schema_fail_node(s, n,
                                        "a price has a model, and what a million tokens in "
                                        "and out cost, such as 2.50");
        for (size_t i = 0; i < a->price_count; i++)
            if (tut_str_eq(a->prices[i].model, p->model))
                return tut_schema_fail_node(s, n, "this model has two prices");
        a->price_count++;
    }
    return TUT_SUCCESS;
}

static const tut_field load_fields[] = {
    TUT_FIELD(COUNT, tut_guard_load, in_flight, false, NULL),
    TUT_FIELD(COUNT, tut_guard_load, body_bytes, false, NULL),
};

/* --- tokens --- */
static const tut_field jwt_fields[] = {
    TUT_FIELD(TEXT, tut_guard_jwt, jwks, true, NULL),
    TUT_FIELD(TEXT, tut_guard_jwt, issuer, true, NULL),
    {"audience", TUT_FIELD_TEXTS, offsetof(tut_guard_jwt, audiences), 0, true, NULL},
    {"algorithms", TUT_FIELD_TEXTS, offsetof(tut_guard_jwt, algorithm_words), 0, false, NULL},
    TUT_FIELD(COUNT, tut_guard_jwt, leeway, false, NULL),
    TUT_FIELD(TEXT, tut_guard_jwt, jwks_url, false, NULL),
    TUT_FIELD(COUNT, tut_guard_jwt, refresh, false, NULL),
};

/* Keys that anybody on the way can replace are nobody's. */
static bool is_safe_url(tut_str url)
{
    static const char *const near[] = {"https://",
                                       "http://127.0.0.1:", "http://[::1]:", "http://localhost:"};
    for (size_t i = 0; i < TUT_COUNT(near); i++)
        if (tut_str_starts(url, tut_str_of(near[i])))
            return url.len < URL_MOST && !memchr(url.data, '\n', url.len);
    return false;
}

static tut_status read_jwt(tut_schema *s, const tut_yaml_node *node, tut_guard_jwt *jwt)
{
    static const char *const names[] = {"RS256", "PS256", "ES256", "EdDSA"};
    if (tut_schema_is_absent(node))
        return TUT_SUCCESS;
    jwt->leeway = LEEWAY;
    TUT_TRY(tut_schema_read(s, node, jwt_fields, TUT_COUNT(jwt_fields), jwt, "jwt", "guard.jwt"));
    if (!jwt->jwks.len || !jwt->issuer.len || jwt->audiences.count == 0)
        return tut_schema_fail_node(s, node, "jwt has a jwks (a file), an issuer and an audience");
    if (jwt->leeway > LEEWAY_MOST)
        return fail_at_key(s, node, "leeway", "clocks may differ by at most 300 seconds");
    if (jwt->jwks_url.len && !is_safe_url(jwt->jwks_url))
        return fail_at_key(s, node, "jwks_url", "keys are fetched by https:// alone");
    jwt->refresh = jwt->refresh ? jwt->refresh : REFRESH;
    if (jwt->refresh < REFRESH_LEAST || jwt->refresh > REFRESH_MOST)
        return fail_at_key(s, node, "refresh", "keys are fetched each 1 to 86400 seconds");
    for (size_t i = 0; i < jwt->algorithm_words.count; i++) {
        size_t k = 0;
        while (k < TUT_COUNT(names) && !tut_str_eq_z(jwt->algorithm_words.items[i], names[k]))
            k++;
        if (k == TUT_COUNT(names))
            return fail_at_key(s, node, "algorithms",
                               "tokens are signed with RS256, PS256, ES256 or EdDSA");
        jwt->algorithms |= 1u << k;
    }
    if (!jwt->algorithms)
        jwt->algorithms = TUT_JWT_RS256 | TUT_JWT_PS256 | TUT_JWT_ES256 | TUT_JWT_EDDSA;
    return TUT_SUCCESS;
}

tut_status tut_guard_read_access(tut_schema *s, const tut_yaml_node *guard, tut_guard_access *a)
{
    const tut_yaml *y = s->system->yaml;
    const tut_yaml_node *load = tut_yaml_get(y, guard, "load");
    TUT_TRY(read_jwt(s, tut_yaml_get(y, guard, "jwt"), &a->jwt));
    TUT_TRY(read_prices(s, tut_yaml_get(y, guard, "prices"), a));
    TUT_TRY(read_quota(s, tut_yaml_get(y, guard, "quota"), &a->quota, "guard.quota"));
    if (a->quota.cost.limit && a->price_count == 0)
        return fail_at_key(s, guard, "quota", "a quota of cost needs guard.prices");
    if (!tut_schema_is_absent(load))
        TUT_TRY(tut_schema_read(s, load, load_fields, TUT_COUNT(load_fields), &a->load, "load",
                                "guard.load"));
    a->load.in_flight = a->load.in_flight ? a->load.in_flight : TUT_LIMIT_GUARD_IN_FLIGHT;
    a->load.body_bytes = a->load.body_bytes ? a->load.body_bytes : TUT_LIMIT_GUARD_BODIES_BYTES;
    tut_guard_default_abuse(a->abuse, NULL);
    return tut_guard_read_abuse(s, tut_yaml_get(y, guard, "abuse"), a->abuse, "guard.abuse");
}

/* --- clients --- */
static const tut_field key_fields[] = {
    {"sha256", TUT_FIELD_TEXT, offsetof(tut_guard_client_key, sha256_text), 0, true, NULL},
    {"not_before", TUT_FIELD_TIME, offsetof(tut_guard_client_key, not_before),
     offsetof(tut_guard_client_key, has_not_before), false, NULL},
    {"expires", TUT_FIELD_TIME, offsetof(tut_guard_client_key, expires),
     offsetof(tut_guard_client_key, has_expires), false, NULL},
    TUT_FIELD(TEXTS, tut_guard_client_key, scopes, false, NULL),
};

static bool is_route(const tut_guard_policy *p, tut_str id)
{
    for (size_t i = 0; i < p->route_count; i++)
        if (tut_str_eq(p->routes[i].id, id))
            return true;
    return false;
}

static bool has_key(const tut_guard_client_access *a, const tut_sha256 *sha256)
{
    for (size_t i = 0; i < a->key_count; i++)
        if (tut_sha256_eq(&a->keys[i].sha256, sha256))
            return true;
    return false;
}

static tut_status read_key(tut_schema *s, const tut_yaml_node *n, const tut_guard_policy *p,
                           tut_guard_client_access *a)
{
    tut_guard_client_key *k = &a->keys[a->key_count];
    TUT_TRY(
        tut_schema_read(s, n, key_fields, TUT_COUNT(key_fields), k, "a key", "guard.clients.keys"));
    tut_str hex = k->sha256_text;
    if (tut_str_starts(hex, TUT_LIT("sha256:")))
        hex = (tut_str){hex.data + 7, hex.len - 7};
    if (!tut_is_ok(tut_sha256_parse(hex, &k->sha256)))
        return tut_schema_fail_node(s, n,
                                    "a key is named by its SHA-256, as `tutela guard key` "
                                    "prints it");
    for (size_t i = 0; i < p->client_count; i++)
        if (has_key(&p->clients[i].access, &k->sha256))
            return tut_schema_fail_node(s, n, "two clients have this key");
    if (has_key(a, &k->sha256))
        return tut_schema_fail_node(s, n, "the key is there twice");
    if (k->has_not_before && k->has_expires && k->expires <= k->not_before)
        return tut_schema_fail_node(s, n, "the key expires before it is valid");
    for (size_t i = 0; i < k->scopes.count; i++)
        if (!is_route(p, k->scopes.items[i]))
            return tut_schema_fail_node(s, n, "no route \"%.*s\" is declared",
                                        (int)k->scopes.items[i].len, k->scopes.items[i].data);
    a->key_count++;
    return TUT_SUCCESS;
}

static tut_status read_keys(tut_schema *s, const tut_yaml_node *list, const tut_guard_policy *p,
                            tut_guard_client_access *a)
{
    const tut_yaml *y = s->system->yaml;
    if (tut_schema_is_absent(list))
        return TUT_SUCCESS;
    TUT_TRY(tut_schema_sequence(s, list, "keys"));
    a->keys = tut_arena_take(&s->system->arena, list->count + 1u, sizeof(*a->keys));
    if (!a->keys)
        return tut_fail(s->err, TUT_NOMEM, "memory ran out");
    for (const tut_yaml_node *n = tut_yaml_first(y, list); n; n = tut_yaml_next(y, n))
        TUT_TRY(read_key(s, n, p, a));
    return TUT_SUCCESS;
}

static const tut_field client_jwt_fields[] = {
    {"subject", TUT_FIELD_TEXTS, offsetof(tut_guard_client_access, subjects), 0, false, NULL},
    {"claims", TUT_FIELD_OTHER, 0, 0, false, NULL},
};

static tut_status read_claims(tut_schema *s, const tut_yaml_node *map, tut_guard_client_access *a)
{
    const tut_yaml *y = s->system->yaml;
    if (tut_schema_is_absent(map))
        return TUT_SUCCESS;
    TUT_TRY(tut_schema_mapping(s, map, "claims"));
    a->claims = tut_arena_take(&s->system->arena, map->count + 1u, sizeof(*a->claims));
    if (!a->claims)
        return tut_fail(s->err, TUT_NOMEM, "memory ran out");
    for (const tut_yaml_node *n = tut_yaml_first(y, map); n; n = tut_yaml_next(y, n)) {
        if (n->type != TUT_YAML_SCALAR || n->text.len == 0)
            return tut_schema_fail_node(s, n, "a claim is a name and a text that it must have");
        a->claims[a->claim_count++] = (tut_guard_claim){n->key, n->text};
    }
    return TUT_SUCCESS;
}

static tut_status read_client_jwt(tut_schema *s, const tut_yaml_node *node,
                                  const tut_guard_policy *p, tut_guard_client_access *a)
{
    if (tut_schema_is_absent(node))
        return TUT_SUCCESS;
    TUT_TRY(tut_schema_read(s, node, client_jwt_fields, TUT_COUNT(client_jwt_fields), a, "jwt",
                            "guard.clients.jwt"));
    TUT_TRY(read_claims(s, tut_yaml_get(s->system->yaml, node, "claims"), a));
    if (a->subjects.count == 0 && a->claim_count == 0)
        return tut_schema_fail_node(s, node, "a client of tokens has a subject or claims");
    if (!p->access.jwt.jwks.len)
        return tut_schema_fail_node(s, node, "tokens need guard.jwt: who issues them, and a jwks");
    return TUT_SUCCESS;
}

static tut_status check_certificates(tut_schema *s, const tut_yaml_node *at,
                                     const tut_str_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        tut_str c = list->items[i];
        tut_sha256 digest;
        bool is_digest = tut_str_starts(c, TUT_LIT("sha256:")) &&
                         tut_is_ok(tut_sha256_parse((tut_str){c.data + 7, c.len - 7}, &digest));
        if (!is_digest && !memchr(c.data, '=', c.len))
            return tut_schema_fail_node(s, at,
                                        "a certificate is named by sha256: and the digest "
                                        "of its DER, or by its subject such as CN=web");
    }
    return TUT_SUCCESS;
}

tut_status tut_guard_read_client_access(tut_schema *s, const tut_yaml_node *node,
                                        const tut_guard_policy *p, tut_guard_client *c)
{
    const tut_yaml *y = s->system->yaml;
    tut_guard_client_access *a = &c->access;
    TUT_TRY(read_keys(s, tut_yaml_get(y, node, "keys"), p, a));
    TUT_TRY(read_client_jwt(s, tut_yaml_get(y, node, "jwt"), p, a));
    TUT_TRY(check_certificates(s, tut_yaml_get(y, node, "certificate"), &a->certificates));
    for (size_t i = 0; a->is_open && i < p->client_count; i++)
        if (p->clients[i].access.is_open)
            return fail_at_key(s, node, "open", "one client at most is open");
    c->quota = p->access.quota;
    TUT_TRY(read_quota(s, tut_yaml_get(y, node, "quota"), &c->quota, "guard.clients.quota"));
    if (c->quota.cost.limit && p->access.price_count == 0)
        return fail_at_key(s, node, "quota", "a quota of cost needs guard.prices");
    tut_guard_default_abuse(c->abuse, p->access.abuse);
    return tut_guard_read_abuse(s, tut_yaml_get(y, node, "abuse"), c->abuse, "guard.clients.abuse");
}
