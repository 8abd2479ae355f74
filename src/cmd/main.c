/* tutela: finds the command's row and runs it. */
#include <signal.h>
#include <stdio.h>

#include "base/alloc.h"
#include "base/cage.h"
#include "cmd/args.h"
#include "cmd/help.h"

static const tut_command *command_find(tut_str name)
{
    for (size_t i = 0; tut_commands[i]; i++)
        if (tut_str_eq_z(name, tut_commands[i]->name))
            return tut_commands[i];
    return NULL;
}

static int unknown_command(tut_str name)
{
    const char *names[64];
    size_t count = 0;
    for (size_t i = 0; tut_commands[i] && count < 64; i++)
        names[count++] = tut_commands[i]->name;
    const char *nearest = tut_str_nearest(name, names, count);
    TUT_CLEAN(tut_buf) line = TUT_BUF_INIT;
    tut_buf_add_z(&line, "tutela: no command \"");
    tut_buf_add_escaped(&line, name, 64);
    tut_buf_add_z(&line, "\".");
    if (nearest)
        tut_buf_printf(&line, " Did you mean \"%s\"?  ", nearest);
    tut_buf_add_z(&line, " tutela --help lists all.\n");
    fwrite(line.data, 1, line.len, stderr);
    return TUT_EXIT_FAILED;
}

/* The command is the first word that is neither a global option nor its value. */
static int command_position(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (argv[i][0] != '-' || argv[i][1] == '\0')
            return i;
        if (strcmp(argv[i], "--") == 0)
            return argc;
        for (size_t o = 0; tut_global_options[o].name; o++)
            if (tut_global_options[o].type == TUT_OPTION_VALUE &&
                strcmp(argv[i], tut_global_options[o].name) == 0)
                i++;
    }
    return argc;
}

static int run(int argc, char **argv, tut_args *args)
{
    tut_error err = {0};
    int at = command_position(argc, argv);
    if (at >= argc) {
        if (argc > 1 && strcmp(argv[1], "--version") == 0)
            return tut_help_version();
        if (!tut_is_ok(tut_args_parse(args, NULL, argv + 1, argc - 1, &err)))
            return tut_cmd_fail(&err);
        return tut_help_all(args->wants_help ? TUT_EXIT_OK : TUT_EXIT_FAILED);
    }
    bool is_help = strcmp(argv[at], "help") == 0;
    if (is_help && at + 1 >= argc)
        return tut_help_all(TUT_EXIT_OK);
    tut_str name = tut_str_of(argv[is_help ? at + 1 : at]);
    const tut_command *command = command_find(name);
    if (!command)
        return unknown_command(name);
    if (is_help)
        return tut_help_command(command);
    /* The command's own word leaves; what stands before and after is read by one table. */
    for (int i = at; i + 1 < argc; i++)
        argv[i] = argv[i + 1];
    if (!tut_is_ok(tut_args_parse(args, command, argv + 1, argc - 2, &err)))
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
    tut_args args = {.format = "table"};
    args.positional = tut_alloc_array((size_t)argc + 1, sizeof(*args.positional));
    if (!args.positional) {
        fputs("tutela: memory ran out\n", stderr);
        return TUT_EXIT_FAILED;
    }
    int status = run(argc, argv, &args);
    tut_free(args.positional);
    return status;
}
