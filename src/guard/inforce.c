#include "guard/inforce.h"

#include "base/fs.h"
#include "base/limits.h"
#include "guard/answer.h"
#include "guard/protocol.h"
#include "guard/trial.h"

static tut_status path_of(const char *dir, const tut_sha256 *version, const char *kind,
                          char **ret_path, tut_error *err)
{
    char hex[TUT_SHA256_HEX];
    tut_sha256_hex(version, hex);
    *ret_path = tut_asprintf("%s/policies/%s.%s", dir, hex, kind);
    return *ret_path ? TUT_SUCCESS : tut_fail(err, TUT_NOMEM, "memory ran out");
}

tut_status tut_inforce_keep(const char *dir, const tut_guard_policy *policy, tut_span yaml,
                            tut_error *err)
{
    TUT_AUTO_FREE char *path = NULL;
    TUT_AUTO_FREE char *form_path = NULL;
    TUT_CLEAN(tut_buf) form = TUT_BUF_INIT;
    TUT_AUTO(tut_json) j = NULL;
    TUT_TRY(path_of(dir, &policy->version, "yaml", &path, err));
    TUT_TRY(path_of(dir, &policy->version, "json", &form_path, err));
    TUT_TRY(tut_json_new(&form, &j));
    tut_guard_policy_json(policy, j);
    TUT_TRY(tut_json_finish(j, err));
    TUT_TRY(tut_fs_write(form_path, tut_buf_span(&form), 0600, err));
    return tut_fs_write(path, yaml, 0600, err);
}

tut_status tut_inforce_read(const char *dir, const char *system_dir, const tut_sha256 *version,
                            tut_system **ret_system, tut_guard_policy *ret_policy, tut_error *err)
{
    TUT_AUTO_FREE char *path = NULL;
    TUT_AUTO_FREE char *form_path = NULL;
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) form = TUT_BUF_INIT;
    TUT_AUTO(tut_system) system = NULL;
    TUT_TRY(path_of(dir, version, "yaml", &path, err));
    TUT_TRY(path_of(dir, version, "json", &form_path, err));
    TUT_TRY(tut_fs_read(path, TUT_LIMIT_YAML_BYTES, &text, err));
    TUT_TRY(tut_fs_read(form_path, TUT_LIMIT_JSON_BYTES, &form, err));
    TUT_TRY(tut_system_parse_here(system_dir, path, tut_buf_str(&text), &system, err));
    TUT_TRY(tut_guard_policy_read_kept(system, tut_buf_span(&form), ret_policy, err));
    if (!tut_sha256_eq(&ret_policy->version, version))
        return tut_fail(err, TUT_STORE, "%s holds a policy of another version", path);
    *ret_system = tut_move(&system);
    return TUT_SUCCESS;
}

void tut_inforce_free(tut_inforce *p)
{
    if (!p || --p->users > 0)
        return;
    tut_access_free(p->access);
    tut_approvers_free(p->approvers);
    tut_guard_done_with(&p->slow);
    tut_guard_done_with(&p->guard);
    tut_system_free(p->system);
    tut_free(p);
}

/* Each route once, so that the first client does not wait until tables and pools are in memory.
 * What fails here fails with a request too, and there it is told. */
static tut_status warm_up(const tut_inforce *p, const tut_trial_place *at)
{
    tut_str text = TUT_LIT("Where is the parcel that I ordered on Monday, please?");
    TUT_AUTO(tut_guard_request) r = NULL;
    TUT_AUTO(tut_guard_answer) a = NULL;
    TUT_CLEAN(tut_trial_request) made = {0};
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    const tut_guard_head head = {.content_type = TUT_LIT("text/plain"), .status = 200};
    tut_str none = {"", 0};
    TUT_TRY(tut_trial_request_make(&p->policy, at, text, text, none, &made, NULL));
    TUT_TRY(tut_guard_request_read(&p->guard, &made.head, tut_buf_span(&made.body), &r, NULL));
    if (!at->route->protocol->can_stream)
        return TUT_SUCCESS;
    TUT_TRY(tut_guard_answer_new(r, &head, &a, NULL));
    TUT_TRY(tut_guard_answer_feed(a, tut_span_of(text.data, text.len), &out, NULL));
    return tut_guard_answer_end(a, &out, NULL);
}

tut_status tut_inforce_load(const char *dir, const tut_sha256 *version, uint64_t generation,
                            const tut_inforce *before, tut_inforce **ret, tut_error *err)
{
    TUT_AUTO(tut_inforce) p = tut_alloc_array(1, sizeof(*p));
    TUT_AUTO_FREE char *system_dir = tut_asprintf("%s/../..", dir);
    if (!p || !system_dir)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    p->users = 1;
    p->generation = generation;
    TUT_TRY(tut_inforce_read(dir, system_dir, version, &p->system, &p->policy, err));
    TUT_TRY(tut_guard_open_beside(&p->policy, before ? &before->guard : NULL, &p->guard, err));
    TUT_TRY(tut_guard_open_beside(&p->policy, &p->guard, &p->slow, err));
    TUT_TRY(tut_access_new(&p->policy, system_dir, &p->access, err));
    TUT_TRY(tut_approvers_read(dir, &p->approvers, err));
    for (size_t i = 0; i < p->policy.route_count; i++) {
        const tut_trial_place at = tut_trial_place_of(&p->policy, &p->policy.routes[i]);
        TUT_IGNORE(warm_up(p, &at));
    }
    *ret = tut_move(&p);
    return TUT_SUCCESS;
}

tut_status tut_inforce_approvers(tut_inforce *p, const char *dir, tut_error *err)
{
    tut_approvers *fresh = NULL;
    TUT_TRY(tut_approvers_read(dir, &fresh, err));
    tut_approvers_free(p->approvers);
    p->approvers = fresh;
    return TUT_SUCCESS;
}

const tut_sha256 *tut_inforce_model(const tut_inforce *p, tut_str model)
{
    static const char kind[] = "model/";
    char id[256];
    size_t before = sizeof(kind) - 1;
    if (model.len == 0 || model.len > sizeof(id) - before)
        return NULL;
    memcpy(id, kind, before);
    memcpy(id + before, model.data, model.len);
    const tut_asset *asset = tut_system_asset(p->system, (tut_str){id, before + model.len});
    return asset && asset->has_digest ? &asset->digest : NULL;
}
