/* tutela train concern: somebody sees a risk and says so; the receipt; the list. */
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/source.h"
#include "cmd/concern_act.h"
#include "cmd/message_view.h"
#include "crypto/openssl.h"
#include "crypto/private_file.h"
#include "ledger/log.h"
#include "ledger/proof.h"

static const tut_option options[] = {
    {"--subject", TUT_OPTION_VALUE, "TEXT", "what it is about, in one line"},
    {"--file", TUT_OPTION_VALUE, "FILE", "the text"},
    {"--by", TUT_OPTION_VALUE, "NAME", "who raises it: kept sealed, in no report"},
    {"--anonymous", TUT_OPTION_FLAG, NULL, "nobody is named, not even under seal"},
    {"--drill", TUT_OPTION_FLAG, NULL, "only to try whether it works; it is marked as such"},
    {"--receipt", TUT_OPTION_VALUE, "FILE", "write the receipt there, for you alone to read"},
    {NULL, TUT_OPTION_FLAG, NULL, NULL},
};
static const tut_option no_options[] = {{NULL, TUT_OPTION_FLAG, NULL, NULL}};

tut_status tut_concern_act_open(tut_concern_act *a, const tut_args *args, tut_error *err)
{
    TUT_TRY(tut_train_open(&a->train, args, true, err));
    TUT_TRY(tut_concern_policy_read(a->train.system, &a->policy, NULL, err));
    TUT_TRY(tut_ledger_open(a->train.state, false, &a->ledger, err));
    return tut_concerns_load(a->ledger, a->train.records, &a->policy, &a->concerns, err);
}

void tut_concern_act_done(tut_concern_act *a)
{
    tut_concerns_done(&a->concerns);
    tut_ledger_close(a->ledger);
    tut_train_act_done(&a->train);
}

tut_status tut_concern_act_find(const tut_concern_act *a, const char *number,
                                const tut_concern **ret, tut_error *err)
{
    *ret = tut_concerns_find(&a->concerns, number);
    return *ret ? TUT_SUCCESS
                : tut_fail(err, TUT_USAGE,
                           "nothing was raised as \"%.40s\"; tutela train concern list", number);
}

/* --- raising --- */

typedef struct raising {
    tut_train_act act;
    tut_buf text, receipt, proof;
    tut_concern_given given;
    tut_concern_receipt says;
    char *log;
} raising;

static void raising_done(raising *r)
{
    tut_wipe(r->text.data, r->text.len);
    tut_buf_done(&r->text);
    tut_buf_done(&r->receipt);
    tut_buf_done(&r->proof);
    tut_free(r->log);
    tut_train_act_done(&r->act);
}

static tut_status read_given(raising *r, const tut_args *args, tut_error *err)
{
    const char *by = tut_args_get(args, "--by"), *file = tut_args_get(args, "--file");
    bool is_anonymous = tut_args_has(args, "--anonymous");
    if (!tut_args_get(args, "--subject") || !file)
        return tut_fail(err, TUT_USAGE,
                        "raise a concern with --subject TEXT --file FILE, and --by NAME or "
                        "--anonymous; or list, show, triage, verify");
    if ((by != NULL) == is_anonymous)
        return tut_fail(err, TUT_USAGE, "say --by NAME, or --anonymous");
    TUT_TRY(tut_fs_read(file, TUT_CONCERN_BYTES, &r->text, err));
    r->given = (tut_concern_given){.subject = tut_args_get(args, "--subject"),
                                   .text = tut_buf_str(&r->text),
                                   .is_drill = tut_args_has(args, "--drill")};
    if (!by)
        return TUT_SUCCESS;
    const tut_person *person = tut_people_find(r->act.records->people, tut_str_of(by));
    if (!person || !person->is_active)
        return tut_fail(err, TUT_USAGE,
                        "nobody called \"%s\" is enrolled; --anonymous asks for no name", by);
    r->given.by = person->name;
    return TUT_SUCCESS;
}

static tut_status prove(raising *r, tut_error *err)
{
    __attribute__((cleanup(tut_ledger_close_auto))) tut_ledger *ledger = NULL;
    tut_log *log = NULL;
    tut_proof p = {.number = r->says.index};
    TUT_TRY(tut_ledger_open(r->act.state, false, &ledger, err));
    TUT_TRY(tut_ledger_log(ledger, &log, err));
    if (!log)
        return tut_fail(err, TUT_STORE, "the log is not there");
    TUT_TRY(tut_log_prove_inclusion(log, p.number, tut_log_size(log), p.hashes, &p.count, err));
    p.checkpoint = tut_log_checkpoint(log);
    tut_proof_write(&p, &r->proof);
    r->log = tut_strdup(tut_ledger_log_origin(ledger));
    return r->log ? tut_buf_check(&r->proof, err) : tut_fail(err, TUT_NOMEM, "memory ran out");
}

static tut_status raise_it(raising *r, const tut_args *args, tut_error *err)
{
    const char *path = tut_args_get(args, "--receipt");
    TUT_TRY(tut_train_open(&r->act, args, true, err));
    TUT_TRY(read_given(r, args, err));
    if (path && tut_fs_exists(path)) /* before something is raised whose receipt has no place */
        return tut_fail(err, TUT_USAGE, "%s is there already", path);
    {
        __attribute__((cleanup(tut_ledger_close_auto))) tut_ledger *ledger = NULL;
        TUT_TRY(tut_ledger_open(r->act.state, true, &ledger, err));
        TUT_TRY(tut_concern_raise(ledger, &r->given, &r->says, err));
    }
    TUT_TRY(prove(r, err));
    TUT_TRY(tut_concern_receipt_write(&r->says, r->given.subject, tut_str_of(r->log),
                                      tut_buf_str(&r->proof), &r->receipt, err));
    return path ? tut_private_file_create(path, tut_buf_span(&r->receipt), err) : TUT_SUCCESS;
}

static void tell(const raising *r, const tut_args *args, tut_buf *out)
{
    const char *path = tut_args_get(args, "--receipt");
    char hex[TUT_SHA256_HEX];
    tut_sha256_hex(&r->says.commitment, hex);
    tut_buf_printf(out, "Raised as %s%s: entry %llu.\n", r->says.number,
                   r->given.is_drill ? " (a drill)" : "", (unsigned long long)r->says.index);
    tut_buf_add_z(out, r->given.by ? "Your name is kept under seal, and is in no report.\n"
                                   : "Nobody is named.\n");
    tut_buf_printf(out, "commitment  %s\nsalt        %s\n", hex, r->says.salt);
    if (path) {
        tut_buf_add_z(out, "Your receipt is ");
        tut_buf_add_escaped(out, tut_str_of(path), 4096);
        tut_buf_add_z(out, ". Keep it, and the text: tutela train concern verify shows what became "
                           "of it.\n");
    } else {
        tut_buf_add_z(out, "Keep this, and the text; --receipt FILE writes it with a proof.\n");
    }
}

static int run(const tut_args *args)
{
    TUT_CLEAN(raising) r = {.log = NULL};
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    tut_error err = {0};
    if (!tut_is_ok(raise_it(&r, args, &err)))
        return tut_cmd_fail(&err);
    if (strcmp(args->format, "json") == 0)
        tut_buf_add_str(&out, tut_buf_str(&r.receipt));
    else
        tell(&r, args, &out);
    return tut_cmd_output(&out, TUT_EXIT_OK);
}

/* --- list --- */

static tut_status list_json(const tut_concern_act *a, tut_buf *out, tut_error *err)
{
    TUT_AUTO(tut_json) j = NULL;
    TUT_TRY(tut_json_new(out, &j));
    tut_json_head(j, "tutela.train/1", tut_time_generated());
    tut_json_key(j, "summary");
    tut_json_object(j);
    tut_json_put_u64(j, "concerns", a->concerns.count);
    tut_json_put_u64(j, "triage_days", a->policy.triage_days);
    tut_json_end_object(j);
    tut_json_key(j, "items");
    tut_json_array(j);
    for (size_t i = 0; i < a->concerns.count; i++) {
        const tut_concern *c = &a->concerns.items[i];
        tut_item_put_head(j, c->number, tut_concern_state(c, a->train.at), c->raised->recorded_at,
                          c->due, c->triaged ? c->by : NULL, c->raised->index);
        tut_json_put_bool(j, "drill", c->is_drill);
        tut_json_put_bool(j, "lost", c->is_lost);
        tut_json_key(j, "triaged");
        if (c->triaged)
            tut_json_time(j, c->triaged->recorded_at);
        else
            tut_json_null(j);
        tut_json_end_object(j);
    }
    tut_json_end_array(j);
    tut_json_end_object(j);
    TUT_TRY(tut_json_finish(j, err));
    tut_buf_add_z(out, "\n");
    return tut_buf_check(out, err);
}

static tut_status list_text(const tut_concern_act *a, tut_buf *out, tut_error *err)
{
    static const char *const heads[] = {"concern", "state", "raised", "due", "triaged by"};
    TUT_AUTO(tut_table) t = NULL;
    tut_term term;
    char day[TUT_TIME_TEXT];
    if (a->concerns.count == 0) {
        tut_buf_add_z(out, "Nothing was raised yet.\n");
        return tut_buf_check(out, err);
    }
    tut_term_detect(STDOUT_FILENO, a->train.args->color, &term);
    if (!tut_is_ok(tut_table_new(5, &t)))
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (size_t i = 0; i < 5; i++)
        tut_table_column(t, i, heads[i], TUT_LEFT, i == 4);
    for (size_t i = 0; i < a->concerns.count; i++) {
        const tut_concern *c = &a->concerns.items[i];
        const char *state = tut_concern_state(c, a->train.at);
        tut_table_cellf(t, TUT_STYLE_PLAIN, "%s%s", c->number, c->is_drill ? " (drill)" : "");
        tut_table_cell_z(t, strcmp(state, "late") == 0 ? TUT_STYLE_BAD : TUT_STYLE_PLAIN,
                         c->is_lost ? "lost" : state);
        tut_time_date(c->raised->recorded_at, day);
        tut_table_cell_z(t, TUT_STYLE_PLAIN, day);
        tut_time_date(c->due, day);
        tut_table_cell_z(t, TUT_STYLE_PLAIN, day);
        tut_table_cell_z(t, TUT_STYLE_PLAIN, c->triaged ? c->by : "-");
    }
    TUT_TRY(tut_table_print(t, &term, 0, out));
    return tut_buf_check(out, err);
}

static int exit_of(const tut_concern_act *a)
{
    for (size_t i = 0; i < a->concerns.count; i++)
        if (a->concerns.items[i].is_lost ||
            strcmp(tut_concern_state(&a->concerns.items[i], a->train.at), "late") == 0)
            return TUT_EXIT_FOUND;
    return TUT_EXIT_OK;
}

static int run_list(const tut_args *args)
{
    TUT_CLEAN(tut_concern_act) a = {.ledger = NULL};
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    tut_error err = {0};
    tut_status status = tut_concern_act_open(&a, args, &err);
    if (tut_is_ok(status))
        status = strcmp(args->format, "json") == 0 ? list_json(&a, &out, &err)
                                                   : list_text(&a, &out, &err);
    return tut_is_ok(status) ? tut_cmd_output(&out, exit_of(&a)) : tut_cmd_fail(&err);
}

const tut_command tut_cmd_train_concern_list = {
    .name = "train concern list",
    .summary = "List concerns by number: raised when, triaged by whom; never who raised one",
    .help = "Exit status: 0 none is late; 1 one was not triaged in time (training.triage_days), or "
            "its text is missing from the ledger.",
    .formats = "table json",
    .options = no_options,
    .run = run_list,
};

static const tut_command *const members[] = {
    &tut_cmd_train_concern_list, &tut_cmd_train_concern_show, &tut_cmd_train_concern_triage,
    &tut_cmd_train_concern_verify, NULL};

const tut_command tut_cmd_train_concern = {
    .name = "train concern",
    .arguments = "",
    .summary = "Raise a concern about a risk, with a receipt; also without a name",
    .help =
        "tutela train concern --subject TEXT --file FILE (--by NAME | --anonymous) keeps the text, "
        "and the name where one is given, in a sealed body; the entry of the log tells neither. "
        "The receipt has a number, the entry, and a salt: with the text it shows what was raised "
        "and when. Those whom training.concerns of tutela.yaml names triage it within "
        "training.triage_days. What the log does note of every entry is the user id of the process "
        "that wrote it: whoever wants to stay unknown to the keeper of the log raises it from an "
        "account that several people use.",
    .formats = "table json",
    .options = options,
    .run = run,
    .subcommands = members,
};
