/* What dot wrote (-Tjson0), read in the cage: objects with "pos", "width", "height" or "bb", edges
 * with "pos" and "lp", all of them text with numbers in points, the origin at the lower left. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "assess/graphviz.h"
#include "base/cage.h"
#include "base/jail.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/reader.h"

/* The reply of the cage: rows of u8 what, u32le number, u32le count, then so many numbers in
 * thousandths of a point, u32le each with the bias below. */
enum { ROW_PAGE = 'p', ROW_NODE = 'n', ROW_CLUSTER = 'c', ROW_EDGE = 'e', ROW_LABEL = 'l' };
enum { NUMBERS_MAX = 4096 };
static const double most = 1000000, fine = 1000; /* points either way; parts of one */

static tut_status malformed(tut_error *err)
{
    return tut_fail(err, TUT_MALFORMED, "Graphviz's dot wrote no layout of this graph");
}

/* --- in the worker --- */

/* All numbers in a text; what stands between them is passed over. */
static size_t read_numbers(tut_str text, double *ret, size_t room)
{
    size_t count = 0;
    for (size_t at = 0; at < text.len && count < room;) {
        char word[40];
        size_t len = 0;
        while (at + len < text.len && text.data[at + len] != ' ' && text.data[at + len] != ',')
            len++;
        tut_str_copy(word, sizeof(word), (tut_str){text.data + at, len});
        char *end = NULL;
        double v = strtod(word, &end);
        if (len && len < sizeof(word) && end && *end == '\0' && isfinite(v) && fabs(v) < most)
            ret[count++] = v;
        at += len + 1;
    }
    return count;
}

static void put_row(tut_buf *out, uint8_t what, uint64_t number, const double *values, size_t count)
{
    tut_buf_add_byte(out, what);
    tut_buf_add_u32le(out, (uint32_t)number);
    tut_buf_add_u32le(out, (uint32_t)count);
    for (size_t i = 0; i < count; i++)
        tut_buf_add_u32le(out, (uint32_t)((values[i] + most) * fine));
}

/* "n12" behind its prefix. */
static bool number_behind(tut_str text, const char *prefix, uint64_t *ret)
{
    size_t len = strlen(prefix);
    return tut_str_starts(text, tut_str_of(prefix)) && text.len > len &&
           tut_str_u64((tut_str){text.data + len, text.len - len}, ret) && *ret <= UINT32_MAX;
}

static void put_object(const tut_json_value *o, tut_buf *out)
{
    uint64_t number;
    double v[4];
    tut_str name = tut_json_get_text(o, "name");
    if (number_behind(name, "cluster_", &number)) {
        if (read_numbers(tut_json_get_text(o, "bb"), v, 4) == 4)
            put_row(out, ROW_CLUSTER, number, v, 4);
        return;
    }
    if (!number_behind(name, "n", &number) ||
        read_numbers(tut_json_get_text(o, "pos"), v, 2) != 2 ||
        read_numbers(tut_json_get_text(o, "width"), v + 2, 1) != 1 ||
        read_numbers(tut_json_get_text(o, "height"), v + 3, 1) != 1)
        return;
    v[2] *= 72;
    v[3] *= 72;
    put_row(out, ROW_NODE, number, v, 4);
}

/* "e,X,Y" is where the head's arrow points to, "s,X,Y" where the tail begins; then the curve. */
static tut_status put_edge(const tut_json_value *e, tut_buf *out)
{
    uint64_t number;
    TUT_AUTO_FREE double *v = tut_alloc_array(NUMBERS_MAX, sizeof(*v));
    tut_str pos = tut_json_get_text(e, "pos");
    double head[2] = {0, 0};
    bool has_head = false;
    if (!v)
        return tut_fail(NULL, TUT_NOMEM, "memory ran out");
    if (!number_behind(tut_json_get_text(e, "id"), "e", &number))
        return TUT_SUCCESS;
    while (pos.len > 2 && pos.data[1] == ',' && (pos.data[0] == 'e' || pos.data[0] == 's')) {
        size_t len = 0;
        while (len < pos.len && pos.data[len] != ' ')
            len++;
        if (pos.data[0] == 'e')
            has_head = read_numbers((tut_str){pos.data + 2, len - 2}, head, 2) == 2;
        pos = len < pos.len ? (tut_str){pos.data + len + 1, pos.len - len - 1} : (tut_str){"", 0};
    }
    size_t count = read_numbers(pos, v, NUMBERS_MAX - 6);
    if (!has_head || count < 8 || (count - 2) % 6 != 0)
        return TUT_SUCCESS;
    const double last[2] = {v[count - 2], v[count - 1]};
    const double arrow[6] = {last[0], last[1], head[0], head[1], head[0], head[1]};
    memcpy(v + count, arrow, sizeof(arrow));
    count += 6;
    put_row(out, ROW_EDGE, number, v, count);
    if (read_numbers(tut_json_get_text(e, "lp"), v, 2) == 2)
        put_row(out, ROW_LABEL, number, v, 2);
    return TUT_SUCCESS;
}

static tut_status read_json(tut_str text, tut_buf *out, tut_error *err)
{
    TUT_AUTO(tut_json_doc) doc = NULL;
    double box[4];
    TUT_TRY(tut_json_parse(tut_span_of(text.data, text.len), NULL, &doc, err));
    const tut_json_value *root = tut_json_root(doc);
    if (read_numbers(tut_json_get_text(root, "bb"), box, 4) != 4)
        return malformed(err);
    put_row(out, ROW_PAGE, 0, box, 4);
    const tut_json_value *objects = tut_json_get(root, "objects");
    for (uint32_t i = 0; i < tut_json_count(objects); i++)
        put_object(tut_json_item(objects, i), out);
    const tut_json_value *edges = tut_json_get(root, "edges");
    for (uint32_t i = 0; i < tut_json_count(edges); i++)
        TUT_TRY(put_edge(tut_json_item(edges, i), out));
    return tut_buf_check(out, err);
}

static tut_status layout_job(tut_cage_task *task, const tut_source *bytes, tut_span argument,
                             tut_buf *out, tut_error *err)
{
    (void)task;
    (void)bytes;
    return read_json(tut_str_from(argument), out, err);
}

/* --- here: the reply is believed no more than the child --- */

typedef struct row {
    uint8_t what;
    uint32_t number, count;
    double v[4];
} row;

static tut_status keep_edge(tut_layout *l, const row *r, tut_reader *values)
{
    tut_layout_way *way = r->number < l->edge_count ? &l->edges[r->number] : NULL;
    if (!way || way->count || r->count < 14 || (r->count - 2) % 6 != 0)
        return malformed(NULL);
    way->first = l->point_count;
    way->count = r->count;
    for (uint32_t i = 0; i < r->count; i++) {
        uint32_t v;
        TUT_TRY(tut_reader_u32le(values, &v));
        double point = (double)v / fine - most;
        l->points[l->point_count++] = i % 2 ? l->height - point : point;
    }
    return TUT_SUCCESS;
}

static tut_status keep_row(tut_layout *l, const row *r)
{
    const double *v = r->v;
    if (r->count < 2 || (r->what != ROW_LABEL && r->count != 4))
        return malformed(NULL);
    if (r->what == ROW_PAGE) {
        l->width = v[2] - v[0];
        l->height = v[3] - v[1];
        return TUT_SUCCESS;
    }
    if (r->what == ROW_NODE && r->number < l->node_count) {
        l->nodes[r->number] = (tut_layout_box){v[0] - v[2] / 2, l->height - v[1] - v[3] / 2, v[2],
                                               v[3], true};
        return TUT_SUCCESS;
    }
    if (r->what == ROW_CLUSTER && r->number < l->cluster_count) {
        l->clusters[r->number] = (tut_layout_box){v[0], l->height - v[3], v[2] - v[0], v[3] - v[1],
                                                  true};
        return TUT_SUCCESS;
    }
    if (r->what == ROW_LABEL && r->number < l->edge_count) {
        l->edges[r->number].label_x = v[0];
        l->edges[r->number].label_y = l->height - v[1];
        l->edges[r->number].has_label = true;
        return TUT_SUCCESS;
    }
    return malformed(NULL);
}

static tut_status read_rows(tut_layout *l, tut_reader *r)
{
    l->points = tut_alloc_array(tut_reader_left(r) / 4 + 1, sizeof(*l->points));
    if (!l->points)
        return tut_fail(NULL, TUT_NOMEM, "memory ran out");
    while (tut_reader_left(r)) {
        row w = {0};
        TUT_TRY(tut_reader_u8(r, &w.what));
        TUT_TRY(tut_reader_u32le(r, &w.number));
        TUT_TRY(tut_reader_u32le(r, &w.count));
        tut_reader values;
        TUT_TRY(tut_reader_take(r, (uint64_t)w.count * 4, &values));
        if (w.what == ROW_EDGE) {
            TUT_TRY(keep_edge(l, &w, &values));
            continue;
        }
        for (uint32_t i = 0; i < w.count && i < 4; i++) {
            uint32_t v;
            TUT_TRY(tut_reader_u32le(&values, &v));
            w.v[i] = (double)v / fine - most;
        }
        TUT_TRY(keep_row(l, &w));
    }
    return TUT_SUCCESS;
}

tut_status tut_layout_read(tut_str json, bool is_caged, size_t nodes, size_t clusters, size_t edges,
                           tut_layout **ret_layout, tut_error *err)
{
    TUT_CLEAN(tut_buf) reply;
    TUT_AUTO(tut_layout) l = tut_alloc_array(1, sizeof(*l));
    const tut_cage_options options = {.mode = TUT_CAGE_AUTO, .workers = 1};
    tut_buf_init(&reply, TUT_LIMIT_REPLY_BYTES);
    if (!l)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    *l = (tut_layout){.node_count = nodes, .cluster_count = clusters, .edge_count = edges};
    l->nodes = tut_alloc_array(nodes + 1, sizeof(*l->nodes));
    l->clusters = tut_alloc_array(clusters + 1, sizeof(*l->clusters));
    l->edges = tut_alloc_array(edges + 1, sizeof(*l->edges));
    if (!l->nodes || !l->clusters || !l->edges)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    TUT_TRY(!is_caged || tut_jail_is_entered()
                ? read_json(json, &reply, err)
                : tut_cage_call(layout_job, &options, -1, tut_span_of(json.data, json.len), &reply,
                                err));
    tut_reader r = tut_reader_of(tut_buf_span(&reply));
    tut_status status = read_rows(l, &r);
    if (!tut_is_ok(status) && status.code != TUT_NOMEM)
        return malformed(err);
    TUT_TRY(status);
    for (size_t i = 0; i < nodes; i++)
        if (!l->nodes[i].is_there)
            return malformed(err);
    *ret_layout = tut_move(&l);
    return TUT_SUCCESS;
}

tut_status tut_layout_of(tut_str dot, size_t nodes, size_t clusters, size_t edges,
                         tut_layout **ret_layout, tut_error *err)
{
    TUT_CLEAN(tut_buf) json;
    tut_buf_init(&json, TUT_LIMIT_DOT_BYTES);
    TUT_TRY(tut_dot_run(dot, &json, err));
    return tut_layout_read(tut_buf_str(&json), true, nodes, clusters, edges, ret_layout, err);
}

void tut_layout_free(tut_layout *l)
{
    if (!l)
        return;
    tut_free(l->nodes);
    tut_free(l->clusters);
    tut_free(l->edges);
    tut_free(l->points);
    tut_free(l);
}

/* --- text --- */

/* Helvetica's widths of U+0020 to U+007E in thousandths of the size: Adobe Core 14 AFM. */
static const uint16_t widths[95] = {
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333,  278, 278, 556, 556, 556,
    556, 556, 556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556, 1015, 667, 667, 722, 722, 667,
    611, 778, 722, 278, 500, 667, 556, 833, 722, 778, 667, 778, 722, 667,  611, 722, 667, 944, 667,
    667, 611, 278, 278, 278, 469, 556, 333, 556, 556, 500, 556, 556, 278,  556, 556, 222, 222, 500,
    222, 833, 556, 556, 556, 556, 333, 500, 278, 556, 500, 722, 500, 500,  500, 334, 260, 334, 584};

double tut_text_width(tut_str text, double size)
{
    double sum = 0;
    for (size_t i = 0; i < text.len;) {
        uint32_t codepoint = 0;
        tut_str rest = {text.data + i, text.len - i};
        size_t len = tut_utf8_len(rest, &codepoint);
        if (codepoint >= 0x20 && codepoint <= 0x7e)
            sum += widths[codepoint - 0x20];
        else
            sum += len ? 600.0 * (double)tut_utf8_columns((tut_str){rest.data, len}) : 600;
        i += len ? len : 1;
    }
    return sum * size / 1000;
}
