#include "scoring.h"

#include <math.h>
#include <stdio.h>

#include "base/json_write.h"
#include "rows.h"

enum { AT_ONCE = 256 };

struct scoring_model {
    tut_net *net;
    tut_pass *pass;
    size_t at_once;
    char name[SCORING_NAME_BYTES];
};

/* ---- opening ---- */

static bool is_name(const char *name)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
    size_t len = strlen(name);
    return len > 0 && len < SCORING_NAME_BYTES && strspn(name, letters) == len;
}

tut_status scoring_open(const char *path, const char *name, tut_cage_mode sandbox,
                        scoring_model **ret_model, tut_error *err)
{
    if (!is_name(name))
        return tut_fail(err, TUT_USAGE,
                        "a model's name has letters, digits and \"._-\", at most %d",
                        SCORING_NAME_BYTES - 1);
    TUT_AUTO(scoring_model) m = tut_alloc_array(1, sizeof(*m));
    if (!m)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    tut_str_copy(m->name, sizeof(m->name), tut_str_of(name));
    TUT_TRY(tut_net_load(path, sandbox, &m->net, err));
    m->at_once = tut_net_rows(m->net, AT_ONCE);
    TUT_TRY(tut_pass_new(m->net, m->at_once, &m->pass, err));
    *ret_model = tut_move(&m);
    return TUT_SUCCESS;
}

void scoring_model_free(scoring_model *m)
{
    if (!m)
        return;
    tut_pass_free(m->pass);
    tut_net_free(m->net);
    tut_free(m);
}

/* ---- the model's answers ---- */

static tut_status predict(scoring_model *m, const float *rows, size_t count, double *ret,
                          tut_error *err)
{
    const tut_net_facts *f = tut_net_about(m->net);
    for (size_t done = 0; done < count;) {
        const float *out = NULL;
        size_t n = count - done < m->at_once ? count - done : m->at_once;
        TUT_TRY(tut_pass_run(m->pass, rows + done * f->width, n, &out, err));
        for (size_t i = 0; i < n; i++)
            tut_net_probabilities(f, out + i * f->outputs, ret + (done + i) * f->classes);
        done += n;
    }
    for (size_t i = 0; i < count * f->classes; i++)
        if (!isfinite(ret[i])) /* numbers so large that single precision overflows in the model */
            return tut_fail(err, TUT_MALFORMED, "inputs[0].data: row %zu: the model has no answer",
                            i / f->classes);
    return TUT_SUCCESS;
}

/* ---- writing ---- */

static void put_output(tut_json *j, int64_t rows, size_t classes, const double *values)
{
    tut_json_key(j, "outputs");
    tut_json_array(j);
    tut_json_object(j);
    tut_json_put_z(j, "name", "probabilities");
    tut_json_put_z(j, "datatype", "FP64");
    tut_json_key(j, "shape");
    tut_json_array(j);
    tut_json_int(j, rows);
    tut_json_u64(j, classes);
    tut_json_end_array(j);
    if (values) {
        tut_json_key(j, "data");
        tut_json_array(j);
        for (size_t i = 0; i < (size_t)rows * classes; i++)
            tut_json_real(j, values[i]);
        tut_json_end_array(j);
    }
    tut_json_end_object(j);
    tut_json_end_array(j);
}

static tut_status write_about(const scoring_model *m, tut_buf *out, tut_error *err)
{
    const tut_net_facts *f = tut_net_about(m->net);
    TUT_AUTO(tut_json) j = NULL;
    TUT_TRY(tut_json_new(out, &j));
    tut_json_object(j);
    tut_json_put_z(j, "name", m->name);
    tut_json_put_z(j, "platform", "tutela-example-scoring");
    tut_json_key(j, "inputs");
    tut_json_array(j);
    tut_json_object(j);
    tut_json_put_z(j, "name", f->input);
    tut_json_put_z(j, "datatype", "FP32");
    tut_json_key(j, "shape");
    tut_json_array(j);
    tut_json_int(j, -1);
    for (size_t i = 0; i < f->axes; i++)
        tut_json_u64(j, f->shape[i]);
    tut_json_end_array(j);
    tut_json_end_object(j);
    tut_json_end_array(j);
    put_output(j, -1, f->classes, NULL);
    tut_json_end_object(j);
    return tut_json_finish(j, err);
}

static tut_status write_answer(const scoring_model *m, const tut_json_value *request, size_t count,
                               const double *values, tut_buf *out, tut_error *err)
{
    TUT_AUTO(tut_json) j = NULL;
    tut_str id = tut_json_get_text(request, "id");
    TUT_TRY(tut_json_new(out, &j));
    tut_json_object(j);
    tut_json_put_z(j, "model_name", m->name);
    if (id.len)
        tut_json_put_str(j, "id", id);
    put_output(j, (int64_t)count, tut_net_about(m->net)->classes, values);
    tut_json_end_object(j);
    return tut_json_finish(j, err);
}

static tut_status write_ready(const scoring_model *m, tut_buf *out, tut_error *err)
{
    TUT_AUTO(tut_json) j = NULL;
    TUT_TRY(tut_json_new(out, &j));
    tut_json_object(j);
    tut_json_put_z(j, "name", m->name);
    tut_json_put_bool(j, "ready", true);
    tut_json_end_object(j);
    return tut_json_finish(j, err);
}

/* The protocol's form of an error: one sentence. */
static void refuse(tut_http_answer *ret, int status, const char *why)
{
    TUT_AUTO(tut_json) j = NULL;
    tut_buf_clear(&ret->body);
    ret->status = status;
    if (!tut_is_ok(tut_json_new(&ret->body, &j)))
        return;
    tut_json_object(j);
    tut_json_put_z(j, "error", why);
    tut_json_end_object(j);
    TUT_IGNORE(tut_json_finish(j, NULL));
}

/* ---- requests ---- */

static tut_status infer(scoring_model *m, tut_span body, tut_buf *out, tut_error *err)
{
    TUT_AUTO(tut_json_doc) doc = NULL;
    TUT_AUTO_FREE float *rows = NULL;
    size_t count = 0;
    TUT_TRY(tut_json_parse(body, NULL, &doc, err));
    const tut_net_facts *f = tut_net_about(m->net);
    TUT_TRY(scoring_rows(tut_json_root(doc), f, &rows, &count, err));
    TUT_AUTO_FREE double *values = tut_alloc_array(count * f->classes, sizeof(*values));
    if (!values)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    TUT_TRY(predict(m, rows, count, values, err));
    return write_answer(m, tut_json_root(doc), count, values, out, err);
}

typedef enum route { NO_ROUTE, ABOUT, READY, INFER } route;

static route route_of(const scoring_model *m, tut_str path)
{
    char base[SCORING_NAME_BYTES + 16];
    if (tut_str_eq_z(path, "/v2/health/live") || tut_str_eq_z(path, "/v2/health/ready"))
        return READY;
    (void)snprintf(base, sizeof(base), "/v2/models/%s", m->name);
    size_t len = strlen(base);
    if (!tut_str_starts(path, tut_str_of(base)))
        return NO_ROUTE;
    tut_str rest = {path.data + len, path.len - len};
    if (rest.len == 0)
        return ABOUT;
    if (tut_str_eq_z(rest, "/ready"))
        return READY;
    return tut_str_eq_z(rest, "/infer") ? INFER : NO_ROUTE;
}

void scoring_serve(scoring_model *m, tut_str method, tut_str path, tut_span body,
                   tut_http_answer *ret)
{
    tut_error err = {0};
    route to = route_of(m, path);
    const char *wanted = to == INFER ? "POST" : "GET";
    *ret = (tut_http_answer){.status = 200, .content_type = "application/json"};
    if (to == NO_ROUTE) {
        char why[SCORING_NAME_BYTES + 80];
        (void)snprintf(why, sizeof(why),
                       "there is /v2/health/ready and /v2/models/%s, with /ready and /infer",
                       m->name);
        refuse(ret, 404, why);
        return;
    }
    if (!tut_str_eq_z(method, wanted)) {
        refuse(ret, 405, to == INFER ? "POST is wanted" : "GET is wanted");
        ret->allow = wanted;
        return;
    }
    tut_status status = to == INFER   ? infer(m, body, &ret->body, &err)
                        : to == ABOUT ? write_about(m, &ret->body, &err)
                                      : write_ready(m, &ret->body, &err);
    if (!tut_is_ok(status))
        refuse(ret, status.code == TUT_NOMEM ? 503 : 400, err.text);
}
