/* Who may ask, and how much, in a policy's canonical form. */
#include "guard/policy_fields.h"

static void put_rate(tut_json *j, const char *key, const tut_guard_rate *r)
{
    tut_json_key(j, key);
    if (r->limit == 0) {
        tut_json_null(j);
        return;
    }
    tut_json_object(j);
    tut_json_put_u64(j, "limit", r->limit);
    tut_json_put_u64(j, "window_ms", r->window_ms);
    tut_json_end_object(j);
}

static void put_quota(tut_json *j, const tut_guard_quota *q)
{
    tut_json_key(j, "quota");
    tut_json_object(j);
    put_rate(j, "requests", &q->requests);
    put_rate(j, "tokens", &q->tokens);
    put_rate(j, "cost", &q->cost);
    tut_json_put_u64(j, "concurrent", q->concurrent);
    tut_json_put_z(j, "per", q->is_per_subject ? "subject" : "client");
    tut_json_end_object(j);
}

static void put_abuse(tut_json *j, const tut_abuse_setting *settings)
{
    tut_json_key(j, "abuse");
    tut_json_object(j);
    for (unsigned i = 0; i < TUT_ABUSE_COUNT; i++) {
        tut_json_key(j, tut_abuse_kind_name((tut_abuse_kind)i));
        tut_json_object(j);
        tut_json_put_z(j, "action", tut_abuse_action_name(settings[i].action));
        tut_json_key(j, "threshold");
        tut_json_real(j, settings[i].threshold);
        tut_json_end_object(j);
    }
    tut_json_end_object(j);
}

static void put_jwt(tut_json *j, const tut_guard_jwt *jwt)
{
    static const char *const names[] = {"RS256", "PS256", "ES256", "EdDSA"};
    tut_json_key(j, "jwt");
    if (!jwt->jwks.len) {
        tut_json_null(j);
        return;
    }
    tut_json_object(j);
    tut_json_put_str(j, "jwks", jwt->jwks);
    tut_json_put_or_null(j, "jwks_url", jwt->jwks_url);
    tut_json_put_u64(j, "refresh", jwt->refresh);
    tut_json_put_str(j, "issuer", jwt->issuer);
    tut_guard_put_list(j, "audience", &jwt->audiences);
    tut_json_put_u64(j, "leeway", jwt->leeway);
    tut_json_key(j, "algorithms");
    tut_json_array(j);
    for (size_t i = 0; i < TUT_COUNT(names); i++)
        if (jwt->algorithms & 1u << i)
            tut_json_str(j, tut_str_of(names[i]));
    tut_json_end_array(j);
    tut_json_end_object(j);
}

void tut_guard_access_json(const tut_guard_access *a, tut_json *j)
{
    put_jwt(j, &a->jwt);
    put_quota(j, &a->quota);
    tut_json_key(j, "prices");
    tut_json_array(j);
    for (size_t i = 0; i < a->price_count; i++) {
        tut_json_object(j);
        tut_json_put_str(j, "model", a->prices[i].model);
        tut_json_put_u64(j, "in", a->prices[i].in);
        tut_json_put_u64(j, "out", a->prices[i].out);
        tut_json_end_object(j);
    }
    tut_json_end_array(j);
    tut_json_key(j, "load");
    tut_json_object(j);
    tut_json_put_u64(j, "in_flight", a->load.in_flight);
    tut_json_put_u64(j, "body_bytes", a->load.body_bytes);
    tut_json_end_object(j);
    put_abuse(j, a->abuse);
}

static void put_time(tut_json *j, const char *key, bool has, tut_time t)
{
    char text[TUT_TIME_TEXT] = "";
    if (has)
        tut_time_rfc3339(t, text);
    tut_json_put_z(j, key, has ? text : NULL);
}

void tut_guard_client_access_json(const tut_guard_client *c, tut_json *j)
{
    const tut_guard_client_access *a = &c->access;
    tut_json_put_or_null(j, "person", a->person);
    tut_json_put_bool(j, "open", a->is_open);
    tut_guard_put_list(j, "certificate", &a->certificates);
    tut_guard_put_list(j, "subject", &a->subjects);
    tut_json_key(j, "claims");
    tut_json_array(j);
    for (size_t i = 0; i < a->claim_count; i++) {
        tut_json_object(j);
        tut_json_put_str(j, "name", a->claims[i].name);
        tut_json_put_str(j, "value", a->claims[i].value);
        tut_json_end_object(j);
    }
    tut_json_end_array(j);
    tut_json_key(j, "keys");
    tut_json_array(j);
    for (size_t i = 0; i < a->key_count; i++) {
        tut_json_object(j);
        tut_json_key(j, "sha256");
        tut_json_sha256(j, a->keys[i].sha256.bytes);
        put_time(j, "not_before", a->keys[i].has_not_before, a->keys[i].not_before);
        put_time(j, "expires", a->keys[i].has_expires, a->keys[i].expires);
        tut_guard_put_list(j, "scopes", &a->keys[i].scopes);
        tut_json_end_object(j);
    }
    tut_json_end_array(j);
    put_quota(j, &c->quota);
    put_abuse(j, c->abuse);
}
