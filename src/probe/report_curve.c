#include "probe/report_curve.h"

#include <math.h>

#include "base/page.h"

enum { WIDE = 480, HIGH = 240, LEFT = 56, FOOT = 34, TOP = 8 };

typedef struct axes {
    bool is_log;
    double x0, x1, y0, y1;
} axes;

static double scaled(bool is_log, double v, double low, double high)
{
    if (is_log) {
        v = log10(fmax(v, low));
        low = log10(low);
        high = log10(high);
    }
    return high > low ? fmin(1, fmax(0, (v - low) / (high - low))) : 0;
}

static double x_at(const axes *a, double v)
{
    return LEFT + scaled(a->is_log, v, a->x0, a->x1) * (WIDE - LEFT - 8);
}

static double y_at(const axes *a, double v)
{
    return TOP + (1 - scaled(a->is_log, v, a->y0, a->y1)) * (HIGH - TOP - FOOT);
}

static void stretch(axes *a, const tut_curve *c)
{
    for (size_t i = 0; i < c->count; i++) {
        if (a->is_log && (c->xs[i] <= 0 || c->ys[i] <= 0))
            continue;
        a->x0 = fmin(a->x0, c->xs[i]);
        a->x1 = fmax(a->x1, c->xs[i]);
        a->y0 = fmin(a->y0, c->ys[i]);
        a->y1 = fmax(a->y1, c->ys[i]);
    }
}

static void add_line(tut_buf *out, const axes *a, const tut_curve *c, bool is_guarded)
{
    tut_buf_printf(out, "<polyline class=\"line%s\" points=\"", is_guarded ? " dash" : "");
    for (size_t i = 0; i < c->count; i++)
        if (isfinite(c->xs[i]) && isfinite(c->ys[i]))
            tut_buf_printf(out, "%.1f,%.1f ", x_at(a, c->xs[i]), y_at(a, c->ys[i]));
    tut_buf_add_z(out, "\"/>");
}

static void add_labels(tut_buf *out, const axes *a, const tut_curve *c)
{
    tut_buf_printf(out,
                   "<line class=\"axis\" x1=\"%d\" x2=\"%d\" y1=\"%d\" y2=\"%d\"/>"
                   "<line class=\"axis\" x1=\"%d\" x2=\"%d\" y1=\"%d\" y2=\"%d\"/>",
                   LEFT, WIDE - 8, HIGH - FOOT, HIGH - FOOT, LEFT, LEFT, TOP, HIGH - FOOT);
    tut_buf_printf(out,
                   "<text x=\"%d\" y=\"%d\">%.4g</text><text x=\"%d\" y=\"%d\" "
                   "text-anchor=\"end\">%.4g</text>",
                   LEFT, HIGH - FOOT + 13, a->x0, WIDE - 8, HIGH - FOOT + 13, a->x1);
    tut_buf_printf(out,
                   "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">%.4g</text>"
                   "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">%.4g</text>",
                   LEFT - 4, HIGH - FOOT, a->y0, LEFT - 4, TOP + 9, a->y1);
    tut_buf_printf(out, "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">", (LEFT + WIDE) / 2,
                   HIGH - 5);
    tut_page_z(out, c->x);
    tut_buf_add_z(out, "</text>");
}

static bool find_axes(const tut_curve *straight, const tut_curve *guarded, axes *a)
{
    *a = (axes){(straight ? straight : guarded)->is_logarithmic, INFINITY, -INFINITY, INFINITY,
                -INFINITY};
    if (straight)
        stretch(a, straight);
    if (guarded)
        stretch(a, guarded);
    if (!(a->x1 > a->x0))
        return false;
    if (!a->is_log && a->y0 >= 0 && a->y1 <= 1) { /* shares */
        a->y0 = 0;
        a->y1 = 1;
    }
    if (!(a->y1 > a->y0))
        a->y1 = a->y0 + (a->is_log ? a->y0 : 1);
    return true;
}

/* What a picture that stands by itself has to say of its looks. */
static const char style[] =
    "<style>text{font:11px sans-serif;fill:#646973}.axis{stroke:#dedacf}.line{fill:none;stroke:"
    "#2a6592;stroke-width:1.5}.line.dash{stroke:#dd9f2f;stroke-dasharray:5 3}"
    "@media(prefers-color-scheme:dark){text{fill:#979790}.axis{stroke:#30343b}.line{stroke:"
    "#5f9fce}}</style>";

bool tut_curve_draw(const tut_curve *straight, const tut_curve *guarded, bool is_alone,
                    tut_buf *out)
{
    const tut_curve *c = straight ? straight : guarded;
    axes a;
    if (!c || !find_axes(straight, guarded, &a))
        return false;
    tut_buf_printf(out, "<svg %sviewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"",
                   is_alone ? "xmlns=\"http://www.w3.org/2000/svg\" " : "", WIDE, HIGH);
    tut_page_z(out, c->y);
    tut_buf_add_z(out, " by ");
    tut_page_z(out, c->x);
    tut_buf_add_z(out, "\">");
    if (is_alone)
        tut_buf_add_z(out, style);
    add_labels(out, &a, c);
    if (a.is_log) { /* what guessing gets */
        double low = fmax(a.x0, a.y0), high = fmin(a.x1, a.y1);
        tut_buf_printf(out,
                       "<line class=\"axis\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>",
                       x_at(&a, low), y_at(&a, low), x_at(&a, high), y_at(&a, high));
    }
    if (straight)
        add_line(out, &a, straight, false);
    if (guarded)
        add_line(out, &a, guarded, straight != NULL);
    tut_buf_add_z(out, "</svg>\n");
    return true;
}
