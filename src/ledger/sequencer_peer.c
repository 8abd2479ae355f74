/* One connection of the sequencer: bytes in, bytes out, and how it ends. Nothing here waits. */
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ledger/sequencer_server.h"

enum { READ_BYTES = 64 << 10 };

tut_status tut_seq_peer_new(int fd, const tut_seq_peer_id *id, tut_seq_peer **ret_peer)
{
    tut_seq_peer *peer = tut_alloc_array(1, sizeof(*peer));
    if (!peer)
        return tut_fail(NULL, TUT_NOMEM, "memory ran out");
    *peer = (tut_seq_peer){.fd = fd, .id = *id};
    *ret_peer = peer;
    return TUT_SUCCESS;
}

void tut_seq_peer_free(tut_seq_peer *peer)
{
    if (!peer)
        return;
    (void)close(peer->fd);
    tut_buf_done(&peer->in);
    tut_buf_done(&peer->out);
    tut_free(peer);
}

size_t tut_seq_peer_held(const tut_seq_peer *peer)
{
    return peer->in.len - peer->in_at;
}

bool tut_seq_peer_has_room(const tut_seq_peer *peer)
{
    return peer->out.len - peer->out_at < TUT_LIMIT_SEQUENCER_ANSWERS;
}

/* What was taken makes room; a buffer that one long message needed is given back. */
static void tidy(tut_buf *b, size_t *at)
{
    size_t left = b->len - *at;
    if (left == 0 && b->cap > 4 * (size_t)READ_BYTES) {
        tut_buf_done(b);
    } else if (*at > 0) {
        memmove(b->data, b->data + *at, left);
        b->len = left;
    }
    *at = 0;
}

void tut_seq_peer_read(tut_seq_peer *peer, size_t most)
{
    tidy(&peer->in, &peer->in_at);
    if (peer->in.len >= most)
        return;
    size_t room = most - peer->in.len;
    if (room > READ_BYTES)
        room = READ_BYTES;
    size_t before = peer->in.len;
    uint8_t *to = tut_buf_extend(&peer->in, room);
    if (!to) {
        tut_buf_clear(&peer->in);
        tut_seq_peer_break(peer, TUT_NOMEM, "the sequencer has no memory for this message");
        return;
    }
    ssize_t got = recv(peer->fd, to, room, MSG_DONTWAIT);
    peer->in.len = before + (got > 0 ? (size_t)got : 0);
    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR))
        peer->has_ended = true; /* it may have stopped sending only: it still gets its answers */
    if (got < 0 && errno != EAGAIN && errno != EINTR)
        peer->is_gone = true;
}

void tut_seq_peer_flush(tut_seq_peer *peer, uint64_t now_ms)
{
    while (!peer->is_gone && peer->out_at < peer->out.len) {
        ssize_t sent = send(peer->fd, peer->out.data + peer->out_at, peer->out.len - peer->out_at,
                            MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent > 0) {
            peer->out_at += (size_t)sent;
            peer->out_ms = 0;
        } else if (sent < 0 && errno == EAGAIN) {
            if (peer->out_ms == 0)
                peer->out_ms = now_ms;
            return;
        } else if (sent == 0 || errno != EINTR) {
            peer->is_gone = true;
        }
    }
    peer->out_ms = 0;
    tidy(&peer->out, &peer->out_at);
    /* Answers lost to want of memory cannot be made up for. */
    if (peer->out.failed != TUT_OK)
        peer->is_gone = true;
}

void tut_seq_peer_break(tut_seq_peer *peer, tut_code code, const char *text)
{
    if (peer->is_over)
        return;
    peer->is_over = true;
    tut_seq_put_error(&peer->out, TUT_SEQ_BROKEN, code, text);
}
