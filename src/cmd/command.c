/* What every command shares: its end, its errors, its place on disk. */
#include "cmd/command.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/json_write.h"
#include "scan/rule.h"

static const char *const verdict_words[] = {"clean", "review", "dangerous", "malicious"};

int tut_cmd_fail(const tut_error *err)
{
    if (err->is_told)
        return TUT_EXIT_FAILED;
    TUT_CLEAN(tut_buf) line = TUT_BUF_INIT;
    const char *where = tut_error_where(err);
    if (where[0])
        tut_buf_add_escaped(&line, tut_str_of(where), TUT_ERROR_PATH_MAX);
    else
        tut_buf_add_z(&line, "tutela");
    tut_buf_add_z(&line, ": ");
    tut_buf_add_escaped(&line, tut_str_of(err->text[0] ? err->text : tut_code_sentence(err->code)),
                        TUT_ERROR_TEXT_MAX);
    tut_buf_add_z(&line, "\n");
    fwrite(line.data, 1, line.len, stderr);
    return TUT_EXIT_FAILED;
}

int tut_cmd_usage(const tut_args *args, const char *fmt, ...)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    va_list ap;
    va_start(ap, fmt);
    tut_buf_vprintf(&text, fmt, ap);
    va_end(ap);
    TUT_CLEAN(tut_buf) line = TUT_BUF_INIT;
    tut_buf_printf(&line, "tutela %s: ", args->command->name);
    tut_buf_add_escaped(&line, tut_buf_str(&text), TUT_ERROR_TEXT_MAX);
    tut_buf_add_z(&line, "\n");
    fwrite(line.data, 1, line.len, stderr);
    return TUT_EXIT_FAILED;
}

void tut_cmd_line(tut_buf *out, const char *label, const char *text)
{
    if (!text)
        return;
    tut_buf_printf(out, "  %-10s ", label);
    tut_buf_add_escaped(out, tut_str_of(text), TUT_ERROR_PATH_MAX);
    tut_buf_add_byte(out, '\n');
}

int tut_cmd_output(const tut_buf *out, int exit_status)
{
    tut_error err = {0};
    if (!tut_is_ok(tut_buf_check(out, &err)))
        return tut_cmd_fail(&err);
    size_t at = 0;
    while (at < out->len) {
        ssize_t n = write(STDOUT_FILENO, out->data + at, out->len - at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EPIPE)
            return exit_status;
        if (n < 0) {
            fprintf(stderr, "tutela: the output could not be written: %s\n", strerror(errno));
            return TUT_EXIT_FAILED;
        }
        at += (size_t)n;
    }
    return exit_status;
}

tut_status tut_cmd_fail_on(const char *text, bool with_verdicts, int *ret_severity, tut_error *err)
{
    tut_severity severity = TUT_SEVERITY_HIGH;
    if (!text) {
        *ret_severity = severity;
        return TUT_SUCCESS;
    }
    if (tut_severity_parse(tut_str_of(text), &severity)) {
        *ret_severity = severity;
        return TUT_SUCCESS;
    }
    for (size_t i = 1; with_verdicts && i < sizeof(verdict_words) / sizeof(verdict_words[0]); i++) {
        if (strcmp(text, verdict_words[i]) == 0) {
            *ret_severity = TUT_SEVERITY_LOW + (int)i;
            return TUT_SUCCESS;
        }
    }
    return tut_fail(err, TUT_USAGE,
                    "--fail-on takes info, low, medium, high or critical%s, not \"%s\"",
                    with_verdicts ? ", or review, dangerous or malicious" : "", text);
}

/* What no system can be: said before anything is looked for. */
static tut_status check_places(const tut_args *args, const char *dir, const char *where,
                               tut_error *err)
{
    if (args->system && (!args->system[0] || tut_fs_is_dir(args->system)))
        return tut_fail(err, TUT_USAGE,
                        "--system takes a file, such as DIR/tutela.yaml, not \"%s\"", args->system);
    if (args->system && !args->describes_anew && !tut_fs_exists(args->system))
        return tut_fail(err, TUT_USAGE, "--system: there is no %s", args->system);
    if (args->state && !args->state[0])
        return tut_fail(err, TUT_USAGE, "--state takes a directory, not \"\"");
    if (args->state && tut_fs_exists(args->state) && !tut_fs_is_dir(args->state))
        return tut_fail(err, TUT_USAGE, "--state takes a directory, and %s is none", args->state);
    struct stat given;
    struct stat described;
    if (args->system && dir && stat(dir, &given) == 0 && stat(where, &described) == 0 &&
        (given.st_dev != described.st_dev || given.st_ino != described.st_ino))
        return tut_fail(err, TUT_USAGE,
                        "%s describes the directory it lies in, which is not %s; leave %s out",
                        args->system, dir, dir);
    return TUT_SUCCESS;
}

tut_status tut_cmd_locate(const tut_args *args, const char *dir, char **ret_dir, char **ret_state,
                          tut_error *err)
{
    TUT_AUTO_FREE char *where = NULL;
    TUT_AUTO_FREE char *file = NULL;
    TUT_AUTO_FREE char *state = NULL;
    if (args->system) {
        const char *slash = strrchr(args->system, '/');
        where = !slash                  ? tut_strdup(".")
                : slash == args->system ? tut_strdup("/")
                                        : tut_strndup(args->system, (size_t)(slash - args->system));
        file = tut_strdup(args->system);
    } else {
        where = tut_strdup(dir ? dir : ".");
        file = where ? tut_fs_join(where, "tutela.yaml") : NULL;
    }
    if (!where || !file)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    TUT_TRY(check_places(args, dir, where, err));
    if (!args->system && !tut_fs_is_dir(where)) {
        tut_error_set_path(err, where);
        return tut_fail(err, TUT_IO,
                        tut_fs_exists(where) ? "is not a directory" : "no such directory");
    }
    if (tut_fs_exists(file)) {
        state = args->state ? tut_strdup(args->state) : tut_fs_join(where, ".tutela");
        if (!state)
            return tut_fail(err, TUT_NOMEM, "memory ran out");
    }
    *ret_dir = tut_move(&where);
    *ret_state = tut_move(&state);
    return TUT_SUCCESS;
}
