/*
 * Places of a picture, recorded and read back:
 *   {"of": digest of the graph, "width", "height", "components": [x, y, w, h, ...],
 *    "boundaries": likewise, "flows": [{"label": [x, y], "way": [x, y, ...]}, ...]}
 * in tenths of a point, or {"of", "problem": why there is none, "tried": true where Graphviz could
 * not do it in time}. A width of 0: not drawn.
 */
#include <math.h>

#include "assess/threat_picture.h"
#include "base/json_write.h"
#include "crypto/digest.h"

static const double tenths = 10, most = 10000000;

/* --- writing --- */

static void put_number(tut_json *j, double v)
{
    tut_json_int(j, (int64_t)llround(v * tenths));
}

static void put_boxes(tut_json *j, const char *key, const tut_layout_box *boxes, size_t count)
{
    tut_json_key(j, key);
    tut_json_array(j);
    for (size_t i = 0; i < count; i++) {
        put_number(j, boxes[i].x);
        put_number(j, boxes[i].y);
        put_number(j, boxes[i].is_there ? boxes[i].width : 0);
        put_number(j, boxes[i].height);
    }
    tut_json_end_array(j);
}

static void put_way(tut_json *j, const tut_layout *l, const tut_layout_way *way)
{
    tut_json_object(j);
    if (way->has_label) {
        tut_json_key(j, "label");
        tut_json_array(j);
        put_number(j, way->label_x);
        put_number(j, way->label_y);
        tut_json_end_array(j);
    }
    tut_json_key(j, "way");
    tut_json_array(j);
    for (size_t i = 0; i < way->count; i++)
        put_number(j, l->points[way->first + i]);
    tut_json_end_array(j);
    tut_json_end_object(j);
}

static void put_layout(tut_json *j, const tut_layout *l)
{
    tut_json_key(j, "width");
    put_number(j, l->width);
    tut_json_key(j, "height");
    put_number(j, l->height);
    put_boxes(j, "components", l->nodes, l->node_count);
    put_boxes(j, "boundaries", l->clusters, l->cluster_count);
    tut_json_key(j, "flows");
    tut_json_array(j);
    for (size_t i = 0; i < l->edge_count; i++)
        put_way(j, l, &l->edges[i]);
    tut_json_end_array(j);
}

/* --- reading --- */

static tut_status malformed(tut_error *err)
{
    return tut_fail(err, TUT_MALFORMED, "the places of the picture are not those of this model");
}

static bool take_number(const tut_json_value *v, double *ret)
{
    if (!v || v->type != TUT_JSON_INT || fabs((double)v->as.integer) > most)
        return false;
    *ret = (double)v->as.integer / tenths;
    return true;
}

static bool take_boxes(const tut_json_value *list, tut_layout_box *boxes, size_t count)
{
    if (tut_json_count(list) != 4 * count)
        return false;
    for (size_t i = 0; i < count; i++) {
        tut_layout_box *b = &boxes[i];
        const uint32_t at = (uint32_t)(4 * i);
        if (!take_number(tut_json_item(list, at), &b->x) ||
            !take_number(tut_json_item(list, at + 1), &b->y) ||
            !take_number(tut_json_item(list, at + 2), &b->width) ||
            !take_number(tut_json_item(list, at + 3), &b->height))
            return false;
        b->is_there = b->width > 0;
    }
    return true;
}

static bool take_way(tut_layout *l, const tut_json_value *json, tut_layout_way *way)
{
    const tut_json_value *label = tut_json_get(json, "label"), *list = tut_json_get(json, "way");
    uint32_t count = tut_json_count(list);
    if (count != 0 && (count < 14 || (count - 2) % 6 != 0))
        return false;
    way->first = l->point_count;
    way->count = count;
    for (uint32_t i = 0; i < count; i++)
        if (!take_number(tut_json_item(list, i), &l->points[l->point_count++]))
            return false;
    way->has_label = tut_json_count(label) == 2;
    return !way->has_label || (take_number(tut_json_item(label, 0), &way->label_x) &&
                               take_number(tut_json_item(label, 1), &way->label_y));
}

static bool take_ways(tut_layout *l, const tut_json_value *list)
{
    size_t points = 0;
    if (tut_json_count(list) != l->edge_count)
        return false;
    for (uint32_t i = 0; i < l->edge_count; i++)
        points += tut_json_count(tut_json_get(tut_json_item(list, i), "way"));
    l->points = tut_alloc_array(points + 1, sizeof(*l->points));
    for (uint32_t i = 0; l->points && i < l->edge_count; i++)
        if (!take_way(l, tut_json_item(list, i), &l->edges[i]))
            return false;
    return l->points != NULL;
}

static tut_status make_room(const tut_threat_view *v, tut_layout **ret, tut_error *err)
{
    TUT_AUTO(tut_layout) l = tut_alloc_array(1, sizeof(*l));
    if (!l)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    l->node_count = tut_picture_count(v, "component");
    l->cluster_count = tut_picture_count(v, "boundary");
    l->edge_count = tut_picture_count(v, "flow");
    l->nodes = tut_alloc_array(l->node_count + 1, sizeof(*l->nodes));
    l->clusters = tut_alloc_array(l->cluster_count + 1, sizeof(*l->clusters));
    l->edges = tut_alloc_array(l->edge_count + 1, sizeof(*l->edges));
    if (!l->nodes || !l->clusters || !l->edges)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    *ret = tut_move(&l);
    return TUT_SUCCESS;
}

tut_status tut_threat_places(const tut_threat_view *v, tut_layout **ret_layout, tut_error *err)
{
    TUT_AUTO(tut_layout) l = NULL;
    const tut_json_value *picture = tut_json_get(v->root, "picture");
    tut_str problem = tut_json_get_text(picture, "problem");
    if (problem.len)
        return tut_fail(err, TUT_UNSUPPORTED, "%.*s", (int)(problem.len < 400 ? problem.len : 400),
                        problem.data);
    if (!picture)
        return tut_fail(err, TUT_UNSUPPORTED, "no picture is recorded with this model");
    TUT_TRY(make_room(v, &l, err));
    if (!take_number(tut_json_get(picture, "width"), &l->width) ||
        !take_number(tut_json_get(picture, "height"), &l->height) ||
        !take_boxes(tut_json_get(picture, "components"), l->nodes, l->node_count) ||
        !take_boxes(tut_json_get(picture, "boundaries"), l->clusters, l->cluster_count) ||
        !take_ways(l, tut_json_get(picture, "flows")))
        return malformed(err);
    *ret_layout = tut_move(&l);
    return TUT_SUCCESS;
}

/* --- making --- */

/* The picture of a model recorded before, if its graph is this one; or NULL. */
static const tut_json_value *same_graph(const tut_threat_view *before, const tut_sha256 *of)
{
    tut_sha256 was;
    const tut_json_value *picture = before ? tut_json_get(before->root, "picture") : NULL;
    tut_str hex = tut_json_get_text(tut_json_get(picture, "of"), "sha256");
    bool is_same = hex.len && tut_is_ok(tut_sha256_parse(hex, &was)) && tut_sha256_eq(&was, of);
    return is_same ? picture : NULL;
}

static tut_status ask(const tut_threat_view *v, tut_str dot, tut_layout **ret, tut_error *why)
{
    size_t nodes = tut_picture_count(v, "component"), flows = tut_picture_count(v, "flow");
    if (nodes == 0)
        return tut_fail(why, TUT_UNSUPPORTED, "no component is described");
    if (nodes > TUT_PICTURE_COMPONENTS || flows > TUT_PICTURE_FLOWS)
        return tut_fail(why, TUT_UNSUPPORTED,
                        "%zu components and %zu flows are too many for a picture (at most %d and "
                        "%d)",
                        nodes, flows, TUT_PICTURE_COMPONENTS, TUT_PICTURE_FLOWS);
    return tut_layout_of(dot, nodes, tut_picture_count(v, "boundary"), flows, ret, why);
}

tut_status tut_threat_place(const tut_threat_view *v, const tut_threat_view *before, tut_buf *out,
                            tut_error *err)
{
    TUT_CLEAN(tut_buf) dot = TUT_BUF_INIT;
    TUT_AUTO(tut_layout) l = NULL;
    TUT_AUTO(tut_json) j = NULL;
    tut_sha256 of;
    tut_error why = {0};
    TUT_TRY(tut_threat_dot(v, &dot, err));
    TUT_TRY(tut_sha256_of(tut_buf_span(&dot), &of, err));
    const tut_json_value *known = same_graph(before, &of);
    bool was_tried = tut_json_get_bool(known, "tried", false);
    tut_status status = tut_fail(&why, TUT_UNSUPPORTED, "nothing is known");
    if (known) /* what took too long once is not tried each time */
        status = tut_threat_places(before, &l, &why);
    if (!tut_is_ok(status) && !was_tried)
        status = ask(v, tut_buf_str(&dot), &l, &why);
    if (status.code == TUT_NOMEM || status.code == TUT_CANCELLED)
        return tut_fail(err, status.code, "%s", why.text);
    TUT_TRY(tut_json_new(out, &j));
    tut_json_object(j);
    tut_json_key(j, "of");
    tut_json_sha256(j, of.bytes);
    if (tut_is_ok(status))
        put_layout(j, l);
    else
        tut_json_put_z(j, "problem", why.text);
    if (was_tried || status.code == TUT_LIMIT)
        tut_json_put_bool(j, "tried", true);
    tut_json_end_object(j);
    return tut_json_finish(j, err);
}
