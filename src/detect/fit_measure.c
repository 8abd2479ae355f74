/* Families and shapes that were left out say what the limits are worth. */
#include <stdio.h>

#include "detect/fit_internal.h"

static tut_status write_line(fit *f, const fit_outside *o, const tut_model *m, tut_provenance from,
                             const char *what, int family, int carrier, tut_error *err)
{
    TUT_AUTO_FREE float *attacks = tut_alloc_array(o->count + 1, sizeof(float));
    TUT_AUTO_FREE float *clean = tut_alloc_array(o->count + 1, sizeof(float));
    size_t n = 0, c = 0, caught = 0, blocked = 0, wrong = 0;
    if (!attacks || !clean)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (size_t i = 0; i < o->count; i++) {
        const fit_sample *s = &f->samples[o->items[i].sample];
        const tut_margin *g = &o->items[i].margin;
        if (o->items[i].is_joined || (s->is_attack && family >= 0 && s->family != family) ||
            (carrier >= 0 && s->carrier != carrier))
            continue;
        float against = tut_model_against(m, from, g->length, g->value);
        if (s->is_attack) {
            attacks[n++] = against;
            caught += against >= 0;
            blocked += against >= 1;
        } else {
            clean[c++] = against;
            wrong += against >= 0;
        }
    }
    (void)fit_quantile(clean, c, 0.01); /* sorts */
    tut_buf_printf(f->card, "| %s | %zu | %.3f | %.1f %% | %.1f %% | %zu | %.2f %% |\n", what, n,
                   fit_auc(attacks, n, clean, c), n ? 100.0 * (double)caught / (double)n : 0,
                   n ? 100.0 * (double)blocked / (double)n : 0, c,
                   c ? 100.0 * (double)wrong / (double)c : 0);
    return tut_buf_check(f->card, err);
}

static void write_head(fit *f, const char *title)
{
    tut_buf_printf(
        f->card,
        "\n### %s\n\n| held out | attacks | AUC | above the first limit | above the second "
        "| clean | clean above the first |\n|---|--:|--:|--:|--:|--:|--:|\n",
        title);
}

/* A model without one family; what it makes of it. Each sets limits of its own. */
static tut_status measure_without(fit *f, bool documents, int family, const char *prefix,
                                  tut_error *err)
{
    TUT_AUTO(tut_model) m = NULL;
    TUT_AUTO_FREE bool *held = tut_alloc_array(f->count, sizeof(*held));
    fit_outside o = {0};
    tut_provenance from = documents ? TUT_FROM_DATA : TUT_FROM_USER;
    if (!held)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    for (size_t i = 0; i < f->count; i++) {
        const fit_sample *s = &f->samples[i];
        held[i] = s->is_attack && (family < 0 ? s->is_kept_out && s->is_document == documents
                                              : s->family == family);
    }
    TUT_TRY(tut_model_new(&m, err));
    TUT_TRY(fit_look_outside(f, held, documents, &o, err));
    tut_status status = fit_set_limits(f, &o, from, m, err);
    char what[96];
    (void)snprintf(what, sizeof(what), "%s%s", prefix, family < 0 ? "" : f->families[family]);
    if (tut_is_ok(status))
        status = write_line(f, &o, m, from, what, -1, -1, err);
    for (size_t c = 0; c < f->family_count && tut_is_ok(status); c++) {
        if (!documents || strncmp(f->families[c], "document ", 9) != 0)
            continue;
        (void)snprintf(what, sizeof(what), "%s%s, in %s", prefix,
                       family < 0 ? "" : f->families[family], f->families[c] + 9);
        if (family < 0 || strcmp(f->families[family], "bipia_atk_train") == 0)
            status = write_line(f, &o, m, from, what, -1, (int)c, err);
    }
    fit_outside_done(&o);
    return status;
}

static bool has_attacks(const fit *f, bool documents, size_t family)
{
    size_t n = 0;
    for (size_t i = 0; i < f->count; i++)
        n += f->samples[i].is_document == documents && f->samples[i].is_attack &&
             f->samples[i].family == family;
    return n >= 30;
}

tut_status fit_measure(fit *f, bool documents, tut_error *err)
{
    write_head(f, documents ? "Documents and results of tools" : "User text");
    TUT_TRY(measure_without(f, documents, -1, "in the family (one in five)", err));
    for (size_t k = 0; k < f->family_count; k++)
        if (has_attacks(f, documents, k))
            TUT_TRY(measure_without(f, documents, (int)k, "without ", err));
    return TUT_SUCCESS;
}
