#include "pack/given.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "pack/apart.h"

enum { DETAIL_SHOWN = 300 };

void tut_pack_given_done(tut_pack_given *g)
{
    tut_buf_done(&g->text);
    tut_json_doc_free(g->doc);
    *g = (tut_pack_given){.doc = NULL};
}

static tut_status verify(tut_pack_given *g, const char *path, const tut_pack_trust *trust,
                         tut_time at, tut_error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    tut_source source;
    if (fd < 0)
        return tut_fail_errno(err, errno, "%s cannot be opened", path);
    tut_status status = tut_source_file(fd, &source, err);
    if (tut_is_ok(status))
        status = tut_sha256_source(&source, &g->digest, err);
    if (tut_is_ok(status))
        status = tut_pack_verify_apart(fd, trust, at, &g->text, err);
    (void)close(fd);
    if (!tut_is_ok(status))
        tut_error_set_path(err, path);
    return status;
}

/* Which of its checks failed first. */
static tut_status refuse_broken(const tut_json_value *checks, tut_error *err)
{
    for (uint32_t i = 0; i < tut_json_count(checks); i++) {
        const tut_json_value *c = tut_json_item(checks, i);
        tut_str name = tut_json_get_text(c, "name");
        tut_str detail = tut_json_get_text(c, "detail");
        if (!tut_json_get_bool(c, "ok", false))
            return tut_fail(err, TUT_DENIED, "does not verify (%.*s: %.*s)", (int)name.len,
                            name.data, detail.len < DETAIL_SHOWN ? (int)detail.len : DETAIL_SHOWN,
                            detail.data);
    }
    return tut_fail(err, TUT_DENIED, "does not verify");
}

static tut_status check(tut_pack_given *g, const char *owner, tut_error *err)
{
    TUT_TRY(tut_json_parse(tut_buf_span(&g->text), NULL, &g->doc, err));
    const tut_json_value *root = tut_json_root(g->doc);
    g->summary = tut_json_get(root, "summary");
    tut_str trust = tut_json_get_text(g->summary, "trust");
    if (!tut_json_get_bool(g->summary, "ok", false))
        return refuse_broken(tut_json_get(root, "checks"), err);
    if (tut_str_eq_z(trust, "anchored") || tut_str_eq_z(trust, "trusted-key"))
        return TUT_SUCCESS;
    return tut_fail(err, TUT_DENIED,
                    "is vouched for by nothing but its own keys; get the %s's key from elsewhere "
                    "and give it with --trust",
                    owner);
}

/* A time-stamp says when a log was there, not whose it is: anybody's can be stamped. */
static bool names_a_log(const tut_pack_trust *t)
{
    const tut_policy_log *logs;
    return t->key_count > 0 || t->any ||
           (t->policy && tut_witness_policy_logs(t->policy, &logs) > 0);
}

tut_status tut_pack_given_open(const char *path, const tut_pack_trust *trust, const char *owner,
                               tut_time at, tut_pack_given *ret, tut_error *err)
{
    TUT_TRY(verify(ret, path, trust, at, err));
    tut_status status = check(ret, owner, err);
    if (!tut_is_ok(status))
        tut_error_set_path(err, path);
    TUT_TRY(status);
    return names_a_log(trust) ? TUT_SUCCESS
                              : tut_fail(err, TUT_DENIED,
                                         "it takes --trust: the key of the %s's log, or a policy "
                                         "of witnesses that names it",
                                         owner);
}
