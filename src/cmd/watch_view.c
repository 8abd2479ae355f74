#include "cmd/watch_view.h"

#include <math.h>
#include <unistd.h>

static void add_number(tut_table *t, const char *format, double v)
{
    char text[48];
    if (isnan(v)) {
        tut_table_cell_z(t, TUT_STYLE_DIM, "-");
        return;
    }
    (void)snprintf(text, sizeof(text), strcmp(format, "p") == 0 ? "%.2g" : "%.3f", v);
    tut_table_cell_z(t, TUT_STYLE_PLAIN, text);
}

static void add_feature(tut_table *t, const tut_drift_feature *f)
{
    bool is_bad = f->drifted || f->is_missing_drifted;
    tut_table_cell_z(t, is_bad ? TUT_STYLE_BOLD : TUT_STYLE_PLAIN, f->name);
    tut_table_cell_z(t, TUT_STYLE_DIM, f->test[0] ? f->test : f->kind);
    add_number(t, "e", f->effect);
    add_number(t, "p", f->q);
    add_number(t, "e", f->psi);
    add_number(t, "e", f->detectable);
    tut_table_cellf(t, TUT_STYLE_DIM, "%llu/%llu", (unsigned long long)f->missing[0],
                    (unsigned long long)f->missing[1]);
    tut_table_cell_z(t, is_bad ? TUT_STYLE_BAD : TUT_STYLE_DIM,
                     f->drifted              ? "drifted"
                     : f->is_missing_drifted ? "more or fewer are missing"
                     : f->test[0]            ? "same"
                                             : f->note);
}

static tut_status add_table(const tut_term *term, const tut_drift *d, tut_buf *out, tut_error *err)
{
    static const char *const heads[] = {"Feature", "Test",       "Effect",  "q",
                                        "PSI",     "Detectable", "Missing", ""};
    TUT_AUTO(tut_table) t = NULL;
    TUT_TRY(tut_table_new(sizeof(heads) / sizeof(heads[0]), &t));
    for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++)
        tut_table_column(t, i, heads[i], i >= 2 && i <= 6 ? TUT_RIGHT : TUT_LEFT, i == 0 || i == 7);
    for (unsigned pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < d->count; i++)
            if ((d->features[i].drifted || d->features[i].is_missing_drifted) == (pass == 0))
                add_feature(t, &d->features[i]);
    TUT_TRY(tut_table_print(t, term, 0, out));
    return tut_buf_check(out, err);
}

static void add_joint(const tut_term *term, const tut_drift *d, tut_buf *out)
{
    if (!d->joint.is_there)
        return;
    tut_buf_printf(out,
                   "\nAll %zu numbers together: MMD p %.3g; a classifier tells the sides apart "
                   "with AUC %.3f (%.3f to %.3f)",
                   d->joint.features, d->joint.mmd.p, d->joint.classifier.auc,
                   d->joint.classifier.low, d->joint.classifier.high);
    tut_term_printf(term, out, d->joint.drifted ? TUT_STYLE_BAD : TUT_STYLE_PLAIN, "%s\n",
                    d->joint.drifted ? ": drifted." : ".");
}

static void add_performance(const tut_term *term, const tut_drift_performance *f, tut_buf *out)
{
    if (!f->is_there && f->note[0])
        tut_buf_printf(out, "\nNo performance: %s.\n", f->note);
    if (!f->is_there)
        return;
    tut_buf_printf(out, "\nAccuracy %.3f on the reference, now %.3f (%.3f to %.3f) by estimate",
                   f->accuracy[0], f->accuracy[1], f->accuracy_low, f->accuracy_high);
    if (f->has_current)
        tut_buf_printf(out, " and %.3f by labels", f->realised_accuracy);
    tut_buf_printf(out, "; AUC %.3f, now %.3f", f->auc[0], f->auc[1]);
    if (f->has_current)
        tut_buf_printf(out, " and %.3f", f->realised_auc);
    tut_term_printf(term, out, f->drifted ? TUT_STYLE_BAD : TUT_STYLE_PLAIN, "%s\n",
                    f->drifted ? ": worse." : ".");
}

static double needed_most(const tut_drift *d)
{
    double most = 0;
    for (size_t i = 0; i < d->count; i++)
        if (!isnan(d->features[i].needed))
            most = fmax(most, d->features[i].needed);
    return most;
}

tut_status tut_watch_view(const tut_args *args, const tut_drift *d, tut_buf *out, tut_error *err)
{
    tut_term term;
    tut_term_detect(STDOUT_FILENO, args->color, &term);
    if (!d->is_enough) {
        tut_buf_printf(out, "Nothing could be judged: %s.\n", d->why);
        return tut_buf_check(out, err);
    }
    tut_term_printf(&term, out, d->drifted ? TUT_STYLE_BAD : TUT_STYLE_GOOD,
                    "%zu of %zu features drifted", d->drifted, d->count);
    tut_buf_printf(out, " (q at most %g and effect at least %g; %llu rows against %llu).\n\n",
                   d->alpha, d->effect, (unsigned long long)d->rows[0],
                   (unsigned long long)d->rows[1]);
    TUT_TRY(add_table(&term, d, out, err));
    add_joint(&term, d, out);
    add_performance(&term, &d->performance, out);
    tut_buf_printf(out,
                   "\nAn effect of %g needs %.0f rows a side to be found in 4 of 5 cases; "
                   "Detectable is what these rows show.\n",
                   d->effect, needed_most(d));
    for (unsigned side = 0; side < TUT_SIDES; side++) {
        const char *name = side ? "current data" : "reference";
        if (d->kept[side] < d->rows[side])
            tut_buf_printf(out, "Of the %s a sample of %llu rows was compared.\n", name,
                           (unsigned long long)d->kept[side]);
        if (d->defects[side])
            tut_buf_printf(out, "The %s has %llu defects; tutela vet names them.\n", name,
                           (unsigned long long)d->defects[side]);
    }
    return tut_buf_check(out, err);
}
