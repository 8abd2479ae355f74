/* tutela ledger witness: the family; and to ask witnesses, or look at what they gave. */
#include <string.h>

#include "base/json_write.h"
#include "base/limits.h"
#include "cmd/ledger_evidence.h"
#include "cmd/vouching.h"
#include "ledger/witness_ask.h"
#include "ledger/witness_policy.h"

extern const tut_command tut_cmd_ledger_witness_serve;

static const tut_option options[] = {
    {"--policy", TUT_OPTION_VALUE, "FILE",
     "witnesses with their URLs and the quorum (C2SP tlog-policy), instead of tutela.yaml's"},
    {"--witness", TUT_OPTION_LIST, "VKEY", "without --policy: the key of each URL, in their order"},
    {"--kept", TUT_OPTION_FLAG, NULL, "ask nobody: judge the cosignatures that are kept"},
    {NULL, TUT_OPTION_FLAG, NULL, NULL},
};

typedef struct asked {
    const tut_verifier *verifier;
    const char *name, *url;
    bool was_asked;
    tut_witness_reply reply;
} asked;

typedef struct asking {
    tut_ledger_evidence evidence;
    tut_vouchers vouchers;
    const tut_witness_policy *policy; /* NULL: URLs only */
    bool only_kept;
    tut_verifier verifiers[TUT_POLICY_WITNESSES_MAX];
    size_t verifier_count;
    asked list[TUT_POLICY_WITNESSES_MAX];
    size_t count;
    tut_witness_kept kept;
} asking;

static void asking_done(asking *a)
{
    tut_ledger_evidence_done(&a->evidence);
    tut_vouchers_done(&a->vouchers);
    for (size_t i = 0; i < a->verifier_count; i++)
        tut_verifier_done(&a->verifiers[i]);
}

/* ---- whom to ask ---- */

static void take_policy(asking *a)
{
    const tut_policy_witness *witnesses;
    a->policy = a->vouchers.policy;
    a->count = tut_witness_policy_witnesses(a->policy, &witnesses);
    for (size_t i = 0; i < a->count; i++)
        a->list[i] = (asked){
            .verifier = &witnesses[i].verifier, .name = witnesses[i].name, .url = witnesses[i].url};
}

static tut_status read_urls(const tut_args *args, asking *a, tut_error *err)
{
    const char *vkey;
    while ((vkey = tut_args_nth(args, "--witness", a->count)) != NULL) {
        if (a->count == TUT_POLICY_WITNESSES_MAX)
            return tut_fail(err, TUT_LIMIT, "at most %d witnesses can be asked at once",
                            TUT_POLICY_WITNESSES_MAX);
        tut_verifier *v = &a->verifiers[a->verifier_count];
        TUT_TRY(tut_verifier_parse(tut_str_of(vkey), v, err));
        a->verifier_count++;
        if (v->algorithm != TUT_NOTE_COSIGNATURE)
            return tut_fail(err, TUT_USAGE, "--witness wants a cosigner's key; \"%s\" is a log's",
                            v->name);
        if (a->count < args->positional_count)
            a->list[a->count] =
                (asked){.verifier = v, .name = v->name, .url = args->positional[a->count]};
        a->count++;
    }
    if (a->count == 0 || a->count != args->positional_count)
        return tut_fail(err, TUT_USAGE,
                        "a witness is believed by its key: give --policy FILE, or one --witness "
                        "VKEY for each URL");
    return TUT_SUCCESS;
}

static tut_status read_whom(const tut_args *args, asking *a, tut_error *err)
{
    bool has_urls = args->positional_count > 0 || tut_args_nth(args, "--witness", 0);
    if (has_urls && tut_args_has(args, "--policy"))
        return tut_fail(err, TUT_USAGE, "with --policy the URLs are those of the policy");
    if (has_urls && a->only_kept)
        return tut_fail(err, TUT_USAGE, "--kept asks nobody; it wants the --policy to judge by");
    if (has_urls)
        return read_urls(args, a, err);
    TUT_TRY(tut_vouching_one(args, TUT_VOUCHER_WITNESSES, &a->vouchers, err));
    if (!a->vouchers.policy)
        return tut_fail(err, TUT_USAGE,
                        "whom to ask is said by --policy FILE, by policy.witnesses in tutela.yaml, "
                        "or by a URL with its --witness VKEY");
    take_policy(a);
    return TUT_SUCCESS;
}

/* ---- asking ---- */

static tut_status ask_all(asking *a, tut_error *err)
{
    for (size_t i = 0; i < a->count; i++) {
        asked *w = &a->list[i];
        if (!w->url)
            continue;
        TUT_TRY(tut_witness_ask(a->evidence.dir, a->evidence.log,
                                tut_log_checkpoint(a->evidence.log), w->verifier, w->url, &w->reply,
                                err));
        w->was_asked = true;
    }
    return TUT_SUCCESS;
}

/* Whoever asks wants the log as it is cosigned; whoever looks at what is kept sees how far it goes.
 */
static bool is_reached(const asking *a)
{
    return a->kept.has_verdict && a->kept.verdict.is_met && !a->kept.is_rewritten &&
           (a->only_kept || a->kept.size == tut_log_size(a->evidence.log));
}

static bool is_refused(const asked *w)
{
    return w->was_asked && w->reply.outcome != TUT_WITNESS_COSIGNED;
}

/* A quorum is a quorum, whoever else was out of reach; but that a witness has seen another tree is
 * found in any case. */
static int exit_of(const asking *a)
{
    bool any_refused = false;
    if (a->kept.is_rewritten)
        return TUT_EXIT_FOUND;
    for (size_t i = 0; i < a->count; i++) {
        const asked *w = &a->list[i];
        tut_witness_outcome o = w->reply.outcome;
        if (w->was_asked && (o == TUT_WITNESS_AHEAD || o == TUT_WITNESS_DIVERGES))
            return TUT_EXIT_FOUND;
        any_refused = any_refused || is_refused(w);
    }
    if (a->policy)
        return is_reached(a) ? TUT_EXIT_OK : TUT_EXIT_FOUND;
    return any_refused ? TUT_EXIT_FOUND : TUT_EXIT_OK;
}

/* ---- showing ---- */

static bool has_cosigned(const asking *a, size_t i)
{
    return a->kept.has_verdict && a->kept.verdict.cosigned[i];
}

static void show_time(tut_json *j, const char *key, bool has, tut_time at)
{
    if (has)
        tut_json_put_time(j, key, at);
    else
        tut_json_put_or_null(j, key, TUT_LIT(""));
}

static tut_status show_json(const asking *a, tut_buf *out, tut_error *err)
{
    TUT_AUTO(tut_json) j = NULL;
    TUT_TRY(tut_json_new(out, &j));
    tut_json_head(j, "tutela.witness/1", tut_time_generated());
    tut_json_key(j, "summary");
    tut_json_object(j);
    tut_json_put_z(j, "origin", tut_ledger_log_origin(a->evidence.ledger));
    tut_json_put_u64(j, "size", tut_log_size(a->evidence.log));
    if (a->policy)
        tut_json_put_bool(j, "quorum", is_reached(a));
    tut_json_put_u64(j, "cosigned_size", a->kept.size);
    tut_json_put_bool(j, "rewritten", a->kept.is_rewritten);
    show_time(j, "proven_time", is_reached(a) && a->kept.verdict.has_time, a->kept.verdict.at);
    tut_json_end_object(j);
    tut_json_key(j, "witnesses");
    tut_json_array(j);
    for (size_t i = 0; i < a->count; i++) {
        const asked *w = &a->list[i];
        bool now = w->was_asked && w->reply.outcome == TUT_WITNESS_COSIGNED;
        tut_json_object(j);
        tut_json_put_z(j, "name", w->name);
        tut_json_put_or_null(j, "url", tut_str_of(w->url));
        tut_json_put_or_null(
            j, "outcome",
            tut_str_of(w->was_asked ? tut_witness_outcome_name(w->reply.outcome) : NULL));
        tut_json_put_bool(j, "cosigned", now || has_cosigned(a, i));
        show_time(j, "at", now || has_cosigned(a, i),
                  has_cosigned(a, i) ? a->kept.verdict.times[i] : w->reply.at);
        tut_json_put_or_null(j, "why", tut_str_of(is_refused(w) ? w->reply.why.text : NULL));
        tut_json_end_object(j);
    }
    tut_json_end_array(j);
    tut_json_end_object(j);
    TUT_TRY(tut_json_finish(j, err));
    tut_buf_add_z(out, "\n");
    return TUT_SUCCESS;
}

static void show_one(const asking *a, size_t i, tut_buf *out)
{
    const asked *w = &a->list[i];
    char at[TUT_TIME_TEXT];
    tut_buf_add_z(out, "  ");
    tut_buf_add_escaped(out, tut_str_of(w->name), 64);
    if (is_refused(w)) {
        tut_buf_printf(out, ": %s: ", tut_witness_outcome_name(w->reply.outcome));
        tut_buf_add_escaped(out, tut_str_of(w->reply.why.text), TUT_ERROR_TEXT_MAX);
    } else if (w->was_asked || has_cosigned(a, i)) {
        tut_time_people(has_cosigned(a, i) ? a->kept.verdict.times[i] : w->reply.at, at);
        tut_buf_printf(out, ": cosigned, %s", at);
    } else {
        tut_buf_add_z(out, w->url ? ": has not cosigned" : ": has not cosigned; no URL to ask");
    }
    tut_buf_add_z(out, "\n");
}

static void show_text(const asking *a, tut_buf *out)
{
    char at[TUT_TIME_TEXT];
    tut_buf_printf(out, "%llu entries of ", (unsigned long long)tut_log_size(a->evidence.log));
    tut_buf_add_escaped(out, tut_str_of(tut_ledger_log_origin(a->evidence.ledger)), 128);
    tut_buf_add_z(out, "\n");
    for (size_t i = 0; i < a->count; i++)
        show_one(a, i, out);
    if (a->kept.is_rewritten)
        tut_buf_printf(
            out,
            "The log does not contain the tree of %llu entries that was cosigned: it was "
            "rewritten or cut.\n",
            (unsigned long long)a->kept.size);
    if (!a->policy)
        return;
    if (!is_reached(a)) {
        tut_buf_add_z(out, "The quorum is not reached.\n");
        return;
    }
    tut_buf_printf(out, "The quorum is reached for %llu entries", (unsigned long long)a->kept.size);
    if (a->kept.verdict.has_time) {
        tut_time_people(a->kept.verdict.at, at);
        tut_buf_printf(out, "; it was by %s", at);
    }
    tut_buf_add_z(out, ".\n");
}

static int run(const tut_args *args)
{
    TUT_AUTO_FREE asking *a = tut_alloc_array(1, sizeof(*a));
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    tut_error err = {0};
    if (a)
        a->only_kept = tut_args_has(args, "--kept");
    tut_status s = a ? read_whom(args, a, &err) : tut_fail(&err, TUT_NOMEM, "memory ran out");
    if (tut_is_ok(s))
        s = tut_ledger_evidence_open(args, &a->evidence, &err);
    if (tut_is_ok(s) && !a->only_kept)
        s = ask_all(a, &err);
    if (tut_is_ok(s))
        s = tut_witness_check_kept(a->evidence.dir, a->evidence.log, a->policy, &a->kept, &err);
    int status = TUT_EXIT_FAILED;
    if (tut_is_ok(s)) {
        if (strcmp(args->format, "json") == 0)
            s = show_json(a, &out, &err);
        else
            show_text(a, &out);
        status = exit_of(a);
    }
    if (a)
        asking_done(a);
    return tut_is_ok(s) ? tut_cmd_output(&out, status) : tut_cmd_fail(&err);
}

static const tut_command ask = {
    .name = "ledger witness ask",
    .arguments = "[URL...]",
    .summary = "Let witnesses cosign the evidence log as it stands",
    .help =
        "Each witness gets the signed checkpoint and the proof that the log contains what it "
        "cosigned before; its cosignature says at which time it saw this tree. A log that was "
        "rolled back or rewritten gets none, and exit status 1 says so. Cosignatures are kept in "
        ".tutela/ledger/evidence/checkpoint.witnessed. With --policy the exit status is 0 when "
        "the quorum is reached and no witness has seen another tree.\n"
        "Without any, the policy is the one that policy.witnesses of tutela.yaml names.\n"
        "Example: tutela ledger witness ask --policy witnesses.policy",
    .formats = "table json",
    .options = options,
    .most = TUT_POLICY_WITNESSES_MAX,
    .run = run,
};

static const tut_command *const members[] = {&ask, &tut_cmd_ledger_witness_serve, NULL};

const tut_command tut_cmd_ledger_witness = {
    .name = "ledger witness",
    .arguments = "COMMAND",
    .summary = "Ask others to vouch that the log was never rewritten, or vouch for theirs",
    .help = "C2SP tlog-witness, tlog-cosignature and tlog-policy. docs/witnesses.md explains.",
    .subcommands = members,
};
