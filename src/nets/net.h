/*
 * A neural network that we run ourselves: a straight list of steps over tensors of single
 * precision, read from a subset of ONNX (docs/probe-nets.md lists it), with the way back through
 * it, so that attacks that know the model need no framework.
 *
 * The first axis of the input are the rows; all others are one row's `width` numbers, in the order
 * of the file. The output is rows x outputs.
 */
#ifndef TUT_NETS_NET_H
#define TUT_NETS_NET_H

#include "base/alloc.h"
#include "base/cage.h"
#include "base/status.h"

typedef struct tut_net tut_net;   /* does not change once it is there; for any number of threads */
typedef struct tut_pass tut_pass; /* what one thread keeps of its last run */

typedef enum tut_net_last {                 /* what the numbers of the output are */
                            TUT_NET_SCORES, /* before softmax */
                            TUT_NET_SOFTMAX,
                            TUT_NET_SIGMOID, /* one output: the probability of class 1 */
                            TUT_NET_OTHER
} tut_net_last;

typedef struct tut_net_facts {
    size_t width, outputs, classes; /* classes: 2 where one output is a probability, else outputs */
    size_t axes, shape[8];          /* of one row */
    tut_net_last last;
    size_t steps, parameters;
    char input[64], output[64]; /* names in the file, escaped */
    uint8_t digest[32];         /* SHA-256 of the file that was read */
} tut_net_facts;

/* Reads an ONNX file in the cage; what comes back is checked again here. UNSUPPORTED names the
 * first operator, type or shape that is outside the subset; MALFORMED, LIMIT as everywhere. */
TUT_MUST tut_status tut_net_load(const char *path, tut_cage_mode sandbox, tut_net **ret_net,
                                 tut_error *err);
void tut_net_free(tut_net *net);
TUT_DEFINE_AUTO(tut_net)
const tut_net_facts *tut_net_about(const tut_net *net);
/* One row of the output as probabilities of the classes (f->classes): of scores the softmax, of one
 * output its two sides. */
void tut_net_probabilities(const tut_net_facts *f, const float *output, double *ret);

/* How many rows a pass over it may have at once: `wanted`, or what 2 GiB have room for. */
size_t tut_net_rows(const tut_net *net, size_t wanted);
size_t tut_net_row_numbers(const tut_net *net); /* that a pass keeps of each row */
/* Room for runs of at most `rows` rows at once; more rows are an error of the caller's (USAGE). */
TUT_MUST tut_status tut_pass_new(const tut_net *net, size_t rows, tut_pass **ret_pass,
                                 tut_error *err);
void tut_pass_free(tut_pass *pass);
TUT_DEFINE_AUTO(tut_pass)

/* rows: count x width. *ret_output (count x outputs) lives until the pass runs again. */
TUT_MUST tut_status tut_pass_run(tut_pass *pass, const float *rows, size_t count,
                                 const float **ret_output, tut_error *err);
/* The scores before the last softmax or sigmoid (of TUT_NET_SCORES and OTHER: the output). */
const float *tut_pass_scores(const tut_pass *pass);
/* From the gradient at the scores (count x outputs) of the last run to that at the input (count x
 * width). */
TUT_MUST tut_status tut_pass_back(tut_pass *pass, const float *at_scores, float *ret_at_input,
                                  tut_error *err);

#endif
