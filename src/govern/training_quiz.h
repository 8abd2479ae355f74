/*
 * An exam: questions drawn from a module's bank, in an order, with their answers in an order, all
 * of which a seed repeats; what somebody answered; and what that comes to. It is kept as a body
 * ("tutela.exam/1") by whose digest the learner signs, and can be graded anew from it.
 *
 * Answers are written as "1b 2a 3cd": of the third question that was asked, the third and the
 * fourth answer as they were shown. A question is right when exactly its right answers are named.
 */
#ifndef TUT_GOVERN_TRAINING_QUIZ_H
#define TUT_GOVERN_TRAINING_QUIZ_H

#include "govern/training.h"

enum {
    TUT_QUIZ_ANSWER_FILE = 64 << 10, /* 200 questions with all letters take 3 kB */
    TUT_QUIZ_HANDED_DAYS = 30        /* after which questions are drawn anew */
};

typedef struct tut_quiz_question {
    const tut_training_question *question;
    uint8_t order[TUT_TRAINING_ANSWERS]; /* of its answers, as shown */
    uint16_t chosen;                     /* bit set over the answers as shown; 0: left open */
} tut_quiz_question;

typedef struct tut_quiz {
    const tut_training_module *module; /* borrowed */
    uint64_t seed;
    size_t count; /* module->draw */
    tut_quiz_question asked[TUT_TRAINING_QUESTIONS];
} tut_quiz;

/* Fisher-Yates over SplitMix64 (stats/random.h): the same seed draws the same. */
void tut_quiz_draw(const tut_training_module *m, uint64_t seed, tut_quiz *ret_exam);
/* A seed that nobody knew before. */
TUT_MUST tut_status tut_quiz_seed(uint64_t *ret_seed, tut_error *err);
/* Takes in answers; a question that is not named stays open. USAGE, naming the word, for what is no
 * answer, and for a question that is named twice. */
TUT_MUST tut_status tut_quiz_answer(tut_quiz *e, tut_str answers, tut_error *err);
/* Of one question: "b", "cd", "3", "2 4" (letters, or the numbers of the answers). USAGE. */
TUT_MUST tut_status tut_quiz_answer_one(tut_quiz_question *q, tut_str text, tut_error *err);
bool tut_quiz_is_right(const tut_quiz_question *q);
size_t tut_quiz_right(const tut_quiz *e);
bool tut_quiz_is_passed(const tut_quiz *e);

/* What the page writes and `train submit` reads: lines "tutela-answers 1", "module ID",
 * "seed HEX", "answers 1b 2a ..." (the last may go over lines). Views into the text. */
typedef struct tut_quiz_sheet {
    tut_str module, answers;
    uint64_t seed;
} tut_quiz_sheet;
TUT_MUST tut_status tut_quiz_sheet_read(tut_str text, tut_quiz_sheet *ret_sheet, tut_error *err);

/* --- in the log --- */

typedef struct tut_quiz_times {
    tut_time started, finished; /* handed out, handed in */
} tut_quiz_times;

/* Less than a quarter of the time that reading takes; nobody reads that fast. */
bool tut_quiz_is_hurried(const tut_training_module *m, const tut_quiz_times *times);

/* "training/ID@VERSION" (or "exam/..."), freed by the caller; NULL: no memory. */
char *tut_training_subject(const char *kind, const tut_training_module *m);

typedef struct tut_quiz_record { /* what was written */
    const char *kind;            /* TUT_TRAIN_COMPLETED, _HURRIED or _ATTEMPTED */
    uint64_t index;
    tut_quiz_times times;
} tut_quiz_record;

/* Says in the log that these questions were drawn for this person. */
TUT_MUST tut_status tut_quiz_hand_out(tut_ledger *ledger, const tut_quiz *e, const char *person,
                                      tut_time *ret_at, tut_error *err);
/* The exam that was handed out to this person with this seed: when. USAGE when none was, or it is
 * too long ago, or it was handed in before. */
TUT_MUST tut_status tut_quiz_find_handed(tut_ledger *ledger, const tut_quiz *e, const char *person,
                                         tut_time *ret_at, tut_error *err);
/* Grades it and appends what it came to under the learner's key. */
TUT_MUST tut_status tut_quiz_hand_in(tut_ledger *ledger, const tut_quiz *e, const char *person,
                                     const struct tut_key *key, tut_str threat_catalogue,
                                     const tut_quiz_times *times, tut_quiz_record *ret_record,
                                     tut_error *err);
/* Whether the body is an exam in this module, and of these bytes a pass. */
bool tut_quiz_body_passes(const tut_training_module *m, tut_span body);
/* The seed and the share of right answers that a body of an exam, or of one that was handed out,
 * states. */
bool tut_quiz_body_seed(tut_span body, uint64_t *ret_seed);
double tut_quiz_body_score(tut_span body); /* NaN: none */

#endif
