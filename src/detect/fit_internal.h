/* Fitting the detector: samples, rows of features, training, and what is measured. */
#ifndef TUT_DETECT_FIT_INTERNAL_H
#define TUT_DETECT_FIT_INTERNAL_H

#include "detect/detect_internal.h"
#include "detect/fit.h"
#include "detect/grammar.h"

enum {
    FIT_FAMILIES = 128,
    FIT_FOLDS = 4,
    FIT_TEXT_MAX = 6000,
    FIT_MADE = 20000,
    FIT_PLANTED = 12000
};

typedef struct fit_sample {
    char *text;
    uint32_t len, planted, planted_end; /* the bytes of what was planted; 0: nothing was */
    uint8_t family;                     /* of the attack, or of the clean text */
    uint8_t carrier;                    /* of documents: family of the text around */
    bool is_attack, is_document, is_made;
    bool has_document; /* user text with a document of the first fold in it */
    bool is_bare;      /* written to be planted: says nothing of what people type */
    uint8_t fold;      /* clean text of a fold is never seen by its model */
    bool is_kept_out;  /* one in five: for the figures in the family */
} fit_sample;

typedef struct fit_row {   /* features of a text, or of a segment */
    uint32_t first, count; /* in fit_rows.ids */
    uint32_t sample;
    float weight;
    bool is_attack;
    uint16_t held[TUT_BAG_GROUPS];
} fit_row;

typedef struct fit_rows {
    fit_row *items;
    size_t count, capacity;
    uint32_t *ids;
    size_t id_count, id_capacity;
} fit_rows;

typedef struct fit {
    const tut_fit_options *options;
    fit_sample *samples;
    size_t count, capacity;
    char families[FIT_FAMILIES][40];
    size_t family_count;
    size_t duplicates; /* texts that were there already */
    size_t unlicensed; /* left out: their licence does not let the weights be given away */
    fit_rows rows[TUT_HEAD_COUNT];
    float stretch_middle; /* of user text, when its limits are set */
    tut_buf *card;
} fit;

/* What texts are made with. */
typedef struct fit_planter {
    tut_grammar *user, *document;
    tut_random random;
    tut_buf text, plant;
    tut_str *bare; /* instructions of people, which nobody should find in a document */
    size_t bare_count, bare_capacity;
    uint8_t bare_families[8192];
} fit_planter;

/* --- fit_data.c --- */
uint8_t fit_family_of(fit *f, const char *kind, tut_str name);
TUT_MUST tut_status fit_add_sample(fit *f, fit_sample s, tut_error *err); /* takes its text */
TUT_MUST tut_status fit_add_text(fit *f, tut_str text, fit_sample s, tut_error *err);
TUT_MUST tut_status fit_data_load(fit *f, tut_error *err);
void fit_data_done(fit *f);

/* --- fit_plant.c --- */
void fit_planter_done(fit_planter *p);
size_t fit_place_in(fit_planter *p, tut_str around);
/* A document of that name, as it is and with something planted. */
TUT_MUST tut_status fit_add_context(fit *f, fit_planter *p, tut_str text, const char *name,
                                    unsigned fold, tut_error *err);

/* --- fit_made.c --- */
TUT_MUST tut_status fit_take_clean_texts(fit *f, fit_planter *p, tut_error *err);
TUT_MUST tut_status fit_make_user_texts(fit *f, fit_planter *p, tut_error *err);
TUT_MUST tut_status fit_make_documents(fit *f, fit_planter *p, tut_error *err);
TUT_MUST tut_status fit_make_long_texts(fit *f, fit_planter *p, tut_error *err);
TUT_MUST tut_status fit_make_planted(fit *f, fit_planter *p, tut_error *err);

/* --- fit_train.c --- */
TUT_MUST tut_status fit_go_on(tut_error *err); /* CANCELLED after tut_interrupted() */
TUT_MUST tut_status fit_rows_make(fit *f, tut_error *err);
TUT_MUST tut_status fit_row_add(fit_rows *r, const tut_bag *b, uint32_t sample, float weight,
                                bool is_attack, tut_error *err);
/* How many of these tokens are of the attack. */
size_t fit_is_planted(const fit_sample *s, const tut_detector *d, size_t first, size_t count);
/* uses[i]: sample i is trained on. */
TUT_MUST tut_status fit_train(const fit *f, tut_head head, const bool *uses, tut_model *to,
                              tut_error *err);
/* The rows of samples that are used, and what a row of either class counts. */
size_t fit_choose(const fit_rows *rows, const bool *uses, uint32_t *order, float balance[2]);
void fit_shuffle(uint32_t *order, size_t count, tut_random *random);
TUT_MUST tut_status fit_train_mixer(const fit *f, const bool *uses, tut_model *to, tut_error *err);

/* --- fit_stretch.c --- */
TUT_MUST tut_status fit_rows_stretches(fit *f, tut_detector *d, uint32_t sample, tut_error *err);
/* Adds rows of what a first model stops at, in attacks and in clean text. */
TUT_MUST tut_status fit_rows_mine(fit *f, const tut_model *first, tut_error *err);

/* --- fit_outside.c --- */
enum { FIT_JOINED_NODES = 4 }; /* lengths of user text that clean texts are joined to */
typedef struct fit_score {     /* of one sample by the model that has not seen it */
    uint32_t sample;
    bool is_joined; /* several clean texts one behind the other, this the first: for limits only */
    tut_margin margin;
} fit_score;
typedef struct fit_outside {
    fit_score *items;
    size_t count, near; /* near: samples left out of training, too like what is held */
} fit_outside;
void fit_outside_done(fit_outside *o);
/* held[i]: sample i is scored and not trained on. */
TUT_MUST tut_status fit_look_outside(const fit *f, const bool *held, bool documents,
                                     fit_outside *ret, tut_error *err);

/* --- fit_limits.c --- */
TUT_MUST tut_status fit_set_limits(const fit *f, fit_outside *o, tut_provenance from, tut_model *m,
                                   tut_error *err);

/* --- fit_measure.c --- */
TUT_MUST tut_status fit_measure(fit *f, bool documents, tut_error *err);

/* --- fit_report.c --- */
double fit_auc(const float *attacks, size_t n, const float *clean, size_t m);
/* Above which lies the share of the values; sorts them. */
float fit_quantile(float *values, size_t count, double share);

#endif
