/*
 * Keys in an SSH agent (draft-miller-ssh-agent): messages u32 length, u8 type, content, over the
 * unix socket that SSH_AUTH_SOCK names. Each question has a connection of its own, so that a key
 * outlives a restarted agent. The agent is a peer like any other: its answers pass a bounded
 * reader, and a signature counts only when it verifies.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cage.h"
#include "base/fs_internal.h"
#include "base/limits.h"
#include "base/time.h"
#include "crypto/base64.h"
#include "crypto/key_internal.h"
#include "crypto/ssh.h"

enum {
    REQUEST_IDENTITIES = 11,
    IDENTITIES_ANSWER = 12,
    SIGN_REQUEST = 13,
    SIGN_RESPONSE = 14,
    LIST_MS = 5000,
    SIGN_MS = 60000, /* somebody may have to confirm */
    LENGTH_BYTES = 4
};

/* --- answers --- */

static tut_status expect_type(tut_reader *r, uint8_t wanted, tut_error *err)
{
    uint8_t type;
    if (!tut_is_ok(tut_reader_u8(r, &type)))
        return tut_fail(err, TUT_MALFORMED, "the SSH agent sent an empty answer");
    if (type != wanted)
        return tut_fail(err, TUT_DENIED, "the SSH agent refused (answer %u)", type);
    return TUT_SUCCESS;
}

tut_status tut_ssh_identities(tut_span reply, tut_ssh_visit visit, void *ctx, tut_error *err)
{
    tut_reader r = tut_reader_of(reply);
    uint32_t count;
    TUT_TRY(expect_type(&r, IDENTITIES_ANSWER, err));
    if (!tut_is_ok(tut_reader_u32be(&r, &count)))
        return tut_fail(err, TUT_MALFORMED, "the SSH agent's list of keys is cut off");
    if (count > TUT_LIMIT_AGENT_KEYS)
        return tut_fail(err, TUT_LIMIT, "the SSH agent holds more than %u keys",
                        TUT_LIMIT_AGENT_KEYS);
    for (uint32_t i = 0; i < count; i++) {
        tut_span blob, comment;
        if (!tut_is_ok(tut_ssh_string(&r, &blob)) || !tut_is_ok(tut_ssh_string(&r, &comment)))
            return tut_fail(err, TUT_MALFORMED, "the SSH agent's list of keys is cut off");
        TUT_TRY(visit(ctx, blob, tut_str_from(comment), err));
    }
    if (tut_reader_left(&r))
        return tut_fail(err, TUT_MALFORMED, "the SSH agent's list of keys is longer than it says");
    return TUT_SUCCESS;
}

tut_status tut_ssh_signature(tut_span reply, tut_span *ret_signature, tut_error *err)
{
    static const char *const unsound = "the SSH agent did not answer with an Ed25519 signature";
    tut_reader r = tut_reader_of(reply);
    tut_span outer, type, signature;
    TUT_TRY(expect_type(&r, SIGN_RESPONSE, err));
    if (!tut_is_ok(tut_ssh_string(&r, &outer)) || tut_reader_left(&r))
        return tut_fail(err, TUT_MALFORMED, "%s", unsound);
    tut_reader inner = tut_reader_of(outer);
    if (!tut_is_ok(tut_ssh_string(&inner, &type)) ||
        !tut_str_eq_z(tut_str_from(type), TUT_SSH_ED25519) ||
        !tut_is_ok(tut_ssh_string(&inner, &signature)) || tut_reader_left(&inner) ||
        signature.len != TUT_ED25519_SIGNATURE)
        return tut_fail(err, TUT_MALFORMED, "%s", unsound);
    *ret_signature = signature;
    return TUT_SUCCESS;
}

/* --- the socket --- */

static tut_status wait_for(int fd, short events, uint64_t deadline, tut_error *err)
{
    for (;;) {
        uint64_t now = tut_clock_ms();
        if (tut_interrupted())
            return tut_fail(err, TUT_CANCELLED, "interrupted");
        if (now >= deadline)
            return tut_fail(err, TUT_IO, "the SSH agent did not answer in time");
        struct pollfd p = {.fd = fd, .events = events};
        int n = poll(&p, 1, (int)(deadline - now));
        if (n > 0)
            return TUT_SUCCESS;
        if (n < 0 && errno != EINTR)
            return tut_fail_errno(err, errno, "the SSH agent cannot be waited for");
    }
}

static tut_status connect_agent(const char *path, uint64_t deadline, int *ret_fd, tut_error *err)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof(address.sun_path))
        return tut_fail(err, TUT_USAGE, "SSH_AUTH_SOCK names a path that is too long for a socket");
    tut_str_copy(address.sun_path, sizeof(address.sun_path), tut_str_of(path));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return tut_fail_errno(err, errno, "no socket for the SSH agent");
    int rc;
    /* EAGAIN of a unix socket: its queue is full, and no event tells when it is not. */
    while ((rc = connect(fd, (const struct sockaddr *)&address, sizeof(address))) != 0 &&
           (errno == EAGAIN || errno == EINTR) && tut_clock_ms() < deadline)
        (void)poll(NULL, 0, 10);
    if (rc != 0) {
        tut_status status = tut_fail_errno(err, errno, "the SSH agent at %s does not answer", path);
        tut_fs_close(fd);
        return status;
    }
    *ret_fd = fd;
    return TUT_SUCCESS;
}

static tut_status send_all(int fd, tut_span bytes, uint64_t deadline, tut_error *err)
{
    size_t done = 0;
    while (done < bytes.len) {
        ssize_t n = send(fd, bytes.data + done, bytes.len - done, MSG_NOSIGNAL);
        if (n >= 0)
            done += (size_t)n;
        else if (errno == EAGAIN)
            TUT_TRY(wait_for(fd, POLLOUT, deadline, err));
        else if (errno != EINTR)
            return tut_fail_errno(err, errno, "the SSH agent cannot be asked");
    }
    return TUT_SUCCESS;
}

static tut_status receive(int fd, uint8_t *to, size_t len, uint64_t deadline, tut_error *err)
{
    size_t done = 0;
    while (done < len) {
        ssize_t n = recv(fd, to + done, len - done, 0);
        if (n == 0)
            return tut_fail(err, TUT_TRUNCATED, "the SSH agent hung up in the middle");
        if (n > 0)
            done += (size_t)n;
        else if (errno == EAGAIN)
            TUT_TRY(wait_for(fd, POLLIN, deadline, err));
        else if (errno != EINTR)
            return tut_fail_errno(err, errno, "the SSH agent's answer cannot be read");
    }
    return TUT_SUCCESS;
}

static tut_status receive_message(int fd, uint64_t deadline, tut_buf *out, tut_error *err)
{
    uint8_t head[LENGTH_BYTES];
    uint32_t len;
    TUT_TRY(receive(fd, head, sizeof(head), deadline, err));
    tut_reader r = tut_reader_of(tut_span_of(head, sizeof(head)));
    TUT_TRY(tut_reader_u32be(&r, &len));
    if (len > TUT_LIMIT_AGENT_BYTES)
        return tut_fail(err, TUT_LIMIT, "the SSH agent announces %u bytes (at most %u)", len,
                        TUT_LIMIT_AGENT_BYTES);
    uint8_t *to = tut_buf_extend(out, len);
    if (len && !to)
        return tut_buf_check(out, err);
    return receive(fd, to, len, deadline, err);
}

static void add_u32(tut_buf *out, size_t v)
{
    for (unsigned shift = 32; shift > 0; shift -= 8)
        tut_buf_add_byte(out, (uint8_t)(v >> (shift - 8)));
}

static void add_string(tut_buf *out, tut_span bytes)
{
    add_u32(out, bytes.len);
    tut_buf_add(out, bytes.data, bytes.len);
}

/* Sends a message (without its length) and appends the answer. */
static tut_status ask(const char *path, tut_span message, unsigned timeout_ms, tut_buf *reply,
                      tut_error *err)
{
    if (message.len > TUT_LIMIT_AGENT_BYTES)
        return tut_fail(err, TUT_LIMIT,
                        "what is to be signed is larger than an SSH agent takes (%u bytes)",
                        TUT_LIMIT_AGENT_BYTES);
    TUT_CLEAN(tut_buf) framed = TUT_BUF_INIT;
    add_string(&framed, message);
    TUT_TRY(tut_buf_check(&framed, err));
    uint64_t deadline = tut_clock_ms() + timeout_ms;
    int fd;
    TUT_TRY(connect_agent(path, deadline, &fd, err));
    tut_status status = send_all(fd, tut_buf_span(&framed), deadline, err);
    if (tut_is_ok(status))
        status = receive_message(fd, deadline, reply, err);
    tut_fs_close(fd);
    return status;
}

/* --- the key --- */

typedef struct agent_key {
    char *path;
    tut_buf blob;
} agent_key;

static void agent_free(void *self)
{
    agent_key *k = self;
    if (!k)
        return;
    tut_free(k->path);
    tut_buf_done(&k->blob);
    tut_free(k);
}

static tut_status agent_sign(void *self, const tut_pubkey *pub, tut_span message, tut_buf *out,
                             tut_error *err)
{
    const agent_key *k = self;
    TUT_CLEAN(tut_buf) request = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) reply = TUT_BUF_INIT;
    tut_buf_add_byte(&request, SIGN_REQUEST);
    add_string(&request, tut_buf_span(&k->blob));
    add_string(&request, message);
    add_u32(&request, 0);
    TUT_TRY(tut_buf_check(&request, err));
    TUT_TRY(ask(k->path, tut_buf_span(&request), SIGN_MS, &reply, err));
    tut_span signature;
    TUT_TRY(tut_ssh_signature(tut_buf_span(&reply), &signature, err));
    TUT_TRY(tut_pubkey_verify(pub, message, signature, err));
    tut_buf_add(out, signature.data, signature.len);
    return tut_buf_check(out, err);
}

static const tut_key_backend agent_backend = {agent_sign, agent_free};

/* --- choosing --- */

typedef struct choice {
    tut_str wanted;
    tut_pubkey *key;
    tut_buf blob;
    size_t matches;
} choice;

static void choice_done(choice *c)
{
    tut_pubkey_free(c->key);
    tut_buf_done(&c->blob);
}

/* "SHA256:" and the base64 of the digest of the blob, without padding, as ssh-keygen -l shows. */
static tut_status fingerprint(tut_span blob, tut_buf *out, tut_error *err)
{
    tut_sha256 digest;
    TUT_TRY(tut_sha256_of(blob, &digest, err));
    tut_buf_add_z(out, "SHA256:");
    tut_base64_add(out, tut_span_of(digest.bytes, sizeof(digest.bytes)));
    while (out->len && out->data[out->len - 1] == '=')
        out->len--;
    return tut_buf_check(out, err);
}

static tut_status consider(void *ctx, tut_span blob, tut_str comment, tut_error *err)
{
    choice *c = ctx;
    TUT_AUTO(tut_pubkey) key = NULL;
    TUT_CLEAN(tut_buf) print = TUT_BUF_INIT;
    tut_status status = tut_pubkey_from_ssh_blob(blob, &key, NULL);
    if (status.code == TUT_NOMEM)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    if (!tut_is_ok(status)) /* of another kind */
        return TUT_SUCCESS;
    TUT_TRY(fingerprint(blob, &print, err));
    if (c->wanted.len && !tut_str_eq_z(c->wanted, tut_pubkey_id(key)) &&
        !tut_str_eq(c->wanted, tut_buf_str(&print)) && !tut_str_eq(c->wanted, comment))
        return TUT_SUCCESS;
    if (c->matches++ == 0) {
        tut_buf_add(&c->blob, blob.data, blob.len);
        c->key = tut_move(&key);
    }
    return tut_buf_check(&c->blob, err);
}

static tut_status choose(const char *path, choice *c, tut_error *err)
{
    TUT_CLEAN(tut_buf) reply = TUT_BUF_INIT;
    uint8_t request = REQUEST_IDENTITIES;
    TUT_TRY(ask(path, tut_span_of(&request, 1), LIST_MS, &reply, err));
    TUT_TRY(tut_ssh_identities(tut_buf_span(&reply), consider, c, err));
    if (c->matches == 0)
        return tut_fail(err, TUT_USAGE,
                        "the SSH agent holds no such Ed25519 key; ssh-add -l lists what it holds");
    if (c->matches > 1)
        return tut_fail(err, TUT_USAGE,
                        "the SSH agent holds %zu Ed25519 keys that fit; name one by its "
                        "fingerprint: ssh-agent:SHA256:...",
                        c->matches);
    return TUT_SUCCESS;
}

tut_status tut_key_from_agent(tut_str name, tut_key **ret_key, tut_error *err)
{
    const char *path = getenv("SSH_AUTH_SOCK");
    if (!path || !*path)
        return tut_fail(err, TUT_USAGE,
                        "no SSH agent runs here (SSH_AUTH_SOCK is not set); start one: eval "
                        "$(ssh-agent), then ssh-add FILE");
    TUT_CLEAN(choice) c = {.wanted = name};
    TUT_TRY(choose(path, &c, err));
    agent_key *self = tut_alloc_array(1, sizeof(*self));
    if (!self)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    self->path = tut_strdup(path);
    self->blob = c.blob;
    c.blob = TUT_BUF_INIT;
    if (!self->path) {
        agent_free(self);
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    }
    return tut_key_make(&agent_backend, self, tut_move(&c.key), ret_key, err);
}
