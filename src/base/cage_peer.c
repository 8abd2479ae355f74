/*
 * One worker, seen from the parent. What a worker sends is hostile: every message is checked
 * against what the parent itself knows to be under way, no length is believed before its bytes are
 * there, and descriptors that it might send are dropped by the kernel (recv takes none).
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/cage_internal.h"
#include "base/fs.h"
#include "base/fs_internal.h"
#include "base/time.h"

enum { IN_BYTES = 64 << 10 };

static void frame_done(tut_cage_frame *f)
{
    if (f->owns_fd)
        tut_fs_close(f->fd);
    tut_free(f->owned);
}

/* One sendmsg. Returns the bytes taken, 0 when the socket is full, -1 when the worker is gone. */
static ssize_t send_part(tut_cage_worker *w, tut_cage_frame *f)
{
    union {
        char space[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } control = {{0}};
    struct iovec iov[2];
    struct msghdr msg = {.msg_iov = iov};
    if (f->sent < sizeof(f->header))
        iov[msg.msg_iovlen++] = (struct iovec){f->header + f->sent, sizeof(f->header) - f->sent};
    size_t from = f->sent > sizeof(f->header) ? f->sent - sizeof(f->header) : 0;
    if (f->body.len > from) /* sendmsg does not write to what it is given */
        iov[msg.msg_iovlen++] = (struct iovec){(void *)(uintptr_t)(f->body.data + from),
                                               f->body.len - from};
    if (f->fd >= 0) {
        msg.msg_control = control.space;
        msg.msg_controllen = sizeof(control.space);
        struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
        *c = (struct cmsghdr){
            .cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
        memcpy(CMSG_DATA(c), &f->fd, sizeof(int));
    }
    ssize_t n;
    do {
        n = sendmsg(w->fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL);
    } while (n < 0 && errno == EINTR);
    /* ETOOMANYREFS: too many descriptors under way; they arrive as the worker reads. */
    if (n < 0)
        return errno == EAGAIN || errno == ETOOMANYREFS ? 0 : -1;
    if (f->owns_fd)
        tut_fs_close(f->fd);
    f->owns_fd = false;
    f->fd = -1;
    return n;
}

bool tut_cage_peer_flush(tut_cage_worker *w)
{
    while (w->frame_count > 0) {
        tut_cage_frame *f = &w->frames[0];
        size_t total = sizeof(f->header) + f->body.len;
        ssize_t n = send_part(w, f);
        if (n <= 0)
            return n == 0;
        f->sent += (size_t)n;
        if (f->sent < total)
            continue;
        if (f->item)
            f->item->is_sent = true;
        frame_done(f);
        w->frame_count--;
        memmove(w->frames, w->frames + 1, w->frame_count * sizeof(w->frames[0]));
    }
    return true;
}

bool tut_cage_peer_send(tut_cage_worker *w, const tut_cage_header *h, tut_cage_frame frame)
{
    if (w->frame_count == TUT_CAGE_FRAMES_MAX) {
        frame_done(&frame);
        return false;
    }
    tut_cage_header_write(h, frame.header);
    w->frames[w->frame_count++] = frame;
    return w->frame_count > 1 || tut_cage_peer_flush(w);
}

void tut_cage_peer_close(tut_cage_worker *w)
{
    for (size_t i = 0; i < w->frame_count; i++)
        frame_done(&w->frames[i]);
    w->frame_count = 0;
    tut_buf_done(&w->body);
    tut_fs_close(w->fd);
    w->fd = -1;
}

/* --- what came in --- */

static int find_lent(const tut_cage_item *item, const char *name)
{
    for (size_t i = 0; i < item->lent_count; i++)
        if (strcmp(item->lent[i].name, name) == 0)
            return item->lent[i].fd;
    return -1;
}

static tut_status lend(int fd, int *ret_fd, tut_error *err)
{
    *ret_fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    return *ret_fd >= 0 ? TUT_SUCCESS : tut_fail_errno(err, errno, "cannot lend a file");
}

static bool open_sibling(tut_cage_item *item, tut_span name, int *ret_fd, tut_error *err)
{
    char rel[TUT_CAGE_PATH_MAX];
    tut_str_copy(rel, sizeof(rel), tut_str_from(name));
    bool is_name = name.len > 0 && name.len < sizeof(rel) && !memchr(name.data, 0, name.len);
    int lent = is_name ? find_lent(item, rel) : -1;
    tut_status status;
    if (item->dirfd < 0 && item->lent_count == 0)
        status = tut_fail(err, TUT_DENIED, "this file may not open others");
    else if (!is_name)
        status = tut_fail(err, TUT_DENIED, "this is no file name");
    else if (item->siblings >= TUT_LIMIT_SIBLINGS)
        status = tut_fail(err, TUT_LIMIT, "more than %u files beside this one", TUT_LIMIT_SIBLINGS);
    else if (lent >= 0)
        status = lend(lent, ret_fd, err);
    else if (item->dirfd < 0)
        status = tut_fail(err, TUT_DENIED, "no file of this name was lent");
    else
        status = tut_fs_open_beneath(item->dirfd, rel, ret_fd, err);
    item->siblings++;
    return tut_is_ok(status);
}

/* So many for one file, all in all: as many as what it may decode comes to. */
static bool open_scratch(tut_cage_item *item, int *ret_fd, tut_error *err)
{
    if (item->scratches++ < TUT_LIMIT_SCRATCHES)
        return tut_is_ok(tut_fs_open_nameless(ret_fd, err));
    TUT_IGNORE(
        tut_fail(err, TUT_LIMIT, "more than %u files to keep bytes in", TUT_LIMIT_SCRATCHES));
    return false;
}

static const char *answer(tut_cage_worker *w)
{
    tut_cage_item *item = w->items[0];
    tut_error error = {0};
    tut_cage_header h = {.kind = TUT_CAGE_ANSWER, .seq = item->seq};
    tut_cage_frame frame = {.fd = -1};
    struct stat st;
    bool is_open = w->in.kind == TUT_CAGE_SCRATCH
                       ? open_scratch(item, &frame.fd, &error)
                       : open_sibling(item, tut_buf_span(&w->body), &frame.fd, &error);
    if (is_open) {
        frame.owns_fd = h.has_fd = true;
        if (fstat(frame.fd, &st) == 0 && st.st_size > 0 && item->size < UINT64_MAX / 2)
            item->size += (uint64_t)st.st_size; /* more bytes, more time */
    } else {
        h.code = (uint8_t)error.code;
        h.length = (uint32_t)strlen(error.text);
        frame.owned = tut_alloc_array(h.length + 1, 1);
        if (!frame.owned)
            h.length = 0;
        else
            memcpy(frame.owned, error.text, h.length);
        frame.body = tut_span_of(frame.owned, h.length);
    }
    return tut_cage_peer_send(w, &h, frame) ? NULL : "it asks and does not listen";
}

static const char *take_error(tut_cage *cage, tut_cage_worker *w)
{
    tut_cage_item *item = w->items[0];
    tut_error error;
    if (w->in.code == TUT_OK || w->in.code >= TUT_CODE_COUNT ||
        !tut_is_ok(tut_cage_error_read(tut_buf_span(&w->body), &error)))
        return "its error makes no sense";
    error.code = w->in.code;
    item->error = tut_alloc_array(1, sizeof(*item->error));
    if (item->error)
        *item->error = error;
    tut_cage_finish(cage, item, TUT_CAGE_FAILED);
    return NULL;
}

static const char *take_ready(tut_cage *cage, tut_cage_worker *w)
{
    const uint8_t *body = w->body.data;
    if (w->is_ready || w->body.len != TUT_CAGE_READY_BYTES || body[0] != 1)
        return "its greeting makes no sense";
    tut_cage_jail jail = {.landlock_abi = body[1], .seccomp = body[2] == 1};
    tut_cage_facts facts;
    tut_cage_jail_facts(&jail, &facts);
    /* The least that any worker got is what is true of the run. */
    if (!facts.complete || cage->facts.complete)
        cage->facts = facts;
    w->is_ready = true;
    tut_cage_begin_clock(w);
    cage->start_failures = 0;
    if (cage->mode == TUT_CAGE_REQUIRE && !facts.complete)
        TUT_IGNORE(tut_fail(&cage->fatal, TUT_UNSUPPORTED,
                            "the sandbox is not complete here (lacking: %s)", facts.lacking));
    return NULL;
}

/* The task at hand was answered; the next one's time begins. */
static void leave(tut_cage_worker *w)
{
    w->count--;
    memmove(w->items, w->items + 1, w->count * sizeof(w->items[0]));
    tut_cage_begin_clock(w);
    if (w->count == 0)
        w->is_alone = false;
}

/* NULL, or what is wrong with the message. The body is whole. */
static const char *handle(tut_cage *cage, tut_cage_worker *w)
{
    const char *breach = NULL;
    switch ((tut_cage_kind)w->in.kind) {
    case TUT_CAGE_READY:
        return take_ready(cage, w);
    case TUT_CAGE_ASK:
    case TUT_CAGE_SCRATCH:
        return answer(w);
    case TUT_CAGE_RESULT:
        w->items[0]->reply = w->body;
        w->body = TUT_BUF_INIT;
        tut_cage_finish(cage, w->items[0], TUT_CAGE_DONE);
        leave(w);
        return NULL;
    case TUT_CAGE_ERROR:
        breach = take_error(cage, w);
        if (!breach)
            leave(w);
        return breach;
    case TUT_CAGE_TASK:
    case TUT_CAGE_ANSWER:
        break;
    }
    return "it sent a message that is not its to send";
}

/* NULL, or why this header cannot be true. */
static const char *judge_header(const tut_cage_worker *w)
{
    static const uint32_t longest[] = {[TUT_CAGE_READY] = TUT_CAGE_READY_BYTES,
                                       [TUT_CAGE_RESULT] = TUT_LIMIT_REPLY_BYTES,
                                       [TUT_CAGE_ERROR] = TUT_CAGE_ERROR_MAX,
                                       [TUT_CAGE_ASK] = TUT_CAGE_PATH_MAX,
                                       [TUT_CAGE_SCRATCH] = 0};
    const tut_cage_header *h = &w->in;
    if (h->kind >= sizeof(longest) / sizeof(longest[0]) || h->length > longest[h->kind])
        return "it sent a message of a wrong kind or size";
    if (h->kind == TUT_CAGE_READY)
        return NULL;
    if (!w->is_ready || w->count == 0 || !w->items[0]->is_sent || h->seq != w->items[0]->seq)
        return "it spoke of a task that it does not have at hand";
    return NULL;
}

static const char *take_bytes(tut_cage *cage, tut_cage_worker *w, const uint8_t *data, size_t len)
{
    while (len > 0) {
        size_t part;
        if (w->header_have < TUT_CAGE_HEADER_BYTES) {
            part = TUT_CAGE_HEADER_BYTES - w->header_have;
            part = part < len ? part : len;
            memcpy(w->header + w->header_have, data, part);
            w->header_have += part;
            data += part;
            len -= part;
            if (w->header_have < TUT_CAGE_HEADER_BYTES)
                return NULL;
            tut_cage_header_read(w->header, &w->in);
            const char *breach = judge_header(w);
            if (breach)
                return breach;
        }
        part = w->in.length - w->body.len;
        part = part < len ? part : len;
        tut_buf_add(&w->body, data, part);
        data += part;
        len -= part;
        if (w->body.failed != TUT_OK)
            return "memory ran out for its answer";
        if (w->body.len < w->in.length)
            return NULL;
        const char *breach = handle(cage, w);
        if (breach)
            return breach;
        tut_buf_clear(&w->body);
        w->header_have = 0;
    }
    return NULL;
}

bool tut_cage_peer_read(tut_cage *cage, tut_cage_worker *w, const char **ret_breach)
{
    *ret_breach = NULL;
    for (;;) {
        uint8_t bytes[IN_BYTES];
        /* No control buffer: the kernel drops descriptors that come along. */
        ssize_t got = recv(w->fd, bytes, sizeof(bytes), MSG_DONTWAIT);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 && errno == EAGAIN)
            return true;
        if (got <= 0)
            return false;
        *ret_breach = take_bytes(cage, w, bytes, (size_t)got);
        if (*ret_breach)
            return false;
        if ((size_t)got < sizeof(bytes))
            return true; /* most likely all; the poll tells if not */
    }
}
