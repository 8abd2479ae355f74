/* One table row and one file per command: parse arguments, call the library, print. */
#ifndef TUT_CMD_COMMAND_H
#define TUT_CMD_COMMAND_H

#include "base/cage.h"
#include "base/status.h"
#include "base/term.h"

/* Exit statuses of the contract. */
enum { TUT_EXIT_OK = 0, TUT_EXIT_FOUND = 1, TUT_EXIT_FAILED = 2, TUT_EXIT_DOUBT = 3 };

typedef enum tut_option_type {
    TUT_OPTION_FLAG,
    TUT_OPTION_VALUE,
    TUT_OPTION_LIST /* a value, and the option may be given again */
} tut_option_type;

typedef struct tut_option {
    const char *name; /* "--depth" */
    tut_option_type type;
    const char *value; /* "structure|content" (checked: one of these), or "FILE" (any) */
    const char *help;  /* one line */
} tut_option;

enum { TUT_ARGS_VALUES = 48 };

typedef struct tut_given { /* one option of a list, in the order of the command line */
    size_t option;
    const char *value;
} tut_given;

/* Parsed arguments of one command. Global options are taken out wherever they stand. */
typedef struct tut_args {
    /* global */
    const char *system; /* --system FILE, or NULL */
    const char *state;  /* --state DIR, or NULL */
    const char *format; /* --format; "table" by default */
    bool quiet;
    bool wants_help;
    bool describes_anew; /* init without --update: an existing tutela.yaml is not read */
    tut_color_mode color;
    tut_cage_mode sandbox; /* --sandbox auto|require */
    /* the command's own, in the order of its option table */
    const char *values[TUT_ARGS_VALUES]; /* value, "" for a given flag, NULL when absent */
    tut_given *given;                    /* values of lists; room for every word */
    size_t given_count;
    const char **positional;
    size_t positional_count;
    const struct tut_command *command;
} tut_args;

typedef struct tut_command {
    const char *name;          /* "scan" */
    const char *arguments;     /* "PATH... | -"; NULL: none */
    const char *summary;       /* one line for the list */
    const char *help;          /* a paragraph and examples */
    const char *formats;       /* accepted by --format: "table json jsonl sarif" */
    const tut_option *options; /* ended by a NULL name */
    size_t least, most;        /* positional arguments */
    int (*run)(const tut_args *args);
    /* A family ("ledger"): its members, NULL-ended, named in full ("ledger verify"). run is NULL,
     * or what the family's name does by itself ("inventory DIR" beside "inventory trace"). */
    const struct tut_command *const *subcommands;
} tut_command;

extern const tut_command *const tut_commands[]; /* NULL-ended, in order of use */

/* Value of an option by name, or NULL when it was not given. */
const char *tut_args_get(const tut_args *args, const char *option);
bool tut_args_has(const tut_args *args, const char *option);
/* The n-th value (from 0) of an option that may be given again, or NULL behind the last. */
const char *tut_args_nth(const tut_args *args, const char *option, size_t n);

/* "tutela: what" (or "path: what") as one line on stderr, untrusted text escaped; returns 2. */
int tut_cmd_fail(const tut_error *err);
int tut_cmd_usage(const tut_args *args, const char *fmt, ...) TUT_PRINTF(2, 3);
/* "  label      text" with its newline, the text escaped; nothing when it is NULL. */
void tut_cmd_line(tut_buf *out, const char *label, const char *text);
/* Writes the whole buffer to stdout; a closed pipe is quiet, a full disk is 2. Returns
 * `exit_status`. */
int tut_cmd_output(const tut_buf *out, int exit_status);
/* --fail-on: a severity, or for scan a verdict word ("malicious" = critical, "dangerous" = high,
 * "review" = medium). USAGE otherwise. NULL text leaves the default high. */
TUT_MUST tut_status tut_cmd_fail_on(const char *text, bool with_verdicts, int *ret_severity,
                                    tut_error *err);

/* Where the described system and its state are: --system, --state, or DIR. *ret_state is NULL when
 * no tutela.yaml is there (then nothing is recorded; the command says so on stderr). Caller frees.
 */
TUT_MUST tut_status tut_cmd_locate(const tut_args *args, const char *dir, char **ret_dir,
                                   char **ret_state, tut_error *err);

#endif
