/* Runs of a net over rows, forth and back. */
#include <string.h>

#include "nets/gemm.h"
#include "nets/net_internal.h"

void tut_pass_free(tut_pass *p)
{
    if (!p)
        return;
    tut_free(p->values);
    tut_free(p->gradients);
    tut_free(p->numbers);
    tut_free(p->columns);
    tut_free(p->picks);
    tut_free(p);
}

/* Values and gradients of all tensors stand in one block, one tensor after the other. What is never
 * asked back takes addresses, not memory. */
static bool make_room(tut_pass *p)
{
    const tut_net *net = p->net;
    size_t numbers = net->row_numbers * p->rows, at = 0;
    p->values = tut_alloc_array(net->tensor_count, sizeof(*p->values));
    p->gradients = tut_alloc_array(net->tensor_count, sizeof(*p->gradients));
    p->numbers = tut_alloc_array(2 * numbers, sizeof(*p->numbers));
    p->columns = tut_alloc_array(net->columns + 1, sizeof(*p->columns));
    p->picks = tut_alloc_array(net->picks * p->rows + 1, sizeof(*p->picks));
    if (!p->values || !p->gradients || !p->numbers || !p->columns || !p->picks)
        return false;
    for (size_t i = 0; i < net->tensor_count; i++) {
        p->values[i] = p->numbers + at;
        p->gradients[i] = p->numbers + numbers + at;
        at += net->widths[i] * p->rows;
    }
    return true;
}

size_t tut_net_rows(const tut_net *net, size_t wanted)
{
    size_t most = TUT_NET_PASS_MOST / (2 * net->row_numbers);
    return most == 0 ? 1 : wanted < most ? wanted : most;
}

size_t tut_net_row_numbers(const tut_net *net)
{
    return 2 * net->row_numbers;
}

tut_status tut_pass_new(const tut_net *net, size_t rows, tut_pass **ret_pass, tut_error *err)
{
    if (rows == 0 || rows > tut_net_rows(net, rows))
        return tut_fail(err, TUT_USAGE, "%zu rows at once are more than this net has room for",
                        rows);
    TUT_TRY(tut_gemm_start(err));
    TUT_AUTO(tut_pass) p = tut_alloc_array(1, sizeof(*p));
    if (!p)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    p->net = net;
    p->rows = rows;
    if (!make_room(p))
        return tut_fail(err, TUT_NOMEM, "memory ran out: ask for fewer rows at once");
    *ret_pass = tut_move(&p);
    return TUT_SUCCESS;
}

tut_status tut_pass_run(tut_pass *p, const float *rows, size_t count, const float **ret_output,
                        tut_error *err)
{
    const tut_net *net = p->net;
    if (count == 0 || count > p->rows)
        return tut_fail(err, TUT_USAGE, "%zu rows in a pass for %zu", count, p->rows);
    p->count = count;
    memcpy(p->values[0], rows, count * net->facts.width * sizeof(*rows));
    for (size_t i = 0; i < net->facts.steps; i++)
        net->steps[i].kind->run(&net->steps[i], p);
    *ret_output = p->values[net->output];
    return TUT_SUCCESS;
}

const float *tut_pass_scores(const tut_pass *p)
{
    return p->values[p->net->scores];
}

/* A tensor may be read by several steps: gradients are sums. */
tut_status tut_pass_back(tut_pass *p, const float *at_scores, float *ret_at_input, tut_error *err)
{
    const tut_net *net = p->net;
    if (p->count == 0)
        return tut_fail(err, TUT_USAGE, "a pass goes back only after it ran");
    for (size_t i = 0; i < net->tensor_count; i++)
        memset(p->gradients[i], 0, p->count * net->widths[i] * sizeof(float));
    memcpy(p->gradients[net->scores], at_scores,
           p->count * net->widths[net->scores] * sizeof(float));
    for (size_t i = net->facts.steps; i-- > 0;)
        if (net->steps[i].out <= net->scores)
            net->steps[i].kind->back(&net->steps[i], p);
    memcpy(ret_at_input, p->gradients[0], p->count * net->facts.width * sizeof(float));
    return TUT_SUCCESS;
}
