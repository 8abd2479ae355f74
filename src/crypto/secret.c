/* Passphrases and PINs: from the first line of a file, or asked on the terminal without echo. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <termios.h>
#include <unistd.h>

#include "base/fs_internal.h"
#include "base/limits.h"
#include "crypto/key.h"
#include "crypto/openssl.h"
#include "crypto/private_file.h"

void tut_secret_wipe(tut_buf *secret)
{
    tut_wipe(secret->data, secret->cap);
    tut_buf_done(secret);
}

/* --- from a file --- */

static tut_status first_line(tut_str text, tut_buf *out, tut_error *err)
{
    const char *lf = memchr(text.data, '\n', text.len);
    size_t len = lf ? (size_t)(lf - text.data) : text.len;
    if (len && text.data[len - 1] == '\r')
        len--;
    if (len == 0)
        return tut_fail(err, TUT_MALFORMED,
                        "its first line is empty, where a passphrase is wanted");
    if (len > TUT_LIMIT_SECRET_BYTES)
        return tut_fail(err, TUT_LIMIT, "its first line is longer than %u bytes",
                        TUT_LIMIT_SECRET_BYTES);
    tut_buf_add(out, text.data, len);
    return tut_buf_check(out, err);
}

static tut_status read_file(const char *path, tut_buf *out, tut_error *err)
{
    if (strcmp(path, "-") == 0)
        return tut_fail(err, TUT_USAGE,
                        "a passphrase is not read from standard input; name a file");
    tut_buf text = TUT_BUF_INIT;
    tut_status status = tut_private_file_read(path, "the file of the passphrase",
                                              TUT_LIMIT_KEY_FILE_BYTES, &text, err);
    if (tut_is_ok(status) && text.len == 0)
        status = tut_fail(err, TUT_MALFORMED, "is empty, where a passphrase is wanted");
    if (tut_is_ok(status))
        status = first_line(tut_buf_str(&text), out, err);
    tut_secret_wipe(&text);
    if (!tut_is_ok(status))
        tut_error_set_path(err, path);
    return status;
}

/* --- from the terminal --- */

/* A signal must not leave the terminal without echo: it is noted, the terminal restored, and then
 * sent again under its own handler. */
static const int caught[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP};
enum { CAUGHT = sizeof(caught) / sizeof(caught[0]) };
static volatile sig_atomic_t pending;

static void note_signal(int number)
{
    pending = number;
}

typedef struct terminal {
    int fd;
    struct termios before;
    struct sigaction handlers[CAUGHT];
} terminal;

static tut_status terminal_open(terminal *t, tut_error *err)
{
    t->fd = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (t->fd < 0)
        return tut_fail(err, TUT_DENIED,
                        "a passphrase is wanted and there is no terminal; name a file that holds "
                        "it");
    struct sigaction noting = {.sa_handler = note_signal};
    (void)sigemptyset(&noting.sa_mask);
    pending = 0;
    for (size_t i = 0; i < CAUGHT; i++)
        (void)sigaction(caught[i], &noting, &t->handlers[i]);
    struct termios silent;
    if (tcgetattr(t->fd, &t->before) == 0) {
        silent = t->before;
        silent.c_lflag &= ~(tcflag_t)(ECHO | ECHOE | ECHOK | ECHONL);
        silent.c_lflag |= ICANON | ISIG;
        if (tcsetattr(t->fd, TCSAFLUSH, &silent) == 0)
            return TUT_SUCCESS;
    }
    tut_status status = tut_fail_errno(err, errno, "the terminal cannot be silenced");
    for (size_t i = 0; i < CAUGHT; i++)
        (void)sigaction(caught[i], &t->handlers[i], NULL);
    tut_fs_close(t->fd);
    return status;
}

static void terminal_close(terminal *t)
{
    (void)tcsetattr(t->fd, TCSAFLUSH, &t->before);
    for (size_t i = 0; i < CAUGHT; i++)
        (void)sigaction(caught[i], &t->handlers[i], NULL);
    tut_fs_close(t->fd);
    if (pending)
        (void)raise(pending);
}

static void say(const terminal *t, const char *text)
{
    ssize_t written = write(t->fd, text, strlen(text));
    (void)written;
}

/* A line without its end. A terminal in line mode hands over at most one line. */
static tut_status ask(const terminal *t, const char *prompt, tut_buf *out, tut_error *err)
{
    char line[TUT_LIMIT_SECRET_BYTES + 2];
    say(t, prompt);
    ssize_t n = read(t->fd, line, sizeof(line));
    int why = errno;
    say(t, "\n");
    tut_status status = TUT_SUCCESS;
    if (n < 0)
        status = why == EINTR ? tut_fail(err, TUT_CANCELLED, "interrupted")
                              : tut_fail_errno(err, why, "the terminal cannot be read");
    else if (n == 0 || line[n - 1] != '\n')
        status = tut_fail(err, TUT_DENIED, "no passphrase was given");
    else
        tut_buf_add(out, line, (size_t)n - 1);
    tut_wipe(line, sizeof(line));
    return tut_is_ok(status) ? tut_buf_check(out, err) : status;
}

static tut_status ask_twice(const terminal *t, const char *prompt, bool is_new, tut_buf *out,
                            tut_error *err)
{
    TUT_TRY(ask(t, prompt, out, err));
    if (!is_new)
        return TUT_SUCCESS;
    if (out->len == 0)
        return tut_fail(err, TUT_DENIED, "no passphrase was given");
    tut_buf again = TUT_BUF_INIT;
    tut_status status = ask(t, "Again: ", &again, err);
    if (tut_is_ok(status) && !tut_str_eq(tut_buf_str(out), tut_buf_str(&again)))
        status = tut_fail(err, TUT_DENIED, "the two passphrases differ");
    tut_secret_wipe(&again);
    return status;
}

static tut_status ask_terminal(const char *prompt, bool is_new, tut_buf *out, tut_error *err)
{
    terminal t;
    TUT_TRY(terminal_open(&t, err));
    tut_status status = ask_twice(&t, prompt, is_new, out, err);
    terminal_close(&t);
    return status;
}

tut_status tut_secret_read(const tut_secret_source *source, const char *prompt, bool is_new,
                           tut_buf *ret_secret, tut_error *err)
{
    tut_buf secret = TUT_BUF_INIT;
    tut_status status;
    if (source && source->file)
        status = read_file(source->file, &secret, err);
    else if (source && source->may_ask)
        status = ask_terminal(prompt, is_new, &secret, err);
    else
        status = tut_fail(err, TUT_DENIED, "a passphrase is wanted; name a file that holds it");
    if (!tut_is_ok(status)) {
        tut_secret_wipe(&secret);
        return status;
    }
    *ret_secret = secret;
    return TUT_SUCCESS;
}
