#include "watch/tell.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <openssl/evp.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <syslog.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/json_write.h"
#include "crypto/openssl.h"
#include "ledger/post.h"

extern char **environ;

static void time_text(int64_t at_ms, char out[TUT_TIME_TEXT])
{
    tut_time_rfc3339(at_ms / 1000 - (at_ms % 1000 < 0), out);
}

tut_status tut_alarm_json(const tut_alarm *a, tut_buf *out, tut_error *err)
{
    TUT_AUTO(tut_json) j = NULL;
    char when[TUT_TIME_TEXT];
    TUT_TRY(tut_json_new(out, &j));
    tut_json_object(j);
    tut_json_put_z(j, "schema", "tutela.alarm/1");
    tut_json_put_z(j, "stream", a->stream);
    if (a->at_ms != TUT_NO_TIME)
        time_text(a->at_ms, when);
    tut_json_put_z(j, "at", a->at_ms == TUT_NO_TIME ? NULL : when);
    tut_json_put_u64(j, "index", a->index);
    tut_json_put_u64(j, "since", a->since);
    tut_json_put_z(j, "kind", a->kind);
    tut_json_key(j, "before");
    tut_json_real(j, a->before);
    tut_json_key(j, "after");
    tut_json_real(j, a->after);
    tut_json_put_z(j, "detector", a->detector);
    tut_json_end_object(j);
    return tut_json_finish(j, err);
}

bool tut_alarm_ends(const tut_alarm *a)
{
    return strcmp(a->kind, "cleared") == 0 || strcmp(a->kind, "settled") == 0;
}

void tut_alarm_text(const tut_alarm *a, tut_buf *out)
{
    char when[TUT_TIME_TEXT];
    tut_buf_add_escaped(out, tut_str_of(a->stream), 100);
    tut_buf_printf(out, ": %s at ", a->kind);
    if (a->at_ms == TUT_NO_TIME) {
        tut_buf_printf(out, "event %llu", (unsigned long long)a->index);
    } else {
        time_text(a->at_ms, when);
        tut_buf_add_z(out, when);
    }
    tut_buf_printf(out, ", %.4g before, %.4g after (%s)", a->before, a->after, a->detector);
}

/* --- a command --- */
tut_status tut_tell_split(char *command, char *words[TUT_TELL_WORDS + 1], tut_error *err)
{
    size_t count = 0;
    char *to = command, *at = command;
    while (*at) {
        at += strspn(at, " \t");
        if (!*at)
            break;
        if (count == TUT_TELL_WORDS)
            return tut_fail(err, TUT_USAGE, "a command has at most %d words", TUT_TELL_WORDS);
        words[count++] = to;
        char quote = 0;
        for (; *at && (quote || (*at != ' ' && *at != '\t')); at++) {
            if (*at == quote)
                quote = 0;
            else if (!quote && (*at == '\'' || *at == '"'))
                quote = *at;
            else
                *to++ = *at;
        }
        if (quote)
            return tut_fail(err, TUT_USAGE, "a quote in the command is not closed");
        at += *at != '\0';
        *to++ = '\0';
    }
    words[count] = NULL;
    return count ? TUT_SUCCESS : tut_fail(err, TUT_USAGE, "the command is empty");
}

static tut_status wait_for(pid_t pid, tut_error *err)
{
    int status = 0;
    for (unsigned waited = 0; waited < TUT_TELL_COMMAND_MS; waited += 10) {
        pid_t got = waitpid(pid, &status, WNOHANG);
        if (got == pid)
            return WIFEXITED(status) && WEXITSTATUS(status) == 0
                       ? TUT_SUCCESS
                       : tut_fail(err, TUT_IO, "the command ended with %d",
                                  WIFEXITED(status) ? WEXITSTATUS(status) : -1);
        if (got < 0 && errno != EINTR)
            return tut_fail_errno(err, errno, "the command was lost");
        (void)usleep(10000);
    }
    (void)kill(pid, SIGKILL);
    (void)waitpid(pid, &status, 0);
    return tut_fail(err, TUT_LIMIT, "the command took longer than %d s",
                    TUT_TELL_COMMAND_MS / 1000);
}

/* An alarm is smaller than a pipe holds: writing does not wait for the reader. */
static tut_status spawn(char *const words[], tut_str json, tut_error *err)
{
    int ends[2];
    pid_t pid = 0;
    posix_spawn_file_actions_t actions;
    if (!words[0] || posix_spawn_file_actions_init(&actions) != 0)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    if (pipe2(ends, O_CLOEXEC) != 0) {
        (void)posix_spawn_file_actions_destroy(&actions);
        return tut_fail_errno(err, errno, "no pipe to the command");
    }
    (void)fcntl(ends[1], F_SETFL, O_NONBLOCK);
    int failure = posix_spawn_file_actions_adddup2(&actions, ends[0], STDIN_FILENO);
    if (failure == 0)
        failure = posix_spawnp(&pid, words[0], &actions, NULL, words, environ);
    (void)posix_spawn_file_actions_destroy(&actions);
    (void)close(ends[0]);
    if (failure == 0) {
        ssize_t wrote = write(ends[1], json.data, json.len);
        wrote += wrote >= 0 ? write(ends[1], "\n", 1) : 0;
        (void)close(ends[1]);
        tut_status status = wait_for(pid, err);
        (void)wrote; /* a command that does not read is told by its status alone */
        return status;
    }
    (void)close(ends[1]);
    return tut_fail_errno(err, failure, "%s cannot be run", words[0]);
}

static tut_status run_command(const char *command, tut_str json, tut_error *err)
{
    char *words[TUT_TELL_WORDS + 1];
    TUT_AUTO_FREE char *copy = tut_strdup(command);
    struct sigaction ignore = {.sa_handler = SIG_IGN}, old;
    if (!copy)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    TUT_TRY(tut_tell_split(copy, words, err));
    (void)sigaction(SIGPIPE, &ignore, &old);
    tut_status status = spawn(words, json, err);
    (void)sigaction(SIGPIPE, &old, NULL);
    return status;
}

/* --- a webhook --- */
tut_status tut_tell_sign(tut_str key, tut_time at, tut_str body, char ret_value[TUT_TELL_SIGNATURE],
                         tut_error *err)
{
    static const char digits[] = "0123456789abcdef";
    uint8_t mac[32];
    char hex[2 * sizeof(mac) + 1];
    size_t len = 0;
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    tut_buf_printf(&text, "%lld.", (long long)at);
    tut_buf_add_str(&text, body);
    TUT_TRY(tut_buf_check(&text, err));
    if (!EVP_Q_mac(tut_openssl(), "HMAC", NULL, "SHA256", NULL, key.data, key.len, text.data,
                   text.len, mac, sizeof(mac), &len) ||
        len != sizeof(mac))
        return tut_fail(err, TUT_CRYPTO, "the alarm cannot be signed");
    for (size_t i = 0; i < sizeof(mac); i++) {
        hex[2 * i] = digits[mac[i] >> 4];
        hex[2 * i + 1] = digits[mac[i] & 15];
    }
    hex[2 * sizeof(mac)] = '\0';
    (void)snprintf(ret_value, TUT_TELL_SIGNATURE, "t=%lld,v1=%s", (long long)at, hex);
    return TUT_SUCCESS;
}

static tut_status post(const tut_tell *t, tut_str json, tut_error *err)
{
    enum { TIMEOUT_MS = 10000, OK_FROM = 200, OK_TO = 299 };
    char signature[TUT_TELL_SIGNATURE] = "";
    TUT_CLEAN(tut_posted) answer = {0};
    tut_post p = {.url = t->url,
                  .content_type = "application/json",
                  .body = tut_span_of(json.data, json.len),
                  .timeout_ms = TIMEOUT_MS};
    if (t->key.len) {
        TUT_TRY(tut_tell_sign(t->key, tut_time_now(), json, signature, err));
        p.header = "Tutela-Signature";
        p.header_value = signature;
    }
    TUT_TRY(tut_post_send(&p, &answer, err));
    return answer.status >= OK_FROM && answer.status <= OK_TO
               ? TUT_SUCCESS
               : tut_fail(err, TUT_IO, "%s answered %d", t->url, answer.status);
}

static void note(tut_tell *t, tut_status status, const tut_error *err)
{
    t->told += tut_is_ok(status);
    if (!tut_is_ok(status) && t->failed++ == 0)
        tut_str_copy(t->why, sizeof(t->why), tut_str_of(err->text));
}

void tut_tell_alarm(tut_tell *t, const tut_alarm *a, tut_str json)
{
    tut_error err = {0};
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    if (t->command)
        note(t, run_command(t->command, json, &err), &err);
    if (t->url)
        note(t, post(t, json, &err), &err);
    if (!t->to_syslog)
        return;
    tut_alarm_text(a, &text);
    const char *z = tut_buf_z(&text);
    syslog((tut_alarm_ends(a) ? LOG_NOTICE : LOG_WARNING) | LOG_DAEMON, "tutela: %s",
           z ? z : "alarm");
    t->told++;
}
