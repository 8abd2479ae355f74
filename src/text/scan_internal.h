/* A scanner's inside, shared by scan.c (one window), stream.c (pieces) and decode.c (what text is
 * wrapped in). */
#ifndef TUT_TEXT_SCAN_INTERNAL_H
#define TUT_TEXT_SCAN_INTERNAL_H

#include "base/buf.h"
#include "text/hs.h"
#include "text/rule.h"

enum {
    TUT_TEXT_BEFORE = 1024,      /* kept before a window, for words nearby */
    TUT_TEXT_AFTER = 8192,       /* kept back of a window: the longest match fits */
    TUT_TEXT_WINDOW = 256 << 10, /* new bytes of a window */
    TUT_TEXT_FOUND_MAX = 65536   /* of one window */
};

typedef struct tut_text_candidate {
    tut_text_found found; /* begin and end in the window */
    const char *decoded;
    bool is_user_rule;
    char shown[TUT_TEXT_SHOWN];
} tut_text_candidate;

struct tut_text_set {
    const tut_hs *hs;
    hs_database_t *database;
    const tut_text_user *user;
};

struct tut_text_scanner {
    const tut_text_set *set;
    hs_scratch_t *scratch;
    struct tut_user_state *user; /* NULL: no rules of a file */
    tut_text_wish wish;
    tut_text_candidate *items;
    size_t count, capacity;
    tut_code failed;
    bool is_over;        /* whoever asked has enough */
    size_t first_escape; /* of the window; SIZE_MAX: none */
    /* the stream */
    tut_str window; /* from `base` on: in `held`, or in the text itself */
    tut_buf held;
    uint64_t base;       /* of the window in the whole */
    size_t from;         /* in the window: what begins before it has been told */
    uint64_t told_to;    /* where the last match told ends */
    uint64_t counted_to; /* lines are counted up to here */
    uint64_t line;       /* that this place is on */
    int utf16;           /* 0: no; 1 little, 2 big endian */
    bool is_begun;       /* the first bytes have been looked at */
    uint8_t odd[4];      /* of UTF-16, cut by the end of a piece */
    size_t odd_count;
};

/* Adds what is found in the view to the candidates. shift, span: as it stands when span is 0, else
 * all of it is at [shift, shift + span), decoded as `how`. */
typedef struct tut_text_place {
    size_t shift, span;
    const char *how;
} tut_text_place;
void tut_text_look(tut_text_scanner *s, const tut_text_view *v, const tut_text_place *place);
void tut_text_look_decoded(tut_text_scanner *s, const tut_text_view *v);
void tut_text_add(tut_text_scanner *s, const tut_text_view *v, const tut_text_place *place,
                  const tut_text_found *f, bool is_user_rule);
/* Looks at the window and tells what begins in [s->from, to). */
TUT_MUST tut_status tut_text_window(tut_text_scanner *s, size_t to, tut_error *err);

#endif
