/* tutela train concern show, triage, verify. */
#include <string.h>

#include "assess/tool.h"
#include "base/fs.h"
#include "cmd/concern_act.h"
#include "cmd/message_view.h"
#include "cmd/people_act.h"
#include "crypto/openssl.h"
#include "ledger/bodies.h"

static const tut_option show_options[] = {
    TUT_SIGNER_OPTIONS,
    {"--reveal", TUT_OPTION_FLAG, NULL, "print who raised it, too"},
    {NULL, TUT_OPTION_FLAG, NULL, NULL},
};
static const tut_option triage_options[] = {
    {"--outcome", TUT_OPTION_VALUE, "accepted|rejected|duplicate", "what comes of it"},
    {"--note", TUT_OPTION_VALUE, "TEXT", "why, and what is done; kept under seal"},
    TUT_SIGNER_OPTIONS,
    {NULL, TUT_OPTION_FLAG, NULL, NULL},
};
static const tut_option verify_options[] = {
    {"--file", TUT_OPTION_VALUE, "FILE", "the text, as it was raised"},
    {NULL, TUT_OPTION_FLAG, NULL, NULL},
};

tut_status tut_concern_act_triager(const tut_concern_act *a, const tut_person **ret_person,
                                   tut_key **ret_key, tut_error *err)
{
    TUT_AUTO(tut_key) key = NULL;
    const tut_person *person;
    TUT_TRY(tut_train_signer(&a->train, &person, &key, err));
    if (!tut_concern_triages(&a->policy, person->name, person->roles))
        return tut_fail(err, TUT_DENIED,
                        "%s triages no concerns: training.concerns.triage of tutela.yaml says who "
                        "does",
                        person->name);
    *ret_person = person;
    *ret_key = tut_move(&key);
    return TUT_SUCCESS;
}

/* --- show --- */

/* Reading is an entry: whoever looks is on record. */
static tut_status read_sealed(const tut_concern_act *a, const tut_concern *c, const char *by,
                              const char *what_for, tut_buf *out, tut_error *err)
{
    __attribute__((cleanup(tut_ledger_close_auto))) tut_ledger *ledger = NULL;
    tut_tool_digests tool;
    TUT_TRY(tut_tool_get_digests(&tool, err));
    const tut_record who = {.at = tut_time_now(),
                            .actor = by,
                            .statement = what_for,
                            .tool_binary = tool.binary,
                            .tool_catalogue = tool.catalogue,
                            .tool_rules = tool.rules};
    TUT_TRY(tut_ledger_open(a->train.state, true, &ledger, err));
    return tut_ledger_read_body(ledger, &who, &c->raised->body, out, err);
}

static tut_status show(tut_concern_act *a, const tut_args *args, tut_buf *out, tut_error *err)
{
    TUT_AUTO(tut_key) key = NULL;
    TUT_CLEAN(tut_buf) bytes = TUT_BUF_INIT;
    TUT_CLEAN(tut_concern_body) body = {.doc = NULL};
    const tut_person *person;
    const tut_concern *c;
    bool reveals = tut_args_has(args, "--reveal");
    char day[TUT_TIME_TEXT];
    TUT_TRY(tut_concern_act_open(a, args, err));
    TUT_TRY(tut_concern_act_find(a, args->positional[0], &c, err));
    TUT_TRY(tut_concern_act_triager(a, &person, &key, err));
    TUT_TRY(
        read_sealed(a, c, person->name,
                    reveals ? "A concern was shown, with who raised it." : "A concern was shown.",
                    &bytes, err));
    tut_status status = tut_concern_body_read(tut_buf_span(&bytes), &body, err);
    tut_wipe(bytes.data, bytes.len);
    TUT_TRY(status);
    tut_time_date(c->raised->recorded_at, day);
    tut_buf_printf(out, "%s%s, raised %s, %s\n", c->number, c->is_drill ? " (a drill)" : "", day,
                   tut_concern_state(c, a->train.at));
    if (!body.by.len)
        tut_buf_add_z(out, "by nobody who is named\n");
    else if (reveals) {
        tut_buf_add_z(out, "by ");
        tut_buf_add_escaped(out, body.by, TUT_PERSON_NAME_MAX);
        tut_buf_add_byte(out, '\n');
    } else
        tut_buf_add_z(out, "by somebody whose name is sealed (--reveal prints it)\n");
    tut_buf_add_byte(out, '\n');
    tut_buf_add_escaped(out, body.subject, 200);
    tut_buf_add_z(out, "\n\n");
    tut_message_lines(out, body.text);
    return tut_buf_check(out, err);
}

static int run_show(const tut_args *args)
{
    TUT_CLEAN(tut_concern_act) a = {.ledger = NULL};
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    tut_error err = {0};
    if (!tut_is_ok(show(&a, args, &out, &err)))
        return tut_cmd_fail(&err);
    return tut_cmd_output(&out, TUT_EXIT_OK);
}

const tut_command tut_cmd_train_concern_show = {
    .name = "train concern show",
    .arguments = "NUMBER",
    .summary = "Print a concern, for those who triage; that it was read is recorded",
    .help = "Needs the key of a person whom training.concerns names. Who raised it is printed only "
            "with --reveal, and that is recorded too.",
    .formats = "table",
    .options = show_options,
    .least = 1,
    .most = 1,
    .run = run_show,
};

/* --- triage --- */

/* Nobody decides about what he raised himself. The name is compared, and goes nowhere. */
static tut_status check_reporter(const tut_concern_act *a, const tut_concern *c,
                                 const tut_person *person, tut_error *err)
{
    TUT_CLEAN(tut_buf) bytes = TUT_BUF_INIT;
    TUT_CLEAN(tut_concern_body) body = {.doc = NULL};
    TUT_TRY(tut_ledger_get_body(a->ledger, &c->raised->body, &bytes, err));
    tut_status status = tut_concern_body_read(tut_buf_span(&bytes), &body, err);
    tut_wipe(bytes.data, bytes.len);
    TUT_TRY(status);
    return tut_str_eq_z(body.by, person->name)
               ? tut_fail(err, TUT_DENIED, "somebody else triages what one raised oneself")
               : TUT_SUCCESS;
}

static tut_status triage(tut_concern_act *a, const tut_args *args, tut_buf *out, tut_error *err)
{
    __attribute__((cleanup(tut_ledger_close_auto))) tut_ledger *ledger = NULL;
    TUT_AUTO(tut_key) key = NULL;
    const tut_person *person;
    const tut_concern *c;
    uint64_t index = 0;
    tut_concern_decision d = {.outcome = tut_args_get(args, "--outcome"),
                              .note = tut_args_get(args, "--note")};
    if (!d.outcome || !d.note)
        return tut_fail(err, TUT_USAGE, "triage needs --outcome and --note");
    TUT_TRY(tut_concern_act_open(a, args, err));
    TUT_TRY(tut_concern_act_find(a, args->positional[0], &c, err));
    TUT_TRY(tut_concern_act_triager(a, &person, &key, err));
    if (c->triaged && strcmp(c->outcome, d.outcome) == 0)
        return tut_fail(err, TUT_USAGE, "%s was %s already, by %s", c->number, c->outcome, c->by);
    TUT_TRY(check_reporter(a, c, person, err));
    d.by = person->name;
    d.signer = key;
    TUT_TRY(tut_ledger_open(a->train.state, true, &ledger, err));
    TUT_TRY(tut_concern_decide(ledger, c, &d, &index, err));
    tut_time took = tut_time_now() - c->raised->recorded_at;
    tut_buf_printf(out, "%s is %s: entry %llu, signed by ", c->number, d.outcome,
                   (unsigned long long)index);
    tut_buf_add_escaped(out, tut_str_of(person->name), TUT_PERSON_NAME_MAX);
    tut_buf_printf(out, ", %.1f days after it was raised (%u are allowed).\n",
                   (double)took / (double)TUT_DAY_SECONDS, a->policy.triage_days);
    return tut_buf_check(out, err);
}

static int run_triage(const tut_args *args)
{
    TUT_CLEAN(tut_concern_act) a = {.ledger = NULL};
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    tut_error err = {0};
    if (!tut_is_ok(triage(&a, args, &out, &err)))
        return tut_cmd_fail(&err);
    return tut_cmd_output(&out, TUT_EXIT_OK);
}

const tut_command tut_cmd_train_concern_triage = {
    .name = "train concern triage",
    .arguments = "NUMBER",
    .summary = "Decide what comes of a concern, and sign it",
    .help = "By a person whom training.concerns of tutela.yaml names, and who did not raise it. "
            "The note is kept under seal; the outcome, who decided and when are in the log.",
    .formats = "table",
    .options = triage_options,
    .least = 1,
    .most = 1,
    .run = run_triage,
};

/* --- verify: by whoever has a receipt --- */

static tut_status verify(tut_concern_act *a, const tut_args *args, tut_buf *out, bool *ret_holds,
                         tut_error *err)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) receipt = TUT_BUF_INIT;
    tut_concern_receipt_file f;
    tut_sha256 commitment;
    char day[TUT_TIME_TEXT];
    const char *file = tut_args_get(args, "--file");
    if (!file)
        return tut_fail(err, TUT_USAGE, "verify needs --file: the text as it was raised");
    TUT_TRY(tut_fs_read(args->positional[0], TUT_CONCERN_BYTES, &receipt, err));
    tut_status read = tut_concern_receipt_read(tut_buf_span(&receipt), &f, err);
    if (!tut_is_ok(read)) {
        tut_error_set_path(err, args->positional[0]);
        return read;
    }
    TUT_TRY(tut_fs_read(file, TUT_CONCERN_BYTES, &text, err));
    TUT_TRY(tut_concern_commitment(tut_str_of(f.says.salt), tut_str_of(f.subject),
                                   tut_buf_str(&text), &commitment, err));
    TUT_TRY(tut_concern_act_open(a, args, err));
    const tut_concern *c = tut_concerns_find(&a->concerns, f.says.number);
    bool is_text = tut_sha256_eq(&commitment, &f.says.commitment);
    bool is_there = c && c->raised->index == f.says.index &&
                    tut_sha256_eq(&c->raised->subjects[0].digest, &f.says.commitment);
    *ret_holds = is_text && is_there;
    tut_buf_printf(out, "text     %s\n", is_text ? "the one of the receipt" : "another one");
    tut_buf_printf(out, "log      %s\n",
                   is_there ? "has it, at the entry of the receipt" : "does not have it");
    if (is_there) {
        tut_time_date(c->raised->recorded_at, day);
        tut_buf_printf(out, "raised   %s\nstate    %s\n", day, tut_concern_state(c, a->train.at));
    }
    return tut_buf_check(out, err);
}

static int run_verify(const tut_args *args)
{
    TUT_CLEAN(tut_concern_act) a = {.ledger = NULL};
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    tut_error err = {0};
    bool holds = false;
    if (!tut_is_ok(verify(&a, args, &out, &holds, &err)))
        return tut_cmd_fail(&err);
    return tut_cmd_output(&out, holds ? TUT_EXIT_OK : TUT_EXIT_FOUND);
}

const tut_command tut_cmd_train_concern_verify = {
    .name = "train concern verify",
    .arguments = "RECEIPT",
    .summary = "Show, by a receipt and the text, that it was raised, and what became of it",
    .help = "Compares the text with the receipt, and the receipt with the log, whose tree is "
            "verified. Without this log: the receipt's \"proof\" is that of tutela ledger prove, "
            "and its commitment is the SHA-256 of salt, line end, subject, line end, text.\n\n"
            "Exit status: 0 it holds; 1 the text is another one, or the log does not have it.",
    .formats = "table",
    .options = verify_options,
    .least = 1,
    .most = 1,
    .run = run_verify,
};
