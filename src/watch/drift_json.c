/* tutela.drift/1: written by the worker and by the command, read back by the program. */
#include <math.h>

#include "base/json.h"
#include "watch/drift_internal.h"

static void put_sides(tut_json *j, const char *key, const uint64_t v[TUT_SIDES])
{
    tut_json_key(j, key);
    tut_json_object(j);
    tut_json_put_u64(j, "reference", v[0]);
    tut_json_put_u64(j, "current", v[1]);
    tut_json_end_object(j);
}

static void put_bars(tut_json *j, const tut_drift_bars *b)
{
    static const char *const names[TUT_SIDES] = {"reference", "current"};
    if (b->count == 0)
        return;
    tut_json_key(j, "bars");
    tut_json_object(j);
    tut_json_key(j, b->has_edges ? "edges" : "labels");
    tut_json_array(j);
    for (size_t i = 0; i < b->count + b->has_edges; i++)
        if (b->has_edges)
            tut_json_real(j, b->edges[i]);
        else
            tut_json_z(j, b->labels[i]);
    tut_json_end_array(j);
    for (unsigned side = 0; side < TUT_SIDES; side++) {
        tut_json_key(j, names[side]);
        tut_json_array(j);
        for (size_t i = 0; i < b->count; i++)
            tut_json_u64(j, b->counts[side][i]);
        tut_json_end_array(j);
    }
    tut_json_end_object(j);
}

/* name in JSON, member: numbers that may be absent (null). */
#define FEATURE_REALS(X)                                                                           \
    X("statistic", statistic)                                                                      \
    X("p", p)                                                                                      \
    X("q", q)                                                                                      \
    X("effect", effect)                                                                            \
    X("psi", psi)                                                                                  \
    X("js", js)                                                                                    \
    X("wasserstein", wasserstein)                                                                  \
    X("mean_difference", mean_difference)                                                          \
    X("detectable", detectable)                                                                    \
    X("needed", needed) X("missing_p", missing_p) X("missing_q", missing_q)

static void put_feature(tut_json *j, const tut_drift_feature *f)
{
    tut_json_object(j);
    tut_json_put_z(j, "name", f->name);
    tut_json_put_z(j, "kind", f->kind);
    tut_json_put_or_null(j, "test", tut_str_of(f->test));
#define PUT(key, member) tut_json_put_real(j, key, f->member);
    FEATURE_REALS(PUT)
#undef PUT
    put_sides(j, "n", f->n);
    put_sides(j, "missing", f->missing);
    tut_json_put_bool(j, "drifted", f->drifted);
    tut_json_put_bool(j, "missing_drifted", f->is_missing_drifted);
    tut_json_put_or_null(j, "note", tut_str_of(f->note));
    put_bars(j, &f->bars);
    tut_json_end_object(j);
}

static void put_joint(tut_json *j, const tut_drift *d)
{
    const uint64_t points[TUT_SIDES] = {d->joint.points[0], d->joint.points[1]};
    tut_json_key(j, "joint");
    if (!d->joint.is_there) {
        tut_json_null(j);
        return;
    }
    tut_json_object(j);
    tut_json_put_u64(j, "features", d->joint.features);
    put_sides(j, "points", points);
    tut_json_put_real(j, "mmd", d->joint.mmd.statistic);
    tut_json_put_real(j, "mmd_p", d->joint.mmd.p);
    tut_json_put_real(j, "bandwidth", d->joint.mmd.bandwidth);
    tut_json_put_real(j, "auc", d->joint.classifier.auc);
    tut_json_put_real(j, "auc_low", d->joint.classifier.low);
    tut_json_put_real(j, "auc_high", d->joint.classifier.high);
    tut_json_put_real(j, "auc_p", d->joint.classifier.p);
    tut_json_put_bool(j, "drifted", d->joint.drifted);
    tut_json_end_object(j);
}

#define PERFORMANCE_REALS(X)                                                                       \
    X("reference_accuracy", accuracy[0])                                                           \
    X("estimated_accuracy", accuracy[1])                                                           \
    X("accuracy_low", accuracy_low)                                                                \
    X("accuracy_high", accuracy_high)                                                              \
    X("reference_auc", auc[0])                                                                     \
    X("estimated_auc", auc[1])                                                                     \
    X("realised_accuracy", realised_accuracy)                                                      \
    X("realised_auc", realised_auc) X("p", p) X("effect_least", effect_least)

static void put_performance(tut_json *j, const tut_drift_performance *f)
{
    tut_json_key(j, "performance");
    if (!f->is_there && !f->note[0]) {
        tut_json_null(j);
        return;
    }
    tut_json_object(j);
    tut_json_put_bool(j, "judged", f->is_there);
    tut_json_put_bool(j, "labels_now", f->has_current);
#define PUT(key, member) tut_json_put_real(j, key, f->is_there ? f->member : NAN);
    PERFORMANCE_REALS(PUT)
#undef PUT
    tut_json_put_bool(j, "drifted", f->drifted);
    tut_json_put_or_null(j, "note", tut_str_of(f->note));
    tut_json_end_object(j);
}

void tut_drift_json(const tut_drift *d, tut_json *j)
{
    tut_json_key(j, "summary");
    tut_json_object(j);
    tut_json_put_u64(j, "features", d->count);
    tut_json_put_u64(j, "drifted", d->drifted);
    tut_json_put_bool(j, "found", tut_drift_is_found(d));
    tut_json_put_bool(j, "enough", d->is_enough);
    tut_json_put_or_null(j, "why", tut_str_of(d->why));
    tut_json_put_real(j, "alpha", d->alpha);
    tut_json_put_real(j, "effect", d->effect);
    put_sides(j, "rows", d->rows);
    put_sides(j, "compared", d->kept);
    put_sides(j, "defects", d->defects);
    tut_json_end_object(j);
    tut_json_key(j, "features");
    tut_json_array(j);
    for (size_t i = 0; i < d->count; i++)
        put_feature(j, &d->features[i]);
    tut_json_end_array(j);
    put_joint(j, d);
    put_performance(j, &d->performance);
}

/* --- reading: what a worker says is taken for hostile --- */

static double get_real(const tut_json_value *v, const char *key)
{
    return tut_json_real_of(tut_json_get(v, key));
}

static uint64_t get_count(const tut_json_value *v, const char *key)
{
    int64_t n = tut_json_get_int(v, key, 0);
    return n > 0 ? (uint64_t)n : 0;
}

static void get_sides(const tut_json_value *v, const char *key, uint64_t ret[TUT_SIDES])
{
    const tut_json_value *x = tut_json_get(v, key);
    ret[0] = get_count(x, "reference");
    ret[1] = get_count(x, "current");
}

#define GET_TEXT(v, key, to) tut_str_copy(to, sizeof(to), tut_json_get_text(v, key))

static void get_bars(const tut_json_value *v, tut_drift_bars *b)
{
    static const char *const names[TUT_SIDES] = {"reference", "current"};
    const tut_json_value *edges = tut_json_get(v, "edges"), *labels = tut_json_get(v, "labels");
    uint32_t count = edges ? tut_json_count(edges) : tut_json_count(labels);
    count -= edges && count > 0;
    if (!v || count == 0 || count > TUT_DRIFT_BARS)
        return;
    b->count = count;
    b->has_edges = edges != NULL;
    for (uint32_t i = 0; i < count; i++)
        if (!edges)
            tut_str_copy(b->labels[i], TUT_DRIFT_LABEL, tut_json_text(tut_json_item(labels, i)));
    for (uint32_t i = 0; edges && i <= count; i++) {
        const tut_json_value *x = tut_json_item(edges, i);
        b->edges[i] = x->type == TUT_JSON_REAL  ? x->as.real
                      : x->type == TUT_JSON_INT ? (double)x->as.integer
                                                : 0;
    }
    for (unsigned side = 0; side < TUT_SIDES; side++) {
        const tut_json_value *counts = tut_json_get(v, names[side]);
        for (uint32_t i = 0; i < count && i < tut_json_count(counts); i++) {
            const tut_json_value *x = tut_json_item(counts, i);
            b->counts[side][i] = x->type == TUT_JSON_INT && x->as.integer > 0
                                     ? (uint64_t)x->as.integer
                                     : 0;
        }
    }
}

static void get_feature(const tut_json_value *v, tut_drift_feature *f)
{
    GET_TEXT(v, "name", f->name);
    GET_TEXT(v, "kind", f->kind);
    GET_TEXT(v, "test", f->test);
    GET_TEXT(v, "note", f->note);
#define GET(key, member) f->member = get_real(v, key);
    FEATURE_REALS(GET)
#undef GET
    get_sides(v, "n", f->n);
    get_sides(v, "missing", f->missing);
    f->drifted = tut_json_get_bool(v, "drifted", false);
    f->is_missing_drifted = tut_json_get_bool(v, "missing_drifted", false);
    get_bars(tut_json_get(v, "bars"), &f->bars);
}

static void get_joint(const tut_json_value *v, tut_drift *d)
{
    uint64_t points[TUT_SIDES];
    if (!v || v->type != TUT_JSON_OBJECT)
        return;
    d->joint.is_there = true;
    d->joint.features = get_count(v, "features");
    get_sides(v, "points", points);
    d->joint.points[0] = points[0];
    d->joint.points[1] = points[1];
    d->joint.mmd = (tut_mmd){.statistic = get_real(v, "mmd"),
                             .p = get_real(v, "mmd_p"),
                             .bandwidth = get_real(v, "bandwidth")};
    d->joint.classifier = (tut_auc){.auc = get_real(v, "auc"),
                                    .low = get_real(v, "auc_low"),
                                    .high = get_real(v, "auc_high"),
                                    .p = get_real(v, "auc_p")};
    d->joint.drifted = tut_json_get_bool(v, "drifted", false);
}

static void get_performance(const tut_json_value *v, tut_drift_performance *f)
{
    if (!v || v->type != TUT_JSON_OBJECT)
        return;
    f->is_there = tut_json_get_bool(v, "judged", false);
    f->has_current = tut_json_get_bool(v, "labels_now", false);
#define GET(key, member) f->member = get_real(v, key);
    PERFORMANCE_REALS(GET)
#undef GET
    f->drifted = tut_json_get_bool(v, "drifted", false);
    GET_TEXT(v, "note", f->note);
}

tut_status tut_drift_read(tut_span json, tut_drift **ret_drift, tut_error *err)
{
    TUT_AUTO(tut_json_doc) doc = NULL;
    TUT_AUTO(tut_drift) d = tut_alloc_array(1, sizeof(*d));
    TUT_TRY(tut_json_parse(json, NULL, &doc, err));
    const tut_json_value *root = tut_json_root(doc);
    const tut_json_value *summary = tut_json_get(root, "summary");
    const tut_json_value *features = tut_json_get(root, "features");
    if (!summary || !features || features->type != TUT_JSON_ARRAY ||
        features->count > TUT_ROWS_COLUMNS * 2)
        return tut_fail(err, TUT_MALFORMED, "this is no comparison of ours");
    if (!d)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    d->features = tut_alloc_array(features->count + 1, sizeof(*d->features));
    if (!d->features)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    d->alpha = get_real(summary, "alpha");
    d->effect = get_real(summary, "effect");
    d->is_enough = tut_json_get_bool(summary, "enough", false);
    GET_TEXT(summary, "why", d->why);
    get_sides(summary, "rows", d->rows);
    get_sides(summary, "compared", d->kept);
    get_sides(summary, "defects", d->defects);
    for (uint32_t i = 0; i < features->count; i++) {
        tut_drift_feature *f = &d->features[d->count++];
        get_feature(tut_json_item(features, i), f);
        d->drifted += f->drifted || f->is_missing_drifted;
    }
    get_joint(tut_json_get(root, "joint"), d);
    get_performance(tut_json_get(root, "performance"), &d->performance);
    *ret_drift = tut_move(&d);
    return TUT_SUCCESS;
}
