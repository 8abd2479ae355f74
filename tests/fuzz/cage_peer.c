/* What a taken-over worker may send: any bytes, over a real socket, to the parent's side. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cage_internal.h"

enum { ITEMS = 3, INPUT_MAX = 64 << 10 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static tut_status no_job(tut_cage_task *task, const tut_source *bytes, tut_span argument,
                         tut_buf *out, tut_error *err)
{
    (void)task, (void)bytes, (void)argument, (void)out;
    return tut_fail(err, TUT_BUG, "no worker runs here");
}

/* What must hold whatever came in: only tasks at hand were answered, and in their order. */
static void check(const tut_cage *cage, const tut_cage_worker *w, tut_cage_item items[ITEMS])
{
    size_t finished = 0;
    while (finished < ITEMS && items[finished].state == TUT_CAGE_FINISHED)
        finished++;
    if (finished == ITEMS)
        abort(); /* the last was not sent: no answer to it can be true */
    for (size_t i = finished; i < ITEMS; i++)
        if (items[i].state != TUT_CAGE_RUNNING)
            abort();
    for (size_t i = 0; i < finished; i++)
        if (items[i].outcome != TUT_CAGE_DONE && items[i].outcome != TUT_CAGE_FAILED)
            abort();
    if (w->count + finished > ITEMS || w->frame_count > TUT_CAGE_FRAMES_MAX)
        abort();
    size_t held = 0;
    for (size_t i = 0; i < ITEMS; i++)
        held += items[i].reply.len;
    if (held != cage->held_bytes || held > INPUT_MAX)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int pair[2];
    tut_cage *cage = NULL;
    if (size > INPUT_MAX || !tut_is_ok(tut_cage_open(no_job, NULL, &cage, NULL)))
        return 0;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
        abort();
    tut_cage_item items[ITEMS] = {{0}};
    tut_cage_worker *w = &cage->workers[0];
    w->fd = pair[0];
    for (size_t i = 0; i < ITEMS; i++) {
        items[i] = (tut_cage_item){
            .seq = i + 1, .state = TUT_CAGE_RUNNING, .fd = -1, .dirfd = -1, .is_sent = i < 2};
        w->items[w->count++] = &items[i];
    }
    /* In two parts, so that a message arrives in pieces. */
    const char *breach = NULL;
    size_t half = size / 2;
    bool is_alive = true;
    if (send(pair[1], data, half, MSG_DONTWAIT) != (ssize_t)half)
        abort();
    if (half > 0)
        is_alive = tut_cage_peer_read(cage, w, &breach);
    if (is_alive && send(pair[1], data + half, size - half, MSG_DONTWAIT) != (ssize_t)(size - half))
        abort();
    for (int i = 0; is_alive && i < 4; i++)
        is_alive = tut_cage_peer_read(cage, w, &breach);
    check(cage, w, items);
    tut_cage_peer_close(w);
    (void)close(pair[1]);
    for (size_t i = 0; i < ITEMS; i++) {
        tut_buf_done(&items[i].reply);
        tut_free(items[i].error);
    }
    tut_cage_free(cage);
    return 0;
}
