/*
 * Tracing: from an address or a digest to every asset that it went into, now and in earlier
 * versions; from an entry of a log to what answered then, and where that came from.
 */
#ifndef TUT_ASSESS_TRACE_H
#define TUT_ASSESS_TRACE_H

#include "assets/lineage.h"
#include "assets/system.h"
#include "state/history.h"

/* Inventories of one log that are read, newest first: distinct ones, one a change of the system. */
enum { TUT_TRACE_INVENTORIES = 512 };

typedef struct tut_trace {
    tut_question question;
    tut_walk_way way;
    tut_lineage lineage;
    tut_walk walk;
    size_t inventories, left_out, unread; /* read; beyond the limit; damaged or gone */
    char *entry;                          /* what the asked entry is, for people; or NULL */
    tut_records *events;                  /* of the assets; NULL: nothing was recorded */
    tut_history *history;
    tut_error *err;
} tut_trace;

typedef struct tut_trace_place {
    const tut_system *system; /* NULL: not described */
    const tut_inventory *now; /* of the tree as it is */
    const char *state_dir;    /* NULL: nothing was recorded */
} tut_trace_place;

/* way: upstream for entries, downstream for all else, unless is_turned. */
TUT_MUST tut_status tut_trace_new(const tut_question *question, bool is_turned,
                                  const tut_trace_place *place, tut_trace **ret_trace,
                                  tut_error *err);
void tut_trace_free(tut_trace *t);
TUT_DEFINE_AUTO(tut_trace)

/* The document tutela.trace/1, with a final newline; and the part of the graph in Graphviz. */
TUT_MUST tut_status tut_trace_json(const tut_trace *t, tut_buf *out, tut_error *err);
TUT_MUST tut_status tut_trace_dot(const tut_trace *t, tut_buf *out, tut_error *err);
/* The nodes from the seed to this one, in that order: places in the lineage. Caller frees. */
TUT_MUST tut_status tut_trace_path(const tut_trace *t, uint32_t node, uint32_t **ret_path,
                                   size_t *ret_count, tut_error *err);

#endif
