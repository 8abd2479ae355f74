/* tutela: finds the command's row and runs it. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cage.h"
#include "cmd/args.h"
#include "cmd/help.h"
#include "crypto/openssl.h"

/* By the last word of its name: members of a family are named in full. */
static const tut_command *command_find(const tut_command *const *among, tut_str name)
{
    for (size_t i = 0; among[i]; i++) {
        const char *space = strrchr(among[i]->name, ' ');
        if (tut_str_eq_z(name, space ? space + 1 : among[i]->name))
            return among[i];
    }
    return NULL;
}

static int unknown_command(const tut_command *family, const tut_command *const *among, tut_str name)
{
    const char *names[64];
    size_t count = 0;
    for (size_t i = 0; among[i] && count < 64; i++) {
        const char *space = strrchr(among[i]->name, ' ');
        names[count++] = space ? space + 1 : among[i]->name;
    }
    const char *nearest = tut_str_nearest(name, names, count);
    const char *of = family ? family->name : "";
    TUT_CLEAN(tut_buf) line = TUT_BUF_INIT;
    tut_buf_printf(&line, "tutela: no command \"%s%s", of, *of ? " " : "");
    tut_buf_add_escaped(&line, name, 64);
    tut_buf_add_z(&line, "\".");
    if (nearest)
        tut_buf_printf(&line, " Did you mean \"%s\"?  ", nearest);
    tut_buf_printf(&line, " tutela %s%s--help lists all.\n", of, *of ? " " : "");
    fwrite(line.data, 1, line.len, stderr);
    return TUT_EXIT_FAILED;
}

static bool takes_value(const char *word)
{
    for (size_t o = 0; tut_global_options[o].name; o++)
        if (tut_global_options[o].type == TUT_OPTION_VALUE &&
            strcmp(word, tut_global_options[o].name) == 0)
            return true;
    return false;
}

/* The command is the first word from `from` on that is neither a global option nor its value. */
static int command_position(int from, int argc, char **argv)
{
    for (int i = from; i < argc; i++) {
        if (argv[i][0] != '-' || argv[i][1] == '\0')
            return i;
        if (strcmp(argv[i], "--") == 0)
            return argc;
        if (takes_value(argv[i]))
            i++;
    }
    return argc;
}

static void drop_word(int at, int *argc, char **argv)
{
    for (int i = at; i + 1 < *argc; i++)
        argv[i] = argv[i + 1];
    --*argc;
}

static bool asks_for_help(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return true;
    return false;
}

/* From a family down to its member, word by word. NULL: said already, *ret_exit is the status. */
static const tut_command *descend(const tut_command *command, int at, int *argc, char **argv,
                                  bool is_help, int *ret_exit)
{
    while (command->subcommands) {
        at = command_position(at, *argc, argv);
        if (at >= *argc && command->run)
            return command;
        if (at >= *argc) {
            bool is_asked = is_help || asks_for_help(*argc, argv);
            *ret_exit = tut_help_family(command, is_asked ? TUT_EXIT_OK : TUT_EXIT_FAILED);
            return NULL;
        }
        tut_str name = tut_str_of(argv[at]);
        const tut_command *member = command_find(command->subcommands, name);
        if (!member && command->run)
            return command; /* a word of its own: inventory DIR */
        if (!member) {
            *ret_exit = unknown_command(command, command->subcommands, name);
            return NULL;
        }
        drop_word(at, argc, argv);
        command = member;
    }
    return command;
}

static int run(int argc, char **argv, tut_args *args)
{
    tut_error err = {0};
    int at = command_position(1, argc, argv);
    if (at >= argc) {
        if (argc > 1 && strcmp(argv[1], "--version") == 0)
            return tut_help_version();
        if (!tut_is_ok(tut_args_parse(args, NULL, argv + 1, argc - 1, &err)))
            return tut_cmd_fail(&err);
        return tut_help_all(args->wants_help ? TUT_EXIT_OK : TUT_EXIT_FAILED);
    }
    bool is_help = strcmp(argv[at], "help") == 0;
    if (is_help)
        drop_word(at, &argc, argv);
    if (at >= argc)
        return tut_help_all(TUT_EXIT_OK);
    tut_str name = tut_str_of(argv[at]);
    const tut_command *command = command_find(tut_commands, name);
    if (!command)
        return unknown_command(NULL, tut_commands, name);
    /* The command's own words leave; what stands before and after is read by one table. */
    drop_word(at, &argc, argv);
    int exit_status = TUT_EXIT_FAILED;
    command = descend(command, at, &argc, argv, is_help, &exit_status);
    if (!command)
        return exit_status;
    if (is_help)
        return tut_help_command(command);
    if (!tut_is_ok(tut_args_parse(args, command, argv + 1, argc - 1, &err)))
        return tut_cmd_fail(&err);
    if (args->wants_help)
        return tut_help_command(command);
    if (!tut_is_ok(tut_args_check(args, &err)))
        return tut_cmd_fail(&err);
    return command->run(args);
}

int main(int argc, char **argv)
{
    signal(SIGPIPE, SIG_IGN); /* a closed pipe is seen where output is written */
    tut_interrupt_install();
    tut_openssl_ignore_config();
    tut_args args = {.format = "table"};
    args.positional = tut_alloc_array((size_t)argc + 1, sizeof(*args.positional));
    args.given = tut_alloc_array((size_t)argc + 1, sizeof(*args.given));
    if (!args.positional || !args.given) {
        fputs("tutela: memory ran out\n", stderr);
        return TUT_EXIT_FAILED;
    }
    int status = run(argc, argv, &args);
    tut_free(args.positional);
    tut_free(args.given);
    return status;
}
