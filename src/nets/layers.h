/* The weights of a net, layer by layer, for those who look at them rather than run them. */
#ifndef TUT_NETS_LAYERS_H
#define TUT_NETS_LAYERS_H

#include "nets/net.h"

typedef struct tut_net_layer {
    bool is_conv;           /* else a product with a matrix */
    size_t outputs, inputs; /* of a convolution: channels, those that one output reads */
    size_t area;            /* numbers of a kernel for one channel; 1 */
    const float *weights;   /* outputs x inputs x area; borrowed from the net */
    bool is_turned;         /* inputs x outputs instead */
    const float *scale;     /* of each output, by the normalisation right behind it; NULL: none */
} tut_net_layer;

/* step: from 0 to the net's `steps`; false: it has no weights of this kind. */
bool tut_net_layer_at(const tut_net *net, size_t step, tut_net_layer *ret_layer);

static inline float tut_net_layer_weight(const tut_net_layer *l, size_t output, size_t k)
{
    return l->is_turned ? l->weights[k * l->outputs + output]
                        : l->weights[output * l->inputs * l->area + k];
}

#endif
