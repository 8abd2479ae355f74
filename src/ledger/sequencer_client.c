/*
 * A client: of the socket if a sequencer answers there, else of a child of our own. Every message
 * is answered once, in order; so counting is all that telling answers apart takes.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cage.h"
#include "base/fs.h"
#include "ledger/sequencer_server.h"

enum {
    WELCOME_MS = 10000,
    CONNECTS_MAX = 3, /* a sequencer that just ends may still take a connection */
    END_MS = 600000,  /* folding a long journal, on a slow disk */
    SUBMITS_PER_READ = 32
};

struct tut_sequencer {
    tut_seq_child child;      /* pid 0: the socket's sequencer */
    uint64_t asked, answered; /* messages */
    uint64_t durable;         /* submissions */
    tut_error refused;        /* the first refusal that nobody was told of; code OK: none */
    tut_error lost;           /* why the connection ended; code OK: it stands */
    /* The message that its caller waits for, by number from 1; 0: none. */
    uint64_t wanted;
    tut_error verdict;
    uint64_t *indexes;
    size_t index_count;
    tut_buf *note;
    int claim_fd; /* keeps services away while the log key changes; -1: none */
};

/* --- the address --- */

tut_status tut_seq_address(const char *state_dir, const char *name, struct sockaddr_un *ret_address,
                           int *ret_dirfd, tut_error *err)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int dirfd = -1;
    int len = snprintf(address.sun_path, sizeof(address.sun_path), "%s/ledger/%s", state_dir, name);
    if (len < 0 || (size_t)len >= sizeof(address.sun_path)) {
        TUT_AUTO_FREE char *dir = tut_fs_join(state_dir, "ledger");
        if (!dir)
            return tut_fail(err, TUT_NOMEM, "memory ran out");
        dirfd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (dirfd < 0) {
            tut_error_set_path(err, dir);
            return tut_fail_errno(err, errno, "cannot be opened");
        }
        (void)snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/%s", dirfd,
                       name);
    }
    *ret_address = address;
    *ret_dirfd = dirfd;
    return TUT_SUCCESS;
}

/* --- connecting --- */

/* -1: nobody answers there. */
static int try_socket(const char *state_dir)
{
    struct sockaddr_un address;
    int dirfd = -1;
    if (!tut_is_ok(tut_seq_address(state_dir, TUT_SEQ_SOCKET, &address, &dirfd, NULL)))
        return -1;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof(address)) != 0) {
        (void)close(fd);
        fd = -1;
    }
    if (dirfd >= 0)
        (void)close(dirfd);
    return fd;
}

static tut_status join(tut_sequencer *c, const tut_sequencer_options *options, bool *ret_joined,
                       tut_error *err)
{
    for (int i = 0; i < CONNECTS_MAX; i++) {
        int fd = try_socket(options->state_dir);
        if (fd < 0)
            return TUT_SUCCESS;
        c->child.conn.fd = fd;
        if (!tut_seq_is_trusted(fd, options->state_dir))
            return tut_fail(err, TUT_DENIED,
                            "the socket of the ledger belongs to a user who does not own it");
        tut_error why = {0};
        tut_status status = tut_seq_conn_welcome(&c->child.conn, options->origin, WELCOME_MS, &why);
        *ret_joined = tut_is_ok(status);
        if (status.code != TUT_IO)
            return tut_is_ok(status) ? status : tut_fail(err, status.code, "%s", why.text);
        tut_seq_conn_done(&c->child.conn);
    }
    return TUT_SUCCESS;
}

tut_status tut_sequencer_connect(const tut_sequencer_options *options, tut_sequencer **ret_client,
                                 tut_error *err)
{
    TUT_AUTO(tut_sequencer) c = tut_alloc_array(1, sizeof(*c));
    bool has_joined = false;
    if (!c)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    c->child.conn.fd = -1;
    c->claim_fd = -1;
    if (options->is_rotating)
        TUT_TRY(tut_seq_claim_service(options->state_dir, &c->claim_fd, err));
    else
        TUT_TRY(join(c, options, &has_joined, err));
    if (!has_joined)
        TUT_TRY(tut_seq_child_start(options, -1, &c->child, err));
    *ret_client = tut_move(&c);
    return TUT_SUCCESS;
}

void tut_sequencer_free(tut_sequencer *c)
{
    if (!c)
        return;
    tut_seq_child_kill(&c->child);
    if (c->claim_fd >= 0)
        (void)close(c->claim_fd);
    tut_free(c);
}

/* --- answers --- */

static bool take_indexes(tut_sequencer *c, tut_reader *body)
{
    uint32_t count;
    bool is_wanted = c->answered == c->wanted && c->wanted != 0;
    if (!tut_is_ok(tut_reader_u32le(body, &count)) || (is_wanted && count != c->index_count))
        return false;
    c->durable += count;
    for (uint32_t i = 0; i < count; i++) {
        uint64_t index;
        if (!tut_is_ok(tut_reader_u64le(body, &index)))
            return false;
        if (is_wanted && c->indexes)
            c->indexes[i] = index;
    }
    return tut_reader_left(body) == 0;
}

static bool take_refusal(tut_sequencer *c, tut_reader *body)
{
    tut_error why;
    if (!tut_is_ok(tut_seq_get_error(body, &why)))
        return false;
    if (c->answered == c->wanted && c->wanted != 0)
        c->verdict = why;
    else if (c->refused.code == TUT_OK)
        c->refused = why;
    return true;
}

static bool take_note(tut_sequencer *c, tut_reader *body)
{
    tut_str note;
    if (!tut_is_ok(tut_reader_sized(body, &note)))
        return false;
    if (c->note && c->answered == c->wanted)
        tut_buf_add_str(c->note, note);
    return true;
}

static bool take_answer(tut_sequencer *c, tut_seq_frame *frame)
{
    c->answered++;
    if (c->answered > c->asked)
        return false;
    switch (frame->type) {
    case TUT_SEQ_APPENDED:
        return take_indexes(c, &frame->body);
    case TUT_SEQ_REFUSED:
        return take_refusal(c, &frame->body);
    case TUT_SEQ_NOTE:
        return take_note(c, &frame->body);
    case TUT_SEQ_DONE:
        return true;
    default:
        return false;
    }
}

static tut_status lose(tut_sequencer *c, tut_status status, tut_error *why)
{
    why->code = status.code;
    if (c->child.pid > 0 && status.code == TUT_IO && !c->child.conn.was_told &&
        !tut_is_ok(tut_seq_child_reap(&c->child, why))) /* it can say more */
        why->code = TUT_BUG;
    tut_seq_conn_done(&c->child.conn);
    c->lost = *why;
    return status;
}

/* Takes what is here. */
static tut_status take_answers(tut_sequencer *c)
{
    tut_error why = {0};
    for (;;) {
        tut_seq_frame frame;
        bool has = false;
        tut_status status = tut_seq_conn_take(&c->child.conn, &frame, &has, &why);
        if (tut_is_ok(status) && !has)
            return status;
        if (tut_is_ok(status) && frame.type == TUT_SEQ_BROKEN) {
            c->child.conn.was_told = tut_is_ok(tut_seq_get_error(&frame.body, &why));
            if (c->child.conn.was_told)
                return lose(c, (tut_status){why.code}, &why);
            status = (tut_status){TUT_MALFORMED};
        } else if (tut_is_ok(status) && !take_answer(c, &frame)) {
            status = (tut_status){TUT_MALFORMED};
        }
        if (!tut_is_ok(status)) {
            TUT_IGNORE(tut_fail(&why, TUT_MALFORMED, "what answers is no sequencer"));
            return lose(c, status, &why);
        }
    }
}

static tut_status tell_loss(const tut_sequencer *c, tut_error *err)
{
    uint64_t open = c->asked - c->answered;
    if (open == 0)
        return tut_fail(err, c->lost.code, "%s", c->lost.text);
    return tut_fail(err, c->lost.code, "%s; %llu of what was sent was not acknowledged",
                    c->lost.text, (unsigned long long)open);
}

static tut_status check_stands(const tut_sequencer *c, tut_error *err)
{
    return c->lost.code == TUT_OK ? TUT_SUCCESS : tell_loss(c, err);
}

/* One round of sending, waiting and taking. */
static tut_status round_trip(tut_sequencer *c, int timeout_ms, tut_error *err)
{
    tut_error why = {0};
    TUT_TRY(check_stands(c, err));
    tut_status status = tut_seq_conn_pump(&c->child.conn, timeout_ms, &why);
    /* What came in before the end still counts. */
    if (!tut_is_ok(take_answers(c)))
        return tell_loss(c, err);
    if (!tut_is_ok(status)) {
        TUT_IGNORE(lose(c, status, &why));
        return tell_loss(c, err);
    }
    return TUT_SUCCESS;
}

/* --- asking and waiting for the answer --- */

static tut_status settle(tut_sequencer *c, int timeout_ms, tut_error *err)
{
    uint64_t until = tut_clock_ms() + (uint64_t)(timeout_ms < 0 ? 0 : timeout_ms);
    TUT_TRY(check_stands(c, err));
    while (c->answered < c->asked) {
        uint64_t now = tut_clock_ms();
        if (timeout_ms >= 0 && now >= until)
            return tut_fail(err, TUT_LIMIT, "the sequencer does not answer");
        TUT_TRY(round_trip(c, timeout_ms < 0 ? -1 : (int)(until - now), err));
    }
    return TUT_SUCCESS;
}

/* The message is in the buffer; its answer is what c->wanted stands for. */
static tut_status ask(tut_sequencer *c, int timeout_ms, tut_error *err)
{
    c->asked++;
    c->wanted = c->asked;
    c->verdict = (tut_error){0};
    tut_status status = settle(c, timeout_ms, err);
    c->wanted = 0;
    c->indexes = NULL;
    c->note = NULL;
    TUT_TRY(status);
    return c->verdict.code == TUT_OK ? status
                                     : tut_fail(err, c->verdict.code, "%s", c->verdict.text);
}

static tut_status check_submission(const tut_submission *s, tut_error *err)
{
    if (!s->kind || !s->producer || (unsigned)s->log >= TUT_LOG_COUNT)
        return tut_fail(err, TUT_USAGE, "a submission names its log, kind and producer");
    if (s->payload.len > TUT_LOG_ENTRY_MAX)
        return tut_fail(err, TUT_LIMIT,
                        "a payload of %zu bytes does not fit into an entry (%u bytes); keep it as "
                        "a body and name its digest",
                        s->payload.len, (unsigned)TUT_LOG_ENTRY_MAX);
    return TUT_SUCCESS;
}

static void put_submission(tut_buf *out, const tut_submission *s)
{
    tut_seq_item item = {.is_dsse = s->is_dsse,
                         .seq = s->seq,
                         .kind = tut_str_of(s->kind),
                         .producer = tut_str_of(s->producer),
                         .payload = s->payload};
    tut_seq_put_item(out, &item);
}

/* A message that is too long, or for which there was no memory, leaves no trace. */
static tut_status end_append(tut_buf *out, size_t start, tut_error *err)
{
    tut_status status = tut_buf_check(out, err);
    if (tut_is_ok(status) && out->len - start > TUT_LIMIT_SEQUENCER_MESSAGE)
        status = tut_fail(err, TUT_LIMIT, "more than %u bytes in one append; give less at once",
                          TUT_LIMIT_SEQUENCER_MESSAGE);
    if (!tut_is_ok(status)) {
        out->len = start;
        out->failed = TUT_OK;
        return status;
    }
    tut_seq_close(out, start);
    return status;
}

tut_status tut_sequencer_append(tut_sequencer *c, const tut_submission *items, size_t count,
                                uint64_t *ret_indexes, tut_error *err)
{
    if (count == 0)
        return TUT_SUCCESS;
    if (count > TUT_LIMIT_SEQUENCER_ITEMS)
        return tut_fail(err, TUT_LIMIT, "more than %u entries in one append; give less at once",
                        TUT_LIMIT_SEQUENCER_ITEMS);
    for (size_t i = 0; i < count; i++) {
        TUT_TRY(check_submission(&items[i], err));
        if (items[i].log != items[0].log)
            return tut_fail(err, TUT_USAGE, "one append goes to one log");
    }
    TUT_TRY(check_stands(c, err));
    tut_buf *out = &c->child.conn.out;
    size_t start = tut_seq_open(out, TUT_SEQ_APPEND);
    tut_seq_put_append(out, items[0].log, count);
    for (size_t i = 0; i < count; i++)
        put_submission(out, &items[i]);
    TUT_TRY(end_append(out, start, err));
    c->indexes = ret_indexes;
    c->index_count = count;
    return ask(c, -1, err);
}

tut_status tut_sequencer_submit(tut_sequencer *c, const tut_submission *item, tut_error *err)
{
    tut_buf *out = &c->child.conn.out;
    TUT_TRY(check_submission(item, err));
    TUT_TRY(check_stands(c, err));
    if (out->len - c->child.conn.out_at > TUT_LIMIT_SEQUENCER_QUEUE)
        return tut_fail(err, TUT_LIMIT,
                        "%u bytes wait for the sequencer already; wait before more is submitted",
                        TUT_LIMIT_SEQUENCER_QUEUE);
    size_t start = tut_seq_open(out, TUT_SEQ_APPEND);
    tut_seq_put_append(out, item->log, 1);
    put_submission(out, item);
    TUT_TRY(end_append(out, start, err));
    c->asked++;
    /* Reading too, now and then, or a client that never polls would in the end be waited for. */
    if (c->asked % SUBMITS_PER_READ == 0)
        return round_trip(c, 0, err);
    tut_error why = {0};
    tut_status status = tut_seq_conn_send(&c->child.conn, &why);
    return tut_is_ok(status) ? status : round_trip(c, 0, err);
}

tut_status tut_sequencer_poll(tut_sequencer *c, int timeout_ms, uint64_t *ret_durable,
                              tut_error *err)
{
    if (timeout_ms < 0)
        TUT_TRY(settle(c, -1, err));
    else if (c->answered < c->asked)
        TUT_TRY(round_trip(c, timeout_ms, err));
    else
        TUT_TRY(check_stands(c, err));
    if (c->refused.code != TUT_OK) {
        tut_status status = tut_fail(err, c->refused.code, "%s", c->refused.text);
        c->refused = (tut_error){0};
        return status;
    }
    *ret_durable = c->durable;
    return TUT_SUCCESS;
}

tut_status tut_sequencer_checkpoint(tut_sequencer *c, tut_log_name log, tut_buf *out,
                                    tut_error *err)
{
    TUT_TRY(check_stands(c, err));
    tut_buf *message = &c->child.conn.out;
    size_t start = tut_seq_open(message, TUT_SEQ_CHECKPOINT);
    tut_buf_add_byte(message, (uint8_t)log);
    tut_seq_close(message, start);
    c->note = out;
    TUT_TRY(ask(c, -1, err));
    return tut_buf_check(out, err);
}

tut_status tut_sequencer_fold(tut_sequencer *c, tut_error *err)
{
    TUT_TRY(check_stands(c, err));
    tut_seq_close(&c->child.conn.out, tut_seq_open(&c->child.conn.out, TUT_SEQ_FOLD));
    return ask(c, END_MS, err);
}

tut_status tut_sequencer_close(tut_sequencer **client, tut_error *err)
{
    TUT_AUTO(tut_sequencer) c = tut_move(client);
    if (!c)
        return TUT_SUCCESS;
    uint64_t durable;
    tut_status status = tut_sequencer_poll(c, -1, &durable, err);
    if (c->lost.code != TUT_OK)
        return tut_is_ok(status) ? tell_loss(c, err) : status;
    tut_seq_close(&c->child.conn.out, tut_seq_open(&c->child.conn.out, TUT_SEQ_END));
    tut_status ended = ask(c, END_MS, tut_is_ok(status) ? err : NULL);
    if (tut_is_ok(ended) && c->child.pid > 0)
        ended = tut_seq_child_reap(&c->child, tut_is_ok(status) ? err : NULL);
    return tut_is_ok(status) ? ended : status;
}

pid_t tut_sequencer_child(const tut_sequencer *c)
{
    return c->child.pid;
}
