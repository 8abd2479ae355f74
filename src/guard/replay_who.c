#include "guard/replay_who.h"

static tut_str header(const tut_json_value *request, const char *name)
{
    const tut_json_value *headers = tut_json_get(request, "headers");
    for (uint32_t i = 0; i < tut_json_count(headers); i++) {
        const tut_json_value *v = tut_json_item(headers, i);
        if (tut_str_ieq(v->key, tut_str_of(name)))
            return tut_json_text(v);
    }
    return (tut_str){"", 0};
}

void tut_replay_who(const tut_guard *g, const tut_json_value *line, tut_replay_caller *ret)
{
    const tut_json_value *request = tut_json_get(line, "request");
    const tut_json_value *certificate = tut_json_get(line, "certificate");
    tut_credentials shown = {header(request, "authorization"), header(request, "x-api-key"),
                             tut_json_get_text(certificate, "sha256"),
                             tut_json_get_text(certificate, "subject")};
    *ret = (tut_replay_caller){.client = tut_json_get_text(line, "client")};
    if (!shown.api_key.len)
        shown.api_key = header(request, "api-key");
    bool is_named = tut_json_get(line, "client") != NULL;
    ret->is_shown = g->access && g->policy->client_count &&
                    (!is_named || shown.authorization.len || shown.api_key.len ||
                     shown.certificate.len);
    if (!ret->is_shown)
        return;
    ret->is_known = tut_access_who(g->access, &shown, (uint64_t)tut_time_now() * 1000u, &ret->who,
                                   ret->why);
    ret->client = ret->is_known ? ret->who.client->id : (tut_str){"", 0};
}

void tut_replay_judge(const tut_replay_caller *c, tut_guard_request *r)
{
    if (!c->is_shown)
        return;
    if (!c->is_known)
        tut_guard_refuse(&r->decision, 401, "client", TUT_LIT("authorization"), "%s", c->why);
    else if (r->route && !tut_access_may(&c->who, r->route->id))
        tut_guard_refuse(&r->decision, 403, "client", TUT_LIT("authorization"),
                         "the key's scopes do not have this route");
}
