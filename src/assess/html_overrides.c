/* Gates that people let pass although they were closed. Only where there ever was one; then it
 * stays. */
#include "assess/html.h"

static void add_people(tut_buf *out, const tut_override *o)
{
    for (size_t i = 0; i < o->by_count; i++) {
        tut_buf_add_z(out, i ? ", " : "");
        tut_html_z(out, o->by[i]);
    }
    if (o->by_count == 0)
        tut_buf_add_z(out, "nobody whose key counts");
}

static void add_row(tut_buf *out, const tut_override *o)
{
    tut_buf_add_z(out, "<tr><th scope=\"row\" class=\"nb\">");
    tut_html_z(out, o->gate);
    tut_buf_add_z(out, "</th><td>");
    tut_html_z(out, o->reason);
    tut_buf_add_z(out, "</td><td>");
    add_people(out, o);
    tut_buf_add_z(out, "</td><td class=\"nb\">");
    tut_html_time(out, o->since);
    tut_buf_add_z(out, "</td><td class=\"nb\">");
    tut_html_time(out, o->expires);
    tut_buf_printf(out, "</td><td>%s</td><td>", tut_override_state_name(o->state));
    for (size_t i = 0; i < o->entry_count; i++)
        tut_buf_printf(out, "%s#%llu", i ? " " : "", (unsigned long long)o->entries[i]);
    tut_buf_add_z(out, "</td></tr>\n");
}

void tut_html_overrides(tut_buf *out, const tut_assessment *a)
{
    if (a->override_count == 0)
        return;
    tut_buf_add_z(out,
                  "<section class=\"wide\" id=\"overrides\" aria-labelledby=\"h-overrides\">"
                  "<div class=\"hd\"><div><h2 id=\"h-overrides\">Overrides</h2><p>Gates that two "
                  "people let pass although they were closed. They stay here when they ran out.</p>"
                  "</div></div><div class=\"bd\">\n<table class=\"ls\"><thead><tr><th "
                  "scope=\"col\">Gate</th><th scope=\"col\">Reason</th><th scope=\"col\">By</th>"
                  "<th scope=\"col\">Since</th><th scope=\"col\">Until</th><th "
                  "scope=\"col\">State</th><th scope=\"col\">Records</th></tr></thead><tbody>\n");
    for (size_t i = 0; i < a->override_count; i++)
        add_row(out, &a->overrides[i]);
    tut_buf_add_z(out, "</tbody></table></div></section>\n");
}
