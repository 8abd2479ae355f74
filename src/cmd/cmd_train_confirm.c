/* tutela train confirm: a trainer's word for an exam that was passed in a hurry. */
#include <string.h>

#include "assess/tool.h"
#include "cmd/people_act.h"
#include "cmd/train_act.h"

static const tut_option options[] = {
    TUT_SIGNER_OPTIONS,
    {NULL, TUT_OPTION_FLAG, NULL, NULL},
};

static tut_status append(const tut_train_act *a, const tut_training_standing *s,
                         const tut_person *trainer, const tut_key *key, uint64_t *ret_index,
                         tut_error *err)
{
    __attribute__((cleanup(tut_ledger_close_auto))) tut_ledger *ledger = NULL;
    TUT_AUTO_FREE char *name = tut_training_subject("exam", s->module);
    const tut_subject subject = {.name = name, .digest = s->record->body};
    if (!name)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    tut_record r = {.type = TUT_RECORD_EVENT,
                    .at = tut_time_now(),
                    .check = TUT_TRAIN_CONFIRMED,
                    .subjects = &subject,
                    .subject_count = 1,
                    .actor = trainer->name,
                    .statement = "A trainer signs for an exam that was passed in little time."};
    TUT_TRY(tut_ledger_open(a->state, true, &ledger, err));
    TUT_TRY(tut_tool_append(ledger, &r, (tut_span){0}, key, err));
    *ret_index = r.index;
    return TUT_SUCCESS;
}

static tut_status find(const tut_train_act *a, tut_training_standing *s, tut_error *err)
{
    const tut_training_module *m;
    const char *name = a->args->positional[0];
    const tut_person *person = tut_people_find(a->records->people, tut_str_of(name));
    if (!person || !person->is_active)
        return tut_fail(err, TUT_USAGE, "nobody called \"%s\" is enrolled; tutela people list",
                        name);
    TUT_TRY(tut_train_module(a, a->args->positional[1], &m, err));
    tut_training_stand(a->training, person, m, s);
    if (s->record && strcmp(s->record->check, TUT_TRAIN_HURRIED) == 0 &&
        s->state != TUT_TRAINING_CURRENT)
        return TUT_SUCCESS;
    return tut_fail(err, TUT_USAGE, "no exam of %s in %s waits for a trainer", person->name,
                    a->args->positional[1]);
}

static tut_status tell(const tut_args *args, const tut_training_standing *s,
                       const tut_person *trainer, uint64_t index, tut_buf *out, tut_error *err)
{
    TUT_AUTO(tut_json) j = NULL;
    const tut_train_item item = {.person = s->person->name,
                                 .module = s->module,
                                 .state = "confirmed",
                                 .since = tut_time_now(),
                                 .index = index};
    if (strcmp(args->format, "json") != 0) {
        tut_buf_printf(out, "Confirmed entry %llu: entry %llu.\n",
                       (unsigned long long)s->record->index, (unsigned long long)index);
        return tut_buf_check(out, err);
    }
    TUT_TRY(tut_json_new(out, &j));
    tut_json_head(j, "tutela.train/1", tut_time_generated());
    tut_json_key(j, "summary");
    tut_json_object(j);
    tut_json_put_u64(j, "index", index);
    tut_json_put_z(j, "event", TUT_TRAIN_CONFIRMED);
    tut_json_end_object(j);
    tut_json_key(j, "items");
    tut_json_array(j);
    tut_json_object(j);
    tut_train_put_item(j, &item);
    tut_json_put_z(j, "trainer", trainer->name);
    tut_json_put_u64(j, "exam", s->record->index);
    tut_json_end_object(j);
    tut_json_end_array(j);
    tut_json_end_object(j);
    TUT_TRY(tut_json_finish(j, err));
    tut_buf_add_z(out, "\n");
    return tut_buf_check(out, err);
}

static tut_status confirm(tut_train_act *a, const tut_args *args, tut_buf *out, tut_error *err)
{
    TUT_AUTO(tut_key) key = NULL;
    tut_training_standing s;
    const tut_person *trainer;
    const char *why = NULL;
    uint64_t index;
    TUT_TRY(tut_train_open(a, args, true, err));
    TUT_TRY(find(a, &s, err));
    TUT_TRY(tut_train_signer(a, &trainer, &key, err));
    const tut_act act = {.roles = TUT_PERSON_TRAINER, .index = a->records->log_size};
    if (!tut_people_may_sign(a->records->people, tut_pubkey_id(tut_key_public(key)), &act, NULL,
                             &why))
        return tut_fail(err, TUT_DENIED, "%s is no trainer: %s", trainer->name, why);
    if (trainer == s.person)
        return tut_fail(err, TUT_DENIED, "nobody confirms what he took himself");
    TUT_TRY(append(a, &s, trainer, key, &index, err));
    return tell(args, &s, trainer, index, out, err);
}

static int run(const tut_args *args)
{
    TUT_CLEAN(tut_train_act) a = {0};
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    tut_error err = {0};
    if (!tut_is_ok(confirm(&a, args, &out, &err)))
        return tut_cmd_fail(&err);
    return tut_cmd_output(&out, TUT_EXIT_OK);
}

const tut_command tut_cmd_train_confirm = {
    .name = "train confirm",
    .arguments = "PERSON MODULE",
    .summary = "Sign, as a trainer, for an exam that was passed faster than the text can be read",
    .help =
        "Somebody may know a matter already. Whether that is so, a trainer finds out by asking, "
        "and signs for that very exam; until then it does not count. A trainer has the role "
        "trainer (tutela people enrol) and is not the learner.",
    .formats = "table json",
    .options = options,
    .least = 2,
    .most = 2,
    .run = run,
};
