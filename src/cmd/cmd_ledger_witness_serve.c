/* tutela ledger witness serve: vouch for logs of others. */
#include <stdio.h>
#include <unistd.h>

#include "base/limits.h"
#include "cmd/command.h"
#include "ledger/witness_serve.h"

static const tut_option options[] = {
    {"--key", TUT_OPTION_VALUE, "KEY",
     "Ed25519 key that cosigns and does nothing else: a PEM file, ssh-agent:… or a pkcs11: URI"},
    {"--name", TUT_OPTION_VALUE, "NAME",
     "name of the witness, a URL without scheme: witness.example/w1"},
    {"--log", TUT_OPTION_LIST, "VKEY", "a log to watch, by its verifier key; may be repeated"},
    {"--dir", TUT_OPTION_VALUE, "DIR",
     "where the latest checkpoint of each log is remembered; losing it ends the promise"},
    {"--listen", TUT_OPTION_VALUE, "WHERE", "127.0.0.1:8080, [::1]:8080 or unix:/run/witness.sock"},
    {"--passphrase-file", TUT_OPTION_VALUE, "FILE",
     "passphrase or PIN of the key, in its first line"},
    {NULL, TUT_OPTION_FLAG, NULL, NULL},
};

typedef struct serving {
    const tut_args *args;
    tut_verifier logs[TUT_WITNESS_LOGS_MAX];
    size_t log_count;
    tut_key *key;
    tut_witness *witness;
} serving;

static void serving_done(serving *s)
{
    tut_witness_free(s->witness);
    tut_key_free(s->key);
    for (size_t i = 0; i < s->log_count; i++)
        tut_verifier_done(&s->logs[i]);
}

static void write_line(tut_buf *line)
{
    if (tut_buf_z(line))
        (void)fputs(tut_buf_z(line), stderr);
}

static void say_ready(void *ctx, const char *url)
{
    const serving *s = ctx;
    TUT_CLEAN(tut_buf) line = TUT_BUF_INIT;
    tut_buf_add_z(&line, "Witness ");
    tut_witness_vkey(s->witness, &line);
    tut_buf_add_z(&line, "\nListening on ");
    tut_buf_add_escaped(&line, tut_str_of(url), 512);
    tut_buf_add_z(&line, "\n");
    write_line(&line);
}

/* One line a request: what an operator looks at when a log misbehaves. */
static void say_answer(void *ctx, const char *what, const tut_witness_answer *a)
{
    const serving *s = ctx;
    TUT_CLEAN(tut_buf) line = TUT_BUF_INIT;
    char at[TUT_TIME_TEXT];
    if (s->args->quiet)
        return;
    tut_time_rfc3339(tut_time_now(), at);
    tut_buf_printf(&line, "time=%s request=%s status=%d", at, what, a->status);
    if (a->origin[0]) {
        tut_buf_add_z(&line, " origin=\"");
        tut_buf_add_escaped(&line, tut_str_of(a->origin), 128);
        tut_buf_printf(&line, "\" size=%llu", (unsigned long long)a->size);
    }
    if (a->why.text[0]) {
        tut_buf_add_z(&line, " why=\"");
        tut_buf_add_escaped(&line, tut_str_of(a->why.text), 256);
        tut_buf_add_z(&line, "\"");
    }
    tut_buf_add_z(&line, "\n");
    write_line(&line);
}

static tut_status read_logs(serving *s, tut_error *err)
{
    const char *vkey;
    while ((vkey = tut_args_nth(s->args, "--log", s->log_count)) != NULL) {
        if (s->log_count == TUT_WITNESS_LOGS_MAX)
            return tut_fail(err, TUT_LIMIT, "a witness watches at most %u keys",
                            TUT_WITNESS_LOGS_MAX);
        TUT_TRY(tut_verifier_parse(tut_str_of(vkey), &s->logs[s->log_count], err));
        s->log_count++;
    }
    return TUT_SUCCESS;
}

static tut_status serve(serving *s, tut_error *err)
{
    const char *key = tut_args_get(s->args, "--key");
    const char *listen = tut_args_get(s->args, "--listen");
    tut_witness_options o = {.dir = tut_args_get(s->args, "--dir"),
                             .name = tut_args_get(s->args, "--name")};
    tut_secret_source secret = {.file = tut_args_get(s->args, "--passphrase-file"),
                                .may_ask = isatty(STDERR_FILENO) == 1};
    TUT_TRY(read_logs(s, err));
    if (!key || !o.name || !o.dir || !listen || s->log_count == 0)
        return tut_fail(err, TUT_USAGE,
                        "a witness needs --key, --name, --dir, --listen, and --log for each log");
    TUT_TRY(tut_key_open(key, &secret, &s->key, err));
    if (tut_pubkey_type(tut_key_public(s->key)) != TUT_KEY_ED25519)
        return tut_fail(err, TUT_USAGE, "a witness cosigns with an Ed25519 key, this is %s",
                        tut_key_type_name(tut_pubkey_type(tut_key_public(s->key))));
    o.key = s->key;
    o.logs = s->logs;
    o.log_count = s->log_count;
    TUT_TRY(tut_witness_open(&o, &s->witness, err));
    bool is_file = !tut_str_starts(tut_str_of(key), TUT_LIT("pkcs11:")) &&
                   !tut_str_starts(tut_str_of(key), TUT_LIT("ssh-agent:"));
    tut_witness_server server = {.listen = listen,
                                 .ready = say_ready,
                                 .answered = say_answer,
                                 .ctx = s,
                                 .confine_to = is_file ? o.dir : NULL};
    return tut_witness_serve(s->witness, &server, err);
}

static int run(const tut_args *args)
{
    TUT_AUTO_FREE serving *s = tut_alloc_array(1, sizeof(*s));
    tut_error err = {0};
    tut_status status;
    if (!s) {
        TUT_IGNORE(tut_fail(&err, TUT_NOMEM, "memory ran out"));
        return tut_cmd_fail(&err);
    }
    s->args = args;
    status = serve(s, &err);
    serving_done(s);
    return tut_is_ok(status) ? TUT_EXIT_OK : tut_cmd_fail(&err);
}

const tut_command tut_cmd_ledger_witness_serve = {
    .name = "ledger witness serve",
    .arguments = "",
    .summary = "Be a witness for logs of others, until SIGTERM or Ctrl-C",
    .help =
        "Takes POST /add-checkpoint (C2SP tlog-witness), cosigns what is signed by the log and "
        "contains what was cosigned before, and remembers it on the disk before it answers. GET "
        "/HASH/checkpoint, HASH being the SHA-256 of the log's origin, shows the latest. TLS is "
        "for a web server in front of it. Prints its verifier key, which others put into their "
        "policy, and a line for each request on standard error.",
    .formats = "table",
    .options = options,
    .run = run,
};
