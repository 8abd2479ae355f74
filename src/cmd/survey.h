/* What init and inventory share: walk a directory, hold it against its description. */
#ifndef TUT_CMD_SURVEY_H
#define TUT_CMD_SURVEY_H

#include "cmd/command.h"
#include "scan/found.h"

typedef struct tut_survey {
    char *place; /* DIR, or --system FILE: how a command names this system; safe to print */
    char *shown, *shown_dir; /* file and dir, safe to print */
    char *dir, *state;       /* state: NULL where no tutela.yaml is */
    char *file;              /* path of tutela.yaml, also when it is not there yet */
    tut_system *system;      /* NULL where none is described */
    tut_scan *scan;
    tut_found *found;
    tut_inventory *inventory;
} tut_survey;

void tut_survey_free(tut_survey *s);
TUT_DEFINE_AUTO(tut_survey)

/* Reads DIR (the first argument, or ".") and its tutela.yaml where there is one. The excerpt
 * of a description error is printed on stderr; the error line follows from the caller. */
TUT_MUST tut_status tut_survey_run(const tut_args *args, tut_survey **ret_survey, tut_error *err);

#endif
