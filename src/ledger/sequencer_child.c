/* The loop of the child. One peer's mistakes end that peer; nothing that a peer sends ends the
 * loop. */
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ledger/sequencer_server.h"

enum { LISTENER = 0, FIRST_PEER = 1, ACCEPTS_MAX = 64, NO_ROOM_MS = 100, GATHER_MS = 2 };

/* --- requests --- */

static void commit(tut_seq_server *s)
{
    if (!tut_seq_batch_is_empty(&s->batch))
        tut_seq_batch_commit(&s->batch, &s->logs);
}

static void answer_done(tut_seq_peer *peer, tut_status status, const tut_error *error)
{
    if (tut_is_ok(status))
        tut_seq_close(&peer->out, tut_seq_open(&peer->out, TUT_SEQ_DONE));
    else
        tut_seq_put_error(&peer->out, TUT_SEQ_REFUSED, status.code, error->text);
}

static void answer_checkpoint(tut_seq_server *s, tut_seq_peer *peer, tut_log_name log)
{
    TUT_CLEAN(tut_buf) note = TUT_BUF_INIT;
    tut_error error = {0};
    tut_status status = tut_seq_logs_checkpoint(&s->logs, log, &note, &error);
    if (!tut_is_ok(status)) {
        tut_seq_put_error(&peer->out, TUT_SEQ_REFUSED, status.code, error.text);
        return;
    }
    size_t start = tut_seq_open(&peer->out, TUT_SEQ_NOTE);
    tut_buf_add_sized(&peer->out, tut_buf_str(&note));
    tut_seq_close(&peer->out, start);
}

/* Everything but an append waits for what came before it. */
static tut_status take_other(tut_seq_server *s, tut_seq_peer *peer, tut_seq_frame *frame,
                             tut_error *err)
{
    tut_log_name log = TUT_LOG_EVIDENCE;
    tut_error error = {0};
    if (frame->type == TUT_SEQ_CHECKPOINT)
        TUT_TRY(tut_seq_get_log(&frame->body, &log, err));
    else if (frame->type != TUT_SEQ_FOLD && frame->type != TUT_SEQ_END)
        return tut_fail(err, TUT_MALFORMED, "there is no message of type %u", frame->type);
    TUT_TRY(tut_seq_get_end(&frame->body, err));
    commit(s);
    if (frame->type == TUT_SEQ_CHECKPOINT) {
        answer_checkpoint(s, peer, log);
        return TUT_SUCCESS;
    }
    if (frame->type == TUT_SEQ_FOLD) {
        answer_done(peer, tut_seq_logs_fold(&s->logs, &error), &error);
        return TUT_SUCCESS;
    }
    peer->is_over = true;
    if (!peer->is_control) /* the control peer is answered when the logs are closed */
        answer_done(peer, TUT_SUCCESS, NULL);
    return TUT_SUCCESS;
}

static void take_frame(tut_seq_server *s, tut_seq_peer *peer, tut_seq_frame *frame)
{
    tut_error error = {0};
    tut_status status = frame->type == TUT_SEQ_APPEND
                            ? tut_seq_batch_add(&s->batch, peer, &frame->body, &s->access, &error)
                            : take_other(s, peer, frame, &error);
    if (tut_is_ok(status))
        return;
    commit(s); /* the reason comes after the answers that are due */
    tut_seq_peer_break(peer, status.code, error.text);
}

/* Whether more may be taken from this peer now. */
static bool may_take(const tut_seq_server *s, const tut_seq_peer *peer)
{
    return !peer->is_over && !peer->is_gone && tut_seq_peer_has_room(peer) &&
           !tut_seq_batch_is_full(&s->batch);
}

static void take_messages(tut_seq_server *s, tut_seq_peer *peer, uint64_t now_ms)
{
    while (may_take(s, peer)) {
        tut_seq_frame frame;
        tut_span bytes = tut_span_of(peer->in.data + peer->in_at, tut_seq_peer_held(peer));
        tut_seq_outcome outcome = tut_seq_frame_next(bytes, TUT_LIMIT_SEQUENCER_MESSAGE, &frame);
        if (outcome == TUT_SEQ_BAD) {
            commit(s);
            tut_seq_peer_break(peer, TUT_MALFORMED, "a message is empty or too long");
            break;
        }
        if (outcome == TUT_SEQ_MORE) {
            peer->in_ms = bytes.len == 0 ? 0 : (peer->in_ms == 0 ? now_ms : peer->in_ms);
            peer->is_over = peer->has_ended; /* what it began will not come */
            break;
        }
        peer->in_at += frame.used;
        peer->in_ms = 0;
        if (s->large == peer)
            s->large = NULL;
        take_frame(s, peer, &frame);
    }
}

/* --- reading --- */

/* How much of this peer's may be held: a message that does not fit into the usual room has to be
 * the only such one. */
static size_t room_for(tut_seq_server *s, const tut_seq_peer *peer)
{
    tut_seq_frame frame;
    tut_span bytes = tut_span_of(peer->in.data + peer->in_at, tut_seq_peer_held(peer));
    if (tut_seq_frame_next(bytes, TUT_LIMIT_SEQUENCER_MESSAGE, &frame) != TUT_SEQ_MORE ||
        frame.used <= TUT_LIMIT_SEQUENCER_AHEAD) {
        if (s->large == peer)
            s->large = NULL;
        return TUT_LIMIT_SEQUENCER_AHEAD;
    }
    if (!s->large)
        s->large = peer;
    return s->large == peer ? frame.used : TUT_LIMIT_SEQUENCER_AHEAD;
}

static void read_peer(tut_seq_server *s, tut_seq_peer *peer, uint64_t now_ms)
{
    if (!may_take(s, peer))
        return;
    size_t held = tut_seq_peer_held(peer);
    if (!peer->has_ended)
        tut_seq_peer_read(peer, room_for(s, peer));
    s->has_read = s->has_read || tut_seq_peer_held(peer) > held;
    take_messages(s, peer, now_ms);
}

static bool may_read(tut_seq_server *s, const tut_seq_peer *peer)
{
    return may_take(s, peer) && !peer->has_ended && tut_seq_peer_held(peer) < room_for(s, peer);
}

/* --- peers coming and going --- */

static void greet(tut_seq_server *s, tut_seq_peer *peer)
{
    size_t start = tut_seq_open(&peer->out, TUT_SEQ_WELCOME);
    tut_buf_add_u32le(&peer->out, TUT_SEQ_VERSION);
    tut_buf_add_sized(&peer->out, tut_str_of(s->options->origin));
    tut_seq_close(&peer->out, start);
}

static size_t peers_of(const tut_seq_server *s, uid_t uid)
{
    size_t count = 0;
    for (size_t i = 0; i < s->peer_count; i++)
        count += s->peers[i]->id.uid == uid;
    return count;
}

static void admit(tut_seq_server *s, int fd)
{
    struct ucred ucred;
    socklen_t len = sizeof(ucred);
    tut_seq_peer *peer = NULL;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &ucred, &len) != 0 ||
        !tut_is_ok(tut_seq_peer_new(
            fd, &(tut_seq_peer_id){.uid = ucred.uid, .gid = ucred.gid, .pid = ucred.pid}, &peer))) {
        (void)close(fd);
        return;
    }
    bool is_full = peers_of(s, ucred.uid) >= TUT_LIMIT_SEQUENCER_USER_PEERS;
    s->peers[s->peer_count++] = peer;
    if (!tut_seq_access_knows(&s->access, ucred.uid))
        tut_seq_peer_break(peer, TUT_DENIED, "the access table does not name you");
    else if (is_full)
        tut_seq_peer_break(peer, TUT_LIMIT, "you have too many connections to the sequencer");
    else
        greet(s, peer);
}

static void accept_some(tut_seq_server *s)
{
    for (int i = 0; i < ACCEPTS_MAX && s->peer_count < TUT_LIMIT_SEQUENCER_PEERS; i++) {
        int fd = accept4(s->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd < 0) {
            if (errno != EAGAIN && errno != ECONNABORTED && errno != EINTR)
                s->accept_ms = tut_clock_ms() + NO_ROOM_MS; /* no descriptor is left: later */
            return;
        }
        admit(s, fd);
    }
}

static void remove_peer(tut_seq_server *s, size_t i)
{
    tut_seq_peer *peer = s->peers[i];
    if (peer->pending > 0)
        tut_seq_batch_forget(&s->batch, peer);
    if (s->large == peer)
        s->large = NULL;
    tut_seq_peer_free(peer);
    s->peers[i] = s->peers[--s->peer_count];
}

static bool is_stalled(uint64_t since_ms, uint64_t now_ms)
{
    return since_ms != 0 && now_ms - since_ms > TUT_LIMIT_SEQUENCER_STALL_MS;
}

/* A peer that waits for its turn to send a long message is not to blame for its silence. */
static bool waits_for_turn(const tut_seq_server *s, const tut_seq_peer *peer)
{
    return s->large && s->large != peer && tut_seq_peer_held(peer) >= TUT_LIMIT_SEQUENCER_AHEAD;
}

static void tend_peer(tut_seq_server *s, tut_seq_peer *peer, uint64_t now_ms)
{
    tut_seq_peer_flush(peer, now_ms);
    if (waits_for_turn(s, peer))
        peer->in_ms = now_ms;
    if (is_stalled(peer->in_ms, now_ms)) {
        tut_seq_peer_break(peer, TUT_LIMIT, "a message was begun and not ended in time");
        peer->in_ms = 0;
        tut_seq_peer_flush(peer, now_ms);
    }
    if (is_stalled(peer->out_ms, now_ms))
        peer->is_gone = true;
    if (peer->is_over && peer->pending == 0 && peer->out.len == peer->out_at)
        peer->is_gone = true;
}

static void tend_peers(tut_seq_server *s, uint64_t now_ms)
{
    for (size_t i = s->peer_count; i-- > 0;) {
        tut_seq_peer *peer = s->peers[i];
        if (peer->is_control) {
            tut_seq_peer_flush(peer, now_ms);
            s->is_ending = s->is_ending || peer->is_over || peer->is_gone;
            continue;
        }
        tend_peer(s, peer, now_ms);
        if (peer->is_gone)
            remove_peer(s, i);
    }
}

/* --- the loop --- */

/* Waiting is of use only while somebody may still send: who has nothing in the batch, or has more
 * than one message there and so does not wait for answers. */
static bool all_wait(const tut_seq_server *s)
{
    for (size_t i = 0; i < s->peer_count; i++) {
        const tut_seq_peer *peer = s->peers[i];
        if (peer->pending != 1 && !peer->is_over && !(peer->is_control && s->listener >= 0))
            return false;
    }
    return true;
}

/* What is here already is taken in first: one wait for the disk costs more than reading it. */
static bool is_due(const tut_seq_server *s, uint64_t now_ms)
{
    uint64_t age_ms = now_ms - s->batch.since_ms;
    if (tut_seq_batch_is_empty(&s->batch))
        return false;
    if (tut_seq_batch_is_full(&s->batch) || all_wait(s))
        return true;
    return age_ms >= s->options->window_ms && (!s->has_read || age_ms >= GATHER_MS);
}

static int shorter(int a, int b)
{
    return a < 0 ? b : (b < 0 || a < b ? a : b);
}

static int until(uint64_t then_ms, uint64_t now_ms)
{
    return then_ms <= now_ms ? 0 : (int)(then_ms - now_ms);
}

static int wait_ms(tut_seq_server *s, uint64_t now_ms)
{
    int wait = tut_seq_logs_tend(&s->logs, now_ms);
    if (!tut_seq_batch_is_empty(&s->batch))
        wait = shorter(wait, until(s->batch.since_ms + s->options->window_ms, now_ms));
    if (s->accept_ms != 0)
        wait = shorter(wait, until(s->accept_ms, now_ms));
    for (size_t i = 0; i < s->peer_count; i++) {
        const tut_seq_peer *peer = s->peers[i];
        if (peer->in_ms != 0 || peer->out_ms != 0)
            wait = shorter(wait, 1000);
        else if (tut_seq_peer_held(peer) > 0 && may_take(s, peer))
            wait = 0; /* a message that found no room in the batch before */
    }
    return wait;
}

static void wait_for_events(tut_seq_server *s, struct pollfd *fds, int wait)
{
    bool has_place = s->peer_count < TUT_LIMIT_SEQUENCER_PEERS && s->accept_ms == 0;
    fds[LISTENER] = (struct pollfd){.fd = has_place ? s->listener : -1, .events = POLLIN};
    for (size_t i = 0; i < s->peer_count; i++) {
        const tut_seq_peer *peer = s->peers[i];
        short events = may_read(s, peer) ? POLLIN : 0;
        if (peer->out.len > peer->out_at)
            events |= POLLOUT;
        /* Nothing to do for it: not even its end may wake us, or we would spin. */
        fds[FIRST_PEER + i] = (struct pollfd){.fd = events ? peer->fd : -1, .events = events};
    }
    if (poll(fds, FIRST_PEER + s->peer_count, wait) < 0)
        for (size_t i = 0; i < FIRST_PEER + s->peer_count; i++)
            fds[i].revents = 0;
}

static void turn(tut_seq_server *s, struct pollfd *fds)
{
    uint64_t now_ms = tut_clock_ms();
    wait_for_events(s, fds, wait_ms(s, now_ms));
    now_ms = tut_clock_ms();
    if (s->accept_ms <= now_ms)
        s->accept_ms = 0;
    s->has_read = false;
    size_t known = s->peer_count;
    for (size_t i = 0; i < known; i++) {
        tut_seq_peer *peer = s->peers[i];
        bool was_empty = tut_seq_batch_is_empty(&s->batch);
        if (fds[FIRST_PEER + i].revents & (POLLIN | POLLHUP | POLLERR))
            read_peer(s, peer, now_ms);
        else if (tut_seq_peer_held(peer) > 0)
            take_messages(s, peer, now_ms); /* held back until now */
        if (was_empty)
            s->batch.since_ms = now_ms;
    }
    if (fds[LISTENER].revents)
        accept_some(s);
    if (is_due(s, now_ms))
        commit(s);
    tend_peers(s, now_ms);
}

/* The answer to the control peer's END, sent whole: it waits for it. */
static void farewell(tut_seq_peer *control, tut_status status, const tut_error *error)
{
    answer_done(control, status, error);
    while (!control->is_gone && control->out.len > control->out_at) {
        struct pollfd fd = {.fd = control->fd, .events = POLLOUT};
        if (poll(&fd, 1, TUT_LIMIT_SEQUENCER_STALL_MS) == 0)
            return;
        tut_seq_peer_flush(control, tut_clock_ms());
    }
}

void tut_seq_server_run(tut_seq_server *s)
{
    static struct pollfd fds[FIRST_PEER + TUT_LIMIT_SEQUENCER_PEERS + 1];
    greet(s, s->peers[0]);
    while (!s->is_ending)
        turn(s, fds);
    commit(s);
    for (size_t i = 1; i < s->peer_count; i++)
        tut_seq_peer_flush(s->peers[i], tut_clock_ms());
    tut_error error = {0};
    tut_status status = tut_seq_logs_close(&s->logs, &error);
    farewell(s->peers[0], status, &error);
}
