/* Glyphs and blocks, drawn once and used by reference. Meaning never rests on colour: each verdict
 * has a shape of its own. */
#include "assess/html.h"

static const char symbols[] =
    "<svg width=\"0\" height=\"0\" style=\"position:absolute\" aria-hidden=\"true\"><defs>"
    "<pattern id=\"ht\" width=\"4\" height=\"4\" patternUnits=\"userSpaceOnUse\" "
    "patternTransform=\"rotate(45)\">"
    "<rect width=\"4\" height=\"4\" fill=\"var(--card)\"/>"
    "<path d=\"M0 0V4\" stroke=\"var(--unk)\" stroke-width=\"2\"/></pattern>\n"
    /* met: a disc with a tick */
    "<symbol id=\"g-m\" viewBox=\"0 0 14 14\"><circle cx=\"7\" cy=\"7\" r=\"6.4\" "
    "fill=\"var(--met)\"/>"
    "<path d=\"M4 7.3 6.2 9.5 10.2 4.9\" fill=\"none\" stroke=\"var(--on)\" "
    "stroke-width=\"1.6\"/></symbol>\n"
    /* partly: a half disc */
    "<symbol id=\"g-p\" viewBox=\"0 0 14 14\"><circle cx=\"7\" cy=\"7\" r=\"5.7\" "
    "fill=\"var(--card)\" "
    "stroke=\"var(--part-ink)\" stroke-width=\"1.3\"/><path d=\"M7 1.3a5.7 5.7 0 0 0 0 11.4z\" "
    "fill=\"var(--part)\" "
    "stroke=\"var(--part-ink)\" stroke-width=\"1.3\"/></symbol>\n"
    /* not met: a diamond with a cross */
    "<symbol id=\"g-n\" viewBox=\"0 0 14 14\"><path d=\"M7 0 14 7 7 14 0 7z\" "
    "fill=\"var(--fail)\"/>"
    "<path d=\"M4.9 4.9 9.1 9.1M9.1 4.9 4.9 9.1\" stroke=\"var(--on)\" "
    "stroke-width=\"1.5\"/></symbol>\n"
    /* not checked: a dashed ring with a dot */
    "<symbol id=\"g-u\" viewBox=\"0 0 14 14\"><circle cx=\"7\" cy=\"7\" r=\"5.7\" fill=\"none\" "
    "stroke=\"var(--unk)\" "
    "stroke-width=\"1.4\" stroke-dasharray=\"2.6 1.88\"/><circle cx=\"7\" cy=\"7\" r=\"1.3\" "
    "fill=\"var(--unk)\"/>"
    "</symbol>\n"
    /* not applicable: a thin ring with a dash */
    "<symbol id=\"g-a\" viewBox=\"0 0 14 14\"><circle cx=\"7\" cy=\"7\" r=\"5.9\" fill=\"none\" "
    "stroke=\"var(--na)\"/>"
    "<path d=\"M4.4 7H9.6\" stroke=\"var(--na)\" stroke-width=\"1.2\"/></symbol>\n";

static void open_block(tut_buf *out, char prefix, char letter)
{
    tut_buf_printf(out, "<symbol id=\"%c-%c\" viewBox=\"0 0 16 20\">", prefix, letter);
}

/* b-: a tall block (shall), s-: a short one (should); top is where it begins. */
static void add_block(tut_buf *out, char prefix, int top)
{
    int mid = (top + 20) / 2;
    open_block(out, prefix, 'm');
    tut_buf_printf(out, "<path d=\"M0 %dh16V20H0z\" fill=\"var(--met)\"/></symbol>", top);
    open_block(out, prefix, 'p');
    tut_buf_printf(
        out,
        "<path d=\"M.5 %d.5h15V19.5H.5z\" fill=\"var(--card)\" stroke=\"var(--part-ink)\"/>"
        "<path d=\"M.5 19.5h15V%d.5z\" fill=\"var(--part)\" stroke=\"var(--part-ink)\"/></symbol>",
        top, top);
    open_block(out, prefix, 'n');
    tut_buf_printf(
        out,
        "<path d=\"M0 %dh16V20H0z\" fill=\"var(--fail)\"/><path d=\"M5 %dl6 6M11 %dl-6 6\" "
        "stroke=\"var(--on)\" stroke-width=\"1.5\"/></symbol>",
        top, mid - 3, mid - 3);
    open_block(out, prefix, 'u');
    tut_buf_printf(
        out, "<path d=\"M.5 %d.5h15V19.5H.5z\" fill=\"url(#ht)\" stroke=\"var(--unk)\"/></symbol>",
        top);
    open_block(out, prefix, 'a');
    tut_buf_printf(
        out,
        "<path d=\"M.5 %d.5h15V19.5H.5z\" fill=\"none\" stroke=\"var(--na)\"/><path d=\"M5 %dh6\" "
        "stroke=\"var(--na)\"/></symbol>\n",
        top, mid);
}

/* v-0 to v-4: four rising bars, as many filled as the severity is high. */
static void add_severity(tut_buf *out, int severity)
{
    tut_buf_printf(out, "<symbol id=\"v-%d\" viewBox=\"0 0 15 12\">", severity);
    for (int bar = 0; bar < 4; bar++) {
        const char *fill = severity >= 3   ? "var(--fail)"
                           : severity == 2 ? "var(--part-ink)"
                                           : "var(--ink3)";
        bool is_full = bar < severity;
        tut_buf_printf(out, "<path d=\"M%d.5 %d.5h2V11.5h-2z\" fill=\"%s\" stroke=\"%s\"/>",
                       bar * 4, 8 - bar * 2 - 1, is_full ? fill : "none",
                       is_full ? fill : "var(--line2)");
    }
    tut_buf_add_z(out, "</symbol>\n");
}

void tut_html_symbols(tut_buf *out)
{
    tut_buf_add_z(out, symbols);
    add_block(out, 'b', 0);
    add_block(out, 's', 8);
    for (int severity = 0; severity < TUT_SEVERITY_COUNT; severity++)
        add_severity(out, severity);
    tut_buf_add_z(out, "</defs></svg>\n");
}
