/* The modules of training that this program brings; the table is made when it is built. */
#ifndef TUT_GOVERN_TRAINING_SHIPPED_H
#define TUT_GOVERN_TRAINING_SHIPPED_H

typedef struct tut_training_shipped {
    const char *file; /* "training/role-developer.md" */
    const char *data, *end;
} tut_training_shipped;

extern const tut_training_shipped tut_training_shipped_modules[]; /* NULL-ended */

#endif
