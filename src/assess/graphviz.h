/*
 * Where things stand in a picture: Graphviz's dot decides, as a child process without a shell, with
 * an environment, time, memory and output of its own, and only numbers come back. They are read in
 * the cage, so nothing that the child writes gets into a page.
 */
#ifndef TUT_ASSESS_GRAPHVIZ_H
#define TUT_ASSESS_GRAPHVIZ_H

#include "base/alloc.h"
#include "base/buf.h"

/* In points (1/72 inch), the origin at the upper left. */
typedef struct tut_layout_box {
    double x, y, width, height; /* x, y: upper left corner */
    bool is_there;
} tut_layout_box;

typedef struct tut_layout_way { /* cubic Bezier: a start, then three points a piece; the last
                                 * piece is straight, from the arrow's base to its point */
    size_t first, count;        /* of tut_layout.points; count 0: not drawn */
    double label_x, label_y;    /* its middle */
    bool has_label;
} tut_layout_way;

typedef struct tut_layout {
    double width, height;
    tut_layout_box *nodes, *clusters; /* by number: "n0", "cluster_0" */
    tut_layout_way *edges;            /* by their attribute id: "e0" */
    double *points;                   /* x, y, x, y ... */
    size_t node_count, cluster_count, edge_count, point_count;
} tut_layout;

/* dot: a graph whose nodes are named n0.., its subgraphs cluster_0.., its edges by id e0.., so many
 * of each. UNSUPPORTED where Graphviz is not installed; LIMIT when it takes longer than
 * TUT_LIMIT_DOT_MS or writes too much; IO when it ends otherwise; MALFORMED when what it wrote is
 * no layout of this graph. */
TUT_MUST tut_status tut_layout_of(tut_str dot, size_t nodes, size_t clusters, size_t edges,
                                  tut_layout **ret_layout, tut_error *err);
void tut_layout_free(tut_layout *l);
TUT_DEFINE_AUTO(tut_layout)

/* What the child does to graph descriptions, and what is made of its answer; apart for tests. */
TUT_MUST tut_status tut_dot_run(tut_str dot, tut_buf *out, tut_error *err);
/* json: as `dot -Tjson0` writes it. */
TUT_MUST tut_status tut_layout_read(tut_str json, bool is_caged, size_t nodes, size_t clusters,
                                    size_t edges, tut_layout **ret_layout, tut_error *err);
/* Width of a line of sans-serif text, by the Adobe metrics of Helvetica, in the unit of size. */
double tut_text_width(tut_str text, double size);

#endif
