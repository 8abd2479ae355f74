/* tutela train check-author: were those who made these commits trained when they made them? */
#include <string.h>
#include <unistd.h>

#include "cmd/train_act.h"
#include "govern/training_authors.h"

static const tut_option options[] = {
    {"--since", TUT_OPTION_VALUE, "REV", "the commits from behind REV to HEAD"},
    {"--range", TUT_OPTION_VALUE, "A..B", "these commits"},
    {"--no-record", TUT_OPTION_FLAG, NULL, "look, and record nothing"},
    {NULL, TUT_OPTION_FLAG, NULL, NULL},
};

typedef struct checking {
    tut_train_act act;
    tut_records *all; /* of training, of the whole log */
    tut_training *training;
    tut_authors authors;
    char *range;
    uint64_t index; /* of the evidence; UINT64_MAX: none */
} checking;

static void checking_done(checking *c)
{
    tut_authors_done(&c->authors);
    tut_training_free(c->training);
    tut_records_free(c->all);
    tut_free(c->range);
    tut_train_act_done(&c->act);
}

static tut_status take_range(checking *c, const tut_args *args, tut_error *err)
{
    const char *since = tut_args_get(args, "--since"), *range = tut_args_get(args, "--range");
    size_t at;
    if (!since == !range)
        return tut_fail(err, TUT_USAGE, "give --since REV, or --range A..B");
    if (range && !tut_str_find(tut_str_of(range), TUT_LIT(".."), &at))
        return tut_fail(err, TUT_USAGE, "--range takes A..B, not \"%s\"", range);
    if (!(since ? since : range)[0])
        return tut_fail(err, TUT_USAGE, "no commits are named");
    c->range = since ? tut_asprintf("%s..HEAD", since) : tut_strdup(range);
    return c->range ? TUT_SUCCESS : tut_fail(err, TUT_NOMEM, "memory ran out");
}

static tut_status check(checking *c, const tut_args *args, tut_error *err)
{
    __attribute__((cleanup(tut_ledger_close_auto))) tut_ledger *ledger = NULL;
    bool records = !tut_args_has(args, "--no-record");
    TUT_TRY(take_range(c, args, err));
    TUT_TRY(tut_train_open(&c->act, args, true, err));
    TUT_TRY(tut_git_read(c->act.dir, c->range, &c->authors.log, err));
    TUT_TRY(tut_ledger_open(c->act.state, records, &ledger, err));
    TUT_TRY(tut_authors_records(ledger, &c->all, err));
    TUT_TRY(tut_training_load(c->act.system, c->all, c->act.at, &c->training, err));
    TUT_TRY(tut_authors_check(c->training, c->all->people, c->range, c->act.at, &c->authors, err));
    const tut_training_finding *e = &c->authors.evidence;
    const tut_attestation a = {.check = e->check,
                               .result = e->result,
                               .statement = e->statement,
                               .body = tut_buf_span(&e->body)};
    return records ? tut_attest_to(ledger, c->act.system, &a, &c->index, err) : TUT_SUCCESS;
}

static void put_finding(tut_json *j, const tut_author_finding *f)
{
    tut_json_object(j);
    tut_json_put_str(j, "id", f->commit->id);
    tut_json_put_z(j, "state", f->person ? "untrained" : "unknown");
    tut_json_put_time(j, "since", f->commit->at);
    tut_json_key(j, "due");
    tut_json_null(j);
    tut_json_key(j, "actors");
    tut_json_array(j);
    if (f->person)
        tut_json_z(j, f->person);
    tut_json_end_array(j);
    tut_json_key(j, "evidence");
    tut_json_array(j);
    tut_json_end_array(j);
    tut_json_put_z(j, "as", f->is_committer ? "committer" : "author");
    tut_json_put_str(j, "name", f->who->name);
    tut_json_put_str(j, "mail", f->who->mail);
    tut_json_put_z(j, "why", f->why);
    tut_json_end_object(j);
}

static tut_status write_json(const checking *c, tut_buf *out, tut_error *err)
{
    TUT_AUTO(tut_json) j = NULL;
    const tut_authors *a = &c->authors;
    TUT_TRY(tut_json_new(out, &j));
    tut_json_head(j, "tutela.train/1", tut_time_generated());
    tut_json_key(j, "summary");
    tut_json_object(j);
    tut_json_put_z(j, "range", c->range);
    tut_json_put_u64(j, "commits", a->log.count);
    tut_json_put_u64(j, "findings", a->finding_count);
    tut_json_put_bool(j, "shallow", a->log.is_shallow);
    tut_json_put_str(j, "module", a->module->id);
    tut_json_put_z(j, "result", tut_result_name(a->evidence.result));
    tut_json_put_z(j, "statement", a->evidence.statement);
    tut_json_key(j, "index");
    if (c->index != UINT64_MAX)
        tut_json_u64(j, c->index);
    else
        tut_json_null(j);
    tut_json_end_object(j);
    tut_json_key(j, "items");
    tut_json_array(j);
    for (size_t i = 0; i < a->finding_count; i++)
        put_finding(j, &a->findings[i]);
    tut_json_end_array(j);
    tut_json_end_object(j);
    TUT_TRY(tut_json_finish(j, err));
    tut_buf_add_z(out, "\n");
    return tut_buf_check(out, err);
}

static tut_status write_text(const checking *c, tut_buf *out, tut_error *err)
{
    enum { SHOWN = 50 };
    const tut_authors *a = &c->authors;
    tut_term term;
    tut_term_detect(STDOUT_FILENO, c->act.args->color, &term);
    for (size_t i = 0; i < a->finding_count && i < SHOWN; i++) {
        const tut_author_finding *f = &a->findings[i];
        TUT_CLEAN(tut_buf) line = TUT_BUF_INIT;
        char day[TUT_TIME_TEXT];
        tut_time_date(f->commit->at, day);
        tut_buf_printf(&line, "%s, %s ", day, f->is_committer ? "committed by" : "by");
        tut_buf_add_str(&line, f->who->name);
        tut_buf_add_z(&line, " <");
        tut_buf_add_str(&line, f->who->mail);
        tut_buf_printf(&line, ">: %s", f->why);
        tut_term_printf(&term, out, TUT_STYLE_BAD, "%.12s", f->commit->id.data);
        tut_buf_add_byte(out, ' ');
        tut_term_wrap(&term, out, 13, tut_buf_str(&line));
    }
    if (a->finding_count > SHOWN)
        tut_buf_printf(out, "... and %zu more; --format json has all.\n", a->finding_count - SHOWN);
    tut_term_wrap(&term, out, 0, tut_str_of(a->evidence.statement));
    if (a->log.is_shallow)
        tut_buf_add_z(out, "Clone with the whole history (git fetch --unshallow; fetch-depth: 0 or "
                           "GIT_DEPTH: 0 in CI).\n");
    if (c->index != UINT64_MAX)
        tut_buf_printf(out, "Recorded as entry %llu.\n", (unsigned long long)c->index);
    return tut_buf_check(out, err);
}

static int run(const tut_args *args)
{
    TUT_CLEAN(checking) c = {.index = UINT64_MAX};
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    tut_error err = {0};
    tut_status status = check(&c, args, &err);
    if (tut_is_ok(status))
        status = strcmp(args->format, "json") == 0 ? write_json(&c, &out, &err)
                                                   : write_text(&c, &out, &err);
    if (!tut_is_ok(status))
        return tut_cmd_fail(&err);
    tut_result result = c.authors.evidence.result;
    return tut_cmd_output(&out, result == TUT_RESULT_PASS   ? TUT_EXIT_OK
                                : result == TUT_RESULT_FAIL ? TUT_EXIT_FOUND
                                                            : TUT_EXIT_DOUBT);
}

const tut_command tut_cmd_train_check_author = {
    .name = "train check-author",
    .summary = "Check that whoever made these commits was trained in secure coding then",
    .help =
        "Authors and committers are mapped to enrolled people by training.authors of tutela.yaml "
        "(mail address or name), else by their name. Each needs a completion of the module on "
        "secure coding (training.secure_coding) that held when the commit was made. Addresses in "
        "training.machines may commit what people wrote. Git does not verify names: who may push, "
        "and signed commits, are for the host of the repository to enforce.\n\n"
        "Exit status: 0 all were trained; 1 somebody was not, or is unknown; 3 there are no "
        "commits, "
        "or the clone is shallow.\n"
        "Example: tutela train check-author --since origin/main",
    .formats = "table json",
    .options = options,
    .run = run,
};
