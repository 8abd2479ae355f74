/* The page of a probe: the verdict, each attack with its curves, what is exposed, what was spent.
 */
#include <math.h>
#include <string.h>

#include "base/page.h"
#include "base/time.h"
#include "probe/report_curve.h"
#include "probe/run.h"

/* --- curves --- */

static const tut_curve *same_curve(const tut_attack_result *r, const char *name)
{
    for (size_t i = 0; r && i < r->curve_count; i++)
        if (strcmp(r->curves[i].name, name) == 0)
            return &r->curves[i];
    return NULL;
}

/* The same curve measured straight and through the guard lies in one picture. */
static void add_curve(tut_buf *out, const char *attack, const tut_curve *straight,
                      const tut_curve *guarded)
{
    const tut_curve *c = straight ? straight : guarded;
    TUT_CLEAN(tut_buf) picture = TUT_BUF_INIT;
    if (!tut_curve_draw(straight, guarded, false, &picture))
        return;
    tut_buf_add_z(out, "<section class=\"card\"><h3>");
    tut_page_z(out, attack);
    tut_buf_add_z(out, ": ");
    tut_page_z(out, c->name);
    tut_buf_add_z(out, "</h3><p class=\"tag\">");
    tut_page_z(out, c->y);
    if (straight && guarded)
        tut_buf_add_z(out, "; line: without the guard, dashes: through it");
    tut_buf_add_z(out, "</p>");
    tut_buf_add(out, picture.data, picture.len);
    tut_buf_add_z(out, "</section>");
}

static void add_curves(tut_buf *out, const tut_probe_run *r, const struct tut_probe_done *d)
{
    const tut_attack_result *straight = &d->ways[TUT_WAY_STRAIGHT];
    const tut_attack_result *guarded = r->is_guarded ? &d->ways[TUT_WAY_GUARDED] : NULL;
    for (size_t i = 0; i < straight->curve_count; i++)
        add_curve(out, d->attack->name, &straight->curves[i],
                  same_curve(guarded, straight->curves[i].name));
    for (size_t i = 0; guarded && i < guarded->curve_count; i++)
        if (!same_curve(straight, guarded->curves[i].name))
            add_curve(out, d->attack->name, NULL, &guarded->curves[i]);
}

/* --- numbers --- */

static void add_measure(tut_buf *out, const tut_measure *m, const tut_attack_result *other)
{
    tut_buf_add_z(out, "<tr><td>");
    tut_page_z(out, m->name);
    tut_buf_add_z(out, "</td>");
    tut_page_number(out, m->value);
    tut_page_number(out, m->low);
    tut_page_number(out, m->high);
    if (other) {
        double v = NAN;
        if (other->metric && strcmp(other->metric, m->name) == 0)
            v = other->decisive.value;
        for (size_t i = 0; i < other->measure_count; i++)
            if (strcmp(other->measures[i].name, m->name) == 0)
                v = other->measures[i].value;
        tut_page_number(out, v);
    }
    tut_buf_add_z(out, "</tr>");
}

static void add_measures(tut_buf *out, const tut_probe_run *r, const struct tut_probe_done *d)
{
    const tut_attack_result *used = &d->ways[r->is_guarded];
    const tut_attack_result *other = r->is_guarded ? &d->ways[TUT_WAY_STRAIGHT] : NULL;
    tut_buf_printf(out,
                   "<div class=\"scroll\"><table><thead><tr><th>measure</th><th "
                   "class=\"n\">value</th><th class=\"n\">from</th><th class=\"n\">to</th>%s"
                   "</tr></thead><tbody>",
                   other ? "<th class=\"n\">without the guard</th>" : "");
    add_measure(out, &used->decisive, other);
    for (size_t i = 0; i < used->measure_count; i++)
        add_measure(out, &used->measures[i], other);
    tut_buf_add_z(out, "</tbody></table></div>");
}

static void add_rows(tut_buf *out, const tut_attack_result *r)
{
    tut_buf_add_z(out, "<p>Most exposed rows (score): ");
    for (size_t i = 0; i < r->exposed_count; i++)
        tut_buf_printf(out, "%s%llu (%.3g)", i ? ", " : "", (unsigned long long)r->exposed[i].row,
                       r->exposed[i].score);
    tut_buf_add_z(out, ".</p>");
}

static void add_exposed(tut_buf *out, const tut_attack_result *r)
{
    if (r->exposed_count == 0)
        return;
    if (!r->exposed[0].text) {
        add_rows(out, r);
        return;
    }
    tut_buf_add_z(out, "<div class=\"scroll\"><table><thead><tr><th class=\"n\">row</th><th "
                       "class=\"n\">score</th><th>what it shows</th></tr></thead><tbody>");
    for (size_t i = 0; i < r->exposed_count; i++) {
        const tut_exposed *e = &r->exposed[i];
        if (e->row == UINT64_MAX)
            tut_buf_add_z(out, "<tr><td class=\"n\">\xe2\x80\x93</td>");
        else
            tut_buf_printf(out, "<tr><td class=\"n\">%llu</td>", (unsigned long long)e->row);
        tut_page_number(out, e->score);
        tut_buf_add_z(out, "<td>");
        tut_page_z(out, e->text ? e->text : "");
        tut_buf_add_z(out, "</td></tr>");
    }
    tut_buf_add_z(out, "</tbody></table></div>");
}

static void add_sentence(tut_buf *out, const char *label, const char *text)
{
    if (!text)
        return;
    tut_buf_printf(out, "<p>%s", label);
    tut_page_z(out, text);
    tut_buf_add_z(out, "</p>");
}

static void add_attack(tut_buf *out, const tut_probe_run *r, const struct tut_probe_done *d)
{
    const tut_attack_result *used = &d->ways[r->is_guarded];
    tut_buf_add_z(out, "<details><summary>");
    tut_page_z(out, d->attack->name);
    tut_buf_printf(out, ": %s</summary>", tut_outcome_name(d->outcome));
    add_sentence(out, "", d->attack->about);
    add_sentence(out, "Source: ", d->attack->source);
    add_sentence(out, "Budget: ", used->budget);
    add_sentence(out, used->metric ? "Remark: " : "Not measured: ", used->reason);
    add_sentence(out, "What it cannot show: ", used->weakness);
    if (d->bound)
        tut_buf_printf(out, "<p>Judged by %s, which is to be at %s %g: %s.</p>", d->bound->metric,
                       d->bound->is_most ? "most" : "least", d->bound->value, d->bound->about);
    if (used->metric)
        add_measures(out, r, d);
    add_exposed(out, used);
    tut_buf_add_z(out, "</details>");
}

/* --- all at a glance --- */

static void add_glance(tut_buf *out, const tut_probe_run *r, const struct tut_probe_done *d)
{
    const tut_attack_result *used = &d->ways[r->is_guarded];
    tut_buf_add_z(out, "<tr><td>");
    tut_page_z(out, d->attack->name);
    tut_buf_add_z(out, "</td><td>");
    tut_page_z(out, used->metric ? used->metric : "");
    tut_buf_add_z(out, "</td>");
    tut_page_number(out, used->metric ? used->decisive.value : NAN);
    tut_page_number(out, used->metric ? used->decisive.low : NAN);
    tut_page_number(out, used->metric ? used->decisive.high : NAN);
    if (r->is_guarded)
        tut_page_number(out, d->ways[0].metric ? d->ways[0].decisive.value : NAN);
    tut_page_number(out, used->metric ? used->baseline : NAN);
    tut_buf_printf(out, "<td class=\"n\">%llu</td><td>%s%s%s</td></tr>",
                   (unsigned long long)used->queries,
                   d->outcome == TUT_OUTCOME_FAIL ? "<span class=\"badge\">" : "",
                   tut_outcome_name(d->outcome), d->outcome == TUT_OUTCOME_FAIL ? "</span>" : "");
}

static void add_overview(tut_buf *out, const tut_probe_run *r)
{
    size_t curves = 0;
    tut_buf_printf(out,
                   "<h2>Attacks</h2><div class=\"scroll\"><table><thead><tr><th>attack</th>"
                   "<th>measure</th><th class=\"n\">value</th><th class=\"n\">from</th>"
                   "<th class=\"n\">to</th>%s<th class=\"n\">baseline</th><th class=\"n\">queries"
                   "</th><th>verdict</th></tr></thead><tbody>",
                   r->is_guarded ? "<th class=\"n\">without the guard</th>" : "");
    for (size_t i = 0; i < r->count; i++)
        add_glance(out, r, &r->attacks[i]);
    tut_buf_add_z(out, "</tbody></table></div>");
    for (size_t i = 0; i < r->count; i++)
        curves += r->attacks[i].ways[0].curve_count + r->attacks[i].ways[1].curve_count;
    if (curves == 0)
        return;
    tut_buf_add_z(out, "<h2>Curves</h2><div class=\"cards\">");
    for (size_t i = 0; i < r->count; i++)
        add_curves(out, r, &r->attacks[i]);
    tut_buf_add_z(out, "</div>");
}

static void add_spent(tut_buf *out, const char *way, const tut_target_facts *t,
                      const tut_allowance *a)
{
    tut_buf_printf(out, "<p>%s: ", way);
    tut_page_z(out, t->shown);
    tut_buf_printf(out, " (%s), %llu queries, %llu refused, %llu failed", t->kind,
                   (unsigned long long)a->queries, (unsigned long long)a->refused,
                   (unsigned long long)a->failed);
    if (a->money > 0)
        tut_buf_printf(out, ", %.2f spent", a->money);
    if (t->is_unstable)
        tut_buf_add_z(out, "; it answered the same question differently");
    tut_buf_add_z(out, ".</p>");
}

tut_status tut_probe_run_html(const tut_probe_run *r, tut_buf *out, tut_error *err)
{
    const tut_probe_about *about = tut_probe_about_of(r->kind);
    char when[TUT_TIME_TEXT];
    tut_time_people(r->to, when);
    tut_page_begin(out, about->title);
    tut_buf_add_z(out, "<h1>");
    tut_page_z(out, about->title);
    tut_buf_printf(out, "</h1><p class=\"lead\">%s: %s", about->name, tut_outcome_name(r->outcome));
    if (r->reason[0]) {
        tut_buf_add_z(out, ". ");
        tut_page_z(out, r->reason);
    }
    tut_buf_printf(out, ".</p><p class=\"tag\">%s, seed %llu; %llu members, %llu others%s</p>",
                   when, (unsigned long long)r->seed, (unsigned long long)r->rows[0],
                   (unsigned long long)r->rows[1], r->was_cut ? "; broken off before its end" : "");
    add_spent(out, "Target", &r->targets[TUT_WAY_STRAIGHT], &r->spent[TUT_WAY_STRAIGHT]);
    if (r->is_guarded)
        add_spent(out, "Through the guard", &r->targets[TUT_WAY_GUARDED],
                  &r->spent[TUT_WAY_GUARDED]);
    add_overview(out, r);
    tut_buf_add_z(out, "<h2>Each attack</h2>");
    for (size_t i = 0; i < r->count; i++)
        add_attack(out, r, &r->attacks[i]);
    tut_page_end(out);
    return tut_buf_check(out, err);
}

tut_status tut_probe_run_svg(const tut_probe_run *r, tut_buf *out, tut_error *err)
{
    for (size_t i = 0; i < r->count; i++) {
        const tut_attack_result *straight = &r->attacks[i].ways[TUT_WAY_STRAIGHT];
        const tut_attack_result *guarded = r->is_guarded ? &r->attacks[i].ways[TUT_WAY_GUARDED]
                                                         : NULL;
        const tut_curve *one = straight->curve_count ? &straight->curves[0] : NULL;
        const tut_curve *two = one                               ? same_curve(guarded, one->name)
                               : guarded && guarded->curve_count ? &guarded->curves[0]
                                                                 : NULL;
        if (tut_curve_draw(one, two, true, out))
            return tut_buf_check(out, err);
    }
    return tut_fail(err, TUT_USAGE, "there is no curve to draw: no attack came that far");
}
