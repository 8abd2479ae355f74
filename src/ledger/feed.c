#include "ledger/feed.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cage.h"
#include "ledger/sequencer_server.h"

enum {
    MOST_BYTES = 64 << 20,
    BATCH_BYTES = 256 << 10,
    BATCH_ITEMS = 1024,
    SILENCE_MS = 5000, /* of a sequencer that has something to answer */
    PREFIX_MAX = 96
};

typedef struct item {
    const char *kind;
    char *payload;
    size_t len;
} item;

typedef struct batch { /* one message that is not answered yet */
    size_t count;
} batch;

struct tut_feed {
    char *state_dir, *origin, *about;
    char prefix[PREFIX_MAX];
    unsigned connections;
    char producer[TUT_ENTRY_PRODUCER_MAX + 1];
    tut_seq_conn conn;
    bool is_welcome, has_opened;
    uint64_t seq;          /* the next number of this producer */
    uint64_t earlier_from; /* of the producer before: the first that was not answered */
    /* A ring of what is not durable: items[first .. first + count), of which `sent` were sent. */
    item *items;
    size_t first, count, capacity, sent, bytes;
    batch *batches;
    size_t batch_first, batch_count, batch_capacity;
    uint64_t durable;     /* tickets */
    uint64_t retry_ms;    /* not before */
    uint64_t answered_ms; /* when something was last answered, or the first of these was sent */
    uint64_t stalled_ms;
    char why[160];
};

tut_status tut_feed_new(const char *state_dir, const char *origin, const char *prefix,
                        tut_str about, tut_feed **ret_feed, tut_error *err)
{
    TUT_AUTO(tut_feed) f = tut_alloc_array(1, sizeof(*f));
    if (!f)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    f->conn.fd = -1;
    f->state_dir = tut_strdup(state_dir);
    f->origin = tut_strdup(origin);
    f->about = tut_asprintf("%.*s", (int)about.len, about.data);
    if (!f->state_dir || !f->origin || !f->about)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    if (strlen(prefix) >= sizeof(f->prefix))
        return tut_fail(err, TUT_LIMIT, "the name of a producer is too long");
    tut_str_copy(f->prefix, sizeof(f->prefix), tut_str_of(prefix));
    *ret_feed = tut_move(&f);
    return TUT_SUCCESS;
}

static item *item_at(const tut_feed *f, size_t i)
{
    size_t at = f->first + i;
    return &f->items[at < f->capacity ? at : at - f->capacity];
}

void tut_feed_free(tut_feed *f)
{
    if (!f)
        return;
    for (size_t i = 0; i < f->count; i++)
        tut_free(item_at(f, i)->payload);
    tut_free(f->items);
    tut_free(f->batches);
    tut_seq_conn_done(&f->conn);
    tut_free(f->state_dir);
    tut_free(f->origin);
    tut_free(f->about);
    tut_free(f);
}

/* --- the ring --- */
static tut_status make_room(tut_feed *f)
{
    if (f->count < f->capacity)
        return TUT_SUCCESS;
    size_t capacity = f->capacity ? 2 * f->capacity : 256;
    item *items = tut_alloc_array(capacity, sizeof(*items));
    if (!items)
        return (tut_status){TUT_NOMEM};
    for (size_t i = 0; i < f->count; i++)
        items[i] = *item_at(f, i);
    tut_free(f->items);
    f->items = items;
    f->capacity = capacity;
    f->first = 0;
    return TUT_SUCCESS;
}

tut_status tut_feed_put(tut_feed *f, const char *kind, tut_str payload, uint64_t *ret_ticket,
                        tut_error *err)
{
    if (f->bytes + payload.len > MOST_BYTES)
        return tut_fail(err, TUT_LIMIT, "%d MiB wait for the ledger already", MOST_BYTES >> 20);
    if (payload.len > TUT_LOG_ENTRY_MAX / 2)
        return tut_fail(err, TUT_LIMIT, "an event of %zu bytes is too long", payload.len);
    char *copy = tut_alloc_array(payload.len + 1, 1);
    if (!copy || !tut_is_ok(make_room(f))) {
        tut_free(copy);
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    }
    memcpy(copy, payload.data, payload.len);
    *item_at(f, f->count) = (item){.kind = kind, .payload = copy, .len = payload.len};
    f->count++;
    f->bytes += payload.len;
    *ret_ticket = f->durable + f->count;
    return TUT_SUCCESS;
}

static void drop_durable(tut_feed *f, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        item *it = item_at(f, 0);
        f->bytes -= it->len;
        tut_free(it->payload);
        f->first = f->first + 1 < f->capacity ? f->first + 1 : 0;
        f->count--;
        f->sent--;
        f->durable++;
    }
}

uint64_t tut_feed_durable(const tut_feed *f)
{
    return f->durable;
}

uint64_t tut_feed_last(const tut_feed *f)
{
    return f->durable + f->count;
}

size_t tut_feed_waiting_bytes(const tut_feed *f)
{
    return f->bytes;
}

int tut_feed_fd(const tut_feed *f)
{
    return f->conn.fd;
}

bool tut_feed_wants_write(const tut_feed *f)
{
    return f->conn.fd >= 0 && f->conn.out_at < f->conn.out.len;
}

uint64_t tut_feed_stalled_since(const tut_feed *f)
{
    return f->stalled_ms;
}

const char *tut_feed_why(const tut_feed *f)
{
    return f->why;
}

/* --- the connection --- */
static void lose(tut_feed *f, uint64_t now_ms, const char *why)
{
    tut_str_copy(f->why, sizeof(f->why), tut_str_of(why));
    tut_seq_conn_done(&f->conn);
    if (f->has_opened)
        f->earlier_from = f->seq - f->sent;
    f->is_welcome = f->has_opened = false;
    f->sent = f->batch_count = f->batch_first = 0;
    f->retry_ms = now_ms + TUT_FEED_RETRY_MS;
    if (!f->stalled_ms)
        f->stalled_ms = now_ms;
}

static void connect_now(tut_feed *f, uint64_t now_ms)
{
    struct sockaddr_un address;
    int dirfd = -1;
    if (!tut_is_ok(tut_seq_address(f->state_dir, TUT_SEQ_SOCKET, &address, &dirfd, NULL))) {
        lose(f, now_ms, "the ledger's directory cannot be opened");
        return;
    }
    f->conn.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int rc = f->conn.fd < 0
                 ? -1
                 : connect(f->conn.fd, (const struct sockaddr *)&address, sizeof(address));
    if (dirfd >= 0)
        (void)close(dirfd);
    if (rc != 0)
        lose(f, now_ms, "nobody answers on the ledger's socket");
    else if (!tut_seq_is_trusted(f->conn.fd, f->state_dir))
        lose(f, now_ms, "the socket of the ledger belongs to a user who does not own it");
    else
        f->answered_ms = now_ms;
}

/* --- sending --- */
static void add_entry(tut_feed *f, tut_buf *out, const char *kind, tut_str payload)
{
    tut_seq_item entry = {.seq = f->seq++,
                          .kind = tut_str_of(kind),
                          .producer = tut_str_of(f->producer),
                          .payload = tut_span_of(payload.data, payload.len)};
    tut_seq_put_item(out, &entry);
}

static bool add_batch(tut_feed *f, size_t count)
{
    if (f->batch_first > 0 && f->batch_first == f->batch_count)
        f->batch_first = f->batch_count = 0;
    if (!tut_is_ok(tut_grow(&f->batches, f->batch_count, &f->batch_capacity, sizeof(batch))))
        return false;
    f->batches[f->batch_count++] = (batch){count};
    return true;
}

/* {"about":...,"continues":...,"from":N}: the first entry of a producer. */
static bool open_producer(tut_feed *f)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    char before[sizeof(f->producer)];
    tut_buf *out = &f->conn.out;
    tut_str_copy(before, sizeof(before), tut_str_of(f->producer));
    (void)snprintf(f->producer, sizeof(f->producer), "%s/%u", f->prefix, f->connections++);
    tut_buf_printf(&text, "{\"about\":%s", f->about);
    if (before[0])
        tut_buf_printf(&text, ",\"continues\":\"%s\",\"from\":%llu", before,
                       (unsigned long long)f->earlier_from);
    tut_buf_add_z(&text, "}");
    f->seq = 0;
    size_t start = tut_seq_open(out, TUT_SEQ_APPEND);
    tut_seq_put_append(out, TUT_LOG_TRAFFIC, 1);
    add_entry(f, out, TUT_FEED_OPEN, tut_buf_str(&text));
    tut_seq_close(out, start);
    f->has_opened = true;
    return text.failed == TUT_OK && add_batch(f, 0);
}

static bool send_new(tut_feed *f)
{
    tut_buf *out = &f->conn.out;
    while (f->sent < f->count && out->len - f->conn.out_at < BATCH_BYTES) {
        size_t n = 0, bytes = 0;
        while (f->sent + n < f->count && n < BATCH_ITEMS && bytes < BATCH_BYTES)
            bytes += item_at(f, f->sent + n++)->len;
        size_t start = tut_seq_open(out, TUT_SEQ_APPEND);
        tut_seq_put_append(out, TUT_LOG_TRAFFIC, n);
        for (size_t i = 0; i < n; i++) {
            const item *it = item_at(f, f->sent + i);
            add_entry(f, out, it->kind, (tut_str){it->payload, it->len});
        }
        tut_seq_close(out, start);
        f->sent += n;
        if (!add_batch(f, n))
            return false;
    }
    return out->failed == TUT_OK;
}

/* --- answers --- */
/* NULL: it went well. */
static const char *take_frame(tut_feed *f, tut_seq_frame *frame, uint64_t now_ms)
{
    tut_error told = {0};
    if (!f->is_welcome) {
        f->is_welcome = tut_is_ok(tut_seq_read_welcome(frame, f->origin, &f->conn.was_told, &told));
        tut_str_copy(f->why, sizeof(f->why), tut_str_of(told.text));
        return f->is_welcome ? NULL : f->why;
    }
    if (frame->type == TUT_SEQ_REFUSED || frame->type == TUT_SEQ_BROKEN) {
        if (!tut_is_ok(tut_seq_get_error(&frame->body, &told)))
            return "what answers is no sequencer";
        tut_str_copy(f->why, sizeof(f->why), tut_str_of(told.text));
        return f->why;
    }
    if (frame->type != TUT_SEQ_APPENDED || f->batch_first == f->batch_count)
        return "what answers is no sequencer";
    f->answered_ms = now_ms;
    f->stalled_ms = 0;
    f->why[0] = '\0';
    drop_durable(f, f->batches[f->batch_first++].count);
    return NULL;
}

static const char *take_all(tut_feed *f, uint64_t now_ms)
{
    for (;;) {
        tut_seq_frame frame;
        bool has = false;
        tut_error err = {0};
        if (!tut_is_ok(tut_seq_conn_take(&f->conn, &frame, &has, &err)))
            return "what answers is no sequencer";
        if (!has)
            return NULL;
        const char *why = take_frame(f, &frame, now_ms);
        if (why)
            return why;
    }
}

static void turn(tut_feed *f, uint64_t now_ms, bool sends)
{
    char why[sizeof(f->why)];
    tut_error err = {0};
    if (f->conn.fd < 0 && now_ms >= f->retry_ms)
        connect_now(f, now_ms);
    if (f->conn.fd < 0)
        return;
    if (f->is_welcome && !f->has_opened && !open_producer(f)) {
        lose(f, now_ms, "memory ran out");
        return;
    }
    if (f->has_opened && sends) {
        if (f->sent == 0 && f->batch_first == f->batch_count)
            f->answered_ms = now_ms; /* from now on an answer is owed */
        if (!send_new(f)) {
            lose(f, now_ms, "memory ran out");
            return;
        }
    }
    tut_status status = tut_seq_conn_pump(&f->conn, 0, &err);
    const char *wrong = take_all(f, now_ms); /* what came in before the end still counts */
    if (!wrong && !tut_is_ok(status))
        wrong = "the sequencer went away";
    bool is_owed = !f->is_welcome || f->batch_first < f->batch_count;
    if (!wrong && is_owed && now_ms - f->answered_ms > SILENCE_MS && !f->stalled_ms)
        f->stalled_ms = f->answered_ms; /* it may only be slow: the connection stays */
    if (wrong) {
        tut_str_copy(why, sizeof(why), tut_str_of(wrong));
        lose(f, now_ms, why);
    }
}

void tut_feed_turn(tut_feed *f, uint64_t now_ms)
{
    turn(f, now_ms, true);
}

void tut_feed_listen(tut_feed *f, uint64_t now_ms)
{
    turn(f, now_ms, false);
}

tut_status tut_feed_close(tut_feed **feed, int timeout_ms, tut_error *err)
{
    TUT_AUTO(tut_feed) f = tut_move(feed);
    uint64_t ticket = 0;
    uint64_t until = tut_clock_ms() + (uint64_t)timeout_ms;
    if (!f)
        return TUT_SUCCESS;
    TUT_TRY(tut_feed_put(f, TUT_FEED_CLOSE, TUT_LIT("{}"), &ticket, err));
    while (tut_feed_durable(f) < ticket) {
        uint64_t now = tut_clock_ms();
        if (now >= until)
            return tut_fail(err, TUT_LIMIT, "%zu events are not in the ledger: %s", f->count,
                            f->why[0] ? f->why : "it does not answer");
        tut_feed_turn(f, now);
        struct pollfd fd = {.fd = f->conn.fd, .events = POLLIN};
        if (tut_feed_durable(f) < ticket)
            (void)poll(&fd, f->conn.fd >= 0 ? 1 : 0, 20);
    }
    return TUT_SUCCESS;
}
