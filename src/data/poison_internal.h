/* For src/data/poison*.c. */
#ifndef TUT_DATA_POISON_INTERNAL_H
#define TUT_DATA_POISON_INTERNAL_H

#include "data/backdoor.h"
#include "data/burst.h"
#include "data/labels.h"
#include "data/poison.h"
#include "data/spectral.h"

enum { POISON_NOTES = 24, POISON_ACTIVATIONS = 64 << 20 /* numbers */ };

struct tut_poison {
    tut_poison_options options;
    tut_features *features;
    tut_near *near, *own_near;
    tut_buf row;         /* bytes of a row, or its text */
    uint64_t near_first; /* documents that were there before */
    float *activations;
    size_t activation_count, activation_width, activation_capacity;
    bool activations_cut;
    bool is_fed;
    const char *notes[POISON_NOTES];
    char note_texts[POISON_NOTES][256];
    size_t note_count;
};

void poison_note(tut_poison *p, const char *format, ...) TUT_PRINTF(2, 3);

/* --- poison_report.c: findings of what was found --- */
TUT_MUST tut_status poison_report_labels(const tut_poison *p, const tut_features_matrix *m,
                                         const tut_label_doubts *d, tut_data_findings *findings,
                                         tut_error *err);
TUT_MUST tut_status poison_report_trigger(const tut_poison *p, const tut_features_matrix *m,
                                          const tut_trigger *t, tut_data_findings *findings,
                                          tut_error *err);
/* rows: of the outliers' numbers, in the dataset; NULL: they are that. */
TUT_MUST tut_status poison_report_outliers(const tut_poison *p, const uint64_t *rows,
                                           const uint32_t *labels, const tut_spectral_outliers *o,
                                           bool is_of_activations, tut_data_findings *findings,
                                           tut_error *err);
TUT_MUST tut_status poison_report_bursts(const tut_poison *p, const tut_features_facts *facts,
                                         const uint8_t *repeats, const tut_bursts *b,
                                         tut_data_findings *findings, tut_error *err);

#endif
