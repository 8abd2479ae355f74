/* The same 72 verdicts seen five ways: principle, phase, role, threat, quality attribute. */
#include "assess/html.h"

static void add_heading(tut_buf *out, const char *id, unsigned number, const char *title)
{
    tut_buf_printf(out,
                   "<section class=\"wide\" id=\"%s\" aria-labelledby=\"h-%s\"><div "
                   "class=\"hd\"><div><span class=\"no\">%u"
                   "</span><h2 id=\"h-%s\">%s</h2></div>",
                   id, id, number, id, title);
}

static void add_count_cell(tut_buf *out, size_t n)
{
    if (n)
        tut_buf_printf(out, "<td class=\"c\">%zu</td>", n);
    else
        tut_buf_add_z(out, "<td class=\"c z\">\xe2\x80\x93</td>");
}

static void add_count_heads(tut_buf *out)
{
    static const char *const words[] = {"met", "partly", "not met", "unchecked", "n/a"};
    for (int v = 0; v < TUT_CONTROL_VERDICT_COUNT; v++) {
        tut_buf_add_z(out, "<th scope=\"col\" class=\"c\">");
        tut_html_glyph(out, (tut_control_verdict)v);
        tut_buf_printf(out, "<span class=\"t\">%s</span></th>", words[v]);
    }
}

static void add_block_row(tut_buf *out, const tut_assessment *a, const char *key, const char *name,
                          tut_html_pick pick, uint32_t value)
{
    size_t counts[TUT_CONTROL_VERDICT_COUNT];
    tut_html_tally(a, pick, value, counts);
    tut_buf_printf(
        out, "<tr><td class=\"k\">%s</td><th scope=\"row\" class=\"nm\">%s</th><td class=\"br\">",
        key, name);
    tut_html_blocks(out, a, pick, value);
    tut_buf_add_z(out, "</td>");
    for (int v = 0; v < TUT_CONTROL_VERDICT_COUNT; v++)
        add_count_cell(out, counts[v]);
    tut_buf_add_z(out, "</tr>\n");
}

static void open_block_table(tut_buf *out, const char *what)
{
    tut_buf_printf(out,
                   "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"%s\"><table "
                   "class=\"pr\"><thead><tr>"
                   "<th scope=\"col\" class=\"k\"><span class=\"vh\">Number</span></th><th "
                   "scope=\"col\" class=\"nm\">%s</th>"
                   "<th scope=\"col\" class=\"br\">Provisions</th>",
                   what, what);
    add_count_heads(out);
    tut_buf_add_z(out, "</tr></thead><tbody>\n");
}

static void close_block_table(tut_buf *out, const tut_assessment *a)
{
    tut_buf_add_z(out, "</tbody><tfoot><tr><td class=\"k\"></td><th scope=\"row\" class=\"nm\">All "
                       "72</th><td class=\"br\"></td>");
    for (int v = 0; v < TUT_CONTROL_VERDICT_COUNT; v++)
        add_count_cell(out, a->counts[v]);
    tut_buf_add_z(out, "</tr></tfoot></table></div>\n");
}

static bool is_phase(const tut_clause *clause, uint32_t phase)
{
    return (uint32_t)clause->phase == phase;
}

void tut_html_principles(tut_buf *out, const tut_assessment *a)
{
    static const char *const phases[TUT_PHASE_COUNT] = {"Secure design", "Secure development",
                                                        "Secure deployment", "Secure maintenance",
                                                        "Secure end of life"};
    add_heading(out, "principles", 1, "Thirteen principles");
    tut_buf_add_z(
        out,
        "<p>One block is one provision. Tall blocks are duties (<em>shall</em>), short ones "
        "recommendations "
        "(<em>should</em>). The order is always the same: met, partly, not met, not checked, not "
        "applicable.</p></div><div class=\"bd\">\n");
    open_block_table(out, "Principle");
    for (uint32_t p = 1; p <= TUT_PRINCIPLES; p++) {
        char key[8];
        tut_str_copy(key, sizeof(key), TUT_LIT("P"));
        key[1] = p < 10 ? (char)('0' + p) : '1';
        key[2] = p < 10 ? '\0' : (char)('0' + p - 10);
        key[3] = '\0';
        add_block_row(out, a, key, tut_seed_titles[p - 1], tut_html_is_seed, p);
    }
    close_block_table(out, a);
    tut_buf_add_z(out, "<div class=\"mh\"><h3>By phase of the life cycle</h3></div>\n");
    open_block_table(out, "Phase");
    for (uint32_t phase = 0; phase < TUT_PHASE_COUNT; phase++)
        add_block_row(out, a, "", phases[phase], is_phase, phase);
    close_block_table(out, a);
    tut_buf_add_z(out, "</div></section>\n");
}

/* --- matrices: rows of a view against P1 to P13 --- */

typedef struct row_key {
    tut_html_pick pick;
    uint32_t value;
    uint32_t seed; /* 0: all */
} row_key;

static bool in_role(const tut_clause *c, uint32_t bits)
{
    return ((c->roles | c->serves) & bits) != 0;
}

static bool in_threat(const tut_clause *c, uint32_t bits)
{
    return (c->threats & bits) != 0;
}

static bool in_attribute(const tut_clause *c, uint32_t bits)
{
    return (c->attributes & bits) != 0;
}

static void tally_cell(const tut_assessment *a, row_key key,
                       size_t counts[TUT_CONTROL_VERDICT_COUNT])
{
    memset(counts, 0, TUT_CONTROL_VERDICT_COUNT * sizeof(*counts));
    for (size_t i = 0; i < TUT_CLAUSE_COUNT; i++) {
        const tut_clause *c = a->controls[i].clause;
        if (key.pick(c, key.value) && (!key.seed || c->seed == key.seed))
            counts[a->controls[i].verdict]++;
    }
}

static tut_control_verdict worst(const size_t counts[TUT_CONTROL_VERDICT_COUNT])
{
    static const tut_control_verdict order[] = {TUT_CONTROL_NOT_MET, TUT_CONTROL_NOT_CHECKED,
                                                TUT_CONTROL_PARTLY, TUT_CONTROL_MET};
    for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++)
        if (counts[order[i]])
            return order[i];
    return TUT_CONTROL_NOT_APPLICABLE;
}

static size_t total_of(const size_t counts[TUT_CONTROL_VERDICT_COUNT])
{
    size_t total = 0;
    for (int v = 0; v < TUT_CONTROL_VERDICT_COUNT; v++)
        total += counts[v];
    return total;
}

static void add_cell(tut_buf *out, const tut_assessment *a, row_key key)
{
    size_t counts[TUT_CONTROL_VERDICT_COUNT];
    tally_cell(a, key, counts);
    size_t total = total_of(counts);
    if (total == 0) {
        tut_buf_add_z(out, "<td class=\"e\"><span class=\"vh\">none</span></td>");
        return;
    }
    tut_control_verdict v = worst(counts);
    tut_buf_printf(out, "<td class=\"x %s\" title=\"", tut_html_letter(v));
    tut_html_counts(out, counts);
    tut_buf_add_z(out, "\">");
    tut_html_glyph(out, v);
    if (v == TUT_CONTROL_NOT_APPLICABLE)
        tut_buf_add_z(out, "<span><i>n/a</i></span></td>");
    else
        tut_buf_printf(out, "<span>%zu<i>/%zu</i></span></td>", counts[TUT_CONTROL_MET],
                       total - counts[TUT_CONTROL_NOT_APPLICABLE]);
}

static void add_total(tut_buf *out, const tut_assessment *a, row_key key)
{
    static const char *const paint[] = {
        "fill=\"var(--met)\"",
        "fill=\"var(--part)\" stroke=\"var(--part-ink)\" stroke-width=\".6\"",
        "fill=\"var(--fail)\"", "fill=\"url(#ht)\"",
        "fill=\"none\" stroke=\"var(--na)\" stroke-width=\".6\""};
    size_t counts[TUT_CONTROL_VERDICT_COUNT];
    tally_cell(a, key, counts);
    size_t total = total_of(counts);
    tut_buf_add_z(out,
                  "<td class=\"tt\"><svg width=\"112\" height=\"9\" role=\"img\" aria-label=\"");
    tut_html_counts(out, counts);
    tut_buf_add_z(out, "\">");
    double x = 0;
    for (int v = 0; v < TUT_CONTROL_VERDICT_COUNT && total; v++) {
        double width = 112.0 * (double)counts[v] / (double)total;
        if (counts[v])
            tut_buf_printf(out, "<rect x=\"%.1f\" y=\"0\" width=\"%.1f\" height=\"9\" %s/>", x,
                           width, paint[v]);
        x += width;
    }
    tut_buf_printf(out, "</svg><span>%zu / %zu</span></td>", counts[TUT_CONTROL_MET],
                   total - counts[TUT_CONTROL_NOT_APPLICABLE]);
}

static void open_matrix(tut_buf *out, const char *title, const char *note, const char *what)
{
    static const char *const heads[TUT_PRINCIPLES] = {
        "Training", "By design",    "Audit trails", "Threats", "Inventory",  "Versions", "Recovery",
        "Inputs",   "Supply chain", "Users",        "Updates", "Monitoring", "Disposal"};
    tut_buf_printf(
        out,
        "<div class=\"mh\"><h3>%s</h3><p>%s</p></div>\n<div class=\"scroll\" tabindex=\"0\" "
        "role=\"region\" "
        "aria-label=\"%s\"><table class=\"mx\"><thead><tr><th scope=\"col\" class=\"rh\">%s</th>",
        title, note, title, what);
    for (int p = 0; p < TUT_PRINCIPLES; p++)
        tut_buf_printf(out, "<th scope=\"col\"><b>P%d</b><span>%s</span></th>", p + 1, heads[p]);
    tut_buf_add_z(out, "<th scope=\"col\" class=\"tt\">All<span>met / "
                       "applicable</span></th></tr></thead><tbody>\n");
}

static void add_matrix_row(tut_buf *out, const tut_assessment *a, const char *name,
                           const char *note, tut_html_pick pick, uint32_t value)
{
    tut_buf_printf(out, "<tr><th scope=\"row\" class=\"rh\">%s<span>", name);
    tut_html_z(out, note);
    tut_buf_add_z(out, "</span></th>");
    for (uint32_t p = 1; p <= TUT_PRINCIPLES; p++)
        add_cell(out, a, (row_key){pick, value, p});
    add_total(out, a, (row_key){pick, value, 0});
    tut_buf_add_z(out, "</tr>\n");
}

static void add_roles(tut_buf *out, const tut_assessment *a)
{
    static const char *const notes[TUT_ROLE_COUNT] = {
        "carries duties", "carries duties", "carries duties", "one duty; served by the rest",
        "served, carries no duty"};
    open_matrix(out, "By role", "Who carries a provision or is served by it.", "Role");
    for (int r = 0; r < TUT_ROLE_COUNT; r++)
        add_matrix_row(out, a, tut_role_names[r], notes[r], in_role, 1u << r);
    tut_buf_add_z(out, "</tbody></table></div>\n");
}

static void add_threats(tut_buf *out, const tut_assessment *a)
{
    static const char *const names[TUT_THREAT_COUNT] = {
        "Data poisoning",       "Model inversion",
        "Membership inference", "Indirect prompt injection",
        "Model obfuscation",    "Adversarial examples"};
    open_matrix(out, "By threat", "Provisions that work against each threat.", "Threat");
    for (int t = 0; t < TUT_THREAT_COUNT; t++)
        add_matrix_row(out, a, names[t], "", in_threat, 1u << t);
    tut_buf_add_z(out, "</tbody></table></div>\n");
}

/* What can be said in figures today; every other attribute says that it is not measured yet. */
static void attribute_figure(const tut_assessment *a, int attribute, char *text, size_t cap)
{
    TUT_CLEAN(tut_buf) out = TUT_BUF_INIT;
    if (attribute == 0) {
        size_t shall = 0, met = 0;
        for (size_t i = 0; i < TUT_CLAUSE_COUNT; i++) {
            bool counts = a->controls[i].clause->modality == TUT_SHALL &&
                          a->controls[i].verdict != TUT_CONTROL_NOT_APPLICABLE;
            shall += counts;
            met += counts && a->controls[i].verdict == TUT_CONTROL_MET;
        }
        tut_buf_printf(&out, "%zu of %zu duties met", met, shall);
    } else if (attribute == 2 && a->asset_count) {
        size_t same = 0;
        for (size_t i = 0; i < a->asset_count; i++)
            same += strcmp(a->assets[i].state, "declared") == 0;
        tut_buf_printf(&out, "%zu of %zu assets as accepted", same, a->asset_count);
    } else {
        tut_buf_add_z(&out, "not measured yet");
    }
    tut_str_copy(text, cap, tut_buf_str(&out));
}

static void add_attributes(tut_buf *out, const tut_assessment *a)
{
    open_matrix(out, "By quality attribute", "With the figure measured for it.", "Attribute");
    for (int q = 0; q < TUT_ATTRIBUTE_COUNT; q++) {
        char name[32], figure[64];
        tut_str_copy(name, sizeof(name), tut_str_of(tut_attribute_names[q]));
        if (name[0] >= 'a' && name[0] <= 'z')
            name[0] = (char)(name[0] - 'a' + 'A');
        attribute_figure(a, q, figure, sizeof(figure));
        add_matrix_row(out, a, name, figure, in_attribute, 1u << q);
    }
    tut_buf_add_z(out, "</tbody></table></div>\n");
}

void tut_html_views(tut_buf *out, const tut_assessment *a)
{
    add_heading(out, "views", 2, "Three views");
    tut_buf_add_z(out, "<p>Each cell shows its worst verdict and how many applicable provisions "
                       "are met. A provision counts in "
                       "every row that it serves, so rows do not add up to 72. A small dot: no "
                       "provision.</p></div>\n");
    add_roles(out, a);
    add_threats(out, a);
    add_attributes(out, a);
    tut_buf_add_z(out, "</section>\n");
}
