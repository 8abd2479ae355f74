/* The page of streams: a chart of each with its alarms. */
#ifndef TUT_WATCH_STREAM_HTML_H
#define TUT_WATCH_STREAM_HTML_H

#include "watch/monitor.h"

TUT_MUST tut_status tut_stream_html(const tut_monitor *m, tut_buf *out, tut_error *err);
/* A line of blocks, low to high, at most so many wide: "▁▁▂▁▇█"; " .:=#" where there is no Unicode.
 */
void tut_sparkline(const tut_series *s, size_t width, bool has_unicode, tut_buf *out);

#endif
