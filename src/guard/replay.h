/*
 * Recorded traffic through a policy, without a network: one JSON object a line (docs/guard.md).
 */
#ifndef TUT_GUARD_REPLAY_H
#define TUT_GUARD_REPLAY_H

#include "guard/answer.h"

enum { TUT_REPLAY_ID = 64 };

typedef struct tut_guard_replay {
    char id[TUT_REPLAY_ID], route[TUT_REPLAY_ID];
    tut_guard_decision request, answer;
    bool has_answer;         /* the request went on, and the line has an answer */
    tut_guard_action action; /* what is done, of both the sterner */
    bool has_expect, is_as_expected;
    tut_guard_action expected;
    tut_buf forward;     /* the body that goes upstream, where it is not the one that came */
    tut_buf out;         /* what the client gets */
    tut_str_list called; /* tools, in the arena */
    tut_arena arena;
} tut_guard_replay;

void tut_guard_replay_done(tut_guard_replay *r);
/* MALFORMED with what is wrong with the line. chunk_bytes: the answer comes in pieces of so many
 * bytes; 0: at once. */
TUT_MUST tut_status tut_guard_replay_line(const tut_guard *g, tut_str line, size_t number,
                                          size_t chunk_bytes, tut_guard_replay *ret_replay,
                                          tut_error *err);

/* One JSON object: id, route, action, expected, request, answer, called, forwarded, output. */
void tut_guard_replay_json(const tut_guard_replay *r, tut_json *j);

#endif
