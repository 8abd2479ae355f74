/*
 * What the files of the R parser share: rds.c (recognising, the head), rds_input.c (numbers and
 * texts in the three forms), rds_walk.c (items), rds_call.c (what is called).
 */
#ifndef TUT_FORMATS_RDS_H
#define TUT_FORMATS_RDS_H

#include "formats/format.h"

typedef enum tut_rds_form { TUT_RDS_XDR, TUT_RDS_ASCII, TUT_RDS_NATIVE } tut_rds_form;

/* What a name means to whoever evaluates a call of it. */
typedef enum tut_rds_name {
    TUT_RDS_PLAIN,
    TUT_RDS_EXECUTES, /* commands, native libraries, other interpreters */
    TUT_RDS_NETWORK,
    TUT_RDS_LOADS, /* code or objects from elsewhere */
    TUT_RDS_DELETES,
    TUT_RDS_DEFERS, /* has something called later */
    TUT_RDS_EVAL,
    TUT_RDS_PARSE,
    TUT_RDS_INDIRECT, /* calls what an argument names */
    TUT_RDS_COLONS,   /* "::", ":::" */
    TUT_RDS_STARTUP,  /* run by R itself when it is found in a workspace */
    TUT_RDS_COMMON,   /* that everybody calls: a function of this name in a workspace masks it */
    TUT_RDS_ALTREP,   /* a class of vectors of R itself */
    TUT_RDS_ALTREP_FILE
} tut_rds_name;

tut_rds_name tut_rds_name_of(tut_str name);
const char *tut_rds_name_text(tut_rds_name name); /* "runs commands" */

enum { TUT_RDS_TEXT = 200, TUT_RDS_TASKS = 20000, TUT_RDS_PACKAGES = 32 };

typedef struct tut_rds_task tut_rds_task;

typedef struct tut_rds {
    tut_exam *x;
    tut_rds_form form;
    int32_t version;
    bool is_workspace; /* .rda: a list of bindings */
    /* names of the references that the stream counts */
    uint8_t *refs;
    size_t ref_count, ref_capacity;
    uint64_t charged;
    tut_rds_task *tasks;
    size_t depth, task_capacity;
    /* the last item */
    int last_type;
    tut_rds_name last_name;
    bool last_is_text;
    char text[TUT_RDS_TEXT];    /* of the last text, cut */
    char preview[TUT_RDS_TEXT]; /* of the first argument of the call at hand */
    char head[64];              /* name of the last symbol that means something */
    uint32_t live_promises;     /* open, not evaluated, where none belongs */
    uint32_t frame_promises;    /* open, not evaluated, in the frame of a function */
    uint64_t items, functions, environments, promises, code, pointers;
    char packages[TUT_RDS_PACKAGES][48];
    size_t package_count;
} tut_rds;

/* rds_input.c; TRUNCATED, MALFORMED */
TUT_MUST tut_status tut_rds_int(tut_rds *r, int32_t *ret, tut_error *err);
TUT_MUST tut_status tut_rds_length(tut_rds *r, uint64_t *ret, tut_error *err);
/* `count` values of `bytes` bytes each (in ASCII: `words` words each). */
TUT_MUST tut_status tut_rds_skip_values(tut_rds *r, uint64_t count, uint32_t bytes, uint32_t words,
                                        tut_error *err);
/* `len` bytes of text; what is beyond TUT_RDS_TEXT is passed over. *ret_kept is in r->text. */
TUT_MUST tut_status tut_rds_text(tut_rds *r, uint64_t len, tut_str *ret_kept, tut_error *err);

TUT_MUST tut_status tut_rds_walk(tut_rds *r, tut_error *err);
void tut_rds_called(tut_rds *r, tut_rds_name name, uint64_t at, const char *how);

#endif
