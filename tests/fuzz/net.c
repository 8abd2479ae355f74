/* Nets: ONNX files through the reader of the cage and the building of steps, and the wire between
 * the two by itself. What is built is run once. */
#include "onnx_maker.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SMALL = 1 << 16 };

static void run(const tut_net *net)
{
    tut_pass *pass = NULL;
    const float *out = NULL;
    const tut_net_facts *f = tut_net_about(net);
    if (net->row_numbers > SMALL || net->columns > SMALL || net->picks > SMALL)
        return;
    float *rows = tut_alloc_array(f->width, sizeof(*rows));
    float *back = tut_alloc_array(f->width, sizeof(*back));
    float *up = tut_alloc_array(f->outputs, sizeof(*up));
    if (rows && back && up && tut_is_ok(tut_pass_new(net, 1, &pass, NULL)) &&
        tut_is_ok(tut_pass_run(pass, rows, 1, &out, NULL)))
        TUT_IGNORE(tut_pass_back(pass, up, back, NULL));
    tut_pass_free(pass);
    tut_free(rows);
    tut_free(back);
    tut_free(up);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    tut_net *net = NULL;
    tut_arena arena = {0};
    tut_graph graph;
    const tut_source file = tut_source_memory(tut_span_of(data, size));
    if (tut_is_ok(om_net(tut_span_of(data, size), &net, NULL))) {
        run(net);
        tut_net_free(net);
        net = NULL;
    }
    if (tut_is_ok(tut_graph_decode(tut_span_of(data, size), size, &arena, &graph, NULL)) &&
        tut_is_ok(tut_net_build(&graph, &file, &net, NULL)))
        tut_net_free(net);
    tut_arena_done(&arena);
    return 0;
}
