#include "nets/layers.h"

#include "nets/net_internal.h"

/* Of what alone reads the step's output, where that is a normalisation by channel. */
static const float *scale_behind(const tut_net *net, const tut_step *s, size_t channels)
{
    const float *scale = NULL;
    for (const tut_step *other = s + 1; other < net->steps + net->facts.steps; other++) {
        if (other->in != s->out && other->in2 != s->out)
            continue;
        if (other->kind != &tut_step_affine || other->n != channels || scale)
            return NULL;
        scale = other->w;
    }
    return scale;
}

bool tut_net_layer_at(const tut_net *net, size_t step, tut_net_layer *ret_layer)
{
    if (step >= net->facts.steps)
        return false;
    const tut_step *s = &net->steps[step];
    const tut_window *w = &s->window;
    if (s->kind == &tut_step_linear)
        *ret_layer = (tut_net_layer){.outputs = s->n,
                                     .inputs = s->inner,
                                     .area = 1,
                                     .weights = s->w,
                                     .is_turned = !s->turned,
                                     .scale = scale_behind(net, s, s->n)};
    else if (s->kind == &tut_step_conv)
        *ret_layer = (tut_net_layer){.is_conv = true,
                                     .outputs = w->out_channels,
                                     .inputs = w->channels / w->groups,
                                     .area = w->kernel_h * w->kernel_w,
                                     .weights = s->w,
                                     .scale = scale_behind(net, s, w->out_channels)};
    else
        return false;
    return true;
}
