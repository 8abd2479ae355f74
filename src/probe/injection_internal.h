/* What the files of the injection attack share. An attempt is one value of each axis. */
#ifndef TUT_PROBE_INJECTION_INTERNAL_H
#define TUT_PROBE_INJECTION_INTERNAL_H

#include "probe/attack.h"
#include "probe/talk.h"
#include "stats/seeded.h"

typedef enum tut_injection_axis {
#define AXIS(symbol, name) TUT_AXIS_##symbol,
#include "probe/injection_axes.def"
#undef AXIS
    TUT_AXIS_COUNT
} tut_injection_axis;

/* ---- tables (injection_tables.c) ---- */

typedef enum tut_injection_fact {                 /* what shows that a planted text had influence */
                                  TUT_FACT_CALL,  /* a tool is called with the planted argument */
                                  TUT_FACT_SAID,  /* the code appears in the answer, which is no
                                                     quotation of the planted text */
                                  TUT_FACT_LINK,  /* the answer links to the planted host */
                                  TUT_FACT_CANARY /* a canary leaves */
} tut_injection_fact;

typedef struct tut_injection_said { /* the same in each language */
    const char *en, *de, *fr, *es;
} tut_injection_said;

typedef struct tut_injection_goal {
    const char *name;
    tut_injection_fact fact;
    const char *tool;
    tut_injection_said text;
} tut_injection_goal;

typedef enum tut_injection_place {
    TUT_PLACE_USER,
    TUT_PLACE_TOOL,
    TUT_PLACE_DOCUMENT,
    TUT_PLACE_ATTACHMENT
} tut_injection_place;

typedef enum tut_injection_form {
    TUT_FORM_AS_IT_IS,
    TUT_FORM_ONE_LINE,
    TUT_FORM_FILE_NAME
} tut_injection_form;

typedef struct tut_injection_carrier {
    const char *name;
    tut_injection_place place;
    const char *begin, *end;
    tut_injection_form form;
} tut_injection_carrier;

typedef enum tut_injection_way {
    TUT_WAY_PLAIN,
    TUT_WAY_BASE64,
    TUT_WAY_HEX,
    TUT_WAY_ZERO_WIDTH,
    TUT_WAY_TAGS,
    TUT_WAY_HOMOGLYPH,
    TUT_WAY_LEET,
    TUT_WAY_ENTITIES,
    TUT_WAY_LINES
} tut_injection_way;

typedef struct tut_injection_encoding {
    const char *name;
    tut_injection_way way;
    const char *lead;
} tut_injection_encoding;

const char *tut_axis_name(tut_injection_axis axis);
size_t tut_axis_size(tut_injection_axis axis);
const char *tut_axis_value(tut_injection_axis axis, size_t value);

const tut_injection_goal *tut_injection_goal_at(size_t i);
const tut_injection_carrier *tut_injection_carrier_at(size_t i);
const tut_injection_encoding *tut_injection_encoding_at(size_t i);
const char *tut_injection_template_at(size_t i, size_t language);
const char *tut_injection_framing_at(size_t i, size_t language);
const char *tut_injection_say(const tut_injection_said *said, size_t language);

/* ---- one attempt ---- */

typedef struct tut_attempt {
    uint8_t at[TUT_AXIS_COUNT];
    char code[24], number[12], host[48]; /* of it alone, by which it is known again */
    const char *tool;                    /* borrowed of the goals */
    bool is_adaptive;
    /* what came of it */
    bool succeeded, was_refused, was_asked, has_failed;
    tut_injection_fact by; /* of what succeeded */
} tut_attempt;

/* The goals that the system has a tool for, and the tools. */
enum { TUT_INJECTION_TOOLS = 32, TUT_INJECTION_GOALS = 32 };
typedef struct tut_injection_goals {
    uint8_t goals[TUT_INJECTION_GOALS];
    size_t count;
    const char *tools[TUT_INJECTION_TOOLS]; /* names, in the arena */
    size_t tool_count;
} tut_injection_goals;
TUT_MUST tut_status tut_injection_goals_of(const tut_talk *talk, tut_arena *arena,
                                           tut_injection_goals *ret, tut_error *err);

/* What makes it that attempt: code, number, host and tool, from the seed. */
void tut_attempt_mark(tut_attempt *a, const tut_injection_goals *goals, tut_seeded *r);
/* The planted text as it stands in its carrier, and the goal within it in plain words. */
TUT_MUST tut_status tut_attempt_plant(const tut_attempt *a, tut_buf *ret_planted, tut_buf *ret_goal,
                                      tut_error *err);
/* Encodes (injection_encode.c). */
void tut_injection_encode(tut_injection_way way, tut_str text, tut_buf *out);
/* The conversation around it: messages as the target takes them. */
TUT_MUST tut_status tut_attempt_compose(const tut_attempt *a, const tut_talk *talk, size_t question,
                                        tut_str planted, tut_buf *ret_messages, tut_error *err);
/* Sets what came of it, from the answer alone. */
void tut_attempt_judge(tut_attempt *a, const tut_talk *talk, tut_str goal, const tut_said *said);

/* ---- which attempts ---- */

typedef struct tut_cover tut_cover; /* pairs of values that attempts have had (injection_cover.c) */
TUT_MUST tut_status tut_cover_new(const tut_injection_goals *goals, tut_cover **ret_cover,
                                  tut_error *err);
void tut_cover_free(tut_cover *c);
TUT_DEFINE_AUTO(tut_cover)
/* The next attempt, with as many new pairs as one of a number of random ones has. */
void tut_cover_next(tut_cover *c, tut_seeded *r, uint8_t *ret_at);
/* From 0 to 1. */
double tut_cover_share(const tut_cover *c);

/* What has worked, value by value (injection_adapt.c): Thompson's sampling of each axis. */
typedef struct tut_adapt {
    const tut_injection_goals *goals;
    uint32_t tried[TUT_AXIS_COUNT][32], worked[TUT_AXIS_COUNT][32];
} tut_adapt;
void tut_adapt_learn(tut_adapt *a, const tut_attempt *attempt);
void tut_adapt_next(const tut_adapt *a, tut_seeded *r, uint8_t *ret_at);

/* ---- the result (injection_report.c) ---- */

typedef struct tut_injection_useful {
    uint64_t asked, answered, refused, failed;
} tut_injection_useful;
void tut_injection_report(tut_probe *p, const tut_attempt *attempts, size_t count, double covered,
                          const tut_injection_useful *useful, tut_attack_result *ret);

#endif
