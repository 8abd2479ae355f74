/* That an asset was signed, or verified by the policy, is an event of its life. */
#include "assess/assessment.h"
#include "assess/evaluate_internal.h"
#include "assess/tool.h"
#include "assets/match.h"
#include "assets/signed.h"
#include "base/fs.h"
#include "base/json_write.h"
#include "state/records.h"

/* The asset that the path belongs to; else the path below the system's directory. */
static tut_status name_subject(const tut_system *system, const char *path, char **ret_name,
                               tut_error *err)
{
    TUT_AUTO_FREE char *rel = tut_name_below(system->dir, path);
    if (!rel) {
        *ret_name = NULL;
        return TUT_SUCCESS;
    }
    const tut_asset *asset = tut_match_declared(system, rel);
    char *name = tut_strdup(asset ? asset->id : rel);
    if (!name)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    *ret_name = name;
    return TUT_SUCCESS;
}

static tut_status write_data(const char *path, const tut_sign_result *r, tut_buf *out,
                             tut_error *err)
{
    TUT_AUTO(tut_json) j = NULL;
    TUT_TRY(tut_json_new(out, &j));
    tut_json_object(j);
    tut_json_put_z(j, "path", path);
    tut_json_put_z(j, "mode", r->mode);
    tut_json_put_z(j, "key", r->key_id);
    tut_json_put_z(j, "subject", r->subject);
    tut_json_key(j, "bundle");
    tut_json_sha256(j, r->bundle.bytes);
    tut_json_put_u64(j, "files", r->files);
    tut_json_put_bool(j, "published", r->published != NULL);
    tut_json_end_object(j);
    return tut_json_finish(j, err);
}

/* Events put together first and appended at once: one wait for the disk, however many assets. */
typedef struct events {
    tut_record *records;
    tut_subject *subjects; /* one a record */
    size_t count;
    tut_arena arena; /* data */
    tut_tool_digests tool;
    tut_error *err;
} events;

static void events_done(events *e)
{
    tut_free(e->records);
    tut_free(e->subjects);
    tut_arena_done(&e->arena);
}

static tut_status events_init(events *e, size_t most, tut_error *err)
{
    *e = (events){.err = err};
    tut_arena_init(&e->arena, 0);
    e->records = tut_alloc_array(most + 1, sizeof(*e->records));
    e->subjects = tut_alloc_array(most + 1, sizeof(*e->subjects));
    if (!e->records || !e->subjects)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    return tut_tool_get_digests(&e->tool, err);
}

/* name and actor are borrowed; statement and key are literals. */
static tut_status add_event(events *e, const char *event, const char *name,
                            const tut_sha256 *digest, const char *actor, const char *statement,
                            const char *key, const tut_buf *data)
{
    char *copy = tut_arena_copy(&e->arena, tut_buf_str(data));
    if (!copy)
        return tut_fail(e->err, TUT_NOMEM, "memory ran out");
    tut_subject *subject = &e->subjects[e->count];
    *subject = (tut_subject){.name = name, .digest = *digest};
    e->records[e->count++] = (tut_record){.type = TUT_RECORD_EVENT,
                                          .at = tut_time_now(),
                                          .check = event,
                                          .subjects = subject,
                                          .subject_count = 1,
                                          .actor = actor,
                                          .statement = statement,
                                          .data_key = key,
                                          .data = {copy, data->len},
                                          .tool_binary = e->tool.binary,
                                          .tool_catalogue = e->tool.catalogue,
                                          .tool_rules = e->tool.rules};
    return TUT_SUCCESS;
}

/* --- signing --- */

static tut_status add_signed(events *e, const tut_system *system, const tut_people *people,
                             const char *path, const tut_sign_result *r, bool *ret_is_recorded)
{
    TUT_AUTO_FREE char *name = NULL;
    TUT_CLEAN(tut_buf) data = TUT_BUF_INIT;
    TUT_TRY(name_subject(system, path, &name, e->err));
    *ret_is_recorded = name != NULL;
    if (!name)
        return TUT_SUCCESS;
    const char *kept = tut_arena_copy(&e->arena, tut_str_of(name));
    if (!kept)
        return tut_fail(e->err, TUT_NOMEM, "memory ran out");
    const tut_person *person = tut_people_by_key(people, r->key_id, NULL);
    TUT_TRY(write_data(path, r, &data, e->err));
    return add_event(e, TUT_EVENT_ASSET_SIGNED, kept, &r->root, person ? person->name : "tool",
                     person ? "Signed with the key of a registered person."
                            : "Signed with a key that nobody registered has.",
                     "signature", &data);
}

static tut_status append_signed(const tut_system *system, tut_ledger *ledger,
                                const char *const *paths, const tut_sign_result *results,
                                size_t count, size_t *ret_recorded, tut_error *err)
{
    TUT_AUTO(tut_records) records = NULL;
    TUT_CLEAN(events) e = {0};
    size_t recorded = 0;
    TUT_TRY(events_init(&e, count, err));
    TUT_TRY(tut_state_people(ledger, &records, err));
    for (size_t i = 0; i < count; i++) {
        bool is_recorded;
        TUT_TRY(add_signed(&e, system, records->people, paths[i], &results[i], &is_recorded));
        recorded += is_recorded;
    }
    TUT_TRY(tut_ledger_append(ledger, e.records, e.count, err));
    *ret_recorded = recorded;
    return TUT_SUCCESS;
}

tut_status tut_assess_signed(const char *dir_or_file, const char *state_dir,
                             const char *const *paths, const tut_sign_result *results, size_t count,
                             size_t *ret_recorded, tut_error *err)
{
    TUT_AUTO(tut_system) system = NULL;
    __attribute__((cleanup(tut_ledger_close_auto))) tut_ledger *ledger = NULL;
    TUT_TRY(tut_system_load(dir_or_file, &system, NULL, err));
    TUT_TRY(tut_ledger_open(state_dir, true, &ledger, err));
    return append_signed(system, ledger, paths, results, count, ret_recorded, err);
}

/* --- verifying by policy --- */

static tut_status write_verified(const tut_asset_check *c, tut_buf *out, tut_error *err)
{
    TUT_AUTO(tut_json) j = NULL;
    TUT_TRY(tut_json_new(out, &j));
    tut_json_object(j);
    tut_json_put_z(j, "path", c->path);
    tut_json_put_z(j, "verdict", tut_verify_word(c->result.verdict));
    tut_json_put_z(j, "key", c->result.signer);
    tut_json_put_z(j, "reason", c->result.reason_count ? c->result.reasons[0] : NULL);
    tut_json_end_object(j);
    return tut_json_finish(j, err);
}

static tut_status add_verified(events *e, const tut_asset_check *c)
{
    TUT_CLEAN(tut_buf) data = TUT_BUF_INIT;
    TUT_TRY(write_verified(c, &data, e->err));
    return add_event(e, TUT_EVENT_ASSET_VERIFIED, c->name, &c->result.root, "tool",
                     c->result.verdict == TUT_VERIFY_VALID
                         ? "Verified: signed by whom the policy wants."
                         : "Verified, and not signed by whom the policy wants.",
                     "verification", &data);
}

static tut_status check_asset(const tut_system *system, const tut_records *records,
                              const tut_verify_options *options, tut_asset_check *c, tut_error *err)
{
    TUT_AUTO_FREE char *name = NULL;
    TUT_TRY(name_subject(system, c->path, &name, err));
    TUT_AUTO_FREE char *rel = tut_name_below(system->dir, c->path);
    const tut_asset *asset = rel ? tut_match_declared(system, rel) : NULL;
    uint32_t roles = tut_signer_roles(system, asset ? asset->kind : TUT_KIND_NONE);
    c->name = tut_strdup(name ? name : c->path);
    if (!c->name)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    const tut_person *person = NULL;
    TUT_TRY(tut_verify_by_people(c->path, records->people, records->log_size, roles, options,
                                 &c->result, &person, err));
    c->person = person ? tut_strdup(person->name) : NULL;
    return person && !c->person ? tut_fail(err, TUT_NOMEM, "memory ran out") : TUT_SUCCESS;
}

/* The assets with files that have to be signed. */
static tut_status list_assets(const tut_system *system, tut_asset_check **ret_checks,
                              size_t *ret_count, tut_error *err)
{
    tut_asset_check *checks = tut_alloc_array(system->asset_count + 1, sizeof(*checks));
    size_t count = 0;
    if (!checks)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    *ret_checks = checks;
    for (size_t i = 0; i < system->asset_count; i++) {
        const tut_asset *a = &system->assets[i];
        TUT_AUTO_FREE char *rel = tut_strndup(a->path.data ? a->path.data : "", a->path.len);
        if (!rel)
            return tut_fail(err, TUT_NOMEM, "memory ran out");
        if (!rel[0] || !tut_must_be_signed(system, a->kind))
            continue;
        checks[count].path = tut_fs_join(system->dir, rel);
        *ret_count = ++count;
        if (!checks[count - 1].path)
            return tut_fail(err, TUT_NOMEM, "memory ran out");
    }
    return TUT_SUCCESS;
}

static tut_status list_paths(const char *const *paths, size_t path_count,
                             tut_asset_check **ret_checks, size_t *ret_count, tut_error *err)
{
    tut_asset_check *checks = tut_alloc_array(path_count, sizeof(*checks));
    if (!checks)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    *ret_checks = checks;
    for (size_t i = 0; i < path_count; i++) {
        checks[i].path = tut_strdup(paths[i]);
        *ret_count = i + 1;
        if (!checks[i].path)
            return tut_fail(err, TUT_NOMEM, "memory ran out");
    }
    return TUT_SUCCESS;
}

static tut_status check_all(const char *dir_or_file, const char *state_dir,
                            const char *const *paths, size_t path_count,
                            const tut_verify_options *options, tut_asset_check **checks,
                            size_t *count, tut_error *err)
{
    TUT_AUTO(tut_system) system = NULL;
    TUT_AUTO(tut_records) records = NULL;
    __attribute__((cleanup(tut_ledger_close_auto))) tut_ledger *ledger = NULL;
    TUT_TRY(tut_system_load(dir_or_file, &system, NULL, err));
    TUT_TRY(tut_ledger_open(state_dir, true, &ledger, err));
    TUT_TRY(tut_state_people(ledger, &records, err));
    TUT_TRY(path_count ? list_paths(paths, path_count, checks, count, err)
                       : list_assets(system, checks, count, err));
    TUT_CLEAN(events) e = {0};
    TUT_TRY(events_init(&e, *count, err));
    for (size_t i = 0; i < *count; i++) {
        TUT_TRY(check_asset(system, records, options, &(*checks)[i], err));
        TUT_TRY(add_verified(&e, &(*checks)[i]));
    }
    return tut_ledger_append(ledger, e.records, e.count, err);
}

tut_status tut_assess_verify(const char *dir_or_file, const char *state_dir,
                             const char *const *paths, size_t path_count,
                             const tut_verify_options *options, tut_asset_check **ret_checks,
                             size_t *ret_count, tut_error *err)
{
    tut_asset_check *checks = NULL;
    size_t count = 0;
    tut_status status = check_all(dir_or_file, state_dir, paths, path_count, options, &checks,
                                  &count, err);
    if (!tut_is_ok(status)) {
        tut_asset_checks_free(checks, count);
        return status;
    }
    *ret_checks = checks;
    *ret_count = count;
    return TUT_SUCCESS;
}

void tut_asset_checks_free(tut_asset_check *checks, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        tut_free(checks[i].path);
        tut_free(checks[i].name);
        tut_free(checks[i].person);
        tut_verify_result_done(&checks[i].result);
    }
    tut_free(checks);
}
