/* Between the one who asks (vet.c) and the worker (vet_job.c). */
#ifndef TUT_DATA_VET_INTERNAL_H
#define TUT_DATA_VET_INTERNAL_H

#include "base/arena.h"
#include "base/cage.h"
#include "base/reader.h"
#include "data/vet.h"
#include "detect/model.h"

/* What workers come by as they are forked. */
typedef struct vet_shared {
    tut_text_set *text; /* NULL: secrets are not looked for */
    tut_model *model;
} vet_shared;
extern vet_shared tut_vet_shared;

enum { TUT_VET_PROFILE_BYTES = 4 << 20, TUT_VET_BASELINE_BYTES = 10 << 20 };

/* --- vet_wire.c --- */
typedef struct vet_place { /* of a file in the one that is lent */
    uint64_t start, size;  /* size UINT64_MAX: all of it */
} vet_place;
typedef struct vet_asking {
    const tut_vet_input *input;
    const vet_place *places; /* of a folder's texts, which are lent as one file; NULL: one file */
} vet_asking;
void tut_vet_ask(const vet_asking *inputs, size_t count, unsigned checks, tut_buf *out);

typedef struct vet_asked { /* texts borrow from the argument */
    unsigned checks;
    size_t count;
    struct vet_asked_input {
        uint32_t file_count;
        tut_split split;
        char *path;
        tut_str label, source;
        bool has_labels, has_activations, has_against, wants_baseline, wants_examples;
        tut_str baseline;
        struct vet_asked_file {
            char *name;
            uint64_t start, size;
        } * files;
    } * items;
    tut_arena arena;
} vet_asked;
void tut_vet_asked_done(vet_asked *a);
TUT_MUST tut_status tut_vet_asked_read(tut_span argument, vet_asked *ret, tut_error *err);

void tut_vet_answer(const tut_vet_dataset *d, tut_buf *out);
/* Appended by the worker for each dataset in turn; MALFORMED for anything that no worker of this
 * build writes. d has its path already. */
TUT_MUST tut_status tut_vet_answer_read(tut_reader *r, tut_vet_dataset *d, tut_error *err);

/* --- vet_job.c --- */
TUT_MUST tut_status tut_vet_job(tut_cage_task *task, const tut_source *bytes, tut_span argument,
                                tut_buf *out, tut_error *err);

/* --- vet.c --- */
/* What workers come by, before they are forked. *ret_text_problem: why personal data cannot be
 * looked for, where that is so; else untouched. */
TUT_MUST tut_status tut_vet_prepare(unsigned checks, char ret_text_problem[TUT_ERROR_TEXT_MAX],
                                    tut_error *err);
/* A regular file, for reading; the caller closes *ret_fd (-1: there is none). */
struct stat;
TUT_MUST tut_status tut_vet_open(const char *path, int *ret_fd, struct stat *st, tut_error *err);
void tut_vet_dataset_done(tut_vet_dataset *d);
TUT_MUST tut_status tut_vet_note(tut_vet_dataset *d, const char *text, tut_error *err);

#endif
