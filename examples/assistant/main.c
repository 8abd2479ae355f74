/*
 * tutela-example-assistant [--listen HOST:PORT] DIR
 *
 * Serves examples/support-assistant, so that the guard and `tutela probe` have a real system to
 * work on, small as it is. An example: not installed.
 */
#include "base/cage.h"
#include "serving.h"
#include "wire.h"

static void answer(void *ctx, tut_str method, tut_str path, tut_span body, tut_http_answer *ret)
{
    assistant_serve(ctx, method, path, body, ret);
}

static tut_status serve(int argc, char **argv, tut_error *err)
{
    TUT_AUTO(assistant_brain) brain = NULL;
    serving s = {.listen = "127.0.0.1:8081", .what = "DIR", .of_one = 200, .answer = answer};
    TUT_TRY(serving_take(&s, argc, argv, err));
    TUT_TRY(assistant_brain_open(s.what, TUT_CAGE_AUTO, &brain, err));
    s.ctx = brain;
    return serving_run(&s, err);
}

int main(int argc, char **argv)
{
    tut_error err = {0};
    return serving_end(serve(argc, argv, &err), argv[0], &err);
}
