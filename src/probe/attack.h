/*
 * An attack: one row of attacks.def, and one file with its function. It asks the target, never
 * prints, keeps no state of its own, and draws from the seed alone, so that the same seed, target
 * and data give the same result. It knows one target: where the model is reached through the guard
 * as well, whoever runs the attack (run.h) runs it once for each, and puts the two side by side.
 */
#ifndef TUT_PROBE_ATTACK_H
#define TUT_PROBE_ATTACK_H

#include "base/arena.h"
#include "probe/result.h"
#include "probe/sample.h"
#include "probe/target.h"

enum {                                /* what an attack needs, beside what the target gives */
       TUT_NEEDS_ROWS = 1 << 0,       /* others: rows to begin with */
       TUT_NEEDS_LABELS = 1 << 1,     /* with the right answers */
       TUT_NEEDS_MEMBERS = 1 << 2,    /* members: rows that the model was trained on, and others */
       TUT_NEEDS_REFERENCES = 1 << 3, /* answers of reference models, or rows to train some */
       TUT_NEEDS_GOALS = 1 << 4       /* a system of texts: canaries, tools */
};

typedef enum tut_norm { TUT_NORM_LINF, TUT_NORM_L2, TUT_NORM_L0 } tut_norm;

/* Recorded answers of reference models (shadow models of somebody else): one matrix each, in the
 * order of the data, with which rows each was trained on. */
typedef struct tut_references {
    size_t models, rows, classes;
    float *values;   /* models x rows x classes */
    uint8_t *inside; /* models x rows: the model was trained on the row */
} tut_references;

/* What a system of texts is made of, for attacks by texts. NULL each: not known; then what our own
 * attacks bring along stands in its place. */
typedef struct tut_texts {
    const char *system;     /* the system prompt that the application sends */
    const char *tools;      /* that it offers: JSON, a list as OpenAI has it */
    const char *canaries;   /* texts that must not leave, one a line */
    const char *link_hosts; /* hosts that answers may link to, one a line */
    const char *questions;  /* ordinary ones, one a line; behind a tab, what the answer must hold */
    const char *result;     /* what a tool answers ordinarily */
    const char *documents;  /* that the model was trained on, one a line */
    const char *other_documents; /* of the same kind, that it was not trained on, one a line */
} tut_texts;

typedef struct tut_probe { /* what an attack works with; borrowed but for the arena */
    tut_target *target;
    bool is_guarded;           /* the target lies behind the guard: what is refused is no failure */
    tut_target *reference;     /* another model of texts, of membership; NULL: none */
    tut_target *flooding;      /* the same service as another client; NULL: as the target */
    const tut_sample *members; /* rows that it was trained on; NULL: not known */
    const tut_sample *others;  /* rows of the same kind that it was not trained on */
    const tut_references *references; /* NULL: they are trained here */
    uint64_t seed;
    /* wishes; 0 is the attack's own default */
    tut_norm norm;
    double size;            /* of a perturbation, in the norm, in units of the data */
    double low, high;       /* of any input; both 0: from the columns */
    size_t axes, shape[8];  /* of one row, channels first; axes 0: as the target says */
    const char *fixed;      /* names of columns that nobody can change, one a line; NULL: none */
    uint64_t queries_a_row; /* of black-box attacks */
    uint32_t models;        /* reference models to train */
    uint32_t steps;         /* of gradient attacks */
    tut_texts texts;
    const char *system_dir; /* folder of tutela.yaml; NULL */
    const char *failure;    /* command that gets "stop" or "start" as its last word; NULL */
    void (*step)(void *ctx, const char *what, uint64_t done, uint64_t total); /* or NULL */
    void *step_ctx;
    tut_arena arena;           /* of results; freed by the caller of the run */
    struct tut_mia_kept *kept; /* answers and references that the first attack on membership got,
                                  for the others; NULL to begin with; in the arena */
} tut_probe;

typedef struct tut_attack {
    const char *probe;  /* "membership" */
    const char *name;   /* "lira-online" */
    const char *about;  /* one sentence */
    const char *source; /* paper, with its year */
    unsigned gives;     /* what the target must give: all of them */
    unsigned needs;
    bool is_of_training; /* of leakage: what the model was trained on, not what it was told */
    bool shows_rows;     /* its exposed rows are worth a look, however it came out */
    tut_status (*run)(tut_probe *p, tut_attack_result *ret, tut_error *err);
} tut_attack;

/* All, NULL-ended, in the order of attacks.def. */
extern const tut_attack *const tut_attacks[];

/* CANCELLED after Ctrl-C: what is measured so far is in *ret, with was_cut. */
void tut_probe_step(const tut_probe *p, const char *what, uint64_t done, uint64_t total);

#endif
