#include "pack/apart.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/limits.h"
#include "pack/confine.h"

/* --- the process apart --- */

static bool write_all(int to, tut_span bytes)
{
    size_t at = 0;
    while (at < bytes.len) {
        ssize_t n = write(to, bytes.data + at, bytes.len - at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        at += (size_t)n;
    }
    return true;
}

static tut_status verify(int fd, const tut_pack_trust *trust, tut_time now, tut_buf *out,
                         tut_error *err)
{
    TUT_AUTO(tut_pack_result) result = NULL;
    tut_source source;
    TUT_TRY(tut_source_file(fd, &source, err));
    TUT_TRY(tut_pack_confine(err));
    TUT_TRY(tut_pack_verify(&source, trust, now, &result, err));
    return tut_pack_result_json(result, out, err);
}

/* One byte says what comes: the code of a failure and its words, or TUT_OK and the text. */
static _Noreturn void work(int fd, const tut_pack_trust *trust, tut_time now, int to)
{
    tut_buf out = TUT_BUF_INIT;
    tut_error err = {0};
    tut_status status = verify(fd, trust, now, &out, &err);
    const uint8_t code = (uint8_t)status.code;
    tut_span text = tut_is_ok(status) ? tut_buf_span(&out)
                                      : tut_span_of(err.text, strlen(err.text));
    bool is_good = write_all(to, tut_span_of(&code, 1)) && write_all(to, text);
    _exit(is_good ? 0 : 1);
}

/* --- here --- */

static tut_status read_all(int from, tut_buf *out, tut_error *err)
{
    uint8_t some[16384];
    for (;;) {
        ssize_t n = read(from, some, sizeof(some));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return tut_fail_errno(err, errno, "the verifier cannot be heard");
        if (n == 0)
            return tut_buf_check(out, err);
        tut_buf_add(out, some, (size_t)n);
    }
}

static tut_status end(pid_t pid, tut_status heard, const tut_buf *said, tut_buf *out,
                      tut_error *err)
{
    int status = 0;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    TUT_TRY(heard);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0 || said->len == 0)
        return tut_fail(err, TUT_BUG,
                        "the process that verifies the pack died; please report this");
    tut_span text = tut_span_of(said->data + 1, said->len - 1);
    if (said->data[0] == TUT_OK) {
        tut_buf_add(out, text.data, text.len);
        return tut_buf_check(out, err);
    }
    tut_code code = said->data[0] < TUT_CODE_COUNT ? (tut_code)said->data[0] : TUT_BUG;
    return tut_fail(err, code, "%.*s", text.len < TUT_ERROR_TEXT_MAX ? (int)text.len : 0,
                    (const char *)text.data);
}

tut_status tut_pack_verify_apart(int fd, const tut_pack_trust *trust, tut_time now, tut_buf *out,
                                 tut_error *err)
{
    int pair[2];
    TUT_CLEAN(tut_buf) said = TUT_BUF_INIT;
    tut_buf_init(&said, TUT_LIMIT_JSON_BYTES);
    if (pipe2(pair, O_CLOEXEC) != 0)
        return tut_fail_errno(err, errno, "no pipe to the verifier");
    pid_t pid = fork();
    if (pid == 0) {
        (void)close(pair[0]);
        work(fd, trust, now, pair[1]);
    }
    int failure = errno;
    (void)close(pair[1]);
    tut_status heard = pid < 0 ? tut_fail_errno(err, failure, "the verifier cannot be started")
                               : read_all(pair[0], &said, err);
    (void)close(pair[0]);
    return pid < 0 ? heard : end(pid, heard, &said, out, err);
}
