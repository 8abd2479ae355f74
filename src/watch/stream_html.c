#include "watch/stream_html.h"

#include <math.h>

#include "base/page.h"
#include "base/time.h"

enum { WIDE = 960, HIGH = 150, SHOWN = 200, SILENT = 255 };

static double mean_of(const tut_series_point *p)
{
    return (double)p->sum / (double)p->count;
}

static void range_of(const tut_series *s, double *ret_low, double *ret_high)
{
    double low = INFINITY, high = -INFINITY;
    for (uint32_t i = 0; i < s->point_count; i++) {
        low = fmin(low, mean_of(&s->points[i]));
        high = fmax(high, mean_of(&s->points[i]));
    }
    *ret_low = low;
    *ret_high = high > low ? high : low + 1;
}

void tut_sparkline(const tut_series *s, size_t width, bool has_unicode, tut_buf *out)
{
    static const char *const blocks[] = {"\xe2\x96\x81", "\xe2\x96\x82", "\xe2\x96\x83",
                                         "\xe2\x96\x84", "\xe2\x96\x85", "\xe2\x96\x86",
                                         "\xe2\x96\x87", "\xe2\x96\x88"};
    static const char *const plain[] = {"_", ".", "-", ":", "=", "+", "*", "#"};
    double low = 0, high = 1;
    size_t count = s->point_count < width ? s->point_count : width;
    if (count == 0)
        return;
    range_of(s, &low, &high);
    for (size_t k = 0; k < count; k++) {
        double sum = 0, n = 0;
        for (size_t i = k * s->point_count / count; i < (k + 1) * s->point_count / count; i++) {
            sum += mean_of(&s->points[i]);
            n++;
        }
        double share = (sum / n - low) / (high - low);
        size_t level = (size_t)fmin(7, fmax(0, share * 8));
        tut_buf_add_z(out, has_unicode ? blocks[level] : plain[level]);
    }
}

static double x_of(const tut_series *s, double index)
{
    double events = 0;
    for (uint32_t i = 0; i < s->point_count; i++)
        events += s->points[i].count;
    return events > 1 ? index / (events - 1) * WIDE : 0;
}

static void add_line(tut_buf *out, const tut_series *s, double low, double high)
{
    double seen = 0;
    tut_buf_add_z(out, "<polyline class=\"line\" points=\"");
    for (uint32_t i = 0; i < s->point_count; i++) {
        const tut_series_point *p = &s->points[i];
        double x = x_of(s, seen + (p->count - 1) / 2.0);
        double y = HIGH - 4 - (mean_of(p) - low) / (high - low) * (HIGH - 8);
        tut_buf_printf(out, "%.1f,%.1f ", x, y);
        seen += p->count;
    }
    tut_buf_add_z(out, "\"/>");
}

static void add_when(tut_buf *out, int64_t at_ms, uint64_t index)
{
    char when[TUT_TIME_TEXT];
    if (at_ms == TUT_NO_TIME) {
        tut_buf_printf(out, "event %llu", (unsigned long long)index);
        return;
    }
    tut_time_people(at_ms / 1000, when);
    tut_buf_add_z(out, when);
}

static const char *kind_of(uint8_t kind)
{
    return kind == SILENT ? "silence" : kind == 0 ? "cleared" : tut_change_name((tut_change)kind);
}

static void add_marks(tut_buf *out, const tut_series *s)
{
    for (uint32_t i = 0; i < s->mark_count; i++) {
        const tut_series_mark *m = &s->marks[i];
        double x = fmin(x_of(s, (double)m->index), WIDE);
        if (m->kind == 0)
            continue;
        tut_buf_printf(out,
                       "<line class=\"alarm\" x1=\"%.1f\" x2=\"%.1f\" y1=\"0\" y2=\"%d\"/>"
                       "<circle class=\"mark\" cx=\"%.1f\" cy=\"5\" r=\"5\"><title>%s, ",
                       x, x, HIGH, x, kind_of(m->kind));
        add_when(out, m->at_ms, m->index);
        tut_buf_add_z(out, "</title></circle>");
    }
}

static void add_stream(tut_buf *out, const tut_series *s)
{
    double low = 0, high = 1;
    tut_buf_printf(out, "<section class=\"card%s\"><h3>", s->alarms ? " bad" : "");
    tut_page_z(out, s->name);
    tut_buf_printf(out, "</h3><p class=\"tag\">%llu events", (unsigned long long)s->seen);
    if (s->is_learnt)
        tut_buf_printf(out, ", learnt as a %s from %u: %.4g%s", tut_bank_kind_name(s->bank.kind),
                       s->bank.learnt, s->bank.mean,
                       s->slots == 24                 ? ", by hour of the day"
                       : s->slots == TUT_SERIES_SLOTS ? ", by hour of the week"
                                                      : "");
    else
        tut_buf_printf(out, ", learning: %u of %u", s->held, s->options.learn);
    tut_buf_printf(out, ", %llu alarms%s</p>", (unsigned long long)s->alarms,
                   s->is_open ? ", one is open" : "");
    if (s->point_count > 1) {
        range_of(s, &low, &high);
        tut_buf_printf(out,
                       "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"Values over "
                       "time\">",
                       WIDE, HIGH);
        add_line(out, s, low, high);
        add_marks(out, s);
        tut_buf_printf(out,
                       "<text x=\"2\" y=\"12\">%.4g</text><text x=\"2\" y=\"%d\">%.4g</text></svg>",
                       high, HIGH - 4, low);
    }
    for (uint32_t i = 0; i < s->mark_count; i++) {
        tut_buf_printf(out, "<p>%s, ", kind_of(s->marks[i].kind));
        add_when(out, s->marks[i].at_ms, s->marks[i].index);
        tut_buf_add_z(out, "</p>");
    }
    tut_buf_add_z(out, "</section>\n");
}

tut_status tut_stream_html(const tut_monitor *m, tut_buf *out, tut_error *err)
{
    tut_monitor_sums sums = tut_monitor_sum(m);
    size_t shown = 0;
    tut_page_begin(out, "Streams");
    tut_buf_printf(out,
                   "<h1>Streams</h1><p class=\"lead\">%zu streams, %llu events, %llu alarms.</p>"
                   "<p>%llu values were missing, %llu events came too late and were left out; %zu "
                   "streams are still learning.</p><div class=\"cards wide\">\n",
                   tut_monitor_count(m), (unsigned long long)sums.events,
                   (unsigned long long)sums.alarms, (unsigned long long)sums.missing,
                   (unsigned long long)sums.late, sums.learning);
    for (unsigned pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < tut_monitor_count(m) && shown < SHOWN; i++) {
            const tut_series *s = tut_monitor_at(m, i);
            if ((s->alarms > 0) != (pass == 0))
                continue;
            add_stream(out, s);
            shown++;
        }
    tut_buf_add_z(out, "</div>");
    if (shown < tut_monitor_count(m))
        tut_buf_printf(out, "<p>%zu more are not shown.</p>", tut_monitor_count(m) - shown);
    tut_page_end(out);
    return tut_buf_check(out, err);
}
