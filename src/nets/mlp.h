/*
 * Small classifiers that are trained here: softmax regression, and perceptrons with layers of
 * rectified units, by Adam (Kingma and Ba 2015) over mini-batches, begun as He et al. 2015 do. The
 * same wish, rows and labels give the same net on the same machine. What comes out is a net as any
 * other (net.h), whose outputs are scores.
 *
 * Products go through OpenBLAS, so one thread of a process trains or runs nets at a time.
 */
#ifndef TUT_NETS_MLP_H
#define TUT_NETS_MLP_H

#include "nets/net.h"

enum { TUT_MLP_LAYERS_MOST = 8 }; /* hidden ones */

typedef struct tut_mlp_wish {
    size_t width, classes;
    size_t hidden_count, hidden[TUT_MLP_LAYERS_MOST]; /* none: softmax regression */
    double rate;                                      /* of learning; 0: 0.001 */
    double l2;     /* half of it times the squares of the weights is added to the mean loss */
    size_t batch;  /* rows a step; 0: 64 */
    size_t epochs; /* times over all rows; 0: 50 */
    uint64_t seed;
    const uint32_t *picks; /* numbers of the rows to train on; NULL: all */
    size_t pick_count;
    const float *wanted; /* count x classes: probabilities to learn in the labels' place; or NULL */
} tut_mlp_wish;

/* rows: count x width; labels below `classes`, not looked at where there are probabilities. USAGE
 * where a number does not fit; CANCELLED after Ctrl-C. */
TUT_MUST tut_status tut_mlp_train(const tut_mlp_wish *wish, const float *rows,
                                  const uint32_t *labels, size_t count, tut_net **ret_net,
                                  tut_error *err);

/* Probabilities of any net, count x classes: of scores the softmax, of one output its two sides. */
TUT_MUST tut_status tut_net_predict(const tut_net *net, const float *rows, size_t count,
                                    float *ret_probabilities, tut_error *err);

#endif
