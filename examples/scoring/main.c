/*
 * tutela-example-scoring [--listen HOST:PORT] [--name NAME] MODEL.onnx
 *
 * Serves the model of examples/credit-scoring, so that the guard and `tutela probe` have a real
 * service of numbers to work on. An example: not installed.
 */
#include "base/cage.h"
#include "scoring.h"
#include "serving.h"

static void answer(void *ctx, tut_str method, tut_str path, tut_span body, tut_http_answer *ret)
{
    scoring_serve(ctx, method, path, body, ret);
}

static tut_status serve(int argc, char **argv, tut_error *err)
{
    TUT_AUTO(scoring_model) model = NULL;
    serving s = {.listen = "127.0.0.1:8090",
                 .name = "classifier",
                 .what = "MODEL.onnx",
                 .of_one = 256,
                 .answer = answer};
    TUT_TRY(serving_take(&s, argc, argv, err));
    TUT_TRY(scoring_open(s.what, s.name, TUT_CAGE_AUTO, &model, err));
    s.ctx = model;
    return serving_run(&s, err);
}

int main(int argc, char **argv)
{
    tut_error err = {0};
    return serving_end(serve(argc, argv, &err), argv[0], &err);
}
