/* That somebody signed an asset is an event of its life. */
#include "assess/assessment.h"
#include "assess/evaluate_internal.h"
#include "assess/tool.h"
#include "assets/match.h"
#include "assets/signed.h"
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

static tut_status append(tut_ledger *ledger, const char *name, const char *path,
                         const tut_sign_result *r, uint64_t *ret_index, tut_error *err)
{
    TUT_AUTO(tut_records) records = NULL;
    TUT_CLEAN(tut_buf) data = TUT_BUF_INIT;
    tut_tool_digests tool;
    TUT_TRY(tut_state_read(ledger, INT64_MAX, &records, err));
    TUT_TRY(tut_tool_get_digests(&tool, err));
    TUT_TRY(write_data(path, r, &data, err));
    const tut_person *person = tut_people_by_key(records->people, r->key_id, NULL);
    tut_subject subject = {.name = name, .digest = r->root};
    tut_record record = {.type = TUT_RECORD_EVENT,
                         .at = tut_time_now(),
                         .check = TUT_EVENT_ASSET_SIGNED,
                         .subjects = &subject,
                         .subject_count = 1,
                         .actor = person ? person->name : "tool",
                         .statement = person ? "Signed with the key of a registered person."
                                             : "Signed with a key that nobody registered has.",
                         .data_key = "signature",
                         .data = tut_buf_str(&data),
                         .tool_binary = tool.binary,
                         .tool_catalogue = tool.catalogue,
                         .tool_rules = tool.rules};
    TUT_TRY(tut_ledger_append(ledger, &record, 1, err));
    *ret_index = record.index;
    return TUT_SUCCESS;
}

tut_status tut_assess_signed(const char *dir_or_file, const char *state_dir, const char *path,
                             const tut_sign_result *result, bool *ret_is_recorded,
                             uint64_t *ret_index, tut_error *err)
{
    TUT_AUTO(tut_system) system = NULL;
    TUT_AUTO_FREE char *name = NULL;
    TUT_TRY(tut_system_load(dir_or_file, &system, NULL, err));
    TUT_TRY(name_subject(system, path, &name, err));
    *ret_is_recorded = name != NULL;
    if (!name)
        return TUT_SUCCESS;
    __attribute__((cleanup(tut_ledger_close_auto))) tut_ledger *ledger = NULL;
    TUT_TRY(tut_ledger_open(state_dir, true, &ledger, err));
    return append(ledger, name, path, result, ret_index, err);
}
