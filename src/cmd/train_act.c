#include "cmd/train_act.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cmd/signer.h"
#include "govern/training_view.h"
#include "state/records.h"

static tut_status load(tut_train_act *a, tut_error *err)
{
    __attribute__((cleanup(tut_ledger_close_auto))) tut_ledger *ledger = NULL;
    TUT_CLEAN(tut_buf) shown = TUT_BUF_INIT;
    tut_training_policy policy;
    tut_status status = tut_system_load(a->args->system ? a->args->system : a->dir, &a->system,
                                        &shown, err);
    if (tut_is_ok(status))
        status = tut_training_policy_read(a->system, &policy, &shown, err);
    if (!tut_is_ok(status) && shown.len) {
        fwrite(shown.data, 1, shown.len, stderr);
        err->is_told = true;
    }
    TUT_TRY(status);
    TUT_TRY(tut_ledger_open(a->state, false, &ledger, err));
    TUT_TRY(tut_state_read(ledger, a->at, &a->records, err));
    TUT_TRY(tut_training_load(a->system, a->records, a->at, &a->training, err));
    a->bank = tut_training_bank_of(a->training);
    return TUT_SUCCESS;
}

tut_status tut_train_open(tut_train_act *a, const tut_args *args, bool needs_system, tut_error *err)
{
    a->args = args;
    a->at = tut_time_now();
    TUT_TRY(tut_cmd_locate(args, NULL, &a->dir, &a->state, err));
    if (a->state)
        return load(a, err);
    if (needs_system) {
        tut_error_set_path(err, a->dir);
        return tut_fail(err, TUT_USAGE,
                        "no tutela.yaml is here, and training is kept in the log of a described "
                        "system; tutela init writes one");
    }
    TUT_TRY(tut_training_bank_load(NULL, NULL, &a->own_bank, err));
    a->bank = a->own_bank;
    return TUT_SUCCESS;
}

void tut_train_act_done(tut_train_act *a)
{
    tut_training_free(a->training);
    tut_training_bank_free(a->own_bank);
    tut_records_free(a->records);
    tut_system_free(a->system);
    tut_free(a->dir);
    tut_free(a->state);
}

tut_status tut_train_module(const tut_train_act *a, const char *id,
                            const tut_training_module **ret_module, tut_error *err)
{
    const char *nearest = NULL;
    *ret_module = tut_training_find(a->bank, tut_str_of(id));
    if (*ret_module)
        return TUT_SUCCESS;
    for (size_t i = 0; i < a->bank->count && !nearest; i++)
        nearest = tut_str_nearest(tut_str_of(id), (const char *const[]){a->bank->items[i]->id.data},
                                  1);
    if (nearest)
        return tut_fail(err, TUT_USAGE, "no module is called \"%s\"; did you mean %s?", id,
                        nearest);
    return tut_fail(err, TUT_USAGE, "no module is called \"%s\"; tutela train list shows them", id);
}

tut_status tut_train_signer(const tut_train_act *a, const tut_person **ret_person,
                            tut_key **ret_key, tut_error *err)
{
    TUT_AUTO(tut_records) records = NULL;
    TUT_AUTO(tut_key) key = NULL;
    const char *by = tut_args_get(a->args, "--by");
    if (!by || !by[0])
        return tut_fail(err, TUT_USAGE, "%s needs --by PERSON, whose key signs",
                        a->args->command->name);
    const tut_person *person = tut_people_find(a->records->people, tut_str_of(by));
    if (!person || !person->is_active)
        return tut_fail(err, TUT_USAGE, "nobody called \"%s\" is enrolled; tutela people list", by);
    TUT_TRY(tut_signer_find(a->args, a->state, &by, &records, &key, err));
    if (!key)
        return tut_fail(
            err, TUT_USAGE,
            "no key of %s that counts was made here; --signing-key KEY says where it is",
            person->name);
    *ret_person = person;
    *ret_key = tut_move(&key);
    return TUT_SUCCESS;
}

tut_status tut_train_check_version(const tut_train_act *a, const tut_training_module *m,
                                   tut_error *err)
{
    if (!a->training || !tut_training_has_two(a->training, m))
        return TUT_SUCCESS;
    tut_error_set_path(err, m->file);
    return tut_fail(err, TUT_USAGE,
                    "its content is not what it was, and its version is: raise \"version: %u\", so "
                    "that it is known who completed what",
                    m->version);
}

/* --- as JSON --- */

void tut_train_put_item(tut_json *j, const tut_train_item *item)
{
    TUT_CLEAN(tut_buf) id = TUT_BUF_INIT;
    if (item->person)
        tut_buf_printf(&id, "%s/", item->person);
    tut_buf_add_str(&id, item->module->id);
    tut_json_put_str(j, "id", tut_buf_str(&id));
    tut_json_put_z(j, "state", item->state);
    tut_json_put_time(j, "since", item->since);
    tut_json_key(j, "due");
    if (item->due)
        tut_json_time(j, item->due);
    else
        tut_json_null(j);
    tut_json_key(j, "actors");
    tut_json_array(j);
    if (item->person)
        tut_json_z(j, item->person);
    tut_json_end_array(j);
    tut_json_key(j, "evidence");
    tut_json_array(j);
    if (item->index != UINT64_MAX)
        tut_json_u64(j, item->index);
    tut_json_end_array(j);
    tut_json_put_str(j, "module", item->module->id);
    tut_json_put_u64(j, "version", item->module->version);
}

/* --- what an exam came to --- */

static tut_time holds_until(const tut_train_act *a, const tut_quiz_record *r)
{
    return r->times.finished +
           (tut_time)tut_training_policy_of(a->training)->valid_days * TUT_DAY_SECONDS;
}

static tut_status tell_json(const tut_train_act *a, const tut_quiz *quiz, const tut_person *person,
                            const tut_quiz_record *r, tut_buf *out, tut_error *err)
{
    TUT_AUTO(tut_json) j = NULL;
    bool is_completed = strcmp(r->kind, TUT_TRAIN_COMPLETED) == 0;
    const tut_train_item item = {.person = person->name,
                                 .module = quiz->module,
                                 .state = strchr(r->kind, '.') + 1,
                                 .since = r->times.finished,
                                 .due = is_completed ? holds_until(a, r) : 0,
                                 .index = r->index};
    TUT_TRY(tut_json_new(out, &j));
    tut_json_head(j, "tutela.train/1", tut_time_generated());
    tut_json_key(j, "summary");
    tut_json_object(j);
    tut_json_put_u64(j, "index", r->index);
    tut_json_put_z(j, "event", r->kind);
    tut_json_end_object(j);
    tut_json_key(j, "items");
    tut_json_array(j);
    tut_json_object(j);
    tut_train_put_item(j, &item);
    tut_json_put_u64(j, "questions", quiz->count);
    tut_json_put_u64(j, "right", tut_quiz_right(quiz));
    tut_json_put_real(j, "score", (double)tut_quiz_right(quiz) / (double)quiz->count);
    tut_json_put_int(j, "seconds", r->times.finished - r->times.started);
    tut_json_end_object(j);
    tut_json_end_array(j);
    tut_json_end_object(j);
    TUT_TRY(tut_json_finish(j, err));
    tut_buf_add_z(out, "\n");
    return tut_buf_check(out, err);
}

static void tell_text(const tut_train_act *a, const tut_quiz *quiz, const tut_person *person,
                      const tut_quiz_record *r, tut_buf *out)
{
    char day[TUT_TIME_TEXT];
    tut_term term;
    bool is_passed = tut_quiz_is_passed(quiz);
    size_t right = tut_quiz_right(quiz);
    tut_str id = quiz->module->id;
    tut_term_detect(STDOUT_FILENO, a->args->color, &term);
    tut_buf_add_byte(out, '\n');
    tut_term_printf(&term, out, is_passed ? TUT_STYLE_GOOD : TUT_STYLE_BAD, "%zu of %zu right",
                    right, quiz->count);
    tut_buf_printf(out, " (%.0f %%, and %.0f %% are wanted): %s.\n",
                   100 * (double)right / (double)quiz->count, 100 * quiz->module->pass,
                   is_passed ? "passed" : "not passed");
    for (size_t i = 0; i < quiz->count; i++)
        if (!tut_quiz_is_right(&quiz->asked[i]))
            tut_training_explain_text(quiz, i, &term, out);
    tut_buf_printf(out, "Recorded as entry %llu, signed by ", (unsigned long long)r->index);
    tut_buf_add_escaped(out, tut_str_of(person->name), TUT_PERSON_NAME_MAX);
    tut_buf_add_z(out, ".\n");
    tut_time_date(holds_until(a, r), day);
    if (strcmp(r->kind, TUT_TRAIN_COMPLETED) == 0) {
        tut_buf_printf(out, "It holds until %s.\n", day);
    } else if (is_passed) {
        tut_buf_printf(
            out,
            "It took %lld s, and the text alone takes about %u s to read: it counts once "
            "a trainer has signed for it (tutela train confirm PERSON %.*s --by TRAINER), "
            "or when it is taken again with more time.\n",
            (long long)(r->times.finished - r->times.started),
            tut_training_reading_seconds(quiz->module), (int)id.len, id.data);
    } else {
        tut_buf_printf(out, "It does not count. tutela train take %.*s draws other questions.\n",
                       (int)id.len, id.data);
    }
}

int tut_train_tell(const tut_train_act *a, const tut_quiz *quiz, const tut_person *person,
                   const tut_quiz_record *r)
{
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    tut_error err = {0};
    int exit_status = strcmp(r->kind, TUT_TRAIN_COMPLETED) == 0   ? TUT_EXIT_OK
                      : strcmp(r->kind, TUT_TRAIN_ATTEMPTED) == 0 ? TUT_EXIT_FOUND
                                                                  : TUT_EXIT_DOUBT;
    if (strcmp(a->args->format, "json") != 0)
        tell_text(a, quiz, person, r, &out);
    else if (!tut_is_ok(tell_json(a, quiz, person, r, &out, &err)))
        return tut_cmd_fail(&err);
    return tut_cmd_output(&out, exit_status);
}
