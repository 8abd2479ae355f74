/* The graph of a threat model in Graphviz's language. Names are ours (n0, cluster_0, e0); texts
 * stand only in HTML-like labels, where four characters are special. Every size is given, so that
 * where things stand does not depend on the fonts of a machine. newrank: the older ranking of dot
 * (2.43) fails on some graphs with frames and flows there and back. */
#include <string.h>

#include "assess/threat_picture.h"
#include "assets/attributes.h"

enum { TITLE_CHARS = 34, FLOW_CHARS = 26, SMALL_CHARS = 40, PAD = 26 };

const char *const tut_shape_words[TUT_SHAPE_COUNT] = {
    "people", "store of data", "model", "agent", "gateway", "tool", "process or service"};
static const char *const shape_names[TUT_SHAPE_COUNT + 1] = {
    "box", "cylinder", "box", "octagon", "hexagon", "note", "box", "box"};

static const struct {
    const char *kind;
    tut_shape shape;
} shapes[] = {
    {"model", TUT_SHAPE_MODEL},         {"agent", TUT_SHAPE_AGENT},
    {"tool", TUT_SHAPE_TOOL},           {"inference-gateway", TUT_SHAPE_GATEWAY},
    {"user-client", TUT_SHAPE_PERSON},  {"human-review", TUT_SHAPE_PERSON},
    {"rag-index", TUT_SHAPE_STORE},     {"vector-store", TUT_SHAPE_STORE},
    {"prompt-store", TUT_SHAPE_STORE},  {"data-source", TUT_SHAPE_STORE},
    {"dataset-store", TUT_SHAPE_STORE}, {"model-registry", TUT_SHAPE_STORE},
    {"log", TUT_SHAPE_STORE},
};

tut_shape tut_shape_of(tut_str kind)
{
    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++)
        if (tut_str_eq_z(kind, shapes[i].kind))
            return shapes[i].shape;
    return TUT_SHAPE_PROCESS;
}

size_t tut_picture_count(const tut_threat_view *v, const char *on)
{
    size_t count = 0;
    for (size_t i = 0; i < v->count; i++)
        count += tut_view_is(&v->elements[i], on);
    return count;
}

/* --- texts --- */

static void add_small(const tut_view_element *e, tut_buf *out)
{
    tut_str auth = tut_view_word(e, "auth");
    tut_str encryption = tut_view_word(e, "encryption");
    if (tut_view_is(e, "flow"))
        tut_buf_printf(out, "auth %.*s, %.*s", (int)auth.len, auth.data,
                       tut_str_eq_z(encryption, "none") ? 5 : (int)encryption.len,
                       tut_str_eq_z(encryption, "none") ? "plain" : encryption.data);
    else if (tut_view_is(e, "boundary")) {
        tut_str zone = tut_view_word(e, "zone");
        tut_buf_add_z(out, "trust: ");
        tut_buf_add_str(out, tut_view_word(e, "trust"));
        tut_buf_add_z(out, zone.len ? ", zone: " : "");
        tut_buf_add_str(out, zone);
    } else
        tut_buf_add_escaped(out, e->kind, SMALL_CHARS);
}

static void add_badge(const tut_view_element *e, tut_buf *out)
{
    if (e->drawn < 0)
        return;
    tut_buf_add_z(out, tut_view_levels[e->drawn]);
    if (e->drawn_open)
        tut_buf_printf(out, ", %zu open", e->drawn_open);
}

tut_status tut_picture_text_of(const tut_view_element *e, tut_picture_text *ret, tut_error *err)
{
    *ret = (tut_picture_text){.width = 0};
    tut_buf_add_escaped(&ret->title, e->id, tut_view_is(e, "flow") ? FLOW_CHARS : TITLE_CHARS);
    add_small(e, &ret->small);
    add_badge(e, &ret->badge);
    double width = tut_text_width(tut_buf_str(&ret->title), TUT_PICTURE_TITLE) * 1.12;
    double small = tut_text_width(tut_buf_str(&ret->small), TUT_PICTURE_SMALL) * 1.08;
    double badge = tut_text_width(tut_buf_str(&ret->badge), TUT_PICTURE_SMALL) * 1.12 + 22;
    ret->width = width > small ? width : small;
    if (ret->badge.len && badge > ret->width)
        ret->width = badge;
    TUT_TRY(tut_buf_check(&ret->title, err));
    TUT_TRY(tut_buf_check(&ret->small, err));
    return tut_buf_check(&ret->badge, err);
}

void tut_picture_text_done(tut_picture_text *t)
{
    tut_buf_done(&t->title);
    tut_buf_done(&t->small);
    tut_buf_done(&t->badge);
}

/* An empty text would be no label that Graphviz reads. */
static void add_text(tut_buf *out, const tut_buf *text)
{
    if (text->len == 0)
        tut_buf_add_byte(out, '-');
    for (size_t i = 0; i < text->len; i++) {
        uint8_t c = text->data[i];
        if (c == '&')
            tut_buf_add_z(out, "&amp;");
        else if (c == '<')
            tut_buf_add_z(out, "&lt;");
        else if (c == '>')
            tut_buf_add_z(out, "&gt;");
        else if (c == '"')
            tut_buf_add_z(out, "&quot;");
        else
            tut_buf_add_byte(out, c);
    }
}

static void add_label(tut_buf *out, const tut_picture_text *t, int width, int height)
{
    tut_buf_printf(out,
                   "<<TABLE BORDER=\"0\" CELLBORDER=\"0\" CELLSPACING=\"0\" CELLPADDING=\"0\" "
                   "FIXEDSIZE=\"TRUE\" WIDTH=\"%d\" HEIGHT=\"%d\"><TR><TD>",
                   width, height);
    tut_buf_printf(out, "<FONT POINT-SIZE=\"%d\">", TUT_PICTURE_TITLE);
    add_text(out, &t->title);
    tut_buf_printf(out, "</FONT><BR/><FONT POINT-SIZE=\"%d\">", TUT_PICTURE_SMALL);
    add_text(out, &t->small);
    if (t->badge.len) {
        tut_buf_add_z(out, "<BR/>");
        add_text(out, &t->badge);
    }
    tut_buf_add_z(out, "</FONT></TD></TR></TABLE>>");
}

/* --- nodes, frames, flows --- */

static const char *const level_colours[TUT_VIEW_LEVELS] = {"#646973", "#8a6a1f", "#7a5006",
                                                           "#bd3a1b", "#a42f13"};

static void add_style(tut_buf *out, int level)
{
    if (level >= 0)
        tut_buf_printf(out, ", color=\"%s\", penwidth=%.1f", level_colours[level],
                       1.2 + 0.5 * level);
}

/* A slanted shape is narrower where its first and last line stand. */
static double node_width(tut_shape shape, double text)
{
    switch (shape) {
    case TUT_SHAPE_GATEWAY:
        return text * 1.4 + 40;
    case TUT_SHAPE_AGENT:
    case TUT_SHAPE_PERSON:
        return text + PAD + 30;
    case TUT_SHAPE_STORE:
    case TUT_SHAPE_MODEL:
    case TUT_SHAPE_TOOL:
    case TUT_SHAPE_PROCESS:
    case TUT_SHAPE_COUNT:
        break;
    }
    return text + PAD;
}

static tut_status add_node(tut_buf *out, const tut_view_element *e, size_t number, tut_error *err)
{
    tut_picture_text t;
    tut_shape shape = tut_shape_of(e->kind);
    tut_status status = tut_picture_text_of(e, &t, err);
    if (tut_is_ok(status)) {
        double width = node_width(shape, t.width);
        tut_buf_printf(out, "    n%zu [shape=%s, width=%.3f, height=%.3f, fixedsize=true", number,
                       shape_names[shape], width / 72, TUT_PICTURE_NODE_HEIGHT / 72.0);
        if (shape == TUT_SHAPE_MODEL)
            tut_buf_add_z(out, ", peripheries=2");
        if (shape == TUT_SHAPE_PROCESS || shape == TUT_SHAPE_PERSON)
            tut_buf_add_z(out, ", style=rounded");
        add_style(out, e->drawn);
        tut_buf_add_z(out, ", label=");
        add_label(out, &t, (int)width - 8, TUT_PICTURE_NODE_HEIGHT - 6);
        tut_buf_add_z(out, "];\n");
    }
    tut_picture_text_done(&t);
    return status;
}

/* Components of one boundary, or of none (SIZE_MAX). */
static tut_status add_nodes(tut_buf *out, const tut_threat_view *v, size_t boundary, tut_error *err)
{
    size_t number = 0;
    for (size_t i = 0; i < v->count; i++) {
        if (!tut_view_is(&v->elements[i], "component"))
            continue;
        if (v->elements[i].boundary == boundary)
            TUT_TRY(add_node(out, &v->elements[i], number, err));
        number++;
    }
    return TUT_SUCCESS;
}

static tut_status add_cluster(tut_buf *out, const tut_threat_view *v, size_t at, size_t number,
                              tut_error *err)
{
    tut_picture_text t;
    const tut_view_element *e = &v->elements[at];
    tut_status status = tut_picture_text_of(e, &t, err);
    if (tut_is_ok(status)) {
        tut_buf_printf(out, "  subgraph cluster_%zu {\n    margin=18; style=dashed; labeljust=l;\n",
                       number);
        if (e->drawn >= 0)
            tut_buf_printf(out, "    color=\"%s\";\n", level_colours[e->drawn]);
        tut_buf_add_z(out, "    label=");
        add_label(out, &t, (int)t.width + 12, t.badge.len ? 50 : 34);
        tut_buf_add_z(out, ";\n");
        status = add_nodes(out, v, at, err);
        tut_buf_add_z(out, "  }\n");
    }
    tut_picture_text_done(&t);
    return status;
}

/* Places of components are their numbers. */
static size_t number_of(const tut_threat_view *v, size_t at)
{
    size_t number = 0;
    for (size_t i = 0; i < at; i++)
        number += tut_view_is(&v->elements[i], "component");
    return number;
}

static tut_status add_flow(tut_buf *out, const tut_threat_view *v, const tut_view_element *e,
                           size_t number, tut_error *err)
{
    tut_picture_text t;
    if (e->from == SIZE_MAX || e->to == SIZE_MAX)
        return TUT_SUCCESS; /* it dangles: listed, not drawn */
    tut_status status = tut_picture_text_of(e, &t, err);
    if (tut_is_ok(status)) {
        tut_buf_printf(out, "  n%zu -> n%zu [id=\"e%zu\"", number_of(v, e->from),
                       number_of(v, e->to), number);
        if (tut_view_flag(e, "crosses"))
            tut_buf_add_z(out, ", style=dashed");
        add_style(out, e->drawn);
        tut_buf_add_z(out, ", label=");
        add_label(out, &t, (int)t.width + 22, t.badge.len ? 46 : 30);
        tut_buf_add_z(out, "];\n");
    }
    tut_picture_text_done(&t);
    return status;
}

tut_status tut_threat_dot(const tut_threat_view *v, tut_buf *out, tut_error *err)
{
    size_t clusters = 0, flows = 0;
    tut_buf_add_z(out, "digraph threats {\n"
                       "  graph [rankdir=LR, newrank=true, nodesep=0.5, ranksep=0.6, pad=0.2, "
                       "fontname=\"Helvetica\"];\n"
                       "  node [fontname=\"Helvetica\"];\n"
                       "  edge [fontname=\"Helvetica\"];\n");
    for (size_t i = 0; i < v->count; i++)
        if (tut_view_is(&v->elements[i], "boundary"))
            TUT_TRY(add_cluster(out, v, i, clusters++, err));
    TUT_TRY(add_nodes(out, v, SIZE_MAX, err));
    for (size_t i = 0; i < v->count; i++)
        if (tut_view_is(&v->elements[i], "flow"))
            TUT_TRY(add_flow(out, v, &v->elements[i], flows++, err));
    tut_buf_add_z(out, "}\n");
    return tut_buf_check(out, err);
}
