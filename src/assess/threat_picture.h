/*
 * The picture of a threat model: components by the shape of their kind, trust boundaries as frames,
 * flows with what authenticates and encrypts them, and the worst residual risk of each, said in
 * words beside its colour. Graphviz places; what is written is ours, and the same for the same
 * recorded model.
 */
#ifndef TUT_ASSESS_THREAT_PICTURE_H
#define TUT_ASSESS_THREAT_PICTURE_H

#include "assess/graphviz.h"
#include "assess/threat_view.h"

/* The graph in Graphviz's language, to be drawn as it is or with another engine. */
TUT_MUST tut_status tut_threat_dot(const tut_threat_view *v, tut_buf *out, tut_error *err);

/* Where everything stands, as the JSON value that the recorded model keeps as "picture": Graphviz
 * is asked once, when the model is recorded, so that a report is the same wherever it is made.
 * before: a model recorded earlier, whose places are taken over where its graph is the same; or
 * NULL. What keeps a picture from being made (no Graphviz, too many components) becomes its
 * "problem". */
enum { TUT_PICTURE_COMPONENTS = 300, TUT_PICTURE_FLOWS = 600 };
TUT_MUST tut_status tut_threat_place(const tut_threat_view *v, const tut_threat_view *before,
                                     tut_buf *out, tut_error *err);
/* The places as recorded. UNSUPPORTED with the recorded problem, or where none are recorded;
 * MALFORMED for places that are not of this model. */
TUT_MUST tut_status tut_threat_places(const tut_threat_view *v, tut_layout **ret_layout,
                                      tut_error *err);

typedef enum tut_picture_place {
    TUT_PICTURE_ALONE,  /* a file of its own: brings its colours, light and dark */
    TUT_PICTURE_IN_PAGE /* within a page that has them; components link to their rows there */
} tut_picture_place;
/* From the recorded places; errors are those of tut_threat_places. */
TUT_MUST tut_status tut_threat_svg(const tut_threat_view *v, tut_picture_place place, tut_buf *out,
                                   tut_error *err);
/* The same from a layout that is there already. */
TUT_MUST tut_status tut_threat_draw(const tut_threat_view *v, const tut_layout *l,
                                    tut_picture_place place, tut_buf *out, tut_error *err);

/* --- what the graph and the picture agree on --- */

typedef enum tut_shape {
    TUT_SHAPE_PERSON,  /* pill: people */
    TUT_SHAPE_STORE,   /* cylinder: what keeps data */
    TUT_SHAPE_MODEL,   /* double frame */
    TUT_SHAPE_AGENT,   /* octagon */
    TUT_SHAPE_GATEWAY, /* hexagon */
    TUT_SHAPE_TOOL,    /* cut corner */
    TUT_SHAPE_PROCESS, /* rounded box */
    TUT_SHAPE_COUNT
} tut_shape;
tut_shape tut_shape_of(tut_str kind);
extern const char *const tut_shape_words[TUT_SHAPE_COUNT]; /* for the legend */

enum { TUT_PICTURE_TITLE = 13, TUT_PICTURE_SMALL = 11, TUT_PICTURE_NODE_HEIGHT = 54 };

/* The lines of an element's box or label, shortened to what fits. Caller's buffers. */
typedef struct tut_picture_text {
    tut_buf title, small, badge; /* badge: "high, 2 open", or empty */
    double width;                /* points, of the widest */
} tut_picture_text;
TUT_MUST tut_status tut_picture_text_of(const tut_view_element *e, tut_picture_text *ret,
                                        tut_error *err);
void tut_picture_text_done(tut_picture_text *t);
/* Components, boundaries and flows are numbered in their order within the view. */
size_t tut_picture_count(const tut_threat_view *v, const char *on);

#endif
