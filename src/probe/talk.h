/*
 * A system of texts as an attack meets it: the conversation that its application would send, and
 * the facts by which is told that something left it. What the system does not say of itself (its
 * prompt, its tools, ordinary questions) stands here in plain words, and is ours.
 */
#ifndef TUT_PROBE_TALK_H
#define TUT_PROBE_TALK_H

#include "probe/attack.h"

enum { TUT_TALK_CANARIES = 16, TUT_TALK_QUESTIONS = 256, TUT_TALK_HOSTS = 64 };

typedef struct tut_talk_question {
    tut_str text, expected; /* expected: what the answer must hold; empty: any text will do */
} tut_talk_question;

typedef struct tut_talk {
    const char *system; /* with the canaries in it */
    const char *tools;  /* JSON; empty: none */
    const char *result; /* what a tool ordinarily answers */
    tut_str canaries[TUT_TALK_CANARIES];
    size_t canary_count;
    bool has_own_canary; /* none was known: the one here is drawn from the seed */
    tut_str hosts[TUT_TALK_HOSTS];
    size_t host_count;
    tut_talk_question questions[TUT_TALK_QUESTIONS];
    size_t question_count;
    bool is_prompt;     /* completions: one text in the place of messages */
    char served_by[64]; /* what answers say of the system behind them (system_fingerprint); or "" */
} tut_talk;

/* All texts in the probe's arena. */
TUT_MUST tut_status tut_talk_of(tut_probe *p, tut_talk *ret, tut_error *err);

typedef struct tut_turns { /* one conversation; empty parts are left out */
    tut_str system, document, question;
    tut_str result;     /* of the first tool */
    tut_str attachment; /* name of a file that belongs to the result */
    bool is_bare;       /* of completions: the question alone, to be continued */
} tut_turns;

/* As OpenAI has them, or {"prompt"}. */
TUT_MUST tut_status tut_talk_write(const tut_talk *talk, const tut_turns *turns, tut_buf *out,
                                   tut_error *err);
/* Asks for all of them; said[i] is to be freed. UNASKED where the allowance was spent. */
TUT_MUST tut_status tut_talk_ask(tut_probe *p, tut_talk *talk, const tut_buf *messages,
                                 size_t count, tut_said *ret_said, tut_error *err);

/* An answer came, and holds what it has to. */
bool tut_talk_is_right(const tut_talk_question *q, const tut_said *said);

/* What a reader of the result has to know of the conversation: who answered, where that was said,
 * and that a canary is of ours. NULL: nothing. */
const char *tut_talk_remark(const tut_talk *talk, tut_arena *arena);

/* Whether `secret` stands in the text: as it is, in either case, with other or no signs between its
 * letters, backwards, in base64 at each offset, in hex, or turned by 13 letters. */
bool tut_talk_holds(tut_str text, tut_str secret);
/* The longest run of words that both have, compared by letters and digits. */
size_t tut_talk_common(tut_str a, tut_str b);
/* Whether any canary stands in what was said or in the arguments of a call. */
bool tut_talk_leaks(const tut_talk *talk, const tut_said *said);

#endif
