/*
 * Drills: what is to be done on the bad day, done on a good one, timed, and recorded as evidence
 * about the description of the system. A drill is one row of the table: a name, the check that it
 * is evidence of, and what it does.
 */
#ifndef TUT_ASSESS_DRILL_H
#define TUT_ASSESS_DRILL_H

#include "assess/assessment.h"

typedef enum tut_drill_state {
    TUT_DRILL_PASSED,
    TUT_DRILL_FAILED,
    TUT_DRILL_LEFT_OUT /* there was nothing to drill with, for the reason */
} tut_drill_state;
const char *tut_drill_word(tut_drill_state state); /* "passed" */

typedef struct tut_drill_item { /* one thing that was tried */
    char *id;                   /* an asset, or a scenario */
    tut_drill_state state;
    char *reason; /* one sentence */
    char *tag;    /* of the version, where one was restored; or NULL */
    char *person; /* who signed it; or NULL */
    char *key_id; /* with which key; or NULL */
    uint64_t took_ms, bytes;
    size_t files;
} tut_drill_item;

typedef struct tut_drill_result {
    tut_drill_item *items;
    size_t count, capacity;
    uint64_t took_ms, bytes;
    tut_time at;
    uint64_t index; /* of the evidence */
    tut_result result;
} tut_drill_result;
void tut_drill_result_done(tut_drill_result *r);
TUT_MUST tut_status tut_drill_add(tut_drill_result *r, const char *id, tut_drill_item **ret_item,
                                  tut_error *err);

typedef struct tut_drilling {
    const tut_system *system; /* as tutela.yaml describes it now */
    const char *state_dir;
    tut_ledger *ledger;
    void (*progress)(void *ctx, uint64_t bytes);
    void *ctx;
} tut_drilling;

typedef struct tut_drill {
    const char *name, *check, *title;
    uint32_t valid_days; /* how long the evidence holds */
    tut_status (*run)(const tut_drilling *d, tut_drill_result *r, tut_error *err);
} tut_drill;

extern const tut_drill *const tut_drills[]; /* NULL-ended */
const tut_drill *tut_drill_find(const char *name);

/* Runs it and records the evidence. Nothing is recorded after Ctrl-C or when it could not be
 * carried out at all. */
TUT_MUST tut_status tut_drill_run(const tut_drill *drill, const char *dir_or_file,
                                  const char *state_dir,
                                  void (*progress)(void *ctx, uint64_t bytes), void *ctx,
                                  tut_drill_result *ret_result, tut_error *err);
/* Items as the contract's items[]. */
void tut_drill_items_json(const tut_drill *drill, const tut_drill_result *r, tut_json *j);

#endif
