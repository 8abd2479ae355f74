/* What happens to inputs without anybody's ill will, in five severities. */
#ifndef TUT_PROBE_EVASION_CORRUPT_H
#define TUT_PROBE_EVASION_CORRUPT_H

#include "probe/evasion_tabular.h"

enum { TUT_SEVERITIES = 5 };

typedef struct tut_corruptor {
    const tut_space *space;       /* of images */
    const tut_features *features; /* of tables */
    const float *medians;         /* of tables: of each column */
    tut_seeded *random;
    float *room; /* width */
} tut_corruptor;

typedef struct tut_corruption {
    const char *name;
    const char *measure; /* "accuracy_blur" */
    /* severity from 1 to TUT_SEVERITIES */
    void (*apply)(const tut_corruptor *c, const float *row, unsigned severity, float *ret);
} tut_corruption;

/* NULL-named at the end. */
extern const tut_corruption tut_corruptions_of_images[], tut_corruptions_of_tables[];

#endif
