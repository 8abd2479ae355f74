/* Lines of events: whatever they are, they become values or are counted, and what was learnt of
 * them can be kept and taken up again. */
#include <stdlib.h>

#include "watch/events.h"
#include "watch/stream_html.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool claim)
{
    if (!claim)
        abort();
}

static tut_status hear(void *ctx, const tut_alarm *a, tut_error *err)
{
    size_t *count = ctx;
    (void)err;
    demand(a->stream && a->kind && a->detector);
    (*count)++;
    return TUT_SUCCESS;
}

static void check_kept(tut_monitor *m, const tut_monitor_options *o, size_t *heard)
{
    TUT_CLEAN(tut_buf) bytes = TUT_BUF_INIT;
    TUT_CLEAN(tut_buf) again = TUT_BUF_INIT;
    TUT_AUTO(tut_monitor) other = NULL;
    tut_str extra;
    demand(tut_is_ok(tut_monitor_save(m, TUT_LIT("x"), &bytes, NULL)));
    demand(tut_is_ok(tut_monitor_load(tut_buf_span(&bytes), o, hear, heard, &other, &extra, NULL)));
    demand(tut_is_ok(tut_monitor_save(other, extra, &again, NULL)));
    demand(tut_str_eq(tut_buf_str(&bytes), tut_buf_str(&again)));
}

/* The first byte chooses what is watched beside the values. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    TUT_AUTO(tut_monitor) m = NULL;
    TUT_AUTO(tut_events_reader) r = NULL;
    TUT_CLEAN(tut_buf) page = TUT_BUF_INIT;
    size_t heard = 0, at = 1;
    uint8_t mode = size ? data[0] : 0;
    const tut_monitor_options o = {
        .series = {.interval = 1000, .learn = 50, .has_adwin = mode & 1, .keeps = mode & 2},
        .late_ms = mode & 4 ? 5000 : 0,
        .rate_ms = mode & 8 ? 1000 : 0,
        .has_trees = mode & 16};
    demand(tut_is_ok(tut_monitor_new(&o, hear, &heard, &m, NULL)));
    demand(tut_is_ok(tut_events_reader_new(m, tut_str_of(mode & 32 ? "t" : ""), &r, NULL)));
    while (at < size && tut_monitor_count(m) < 200) {
        const uint8_t *end = memchr(data + at, '\n', size - at);
        size_t len = end ? (size_t)(end - data) - at : size - at;
        /* Again and again, so that streams learn. */
        for (unsigned k = 0; k < 60; k++)
            demand(tut_is_ok(tut_events_line(r, (tut_str){(const char *)data + at, len}, NULL)));
        at += len + 1;
    }
    demand(tut_is_ok(tut_monitor_flush(m, NULL)));
    demand(tut_is_ok(tut_monitor_tick(m, INT64_MAX / 2, NULL)));
    demand(tut_is_ok(tut_stream_html(m, &page, NULL)));
    check_kept(m, &o, &heard);
    return 0;
}
