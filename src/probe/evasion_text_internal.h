/* The search for a changed question that is answered wrongly, and what it came to. */
#ifndef TUT_PROBE_EVASION_TEXT_INTERNAL_H
#define TUT_PROBE_EVASION_TEXT_INTERNAL_H

#include "probe/evasion_text.h"
#include "probe/talk.h"

typedef struct tut_text_row {
    const tut_talk_question *question;
    bool is_known, is_right; /* answered without a change, and rightly */
    bool is_cut;             /* the allowance or the run ended within its search */
    uint64_t asked;
    uint64_t found_at;      /* number of the query that was answered wrongly; 0: none */
    size_t changed, words;  /* words changed then, of so many */
    const char *found_text; /* in the arena */
} tut_text_row;

typedef struct tut_text_search {
    tut_probe *p;
    tut_talk talk;
    tut_text_row rows[TUT_TALK_QUESTIONS];
    size_t count, done; /* rows; those whose search is over */
    uint64_t budget;    /* queries a row, the unchanged question among them */
    double share;       /* of the words that may change */
    uint64_t sent, refused, unanswered;
    /* one draw of each way by itself, of rows that were right */
    uint64_t tried[TUT_TEXT_WAYS], turned[TUT_TEXT_WAYS];
} tut_text_search;

TUT_MUST tut_status tut_text_tell(const tut_text_search *s, tut_attack_result *ret, tut_error *err);

#endif
