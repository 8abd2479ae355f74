/*
 * A model of rows of numbers as a service: KServe's and Triton's inference protocol v2 over HTTP
 * with JSON. One input, whatever shape the file gives a row; one output, "probabilities", FP64,
 * rows x classes (of a model with one number: that of class 0 and that of class 1).
 */
#ifndef SCORING_SCORING_H
#define SCORING_SCORING_H

#include "base/buf.h"
#include "base/json.h"
#include "ledger/http_serve.h"
#include "nets/net.h"

enum { SCORING_ROWS = 4096, SCORING_NAME_BYTES = 64 }; /* rows of a request, at most */

typedef struct scoring_model scoring_model;

/* name: letters, digits and "._-", as requests have it in their path. */
TUT_MUST tut_status scoring_open(const char *path, const char *name, tut_cage_mode sandbox,
                                 scoring_model **ret_model, tut_error *err);
void scoring_model_free(scoring_model *m);
TUT_DEFINE_AUTO(scoring_model)

/* The same request always gets the same bytes. For one thread at a time. The
 * caller frees the body. */
void scoring_serve(scoring_model *m, tut_str method, tut_str path, tut_span body,
                   tut_http_answer *ret);

#endif
