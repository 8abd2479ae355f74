/* The client's side of a connection. The sequencer's messages are input like any other. */
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cage.h"
#include "ledger/sequencer_server.h"

enum { READ_BYTES = 64 << 10 };

void tut_seq_conn_done(tut_seq_conn *conn)
{
    if (conn->fd >= 0)
        (void)close(conn->fd);
    tut_buf_done(&conn->in);
    tut_buf_done(&conn->out);
    *conn = (tut_seq_conn){.fd = -1};
}

static tut_status is_gone(tut_error *err)
{
    return tut_fail(err, TUT_IO, "the sequencer went away");
}

tut_status tut_seq_conn_send(tut_seq_conn *conn, tut_error *err)
{
    TUT_TRY(tut_buf_check(&conn->out, err));
    while (conn->out_at < conn->out.len) {
        ssize_t sent = send(conn->fd, conn->out.data + conn->out_at, conn->out.len - conn->out_at,
                            MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0 && errno == EAGAIN)
            return TUT_SUCCESS;
        if (sent <= 0)
            return is_gone(err);
        conn->out_at += (size_t)sent;
    }
    tut_buf_clear(&conn->out);
    conn->out_at = 0;
    return TUT_SUCCESS;
}

static tut_status receive(tut_seq_conn *conn, tut_error *err)
{
    size_t left = conn->in.len - conn->in_at;
    if (conn->in_at > 0)
        memmove(conn->in.data, conn->in.data + conn->in_at, left);
    conn->in.len = left;
    conn->in_at = 0;
    uint8_t *to = tut_buf_extend(&conn->in, READ_BYTES);
    if (!to)
        return tut_buf_check(&conn->in, err);
    ssize_t got = recv(conn->fd, to, READ_BYTES, MSG_DONTWAIT);
    conn->in.len = left + (got > 0 ? (size_t)got : 0);
    if (got > 0 || (got < 0 && (errno == EAGAIN || errno == EINTR)))
        return TUT_SUCCESS;
    return is_gone(err);
}

tut_status tut_seq_conn_pump(tut_seq_conn *conn, int timeout_ms, tut_error *err)
{
    /* A sequencer that refuses to go on says why before it closes: reading comes first. */
    tut_status sent = tut_seq_conn_send(conn, err);
    struct pollfd fd = {.fd = conn->fd, .events = POLLIN};
    if (conn->out_at < conn->out.len && tut_is_ok(sent))
        fd.events |= POLLOUT;
    if (poll(&fd, 1, tut_is_ok(sent) ? timeout_ms : 0) < 0 && errno != EINTR)
        return tut_fail_errno(err, errno, "cannot wait for the sequencer");
    if (fd.revents & (POLLIN | POLLHUP | POLLERR))
        return receive(conn, err);
    TUT_TRY(sent);
    return tut_seq_conn_send(conn, err);
}

tut_status tut_seq_conn_take(tut_seq_conn *conn, tut_seq_frame *ret_frame, bool *ret_has,
                             tut_error *err)
{
    tut_span bytes = tut_span_of(conn->in.data + conn->in_at, conn->in.len - conn->in_at);
    tut_seq_frame frame;
    tut_seq_outcome outcome = tut_seq_frame_next(bytes, TUT_LIMIT_SEQUENCER_MESSAGE, &frame);
    if (outcome == TUT_SEQ_BAD)
        return tut_fail(err, TUT_MALFORMED, "what answers is no sequencer");
    if (outcome == TUT_SEQ_WHOLE) {
        conn->in_at += frame.used;
        *ret_frame = frame;
    }
    *ret_has = outcome == TUT_SEQ_WHOLE;
    return TUT_SUCCESS;
}

static tut_status wait_for(tut_seq_conn *conn, int timeout_ms, bool may_interrupt,
                           tut_seq_frame *ret_frame, tut_error *err)
{
    uint64_t until = tut_clock_ms() + (uint64_t)timeout_ms;
    for (;;) {
        bool has = false;
        TUT_TRY(tut_seq_conn_take(conn, ret_frame, &has, err));
        if (has)
            return TUT_SUCCESS;
        uint64_t now = tut_clock_ms();
        if (now >= until)
            return tut_fail(err, TUT_LIMIT, "the sequencer does not answer within %d s",
                            timeout_ms / 1000);
        if (may_interrupt && tut_interrupted())
            return tut_fail(err, TUT_CANCELLED, "interrupted");
        TUT_TRY(tut_seq_conn_pump(conn, (int)(until - now), err));
    }
}

tut_status tut_seq_conn_wait(tut_seq_conn *conn, int timeout_ms, tut_seq_frame *ret_frame,
                             tut_error *err)
{
    return wait_for(conn, timeout_ms, true, ret_frame, err);
}

tut_status tut_seq_conn_wait_always(tut_seq_conn *conn, int timeout_ms, tut_seq_frame *ret_frame,
                                    tut_error *err)
{
    return wait_for(conn, timeout_ms, false, ret_frame, err);
}

bool tut_seq_is_trusted(int fd, const char *state_dir)
{
    struct ucred ucred;
    socklen_t len = sizeof(ucred);
    struct stat st;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &ucred, &len) != 0)
        return false;
    return ucred.uid == geteuid() || ucred.uid == 0 ||
           (stat(state_dir, &st) == 0 && ucred.uid == st.st_uid);
}

static tut_status told(tut_seq_frame *frame, bool *ret_was_told, tut_error *err)
{
    tut_error why;
    if (!tut_is_ok(tut_seq_get_error(&frame->body, &why)))
        return tut_fail(err, TUT_MALFORMED, "what answers is no sequencer");
    *ret_was_told = true;
    return tut_fail(err, why.code, "%s", why.text);
}

tut_status tut_seq_read_welcome(tut_seq_frame *frame, const char *origin, bool *ret_was_told,
                                tut_error *err)
{
    uint32_t version;
    tut_str served;
    if (frame->type == TUT_SEQ_BROKEN)
        return told(frame, ret_was_told, err);
    if (frame->type != TUT_SEQ_WELCOME || !tut_is_ok(tut_reader_u32le(&frame->body, &version)) ||
        !tut_is_ok(tut_reader_sized(&frame->body, &served)))
        return tut_fail(err, TUT_MALFORMED, "what answers is no sequencer");
    if (version != TUT_SEQ_VERSION)
        return tut_fail(err, TUT_UNSUPPORTED,
                        "the sequencer speaks version %u of its protocol, not %u; restart it with "
                        "this tutela",
                        version, (unsigned)TUT_SEQ_VERSION);
    if (!tut_str_eq_z(served, origin))
        return tut_fail(err, TUT_STORE, "the sequencer there serves another ledger");
    return TUT_SUCCESS;
}

tut_status tut_seq_conn_welcome(tut_seq_conn *conn, const char *origin, int timeout_ms,
                                tut_error *err)
{
    tut_seq_frame frame = {0};
    TUT_TRY(tut_seq_conn_wait(conn, timeout_ms, &frame, err));
    return tut_seq_read_welcome(&frame, origin, &conn->was_told, err);
}
