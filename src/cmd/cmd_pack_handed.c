/* tutela pack handed: the developer takes the operator's receipt as evidence. */
#include <string.h>

#include "assess/covered.h"
#include "base/fs.h"
#include "base/limits.h"
#include "cmd/pack_view.h"
#include "pack/receipt_take.h"

static tut_status print_json(const char *path, const tut_receipt_taken *t, tut_buf *out,
                             tut_error *err)
{
    const tut_receipt *r = &t->receipt.says;
    bool has_entry = t->state == TUT_TAKEN_RECORDED || t->state == TUT_TAKEN_BEFORE;
    TUT_AUTO_FREE char *key_id = tut_strndup(t->receipt.key_id.data, t->receipt.key_id.len);
    TUT_AUTO(tut_json) j = NULL;
    if (!key_id)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    TUT_TRY(tut_json_new(out, &j));
    tut_json_head(j, TUT_RECEIPT_SCHEMA, tut_time_generated());
    tut_json_key(j, "summary");
    tut_json_object(j);
    tut_json_put_z(j, "receipt", path);
    tut_pack_view_receipt(r, key_id, j);
    tut_json_put_z(j, "state", tut_taken_state_name(t->state));
    tut_json_put_bool(j, "recorded", t->state == TUT_TAKEN_RECORDED);
    tut_json_key(j, "index");
    if (has_entry)
        tut_json_u64(j, t->entry);
    else
        tut_json_null(j);
    tut_json_put_u64(j, "built", t->built);
    tut_json_put_z(j, "statement", t->words);
    tut_json_end_object(j);
    tut_pack_findings_json(r->findings, r->finding_count, j);
    tut_json_end_object(j);
    TUT_TRY(tut_json_finish(j, err));
    tut_buf_add_z(out, "\n");
    return tut_buf_check(out, err);
}

static tut_status print_text(const tut_receipt_taken *t, tut_buf *out, tut_error *err)
{
    const char *before = t->state == TUT_TAKEN_RECORDED ? "" : "Nothing was recorded: ";
    tut_buf_add_z(out, before);
    tut_buf_add_escaped(out, tut_str_of(t->words), 1000);
    tut_buf_add_z(out, ".\n");
    if (t->state == TUT_TAKEN_RECORDED)
        tut_buf_printf(out,
                       "Recorded as entry %llu: " TUT_CHECK_SHARED
                       ", pass. It holds until a test comes to a newer finding, tutela.yaml "
                       "changes, or the key no longer counts.\n",
                       (unsigned long long)t->entry);
    return tut_buf_check(out, err);
}

static tut_status take(const tut_args *args, tut_receipt_taken *taken, tut_buf *out, tut_error *err)
{
    TUT_AUTO_FREE char *dir = NULL;
    TUT_AUTO_FREE char *state = NULL;
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    const char *path = args->positional[0];
    TUT_TRY(tut_cmd_locate(args, NULL, &dir, &state, err));
    if (!state) {
        tut_error_set_path(err, dir);
        return tut_fail(err, TUT_USAGE, "no tutela.yaml is here; tutela init writes one");
    }
    TUT_TRY(tut_fs_read(path, TUT_LIMIT_RECEIPT_BYTES, &text, err));
    const tut_receipt_taking taking = {.dir_or_file = args->system ? args->system : dir,
                                       .state_dir = state,
                                       .text = tut_buf_span(&text),
                                       .at = tut_time_now()};
    tut_status status = tut_receipt_take(&taking, taken, err);
    if (!tut_is_ok(status) && !tut_error_where(err)[0])
        tut_error_set_path(err, path);
    TUT_TRY(status);
    return strcmp(args->format, "json") == 0 ? print_json(path, taken, out, err)
                                             : print_text(taken, out, err);
}

static int run(const tut_args *args)
{
    TUT_CLEAN(tut_receipt_taken) taken = {.words = NULL};
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    tut_error err = {0};
    tut_status status = take(args, &taken, &out, &err);
    if (!tut_is_ok(status)) {
        (void)tut_cmd_fail(&err);
        return status.code == TUT_DENIED ? TUT_EXIT_FOUND : TUT_EXIT_FAILED;
    }
    bool holds = taken.state == TUT_TAKEN_RECORDED || taken.state == TUT_TAKEN_BEFORE;
    return tut_cmd_output(&out, holds ? TUT_EXIT_OK : TUT_EXIT_DOUBT);
}

const tut_command tut_cmd_pack_handed = {
    .name = "pack handed",
    .arguments = "RECEIPT.json",
    .summary = "Take an operator's receipt: evidence that the findings of tests were handed over",
    .help =
        "The receipt is what tutela pack receipt wrote. Its signer has to be enrolled here with "
        "the role operator, and not have built the pack; the pack has to be one that this log "
        "built; every finding has to stand in this log just so, and the newest about each subject, "
        "as tutela.yaml describes it now, among them. Then probe.shared is recorded for 5.2.5-3. "
        "It rests on the operator's key, and counts no more once tests come to newer findings.\n\n"
        "Exit status: 0 recorded, now or before; 1 the receipt is refused; 2 could not answer; 3 "
        "nothing was recorded: no findings were handed over, or newer ones came since.",
    .formats = "table json",
    .least = 1,
    .most = 1,
    .run = run,
};
