/* Arguments of one command, read by its option table. Global options may stand anywhere. */
#include "cmd/args.h"

#include <stdio.h>

#include "base/alloc.h"

const tut_option tut_global_options[] = {
    {"--system", TUT_OPTION_VALUE, "FILE", "the description to use instead of DIR/tutela.yaml"},
    {"--state", TUT_OPTION_VALUE, "DIR", "where records and reports lie instead of DIR/.tutela"},
    {"--format", TUT_OPTION_VALUE, "FORMAT", "table (default), json, and what the command lists"},
    {"--sandbox", TUT_OPTION_VALUE, "auto|require",
     "require: refuse to read files where the kernel cannot confine the reader"},
    {"--color", TUT_OPTION_VALUE, "auto|always|never", "colour on terminals only, unless told"},
    {"--quiet", TUT_OPTION_FLAG, NULL, "no progress and no remarks on stderr"},
    {"--help", TUT_OPTION_FLAG, NULL, "this text"},
    {NULL, TUT_OPTION_FLAG, NULL, NULL},
};

enum {
    GLOBAL_SYSTEM,
    GLOBAL_STATE,
    GLOBAL_FORMAT,
    GLOBAL_SANDBOX,
    GLOBAL_COLOR,
    GLOBAL_QUIET,
    GLOBAL_HELP
};

/* Is `value` one of the words of "a|b|c"? A table entry in capitals takes anything. */
static bool value_allowed(const char *table, tut_str value)
{
    if (table[0] >= 'A' && table[0] <= 'Z')
        return true;
    const char *at = table;
    while (*at) {
        size_t len = strcspn(at, "|");
        if (tut_str_eq((tut_str){at, len}, value))
            return true;
        at += len + (at[len] == '|');
    }
    return false;
}

static size_t option_find(const tut_option *table, tut_str name)
{
    for (size_t i = 0; table && table[i].name; i++)
        if (tut_str_eq_z(name, table[i].name))
            return i;
    return SIZE_MAX;
}

static tut_status unknown_option(const tut_command *command, tut_str name, tut_error *err)
{
    const char *known[TUT_ARGS_VALUES + 16];
    size_t count = 0;
    for (size_t i = 0; tut_global_options[i].name; i++)
        known[count++] = tut_global_options[i].name;
    for (size_t i = 0; command && command->options && command->options[i].name; i++)
        known[count++] = command->options[i].name;
    const char *nearest = tut_str_nearest(name, known, count);
    const char *of = command ? command->name : "";
    if (nearest)
        return tut_fail(err, TUT_USAGE,
                        "no option \"%.*s\". Did you mean \"%s\"?   tutela %s%s--help lists all.",
                        (int)name.len, name.data, nearest, of, *of ? " " : "");
    return tut_fail(err, TUT_USAGE, "no option \"%.*s\".   tutela %s%s--help lists all.",
                    (int)name.len, name.data, of, *of ? " " : "");
}

static tut_status set_global(tut_args *args, size_t option, const char *value)
{
    switch (option) {
    case GLOBAL_SYSTEM:
        args->system = value;
        break;
    case GLOBAL_STATE:
        args->state = value;
        break;
    case GLOBAL_FORMAT:
        args->format = value;
        break;
    case GLOBAL_SANDBOX:
        args->sandbox = strcmp(value, "require") == 0 ? TUT_CAGE_REQUIRE : TUT_CAGE_AUTO;
        break;
    case GLOBAL_COLOR:
        args->color = strcmp(value, "always") == 0  ? TUT_COLOR_ALWAYS
                      : strcmp(value, "never") == 0 ? TUT_COLOR_NEVER
                                                    : TUT_COLOR_AUTO;
        break;
    case GLOBAL_QUIET:
        args->quiet = true;
        break;
    default:
        args->wants_help = true;
        break;
    }
    return TUT_SUCCESS;
}

/* One option at argv[*at]; moves past its value. */
static tut_status take_option(tut_args *args, const tut_command *command, char **argv, int argc,
                              int *at, tut_error *err)
{
    const char *word = argv[*at];
    const char *equals = strchr(word, '=');
    tut_str name = {word, equals ? (size_t)(equals - word) : strlen(word)};
    if (tut_str_eq_z(name, "-h"))
        name = TUT_LIT("--help");
    const tut_option *table = tut_global_options;
    size_t i = option_find(table, name);
    bool is_global = i != SIZE_MAX;
    if (!is_global) {
        table = command ? command->options : NULL;
        i = option_find(table, name);
    }
    if (!table || i == SIZE_MAX)
        return unknown_option(command, name, err);
    const char *value = "";
    if (table[i].type != TUT_OPTION_FLAG) {
        if (!equals && *at + 1 >= argc)
            return tut_fail(err, TUT_USAGE, "%s wants a value: %s", table[i].name, table[i].value);
        value = equals ? equals + 1 : argv[++*at];
        if (!value_allowed(table[i].value, tut_str_of(value)))
            return tut_fail(err, TUT_USAGE, "%s takes %s, not \"%s\"", table[i].name,
                            table[i].value, value);
    } else if (equals) {
        return tut_fail(err, TUT_USAGE, "%s takes no value", table[i].name);
    }
    if (is_global)
        return set_global(args, i, value);
    args->values[i] = value;
    if (table[i].type == TUT_OPTION_LIST)
        args->given[args->given_count++] = (tut_given){.option = i, .value = value};
    return TUT_SUCCESS;
}

tut_status tut_args_parse(tut_args *args, const tut_command *command, char **argv, int argc,
                          tut_error *err)
{
    args->command = command;
    bool options_over = false;
    for (int i = 0; i < argc; i++) {
        const char *word = argv[i];
        if (!options_over && strcmp(word, "--") == 0) {
            options_over = true;
            continue;
        }
        if (!options_over && word[0] == '-' && word[1] != '\0') {
            TUT_TRY(take_option(args, command, argv, argc, &i, err));
            continue;
        }
        args->positional[args->positional_count++] = word;
    }
    return TUT_SUCCESS;
}

tut_status tut_args_check(const tut_args *args, tut_error *err)
{
    const tut_command *c = args->command;
    if (args->positional_count < c->least)
        return tut_fail(err, TUT_USAGE, "%s wants %s.   tutela %s --help explains.", c->name,
                        c->arguments, c->name);
    if (args->positional_count > c->most)
        return tut_fail(err, TUT_USAGE, "%s takes %s; \"%s\" is one too many.", c->name,
                        c->arguments && *c->arguments ? c->arguments : "no arguments",
                        args->positional[c->most]);
    tut_str formats = tut_str_of(c->formats);
    tut_str wanted = tut_str_of(args->format);
    for (size_t at = 0; at < formats.len;) {
        size_t len = strcspn(formats.data + at, " ");
        if (tut_str_eq((tut_str){formats.data + at, len}, wanted))
            return TUT_SUCCESS;
        at += len + 1;
    }
    return tut_fail(err, TUT_USAGE, "%s has no format \"%s\"; it has: %s", c->name, args->format,
                    c->formats);
}

const char *tut_args_get(const tut_args *args, const char *option)
{
    size_t i = option_find(args->command->options, tut_str_of(option));
    return i == SIZE_MAX ? NULL : args->values[i];
}

bool tut_args_has(const tut_args *args, const char *option)
{
    return tut_args_get(args, option) != NULL;
}

const char *tut_args_nth(const tut_args *args, const char *option, size_t n)
{
    size_t i = option_find(args->command->options, tut_str_of(option));
    for (size_t k = 0; k < args->given_count; k++)
        if (args->given[k].option == i && n-- == 0)
            return args->given[k].value;
    return NULL;
}
