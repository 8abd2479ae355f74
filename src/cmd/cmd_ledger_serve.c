/* tutela ledger serve: one writer for many clients, over a socket. */
#include <stdio.h>
#include <stdlib.h>

#include "cmd/ledger_place.h"

enum { WINDOW_MAX_MS = 1000 };

static const tut_option options[] = {
    {"--window", TUT_OPTION_VALUE, "MS",
     "wait so long for more entries that share one wait for the disk (0 to 1000; default 0)"},
    TUT_OPTION_PASSPHRASE_FILE,
    {NULL, TUT_OPTION_FLAG, NULL, NULL},
};

static tut_status read_window(const tut_args *args, unsigned *ret_ms, tut_error *err)
{
    const char *text = tut_args_get(args, "--window");
    uint64_t ms = 0;
    if (text && (!tut_str_u64(tut_str_of(text), &ms) || ms > WINDOW_MAX_MS))
        return tut_fail(err, TUT_USAGE, "--window is a number of milliseconds, 0 to %d",
                        WINDOW_MAX_MS);
    *ret_ms = (unsigned)ms;
    return TUT_SUCCESS;
}

/* On standard error: scripts read the socket's path off the documented place. */
static void say_ready(void *ctx, const char *socket)
{
    const tut_args *args = ctx;
    TUT_CLEAN(tut_buf) line = TUT_BUF_INIT;
    if (args->quiet)
        return;
    tut_buf_add_z(&line, "Listening on ");
    tut_buf_add_escaped(&line, tut_str_of(socket), 4096);
    tut_buf_add_z(&line, "\n");
    if (tut_buf_z(&line))
        (void)fputs(tut_buf_z(&line), stderr);
}

static tut_status serve(const tut_args *args, tut_error *err)
{
    TUT_CLEAN(tut_ledger_place) place = {0};
    unsigned window_ms = 0;
    TUT_TRY(read_window(args, &window_ms, err));
    TUT_TRY(tut_ledger_place_find(args, &place, err));
    tut_sequencer_options o = tut_ledger_place_options(&place);
    o.window_ms = window_ms;
    return tut_sequencer_serve(&o, say_ready, (void *)(uintptr_t)args, err);
}

static int run(const tut_args *args)
{
    tut_error err = {0};
    return tut_is_ok(serve(args, &err)) ? TUT_EXIT_OK : tut_cmd_fail(&err);
}

const tut_command tut_cmd_ledger_serve = {
    .name = "ledger serve",
    .arguments = "",
    .summary = "Take entries from many clients over a socket, until SIGTERM or Ctrl-C",
    .help =
        "Listens on .tutela/ledger/socket. A child process alone holds the log key; it checks who "
        "writes (peer credentials) against the table `access` beside that key: a line \"UID KIND\" "
        "each, * for any user, * at the end of a kind for any rest. Without a table only you may "
        "write. docs/ledger.md has the protocol. Other commands use the socket by themselves while "
        "it answers.",
    .formats = "table",
    .options = options,
    .run = run,
};
