#include "cmd/probe_choose.h"

#include <stdio.h>
#include <string.h>

#include "probe/attack.h"

/* How many of the probe's attacks a place can be put to: those with gradients want the model, those
 * by scores its probabilities. */
static size_t count_fitting(tut_str place, tut_probe_kind kind)
{
    unsigned gives = tut_target_gives(place);
    size_t count = 0;
    for (size_t i = 0; tut_attacks[i]; i++)
        count += strcmp(tut_attacks[i]->probe, tut_probe_about_of(kind)->name) == 0 &&
                 (tut_attacks[i]->gives & ~gives) == 0;
    return count;
}

static void add_name(tut_buf *names, const tut_probe_target *t)
{
    tut_buf_printf(names, "%s%.*s", names->len ? ", " : "", (int)t->id.len, t->id.data);
}

tut_status tut_probe_choose(const tut_args *args, const tut_probe_policy *policy,
                            tut_probe_kind kind, const tut_probe_target **ret, tut_error *err)
{
    TUT_CLEAN(tut_buf) names = TUT_BUF_INIT;
    const tut_probe_target *best = NULL;
    size_t count = 0, most = 0;
    bool is_alone = true, is_one_asset = true;
    for (size_t i = 0; i < policy->target_count; i++) {
        const tut_probe_target *t = &policy->targets[i];
        if (!tut_probe_target_wants(t, kind))
            continue;
        size_t fitting = count_fitting(t->at, kind);
        is_one_asset = is_one_asset && t->asset.len && (!best || tut_str_eq(t->asset, best->asset));
        is_alone = fitting > most || (is_alone && fitting < most);
        best = !best || fitting > most ? t : best;
        most = fitting > most ? fitting : most;
        count++;
        add_name(&names, t);
    }
    TUT_TRY(tut_buf_check(&names, err));
    if (!best)
        return tut_fail(err, TUT_USAGE,
                        "say what is to be probed with --target, or declare a target in "
                        "tutela.yaml (docs/probe.md)");
    if (count > 1 && !(is_alone && is_one_asset))
        return tut_fail(err, TUT_USAGE,
                        "several targets are declared: choose with --target one of "
                        "%.*s",
                        (int)names.len, (const char *)names.data);
    if (count > 1 && !args->quiet)
        (void)fprintf(stderr,
                      "The target is %.*s, which more attacks fit than any other of %.*s; --target "
                      "chooses.\n",
                      (int)best->id.len, best->id.data, (int)names.len, (const char *)names.data);
    *ret = best;
    return TUT_SUCCESS;
}
