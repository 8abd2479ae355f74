#include "rows.h"

#include <float.h>
#include <math.h>

#include "scoring.h"

enum { AXES = 9, SHOWN = 48 }; /* the rows and the eight of a row */

static tut_status wrong_name(const char *where, tut_str got, const char *wanted, tut_error *err)
{
    char shown[SHOWN];
    tut_str_copy(shown, sizeof(shown), got);
    return tut_fail(err, TUT_MALFORMED, "%s: \"%s\" is wanted, not \"%s\"", where, wanted, shown);
}

/* --- shape --- */

static tut_status take_shape(const tut_json_value *shape, const tut_net_facts *f, size_t *ret_count,
                             tut_error *err)
{
    if (!shape || shape->type != TUT_JSON_ARRAY || tut_json_count(shape) != f->axes + 1)
        return tut_fail(err, TUT_MALFORMED, "inputs[0].shape: a list of %zu lengths is wanted",
                        f->axes + 1);
    for (uint32_t i = 0; i <= f->axes; i++) {
        const tut_json_value *v = tut_json_item(shape, i);
        bool is_whole = v->type == TUT_JSON_INT && v->as.integer >= 0;
        if (i == 0 && (!is_whole || v->as.integer < 1 || v->as.integer > SCORING_ROWS))
            return tut_fail(err, TUT_MALFORMED, "inputs[0].shape[0]: 1 to %d rows are taken",
                            SCORING_ROWS);
        if (i > 0 && (!is_whole || (uint64_t)v->as.integer != f->shape[i - 1]))
            return tut_fail(err, TUT_MALFORMED, "inputs[0].shape[%u]: the model takes %zu", i,
                            f->shape[i - 1]);
    }
    *ret_count = (size_t)tut_json_item(shape, 0)->as.integer;
    return TUT_SUCCESS;
}

/* --- data --- */

static tut_status take_number(const tut_json_value *v, size_t at, const tut_net_facts *f,
                              float *ret, tut_error *err)
{
    double number = tut_json_real_of(v);
    if (!isfinite(number) || fabs(number) > (double)FLT_MAX)
        return tut_fail(
            err, TUT_MALFORMED,
            "inputs[0].data: row %zu, number %zu: a number that FP32 can hold is wanted",
            at / f->width, at % f->width);
    *ret = (float)number;
    return TUT_SUCCESS;
}

static tut_status take_flat(const tut_json_value *data, const tut_net_facts *f, size_t total,
                            float *ret, tut_error *err)
{
    if (tut_json_count(data) != total)
        return tut_fail(err, TUT_MALFORMED, "inputs[0].data: %zu numbers are wanted, not %u", total,
                        tut_json_count(data));
    for (size_t i = 0; i < total; i++)
        TUT_TRY(take_number(tut_json_item(data, (uint32_t)i), i, f, ret + i, err));
    return TUT_SUCCESS;
}

/* Lists in lists, as the shape has them; a loop, as their depth comes from outside. */
static tut_status take_nested(const tut_json_value *data, const tut_net_facts *f, size_t count,
                              float *ret, tut_error *err)
{
    const tut_json_value *list[AXES] = {data};
    uint32_t next[AXES] = {0};
    size_t depth = 0, at = 0;
    for (;;) {
        size_t wanted = depth ? f->shape[depth - 1] : count;
        const tut_json_value *l = list[depth];
        if (l->type != TUT_JSON_ARRAY || tut_json_count(l) != wanted)
            return tut_fail(err, TUT_MALFORMED,
                            "inputs[0].data: row %zu: a list of %zu is wanted at depth %zu",
                            at / f->width, wanted, depth + 1);
        while (depth == f->axes && next[depth] < wanted) {
            TUT_TRY(take_number(tut_json_item(l, next[depth]++), at, f, ret + at, err));
            at++;
        }
        while (next[depth] == (depth ? f->shape[depth - 1] : count)) {
            if (depth-- == 0)
                return TUT_SUCCESS;
        }
        list[depth + 1] = tut_json_item(list[depth], next[depth]++);
        next[++depth] = 0;
    }
}

static tut_status take_data(const tut_json_value *input, const tut_net_facts *f, size_t count,
                            float *ret, tut_error *err)
{
    const tut_json_value *data = tut_json_get(input, "data");
    if (!data || data->type != TUT_JSON_ARRAY)
        return tut_fail(err, TUT_MALFORMED,
                        "inputs[0].data: a list of numbers is wanted; binary parts are not taken");
    const tut_json_value *first = tut_json_item(data, 0);
    if (first && first->type == TUT_JSON_ARRAY)
        return take_nested(data, f, count, ret, err);
    return take_flat(data, f, count * f->width, ret, err);
}

/* --- the request --- */

static tut_status check_outputs(const tut_json_value *request, tut_error *err)
{
    const tut_json_value *outputs = tut_json_get(request, "outputs");
    for (uint32_t i = 0; i < tut_json_count(outputs); i++) {
        tut_str name = tut_json_get_text(tut_json_item(outputs, i), "name");
        if (!tut_str_eq_z(name, "probabilities"))
            return wrong_name("outputs[].name", name, "probabilities", err);
    }
    return TUT_SUCCESS;
}

tut_status scoring_rows(const tut_json_value *request, const tut_net_facts *facts, float **ret_rows,
                        size_t *ret_count, tut_error *err)
{
    const tut_json_value *inputs = tut_json_get(request, "inputs");
    const tut_json_value *input = tut_json_item(inputs, 0);
    size_t count = 0;
    if (!inputs || inputs->type != TUT_JSON_ARRAY || tut_json_count(inputs) != 1)
        return tut_fail(err, TUT_MALFORMED, "inputs: a list of one is wanted: \"%s\"",
                        facts->input);
    tut_str name = tut_json_get_text(input, "name"), type = tut_json_get_text(input, "datatype");
    if (!tut_str_eq_z(name, facts->input))
        return wrong_name("inputs[0].name", name, facts->input, err);
    if (!tut_str_eq_z(type, "FP32") && !tut_str_eq_z(type, "FP64"))
        return wrong_name("inputs[0].datatype", type, "FP32\" or \"FP64", err);
    TUT_TRY(take_shape(tut_json_get(input, "shape"), facts, &count, err));
    TUT_TRY(check_outputs(request, err));
    TUT_AUTO_FREE float *rows = tut_alloc_array(count * facts->width, sizeof(*rows));
    if (!rows)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    TUT_TRY(take_data(input, facts, count, rows, err));
    *ret_rows = tut_move(&rows);
    *ret_count = count;
    return TUT_SUCCESS;
}
