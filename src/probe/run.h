/*
 * One probe of one target: every attack of its kind that fits, straight and, where the same model
 * is reached through the guard as well, through the guard; each result judged by the bounds.
 */
#ifndef TUT_PROBE_RUN_H
#define TUT_PROBE_RUN_H

#include "guard/policy.h"
#include "probe/kinds.h"
#include "probe/policy.h"

enum { TUT_PROBE_ATTACKS = 32, TUT_PROBE_WAYS = 2 };
typedef enum tut_probe_way { TUT_WAY_STRAIGHT, TUT_WAY_GUARDED } tut_probe_way;

typedef struct tut_probe_run {
    tut_probe_kind kind;
    bool is_guarded; /* the second way was asked for */
    tut_target_facts targets[TUT_PROBE_WAYS];
    tut_allowance spent[TUT_PROBE_WAYS];
    struct tut_probe_done {
        const tut_attack *attack;
        tut_attack_result ways[TUT_PROBE_WAYS];
        tut_outcome outcome;     /* of the way in which the system is used: guarded where it is */
        const tut_bound *bound;  /* that it was judged by; NULL: none */
        const tut_measure *held; /* the measure that it was about */
    } attacks[TUT_PROBE_ATTACKS];
    size_t count;
    tut_allowance spent_on_reference;
    uint64_t rows[2]; /* members, others */
    uint64_t seed;
    tut_time from, to;
    tut_outcome outcome;
    char reason[240]; /* why it is not PASS; "" */
    const char *gap;  /* what PASS does not speak for, though its evidence would; NULL: nothing */
    bool does_not_apply; /* UNMEASURED, and every attack found that there is nothing to measure */
    bool was_cut;
    tut_bounds bounds;
    tut_arena arena;
} tut_probe_run;
void tut_probe_run_free(tut_probe_run *r);
TUT_DEFINE_AUTO(tut_probe_run)

typedef struct tut_probe_order {
    tut_probe_kind kind;
    const tut_probe_target *target; /* paths as they are opened: absolute, or below the folder that
                                       the program runs in */
    const tut_bounds *bounds;
    const char *only;                     /* name of one attack; NULL: all that fit */
    const tut_guard_policy *guard_policy; /* NULL: there is none */
    const char *system_dir;               /* NULL: no system is described */
    const char *journal;                  /* stem of the files of answers; NULL: none is kept */
    const char *authorised_by;            /* NULL: nobody */
    bool is_declared;                     /* the target stands in tutela.yaml */
    uint64_t seed;
    uint32_t steps, queries_a_row;
    tut_cage_mode sandbox;
    void (*step)(void *ctx, const char *what, uint64_t done, uint64_t total);
    void *step_ctx;
} tut_probe_order;

/* An attack that does not fit, or breaks, is UNMEASURED with its reason; the rest goes on. After
 * Ctrl-C what is there is in *ret_run, with was_cut. Fails when the target or the data cannot be
 * opened. */
TUT_MUST tut_status tut_probe_run_do(const tut_probe_order *order, tut_probe_run **ret_run,
                                     tut_error *err);

/* report_json.c: the contract's tutela.probe/1, without its head. */
void tut_probe_run_json(const tut_probe_run *r, tut_json *j);
/* report_html.c: a page with curves. */
TUT_MUST tut_status tut_probe_run_html(const tut_probe_run *r, tut_buf *out, tut_error *err);
/* The first curve of the first attack that has one, as a picture by itself. USAGE: there is none.
 */
TUT_MUST tut_status tut_probe_run_svg(const tut_probe_run *r, tut_buf *out, tut_error *err);

#endif
