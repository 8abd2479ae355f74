#include "pack/verify.h"

#include "pack/verify_internal.h"

enum { DETAIL_CHARS = 600 };

const char *tut_pack_trusted_name(tut_pack_trusted t)
{
    static const char *const names[] = {"self-consistent", "trusted-key", "anchored"};
    return names[t];
}

void tut_pack_result_free(tut_pack_result *r)
{
    if (!r)
        return;
    for (size_t i = 0; i < r->count; i++)
        tut_free(r->checks[i].detail);
    for (size_t i = 0; i < r->change_count; i++)
        tut_free(r->changes[i].evidence);
    tut_free(r->checks);
    tut_free(r->changes);
    for (size_t i = 0; i < r->asset_count; i++)
        tut_free(r->assets[i].id);
    tut_free(r->assets);
    tut_free(r->differs);
    tut_free(r->system);
    tut_free(r->version);
    tut_free(r->origin);
    tut_free(r->made_by);
    tut_free(r->rests_on);
    tut_arena_done(&r->arena);
    tut_free(r);
}

static void verifying_done(tut_verifying *v)
{
    tut_assessment_free(v->then);
    tut_records_free(v->records);
    tut_buf_done(&v->incomplete);
    tut_pack_image_done(&v->image);
    tut_archive_done(&v->archive);
    tut_arena_done(&v->arena);
    tut_pack_result_free(v->result);
}

/* --- checks --- */

tut_status tut_pack_conclude(tut_verifying *v, const char *name, const tut_buf *wrong,
                             const char *sound, ...)
{
    tut_pack_result *r = v->result;
    TUT_CLEAN(tut_buf) line = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) safe = TUT_BUF_INIT;
    bool holds = wrong->len == 0;
    TUT_TRY(tut_buf_check(wrong, v->err));
    if (holds) {
        va_list ap;
        va_start(ap, sound);
        tut_buf_vprintf(&line, sound, ap);
        va_end(ap);
    } else {
        tut_buf_add_str(&line, tut_buf_str(wrong));
    }
    tut_buf_add_escaped(&safe, tut_buf_str(&line), DETAIL_CHARS);
    TUT_TRY(tut_buf_check(&line, v->err));
    TUT_TRY(tut_buf_check(&safe, v->err));
    if (!tut_is_ok(tut_grow(&r->checks, r->count, &r->capacity, sizeof(*r->checks))))
        return tut_fail(v->err, TUT_NOMEM, "memory ran out");
    char *detail = tut_buf_steal(&safe);
    if (!detail)
        return tut_fail(v->err, TUT_NOMEM, "memory ran out");
    r->checks[r->count++] = (tut_pack_check){.name = name, .holds = holds, .detail = detail};
    r->holds = r->holds && holds;
    return TUT_SUCCESS;
}

tut_status tut_pack_differs(tut_verifying *v, const char *name)
{
    if (v->result->differs)
        return TUT_SUCCESS;
    v->result->differs = tut_strdup(name);
    return v->result->differs ? TUT_SUCCESS : tut_fail(v->err, TUT_NOMEM, "memory ran out");
}

tut_status tut_pack_take_failure(tut_verifying *v, tut_status status, const tut_error *why,
                                 tut_buf *wrong)
{
    if (tut_is_ok(status))
        return status;
    if (status.code == TUT_NOMEM || status.code == TUT_CANCELLED || status.code == TUT_BUG) {
        *v->err = *why;
        return status;
    }
    const char *where = tut_error_where(why);
    tut_buf_printf(wrong, "%s%s%s%s", wrong->len ? "; " : "", where, where[0] ? ": " : "",
                   why->text);
    if (why->path[0] && tut_archive_find(&v->archive, why->path))
        return tut_pack_differs(v, why->path);
    return tut_buf_check(wrong, v->err);
}

/* --- one after the other --- */

/* What cannot be looked at does not hold: nothing is green because it was not looked at. */
static tut_status skip_rest(tut_verifying *v, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        TUT_CLEAN(tut_buf) wrong = TUT_BUF_INIT;
        tut_buf_add_z(&wrong, "not looked at, because of what is wrong above");
        TUT_TRY(tut_pack_conclude(v, names[i], &wrong, "%s", ""));
    }
    return TUT_SUCCESS;
}

static const char *const all_checks[] = {
    "sums",     "manifest", "checkpoint", "root",       "genesis",    "form",   "heads",
    "sequence", "keys",     "witnesses",  "timestamps", "signatures", "people", "tiles",
    "built",    "complete", "bodies",     "proofs",     "verdict",    "reports"};
enum { CHECKS = sizeof(all_checks) / sizeof(all_checks[0]), AFTER_MANIFEST = 2 };

static tut_status check_archive(tut_verifying *v, const tut_source *source)
{
    TUT_CLEAN(tut_buf) wrong = TUT_BUF_INIT;
    tut_error why = {0};
    tut_status status = tut_archive_read(source, &v->archive, &why);
    if (status.code == TUT_UNSUPPORTED || status.code == TUT_IO || status.code == TUT_LIMIT) {
        *v->err = why;
        return status;
    }
    TUT_TRY(tut_pack_take_failure(v, status, &why, &wrong));
    if (!tut_is_ok(status) && why.path[0])
        TUT_TRY(tut_pack_differs(v, why.path));
    return tut_pack_conclude(v, "archive", &wrong, "%zu files, in the one form of a pack",
                             v->archive.count);
}

static tut_status fill_blanks(tut_pack_result *r, tut_error *err)
{
    char **texts[] = {&r->system, &r->version, &r->origin, &r->made_by, &r->rests_on};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (!*texts[i])
            *texts[i] = tut_strdup("");
        if (!*texts[i])
            return tut_fail(err, TUT_NOMEM, "memory ran out");
    }
    return TUT_SUCCESS;
}

static tut_status verify(tut_verifying *v, const tut_source *source)
{
    TUT_TRY(check_archive(v, source));
    if (!v->result->holds)
        return skip_rest(v, all_checks, CHECKS);
    TUT_TRY(tut_pack_check_sums(v));
    TUT_TRY(tut_pack_check_manifest(v));
    if (!v->result->holds)
        return skip_rest(v, all_checks + AFTER_MANIFEST, CHECKS - AFTER_MANIFEST);
    TUT_TRY(tut_pack_check_log(v));
    if (!v->has_log)
        return skip_rest(v, all_checks + v->result->count - 1, CHECKS + 1 - v->result->count);
    return tut_pack_check_verdict(v);
}

tut_status tut_pack_verify(const tut_source *source, const tut_pack_trust *trust, tut_time now,
                           tut_pack_result **ret, tut_error *err)
{
    tut_error unread = {0};
    __attribute__((cleanup(verifying_done)))
    tut_verifying v = {.trust = trust, .now = now, .err = err ? err : &unread};
    v.result = tut_alloc_array(1, sizeof(*v.result));
    if (!v.result)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    v.result->holds = true;
    tut_arena_init(&v.result->arena, 0);
    tut_arena_init(&v.arena, 0);
    TUT_TRY(verify(&v, source));
    TUT_TRY(fill_blanks(v.result, v.err));
    *ret = tut_move(&v.result);
    return TUT_SUCCESS;
}
