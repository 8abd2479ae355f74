/* The page of a comparison: what drifted with its distributions, then a table of everything. */
#include <math.h>

#include "base/page.h"
#include "watch/drift_internal.h"

enum { WIDE = 480, HIGH = 130, FOOT = 16, SHOWN = 400 };

static double share(const tut_drift_bars *b, unsigned side, size_t i)
{
    double all = 0;
    for (size_t k = 0; k < b->count; k++)
        all += (double)b->counts[side][k];
    return all > 0 ? (double)b->counts[side][i] / all : 0;
}

static void add_bars(tut_buf *out, const tut_drift_bars *b)
{
    double most = 0, step = (double)WIDE / (double)b->count;
    for (size_t i = 0; i < b->count; i++)
        most = fmax(most, fmax(share(b, 0, i), share(b, 1, i)));
    if (most <= 0)
        return;
    tut_buf_printf(
        out,
        "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"Bars: the reference beside "
        "the current values\"><line class=\"axis\" x1=\"0\" x2=\"%d\" y1=\"%d\" "
        "y2=\"%d\"/>",
        WIDE, HIGH + FOOT, WIDE, HIGH, HIGH);
    for (size_t i = 0; i < b->count; i++)
        for (unsigned side = 0; side < TUT_SIDES; side++) {
            double h = share(b, side, i) / most * (HIGH - 4), x = step * (double)i;
            tut_buf_printf(out,
                           "<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" "
                           "height=\"%.1f\"><title>",
                           side ? "now" : "then", x + step * (side ? 0.48 : 0.08), HIGH - h,
                           step * 0.4, h);
            if (b->has_edges)
                tut_buf_printf(out, "%.4g to %.4g", b->edges[i], b->edges[i + 1]);
            else
                tut_page_z(out, b->labels[i]);
            tut_buf_printf(out, ": %.1f %%</title></rect>", 100 * share(b, side, i));
        }
    if (b->has_edges)
        tut_buf_printf(out,
                       "<text x=\"0\" y=\"%d\">%.4g</text><text x=\"%d\" y=\"%d\" "
                       "text-anchor=\"end\">%.4g</text>",
                       HIGH + FOOT - 3, b->edges[0], WIDE, HIGH + FOOT - 3, b->edges[b->count]);
    for (size_t i = 0; !b->has_edges && b->count <= 8 && i < b->count; i++) {
        tut_buf_printf(out, "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">",
                       step * ((double)i + 0.5), HIGH + FOOT - 3);
        tut_page_text(out, (tut_str){b->labels[i], strnlen(b->labels[i], 12)});
        tut_buf_add_z(out, "</text>");
    }
    tut_buf_add_z(out, "</svg>");
}

static void add_card(tut_buf *out, const tut_drift *d, const tut_drift_feature *f)
{
    tut_buf_printf(out, "<section class=\"card%s\"><h3>",
                   f->drifted || f->is_missing_drifted ? " bad" : "");
    tut_page_z(out, f->name);
    tut_buf_add_z(out, "</h3><p class=\"tag\">");
    tut_page_z(out, f->kind);
    if (f->test[0])
        tut_buf_printf(out, ", %s: effect %.3f, q %.2g", f->test, f->effect, f->q);
    if (!isnan(f->psi))
        tut_buf_printf(out, ", PSI %.3f", f->psi);
    tut_buf_add_z(out, "</p>");
    if (f->bars.count)
        add_bars(out, &f->bars);
    if (f->is_missing_drifted)
        tut_buf_printf(out, "<p>Missing: %.1f %% before, %.1f %% now.</p>",
                       100 * (double)f->missing[0] / (double)(d->rows[0] ? d->rows[0] : 1),
                       100 * (double)f->missing[1] / (double)(d->rows[1] ? d->rows[1] : 1));
    if (f->note[0]) {
        tut_buf_add_z(out, "<p>");
        tut_page_z(out, f->note);
        tut_buf_add_z(out, ".</p>");
    }
    tut_buf_add_z(out, "</section>\n");
}

static void add_row(tut_buf *out, const tut_drift_feature *f)
{
    tut_buf_add_z(out, "<tr><td>");
    tut_page_z(out, f->name);
    tut_buf_add_z(out, "</td><td>");
    tut_page_z(out, f->kind);
    tut_buf_add_z(out, "</td><td>");
    tut_page_z(out, f->test[0] ? f->test : f->note);
    tut_buf_add_z(out, "</td>");
    tut_page_number(out, f->effect);
    tut_page_number(out, f->q);
    tut_page_number(out, f->psi);
    tut_page_number(out, f->wasserstein);
    tut_page_number(out, f->detectable);
    tut_buf_printf(out, "<td class=\"n\">%llu</td><td class=\"n\">%llu</td><td>%s</td></tr>\n",
                   (unsigned long long)f->missing[0], (unsigned long long)f->missing[1],
                   f->drifted              ? "<span class=\"badge\">drifted</span>"
                   : f->is_missing_drifted ? "<span class=\"badge\">missing</span>"
                                           : "");
}

static void add_joint(tut_buf *out, const tut_drift *d)
{
    if (!d->joint.is_there)
        return;
    tut_buf_printf(out,
                   "<h2>All features together</h2><p>%zu features, %zu and %zu rows. Maximum mean "
                   "discrepancy: p %.3g. A classifier tells the two sides apart with AUC %.3f "
                   "(95 %%: %.3f to %.3f)%s.</p>\n",
                   d->joint.features, d->joint.points[0], d->joint.points[1], d->joint.mmd.p,
                   d->joint.classifier.auc, d->joint.classifier.low, d->joint.classifier.high,
                   d->joint.drifted ? ": <span class=\"badge\">drifted</span>" : "");
}

static void add_performance(tut_buf *out, const tut_drift_performance *f)
{
    if (!f->is_there && !f->note[0])
        return;
    tut_buf_add_z(out, "<h2>Performance</h2><p>");
    tut_page_z(out, f->note);
    if (f->is_there) {
        tut_buf_printf(out,
                       "Accuracy on the reference %.3f; now %.3f by estimate from calibrated "
                       "probabilities (95 %%: %.3f to %.3f)",
                       f->accuracy[0], f->accuracy[1], f->accuracy_low, f->accuracy_high);
        if (f->has_current)
            tut_buf_printf(out, ", %.3f by the labels there are", f->realised_accuracy);
        tut_buf_printf(out, ". AUC %.3f, now %.3f by estimate%s.", f->auc[0], f->auc[1],
                       f->drifted ? ": <span class=\"badge\">worse</span>" : "");
    }
    tut_buf_add_z(out, "</p>\n");
}

static void add_top(tut_buf *out, const tut_drift *d, const char *const names[TUT_SIDES])
{
    tut_buf_add_z(out, "<h1>Drift</h1><p class=\"lead\">");
    if (!d->is_enough)
        tut_page_z(out, d->why);
    else
        tut_buf_printf(out, "%zu of %zu features drifted", d->drifted, d->count);
    tut_buf_add_z(out, ".</p><p><span class=\"key then\"></span>");
    tut_page_z(out, names[0]);
    tut_buf_printf(out, " (%llu rows) <span class=\"key now\"></span>",
                   (unsigned long long)d->rows[0]);
    tut_page_z(out, names[1]);
    tut_buf_printf(out,
                   " (%llu rows)</p><p>Drifted means: q at most %g (Benjamini-Hochberg over all "
                   "tests) and an effect of at least %g.</p>\n",
                   (unsigned long long)d->rows[1], d->alpha, d->effect);
    for (unsigned side = 0; side < TUT_SIDES; side++)
        if (d->kept[side] < d->rows[side])
            tut_buf_printf(out, "<p>Of %llu %s rows a sample of %llu was compared.</p>",
                           (unsigned long long)d->rows[side], side ? "current" : "reference",
                           (unsigned long long)d->kept[side]);
}

tut_status tut_drift_html(const tut_drift *d, const char *const names[TUT_SIDES], tut_buf *out,
                          tut_error *err)
{
    size_t shown = 0;
    tut_page_begin(out, "Drift");
    add_top(out, d, names);
    add_performance(out, &d->performance);
    add_joint(out, d);
    for (unsigned pass = 0; pass < 2; pass++) {
        tut_buf_add_z(out, pass ? "<h2>Not drifted</h2><div class=\"cards\">"
                                : "<h2>Drifted</h2><div class=\"cards\">");
        for (size_t i = 0; i < d->count && shown < SHOWN; i++) {
            const tut_drift_feature *f = &d->features[i];
            bool is_bad = f->drifted || f->is_missing_drifted;
            if (is_bad != (pass == 0) || (pass == 1 && f->bars.count == 0))
                continue;
            add_card(out, d, f);
            shown++;
        }
        tut_buf_add_z(out, "</div>\n");
    }
    tut_buf_add_z(out, "<h2>Every feature</h2><div class=\"scroll\"><table><tr><th>Feature</th>"
                       "<th>Kind</th><th>Test</th><th class=\"n\">Effect</th><th class=\"n\">q</th>"
                       "<th class=\"n\">PSI</th><th class=\"n\">W1</th><th class=\"n\">Detectable"
                       "</th><th class=\"n\">Missing then</th><th class=\"n\">now</th><th></th>"
                       "</tr>\n");
    for (size_t i = 0; i < d->count; i++)
        add_row(out, &d->features[i]);
    tut_buf_add_z(out, "</table></div>");
    tut_page_end(out);
    return tut_buf_check(out, err);
}
