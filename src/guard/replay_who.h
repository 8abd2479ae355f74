/* Who asks in a recorded line: as its headers and certificate show, else as its "client" says. */
#ifndef TUT_GUARD_REPLAY_WHO_H
#define TUT_GUARD_REPLAY_WHO_H

#include "guard/access.h"
#include "guard/request.h"

typedef struct tut_replay_caller {
    tut_str client; /* as in tut_guard_head */
    bool is_shown, is_known;
    tut_who who;
    char why[TUT_ACCESS_WHY];
} tut_replay_caller;

void tut_replay_who(const tut_guard *g, const tut_json_value *line, tut_replay_caller *ret);
/* What that means for the request: the reason why nobody is known, and the scopes of a key. */
void tut_replay_judge(const tut_replay_caller *c, tut_guard_request *r);

#endif
