/* tutela train page, submit: a module as a page, and the answers that come back from it. */
#include <stdio.h>
#include <string.h>

#include "base/fs.h"
#include "cmd/people_act.h"
#include "cmd/train_act.h"
#include "govern/training_view.h"

/* --- page --- */

static const tut_option page_options[] = {
    {"--by", TUT_OPTION_VALUE, "PERSON", "draw questions for this person, to be handed in"},
    {"--html", TUT_OPTION_VALUE, "FILE", "where the page goes; default: the standard output"},
    {NULL, TUT_OPTION_FLAG, NULL, NULL},
};

static tut_status draw(const tut_train_act *a, const tut_training_module *m, const char *by,
                       tut_quiz *quiz, const tut_person **ret_person, tut_error *err)
{
    __attribute__((cleanup(tut_ledger_close_auto))) tut_ledger *ledger = NULL;
    uint64_t seed;
    tut_time at;
    const tut_person *person = tut_people_find(a->records->people, tut_str_of(by));
    if (!person || !person->is_active)
        return tut_fail(err, TUT_USAGE, "nobody called \"%s\" is enrolled; tutela people list", by);
    TUT_TRY(tut_train_check_version(a, m, err));
    TUT_TRY(tut_quiz_seed(&seed, err));
    tut_quiz_draw(m, seed, quiz);
    TUT_TRY(tut_ledger_open(a->state, true, &ledger, err));
    TUT_TRY(tut_quiz_hand_out(ledger, quiz, person->name, &at, err));
    *ret_person = person;
    return TUT_SUCCESS;
}

static tut_status make_page(const tut_args *args, tut_train_act *a, tut_buf *out, tut_error *err)
{
    TUT_AUTO_FREE tut_quiz *quiz = tut_alloc_array(1, sizeof(*quiz));
    const char *by = tut_args_get(args, "--by");
    const tut_training_module *m;
    const tut_person *person = NULL;
    if (!quiz)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    TUT_TRY(tut_train_open(a, args, by != NULL, err));
    TUT_TRY(tut_train_module(a, args->positional[0], &m, err));
    if (by)
        TUT_TRY(draw(a, m, by, quiz, &person, err));
    tut_training_page(m, by ? quiz : NULL, person ? person->name : NULL, out);
    return tut_buf_check(out, err);
}

static int run_page(const tut_args *args)
{
    TUT_CLEAN(tut_train_act) a = {0};
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    tut_error err = {0};
    const char *file = tut_args_get(args, "--html");
    if (!tut_is_ok(make_page(args, &a, &out, &err)))
        return tut_cmd_fail(&err);
    if (!file)
        return tut_cmd_output(&out, TUT_EXIT_OK);
    if (!tut_is_ok(tut_fs_write(file, tut_buf_span(&out), 0644, &err)))
        return tut_cmd_fail(&err);
    tut_buf_clear(&out);
    tut_buf_add_z(&out, "Wrote ");
    tut_buf_add_escaped(&out, tut_str_of(file), TUT_ERROR_PATH_MAX);
    tut_buf_add_z(&out, ".\n");
    return tut_cmd_output(&out, TUT_EXIT_OK);
}

const tut_command tut_cmd_train_page = {
    .name = "train page",
    .arguments = "MODULE",
    .summary = "Write a module as a page, with questions for one person",
    .help =
        "The page is one file without anything from elsewhere. With --by PERSON it has questions "
        "that are drawn for that person, which the log notes, and writes a short sheet of "
        "answers; it does not hold which are right. tutela train submit takes the sheet.",
    .formats = "table",
    .options = page_options,
    .least = 1,
    .most = 1,
    .run = run_page,
};

/* --- submit --- */

static const tut_option submit_options[] = {
    TUT_SIGNER_OPTIONS,
    {NULL, TUT_OPTION_FLAG, NULL, NULL},
};

static tut_status read_sheet(const char *file, tut_buf *text, tut_error *err)
{
    if (strcmp(file, "-") != 0)
        return tut_fs_read(file, TUT_QUIZ_ANSWER_FILE, text, err);
    int c;
    while ((c = getchar()) != EOF && text->len <= TUT_QUIZ_ANSWER_FILE)
        tut_buf_add_byte(text, (uint8_t)c);
    return tut_buf_check(text, err);
}

static tut_status submit(const tut_args *args, tut_train_act *a, tut_quiz *quiz,
                         const tut_person **person, tut_quiz_record *record, tut_error *err)
{
    __attribute__((cleanup(tut_ledger_close_auto))) tut_ledger *ledger = NULL;
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    TUT_AUTO(tut_key) key = NULL;
    const tut_training_module *m;
    tut_quiz_sheet sheet;
    tut_quiz_times times = {0};
    tut_error_set_path(err, args->positional[0]);
    TUT_TRY(read_sheet(args->positional[0], &text, err));
    TUT_TRY(tut_quiz_sheet_read(tut_buf_str(&text), &sheet, err));
    TUT_AUTO_FREE char *id = tut_strndup(sheet.module.data, sheet.module.len);
    if (!id)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    err->path[0] = '\0';
    TUT_TRY(tut_train_open(a, args, true, err));
    TUT_TRY(tut_train_module(a, id, &m, err));
    TUT_TRY(tut_train_check_version(a, m, err));
    TUT_TRY(tut_train_signer(a, person, &key, err));
    tut_quiz_draw(m, sheet.seed, quiz);
    tut_error_set_path(err, args->positional[0]);
    TUT_TRY(tut_quiz_answer(quiz, sheet.answers, err));
    TUT_TRY(tut_ledger_open(a->state, true, &ledger, err));
    TUT_TRY(tut_quiz_find_handed(ledger, quiz, (*person)->name, &times.started, err));
    times.finished = tut_time_now();
    return tut_quiz_hand_in(ledger, quiz, (*person)->name, key,
                            tut_training_policy_of(a->training)->threat_catalogue, &times, record,
                            err);
}

static int run_submit(const tut_args *args)
{
    TUT_CLEAN(tut_train_act) a = {0};
    TUT_AUTO_FREE tut_quiz *quiz = tut_alloc_array(1, sizeof(*quiz));
    const tut_person *person = NULL;
    tut_quiz_record record = {0};
    tut_error err = {0};
    tut_status status = quiz ? submit(args, &a, quiz, &person, &record, &err)
                             : tut_fail(&err, TUT_NOMEM, "memory ran out");
    return tut_is_ok(status) ? tut_train_tell(&a, quiz, person, &record) : tut_cmd_fail(&err);
}

const tut_command tut_cmd_train_submit = {
    .name = "train submit",
    .arguments = "FILE|-",
    .summary = "Hand in the sheet of answers that the page of a module wrote",
    .help = "The questions have to be those that were drawn for you, and are answered once. Time "
            "counts from when they were drawn. The exit status is that of tutela train take.",
    .formats = "table json",
    .options = submit_options,
    .least = 1,
    .most = 1,
    .run = run_submit,
};
