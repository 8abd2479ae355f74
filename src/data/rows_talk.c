#include "data/rows_talk.h"

bool rows_talk_is(rows_talk what, tut_str name)
{
    static const char *const names[][5] = {
        [ROWS_TALK_WHO] = {"role", "from", "speaker"},
        [ROWS_TALK_WHAT] = {"content", "value", "text"},
        [ROWS_TALK_ASKED] = {"instruction", "prompt", "question"},
        [ROWS_TALK_ANSWERED] = {"output", "completion", "answer", "response"},
    };
    for (const char *const *n = names[what]; *n; n++)
        if (tut_str_eq_z(name, *n))
            return true;
    return false;
}
