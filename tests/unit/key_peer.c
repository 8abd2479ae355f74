/* Keys that live elsewhere: an SSH agent of our own, and a PKCS#11 module that misbehaves on demand
 * (tests/tools/hostile_token.c). Whatever they do, a signature counts only when it verifies. */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/reader.h"
#include "crypto/key.h"
#include "crypto/ssh.h"

static char dir[64];
static pid_t agent = -1;

static tut_span span_of(const char *z)
{
    return tut_span_of(z, strlen(z));
}

static const char *in_dir(const char *name)
{
    static char path[128];
    (void)snprintf(path, sizeof(path), "%s/%s", dir, name);
    return path;
}

static void add_u32(tut_buf *out, uint32_t v)
{
    for (unsigned i = 0; i < 4; i++)
        tut_buf_add_byte(out, (uint8_t)(v >> (24 - 8 * i)));
}

static void add_string(tut_buf *out, tut_span bytes)
{
    add_u32(out, (uint32_t)bytes.len);
    tut_buf_add(out, bytes.data, bytes.len);
}

/* --- an agent with one key --- */

static void answer(const tut_key *key, tut_span request, tut_buf *reply)
{
    TUT_CLEAN(tut_buf) blob = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) inner = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) signature = TUT_BUF_INIT;
    tut_reader r = tut_reader_of(request);
    uint8_t type = 0;
    tut_span which, message;
    add_string(&blob, span_of("ssh-ed25519"));
    add_string(&blob, tut_pubkey_raw(tut_key_public(key)));
    TUT_IGNORE(tut_reader_u8(&r, &type));
    if (type == 11) {
        tut_buf_add_byte(reply, 12);
        add_u32(reply, 1);
        add_string(reply, tut_buf_span(&blob));
        add_string(reply, span_of("the one"));
    } else if (type == 13 && tut_is_ok(tut_ssh_string(&r, &which)) &&
               tut_is_ok(tut_ssh_string(&r, &message)) &&
               tut_is_ok(tut_key_sign(key, message, &signature, NULL))) {
        add_string(&inner, span_of("ssh-ed25519"));
        add_string(&inner, tut_buf_span(&signature));
        tut_buf_add_byte(reply, 14);
        add_string(reply, tut_buf_span(&inner));
    } else {
        tut_buf_add_byte(reply, 5);
    }
}

static void serve(int listener, const tut_key *key)
{
    for (;;) {
        uint8_t bytes[65536];
        TUT_CLEAN(tut_buf) reply = TUT_BUF_INIT;
        TUT_CLEAN(tut_buf) framed = TUT_BUF_INIT;
        int peer = accept(listener, NULL, NULL);
        if (peer < 0)
            continue;
        ssize_t n = recv(peer, bytes, sizeof(bytes), 0);
        if (n > 4) {
            answer(key, tut_span_of(bytes + 4, (size_t)n - 4), &reply);
            add_string(&framed, tut_buf_span(&reply));
            if (send(peer, framed.data, framed.len, MSG_NOSIGNAL) < 0)
                (void)fprintf(stderr, "the agent of the test could not answer\n");
        }
        (void)close(peer);
    }
}

static int start(void **state)
{
    (void)state;
    (void)snprintf(dir, sizeof(dir), "/tmp/tutela-test-peer-XXXXXX");
    if (!mkdtemp(dir))
        return -1;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    tut_str_copy(address.sun_path, sizeof(address.sun_path), tut_str_of(in_dir("agent")));
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof(address)) != 0 ||
        listen(listener, 16) != 0 || setenv("SSH_AUTH_SOCK", in_dir("agent"), 1) != 0)
        return -1;
    agent = fork();
    if (agent == 0) {
        tut_key *key = NULL;
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (tut_is_ok(tut_key_generate(TUT_KEY_ED25519, &key, NULL)))
            serve(listener, key);
        _exit(1);
    }
    (void)close(listener);
    int pin = open(in_dir("pin"), O_WRONLY | O_CREAT, 0600);
    return agent > 0 && pin >= 0 && write(pin, "1234\n", 5) == 5 && close(pin) == 0 ? 0 : -1;
}

static int stop(void **state)
{
    (void)state;
    char command[128];
    if (agent > 0) {
        (void)kill(agent, SIGKILL);
        (void)waitpid(agent, NULL, 0);
    }
    (void)snprintf(command, sizeof(command), "rm -rf -- '%s'", dir);
    FILE *p = popen(command, "r");
    return p ? pclose(p) : -1;
}

static tut_status open_and_sign(const char *spec, tut_error *err)
{
    TUT_AUTO(tut_key) key = NULL;
    TUT_CLEAN(tut_buf) signature = TUT_BUF_INIT;
    TUT_TRY(tut_key_open(spec, NULL, &key, err));
    TUT_TRY(tut_key_sign(key, span_of("message"), &signature, err));
    return tut_pubkey_verify(tut_key_public(key), span_of("message"), tut_buf_span(&signature),
                             err);
}

static void an_agent_signs_what_verifies(void **state)
{
    (void)state;
    tut_error err = {0};
    if (!tut_is_ok(open_and_sign("ssh-agent:", &err)))
        fail_msg("%s", err.text);
    assert_true(tut_is_ok(open_and_sign("ssh-agent:the one", NULL)));
    assert_int_equal(open_and_sign("ssh-agent:another", NULL).code, TUT_USAGE);
}

static void an_agent_takes_no_message_above_its_limit(void **state)
{
    (void)state;
    TUT_AUTO(tut_key) key = NULL;
    TUT_CLEAN(tut_buf) signature = TUT_BUF_INIT;
    TUT_AUTO_FREE uint8_t *big = tut_alloc_array(300 << 10, 1);
    assert_non_null(big);
    assert_true(tut_is_ok(tut_key_open("ssh-agent:", NULL, &key, NULL)));
    assert_int_equal(tut_key_sign(key, tut_span_of(big, 300 << 10), &signature, NULL).code,
                     TUT_LIMIT);
    assert_int_equal(signature.len, 0);
    /* Nor does it give a key away. */
    assert_int_equal(tut_key_write(key, in_dir("x"), TUT_LIT(""), NULL).code, TUT_UNSUPPORTED);
}

static const char *token_uri(void)
{
    static char uri[512];
    (void)snprintf(uri, sizeof(uri), "pkcs11:token=t;object=k?module-path=%s&pin-source=file:%s",
                   HOSTILE_TOKEN, in_dir("pin"));
    return uri;
}

static void a_token_that_misbehaves_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *mode;
        tut_code code;
        const char *why;
    } cases[] = {
        {"", TUT_OK, ""},
        {"raw-point", TUT_OK, ""},
        {"no-login", TUT_OK, ""},
        {"no-public", TUT_UNSUPPORTED, "no elliptic public key"},
        {"odd-curve", TUT_UNSUPPORTED, "P-256"},
        {"huge-point", TUT_UNSUPPORTED, "no elliptic public key"},
        {"always-authenticate", TUT_UNSUPPORTED, "PIN at each signature"},
        {"final-try", TUT_DENIED, "one try left"},
        {"locked", TUT_DENIED, "locked"},
        {"many-slots", TUT_LIMIT, "256 tokens"},
        {"no-list", TUT_IO, "cannot be listed"},
        {"no-start", TUT_IO, "does not start"},
        {"long-signature", TUT_MALFORMED, "too long"},
        {"short-signature", TUT_MALFORMED, "63 bytes"},
        {"wrong-signature", TUT_CRYPTO, "not that of"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        tut_error err = {0};
        assert_int_equal(setenv("TOKEN_MODE", cases[i].mode, 1), 0);
        tut_status status = open_and_sign(token_uri(), &err);
        if (status.code != cases[i].code || !strstr(err.text, cases[i].why))
            fail_msg("%s: %s: %s", cases[i].mode, tut_code_name(status.code), err.text);
    }
    assert_int_equal(unsetenv("TOKEN_MODE"), 0);
}

static void a_module_serves_several_keys_until_the_last_is_gone(void **state)
{
    (void)state;
    tut_key *first = NULL;
    TUT_AUTO(tut_key) second = NULL;
    TUT_CLEAN(tut_buf) signature = TUT_BUF_INIT;
    assert_true(tut_is_ok(tut_key_open(token_uri(), NULL, &first, NULL)));
    assert_true(tut_is_ok(tut_key_open(token_uri(), NULL, &second, NULL)));
    tut_key_free(first);
    assert_true(tut_is_ok(tut_key_sign(second, span_of("m"), &signature, NULL)));
}

static void a_child_opens_the_module_anew(void **state)
{
    (void)state;
    TUT_AUTO(tut_key) key = NULL;
    assert_true(tut_is_ok(tut_key_open(token_uri(), NULL, &key, NULL)));
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        TUT_CLEAN(tut_buf) signature = TUT_BUF_INIT;
        TUT_AUTO(tut_key) own = NULL;
        bool is_right = tut_key_sign(key, span_of("m"), &signature, NULL).code == TUT_IO &&
                        tut_is_ok(tut_key_open(token_uri(), NULL, &own, NULL));
        /* The dead key's session has the number of the living one's. */
        tut_key_free(tut_move(&key));
        is_right = is_right && tut_is_ok(tut_key_sign(own, span_of("m"), &signature, NULL));
        tut_key_free(tut_move(&own));
        tut_buf_done(&signature);
        _exit(is_right ? 0 : 1);
    }
    int rc = -1;
    assert_int_equal(waitpid(child, &rc, 0), child);
    assert_int_equal(rc, 0);
}

static void running_out_of_memory_is_an_ordinary_error(void **state)
{
    (void)state;
    char specs[2][512];
    (void)snprintf(specs[0], sizeof(specs[0]), "ssh-agent:");
    (void)snprintf(specs[1], sizeof(specs[1]), "%s", token_uri());
    for (size_t i = 0; i < 2; i++) {
        uint64_t n = 1;
        for (bool is_done = false; !is_done; n++) {
            tut_alloc_fail_after(n);
            tut_status status = open_and_sign(specs[i], NULL);
            tut_alloc_fail_after(0);
            is_done = tut_is_ok(status);
            if (!is_done && status.code != TUT_NOMEM)
                fail_msg("%s, allocation %llu: %s", specs[i], (unsigned long long)n,
                         tut_code_name(status.code));
        }
        assert_true(n > 10);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_agent_signs_what_verifies),
        cmocka_unit_test(an_agent_takes_no_message_above_its_limit),
        cmocka_unit_test(a_token_that_misbehaves_is_refused),
        cmocka_unit_test(a_module_serves_several_keys_until_the_last_is_gone),
        cmocka_unit_test(a_child_opens_the_module_anew),
        cmocka_unit_test(running_out_of_memory_is_an_ordinary_error),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
