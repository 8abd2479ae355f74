/*
 * The weights themselves: what the scanner says of the file (docs/weights.md), whether the mean
 * weight of one class in the last layer stands out from those of the others, as training on a
 * planted mark makes it (Fields et al. 2021), and how far channels of convolutions can stretch what
 * they are given (Zheng et al. 2022). Nothing is asked of the model.
 */
#include <math.h>
#include <string.h>

#include "nets/layers.h"
#include "probe/backdoor.h"
#include "scan/scan.h"
#include "stats/spectral.h"

enum { CHANNELS_LEAST = 8, CHANNELS_MOST = 4096, FILTER_MOST = 1 << 20 };

typedef struct look {
    tut_probe *p;
    const tut_net *net;
    tut_arena memory;
    tut_attack_result *ret;
} look;

/* --- the scanner --- */

static bool is_of_weights(const tut_finding *f)
{
    return strncmp(f->rule->id, "weights.", 8) == 0 ||
           strcmp(f->rule->id, "data.hidden-payload") == 0;
}

/* CANCELLED and IO as the scan has them; a file that is no longer the one probed is IO too. */
static tut_status scan(look *k, tut_error *err)
{
    const tut_target_file *file = tut_target_file_of(k->p->target);
    const tut_scan_options options = {.content = true, .sandbox = file->sandbox};
    TUT_AUTO(tut_scan) scan = NULL;
    size_t findings = 0;
    TUT_TRY(tut_scan_run(&file->path, 1, &options, &scan, err));
    const tut_file_report *f = scan->count == 1 ? &scan->files[0] : NULL;
    if (!f || !f->has_digest || f->status == TUT_SCAN_ERROR)
        return tut_fail(err, TUT_IO, "the scanner could not read the file: %s",
                        f && f->problem ? f->problem : "no report");
    if (memcmp(f->digest.bytes, tut_target_about(k->p->target)->digest, sizeof(f->digest.bytes)) !=
        0)
        return tut_fail(err, TUT_IO, "the file was changed since the probe began");
    for (size_t i = 0; i < f->finding_count; i++) {
        if (!is_of_weights(&f->findings[i]))
            continue;
        TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
        tut_buf_printf(&text, "%s: %s", f->findings[i].rule->id, f->findings[i].message);
        tut_result_add_exposed(k->ret, &k->p->arena, UINT64_MAX, NAN, tut_buf_z(&text));
        findings++;
    }
    tut_result_add(k->ret, "scan_findings", (double)findings, NAN, NAN);
    return TUT_SUCCESS;
}

/* --- channels --- */

/* The greatest norm of a channel in times the median of its layer's. Filters of more places than
 * the norm is made for are left out, and counted. */
static tut_status weigh_channels(look *k, const tut_net_layer *l, double *most, tut_error *err)
{
    if (l->outputs < CHANNELS_LEAST || l->outputs > CHANNELS_MOST || l->area > TUT_SPECTRAL_SMALL ||
        l->inputs * l->area > FILTER_MOST)
        return TUT_SUCCESS;
    double *norms = tut_arena_take(&k->memory, l->outputs, sizeof(*norms));
    if (!norms)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    double greatest = 0, median = 0, spread = 0;
    for (size_t c = 0; c < l->outputs; c++) {
        norms[c] = tut_spectral_norm_small(l->weights + c * l->inputs * l->area, l->inputs,
                                           l->area);
        norms[c] *= l->scale ? fabs((double)l->scale[c]) : 1;
        greatest = fmax(greatest, norms[c]);
    }
    tut_median(norms, l->outputs, &median, &spread);
    if (spread > 0)
        *most = fmax(isnan(*most) ? 0 : *most, (greatest - median) / spread);
    return TUT_SUCCESS;
}

/* --- the last layer --- */

static tut_status weigh_classes(look *k, const tut_net_layer *l, tut_error *err)
{
    size_t greatest = 0, classes = l->outputs;
    double *means = tut_arena_take(&k->memory, 2 * classes, sizeof(*means));
    if (!means)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    double *xs = means + classes;
    for (size_t c = 0; c < classes; c++) {
        for (size_t i = 0; i < l->inputs; i++)
            means[c] += (double)tut_net_layer_weight(l, c, i) / (double)l->inputs;
        xs[c] = (double)c;
    }
    double p = tut_backdoor_outlier(means, classes, &greatest);
    k->ret->metric = "weights_p";
    k->ret->decisive = (tut_measure){"weights_p", p, NAN, NAN};
    tut_result_add(k->ret, "easiest_class", (double)greatest, NAN, NAN);
    tut_result_add_curve(k->ret, &k->p->arena,
                         &(tut_curve){.name = "last layer",
                                      .x = "class",
                                      .y = "mean weight",
                                      .count = classes,
                                      .xs = xs,
                                      .ys = means});
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    tut_buf_printf(&text, "class %zu: mean weight %.4g in the last layer, the greatest", greatest,
                   means[greatest]);
    tut_result_add_exposed(k->ret, &k->p->arena, UINT64_MAX, means[greatest], tut_buf_z(&text));
    return TUT_SUCCESS;
}

static tut_status weigh(look *k, tut_error *err)
{
    tut_net_layer l, last = {.outputs = 0};
    const tut_net_facts *f = tut_net_about(k->net);
    double channels = NAN;
    for (size_t i = 0; i < f->steps; i++) {
        if (!tut_net_layer_at(k->net, i, &l))
            continue;
        if (l.is_conv)
            TUT_TRY(weigh_channels(k, &l, &channels, err));
        last = l;
    }
    if (last.is_conv || last.outputs != f->outputs)
        tut_backdoor_unmeasured("weights_p", "its last layer with weights is no matrix of classes",
                                k->ret);
    else if (last.outputs < TUT_BACKDOOR_CLASSES_LEAST)
        tut_backdoor_unmeasured(
            "weights_p", "classes are compared with each other: it needs 4 at least", k->ret);
    else
        TUT_TRY(weigh_classes(k, &last, err));
    if (!isnan(channels))
        tut_result_add(k->ret, "channel_deviations", channels, NAN, NAN);
    return scan(k, err);
}

static tut_status run(tut_probe *p, tut_attack_result *ret, tut_error *err)
{
    look k = {.p = p, .net = tut_target_net(p->target), .ret = ret};
    ret->weakness =
        "Whoever plants a backdoor with the weights in mind leaves none of these marks; "
        "channels and the scanner's findings are shown, and decide nothing.";
    if (!k.net) {
        tut_backdoor_unmeasured("weights_p", "it needs the weights (an ONNX file)", ret);
        return TUT_SUCCESS;
    }
    tut_arena_init(&k.memory, 0);
    tut_status status = weigh(&k, err);
    tut_arena_done(&k.memory);
    return status;
}

extern const tut_attack tut_attack_backdoor_weights;

const tut_attack tut_attack_backdoor_weights = {
    .probe = "backdoor",
    .name = "weights",
    .about =
        "the weights themselves: does one class stand out in the last layer, and what does the "
        "scanner say of them?",
    .source = "Fields et al. 2021; Zheng et al. 2022; Grubbs 1950",
    .gives = TUT_GIVES_GRADIENTS | TUT_GIVES_LABELS,
    .run = run,
};
