/* The public interface: tut_status becomes int, documents become text that the caller owns. */
#include <string.h>

#include "assess/assessment.h"
#include "base/alloc.h"
#include "base/fs.h"
#include "govern/govern.h"
#include "scan/scan.h"
#include "tutela/assess.h"
#include "tutela/error.h"
#include "tutela/scan.h"
#include "tutela/verify.h"
#include "tutela/version.h"

/* The public list is this one, name by name. */
#define SAME_CODE(name, text)                                                                      \
    _Static_assert((int)TUTELA_##name == (int)TUT_##name, "codes differ: " #name);
TUT_CODES(SAME_CODE)

static int finish(tut_status status, const tut_error *err, tutela_error *ret_error)
{
    if (ret_error) {
        *ret_error = (tutela_error){.code = (int)status.code};
        if (!tut_is_ok(status)) {
            tut_str_copy(ret_error->text, sizeof(ret_error->text), tut_str_of(err->text));
            tut_str_copy(ret_error->path, sizeof(ret_error->path), tut_str_of(err->path));
        }
    }
    return (int)status.code;
}

static tut_status hand_over(tut_buf *text, char **ret_json, tut_error *err)
{
    TUT_TRY(tut_buf_check(text, err));
    char *json = tut_buf_steal(text);
    if (!json)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    *ret_json = json;
    return TUT_SUCCESS;
}

const char *tutela_version(void)
{
    return TUTELA_VERSION;
}

const char *tutela_code_name(int code)
{
    return tut_code_name(code >= 0 && code < (int)TUT_CODE_COUNT ? (tut_code)code : TUT_BUG);
}

void tutela_free(void *p)
{
    tut_free(p);
}

static tut_scan_options scan_options(const tutela_scan_options *options)
{
    static const tutela_scan_options defaults;
    const tutela_scan_options *o = options ? options : &defaults;
    return (tut_scan_options){
        .content = !o->structure_only,
        .all_kinds = o->all_kinds != 0,
        .sandbox = o->require_sandbox ? TUT_CAGE_REQUIRE : TUT_CAGE_AUTO,
    };
}

static tut_status tell_scan(const tut_scan *scan, char **ret_json, tut_error *err)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    TUT_TRY(tut_scan_json(scan, &text, err));
    return hand_over(&text, ret_json, err);
}

static tut_status scan_paths(const char *const *paths, size_t count,
                             const tutela_scan_options *options, char **ret_json, tut_error *err)
{
    const tut_scan_options how = scan_options(options);
    TUT_AUTO(tut_scan) scan = NULL;
    TUT_TRY(tut_scan_run(paths, count, &how, &scan, err));
    return tell_scan(scan, ret_json, err);
}

int tutela_scan_paths(const char *const *paths, size_t count, const tutela_scan_options *options,
                      char **ret_json, tutela_error *error)
{
    tut_error err = {0};
    return finish(scan_paths(paths, count, options, ret_json, &err), &err, error);
}

static tut_status scan_descriptor(int descriptor, const char *name,
                                  const tutela_scan_options *options, char **ret_json,
                                  tut_error *err)
{
    const tut_scan_options how = scan_options(options);
    TUT_AUTO(tut_scan) scan = NULL;
    TUT_TRY(tut_scan_descriptor(descriptor, name ? name : "descriptor", &how, &scan, err));
    return tell_scan(scan, ret_json, err);
}

int tutela_scan_descriptor(int descriptor, const char *name, const tutela_scan_options *options,
                           char **ret_json, tutela_error *error)
{
    tut_error err = {0};
    return finish(scan_descriptor(descriptor, name, options, ret_json, &err), &err, error);
}

static tut_status judge(const char *directory, const char *state, tut_time at, char **ret_json,
                        tut_error *err)
{
    TUT_AUTO(tut_assessment) a = NULL;
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    TUT_TRY(tut_assess_evaluate(directory, state, at, &a, err));
    TUT_TRY(tut_report_json(a, &text, err));
    return hand_over(&text, ret_json, err);
}

static tut_status assess(const char *directory, char **ret_json, tut_error *err)
{
    TUT_AUTO_FREE char *state = tut_fs_join(directory, ".tutela");
    if (!state)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    const tut_collect_options how = {.sandbox = TUT_CAGE_AUTO};
    TUT_TRY(tut_assess_collect(directory, state, &how, err));
    TUT_TRY(tut_govern_collect(directory, state, err));
    return judge(directory, state, tut_time_now(), ret_json, err);
}

int tutela_assess(const char *directory, char **ret_json, tutela_error *error)
{
    tut_error err = {0};
    return finish(assess(directory, ret_json, &err), &err, error);
}

static tut_status evaluate(const char *directory, const char *at, char **ret_json, tut_error *err)
{
    tut_time when = 0;
    if (!tut_is_ok(tut_time_parse(tut_str_of(at), &when)))
        return tut_fail(err, TUT_USAGE, "the time must be RFC 3339, such as 2026-11-23T09:41:07Z");
    if (when > tut_time_now())
        return tut_fail(err, TUT_USAGE, "the time lies in the future");
    TUT_AUTO_FREE char *state = tut_fs_join(directory, ".tutela");
    if (!state)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    return judge(directory, state, when, ret_json, err);
}

int tutela_evaluate(const char *directory, const char *at, char **ret_json, tutela_error *error)
{
    tut_error err = {0};
    return finish(evaluate(directory, at, ret_json, &err), &err, error);
}

static tut_status tell(const tut_verify_target *targets, size_t count, int *ret_is_valid,
                       char **ret_json, tut_error *err)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    TUT_TRY(tut_verify_json(targets, count, &text, err));
    TUT_TRY(hand_over(&text, ret_json, err));
    int is_valid = count > 0;
    for (size_t i = 0; i < count; i++)
        is_valid = is_valid && targets[i].result->verdict == TUT_VERIFY_VALID;
    *ret_is_valid = is_valid;
    return TUT_SUCCESS;
}

static tut_status verify(const char *path, const char *public_key_file,
                         const tut_verify_options *options, int *ret_is_valid, char **ret_json,
                         tut_error *err)
{
    TUT_AUTO(tut_pubkey) key = NULL;
    TUT_CLEAN(tut_verify_result) result = {0};
    TUT_TRY(tut_pubkey_from_file(public_key_file, &key, err));
    tut_verify_options how = *options;
    how.key = key;
    TUT_TRY(tut_verify_path(path, &how, &result, err));
    const tut_verify_target target = {.path = path, .result = &result};
    return tell(&target, 1, ret_is_valid, ret_json, err);
}

int tutela_verify(const char *path, const char *public_key_file, int *ret_is_valid, char **ret_json,
                  tutela_error *error)
{
    static const tut_verify_options how;
    tut_error err = {0};
    return finish(verify(path, public_key_file, &how, ret_is_valid, ret_json, &err), &err, error);
}

static tut_status tell_checks(const tut_asset_check *checks, size_t count, int *ret_is_valid,
                              char **ret_json, tut_error *err)
{
    TUT_AUTO_FREE tut_verify_target *targets = tut_alloc_array(count + 1, sizeof(*targets));
    if (!targets)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (size_t i = 0; i < count; i++)
        targets[i] = (tut_verify_target){
            .path = checks[i].path, .person = checks[i].person, .result = &checks[i].result};
    return tell(targets, count, ret_is_valid, ret_json, err);
}

static tut_status verify_policy(const char *directory, const char *const *paths, size_t count,
                                const tut_verify_options *how, int *ret_is_valid, char **ret_json,
                                tut_error *err)
{
    TUT_AUTO_FREE char *state = tut_fs_join(directory, ".tutela");
    tut_asset_check *checks = NULL;
    size_t check_count = 0;
    if (!state)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    TUT_TRY(tut_assess_verify(directory, state, paths, count, how, &checks, &check_count, err));
    tut_status status = tell_checks(checks, check_count, ret_is_valid, ret_json, err);
    tut_asset_checks_free(checks, check_count);
    return status;
}

int tutela_verify_policy(const char *directory, const char *const *paths, size_t count,
                         int *ret_is_valid, char **ret_json, tutela_error *error)
{
    static const tut_verify_options how;
    tut_error err = {0};
    return finish(verify_policy(directory, paths, count, &how, ret_is_valid, ret_json, &err), &err,
                  error);
}

static tut_status verify_loaded(const tutela_loaded *what, int *ret_is_valid, char **ret_json,
                                tut_error *err)
{
    tut_expected_file read = {.name = tut_str_of(what->file ? what->file : "")};
    if (!what->path || !what->sha256 || !what->public_key_file == !what->system)
        return tut_fail(err, TUT_USAGE,
                        "wanted: path, sha256, and either public_key_file or system");
    if (!tut_is_ok(tut_sha256_parse(tut_str_of(what->sha256), &read.digest)))
        return tut_fail(err, TUT_USAGE, "sha256 is 64 hexadecimal digits");
    const tut_verify_options how = {.signature = what->signature,
                                    .only = what->file ? &what->file : NULL,
                                    .only_count = what->file ? 1 : 0,
                                    .expected = &read,
                                    .expected_count = 1};
    return what->system
               ? verify_policy(what->system, &what->path, 1, &how, ret_is_valid, ret_json, err)
               : verify(what->path, what->public_key_file, &how, ret_is_valid, ret_json, err);
}

int tutela_verify_loaded(const tutela_loaded *what, int *ret_is_valid, char **ret_json,
                         tutela_error *error)
{
    tut_error err = {0};
    return finish(verify_loaded(what, ret_is_valid, ret_json, &err), &err, error);
}
