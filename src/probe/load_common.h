/* What both attacks of load begin with: a request that the service answers. */
#ifndef TUT_PROBE_LOAD_COMMON_H
#define TUT_PROBE_LOAD_COMMON_H

#include "probe/load_wire.h"
#include "probe/target_http.h"

typedef struct load_common {
    tut_http *http;
    tut_buf normal;
} load_common;

TUT_MUST tut_status load_common_open(load_common *c, const tut_probe *p, tut_error *err);
void load_common_done(load_common *c);
/* The normal request as a stream; empty where the service has none. */
TUT_MUST tut_status load_common_stream(const load_common *c, tut_buf *ret_body, tut_error *err);
/* A request that is much work: many rows, or a long text that wants a long answer. */
TUT_MUST tut_status load_common_long(const load_common *c, const tut_probe *p, tut_buf *ret_body,
                                     tut_error *err);

#endif
