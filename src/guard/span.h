/* What was found in a text, with its place. For text.c. */
#ifndef TUT_GUARD_SPAN_H
#define TUT_GUARD_SPAN_H

#include "guard/link.h"
#include "guard/text.h"

enum { TUT_GUARD_LABEL = 96 };

typedef struct tut_guard_span {
    size_t begin, end;
    tut_guard_check check;
    tut_guard_action action;
    char label[TUT_GUARD_LABEL]; /* what stands in its place; "": it stays */
    char detail[TUT_GUARD_LABEL];
} tut_guard_span;

typedef struct tut_guard_spans {
    tut_guard_span *items;
    size_t count, capacity;
    const tut_guard_look *look;
    const tut_text_range *leaks; /* runs of the system text, to be put away */
    size_t leak_count;
    bool has_no_canary; /* whoever asks knows */
    tut_str text;
    size_t from;
    bool ran_out; /* of memory, inside a callback */
} tut_guard_spans;
void tut_guard_spans_done(tut_guard_spans *s);

/* Looks at text[from..): fills spans in the order of their beginnings, none overlapping. Links are
 * looked for from `links_from` on. */
TUT_MUST tut_status tut_guard_find(const tut_guard_look *look, tut_str text, size_t from,
                                   size_t links_from, tut_guard_spans *spans, tut_error *err);
/* Puts into the decision what lies between the two places, and what was found too late. */
void tut_guard_tell(const tut_guard_look *look, const tut_guard_spans *spans, size_t from,
                    size_t to, const char *where);

#endif
