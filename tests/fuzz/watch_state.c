/* The state of watch: what is taken is written back as the same bytes, and can be gone on with. */
#include <math.h>
#include <stdlib.h>

#include "watch/monitor.h"
#include "watch/stream_html.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static tut_status hear(void *ctx, const tut_alarm *a, tut_error *err)
{
    (void)ctx;
    (void)a;
    (void)err;
    return TUT_SUCCESS;
}

static void demand(bool claim)
{
    if (!claim)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const tut_monitor_options o = {.series = {.interval = 1000, .learn = 50}};
    TUT_AUTO(tut_monitor) m = NULL;
    TUT_CLEAN(tut_buf) page = TUT_BUF_INIT;
    tut_str extra;
    tut_error err = {0};
    if (!tut_is_ok(tut_monitor_load(tut_span_of(data, size), &o, hear, NULL, &m, &extra, &err))) {
        demand(err.text[0] != '\0');
        return 0;
    }
    for (size_t i = 0; i < tut_monitor_count(m) && i < 8; i++)
        for (unsigned k = 0; k < 300; k++)
            demand(tut_is_ok(tut_monitor_value(m, tut_str_of(tut_monitor_at(m, i)->name),
                                               k % 3 ? 1000 * k : TUT_NO_TIME, k % 7 ? k % 13 : NAN,
                                               NULL)));
    demand(tut_is_ok(tut_stream_html(m, &page, NULL)));
    return 0;
}
