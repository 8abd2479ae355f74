/*
 * One text of an answer, piece by piece: what may go on, and what has to wait. A text is looked at
 * at the ends of its words only, so that what is found and what is handed on does not depend on how
 * it was cut. Words of prose go on as they end (word.h says what is none). Kept back is what could
 * still become something: a word that has not ended, numbers that could be parts of one, a private
 * key, a link, a canary, a run of the system text's words; at most TUT_GUARD_HELD bytes.
 */
#ifndef TUT_GUARD_TEXT_H
#define TUT_GUARD_TEXT_H

#include "guard/leak.h"
#include "guard/policy.h"
#include "guard/walk.h"
#include "guard/word.h"
#include "text/text.h"

enum { TUT_GUARD_HELD = 8192, TUT_GUARD_LEAKS = 8 };

/* What texts of one answer share. */
typedef struct tut_guard_look {
    const tut_guard_policy *policy;
    const tut_guard_setting *checks;
    const tut_guard_kinds *kinds;
    const tut_guard_leak *leak; /* NULL: no system text, or nobody asks */
    tut_text_scanner *scanner;
    tut_guard_decision *decision;
    unsigned classes; /* of the text engine */
    bool is_changing; /* false in monitor mode: told, not done */
} tut_guard_look;

typedef enum tut_text_wait { /* what keeps the first of the held bytes */
                             TUT_WAIT_NOT,
                             TUT_WAIT_NUMBER,
                             TUT_WAIT_KEY,
                             TUT_WAIT_LINK,
                             TUT_WAIT_CANARY
} tut_text_wait;

typedef struct tut_text_range {
    size_t begin, end;
    unsigned words;
} tut_text_range;

typedef struct tut_guard_text {
    const tut_guard_look *look;
    char where[TUT_GUARD_WHERE];
    const tut_guard_way *way;     /* that leads to it, where `where` does not say so; or NULL */
    tut_buf held;                 /* a little of what has gone, then what has not */
    size_t sent;                  /* in held: up to here it has been handed on, or put away */
    size_t gone;                  /* ... or may be: nothing can be found there any more */
    size_t word;                  /* where the word begins that is being read */
    size_t seen;                  /* read up to here */
    size_t need;                  /* from here on the engine has to look; SIZE_MAX: nowhere */
    size_t check_at;              /* while a number waits: not before this place */
    size_t next;                  /* nothing is looked at before this place: work stays bounded */
    size_t cluster;               /* where the words with digits begin; SIZE_MAX: none */
    unsigned digits;              /* of the cluster */
    unsigned kinds, kinds_before; /* of the word, and of the one before */
    unsigned kinds_held;          /* of all words since `need` */
    tut_text_wait waits;
    uint16_t canaries[TUT_GUARD_CANARIES]; /* how much of each the text ends with */
    unsigned canaries_open;                /* bits of those of which it is more than nothing */
    tut_leak_run leak;
    tut_text_range leaks[TUT_GUARD_LEAKS]; /* in held, not yet put away */
    size_t leak_count;
    bool is_dropping; /* inside something too long to be held: its rest is not handed on */
    bool is_leaking;  /* the run is long enough */
    bool has_canary;  /* a whole one is held */
} tut_guard_text;

void tut_guard_text_init(tut_guard_text *t, const tut_guard_look *look, const char *where);
void tut_guard_text_done(tut_guard_text *t);
/* Adds to `out` what may go on by now. */
TUT_MUST tut_status tut_guard_text_feed(tut_guard_text *t, tut_str piece, tut_buf *out,
                                        tut_error *err);
/* The text has ended: the rest. Another may follow. */
TUT_MUST tut_status tut_guard_text_end(tut_guard_text *t, tut_buf *out, tut_error *err);

/* Classes of the text engine that these checks ask for. */
unsigned tut_guard_classes(const tut_guard_setting *checks, bool is_answer);
tut_guard_check tut_guard_check_of(tut_text_class type, bool is_answer);

#endif
