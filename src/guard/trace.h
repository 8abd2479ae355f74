/*
 * Trace context (W3C Trace Context, level 1): which trace an exchange belongs to. A valid
 * traceparent goes on with a span of ours; where none came, or an invalid one, a trace begins here,
 * and its number is the exchange's. A tracestate goes on with a valid traceparent only.
 */
#ifndef TUT_GUARD_TRACE_H
#define TUT_GUARD_TRACE_H

#include "base/str.h"

enum { TUT_TRACEPARENT = 56, TUT_TRACE_SPAN = 17, TUT_TRACESTATE_MOST = 512 };

typedef struct tut_trace {
    char parent[TUT_TRACEPARENT]; /* that goes on: "00-TRACE-SPAN-FLAGS"; "" where traces are off */
    char came[TUT_TRACE_SPAN];    /* the span that it came from; "" where the trace begins here */
} tut_trace;

/* id: the exchange's 32 digits of hex, of which the span is made too. */
void tut_trace_make(tut_str traceparent, const char *id, tut_trace *ret);

#endif
