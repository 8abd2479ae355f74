/* tutela train read: a bulletin, and the reader's signature that he read it. */
#include <string.h>

#include "cmd/bulletin_act.h"
#include "cmd/message_view.h"
#include "cmd/people_act.h"

static const tut_option options[] = {
    TUT_SIGNER_OPTIONS,
    {NULL, TUT_OPTION_FLAG, NULL, NULL},
};

typedef struct reading {
    tut_bulletin_act act;
    const tut_bulletin_standing *standing;
    const tut_person *person;
    tut_key *key;
    uint64_t index;
    bool was_read;
} reading;

static void reading_done(reading *r)
{
    tut_key_free(r->key);
    tut_bulletin_act_done(&r->act);
}

static tut_status read_it(reading *r, const tut_args *args, tut_error *err)
{
    __attribute__((cleanup(tut_ledger_close_auto))) tut_ledger *ledger = NULL;
    TUT_TRY(tut_bulletin_act_open(&r->act, args, err));
    TUT_TRY(tut_bulletin_act_find(&r->act, args->positional[0], &r->standing, err));
    if (!tut_bulletin_is_in_force(r->standing))
        return tut_fail(err, TUT_USAGE, "bulletin %s is %s, so nobody has to read it any more",
                        args->positional[0], tut_bulletin_state_name(r->standing->state));
    TUT_TRY(tut_train_signer(&r->act.train, &r->person, &r->key, err));
    const tut_record *before = tut_message_receipt(r->standing->message, r->person->name);
    r->was_read = before != NULL;
    if (before) {
        r->index = before->index;
        return TUT_SUCCESS;
    }
    TUT_TRY(tut_ledger_open(r->act.train.state, true, &ledger, err));
    return tut_message_receive(ledger, r->standing->message, r->person->name, r->key, &r->index,
                               err);
}

static tut_status write_json(const reading *r, tut_buf *out, tut_error *err)
{
    const char *name = r->standing->message->name + sizeof(TUT_BULLETIN_BEGINNING) - 1;
    TUT_AUTO(tut_json) j = NULL;
    TUT_TRY(tut_json_new(out, &j));
    tut_json_head(j, "tutela.train/1", tut_time_generated());
    tut_json_key(j, "summary");
    tut_json_object(j);
    tut_json_put_u64(j, "index", r->index);
    tut_json_put_z(j, "event", TUT_MESSAGE_RECEIVED);
    tut_json_put_bool(j, "new", !r->was_read);
    tut_json_end_object(j);
    tut_json_key(j, "items");
    tut_json_array(j);
    tut_item_put_head(j, name, "read", r->act.train.at, 0, r->person->name, r->index);
    tut_json_put_str(j, "text", r->standing->bulletin.text);
    tut_json_end_object(j);
    tut_json_end_array(j);
    tut_json_end_object(j);
    TUT_TRY(tut_json_finish(j, err));
    tut_buf_add_z(out, "\n");
    return tut_buf_check(out, err);
}

static tut_status write_text(const reading *r, tut_buf *out, tut_error *err)
{
    TUT_TRY(tut_bulletin_act_text(r->standing, out, err));
    tut_buf_add_z(out, r->was_read ? "\nRead before by " : "\nRead, and signed by ");
    tut_buf_add_escaped(out, tut_str_of(r->person->name), TUT_PERSON_NAME_MAX);
    tut_buf_printf(out, ": entry %llu.\n", (unsigned long long)r->index);
    if (!tut_bulletin_is_for(&r->standing->bulletin, r->person))
        tut_buf_add_z(out, "It is for other roles, so nobody waited for this receipt.\n");
    return tut_buf_check(out, err);
}

static int run(const tut_args *args)
{
    TUT_CLEAN(reading) r = {.person = NULL};
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    tut_error err = {0};
    tut_status status = read_it(&r, args, &err);
    if (tut_is_ok(status))
        status = strcmp(args->format, "json") == 0 ? write_json(&r, &out, &err)
                                                   : write_text(&r, &out, &err);
    return tut_is_ok(status) ? tut_cmd_output(&out, TUT_EXIT_OK) : tut_cmd_fail(&err);
}

const tut_command tut_cmd_train_read = {
    .name = "train read",
    .arguments = "BULLETIN",
    .summary = "Read a bulletin, and sign that you did",
    .help = "Prints the bulletin as it is in the ledger, and appends a receipt for that very text "
            "(message.received) under the reader's own key. BULLETIN is its id, or ID@VERSION. "
            "tutela train bulletin show prints one without a receipt.",
    .formats = "table json",
    .options = options,
    .least = 1,
    .most = 1,
    .run = run,
};
