/* The dial: 72 marks of equal angle in clause order, long for shall, short for should. */
#include <math.h>

#include "assess/html.h"

void tut_html_dial(tut_buf *out, const tut_assessment *a);

#define PI 3.14159265358979323846
#define INNER 92.0
#define LONG 156.0
#define SHORT 130.0

typedef struct mark {
    double from, to; /* radians, clockwise from the top */
} mark;

static double px(double angle, double radius)
{
    return sin(angle) * radius;
}

static double py(double angle, double radius)
{
    return -cos(angle) * radius;
}

/* A piece of a ring as a path. */
static void add_ring(tut_buf *out, mark m, double inner, double outer, const char *paint)
{
    tut_buf_printf(out,
                   "<path d=\"M%.1f %.1fL%.1f %.1fA%.0f %.0f 0 0 1 %.1f %.1fL%.1f %.1fA%.0f %.0f 0 "
                   "0 0 %.1f %.1fz\" %s/>",
                   px(m.from, inner), py(m.from, inner), px(m.from, outer), py(m.from, outer),
                   outer, outer, px(m.to, outer), py(m.to, outer), px(m.to, inner), py(m.to, inner),
                   inner, inner, px(m.from, inner), py(m.from, inner), paint);
}

static void add_mark(tut_buf *out, const tut_control *c, mark m)
{
    double outer = c->clause->modality == TUT_SHALL ? LONG : SHORT;
    tut_buf_add_z(out, "<g><title>");
    tut_html_text(out, c->clause->id);
    tut_buf_printf(out, " %s</title>", tut_control_verdict_label(c->verdict));
    double mid = (m.from + m.to) / 2;
    switch (c->verdict) {
    case TUT_CONTROL_MET:
        add_ring(out, m, INNER, outer, "fill=\"var(--met)\"");
        break;
    case TUT_CONTROL_PARTLY:
        add_ring(out, m, INNER, outer,
                 "fill=\"var(--card)\" stroke=\"var(--part-ink)\" stroke-width=\".8\"");
        add_ring(out, m, INNER, (INNER + outer) / 2,
                 "fill=\"var(--part)\" stroke=\"var(--part-ink)\" stroke-width=\".8\"");
        break;
    case TUT_CONTROL_NOT_MET:
        add_ring(out, m, INNER, outer, "fill=\"var(--fail)\"");
        tut_buf_printf(out, "<path d=\"M%.1f %.1fL%.1f %.1fL%.1f %.1fz\" fill=\"var(--fail)\"/>",
                       px(mid, outer + 3), py(mid, outer + 3), px(mid - 0.03, outer + 12),
                       py(mid - 0.03, outer + 12), px(mid + 0.03, outer + 12),
                       py(mid + 0.03, outer + 12));
        break;
    case TUT_CONTROL_NOT_CHECKED:
        add_ring(out, m, INNER, outer,
                 "fill=\"url(#ht)\" stroke=\"var(--unk)\" stroke-width=\".8\"");
        break;
    case TUT_CONTROL_NOT_APPLICABLE:
    case TUT_CONTROL_VERDICT_COUNT:
        add_ring(out, m, INNER, outer, "fill=\"none\" stroke=\"var(--na)\" stroke-width=\".8\"");
        break;
    }
    tut_buf_add_z(out, "</g>");
}

/* Short names that fit around the dial, by principle of the standard. */
static const char *const short_names[TUT_PRINCIPLES] = {
    "Awareness",      "Secure design", "Threats and risks", "Human oversight", "Assets",
    "Infrastructure", "Supply chain",  "Documentation",     "Testing",         "End users",
    "Updates",        "Monitoring",    "End of life"};

static void add_group(tut_buf *out, const tut_assessment *a, unsigned principle, mark m)
{
    tut_buf_printf(out,
                   "<path d=\"M%.1f %.1fA85 85 0 0 1 %.1f %.1f\" fill=\"none\" "
                   "stroke=\"var(--ink2)\" stroke-width=\"1.4\"/>",
                   px(m.from, 85), py(m.from, 85), px(m.to, 85), py(m.to, 85));
    size_t counts[TUT_CONTROL_VERDICT_COUNT];
    tut_html_tally(a, tut_html_is_principle, principle, counts);
    size_t total = 0;
    for (int v = 0; v < TUT_CONTROL_VERDICT_COUNT; v++)
        total += counts[v];
    double mid = (m.from + m.to) / 2;
    const char *anchor = fabs(sin(mid)) < 0.2 ? "middle" : sin(mid) > 0 ? "start" : "end";
    tut_buf_printf(out,
                   "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">%s <tspan "
                   "class=\"dg\">%zu/%zu</tspan></text>",
                   px(mid, 176), py(mid, 176) + 4, anchor, short_names[principle - 1],
                   counts[TUT_CONTROL_MET], total - counts[TUT_CONTROL_NOT_APPLICABLE]);
}

void tut_html_dial(tut_buf *out, const tut_assessment *a)
{
    const double gap = 0.022;
    const double step = (2 * PI - TUT_PRINCIPLES * gap) / TUT_CLAUSE_COUNT;
    tut_buf_add_z(out, "<svg class=\"dial\" viewBox=\"-300 -212 600 424\" role=\"img\" "
                       "aria-label=\"The 72 provisions in "
                       "order of clause: ");
    tut_html_counts(out, a->counts);
    tut_buf_add_z(out,
                  ". Long marks are duties (shall), short marks recommendations (should).\">\n");
    double at = 0;
    tut_buf_add_z(out, "<g class=\"dl\">");
    for (unsigned p = 1, i = 0; p <= TUT_PRINCIPLES; p++) {
        double from = at;
        for (; i < TUT_CLAUSE_COUNT && a->controls[i].clause->principle == p; i++)
            at += step;
        add_group(out, a, p, (mark){from + 0.012, at - 0.012});
        at += gap;
    }
    tut_buf_add_z(out, "</g>\n");
    at = 0;
    for (size_t i = 0; i < TUT_CLAUSE_COUNT; i++) {
        if (i > 0 && a->controls[i].clause->principle != a->controls[i - 1].clause->principle)
            at += gap;
        add_mark(out, &a->controls[i], (mark){at + 0.012, at + step - 0.012});
        at += step;
    }
    size_t applicable = TUT_CLAUSE_COUNT - a->counts[TUT_CONTROL_NOT_APPLICABLE];
    tut_buf_printf(out,
                   "\n<text class=\"dn\" text-anchor=\"middle\" y=\"12\">%zu</text><text "
                   "class=\"dm\" text-anchor=\"middle\" "
                   "y=\"34\">of %zu applicable</text><text class=\"dm\" text-anchor=\"middle\" "
                   "y=\"50\">provisions met</text>"
                   "</svg>",
                   a->counts[TUT_CONTROL_MET], applicable);
}
