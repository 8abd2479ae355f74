/* Times are seconds since 1970-01-01T00:00:00Z, as int64. People see "23 Nov 2026", machines RFC
 * 3339. */
#ifndef TUT_BASE_TIME_H
#define TUT_BASE_TIME_H

#include "base/status.h"
#include "base/str.h"

typedef int64_t tut_time;

enum { TUT_TIME_TEXT = 32, TUT_DAY_SECONDS = 86400 };

tut_time tut_time_now(void);
/* Test hook: it is this time from now on, here and in children; 0: the clock again. */
void tut_time_pretend(tut_time now);
uint64_t tut_clock_ms(void); /* monotonic */
/* "2026-11-23T09:41:07Z" */
void tut_time_rfc3339(tut_time t, char out[TUT_TIME_TEXT]);
/* "23 Nov 2026" and "23 Nov 2026, 09:41:07 UTC" */
void tut_time_date(tut_time t, char out[TUT_TIME_TEXT]);
void tut_time_people(tut_time t, char out[TUT_TIME_TEXT]);
/* RFC 3339 with Z or offset (fractions dropped), or a plain date: its first second UTC. */
TUT_MUST tut_status tut_time_parse(tut_str text, tut_time *ret_time);
/* SOURCE_DATE_EPOCH when set and sound, else now. */
tut_time tut_time_generated(void);

#endif
