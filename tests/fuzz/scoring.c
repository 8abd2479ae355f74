/* Requests to the example's scoring service: rows of finite numbers, as many as the shape says, or
 * an error with a reason. */
#include <math.h>
#include <stdlib.h>

#include "rows.h"
#include "scoring.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool claim)
{
    if (!claim)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const tut_net_facts facts = {
        .width = 6, .outputs = 2, .classes = 2, .axes = 2, .shape = {2, 3}, .input = "x"};
    TUT_AUTO(tut_json_doc) doc = NULL;
    TUT_AUTO_FREE float *rows = NULL;
    tut_error err = {0};
    size_t count = 0;
    if (!tut_is_ok(tut_json_parse(tut_span_of(data, size), NULL, &doc, NULL)))
        return 0;
    if (!tut_is_ok(scoring_rows(tut_json_root(doc), &facts, &rows, &count, &err))) {
        demand(!rows && err.text[0]);
        return 0;
    }
    demand(count >= 1 && count <= SCORING_ROWS);
    for (size_t i = 0; i < count * facts.width; i++)
        demand(isfinite(rows[i]));
    return 0;
}
