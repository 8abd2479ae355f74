/* The picture as SVG: everything in it is written here, from the model and from Graphviz's numbers.
 * Colours are names of the page's style sheet (threat_picture.css). */
#include <math.h>

#include "assess/html.h"
#include "assess/threat_picture.h"

enum { MARGIN = 14, LEGEND_ROW = 24, LEGEND_LEAST = 560 };

extern const char tut_picture_css[], tut_picture_css_end[];
extern const char tut_picture_alone_css[], tut_picture_alone_css_end[];

/* --- pieces --- */

static void add_line(tut_buf *out, const char *class, double x, double y, const tut_buf *text)
{
    tut_buf_printf(out, "<text class=\"%s\" x=\"%.1f\" y=\"%.1f\">", class, x, y);
    tut_html_text(out, tut_buf_str(text));
    tut_buf_add_z(out, "</text>");
}

/* Four rising bars, as many filled as the level is high: as the report shows severities. */
static void add_bars(tut_buf *out, double x, double y, int level)
{
    for (int bar = 0; bar < 4; bar++)
        tut_buf_printf(out,
                       "<rect class=\"tm-b%s\" x=\"%.1f\" y=\"%.1f\" width=\"2.5\" "
                       "height=\"%d\"/>",
                       bar < level ? " tm-f" : "", x + 4 * bar, y - 3 - 2 * bar, 3 + 2 * bar);
}

static void add_badge_line(tut_buf *out, const tut_view_element *e, const tut_picture_text *t,
                           double middle, double y)
{
    if (t->badge.len == 0)
        return;
    double width = tut_text_width(tut_buf_str(&t->badge), TUT_PICTURE_SMALL) * 1.12;
    double x = middle - (width + 20) / 2;
    add_bars(out, x, y, e->drawn);
    add_line(out, "tm-s tm-w tm-l", x + 20, y, &t->badge);
}

static void add_path(tut_buf *out, const double *xy, size_t count)
{
    tut_buf_add_z(out, "<path class=\"tm-k\" d=\"");
    for (size_t i = 0; i < count; i += 2)
        tut_buf_printf(out, "%c%.1f %.1f", i ? 'L' : 'M', xy[i], xy[i + 1]);
    tut_buf_add_z(out, "z\"/>");
}

static void add_rect(tut_buf *out, const tut_layout_box *b, double inset, double round)
{
    tut_buf_printf(out,
                   "<rect class=\"tm-k%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" "
                   "rx=\"%.1f\"/>",
                   inset > 0 ? " tm-i" : "", b->x + inset, b->y + inset, b->width - 2 * inset,
                   b->height - 2 * inset, round);
}

static void add_cylinder(tut_buf *out, const tut_layout_box *b)
{
    const double cap = b->height / 12, right = b->x + b->width, low = b->y + b->height;
    tut_buf_printf(out,
                   "<path class=\"tm-k\" d=\"M%.1f %.1fV%.1fA%.1f %.1f 0 0 0 %.1f %.1fV%.1f\"/>",
                   b->x, b->y + cap, low - cap, b->width / 2, cap, right, low - cap, b->y + cap);
    tut_buf_printf(out, "<ellipse class=\"tm-k\" cx=\"%.1f\" cy=\"%.1f\" rx=\"%.1f\" ry=\"%.1f\"/>",
                   b->x + b->width / 2, b->y + cap, b->width / 2, cap);
}

static void add_shape(tut_buf *out, tut_shape shape, const tut_layout_box *b)
{
    const double l = b->x, r = b->x + b->width, t = b->y, d = b->y + b->height;
    const double cut = b->height > 30 ? 13 : 4, middle = t + b->height / 2;
    switch (shape) {
    case TUT_SHAPE_PERSON:
        add_rect(out, b, 0, b->height / 2);
        return;
    case TUT_SHAPE_STORE:
        add_cylinder(out, b);
        return;
    case TUT_SHAPE_MODEL:
        add_rect(out, b, 0, 0);
        add_rect(out, b, 3, 0);
        return;
    case TUT_SHAPE_AGENT: { /* this and the next as Graphviz has them: lines end at their sides */
        const double x = b->width * 0.293, y = b->height * 0.293;
        const double xy[] = {l + x, t, r - x, t, r, t + y, r, d - y,
                             r - x, d, l + x, d, l, d - y, l, t + y};
        add_path(out, xy, 16);
        return;
    }
    case TUT_SHAPE_GATEWAY: {
        const double x = b->width / 4;
        const double xy[] = {l + x, t, r - x, t, r, middle, r - x, d, l + x, d, l, middle};
        add_path(out, xy, 12);
        return;
    }
    case TUT_SHAPE_TOOL: {
        const double xy[] = {l, t, r - cut, t, r, t + cut, r, d, l, d};
        add_path(out, xy, 10);
        return;
    }
    case TUT_SHAPE_PROCESS:
    case TUT_SHAPE_COUNT:
        break;
    }
    add_rect(out, b, 0, b->height > 30 ? 8 : 4);
}

/* What a screen reader says, and what shows when one points at it. */
static void add_title(tut_buf *out, const tut_threat_view *v, const tut_view_element *e)
{
    tut_buf_add_z(out, "<title>");
    tut_html_text(out, e->on);
    tut_buf_add_z(out, " ");
    tut_html_text(out, e->id);
    if (tut_view_is(e, "flow") && e->from != SIZE_MAX && e->to != SIZE_MAX) {
        tut_buf_add_z(out, " from ");
        tut_html_text(out, v->elements[e->from].id);
        tut_buf_add_z(out, " to ");
        tut_html_text(out, v->elements[e->to].id);
        tut_buf_add_z(out, tut_view_flag(e, "crosses") ? ", crosses a trust boundary" : "");
    }
    if (e->drawn >= 0)
        tut_buf_printf(out, ": residual risk %s, %zu risk%s, %zu open", tut_view_levels[e->drawn],
                       e->drawn_risks, e->drawn_risks == 1 ? "" : "s", e->drawn_open);
    else
        tut_buf_add_z(out, ": no risk found");
    tut_buf_add_z(out, "</title>");
}

static void open_group(tut_buf *out, const tut_threat_view *v, const tut_view_element *e,
                       const char *class)
{
    tut_buf_printf(out, "<g class=\"%s", class);
    if (e->drawn >= 0)
        tut_buf_printf(out, " tm-r%d", e->drawn);
    tut_buf_add_z(out, "\">");
    add_title(out, v, e);
}

/* --- frames, components, flows --- */

typedef struct drawing {
    const tut_threat_view *v;
    const tut_layout *l;
    tut_buf *out;
    tut_picture_place place;
    bool shapes[TUT_SHAPE_COUNT];
    bool has_crossing, has_frame;
    tut_error *err;
} drawing;

static tut_status draw_frame(drawing *d, const tut_view_element *e, const tut_layout_box *b)
{
    tut_picture_text t;
    tut_status status = tut_picture_text_of(e, &t, d->err);
    if (tut_is_ok(status) && b->is_there) {
        d->has_frame = true;
        open_group(d->out, d->v, e, "tm-c");
        add_rect(d->out, b, 0, 3);
        add_line(d->out, "tm-t tm-l", b->x + 12, b->y + 20, &t.title);
        add_line(d->out, "tm-s tm-l", b->x + 12, b->y + 34, &t.small);
        if (t.badge.len) {
            add_bars(d->out, b->x + 12, b->y + 48, e->drawn);
            add_line(d->out, "tm-s tm-w tm-l", b->x + 32, b->y + 48, &t.badge);
        }
        tut_buf_add_z(d->out, "</g>\n");
    }
    tut_picture_text_done(&t);
    return status;
}

static tut_status draw_node(drawing *d, const tut_view_element *e, const tut_layout_box *b)
{
    tut_picture_text t;
    tut_shape shape = tut_shape_of(e->kind);
    double middle = b->x + b->width / 2;
    double y = b->y + b->height / 2 + (shape == TUT_SHAPE_STORE ? 4 : 0);
    tut_status status = tut_picture_text_of(e, &t, d->err);
    if (tut_is_ok(status)) {
        d->shapes[shape] = true;
        open_group(d->out, d->v, e, "tm-n");
        if (d->place == TUT_PICTURE_IN_PAGE)
            tut_buf_printf(d->out, "<a href=\"#t-e-%zu\">", (size_t)(e - d->v->elements));
        add_shape(d->out, shape, b);
        y += t.badge.len ? -9 : -2;
        add_line(d->out, "tm-t", middle, y, &t.title);
        add_line(d->out, "tm-s", middle, y + 14, &t.small);
        add_badge_line(d->out, e, &t, middle, y + 28);
        if (d->place == TUT_PICTURE_IN_PAGE)
            tut_buf_add_z(d->out, "</a>");
        tut_buf_add_z(d->out, "</g>\n");
    }
    tut_picture_text_done(&t);
    return status;
}

static void draw_way(drawing *d, const tut_layout_way *way)
{
    const double *p = d->l->points + way->first;
    tut_buf_printf(d->out, "<path class=\"tm-p\" d=\"M%.1f %.1fC", p[0], p[1]);
    for (size_t i = 2; i + 6 < way->count; i += 2)
        tut_buf_printf(d->out, "%s%.1f %.1f", i > 2 ? " " : "", p[i], p[i + 1]);
    const double *base = p + way->count - 8, *point = p + way->count - 2;
    double dx = point[0] - base[0], dy = point[1] - base[1], len = hypot(dx, dy);
    if (len < 0.001)
        len = 1;
    double across_x = -dy / len * 4, across_y = dx / len * 4;
    tut_buf_printf(d->out, "\"/><path class=\"tm-a\" d=\"M%.1f %.1fL%.1f %.1fL%.1f %.1fz\"/>",
                   point[0], point[1], base[0] + across_x, base[1] + across_y, base[0] - across_x,
                   base[1] - across_y);
}

/* The mark of what crosses a boundary. */
static void add_diamond(tut_buf *out, double x, double y)
{
    tut_buf_printf(out, "<path class=\"tm-d\" d=\"M%.1f %.1fl4 4l-4 4l-4 -4z\"/>", x, y - 4);
}

static void draw_flow_text(drawing *d, const tut_view_element *e, const tut_layout_way *way,
                           const tut_picture_text *t)
{
    double height = t->badge.len ? 46 : 30, x = way->label_x;
    double y = way->label_y - height / 2 + 13;
    bool crosses = tut_view_flag(e, "crosses");
    double width = tut_text_width(tut_buf_str(&t->title), TUT_PICTURE_TITLE) * 1.12;
    tut_buf_printf(d->out,
                   "<rect class=\"tm-g\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"/>",
                   x - t->width / 2 - 4, way->label_y - height / 2, t->width + 8, height);
    if (crosses)
        add_diamond(d->out, x - width / 2 - 2, y - 4);
    add_line(d->out, "tm-t", crosses ? x + 6 : x, y, &t->title);
    add_line(d->out, "tm-s", x, y + 14, &t->small);
    add_badge_line(d->out, e, t, x, y + 28);
}

static tut_status draw_flow(drawing *d, const tut_view_element *e, const tut_layout_way *way)
{
    tut_picture_text t;
    bool crosses = tut_view_flag(e, "crosses");
    tut_status status = tut_picture_text_of(e, &t, d->err);
    if (tut_is_ok(status) && way->count) {
        d->has_crossing = d->has_crossing || crosses;
        open_group(d->out, d->v, e, crosses ? "tm-e tm-x" : "tm-e");
        draw_way(d, way);
        if (way->has_label)
            draw_flow_text(d, e, way, &t);
        tut_buf_add_z(d->out, "</g>\n");
    }
    tut_picture_text_done(&t);
    return status;
}

static tut_status draw_all(drawing *d, const char *on)
{
    size_t number = 0;
    for (size_t i = 0; i < d->v->count; i++) {
        const tut_view_element *e = &d->v->elements[i];
        if (!tut_view_is(e, on))
            continue;
        if (*on == 'b')
            TUT_TRY(draw_frame(d, e, &d->l->clusters[number]));
        else if (*on == 'c')
            TUT_TRY(draw_node(d, e, &d->l->nodes[number]));
        else
            TUT_TRY(draw_flow(d, e, &d->l->edges[number]));
        number++;
    }
    return TUT_SUCCESS;
}

/* --- the legend: what occurs in the picture --- */

typedef struct legend {
    drawing *d;
    double x, y, right;
} legend;

/* Room for one entry, on the next row where this one is full; false beyond it. */
static void place_entry(legend *g, const char *words)
{
    double width = 34 + tut_text_width(tut_str_of(words), TUT_PICTURE_SMALL) * 1.1 + 18;
    if (g->x + width > g->right && g->x > 0) {
        g->x = 0;
        g->y += LEGEND_ROW;
    }
}

static void end_entry(legend *g, const char *words)
{
    tut_buf_printf(g->d->out, "<text class=\"tm-s tm-l\" x=\"%.1f\" y=\"%.1f\">%s</text>",
                   g->x + 34, g->y + 4, words);
    g->x += 34 + tut_text_width(tut_str_of(words), TUT_PICTURE_SMALL) * 1.1 + 18;
}

static void add_shape_entries(legend *g)
{
    for (size_t i = 0; i < TUT_SHAPE_COUNT; i++) {
        if (!g->d->shapes[i])
            continue;
        place_entry(g, tut_shape_words[i]);
        const tut_layout_box box = {g->x + 1, g->y - 8, 26, 16, true};
        tut_buf_add_z(g->d->out, "<g class=\"tm-n\">");
        add_shape(g->d->out, (tut_shape)i, &box);
        tut_buf_add_z(g->d->out, "</g>");
        end_entry(g, tut_shape_words[i]);
    }
}

static void add_line_entries(legend *g)
{
    static const char frame[] = "trust boundary", crossing[] = "flow that crosses one";
    if (g->d->has_frame) {
        place_entry(g, frame);
        const tut_layout_box box = {g->x + 1, g->y - 8, 26, 16, true};
        tut_buf_add_z(g->d->out, "<g class=\"tm-c\">");
        add_rect(g->d->out, &box, 0, 2);
        tut_buf_add_z(g->d->out, "</g>");
        end_entry(g, frame);
    }
    if (g->d->has_crossing) {
        place_entry(g, crossing);
        tut_buf_printf(g->d->out,
                       "<g class=\"tm-e tm-x\"><path class=\"tm-p\" d=\"M%.1f %.1fh26\"/>",
                       g->x + 1, g->y);
        add_diamond(g->d->out, g->x + 14, g->y);
        tut_buf_add_z(g->d->out, "</g>");
        end_entry(g, crossing);
    }
}

static void add_level_entries(legend *g)
{
    for (int level = 0; level < TUT_VIEW_LEVELS; level++) {
        place_entry(g, tut_view_levels[level]);
        const tut_layout_box box = {g->x + 1, g->y - 8, 26, 16, true};
        tut_buf_printf(g->d->out, "<g class=\"tm-n tm-r%d\">", level);
        add_rect(g->d->out, &box, 0, 2);
        add_bars(g->d->out, g->x + 7, g->y + 5, level);
        tut_buf_add_z(g->d->out, "</g>");
        end_entry(g, tut_view_levels[level]);
    }
}

static double add_legend(drawing *d, double top, double right)
{
    legend g = {.d = d, .x = 0, .y = top + LEGEND_ROW / 2.0, .right = right};
    tut_buf_add_z(d->out, "<g class=\"tm-y\" aria-hidden=\"true\">");
    add_shape_entries(&g);
    add_line_entries(&g);
    g.x = 0;
    g.y += LEGEND_ROW;
    tut_buf_printf(d->out, "<text class=\"tm-s tm-l\" x=\"0\" y=\"%.1f\">Residual risk:</text>",
                   g.y + 4);
    g.x = 86;
    add_level_entries(&g);
    tut_buf_add_z(d->out, "</g>\n");
    return g.y + LEGEND_ROW / 2.0;
}

/* --- the whole --- */

static void add_description(tut_buf *out, const tut_threat_view *v, tut_picture_place place)
{
    size_t flows = tut_picture_count(v, "flow");
    tut_buf_printf(out,
                   "<title>Threat model: %zu components in %zu trust boundaries, %zu flow%s, %zu "
                   "risk%s, %zu open</title>\n",
                   tut_picture_count(v, "component"), tut_picture_count(v, "boundary"), flows,
                   flows == 1 ? "" : "s", v->risk_count, v->risk_count == 1 ? "" : "s",
                   tut_view_in_state(v, "open"));
    if (place == TUT_PICTURE_IN_PAGE)
        return;
    tut_buf_add_z(out, "<style>\n");
    tut_buf_add(out, tut_picture_alone_css,
                (size_t)(tut_picture_alone_css_end - tut_picture_alone_css));
    tut_buf_add(out, tut_picture_css, (size_t)(tut_picture_css_end - tut_picture_css));
    tut_buf_add_z(out, "</style>\n");
}

tut_status tut_threat_draw(const tut_threat_view *v, const tut_layout *l, tut_picture_place place,
                           tut_buf *out, tut_error *err)
{
    TUT_CLEAN(tut_buf) body = TUT_BUF_INIT;
    drawing d = {.v = v, .l = l, .out = &body, .place = place, .err = err};
    double width = l->width > LEGEND_LEAST ? l->width : LEGEND_LEAST;
    TUT_TRY(draw_all(&d, "boundary"));
    TUT_TRY(draw_all(&d, "flow"));
    TUT_TRY(draw_all(&d, "component"));
    double height = add_legend(&d, l->height + MARGIN, width);
    TUT_TRY(tut_buf_check(&body, err));
    /* What a page cannot show at this width is scrolled. */
    double least = place == TUT_PICTURE_IN_PAGE ? ceil(width * 0.75) : 0;
    tut_buf_printf(
        out,
        "<svg class=\"tm\" xmlns=\"http://www.w3.org/2000/svg\" role=\"%s\" "
        "width=\"%.0f\" height=\"%.0f\" style=\"min-width:%.0fpx\" viewBox=\"%d %d %.0f %.0f\">",
        place == TUT_PICTURE_ALONE ? "img" : "group", ceil(width) + 2 * MARGIN,
        ceil(height) + 2 * MARGIN, least, -MARGIN, -MARGIN, ceil(width) + 2 * MARGIN,
        ceil(height) + 2 * MARGIN);
    add_description(out, v, place);
    tut_buf_add_str(out, tut_buf_str(&body));
    tut_buf_add_z(out, "</svg>\n");
    return tut_buf_check(out, err);
}

tut_status tut_threat_svg(const tut_threat_view *v, tut_picture_place place, tut_buf *out,
                          tut_error *err)
{
    TUT_AUTO(tut_layout) l = NULL;
    TUT_TRY(tut_threat_places(v, &l, err));
    return tut_threat_draw(v, l, place, out, err);
}
