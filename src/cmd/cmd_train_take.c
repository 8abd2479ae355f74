/* tutela train take: the text, then the questions, then an entry of the log. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cmd/people_act.h"
#include "cmd/train_act.h"
#include "govern/training_view.h"

static const tut_option options[] = {
    {"--no-text", TUT_OPTION_FLAG, NULL, "only the questions: the text was read elsewhere"},
    TUT_SIGNER_OPTIONS,
    {NULL, TUT_OPTION_FLAG, NULL, NULL},
};

enum { LINE_MAX_BYTES = 1024 };

typedef struct taking {
    tut_train_act act;
    const tut_person *person;
    tut_key *key;
    tut_quiz *quiz;
    tut_term term;
    int to; /* where text and questions go: stdout, or beside JSON stderr */
    bool may_ask_again;
} taking;

static void taking_done(taking *t)
{
    tut_key_free(t->key);
    tut_free(t->quiz);
    tut_train_act_done(&t->act);
}

static tut_status say(const taking *t, tut_buf *text, tut_error *err)
{
    TUT_TRY(tut_buf_check(text, err));
    for (size_t at = 0; at < text->len;) {
        ssize_t n = write(t->to, text->data + at, text->len - at);
        if (n < 0)
            return tut_fail(err, TUT_IO, "the questions could not be shown; nothing was recorded");
        at += (size_t)n;
    }
    tut_buf_clear(text);
    return TUT_SUCCESS;
}

/* One line of the standard input; false at its end. */
static tut_status read_line(char line[LINE_MAX_BYTES], bool *ret_has, tut_error *err)
{
    size_t len = 0;
    int c = 0;
    while ((c = getchar()) != EOF && c != '\n') {
        if (len + 1 >= LINE_MAX_BYTES)
            return tut_fail(err, TUT_USAGE, "an answer is a few numbers in a line");
        line[len++] = (char)c;
    }
    line[len] = '\0';
    *ret_has = len > 0 || c == '\n';
    return TUT_SUCCESS;
}

static tut_status ask(const taking *t, size_t at, tut_buf *out, tut_error *err)
{
    char line[LINE_MAX_BYTES];
    tut_quiz_question *q = &t->quiz->asked[at];
    tut_buf_add_byte(out, '\n');
    tut_training_question_text(t->quiz, at, &t->term, out);
    for (;;) {
        bool has_line = false;
        tut_error why = {0};
        tut_buf_add_z(out, q->question->right_count > 1 ? "Answers: " : "Answer: ");
        TUT_TRY(say(t, out, err));
        TUT_TRY(read_line(line, &has_line, err));
        if (!has_line)
            return tut_fail(err, TUT_USAGE,
                            "the answers ended at question %zu of %zu; nothing was recorded",
                            at + 1, t->quiz->count);
        bool is_answer = tut_is_ok(tut_quiz_answer_one(q, tut_str_trim(tut_str_of(line)), &why));
        if (is_answer && (q->chosen || !t->may_ask_again))
            return TUT_SUCCESS;
        if (!t->may_ask_again)
            return tut_fail(err, TUT_USAGE, "question %zu: %s; nothing was recorded", at + 1,
                            why.text);
        tut_buf_printf(out, "  %s\n",
                       is_answer ? "name at least one answer, by its number" : why.text);
    }
}

static tut_status show(const taking *t, tut_buf *out, tut_error *err)
{
    char line[LINE_MAX_BYTES];
    bool has_line;
    if (!tut_args_has(t->act.args, "--no-text"))
        tut_training_text(t->quiz->module, &t->term, out);
    tut_buf_printf(out, "\n%zu questions, of which %.0f %% have to be right. Answer by number.\n",
                   t->quiz->count, 100 * t->quiz->module->pass);
    if (!t->may_ask_again)
        return say(t, out, err);
    tut_buf_add_z(out, "Enter begins. ");
    TUT_TRY(say(t, out, err));
    TUT_TRY(read_line(line, &has_line, err));
    return has_line ? TUT_SUCCESS
                    : tut_fail(err, TUT_USAGE, "no question was answered; nothing was recorded");
}

static tut_status prepare(taking *t, const tut_args *args, tut_error *err)
{
    const tut_training_module *m;
    uint64_t seed;
    TUT_TRY(tut_train_open(&t->act, args, true, err));
    TUT_TRY(tut_train_module(&t->act, args->positional[0], &m, err));
    TUT_TRY(tut_train_check_version(&t->act, m, err));
    TUT_TRY(tut_train_signer(&t->act, &t->person, &t->key, err));
    TUT_TRY(tut_quiz_seed(&seed, err));
    t->quiz = tut_alloc_array(1, sizeof(*t->quiz));
    if (!t->quiz)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    tut_quiz_draw(m, seed, t->quiz);
    t->to = strcmp(args->format, "json") == 0 ? STDERR_FILENO : STDOUT_FILENO;
    t->may_ask_again = isatty(STDIN_FILENO) == 1;
    tut_term_detect(t->to, args->color, &t->term);
    return TUT_SUCCESS;
}

/* The log is open while something is written, not while somebody reads. */
static tut_status hand_out(const taking *t, tut_time *ret_at, tut_error *err)
{
    __attribute__((cleanup(tut_ledger_close_auto))) tut_ledger *ledger = NULL;
    TUT_TRY(tut_ledger_open(t->act.state, true, &ledger, err));
    return tut_quiz_hand_out(ledger, t->quiz, t->person->name, ret_at, err);
}

static tut_status take(taking *t, const tut_args *args, tut_quiz_record *record, tut_error *err)
{
    __attribute__((cleanup(tut_ledger_close_auto))) tut_ledger *ledger = NULL;
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    tut_quiz_times times = {0};
    TUT_TRY(prepare(t, args, err));
    TUT_TRY(hand_out(t, &times.started, err));
    TUT_TRY(show(t, &out, err));
    for (size_t i = 0; i < t->quiz->count; i++)
        TUT_TRY(ask(t, i, &out, err));
    times.finished = tut_time_now();
    TUT_TRY(tut_ledger_open(t->act.state, true, &ledger, err));
    return tut_quiz_hand_in(ledger, t->quiz, t->person->name, t->key,
                            tut_training_policy_of(t->act.training)->threat_catalogue, &times,
                            record, err);
}

static int run(const tut_args *args)
{
    TUT_CLEAN(taking) t = {.key = NULL};
    tut_quiz_record record = {0};
    tut_error err = {0};
    if (!tut_is_ok(take(&t, args, &record, &err)))
        return tut_cmd_fail(&err);
    return tut_train_tell(&t.act, t.quiz, t.person, &record);
}

const tut_command tut_cmd_train_take = {
    .name = "train take",
    .arguments = "MODULE",
    .summary = "Read a module, answer its questions, and sign that you did",
    .help = "Questions are drawn from the module's bank and shuffled, by a seed that is recorded. "
            "Answers are read from the terminal, or a line each from the standard input. What came "
            "of it is an entry of the log under your own key: nobody completes it for somebody "
            "else.\n\n"
            "Exit status: 0 passed; 1 not passed; 3 passed, but faster than the text can be read, "
            "which a trainer has to confirm; 2 nothing was recorded.",
    .formats = "table json",
    .options = options,
    .least = 1,
    .most = 1,
    .run = run,
};
